"""From what somebody typed to the words of the glossary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.errors import UsageError
from lstm_explain.frameworks.glossary.known import GROUPS
from lstm_explain.topics.lookup import LONGEST_SHOWN, key, repeated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lstm_explain.frameworks.glossary.entry import Entry

ENTRIES: tuple[Entry, ...] = tuple(entry for group in GROUPS.values() for entry in group)
NEAREST = 3  # how many words a message proposes
_BY_KEY = {key(spelling): entry for entry in ENTRIES for spelling in (*entry.spellings, entry.word)}
_MOST_PARTS = max(len(spelling.split()) for entry in ENTRIES for spelling in (*entry.spellings, entry.word))


def looked_up(words: Iterable[str]) -> tuple[Entry, ...]:
    """The entries that the words ask for, each once.

    Parts that make one word of the glossary together are one: `hidden state cell` asks for `hidden state` and `cell`.

    Raises:
        UsageError: a word is not in the glossary; the message names the nearest ones.
    """
    parts = [part for word in words for part in (word.split() or [word])]
    found: dict[str, Entry] = {}
    while parts:
        entry, taken = _longest(parts)
        found[entry.word] = entry
        parts = parts[taken:]
    return tuple(found.values())


def _longest(parts: list[str]) -> tuple[Entry, int]:
    """The entry that the longest run of parts from the first on is the word of, and how many these are."""
    for taken in range(min(len(parts), _MOST_PARTS), 0, -1):
        entry = _entry(" ".join(parts[:taken]))
        if entry is not None:
            return entry, taken
    raise _unknown(parts)


def _entry(word: str) -> Entry | None:
    exact = key(word)
    return _BY_KEY.get(exact) or _BY_KEY.get(exact.removesuffix("s"))


def _unknown(parts: list[str]) -> UsageError:
    near = _nearest(parts)
    nearest = "word is" if len(near) == 1 else "words are"
    fix = f"The nearest {nearest} {', '.join(near)}. " if near else ""
    return UsageError(f"terms {repeated(parts[0])}", "there is no such word here", f"{fix}See all with lstm-explain terms")


def _nearest(parts: list[str]) -> list[str]:
    """The words whose spellings are most like the first part, or like the first parts together."""
    from difflib import get_close_matches

    found: dict[str, None] = {}
    for taken in range(min(len(parts), _MOST_PARTS), 0, -1):
        asked = key(" ".join(parts[:taken]))[:LONGEST_SHOWN]
        close = get_close_matches(asked, _BY_KEY, n=NEAREST)
        found |= dict.fromkeys(_BY_KEY[one].word for one in close)
    return list(found)[:NEAREST]
