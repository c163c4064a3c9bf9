"""Each framework that is said to be run: its layer has the names and shapes that are told, and its program agrees."""

from __future__ import annotations

import os
import runpy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.core.engine import StackState
from lstm_explain.core.gates import Direction, Gate
from lstm_explain.core.lstm import PretrainedWeights
from lstm_explain.frameworks.layout import tensor_layouts
from lstm_explain.frameworks.registry import FRAMEWORKS, SCRIPTS
from lstm_explain.library import seeded
from lstm_explain.render.numpy_files import write_arrays
from lstm_explain.topics.frameworks import explain_frameworks
from tests.helpers.mixed_stacks import MIXED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lstm_explain.core.axes import Array

os.environ.setdefault("DEV", "PYTHON")  # tinygrad's compiled devices need a compiler, which not every machine has

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]

PACKAGES = {
    "keras": ("jax", "keras"),
    "pytorch": ("torch",),
    "pytorch-cell": ("torch",),
    "onnx": ("onnx.helper", "onnxruntime"),
    "flax-linen": ("flax.linen",),
    "flax-nnx": ("flax.nnx",),
    "flax-nnx-optimized": ("flax.nnx",),
    "equinox": ("equinox",),
    "haiku": ("haiku",),
    "mlx": ("mlx.nn",),
    "tinygrad": ("tinygrad.nn",),
}
FEATURES, UNITS = 3, 4


def program_in(folder: Path, name: str, **options: Any) -> Path:
    """The program and its arrays, written as the command line writes them."""
    fixed = {"samples": 5, "timesteps": 6, "features": FEATURES, "units": UNITS, "init": "pytorch", "seed": 3}
    states = options.pop("states", False)
    lstm = seeded(**{**fixed, **options})
    if states:
        spec = lstm.spec
        layers, drawn = [spec.for_layer(layer) for layer, _ in spec.layer_directions], np.random.default_rng(3)
        sizes = [one.hidden for one in layers], [one.units for one in layers]
        start = StackState(*(tuple(drawn.normal(size=(1, size)).astype(spec.dtype) for size in both) for both in sizes))
        lstm = replace(lstm, pretrained=PretrainedWeights(lstm.weights, {"kind": "model"}, start))
    program = explain_frameworks(lstm, name, code=True).program
    assert program is not None
    path = folder / "program.py"
    path.write_text(program.text, "utf-8")
    with path.with_suffix(".npz").open("wb") as file:
        write_arrays(program.arrays, file)
    return path


