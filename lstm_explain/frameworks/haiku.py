"""Haiku's `hk.LSTM`: one matrix for [x; h], i g f o, and 1 added to f when called."""

from __future__ import annotations

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.described import ForgetBias, LayerInfo, LayerOutput

HAIKU = Convention(
    framework="haiku",
    title="Haiku",
    gate_order=(Gate.INPUT, Gate.CANDIDATE, Gate.FORGET, Gate.OUTPUT),
    output_major=False,
    biases=("linear.b",),
    kernel="linear.w",
    recurrent_kernel="linear.w",
    projection=None,
    peephole=None,
    peephole_order=(),
    source="haiku/_src/recurrent.py, class LSTM",
    forget_bias_added=1.0,
    bias_required=True,
)

HAIKU_LAYER = LayerInfo(
    convention=HAIKU,
    class_name="haiku.LSTM",
    is_cell=True,
    input_axes=("samples", "features"),
    alternative_layouts=(("without a batch", ("features",)),),
    returns=(
        LayerOutput("output", ("samples", "hidden"), "h after this timestep"),
        LayerOutput("state.hidden", ("samples", "hidden"), "h after this timestep, again"),
        LayerOutput("state.cell", ("samples", "units"), "c after this timestep"),
    ),
    state_order=("h", "c"),
    forget_bias=ForgetBias(1.0, "added when called"),
    initializers=(("linear.w", "truncated normal, deviation 1/sqrt(features + units)"), ("linear.b", "zeros")),
    verification="run",
    stacking="haiku.DeepRNN; haiku.dynamic_unroll loops over (timesteps, samples, features); both directions by hand",
    aliases=("hk", "dm-haiku", "hk.LSTM"),
    remarks=(
        "The 1 of the forget gate is in no stored bias: whoever copies the bias elsewhere must add it.",
        "The order is not that of PyTorch: g comes second, and f third.",
    ),
)
