"""Scaling the columns of a table: by mean and standard deviation, or to the range from 0 to 1. Computed block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, NotRequired, TypeAlias, TypedDict, get_args

import numpy as np

from lstm_explain.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.core.axes import Array

Scale: TypeAlias = Literal["standard", "minmax"]
STATISTICS: dict[str, tuple[str, str]] = {"standard": ("mean", "std"), "minmax": ("min", "max")}
"""What each way takes from a column."""
CHUNK_SIZE = 2**17
"""How many numbers are looked at together."""


class ColumnScalingJSON(TypedDict):
    """What a column is scaled by; the last is that of the targets if they are not a feature."""

    column: str
    """The column's name."""
    mean: NotRequired[float]
    """The mean of all rows, with `standard`."""
    std: NotRequired[float]
    """The standard deviation of all rows, with `standard`."""
    min: NotRequired[float]
    """The smallest number of all rows, with `minmax`."""
    max: NotRequired[float]
    """The largest number of all rows, with `minmax`."""
    constant: bool
    """Whether its numbers are all the same; then all become 0."""


class ScalingJSON(TypedDict):
    """How the columns are scaled."""

    kind: Scale
    """The method."""
    columns: list[ColumnScalingJSON]
    """One for each column."""


class Scaling(NamedTuple):
    """scaled = (value - shift) / divisor, column by column."""

    kind: Scale
    shift: Array
    """float64[columns]: the mean, or the smallest number"""
    divisor: Array
    """float64[columns]: the standard deviation, or the largest number less the smallest; 1 where that is 0"""
    numbers: tuple[Array, Array]
    """float64[columns] each: mean and std, or min and max"""
    constant: tuple[bool, ...]
    """Whether a column's numbers are all the same; then all become 0."""

    def scaled(self, values: Array, columns: slice) -> Array:
        """The numbers of some columns, scaled, in float64; their last axis is the columns."""
        return (values - self.shift[columns]) / self.divisor[columns]

    def named(self, column: int) -> dict[str, float]:
        """The numbers of a column by name."""
        pairs = zip(STATISTICS[self.kind], self.numbers, strict=True)
        return {name: float(values[column]) for name, values in pairs}


def compute_scaling(values: Array, kind: str, names: Sequence[str]) -> Scaling:
    """Find what scales the columns of a table, from all of its rows.

    Args:
        values: [rows, columns]
        kind: `standard` or `minmax`.
        names: what to call the columns.

    Raises:
        UsageError: the method is unknown; or a column holds nan, infinity or numbers too far apart to compute with.
    """
    if kind not in get_args(Scale):
        raise UsageError(argument("scale", kind), "a column is scaled by standard or minmax", "Choose one")
    with np.errstate(all="ignore"):
        low, high, total = _column_totals(values)
        mean = np.where(low == high, low, total / len(values))  # of equal numbers exactly, which a sum would miss
        size = high - low
        if kind == "standard":
            squares = sum((((block - mean) ** 2).sum(0) for block in _row_blocks(values)), np.zeros(values.shape[1]))
            size = np.sqrt(squares / len(values))
        fine = np.isfinite(size) & np.isfinite(mean)
    if not fine.all():
        column = names[int(np.argmin(fine))]
        found = f"{column} holds nan, infinity or numbers too far apart to scale"
        raise UsageError(argument("scale", kind), found, "Fill or drop them first")
    shift, numbers = (mean, (mean, size)) if kind == "standard" else (low, (low, high))
    return Scaling(
        "standard" if kind == "standard" else "minmax",
        shift,
        np.where(size > 0, size, 1.0),
        numbers,
        tuple((low == high).tolist()),
    )


def _column_totals(values: Array) -> tuple[Array, Array, Array]:
    """The smallest and largest number and the sum of each column."""
    low, high, total = (np.full(values.shape[1], start) for start in (np.inf, -np.inf, 0.0))
    for block in _row_blocks(values):
        low, high = np.minimum(low, block.min(0)), np.maximum(high, block.max(0))
        total += block.sum(0)
    return low, high, total


def _row_blocks(values: Array) -> Iterator[Array]:
    rows = max(1, CHUNK_SIZE // values.shape[1])
    for first in range(0, len(values), rows):
        yield values[first : first + rows].astype(np.float64)
