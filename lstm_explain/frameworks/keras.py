"""Keras 3's `keras.layers.LSTM`: i f c o (c is our candidate g), inputs first, one bias."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import Weights

KERAS = Convention(
    framework="keras",
    title="Keras",
    gate_order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT),
    neurons_first=False,
    biases=("bias",),
    kernel="kernel",
    recurrent_kernel="recurrent_kernel",
    projection=None,
    peephole=None,
    peephole_order=(),
    source="keras/src/layers/rnn/lstm.py, class LSTMCell",
)


def layer_weights(weights: Weights, layer: int) -> list[Array]:
    """A layer's weights in the order that `set_weights` takes; `Bidirectional` takes forward's, then backward's."""
    return [array for part in weights.layers[layer].values() for array in KERAS.pack(part).values()]
