"""Haiku's `hk.LSTM`: one matrix for [x; h], i g f o, and 1 added to f when called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention
from lstm_explain.frameworks.framework import ForgetBias, Framework, LayerInfo, LayerOutput
from lstm_explain.frameworks.python_code import BLANK_LINES, INDENT, ScriptTemplate, Statement

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec


def _write_script(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    """A core in `hk.dynamic_unroll`, which loops over the first axis: time."""
    start = 'hk.LSTMState(saved["h_0"][0], saved["c_0"][0])' if states else "core.initial_state(x.shape[1])"
    params = ", ".join(f'"{name.partition(".")[2]}": saved["{name}"]' for name in names)
    return [
        Statement(""),
        Statement("def run(x):"),
        Statement(f"{INDENT}core = hk.LSTM({spec.units})"),
        Statement(f"{INDENT}start = {start}"),
        Statement(f"{INDENT}return hk.dynamic_unroll(core, x, start)"),
        *BLANK_LINES,
        Statement(f'params = {{"lstm/linear": {{{params}}}}}'),
        Statement("# Timesteps come first."),
        Statement('x = saved["x"].transpose(1, 0, 2)'),
        Statement("output, state = hk.without_apply_rng(hk.transform(run)).apply(params, x)"),
        Statement("output = output.transpose(1, 0, 2)"),
        Statement("h, c = state.hidden[None], state.cell[None]"),
    ]


HAIKU = Framework(
    convention=Convention(
        framework="haiku",
        title="Haiku",
        gate_order=(Gate.INPUT, Gate.CANDIDATE, Gate.FORGET, Gate.OUTPUT),
        output_major=False,
        biases=("linear.b",),
        kernel="linear.w",
        recurrent_kernel="linear.w",
        source="haiku/_src/recurrent.py, class LSTM",
        forget_bias_added=1.0,
        bias_required=True,
    ),
    info=LayerInfo(
        class_name="haiku.LSTM",
        is_cell=True,
        input_axes=("samples", "features"),
        alternative_layouts=(("without a batch", ("features",)),),
        returns=(
            LayerOutput("output", ("samples", "hidden"), "h after this timestep"),
            LayerOutput("state.hidden", ("samples", "hidden"), "h after this timestep, again"),
            LayerOutput("state.cell", ("samples", "units"), "c after this timestep"),
        ),
        forget_bias=ForgetBias(1.0, "added when called"),
        initializers=(("linear.w", "truncated normal, deviation 1/sqrt(features + units)"), ("linear.b", "zeros")),
        verification="run",
        stacking="haiku.DeepRNN; haiku.dynamic_unroll loops over (timesteps, samples, features); both directions by hand",
        aliases=("hk", "dm-haiku", "hk.LSTM"),
        remarks=(
            "The forget gate adds 1, which is not in the stored bias: add it when you copy the bias elsewhere.",
            "The order is not that of PyTorch: g comes second, and f third.",
        ),
    ),
    script=ScriptTemplate(("import haiku as hk",), _write_script),
)
