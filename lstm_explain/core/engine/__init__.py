"""The engine: run a stack of layers over a batch, fast, and record every tensor.

Layers and directions run one after the other. A layer's tensors share a few buffers (`engine/buffers.py`), every timestep runs
in place (`engine/step.py`), and the record consists of views of the buffers. Depending on the sizes, samples or units run in
parallel (`engine/threads.py`), or segments of the sequence (`engine/time_parallel.py`). A property test proves the engine
equal to the reference in `core/cell.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.axes import check_shape, shape
from lstm_explain.core.engine.buffers import Buffers
from lstm_explain.core.engine.step import pack_for_engine, run_step, step_views
from lstm_explain.core.engine.threads import run_sample_blocks, run_units_in_threads, should_split_units
from lstm_explain.core.engine.time_parallel import run_in_segments, should_split_time
from lstm_explain.core.gates import ENGINE_ORDER, Direction
from lstm_explain.core.record import Record, build_layer_record, concat_directions, freeze, reorder_time, time_order
from lstm_explain.core.weights import check_weights
from lstm_explain.errors import UsageError, argument

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.engine.step import EngineWeights, StepViews
    from lstm_explain.core.record import LayerRecord
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights, Weights


class StackState(NamedTuple):
    """The states of every layer and direction; h and c by name, so that they are not swapped."""

    hidden: tuple[Array, ...]
    """h of each layer and direction, in the order of `Spec.layer_directions`; [samples, hidden]"""
    cell: tuple[Array, ...]
    """c of each; [samples, units]"""

    @classmethod
    def from_stacked(cls, hidden: Array, cell: Array) -> StackState:
        """From h and c as frameworks stack them; [layers*directions, samples, hidden or units] each."""
        return cls(tuple(hidden), tuple(cell))

    def any(self) -> bool:
        """Whether any number is not zero."""
        return any(array.any() for states in self for array in states)

    def repeat(self, samples: int) -> StackState:
        """The states of one sample, for each of many."""
        return StackState(*(tuple(np.broadcast_to(array, (samples, array.shape[1])) for array in states) for states in self))

    def astype(self, dtype: str) -> StackState:
        return StackState(*(tuple(array.astype(dtype, copy=False) for array in states) for states in self))


def forward(
    spec: Spec, weights: Weights, inputs: Array, initial: StackState | None = None, lengths: Array | None = None
) -> Record:
    """Run a stack over a batch and record every tensor.

    Args:
        spec: the sizes and options; samples and timesteps are taken from the batch.
        weights: the weights of every layer and direction.
        inputs: the batch; [samples, timesteps, features].
        initial: the states to start from; zero if left out.
        lengths: how many timesteps of each sample to run, from 1 to timesteps; [samples]; all if left out.

    Raises:
        UsageError: an array, the weights' among them, has another shape than the sizes ask for, or a length is out of range.
    """
    samples, timesteps = inputs.shape[:2] if inputs.ndim == 3 else (spec.samples, spec.timesteps)
    check_shape("the input", inputs, shape(samples=samples, timesteps=timesteps, features=spec.features))
    spec = replace(spec, samples=samples, timesteps=timesteps)
    if lengths is not None:
        lengths = _validate_lengths(lengths, samples, timesteps)
    check_weights(spec, weights)
    _validate_initial(spec, initial)
    with np.errstate(all="ignore"):  # a number too large for the type becomes infinite, and is shown as such
        below = inputs.astype(spec.dtype, copy=False)
    layers, outputs, index = [], [], 0
    for layer in range(len(spec.layers)):
        parts = {}
        for direction in spec.for_layer(layer).directions:
            start = None if initial is None else (initial.hidden[index], initial.cell[index])
            parts[direction] = _run_layer(weights.of(layer, direction), below, start, lengths, layer, direction)
            index += 1
        layers.append(parts)
        below = concat_directions(list(parts.values()), lengths)
        outputs.append(freeze(below))
    return Record(spec, layers[0][Direction.FORWARD].input, tuple(layers), tuple(outputs), lengths)


def _validate_lengths(lengths: Array, samples: int, timesteps: int) -> Array:
    lengths = np.asarray(lengths)
    check_shape("the lengths", lengths, shape(samples=samples))
    if lengths.dtype.kind not in "iu" or lengths.min() < 1 or lengths.max() > timesteps:
        problem = f"each length is a whole number from 1 to {timesteps}, the number of timesteps"
        raise UsageError(argument("lengths", lengths.tolist()), problem)
    return lengths.astype(np.int64)


def _validate_initial(spec: Spec, given: StackState | None) -> None:
    if given is None:
        return
    for name, states in zip(("h", "c"), given, strict=True):
        if len(states) != len(spec.layer_directions):
            asked = f"the initial {name} of {len(states)} layers and directions"
            raise UsageError(asked, f"there are {len(spec.layer_directions)} layers and directions", "Give one for each")
    for index, (layer, direction) in enumerate(spec.layer_directions):
        layer_spec, of = spec.for_layer(layer), f"of layer {layer} {direction}"
        check_shape(f"the initial h {of}", given.hidden[index], shape(samples=spec.samples, hidden=layer_spec.hidden))
        check_shape(f"the initial c {of}", given.cell[index], shape(samples=spec.samples, units=layer_spec.units))


# --- one layer, one direction -----------------------------------------------------------------------------------------


def _run_layer(
    weights: LayerWeights,
    inputs: Array,
    start: tuple[Array, Array] | None,
    lengths: Array | None,
    layer: int,
    direction: Direction,
) -> LayerRecord:
    """Run one layer in one direction over a batch; `start` is h [samples, hidden] and c [samples, units], zero where None."""
    samples, timesteps, features = inputs.shape
    order = time_order(direction, timesteps, lengths)
    read = inputs if order is None else reorder_time(inputs, order)
    hidden, units = len(weights.recurrent_kernel), weights.units
    rows = Buffers.empty(samples, timesteps, features, hidden, units, weights.kernel.dtype)
    arranged = pack_for_engine(weights)

    @np.errstate(all="ignore")  # infinite inputs make infinities and nan, which are shown as such
    def run_block(part: slice) -> None:
        block = rows.of_samples(part)
        block.set_inputs(read[part])
        if start is not None:
            block.set_initial(*(states[part] for states in start))
        if lengths is None:
            _run_timesteps(arranged, block)
        else:
            _run_to_lengths(arranged, block, lengths[part])

    run_sample_blocks(run_block, samples, units)
    return _layer_record(rows, order, lengths, layer, direction)


def _run_timesteps(weights: EngineWeights, rows: Buffers) -> None:
    """Run every timestep, in place."""
    if should_split_units(weights, rows):
        run_units_in_threads(weights, rows)
        return
    done = run_in_segments(weights, rows) if should_split_time(rows) else 0
    if done < rows.timesteps:
        left = rows.timesteps_from(done)
        for step in step_views(weights, left, from_zero=not left.hiddens[0].any()):
            run_step(weights, step)


def _run_to_lengths(weights: EngineWeights, rows: Buffers, lengths: Array) -> None:
    """Run every timestep, in place, of each sample as many as its length says."""
    shortest, cells, hiddens = lengths.min(), rows.cells, rows.hiddens
    for t, step in enumerate(step_views(weights, rows, from_zero=not hiddens[0].any())):
        run_step(weights, step)
        if t >= shortest:
            _undo_step(lengths <= t, step, cells[t : t + 2], hiddens[t : t + 2])


def _undo_step(ended: Array, step: StepViews, cells: Array, hiddens: Array) -> None:
    """Undo a step for the samples that had ended before it: no gates, and the states stand still."""
    step.gates[:, :, ended] = np.nan
    cells[1][:, ended] = cells[0][:, ended]
    hiddens[1][:, ended] = hiddens[0][:, ended]


def _layer_record(rows: Buffers, order: Array | None, lengths: Array | None, layer: int, direction: Direction) -> LayerRecord:
    cells = rows.cells.transpose(2, 0, 1)
    hiddens = rows.hiddens.transpose(2, 0, 1)
    made = rows.step_outputs.transpose(1, 3, 0, 2)
    gates = {gate.value: array for gate, array in zip(ENGINE_ORDER, made[1:], strict=True)}
    inputs = rows.step_inputs[:, rows.hidden : -1].transpose(2, 0, 1)  # what was read; the caller's array may go
    return build_layer_record(layer, direction, gates, inputs, cells, hiddens, order, lengths)
