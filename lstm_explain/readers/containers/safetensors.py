"""`.safetensors` files: read by the library, once the header is known to be honest about its names."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lstm_explain.errors import InputFileError, MissingExtraError, RefusedError, printable

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array

LARGEST_HEADER = 10**8
"""As the format's own library has it."""
HEADER_IN_MEMORY = 40
"""How many times larger than its text JSON may be in memory: an empty object has 3 bytes there, and 72 here."""
COPIES = 3
HALVES = ("F16", "BF16")
"""These become float32, twice as large."""
MOST_AXES = 32  # numpy 1.x has arrays of 32 axes
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}


def read_safetensors(file: BinaryIO, name: str, budget: int, left_out: dict[str, str] | None = None) -> dict[str, Array]:
    """The floating-point arrays of a file, by name; `left_out` gets the types of the others.

    Raises:
        InputFileError: the file is malformed.
        RefusedError: it is larger than the budget allows.
        MissingExtraError: the library is not installed.
    """
    try:
        from safetensors import SafetensorError, deserialize
    except ImportError:
        raise MissingExtraError(printable(name), "safetensors") from None
    size = os.fstat(file.fileno()).st_size
    _afford(size, name, budget)
    data = file.read(size)
    names = _header(data, name, budget - size)
    try:
        parts = dict(deserialize(data))  # type: ignore[no-untyped-call,unused-ignore]
    except (SafetensorError, ValueError, OverflowError) as error:
        raise InputFileError(
            printable(name), f"this .safetensors file cannot be read: {printable(str(error)).rstrip('.')}"
        ) from None
    _afford(sum(len(part["data"]) * (1 + (part["dtype"] in HALVES)) for part in parts.values()), name, budget)
    arrays = {key: _array(parts[key]) for key in names if key in parts}  # in the file's order: the library's is random
    if left_out is not None:
        left_out |= {key: _type(str(parts[key]["dtype"])) for key, array in arrays.items() if array is None}
    return {key: array for key, array in arrays.items() if array is not None}


def _type(kind: str) -> str:
    """A type as numpy calls it: I8 is int8, F8_E4M3 is float8_e4m3."""
    words = {"F": "float", "I": "int", "U": "uint"}
    return words[kind[0]] + kind[1:].lower() if kind[:1] in words and kind[1:2].isdigit() else kind.lower()


def _afford(size: int, name: str, budget: int) -> None:
    """Raise `RefusedError` where the bytes, what the library makes of them, and the arrays are larger than the budget."""
    if COPIES * size > budget:
        found = f"reading {size:,} bytes of weights takes three times as much memory, and the budget is {budget:,}"
        raise RefusedError(printable(name), found, "Raise --max-memory")


def _header(data: bytes, name: str, budget: int) -> list[str]:
    """The names in a header, each of them once: one that stands twice could mean one tensor here and another elsewhere."""
    length = int.from_bytes(data[:8], "little")
    if length > min(LARGEST_HEADER, len(data) - 8):
        raise InputFileError(printable(name), f"its header announces {length} bytes, and {max(0, len(data) - 8)} follow")
    if HEADER_IN_MEMORY * length > budget:
        found = f"its header of {length:,} bytes may take {HEADER_IN_MEMORY} times as much memory"
        raise RefusedError(printable(name), found, "Raise --max-memory")
    try:
        return list(json.loads(data[8 : 8 + length], object_pairs_hook=_unique) or [])
    except (ValueError, TypeError, RecursionError) as error:
        raise InputFileError(printable(name), f"its header cannot be read: {printable(str(error)).rstrip('.')}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _array(part: dict[str, Any]) -> Array | None:
    """A tensor as a float32 or float64 array; None where it is of another kind."""
    kind, sizes = part["dtype"], part["shape"]
    if len(sizes) > MOST_AXES:
        return None
    if kind == "BF16":  # the upper half of a float32
        wide = np.frombuffer(part["data"], "<u2").astype(np.uint32) << 16
        return wide.view(np.float32).reshape(sizes)
    if kind not in TYPES:
        return None
    array = np.frombuffer(part["data"], TYPES[kind]).reshape(sizes)
    return array.astype(np.float32 if array.dtype.itemsize < 8 else np.float64, copy=False)
