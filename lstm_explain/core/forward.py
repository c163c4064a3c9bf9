"""The whole sequence, fast: the engine. It records every gate, and is proven equal to `core/cell.py` by a property test.

How it is fast, in numpy alone:

- Samples are columns. A timestep's gates, all units of them, are one block of rows, so a single matrix product makes all
  pre-activations and every later operation runs over long contiguous rows.
- The weights' columns for h, for x and for the bias stand side by side, and so do the rows [h_{t-1}; x_t; 1] of each
  timestep: one product for all three. The step writes its h straight into the next timestep's rows.
- sigmoid(z) = (1 + tanh(z/2)) / 2, with the half already in the weights: one tanh serves all four gates.
- A timestep's rows are [c_{t-1}; g; f; i; o]. The next begins with c_t. So [f; i] times [c_{t-1}; g] is one multiplication,
  nothing is copied, and each tensor of the run is a strided view of one buffer.
- Element-wise work runs in tiles that fit the processor's cache; with many samples and few units, blocks of samples run
  in one thread for each processor (numpy lets go of the interpreter lock), and BLAS is held to one thread meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.axes import check, shape
from lstm_explain.core.gates import ENGINE_ORDER, Direction, Gate
from lstm_explain.core.record import LayerRecord, Record
from lstm_explain.errors import UsageError

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights, Weights

TILE_BYTES = 2**20
"""How many bytes of a timestep's rows are worked on at once: about what a core's second-level cache holds."""
THREADED_SAMPLES = 4096
"""From how many samples on blocks of them run in threads; below, handing out the work costs more than it saves."""
THREADED_UNITS = 64
"""Up to how many units blocks of samples run in threads; above, the matrix product fills the processors by itself."""


class State(NamedTuple):
    """The states of every layer and direction; h and c by name, so that nobody swaps them."""

    hidden: Array
    """[layers*directions, samples, hidden]"""
    cell: Array
    """[layers*directions, samples, units]"""


def forward(spec: Spec, weights: Weights, inputs: Array, initial: State | None = None, lengths: Array | None = None) -> Record:
    """Run a stack over a batch and record every tensor.

    Args:
        spec: the sizes and options; samples and timesteps are taken from the batch.
        weights: the weights of every layer and direction.
        inputs: the batch; [samples, timesteps, features].
        initial: the states to start from; zero if left out.
        lengths: how many timesteps of each sample to run, from 1 to timesteps; [samples]; all if left out.

    Raises:
        UsageError: an array has another shape than the sizes ask for, or a length is out of range.
    """
    samples, timesteps = inputs.shape[:2]
    check("the input", inputs, shape(samples=samples, timesteps=timesteps, features=spec.features))
    spec = _resized(spec, samples, timesteps)
    if lengths is not None:
        lengths = _checked_lengths(lengths, samples, timesteps)
    initial = _initial(spec, initial)
    source = below = inputs.astype(spec.dtype, copy=False)
    layers, outputs, place = [], [], 0
    for layer in range(spec.layers):
        parts = {}
        for direction in spec.directions:
            start = State(initial.hidden[place], initial.cell[place])
            parts[direction] = _run(weights.of(layer, direction), below, start, lengths, layer, direction)
            place += 1
        layers.append(parts)
        below = _joined_output(list(parts.values()), lengths)
        outputs.append(_read_only(below))
    return Record(spec, _read_only(source), tuple(layers), tuple(outputs), lengths)


def _resized(spec: Spec, samples: int, timesteps: int) -> Spec:
    from dataclasses import replace

    return replace(spec, samples=samples, timesteps=timesteps)


def _checked_lengths(lengths: Array, samples: int, timesteps: int) -> Array:
    lengths = np.asarray(lengths)
    check("the lengths", lengths, shape(samples=samples))
    if lengths.dtype.kind not in "iu" or lengths.min() < 1 or lengths.max() > timesteps:
        found = f"each length is a whole number from 1 to {timesteps}, the number of timesteps"
        raise UsageError(f"--lengths {','.join(map(str, lengths[:8].tolist()))}", found)
    return lengths.astype(np.int64)


def _initial(spec: Spec, given: State | None) -> State:
    places = spec.layers * len(spec.directions)
    if given is None:
        zeros = (np.zeros((places, 1, size), spec.dtype) for size in (spec.hidden, spec.units))
        hidden, cell = (np.broadcast_to(zero, (places, spec.samples, zero.shape[2])) for zero in zeros)
        return State(hidden, cell)
    check("the initial h", given.hidden, shape(directions=places, samples=spec.samples, hidden=spec.hidden))
    check("the initial c", given.cell, shape(directions=places, samples=spec.samples, units=spec.units))
    return given


def _joined_output(parts: list[LayerRecord], lengths: Array | None) -> Array:
    output = parts[0].hidden if len(parts) == 1 else np.concatenate([part.hidden for part in parts], axis=2)
    if lengths is None:
        return output
    past = np.arange(output.shape[1]) >= lengths[:, None]
    return np.where(past[:, :, None], output.dtype.type(0), output)


# --- one layer, one direction -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Buffers:
    """The rows of every timestep, in the order in which they are run; samples are columns."""

    read: Array
    """[h_{t-1}; x_t; 1] for each timestep, then h_T; [timesteps*(hidden + features + 1) + hidden, samples]."""
    made: Array
    """[c_{t-1}; g; f; i; o] for each timestep, then c_T; [timesteps*5*units + units, samples]."""
    timesteps: int
    hidden: int
    units: int

    @property
    def steps_read(self) -> Array:
        """[timesteps, hidden + features + 1, samples]"""
        return self.read[: -self.hidden].reshape(self.timesteps, -1, self.read.shape[1])

    @property
    def steps_made(self) -> Array:
        """[timesteps, 5, units, samples]: c before the step, then the gates in the engine's order."""
        return self.made[: -self.units].reshape(self.timesteps, 5, self.units, self.made.shape[1])

    def cells(self) -> Array:
        """c_0 to c_T; [timesteps + 1, units, samples]."""
        return _every(self.made, self.timesteps + 1, self.units)

    def hiddens(self) -> Array:
        """h_0 to h_T; [timesteps + 1, hidden, samples]."""
        return _every(self.read, self.timesteps + 1, self.hidden)

    def columns(self, part: slice) -> _Buffers:
        """The same rows for a block of samples; views."""
        return _Buffers(self.read[:, part], self.made[:, part], self.timesteps, self.hidden, self.units)


