"""Opening a file that somebody named: a regular file, opened once, its first bytes looked at."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lstm_explain.errors import InputFileError

if TYPE_CHECKING:
    from collections.abc import Iterator


def open_file(name: str) -> BinaryIO:
    """Open a regular file to read its bytes.

    Raises:
        InputFileError: there is no such file, it is a folder or device, or it may not be read.
    """
    path = Path(name)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder" if path.is_dir() else "not a regular file"
            raise InputFileError(shown(name), f"this is {kind}", "Name a .npy or .csv file, or - for CSV on standard input")
        return path.open("rb")
    except FileNotFoundError:
        raise InputFileError(shown(name), "there is no such file") from None
    except PermissionError:
        raise InputFileError(shown(name), "you may not read this file") from None
    except (OSError, ValueError) as error:
        raise InputFileError(shown(name), str(error)) from None


def standard_input() -> BinaryIO:
    """The bytes of standard input.

    Raises:
        InputFileError: it is closed, or a terminal at which nobody would know what to type.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise InputFileError("--data -", "standard input is closed", "Pipe a CSV file into it")
    if sys.stdin.isatty():
        raise InputFileError("--data -", "standard input is a terminal", "Pipe a CSV file into it")
    return sys.stdin.buffer


def lines(file: BinaryIO, name: str, budget: int) -> Iterator[str]:
    """The lines of a UTF-8 text, read within a budget of bytes.

    Raises:
        InputFileError: the text is not UTF-8.
        RefusedError: it is larger than the budget.
    """
    from lstm_explain.errors import RefusedError

    left, number = budget, 0
    while line := file.readline(left + 1):
        left, number = left - len(line), number + 1
        if left < 0:
            raise RefusedError(
                shown(name), f"the text is larger than the memory budget of {budget} bytes", "Raise --max-memory"
            )
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise InputFileError(shown(name), f"line {number} is not UTF-8 text", "Save the file as UTF-8") from None


def shown(name: str) -> str:
    """A name from outside, safe to print: control and direction characters escaped, the length bounded."""
    short = name if len(name) <= 200 else name[:197] + "..."
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in short)
