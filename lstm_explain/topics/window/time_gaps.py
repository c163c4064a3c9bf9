"""Where time jumps from one row to the next, and how many windows such a jump goes through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, cast

import numpy as np

from lstm_explain.topics.result import json_keys

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.topics.result import Finite
    from lstm_explain.topics.window import Windowing

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_SECONDS = 86_400
GAP_FACTOR = 1.5
"""A step is a gap where it is more than this many times the median step. A month of 31 days after one of 30 is none, a missing
row is one."""
MAX_GAPS = 8
Clock: TypeAlias = Literal["numbers", "dates", "dates in UTC"]


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
    """The median step; None where there is one row only, or where time does not usually go on."""
    number: int
    """How many steps are larger than `LARGER` times that."""
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
    seen = np.concatenate([[-1], last[:-1]])  # the samples up to here were counted with the gap before
    return int(np.maximum(0, last - np.maximum(first, seen + 1) + 1).sum())


def format_time(value: float, clock: str) -> str:
    """A time: a number, or seconds since 1970 as a date; without the hour where it is midnight."""
    if clock == "numbers":
        return f"{value:.10g}"
    found = (EPOCH + timedelta(seconds=value)).replace(tzinfo=None)
    text = found.date().isoformat() if value % DAY_SECONDS == 0 else found.isoformat(" ")
    return f"{text} UTC" if clock == "dates in UTC" else text


def format_duration(value: float, clock: str) -> str:
    """A step of time: a number, or seconds as days and hours."""
    if clock == "numbers":
        return f"{value:.10g}"
    days = value / DAY_SECONDS
    if days >= 1 and days * 2 == int(days * 2):
        return f"{days:g} day" if days == 1 else f"{days:g} days"
    return str(timedelta(seconds=value))
