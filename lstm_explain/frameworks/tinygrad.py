"""tinygrad's `tinygrad.nn.LSTMCell`: the names, order and two biases of PyTorch's cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.frameworks.convention import IFGO, Convention
from lstm_explain.frameworks.framework import ForgetBias, Framework, LayerInfo, LayerOutput
from lstm_explain.frameworks.python_code import INDENT, ScriptTemplate, Statement, call_expression

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec


def _write_script(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    cell = call_expression("LSTMCell", f"{spec.features}, {spec.units}", "" if spec.bias else "bias=False")
    return [
        Statement(f"cell = {cell}"),
        *(Statement(f'cell.{name} = Tensor(saved["{name}"])') for name in names),
        Statement('x, states, outputs = Tensor(saved["x"]), None, []'),
        *([Statement('states = Tensor(saved["h_0"][0]), Tensor(saved["c_0"][0])')] if states else []),
        Statement("for t in range(x.shape[1]):"),
        Statement(f"{INDENT}states = cell(x[:, t], states)", "h, c"),
        Statement(f"{INDENT}outputs.append(states[0])"),
        Statement("output = Tensor.stack(*outputs, dim=1).numpy()"),
        Statement("h, c = states[0].numpy()[None], states[1].numpy()[None]"),
    ]


TINYGRAD = Framework(
    convention=Convention(
        framework="tinygrad",
        title="tinygrad",
        gate_order=IFGO,
        output_major=True,
        biases=("bias_ih", "bias_hh"),
        kernel="weight_ih",
        recurrent_kernel="weight_hh",
        source="tinygrad/nn/__init__.py, class LSTMCell",
    ),
    info=LayerInfo(
        class_name="tinygrad.nn.LSTMCell",
        is_cell=True,
        input_axes=("samples", "features"),
        returns=(
            LayerOutput("state[0]", ("samples", "hidden"), "h after this timestep"),
            LayerOutput("state[1]", ("samples", "units"), "c after this timestep"),
        ),
        forget_bias=ForgetBias(0.0, "stored"),
        initializers=(("weights", "uniform in ±1/sqrt(units)"), ("biases", "zeros")),
        verification="run",
        stacking="a cell for each layer and direction, in your loop over time",
        aliases=("tinygrad.nn.LSTMCell",),
    ),
    script=ScriptTemplate(("from tinygrad import Tensor", "from tinygrad.nn import LSTMCell"), _write_script),
)
