"""Which parameters a single timestep leaves without a gradient: back-propagation in closed form, and the zeros counted.

For one timestep of one layer, given dh, the gradient of h (see `core/cell.py` for the equations):

    dm   = dh P^T                          dP = m^T dh             m = o tanh(c); without a projection m is h
    dz_o = dm tanh(c) o (1 - o)
    dc   = dm o (1 - tanh(c)^2) + dz_o p_o
    dz_i = dc g i (1 - i)      dz_f = dc c_0 f (1 - f)      dz_g = dc i (1 - g^2)
    dW   = x^T dz              dR   = h_0^T dz              db   = dz
    dp_i = dz_i c_0            dp_f = dz_f c_0              dp_o = dz_o c
    dx   = dz W^T

From zero states, dz_f and dR are zero whatever the weights are. This module takes no such thing for granted: it computes all
gradients from the run's numbers and counts the exact zeros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Gate
from lstm_explain.core.weights import LayerWeights

if TYPE_CHECKING:
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

    The gradient is that of the sum of all numbers that the last layer emits at t = 1.

    Args:
        weights: the weights of the run.
        record: a run.
        samples: the places in the record of samples that have one timestep only.
    """
    above = np.ones((len(samples), record.spec.output))
    counts: dict[tuple[str, Gate | None], tuple[int, int]] = {}
    for layer in reversed(record.layers):
        parts = list(layer.values())
        shares = np.split(above, len(parts), axis=1)
        read = np.zeros((len(samples), parts[0].input.shape[2]))
        for part, share in zip(parts, shares, strict=True):
            own = weights.of(part.layer, part.direction)
            sizes, below = _backpropagate_step(own, part, samples, share)
            read += below
            for key, idle, total in _count_zeros(sizes):
                before = counts.get(key, (0, 0))
                counts[key] = (before[0] + idle, before[1] + total)
        above = read
    return tuple(ZeroGradientCount(tensor, gate, *count) for (tensor, gate), count in counts.items())


@np.errstate(all="ignore")  # infinite inputs make infinities and nan, which are no zeros
def _backpropagate_step(weights: LayerWeights, part: LayerRecord, samples: Array, above: Array) -> tuple[LayerWeights, Array]:
    """Go back through one layer's step.

    Args:
        weights: the layer's weights.
        part: what the layer computed.
        samples: which samples.
        above: dh; [samples, hidden].

    Returns:
        For every weight the sum over the samples of its gradient's size, and dx, [samples, features].
    """
    h, c = part.initial_hidden[samples].astype(np.float64), part.initial_cell[samples].astype(np.float64)
    x, after = part.input[samples, 0].astype(np.float64), part.cell[samples, 0].astype(np.float64)
    i, f, g, o = (part.gate(gate)[samples, 0].astype(np.float64) for gate in GATES)
    squashed = np.tanh(after)
    dm = above if weights.projection is None else above @ weights.projection.T.astype(np.float64)
    peepholes = {gate: weights.peephole_of(gate) for gate in PEEPHOLE_GATES}
    dz = {Gate.OUTPUT: dm * squashed * o * (1 - o)}
    dc = dm * o * (1 - squashed**2)
    if (peephole := peepholes[Gate.OUTPUT]) is not None:
        dc = dc + dz[Gate.OUTPUT] * peephole
    dz |= {Gate.INPUT: dc * g * i * (1 - i), Gate.FORGET: dc * c * f * (1 - f), Gate.CANDIDATE: dc * i * (1 - g**2)}
    neurons = np.concatenate([dz[gate] for gate in GATES], axis=1)
    seen = {Gate.INPUT: c, Gate.FORGET: c, Gate.OUTPUT: after}
    sizes = LayerWeights(
        kernel=_summed_outer(x, neurons),
        recurrent_kernel=_summed_outer(h, neurons),
        bias=None if weights.bias is None else np.abs(neurons).sum(axis=0),
        projection=None if weights.projection is None else _summed_outer(o * squashed, above),
        peephole=None
        if weights.peephole is None
        else np.stack([_summed_size(dz[gate] * seen[gate]) for gate in PEEPHOLE_GATES]),
    )
    return sizes, neurons @ weights.kernel.T.astype(np.float64)


def _summed_outer(read: Array, gradient: Array) -> Array:
    """The sum over samples of |read| x |gradient|, for every pair; zero only where it is zero in every sample."""
    sizes: Array = np.abs(read).T @ np.abs(gradient)
    return sizes


def _summed_size(gradient: Array) -> Array:
    size: Array = np.abs(gradient).sum(axis=0)
    return size


def _count_zeros(sizes: LayerWeights) -> list[tuple[tuple[str, Gate | None], int, int]]:
    """The zeros, and all there are, by tensor and gate."""
    found: list[tuple[tuple[str, Gate | None], int, int]] = []
    for tensor, array in sizes.tensors().items():
        by_gate: dict[Gate | None, Array] = {None: array}
        if tensor == "peephole":
            by_gate = dict(zip(PEEPHOLE_GATES, array, strict=True))
        elif tensor != "projection":
            by_gate = {gate: array[..., sizes.columns(gate)] for gate in GATES}
        found += [((tensor, gate), int((one == 0).sum()), one.size) for gate, one in by_gate.items()]
    return found
