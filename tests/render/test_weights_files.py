"""Weights as files: what is written is what was converted, and a wrong ending is refused."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from lstm_explain.errors import MissingExtraError, UsageError
from lstm_explain.explain.convert import Convert, explain_convert
from lstm_explain.library import seeded
from lstm_explain.render.weights_files import weights_file


def made(to: str) -> Convert:
    return explain_convert(seeded(samples=2, units=3, layers=2), to)


def test_an_npz_holds_the_arrays() -> None:
    convert = made("pytorch")
    found = np.load(io.BytesIO(weights_file(convert, ".npz", "to")))
    assert set(found.files) == set(convert.named())
    assert all(np.array_equal(found[name], array) for name, array in convert.named().items())


def test_a_safetensors_file_holds_the_arrays() -> None:
    from safetensors.numpy import load

    convert = made("keras")
    found = load(weights_file(convert, ".safetensors", "to"))
    assert set(found) == set(convert.named())
    assert all(np.array_equal(found[name], array) for name, array in convert.named().items())


def test_an_onnx_model_is_valid_and_names_its_sizes() -> None:
    import onnx

    model = onnx.load_from_string(weights_file(made("onnx"), ".onnx", "to"))
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["LSTM", "Transpose", "Reshape", "LSTM"]


@pytest.mark.parametrize("suffix", ["", ".txt", ".pt", ".json"])
def test_another_ending_is_refused(suffix: str) -> None:
    with pytest.raises(UsageError, match=r"asked: weights are written as \.npz, \.safetensors, \.onnx\. End the name so"):
        weights_file(made("keras"), suffix, "asked")


def test_onnx_is_written_in_its_own_convention_only() -> None:
    with pytest.raises(UsageError, match=r"an \.onnx file is written in ONNX's convention"):
        weights_file(made("keras"), ".onnx", "asked")


@pytest.mark.parametrize(("to", "suffix", "library"), [("keras", ".safetensors", "safetensors"), ("onnx", ".onnx", "onnx")])
def test_a_library_that_is_missing_is_named(to: str, suffix: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    convert = made(to)
    for name in [one for one in sys.modules if one.split(".")[0] == library]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        MissingExtraError, match=f'needs {library}, which is not installed.*"lstm-explain\\[models\\]"'
    ) as caught:
        weights_file(convert, suffix, "asked")
    assert caught.value.exit_code == 6
