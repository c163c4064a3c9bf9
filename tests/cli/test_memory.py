"""`--all-samples` at constant memory: twenty times as many samples, the same peak."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WATCHED = """
import atexit, re, sys
from lstm_explain.cli.main import main
status = open("/proc/self/status")  # its peak is this process's own; getrusage begins with the parent's
atexit.register(lambda: print(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1], file=sys.stderr))
hoard = []
if sys.argv[1] == "hoard":
    from lstm_explain.topics import trace
    whole = trace.TraceStream.blocks
    trace.TraceStream.blocks = lambda self: (hoard.append(block) or block for block in whole(self))
del sys.argv[1]
main()
"""

SIZES = {
    "jsonl": ("--timesteps", "16", "--units", "8", "--unit", "0", "--steps", "1", "--features", "2"),
    "csv": ("--timesteps", "16", "--units", "8", "--unit", "0", "--steps", "1", "--features", "2"),
    "npz": ("--timesteps", "5", "--units", "4", "--features", "2", "-o", "run.npz"),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc"),
]


def peak(samples: int, view: str, way: str = "plain") -> int:
    """The most memory that the run had at once, in KiB."""
    arguments = ["trace", "--all-samples", "--samples", str(samples), "--format", view, *SIZES[view]]
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, way, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return int(done.stderr)


@pytest.mark.parametrize("view", ["jsonl", "csv", "npz"])
def test_twenty_times_as_many_samples_need_no_more_memory(view: str) -> None:
    few, many = peak(2_000, view), peak(40_000, view)
    assert many < 1.15 * few


def test_this_check_can_fail() -> None:
    """A run that keeps its blocks is seen."""
    assert peak(40_000, "csv", "hoard") > 1.15 * peak(2_000, "csv")
