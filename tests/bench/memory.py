"""Memory: a stream over all samples stays flat, and a record is hardly larger than its arrays.

    python tests/bench/memory.py

Exits 1 if a target is missed. Unix only: peaks come from the operating system's own account of each process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

from ratios import Row, print_table

from lstm_explain import seeded

FEW, MANY = 2_000, 50_000
LAYER = ("input", "input_gate", "forget_gate", "candidate", "output_gate", "cell", "hidden", "initial_cell", "initial_hidden")


def main() -> int:
    rows = [stream(form) for form in ("jsonl", "csv", "npz")] + [record(1000, 10, 5, 10), record(256, 100, 128, 512)]
    print_table(rows)
    return 0 if all(row.holds for row in rows) else 1


def stream(form: str) -> Row:
    """The peak of a process that writes many samples, against one that writes few, in bytes."""
    many, few = peak(form, MANY), peak(form, FEW)
    return Row(f"peak of trace --all-samples as {form}, {MANY:,} against {FEW:,}", many, few, "few samples", 1.1, "MiB")


def peak(form: str, samples: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = f"-m lstm_explain trace --all-samples --samples {samples} -o {Path(folder) / 'run'} --format {form}"
        child = subprocess.Popen([sys.executable, *command.split()])
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{command} failed")
    return usage.ru_maxrss * 1024.0


def record(samples: int, timesteps: int, features: int, units: int) -> Row:
    """What a record keeps in memory, against the bytes of its arrays."""
    lstm = seeded(samples=samples, timesteps=timesteps, features=features, units=units, max_memory=2**32)
    lstm.run()  # so that what is loaded on the way is not counted
    tracemalloc.start()
    run = lstm.run()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    arrays = [getattr(run.layers[0][way], name) for way in lstm.spec.directions for name in LAYER]
    needed = sum(array.size * array.itemsize for array in arrays)
    return Row(f"record of {samples},{timesteps},{features},{units}", kept, needed, "its arrays", 1.1, "MiB")


if __name__ == "__main__":
    sys.exit(main())
