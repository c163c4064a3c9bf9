"""OpenVINO's operator `LSTMSequence`: f i c o (c is our g), neurons first, one bias that is the sum of two."""

from __future__ import annotations

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.framework import GIVEN_WEIGHTS, ForgetBias, Framework, LayerInfo, LayerOutput

OPENVINO = Framework(
    convention=Convention(
        framework="openvino",
        title="OpenVINO",
        gate_order=(Gate.FORGET, Gate.INPUT, Gate.CANDIDATE, Gate.OUTPUT),
        output_major=True,
        biases=("B",),
        kernel="W",
        recurrent_kernel="R",
        source="openvinotoolkit/openvino@2e2ddfc6: docs/articles_en/documentation/openvino-ir-format/operation-sets/"
        "operation-specs/sequence/lstm-sequence-5.rst",
        directions_stacked=True,
        bias_required=True,
    ),
    info=LayerInfo(
        class_name="LSTMSequence-5, an operator of OpenVINO",
        input_axes=("samples", "timesteps", "features"),
        returns=(
            LayerOutput("Y", ("samples", "directions", "timesteps", "hidden"), "h of every timestep"),
            LayerOutput("Ho", ("samples", "directions", "hidden"), "h after the last timestep read"),
            LayerOutput("Co", ("samples", "directions", "units"), "c after the last timestep read"),
        ),
        forget_bias=ForgetBias(None, "given"),
        initializers=(("all weights and the bias", GIVEN_WEIGHTS),),
        stacking="an operator for each layer; direction=bidirectional has both directions in one operator",
        aliases=("LSTMSequence", "ov"),
        remarks=(
            "The operator LSTMCell-1 reads one timestep, and has the same weights without the axis of directions.",
            "The older C++ constructor of LSTMCell takes the order as an argument, and its default is another: i f c o.",
        ),
    ),
)
