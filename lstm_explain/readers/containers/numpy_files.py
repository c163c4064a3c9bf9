"""numpy's `.npy` and `.npz` files. Headers are compared with the file's size before anything is allocated.

The array of a `.npy` file is mapped into memory; arrays of an archive are read. Object arrays, whose data is a program, are
refused.
"""

from __future__ import annotations

import io
import math
import os.path
import warnings
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from lstm_explain.errors import InputFileError, UsageError, printable
from lstm_explain.readers.containers.bounded_file import FIX_FORGED, error_reason, file_size, format_names
from lstm_explain.readers.containers.named_arrays import NamedArrays, check_shape, format_shape, to_floats
from lstm_explain.readers.containers.zip_archive import ZipArchive

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.bounded_file import MemoryBudget

SUFFIX = ".npy"
NO_ARRAYS = "this zip archive contains no .npy array"
MAX_HEADER_BYTES = 10_000
HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,  # differs in the names of columns only, and columns are refused
}


class NoNumbersError(InputFileError):
    """An array of text, truth values or nothing, which is skipped where there are others."""


class ArrayHeader(NamedTuple):
    """What the header of an array announces."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]

    @property
    def nbytes(self) -> int:
        """How many bytes of numbers follow."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def order(self) -> Any:
        """The order of the numbers, as numpy spells it."""
        return "F" if self.fortran_order else "C"


def read_npy(file: BinaryIO, name: str) -> Array:
    """Map the array of a `.npy` file into memory.

    Raises:
        InputFileError: the header is malformed, announces more than the file holds, or names a type other than whole numbers
            and floating-point numbers.
    """
    header = _read_header(file, name)
    start = file.tell()
    held = file_size(file) - start
    if held < header.nbytes:
        raise _size_error(printable(name), header, held)
    return np.memmap(file, header.dtype, "r", start, header.shape, header.order)


def read_npz_array(file: BinaryIO, budget: MemoryBudget, array_name: str | None) -> tuple[Array, str]:
    """Read one array of an archive, and return its name with it; None chooses the only one.

    Raises:
        UsageError: there are several arrays and none is chosen, or none has that name.
        InputFileError: the archive or the array is malformed, or the archive contains none.
        RefusedError: the array is larger than the budget.
    """
    archive = ZipArchive(file, budget)
    names = _array_names(archive)
    if not names:
        from lstm_explain.readers.foreign_formats import detect_by_members

        raise detect_by_members(archive.member_names).error(archive.name)
    selected = _select_array(archive, names, array_name)
    return _read_array(archive, selected), selected


def read_npz(file: BinaryIO, budget: MemoryBudget) -> NamedArrays:
    """Read all floating-point arrays of an archive. Of a run that `trace` wrote, the weights alone are read.

    Raises:
        InputFileError: the archive or an array in it is malformed.
        RefusedError: together they are larger than the budget.
    """
    from lstm_explain.readers.identify.tensor_names import OUR_NAME

    archive = ZipArchive(file, budget)
    names = _array_names(archive)
    names = tuple(filter(OUR_NAME.fullmatch, names)) or names
    if not names:
        raise InputFileError(archive.name, NO_ARRAYS)
    _check_total(budget, sum(archive.member_size(name + SUFFIX) for name in names))
    arrays: dict[str, Array] = {}
    skipped: dict[str, str] = {}
    for name in names:
        try:
            array = _read_array(archive, name)
        except NoNumbersError:
            continue
        if array.dtype.kind == "f":
            arrays[name] = to_floats(array)
        else:
            skipped[name] = array.dtype.name
        _check_total(budget, sum(array.nbytes for array in arrays.values()))  # a float16 has become twice as large
    return NamedArrays(arrays, skipped)


def _array_names(archive: ZipArchive) -> tuple[str, ...]:
    return tuple(name.removesuffix(SUFFIX) for name in archive.member_names if name.endswith(SUFFIX))


def _check_total(budget: MemoryBudget, nbytes: int) -> None:
    """Check the budget for the arrays, the weights that they are rearranged to, and one of them in between."""
    budget.check(3 * nbytes, f"reading its arrays of {nbytes:,} bytes")


