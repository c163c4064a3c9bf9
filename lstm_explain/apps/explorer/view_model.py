"""View model: the run that a state looks at, with its changes and without, and what moved between the two."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.compare import numbers_differ
from lstm_explain.core.edits import edit_weights
from lstm_explain.core.gates import GATES, LETTERS, Direction, Gate

if TYPE_CHECKING:
    from lstm_explain.apps.explorer.state import ExplorerState
    from lstm_explain.core.axes import Array
    from lstm_explain.core.edits import Edit
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import LayerRecord, Record
    from lstm_explain.core.weights import LayerWeights

TENSOR_NAMES = {"h": "hidden", "c": "cell", **{LETTERS[gate]: gate.value for gate in GATES}}
"""The tensors of a record by the field's letters."""


def _values_of(record: LayerRecord, letter: str) -> Array:
    array: Array = (
        record.output_gate[0] * np.tanh(record.cell[0]) if letter == "m" else getattr(record, TENSOR_NAMES[letter])[0]
    )
    return array


class NeuronSum(NamedTuple):
    """How a neuron's value came about at one timestep."""

    gate: Gate
    of_x: float
    """W x_t"""
    of_h: float
    """R h_{t-1}"""
    other: float
    """The bias, and the peephole times c."""
    total: float
    value: float
    """As the run has it: the activation of the sum, or what an edit holds it at."""
    was: float
    """The same in the run without changes."""

    @property
    def outside(self) -> float:
        """All that does not come from h: W x_t, the bias and the peephole."""
        return self.of_x + self.other


class ViewModel(NamedTuple):
    """One sample in one layer and direction. Arrays are [timesteps run, units or hidden or features]."""

    state: ExplorerState
    weights: LayerWeights
    """With the changes."""
    record: LayerRecord
    """With the changes; one sample, without padding."""
    base: LayerRecord
    """Without them."""
    moved_units: Array
    """Which units have a state or gate that moved; [timesteps, units]."""
    largest_cell: float
    """The largest size of a number of c, with the changes."""

    def values(self, letter: str) -> Array:
        """h, c or a gate, by its letter; [timesteps, units or hidden]."""
        return _values_of(self.record, letter)

    def values_before(self, letter: str) -> Array:
        """The same in the run without changes."""
        return _values_of(self.base, letter)

    def changed(self, letter: str, t: int) -> Array:
        """Where the two differ at a timestep, as truth values; [units or hidden]."""
        return numbers_differ(self.values(letter)[t - 1], self.values_before(letter)[t - 1])

    def states_before(self, t: int, base: bool = False) -> tuple[Array, Array]:
        """h and c that timestep t started from; [hidden] and [units]."""
        record = self.base if base else self.record
        return record.before(0, t, record.cell.shape[1])

    def number(self, letter: str, t: int, index: int, base: bool = False) -> float:
        """One number of h, c or a gate after timestep t, or of the initial states."""
        record = self.base if base else self.record
        steps = record.cell.shape[1]
        if letter in ("h", "c") and not 1 <= t <= steps:
            return float((record.initial_hidden if letter == "h" else record.initial_cell)[0, index])
        return float(getattr(record, TENSOR_NAMES[letter])[0, t - 1, index])

    def computed_cell(self, t: int, unit: int, base: bool = False) -> float:
        """f c_{t-1} + i g: c as the timestep makes it, whatever it is set to afterwards."""
        before = float(self.states_before(t, base)[1][unit])
        f, i, g = (self.number(letter, t, unit, base) for letter in "fig")
        return f * before + i * g

    def set_by_hand(self, letter: str, t: int, unit: int) -> bool:
        """Whether an edit sets a unit's state, or holds its gate, at a timestep."""
        target = (self.state.layer, self.state.direction, letter, unit)
        edits = (edit for edit in self.state.edits if (edit.layer, edit.direction, edit.name, edit.position) == target)
        return any(edit.step == t or (edit.step is None and edit.is_gate) for edit in edits)

    def unit_output(self, t: int, unit: int, base: bool = False) -> float:
        """o tanh(c): the unit's number in h, unless a projection mixes them or it is set afterwards."""
        return self.number("o", t, unit, base) * float(np.tanh(self.computed_cell(t, unit, base)))

    def sums(self, t: int, unit: int) -> tuple[NeuronSum, ...]:
        """How the unit's four neurons came to their values at timestep t."""
        x, (h, c) = self.record.input[0, t - 1], self.states_before(t)
        sums_of_gates = []
        for gate in GATES:
            column, letter = self.weights.columns(gate).start + unit, LETTERS[gate]
            of_x, of_h = (float(a @ b[:, column]) for a, b in ((x, self.weights.kernel), (h, self.weights.recurrent_kernel)))
            other = 0.0 if self.weights.bias is None else float(self.weights.bias[column])
            peephole = self.weights.peephole_of(gate)
            if peephole is not None:
                cell = self.computed_cell(t, unit) if gate is Gate.OUTPUT else float(c[unit])
                other += float(peephole[unit]) * cell
            value, was = (self.number(letter, t, unit, base) for base in (False, True))
            sums_of_gates.append(NeuronSum(gate, of_x, of_h, other, of_x + of_h + other, value, was))
        return tuple(sums_of_gates)


def build_view_model(state: ExplorerState) -> ViewModel:
    """Run what the state selects; the latest runs are cached."""
    return ViewModel(state, *_compare_runs(state.lstm, state.sample, state.edits, state.layer, state.direction))


@lru_cache(maxsize=8)
def _compare_runs(
    lstm: LSTM, sample: int, edits: tuple[Edit, ...], layer: int, direction: Direction
) -> tuple[LayerWeights, LayerRecord, LayerRecord, Array, float]:
    """The fields of the view model that do not depend on the selected unit and timestep."""
    length = lstm.spec.timesteps if lstm.lengths is None else lstm.lengths[sample]
    runs = (_run_stepwise(lstm, sample, changes) for changes in (edits, ()))
    record, base = (run.of(layer, direction).of_sample(0, length) for run in runs)
    weights = edit_weights(lstm.weights, edits).of(layer, direction)
    cells = np.abs(record.cell[np.isfinite(record.cell)])
    largest = float(cells.max()) if cells.size else 0.0
    moved = _moved_units(record, base, lstm.spec.for_layer(layer).projection is not None)
    return weights, record, base, moved, largest


def _moved_units(record: LayerRecord, base: LayerRecord, projected: bool) -> Array:
    names = [name for letter, name in TENSOR_NAMES.items() if letter != "h" or not projected]
    pairs = ((getattr(record, name)[0], getattr(base, name)[0]) for name in names)
    anywhere: Array = np.any([numbers_differ(now, was) for now, was in pairs], axis=0)
    return anywhere


@lru_cache(maxsize=4)
def _run_stepwise(lstm: LSTM, sample: int, edits: tuple[Edit, ...]) -> Record:
    return lstm.run_stepwise(sample, edits)
