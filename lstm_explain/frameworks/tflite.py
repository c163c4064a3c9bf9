"""TensorFlow Lite's full LSTM kernel: an array for each gate, neurons first, with peepholes and projection."""

from __future__ import annotations

from types import MappingProxyType

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import GIVEN_WEIGHTS, ForgetBias, LayerInfo, LayerOutput

TFLITE = Convention(
    framework="tflite",
    title="TensorFlow Lite",
    gate_order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT),
    output_major=True,
    biases=("*_gate_bias",),
    kernel="input_to_*_weights",
    recurrent_kernel="recurrent_to_*_weights",
    projection="projection_weights",
    peephole="cell_to_*_weights",
    peephole_order=(Gate.INPUT, Gate.FORGET, Gate.OUTPUT),
    source="tensorflow/tensorflow@2eb0e759: tensorflow/lite/kernels/lstm_shared.h",
    gate_names=MappingProxyType({Gate.INPUT: "input", Gate.FORGET: "forget", Gate.CANDIDATE: "cell", Gate.OUTPUT: "output"}),
    bias_required=True,
)

TFLITE_LAYER = LayerInfo(
    convention=TFLITE,
    class_name="LSTM, a kernel of TensorFlow Lite (24 inputs)",
    is_cell=True,
    input_axes=("samples", "features"),
    returns=(
        LayerOutput("output", ("samples", "hidden"), "h after this timestep; h and c are variables that the kernel changes"),
    ),
    state_order=("h", "c"),
    forget_bias=ForgetBias(None, "given"),
    initializers=(("all weights and biases", GIVEN_WEIGHTS),),
    verification="read",
    stacking="a kernel for each; others read whole sequences, in one direction or both",
    aliases=("lite", "tensorflow-lite", "litert"),
    remarks=(
        "The input gate's arrays may be left out: the input gate is then 1 - f.",
        "The kernel knows its inputs by number: the input's weights are 1 to 4, the recurrent ones 5 to 8, the peepholes 9 "
        "to 11, the biases 12 to 15 and the projection 16.",
    ),
)
