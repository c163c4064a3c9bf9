"""Zip archives, which `.npz`, `.pt` and `.keras` files are: members are read within a budget, and never unpacked to disk."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any, BinaryIO

from lstm_explain.errors import InputFileError, RefusedError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_MEMBERS = 10_000
ENCRYPTED = 1
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What members are packed with. Python unpacks the others, bzip2 and LZMA, without a bound on how much comes at once."""
READ_AT_ONCE = 2**20
LARGEST_DIRECTORY = 2**22
"""In bytes: some 400 for each of the most members. A directory is far larger in memory than in the file."""
LONGEST_END = 2**17
"""In bytes: what follows the directory, its comment among it, is no longer."""
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError),
    *(ValueError, OverflowError, IndexError, KeyError, OSError),
)
"""Whatever zipfile raises at a malformed archive; an OSError is a place that no file has."""


class ZipArchive:
    """An open archive whose directory is known to be honest: every name once, nothing encrypted."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Read the directory of an archive.

        Raises:
            InputFileError: it cannot be read, names a member twice, or holds an encrypted one.
            RefusedError: it has more members than any model, or its directory is larger than they need.
        """
        self.name = printable(name)
        try:
            self._zip = zipfile.ZipFile(_Careful(file, self.name))
        except BROKEN as error:
            raise InputFileError(self.name, f"this zip archive cannot be read: {printable(str(error))}") from None
        self._members = {one.filename: one for one in self._zip.infolist()}
        self._check()

    def _check(self) -> None:
        count = len(self._zip.infolist())
        if count > MOST_MEMBERS:
            raise RefusedError(self.name, f"it has {count} members, and {MOST_MEMBERS} are the most that are read")
        if len(self._members) < count:
            twice, _ = Counter(one.filename for one in self._zip.infolist()).most_common(1)[0]
            raise InputFileError(
                self.name, f"its member {printable(twice)} stands twice in it", "The file is forged: write it anew"
            )
        for one in self._members.values():
            if one.flag_bits & ENCRYPTED:
                raise InputFileError(self.name, f"its member {printable(one.filename)} is encrypted")
            if one.compress_type not in METHODS:
                found = f"its member {printable(one.filename)} is packed by method {one.compress_type}, which is not supported"
                raise InputFileError(self.name, found, "Pack it by deflate, or not at all")

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, in the order of the archive."""
        return tuple(self._members)

    def size(self, member: str) -> int:
        """How many bytes a member is said to hold; it is never read beyond that."""
        return self._members[member].file_size

    def afford(self, member: str, budget: int) -> int:
        """How many bytes a member is said to hold, once they are known to stay within the budget.

        Raises:
            RefusedError: they do not.
        """
        said = self.size(member)
        if said > budget:
            found = f"its member {printable(member)} holds {said:,} bytes, and the memory budget is {budget:,}"
            raise RefusedError(self.name, found, "Raise --max-memory")
        return said

    def read(self, member: str, budget: int) -> bytes:
        """A member's bytes.

        Raises:
            InputFileError: it is malformed, or holds another number of bytes than it says.
            RefusedError: it says that it holds more than the budget.
        """
        said = self.afford(member, budget)
        data = b"".join(self.pieces(member))
        if len(data) != said:
            found = f"its member {printable(member)} holds {len(data)} bytes and not {said}, as it says"
            raise InputFileError(self.name, found, "The file is cut or forged: write it anew")
        return data

    def pieces(self, member: str) -> Iterator[bytes]:
        """A member's bytes piece by piece, no more of them than it says to hold.

        Raises:
            InputFileError: it is malformed.
        """
        left = self.size(member)
        try:
            with self._zip.open(self._members[member]) as stream:
                while left > 0 and (piece := stream.read(min(left, READ_AT_ONCE))):
                    left -= len(piece)
                    yield piece
        except BROKEN as error:
            found = f"its member {printable(member)} cannot be read: {printable(str(error))}"
            raise InputFileError(self.name, found, "The file is cut or forged: write it anew") from None


class _Careful:
    """A file that is read in moderate pieces: zipfile takes a directory at once, as large as the file says that it is."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> Any:
        if size > LARGEST_DIRECTORY:
            found = f"its directory is said to have {size:,} bytes, and {LARGEST_DIRECTORY:,} are the most that are read"
            raise RefusedError(self._name, found)
        return self._file.read(size if size >= 0 else LONGEST_END)
