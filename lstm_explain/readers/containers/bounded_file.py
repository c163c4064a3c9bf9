"""Opening a file that somebody named: a regular file, opened once, its first bytes looked at."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lstm_explain.errors import InputFileError, RefusedError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator


LONGEST_LINE = 2**22
"""In bytes. A line is held as many small strings, so it is far larger in memory than in the file."""


A_BATCH = "Name a .npy, .npz or .csv file, or - for CSV on standard input"


def open_file(name: str, fix: str = A_BATCH) -> BinaryIO:
    """Open a regular file to read its bytes; `fix` says what to name instead of a folder or nothing.

    Raises:
        InputFileError: there is no such file, it is a folder or device, or it may not be read.
    """
    if not name:
        raise InputFileError("--data ''" if fix == A_BATCH else "--model ''", "this names no file", fix)
    path = Path(name)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder" if path.is_dir() else "not a regular file"
            raise InputFileError(shown(name), f"this is {kind}", fix)
        return path.open("rb")
    except FileNotFoundError:
        raise InputFileError(shown(name), "there is no such file") from None
    except PermissionError:
        raise InputFileError(shown(name), "you may not read this file") from None
    except OSError as error:
        raise InputFileError(shown(name), error.strerror or "it cannot be opened") from None
    except ValueError:  # a NUL in the name
        raise InputFileError(shown(name), "no file can have this name") from None


def standard_input(option: str = "--data", what: str = "a CSV file") -> BinaryIO:
    """The bytes of standard input, which `option` asked for.

    Raises:
        InputFileError: it is closed, or a terminal at which nobody would know what to type.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise InputFileError(f"{option} -", "standard input is closed", f"Pipe {what} into it")
    if sys.stdin.isatty():
        raise InputFileError(f"{option} -", "standard input is a terminal", f"Pipe {what} into it")
    return sys.stdin.buffer


def lines(file: BinaryIO, name: str, budget: int, skipped: int = 0) -> Iterator[str]:
    """The lines of a UTF-8 text, read within a budget of bytes. The first `skipped` of them may hold anything.

    Raises:
        InputFileError: the text is not UTF-8.
        RefusedError: it is larger than the budget, or one of its lines is longer than any table's.
    """
    left, number = budget, 0
    while line := file.readline(min(left, LONGEST_LINE) + 1):
        left, number = left - len(line), number + 1
        if left < 0:
            found = f"the text is larger than the memory budget of {budget} bytes"
            raise RefusedError(shown(name), found, "Raise --max-memory")
        if len(line) > LONGEST_LINE:
            found = f"line {number} is longer than {LONGEST_LINE} bytes"
            raise RefusedError(shown(name), found, "Save so wide an array with np.save as .npy")
        if number <= skipped:
            continue
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise InputFileError(shown(name), f"line {number} is not UTF-8 text", "Save the file as UTF-8") from None


def shown(name: str) -> str:
    """A name from outside, safe to print: control and direction characters escaped, the length bounded."""
    return printable(name)
