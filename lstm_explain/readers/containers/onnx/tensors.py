"""ONNX tensors as arrays, with the announced shape checked against the data before an array is made.

The library's own `to_array` accepts a shape of [-1] and reads other files for external data. This does neither.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers.onnx import FIX_EXPORT

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.bounded_file import MemoryBudget

MAX_AXES = 32
EXTERNAL = 1
"""The value of `data_location` for a tensor in another file."""
FLOAT16, BFLOAT16 = 10, 16
RAW_DTYPES = {
    1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", FLOAT16: "<f2", 11: "<f8", 12: "<u4",
    13: "<u8", BFLOAT16: "<u2",
}  # fmt: skip
"""The supported types by their number in `TensorProto.DataType`, as `raw_data` stores them."""
LIST_FIELDS = {1: "float_data", 7: "int64_data", 11: "double_data", 12: "uint64_data", 13: "uint64_data"}
"""The field with a type's numbers where `raw_data` is absent; `int32_data` for all others, which holds the bits of halves."""


def decode_text(value: str | bytes) -> str:
    """Return a string of a protobuf message, which the library leaves as bytes where it is not UTF-8."""
    return value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")


def read_tensor(tensor: Any, label: str, budget: MemoryBudget) -> Array:
    """Return a `TensorProto` as an array; bfloat16 becomes float32, which represents it exactly.

    Args:
        tensor: the message.
        label: what to call the tensor in a message, safe to print.
        budget: the budget that the array is taken from.

    Raises:
        InputFileError: its data do not fit its shape, or its type is not supported.
        RefusedError: it is in another file, or does not fit the budget.
    """
    if tensor.data_location == EXTERNAL or len(tensor.external_data):
        problem = f"{label} is in another file, and no other file is opened"
        raise RefusedError(budget.name, problem, "Save the model with its tensors inside: onnx.save(model, file)")
    if tensor.data_type not in RAW_DTYPES or tensor.HasField("segment"):
        problem = f"{label} holds {_type_name(tensor)}, which is not supported"
        raise InputFileError(budget.name, problem, "Export it as float32")
    shape = tuple(int(size) for size in tensor.dims)
    if len(shape) > MAX_AXES or any(size < 0 for size in shape):
        raise InputFileError(budget.name, f"{label} announces the shape {printable(str(list(shape)))}, which no array has")
    read_numbers = _raw_numbers if tensor.HasField("raw_data") else _listed_numbers
    array = read_numbers(tensor, shape, label, budget).reshape(shape)
    if tensor.data_type == BFLOAT16:
        return (array.astype(np.uint32) << 16).view(np.float32).reshape(shape)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _raw_numbers(tensor: Any, shape: tuple[int, ...], label: str, budget: MemoryBudget) -> Array:
    dtype = np.dtype(RAW_DTYPES[tensor.data_type])
    data = tensor.raw_data
    budget.take(3 * len(data), label)
    if math.prod(shape) * dtype.itemsize != len(data):
        raise _size_error(budget.name, label, shape, f"{math.prod(shape) * dtype.itemsize} bytes", len(data))
    return np.frombuffer(data, dtype)


def _listed_numbers(tensor: Any, shape: tuple[int, ...], label: str, budget: MemoryBudget) -> Array:
    dtype = np.dtype(RAW_DTYPES[tensor.data_type])
    numbers = getattr(tensor, LIST_FIELDS.get(tensor.data_type, "int32_data"))
    budget.take(3 * dtype.itemsize * len(numbers), label)
    if math.prod(shape) != len(numbers):
        raise _size_error(budget.name, label, shape, f"{math.prod(shape)} numbers", len(numbers))
    stored_dtype = np.dtype("<u2") if tensor.data_type in (FLOAT16, BFLOAT16) else dtype
    try:
        return np.fromiter(numbers, stored_dtype, len(numbers)).view(dtype)
    except OverflowError:
        raise InputFileError(budget.name, f"{label} holds numbers that do not fit {dtype.name}") from None


def _size_error(name: str, label: str, shape: tuple[int, ...], announced: str, held: int) -> InputFileError:
    problem = f"{label} of the shape {printable(str(list(shape)))} announces {announced}, and holds {held}"
    return InputFileError(name, problem, FIX_EXPORT)


def _type_name(tensor: Any) -> str:
    """The name of a tensor's type, such as STRING."""
    if tensor.HasField("segment"):
        return "a segment of a tensor"
    names = {number: name for name, number in type(tensor).DataType.items()}
    return str(names.get(tensor.data_type, f"numbers of type {tensor.data_type}"))
