"""Whole processes, from start to end: the commands against the bare imports of the libraries that they stand on, and against
the summaries that PyTorch and Keras users run today.

    python tests/bench/startup.py [--runs N] [--bare]

Each row runs in turn: ours, theirs, ours, theirs. `--bare` leaves the two summaries out. Exits 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import compileall
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ratios import Row, interleaved, print_table

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(__file__).resolve().parents[2] / "lstm_explain"
SHAPES = ["-m", "lstm_explain", "shapes"]
TORCHINFO = """
import torch, torchinfo
torchinfo.summary(torch.nn.LSTM(5, 10, batch_first=True), input_size=(1000, 10, 5), verbose=1)
"""
KERAS = """
import keras
keras.Sequential([keras.Input((10, 5), batch_size=1000), keras.layers.LSTM(10)]).summary()
"""
BARE = [
    ("shapes, against importing numpy typer rich", SHAPES, "import numpy, typer, rich.console, rich.table", 1.25),
    ("shapes --json, against importing numpy typer", [*SHAPES, "--json"], "import numpy, typer", 1.25),
    ("--version, against importing typer", ["-m", "lstm_explain", "--version"], "import typer", 1.25),
]
SUMMARIES = [
    ("shapes, against torchinfo.summary", SHAPES, TORCHINFO, 0.1),
    ("shapes, against keras model.summary()", SHAPES, KERAS, 0.1),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=21, help="how often each process is timed")
    parser.add_argument("--bare", action="store_true", help="leave out the frameworks' summaries")
    given = parser.parse_args()
    compileall.compile_dir(PACKAGE, quiet=1)  # as any installed package is
    rows = [measured(*one, runs=given.runs) for one in BARE]
    if not given.bare:
        rows += [measured(*one, runs=max(3, given.runs // 5)) for one in SUMMARIES]
    print_table(rows)
    return 0 if all(row.holds for row in rows) else 1


def measured(name: str, ours: list[str], theirs: str, target: float, runs: int) -> Row:
    medians = interleaved({"ours": process(ours), "theirs": process(["-c", theirs])}, runs)
    return Row(name, medians["ours"], medians["theirs"], "theirs", target)


def process(arguments: list[str]) -> Callable[[], None]:
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run() -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)

    return run


if __name__ == "__main__":
    sys.exit(main())