def _every(rows: Array, count: int, size: int) -> Array:
    """The first `size` rows of each of `count` equal blocks of rows, of which the last has no more rows than that."""
    block = (len(rows) - size) // (count - 1)
    strides = (block * rows.strides[0], *rows.strides)
    return np.lib.stride_tricks.as_strided(rows, (count, size, rows.shape[1]), strides)


def _run(
    weights: LayerWeights, inputs: Array, start: State, lengths: Array | None, layer: int, direction: Direction
) -> LayerRecord:
    samples, timesteps, _ = inputs.shape
    order = _reading_order(direction, timesteps, lengths)
    read = inputs if order is None else _reordered(inputs, order)
    matrix = _matrix(weights)
    units, hidden = weights.units, weights.recurrent_kernel.shape[0]
    dtype = weights.kernel.dtype
    buffers = _Buffers(
        np.empty((timesteps * matrix.shape[1] + hidden, samples), dtype),
        np.empty((timesteps * 5 * units + units, samples), dtype),
        timesteps,
        hidden,
        units,
    )
    step = _Layer(matrix, *_transposed(weights))

    def block(part: slice) -> None:
        columns = buffers.columns(part)
        _fill(columns, read[part], start.hidden[part], start.cell[part])
        _advance(step, columns, None if lengths is None else lengths[part])

    _in_blocks(block, samples, units)
    return _record(buffers, inputs, order, lengths, layer, direction)


