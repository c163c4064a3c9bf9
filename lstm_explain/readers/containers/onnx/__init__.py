"""ONNX files: a model parsed within a memory budget, its graphs, its tensors and what it computes from constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from lstm_explain.errors import InputFileError, MissingExtraError, RefusedError
from lstm_explain.readers.containers.bounded_file import error_reason, file_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lstm_explain.readers.containers.bounded_file import MemoryBudget

MAX_FIELDS = 2_000_000
"""More than any recurrent model has; counting them takes seconds."""
MAX_MESSAGE_DEPTH = 200
"""Deeper than the library parses."""
MESSAGE_BYTES, STRING_BYTES, NUMBER_BYTES = 640, 128, 32
"""Memory that a field takes beyond its bytes in the file. Measured for messages: 80 to 200 in the library and 190 more when
Python holds one; the rest is for what we keep of it."""
PACKED_BYTES = 8
"""Memory for each byte of a packed list, whose numbers may take one byte each."""
VARINT, LENGTH_DELIMITED, FIXED_SIZES, GROUPS = 0, 2, {1: 8, 5: 4}, (3, 4, 6, 7)
"""The wire types of protobuf. ONNX uses no groups, and 6 and 7 are not defined."""
FIX_EXPORT = "Export the model anew"


def parse_model(file: BinaryIO, budget: MemoryBudget) -> Any:
    """Parse an ONNX file into a `ModelProto`, after its size in memory has been taken from the budget.

    Raises:
        InputFileError: the file is malformed, or holds no graph.
        RefusedError: the model does not fit the budget.
        MissingExtraError: the library onnx is not installed.
    """
    try:
        from google.protobuf.message import DecodeError
        from onnx import ModelProto
    except ImportError:
        raise MissingExtraError(budget.name, "onnx") from None
    size = file_size(file)
    budget.take(size, "reading the file")
    data = file.read(size)
    budget.take(parsed_size(data, ModelProto.DESCRIPTOR, budget.name), "parsing this ONNX model")
    try:
        model = ModelProto.FromString(data)
    except (DecodeError, ValueError, RecursionError, MemoryError) as error:
        raise _not_onnx(budget.name, error_reason(error)) from None
    if not model.HasField("graph"):
        raise _not_onnx(budget.name, "it has no graph")
    return model


def parsed_size(data: bytes, descriptor: Any, name: str) -> int:
    """Return an upper bound on the memory that a protobuf message takes once it is parsed, with what we keep of it.

    The size of the file does not bound it: an empty message takes two bytes in the file and 200 in memory, so a file of 2 MB
    can take 200 MB, where an honest one takes little more than its own size. This counts the fields and builds nothing.

    Args:
        data: the serialized message.
        descriptor: the library's description of it, such as `ModelProto.DESCRIPTOR`.
        name: the file's name, safe to print.

    Raises:
        InputFileError: the bytes are not a protobuf message.
        RefusedError: the message has more fields than a recurrent model.
    """
    tables: dict[str, Mapping[int, Any]] = {}  # of each kind of message: its fields by number
    open_messages = [(len(data), descriptor)]  # where each ends, from the outermost to the one that is being read
    size, position = 2 * len(data), 0
    for _ in range(MAX_FIELDS + 1):
        while open_messages and position == open_messages[-1][0]:
            open_messages.pop()
        if not open_messages:
            return size
        end, message = open_messages[-1]
        if message.full_name not in tables:
            tables[message.full_name] = dict(message.fields_by_number.items())
        tag, position = _read_varint(data, position, end, name)
        field, wire_type = tables[message.full_name].get(tag >> 3), tag & 7
        length, position = _read_length(data, position, end, wire_type, name)
        if wire_type == LENGTH_DELIMITED and field is not None and field.message_type is not None:
            size += MESSAGE_BYTES
            open_messages.append((position + length, field.message_type))
            if len(open_messages) > MAX_MESSAGE_DEPTH:
                raise _not_onnx(name, f"its messages are nested more than {MAX_MESSAGE_DEPTH} deep")
        else:
            is_packed = field is not None and field.type not in (field.TYPE_STRING, field.TYPE_BYTES)
            string_size = STRING_BYTES + (PACKED_BYTES * length if is_packed else 0)
            size += string_size if wire_type == LENGTH_DELIMITED else NUMBER_BYTES
            position += length
    raise RefusedError(name, f"it has more than {MAX_FIELDS:,} fields, and recurrent models have far fewer")


def _read_varint(data: bytes, position: int, end: int, name: str) -> tuple[int, int]:
    """Read an integer of seven bits a byte; return it with the position behind it."""
    value = 0
    for shift, byte in zip(range(0, 70, 7), data[position : min(end, position + 10)], strict=False):
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position + shift // 7 + 1
    raise _not_onnx(name, f"its bytes make no sense at byte {position}")


def _read_length(data: bytes, position: int, end: int, wire_type: int, name: str) -> tuple[int, int]:
    """Read how many bytes a field's value takes after `position`; return it with that position, behind a varint."""
    length = FIXED_SIZES.get(wire_type, 0)
    if wire_type in (VARINT, LENGTH_DELIMITED):
        value, position = _read_varint(data, position, end, name)
        length = value if wire_type == LENGTH_DELIMITED else 0
    if length > end - position or wire_type in GROUPS:
        raise _not_onnx(name, f"its bytes make no sense at byte {position}")
    return length, position


def _not_onnx(name: str, reason: str) -> InputFileError:
    return InputFileError(name, f"this is not an ONNX model: {reason}", FIX_EXPORT)
