"""What files of named arrays hold, and the checks and conversions that their formats share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_explain.errors import InputFileError, printable
from lstm_explain.readers.containers.bounded_file import FIX_FORGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lstm_explain.core.axes import Array

MAX_AXES, MAX_AXIS_SIZE = 32, 2**53 - 1  # numpy 1.x has arrays of 32 axes, and no file is that long


class NamedArrays(NamedTuple):
    """What a file of named arrays holds."""

    arrays: dict[str, Array]
    """The floating-point arrays, as float32 or float64."""
    skipped_dtypes: dict[str, str]
    """The types of the other arrays, which are not read."""


def check_shape(shape: Sequence[Any], name: str, label: str) -> tuple[int, ...]:
    """Return the shape that a file announces for `label`.

    Raises:
        InputFileError: it has too many axes, or a size that is not an integer, negative or too large.
    """
    if len(shape) > MAX_AXES or any(type(size) is not int or not 0 <= size <= MAX_AXIS_SIZE for size in shape):
        raise InputFileError(name, f"{label} announces the shape {format_shape(shape)}, which no array has", FIX_FORGED)
    return tuple(shape)


def format_shape(shape: Iterable[Any]) -> str:
    """Write a shape, safe to print."""
    return printable(str(list(shape)))


def to_floats(array: Array, is_bfloat16: bool = False) -> Array:
    """Return floating-point numbers as float32 or float64.

    numpy has no bfloat16: its numbers come as integers, each of them the upper half of a float32.
    """
    if is_bfloat16:
        wide = array.astype(np.uint32)
        wide <<= np.uint32(16)
        return wide.view(np.float32)
    return array.astype(np.float32 if array.dtype.itemsize < 8 else np.float64, copy=False)
