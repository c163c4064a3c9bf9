"""A whole run as an NPZ archive: inputs, outputs, and every layer's weights and tensors, at constant memory."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lstm_explain.core.gates import GATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from lstm_explain.core.axes import Array
    from lstm_explain.core.record import Block
    from lstm_explain.topics.trace import TraceStream

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip member can bear: the same run gives the same bytes


def write_archive(stream: TraceStream, blocks: Iterable[Block], file: BinaryIO, spool: Path | None) -> None:
    """Write the archive.

    Args:
        stream: what is written; units and timesteps are all of them.
        blocks: the stream's blocks.
        file: where to; it need not be seekable.
        spool: the folder for the tensors while the run goes on; the system's own for temporary files if None.
    """
    with tempfile.TemporaryDirectory(prefix=".lstm-explain-", dir=spool) as folder:
        members = _spool_tensors(stream, blocks, folder)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, array in _weight_members(stream):
                with _open_member(archive, name) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
            for name, (path, shape, dtype) in members.items():
                with _open_member(archive, name) as member, open(path, "rb") as values:  # noqa: PTH123
                    _write_header(member, shape, dtype)
                    shutil.copyfileobj(values, member, 2**20)


def write_arrays(arrays: Mapping[str, Array], file: BinaryIO) -> None:
    """Write arrays that are there already; the same arrays give the same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with _open_member(archive, name) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)


def _open_member(archive: zipfile.ZipFile, name: str) -> Any:
    return archive.open(zipfile.ZipInfo(f"{name}.npy", EPOCH), "w", force_zip64=True)


def _write_header(member: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    about = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(member, about)


def _weight_members(stream: TraceStream) -> Iterator[tuple[str, Array]]:
    for layer, way in stream.places:
        for name, array in stream.lstm.weights.of(layer, way).tensors().items():
            yield f"layer{layer}.{way.value}.{name}", array
    if stream.lstm.lengths is not None:
        yield "lengths", np.array(stream.lstm.lengths)[stream.samples.start : stream.samples.stop]


def _spool_tensors(
    stream: TraceStream, blocks: Iterable[Block], folder: str
) -> dict[str, tuple[str, tuple[int, ...], np.dtype[Any]]]:
    """Append each block's tensors to a file each; the file, shape and type of each by name."""
    members: dict[str, tuple[str, tuple[int, ...], np.dtype[Any]]] = {}
    for block in blocks:
        for name, array in _block_tensors(stream, block):
            path = members[name][0] if name in members else f"{folder}/{len(members)}"
            with open(path, "ab") as file:  # noqa: PTH123
                file.write(np.ascontiguousarray(array).data)
            members[name] = path, (len(stream.samples), *array.shape[1:]), array.dtype
    return members


def _block_tensors(stream: TraceStream, block: Block) -> Iterator[tuple[str, Array]]:
    yield "x", block.record.input[block.positions]
    yield "output", block.record.output[block.positions]
    for layer, way in stream.places:
        part = block.record.of(layer, way)
        for name in (*(gate.value for gate in GATES), "cell", "hidden"):
            yield f"layer{layer}.{way.value}.{name}", getattr(part, name)[block.positions]
