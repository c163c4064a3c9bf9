"""The windows as files: what numpy reads back is what was shown, whatever the pieces."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest

from lstm_explain.render import window_files
from lstm_explain.topics import window as module
from lstm_explain.topics.window import explain_window
from lstm_explain.topics.window.time_series import Series

VALUES = np.random.default_rng(0).normal(3, 2, (40, 3))


@pytest.mark.parametrize("piece", [1, 7, 30, 10**6])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_npy_file_holds_every_window(piece: int, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_SIZE", piece)
    file = io.BytesIO()
    window_files.write_npy(explain_window(VALUES, 5, 3, dtype=dtype), file)
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
    window_files.write_npz(window, file)
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
    window_files.write_npz(explain_window(VALUES, 5), file)
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["x.npy"]


def test_the_same_windows_give_the_same_bytes_stored_as_they_are() -> None:
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        window_files.write_npz(explain_window(VALUES, 5, target=0), file)
    assert files[0].getvalue() == files[1].getvalue()
    with zipfile.ZipFile(files[0]) as archive:
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
