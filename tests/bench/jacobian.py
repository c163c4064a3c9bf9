"""All derivatives of all timesteps of one sample, in closed form, against PyTorch's automatic differentiation.

    python tests/bench/jacobian.py [--runs N] [--only T,F,U ...]

Both sides are given the states of a run, and make dh_t and dc_t by h_{t-1}, c_{t-1} and x_t of every timestep, in float64. The
rival is the faster of two ways to ask PyTorch for them step by step: `torch.autograd.functional.jacobian`, vectorized (else it
takes more than ten times as long), of `torch.nn.LSTMCell` or of a cell written with `torch.nn.functional.linear`. A row of its
own holds `torch.func.jacrev` of all timesteps at once. All are compared with ours first. Exits 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from ratios import Row, interleaved, print_table

from lstm_explain.core.bptt import trajectory_of
from lstm_explain.core.gates import Direction
from lstm_explain.core.jacobian import step_jacobian
from lstm_explain.frameworks.pytorch import PYTORCH_CONVENTION
from lstm_explain.library import seeded

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record

Sizes = tuple[int, int, int]

TARGETS: dict[Sizes, tuple[float, float]] = {(100, 5, 128): (0.05, 0.2), (10, 5, 10): (0.05, 0.2)}
"""The largest ratios that are good enough, to a step at a time and to all at once, by timesteps, features and units."""
ALL_AT_ONCE = "vmap of jacrev"
TOLERANCE = 1e-12
THREADS = os.cpu_count() or 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9, help="how often each is timed")
    parser.add_argument("--only", nargs="*", metavar="T,F,U", help="the sizes to measure; all if left out")
    given = parser.parse_args()
    torch.set_num_threads(THREADS)
    chosen = [sizes for sizes in TARGETS if given.only is None or ",".join(map(str, sizes)) in given.only]
    rows = [row for sizes in chosen for row in measured(sizes, given.runs)]
    print_table(rows)
    return 0 if all(row.holds for row in rows) else 1


def measured(sizes: Sizes, runs: int) -> list[Row]:
    timesteps, features, units = sizes
    lstm = seeded(samples=1, timesteps=timesteps, features=features, units=units, dtype="float64")
    record = lstm.run()
    rivals = torch_calls(lstm, record)
    for name, call in rivals.items():
        compare(name, ours(lstm, record), call())
    medians = interleaved({"ours": lambda: ours(lstm, record), **rivals}, runs, rest=0.1)
    mine, at_once = medians.pop("ours"), medians.pop(ALL_AT_ONCE)
    rival = min(medians, key=lambda name: medians[name])
    what, (by_step, all_steps) = ",".join(map(str, sizes)), TARGETS[sizes]
    return [Row(what, mine, medians[rival], rival, by_step), Row(what, mine, at_once, ALL_AT_ONCE, all_steps)]


def ours(lstm: LSTM, record: Record) -> list[Any]:
    """[timesteps, what moves, what moves it]: h and c by x, h and c."""
    way = trajectory_of(lstm.weights, record, 0, Direction.FORWARD, 0)
    made = step_jacobian(way.weights, way.slopes)
    return [getattr(made, f"{moved}_by_{by}") for moved in ("hidden", "cell") for by in ("input", "hidden", "cell")]


def torch_calls(lstm: LSTM, record: Record) -> dict[str, Callable[[], list[Any]]]:
    """Each makes what `ours` makes."""
    timesteps, part = lstm.spec.timesteps, record.of(0, Direction.FORWARD)
    before = part.states_before(0, timesteps)
    x, h, c = (torch.tensor(array) for array in (part.input[0], before.hidden, before.cell))
    named = {
        name: torch.tensor(array) for name, array in PYTORCH_CONVENTION.pack(lstm.weights.of(0, Direction.FORWARD)).items()
    }
    cell = torch.nn.LSTMCell(lstm.spec.features, lstm.spec.units, dtype=torch.float64).requires_grad_(False)
    cell.load_state_dict(named)

    def of_cell(x: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found: tuple[torch.Tensor, torch.Tensor] = cell(x, (h, c))
        return found

    def written(x: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        sums = torch.nn.functional.linear(x, named["weight_ih"], named["bias_ih"])
        sums = sums + torch.nn.functional.linear(h, named["weight_hh"], named["bias_hh"])
        i, f, g, o = sums.chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def step_by_step(step: Callable[..., Any]) -> list[Any]:
        steps = []
        for t in range(timesteps):
            found = torch.autograd.functional.jacobian(step, (x[t], h[t], c[t]), vectorize=True)
            steps.append([matrix for row in found for matrix in row])
        return [torch.stack(each).numpy() for each in zip(*steps, strict=True)]

    def at_once() -> list[Any]:
        found = torch.func.vmap(torch.func.jacrev(written, argnums=(0, 1, 2)))(x, h, c)
        return [matrix.numpy() for row in found for matrix in row]

    return {
        "autograd, LSTMCell": lambda: step_by_step(of_cell),
        "autograd, written": lambda: step_by_step(written),
        ALL_AT_ONCE: at_once,
    }


def compare(name: str, mine: list[Any], theirs: list[Any]) -> None:
    """Stop unless both made the same numbers."""
    difference = max(float(np.abs(one - other).max()) for one, other in zip(mine, theirs, strict=True))
    if difference > TOLERANCE:
        raise SystemExit(f"{name}: differs from ours by {difference:.0e}")


if __name__ == "__main__":
    sys.exit(main())
