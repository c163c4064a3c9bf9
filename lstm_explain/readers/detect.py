"""Telling ONNX and msgpack files by their content, which begin with no mark of their own. Nothing is parsed or kept."""

from __future__ import annotations

import os
from typing import BinaryIO

NUMBERS, LENGTHS = {1, 5}, {2, 3, 4, 6, 7, 8, 14, 20, 25, 26}
"""The fields of ONNX's `ModelProto`: whole numbers, and what has a length. The graph is field 7."""
GRAPH = 7
MOST_FIELDS = 10_000
LONGEST_VARINT = 10
SHORT_MAP, MAP_16, MAP_32 = range(0x81, 0x90), 0xDE, 0xDF
SHORT_TEXT, TEXT_8 = range(0xA1, 0xC0), 0xD9
"""How msgpack begins a map, and a text: with its size in the byte itself, or behind it."""


def looks_like_onnx(file: BinaryIO) -> bool:
    """Whether the fields are those of a `ModelProto`, a graph among them, up to its end; the file stands at 0 then."""
    try:
        return _fields(file, file.seek(0, os.SEEK_END))
    finally:
        file.seek(0)


def _fields(file: BinaryIO, size: int) -> bool:
    at, seen = 0, set()
    for _ in range(MOST_FIELDS):
        if at == size:
            return GRAPH in seen
        file.seek(at)
        start = file.read(2 * LONGEST_VARINT)
        tag, behind = _varint(start, 0)
        field, wire = tag >> 3, tag & 7
        value, end = _varint(start, behind)
        if not behind or not end or not ((wire == 0 and field in NUMBERS) or (wire == 2 and field in LENGTHS)):
            return False
        at += end + (value if wire == 2 else 0)
        seen.add(field)
        if at > size:
            return False
    return False


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends; 0 where it does not."""
    value = 0
    for place, byte in enumerate(data[at : at + LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    return 0, 0


def looks_like_msgpack(start: bytes) -> bool:
    """Whether a file begins as a msgpack map whose first key is a text, as Flax writes it."""
    ahead = {MAP_16: 3, MAP_32: 5}.get(start[0], 1 if start[0] in SHORT_MAP else 0) if start else 0
    return bool(ahead) and len(start) > ahead and (start[ahead] in SHORT_TEXT or start[ahead] == TEXT_8)
