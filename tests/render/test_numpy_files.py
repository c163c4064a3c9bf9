"""NPZ and NPY: the documented arrays, equal to those of the library, and the same bytes each time."""

from __future__ import annotations

import io
import zipfile
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.core.gates import Direction
from lstm_explain.render.numpy_files import write_run, write_windows_npy, write_windows_npz
from lstm_explain.topics import window as window_module
from lstm_explain.topics.trace import stream_trace
from lstm_explain.topics.window import explain_window
from lstm_explain.topics.window.time_series import Series

if TYPE_CHECKING:
    from pathlib import Path

    from lstm_explain.core.lstm import LSTM

STACK = {"samples": 300, "timesteps": 4, "features": 3, "units": 5}
TENSORS = ("input_gate", "forget_gate", "candidate", "output_gate", "cell", "hidden")
WEIGHTS = ("kernel", "recurrent_kernel", "bias")
RUNS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, set()),
    ({"layers": 2, "bidirectional": True}, set()),
    ({"projection": 2}, {"projection"}),
    ({"peepholes": True, "dtype": "float64"}, {"peephole"}),
    ({"lengths": [1 + sample % 4 for sample in range(300)], "bidirectional": True}, set()),
]


def lstm(run: dict[str, Any]) -> LSTM:
    return lstm_explain.seeded(**{**STACK, **run})


def archive(model: LSTM, folder: Path, sample: int | None = None) -> bytes:
    stream, file = stream_trace(model, sample), io.BytesIO()
    write_run(stream, stream.blocks(), file, folder)
    assert list(folder.iterdir()) == [], "what was put by meanwhile is gone"
    return file.getvalue()


def members(data: bytes) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(io.BytesIO(data), allow_pickle=False) as loaded:
        return dict(loaded)


@pytest.mark.parametrize(("run", "more"), RUNS)
def test_the_members_and_their_axes(run: dict[str, Any], more: set[str], tmp_path: Path) -> None:
    model = lstm(run)
    spec = model.spec
    found = members(archive(model, tmp_path))
    places = [f"layer{layer}.{way}" for layer in range(len(spec.layers)) for way in spec.directions]
    names = {f"{place}.{name}" for place in places for name in {*TENSORS, *WEIGHTS, *more}}
    assert set(found) == {"x", "output", *names, *({"lengths"} if "lengths" in run else set())}
    shapes = {name: array.shape for name, array in found.items()}
    assert shapes["x"] == (300, 4, 3)
    assert shapes["output"] == (300, 4, spec.output)
    for layer in range(len(spec.layers)):
        for way in spec.directions:
            place = f"layer{layer}.{way}"
            assert {shapes[f"{place}.{name}"] for name in TENSORS[:5]} == {(300, 4, 5)}
            assert shapes[f"{place}.hidden"] == (300, 4, spec.hidden)
            assert shapes[f"{place}.kernel"] == (spec.features_of(layer), 4 * 5)
            assert shapes[f"{place}.recurrent_kernel"] == (spec.hidden, 4 * 5)
            assert shapes[f"{place}.bias"] == (4 * 5,)
    assert {array.dtype for name, array in found.items() if name != "lengths"} == {np.dtype(spec.dtype)}


@pytest.mark.parametrize(("run", "more"), RUNS)
def test_the_numbers_are_the_librarys(run: dict[str, Any], more: set[str], tmp_path: Path) -> None:
    model = lstm(run)
    found = members(archive(model, tmp_path))
    for start in (0, 128, 256):
        record, part = model.run(*model.block_of(start)), slice(*model.block_of(start))
        np.testing.assert_array_equal(found["x"][part], record.input)
        np.testing.assert_array_equal(found["output"][part], record.output)
        for layer, way, name in product(range(len(model.spec.layers)), model.spec.directions, TENSORS):
            made = getattr(record.of(layer, way), name)
            np.testing.assert_array_equal(found[f"layer{layer}.{way}.{name}"][part], made)
    for layer, way, name in product(range(len(model.spec.layers)), model.spec.directions, {*WEIGHTS, *more}):
        weights = getattr(model.weights.of(layer, way), name)
        np.testing.assert_array_equal(found[f"layer{layer}.{way}.{name}"], weights)
    if "lengths" in run:
        assert found["lengths"].tolist() == run["lengths"]


def test_no_bias_no_member(tmp_path: Path) -> None:
    assert "layer0.forward.bias" not in members(archive(lstm({"bias": False}), tmp_path))


