"""MLX's `mlx.nn.LSTM`: i f g o, neurons first, one bias; returns h and c of every timestep."""

from __future__ import annotations

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import ForgetBias, LayerInfo, LayerOutput

MLX = Convention(
    framework="mlx",
    title="MLX",
    gate_order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT),
    output_major=True,
    biases=("bias",),
    kernel="Wx",
    recurrent_kernel="Wh",
    projection=None,
    peephole=None,
    peephole_order=(),
    source="mlx/nn/layers/recurrent.py, class LSTM",
)

MLX_LAYER = LayerInfo(
    convention=MLX,
    class_name="mlx.nn.LSTM",
    is_cell=False,
    input_axes=("samples", "timesteps", "features"),
    alternative_layouts=(("without a batch", ("timesteps", "features")),),
    returns=(
        LayerOutput("hidden", ("samples", "timesteps", "hidden"), "h of every timestep"),
        LayerOutput("cell", ("samples", "timesteps", "units"), "c of every timestep, which no other framework here returns"),
    ),
    state_order=("h", "c"),
    forget_bias=ForgetBias(None, "random"),
    initializers=(("all weights and the bias", "uniform in ±1/sqrt(units)"),),
    verification="run",
    stacking="a layer on a layer; both directions by hand, the second over the reversed sequence",
    aliases=("mlx.nn.LSTM",),
)
