"""Ratios measured side by side: the only timings that mean anything on a machine that others use too."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


SHOWN_IN = {"ms": 1e3, "MiB": 2.0**-20}


@dataclass(frozen=True)
class Row:
    """One thing that was measured, against the thing that it is compared with."""

    what: str
    ours: float
    """Median seconds, or bytes."""
    theirs: float
    """Median seconds, or bytes."""
    rival: str
    """Whose `theirs` is."""
    target: float
    """The largest ratio that is good enough."""
    unit: str = "ms"
    """What both are shown in."""

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    @property
    def holds(self) -> bool:
        return self.ratio <= self.target


def interleaved(functions: dict[str, Callable[[], Any]], runs: int, rest: float = 0) -> dict[str, float]:
    """Time functions in turn, `runs` times each after one call that is not counted; the median seconds of each.

    A disturbance of the machine meets all of them alike, so their ratios are steadier than any of the times.

    Args:
        functions: what to time, by name.
        runs: how often each is timed.
        rest: how many seconds to wait before each timed call, and then to warm up with a call that is not counted. Where
            functions share a process, threads of one library spin for some 50 ms after its call, and the next would be
            timed on a busy processor.
    """
    for function in functions.values():
        function()
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(runs):
        for name, function in functions.items():
            if rest:
                time.sleep(rest)
                function()
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in seconds.items()}


def print_table(rows: Sequence[Row]) -> None:
    """Print what was measured, the target, and whether it holds."""
    wide, broad = (max(map(len, names)) for names in zip(*((row.what, row.rival) for row in rows), strict=True))
    lines = [f"{'what':<{wide}} {'ours':>11} {'theirs':>11} {'rival':<{broad}} {'ratio':>6} {'target':>6}  holds"]
    for row in rows:
        ours, theirs = (f"{value * SHOWN_IN[row.unit]:>7.2f} {row.unit:<3}" for value in (row.ours, row.theirs))
        holds = "yes" if row.holds else "NO"
        lines.append(f"{row.what:<{wide}} {ours} {theirs} {row.rival:<{broad}} {row.ratio:>6.2f} {row.target:>6.2f}  {holds}")
    sys.stdout.write("\n".join(lines) + "\n")
