"""Programs in frameworks: each builds a layer of ours, loads the weights beside it, runs the same input, and compares.

The oracle tests execute them as they are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.frameworks import programs_in_jax as jax
from lstm_explain.frameworks.python_code import INDENT, Statement, format_statements, shape_literal, string_tuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.spec import Dtype, Spec

FLOAT32: tuple[Dtype, ...] = ("float32",)
BOTH: tuple[Dtype, ...] = ("float32", "float64")
STARTS = "start"
"""How the names of the states begin that layers start from which differ; behind it the layer's number."""


class ScriptTemplate(NamedTuple):
    """How programs in one framework are written, and for which LSTMs."""

    imports: tuple[str, ...]
    body: Callable[[Spec, tuple[str, ...], bool], list[Statement]]
    """(spec, the names of the weights in the file, whether it starts from `h_0` and `c_0` in the file) -> statements that
    make `output`, `h` and `c` of `saved`."""
    layers: bool = False
    directions: bool = False
    peepholes: bool = False
    dtypes: tuple[Dtype, ...] = FLOAT32

    @property
    def modules(self) -> set[str]:
        """The packages that it imports: a file of such a name would import itself."""
        return {line.split()[1].partition(".")[0] for line in ("from pathlib", "import numpy", *self.imports)}

    def lines(self, spec: Spec, names: tuple[str, ...], tolerance: float, states: bool = False) -> tuple[str, ...]:
        """The whole program; `states`: it starts from the model's own."""
        opening = ["from pathlib import Path", "", *sorted(["import numpy as np", *self.imports], key=_plain_first), ""]
        saved = ['saved = np.load(Path(__file__).with_suffix(".npz"))', ""]
        body = format_statements(self.body(spec, names, states))
        return (*opening, *saved, *body, "", *_comparison(tolerance))


