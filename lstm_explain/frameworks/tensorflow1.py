"""TensorFlow 1's `BasicLSTMCell` and `LSTMCell`: one kernel for [x; h], i j f o (j is our g), and 1 added to f when called."""

from __future__ import annotations

from types import MappingProxyType

from lstm_explain.core.gates import Direction, Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import ForgetBias, LayerInfo, LayerOutput

TENSORFLOW1 = Convention(
    framework="tensorflow1",
    title="TensorFlow 1",
    gate_order=(Gate.INPUT, Gate.CANDIDATE, Gate.FORGET, Gate.OUTPUT),
    output_major=False,
    biases=("bias",),
    kernel="kernel",
    recurrent_kernel="kernel",
    projection="projection/kernel",
    peephole="w_*_diag",
    peephole_order=(Gate.FORGET, Gate.INPUT, Gate.OUTPUT),
    source="tensorflow/tensorflow@01788c9e: tensorflow/python/ops/rnn_cell_impl.py, classes BasicLSTMCell and LSTMCell",
    gate_names=MappingProxyType({Gate.INPUT: "i", Gate.FORGET: "f", Gate.CANDIDATE: "j", Gate.OUTPUT: "o"}),
    forget_bias_added=1.0,
    bias_required=True,
    direction_prefixes=MappingProxyType({Direction.FORWARD: "fw/lstm_cell", Direction.BACKWARD: "bw/lstm_cell"}),
    bidirectional_prefix="bidirectional_rnn",  # tensorflow/python/ops/rnn.py, bidirectional_dynamic_rnn
)

TENSORFLOW1_LAYER = LayerInfo(
    convention=TENSORFLOW1,
    class_name="tf.nn.rnn_cell.LSTMCell",
    is_cell=True,
    input_axes=("samples", "features"),
    returns=(
        LayerOutput("output", ("samples", "hidden"), "h after this timestep"),
        LayerOutput("state.c", ("samples", "units"), "c after this timestep"),
        LayerOutput("state.h", ("samples", "hidden"), "h after this timestep, again"),
    ),
    state_order=("c", "h"),
    forget_bias=ForgetBias(1.0, "added when called"),
    initializers=(("kernel", "as the variable scope says"), ("bias", "zeros")),
    verification="read",
    stacking="MultiRNNCell, and a loop over time such as dynamic_rnn, or bidirectional_dynamic_rnn for both directions",
    aliases=("tf", "tf1", "tensorflow", "BasicLSTMCell", "tf.nn.rnn_cell"),
    remarks=(
        "The 1 of the forget gate is in no stored bias (forget_bias=1.0): whoever copies the bias elsewhere must add it.",
        "BasicLSTMCell has the same kernel and bias, and no peepholes and no projection.",
        "LSTMStateTuple is (c, h), and its docstring calls c the hidden state and h the output.",
    ),
)
