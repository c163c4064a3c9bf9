"""The two biases of an LSTM one by one, from files of arrays by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.core.gates import Direction
from lstm_explain.errors import InputFileError
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.identify.model_lstm import select_lstm
from lstm_explain.readers.model_file import read_model, read_separate_biases

if TYPE_CHECKING:
    from pathlib import Path

BUDGET = 10**7


def numbers(*sizes: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=sizes)


def pytorch(module: str, end: str = "", features: int = 2, seed: int = 0) -> dict[str, Any]:
    sizes = {"weight_ih": (12, features), "weight_hh": (12, 3), "bias_ih": (12,), "bias_hh": (12,)}
    return {f"{module}{name}{end}": numbers(*size, seed=seed + place) for place, (name, size) in enumerate(sizes.items())}


def saved(path: Path, **arrays: Any) -> str:
    np.savez(path / "m.npz", **arrays)
    return str(path / "m.npz")


@pytest.mark.parametrize(
    ("layer", "arrays"),
    [
        (None, pytorch("", "_l0")),
        (None, pytorch("a.b.", "_l0") | pytorch("a.b.", "_l1", 3, seed=5)),
        ("enc", pytorch("enc.", "_l0") | pytorch("enc.", "_l0_reverse", seed=5) | pytorch("dec.", "_l0", seed=9)),
        ("low+high", pytorch("low.") | pytorch("high.", "", 3, seed=5)),
    ],
    ids=["one", "stack", "chosen", "joined"],
)
def test_each_alone_and_both_together(tmp_path: Path, layer: str | None, arrays: dict[str, Any]) -> None:
    name = saved(tmp_path, **arrays)
    first, second = read_separate_biases(name, layer, None, BUDGET)
    layers = select_lstm(read_model(name, BUDGET), layer, "m.npz").weights.layers
    assert len(first) == len(second) == len(layers)
    for one, other, both in zip(first, second, layers, strict=True):
        assert list(one) == list(other) == list(both)
        for way, part in both.items():
            assert part.bias is not None
            np.testing.assert_allclose(one[way] + other[way], part.bias, atol=1e-12)
    wanted = [array for name, array in arrays.items() if "bias_ih" in name and (layer != "enc" or "enc" in name)]
    assert all(any(np.array_equal(bias, array) for array in wanted) for own in first for bias in own.values())


def test_the_gates_stand_in_our_own_order(tmp_path: Path) -> None:
    convention = CONVENTIONS["webnn"]
    name = saved(
        tmp_path, weight=numbers(12, 2), recurrentWeight=numbers(12, 3), bias=numbers(12), recurrentBias=numbers(12) * 2
    )
    found = read_model(name, BUDGET, "webnn")[0]
    first, second = read_separate_biases(name, None, "webnn", BUDGET)
    (own,) = found.weights.layers[0].values()
    assert own.bias is not None
    assert convention.gate_order != CONVENTIONS["pytorch"].gate_order
    np.testing.assert_allclose(first[0][Direction.FORWARD] * 3, own.bias)
    np.testing.assert_allclose(second[0][Direction.FORWARD] * 1.5, own.bias)


def test_there_is_nothing_where_there_is_one_or_where_both_stand_in_one_array(tmp_path: Path) -> None:
    keras = {"lstm/kernel": numbers(2, 12), "lstm/recurrent_kernel": numbers(3, 12), "lstm/bias": numbers(12)}
    assert read_separate_biases(saved(tmp_path, **keras), None, None, BUDGET) == ()
    onnx = {"W": numbers(1, 12, 2), "R": numbers(1, 12, 3), "B": numbers(1, 24)}
    assert read_separate_biases(saved(tmp_path, **onnx), None, "onnx", BUDGET) == ()


@pytest.mark.parametrize("content", [b"", b"PK", b"\x08\x09:\x0412345678"])
def test_a_file_of_no_format_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.pt").write_bytes(content)
    with pytest.raises(InputFileError, match=r"this is not a model file|the file is empty"):
        read_separate_biases(str(tmp_path / "m.pt"), None, None, BUDGET)


@pytest.mark.parametrize("content", [b"\x89HDF\r\n\x1a\n", b"\x81\xa1a\xc0"])
def test_there_is_nothing_in_a_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.pt").write_bytes(content)
    assert read_separate_biases(str(tmp_path / "m.pt"), None, None, BUDGET) == ()


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="this file does not exist"):
        read_separate_biases(str(tmp_path / "m.npz"), None, None, BUDGET)
