"""Words as people type them: what of them makes a difference, and how they are repeated in a message."""

from __future__ import annotations

LONGEST_SHOWN = 40  # characters of an unknown word in a message


def key(word: str) -> str:
    """What of a word makes a difference: letters and digits, of either case."""
    return "".join(character for character in word.casefold() if character.isalnum())


def repeated(word: str) -> str:
    """A word that was typed, safe to print and of a bounded length."""
    first = word if len(word) <= LONGEST_SHOWN else word[:LONGEST_SHOWN] + "..."
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in first) or repr("")
