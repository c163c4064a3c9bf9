"""Consecutive layers that are not alike, as the frameworks write them: every topic explains the stack, and each layer's output
and the derivatives down through all of them are those of the framework.
"""

from __future__ import annotations

import json
import shutil
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

import lstm_explain
from lstm_explain.core.bptt import hidden_by_network_input
from lstm_explain.core.gates import Direction
from lstm_explain.core.lstm import DEFAULT_MEMORY
from lstm_explain.core.spec import LayerSpec
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.model_file import read_model
from lstm_explain.topics.frameworks import explain_frameworks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from tests.oracle.conftest import KerasExport

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy"),
    pytest.mark.filterwarnings("ignore:.*float64.*:UserWarning"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]

SAMPLES, TIMESTEPS, FEATURES = 3, 5, 4
TOLERANCE = 2e-6
TOPICS: dict[str, Callable[[LSTM, int], Any]] = {
    "shapes": lambda lstm, _: lstm_explain.shapes(lstm),
    "unit": lambda lstm, layer: lstm_explain.unit(lstm, unit=1, step=4, layer=layer),
    "trace": lambda lstm, layer: lstm_explain.trace(lstm, layer=layer),
    "influence": lambda lstm, layer: lstm_explain.influence(lstm, through_time=True, poke=1, layer=layer),
    "memory": lambda lstm, layer: lstm_explain.memory(lstm, layer=layer),
    "equations": lambda lstm, layer: lstm_explain.equations(lstm, layer=layer, numbers=True),
    "tasks": lambda lstm, _: lstm_explain.tasks(lstm),
    "terms": lambda lstm, _: lstm_explain.terms(lstm),
    "frameworks": lambda lstm, _: explain_frameworks(lstm),
}


class Written(NamedTuple):
    """A file, how to name its layers as one stack, and what the framework made of `batch()`."""

    path: Path
    stack: str
    layers: tuple[LayerSpec, ...]
    outputs: list[Array]
    """Of each layer, as far as the framework hands them out; the last one's always."""


def batch() -> Array:
    numbers: Array = np.random.default_rng(3).standard_normal((SAMPLES, TIMESTEPS, FEATURES)).astype(np.float32)
    return numbers


def all_of(path: Path) -> str:
    """Every LSTM of a file, as one stack."""
    return "+".join(one.name for one in read_model(str(path), DEFAULT_MEMORY))


# --- the frameworks' own files ----------------------------------------------------------------------------------------

IN_TORCH = (LayerSpec(6, True), LayerSpec(5, False, 2, False), LayerSpec(5, False, 2, False), LayerSpec(3))
PLAIN = (LayerSpec(6, True), LayerSpec(4, bias=False), LayerSpec(3))
FORWARD = (LayerSpec(6), *PLAIN[1:])


def torch_modules(torch: Any, projected: bool) -> list[Any]:
    torch.manual_seed(5)
    nn = torch.nn
    if not projected:
        first, second, third = nn.LSTM(FEATURES, 6, bidirectional=True), nn.LSTM(12, 4, bias=False), nn.LSTM(4, 3)
    else:
        first = nn.LSTM(FEATURES, 6, bidirectional=True)
        second, third = nn.LSTM(12, 5, num_layers=2, proj_size=2, bias=False), nn.LSTM(2, 3)
    return [first, second, third]


