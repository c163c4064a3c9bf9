"""What `convert` writes is loaded by the frameworks themselves, and computes what our LSTM computes."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.core.forward import State
from lstm_explain.core.lstm import Loaded
from lstm_explain.explain.convert import explain_convert
from lstm_explain.library import seeded
from lstm_explain.render.weights_files import weights_file

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM

pytestmark = pytest.mark.oracle

OPTIONS = [
    {},
    {"bidirectional": True},
    {"layers": 2, "bias": False},
    {"layers": 3, "bidirectional": True},
]


def lstm_of(**options: Any) -> LSTM:
    return seeded(samples=4, timesteps=6, features=3, units=5, init="pytorch", seed=7, **options)


@pytest.mark.parametrize("options", [*OPTIONS, {"layers": 2, "projection": 2}])
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_pytorch_loads_the_npz(torch: Any, options: dict[str, Any]) -> None:
    lstm = lstm_of(dtype="float64", **options)
    arrays = np.load(io.BytesIO(weights_file(explain_convert(lstm, "pytorch"), ".npz", "to")))
    spec = lstm.spec
    module = torch.nn.LSTM(
        3,
        5,
        spec.layers,
        bias=spec.bias,
        batch_first=True,
        bidirectional=spec.bidirectional,
        proj_size=spec.projection or 0,
        dtype=torch.float64,
    )
    module.load_state_dict({name: torch.tensor(arrays[name]) for name in arrays.files})
    with torch.no_grad():
        theirs = module(torch.tensor(lstm.inputs.block(0, 4)))[0].numpy()
    np.testing.assert_allclose(theirs, lstm.run().output, rtol=0, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"bias": False}])
def test_keras_sets_the_safetensors(keras: Any, options: dict[str, Any]) -> None:
    from safetensors.numpy import load

    lstm = lstm_of(**options)
    arrays = load(weights_file(explain_convert(lstm, "keras"), ".safetensors", "to"))
    layer = keras.layers.LSTM(5, return_sequences=True, use_bias=lstm.spec.bias)
    layer.build((None, 6, 3))
    names = ("kernel", "recurrent_kernel", "bias")
    layer.set_weights([arrays[name] for name in names if name in arrays])
    theirs = np.asarray(layer(lstm.inputs.block(0, 4)))
    np.testing.assert_allclose(theirs, lstm.run().output, rtol=0, atol=2e-6)


@pytest.mark.parametrize("options", [*OPTIONS, {"peepholes": True}, {"peepholes": True, "bias": False}])
def test_onnx_runtime_runs_the_onnx(onnxruntime: Any, options: dict[str, Any]) -> None:
    lstm = lstm_of(**options)
    model = weights_file(explain_convert(lstm, "onnx"), ".onnx", "to")
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    output, hidden, cell = session.run(None, {"x": lstm.inputs.block(0, 4).swapaxes(0, 1)})
    record, ways = lstm.run(), len(lstm.spec.directions)
    theirs = output.transpose(2, 0, 1, 3).reshape(4, 6, -1)
    np.testing.assert_allclose(theirs, record.output, rtol=0, atol=2e-6)
    np.testing.assert_allclose(hidden, record.last_hidden[-ways:], rtol=0, atol=2e-6)
    np.testing.assert_allclose(cell, record.last_cell[-ways:], rtol=0, atol=2e-6)


@pytest.mark.parametrize("options", [{}, {"layers": 2, "bidirectional": True}, {"peepholes": True}])
def test_onnx_runtime_starts_from_the_models_own_states(onnxruntime: Any, options: dict[str, Any]) -> None:
    lstm = starting(lstm_of(**options))
    model = weights_file(explain_convert(lstm, "onnx", model=True), ".onnx", "to")
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    output = session.run(None, {"x": lstm.inputs.block(0, 4).swapaxes(0, 1)})[0]
    theirs = output.transpose(2, 0, 1, 3).reshape(4, 6, -1)
    np.testing.assert_allclose(theirs, lstm.run().output, rtol=0, atol=2e-6)
    assert np.abs(theirs - lstm_of(**options).run().output).max() > 1e-2


def starting(lstm: LSTM) -> LSTM:
    """The same, from states of its own."""
    spec = lstm.spec
    shape = (spec.layers * len(spec.directions), 1, spec.units)
    hidden, cell = np.random.default_rng(3).normal(size=(2, *shape)).astype(spec.dtype)
    return replace(lstm, loaded=Loaded(lstm.weights, {"kind": "model"}, State(hidden, cell)))
