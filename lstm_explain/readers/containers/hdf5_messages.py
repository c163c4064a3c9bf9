"""What the messages in the header of an HDF5 object say: datatypes and attributes, looked at before pyfive reads them."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.errors import LstmExplainError

FLOATS = {
    (2, 0, 16, 10, 5, 0, 10, 15): "f2",
    (2, 0, 16, 7, 8, 0, 7, 127): "bfloat16",
    (4, 0, 32, 23, 8, 0, 23, 127): "f4",
    (8, 0, 64, 52, 11, 0, 52, 1023): "f8",
}
"""Bytes, then offset, precision, place and size of the exponent, place and size of the fraction, bias of the exponent."""
IMPLIED_ONE = 32
"""The first bits of such a type: its fraction begins with a 1 that is not stored; bit 0 is the byte order."""


class Dataset(NamedTuple):
    """An array of a file; its numbers are read when they are asked for."""

    path: str
    shape: tuple[int, ...]
    kind: str
    """f2, f4, f8 or bfloat16, with the byte order of numpy before it; else what it holds, in words."""
    place: int
    problem: LstmExplainError | None
    """Why it cannot be read."""

    @property
    def stored_bytes(self) -> int:
        """How many bytes it takes in the file."""
        return math.prod(self.shape) * width_of(self.kind)

    @property
    def loaded_bytes(self) -> int:
        """How many bytes it takes in the type that it is read into."""
        return math.prod(self.shape) * (8 if self.kind.endswith("f8") else 4)

    def numbers(self, data: bytes) -> Array:
        """Its numbers, from its bytes: float64 where it is, else float32."""
        order, kind = self.kind[:1], self.kind[1:]
        if kind == "bfloat16":
            upper = np.frombuffer(data, f"{order}u2").astype("u4") << np.uint32(16)
            return upper.view("f4").reshape(self.shape)
        return np.frombuffer(data, f"{order}{kind}").astype("f8" if kind == "f8" else "f4").reshape(self.shape)


def width_of(kind: str) -> int:
    """How many bytes one of its numbers takes in the file."""
    return 2 if kind.endswith("bfloat16") else int(kind[-1])


def kind_of(data: bytes, place: int) -> str:
    """What a datatype message says: a floating-point type of numpy, or a few words."""
    number, bits, sign, size = data[place] & 15, data[place + 1], data[place + 2], struct.unpack_from("<I", data, place + 4)[0]
    if number == 1:
        kind = FLOATS.get((size, *struct.unpack_from("<HHBBBBI", data, place + 8)))
        if kind is not None and bits | 1 == IMPLIED_ONE | 1 and sign == 8 * size - 1:
            return f"{'>' if bits & 1 else '<'}{kind}"
        return f"floating-point numbers of {size} bytes in a format of their own"
    names = {0: "whole numbers", 3: "texts", 5: f"{size} opaque bytes", 7: "references to other objects", 9: "lists"}
    return names.get(number, "values of another kind")


def attribute_name(data: bytes, place: int) -> str:
    """The name in an attribute message."""
    start = place + (8 if data[place] == 1 else 9)
    size = struct.unpack_from("<H", data, place + 2)[0]
    return data[start : start + size].split(b"\0")[0].decode(errors="replace")


def is_text(data: bytes, place: int) -> bool:
    """Whether an attribute is a text or a list of texts, and small enough for its elements to stand where they should."""
    from pyfive.dataobjects import determine_data_shape

    version, flags = data[place], data[place + 1]
    if version not in (1, 3) or (version == 3 and flags):
        return False
    sizes = struct.unpack_from("<HH", data, place + 2)
    step = 8 if version == 1 else 1
    kind = place + (8 if version == 1 else 9) + -(-sizes[0] // step) * step
    if data[kind] & 15 != 3 and not (data[kind] & 15 == 9 and data[kind + 1] & 15 == 1):
        return False
    shape = determine_data_shape(data, kind + -(-sizes[1] // step) * step)[0]
    return shape is not None and math.prod(shape) <= len(data)
