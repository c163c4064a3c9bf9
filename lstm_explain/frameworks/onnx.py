"""The ONNX operator `LSTM`: i o f c, neurons first, two biases in one tensor, directions stacked, peepholes i o f."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import GIVEN_WEIGHTS, ForgetBias, LayerInfo, LayerOutput
from lstm_explain.frameworks.stored import export_layer

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import Weights

ONNX = Convention(
    framework="onnx",
    title="ONNX",
    gate_order=(Gate.INPUT, Gate.OUTPUT, Gate.FORGET, Gate.CANDIDATE),
    output_major=True,
    biases=("Wb", "Rb"),
    kernel="W",
    recurrent_kernel="R",
    projection=None,
    peephole="P",
    peephole_order=(Gate.INPUT, Gate.OUTPUT, Gate.FORGET),
    source="onnx/onnx, docs/Operators.md, LSTM",
    directions_stacked=True,
    concatenated_bias="B",
)

ONNX_LAYER = LayerInfo(
    convention=ONNX,
    class_name="LSTM, an operator of ai.onnx",
    is_cell=False,
    input_axes=("timesteps", "samples", "features"),
    alternative_layouts=(("layout=1", ("samples", "timesteps", "features")),),
    returns=(
        LayerOutput("Y", ("timesteps", "directions", "samples", "hidden"), "h of every timestep"),
        LayerOutput("Y_h", ("directions", "samples", "hidden"), "h after the last timestep read"),
        LayerOutput("Y_c", ("directions", "samples", "units"), "c after the last timestep read"),
    ),
    state_order=("h", "c"),
    forget_bias=ForgetBias(None, "given"),
    initializers=(("all weights and biases", GIVEN_WEIGHTS),),
    verification="run",
    stacking="a node for each layer; direction=bidirectional has both directions in one node",
    aliases=("onnxruntime", "ort"),
    remarks=(
        "B holds the biases Wb and Rb end to end. P, the peepholes, are packed in the order i o f.",
        "Y has an axis of directions of its own, so that a next layer cannot read it as it is. ONNX Runtime refuses layout=1.",
    ),
)


def node_inputs(weights: Weights, layer: int) -> dict[str, Array]:
    """A layer as the operator's inputs W, R, B = [Wb, Rb] and P, each with a leading axis of directions."""
    return {name: array for name, _, array in export_layer(ONNX, weights.layers[layer], layer)}
