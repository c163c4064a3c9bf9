"""Arrays that surely are an LSTM's and are not read: they are named, and never passed over in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lstm_explain.errors import InputFileError
from lstm_explain.readers.identify.find_lstms import find_lstms
from lstm_explain.readers.model_file import read_model
from tests.helpers.model_files import pytorch as torch_files
from tests.helpers.model_files.arrays import keras_layer, npz, packed, pytorch_layer

if TYPE_CHECKING:
    from pathlib import Path


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(InputFileError) as raised:
        read_model(str(path), 10**8)
    return str(raised.value)


def test_quantised_weights_are_named_in_every_format(tmp_path: Path) -> None:
    said = "weight_ih_l0 is int8: quantised weights are not supported. Give the weights as float32"
    layer = pytorch_layer(module="")
    whole = {**layer, "weight_ih_l0": layer["weight_ih_l0"].astype(np.int8)}
    assert said in refused(tmp_path / "m.npz", npz(whole))
    assert said in refused(tmp_path / "m.safetensors", packed(whole, {"weight_ih_l0": "I8"}))
    pairs, members = torch_files.lstm(kind="Char", size=1)
    pairs = {name.rpartition(".")[2]: one for name, one in pairs.items()}
    assert said in refused(tmp_path / "m.pt", torch_files.archive(torch_files.table(pairs), members))


@pytest.mark.parametrize(
    ("kind", "said"),
    [("float8_e4m3", "quantised"), ("uint8", "quantised"), ("int64", "floating-point numbers"), ("bool", "floating-point")],
)
@pytest.mark.parametrize(
    "name",
    ["enc.weight_hh_l1_reverse", "enc/weight_hh", "enc/recurrent_kernel:0", "enc/hi/kernel", "enc.layer0.forward.kernel"],
)
def test_whatever_the_names_are(name: str, kind: str, said: str) -> None:
    with pytest.raises(InputFileError, match=f"{name.replace('.', chr(92) + '.')} is {kind}: .*{said}"):
        find_lstms({"enc.bias_hh_l0": np.ones(8)}, "x", None, {name: kind})


def test_others_in_the_file_are_read_beside_them() -> None:
    good = keras_layer(module="good/")
    left_out = {f"{place}.weight_ih_l0": "int8" for place in range(3)} | {"other.kernel": "int8", "good/step": "int64"}
    (lstm,) = find_lstms({**good, **pytorch_layer(module="0.")}, "x", None, left_out)
    assert lstm.name == "good"
    assert [(one.name, one.reason) for one in lstm.unsupported] == [
        (str(place), f"{place}.weight_ih_l0 is int8: quantised weights are not supported") for place in range(3)
    ]


def test_names_that_tell_nothing_are_passed_over() -> None:
    assert find_lstms({}, "x", None, {"kernel": "int8", "steps": "int64", "weight": "int8"}) == ()


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("module", ["", "enc.rnn."])
def test_weight_norm_is_named(module: str, new: bool) -> None:
    layer = {f"{module}{name}": array for name, array in pytorch_layer(module="").items()}
    weight = layer.pop(f"{module}weight_hh_l0")
    names = ("parametrizations.weight_hh_l0.original0", "parametrizations.weight_hh_l0.original1")
    for name in names if new else ("weight_hh_l0_g", "weight_hh_l0_v"):
        layer[module + name] = weight
    called = module.removesuffix(".") or "lstm"
    with pytest.raises(
        InputFileError, match=f"x#{called}: it stores weight_hh_l0 as weight_g and weight_v .weight_norm."
    ) as raised:
        find_lstms(layer, "x")
    assert "remove_parametrizations" in str(raised.value)


def test_names_may_be_parted_by_slashes() -> None:
    (dots,) = find_lstms(pytorch_layer(module="model.enc."), "x")
    (slashes,) = find_lstms(pytorch_layer(module="model/enc/"), "x")
    assert (dots.name, slashes.name) == ("model.enc", "model/enc")
    assert slashes.weights.layers[0].keys() == dots.weights.layers[0].keys()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_told_of(value: float) -> None:
    layer = keras_layer()
    assert find_lstms(layer, "x")[0].notes == ()
    layer["lstm/recurrent_kernel"][1, 2] = value
    assert find_lstms(layer, "x")[0].notes == ("some of its weights are nan or infinite",)


def test_a_convention_that_is_not_the_file_s() -> None:
    with pytest.raises(InputFileError) as raised:
        find_lstms(pytorch_layer(), "x.npz", "keras")
    assert str(raised.value) == (
        "x.npz: no LSTM was found under the names that keras uses: kernel, recurrent_kernel, bias. "
        "Leave out --convention: the names in it are those of pytorch."
    )
    with pytest.raises(InputFileError, match=r"under the names that onnx uses: .* Its arrays are a, b, c, d and 1 more"):
        find_lstms(dict.fromkeys("abcde", np.ones(1)), "x.npz", "onnx")
