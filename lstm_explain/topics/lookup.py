"""From words as people type them to frameworks and to entries of the glossary."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from lstm_explain.errors import UsageError, argument, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lstm_explain.core.lstm import LSTM
    from lstm_explain.frameworks.framework import Framework
    from lstm_explain.frameworks.glossary.entry import Entry
    from lstm_explain.frameworks.notation import Notation

MAX_QUOTED = 40  # characters of an unknown word in a message
MAX_SUGGESTIONS = 3  # names or words that a message proposes
FIX_SELECT_ONE_LAYER = "choose one layer alone: FILE#NAME"
"""What to do if a framework lacks what a stack has that combines layers of a file."""


def normalise(word: str) -> str:
    """The part of a word that matters: letters and digits, in lower case."""
    return "".join(character for character in word.casefold() if character.isalnum())


def quote(word: str) -> str:
    """A word that was typed, safe to print and of a bounded length."""
    return printable(shorten(word)) or repr("")


def shorten(word: str) -> str:
    """A word of a bounded length."""
    return word if len(word) <= MAX_QUOTED else word[:MAX_QUOTED] + "..."


def _close_keys(word: str, keys: Iterable[str]) -> list[str]:
    return get_close_matches(normalise(word)[:MAX_QUOTED], keys, n=MAX_SUGGESTIONS)


# --- frameworks -------------------------------------------------------------------------------------------------------


def find_framework(name: str, given_as: str = "") -> Framework:
    """The framework of a name; case, blanks, hyphens, underscores and dots make no difference.

    `given_as` is the argument that holds the name, if it is not the framework of the command `frameworks`.

    Raises:
        UsageError: the framework is unknown; the message names the nearest ones.
    """
    asked = argument(given_as, shorten(str(name))) if given_as else f"frameworks {quote(str(name))}"
    if not isinstance(name, str):
        raise UsageError(asked, "this is not a framework's name")
    frameworks = _frameworks_by_key()
    framework = frameworks.get(normalise(name))
    if framework is not None and normalise(name):
        return framework
    near = list(dict.fromkeys(frameworks[key].name for key in _close_keys(name, frameworks)))
    nearest = f"The nearest {'is' if len(near) == 1 else 'are'} {', '.join(near)}. " if near else ""
    raise UsageError(asked, "unknown framework", f"{nearest}See all with lstm-explain frameworks")


@cache
def _frameworks_by_key() -> Mapping[str, Framework]:
    from lstm_explain.frameworks.registry import FRAMEWORKS

    return {
        normalise(alias): framework
        for framework in FRAMEWORKS.values()
        for alias in (*framework.info.aliases, framework.title, framework.info.class_name, framework.name)
    }


def find_notation(name: str) -> Notation:
    """The notation of a name: its own, those of its framework, or what people call it.

    Raises:
        UsageError: the notation is unknown; the message names the nearest one.
    """
    notations = _notations_by_key()
    if isinstance(name, str) and normalise(name) in notations:
        return notations[normalise(name)]
    near = _close_keys(str(name), notations)
    nearest = f"The nearest is {notations[near[0]].name}. " if near else ""
    listed = ", ".join(dict.fromkeys(notation.name for notation in notations.values()))
    asked = argument("notation", shorten(name) if isinstance(name, str) else name)
    raise UsageError(asked, "unknown notation", f"{nearest}The notations are {listed}")


@cache
def _notations_by_key() -> Mapping[str, Notation]:
    from lstm_explain.frameworks.registry import NOTATIONS

    frameworks = _frameworks_by_key()
    keys = {normalise(alias): entry for entry in NOTATIONS.values() for alias in (entry.name, entry.title, *entry.aliases)}
    return keys | {key: NOTATIONS[framework.name] for key, framework in frameworks.items() if framework.name in NOTATIONS}


def combines_layers(lstm: LSTM) -> bool:
    """Whether the LSTM combines several layers of a file, each of which can be selected alone."""
    return lstm.pretrained is not None and "+" in lstm.provenance["weights"].get("layer", "")


# --- names of sizes ---------------------------------------------------------------------------------------------------


@cache
def size_names() -> Mapping[str, str]:
    """The names that frameworks and people give to a size, and the argument that it is here: `hidden_size` is `units`."""
    from lstm_explain.frameworks.glossary import ENTRIES

    names = {
        name: entry.size
        for entry in ENTRIES
        if entry.size
        for name in (entry.word, *entry.spellings, *entry.size_names)
        if len(name) > 1 and normalise(name) != entry.size
    }
    return names | {"sequence_lens": "lengths"}  # ONNX's name for the length of each sample


def find_size(name: str) -> str | None:
    """The argument of a size by any of its names; None where it has no such name."""
    names = size_names()
    spellings = {**names, **{size: size for size in names.values()}}
    return next((size for other, size in spellings.items() if normalise(other) == normalise(name)), None)


# --- the glossary -----------------------------------------------------------------------------------------------------


def find_terms(words: Iterable[str]) -> tuple[Entry, ...]:
    """The entries that the words ask for, each once.

    Words that form one entry of the glossary together are one: `hidden state cell` asks for `hidden state` and `cell`.

    Raises:
        UsageError: a word is not in the glossary; the message names the nearest ones.
    """
    parts = [part for word in words for part in (word.split() or [word])]
    entries: dict[str, Entry] = {}
    while parts:
        entry, length = _match_longest(parts)
        entries[entry.word] = entry
        parts = parts[length:]
    return tuple(entries.values())


@cache
def _entries_by_key() -> Mapping[str, Entry]:
    from lstm_explain.frameworks.glossary import ENTRIES

    return {normalise(spelling): entry for entry in ENTRIES for spelling in (*entry.spellings, entry.word)}


@cache
def _max_words() -> int:
    """The number of words in the longest spelling."""
    from lstm_explain.frameworks.glossary import ENTRIES

    return max(len(spelling.split()) for entry in ENTRIES for spelling in (*entry.spellings, entry.word))


def _match_longest(parts: list[str]) -> tuple[Entry, int]:
    """The entry that as many of the first parts as possible form together, and how many these are."""
    for length in range(min(len(parts), _max_words()), 0, -1):
        key = normalise(" ".join(parts[:length]))
        entry = _entries_by_key().get(key) or _entries_by_key().get(key.removesuffix("s"))
        if entry is not None:
            return entry, length
    near = _nearest_words(parts)
    nearest = f"The nearest {'word is' if len(near) == 1 else 'words are'} {', '.join(near)}. " if near else ""
    raise UsageError(f"terms {quote(parts[0])}", "unknown word", f"{nearest}See all with lstm-explain terms")


def _nearest_words(parts: list[str]) -> list[str]:
    """The words whose spellings are most like the first part, or like the first parts together."""
    entries = _entries_by_key()
    words: dict[str, None] = {}
    for length in range(min(len(parts), _max_words()), 0, -1):
        words |= dict.fromkeys(entries[key].word for key in _close_keys(" ".join(parts[:length]), entries))
    return list(words)[:MAX_SUGGESTIONS]
