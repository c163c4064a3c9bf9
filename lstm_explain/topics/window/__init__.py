"""window: how a table of rows becomes samples of timesteps. Nothing is copied: a window is a view, until it is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from lstm_explain.core.axes import Axis, describe_array
from lstm_explain.core.lstm import DEFAULT_MEMORY
from lstm_explain.core.spec import Dtype, as_int
from lstm_explain.errors import RefusedError, UsageError, argument
from lstm_explain.topics.result import Result, json_keys
from lstm_explain.topics.window.time_series import (
    Scaling,
    Series,
    TimeGaps,
    column_names,
    compute_scaling,
    find_gaps,
    resolve_target,
    validate_series,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Annotated

    from lstm_explain.core.axes import Array
    from lstm_explain.topics.result import Axes, Positive
    from lstm_explain.topics.window.time_series import ScalingJSON

LARGE_VALUE = 10.0
"""An LSTM is usually given numbers of about -1 to 1; larger ones drive its gates to 0 or 1."""
CHUNK_SIZE = 2**17
"""How many numbers are made at a time."""
BYTES_PER_NUMBER = 100
"""An upper bound on the bytes that one number of a window takes while it is shown."""


class Windowing(NamedTuple):
    """Windows of equal size, each the same number of rows further on; rows and samples count from 0."""

    rows: int
    """N: how many rows the table has."""
    timesteps: Positive
    """T: how many rows a window has."""
    stride: Positive
    """S: how many rows further on the next window begins."""
    horizon: int
    """H: how many rows after a window are its targets; 0 where there are none."""

    @property
    def reach(self) -> int:
        """How many rows one sample takes: its timesteps and its targets."""
        return self.timesteps + self.horizon

    @property
    def samples(self) -> int:
        """How many windows fit, their targets too."""
        return max(0, (self.rows - self.reach) // self.stride + 1)

    @property
    def unused(self) -> int:
        """How many rows at the end are in no sample, neither as a timestep nor as a target."""
        return self.rows - self.first(self.samples - 1) - self.reach

    @property
    def between(self) -> int:
        """How many rows lie between the timesteps of one sample and of the next."""
        return max(0, self.stride - self.timesteps)

    @property
    def shared(self) -> int:
        """How many rows are timesteps both of one sample and of the next."""
        return max(0, self.timesteps - self.stride)

    @property
    def formula(self) -> str:
        """The count, as it is computed."""
        minus = f" - {self.horizon}" if self.horizon else ""
        if self.stride == 1:
            return f"{self.rows} - {self.timesteps}{minus} + 1 = {self.samples}"
        return f"floor(({self.rows} - {self.timesteps}{minus}) / {self.stride}) + 1 = {self.samples}"

    @property
    def letters(self) -> str:
        """The same in letters: N rows, T timesteps, H rows of targets, stride S."""
        minus = " - H" if self.horizon else ""
        return f"N - T{minus} + 1" if self.stride == 1 else f"floor((N - T{minus}) / S) + 1"

    def first(self, sample: int) -> int:
        """The row that a sample's first timestep is."""
        return sample * self.stride


@json_keys("sample rows x target_rows y")
class SampleWindow(NamedTuple):
    """One sample as it is written."""

    sample: int
    """Which sample, from 0."""
    row: int
    """The row of its first timestep."""
    x: Annotated[Array, Axes("timesteps", "features")]
    """The numbers of its timesteps."""
    y: Annotated[Array, Axes("horizon")] | None
    """Its targets."""

    @property
    def rows(self) -> tuple[int, int]:
        """The first and the last of its timesteps' rows."""
        return self.row, self.row + len(self.x) - 1

    @property
    def target_rows(self) -> tuple[int, int] | None:
        """The first and the last row of its targets."""
        first = self.row + len(self.x)
        return None if self.y is None else (first, first + len(self.y) - 1)


class WindowShape(NamedTuple):
    """The shape of the windows or of their targets."""

    axes: tuple[Axis, ...]
    """The axes, outermost first."""
    shape: tuple[Positive, ...]
    """Their sizes."""


WindowWarning: TypeAlias = Literal["one_timestep", "gaps", "backward", "large", "constant"]


