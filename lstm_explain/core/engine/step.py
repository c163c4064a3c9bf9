"""One timestep, fast: what the engine does to a layer's rows, proven equal to `core/cell.py` by a property test.

How it is fast, in numpy alone:

- The weights' columns for h, for x and for the bias stand side by side, and so do the rows [h_{t-1}; x_t; 1]: a single
  matrix product makes all pre-activations of all samples, and every later operation runs over long contiguous rows.
- sigmoid(z) = (1 + tanh(z/2)) / 2, with the half already in the weights: one tanh serves all four gates.
- In the rows [c_{t-1}; g; f; i; o], [f; i] times [c_{t-1}; g] is one multiplication.
- Element-wise work runs in tiles of units that fit the processor's cache.
- In small layers the time goes into the calls themselves. So a step is a tuple of views made beforehand, and the loop
  over them indexes nothing.
"""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import ENGINE_ORDER, Gate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.engine.buffers import Buffers
    from lstm_explain.core.weights import LayerWeights

TILE_BYTES = 2**20
"""How many bytes of a timestep's rows are worked on at once: about what a core's second-level cache holds."""


# --- a layer's weights as a step reads them ---------------------------------------------------------------------------


class EngineWeights(NamedTuple):
    """A layer's weights, one row for each neuron, the sigmoids' rows halved."""

    matrix: Array
    """[4*units in the engine's order, hidden + features + 1]"""
    projection: Array | None
    """[hidden, units]"""
    peepholes: Array | None
    """[3, units, 1] for f, i and o, halved"""
    half: Array
    """0.5 as an array: numpy converts a Python number anew in each call."""

    def select_units(self, part: slice) -> EngineWeights:
        """The rows of some units, arranged alike."""
        rows = self.matrix.reshape(4, -1, self.matrix.shape[1])[:, part]
        peepholes = None if self.peepholes is None else self.peepholes[:, part]
        return self._replace(matrix=rows.reshape(-1, self.matrix.shape[1]), peepholes=peepholes)


def pack_for_engine(weights: LayerWeights) -> EngineWeights:
    """Arrange a layer's weights for the engine."""
    dtype = weights.kernel.dtype
    projection = None if weights.projection is None else np.ascontiguousarray(weights.projection.T)
    peepholes = [(gate, weights.peephole_of(gate)) for gate in ENGINE_ORDER]
    halved = [row * _scale_of(gate, dtype) for gate, row in peepholes if row is not None]
    return EngineWeights(
        _stack_weights(weights), projection, np.stack(halved)[:, :, None] if halved else None, np.asarray(0.5, dtype)
    )


def _stack_weights(weights: LayerWeights) -> Array:
    """The rows [g; f; i; o] of [recurrent kernel, kernel, bias]; without a bias a column of zeros meets the row of ones."""
    bias = np.zeros_like(weights.kernel[0]) if weights.bias is None else weights.bias
    columns = np.concatenate([weights.recurrent_kernel, weights.kernel, bias[None]]).T
    rows = [columns[weights.columns(gate)] * _scale_of(gate, columns.dtype) for gate in ENGINE_ORDER]
    return np.concatenate(rows)


def _scale_of(gate: Gate, dtype: np.dtype[np.generic]) -> Array:
    return np.asarray(1 if gate is Gate.CANDIDATE else 0.5, dtype)


# --- the views that a step works on -----------------------------------------------------------------------------------


class TileViews(NamedTuple):
    """Some units' rows of one timestep, views all; each [units of the tile, samples] but for a leading axis as named."""

    sums: Array
    """Scratch: the pre-activations of [g; f; i; o]; leading axis 4"""
    gates: Array
    """[g; f; i; o]; leading axis 4"""
    sigmoids: Array
    """[f; i; o]; leading axis 3"""
    factors: Array
    """[f; i]; leading axis 2"""
    factors_of_products: Array
    """[c_{t-1}; g]; leading axis 2"""
    output_gate: Array
    cell: Array
    """c_t"""
    unit_output: Array
    """o tanh(c_t)"""
    products: Array
    """Scratch: [f c_{t-1}; i g]; leading axis 2"""
    kept: Array
    """Scratch: f c_{t-1}, later tanh(c_t)"""
    added: Array
    """Scratch: i g"""
    peepholes: Array | None
    """The tile's peephole weights; [3, units of the tile, 1]"""


class StepViews(NamedTuple):
    """One timestep's views."""

    matrix: Array
    """The weights of what is read"""
    inputs: Array
    """[h_{t-1}; x_t; 1], or [x_t; 1] where h_{t-1} is known to be zero; [hidden + features + 1, samples]"""
    sums: Array
    """Scratch: the pre-activations; [4*units, samples]"""
    gates: Array
    """[g; f; i; o]; [4, units, samples]"""
    tiles: tuple[TileViews, ...]
    unit_output: Array
    """What all units emit, o tanh(c_t); [units, samples]"""
    hidden: Array
    """h_t; [hidden, samples]; the same memory as `emitted` unless there is a projection"""


