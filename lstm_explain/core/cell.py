"""One timestep of an LSTM: a plain reading of the equations, and the reference for the engine.

    i = sigmoid(W_i x_t + R_i h_{t-1} + b_i)        f, o likewise
    g = tanh   (W_g x_t + R_g h_{t-1} + b_g)
    c_t = f c_{t-1} + i g
    h_t = o tanh(c_t)

Hochreiter & Schmidhuber (1997), with the forget gate of Gers, Schmidhuber & Cummins (2000); peepholes of Gers & Schmidhuber
(2000); projection of Sak, Senior & Beaufays (2014). Products between gates and states are element by element: within a
timestep, no unit sees another unit's gates or new state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import Gate

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import LayerWeights


class StepResult(NamedTuple):
    """Everything that one timestep makes, for a batch of samples."""

    joined: Array
    """x_t and h_{t-1} side by side: what every neuron reads; [samples, features + hidden]."""
    pre_activation: Array
    """The neurons' sums, gates in the order i f g o, peepholes included; [samples, 4*units]."""
    i: Array
    """The input gate; [samples, units]."""
    f: Array
    """The forget gate; [samples, units]."""
    g: Array
    """The candidate; [samples, units]."""
    o: Array
    """The output gate; [samples, units]."""
    c: Array
    """The new cell state; [samples, units]."""
    m: Array
    """What the units emit, o tanh(c); h itself unless there is a projection; [samples, units]."""
    h: Array
    """The new hidden state; [samples, hidden]."""


def step(weights: LayerWeights, x: Array, h: Array, c: Array) -> StepResult:
    """Run one timestep.

    Args:
        weights: the layer's weights in this direction.
        x: the input of this timestep; [samples, features].
        h: the hidden state before it; [samples, hidden].
        c: the cell state before it; [samples, units].
    """
    joined = np.concatenate([x, h], axis=1)
    z = joined @ np.concatenate([weights.kernel, weights.recurrent_kernel])
    if weights.bias is not None:
        z = z + weights.bias

    def z_of(gate: Gate, cell: Array) -> Array:
        columns, p = weights.columns(gate), weights.peephole_of(gate)
        if p is not None:
            z[:, columns] += p * cell
        part: Array = z[:, columns]
        return part

    i = sigmoid(z_of(Gate.INPUT, c))
    f = sigmoid(z_of(Gate.FORGET, c))
    g = np.tanh(z_of(Gate.CANDIDATE, c))
    c = f * c + i * g
    o = sigmoid(z_of(Gate.OUTPUT, c))
    m = o * np.tanh(c)
    h = m if weights.projection is None else m @ weights.projection
    return StepResult(joined, z, i, f, g, o, c, m, h)


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), written so that no exponential overflows."""
    small = np.exp(-np.abs(z))
    above = np.asarray(1, z.dtype)
    result: Array = np.where(z >= 0, above, small) / (1 + small)
    return result
