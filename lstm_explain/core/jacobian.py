"""Derivatives of one timestep, in closed form: how h_t and c_t move with h_{t-1}, c_{t-1} and x_t.

With z_k the sum of gate k before its activation, and k' the slope of that activation (i' = i (1 - i), g' = 1 - g^2, ...):

    dc_t = f dc_{t-1} + g i' dz_i + c_{t-1} f' dz_f + i g' dz_g
    dm_t = o (1 - tanh^2 c_t) dc_t + tanh(c_t) o' dz_o
    dz_k = R_k dh_{t-1} + W_k dx_t + p_k dc        (peepholes: dc_{t-1} for i and f, dc_t for o)
    dh_t = dm_t, or dm_t through the projection

They follow from the equations of `core/cell.py` by the chain rule. Everything is float64, made from the numbers of a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES, Gate

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.record import LayerRecord
    from lstm_explain.core.weights import LayerWeights


class Slopes(NamedTuple):
    """What the derivatives of a timestep are made of; [..., units] each. Nothing here mixes units."""

    cell_by_sum: Array
    """dc_t / dz_k with c_{t-1} held, gates in the order i f g o, of which o gives zero; [..., 4, units]"""
    cell_by_cell: Array
    """dc_t / dc_{t-1}: the forget gate, and what peepholes add"""
    emitted_by_cell: Array
    """dm_t / dc_t: how much of a change of its memory a unit shows"""
    emitted_by_sum: Array
    """dm_t / dz_o with c_t held"""

    def at(self, places: Array | slice | int) -> Slopes:
        """The slopes of some samples or timesteps; places index the first axis."""
        return Slopes(*(array[places] for array in self))

    @property
    def emitted_by_sums(self) -> Array:
        """dm_t / dz_k, gates in the order i f g o; [..., 4, units]"""
        result = self.cell_by_sum * self.emitted_by_cell[..., None, :]
        result[..., GATES.index(Gate.OUTPUT), :] += self.emitted_by_sum
        return result


def gate_slopes(weights: LayerWeights, part: LayerRecord, cells_before: Array) -> Slopes:
    """The slopes of every timestep of every sample.

    Args:
        weights: of the layer and direction that ran.
        part: what it computed.
        cells_before: c_{t-1} of each timestep; [samples, timesteps, units].

    Returns:
        Slopes of [samples, timesteps, units]; nan where a sample is padding.
    """
    i, f, g, o = (part.gate(gate).astype(np.float64) for gate in GATES)
    before, squashed = cells_before.astype(np.float64), np.tanh(part.cell.astype(np.float64))
    by_sum = np.stack([g * i * (1 - i), before * f * (1 - f), i * (1 - g * g), np.zeros_like(o)], axis=-2)
    emitted_by_sum = squashed * o * (1 - o)
    by_cell, emitted_by_cell = f, o * (1 - squashed * squashed)
    for gate in (Gate.INPUT, Gate.FORGET):
        peephole = weights.peephole_of(gate)
        if peephole is not None:
            by_cell = by_cell + by_sum[..., GATES.index(gate), :] * peephole
    peephole = weights.peephole_of(Gate.OUTPUT)
    if peephole is not None:
        emitted_by_cell = emitted_by_cell + emitted_by_sum * peephole
    return Slopes(by_sum, by_cell, emitted_by_cell, emitted_by_sum)


class Jacobian(NamedTuple):
    """The derivatives of some timesteps; the second axis is what moves, the third what moves it."""

    hidden_by_hidden: Array
    """dh_t / dh_{t-1}; [steps, hidden, hidden]"""
    hidden_by_cell: Array
    """dh_t / dc_{t-1}; [steps, hidden, units]"""
    cell_by_hidden: Array
    """dc_t / dh_{t-1}; [steps, units, hidden]"""
    cell_by_cell: Array
    """dc_t / dc_{t-1}; [steps, units, units], of which the diagonal alone is not zero"""
    hidden_by_input: Array
    """dh_t / dx_t; [steps, hidden, features]"""
    cell_by_input: Array
    """dc_t / dx_t; [steps, units, features]"""


def step_jacobian(weights: LayerWeights, slopes: Slopes) -> Jacobian:
    """All derivatives of some timesteps, from slopes of [steps, units]."""
    emitted = slopes.emitted_by_sums
    return Jacobian(
        hidden_by_hidden=_through_projection(weights, _through_kernel(weights.recurrent_kernel, emitted)),
        hidden_by_cell=_through_projection(weights, _diagonal_matrices(slopes.emitted_by_cell * slopes.cell_by_cell)),
        cell_by_hidden=_through_kernel(weights.recurrent_kernel, slopes.cell_by_sum),
        cell_by_cell=_diagonal_matrices(slopes.cell_by_cell),
        hidden_by_input=_through_projection(weights, _through_kernel(weights.kernel, emitted)),
        cell_by_input=_through_kernel(weights.kernel, slopes.cell_by_sum),
    )


def jacobian_bytes(weights: LayerWeights, steps: int) -> int:
    """The memory that `jacobian` takes at its peak: what it returns, as much while it is made, and a kernel in float64."""
    units, sizes = weights.units, (len(weights.kernel), len(weights.recurrent_kernel), weights.units)
    return 2 * steps * 2 * units * sum(sizes) * 8 + len(GATES) * units * max(sizes) * 8


def _through_kernel(kernel: Array, by_sums: Array) -> Array:
    """From derivatives by the gates' sums to derivatives by what the kernel multiplies; [steps, units, numbers read].

    Each unit's sums read a number through weights of the unit's own: `kernel` is [numbers read, 4*units].
    """
    # A product of matrices for each unit, [steps, gates] with [gates, numbers read]: several times as fast as four of arrays.
    by_gate = kernel.reshape(len(kernel), len(GATES), -1).transpose(2, 1, 0)
    by_unit = by_sums.transpose(2, 0, 1)
    result: Array = np.ascontiguousarray(by_unit) @ np.ascontiguousarray(by_gate, np.float64)
    return result.transpose(1, 0, 2)


def _through_projection(weights: LayerWeights, emitted: Array) -> Array:
    """From derivatives of what the units emit to derivatives of h: the projection, where there is one."""
    if weights.projection is None:
        return emitted
    result: Array = weights.projection.T.astype(np.float64) @ emitted
    return result


def _diagonal_matrices(values: Array) -> Array:
    """[steps, units] -> [steps, units, units]"""
    steps, units = values.shape
    result = np.zeros((steps, units, units))
    result[:, range(units), range(units)] = values
    return result
