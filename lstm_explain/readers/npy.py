"""`.npy` files: the header is checked against the file's size before anything is allocated, then mapped into memory."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lstm_explain.errors import InputFileError
from lstm_explain.readers.opening import shown

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array

MAGIC = b"\x93NUMPY"
LARGEST_HEADER = 10_000


def read_npy(file: BinaryIO, name: str) -> Array:
    """Map the array of a `.npy` file. Only numbers: object arrays, whose data is a program, are refused unread.

    Raises:
        InputFileError: the header is malformed, announces more than the file holds, or names another type than
            whole numbers and floating-point numbers.
    """
    shape, fortran, dtype = _header(file, name)
    start, held = file.tell(), os.fstat(file.fileno()).st_size
    needed = math.prod(shape) * dtype.itemsize
    if held - start < needed:
        found = f"its header announces {needed} bytes of numbers, and {held - start} follow"
        raise InputFileError(shown(name), found, "The file is cut or forged: write it anew")
    if needed == 0:
        return np.empty(shape, dtype)
    return np.memmap(file, dtype, "r", start, shape, "F" if fortran else "C")


def _header(file: BinaryIO, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file, LARGEST_HEADER)
    except Exception as error:  # the header is parsed as Python: ValueError, SyntaxError, TokenError, OverflowError, ...
        reason = str(error).partition("\n")[0][:200]
        raise InputFileError(shown(name), f"this .npy header cannot be read: {shown(reason)}") from None
    if dtype.hasobject:
        found = "it holds Python objects, and reading those would run whatever program the file contains"
        raise InputFileError(shown(name), found, "Save plain numbers: np.save(file, array.astype('float32'))")
    if dtype.kind not in "iuf" or dtype.names is not None:
        raise InputFileError(shown(name), f"its numbers are of type {dtype}", "Save them as float32 or float64")
    if any(isinstance(size, bool) or size < 0 for size in shape):
        raise InputFileError(shown(name), f"its header announces the shape {shape}")
    return shape, fortran, dtype
