"""tinygrad's `tinygrad.nn.LSTMCell`: the names, order and two biases of PyTorch's cell."""

from __future__ import annotations

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import ForgetBias, LayerInfo, LayerOutput

TINYGRAD = Convention(
    framework="tinygrad",
    title="tinygrad",
    gate_order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT),
    output_major=True,
    biases=("bias_ih", "bias_hh"),
    kernel="weight_ih",
    recurrent_kernel="weight_hh",
    projection=None,
    peephole=None,
    peephole_order=(),
    source="tinygrad/nn/__init__.py, class LSTMCell",
)

TINYGRAD_LAYER = LayerInfo(
    convention=TINYGRAD,
    class_name="tinygrad.nn.LSTMCell",
    is_cell=True,
    input_axes=("samples", "features"),
    returns=(
        LayerOutput("state[0]", ("samples", "hidden"), "h after this timestep"),
        LayerOutput("state[1]", ("samples", "units"), "c after this timestep"),
    ),
    state_order=("h", "c"),
    forget_bias=ForgetBias(0.0, "stored"),
    initializers=(("weights", "uniform in ±1/sqrt(units)"), ("biases", "zeros")),
    verification="run",
    stacking="a cell for each, in a loop of your own",
    aliases=("tinygrad.nn.LSTMCell",),
)
