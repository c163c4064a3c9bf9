"""Where time jumps from one row to the next, and how many windows such a jump goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.topics.window.windowing import Windowing

LARGER = 1.5
"""A step is a gap where it is more than this many times the median step. A month of 31 days after one of 30 is none, a missing
row is one."""
MOST_LISTED = 8


class Gap(NamedTuple):
    """A step of time that is larger than usual."""

    row: int
    """The last row before it."""
    before: float
    after: float
    """The times of that row and of the next."""

    @property
    def step(self) -> float:
        return self.after - self.before


class Gaps(NamedTuple):
    """What the times say about the rows."""

    clock: str
    """`numbers`; or `dates` or `dates in UTC`, in seconds since 1970."""
    usual: float | None
    """The median step; None where there is one row only, or where time does not usually go on."""
    number: int
    """How many steps are larger than `LARGER` times that."""
    samples: int
    """How many windows hold such a step between two of their rows, their targets among them."""
    listed: tuple[Gap, ...]
    """The first of them."""
    backward: int
    """How many rows are not later than the row before."""
    first_backward: int | None
    """The first row of these."""

    @property
    def limit(self) -> float | None:
        return None if self.usual is None else LARGER * self.usual

    def to_dict(self) -> dict[str, Any]:
        listed = [{"row": one.row, "before": one.before, "after": one.after, "step": one.step} for one in self.listed]
        return {
            "clock": self.clock,
            "usual_step": self.usual,
            "limit": self.limit,
            "count": self.number,
            "samples": self.samples,
            "listed": listed,
            "backward": self.backward,
            "first_backward": self.first_backward,
        }


def gaps_in(times: Array, windowing: Windowing, clock: str) -> Gaps:
    """Find the gaps in the times of all rows, and count the windows that they go through."""
    steps = np.diff(times)
    backward = np.flatnonzero(steps <= 0)
    median = float(np.median(steps)) if len(steps) else 0.0
    usual = median if median > 0 else None
    rows = np.flatnonzero(steps > LARGER * median) if usual is not None else np.empty(0, np.intp)
    return Gaps(
        clock=clock,
        usual=usual,
        number=len(rows),
        samples=_samples_across(rows, windowing),
        listed=tuple(Gap(row, float(times[row]), float(times[row + 1])) for row in rows[:MOST_LISTED].tolist()),
        backward=len(backward),
        first_backward=int(backward[0]) + 1 if len(backward) else None,
    )


def _samples_across(rows: Array, windowing: Windowing) -> int:
    """How many samples hold both a row of these and the next one: each sample once, however many it holds."""
    if not len(rows):
        return 0
    last = np.minimum(rows // windowing.stride, windowing.samples - 1)
    first = np.maximum(-(-(rows - windowing.reach + 2) // windowing.stride), 0)
    seen = np.concatenate([[-1], last[:-1]])  # the samples up to here were counted with the gap before
    return int(np.maximum(0, last - np.maximum(first, seen + 1) + 1).sum())