def step_views(
    weights: EngineWeights, rows: Buffers, part: slice | None = None, from_zero: bool = False
) -> Iterator[StepViews]:
    """The views of every timestep, made one step after the other.

    Args:
        weights: the layer's weights, or those of `part`.
        rows: where the run stands.
        part: the units whose views are made; all if left out.
        from_zero: h_0 is zero, so the first step need not multiply with it.
    """
    part = slice(0, rows.units) if part is None else part
    made, hiddens, units = rows.step_outputs[:, :, part], rows.hiddens[1:], part.stop - part.start
    emitted = hiddens[:, part] if weights.projection is None else hiddens
    if weights.projection is not None:
        scratch = np.empty((units, rows.samples), made.dtype)
        emitted = np.lib.stride_tricks.as_strided(scratch, (rows.timesteps, *scratch.shape), (0, *scratch.strides))
    size = max(1, min(units, TILE_BYTES // (5 * rows.samples * made.itemsize)))
    products = np.empty((2, size, rows.samples), made.dtype)
    tile_slices = [slice(first, min(first + size, units)) for first in range(0, units, size)]
    sums = np.empty((4 * units, rows.samples), made.dtype)
    cells = rows.cells[1:, part]
    tiles = [
        _tile_views(weights, made, cells, emitted, sums.reshape(4, units, -1), products, tile_units)
        for tile_units in tile_slices
    ]
    start = rows.hidden if from_zero else 0
    matrices = chain([weights.matrix[:, start:]], repeat(weights.matrix))
    reads = chain([rows.step_inputs[0, start:]], rows.step_inputs[1:])
    views = (matrices, reads, repeat(sums), made[:, 1:], zip(*tiles, strict=True), emitted, hiddens)
    return map(StepViews._make, zip(*views, strict=False))


def _tile_views(
    weights: EngineWeights, made: Array, cells: Array, emitted: Array, sums: Array, products: Array, units: slice
) -> Iterator[TileViews]:
    """The same units' tile of every timestep."""
    made, cells = made[:, :, units], cells[:, units]
    scratch = products[:, : made.shape[2]]
    peepholes = None if weights.peepholes is None else weights.peepholes[:, units]
    same = map(repeat, (scratch, *scratch, peepholes))
    views = (repeat(sums[:, units]), made[:, 1:], made[:, 2:], made[:, 2:4], made[:, :2], made[:, 4], cells, emitted[:, units])
    return map(TileViews._make, zip(*views, *same, strict=False))


# --- the step ---------------------------------------------------------------------------------------------------------


def run_step(weights: EngineWeights, step: StepViews) -> None:
    """Take one timestep for all samples, in place."""
    matrix, read, sums, _, tiles, emitted, hidden = step
    np.matmul(matrix, read, sums)
    work = _run_tile if weights.peepholes is None else _run_tile_with_peepholes
    for tile in tiles:
        work(tile, weights.half)
    if weights.projection is not None:
        np.matmul(weights.projection, emitted, hidden)


def _run_tile(tile: TileViews, half: Array) -> None:
    """From a tile's pre-activations to its gates, c_t and o tanh(c_t)."""
    sums, gates, sigmoids, factors, parts, output_gate, cell, emitted, products, kept, added, _ = tile
    np.tanh(sums, gates)
    np.multiply(sigmoids, half, sigmoids)
    np.add(sigmoids, half, sigmoids)
    np.multiply(factors, parts, products)
    np.add(kept, added, cell)
    np.tanh(cell, kept)
    np.multiply(output_gate, kept, emitted)


def _run_tile_with_peepholes(tile: TileViews, half: Array) -> None:
    """The same where f and i also read c_{t-1}, and o reads c_t: so o comes after c_t."""
    sums, gates, _, factors, parts, output_gate, cell, emitted, products, kept, added, peepholes = tile
    assert peepholes is not None
    sums[1:3] += peepholes[:2] * parts[0]
    np.tanh(sums[:3], gates[:3])
    _tanh_to_sigmoid(factors, half)
    np.multiply(factors, parts, products)
    np.add(kept, added, cell)
    sums[3] += peepholes[2] * cell
    np.tanh(sums[3], output_gate)
    _tanh_to_sigmoid(output_gate, half)
    np.tanh(cell, kept)
    np.multiply(output_gate, kept, emitted)


def _tanh_to_sigmoid(tanhs: Array, half: Array) -> None:
    np.multiply(tanhs, half, tanhs)
    np.add(tanhs, half, tanhs)