def _torch(torch: Any, path: Path, kind: str) -> Written:
    modules = torch_modules(torch, projected=kind != "onnx")

    class Model(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.third = modules

        def forward(self, x: Any) -> Any:
            below = self.first(x)[0]
            below = self.second(below)[0]
            return self.third(below)[0]

    inputs = torch.from_numpy(batch()).transpose(0, 1).contiguous()
    model = Model()
    with torch.no_grad():
        first = modules[0](inputs)[0]
        made = [first, model(inputs)]
    outputs = [one.transpose(0, 1).numpy() for one in made]
    stack = "first+second+third"
    layers: tuple[LayerSpec, ...] = IN_TORCH
    if kind == "pt":
        torch.save(model.state_dict(), path)
    elif kind == "safetensors":
        from safetensors.numpy import save_file

        save_file({name: tensor.numpy() for name, tensor in model.state_dict().items()}, path)
    else:
        with warnings.catch_warnings():  # the exporter warns of its successor, and of batches larger than 1
            warnings.simplefilter("ignore")
            torch.onnx.export(model, (inputs,), path, dynamo=False)
            stack, layers = all_of(path), PLAIN
    return Written(path, stack, layers, outputs)


def _keras(framework: Callable[[str], Any], path: Path, kind: str) -> Written:
    framework("jax")
    keras = framework("keras")
    layers, on = keras.layers, {"return_sequences": True}
    parts = [
        layers.Bidirectional(layers.LSTM(6, **on), name="first"),
        layers.LSTM(4, use_bias=False, name="second", **on),
        layers.LSTM(3, name="third", **on),
    ]
    model = keras.Sequential([keras.Input((TIMESTEPS, FEATURES)), *parts])
    numbers = np.random.default_rng(7)
    model.set_weights([numbers.normal(0, 0.5, one.shape).astype(one.dtype) for one in model.get_weights()])
    with warnings.catch_warnings():  # the legacy format is one that we read
        warnings.simplefilter("ignore")
        model.save_weights(path) if kind == "weights.h5" else model.save(path)
    outputs, below = [], batch()
    for part in parts:
        below = np.asarray(part(below))
        outputs.append(below)
    return Written(path, all_of(path), PLAIN, outputs)


def _keras_on_torch(export: KerasExport, path: Path) -> Written:
    """Keras on torch exports decomposed layers."""
    shutil.copy(export.path, path)
    np.save(path.parent / "inputs.npy", export.inputs)
    return Written(path, all_of(path), FORWARD, [export.outputs])


def _flax(framework: Callable[[str], Any], path: Path) -> Written:
    jax, linen, serialization = framework("jax"), framework("flax.linen"), framework("flax.serialization")
    below, parameters, outputs = batch(), {}, []
    for name, units in (("first", 6), ("second", 4)):
        layer = linen.RNN(linen.LSTMCell(units))
        own = layer.init(jax.random.key(units), below)
        parameters[name] = own["params"]["cell"]
        below = np.asarray(layer.apply(own, below))
        outputs.append(below)
    path.write_bytes(serialization.to_bytes({"params": parameters}))
    return Written(path, all_of(path), (LayerSpec(6), LayerSpec(4)), outputs)


@pytest.fixture(params=["pt", "safetensors", "onnx", "keras", "weights.h5", "h5", "keras.onnx", "msgpack"])
def written(request: pytest.FixtureRequest, framework: Callable[[str], Any], tmp_path: Path) -> Written:
    kind = str(request.param)
    path = tmp_path / f"model.{kind}"
    if kind in ("pt", "safetensors", "onnx"):
        return _torch(framework("torch"), path, kind)
    if kind == "msgpack":
        return _flax(framework, path)
    if kind == "keras.onnx":
        return _keras_on_torch(request.getfixturevalue("keras_export")("unlike"), path)
    return _keras(framework, path, kind)


def test_every_topic_explains_the_stack(written: Written) -> None:
    inputs = np.load(written.path.parent / "inputs.npy") if written.path.name == "model.keras.onnx" else batch()
    lstm = lstm_explain.from_model(str(written.path), written.stack, array=inputs, name="batch")
    assert lstm.spec.layers == written.layers
    record = lstm.run()
    np.testing.assert_allclose(record.output, written.outputs[-1], rtol=0, atol=TOLERANCE)
    for ours, theirs in zip(record.outputs, written.outputs[:-1], strict=False):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE)
    for topic, explain in TOPICS.items():
        for layer in range(len(lstm.spec.layers)):
            answer = explain(lstm, layer).to_dict()
            assert answer["schema"] == f"lstm-explain/{topic}"
            assert [one["units"] for one in answer["spec"]["stack"]] == [one.units for one in written.layers]
            assert answer["spec"]["units"] is None
            json.dumps(answer, allow_nan=False)
    top = lstm_explain.trace(lstm, sample=2, layer=len(lstm.spec.layers) - 1)
    np.testing.assert_allclose(top.hidden, written.outputs[-1][2], rtol=0, atol=TOLERANCE)
    assert lstm_explain.verify(lstm, written.outputs[-1]).agrees


