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
from lstm_explain.core.record import Record, build_layer_record, concat_directions, freeze, reorder_time, time_order

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.edits import Edit
    from lstm_explain.core.engine import StackState
    from lstm_explain.core.record import LayerRecord
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
        layers, outputs, index = [], [], 0
        for layer in range(len(spec.layers)):
            parts = {}
            for direction in spec.for_layer(layer).directions:
                layer_edits = tuple(edit for edit in edits if (edit.layer, edit.direction) == (layer, direction))
                start = None if initial is None else (initial.hidden[index], initial.cell[index])
                run = _LayerRun(weights.of(layer, direction), below, direction, lengths, layer_edits)
                parts[direction] = run.record(layer, start)
                index += 1
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
        for position in range(timesteps):
            made, after = self._step(position, sums[:, position], states)
            if self.lengths is not None:
                ended = (self.lengths <= position)[:, None]
                made = np.where(ended[None], made.dtype.type(np.nan), made)
                after = _StepStates(*(np.where(ended, old, new) for old, new in zip(states, after, strict=True)))
            gates.append(made)
            hidden.append(after.h)
            cell.append(after.c)
            states = after
        by_gate = {gate.value: array for gate, array in zip(GATES, np.stack(gates, 2), strict=True)}
        cells, hiddens = np.stack(cell, 1), np.stack(hidden, 1)
        return build_layer_record(layer, self.direction, by_gate, self.read, cells, hiddens, self.order, self.lengths)

    def _start(self, start: tuple[Array, Array] | None) -> _StepStates:
        """The states before the first timestep, edits done."""
        samples, dtype = len(self.read), self.weights.kernel.dtype
        width = self.weights.recurrent_kernel.shape[0]
        h, c = start or (np.zeros((samples, width), dtype), np.zeros((samples, self.weights.units), dtype))
        return self._with_edits(_StepStates(h, c), self.times[:, 0] - (1 if self.direction is Direction.FORWARD else -1))

    def _step(self, position: int, sums: Array, before: _StepStates) -> tuple[Array, _StepStates]:
        """One timestep: the gates as they were held, [4, samples, units], and the states as they are read."""
        weights, times = self.weights, self.times[:, position]
        z = sums + before.h @ weights.recurrent_kernel
        made: dict[Gate, Array] = {}
        for gate in GATES:
            if gate is not Gate.OUTPUT:
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
        for edit in self.edits:
            if BY_LETTER.get(edit.name) is gate:
                values[(times == edit.step) if edit.step is not None else slice(None), edit.position] = edit.value
        return values

    def _with_edits(self, states: _StepStates, times: Array) -> _StepStates:
        """The states with those numbers set that an edit names at these timesteps, [samples]."""
        wanted = [edit for edit in self.edits if edit.name in ("h", "c") and (times == edit.step).any()]
        if not wanted:
            return states
        changed = _StepStates(states.h.copy(), states.c.copy())
        for edit in wanted:
            (changed.h if edit.name == "h" else changed.c)[times == edit.step, edit.position] = edit.value
        return changed
