"""`.safetensors`: which numbers are read, and what a header may not say."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lstm_explain.errors import InputFileError, LstmExplainError, MissingExtraError, RefusedError
from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.safetensors import read_safetensors
from lstm_explain.readers.model_file import read_model
from tests.helpers.model_files.arrays import entry, keras_layer, packed, safetensors

File = Callable[[str, bytes], str]
Array = np.ndarray[Any, Any]


def arrays_of(name: str, budget: int = 10**8) -> dict[str, Array]:
    with open(name, "rb") as file:  # noqa: PTH123
        return read_safetensors(file, MemoryBudget(name, budget)).arrays


def refused(file: File, content: bytes, code: int = 3, budget: int = 10**8) -> str:
    with pytest.raises(LstmExplainError) as raised:
        read_model(file("m.safetensors", content), budget)
    text = str(raised.value)
    assert raised.value.exit_code == code, text
    assert text.isprintable()
    return text


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_point_numbers(dtype: str, file: File) -> None:
    layer = keras_layer(dtype=dtype)
    found = arrays_of(file("m.safetensors", packed(layer)))
    assert found.keys() == layer.keys()
    for name, array in layer.items():
        assert np.array_equal(found[name], array)
        assert found[name].dtype == ("float64" if dtype == "float64" else "float32")


def test_bfloat16_is_the_upper_half_of_a_float32(file: File) -> None:
    numbers = np.array([1.0, -2.5, 3.140625, 0.0, -0.0, np.inf, np.nan, 1e30], "float32")
    upper = (numbers.view(np.uint32) >> 16).astype(np.uint16)
    found = arrays_of(file("m.safetensors", packed({"x": upper.reshape(2, 4)}, {"x": "BF16"})))["x"]
    expected = (upper.astype(np.uint32) << 16).view(np.float32).reshape(2, 4)
    assert found.dtype == np.float32
    assert np.array_equal(found, expected, equal_nan=True)
    assert found[0, 1] == -2.5


def test_whole_numbers_and_truth_values_are_left_out(file: File) -> None:
    beside = {"steps": np.arange(3), "mask": np.ones(3, "bool"), "small": np.arange(3, dtype="int32")}
    found = arrays_of(file("m.safetensors", packed({**beside, **keras_layer()})))
    assert found.keys() == keras_layer().keys()


def test_nothing_and_scalars_are_arrays(file: File) -> None:
    found = arrays_of(file("m.safetensors", packed({"a": np.ones((0, 3)), "b": np.array(2.0)})))
    assert found["a"].shape == (0, 3)
    assert found["b"].shape == ()


def test_the_order_is_that_of_the_file(file: File) -> None:
    """The library's own order changes from run to run."""
    names = [f"tensor{place}" for place in (5, 3, 11, 0, 7, 1, 9, 2)]
    assert list(arrays_of(file("m.safetensors", packed({name: np.ones(1) for name in names})))) == names


def test_metadata_is_passed_over(file: File) -> None:
    header = json.dumps({"__metadata__": {"format": "pt"}, "x": entry("F32", [1], 0, 4)}).encode()
    assert list(arrays_of(file("m.safetensors", safetensors(header, bytes(4))))) == ["x"]


def test_it_is_known_without_its_ending(file: File) -> None:
    assert [one.name for one in read_model(file("weights", packed(keras_layer())), 10**8)] == ["lstm"]


# --- headers that lie -------------------------------------------------------------------------------------------------

WHOLE = packed(keras_layer())


def test_cut_files(file: File) -> None:
    for length in (*range(1, 16), 100, len(WHOLE) - 1):
        refused(file, WHOLE[:length])
    refused(file, WHOLE + b"\0")
    assert "the file is empty" in refused(file, b"")


@pytest.mark.parametrize("length", [10**8 + 1, 2**63, 2**64 - 1, len(WHOLE) - 7, 10**8])
def test_a_header_longer_than_the_file(length: int, file: File) -> None:
    message = refused(file, length.to_bytes(8, "little") + WHOLE[8:])
    assert f"its header announces {length} bytes, and {len(WHOLE) - 8} follow" in message


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"{}}",
        b"[]",
        b"null",
        b'{"x": 1}',
        b'{"x": {}}',
        b'{"x": {"dtype": "F32", "shape": [1]}}',
        b'{"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}',
        b'{"x": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}',
        b'{"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}',
        b'{"x": {"dtype": "F33", "shape": [1], "data_offsets": [0, 4]}}',
        b'{"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}}',
        b'{"x": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}',
        b'{"x": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}',
        b'{"x": {"dtype": "F32", "shape": [9223372036854775808, 2], "data_offsets": [0, 4]}}',
        b'{"x": {"dtype": "F32", "shape": [4611686018427387905, 4], "data_offsets": [0, 4]}}',
        b'{"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, ' + b"9" * 5000 + b"]}}",
        b'{"x": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 4]}}',
        b'{"\\ud800": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}',
        b'{"\xff": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        '{"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'.encode("utf-16"),
    ],
)
def test_headers_that_say_nothing(header: bytes, file: File) -> None:
    refused(file, safetensors(header, bytes(4)))


