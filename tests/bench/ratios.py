"""Ratios measured side by side: the only timings that mean anything on a machine that others use too."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Row:
    """One thing that was measured, against the thing that it is compared with."""

    what: str
    ours: float
    """Median seconds."""
    theirs: float
    """Median seconds."""
    rival: str
    """Whose `theirs` is."""
    target: float
    """The largest ratio that is good enough."""

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    @property
    def holds(self) -> bool:
        return self.ratio <= self.target


def interleaved(functions: dict[str, Callable[[], Any]], runs: int) -> dict[str, float]:
    """Time functions in turn, `runs` times each after one call that is not counted; the median seconds of each.

    A disturbance of the machine meets all of them alike, so their ratios are steadier than any of the times.
    """
    for function in functions.values():
        function()
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(runs):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in seconds.items()}


def print_table(rows: Sequence[Row]) -> None:
    """Print what was measured, the target, and whether it holds."""
    lines = [f"{'what':<24} {'ours':>9} {'theirs':>9}  {'rival':<22} {'ratio':>6} {'target':>6}  holds"]
    for row in rows:
        times = f"{row.ours * 1e3:>6.2f} ms {row.theirs * 1e3:>6.2f} ms"
        holds = "yes" if row.holds else "NO"
        lines.append(f"{row.what:<24} {times}  {row.rival:<22} {row.ratio:>6.2f} {row.target:>6.2f}  {holds}")
    sys.stdout.write("\n".join(lines) + "\n")
