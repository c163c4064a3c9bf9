"""ONNX tensors as arrays: what a tensor announces is compared with what it holds before anything is made of it.

The library's own `to_array` takes a shape of [-1] and reads other files for external data; this does neither.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_explain.errors import InputFileError, RefusedError, printable

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.bounded_file import MemoryBudget

MOST_AXES = 32
EXTERNAL = 1
BFLOAT16 = 16
RAW = {
    1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8", 12: "<u4", 13: "<u8",
    BFLOAT16: "<u2",
}  # fmt: skip
"""The types that are read, by their number in `TensorProto.DataType`, as they stand in `raw_data`."""
FIELDS = {1: "float_data", 7: "int64_data", 11: "double_data", 12: "uint64_data", 13: "uint64_data"}
"""The list that holds a type's numbers where `raw_data` does not; `int32_data` for all others."""
HALVES = (BFLOAT16, 10)
"""Types whose numbers stand in `int32_data` as their bits."""


def text(value: str | bytes) -> str:
    """A string of a protobuf message; the library hands one that is not UTF-8 over as bytes."""
    return value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")


def tensor_array(tensor: Any, what: str, ledger: MemoryBudget) -> Array:
    """A `TensorProto` as an array; bfloat16 as float32, which holds it exactly.

    Args:
        tensor: the message.
        what: what to call it in a message, safe to print.
        ledger: what the array's memory is taken from.

    Raises:
        InputFileError: it holds another number of numbers than its sizes say, or numbers of a type that is not read.
        RefusedError: it stands in another file, or is over the memory budget.
    """
    if tensor.data_location == EXTERNAL or len(tensor.external_data):
        found = f"{what} stands in another file, and no other file is opened"
        raise RefusedError(ledger.name, found, "Save the model with its tensors inside: onnx.save(model, file)")
    kind = int(tensor.data_type)
    if kind not in RAW or tensor.HasField("segment"):
        raise InputFileError(ledger.name, f"{what} holds {_kind(tensor)}, which is not read", "Export it as float32")
    sizes = tuple(int(size) for size in tensor.dims)
    if len(sizes) > MOST_AXES or any(size < 0 for size in sizes):
        raise InputFileError(ledger.name, f"{what} announces the shape {printable(str(list(sizes)))}, which no array has")
    array = _raw(tensor, sizes, what, ledger) if tensor.HasField("raw_data") else _listed(tensor, sizes, what, ledger)
    if kind != BFLOAT16:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    return (array.astype(np.uint32) << 16).view(np.float32).reshape(sizes)


def _raw(tensor: Any, sizes: tuple[int, ...], what: str, ledger: MemoryBudget) -> Array:
    dtype = np.dtype(RAW[tensor.data_type])
    data = tensor.raw_data
    ledger.take(3 * len(data), what)
    announced = math.prod(sizes) * dtype.itemsize
    if announced != len(data):
        raise _forged(ledger.name, what, sizes, f"{announced} bytes", len(data))
    return np.frombuffer(data, dtype).reshape(sizes)


def _listed(tensor: Any, sizes: tuple[int, ...], what: str, ledger: MemoryBudget) -> Array:
    dtype = np.dtype(RAW[tensor.data_type])
    numbers = getattr(tensor, FIELDS.get(tensor.data_type, "int32_data"))
    ledger.take(3 * dtype.itemsize * len(numbers), what)
    if math.prod(sizes) != len(numbers):
        raise _forged(ledger.name, what, sizes, f"{math.prod(sizes)} numbers", len(numbers))
    stored = np.dtype("<u2") if tensor.data_type in HALVES else dtype
    try:
        return np.fromiter(numbers, stored, len(numbers)).view(dtype).reshape(sizes)
    except OverflowError:
        raise InputFileError(ledger.name, f"{what} holds numbers that are no {dtype.name}") from None


def _forged(name: str, what: str, sizes: tuple[int, ...], announced: str, held: int) -> InputFileError:
    shape = printable(str(list(sizes)))
    return InputFileError(name, f"{what} of the shape {shape} announces {announced}, and holds {held}", "Export it anew")


def _kind(tensor: Any) -> str:
    """The name of a tensor's type, such as STRING."""
    kinds = {number: kind for kind, number in type(tensor).DataType.items()}
    if tensor.HasField("segment"):
        return "a segment of a tensor"
    return str(kinds.get(tensor.data_type, f"numbers of type {tensor.data_type}"))
