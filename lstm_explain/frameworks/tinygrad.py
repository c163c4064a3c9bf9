"""tinygrad's `tinygrad.nn.LSTMCell`: the names, order and two biases of PyTorch's cell."""

from __future__ import annotations

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import Described, ForgetBias, Returned

TINYGRAD = Convention(
    framework="tinygrad",
    title="tinygrad",
    gate_order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT),
    neurons_first=True,
    biases=("bias_ih", "bias_hh"),
    kernel="weight_ih",
    recurrent_kernel="weight_hh",
    projection=None,
    peephole=None,
    peephole_order=(),
    source="tinygrad/nn/__init__.py, class LSTMCell",
)

TINYGRAD_LAYER = Described(
    convention=TINYGRAD,
    built="tinygrad.nn.LSTMCell",
    step=True,
    reads=("samples", "features"),
    returns=(
        Returned("state[0]", ("samples", "hidden"), "h after this timestep"),
        Returned("state[1]", ("samples", "units"), "c after this timestep"),
    ),
    states=("h", "c"),
    forget_bias=ForgetBias(0.0, "stored"),
    starts=(("weights", "uniform in ±1/sqrt(units)"), ("biases", "zeros")),
    known="run",
    several="a cell for each, in a loop of your own",
    aliases=("tinygrad.nn.LSTMCell",),
)
