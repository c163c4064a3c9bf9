"""MLX's `mlx.nn.LSTM`: i f g o, neurons first, one bias; returns h and c of every timestep."""

from __future__ import annotations

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import Described, ForgetBias, Returned

MLX = Convention(
    framework="mlx",
    title="MLX",
    gate_order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT),
    neurons_first=True,
    biases=("bias",),
    kernel="Wx",
    recurrent_kernel="Wh",
    projection=None,
    peephole=None,
    peephole_order=(),
    source="mlx/nn/layers/recurrent.py, class LSTM",
)

MLX_LAYER = Described(
    convention=MLX,
    built="mlx.nn.LSTM",
    step=False,
    reads=("samples", "timesteps", "features"),
    either=(("without a batch", ("timesteps", "features")),),
    returns=(
        Returned("hidden", ("samples", "timesteps", "hidden"), "h of every timestep"),
        Returned("cell", ("samples", "timesteps", "units"), "c of every timestep, which no other framework here returns"),
    ),
    states=("h", "c"),
    forget_bias=ForgetBias(None, "random"),
    starts=(("all weights and the bias", "uniform in ±1/sqrt(units)"),),
    known="run",
    several="a layer on a layer; both directions by hand, the second over the reversed sequence",
    aliases=("mlx.nn.LSTM",),
)
