"""Keras 3's `keras.layers.LSTM`: i f c o (c is our candidate g), inputs first, one bias."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction, Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import ForgetBias, LayerInfo, LayerOutput

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import Weights

KERAS = Convention(
    framework="keras",
    title="Keras",
    gate_order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT),
    output_major=False,
    biases=("bias",),
    kernel="kernel",
    recurrent_kernel="recurrent_kernel",
    projection=None,
    peephole=None,
    peephole_order=(),
    source="keras/src/layers/rnn/lstm.py, class LSTMCell",
    direction_prefixes=MappingProxyType({way: f"{way}_lstm/lstm_cell" for way in Direction}),  # as `path` of a variable has it
    bidirectional_prefix="bidirectional",
)

KERAS_LAYER = LayerInfo(
    convention=KERAS,
    class_name="keras.layers.LSTM",
    is_cell=False,
    input_axes=("samples", "timesteps", "features"),
    returns=(
        LayerOutput("outputs", ("samples", "output"), "h after the last timestep read; this alone unless asked for more"),
        LayerOutput(
            "sequences", ("samples", "timesteps", "output"), "instead, with return_sequences=True: h of every timestep"
        ),
        LayerOutput("state_h", ("samples", "hidden"), "in addition, with return_state=True: h after the last timestep read"),
        LayerOutput("state_c", ("samples", "units"), "in addition, with return_state=True: c after the last timestep read"),
    ),
    state_order=("h", "c"),
    forget_bias=ForgetBias(1.0, "stored"),
    initializers=(
        ("kernel", "Glorot uniform"),
        ("recurrent_kernel", "orthogonal"),
        ("bias", "zeros, and ones for the forget gate (unit_forget_bias=True)"),
    ),
    verification="run",
    stacking="a layer on a layer with return_sequences=True; layers.Bidirectional(LSTM(...)) has a forward and a backward one",
    aliases=("keras3", "keras.layers.LSTM", "tf.keras"),
    remarks=(
        "What Keras calls c among the gates is the candidate g. get_weights() gives the arrays in the order of this table; "
        "those of Bidirectional are the forward layer's, then the backward layer's.",
    ),
)


def layer_weights(weights: Weights, layer: int) -> list[Array]:
    """A layer's weights in the order that `set_weights` takes; `Bidirectional` takes forward's, then backward's."""
    return [array for part in weights.layers[layer].values() for array in KERAS.pack(part).values()]