def test_a_name_that_stands_twice(file: File) -> None:
    one, other = '"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}', '"\\u0078": {"dtype": "F32", "shape": [1], '
    header = f'{{{one}, {other}"data_offsets": [4, 8]}}}}'
    assert "its header cannot be read: the key x appears twice in one object" in refused(
        file, safetensors(header.encode(), bytes(8))
    )
    inner = b'{"x": {"dtype": "I8", "dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'
    assert "the key dtype appears twice" in refused(file, safetensors(inner, bytes(4)))


@pytest.mark.parametrize("places", [((0, 8), (4, 12)), ((0, 4), (8, 12)), ((0, 12), (0, 12)), ((4, 8), (8, 12))])
def test_tensors_that_overlap_or_leave_holes(places: tuple[tuple[int, int], ...], file: File) -> None:
    header = {name: entry("F32", [(stop - start) // 4], start, stop) for name, (start, stop) in zip("ab", places, strict=True)}
    assert "this .safetensors file cannot be read" in refused(file, safetensors(json.dumps(header).encode(), bytes(12)))


def test_more_axes_than_an_array_has_are_left_out(file: File) -> None:
    header = {"x": entry("F32", [1] * 100, 0, 4), "y": entry("F32", [1], 4, 8)}
    assert list(arrays_of(file("m.safetensors", safetensors(json.dumps(header).encode(), bytes(8))))) == ["y"]


@pytest.mark.parametrize("name", ["\x1b[31m", "\u202e", "[bold]", "</script>", "x" * 10_000, "\0"])
def test_names_are_safe_in_messages(name: str, file: File) -> None:
    header = json.dumps({name: entry("F32", [2], 0, 4)}).encode()
    assert len(refused(file, safetensors(header, bytes(4)))) < 700


def test_any_eight_bytes_before_a_brace(file: File) -> None:
    """A text that happens to have a brace this file does not exist."""
    with pytest.raises(InputFileError, match="this is not a model file that we know"):
        read_model(file("notes.txt", b"model = {1: 2}"), 10**8)


# --- memory -----------------------------------------------------------------------------------------------------------


def test_a_file_above_the_budget_is_refused_unread(file: File) -> None:
    message = refused(file, packed({"x": np.zeros(10**6, "float32")}), 4, budget=10**7)
    assert "bytes of memory, and the budget is 10,000,000" in message


def test_halves_are_counted_as_they_will_be(file: File) -> None:
    halves = packed({"x": np.zeros(10**6, "float16")})
    assert "reading 4,000,000 bytes of weights takes 12,000,000 bytes of memory" in refused(file, halves, 4, budget=8 * 10**6)
    assert arrays_of(file("m.safetensors", halves), 13 * 10**6)["x"].nbytes == 4 * 10**6


def test_a_header_that_would_fill_the_memory_is_refused_unparsed(file: File) -> None:
    content = safetensors(b'{"x":[' + b"{}," * 10**5 + b"{}]}")
    tracemalloc.start()
    refused(file, content, 4, budget=10**6)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10**6
    refused(file, content, 3)


@pytest.mark.parametrize(("dtype", "kind"), [("float16", None), ("float16", "BF16"), ("float32", None), ("float64", None)])
def test_reading_stays_within_the_budget(dtype: str, kind: str | None, file: File) -> None:
    content = packed(keras_layer(200, 200, dtype), dict.fromkeys(keras_layer(), kind) if kind else None)
    name = file("m.safetensors", content)
    budget = 3 * len(content) * (2 if dtype == "float16" else 1)
    read_model(name, budget)
    tracemalloc.start()
    read_model(name, budget)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most <= budget


def test_without_the_library_its_name_is_told(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(MissingExtraError, match="needs safetensors, which is not installed"):
        read_model(file("m.safetensors", WHOLE), 10**8)


def test_the_errors_are_the_ones_that_are_meant() -> None:
    assert (InputFileError.exit_code, RefusedError.exit_code, MissingExtraError.exit_code) == (3, 4, 6)
