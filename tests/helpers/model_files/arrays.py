"""`.npy`, `.npz` and `.safetensors` files put together byte by byte, so that tests can write what no library would."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = np.ndarray[Any, Any]
KINDS = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "int32": "I32", "bool": "BOOL"}


def npy(array: Array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npy_header(text: str) -> bytes:
    """A header without the numbers that it announces."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def zipped(members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def npz(arrays: Mapping[str, Array], compression: int = zipfile.ZIP_STORED) -> bytes:
    return zipped({f"{name}.npy": npy(array) for name, array in arrays.items()}, compression)


def safetensors(header: bytes, data: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + data


def entry(kind: str, shape: list[int], start: int, stop: int) -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, stop]}


def packed(arrays: Mapping[str, Array], kinds: Mapping[str, str] | None = None) -> bytes:
    """The arrays as `.safetensors`; `kinds` are types that numpy does not know."""
    header, data = {}, b""
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        kind = (kinds or {}).get(name) or KINDS[str(array.dtype)]
        header[name] = entry(kind, list(array.shape), len(data), len(data) + len(raw))
        data += raw
    return safetensors(json.dumps(header).encode(), data)


def keras_layer(features: int = 3, units: int = 2, dtype: str = "float32", module: str = "lstm/") -> dict[str, Array]:
    """A layer under the names of Keras; every number another one."""
    shapes = {"kernel": (features, 4 * units), "recurrent_kernel": (units, 4 * units), "bias": (4 * units,)}
    return {f"{module}{name}": _different(shape, dtype) for name, shape in shapes.items()}


def pytorch_layer(
    features: int = 3, units: int = 2, layer: str = "_l0", dtype: str = "float32", module: str = "lstm."
) -> dict[str, Array]:
    """A layer under the names of PyTorch; every number another one."""
    neurons = 4 * units
    shapes: dict[str, tuple[int, ...]] = {"weight_ih": (neurons, features), "weight_hh": (neurons, units)}
    shapes |= {"bias_ih": (neurons,), "bias_hh": (neurons,)}
    return {f"{module}{name}{layer}": _different(shape, dtype) for name, shape in shapes.items()}


def _different(shape: tuple[int, ...], dtype: str) -> Array:
    return (np.sin(np.arange(np.prod(shape))) / 2).reshape(shape).astype(dtype)