@pytest.fixture
def run(framework: Callable[[str], Any], tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def run(name: str, **options: Any) -> dict[str, Any]:
        for package in PACKAGES[name]:
            framework(package)
        return runpy.run_path(str(program_in(tmp_path, name, **options)))

    return run


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("bias", [True, False])
def test_the_program_runs_and_agrees(run: Any, name: str, bias: bool, capsys: pytest.CaptureFixture[str]) -> None:
    made = run(name, bias=bias)
    assert np.shape(made["output"]) == (5, 6, UNITS)
    told = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in told] == [f"output (5, 6, {UNITS})", f"h (1, 5, {UNITS})", f"c (1, 5, {UNITS})"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("pytorch", {"layers": 3, "bidirectional": True, "projection": 2, "dtype": "float64"}),
        ("pytorch", {"layers": 2, "bias": False}),
        ("pytorch-cell", {"dtype": "float64"}),
        ("keras", {"layers": 2, "bidirectional": True}),
        ("keras", {"layers": 3, "bias": False}),
        ("keras", {"bidirectional": True, "bias": False}),
        ("onnx", {"bidirectional": True, "peepholes": True}),
        ("onnx", {"peepholes": True, "bias": False}),
        ("onnx", {"bidirectional": True, "bias": False}),
        ("keras", {"stack": MIXED}),
        ("keras", {"stack": MIXED, "states": True}),
    ],
    ids=str,
)
def test_the_program_of_larger_layers_agrees(run: Any, name: str, options: dict[str, Any]) -> None:
    run(name, **options)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_program_starts_from_the_models_own_states(run: Any, name: str) -> None:
    assert run(name, states=True)["saved"]["h_0"].shape == (1, 5, UNITS)
    writer = SCRIPTS[name]
    if writer.supports_layers or writer.supports_directions:
        run(name, states=True, bidirectional=True, **({"layers": 2} if writer.supports_layers else {}))


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_program_fails_where_weights_are_others(framework: Callable[[str], Any], name: str, tmp_path: Path) -> None:
    """Two gates exchanged, as a wrong order would have it."""
    for package in PACKAGES[name]:
        framework(package)
    path = program_in(tmp_path, name)
    layer = FRAMEWORKS[name]
    saved = dict(np.load(path.with_suffix(".npz")))
    swapped = layer.convention._replace(gate_order=(Gate.FORGET, Gate.INPUT, Gate.CANDIDATE, Gate.OUTPUT))
    if swapped.gate_names:
        swapped = layer.convention._replace(gate_names={**layer.convention.gate_names, Gate.INPUT: "f", Gate.FORGET: "i"})
        swapped = swapped._replace(name_overrides={"if.kernel": "if_.kernel"} if layer.convention.name_overrides else {})
    lstm = seeded(samples=5, timesteps=6, features=FEATURES, units=UNITS, init="pytorch", seed=3)
    wrong = swapped.pack(lstm.weights.of(0, Direction.FORWARD))
    if name == "onnx":
        wrong = {"W": wrong["W"][None], "R": wrong["R"][None], "B": np.concatenate([wrong["Wb"], wrong["Rb"]])[None]}
    if name == "pytorch":
        wrong = {f"{key}_l0": array for key, array in wrong.items()}
    assert set(wrong) <= set(saved)
    with path.with_suffix(".npz").open("wb") as file:
        write_arrays({**saved, **wrong}, file)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        runpy.run_path(str(path))


# --- names, shapes and the start --------------------------------------------------------------------------------------


def of_keras() -> dict[str, Array]:
    import keras

    layer = keras.layers.LSTM(UNITS)
    layer.build((None, 6, FEATURES))
    return {one.path.split("/")[-1]: np.asarray(one) for one in layer.weights}


def of_pytorch() -> dict[str, Array]:
    import torch

    return {name: one.detach().numpy() for name, one in torch.nn.LSTM(FEATURES, UNITS).state_dict().items()}


def of_pytorch_cell() -> dict[str, Array]:
    import torch

    return {name: one.detach().numpy() for name, one in torch.nn.LSTMCell(FEATURES, UNITS).state_dict().items()}


def flat(nested: Any) -> dict[str, Array]:
    return {f"{module}.{kind}": np.asarray(one) for module, own in nested.items() for kind, one in own.items()}


def of_flax_linen() -> dict[str, Array]:
    import jax
    from flax import linen

    zero = np.zeros((1, UNITS), "float32")
    cell = linen.LSTMCell(UNITS)
    return flat(cell.init(jax.random.key(0), (zero, zero), np.zeros((1, FEATURES), "float32"))["params"])


def of_flax_nnx(kind: str = "LSTMCell") -> dict[str, Array]:
    from flax import nnx

    cell = getattr(nnx, kind)(FEATURES, UNITS, rngs=nnx.Rngs(0))
    return flat(nnx.to_pure_dict(nnx.state(cell, nnx.Param)))


def of_flax_nnx_optimized() -> dict[str, Array]:
    return of_flax_nnx("OptimizedLSTMCell")


def of_equinox() -> dict[str, Array]:
    import equinox
    import jax

    cell = equinox.nn.LSTMCell(FEATURES, UNITS, key=jax.random.key(0))
    return {name: np.asarray(getattr(cell, name)) for name in ("weight_ih", "weight_hh", "bias")}


