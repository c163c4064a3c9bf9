"""MLX's `mlx.nn.LSTM`: i f g o, neurons first, one bias; returns h and c of every timestep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.frameworks.convention import IFGO, Convention
from lstm_explain.frameworks.framework import ForgetBias, Framework, LayerInfo, LayerOutput
from lstm_explain.frameworks.python_code import ScriptTemplate, Statement, call_expression, string_tuple

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec


def _write_script(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    layer = call_expression("nn.LSTM", f"{spec.features}, {spec.units}", "" if spec.bias else "bias=False")
    start = [Statement('start = mx.array(saved["h_0"][0]), mx.array(saved["c_0"][0])')] if states else []
    return [
        Statement(f"lstm = {layer}"),
        Statement(f"names = {string_tuple(names)}"),
        Statement("lstm.load_weights([(name, mx.array(saved[name])) for name in names])"),
        *start,
        Statement(f'hidden, cell = lstm(mx.array(saved["x"]){", *start" if states else ""})', "both of every timestep"),
        Statement("output, h, c = hidden, hidden[None, :, -1], cell[None, :, -1]"),
    ]


MLX = Framework(
    convention=Convention(
        framework="mlx",
        title="MLX",
        gate_order=IFGO,
        output_major=True,
        biases=("bias",),
        kernel="Wx",
        recurrent_kernel="Wh",
        source="mlx/nn/layers/recurrent.py, class LSTM",
    ),
    info=LayerInfo(
        class_name="mlx.nn.LSTM",
        input_axes=("samples", "timesteps", "features"),
        alternative_layouts=(("without a batch", ("timesteps", "features")),),
        returns=(
            LayerOutput("hidden", ("samples", "timesteps", "hidden"), "h of every timestep"),
            LayerOutput(
                "cell", ("samples", "timesteps", "units"), "c of every timestep, which no other framework here returns"
            ),
        ),
        forget_bias=ForgetBias(None, "random"),
        initializers=(("all weights and the bias", "uniform in ±1/sqrt(units)"),),
        verification="run",
        stacking="a layer on a layer; both directions by hand, the second over the reversed sequence",
        aliases=("mlx.nn.LSTM",),
    ),
    script=ScriptTemplate(("import mlx.core as mx", "import mlx.nn as nn"), _write_script),
)
