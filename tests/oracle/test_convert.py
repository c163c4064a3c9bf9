"""What `convert` writes is loaded by the frameworks themselves, and computes what our LSTM computes."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.lstm import PretrainedWeights
from lstm_explain.core.spec import LayerSpec
from lstm_explain.library import seeded
from lstm_explain.readers.identify.find_lstms import find_lstms
from lstm_explain.render.export_weights import encode_weights
from lstm_explain.topics.convert import explain_convert
from tests.helpers.mixed_stacks import MIXED

if TYPE_CHECKING:
    from collections.abc import Callable

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
    arrays = np.load(io.BytesIO(encode_weights(explain_convert(lstm, "pytorch"), ".npz", "to")))
    spec = lstm.spec
    module = torch.nn.LSTM(
        3,
        5,
        len(spec.layers),
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
    arrays = load(encode_weights(explain_convert(lstm, "keras"), ".safetensors", "to"))
    layer = keras.layers.LSTM(5, return_sequences=True, use_bias=lstm.spec.bias)
    layer.build((None, 6, 3))
    names = ("kernel", "recurrent_kernel", "bias")
    layer.set_weights([arrays[name] for name in names if name in arrays])
    theirs = np.asarray(layer(lstm.inputs.block(0, 4)))
    np.testing.assert_allclose(theirs, lstm.run().output, rtol=0, atol=2e-6)


STACKS = [{"stack": MIXED}, {"stack": (LayerSpec(3, peepholes=True), *MIXED, LayerSpec(2, bidirectional=True))}]


@pytest.mark.parametrize("options", [*OPTIONS, {"peepholes": True}, {"peepholes": True, "bias": False}, *STACKS])
def test_onnx_runtime_runs_the_onnx(onnxruntime: Any, options: dict[str, Any]) -> None:
    lstm = lstm_of(**options)
    model = encode_weights(explain_convert(lstm, "onnx"), ".onnx", "to")
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    output, hidden, cell = session.run(None, {"x": lstm.inputs.block(0, 4).swapaxes(0, 1)})
    record = lstm.run()
    last = list(record.layers[-1].values())
    theirs = output.transpose(2, 0, 1, 3).reshape(4, 6, -1)
    np.testing.assert_allclose(theirs, record.output, rtol=0, atol=2e-6)
    np.testing.assert_allclose(hidden, np.stack([part.last_hidden for part in last]), rtol=0, atol=2e-6)
    np.testing.assert_allclose(cell, np.stack([part.last_cell for part in last]), rtol=0, atol=2e-6)


@pytest.mark.parametrize("options", [{}, {"layers": 2, "bidirectional": True}, {"peepholes": True}, *STACKS])
def test_onnx_runtime_starts_from_the_models_own_states(onnxruntime: Any, options: dict[str, Any]) -> None:
    lstm = starting(lstm_of(**options))
    model = encode_weights(explain_convert(lstm, "onnx", model=True), ".onnx", "to")
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    output = session.run(None, {"x": lstm.inputs.block(0, 4).swapaxes(0, 1)})[0]
    theirs = output.transpose(2, 0, 1, 3).reshape(4, 6, -1)
    np.testing.assert_allclose(theirs, lstm.run().output, rtol=0, atol=2e-6)
    assert np.abs(theirs - lstm_of(**options).run().output).max() > 1e-2


def starting(lstm: LSTM) -> LSTM:
    """The same, from states of its own."""
    drawn, sizes = np.random.default_rng(3), [lstm.spec.for_layer(layer).units for layer, _ in lstm.spec.layer_directions]
    states = StackState(*(tuple(drawn.normal(size=(1, size)).astype(lstm.spec.dtype) for size in sizes) for _ in range(2)))
    return replace(lstm, pretrained=PretrainedWeights(lstm.weights, {"kind": "model"}, states))


# --- both directions, under the frameworks' own names -----------------------------------------------------------------


def test_keras_names_the_variables_of_both_directions_so(keras: Any) -> None:
    """The arrays are those of `path` of each variable, in the same order; and Keras computes what we do with them."""
    lstm = lstm_of(bidirectional=True)
    named = explain_convert(lstm, "keras").arrays_by_name()
    layer = keras.layers.Bidirectional(keras.layers.LSTM(5, return_sequences=True, name="lstm"), name="bidirectional")
    layer.build((None, 6, 3))
    assert [one.path for one in layer.weights] == list(named)
    layer.set_weights(list(named.values()))
    np.testing.assert_allclose(np.asarray(layer(lstm.inputs.block(0, 4))), lstm.run().output, rtol=0, atol=2e-6)


@pytest.mark.parametrize("own", ["flax-linen", "flax-nnx", "flax-nnx-optimized"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_flax_names_the_arrays_of_both_directions_so(framework: Callable[[str], Any], own: str) -> None:
    named = explain_convert(lstm_of(bidirectional=True), own).arrays_by_name()
    theirs = (_linen if own == "flax-linen" else _nnx)(framework, own)
    assert {name: np.shape(one) for name, one in theirs.items()} == {
        name.replace(".", "/"): array.shape for name, array in named.items()
    }
    (lstm,) = find_lstms(theirs, "file")
    assert (lstm.framework.partition("-")[0], lstm.spec.bidirectional) == ("flax", True)


def _linen(framework: Callable[[str], Any], _: str) -> dict[str, Any]:
    linen, jax = framework("flax.linen"), framework("jax")
    layer = linen.Bidirectional(*(linen.RNN(linen.LSTMCell(5)) for _ in range(2)))
    return _flat(layer.init(jax.random.key(0), np.zeros((1, 6, 3), "float32"))["params"])


def _nnx(framework: Callable[[str], Any], own: str) -> dict[str, Any]:
    nnx = framework("flax.nnx")
    cell = nnx.OptimizedLSTMCell if own == "flax-nnx-optimized" else nnx.LSTMCell
    layer = nnx.Bidirectional(*(nnx.RNN(cell(3, 5, rngs=nnx.Rngs(seed))) for seed in range(2)))
    return _flat(nnx.to_pure_dict(nnx.state(layer, nnx.Param)))


def _flat(nested: Any, before: str = "") -> dict[str, Any]:
    if not hasattr(nested, "items"):
        return {before.rstrip("/"): np.asarray(nested)}
    return {name: one for key, own in nested.items() for name, one in _flat(own, f"{before}{key}/").items()}


def test_a_bidirectional_file_of_flax_computes_what_flax_computes(framework: Callable[[str], Any]) -> None:
    linen, jax = framework("flax.linen"), framework("jax")
    layer = linen.Bidirectional(*(linen.RNN(linen.LSTMCell(5)) for _ in range(2)))
    x = np.random.default_rng(2).normal(size=(4, 6, 3)).astype("float32")
    params = layer.init(jax.random.key(4), x)
    (lstm,) = find_lstms(_flat(params), "file")
    assert lstm.title == "flax.linen.Bidirectional(RNN(LSTMCell))"
    ours = forward(lstm.spec, lstm.weights, x).output
    np.testing.assert_allclose(np.asarray(layer.apply(params, x)), ours, rtol=0, atol=2e-6)
