"""Equinox's `equinox.nn.LSTMCell`: i f g o, neurons first, one bias, one sample at a time."""

from __future__ import annotations

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import Described, ForgetBias, Returned

EQUINOX = Convention(
    framework="equinox",
    title="Equinox",
    gate_order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT),
    neurons_first=True,
    biases=("bias",),
    kernel="weight_ih",
    recurrent_kernel="weight_hh",
    projection=None,
    peephole=None,
    peephole_order=(),
    source="equinox/nn/_rnn.py, class LSTMCell",
)

EQUINOX_LAYER = Described(
    convention=EQUINOX,
    built="equinox.nn.LSTMCell",
    step=True,
    reads=("features",),
    returns=(
        Returned("state[0]", ("hidden",), "h after this timestep"),
        Returned("state[1]", ("units",), "c after this timestep"),
    ),
    states=("h", "c"),
    forget_bias=ForgetBias(None, "random"),
    starts=(("all weights and the bias", "uniform in ±1/sqrt(units)"),),
    known="run",
    several="a cell for each; jax.lax.scan loops over time, and jax.vmap over samples",
    aliases=("eqx", "equinox.nn.LSTMCell"),
    remarks=("The names are those of PyTorch's cell, but there is one bias.",),
)
