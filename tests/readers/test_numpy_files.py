"""`.npz` archives as models: which arrays are read, and headers that announce what does not follow."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lstm_explain.errors import InputFileError, LstmExplainError, RefusedError
from lstm_explain.library import seeded
from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.numpy_files import read_npz
from lstm_explain.readers.identify.find_lstms import find_lstms
from lstm_explain.render.numpy_files import write_run
from lstm_explain.topics.trace import stream_trace
from tests.helpers.model_files.arrays import keras_layer, npy, npy_header, npz, pytorch_layer, zipped

Array = np.ndarray[Any, Any]
BUDGET = 10**8


def arrays_of(content: bytes, budget: int = BUDGET) -> dict[str, Array]:
    return read_npz(io.BytesIO(content), MemoryBudget("x.npz", budget)).arrays


def refused(content: bytes, kind: type[LstmExplainError] = InputFileError, budget: int = BUDGET) -> str:
    with pytest.raises(kind) as raised:
        arrays_of(content, budget)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 500
    return str(raised.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8", "g"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_floating_point_numbers_of_every_type_and_layout(dtype: str, order: Any, method: int) -> None:
    array = np.asarray(np.sin(np.arange(24)).reshape(4, 6).astype(dtype), order=order)
    found = arrays_of(npz({"a": array, "b": array[:, :1]}, method))
    wide = np.dtype(dtype).itemsize >= 8
    assert list(found) == ["a", "b"]
    assert found["a"].dtype == (np.float64 if wide else np.float32)
    assert np.array_equal(found["a"], array.astype(found["a"].dtype))
    assert np.array_equal(found["b"], array[:, :1].astype(found["a"].dtype))


def test_other_arrays_are_left_out() -> None:
    beside = {"steps": np.arange(3), "mask": np.ones(2, bool), "word": np.array("v1"), "none": np.ones((0, 2))}
    assert list(arrays_of(npz({**beside, "a": np.ones(2)}))) == ["a"]
    assert arrays_of(npz(beside)) == {}


def test_other_members_are_left_out() -> None:
    assert list(arrays_of(zipped({"readme.txt": b"x", "a.npy": npy(np.ones(2)), "folder/": b""}))) == ["a"]
    assert "this zip archive contains no .npy array" in refused(zipped({"readme.txt": b"x"}))


def test_objects_are_refused_unread() -> None:
    objects = np.array([print], dtype=object)
    stream = io.BytesIO()
    np.lib.format.write_array(stream, objects, allow_pickle=True)
    message = refused(zipped({"a.npy": npy(np.ones(2)), "b.npy": stream.getvalue()}))
    assert message.startswith("x.npz#b: it holds Python objects, and reading those would run whatever program")


def test_of_a_run_of_ours_the_weights_alone_are_read() -> None:
    lstm = seeded(samples=40, timesteps=30, units=3, layers=2, bidirectional=True, peepholes=True, dtype="float64")
    stream, run = stream_trace(lstm), io.BytesIO()
    write_run(stream, stream.blocks(), run, None)
    read = arrays_of(run.getvalue(), len(run.getvalue()) // 3)
    assert len(read) == 4 * 4  # four tensors of four layers and directions; no x, no gates
    (found,) = find_lstms(read, "x")
    assert found.spec == replace(lstm.spec, samples=1, timesteps=1)
    for layer in range(2):
        for way, part in found.weights.layers[layer].items():
            assert all(
                np.array_equal(array, lstm.weights.of(layer, way).tensors()[key]) for key, array in part.tensors().items()
            )


# --- headers that lie -------------------------------------------------------------------------------------------------


def header(shape: str, descr: str = "'<f4'") -> bytes:
    return npy_header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    "shape", ["(1099511627776,)", "(1048576, 1048576)", "(9007199254740991, 9007199254740991)", "(1,)", "()"]
)
def test_a_header_that_announces_terabytes(shape: str, method: int) -> None:
    tracemalloc.start()
    message = refused(zipped({"a.npy": header(shape)}, method))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "its header announces" in message
    assert message.endswith("bytes of numbers, and 0 follow. The file is cut or forged: write it anew.")
    assert most < 2 * 10**6


@pytest.mark.parametrize(
    "member",
    [
        b"",
        b"\x93NUMPY",
        b"not an array",
        npy_header("{'descr': '<f4'}"),
        npy_header("__import__('os').system('true')"),
        npy_header("(" * 5000),
        npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"),
        npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (True,)}"),
        npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,)}"),
        npy_header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {(1,) * 100}}}"),
        npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (9" + "9" * 5000 + ",)}"),
        npy(np.ones(4, "f4"))[:-1],
        npy(np.ones(4, "f4")) + b"\0",
    ],
)
def test_members_that_are_no_arrays(member: bytes) -> None:
    refused(zipped({"a.npy": member, "b.npy": npy(np.ones(2))}))


def test_a_cut_archive() -> None:
    content = npz(keras_layer(), zipfile.ZIP_DEFLATED)
    for length in range(0, len(content), 11):
        refused(content[:length])


@pytest.mark.parametrize("name", ["\x1b[31mred", "\u202e", "[b]", "</script>", "x" * 5000])
def test_names_are_safe_in_messages(name: str) -> None:
    refused(zipped({f"{name}.npy": b"no array"}))


# --- memory -----------------------------------------------------------------------------------------------------------


def test_arrays_above_the_budget_are_refused_unread() -> None:
    content = npz({"a": np.zeros(10**6), "b": np.zeros(10**6)}, zipfile.ZIP_DEFLATED)
    assert len(content) < 10**5
    tracemalloc.start()
    message = refused(content, RefusedError, 4 * 10**7)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message.startswith("x.npz: reading its arrays of 16,000,256 bytes takes 48,000,768 bytes of memory, and the budget")
    assert most < 2 * 10**6


def test_halves_are_counted_as_they_will_be() -> None:
    content = npz({"a": np.zeros(10**6, "f2")})
    assert "reading its arrays of 4,000,000 bytes" in refused(content, RefusedError, 8 * 10**6)
    assert arrays_of(content, 13 * 10**6)["a"].nbytes == 4 * 10**6


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("layer", [keras_layer, pytorch_layer])
@pytest.mark.parametrize("features", [2, 400])
def test_reading_stays_within_the_budget(dtype: str, layer: Any, features: int) -> None:
    content = npz(layer(features, 150, dtype=dtype))
    budget = 3 * len(content) * (2 if dtype == "float16" else 1)
    assert find_lstms(arrays_of(content, budget), "x")[0].spec.units == 150
    stream = io.BytesIO(content)
    tracemalloc.start()
    find_lstms(read_npz(stream, MemoryBudget("x.npz", budget)).arrays, "x")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most <= budget
