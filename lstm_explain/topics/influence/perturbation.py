"""Poking a unit: what moves at once, what moves one timestep later, and what never moves. Each answer is a run of its own.

Both sides of every comparison go through the same code, `core/cell.py`, in the LSTM's own type. So a number that nothing
touched is the same to the last bit, and a difference of 0 is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_explain.core.cell import step
from lstm_explain.core.compare import max_abs_difference, numbers_differ
from lstm_explain.core.gates import GATES, Direction
from lstm_explain.topics.json_numbers import plain_numbers

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.cell import StepResult
    from lstm_explain.core.record import LayerRecord
    from lstm_explain.core.weights import LayerWeights


class Change(NamedTuple):
    """How many of some numbers moved, and how far."""

    moved: int
    of: int
    largest: float
    """The largest size of a change; 0 where nothing moved."""

    def to_dict(self) -> dict[str, Any]:
        return self._asdict()


def change(before: Array, after: Array) -> Change:
    """Compare numbers bit by bit; nan that stays nan has not moved."""
    moved = numbers_differ(before, after)
    largest = max_abs_difference(after.astype(np.float64), before.astype(np.float64))
    return Change(int(moved.sum()), int(moved.size), largest)


class OwnWeights(NamedTuple):
    """Statement 1, parameters: all weights of one unit changed, and the same timestep run again."""

    owned: int
    """How many parameters the unit has for itself."""
    per_layer: int
    """How many all units of the layer have, in this direction: the units own all of them but a projection."""
    own_gates: Change
    """The unit's own i, f, g and o."""
    other_gates: Change
    """Those of all other units."""


class SameTimestep(NamedTuple):
    """Statement 2: the unit's memory c_{t-1} poked as the timestep begins."""

    own_cell: Change
    """The unit's own c_t."""
    other_cells: Change
    own_emitted: Change
    """What the unit emits, o tanh(c): its own h_t unless there is a projection."""
    other_emitted: Change


class NextTimestep(NamedTuple):
    """Statement 3: what the unit emitted at t-1 poked, before anybody reads it at t."""

    cells: Change
    """c_t of all units, its own among them."""
    hidden: Change
    """All numbers of h_t."""


class OverTime(NamedTuple):
    """Statement 4: the gates of every timestep computed again with the one kernel."""

    parameters: int
    """Of the layer in this direction; counted once."""
    uses: int
    """How many timesteps they made."""
    difference: float
    """The largest difference between a gate made so and the run's."""


class Statements(NamedTuple):
    """Are units independent? Four statements, each measured."""

    unit: int
    by: float
    """How far everything was poked."""
    parameters: OwnWeights
    same_timestep: SameTimestep
    next_timestep: NextTimestep
    over_time: OverTime

    def to_dict(self) -> dict[str, Any]:
        return {
            "unit": self.unit,
            "by": self.by,
            "parameters": _facts(self.parameters._asdict()),
            "same_timestep": _facts(self.same_timestep._asdict()),
            "next_timestep": _facts(self.next_timestep._asdict()),
            "over_time": _facts(self.over_time._asdict()),
        }


def _facts(part: dict[str, Any]) -> dict[str, Any]:
    return {key: value.to_dict() if isinstance(value, Change) else value for key, value in part.items()}


def statements(weights: LayerWeights, part: LayerRecord, t: int, unit: int, by: float) -> Statements:
    """Measure the four statements at one timestep.

    Args:
        weights: of the layer and direction.
        part: one sample alone, without padding: the axis of samples has size 1.
        t: the timestep.
        unit: which unit is poked.
        by: how far.
    """
    before = part.states_before(0, part.cell.shape[1])
    read = part.input[0, t - 1 : t], before.hidden[t - 1 : t], before.cell[t - 1 : t]
    base, others = step(weights, *read), np.arange(weights.units) != unit
    return Statements(
        unit,
        by,
        _own_weights(weights, base, step(_with_other_weights(weights, unit, by), *read), others),
        _same_timestep(base, step(weights, read[0], read[1], _poked(read[2], unit, by)), others),
        _next_timestep(base, step(weights, read[0], read[1] + emitted_change(weights, unit, by), read[2])),
        _over_time(weights, part),
    )


def emitted_change(weights: LayerWeights, unit: int, by: float) -> Array:
    """What h gains where one unit emits `by` more: that number at the unit's place, or through the projection; [hidden]."""
    one = _poked(np.zeros((1, weights.units), weights.kernel.dtype), unit, by)
    gained: Array = (one if weights.projection is None else one @ weights.projection)[0]
    return gained


