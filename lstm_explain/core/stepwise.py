"""A run in which some numbers are set by hand while it goes: states before they are read, gates after they are made.

It takes timestep after timestep with plain numpy, so that a number that nothing reached is the same to the last bit, with
edits and without. The engine (`core/engine`) makes the same numbers, up to rounding; a test compares all three.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.cell import sigmoid
from lstm_explain.core.edits import BY_LETTER, edit_inputs, edit_weights
from lstm_explain.core.gates import GATES, Direction, Gate
from lstm_explain.core.record import LayerRecord, Record
from lstm_explain.core.time_order import concat_directions, freeze, reorder_time, time_order

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.edits import Edit
    from lstm_explain.core.engine import StackState
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights, Weights


def run_stepwise(
    spec: Spec,
    weights: Weights,
    inputs: Array,
    edits: tuple[Edit, ...] = (),
    initial: StackState | None = None,
    lengths: Array | None = None,
) -> Record:
    """Run a stack over a batch with edits, and record every tensor; arguments and shapes as in `core.engine.forward`.

    Args:
        spec: the sizes and options.
        weights: the weights, before any edit.
        inputs: the batch, before any edit; [samples, timesteps, features].
        edits: what to set, the last one counting where two set the same; each holds for every sample. They fit the sizes.
        initial: the states to start from; zero if left out.
        lengths: how many timesteps of each sample to run; [samples]; all if left out.
    """
    samples, timesteps = inputs.shape[:2]
    spec, weights = replace(spec, samples=samples, timesteps=timesteps), edit_weights(weights, edits)
    with np.errstate(all="ignore"):  # as in the engine: what is too large becomes infinite, and is shown as such
        first = below = edit_inputs(inputs.astype(spec.dtype, copy=False), edits)
        layers, outputs, place = [], [], 0
        for layer in range(len(spec.layers)):
            parts = {}
            for direction in spec.for_layer(layer).directions:
                own = tuple(one for one in edits if (one.layer, one.direction) == (layer, direction))
                start = None if initial is None else (initial.hidden[place], initial.cell[place])
                run = _LayerRun(weights.of(layer, direction), below, direction, lengths, own)
                parts[direction] = run.record(layer, start)
                place += 1
            layers.append(parts)
            below = concat_directions(list(parts.values()), lengths)
            outputs.append(freeze(below))
    return Record(spec, freeze(first), tuple(layers), tuple(outputs), lengths)


class _StepStates(NamedTuple):
    """h and c of all samples; [samples, hidden] and [samples, units]."""

    h: Array
    c: Array


class _LayerRun:
    """One layer in one direction. Arrays have their timesteps in the order in which the direction reads them."""

    def __init__(
        self, weights: LayerWeights, inputs: Array, direction: Direction, lengths: Array | None, edits: tuple[Edit, ...]
    ) -> None:
        samples, timesteps = inputs.shape[:2]
        self.weights, self.direction, self.lengths, self.edits = weights, direction, lengths, edits
        self.order = time_order(direction, timesteps, lengths)
        self.read = inputs if self.order is None else reorder_time(inputs, self.order)
        times = np.arange(timesteps) if self.order is None else self.order
        self.times = np.broadcast_to(times + 1, (samples, timesteps))  # which timestep is read when

    def record(self, layer: int, start: tuple[Array, Array] | None) -> LayerRecord:
        weights, timesteps = self.weights, self.read.shape[1]
        states = self._start(start)
        hidden, cell, gates = [states.h], [states.c], []
        sums = self.read @ weights.kernel if weights.bias is None else self.read @ weights.kernel + weights.bias
        for place in range(timesteps):
            made, after = self._step(place, sums[:, place], states)
            if self.lengths is not None:
                ended = (self.lengths <= place)[:, None]
                made = np.where(ended[None], made.dtype.type(np.nan), made)
                after = _StepStates(*(np.where(ended, old, new) for old, new in zip(states, after, strict=True)))
            gates.append(made)
            hidden.append(after.h)
            cell.append(after.c)
            states = after
        return self._layer_record(layer, np.stack(hidden, 1), np.stack(cell, 1), np.stack(gates, 2))

    def _start(self, start: tuple[Array, Array] | None) -> _StepStates:
        """The states before the first timestep, edits done."""
        samples, dtype = len(self.read), self.weights.kernel.dtype
        width = self.weights.recurrent_kernel.shape[0]
        h, c = start or (np.zeros((samples, width), dtype), np.zeros((samples, self.weights.units), dtype))
        return self._with_edits(_StepStates(h, c), self.times[:, 0] - (1 if self.direction is Direction.FORWARD else -1))

    def _step(self, place: int, sums: Array, before: _StepStates) -> tuple[Array, _StepStates]:
        """One timestep: the gates as they were held, [4, samples, units], and the states as they are read."""
        weights, times = self.weights, self.times[:, place]
        z = sums + before.h @ weights.recurrent_kernel
        made: dict[Gate, Array] = {}
        for gate in (one for one in GATES if one is not Gate.OUTPUT):
            made[gate] = self._gate(gate, z, before.c, times)
        c = made[Gate.FORGET] * before.c + made[Gate.INPUT] * made[Gate.CANDIDATE]
        made[Gate.OUTPUT] = self._gate(Gate.OUTPUT, z, c, times)
        m = made[Gate.OUTPUT] * np.tanh(c)
        h = m if weights.projection is None else m @ weights.projection
        return np.stack([made[gate] for gate in GATES]), self._with_edits(_StepStates(h, c), times)

    def _gate(self, gate: Gate, z: Array, seen: Array, times: Array) -> Array:
        part, peephole = z[:, self.weights.columns(gate)], self.weights.peephole_of(gate)
        if peephole is not None:
            part = part + peephole * seen
        values: Array = np.tanh(part) if gate is Gate.CANDIDATE else sigmoid(part)
        for one in self.edits:
            if BY_LETTER.get(one.name) is gate:
                values[(times == one.step) if one.step is not None else slice(None), one.position] = one.value
        return values

    def _with_edits(self, states: _StepStates, times: Array) -> _StepStates:
        """The states with those numbers set that an edit names at these timesteps, [samples]."""
        wanted = [one for one in self.edits if one.name in ("h", "c") and (times == one.step).any()]
        if not wanted:
            return states
        changed = _StepStates(states.h.copy(), states.c.copy())
        for one in wanted:
            (changed.h if one.name == "h" else changed.c)[times == one.step, one.position] = one.value
        return changed

    def _layer_record(self, layer: int, hidden: Array, cell: Array, gates: Array) -> LayerRecord:
        """The record; states are [samples, 1 + timesteps, ...], gates [4, samples, timesteps, units]."""
        over_time = {gate.value: gates[place] for place, gate in enumerate(GATES)}
        over_time |= {"cell": cell[:, 1:], "hidden": hidden[:, 1:], "input": self.read}
        if self.order is not None:
            over_time = {name: reorder_time(array, self.order) for name, array in over_time.items()}
        if self.order is not None and self.lengths is not None:
            past = (np.arange(self.read.shape[1]) >= self.lengths[:, None])[:, :, None]
            for name, states in (("cell", cell), ("hidden", hidden)):
                over_time[name] = np.where(past, states[:, :1], over_time[name])
        ends = {
            "initial_cell": cell[:, 0],
            "initial_hidden": hidden[:, 0],
            "last_cell": cell[:, -1],
            "last_hidden": hidden[:, -1],
        }
        frozen = {name: freeze(array) for name, array in {**over_time, **ends}.items()}
        return LayerRecord(layer, self.direction, **frozen)
