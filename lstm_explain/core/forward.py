"""The whole sequence, fast: the engine. It records every gate, and is proven equal to `core/cell.py` by a property test.

A batch goes layer by layer and direction by direction: its rows are laid out in memory (`core/rows.py`), every timestep is
taken in place (`core/steps.py`), and the record is views of those rows. Many samples run in blocks side by side
(`core/blocks.py`); a few long sequences run in segments side by side (`core/segments.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.axes import check, shape
from lstm_explain.core.blocks import in_blocks
from lstm_explain.core.gates import ENGINE_ORDER, Direction
from lstm_explain.core.reading import joined_output, read_only, reading_order, reordered
from lstm_explain.core.record import LayerRecord, Record
from lstm_explain.core.rows import Rows
from lstm_explain.core.segments import run_in_segments, worth_segments
from lstm_explain.core.steps import packed, steps, take
from lstm_explain.core.team import run_as_team, worth_a_team
from lstm_explain.core.weights import check_weights
from lstm_explain.errors import UsageError

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.steps import Packed, Step
    from lstm_explain.core.weights import LayerWeights, Weights


class State(NamedTuple):
    """The states of every layer and direction; h and c by name, so that nobody swaps them."""

    hidden: tuple[Array, ...]
    """h of each layer and direction, in the order of `Spec.places`; [samples, hidden]"""
    cell: tuple[Array, ...]
    """c of each; [samples, units]"""

    @classmethod
    def unstacked(cls, hidden: Array, cell: Array) -> State:
        """From h and c as frameworks stack them; [layers*directions, samples, hidden or units] each."""
        return cls(tuple(hidden), tuple(cell))

    def any(self) -> bool:
        """Whether any number is not zero."""
        return any(one.any() for states in self for one in states)

    def repeated(self, samples: int) -> State:
        """The states of one sample, for each of many."""
        return State(*(tuple(np.broadcast_to(one, (samples, one.shape[1])) for one in states) for states in self))

    def astype(self, dtype: str) -> State:
        return State(*(tuple(one.astype(dtype, copy=False) for one in states) for states in self))


def forward(spec: Spec, weights: Weights, inputs: Array, initial: State | None = None, lengths: Array | None = None) -> Record:
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
    check("the input", inputs, shape(samples=samples, timesteps=timesteps, features=spec.features))
    spec = replace(spec, samples=samples, timesteps=timesteps)
    if lengths is not None:
        lengths = _checked_lengths(lengths, samples, timesteps)
    check_weights(spec, weights)
    _check_initial(spec, initial)
    with np.errstate(all="ignore"):  # a number too large for the type becomes infinite, and is shown as such
        below = inputs.astype(spec.dtype, copy=False)
    layers, outputs, place = [], [], 0
    for layer in range(spec.layers):
        parts = {}
        for direction in spec.at(layer).directions:
            start = None if initial is None else (initial.hidden[place], initial.cell[place])
            parts[direction] = _run(weights.of(layer, direction), below, start, lengths, layer, direction)
            place += 1
        layers.append(parts)
        below = joined_output(list(parts.values()), lengths)
        outputs.append(read_only(below))
    return Record(spec, layers[0][Direction.FORWARD].input, tuple(layers), tuple(outputs), lengths)


def _checked_lengths(lengths: Array, samples: int, timesteps: int) -> Array:
    lengths = np.asarray(lengths)
    check("the lengths", lengths, shape(samples=samples))
    if lengths.dtype.kind not in "iu" or lengths.min() < 1 or lengths.max() > timesteps:
        found = f"each length is a whole number from 1 to {timesteps}, the number of timesteps"
        raise UsageError(f"--lengths {','.join(map(str, lengths[:8].tolist()))}", found)
    return lengths.astype(np.int64)


def _check_initial(spec: Spec, given: State | None) -> None:
    if given is None:
        return
    for name, states in zip(("h", "c"), given, strict=True):
        if len(states) != len(spec.places):
            asked = f"the initial {name} of {len(states)} layers and directions"
            raise UsageError(asked, f"there are {len(spec.places)} layers and directions", "Give one for each")
    for place, (layer, direction) in enumerate(spec.places):
        one, of = spec.at(layer), f"of layer {layer} {direction}"
        check(f"the initial h {of}", given.hidden[place], shape(samples=spec.samples, hidden=one.hidden))
        check(f"the initial c {of}", given.cell[place], shape(samples=spec.samples, units=one.units))


# --- one layer, one direction -----------------------------------------------------------------------------------------


def _run(
    weights: LayerWeights,
    inputs: Array,
    start: tuple[Array, Array] | None,
    lengths: Array | None,
    layer: int,
    direction: Direction,
) -> LayerRecord:
    """Run one layer in one direction over a batch; `start` is h [samples, hidden] and c [samples, units], zero where None."""
    samples, timesteps, features = inputs.shape
    order = reading_order(direction, timesteps, lengths)
    read = inputs if order is None else reordered(inputs, order)
    hidden, units = len(weights.recurrent_kernel), weights.units
    rows = Rows.empty(samples, timesteps, features, hidden, units, weights.kernel.dtype)
    arranged = packed(weights)

    @np.errstate(all="ignore")  # infinite inputs make infinities and nan, which are shown as such
    def run_block(part: slice) -> None:
        block = rows.columns(part)
        block.fill(read[part])
        if start is not None:
            block.start(*(states[part] for states in start))
        if lengths is None:
            _advance(arranged, block)
        else:
            _advance_to_ends(arranged, block, lengths[part])

    in_blocks(run_block, samples, units)
    return _record(rows, order, lengths, layer, direction)


def _advance(weights: Packed, rows: Rows) -> None:
    """Run every timestep, in place."""
    if worth_a_team(weights, rows):
        run_as_team(weights, rows)
        return
    done = run_in_segments(weights, rows) if worth_segments(rows) else 0
    if done < rows.timesteps:
        left = rows.timesteps_from(done)
        for step in steps(weights, left, from_zero=not left.hiddens[0].any()):
            take(weights, step)


def _advance_to_ends(weights: Packed, rows: Rows, lengths: Array) -> None:
    """Run every timestep, in place, of each sample as many as its length says."""
    shortest, cells, hiddens = lengths.min(), rows.cells, rows.hiddens
    for t, step in enumerate(steps(weights, rows, from_zero=not hiddens[0].any())):
        take(weights, step)
        if t >= shortest:
            _undo(lengths <= t, step, cells[t : t + 2], hiddens[t : t + 2])


def _undo(ended: Array, step: Step, cells: Array, hiddens: Array) -> None:
    """Undo a step for the samples that had ended before it: no gates, and the states stand still."""
    step.gates[:, :, ended] = np.nan
    cells[1][:, ended] = cells[0][:, ended]
    hiddens[1][:, ended] = hiddens[0][:, ended]


def _record(rows: Rows, order: Array | None, lengths: Array | None, layer: int, direction: Direction) -> LayerRecord:
    cells = rows.cells.transpose(2, 0, 1)
    hiddens = rows.hiddens.transpose(2, 0, 1)
    made = rows.steps_made.transpose(1, 3, 0, 2)
    gates = {gate.value: made[place] for place, gate in enumerate(ENGINE_ORDER, start=1)}
    inputs = rows.steps_read[:, rows.hidden : -1].transpose(2, 0, 1)  # what was read; the caller's array may go
    tensors = {**gates, "cell": cells[:, 1:], "hidden": hiddens[:, 1:], "input": inputs}
    if order is not None:
        tensors = {name: reordered(array, order) for name, array in tensors.items()}
    if order is not None and lengths is not None:
        past = np.arange(rows.timesteps) >= lengths[:, None]
        tensors["cell"] = np.where(past[:, :, None], cells[:, :1], tensors["cell"])
        tensors["hidden"] = np.where(past[:, :, None], hiddens[:, :1], tensors["hidden"])
    ends = {
        "initial_cell": cells[:, 0],
        "initial_hidden": hiddens[:, 0],
        "last_cell": cells[:, -1],
        "last_hidden": hiddens[:, -1],
    }
    frozen = {name: read_only(array) for name, array in {**tensors, **ends}.items()}
    return LayerRecord(layer, direction, **frozen)