def _poked(states: Array, unit: int, by: float) -> Array:
    states = states.copy()
    states[:, unit] += states.dtype.type(by)
    return states


def _with_other_weights(weights: LayerWeights, unit: int, by: float) -> LayerWeights:
    """The same weights, but all that one unit owns changed; its row of a projection is everybody's, and stays.

    The copies lie in memory as the originals do: another order of rows and columns would change a product's last bits.
    """
    own = [weights.columns(gate).start + unit for gate in GATES]
    changed = {name: tensor.copy(order="K") for name, tensor in weights.tensors().items() if name != "projection"}
    for name, tensor in changed.items():
        tensor[..., [unit] if name == "peephole" else own] += tensor.dtype.type(by)
    return weights._replace(**changed)


def _own_weights(weights: LayerWeights, base: StepResult, changed: StepResult, others: Array) -> OwnWeights:
    before, after = (np.stack([made.i, made.f, made.g, made.o])[:, 0] for made in (base, changed))
    counted = {name: tensor.size for name, tensor in weights.tensors().items() if name != "projection"}
    total = sum(counted.values())
    own, rest = (change(before[:, which], after[:, which]) for which in (~others, others))
    return OwnWeights(total // weights.units, total, own, rest)


def _same_timestep(base: StepResult, poked: StepResult, others: Array) -> SameTimestep:
    pairs = (base.c[0], poked.c[0]), (base.m[0], poked.m[0])
    return SameTimestep(*(change(one[which], two[which]) for one, two in pairs for which in (~others, others)))


def _next_timestep(base: StepResult, poked: StepResult) -> NextTimestep:
    return NextTimestep(change(base.c[0], poked.c[0]), change(base.h[0], poked.h[0]))


def _over_time(weights: LayerWeights, part: LayerRecord) -> OverTime:
    """Every timestep at once, from the state that it started from: one product with one kernel makes all of them."""
    timesteps = part.cell.shape[1]
    made = step(weights, part.input[0], *part.states_before(0, timesteps))
    gates = zip((part.gate(gate)[0] for gate in GATES), (made.i, made.f, made.g, made.o), strict=True)
    difference = max(change(recorded, again).largest for recorded, again in gates)
    return OverTime(sum(tensor.size for tensor in weights.tensors().values()), timesteps, difference)


class Ripple(NamedTuple):
    """One unit poked at one timestep, and what became of it: the poked run less the run."""

    unit: int
    at: int
    by: float
    steps: tuple[int, ...]
    """The timesteps from `at` on, as the direction reads them; the first axis below."""
    hidden: Array
    """[steps, hidden]"""
    cell: Array
    """[steps, units]"""

    @property
    def moved(self) -> list[int]:
        """How many numbers of h moved at each of the timesteps."""
        return [int(count) for count in (self.hidden != 0).sum(axis=1)]

    def to_dict(self) -> dict[str, Any]:
        rows = [
            {"t": t, "moved": moved, "h": h, "c": c}
            for t, moved, h, c in zip(
                self.steps, self.moved, plain_numbers(self.hidden), plain_numbers(self.cell), strict=True
            )
        ]
        return {"unit": self.unit, "at": self.at, "by": self.by, "steps": rows}


def ripple(weights: LayerWeights, part: LayerRecord, unit: int, at: int, by: float) -> Ripple:
    """Poke what a unit emits at one timestep, and run on to the end; `part` as in `statements`."""
    length = part.cell.shape[1]
    steps = range(at, length + 1) if part.direction is Direction.FORWARD else range(at, 0, -1)
    base = part.hidden[:, at - 1], part.cell[:, at - 1]
    poked = base[0] + emitted_change(weights, unit, by), base[1]
    changes = [(_gained(base[0], poked[0]), _gained(base[1], poked[1]))]
    for t in steps[1:]:
        x = part.input[:, t - 1]
        (*_, c, _, h), (*_, other_c, _, other_h) = step(weights, x, *base), step(weights, x, *poked)
        base, poked = (h, c), (other_h, other_c)
        changes.append((_gained(h, other_h), _gained(c, other_c)))
    hidden, cell = (np.concatenate(arrays) for arrays in zip(*changes, strict=True))
    return Ripple(unit, at, by, tuple(steps), hidden, cell)


def _gained(before: Array, after: Array) -> Array:
    """after - before; 0 where nothing moved, of nan and infinite numbers too."""
    return np.where(numbers_differ(before, after), after - before, after.dtype.type(0))
