"""PyTorch files put together opcode by opcode, so that tests need no torch and can write what torch never would."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ORDERED_DICT = "collections OrderedDict"
TENSOR = "torch._utils _rebuild_tensor_v2"
PARAMETER = "torch._utils _rebuild_parameter"
EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, NONE, TRUE, FALSE = b"}", b"]", b")", b"N", b"\x88", b"\x89"
ROOT = "archive/"


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def whole(value: int) -> bytes:
    """As BININT where it fits, else as LONG1."""
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def number(value: float) -> bytes:
    return b"G" + struct.pack(">d", value)


def group(*parts: bytes) -> bytes:
    """A tuple."""
    return b"(" + b"".join(parts) + b"t"


def listed(*parts: bytes) -> bytes:
    return b"](" + b"".join(parts) + b"e"


def table(pairs: Mapping[str, bytes]) -> bytes:
    """A dict."""
    return b"}(" + b"".join(text(key) + value for key, value in pairs.items()) + b"u"


def named(name: str) -> bytes:
    """A global: a module, a space, a name."""
    module, _, last = name.partition(" ")
    return f"c{module}\n{last}\n".encode()


def call(name: str, *arguments: bytes) -> bytes:
    return named(name) + group(*arguments) + b"R"


def storage(numbers: int, key: str = "0", kind: str = "Float") -> bytes:
    return group(text("storage"), named(f"torch {kind}Storage"), text(key), text("cpu"), whole(numbers)) + b"Q"


def tensor(stored: bytes, sizes: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> bytes:
    sized = group(*map(whole, sizes))
    return call(TENSOR, stored, whole(offset), sized, group(*map(whole, strides)), FALSE, call(ORDERED_DICT))


def program(body: bytes) -> bytes:
    return b"\x80\x02" + body + b"."


def archive(body: bytes, members: Mapping[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A file of torch: `body` is the pickle without its first and last opcode, `members` what stands beside it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        file.writestr(ROOT + "data.pkl", program(body))
        for name, data in {"byteorder": b"little", "version": b"3\n", **(members or {})}.items():
            file.writestr(ROOT + name, data)
    return stream.getvalue()


def lstm(units: int = 2, features: int = 3, kind: str = "Float", size: int = 4) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The tensors of one layer as `torch.nn.LSTM` names them, all zeros, and the members that hold their numbers."""
    shapes = {"weight_ih_l0": (4 * units, features), "weight_hh_l0": (4 * units, units), "bias_ih_l0": (4 * units,)}
    shapes["bias_hh_l0"] = shapes["bias_ih_l0"]
    tensors, members = {}, {}
    for key, (name, sizes) in enumerate(shapes.items()):
        numbers = sizes[0] * (sizes[1] if len(sizes) > 1 else 1)
        strides = (sizes[1], 1) if len(sizes) > 1 else (1,)
        tensors[name] = tensor(storage(numbers, str(key), kind), sizes, strides)
        members[f"data/{key}"] = bytes(size * numbers)
    return tensors, members
