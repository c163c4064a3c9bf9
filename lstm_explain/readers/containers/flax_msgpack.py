"""Flax's own files: nested msgpack maps whose leaves are arrays, each a map's value of msgpack's extension type 1.

The library turns bytes into maps; what it may build is bounded while it does. Arrays are made of their bytes only once these
are as many as the shape announces, and of four floating-point types only. See `flax/serialization.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.errors import InputFileError, MissingExtraError, RefusedError, printable
from lstm_explain.readers.containers.bounded_file import FIX_BUDGET, FIX_FORGED, error_reason, file_size
from lstm_explain.readers.containers.named_arrays import MAX_AXES, NamedArrays, check_shape, format_shape, to_floats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.bounded_file import MemoryBudget

Tree: TypeAlias = "dict[Any, Any]"

NDARRAY_EXTENSION = 1
MAX_KEY_LENGTH, MAX_DEPTH = 10_000, 64
ENTRY_BYTES, NESTED_MAPS = 400, 1024
"""The bytes in memory of a map's entry, key and value, at most; and how many maps the library builds inside each other."""
COPIES = 6
"""The bytes, two copies while they are read, and the arrays, which are larger where they were halves."""
CHUNKED_KEY = "__msgpack_chunked_array__"
"""The key of a map that is one array in pieces: msgpack holds no more than 2**31 - 1 bytes in one piece."""
TYPES = {"float16": "<f2", "float32": "<f4", "float64": "<f8", "bfloat16": "<u2"}


class _PackedArray(NamedTuple):
    """An array as the file holds it."""

    shape: tuple[Any, ...]
    kind: str
    data: bytes


def read_msgpack(file: BinaryIO, budget: MemoryBudget) -> NamedArrays:
    """Read the floating-point arrays of a file, by their path, such as `params/LSTMCell_0/hi/kernel`; others are left out.

    Raises:
        InputFileError: the file is malformed.
        RefusedError: it is larger than the budget allows.
        MissingExtraError: the library is not installed.
    """
    try:
        import msgpack
    except ImportError:
        raise MissingExtraError(budget.name, "msgpack") from None
    size = file_size(file)
    budget.take(COPIES * size, f"reading {size:,} bytes of weights")
    tree = _unpack_tree(msgpack, file.read(size), budget)
    if not isinstance(tree, dict):
        problem = "this is not a Flax file: it is not a map of names"
        raise InputFileError(budget.name, problem, "Save it with flax.serialization")
    arrays: dict[str, Array] = {}
    for path, array in _iter_arrays(tree, "", budget.name, 0):
        if path in arrays:
            raise InputFileError(budget.name, f"the array {printable(path)} appears twice in it", "Write the file anew")
        arrays[path] = array
    return NamedArrays(arrays, {})


def _unpack_tree(msgpack: Any, data: bytes, budget: MemoryBudget) -> Any:
    """Let the library build the maps within the budget."""
    counter = _EntryCounter(budget)
    max_entries = max(64, budget.available // (2 * NESTED_MAPS * ENTRY_BYTES))
    try:
        return msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=False,
            object_pairs_hook=counter.build_map,
            list_hook=counter.skip_list,
            ext_hook=lambda code, content: _unpack_array(msgpack, content) if code == NDARRAY_EXTENSION else None,
            max_str_len=MAX_KEY_LENGTH,
            max_array_len=max_entries,
            max_map_len=max_entries,
        )
    except (msgpack.exceptions.UnpackException, ValueError, TypeError, RecursionError, MemoryError, OverflowError) as error:
        raise InputFileError(budget.name, f"this is not a Flax file: {error_reason(error)}", FIX_FORGED) from None


class _EntryCounter:
    """Counts the memory of every map and list that the library builds."""

    def __init__(self, budget: MemoryBudget) -> None:
        self.name, self.left = budget.name, budget.available // 2

    def build_map(self, pairs: list[tuple[Any, Any]]) -> Tree:
        self._count_entries(len(pairs))
        entries = dict(pairs)
        if len(entries) < len(pairs):
            raise ValueError("a name appears twice in one map")
        return entries

    def skip_list(self, items: list[Any]) -> None:
        """Count a list. Flax writes tuples and lists as maps, so a list holds no array."""
        self._count_entries(len(items))

    def _count_entries(self, count: int) -> None:
        self.left -= ENTRY_BYTES * (1 + count)
        if self.left < 0:
            raise RefusedError(self.name, "its maps take more than the memory budget", FIX_BUDGET)


