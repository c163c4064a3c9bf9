"""A file of inputs, whatever its format: chosen by its content first, then by its name."""

from __future__ import annotations

from io import BufferedReader
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from lstm_explain.errors import InputFileError, UsageError, printable
from lstm_explain.readers.containers.bounded_file import open_file, open_standard_input
from lstm_explain.readers.containers.wanted import CsvOptions

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Dtype
    from lstm_explain.readers.containers.csv_table import CsvTable

CHECKED_AT_ONCE = 2**20
MAGIC = b"\x93NUMPY"
ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
"""What a zip archive begins with: its first member, or where it has none its directory."""
OTHERS = {
    b"\x1f\x8b": ("a gzip archive", "Unpack it first"),
    b"\x89HDF": ("an HDF5 file", "Save one array with np.save as .npy"),
}
"""What other files begin with."""


class InputArray(NamedTuple):
    """What a file of inputs holds."""

    array: Array
    """[samples, timesteps, features] or [timesteps, features]; of a CSV file the target's column last, if it is no feature"""
    name: str
    """The file's name, safe to print; of an archive with the array's name."""
    columns: tuple[str, ...] | None
    """The features' names, where the file has any."""
    table: CsvTable | None = None
    """Of a CSV file: what is known of its columns."""


def read_inputs(
    name: str, wanted: CsvOptions | None, budget: int, allow_nan: bool = False, dtype: Dtype = "float64"
) -> InputArray:
    """Read a `.npy`, `.npz` or CSV file; `-` is CSV on standard input, `run.npz#x` one array of several.

    The numbers keep their type; `dtype` is what they will be made. A `.npy` file is mapped into memory, not read.

    Raises:
        InputFileError: the file cannot be read, is malformed, or without `allow_nan` holds nan, infinity or what becomes
            infinity as `dtype`.
        UsageError: something was wanted of a file that only a CSV file has, or no array was chosen of several.
        RefusedError: a CSV file or an archive's array is larger than the budget, in bytes.
    """
    wanted = wanted or CsvOptions()
    try:
        batch = _piped(wanted, budget) if name == "-" else _opened(name, wanted, budget)
    except OSError as error:
        raise InputFileError(printable(name), f"it cannot be read: {error.strerror or error}") from None
    return batch if allow_nan else _finite(batch, dtype)


def _piped(wanted: CsvOptions, budget: int) -> InputArray:
    name, piped = "standard input", open_standard_input()
    start = _first_bytes(piped)
    if start == MAGIC or start.startswith(ZIPS):  # an array is mapped into memory, an archive read in any order
        kind = "a .npy array" if start == MAGIC else "a zip archive, such as .npz"
        raise InputFileError(name, f"only CSV can be piped in, and this is {kind}", "Save it and name the file")
    return _table(piped, start, name, name, wanted, budget)


def _opened(name: str, wanted: CsvOptions, budget: int) -> InputArray:
    from lstm_explain.readers.containers.members import split_path_and_member

    path, member = split_path_and_member(name)
    with open_file(path) as file:
        start = file.read(len(MAGIC))
        file.seek(0)
        short = printable(Path(path).name)
        if start.startswith(ZIPS):
            from lstm_explain.readers.containers.members import read_npz_member

            _check_usual(wanted)
            array, one = read_npz_member(file, path, member, budget)
            return InputArray(array, f"{short}#{printable(one)}", None)
        if member is not None:
            asked = f"--data {printable(name)}"
            raise UsageError(asked, "only .npz archives have arrays to choose from", f"Leave out #{printable(member)}")
        if start == MAGIC:
            from lstm_explain.readers.containers.npy import read_npy

            _check_usual(wanted)
            return InputArray(read_npy(file, path), short, None)
        return _table(file, start, path, short, wanted, budget)


def _table(file: BinaryIO, start: bytes, name: str, short: str, wanted: CsvOptions, budget: int) -> InputArray:
    from lstm_explain.readers.containers.csv_table import read_csv

    _no_other_format(start, name)
    table = read_csv(file, name, wanted, budget)
    return InputArray(table.values, short, table.names, table)


def _check_usual(wanted: CsvOptions) -> None:
    """Raise `UsageError` where something is wanted of an array that only a CSV file has."""
    if wanted.columns is not None:
        asked = f"--columns {printable(','.join(wanted.columns))}"
        raise UsageError(asked, "only CSV files have columns", "Slice the array before saving it")
    others = {
        f"--skip-rows {wanted.skip_rows}": wanted.skip_rows != 0,
        f"--delimiter {printable(wanted.delimiter)}": wanted.delimiter != ",",
        f"--time-column {printable(str(wanted.time))}": wanted.time is not None,
    }
    for option, given in others.items():
        if given:
            raise UsageError(option, "this is for CSV files alone, and an array was given", "Leave it out")


def _first_bytes(piped: BinaryIO) -> bytes:
    """What a pipe begins with, left in place; nothing where the stream cannot look ahead."""
    return piped.peek(len(MAGIC))[: len(MAGIC)] if isinstance(piped, BufferedReader) else b""


def _no_other_format(start: bytes, name: str) -> None:
    for magic, (kind, fix) in OTHERS.items():
        if start.startswith(magic):
            raise InputFileError(printable(name), f"this is {kind}, not a .npy, .npz or .csv file", fix)
    if b"\0" in start:
        raise InputFileError(printable(name), "this is neither a .npy file nor text", "Give a .npy, .npz or .csv file")


def _finite(batch: InputArray, dtype: Dtype) -> InputArray:
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


def _not_finite(batch: InputArray, place: int, dtype: Dtype) -> InputFileError:
    where, value = _where(batch, place)
    found = f"{where} is {value!s}"
    if isfinite(value):
        return InputFileError(batch.name, f"{found}, which is beyond {dtype}", "Scale the numbers, or use --dtype float64")
    return InputFileError(batch.name, found, "Fill or drop it first, or add --allow-nan to see what it does")


def _where(batch: InputArray, place: int) -> tuple[str, float]:
    import numpy as np

    array = batch.array
    if array.flags.c_contiguous:
        index = np.unravel_index(place, array.shape)
    else:
        index = np.unravel_index(place, array.shape[::-1])[::-1]
    names = ("sample", "timestep", "feature")[-array.ndim :] if array.ndim in (2, 3) else ("number",) * array.ndim
    at = ", ".join(f"{name} {int(one) + (name == 'timestep')}" for name, one in zip(names, index, strict=True))
    column = f" ({printable(batch.columns[int(index[-1])])})" if batch.columns else ""
    return f"{at}{column}", float(array[index])
