"""Files of inputs of every format: the first bytes decide how they are read."""

from __future__ import annotations

from io import BufferedReader
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from lstm_explain.errors import InputFileError, UsageError, printable
from lstm_explain.readers.containers.bounded_file import MemoryBudget, open_file, open_standard_input
from lstm_explain.readers.containers.csv_table import CsvOptions
from lstm_explain.readers.foreign_formats import MAX_START, detect_by_content, detect_by_name

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Dtype
    from lstm_explain.readers.containers.csv_table import CsvTable

CHECKED_AT_ONCE = 2**20
NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
"""What a zip archive begins with: its first member, or where it has none its directory."""


class InputArray(NamedTuple):
    """What a file of inputs holds."""

    array: Array
    """[samples, timesteps, features] or [timesteps, features]; of CSV the target's column last, if it is not a feature"""
    name: str
    """The file's name, safe to print; of an archive with the array's name."""
    columns: tuple[str, ...] | None
    """The features' names, where the file has any."""
    table: CsvTable | None = None
    """The table of a CSV file."""


def read_inputs(
    name: str, options: CsvOptions | None, budget: int, allow_nan: bool = False, dtype: Dtype = "float64"
) -> InputArray:
    """Read a `.npy`, `.npz` or CSV file; `-` is CSV on standard input, `run.npz#x` one array of several.

    The numbers keep their type; `dtype` is what they will be converted to. A `.npy` file is mapped into memory, not read.

    Raises:
        InputFileError: the file cannot be read, is malformed, or without `allow_nan` holds nan, infinity or what becomes
            infinity as `dtype`.
        UsageError: an option of CSV files is given for an array, or no array is chosen of several.
        RefusedError: a CSV file or an archive's array is larger than the budget, in bytes.
    """
    options = options or CsvOptions()
    try:
        inputs = _read_standard_input(options, budget) if name == "-" else _read_file(name, options, budget)
    except OSError as error:
        raise InputFileError(printable(name), f"it cannot be read: {error.strerror or error}") from None
    return inputs if allow_nan else _check_finite(inputs, dtype)


def _read_standard_input(options: CsvOptions, budget: int) -> InputArray:
    name, piped = "standard input", open_standard_input()
    start = piped.peek(MAX_START)[:MAX_START] if isinstance(piped, BufferedReader) else b""
    if start.startswith(NPY_MAGIC) or start.startswith(
        ZIP_MAGICS
    ):  # an array is mapped into memory, an archive read in any order
        kind = "a .npy array" if start.startswith(NPY_MAGIC) else "a zip archive, such as .npz"
        raise InputFileError(name, f"only CSV can be piped in, and this is {kind}", "Save it and name the file")
    return _read_table(piped, start, name, MemoryBudget(name, budget), options)


def _read_file(name: str, options: CsvOptions, budget: int) -> InputArray:
    from lstm_explain.readers.containers.numpy_files import split_path_and_member

    path, member = split_path_and_member(name)
    memory = MemoryBudget(path, budget)
    short_name = printable(Path(path).name)
    with open_file(path) as file:
        start = file.read(MAX_START)
        file.seek(0)
        if start.startswith(ZIP_MAGICS):
            from lstm_explain.readers.containers.numpy_files import read_npz_array

            array, array_name = read_npz_array(file, memory, member)
            _check_no_csv_options(options)
            return InputArray(array, f"{short_name}#{printable(array_name)}", None)
        if member is not None:
            problem = "only .npz archives have arrays to choose from"
            raise UsageError(f"--data {printable(name)}", problem, f"Leave out #{printable(member)}")
        if start.startswith(NPY_MAGIC):
            from lstm_explain.readers.containers.numpy_files import read_npy

            _check_no_csv_options(options)
            return InputArray(read_npy(file, path), short_name, None)
        return _read_table(file, start, short_name, memory, options)


def _read_table(file: BinaryIO, start: bytes, short_name: str, budget: MemoryBudget, options: CsvOptions) -> InputArray:
    from lstm_explain.readers.containers.csv_table import read_csv

    by_content = detect_by_content(start, budget.name)
    if by_content is not None:
        raise by_content.error(budget.name)
    by_name = detect_by_name(budget.name)
    try:
        if b"\0" in start[: len(NPY_MAGIC)]:
            raise InputFileError(budget.name, "this is neither a .npy file nor text", "Give a .npy, .npz or .csv file")
        table = read_csv(file, budget, options)
    except InputFileError:
        if by_name is None or not start:
            raise
        raise by_name.error(budget.name) from None
    return InputArray(table.values, short_name, table.names, table)


def _check_no_csv_options(options: CsvOptions) -> None:
    """Raise `UsageError` where an option is given for an array that only a CSV file has."""
    if options.columns is not None:
        asked = f"--columns {printable(','.join(options.columns))}"
        raise UsageError(asked, "only CSV files have columns", "Slice the array before saving it")
    others = {
        f"--skip-rows {options.skip_rows}": options.skip_rows != 0,
        f"--delimiter {printable(options.delimiter or '')}": options.delimiter is not None,
        f"--decimal {options.decimal}": options.decimal != ".",
        f"--time-column {printable(str(options.time))}": options.time is not None,
    }
    for option, is_given in others.items():
        if is_given:
            raise UsageError(option, "this is for CSV files alone, and an array was given", "Leave it out")


def _check_finite(inputs: InputArray, dtype: Dtype) -> InputArray:
    import numpy as np

    array = inputs.array
    if array.dtype.kind != "f":
        return inputs
    flat = array.reshape(-1) if array.flags.c_contiguous else array.T.reshape(-1)
    for first in range(0, flat.size, CHECKED_AT_ONCE):
        with np.errstate(over="ignore"):
            is_finite = np.isfinite(flat[first : first + CHECKED_AT_ONCE].astype(dtype, copy=False))
        if not is_finite.all():
            raise _not_finite_error(inputs, int(np.argmin(is_finite)) + first, dtype)
    return inputs


def _not_finite_error(inputs: InputArray, position: int, dtype: Dtype) -> InputFileError:
    import numpy as np

    array = inputs.array
    if array.flags.c_contiguous:
        index = np.unravel_index(position, array.shape)
    else:
        index = np.unravel_index(position, array.shape[::-1])[::-1]
    value = float(array[index])
    axes = ("sample", "timestep", "feature")[-array.ndim :] if array.ndim in (2, 3) else ("number",) * array.ndim
    location = ", ".join(f"{axis} {int(at) + (axis == 'timestep')}" for axis, at in zip(axes, index, strict=True))
    column = f" ({printable(inputs.columns[int(index[-1])])})" if inputs.columns else ""
    problem = f"{location}{column} is {value!s}"
    if isfinite(value):
        return InputFileError(inputs.name, f"{problem}, which is beyond {dtype}", "Scale the numbers, or use --dtype float64")
    return InputFileError(inputs.name, problem, "Fill or drop it first, or add --allow-nan to see what it does")
