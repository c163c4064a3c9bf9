"""Flax's own files: nested msgpack maps whose leaves are arrays, each a map's value of msgpack's extension type 1.

The library turns bytes into maps; what it may build is bounded while it does. Arrays are made of their bytes only once these
are as many as the shape says, and of four floating-point types only. See `flax/serialization.py`.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.errors import InputFileError, MissingExtraError, RefusedError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array

Tree: TypeAlias = "dict[Any, Any]"

NDARRAY, LONGEST_KEY, MOST_AXES, DEEPEST = 1, 10_000, 32, 64
LARGEST_PAIR, STACK = 400, 1024
"""The bytes in memory of a map's entry, key and value, at most; and how many maps the library builds inside each other."""
CHUNKED = "__msgpack_chunked_array__"
"""The key of a map that is one array in pieces: msgpack holds no more than 2**31 - 1 bytes in one piece."""
TYPES = {"float16": "<f2", "float32": "<f4", "float64": "<f8", "bfloat16": "<u2"}


class _Packed(NamedTuple):
    """An array as it stands in the file."""

    sizes: tuple[Any, ...]
    kind: str
    data: bytes


def read_msgpack(file: BinaryIO, name: str, budget: int) -> dict[str, Array]:
    """The floating-point arrays of a file, by their path, such as `params/LSTMCell_0/hi/kernel`; others are left out.

    Raises:
        InputFileError: the file is malformed.
        RefusedError: it is larger than the budget allows.
        MissingExtraError: the library is not installed.
    """
    try:
        import msgpack
    except ImportError:
        raise MissingExtraError(printable(name), "msgpack") from None
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if 6 * size > budget:  # the bytes, two copies while they are read, and the arrays, larger where they were halves
        found = f"reading {size:,} bytes of weights takes six times as much memory, and the memory budget is {budget:,}"
        raise RefusedError(printable(name), found, "Raise --max-memory")
    tree = _unpacked(msgpack, file.read(size), printable(name), budget - 6 * size)
    if not isinstance(tree, dict):
        raise InputFileError(
            printable(name), "this is no Flax file: it is not a map of names", "Save it with flax.serialization"
        )
    arrays: dict[str, Array] = {}
    for path, array in _leaves(tree, "", printable(name), 0):
        if path in arrays:
            raise InputFileError(printable(name), f"the array {printable(path)} stands twice in it", "Write the file anew")
        arrays[path] = array
    return arrays


def _unpacked(msgpack: Any, data: bytes, name: str, budget: int) -> Any:
    """What the library builds of the bytes, within the budget."""
    counter = _Counter(name, budget)
    widest = max(64, budget // (2 * STACK * LARGEST_PAIR))
    try:
        return msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=False,
            object_pairs_hook=counter.of_map,
            list_hook=counter.of_list,
            ext_hook=lambda code, content: _array_in(msgpack, content) if code == NDARRAY else None,
            max_str_len=LONGEST_KEY,
            max_array_len=widest,
            max_map_len=widest,
        )
    except (msgpack.exceptions.UnpackException, ValueError, TypeError, RecursionError, MemoryError, OverflowError) as error:
        reason = printable(str(error).partition("\n")[0]).rstrip(".") or type(error).__name__
        raise InputFileError(name, f"this is no Flax file: {reason}", "The file is cut or forged: write it anew") from None


class _Counter:
    """What is called with every map and list that the library has read, and counts what they take."""

    def __init__(self, name: str, budget: int) -> None:
        self.name, self.left = name, budget // 2

    def of_map(self, pairs: list[tuple[Any, Any]]) -> Tree:
        self._take(len(pairs))
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name stands twice in one map")
        return found

    def of_list(self, items: list[Any]) -> None:
        """Flax writes tuples and lists as maps, so a list holds no array."""
        self._take(len(items))

    def _take(self, entries: int) -> None:
        self.left -= LARGEST_PAIR * (1 + entries)
        if self.left < 0:
            raise RefusedError(self.name, "its maps take more than the memory budget", "Raise --max-memory")


