"""Metered: a file that a library may walk through only so far, however often its structures point back into each other."""

from __future__ import annotations

from typing import BinaryIO

from lstm_explain.errors import InputFileError, RefusedError

MOST_READS = 1_000_000
SPARE = 2**20
SHARE = 16
"""What a library builds from the structures of a file takes several times their bytes, so they get this part of the budget."""


class Metered:
    """What pyfive is given to read from: never beyond the end, never more in all than the file's structures can need.

    Args:
        file: the open file.
        name: what to call it in a message; safe to print.
        budget: how many bytes of memory reading may take.
    """

    closed = False

    def __init__(self, file: BinaryIO, name: str, budget: int) -> None:
        self._source, self.name = file, name
        self.size = file.seek(0, 2)
        self._place = 0
        self._bytes_left = min(4 * self.size, budget // SHARE) + SPARE
        self._reads_left = MOST_READS
        self._object_left = self._bytes_left

    def begin(self, most: int) -> None:
        """Let the next object take so many bytes at most."""
        self._object_left = most

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a place in the file, counted from its start.

        Raises:
            InputFileError: it lies outside of the file.
        """
        if whence != 0 or not 0 <= place <= self.size:
            raise InputFileError(
                self.name, f"it points to byte {place}, and has {self.size}", "The file is cut or forged: write it anew"
            )
        self._place = place
        return place

    def tell(self) -> int:
        """The place in the file."""
        return self._place

    def read(self, size: int = -1) -> bytes:
        """So many bytes of the file's structures, counted.

        Raises:
            InputFileError: there are not so many.
            RefusedError: too many have been read by now.
        """
        self._check(self._place, size)
        self._reads_left -= 1
        self._bytes_left -= size
        self._object_left -= size
        if min(self._reads_left, self._bytes_left, self._object_left) < 0:
            found = "its HDF5 structures are far larger than those of any model, or point back into each other"
            raise RefusedError(self.name, found)
        data = self.data(self._place, size)
        self._place += size
        return data

    def data(self, place: int, size: int) -> bytes:
        """So many bytes from a place in the file, which the caller has compared with the memory budget.

        Raises:
            InputFileError: there are not so many.
        """
        self._check(place, size)
        self._source.seek(place)
        return self._source.read(size)

    def _check(self, place: int, size: int) -> None:
        if size < 0 or place + size > self.size:
            found = f"it names {size} bytes from byte {place} on, and has {self.size} in all"
            raise InputFileError(self.name, found, "The file is cut or forged: write it anew")