def _plain_first(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line


def _comparison(tolerance: float) -> list[str]:
    return [
        'for name, made in {"output": output, "h": h, "c": c}.items():',
        f"{INDENT}made, ours = np.asarray(made), saved[name]",
        f"{INDENT}np.testing.assert_allclose(made, ours, rtol=0, atol={tolerance:g}, strict=True)",
        f"{INDENT}apart = np.abs(made - ours).max()",
        f'{INDENT}print(f"{{name}} {{made.shape}}: at most {{apart:.0e}} apart")',
    ]


def _options(*options: str) -> str:
    return "".join(f", {option}" for option in options if option)


# --- PyTorch ----------------------------------------------------------------------------------------------------------


def _torch_dtype(spec: Spec) -> str:
    return "" if spec.dtype == "float32" else f"dtype=torch.{spec.dtype}"


def _loaded(what: str) -> Statement:
    return Statement(f"{what}.load_state_dict({{name: torch.tensor(saved[name]) for name in {what}.state_dict()}})")


def _pytorch(spec: Spec, _: tuple[str, ...], states: bool) -> list[Statement]:
    options = _options(
        f"num_layers={spec.layers}" if spec.layers > 1 else "",
        "bidirectional=True" if spec.bidirectional else "",
        f"proj_size={spec.projection}" if spec.projection else "",
        "" if spec.bias else "bias=False",
        "batch_first=True",
        _torch_dtype(spec),
    )
    return [
        Statement(f"lstm = torch.nn.LSTM({spec.features}, {spec.units}{options})"),
        _loaded("lstm"),
        *([Statement('start = torch.tensor(saved["h_0"]), torch.tensor(saved["c_0"])')] if states else []),
        Statement("with torch.no_grad():"),
        Statement(f'{INDENT}output, (h, c) = lstm(torch.tensor(saved["x"]){", start" if states else ""})'),
    ]


def _pytorch_cell(spec: Spec, _: tuple[str, ...], states: bool) -> list[Statement]:
    options = _options("" if spec.bias else "bias=False", _torch_dtype(spec))
    return [
        Statement(f"cell = torch.nn.LSTMCell({spec.features}, {spec.units}{options})"),
        _loaded("cell"),
        Statement('x, states, outputs = torch.tensor(saved["x"]), None, []'),
        *([Statement('states = torch.tensor(saved["h_0"][0]), torch.tensor(saved["c_0"][0])')] if states else []),
        Statement("with torch.no_grad():"),
        Statement(f"{INDENT}for t in range(x.shape[1]):"),
        Statement(f"{INDENT * 2}states = cell(x[:, t], states)", "h, c"),
        Statement(f"{INDENT * 2}outputs.append(states[0])"),
        Statement("output, h, c = torch.stack(outputs, dim=1), states[0][None], states[1][None]"),
    ]


# --- Keras ------------------------------------------------------------------------------------------------------------


def _keras(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    if spec.stack:
        return _keras_unlike(spec, states)
    layer, given = _keras_layer(spec), ", initial_state=start" if states else ""
    if len(names) <= 3:
        weights = ", ".join(f'saved["{name}"]' for name in names)
        return [
            Statement(f"layer = {layer}"),
            Statement(f"layer.build({_read(spec)})"),
            Statement(f"layer.set_weights([{weights}])"),
            *([Statement('start = [saved["h_0"][0], saved["c_0"][0]]')] if states else []),
            Statement(f'output, h, c = layer(saved["x"]{given})'),
            Statement("h, c = np.asarray(h)[None], np.asarray(c)[None]"),
        ]
    return [
        Statement('output, states = saved["x"], []'),
        Statement(f"for number in range({spec.layers}):"),
        Statement(f"{INDENT}layer = {layer}"),
        *_keras_loaded(),
        *(_keras_start(len(spec.directions)) if states else []),
        *_keras_called(given),
        Statement("h, c = np.stack(states[0::2]), np.stack(states[1::2])"),
    ]


def _keras_unlike(spec: Spec, states: bool) -> list[Statement]:
    """Layers that differ, one upon another; their states side by side."""
    start = [
        Statement(f'{INDENT}own = f"{STARTS}{{number}}."'),
        Statement(f"{INDENT}start = [saved[name] for name in names if name.startswith(own)]"),
    ]
    return [
        Statement("layers = ["),
        *(Statement(f"{INDENT}{_keras_layer(spec.at(layer))},") for layer in range(spec.layers)),
        Statement("]"),
        Statement('output, states = saved["x"], []'),
        Statement("for number, layer in enumerate(layers):"),
        *_keras_loaded(),
        *(start if states else []),
        *_keras_called(", initial_state=start" if states else ""),
        Statement("h, c = (np.concatenate(states[place::2], axis=1) for place in (0, 1))"),
    ]


def _keras_layer(spec: Spec) -> str:
    options = _options("return_sequences=True", "return_state=True", "" if spec.bias else "use_bias=False")
    layer = f"keras.layers.LSTM({spec.units}{options})"
    return f"keras.layers.Bidirectional({layer})" if spec.bidirectional else layer


def _keras_loaded() -> list[Statement]:
    return [
        Statement(f"{INDENT}layer.build(output.shape)"),
        Statement(f'{INDENT}names, own = saved.files, f"layer{{number}}."'),
        Statement(f"{INDENT}weights = [saved[name] for name in names if name.startswith(own)]"),
        Statement(f"{INDENT}layer.set_weights(weights)"),
    ]


def _keras_called(given: str) -> list[Statement]:
    return [
        Statement(f"{INDENT}output, *made = layer(output{given})"),
        Statement(f"{INDENT}states += [np.asarray(state) for state in made]"),
    ]


def _keras_start(ways: int) -> list[Statement]:
    """h and c of one direction, then of the other."""
    return [
        Statement(f"{INDENT}places = range(number * {ways}, (number + 1) * {ways})"),
        Statement(f'{INDENT}start = [saved[one][place] for place in places for one in ("h_0", "c_0")]'),
    ]


def _read(spec: Spec) -> str:
    return shape_literal("None", spec.timesteps, spec.features)


# --- ONNX -------------------------------------------------------------------------------------------------------------


def _onnx(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    start = ["initial_h", "initial_c"] if states else ["", ""]
    order = ["X", "W", "R", "B" if "B" in names else "", "", *start, "P" if "P" in names else ""]
    while not order[-1]:
        order.pop()
    options = [
        "inputs",
        "outputs",
        f"hidden_size={spec.units}",
        *(['direction="bidirectional"'] if spec.bidirectional else []),
    ]
    return [
        Statement("# Timesteps come first."),
        Statement('x = saved["x"].transpose(1, 0, 2)'),
        Statement(f"inputs = {string_tuple(order)}"),
        Statement(f"outputs = {string_tuple(('Y', 'Y_h', 'Y_c'))}"),
        Statement(f'node = helper.make_node("LSTM", {", ".join(options)})'),
        Statement(f"names, array = {string_tuple(names)}, numpy_helper.from_array"),
        Statement("weights = [array(saved[name], name) for name in names]"),
        *([Statement('weights += [array(saved["h_0"], "initial_h"), array(saved["c_0"], "initial_c")]')] if states else []),
        Statement("tensor, kind = helper.make_tensor_value_info, TensorProto.FLOAT"),
        Statement('reads = [tensor("X", kind, x.shape)]'),
        Statement("makes = [tensor(name, kind, None) for name in outputs]"),
        Statement('graph = helper.make_graph([node], "lstm", reads, makes, weights)'),
        Statement('opset = helper.make_opsetid("", 22)'),
        Statement("model = helper.make_model(graph, opset_imports=[opset], ir_version=10)"),
        Statement('options = {"providers": ["CPUExecutionProvider"]}'),
        Statement("session = onnxruntime.InferenceSession(model.SerializeToString(), **options)"),
        Statement('y, h, c = session.run(None, {"X": x})'),
        Statement("# y has timesteps, directions, samples, units; we join the directions."),
        Statement("output = y.transpose(2, 0, 1, 3).reshape(y.shape[2], y.shape[0], -1)"),
    ]


# --- MLX and tinygrad -------------------------------------------------------------------------------------------------


def _mlx(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    options = "" if spec.bias else ", bias=False"
    return [
        Statement(f"lstm = nn.LSTM({spec.features}, {spec.units}{options})"),
        Statement(f"names = {string_tuple(names)}"),
        Statement("lstm.load_weights([(name, mx.array(saved[name])) for name in names])"),
        *([Statement('start = mx.array(saved["h_0"][0]), mx.array(saved["c_0"][0])')] if states else []),
        Statement(f'hidden, cell = lstm(mx.array(saved["x"]){", *start" if states else ""})', "both of every timestep"),
        Statement("output, h, c = hidden, hidden[None, :, -1], cell[None, :, -1]"),
    ]


def _tinygrad(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    options = "" if spec.bias else ", bias=False"
    return [
        Statement(f"cell = LSTMCell({spec.features}, {spec.units}{options})"),
        *(Statement(f'cell.{name} = Tensor(saved["{name}"])') for name in names),
        Statement('x, states, outputs = Tensor(saved["x"]), None, []'),
        *([Statement('states = Tensor(saved["h_0"][0]), Tensor(saved["c_0"][0])')] if states else []),
        Statement("for t in range(x.shape[1]):"),
        Statement(f"{INDENT}states = cell(x[:, t], states)", "h, c"),
        Statement(f"{INDENT}outputs.append(states[0])"),
        Statement("output = Tensor.stack(*outputs, dim=1).numpy()"),
        Statement("h, c = states[0].numpy()[None], states[1].numpy()[None]"),
    ]


PROGRAMS = {
    "keras": ScriptTemplate(("import keras",), _keras, layers=True, directions=True),
    "pytorch": ScriptTemplate(("import torch",), _pytorch, layers=True, directions=True, dtypes=BOTH),
    "pytorch-cell": ScriptTemplate(("import torch",), _pytorch_cell, dtypes=BOTH),
    "onnx": ScriptTemplate(
        ("import onnxruntime", "from onnx import TensorProto, helper, numpy_helper"),
        _onnx,
        directions=True,
        peepholes=True,  # in float32 alone: ONNX Runtime's LSTM takes no double
    ),
    "flax-linen": ScriptTemplate(("from flax import linen",), jax.linen),
    "flax-nnx": ScriptTemplate(("from flax import nnx",), jax.nnx),
    "flax-nnx-optimized": ScriptTemplate(("from flax import nnx",), jax.nnx_optimized),
    "equinox": ScriptTemplate(("import equinox as eqx", "import jax", "import jax.numpy as jnp"), jax.equinox),
    "haiku": ScriptTemplate(("import haiku as hk",), jax.haiku),
    "mlx": ScriptTemplate(("import mlx.core as mx", "import mlx.nn as nn"), _mlx),
    "tinygrad": ScriptTemplate(("from tinygrad import Tensor", "from tinygrad.nn import LSTMCell"), _tinygrad),
}
"""A framework that is not here is not run."""