def _array_in(msgpack: Any, content: bytes) -> _Packed | None:
    """An array's shape, type and bytes; None where it holds no floating-point numbers."""
    lists = 0

    def only_two(items: list[Any]) -> list[Any]:
        nonlocal lists
        lists += 1
        if lists > 2:
            raise ValueError("an array holds lists")
        return items

    limits = {"max_array_len": MOST_AXES, "max_map_len": 0, "max_ext_len": 0, "max_str_len": 100}
    found = msgpack.unpackb(content, raw=True, list_hook=only_two, **limits)
    if not isinstance(found, list) or len(found) != 3:
        raise ValueError("an array is not written as shape, type and bytes")
    sizes, kind, data = found
    kind = kind.decode("ascii", "replace") if isinstance(kind, bytes) else ""
    if not isinstance(sizes, list) or not isinstance(data, bytes) or not kind:
        raise ValueError("an array is not written as shape, type and bytes")
    return _Packed(tuple(sizes), kind, data) if kind in TYPES else None


# --- from what the library built to arrays ----------------------------------------------------------------------------


def _leaves(tree: Tree, before: str, name: str, depth: int) -> Iterator[tuple[str, Array]]:
    """Every array in nested maps, with its path; maps are emptied on the way, so that no array is held twice."""
    if depth > DEEPEST:
        raise InputFileError(name, f"its maps are nested more than {DEEPEST} deep")
    for key in list(tree):
        value = tree.pop(key)
        path = f"{before}{_text(key, name)}"
        if isinstance(value, _Packed):
            yield path, _array(value, path, name)
        elif isinstance(value, dict) and CHUNKED in value:
            yield from _joined(value, path, name)
        elif isinstance(value, dict):
            yield from _leaves(value, f"{path}/", name, depth + 1)


def _text(key: Any, name: str) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, int):  # a place in a list
        return str(key)
    raise InputFileError(name, f"a name in it is of type {type(key).__name__}", "The file is cut or forged: write it anew")


def _array(packed: _Packed, path: str, name: str) -> Array:
    """An array in float32 or float64, once its bytes are as many as its shape says."""
    sizes, dtype = _sizes(packed.sizes, path, name), np.dtype(TYPES[packed.kind])
    if math.prod(sizes) * dtype.itemsize != len(packed.data):
        found = (
            f"{printable(path)} of the shape {printable(str(list(sizes)))} announces {math.prod(sizes) * dtype.itemsize} bytes"
        )
        raise InputFileError(name, f"{found}, and holds {len(packed.data)}", "The file is cut or forged: write it anew")
    array = np.frombuffer(packed.data, dtype)
    if packed.kind == "bfloat16":  # the upper half of a float32
        return (array.astype(np.uint32) << 16).view(np.float32).reshape(sizes)
    return array.astype(np.float32 if dtype.itemsize < 8 else np.float64, copy=False).reshape(sizes)


def _sizes(given: tuple[Any, ...], path: str, name: str) -> tuple[int, ...]:
    if any(type(size) is not int or size < 0 for size in given) or len(given) > MOST_AXES:
        raise InputFileError(name, f"{printable(path)} announces the shape {printable(str(list(given)))}, which no array has")
    return given


def _joined(tree: Tree, path: str, name: str) -> Iterator[tuple[str, Array]]:
    """One array of its pieces; nothing where they are of another type."""
    sizes, chunks = _in_order(tree.get("shape"), path, name), _in_order(tree.get("chunks"), path, name)
    if not chunks or not all(isinstance(one, _Packed) for one in chunks):
        return
    pieces = [_array(one, path, name).ravel() for one in chunks]
    held, announced = sum(one.size for one in pieces), math.prod(_sizes(sizes, path, name))
    if held != announced:
        found = f"{printable(path)} of the shape {printable(str(list(sizes)))} announces {announced} numbers"
        raise InputFileError(name, f"{found}, and its pieces hold {held}", "The file is cut or forged: write it anew")
    yield path, np.concatenate(pieces).reshape(sizes)


def _in_order(tree: Any, path: str, name: str) -> tuple[Any, ...]:
    """A tuple, which Flax writes as a map from "0", "1", ... to its items."""
    if not isinstance(tree, dict) or any(str(place) not in tree for place in range(len(tree))):
        raise InputFileError(
            name, f"the pieces of {printable(path)} are not in order", "The file is cut or forged: write it anew"
        )
    return tuple(tree[str(place)] for place in range(len(tree)))
