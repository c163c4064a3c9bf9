"""Series: a table whose rows follow each other in time; its columns, their scaling, and the gaps in its times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Literal, NamedTuple, NotRequired, TypeAlias, TypedDict, cast, get_args

import numpy as np

from lstm_explain.core.axes import describe_array
from lstm_explain.core.spec import as_int
from lstm_explain.errors import InputFileError, UsageError, argument
from lstm_explain.topics.result import json_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Dtype
    from lstm_explain.topics.result import Finite
    from lstm_explain.topics.window import Windowing

CHECK_CHUNK_SIZE, SCALING_CHUNK_SIZE = 2**20, 2**17
"""How many numbers are processed together."""
Scale: TypeAlias = Literal["standard", "minmax"]
STATISTICS: dict[str, tuple[str, str]] = {"standard": ("mean", "std"), "minmax": ("min", "max")}
"""The two numbers that each method takes from a column."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_SECONDS = 86_400
GAP_FACTOR = 1.5
"""A step is a gap if it is more than this many times the median step: a missing row is one, a month of 31 days after one of 30
is not."""
MAX_GAPS = 8
Clock: TypeAlias = Literal["numbers", "dates", "dates in UTC"]


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

    def column_name(self, column: int) -> str:
        """What to call a column."""
        position = column if self.places is None else self.places[column]
        return self.columns[column] or f"column {position}" if self.columns else f"column {position}"


def column_names(series: Series) -> Sequence[str]:
    """What the columns are called."""
    return [series.column_name(column) for column in range(series.values.shape[1])]


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
        problem = f"the array is {describe_array(values, ('samples', 'timesteps', 'features'))}, which has samples already"
        raise UsageError(f"{series.name} as (rows, columns)", problem, f"Use it as it is: {argument('data')} FILE")
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
    rows = max(1, CHECK_CHUNK_SIZE // max(1, values.shape[1]))
    for first in range(0, len(values) if values.dtype.kind == "f" else 0, rows):
        with np.errstate(over="ignore"):
            wrong = ~np.isfinite(values[first : first + rows].astype(dtype, copy=False))
        if wrong.any():
            row, column = map(int, np.unravel_index(int(np.argmax(wrong)), wrong.shape))
            raise _nonfinite_error(series, first + row, column, dtype)


def _nonfinite_error(series: Series, row: int, column: int, dtype: Dtype) -> InputFileError:
    value, called = float(series.values[row, column]), series.column_name(column)
    position = column if series.places is None else series.places[column]
    named = called if called == f"column {position}" else f"column {position} ({called})"
    problem = f"row {row}, {named} is {value}"
    if isfinite(value):
        return InputFileError(
            series.name, f"{problem}, which is beyond {dtype}", f"Scale the numbers, or use {argument('dtype', 'float64')}"
        )
    return InputFileError(
        series.name, problem, f"Fill or drop it first, or add {argument('allow_nan', True)} to see what it does"
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
        problem = f"{series.name} has {columns} columns, and the targets are from one"
        raise UsageError(argument("horizon", horizon), problem, f"Choose it with {argument('target')}")
    target = 0 if target is None else as_int("target", target)
    if not 0 <= target < columns:
        raise UsageError(argument("target", target), f"{series.name} has columns 0 to {columns - 1}")
    return target, horizon


# --- scaling ----------------------------------------------------------------------------------------------------------


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

    def scale(self, values: Array, columns: slice) -> Array:
        """The numbers of some columns, scaled, in float64; their last axis is the columns."""
        return (values - self.shift[columns]) / self.divisor[columns]

    def statistics(self, column: int) -> dict[str, float]:
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
        problem = f"{column} holds nan, infinity or numbers too far apart to scale"
        raise UsageError(argument("scale", kind), problem, "Fill or drop them first")
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
    rows = max(1, SCALING_CHUNK_SIZE // values.shape[1])
    for first in range(0, len(values), rows):
        yield values[first : first + rows].astype(np.float64)


# --- gaps in time -----------------------------------------------------------------------------------------------------


@json_keys("row before after step")
class TimeGap(NamedTuple):
    """A step of time that is larger than usual."""

    row: int
    """The last row before it."""
    before: Finite
    """The time of that row."""
    after: Finite
    """The time of the next row."""

    @property
    def step(self) -> Finite:
        """How much later that is."""
        return self.after - self.before


@json_keys("clock usual_step=usual limit count=number samples listed backward first_backward")
class TimeGaps(NamedTuple):
    """What the times say about the rows."""

    clock: str
    """`numbers`; or `dates` or `dates in UTC`, in seconds since 1970."""
    usual: float | None
    """The median step; None if there is only one row, or if time does not usually advance."""
    number: int
    """How many steps are larger than `limit`."""
    samples: int
    """How many samples go across such a step, counting their targets."""
    listed: tuple[TimeGap, ...]
    """The first eight of them."""
    backward: int
    """How many rows are not later than the row before."""
    first_backward: int | None
    """The first of these rows."""

    @property
    def limit(self) -> float | None:
        """1.5 times the usual step: a larger step is a gap."""
        return None if self.usual is None else GAP_FACTOR * self.usual


def find_gaps(times: Array, windowing: Windowing, clock: str) -> TimeGaps:
    """Find the gaps in the times of all rows, and count the windows that they go through."""
    steps = np.diff(times)
    backward = np.flatnonzero(steps <= 0)
    median = float(np.median(steps)) if len(steps) else 0.0
    usual = median if median > 0 else None
    rows = np.flatnonzero(steps > GAP_FACTOR * median) if usual is not None else np.empty(0, np.intp)
    return TimeGaps(
        clock=cast("Clock", clock),
        usual=usual,
        number=len(rows),
        samples=_count_samples_across(rows, windowing),
        listed=tuple(TimeGap(row, float(times[row]), float(times[row + 1])) for row in rows[:MAX_GAPS].tolist()),
        backward=len(backward),
        first_backward=int(backward[0]) + 1 if len(backward) else None,
    )


def _count_samples_across(rows: Array, windowing: Windowing) -> int:
    """How many samples hold both a row of these and the next one: each sample once, however many it holds."""
    if not len(rows):
        return 0
    last = np.minimum(rows // windowing.stride, windowing.samples - 1)
    first = np.maximum(-(-(rows - windowing.reach + 2) // windowing.stride), 0)
    counted = np.concatenate([[-1], last[:-1]])  # the samples up to here were counted with the previous gap
    return int(np.maximum(0, last - np.maximum(first, counted + 1) + 1).sum())


def format_time(value: float, clock: str) -> str:
    """A time: a number, or seconds since 1970 as a date; without the hour where it is midnight."""
    if clock == "numbers":
        return f"{value:.10g}"
    moment = (EPOCH + timedelta(seconds=value)).replace(tzinfo=None)
    text = moment.date().isoformat() if value % DAY_SECONDS == 0 else moment.isoformat(" ")
    return f"{text} UTC" if clock == "dates in UTC" else text


def format_duration(value: float, clock: str) -> str:
    """A step of time: a number, or seconds as days and hours."""
    if clock == "numbers":
        return f"{value:.10g}"
    days = value / DAY_SECONDS
    if days >= 1 and days * 2 == int(days * 2):
        return f"{days:g} day" if days == 1 else f"{days:g} days"
    return str(timedelta(seconds=value))
