"""Equinox's `equinox.nn.LSTMCell`: i f g o, neurons first, one bias, one sample at a time."""

from __future__ import annotations

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import ForgetBias, LayerInfo, LayerOutput

EQUINOX = Convention(
    framework="equinox",
    title="Equinox",
    gate_order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT),
    output_major=True,
    biases=("bias",),
    kernel="weight_ih",
    recurrent_kernel="weight_hh",
    projection=None,
    peephole=None,
    peephole_order=(),
    source="equinox/nn/_rnn.py, class LSTMCell",
)

EQUINOX_LAYER = LayerInfo(
    convention=EQUINOX,
    class_name="equinox.nn.LSTMCell",
    is_cell=True,
    input_axes=("features",),
    returns=(
        LayerOutput("state[0]", ("hidden",), "h after this timestep"),
        LayerOutput("state[1]", ("units",), "c after this timestep"),
    ),
    state_order=("h", "c"),
    forget_bias=ForgetBias(None, "random"),
    initializers=(("all weights and the bias", "uniform in ±1/sqrt(units)"),),
    verification="run",
    stacking="a cell for each; jax.lax.scan loops over time, and jax.vmap over samples",
    aliases=("eqx", "equinox.nn.LSTMCell"),
    remarks=("The names are those of PyTorch's cell, but there is one bias.",),
)