class _Layer(NamedTuple):
    """A layer's weights as the engine reads them: one row for each neuron, sigmoids' rows halved."""

    matrix: Array
    """[4*units in the engine's order, hidden + features + 1]"""
    projection: Array | None
    """[hidden, units]"""
    peepholes: Array | None
    """[3, units, 1] for f, i and o, halved"""


def _matrix(weights: LayerWeights) -> Array:
    """The rows [g; f; i; o] of [recurrent kernel, kernel, bias], the sigmoids' rows halved."""
    parts = [weights.recurrent_kernel, weights.kernel]
    if weights.bias is not None:
        parts.append(weights.bias[None])
    packed = np.concatenate(parts).T
    rows = [packed[weights.columns(gate)] * _half(gate, packed.dtype) for gate in ENGINE_ORDER]
    return np.ascontiguousarray(np.concatenate(rows))


def _transposed(weights: LayerWeights) -> tuple[Array | None, Array | None]:
    projection = None if weights.projection is None else np.ascontiguousarray(weights.projection.T)
    rows = [(gate, weights.peephole_of(gate)) for gate in ENGINE_ORDER]
    halved = [row * _half(gate, row.dtype) for gate, row in rows if row is not None]
    return projection, np.stack(halved)[:, :, None] if halved else None


def _half(gate: Gate, dtype: np.dtype[np.generic]) -> Array:
    return np.asarray(1 if gate is Gate.CANDIDATE else 0.5, dtype)


def _fill(buffers: _Buffers, inputs: Array, hidden: Array, cell: Array) -> None:
    features = inputs.shape[2]
    steps = buffers.steps_read
    steps[:, buffers.hidden : buffers.hidden + features] = inputs.transpose(1, 2, 0)
    steps[:, buffers.hidden + features :] = 1  # the row that the bias multiplies, where there is one
    buffers.read[: buffers.hidden] = hidden.T
    buffers.made[: buffers.units] = cell.T


