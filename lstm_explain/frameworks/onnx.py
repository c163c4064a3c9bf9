"""The ONNX operator `LSTM`: i o f c, neurons first, two biases in one tensor, directions stacked, peepholes i o f."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import GIVEN, Described, ForgetBias, Returned
from lstm_explain.frameworks.stored import written

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import Weights

ONNX = Convention(
    framework="onnx",
    title="ONNX",
    gate_order=(Gate.INPUT, Gate.OUTPUT, Gate.FORGET, Gate.CANDIDATE),
    neurons_first=True,
    biases=("Wb", "Rb"),
    kernel="W",
    recurrent_kernel="R",
    projection=None,
    peephole="P",
    peephole_order=(Gate.INPUT, Gate.OUTPUT, Gate.FORGET),
    source="onnx/onnx, docs/Operators.md, LSTM",
    stacked=True,
    biases_joined="B",
)

ONNX_LAYER = Described(
    convention=ONNX,
    built="LSTM, an operator of ai.onnx",
    step=False,
    reads=("timesteps", "samples", "features"),
    either=(("layout=1", ("samples", "timesteps", "features")),),
    returns=(
        Returned("Y", ("timesteps", "directions", "samples", "hidden"), "h of every timestep"),
        Returned("Y_h", ("directions", "samples", "hidden"), "h after the last timestep read"),
        Returned("Y_c", ("directions", "samples", "units"), "c after the last timestep read"),
    ),
    states=("h", "c"),
    forget_bias=ForgetBias(None, "given"),
    starts=(("all weights and biases", GIVEN),),
    known="run",
    several="a node for each layer; direction=bidirectional has both directions in one node",
    aliases=("onnxruntime", "ort"),
    remarks=(
        "B holds the biases Wb and Rb end to end. P, the peepholes, are packed in the order i o f.",
        "Y has an axis of directions of its own, so that a next layer cannot read it as it is. ONNX Runtime refuses layout=1.",
    ),
)


def node_inputs(weights: Weights, layer: int) -> dict[str, Array]:
    """A layer as the operator's inputs W, R, B = [Wb, Rb] and P, each with a leading axis of directions."""
    return {name: array for name, _, array in written(ONNX, weights.layers[layer], layer)}
