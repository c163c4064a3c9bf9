"""Which parameters a single timestep leaves without a gradient: back-propagation in closed form, and the zeros counted.

For one timestep of one layer, given dh, the gradient of h (see `core/cell.py` for the equations):

    dm   = dh P^T                          dP = m^T dh             m = o tanh(c); without a projection m is h
    dz_o = dm tanh(c) o (1 - o)
    dc   = dm o (1 - tanh(c)^2) + dz_o p_o
    dz_i = dc g i (1 - i)      dz_f = dc c_0 f (1 - f)      dz_g = dc i (1 - g^2)
    dW   = x^T dz              dR   = h_0^T dz              db   = dz
    dp_i = dz_i c_0            dp_f = dz_f c_0              dp_o = dz_o c
    dx   = dz W^T

From zero states, dz_f and dR are zero whatever the weights are. This module does not assume that: it computes all gradients
from the run's numbers and counts the exact zeros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Gate
from lstm_explain.core.weights import LayerWeights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.record import LayerRecord, Record
    from lstm_explain.core.weights import Weights


class ZeroGradientCount(NamedTuple):
    """How many parameters of a tensor get no gradient."""

    tensor: str
    gate: Gate | None
    """Whose neurons they belong to; None for the projection, which comes after the gates."""
    zero: int
    total: int


def zero_gradient_parameters(weights: Weights, record: Record, samples: Array) -> tuple[ZeroGradientCount, ...]:
    """Count, by tensor and gate, the parameters of the whole stack whose gradient is exactly zero in every sample.

    The gradient is that of the sum of all numbers that the last layer outputs at t = 1.

    Args:
        weights: the weights of the run.
        record: a run.
        samples: the indices in the record of samples that have one timestep only.
    """
    dh = np.ones((len(samples), record.spec.output))
    counts: dict[tuple[str, Gate | None], tuple[int, int]] = {}
    for layer in reversed(record.layers):
        layer_records = list(layer.values())
        dx = np.zeros((len(samples), layer_records[0].input.shape[2]))
        for layer_record, dh_of_direction in zip(layer_records, np.split(dh, len(layer_records), axis=1), strict=True):
            layer_weights = weights.of(layer_record.layer, layer_record.direction)
            sizes, dx_of_direction = _backpropagate_step(layer_weights, layer_record, samples, dh_of_direction)
            dx += dx_of_direction
            for key, gradient in _split_by_gate(sizes):
                zero, total = counts.get(key, (0, 0))
                counts[key] = (zero + int((gradient == 0).sum()), total + gradient.size)
        dh = dx
    return tuple(ZeroGradientCount(tensor, gate, *count) for (tensor, gate), count in counts.items())


@np.errstate(all="ignore")  # infinite inputs make infinities and nan, which are not zeros
def _backpropagate_step(weights: LayerWeights, run: LayerRecord, samples: Array, dh: Array) -> tuple[LayerWeights, Array]:
    """Go back through one layer's timestep.

    Args:
        weights: the layer's weights.
        run: what the layer computed.
        samples: which samples.
        dh: the gradient of h; [samples, hidden].

    Returns:
        For every weight the sum over the samples of its gradient's size, and dx, [samples, features].
    """
    h_0, c_0 = run.initial_hidden[samples].astype(np.float64), run.initial_cell[samples].astype(np.float64)
    x, c = run.input[samples, 0].astype(np.float64), run.cell[samples, 0].astype(np.float64)
    i, f, g, o = (run.gate(gate)[samples, 0].astype(np.float64) for gate in GATES)
    tanh_c = np.tanh(c)
    dm = dh if weights.projection is None else dh @ weights.projection.T.astype(np.float64)
    dz = {Gate.OUTPUT: dm * tanh_c * o * (1 - o)}
    dc = dm * o * (1 - tanh_c**2)
    if (peephole := weights.peephole_of(Gate.OUTPUT)) is not None:
        dc = dc + dz[Gate.OUTPUT] * peephole
    dz |= {Gate.INPUT: dc * g * i * (1 - i), Gate.FORGET: dc * c_0 * f * (1 - f), Gate.CANDIDATE: dc * i * (1 - g**2)}
    dz_packed = np.concatenate([dz[gate] for gate in GATES], axis=1)
    dp = {Gate.INPUT: dz[Gate.INPUT] * c_0, Gate.FORGET: dz[Gate.FORGET] * c_0, Gate.OUTPUT: dz[Gate.OUTPUT] * c}
    sizes = LayerWeights(
        kernel=_summed_outer(x, dz_packed),
        recurrent_kernel=_summed_outer(h_0, dz_packed),
        bias=None if weights.bias is None else np.abs(dz_packed).sum(axis=0),
        projection=None if weights.projection is None else _summed_outer(o * tanh_c, dh),
        peephole=None if weights.peephole is None else np.stack([np.abs(dp[gate]).sum(axis=0) for gate in PEEPHOLE_GATES]),
    )
    return sizes, dz_packed @ weights.kernel.T.astype(np.float64)


def _summed_outer(read: Array, gradient: Array) -> Array:
    """The sum over samples of |read| x |gradient|, for every pair; zero only where it is zero in every sample."""
    sizes: Array = np.abs(read).T @ np.abs(gradient)
    return sizes


def _split_by_gate(sizes: LayerWeights) -> Iterator[tuple[tuple[str, Gate | None], Array]]:
    """What belongs to each tensor and gate; the projection has no gates."""
    for tensor, array in sizes.tensors().items():
        if tensor == "projection":
            yield (tensor, None), array
        elif tensor == "peephole":
            yield from (((tensor, gate), row) for gate, row in zip(PEEPHOLE_GATES, array, strict=True))
        else:
            yield from (((tensor, gate), array[..., sizes.columns(gate)]) for gate in GATES)
