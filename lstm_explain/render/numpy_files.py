"""numpy's `.npz` archives and `.npy` files: runs and windows are written piece by piece, never held in memory as a whole."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from lstm_explain.core.axes import Array
    from lstm_explain.core.record import Block
    from lstm_explain.topics.trace import TraceStream
    from lstm_explain.topics.window import Window

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date of a zip member: the same arrays give the same bytes."""


class _ArrayHeader(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def write(self, file: Any) -> None:
        fields = {"descr": np.lib.format.dtype_to_descr(self.dtype), "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(file, fields)


def write_arrays(arrays: Mapping[str, Array], file: BinaryIO) -> None:
    """Write arrays that are in memory as an archive."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            _write_member(archive, name, np.ascontiguousarray(array))


def _write_member(archive: zipfile.ZipFile, name: str, array: Array) -> None:
    with _open_member(archive, name) as member:
        np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)


def _open_member(archive: zipfile.ZipFile, name: str) -> Any:
    return archive.open(zipfile.ZipInfo(f"{name}.npy", EPOCH), "w", force_zip64=True)


# --- a whole run ------------------------------------------------------------------------------------------------------


def write_run(stream: TraceStream, blocks: Iterable[Block], file: BinaryIO, spool: Path | None) -> None:
    """Write a run as an archive: inputs, outputs, and every layer's weights and tensors.

    Args:
        stream: the run, with all its units and timesteps.
        blocks: the stream's blocks.
        file: the archive; it need not be seekable.
        spool: the folder for the tensors while the run goes on; the system's own for temporary files if None.
    """
    with tempfile.TemporaryDirectory(prefix=".lstm-explain-", dir=spool) as folder:
        tensors = _spool_tensors(stream, blocks, folder)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, array in _weight_members(stream):
                _write_member(archive, name, array)
            for name, (path, header) in tensors.items():
                with _open_member(archive, name) as member, open(path, "rb") as values:  # noqa: PTH123
                    header.write(member)
                    shutil.copyfileobj(values, member, 2**20)


def _weight_members(stream: TraceStream) -> Iterator[tuple[str, Array]]:
    for layer, direction in stream.places:
        for name, array in stream.lstm.weights.of(layer, direction).tensors().items():
            yield f"layer{layer}.{direction.value}.{name}", array
    if stream.lstm.lengths is not None:
        yield "lengths", np.array(stream.lstm.lengths)[stream.samples.start : stream.samples.stop]


def _spool_tensors(stream: TraceStream, blocks: Iterable[Block], folder: str) -> dict[str, tuple[str, _ArrayHeader]]:
    """Append each block's tensors to one file for each name; return the files, and the headers of the whole tensors."""
    tensors: dict[str, tuple[str, _ArrayHeader]] = {}
    for block in blocks:
        for name, array in _block_tensors(stream, block):
            path = tensors[name][0] if name in tensors else f"{folder}/{len(tensors)}"
            with open(path, "ab") as file:  # noqa: PTH123
                file.write(np.ascontiguousarray(array).data)
            tensors[name] = path, _ArrayHeader((len(stream.samples), *array.shape[1:]), array.dtype)
    return tensors


def _block_tensors(stream: TraceStream, block: Block) -> Iterator[tuple[str, Array]]:
    yield "x", block.record.input[block.positions]
    yield "output", block.record.output[block.positions]
    for layer, direction in stream.places:
        layer_record = block.record.of(layer, direction)
        for name in (*(gate.value for gate in GATES), "cell", "hidden"):
            yield f"layer{layer}.{direction.value}.{name}", getattr(layer_record, name)[block.positions]


# --- windows of a table -----------------------------------------------------------------------------------------------


def write_windows_npy(window: Window, file: BinaryIO) -> None:
    """Write the windows, [samples, timesteps, features]."""
    _write_pieces(file, _ArrayHeader(window.x.shape, np.dtype(window.dtype)), window.pieces_of_x())


def write_windows_npz(window: Window, file: BinaryIO) -> None:
    """Write the windows as `x`, their targets as `y`, and what undoes the scaling.

    The numbers of the scaling are `x_mean` and `x_std`, or `x_min` and `x_max`, [features]; those of the targets `y_mean` and
    so on, without axes. The archive is not compressed.
    """
    dtype = np.dtype(window.dtype)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        with _open_member(archive, "x") as member:
            _write_pieces(member, _ArrayHeader(window.x.shape, dtype), window.pieces_of_x())
        if window.y is not None:
            with _open_member(archive, "y") as member:
                _write_pieces(member, _ArrayHeader(window.y.shape, dtype), window.pieces_of_y())
        for name, numbers in _scaling_members(window):
            _write_member(archive, name, numbers)


def _scaling_members(window: Window) -> Iterator[tuple[str, Array]]:
    from lstm_explain.topics.window.time_series import STATISTICS

    if window.scaling is None:
        return
    for name, numbers in zip(STATISTICS[window.scaling.kind], window.scaling.numbers, strict=True):
        yield f"x_{name}", numbers[: window.x.shape[2]]
        if window.target is not None:
            yield f"y_{name}", numbers[window.target]


def _write_pieces(file: Any, header: _ArrayHeader, pieces: Iterable[Array]) -> None:
    header.write(file)
    for piece in pieces:
        file.write(np.ascontiguousarray(piece).tobytes())
