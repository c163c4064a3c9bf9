"""Every way this program says no: one root error, and one exit code for each kind.

A message has three parts, always in this order: what was asked, what was found, what to do. The command line turns an
error into its text and exit code in one place, `lstm_explain.cli.main`; `docs/messages.md` lists the codes.
"""

from __future__ import annotations


class LstmExplainError(Exception):
    """The root of all errors that this package raises on purpose.

    Args:
        asked: what the caller gave, in the caller's own spelling, such as `--units 0`.
        found: what is the case, or which rule is broken.
        fix: what to do about it, as a full sentence without its stop; may be empty where `found` says it already.
    """

    exit_code = 1

    def __init__(self, asked: str, found: str, fix: str = "") -> None:
        self.asked, self.found, self.fix = asked, found, fix
        super().__init__(str(self))

    def __str__(self) -> str:
        return f"{self.asked}: {self.found}" + (f". {self.fix}." if self.fix else ".")


def printable(text: str) -> str:
    """What somebody wrote, safe to print: control and direction characters escaped, the length bounded."""
    short = text if len(text) <= 200 else text[:197] + "..."
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in short)


def index_range_message(number: int, noun: str) -> str:
    """Say how many there are to choose from, and how they count."""
    if number == 1:
        return f"there is one {noun}, number 0"
    return f"there are {number} {noun}s, and they count from 0 to {number - 1}"


class UsageError(LstmExplainError, ValueError):
    """The request contradicts itself or breaks a rule; nothing was run. Exit code 2."""

    exit_code = 2


class InputFileError(LstmExplainError):
    """A file that was named cannot be read, is malformed, or holds what we do not support. Exit code 3."""

    exit_code = 3


class RefusedError(LstmExplainError):
    """Refused on purpose, before any harm: over the memory budget, or an unsafe construct. Exit code 4."""

    exit_code = 4


class OutputError(LstmExplainError):
    """The answer could not be written: no such folder, no permission, disk full. Exit code 5."""

    exit_code = 5


class MissingExtraError(LstmExplainError):
    """An optional library is needed that is not installed. Exit code 6.

    Args:
        asked: what the caller gave.
        library: the library that reads it.
    """

    exit_code = 6

    def __init__(self, asked: str, library: str) -> None:
        found = f"reading this needs {library}, which is not installed"
        super().__init__(asked, found, 'Install it with: python -m pip install "lstm-explain[models]"')
