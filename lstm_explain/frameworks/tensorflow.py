"""TensorFlow 1's `BasicLSTMCell` and `LSTMCell`: one kernel for [x; h], i j f o (j is our g), 1 added to f when called; and
TensorFlow Lite's full LSTM kernel: an array for each gate, neurons first, with peepholes and projection."""

from __future__ import annotations

from types import MappingProxyType

from lstm_explain.core.gates import Direction, Gate
from lstm_explain.frameworks.convention import IFGO, Convention, name_gates
from lstm_explain.frameworks.framework import GIVEN_WEIGHTS, ForgetBias, Framework, LayerInfo, LayerOutput

TENSORFLOW1 = Framework(
    convention=Convention(
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
        gate_names=name_gates("i", "f", "j", "o"),
        forget_bias_added=1.0,
        bias_required=True,
        direction_prefixes=MappingProxyType({Direction.FORWARD: "fw/lstm_cell", Direction.BACKWARD: "bw/lstm_cell"}),
        bidirectional_prefix="bidirectional_rnn",  # tensorflow/python/ops/rnn.py, bidirectional_dynamic_rnn
    ),
    info=LayerInfo(
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
        stacking="MultiRNNCell, and a loop over time such as dynamic_rnn, or bidirectional_dynamic_rnn for both directions",
        aliases=("tf1", "BasicLSTMCell", "tf.nn.rnn_cell"),
        remarks=(
            "The forget gate adds forget_bias=1.0, which is not in the stored bias: add it when you copy the bias elsewhere.",
            "BasicLSTMCell has the same kernel and bias, and no peepholes and no projection.",
            "LSTMStateTuple is (c, h), and its docstring calls c the hidden state and h the output.",
        ),
    ),
)

TFLITE = Framework(
    convention=Convention(
        framework="tflite",
        title="TensorFlow Lite",
        gate_order=IFGO,
        output_major=True,
        biases=("*_gate_bias",),
        kernel="input_to_*_weights",
        recurrent_kernel="recurrent_to_*_weights",
        projection="projection_weights",
        peephole="cell_to_*_weights",
        peephole_order=(Gate.INPUT, Gate.FORGET, Gate.OUTPUT),
        source="tensorflow/tensorflow@2eb0e759: tensorflow/lite/kernels/lstm_shared.h",
        gate_names=name_gates("input", "forget", "cell", "output"),
        bias_required=True,
    ),
    info=LayerInfo(
        class_name="LSTM, a kernel of TensorFlow Lite (24 inputs)",
        is_cell=True,
        input_axes=("samples", "features"),
        returns=(
            LayerOutput(
                "output", ("samples", "hidden"), "h after this timestep; h and c are variables that the kernel changes"
            ),
        ),
        forget_bias=ForgetBias(None, "given"),
        initializers=(("all weights and biases", GIVEN_WEIGHTS),),
        stacking="a kernel for each; others read whole sequences, in one direction or both",
        aliases=("lite", "tensorflow-lite", "litert"),
        remarks=(
            "The input gate's arrays may be left out: the input gate is then 1 - f.",
            "The kernel knows its inputs by number: the input's weights are 1 to 4, the recurrent ones 5 to 8, the peepholes "
            "9 to 11, the biases 12 to 15 and the projection 16.",
        ),
    ),
)
