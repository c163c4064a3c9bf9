"""Zip archives, which `.npz`, `.pt` and `.keras` files are: members are read within a budget, and never unpacked to disk."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO

from lstm_explain.errors import InputFileError, RefusedError
from lstm_explain.readers.opening import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_MEMBERS = 10_000
ENCRYPTED = 1
READ_AT_ONCE = 2**20
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, KeyError)
"""Whatever zipfile raises at a malformed archive."""


class Archive:
    """An open archive whose directory is known to be honest: every name once, nothing encrypted."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Read the directory of an archive.

        Raises:
            InputFileError: it cannot be read, names a member twice, or holds an encrypted one.
            RefusedError: it has more members than any model.
        """
        self.name = shown(name)
        try:
            self._zip = zipfile.ZipFile(file)
        except BROKEN as error:
            raise InputFileError(self.name, f"this zip archive cannot be read: {shown(str(error))}") from None
        self._members = {one.filename: one for one in self._zip.infolist()}
        self._check()

    def _check(self) -> None:
        count = len(self._zip.infolist())
        if count > MOST_MEMBERS:
            raise RefusedError(self.name, f"it has {count} members, and {MOST_MEMBERS} are the most that are read")
        if len(self._members) < count:
            names = [one.filename for one in self._zip.infolist()]
            twice = next(one for one in names if names.count(one) > 1)
            raise InputFileError(
                self.name, f"its member {shown(twice)} stands twice in it", "The file is forged: write it anew"
            )
        for one in self._members.values():
            if one.flag_bits & ENCRYPTED:
                raise InputFileError(self.name, f"its member {shown(one.filename)} is encrypted")

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, in the order of the archive."""
        return tuple(self._members)

    def size(self, member: str) -> int:
        """How many bytes a member is said to hold; it is never read beyond that."""
        return self._members[member].file_size

    def read(self, member: str, budget: int) -> bytes:
        """A member's bytes.

        Raises:
            InputFileError: it is malformed, or holds another number of bytes than it says.
            RefusedError: it says that it holds more than the budget.
        """
        said = self.size(member)
        if said > budget:
            found = f"its member {shown(member)} holds {said:,} bytes, and the memory budget is {budget:,}"
            raise RefusedError(self.name, found, "Raise --max-memory")
        data = b"".join(self.pieces(member))
        if len(data) != said:
            found = f"its member {shown(member)} holds {len(data)} bytes and not {said}, as it says"
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
            found = f"its member {shown(member)} cannot be read: {shown(str(error))}"
            raise InputFileError(self.name, found, "The file is cut or forged: write it anew") from None
