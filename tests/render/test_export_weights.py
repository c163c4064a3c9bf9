"""Weights as files: what is written is what was converted, and a wrong ending is refused."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.core.engine import StackState
from lstm_explain.core.lstm import PretrainedWeights
from lstm_explain.errors import MissingExtraError, UsageError
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.library import from_model, seeded
from lstm_explain.render.export_weights import encode_weights
from lstm_explain.topics.convert import Convert, explain_convert
from tests.helpers.mixed_stacks import MIXED

if TYPE_CHECKING:
    from pathlib import Path


def made(to: str) -> Convert:
    return explain_convert(seeded(samples=2, units=3, layers=2), to)


def test_an_npz_holds_the_arrays() -> None:
    convert = made("pytorch")
    found = np.load(io.BytesIO(encode_weights(convert, ".npz", "to")))
    assert set(found.files) == set(convert.arrays_by_name())
    assert all(np.array_equal(found[name], array) for name, array in convert.arrays_by_name().items())


def test_a_safetensors_file_holds_the_arrays() -> None:
    from safetensors.numpy import load

    convert = made("keras")
    found = load(encode_weights(convert, ".safetensors", "to"))
    assert set(found) == set(convert.arrays_by_name())
    assert all(np.array_equal(found[name], array) for name, array in convert.arrays_by_name().items())


def test_an_onnx_model_is_valid_and_names_its_sizes() -> None:
    import onnx

    model = onnx.load_from_string(encode_weights(made("onnx"), ".onnx", "to"))
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["LSTM", "Transpose", "Reshape", "LSTM"]


@pytest.mark.parametrize("suffix", ["", ".txt", ".pt", ".json"])
def test_another_ending_is_refused(suffix: str) -> None:
    with pytest.raises(UsageError, match=r"asked: weights are written as \.npz, \.safetensors, \.onnx\. End the name so"):
        encode_weights(made("keras"), suffix, "asked")


def test_onnx_is_written_in_its_own_convention_only() -> None:
    with pytest.raises(UsageError, match=r"an \.onnx file is written in ONNX's convention"):
        encode_weights(made("keras"), ".onnx", "asked")


@pytest.mark.parametrize(("to", "suffix", "library"), [("keras", ".safetensors", "safetensors"), ("onnx", ".onnx", "onnx")])
def test_a_library_that_is_missing_is_named(to: str, suffix: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    convert = made(to)
    for name in [one for one in sys.modules if one.split(".")[0] == library]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        MissingExtraError, match=f'needs {library}, which is not installed.*"lstm-explain\\[models\\]"'
    ) as caught:
        encode_weights(convert, suffix, "asked")
    assert caught.value.exit_code == 6


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("to", sorted(CONVENTIONS))
@pytest.mark.parametrize(
    "options", [{"bidirectional": True}, {"layers": 2, "bidirectional": True}, {"stack": MIXED}], ids=["one", "two", "mixed"]
)
def test_layers_and_directions_are_found_again_in_a_file(
    tmp_path: Path, suffix: str, to: str, options: dict[str, Any]
) -> None:
    lstm = seeded(samples=3, timesteps=4, features=2, units=3, init="pytorch", **options)
    if CONVENTIONS[to].unsupported_option(lstm.spec):
        return
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(encode_weights(explain_convert(lstm, to), suffix, "to"))
    several = len(lstm.spec.layers) > 1 and to != "pytorch"
    layers = "+".join(f"lstm_{layer}" for layer in range(len(lstm.spec.layers))) if several else None
    again = from_model(str(path), layers, convention=to, array=lstm.inputs.block(0, 3), name="batch")
    shifted = CONVENTIONS[to].forget_bias_added != 0
    np.testing.assert_allclose(again.run().output, lstm.run().output, rtol=0, atol=1e-6 if shifted else 0)


def test_layers_that_differ_are_written_as_a_model_with_states_of_its_own(tmp_path: Path) -> None:
    lstm = seeded(samples=3, timesteps=4, features=2, stack=MIXED)
    sizes, drawn = [lstm.spec.for_layer(layer).units for layer, _ in lstm.spec.layer_directions], np.random.default_rng(1)
    states = StackState(*(tuple(drawn.normal(size=(1, size)).astype(np.float32) for size in sizes) for _ in range(2)))
    lstm = replace(lstm, pretrained=PretrainedWeights(lstm.weights, {"kind": "model"}, states))
    path = tmp_path / "model.onnx"
    path.write_bytes(encode_weights(explain_convert(lstm, "onnx", model=True), ".onnx", "to"))
    again = from_model(str(path), "lstm_0+lstm_1+lstm_2", array=lstm.inputs.block(0, 3), name="batch")
    assert again.spec.layers == MIXED
    np.testing.assert_array_equal(again.run().output, lstm.run().output)
