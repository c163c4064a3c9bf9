"""The errors that this package raises on purpose: one root, and an exit code for each kind.

A message has three parts, always in this order: what was asked, what was found, what to do. They name arguments with
`argument`, because a user of the library knows `units` and a user of the command line `--units`. `str` of an error spells
arguments; the command line spells options, in the one place that turns an error into its text and exit code,
`lstm_explain.cli.main`.
`docs/messages.md` lists the codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

SpellArgument: TypeAlias = Callable[[str, str], str]
"""(name, value as a Python literal, or empty) -> the text of an argument in a message."""

NO_VALUE = object()
MAX_QUOTED = 200  # characters of a text
MAX_LISTED = 8  # numbers of a list
_ARGUMENT = re.compile(r"\0(\w+)\x1f([^\0]*)\0")  # no text holds these characters: names are code, and literals escape them


def argument(name: str, value: object = NO_VALUE) -> str:
    """Name an argument in the text of an error, with its value where that matters; see `LstmExplainError.message`.

    >>> str(UsageError(argument("units", 0), "a layer needs at least one unit", f"Leave out {argument('units')}"))
    'units=0: a layer needs at least one unit. Leave out units.'
    """
    if isinstance(value, str):
        literal = repr(_shorten(value))
    elif isinstance(value, list | tuple | range):
        literal = repr([*value[:MAX_LISTED], *(["..."] if len(value) > MAX_LISTED else [])])
    else:
        literal = "" if value is NO_VALUE else printable(repr(value))
    return f"\0{name}\x1f{literal}\0"


def spell_argument(name: str, literal: str) -> str:
    """Spell an argument as the library does: `units=0`."""
    return f"{name}={literal}" if literal else name


class LstmExplainError(Exception):
    """The root of all errors that this package raises on purpose.

    Args:
        asked: what the caller gave, such as `argument("units", 0)`.
        found: the problem: a fact, or the rule that is broken.
        fix: what to do about it, as a sentence without its full stop; may be empty if `found` says it already.
    """

    exit_code = 1

    def __init__(self, asked: str, found: str, fix: str = "") -> None:
        self.parts = asked, found, fix
        """The parts with their arguments not yet spelled."""
        self.asked, self.found, self.fix = (_spell_arguments(part, spell_argument) for part in self.parts)
        super().__init__(str(self))

    def __str__(self) -> str:
        return self.message(spell_argument)

    def message(self, spell: SpellArgument) -> str:
        """The whole message, its arguments spelled by a function."""
        asked, found, fix = (_spell_arguments(part, spell) for part in self.parts)
        return f"{asked}: {found}" + (f". {fix}." if fix else ".")


def _spell_arguments(text: str, spell: SpellArgument) -> str:
    return _ARGUMENT.sub(lambda match: spell(match[1], match[2]), text)


def printable(text: str) -> str:
    """A user's text, safe to print: control and direction characters are escaped, and the length is bounded."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in _shorten(text))


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 3] + "..."


def index_range_message(number: int, noun: str) -> str:
    """State how many there are to choose from, and how they count."""
    if number == 1:
        return f"there is one {noun}, number 0"
    return f"there are {number} {noun}s, and they count from 0 to {number - 1}"


class UsageError(LstmExplainError, ValueError):
    """The request contradicts itself or breaks a rule; nothing was run. Exit code 2."""

    exit_code = 2


class InputFileError(LstmExplainError):
    """An input file cannot be read, is malformed, or holds something unsupported. Exit code 3."""

    exit_code = 3


class RefusedError(LstmExplainError):
    """Refused on purpose, before any harm: over the memory budget, or an unsafe construct. Exit code 4."""

    exit_code = 4


class OutputError(LstmExplainError):
    """The answer could not be written: the folder is missing, permission is denied, the disk is full. Exit code 5."""

    exit_code = 5


class MissingExtraError(LstmExplainError):
    """An optional library is needed that is not installed. Exit code 6.

    Args:
        asked: what the caller gave.
        library: the library that reads it.
    """

    exit_code = 6

    def __init__(self, asked: str, library: str) -> None:
        problem = f"reading this needs {library}, which is not installed"
        super().__init__(asked, problem, 'Install it with: python -m pip install "lstm-explain[models]"')
