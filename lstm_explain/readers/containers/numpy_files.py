"""`.npz` archives: each member's header is checked against what the archive says it holds before it is read."""

from __future__ import annotations

import io
import math
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers.npy import NoNumbersError, read_header
from lstm_explain.readers.containers.zip_archive import ZipArchive

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array

SUFFIX = ".npy"
COPIES = 3
"""The arrays, the weights that they are rearranged to, and one of them in between."""


def array_names(archive: ZipArchive) -> tuple[str, ...]:
    """The names of the arrays in an archive, without the ending that their members have."""
    return tuple(name.removesuffix(SUFFIX) for name in archive.names if name.endswith(SUFFIX))


def read_member(archive: ZipArchive, array: str, budget: int) -> Array:
    """One array of an archive.

    Raises:
        InputFileError: its header is malformed, announces another number of bytes than follow, or names another type than
            numbers.
        RefusedError: it is larger than the budget.
    """
    said = archive.afford(array + SUFFIX, budget)
    where = f"{archive.name}#{printable(array)}"
    pieces = archive.pieces(array + SUFFIX)
    start = io.BytesIO(next(pieces, b""))  # far longer than the longest header that is read
    shape, fortran, dtype = read_header(start, where)
    needed, held = math.prod(shape) * dtype.itemsize, said - start.tell()
    if needed != held:
        found = f"its header announces {needed} bytes of numbers, and {held} follow"
        raise InputFileError(where, found, "The file is cut or forged: write it anew")
    flat = np.empty(needed, np.uint8)  # the system gives this memory only as it is filled
    filled = 0
    for piece in chain([start.read()], pieces):
        flat[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
        filled += len(piece)
    if filled != needed:
        found = f"its member {printable(array)} holds {filled} bytes of numbers and not {needed}, as it says"
        raise InputFileError(archive.name, found, "The file is cut or forged: write it anew")
    return flat.view(dtype).reshape(shape, order="F" if fortran else "C")


def read_npz(file: BinaryIO, name: str, budget: int, left_out: dict[str, str] | None = None) -> dict[str, Array]:
    """All floating-point arrays of an archive, by name, in float32 or float64; `left_out` gets the types of the others.

    Raises:
        InputFileError: the archive or an array in it is malformed.
        RefusedError: together they are larger than the budget.
    """
    archive = ZipArchive(file, name)
    names = _told(array_names(archive))
    if not names:
        raise InputFileError(archive.name, "there is no array in this zip archive")
    _afford(archive, sum(archive.size(one + SUFFIX) for one in names), budget)
    arrays: dict[str, Array] = {}
    for one in names:
        with suppress(NoNumbersError):
            array = read_member(archive, one, budget)
            if array.dtype.kind == "f":
                arrays[one] = _standard(array)
            elif left_out is not None:
                left_out[one] = array.dtype.name
            _afford(archive, sum(known.nbytes for known in arrays.values()), budget)  # a float16 is twice as large by now
    return arrays


def _told(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those to read: of a run that `trace` wrote the weights alone, which are a small part of it."""
    from lstm_explain.readers.identify.name_patterns import OWN_NAME

    return tuple(filter(OWN_NAME.fullmatch, names)) or names


def _afford(archive: ZipArchive, held: int, budget: int) -> None:
    """Raise `RefusedError` where the arrays and what is made of them are larger than the budget."""
    if COPIES * held > budget:
        found = f"its arrays hold {held:,} bytes, reading takes three times as much, and the memory budget is {budget:,}"
        raise RefusedError(archive.name, found, "Raise --max-memory")


def _standard(array: Array) -> Array:
    return array.astype(np.float64 if array.dtype.itemsize >= 8 else np.float32, copy=False)
