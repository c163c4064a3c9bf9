"""How much memory an ONNX file takes once it is parsed, told from its bytes before anything is parsed.

ONNX files are protobuf messages. An empty message is two bytes in the file and some hundred in memory, so a small file can
become a large object. The walk here goes from field to field and builds nothing; the library's own tables say which fields
are messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.errors import InputFileError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_FIELDS, DEEPEST = 2_000_000, 200
"""More than any model of recurrent layers has, walking over so many takes seconds; and deeper than the library parses."""
MESSAGE, STRING, NUMBER = 640, 128, 32
"""Bytes in memory for each field of a kind, beyond the bytes in the file. Measured for messages: 80 to 200 in the library and
190 more once Python holds one; the rest is what we keep of it."""
PACKED = 8
"""Bytes in memory for each byte of a packed list, whose numbers may be one byte each."""
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""The wire types of protobuf; 3 and 4 are groups, which ONNX has none of."""


class _Part(NamedTuple):
    """What is left of a message."""

    at: int
    end: int
    kind: Any
    """The library's descriptor of the message."""


def parsed_bytes(data: bytes, descriptor: Any, name: str) -> int:
    """An upper bound on the bytes of memory that a message takes, with what is kept of it.

    Args:
        data: the message.
        descriptor: the library's description of it, such as `ModelProto.DESCRIPTOR`.
        name: the file's name, safe to print.

    Raises:
        InputFileError: the bytes are no protobuf message.
        RefusedError: it has more fields than are looked at.
    """
    walk = _Walk(data, name)
    parts = [_Part(0, len(data), descriptor)]  # a message, and those around it
    while parts:
        parts += walk.over(parts.pop())
        if len(parts) > DEEPEST:
            raise InputFileError(
                name, f"this is no ONNX model: its parts are nested more than {DEEPEST} deep", "Export it anew"
            )
    return walk.needed + 2 * len(data)


class _Walk:
    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name = data, name
        self.needed = self.fields = 0
        self.tables: dict[str, Mapping[int, Any]] = {}

    def over(self, part: _Part) -> list[_Part]:
        """Count fields up to the next message that is not empty; it and the rest of this one are still to be done."""
        at, end, kind = part
        table = self._table(kind)
        while at < end:
            tag, at = self._varint(at, end)
            field, wire = table.get(tag >> 3), tag & 7
            self._count()
            if wire != LENGTH:
                at = self._number(wire, at, end)
                continue
            length, at = self._varint(at, end)
            if length > end - at:
                raise self._malformed(at)
            inner = self._sized(field, length)
            at += length
            if inner is not None and length:
                return [_Part(at, end, kind), _Part(at - length, at, inner)]
        return []

    def _sized(self, field: Any, length: int) -> Any:
        """Count a field of a known length; the kind of message it is, None for others."""
        if field is None or field.message_type is None:
            packed = field is not None and field.type not in (field.TYPE_STRING, field.TYPE_BYTES)
            self.needed += STRING + (PACKED * length if packed else 0)
            return None
        self.needed += MESSAGE
        return field.message_type

    def _number(self, wire: int, at: int, end: int) -> int:
        self.needed += NUMBER
        if wire == VARINT:
            return self._varint(at, end)[1]
        sizes = {FIXED64: 8, FIXED32: 4}
        if wire not in sizes or sizes[wire] > end - at:
            raise self._malformed(at)
        return at + sizes[wire]

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while at < end and shift < 70:
            byte = self.data[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at
        raise self._malformed(at)

    def _table(self, kind: Any) -> Mapping[int, Any]:
        if kind.full_name not in self.tables:
            self.tables[kind.full_name] = dict(kind.fields_by_number.items())
        return self.tables[kind.full_name]

    def _count(self) -> None:
        self.fields += 1
        if self.fields > MOST_FIELDS:
            raise RefusedError(self.name, f"it has more than {MOST_FIELDS:,} fields, which no model of recurrent layers has")

    def _malformed(self, at: int) -> InputFileError:
        return InputFileError(self.name, f"this is no ONNX model: its bytes make no sense at byte {at}", "Export it anew")
