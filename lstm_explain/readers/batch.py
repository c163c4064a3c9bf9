"""A file of inputs, whatever its format: chosen by its content first, then by its name."""

from __future__ import annotations

from io import BufferedReader
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from lstm_explain.errors import InputFileError, UsageError
from lstm_explain.readers.opening import open_file, shown, standard_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Dtype

CHECKED_AT_ONCE = 2**20
MAGIC = b"\x93NUMPY"
OTHERS = {
    b"PK\x03\x04": ("a zip archive, such as .npz or .xlsx", "Save one array with np.save as .npy, or one sheet as CSV"),
    b"\x1f\x8b": ("a gzip archive", "Unpack it first"),
    b"\x89HDF": ("an HDF5 file", "Save one array with np.save as .npy"),
}
"""What other files begin with."""


class Batch(NamedTuple):
    """What a file of inputs holds."""

    array: Array
    """[samples, timesteps, features] or [timesteps, features]"""
    name: str
    """The file's name, safe to print."""
    columns: tuple[str, ...] | None
    """The features' names, where the file has any."""


def read_batch(
    name: str, columns: Sequence[str] | None, budget: int, allow_nan: bool = False, dtype: Dtype = "float64"
) -> Batch:
    """Read a `.npy` or CSV file; `-` is CSV on standard input. The numbers keep their type; `dtype` is what they will be made.

    Raises:
        InputFileError: the file cannot be read, is malformed, or without `allow_nan` holds nan, infinity or what becomes
            infinity as `dtype`.
        UsageError: columns were chosen of a file that has none.
        RefusedError: a CSV file is larger than the budget, in bytes.
    """
    try:
        batch = _piped(columns, budget) if name == "-" else _opened(name, columns, budget)
    except OSError as error:
        raise InputFileError(shown(name), f"it cannot be read: {error.strerror or error}") from None
    return batch if allow_nan else _finite(batch, dtype)


def _piped(columns: Sequence[str] | None, budget: int) -> Batch:
    from lstm_explain.readers.delimited import read_csv

    name, piped = "standard input", standard_input()
    _no_other_format(_first_bytes(piped), name)
    table = read_csv(piped, name, columns, budget)
    return Batch(table.values, name, table.names)


def _opened(name: str, columns: Sequence[str] | None, budget: int) -> Batch:
    from lstm_explain.readers.delimited import read_csv
    from lstm_explain.readers.npy import read_npy

    with open_file(name) as file:
        start = file.read(len(MAGIC))
        file.seek(0)
        short = shown(Path(name).name)
        if start == MAGIC:
            if columns is not None:
                asked = f"--columns {shown(','.join(columns))}"
                raise UsageError(asked, "only CSV files have columns", "Slice the array before saving it")
            return Batch(read_npy(file, name), short, None)
        _no_other_format(start, name)
        table = read_csv(file, name, columns, budget)
        return Batch(table.values, short, table.names)


def _first_bytes(piped: BinaryIO) -> bytes:
    """What a pipe begins with, left in place; nothing where the stream cannot look ahead."""
    return piped.peek(len(MAGIC))[: len(MAGIC)] if isinstance(piped, BufferedReader) else b""


def _no_other_format(start: bytes, name: str) -> None:
    for magic, (kind, fix) in OTHERS.items():
        if start.startswith(magic):
            raise InputFileError(shown(name), f"this is {kind}, not a .npy or .csv file", fix)
    if start == MAGIC:  # of a pipe: an array is mapped into memory, and a pipe cannot be
        raise InputFileError(shown(name), "only CSV can be piped in, and this is a .npy array", "Save it and name the file")
    if b"\0" in start:
        raise InputFileError(shown(name), "this is neither a .npy file nor text", "Give a .npy or .csv file")


def _finite(batch: Batch, dtype: Dtype) -> Batch:
    import numpy as np

    if batch.array.dtype.kind != "f":
        return batch
    rows = batch.array.reshape(-1) if batch.array.flags.c_contiguous else batch.array.T.reshape(-1)
    for first in range(0, rows.size, CHECKED_AT_ONCE):
        with np.errstate(over="ignore"):
            part = np.isfinite(rows[first : first + CHECKED_AT_ONCE].astype(dtype, copy=False))
        if not part.all():
            raise _not_finite(batch, int(np.argmin(part)) + first, dtype)
    return batch


def _not_finite(batch: Batch, place: int, dtype: Dtype) -> InputFileError:
    where, value = _where(batch, place)
    found = f"{where} is {value!s}"
    if isfinite(value):
        return InputFileError(batch.name, f"{found}, which is beyond {dtype}", "Scale the numbers, or use --dtype float64")
    return InputFileError(batch.name, found, "Fill or drop it first, or add --allow-nan to see what it does")


def _where(batch: Batch, place: int) -> tuple[str, float]:
    import numpy as np

    array = batch.array
    if array.flags.c_contiguous:
        index = np.unravel_index(place, array.shape)
    else:
        index = np.unravel_index(place, array.shape[::-1])[::-1]
    names = ("sample", "timestep", "feature")[-array.ndim :] if array.ndim in (2, 3) else ("number",) * array.ndim
    at = ", ".join(f"{name} {int(one) + (name == 'timestep')}" for name, one in zip(names, index, strict=True))
    column = f" ({shown(batch.columns[int(index[-1])])})" if batch.columns else ""
    return f"{at}{column}", float(array[index])
