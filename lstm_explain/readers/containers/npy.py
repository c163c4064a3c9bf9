"""`.npy` files: the header is checked against the file's size before anything is allocated, then mapped into memory."""

from __future__ import annotations

import math
import os
import warnings
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lstm_explain.errors import InputFileError, printable

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array

LARGEST_HEADER = 10_000
READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,  # differs in the names of columns only, and columns are refused
}
MOST_AXES, LARGEST_AXIS = 32, 2**53 - 1  # numpy 1.x has arrays of 32 axes, and no file is that long


class NoNumbersError(InputFileError):
    """An array of words, truth values or nothing: where there are others, it can be passed over."""


def read_npy(file: BinaryIO, name: str) -> Array:
    """Map the array of a `.npy` file. Only numbers: object arrays, whose data is a program, are refused unread.

    Raises:
        InputFileError: the header is malformed, announces more than the file holds, or names another type than
            whole numbers and floating-point numbers.
    """
    shape, fortran, dtype = read_header(file, name)
    start, held = file.tell(), os.fstat(file.fileno()).st_size
    needed = math.prod(shape) * dtype.itemsize
    if held - start < needed:
        found = f"its header announces {needed} bytes of numbers, and {held - start} follow"
        raise InputFileError(printable(name), found, "The file is cut or forged: write it anew")
    return np.memmap(file, dtype, "r", start, shape, "F" if fortran else "C")


def read_header(file: BinaryIO, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """The shape, whether it is in Fortran's order, and the type that an array's header announces.

    Raises:
        InputFileError: the header is malformed, or names a shape or type that is not supported.
    """
    shape, fortran, dtype = _parsed(file, name)
    if dtype.hasobject:
        found = "it holds Python objects, and reading those would run whatever program the file contains"
        raise InputFileError(printable(name), found, "Save plain numbers: np.save(file, array.astype('float32'))")
    if dtype.kind not in "iuf" or dtype.names is not None:
        found = f"its numbers are of type {printable(str(dtype))}"
        raise NoNumbersError(printable(name), found, "Save them as float32 or float64")
    if len(shape) > MOST_AXES or any(isinstance(size, bool) or not 0 <= size <= LARGEST_AXIS for size in shape):
        found = f"its header announces the shape {printable(str(shape))}, which no array has"
        raise InputFileError(printable(name), found, "The file is cut or forged: write it anew")
    if 0 in shape:
        raise NoNumbersError(printable(name), f"it holds no numbers: its shape is {shape}")
    return shape, fortran, dtype


def _parsed(file: BinaryIO, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(file)
        if version not in READERS:
            raise ValueError(f"version {version[0]}.{version[1]} of the format is unknown")
        with warnings.catch_warnings():  # headers as Python 2 wrote them are read with a warning
            warnings.simplefilter("ignore")
            shape, fortran, dtype = READERS[version](file, LARGEST_HEADER)
    except Exception as error:  # the header is parsed as Python: ValueError, SyntaxError, TokenError, OverflowError, ...
        reason = str(error).partition("\n")[0]
        raise InputFileError(printable(name), f"this .npy header cannot be read: {printable(reason).rstrip('.')}") from None
    return shape, fortran, dtype
