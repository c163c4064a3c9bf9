"""Changing a unit: what moves at once, what moves one timestep later, and what never moves. Each answer is a separate run.

Both sides of every comparison go through the same code, `core/cell.py`, in the LSTM's own type. So a number that the
change does not reach is the same to the last bit, and a difference of 0 is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.cell import step
from lstm_explain.core.compare import max_abs_difference, numbers_differ
from lstm_explain.core.gates import GATES, Direction
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.result import json_keys

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.cell import StepResult
    from lstm_explain.core.record import LayerRecord
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.topics.result import Finite, Positive


DEFAULT_CHANGE = 0.1
"""By how much the numbers are changed if you do not choose."""


class Change(NamedTuple):
    """How many of some numbers moved, and how far."""

    moved: int
    """How many numbers moved."""
    of: int
    """How many there are."""
    largest: float
    """The largest absolute change; 0, which is exact, if nothing moved."""


def measure_change(before: Array, after: Array) -> Change:
    """Compare numbers bit by bit; a nan that stays nan did not move."""
    moved = numbers_differ(before, after)
    largest = max_abs_difference(after.astype(np.float64), before.astype(np.float64))
    return Change(int(moved.sum()), int(moved.size), largest)


class OwnWeights(NamedTuple):
    """Statement 1: all weights of the unit are changed, and the timestep is run again."""

    owned: Positive
    """How many parameters the unit has for itself."""
    per_layer: Positive
    """How many all units of the layer have, in this direction: the units own all of them but a projection."""
    own_gates: Change
    """The unit's own i, f, g and o."""
    other_gates: Change
    """Those of all other units."""


class SameTimestep(NamedTuple):
    """Statement 2: the unit's memory c_{t-1} is changed as the timestep begins."""

    own_cell: Change
    """The unit's own c_t."""
    other_cells: Change
    """The c_t of all other units."""
    own_emitted: Change
    """What the unit outputs, o tanh(c): its own h_t unless there is a projection."""
    other_emitted: Change
    """What all other units output."""


class NextTimestep(NamedTuple):
    """Statement 3: what the unit output at t-1 is changed, before any unit reads it at t."""

    cells: Change
    """c_t of all units, its own among them."""
    hidden: Change
    """All numbers of h_t."""


class Sharing(NamedTuple):
    """Statements 2 and 3: what one unit's change moves at its own timestep, and what it moves one timestep later."""

    unit: int
    t: Positive
    """The timestep at which both were measured."""
    by: Finite
    """By how much the unit's number was changed."""
    same_timestep: SameTimestep
    next_timestep: NextTimestep


class OverTime(NamedTuple):
    """Statement 4: the gates of every timestep are computed again with the one kernel."""

    parameters: Positive
    """How many parameters the layer has in this direction."""
    uses: Positive
    """In how many timesteps they are used."""
    difference: float
    """The largest difference between a gate computed so and the run's."""


class Statements(NamedTuple):
    """Are units independent? Four statements, each measured."""

    unit: int
    by: Finite
    """By how much each number was changed."""
    parameters: OwnWeights
    """What the unit's weights change."""
    same_timestep: SameTimestep
    """What the unit's cell state changes at once."""
    next_timestep: NextTimestep
    """What the unit's output changes one timestep later."""
    over_time: OverTime
    """Whether every timestep uses the same weights."""


def measure_statements(weights: LayerWeights, record: LayerRecord, t: int, unit: int, by: float) -> Statements:
    """Measure the four statements at one timestep.

    Args:
        weights: those of the layer and direction.
        record: one sample alone, without padding: the axis of samples has size 1.
        t: the timestep.
        unit: which unit is changed.
        by: by how much.
    """
    inputs = _inputs_of_step(record, t)
    base, others = step(weights, *inputs), np.arange(weights.units) != unit
    sharing = measure_sharing(weights, record, t, unit, by)
    return Statements(
        unit,
        by,
        _own_weights(weights, base, step(_change_weights(weights, unit, by), *inputs), others),
        sharing.same_timestep,
        sharing.next_timestep,
        _over_time(weights, record),
    )


def measure_sharing(weights: LayerWeights, record: LayerRecord, t: int, unit: int, by: float) -> Sharing:
    """Measure statements 2 and 3 alone; the arguments are those of `measure_statements`."""
    x, h, c = _inputs_of_step(record, t)
    base, others = step(weights, x, h, c), np.arange(weights.units) != unit
    return Sharing(
        unit,
        t,
        by,
        _same_timestep(base, step(weights, x, h, _change_unit(c, unit, by)), others),
        _next_timestep(base, step(weights, x, h + change_of_hidden(weights, unit, by), c)),
    )


def _inputs_of_step(record: LayerRecord, t: int) -> tuple[Array, Array, Array]:
    """What the cell reads at a timestep: x_t, the previous h and the previous c, of one sample."""
    before = record.states_before(0, record.cell.shape[1])
    return record.input[0, t - 1 : t], before.hidden[t - 1 : t], before.cell[t - 1 : t]