# --- stacks from sizes and a seed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("projection", [None, 3])
def test_torch_makes_the_same_of_a_seeded_stack(torch: Any, bidirectional: bool, projection: int | None) -> None:
    lstm = lstm_explain.given(
        batch(), units=(8, 4, 6), bidirectional=bidirectional, projection=projection, init="pytorch", seed=5
    )
    below, record = torch.from_numpy(batch()), lstm.run()
    for layer, sizes in enumerate(lstm.spec.layers):
        module = torch.nn.LSTM(
            lstm.spec.features_of(layer),
            sizes.units,
            bidirectional=bidirectional,
            proj_size=projection or 0,
            batch_first=True,
        )
        state = module.state_dict()
        for direction, weights in lstm.weights.layers[layer].items():
            own = CONVENTIONS["pytorch"].pack(weights)
            ending = "_reverse" if direction is Direction.BACKWARD else ""
            state.update({f"{name}_l0{ending}": torch.from_numpy(array) for name, array in own.items()})
        module.load_state_dict(state)
        with torch.no_grad():
            below, (h, c) = module(below)
        np.testing.assert_allclose(record.outputs[layer], below.numpy(), rtol=0, atol=TOLERANCE)
        for place, direction in enumerate(sizes.directions):
            ours = record.of(layer, direction)
            np.testing.assert_allclose(ours.last_hidden, h[place].numpy(), rtol=0, atol=TOLERANCE)
            np.testing.assert_allclose(ours.last_cell, c[place].numpy(), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_keras_makes_the_same_of_a_seeded_stack(framework: Callable[[str], Any], bidirectional: bool) -> None:
    framework("jax")
    layers = framework("keras").layers
    lstm = lstm_explain.given(batch(), units=(8, 4), bidirectional=bidirectional, seed=5)
    below, record = batch(), lstm.run()
    for layer, sizes in enumerate(lstm.spec.layers):
        module = layers.LSTM(sizes.units, return_sequences=True)
        module = layers.Bidirectional(module) if bidirectional else module
        module.build(below.shape)
        own = [CONVENTIONS["keras"].pack(weights) for weights in lstm.weights.layers[layer].values()]
        module.set_weights([arrays[name] for arrays in own for name in ("kernel", "recurrent_kernel", "bias")])
        below = np.asarray(module(below))
        np.testing.assert_allclose(record.outputs[layer], below, rtol=0, atol=TOLERANCE)


# --- derivatives ------------------------------------------------------------------------------------------------------


def test_derivatives_go_down_through_layers_that_differ(torch: Any, tmp_path: Path) -> None:
    """dh_T/dx_t of the top layer by the network's own input, as torch's autograd has it."""
    modules = [module.double() for module in torch_modules(torch, projected=True)]
    named = zip("abc", modules, strict=True)
    state = {f"{name}.{key}": one for name, module in named for key, one in module.state_dict().items()}
    torch.save(state, tmp_path / "model.pt")
    inputs = batch().astype(np.float64)
    lstm = lstm_explain.from_model(str(tmp_path / "model.pt"), "a+b+c", array=inputs, name="batch")

    def last(x: Any) -> Any:
        for module in modules:
            x = module(x)[0]
        return x[-1]

    theirs = torch.autograd.functional.jacobian(last, torch.tensor(inputs[1])).numpy()
    found = hidden_by_network_input(lstm.weights, lstm.run(), 1, 3, Direction.FORWARD)
    np.testing.assert_allclose(found, theirs.swapaxes(0, 1), rtol=0, atol=1e-12)
