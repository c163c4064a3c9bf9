"""`.safetensors` files: read by the library, once the header is known to name every tensor once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lstm_explain.errors import InputFileError, MissingExtraError
from lstm_explain.readers.containers.bounded_file import error_reason, file_size
from lstm_explain.readers.containers.named_arrays import MAX_AXES, NamedArrays, to_floats
from lstm_explain.readers.containers.strict_json import check_json_size, load_json

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.bounded_file import MemoryBudget

MAX_HEADER_BYTES = 10**8
"""As in the format's own library."""
COPIES = 3
"""The bytes, what the library makes of them, and the arrays."""
HALF_TYPES = ("F16", "BF16")
"""These become float32, twice as large."""
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


def read_safetensors(file: BinaryIO, budget: MemoryBudget) -> NamedArrays:
    """Read the floating-point arrays of a file.

    Raises:
        InputFileError: the file is malformed.
        RefusedError: it is larger than the budget allows.
        MissingExtraError: the library is not installed.
    """
    try:
        from safetensors import SafetensorError, deserialize
    except ImportError:
        raise MissingExtraError(budget.name, "safetensors") from None
    size = file_size(file)
    _check_memory(budget, size)
    data = file.read(size)
    names = _read_header(data, budget)
    try:
        parts = dict(deserialize(data))  # type: ignore[no-untyped-call,unused-ignore]
    except (SafetensorError, ValueError, OverflowError) as error:
        raise InputFileError(budget.name, f"this .safetensors file cannot be read: {error_reason(error)}") from None
    _check_memory(budget, sum(len(part["data"]) * (1 + (part["dtype"] in HALF_TYPES)) for part in parts.values()))
    tensors = {
        name: _build_array(parts[name]) for name in names if name in parts
    }  # in the file's order: the library's is random
    skipped = {name: _numpy_type_name(str(parts[name]["dtype"])) for name, array in tensors.items() if array is None}
    return NamedArrays({name: array for name, array in tensors.items() if array is not None}, skipped)


def _check_memory(budget: MemoryBudget, size: int) -> None:
    budget.check(COPIES * size, f"reading {size:,} bytes of weights")


def _read_header(data: bytes, budget: MemoryBudget) -> list[str]:
    """Return the names in a header. A name that appears twice could mean one tensor here and another elsewhere."""
    length = int.from_bytes(data[:8], "little")
    following = max(0, len(data) - 8)
    if length > min(MAX_HEADER_BYTES, following):
        raise InputFileError(budget.name, f"its header announces {length} bytes, and {following} follow")
    check_json_size(length, budget, "its header", held=len(data))
    try:
        return list(load_json(data[8 : 8 + length]) or [])
    except (ValueError, TypeError, RecursionError) as error:
        raise InputFileError(budget.name, f"its header cannot be read: {error_reason(error)}") from None


def _numpy_type_name(kind: str) -> str:
    """Return a type as numpy calls it: I8 is int8, F8_E4M3 is float8_e4m3."""
    words = {"F": "float", "I": "int", "U": "uint"}
    return words[kind[0]] + kind[1:].lower() if kind[:1] in words and kind[1:2].isdigit() else kind.lower()


def _build_array(part: dict[str, Any]) -> Array | None:
    """Return a tensor as a float32 or float64 array; None where it is of another kind."""
    kind, shape = part["dtype"], part["shape"]
    if kind not in TYPES or len(shape) > MAX_AXES:
        return None
    return to_floats(np.frombuffer(part["data"], TYPES[kind]).reshape(shape), is_bfloat16=kind == "BF16")
