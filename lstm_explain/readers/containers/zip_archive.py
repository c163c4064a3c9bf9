"""Zip archives, which `.npz`, `.pt` and `.keras` files are: members are read within a budget, and never unpacked to disk."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any, BinaryIO

from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers.bounded_file import FIX_FORGED, error_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.readers.containers.bounded_file import MemoryBudget

MAX_MEMBERS = 10_000
ENCRYPTED_FLAG = 1
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Supported compression methods. Python unpacks the others, bzip2 and LZMA, without a bound on how much comes at once."""
CHUNK_BYTES = 2**20
MAX_DIRECTORY_BYTES = 2**22
"""Some 400 bytes for each of the most members. A directory is far larger in memory than in the file."""
MAX_TRAILER_BYTES = 2**17
"""What follows the directory, including its comment, is no longer."""
ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError),
    *(ValueError, OverflowError, IndexError, KeyError, OSError),
)
"""Whatever zipfile raises at a malformed archive; an OSError is a position that no file has."""


class ZipArchive:
    """An open archive whose directory is known to be honest: every name once, nothing encrypted."""

    def __init__(self, file: BinaryIO, budget: MemoryBudget) -> None:
        """Read the directory of an archive.

        Raises:
            InputFileError: it cannot be read, names a member twice, or holds an encrypted one.
            RefusedError: it has more members than any model, or its directory is larger than they need.
        """
        self.name, self.budget = budget.name, budget
        try:
            self._zip = zipfile.ZipFile(_BoundedDirectoryFile(file, self.name))
        except ZIP_ERRORS as error:
            raise InputFileError(self.name, f"this zip archive cannot be read: {error_reason(error)}") from None
        members = self._zip.infolist()
        if len(members) > MAX_MEMBERS:
            problem = f"it has {len(members)} members, and {MAX_MEMBERS} are the most that are read"
            raise RefusedError(self.name, problem)
        self._members = {member.filename: member for member in members}
        if len(self._members) < len(members):
            repeated, _ = Counter(member.filename for member in members).most_common(1)[0]
            problem = f"its member {printable(repeated)} appears twice in it"
            raise InputFileError(self.name, problem, FIX_FORGED)
        for member in members:
            label = f"its member {printable(member.filename)}"
            if member.flag_bits & ENCRYPTED_FLAG:
                raise InputFileError(self.name, f"{label} is encrypted")
            if member.compress_type not in METHODS:
                problem = f"{label} is packed by method {member.compress_type}, which is not supported"
                raise InputFileError(self.name, problem, "Pack it by deflate, or not at all")

    @property
    def member_names(self) -> tuple[str, ...]:
        """The members' names, in the order of the archive."""
        return tuple(self._members)

    def member_size(self, member: str) -> int:
        """Return how many bytes the archive announces for a member; it is never read beyond that."""
        return self._members[member].file_size

    def read_member(self, member: str) -> bytes:
        """Read a member.

        Raises:
            InputFileError: it is malformed, or holds another number of bytes than announced.
            RefusedError: it is larger than the budget.
        """
        announced = self.check_member(member)
        data = b"".join(self.iter_chunks(member))
        if len(data) != announced:
            problem = f"its member {printable(member)} holds {len(data)} bytes and not {announced}, as it says"
            raise InputFileError(self.name, problem, FIX_FORGED)
        return data

    def check_member(self, member: str) -> int:
        """Return how many bytes a member holds.

        Raises:
            RefusedError: it is larger than the budget.
        """
        size = self.member_size(member)
        self.budget.check(size, f"reading its member {printable(member)}")
        return size

    def iter_chunks(self, member: str) -> Iterator[bytes]:
        """Read a member in chunks, no more than it announces.

        Raises:
            InputFileError: it is malformed.
        """
        left = self.member_size(member)
        try:
            with self._zip.open(self._members[member]) as stream:
                while left > 0 and (chunk := stream.read(min(left, CHUNK_BYTES))):
                    left -= len(chunk)
                    yield chunk
        except ZIP_ERRORS as error:
            problem = f"its member {printable(member)} cannot be read: {error_reason(error)}"
            raise InputFileError(self.name, problem, FIX_FORGED) from None


class _BoundedDirectoryFile:
    """A file for zipfile, which reads a directory of any announced size at once."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> Any:
        if size > MAX_DIRECTORY_BYTES:
            problem = f"its directory announces {size:,} bytes, and {MAX_DIRECTORY_BYTES:,} are the most that are read"
            raise RefusedError(self._name, problem)
        return self._file.read(size if size >= 0 else MAX_TRAILER_BYTES)