def _advance(layer: _Layer, buffers: _Buffers, lengths: Array | None) -> None:
    """Run every timestep of a block of samples, in place."""
    samples, units = buffers.read.shape[1], buffers.units
    half = np.asarray(0.5, buffers.made.dtype)
    tile = max(1, min(units, TILE_BYTES // (5 * samples * buffers.made.itemsize)))
    products = np.empty((2, tile, samples), buffers.made.dtype)
    unprojected = None if layer.projection is None else np.empty((units, samples), buffers.made.dtype)
    cells, hiddens = buffers.cells(), buffers.hiddens()
    tiles = [slice(first, min(first + tile, units)) for first in range(0, units, tile)]
    shortest = len(cells) if lengths is None else int(lengths.min())
    for t, (read, made) in enumerate(zip(buffers.steps_read, buffers.steps_made, strict=True)):
        np.matmul(layer.matrix, read, made[1:].reshape(4 * units, samples))
        emitted = hiddens[t + 1] if unprojected is None else unprojected
        for part in tiles:
            _elementwise(made[:, part], cells[t + 1, part], emitted[part], products, half, layer.peepholes, part)
        if layer.projection is not None:
            np.matmul(layer.projection, emitted, hiddens[t + 1])
        if lengths is not None and t >= shortest:
            _stand_still(lengths <= t, made, cells[t : t + 2], hiddens[t : t + 2])


def _elementwise(
    made: Array, cell: Array, hidden: Array, products: Array, half: Array, peepholes: Array | None, part: slice
) -> None:
    """From a tile's pre-activations to its gates, c_t and o tanh(c_t); `made` is [5, units of the tile, samples]."""
    if peepholes is not None:
        made[2:4] += peepholes[:2, part] * made[0]
        _squash(made[1:4], made[2:4], half)
    else:
        _squash(made[1:], made[2:], half)
    both = products[:, : len(cell)]
    np.multiply(made[2:4], made[:2], both)  # [f; i] times [c_{t-1}; g]
    np.add(both[0], both[1], cell)
    if peepholes is not None:
        made[4] += peepholes[2, part] * cell
        _squash(made[4], made[4], half)
    np.tanh(cell, both[0])
    np.multiply(made[4], both[0], hidden)


def _squash(all_gates: Array, sigmoids: Array, half: Array) -> None:
    np.tanh(all_gates, all_gates)
    np.multiply(sigmoids, half, sigmoids)
    np.add(sigmoids, half, sigmoids)


def _stand_still(ended: Array, made: Array, cells: Array, hiddens: Array) -> None:
    """Undo a step for the samples that had ended before it: no gates, and the states of the step before."""
    made[1:, :, ended] = np.nan
    cells[1][:, ended] = cells[0][:, ended]
    hiddens[1][:, ended] = hiddens[0][:, ended]


# --- blocks of samples, side by side ----------------------------------------------------------------------------------


def _in_blocks(block: Callable[[slice], None], samples: int, units: int) -> None:
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if units > THREADED_UNITS or samples < THREADED_SAMPLES or workers == 1:
        block(slice(0, samples))
        return
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(block, part) for part in _parts(samples, units, workers)]:
            done.result()


def _parts(samples: int, units: int, workers: int) -> Iterator[slice]:
    """Equal blocks of samples, a multiple of the workers in number, whose rows of a timestep fit a tile."""
    fitting = max(512, TILE_BYTES // (5 * units * 4))
    rounds = -(-samples // (fitting * workers))
    size = -(-samples // (rounds * workers))
    return (slice(first, min(first + size, samples)) for first in range(0, samples, size))


# --- the order in which a direction reads, and the way back -----------------------------------------------------------


def _reading_order(direction: Direction, timesteps: int, lengths: Array | None) -> Array | None:
    """Which timestep is read when, [samples or 1, timesteps]; None where it is simply first to last.

    Backwards, a sample is read from its true end; the timesteps past it keep their places. The order is its own inverse.
    """
    if direction is Direction.FORWARD:
        return None
    places = np.arange(timesteps)
    if lengths is None:
        return places[::-1]
    ends = lengths[:, None]
    return np.where(places < ends, ends - 1 - places, places)


def _reordered(array: Array, order: Array) -> Array:
    """Put the timesteps of [samples, timesteps, ...] into the order given; a view where it is the same for all samples."""
    if order.ndim == 1:
        return array[:, order[0] :: -1]
    return np.take_along_axis(array, order[:, :, None], axis=1)


def _record(
    buffers: _Buffers, inputs: Array, order: Array | None, lengths: Array | None, layer: int, direction: Direction
) -> LayerRecord:
    cells = buffers.cells().transpose(2, 0, 1)
    hiddens = buffers.hiddens().transpose(2, 0, 1)
    made = buffers.steps_made.transpose(1, 3, 0, 2)
    gates = {gate.value: made[place] for place, gate in enumerate(ENGINE_ORDER, start=1)}
    tensors = {**gates, "cell": cells[:, 1:], "hidden": hiddens[:, 1:]}
    if order is not None:
        tensors = {name: _reordered(array, order) for name, array in tensors.items()}
    if order is not None and lengths is not None:
        past = np.arange(buffers.timesteps) >= lengths[:, None]
        tensors["cell"] = np.where(past[:, :, None], cells[:, :1], tensors["cell"])
        tensors["hidden"] = np.where(past[:, :, None], hiddens[:, :1], tensors["hidden"])
    ends = {
        "initial_cell": cells[:, 0],
        "initial_hidden": hiddens[:, 0],
        "last_cell": cells[:, -1],
        "last_hidden": hiddens[:, -1],
    }
    frozen = {name: _read_only(array) for name, array in {**tensors, **ends}.items()}
    return LayerRecord(layer, direction, _read_only(inputs), **frozen)


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view