@json_keys(
    "file=series.name rows=windowing.rows timesteps=windowing.timesteps stride=windowing.stride horizon=windowing.horizon",
    "samples=windowing.samples formula=windowing.formula letters=windowing.letters left=windowing.unused",
    "between=windowing.between shared=windowing.shared dtype features target=target_name x=x_shape y=y_shape",
    "bytes.table=table_bytes bytes.x=x_bytes windows=shown scaling=scaling_json gaps warnings",
)
@dataclass(frozen=True, eq=False, repr=False)
class Window(Result):
    """The windows of a table."""

    topic: ClassVar[str] = "window"

    series: Series
    windowing: Windowing
    dtype: Dtype
    """The type that the windows are written in."""
    target: int | None
    """The column that the targets are from."""
    x: Array
    """[samples, timesteps, features]: a view of the table, not scaled"""
    y: Array | None
    """[samples, horizon]: likewise"""
    scaling: Scaling | None
    gaps: TimeGaps | None
    """What the times say; null without `--time-column`."""
    shown: tuple[SampleWindow, ...]
    """The first, the second and the last sample, with their numbers as they are written."""

    @property
    def features(self) -> tuple[str, ...]:
        """What the features are called."""
        return tuple(map(self.series.column_name, range(self.x.shape[2])))

    @property
    def table_bytes(self) -> int:
        """How many bytes the features' columns take in the type that the windows are written in."""
        return self.windowing.rows * len(self.features) * self._itemsize

    @property
    def x_bytes(self) -> int:
        """How many bytes the windows take once they are written."""
        return int(self.x.size) * self._itemsize

    @property
    def _itemsize(self) -> int:
        return int(np.dtype(self.dtype).itemsize)

    @property
    def largest(self) -> float:
        """The largest size of a number in the windows that are shown; nan does not count."""
        return max(float(np.abs(window.x).max(initial=0, where=~np.isnan(window.x))) for window in self.shown)

    @property
    def warnings(self) -> tuple[WindowWarning, ...]:
        """What to look out for: samples of one timestep, samples across a gap, rows not later than the row before, numbers
        above 10 in the windows shown, columns that scaling makes 0."""
        warnings: dict[WindowWarning, bool] = {
            "one_timestep": self.windowing.timesteps == 1,
            "gaps": self.gaps is not None and self.gaps.samples > 0,
            "backward": self.gaps is not None and self.gaps.backward > 0,
            "large": self.largest > LARGE_VALUE,
            "constant": self.scaling is not None and any(self.scaling.constant),
        }
        return tuple(word for word, applies in warnings.items() if applies)

    def pieces_of_x(self) -> Iterator[Array]:
        """The windows as they are written, some timesteps after the other, never many at a time; [any, features]."""
        timesteps, features = self.windowing.timesteps, self.x.shape[2]
        rows = max(1, CHUNK_SIZE // features)
        several = max(1, rows // timesteps)
        for sample in range(0, self.windowing.samples, several):
            block = self.x[sample : sample + several]
            for first in range(0, timesteps, rows):
                yield self._as_written(block[:, first : first + rows], slice(0, features)).reshape(-1, features)

    def pieces_of_y(self) -> Iterator[Array]:
        """The targets as they are written; [any]."""
        if self.y is None or self.target is None:
            return
        for sample in range(0, self.windowing.samples, several := max(1, CHUNK_SIZE // self.windowing.horizon)):
            block = self.y[sample : sample + several, :, None]
            yield self._as_written(block, slice(self.target, self.target + 1)).reshape(-1)

    def sample(self, sample: int) -> SampleWindow:
        """One sample as it is written."""
        y = None
        if self.y is not None and self.target is not None:
            y = self._as_written(self.y[sample, :, None], slice(self.target, self.target + 1))[:, 0]
        return SampleWindow(
            sample, self.windowing.first(sample), self._as_written(self.x[sample], slice(0, self.x.shape[2])), y
        )

    def _as_written(self, values: Array, columns: slice) -> Array:
        if self.scaling is not None:
            values = self.scaling.scale(values, columns)
        with np.errstate(over="ignore"):  # infinity where it was let in, or where the reader did not look
            return np.ascontiguousarray(values, np.dtype(self.dtype))

    @property
    def target_name(self) -> str | None:
        """The name of the column that the targets are from."""
        return None if self.target is None else self.series.column_name(self.target)

    @property
    def x_shape(self) -> WindowShape:
        """The shape of the windows."""
        return _array_shape(self.x, ("samples", "timesteps", "features"))

    @property
    def y_shape(self) -> WindowShape | None:
        """The shape of the targets; null without targets."""
        return None if self.y is None else _array_shape(self.y, ("samples", "horizon"))

    @property
    def scaling_json(self) -> ScalingJSON | None:
        """How the columns are scaled; null without `--scale`."""
        if self.scaling is None:
            return None
        columns: Any = [
            {"column": self.series.column_name(column), **self.scaling.statistics(column), "constant": constant}
            for column, constant in enumerate(self.scaling.constant)
        ]
        return {"kind": self.scaling.kind, "columns": columns}

    def __repr__(self) -> str:
        return f"<window of {self.series.name}: {describe_array(self.x, ('samples', 'timesteps', 'features'))}>"


def explain_window(
    series: Series | Array,
    timesteps: int = 10,
    stride: int = 1,
    horizon: int | None = None,
    target: int | None = None,
    scale: str | None = None,
    dtype: Dtype = "float32",
    max_memory: int = DEFAULT_MEMORY,
) -> Window:
    """Cut the rows of a table into windows, each a sample.

    Args:
        series: the table, [rows, columns]; one axis is one column.
        timesteps: how many rows a window has.
        stride: how many rows further on the next window begins.
        horizon: how many rows after a window are its targets; none if left out, or 1 where there is a target.
        target: the column that the targets are from; the only one there is if left out.
        scale: `standard` or `minmax`, by numbers from all rows; not scaled if left out.
        dtype: the type that the windows are written in.
        max_memory: the budget, in bytes.

    Raises:
        UsageError: the table has other axes, a size breaks a rule, or there are too few rows.
        RefusedError: the windows to show are larger than the budget.
    """
    series = validate_series(series if isinstance(series, Series) else Series(series))
    target, horizon = resolve_target(series, target, horizon)
    timesteps, stride = _check_row_count("timesteps", timesteps), _check_row_count("stride", stride)
    if dtype not in get_args(Dtype):
        raise UsageError(argument("dtype", dtype), f"the types are {' and '.join(get_args(Dtype))}")
    windowing = Windowing(len(series.values), timesteps, stride, horizon)
    _check_rows(windowing, series.name)
    _check_memory(windowing, series, max_memory)
    x, y = _window_views(series, windowing, target)
    if len(x) != windowing.samples:
        raise AssertionError(f"the formula counts {windowing.samples} windows, and there are {len(x)}")
    window = Window(
        series=series,
        windowing=windowing,
        dtype=dtype,
        target=target,
        x=x,
        y=y,
        scaling=None if scale is None else compute_scaling(series.values, scale, column_names(series)),
        gaps=None if series.times is None else find_gaps(series.times, windowing, series.clock),
        shown=(),
    )
    shown = sorted({0, min(1, windowing.samples - 1), windowing.samples - 1})
    return replace(window, shown=tuple(map(window.sample, shown)))


def _array_shape(array: Array, names: tuple[str, ...]) -> WindowShape:
    return WindowShape(tuple(map(Axis, names, array.shape)), array.shape)


def _check_row_count(name: str, size: int) -> int:
    if as_int(name, size) < 1:
        raise UsageError(argument(name, size), "this is a number of rows, from 1", "Give 1 or more")
    return as_int(name, size)


def _check_rows(windowing: Windowing, name: str) -> None:
    if windowing.samples == 0:
        rows = "row" if windowing.horizon == 1 else "rows"
        targets = f" and the {windowing.horizon} {rows} after it" if windowing.horizon else ""
        problem = f"{name} has {windowing.rows} rows, and one window{targets} takes {windowing.reach}"
        raise UsageError(argument("timesteps", windowing.timesteps), problem, "Ask for fewer")


def _check_memory(windowing: Windowing, series: Series, budget: int) -> None:
    """Three windows are shown; and to write windows, a row at least is made at a time."""
    needed = 3 * windowing.reach * series.values.shape[1] * BYTES_PER_NUMBER
    if needed > budget:
        problem = f"showing three windows takes {needed:,} bytes of memory, and the budget is {budget:,}"
        raise RefusedError(
            argument("timesteps", windowing.timesteps), problem, f"Ask for less, or raise {argument('max_memory')}"
        )


def _window_views(series: Series, windowing: Windowing, target: int | None) -> tuple[Array, Array | None]:
    """The windows and their targets, as views of the table."""
    from numpy.lib.stride_tricks import sliding_window_view

    values, every = series.values, slice(None, None, windowing.stride)
    inputs = values[: len(values) - windowing.horizon, : series.features]
    x = sliding_window_view(inputs, windowing.timesteps, axis=0)[every].transpose(0, 2, 1)
    if target is None:
        return x, None
    return x, sliding_window_view(values[windowing.timesteps :, target], windowing.horizon)[every]
