"""Which format a model file has: its first bytes decide, and for zip archives the members; then the name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

from lstm_explain.errors import InputFileError

if TYPE_CHECKING:
    from lstm_explain.readers.containers.bounded_file import MemoryBudget

ModelFormat: TypeAlias = Literal["npz", "safetensors", "pytorch", "keras", "hdf5", "onnx", "flax"]

SUFFIXES = ".npz, .safetensors, .pt, .keras, .h5, .onnx or .msgpack"
HDF5_MAGIC, ZIP_MAGIC, PICKLE_MAGIC = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"\x80"
MAX_SAFETENSORS_HEADER = 10**8
ONNX_INTEGER_FIELDS, ONNX_LENGTH_FIELDS = {1, 5}, {2, 3, 4, 6, 7, 8, 14, 20, 25, 26}
"""The fields of ONNX's `ModelProto`: whole numbers, and what has a length."""
ONNX_GRAPH_FIELD = 7
MAX_ONNX_FIELDS = 10_000
MAX_VARINT_BYTES = 10
MSGPACK_SHORT_MAPS, MSGPACK_MAP_16, MSGPACK_MAP_32 = range(0x81, 0x90), 0xDE, 0xDF
MSGPACK_SHORT_STRINGS, MSGPACK_STRING_8 = range(0xA1, 0xC0), 0xD9
"""How msgpack begins a map, and a string: with its size in the byte itself, or in the bytes that follow."""


def detect_format(file: BinaryIO, name: str, budget: MemoryBudget) -> ModelFormat:
    """Return the format of a model file, and leave the file at its start.

    Raises:
        InputFileError: the format is unknown, the file is empty, or a pickle outside of an archive.
        RefusedError: it is a zip archive with more members than any model.
    """
    start = file.read(16)
    file.seek(0)
    suffix = Path(name).suffix.lower()
    if start.startswith(ZIP_MAGIC):
        return _detect_zip_format(file, budget)
    if start.startswith(HDF5_MAGIC):
        return "hdf5"
    if not start:
        raise InputFileError(budget.name, "the file is empty", f"Give {SUFFIXES}")
    is_safetensors = start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= MAX_SAFETENSORS_HEADER
    if suffix == ".safetensors" or is_safetensors:
        return "safetensors"
    is_msgpack = looks_like_msgpack(start)
    if looks_like_onnx(file) or (suffix == ".onnx" and not is_msgpack):
        return "onnx"
    if is_msgpack or suffix in (".msgpack", ".flax"):
        return "flax"
    if start.startswith(PICKLE_MAGIC):
        fix = "Save it anew with torch.save(model.state_dict(), file), which torch 1.6 and later write as a zip archive"
        raise InputFileError(budget.name, "this is a pickle, and reading it would run the program in it", fix)
    raise InputFileError(budget.name, "this is not a model file that we know", f"Give {SUFFIXES}")


def _detect_zip_format(file: BinaryIO, budget: MemoryBudget) -> ModelFormat:
    from lstm_explain.readers.containers.zip_archive import ZipArchive

    names = ZipArchive(file, budget).member_names
    file.seek(0)
    if any(name == "data.pkl" or name.endswith("/data.pkl") for name in names):
        return "pytorch"
    if "config.json" in names and any(name.endswith(".weights.h5") for name in names):
        return "keras"
    return "npz"


def looks_like_onnx(file: BinaryIO) -> bool:
    """Whether the file's fields are those of a `ModelProto`, including a graph; leaves the file at its start."""
    try:
        return _has_model_fields(file, file.seek(0, os.SEEK_END))
    finally:
        file.seek(0)


def _has_model_fields(file: BinaryIO, size: int) -> bool:
    position, seen = 0, set()
    for _ in range(MAX_ONNX_FIELDS):
        if position == size:
            return ONNX_GRAPH_FIELD in seen
        file.seek(position)
        start = file.read(2 * MAX_VARINT_BYTES)
        tag, tag_end = _parse_varint(start, 0)
        field, wire_type = tag >> 3, tag & 7
        value, end = _parse_varint(start, tag_end)
        is_known = (wire_type == 0 and field in ONNX_INTEGER_FIELDS) or (wire_type == 2 and field in ONNX_LENGTH_FIELDS)
        if not tag_end or not end or not is_known:
            return False
        position += end + (value if wire_type == 2 else 0)
        seen.add(field)
        if position > size:
            return False
    return False


def _parse_varint(data: bytes, start: int) -> tuple[int, int]:
    """Return a number and where it ends; 0 where it does not."""
    value = 0
    for index, byte in enumerate(data[start : start + MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, start + index + 1
    return 0, 0


def looks_like_msgpack(start: bytes) -> bool:
    """Whether a file begins as a msgpack map whose first key is a string, as Flax writes it."""
    if not start:
        return False
    key_at = {MSGPACK_MAP_16: 3, MSGPACK_MAP_32: 5}.get(start[0], 1 if start[0] in MSGPACK_SHORT_MAPS else 0)
    return 0 < key_at < len(start) and (start[key_at] in MSGPACK_SHORT_STRINGS or start[key_at] == MSGPACK_STRING_8)