def _unpack_array(msgpack: Any, content: bytes) -> _PackedArray | None:
    """Return an array's shape, type and bytes; None where it holds no floating-point numbers."""
    list_count = 0

    def count_list(items: list[Any]) -> list[Any]:
        nonlocal list_count
        list_count += 1
        if list_count > 2:  # the shape, and the three parts
            raise ValueError("an array holds lists")
        return items

    limits = {"max_array_len": MAX_AXES, "max_map_len": 0, "max_ext_len": 0, "max_str_len": 100}
    match msgpack.unpackb(content, raw=True, list_hook=count_list, **limits):
        case [list() as shape, bytes() as kind, bytes() as data] if kind:
            name = kind.decode("ascii", "replace")
            return _PackedArray(tuple(shape), name, data) if name in TYPES else None
    raise ValueError("an array is not written as shape, type and bytes")


# --- from what the library built to arrays ----------------------------------------------------------------------------


def _iter_arrays(tree: Tree, prefix: str, name: str, depth: int) -> Iterator[tuple[str, Array]]:
    """Yield every array in nested maps, with its path; maps are emptied on the way, so that no array is held twice."""
    if depth > MAX_DEPTH:
        raise InputFileError(name, f"its maps are nested more than {MAX_DEPTH} deep")
    for key in list(tree):
        value = tree.pop(key)
        if not isinstance(key, str | int):  # a number is an index of a list
            raise InputFileError(name, f"a name in it is of type {type(key).__name__}", FIX_FORGED)
        path = f"{prefix}{key}"
        if isinstance(value, _PackedArray):
            yield path, _build_array(value, path, name)
        elif isinstance(value, dict) and CHUNKED_KEY in value:
            yield from _join_chunks(value, path, name)
        elif isinstance(value, dict):
            yield from _iter_arrays(value, f"{path}/", name, depth + 1)


def _build_array(packed: _PackedArray, path: str, name: str) -> Array:
    """Return an array in float32 or float64, once its bytes are as many as its shape announces."""
    shape, dtype = check_shape(packed.shape, name, printable(path)), np.dtype(TYPES[packed.kind])
    announced = math.prod(shape) * dtype.itemsize
    if announced != len(packed.data):
        problem = f"{_shape_label(shape, path)} announces {announced} bytes, and holds {len(packed.data)}"
        raise InputFileError(name, problem, FIX_FORGED)
    return to_floats(np.frombuffer(packed.data, dtype), packed.kind == "bfloat16").reshape(shape)


def _shape_label(shape: tuple[int, ...], path: str) -> str:
    return f"{printable(path)} of the shape {format_shape(shape)}"


def _join_chunks(tree: Tree, path: str, name: str) -> Iterator[tuple[str, Array]]:
    """Yield one array joined from its pieces; nothing where they are of another type."""
    shape, chunks = _unpack_tuple(tree.get("shape"), path, name), _unpack_tuple(tree.get("chunks"), path, name)
    if not chunks or not all(isinstance(chunk, _PackedArray) for chunk in chunks):
        return
    pieces = [_build_array(chunk, path, name).ravel() for chunk in chunks]
    held, announced = sum(piece.size for piece in pieces), math.prod(check_shape(shape, name, printable(path)))
    if held != announced:
        problem = f"{_shape_label(shape, path)} announces {announced} numbers, and its pieces hold {held}"
        raise InputFileError(name, problem, FIX_FORGED)
    yield path, np.concatenate(pieces).reshape(shape)


def _unpack_tuple(tree: Any, path: str, name: str) -> tuple[Any, ...]:
    """Return a tuple, which Flax writes as a map from "0", "1", ... to its items."""
    if not isinstance(tree, dict) or any(str(index) not in tree for index in range(len(tree))):
        raise InputFileError(name, f"the pieces of {printable(path)} are not in order", FIX_FORGED)
    return tuple(tree[str(index)] for index in range(len(tree)))
