"""Reading within bounds: which files are opened, and how much a reader may take of them and of the memory."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lstm_explain.errors import InputFileError, RefusedError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_LINE_BYTES = 2**22
"""A line is held as many small strings, so it is far larger in memory than in the file."""
MAX_READS = 1_000_000
MAX_LISTED_NAMES, MAX_LISTED_LENGTH = 8, 30
SPARE_BYTES = 2**20
STRUCTURE_SHARE = 16
"""A library's objects take several times the bytes of the structures it reads, so these get this part of the budget."""
FIX_DATA = "Name a .npy, .npz or .csv file, or - for CSV on standard input"
FIX_FORGED = "The file is cut or forged: write it anew"
FIX_BUDGET = "Raise --max-memory"


class MemoryBudget:
    """How many bytes of memory reading one file may take.

    Args:
        name: the file's name; it is made safe to print.
        limit: the total in bytes.
    """

    def __init__(self, name: str, limit: int) -> None:
        self.name, self.limit, self.taken = printable(name), limit, 0

    @property
    def available(self) -> int:
        """How many bytes are left."""
        return self.limit - self.taken

    def take(self, size: int, purpose: str) -> None:
        """Reserve `size` bytes for good.

        Raises:
            RefusedError: fewer are left.
        """
        self.check(size, purpose)
        self.taken += size

    def check(self, size: int, purpose: str) -> None:
        """Check that `size` bytes are left, without reserving them.

        Raises:
            RefusedError: fewer are left.
        """
        if size > self.available:
            total = f", {self.taken + size:,} in all" if self.taken else ""
            problem = f"{purpose} takes {size:,} bytes of memory{total}, and the budget is {self.limit:,}"
            raise RefusedError(self.name, problem, FIX_BUDGET)


class BoundedReader:
    """A file for a library that trusts it: never read beyond its end, and no more in all than its structures can need.

    Args:
        file: the open file.
        budget: the memory that reading may take.
    """

    closed = False

    def __init__(self, file: BinaryIO, budget: MemoryBudget) -> None:
        self._file, self.name = file, budget.name
        self.size = file_size(file)
        self._position = 0
        self._bytes_left = min(4 * self.size, budget.available // STRUCTURE_SHARE) + SPARE_BYTES
        self._reads_left = MAX_READS
        self._object_left = self._bytes_left

    def begin_object(self, max_bytes: int) -> None:
        """Let the next object take at most `max_bytes`."""
        self._object_left = max_bytes

    def seek(self, position: int, whence: int = 0) -> int:
        """Go to a position counted from the file's start.

        Raises:
            InputFileError: it lies outside of the file.
        """
        if whence != 0 or not 0 <= position <= self.size:
            raise InputFileError(self.name, f"it points to byte {position}, and has {self.size}", FIX_FORGED)
        self._position = position
        return position

    def tell(self) -> int:
        """Return the position in the file."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Read bytes of the file's structures, which are counted.

        Raises:
            InputFileError: the file ends before.
            RefusedError: too many have been read.
        """
        data = self.read_at(self._position, size, counted=True)
        self._position += size
        return data

    def read_at(self, position: int, size: int, counted: bool = False) -> bytes:
        """Read bytes at a position. Unless `counted`, the caller has compared them with the memory budget.

        Raises:
            InputFileError: the file ends before.
            RefusedError: too many have been read.
        """
        if size < 0 or position + size > self.size:
            problem = f"it names {size} bytes from byte {position} on, and has {self.size} in all"
            raise InputFileError(self.name, problem, FIX_FORGED)
        if counted:
            self._reads_left -= 1
            self._bytes_left -= size
            self._object_left -= size
            if min(self._reads_left, self._bytes_left, self._object_left) < 0:
                problem = "its HDF5 structures are far larger than those of any model, or point back into each other"
                raise RefusedError(self.name, problem)
        self._file.seek(position)
        return self._file.read(size)


def open_file(name: str, fix: str = FIX_DATA) -> BinaryIO:
    """Open a regular file to read its bytes; `fix` says what to name instead of a folder or nothing.

    Raises:
        InputFileError: the file does not exist, is a folder or device, or may not be read.
    """
    if not name:
        raise InputFileError("--data ''" if fix == FIX_DATA else "--model ''", "this names no file", fix)
    path = Path(name)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder" if path.is_dir() else "not a regular file"
            raise InputFileError(printable(name), f"this is {kind}", fix)
        return path.open("rb")
    except FileNotFoundError:
        problem = "this file does not exist"
    except PermissionError:
        problem = "you may not read this file"
    except OSError as error:
        problem = error.strerror or "it cannot be opened"
    except ValueError:  # a NUL in the name
        problem = "no file can have this name"
    raise InputFileError(printable(name), problem)


def file_size(file: BinaryIO) -> int:
    """Return how many bytes a file has, and go to its start."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def error_reason(error: Exception) -> str:
    """Return the first line of a library's message, safe to print and without a stop at its end."""
    return printable(str(error).partition("\n")[0]).rstrip(".") or type(error).__name__


def format_names(names: Sequence[str]) -> str:
    """List the first names in a file, safe to print."""
    texts = [printable(name) or "(no name)" for name in names[:MAX_LISTED_NAMES]]
    short = [text if len(text) <= MAX_LISTED_LENGTH else f"{text[: MAX_LISTED_LENGTH - 3]}..." for text in texts]
    more = f" and {len(names) - MAX_LISTED_NAMES} more" if len(names) > MAX_LISTED_NAMES else ""
    return ", ".join(short) + more


def open_standard_input(option: str = "--data", kind: str = "a CSV file") -> BinaryIO:
    """Return the bytes of standard input, which `option` asked for.

    Raises:
        InputFileError: it is closed, or a terminal.
    """
    is_closed = sys.stdin is None or sys.stdin.closed
    if is_closed or sys.stdin.isatty():
        state = "closed" if is_closed else "a terminal"
        raise InputFileError(f"{option} -", f"standard input is {state}", f"Pipe {kind} into it")
    return sys.stdin.buffer


def read_text_lines(file: BinaryIO, budget: MemoryBudget, skipped: int = 0) -> Iterator[str]:
    """Read the lines of a UTF-8 text within the budget. The first `skipped` of them may hold anything.

    Raises:
        InputFileError: the text is not UTF-8.
        RefusedError: it is larger than the budget, or a line is longer than that of any table.
    """
    left, number = budget.available, 0
    while line := file.readline(min(left, MAX_LINE_BYTES) + 1):
        left, number = left - len(line), number + 1
        if left < 0:
            problem = f"the text is larger than the memory budget of {budget.limit} bytes"
            raise RefusedError(budget.name, problem, FIX_BUDGET)
        if len(line) > MAX_LINE_BYTES:
            problem = f"line {number} is longer than {MAX_LINE_BYTES} bytes"
            raise RefusedError(budget.name, problem, "Save so wide an array with np.save as .npy")
        if number <= skipped:
            continue
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise InputFileError(budget.name, f"line {number} is not UTF-8 text", "Save the file as UTF-8") from None
