"""TensorFlow 1's `BasicLSTMCell` and `LSTMCell`: one kernel for [x; h], i j f o (j is our g), and 1 added to f when called."""

from __future__ import annotations

from types import MappingProxyType

from lstm_explain.core.gates import Direction, Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import Described, ForgetBias, Returned

TENSORFLOW1 = Convention(
    framework="tensorflow1",
    title="TensorFlow 1",
    gate_order=(Gate.INPUT, Gate.CANDIDATE, Gate.FORGET, Gate.OUTPUT),
    neurons_first=False,
    biases=("bias",),
    kernel="kernel",
    recurrent_kernel="kernel",
    projection="projection/kernel",
    peephole="w_*_diag",
    peephole_order=(Gate.FORGET, Gate.INPUT, Gate.OUTPUT),
    source="tensorflow/tensorflow@01788c9e: tensorflow/python/ops/rnn_cell_impl.py, classes BasicLSTMCell and LSTMCell",
    letters=MappingProxyType({Gate.INPUT: "i", Gate.FORGET: "f", Gate.CANDIDATE: "j", Gate.OUTPUT: "o"}),
    forget_bias_added=1.0,
    always_biases=True,
    sides=MappingProxyType({Direction.FORWARD: "fw/lstm_cell", Direction.BACKWARD: "bw/lstm_cell"}),
    both="bidirectional_rnn",  # tensorflow/python/ops/rnn.py, bidirectional_dynamic_rnn
)

TENSORFLOW1_LAYER = Described(
    convention=TENSORFLOW1,
    built="tf.nn.rnn_cell.LSTMCell",
    step=True,
    reads=("samples", "features"),
    returns=(
        Returned("output", ("samples", "hidden"), "h after this timestep"),
        Returned("state.c", ("samples", "units"), "c after this timestep"),
        Returned("state.h", ("samples", "hidden"), "h after this timestep, again"),
    ),
    states=("c", "h"),
    forget_bias=ForgetBias(1.0, "added when called"),
    starts=(("kernel", "as the variable scope says"), ("bias", "zeros")),
    known="read",
    several="MultiRNNCell, and a loop over time such as dynamic_rnn, or bidirectional_dynamic_rnn for both directions",
    aliases=("tf", "tf1", "tensorflow", "BasicLSTMCell", "tf.nn.rnn_cell"),
    remarks=(
        "The 1 of the forget gate is in no stored bias (forget_bias=1.0): whoever copies the bias elsewhere must add it.",
        "BasicLSTMCell has the same kernel and bias, and no peepholes and no projection.",
        "LSTMStateTuple is (c, h), and its docstring calls c the hidden state and h the output.",
    ),
)
