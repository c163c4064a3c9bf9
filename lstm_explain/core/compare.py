"""Compare arrays of numbers. Two nan are equal, and so are two infinities of the same sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array


def numbers_differ(first: Array, second: Array) -> Array:
    """Whether each pair of numbers differs, to the last bit."""
    differ: Array = (first != second) & ~(np.isnan(first) & np.isnan(second))
    return differ


def abs_differences(first: Array, second: Array) -> Array:
    """The absolute difference of each pair of numbers; nan where one of them is nan."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(numbers_differ(first, second), np.abs(first - second), 0)


def max_abs_difference(first: Array, second: Array) -> float:
    """The largest absolute difference; 0 for empty arrays, and nan where a number is nan in one of them only."""
    return float(np.max(abs_differences(first, second), initial=0))