@pytest.mark.parametrize("sample", [0, 200, 299])
def test_one_sample_is_that_of_all(sample: int, tmp_path: Path) -> None:
    model = lstm(RUNS[4][0])
    alone, among = members(archive(model, tmp_path, sample)), members(archive(model, tmp_path))
    assert set(alone) == set(among)
    for name, array in alone.items():
        whole = name.rpartition(".")[2] in WEIGHTS
        np.testing.assert_array_equal(array, among[name] if whole else among[name][sample : sample + 1])


@pytest.mark.parametrize(("run", "more"), RUNS)
def test_the_same_run_gives_the_same_bytes(run: dict[str, Any], more: set[str], tmp_path: Path) -> None:
    assert archive(lstm(run), tmp_path) == archive(lstm(run), tmp_path)


def test_the_padding_of_gates_is_nan_and_of_outputs_zero(tmp_path: Path) -> None:
    found = members(archive(lstm({"lengths": [2] * 300}), tmp_path))
    assert np.isnan(found["layer0.forward.input_gate"][:, 2:]).all()
    assert not np.isnan(found["layer0.forward.input_gate"][:, :2]).any()
    assert not found["output"][:, 2:].any()


def test_a_stream_that_cannot_go_back_holds_the_same(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.got = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.got += bytes(data)
            return len(data)

    model = lstm({})
    stream, pipe = stream_trace(model), Pipe()
    write_run(stream, stream.blocks(), pipe, tmp_path)  # type: ignore[arg-type]
    piped, whole = members(pipe.got), members(archive(model, tmp_path))
    assert set(piped) == set(whole)
    assert all(np.array_equal(piped[name], whole[name]) for name in whole)


def test_members_are_stored_without_dates_or_names_of_this_machine(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(archive(lstm({}), tmp_path))) as opened:
        for member in opened.infolist():
            assert member.date_time == (1980, 1, 1, 0, 0, 0)
            assert member.compress_type == zipfile.ZIP_STORED
            assert member.filename.endswith(".npy")


def test_a_run_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    stream = stream_trace(lstm({}))

    def broken() -> Any:
        yield next(iter(stream.blocks()))
        assert len(list(tmp_path.iterdir())) == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_run(stream, broken(), io.BytesIO(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_direction_in_a_name_is_spelled_out(tmp_path: Path) -> None:
    found = members(archive(lstm({"bidirectional": True}), tmp_path))
    assert {name.split(".")[1] for name in found if name.startswith("layer")} == {way.value for way in Direction}


# --- windows ----------------------------------------------------------------------------------------------------------

VALUES = np.random.default_rng(0).normal(3, 2, (40, 3))


@pytest.mark.parametrize("piece", [1, 7, 30, 10**6])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_npy_file_holds_every_window(piece: int, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_module, "CHUNK_SIZE", piece)
    file = io.BytesIO()
    write_windows_npy(explain_window(VALUES, 5, 3, dtype=dtype), file)
    file.seek(0)
    found = np.load(file)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, [VALUES[first : first + 5].astype(dtype) for first in range(0, 36, 3)])
    assert file.read() == b""


@pytest.mark.parametrize(("scale", "names"), [("standard", ("mean", "std")), ("minmax", ("min", "max"))])
def test_an_archive_holds_targets_and_what_undoes_the_scaling(scale: str, names: tuple[str, str]) -> None:
    series = Series(VALUES, features=2)
    window = explain_window(series, 5, 3, horizon=2, target=2, scale=scale, dtype="float64")
    file = io.BytesIO()
    write_windows_npz(window, file)
    file.seek(0)
    with np.load(file) as loaded:
        found = dict(loaded)
    assert tuple(found) == ("x", "y", *(f"{letter}_{name}" for name in names for letter in "xy"))
    first, second = names
    for letter, original in (
        ("x", [VALUES[start : start + 5, :2] for start in range(0, 34, 3)]),
        ("y", [VALUES[start + 5 : start + 7, 2] for start in range(0, 34, 3)]),
    ):
        shift, size = found[f"{letter}_{first}"], found[f"{letter}_{second}"]
        size = size - shift if scale == "minmax" else size
        np.testing.assert_allclose(found[letter] * size + shift, original, rtol=1e-12)


def test_without_targets_and_scaling_there_is_x_alone() -> None:
    file = io.BytesIO()
    write_windows_npz(explain_window(VALUES, 5), file)
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["x.npy"]


def test_the_same_windows_give_the_same_bytes_stored_as_they_are() -> None:
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        write_windows_npz(explain_window(VALUES, 5, target=0), file)
    assert files[0].getvalue() == files[1].getvalue()
    with zipfile.ZipFile(files[0]) as archive:
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