def of_haiku() -> dict[str, Array]:
    import haiku
    import jax

    def step(x: Any) -> Any:
        core = haiku.LSTM(UNITS)
        return core(x, core.initial_state(1))

    params = haiku.transform(step).init(jax.random.key(0), np.zeros((1, FEATURES), "float32"))
    return {f"{module.split('/')[-1]}.{kind}": np.asarray(one) for module, own in params.items() for kind, one in own.items()}


def of_mlx() -> dict[str, Array]:
    import mlx.nn

    return {name: np.asarray(one) for name, one in mlx.nn.LSTM(FEATURES, UNITS).parameters().items()}


def of_tinygrad() -> dict[str, Array]:
    from tinygrad.nn import LSTMCell
    from tinygrad.nn.state import get_state_dict

    return {name: one.numpy() for name, one in get_state_dict(LSTMCell(FEATURES, UNITS)).items()}


THEIRS = {
    "keras": of_keras,
    "pytorch": of_pytorch,
    "pytorch-cell": of_pytorch_cell,
    "flax-linen": of_flax_linen,
    "flax-nnx": of_flax_nnx,
    "flax-nnx-optimized": of_flax_nnx_optimized,
    "equinox": of_equinox,
    "haiku": of_haiku,
    "mlx": of_mlx,
    "tinygrad": of_tinygrad,
}
"""A new layer's weights by name; the operator of ONNX makes none."""


@pytest.mark.parametrize("name", THEIRS)
def test_names_shapes_count_and_forget_bias_are_theirs(framework: Callable[[str], Any], name: str) -> None:
    for package in PACKAGES[name]:
        framework(package)
    theirs, layer = THEIRS[name](), FRAMEWORKS[name]
    spec = seeded(features=FEATURES, units=UNITS).spec
    assert {key: one.shape for key, one in theirs.items()} == {
        one.name: one.shape.sizes for one in tensor_layouts(layer.convention, spec, 0)
    }
    assert sum(one.size for one in theirs.values()) == layer.convention.count_parameters(spec)
    named = {key.removesuffix("_l0"): one for key, one in theirs.items()}
    weights = layer.convention.unpack(named)
    assert weights.bias is not None
    forget = weights.bias[weights.columns(Gate.FORGET)]
    if layer.info.forget_bias.value is None:
        assert layer.info.forget_bias.how == "random"
        assert len(set(forget.tolist())) == UNITS
        assert np.max(np.abs(forget)) <= len(layer.convention.biases) / UNITS**0.5
    else:
        assert set(forget.tolist()) == {layer.info.forget_bias.value}
    (kinds,) = {how for _, how in layer.info.initializers if "sqrt(units)" in how} or {""}
    if kinds:
        assert np.max(np.abs(weights.kernel)) <= 1 / UNITS**0.5


def test_every_framework_that_is_run_is_looked_at() -> None:
    assert {*THEIRS, "onnx"} == set(PACKAGES) == set(SCRIPTS)


def test_linen_has_an_optimized_cell_with_the_same_arrays(framework: Callable[[str], Any]) -> None:
    linen, jax = framework("flax.linen"), framework("jax")
    zero = np.zeros((1, UNITS), "float32")
    cell = linen.OptimizedLSTMCell(UNITS)
    made = flat(cell.init(jax.random.key(0), (zero, zero), np.zeros((1, FEATURES), "float32"))["params"])
    assert {name: one.shape for name, one in made.items()} == {name: one.shape for name, one in of_flax_linen().items()}


def test_both_biases_of_pytorch_get_equal_gradients(torch: Any) -> None:
    lstm = torch.nn.LSTM(FEATURES, UNITS)
    output, _ = lstm(torch.randn(6, 2, FEATURES))
    output.sum().backward()
    assert torch.equal(lstm.bias_ih_l0.grad, lstm.bias_hh_l0.grad)


def test_onnx_runtime_refuses_the_layout_with_samples_first(run: Any, onnx: Any, onnxruntime: Any) -> None:
    made = run("onnx")
    layout = onnx.helper.make_attribute("layout", 1)
    model = made["model"]
    model.graph.node[0].attribute.append(layout)
    with pytest.raises(Exception, match="Batchwise recurrent operations"):
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