def _read_array(archive: ZipArchive, name: str) -> Array:
    """Read one array of an archive within the budget."""
    size = archive.check_member(name + SUFFIX)
    location = f"{archive.name}#{printable(name)}"
    chunks = archive.iter_chunks(name + SUFFIX)
    first_chunk = io.BytesIO(next(chunks, b""))  # far longer than the longest header that is read
    header = _read_header(first_chunk, location)
    held = size - first_chunk.tell()
    if header.nbytes != held:
        raise _size_error(location, header, held)
    flat = np.empty(held, np.uint8)  # the system gives this memory only as it is filled
    filled = 0
    for chunk in chain([first_chunk.read()], chunks):
        flat[filled : filled + len(chunk)] = np.frombuffer(chunk, np.uint8)
        filled += len(chunk)
    if filled != held:
        problem = f"its member {printable(name)} holds {filled} bytes of numbers and not {held}, as it says"
        raise InputFileError(archive.name, problem, FIX_FORGED)
    return flat.view(header.dtype).reshape(header.shape, order=header.order)


def _size_error(name: str, header: ArrayHeader, held: int) -> InputFileError:
    problem = f"its header announces {header.nbytes} bytes of numbers, and {held} follow"
    return InputFileError(name, problem, FIX_FORGED)


def _read_header(file: BinaryIO, name: str) -> ArrayHeader:
    """Read an array's header.

    Raises:
        InputFileError: it is malformed, or names a shape or type that is not supported.
    """
    header = _parse_header(file, name)
    if header.dtype.hasobject:
        problem = "it holds Python objects, and reading those would run whatever program the file contains"
        raise InputFileError(printable(name), problem, "Save plain numbers: np.save(file, array.astype('float32'))")
    if header.dtype.kind not in "iuf" or header.dtype.names is not None:
        problem = f"its numbers are of type {printable(str(header.dtype))}"
        raise NoNumbersError(printable(name), problem, "Save them as float32 or float64")
    if 0 in check_shape(header.shape, printable(name), "its header"):
        raise NoNumbersError(printable(name), f"it holds no numbers: its shape is {format_shape(header.shape)}")
    return header


def _parse_header(file: BinaryIO, name: str) -> ArrayHeader:
    try:
        version = np.lib.format.read_magic(file)
        if version not in HEADER_READERS:
            raise ValueError(f"version {version[0]}.{version[1]} of the format is unknown")
        with warnings.catch_warnings():  # headers as Python 2 wrote them are read with a warning
            warnings.simplefilter("ignore")
            return ArrayHeader(*HEADER_READERS[version](file, MAX_HEADER_BYTES))
    except Exception as error:  # the header is parsed as Python: ValueError, SyntaxError, TokenError, OverflowError, ...
        raise InputFileError(printable(name), f"this .npy header cannot be read: {error_reason(error)}") from None


# --- choosing an array ------------------------------------------------------------------------------------------------


def split_path_and_member(name: str) -> tuple[str, str | None]:
    """Split `run.npz#x` into the file and the array; None without a `#`, or where it belongs to the file's name."""
    if "#" not in name or "\0" in name or os.path.exists(name):  # noqa: PTH110
        return name, None
    marks = [index for index, character in enumerate(name) if character == "#" and index]
    files = [index for index in marks if os.path.isfile(name[:index])]  # noqa: PTH113
    split_at = files[0] if files else name.index("#")
    return (name[:split_at], name[split_at + 1 :]) if split_at else (name, None)


def _select_array(archive: ZipArchive, names: tuple[str, ...], array_name: str | None) -> str:
    if array_name is None and len(names) == 1:
        return names[0]
    if array_name is None:
        problem = f"it has {len(names)} arrays: {format_names(names)}"
        raise UsageError(f"--data {archive.name}", problem, f"Choose one: --data {archive.name}#{printable(names[0])}")
    for name in (array_name, array_name.removesuffix(SUFFIX)):
        if name in names:
            return name
    asked = f"--data {archive.name}#{printable(array_name)}"
    raise UsageError(asked, f"it has no array of that name. Its arrays are {format_names(names)}")
