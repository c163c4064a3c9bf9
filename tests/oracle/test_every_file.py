"""Every topic on a file of every kind that the frameworks themselves write; and what they compute of the same batch."""

from __future__ import annotations

import json
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lstm_explain

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
]

SAMPLES, TIMESTEPS, FEATURES, UNITS = 3, 5, 4, 6
TOPICS: dict[str, Callable[[LSTM], Any]] = {
    "shapes": lstm_explain.shapes,
    "unit": lambda lstm: lstm_explain.unit(lstm, unit=3, step=4),
    "trace": lstm_explain.trace,
    "influence": lambda lstm: lstm_explain.influence(lstm, through_time=True, poke=2),
    "memory": lstm_explain.memory,
    "equations": lstm_explain.equations,
    "tasks": lstm_explain.tasks,
    "terms": lstm_explain.terms,
}
KINDS = ("pt", "safetensors", "keras", "weights.h5", "h5", "onnx", "keras.onnx", "msgpack")


def batch() -> Array:
    numbers: Array = np.random.default_rng(3).standard_normal((SAMPLES, TIMESTEPS, FEATURES)).astype(np.float32)
    return numbers


@pytest.fixture(params=KINDS)
def written(request: pytest.FixtureRequest, framework: Callable[[str], Any], tmp_path: Path) -> tuple[Path, Array]:
    """A file of one kind, and the outputs of the framework that wrote it."""
    kind = str(request.param)
    path = tmp_path / f"model.{kind}"
    if kind in ("pt", "safetensors", "onnx"):
        return path, _torch(framework("torch"), path, kind)
    if kind == "msgpack":
        return path, _flax(framework, path)
    if kind == "keras.onnx":
        return path, _keras_on_jax(framework, request.getfixturevalue("keras_export")("sequences"), path)
    return path, _keras(framework, path, kind)


def _torch(torch: Any, path: Path, kind: str) -> Array:
    torch.manual_seed(5)
    lstm = torch.nn.LSTM(FEATURES, UNITS, batch_first=True)
    inputs = torch.from_numpy(batch())
    with torch.no_grad():
        outputs: Array = lstm(inputs)[0].numpy()
    if kind == "pt":
        torch.save({"epoch": 3, "state_dict": lstm.state_dict()}, path)
    elif kind == "safetensors":
        from safetensors.numpy import save_file

        save_file({name: tensor.numpy() for name, tensor in lstm.state_dict().items()}, path)
    else:
        with warnings.catch_warnings():  # the exporter warns of its successor, and of batches larger than 1
            warnings.simplefilter("ignore")
            torch.onnx.export(lstm, (inputs,), path, dynamo=False)
    return outputs


def _keras(framework: Callable[[str], Any], path: Path, kind: str) -> Array:
    framework("jax")
    keras = framework("keras")
    layer = keras.layers.LSTM(UNITS, return_sequences=True, bias_initializer="glorot_uniform")
    model = keras.Sequential([keras.Input((TIMESTEPS, FEATURES)), layer, keras.layers.Dense(1)])
    with warnings.catch_warnings():  # the legacy format is one that we read
        warnings.simplefilter("ignore")
        model.save_weights(path) if kind == "weights.h5" else model.save(path)
    return np.asarray(layer(batch()))


def _keras_on_jax(framework: Callable[[str], Any], export: KerasExport, path: Path) -> Array:
    """Keras on torch exports a decomposed layer; here, the same weights run on another backend."""
    framework("jax")
    keras = framework("keras")
    shutil.copy(export.path, path)
    layer = keras.layers.LSTM(UNITS, return_sequences=True)
    layer.build((None, TIMESTEPS, FEATURES))
    layer.set_weights(export.weights)
    return np.asarray(layer(batch()))


def _flax(framework: Callable[[str], Any], path: Path) -> Array:
    framework("jax")
    jax, linen, serialization = framework("jax"), framework("flax.linen"), framework("flax.serialization")
    layer = linen.RNN(linen.LSTMCell(UNITS))
    parameters = layer.init(jax.random.key(7), batch())
    path.write_bytes(serialization.to_bytes(parameters))
    return np.asarray(layer.apply(parameters, batch()))


def test_every_topic_explains_it(written: tuple[Path, Array]) -> None:
    path, outputs = written
    lstm = lstm_explain.from_model(str(path), array=batch(), name="batch")
    np.testing.assert_allclose(lstm.run().output, outputs, rtol=0, atol=2e-6)
    for topic, explain in TOPICS.items():
        answer = explain(lstm).to_dict()
        assert answer["schema"] == f"lstm-explain/{topic}"
        assert answer["source"]["weights"]["kind"] == "model"
        assert answer["source"]["weights"]["file"] == path.name
        json.dumps(answer, allow_nan=False)
    traced = lstm_explain.trace(lstm, sample=2)
    np.testing.assert_allclose(traced.hidden, outputs[2], rtol=0, atol=2e-6)
    assert lstm_explain.verify(lstm, outputs).agrees
