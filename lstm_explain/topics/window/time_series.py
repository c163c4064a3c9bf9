"""Series: a table whose rows follow each other in time, and what is asked of its columns."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.axes import describe_array
from lstm_explain.core.spec import as_int
from lstm_explain.errors import InputFileError, UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Dtype

CHUNK_SIZE = 2**20
"""How many numbers are looked at together."""


class Series(NamedTuple):
    """A table whose rows follow each other in time."""

    values: Array
    """[rows, columns]; may be a file mapped into memory"""
    name: str = "array"
    """The file's name."""
    columns: tuple[str, ...] | None = None
    """The columns' names, where they have any."""
    places: tuple[int, ...] | None = None
    """The columns' positions in the file; from 0 on if None."""
    features: int | None = None
    """How many of the columns, from the first, are features; all if None."""
    times: Array | None = None
    """float64[rows]"""
    clock: str = "numbers"

    def called(self, column: int) -> str:
        """What to call a column."""
        position = column if self.places is None else self.places[column]
        return self.columns[column] or f"column {position}" if self.columns else f"column {position}"


def column_names(series: Series) -> Sequence[str]:
    """What the columns are called."""
    return [series.called(column) for column in range(series.values.shape[1])]


def validate_series(series: Series) -> Series:
    """Return the table with two axes.

    Raises:
        UsageError: it is not a table of numbers.
    """
    values = series.values
    if not hasattr(values, "dtype") or values.dtype.kind not in "fiub":
        raise UsageError(series.name, "this is not an array of numbers", "Give a numpy array of rows and columns")
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim == 3:
        found = f"the array is {describe_array(values, ('samples', 'timesteps', 'features'))}, which has samples already"
        raise UsageError(f"{series.name} as (rows, columns)", found, f"Use it as it is: {argument('data')} FILE")
    if values.ndim != 2 or 0 in values.shape:
        fix = "Give rows that follow each other in time, and a column for each feature"
        raise UsageError(f"{series.name} as (rows, columns)", f"the array is {describe_array(values)}", fix)
    return series._replace(values=values)


def check_finite(series: Series, dtype: Dtype) -> None:
    """Look at every number of a table, some rows at a time.

    Raises:
        InputFileError: one is nan or infinite, or becomes so as `dtype`.
    """
    values = series.values
    rows = max(1, CHUNK_SIZE // max(1, values.shape[1]))
    for first in range(0, len(values) if values.dtype.kind == "f" else 0, rows):
        with np.errstate(over="ignore"):
            wrong = ~np.isfinite(values[first : first + rows].astype(dtype, copy=False))
        if wrong.any():
            row, column = map(int, np.unravel_index(int(np.argmax(wrong)), wrong.shape))
            raise _nonfinite_error(series, first + row, column, dtype)


def _nonfinite_error(series: Series, row: int, column: int, dtype: Dtype) -> InputFileError:
    value, called = float(series.values[row, column]), series.called(column)
    position = column if series.places is None else series.places[column]
    named = called if called == f"column {position}" else f"column {position} ({called})"
    found = f"row {row}, {named} is {value}"
    if isfinite(value):
        return InputFileError(
            series.name, f"{found}, which is beyond {dtype}", f"Scale the numbers, or use {argument('dtype', 'float64')}"
        )
    return InputFileError(
        series.name, found, f"Fill or drop it first, or add {argument('allow_nan', True)} to see what it does"
    )


def resolve_target(series: Series, target: int | None, horizon: int | None) -> tuple[int | None, int]:
    """The column of the targets, and how many there are to each sample; None and 0 where there are none.

    Raises:
        UsageError: the column does not exist, or none of several was selected.
    """
    columns = series.values.shape[1]
    if target is None and horizon is None:
        return None, 0
    horizon = 1 if horizon is None else as_int("horizon", horizon)
    if horizon < 1:
        raise UsageError(
            argument("horizon", horizon), "this is how many rows after a window are its targets", "Give 1 or more"
        )
    if target is None and columns > 1:
        found = f"{series.name} has {columns} columns, and the targets are from one"
        raise UsageError(argument("horizon", horizon), found, f"Choose it with {argument('target')}")
    target = 0 if target is None else as_int("target", target)
    if not 0 <= target < columns:
        raise UsageError(argument("target", target), f"{series.name} has columns 0 to {columns - 1}")
    return target, horizon