def change_of_hidden(weights: LayerWeights, unit: int, by: float) -> Array:
    """How h changes if one unit outputs `by` more: in that unit's number, or through the projection; [hidden]."""
    output = _change_unit(np.zeros((1, weights.units), weights.kernel.dtype), unit, by)
    hidden: Array = (output if weights.projection is None else output @ weights.projection)[0]
    return hidden


def _change_unit(states: Array, unit: int, by: float) -> Array:
    states = states.copy()
    states[:, unit] += states.dtype.type(by)
    return states


def _change_weights(weights: LayerWeights, unit: int, by: float) -> LayerWeights:
    """The same weights with all that one unit owns changed; its row of a projection belongs to all units, and stays.

    The copies lie in memory as the originals do: another order of rows and columns would change a product's last bits.
    """
    columns = [weights.columns(gate).start + unit for gate in GATES]
    changed = {name: tensor.copy(order="K") for name, tensor in weights.tensors().items() if name != "projection"}
    for name, tensor in changed.items():
        tensor[..., [unit] if name == "peephole" else columns] += tensor.dtype.type(by)
    return weights._replace(**changed)


def _own_weights(weights: LayerWeights, base: StepResult, changed: StepResult, others: Array) -> OwnWeights:
    before, after = (np.stack([result.i, result.f, result.g, result.o])[:, 0] for result in (base, changed))
    total = sum(tensor.size for name, tensor in weights.tensors().items() if name != "projection")
    changes = (measure_change(before[:, units], after[:, units]) for units in (~others, others))
    return OwnWeights(total // weights.units, total, *changes)


def _same_timestep(base: StepResult, changed: StepResult, others: Array) -> SameTimestep:
    pairs = (base.c[0], changed.c[0]), (base.m[0], changed.m[0])
    changes = (measure_change(before[units], after[units]) for before, after in pairs for units in (~others, others))
    return SameTimestep(*changes)


def _next_timestep(base: StepResult, changed: StepResult) -> NextTimestep:
    return NextTimestep(measure_change(base.c[0], changed.c[0]), measure_change(base.h[0], changed.h[0]))


def _over_time(weights: LayerWeights, record: LayerRecord) -> OverTime:
    """Compute every timestep at once, each from the state before it: one product with one kernel."""
    timesteps = record.cell.shape[1]
    result = step(weights, record.input[0], *record.states_before(0, timesteps))
    gates = zip((record.gate(gate)[0] for gate in GATES), (result.i, result.f, result.g, result.o), strict=True)
    difference = max(measure_change(recorded, again).largest for recorded, again in gates)
    return OverTime(sum(tensor.size for tensor in weights.tensors().values()), timesteps, difference)


class RippleStep(NamedTuple):
    """The changes at one timestep: the changed run less the run."""

    t: Positive
    moved: int
    """How many numbers of h moved."""
    h: list[float]
    """The changes of h."""
    c: list[float]
    """The changes of c."""


@json_keys("unit at by steps=rows")
class Ripple(NamedTuple):
    """One unit's output changed at one timestep, and what became of it."""

    unit: int
    at: Positive
    """The timestep of the change."""
    by: Finite
    """By how much the output was changed."""
    steps: tuple[int, ...]
    """The timesteps from `at` on, as the direction reads them; the first axis below."""
    hidden: Array
    """The changed run less the run; [steps, hidden]"""
    cell: Array
    """The same; [steps, units]"""

    @property
    def moved_counts(self) -> list[int]:
        """How many numbers of h moved at each of the timesteps."""
        return [int(count) for count in (self.hidden != 0).sum(axis=1)]

    @property
    def rows(self) -> list[RippleStep]:
        """One for each timestep from `at` on, as the direction reads them."""
        columns = (self.steps, self.moved_counts, plain_numbers(self.hidden), plain_numbers(self.cell))
        return [RippleStep(*row) for row in zip(*columns, strict=True)]


def propagate_change(weights: LayerWeights, record: LayerRecord, unit: int, at: int, by: float) -> Ripple:
    """Change what a unit outputs at one timestep, and run on to the end; `record` as in `measure_statements`."""
    length = record.cell.shape[1]
    steps = range(at, length + 1) if record.direction is Direction.FORWARD else range(at, 0, -1)
    base = record.hidden[:, at - 1], record.cell[:, at - 1]
    changed = base[0] + change_of_hidden(weights, unit, by), base[1]
    changes = [(_subtract(changed[0], base[0]), _subtract(changed[1], base[1]))]
    for t in steps[1:]:
        x = record.input[:, t - 1]
        (*_, c, _, h), (*_, changed_c, _, changed_h) = step(weights, x, *base), step(weights, x, *changed)
        base, changed = (h, c), (changed_h, changed_c)
        changes.append((_subtract(changed_h, h), _subtract(changed_c, c)))
    hidden, cell = (np.concatenate(arrays) for arrays in zip(*changes, strict=True))
    return Ripple(unit, at, by, tuple(steps), hidden, cell)


def _subtract(after: Array, before: Array) -> Array:
    """after - before; 0 where nothing moved, also for nan and infinite numbers."""
    return np.where(numbers_differ(before, after), after - before, after.dtype.type(0))
