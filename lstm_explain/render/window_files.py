"""The windows of a table as a `.npy` file or `.npz` archive, written piece by piece: they are never in memory as a whole."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lstm_explain.render.npz_archive import EPOCH
from lstm_explain.topics.window.scaling import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.topics.window import Window


def write_npy(window: Window, file: BinaryIO) -> None:
    """Write the windows, [samples, timesteps, features]."""
    _write_pieces(file, window.x.shape, np.dtype(window.dtype), window.pieces_of_x())


def write_npz(window: Window, file: BinaryIO) -> None:
    """Write the windows as `x`, their targets as `y`, and what undoes the scaling.

    The numbers of the scaling are `x_mean` and `x_std`, or `x_min` and `x_max`, [features]; those of the targets `y_mean` and
    so on, without axes. The archive is not compressed.
    """
    dtype = np.dtype(window.dtype)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        with _open_window_member(archive, "x") as member:
            _write_pieces(member, window.x.shape, dtype, window.pieces_of_x())
        if window.y is not None:
            with _open_window_member(archive, "y") as member:
                _write_pieces(member, window.y.shape, dtype, window.pieces_of_y())
        for name, numbers in _scaling_members(window):
            with _open_window_member(archive, name) as member:
                _write_pieces(member, numbers.shape, numbers.dtype, [numbers])


def _scaling_members(window: Window) -> Iterator[tuple[str, Array]]:
    if window.scaling is None:
        return
    for name, numbers in zip(STATISTICS[window.scaling.kind], window.scaling.numbers, strict=True):
        yield f"x_{name}", numbers[: window.x.shape[2]]
        if window.target is not None:
            yield f"y_{name}", numbers[window.target]


def _open_window_member(archive: zipfile.ZipFile, name: str) -> Any:
    return archive.open(zipfile.ZipInfo(f"{name}.npy", EPOCH), "w", force_zip64=True)


def _write_pieces(file: Any, shape: tuple[int, ...], dtype: np.dtype[Any], pieces: Iterable[Array]) -> None:
    about = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, about)
    for piece in pieces:
        file.write(np.ascontiguousarray(piece).tobytes())
