"""Flax: `linen.LSTMCell` and `nnx.LSTMCell`, an array for each gate; `nnx.OptimizedLSTMCell`, i f g o; carry (c, h)."""

from __future__ import annotations

from types import MappingProxyType

from lstm_explain.core.gates import Direction, Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import ForgetBias, LayerInfo, LayerOutput

FLAX_LINEN = Convention(
    framework="flax-linen",
    title="Flax linen",
    gate_order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT),
    output_major=False,
    biases=("h*.bias",),
    kernel="i*.kernel",
    recurrent_kernel="h*.kernel",
    projection=None,
    peephole=None,
    peephole_order=(),
    source="flax/linen/recurrent.py, class LSTMCell",
    gate_names=MappingProxyType({Gate.INPUT: "i", Gate.FORGET: "f", Gate.CANDIDATE: "g", Gate.OUTPUT: "o"}),
    bias_required=True,
    direction_prefixes=MappingProxyType(
        {way: f"{way}_rnn/cell" for way in Direction}
    ),  # as linen.Bidirectional and nnx's have it
)

FLAX_NNX = FLAX_LINEN._replace(
    framework="flax-nnx",
    title="Flax nnx",
    source="flax/nnx/nn/recurrent.py, class LSTMCell",
    name_overrides=MappingProxyType({"if.kernel": "if_.kernel"}),
)

FLAX_NNX_OPTIMIZED = FLAX_LINEN._replace(
    framework="flax-nnx-optimized",
    title="Flax nnx optimized",
    biases=("dense_h.bias",),
    kernel="dense_i.kernel",
    recurrent_kernel="dense_h.kernel",
    source="flax/nnx/nn/recurrent.py, class OptimizedLSTMCell",
    gate_names=MappingProxyType({}),
)

FLAX_LINEN_LAYER = LayerInfo(
    convention=FLAX_LINEN,
    class_name="flax.linen.LSTMCell",
    is_cell=True,
    input_axes=("samples", "features"),
    returns=(
        LayerOutput("carry[0]", ("samples", "units"), "c after this timestep"),
        LayerOutput("carry[1]", ("samples", "hidden"), "h after this timestep"),
        LayerOutput("output", ("samples", "hidden"), "h after this timestep, again"),
    ),
    state_order=("c", "h"),
    forget_bias=ForgetBias(0.0, "stored"),
    initializers=(("i* kernels", "LeCun normal"), ("h* kernels", "orthogonal, each gate by itself"), ("biases", "zeros")),
    verification="run",
    stacking="linen.RNN(cell) loops over (samples, timesteps, features); linen.Bidirectional joins two of these",
    aliases=("flax", "linen", "flax.linen.LSTMCell"),
    remarks=(
        "The biases belong to the h* layers; the i* layers have none.",
        "linen.OptimizedLSTMCell multiplies once for all gates, and has the same arrays under the same names.",
    ),
)

FLAX_NNX_LAYER = FLAX_LINEN_LAYER._replace(
    convention=FLAX_NNX,
    class_name="flax.nnx.LSTMCell",
    stacking="nnx.RNN(cell) loops over (samples, timesteps, features); nnx.Bidirectional joins two of these",
    aliases=("nnx", "flax.nnx.LSTMCell"),
    remarks=("`if` is a word of Python, so that the forget gate's kernel for x is if_ here, and if in linen.",),
)

FLAX_NNX_OPTIMIZED_LAYER = FLAX_NNX_LAYER._replace(
    convention=FLAX_NNX_OPTIMIZED,
    class_name="flax.nnx.OptimizedLSTMCell",
    initializers=(
        ("dense_i.kernel", "LeCun normal"),
        ("dense_h.kernel", "orthogonal, all gates as one"),
        ("dense_h.bias", "zeros"),
    ),
    aliases=("nnx-optimized", "OptimizedLSTMCell", "flax.nnx.OptimizedLSTMCell"),
    remarks=("Its docstring says that its parameters are compatible with LSTMCell; names and shapes are others.",),
)
