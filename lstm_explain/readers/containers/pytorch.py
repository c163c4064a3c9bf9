"""PyTorch's `.pt` and `.pth` files: a zip archive of a pickle, which is interpreted, not run, and of the tensors' numbers."""

from __future__ import annotations

import re
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers.bounded_file import FIX_BUDGET, FIX_FORGED
from lstm_explain.readers.containers.named_arrays import NamedArrays, to_floats
from lstm_explain.readers.containers.safe_pickle import (
    FIX_SAVE_WEIGHTS,
    OPCODE_BYTES,
    STORAGE_DTYPES,
    PickledDict,
    PickledTensor,
    interpret_pickle,
)
from lstm_explain.readers.containers.zip_archive import ZipArchive
from lstm_explain.readers.identify.tensor_names import PYTORCH_NAME, WEIGHT_NORM_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.bounded_file import MemoryBudget

PICKLE_MEMBER = "data.pkl"
MAX_PICKLE_BYTES = 2**26
TEXT_BYTES = 8
"""How many bytes of memory a byte of the pickle may take as text: its copies while it is read, and wide characters."""
MAX_ARRAY_SIZE = 2**48
MAX_DEPTH, MAX_NAME_LENGTH = 100, 1_000
MAX_ITEMS, MAX_TENSORS = 1_000_000, 20_000
"""Of dicts and lists, each counted as often as it is reached: one that holds another twice doubles what there is to walk."""
MAX_WEIGHT_AXES = 3
"""A layer's weights have two; several directions side by side have three."""
TYPES = {"Double": "f8", "Float": "f4", "Half": "f2", "BFloat16": "u2"}
"""numpy's names of the types that are read. It has no bfloat16, which is the upper half of a float32."""
KEY_TYPES = (str, int, float, bool, type(None))
"""The types of keys that may lead to weights."""
SURROGATE = re.compile("[\ud800-\udfff]")
BYTE_ORDERS = {b"little": "<", b"big": ">"}


def read_pytorch(file: BinaryIO, budget: MemoryBudget) -> NamedArrays:
    """Read the tensors of a PyTorch file that may be an LSTM's, by name.

    A state dict may be inside dicts, lists and tuples; the keys on the way are joined with dots. Where any tensor has a name
    that torch gives to an LSTM's, such as `weight_ih_l0`, only the tensors of modules that have such are read, and only those
    with such a name are listed as skipped.

    Raises:
        InputFileError: the archive or its pickle is malformed, or a tensor reaches beyond its numbers.
        RefusedError: the pickle holds more than weights, or reading takes more memory than the budget.
    """
    archive = ZipArchive(file, budget)
    prefix = _member_prefix(archive)
    third = budget.limit // 3  # for the text of the pickle, for what is made of it, and for the names
    tree = interpret_pickle(_read_pickle(archive, prefix + PICKLE_MEMBER, third), archive.name, third)
    walk = _TensorWalk(archive.name)
    tensors = _select_weights(walk.collect_tensors(tree, third))
    _check_storages(archive, prefix, tensors)
    _check_memory(budget, tensors)
    return NamedArrays(_read_arrays(archive, prefix, tensors), walk.skipped_dtypes)


def _member_prefix(archive: ZipArchive) -> str:
    """Return what precedes every member's name, with its slash."""
    pickles = [name for name in archive.member_names if f"/{name}".endswith(f"/{PICKLE_MEMBER}")]
    if len(pickles) != 1:
        problem = f"it holds {len(pickles)} members {PICKLE_MEMBER}, and a PyTorch file holds one"
        raise InputFileError(archive.name, problem)
    return pickles[0].removesuffix(PICKLE_MEMBER)


def _read_pickle(archive: ZipArchive, member: str, limit: int) -> bytes:
    size = archive.member_size(member)
    if size > MAX_PICKLE_BYTES:
        problem = f"its pickle holds {size:,} bytes, and {MAX_PICKLE_BYTES:,} are the most that are read"
        raise RefusedError(archive.name, problem, FIX_SAVE_WEIGHTS)
    if TEXT_BYTES * size > limit:
        problem = f"reading its pickle of {size:,} bytes takes {TEXT_BYTES} times as much memory, over a third of the budget"
        raise RefusedError(archive.name, problem, FIX_BUDGET)
    return archive.read_member(member)


# --- the tensors and their names --------------------------------------------------------------------------------------


class _TensorWalk:
    """A walk through nested dicts, lists and tuples, which a file may have made endless."""

    def __init__(self, file: str) -> None:
        self._file, self._items = file, 0
        self.skipped_dtypes: dict[str, str] = {}
        """The types of the tensors that are not read, and have the name of an LSTM's."""

    def collect_tensors(self, tree: Any, limit: int) -> dict[str, PickledTensor]:
        """Return the tensors of types that are read, by name, whose names take no more than `limit` bytes."""
        tensors: dict[str, PickledTensor] = {}
        held = 0
        for name, tensor in self._walk(tree, "", 0):
            if tensors.setdefault(name, tensor) != tensor:
                problem = f"the name {printable(name)} appears twice in it, for different tensors"
                raise InputFileError(self._file, problem)
            held += OPCODE_BYTES + 4 * len(name)
            if held > limit:
                problem = f"its names alone take more than {limit:,} bytes, a third of the budget"
                raise RefusedError(self._file, problem, FIX_BUDGET)
            if len(tensors) > MAX_TENSORS:
                raise RefusedError(self._file, f"it names more than {MAX_TENSORS:,} tensors", FIX_SAVE_WEIGHTS)
        return tensors

    def _walk(self, value: Any, name: str, depth: int) -> Iterator[tuple[str, PickledTensor]]:
        if type(value) is PickledTensor:
            if value.storage.kind in TYPES:
                yield name, value
            elif PYTORCH_NAME.fullmatch(name):
                self.skipped_dtypes[name] = STORAGE_DTYPES[value.storage.kind]
            return
        if type(value) not in (PickledDict, list, tuple):  # at the top: a file of one number, for example
            return
        pairs = value.pairs if type(value) is PickledDict else list(enumerate(value))
        self._items += len(pairs)
        if depth > MAX_DEPTH or self._items > MAX_ITEMS:
            reason = f"nested more than {MAX_DEPTH} deep" if depth > MAX_DEPTH else f"with more than {MAX_ITEMS:,} items"
            raise RefusedError(self._file, f"it holds dicts and lists {reason}", FIX_SAVE_WEIGHTS)
        for key, item in pairs:
            if type(item) in (PickledTensor, PickledDict, list, tuple) and type(key) in KEY_TYPES:
                yield from self._walk(item, self._join_name(name, str(key)), depth + 1)

    def _join_name(self, name: str, key: str) -> str:
        if len(name) + len(key) > MAX_NAME_LENGTH or SURROGATE.search(key):
            problem = f"a name in it is too long or not Unicode text: {printable(name)}.{printable(key)}"
            raise InputFileError(self._file, problem)
        return f"{name}.{key}" if name else key


def _select_weights(tensors: dict[str, PickledTensor]) -> dict[str, PickledTensor]:
    """Return those tensors that may be an LSTM's weights."""
    modules = {_module_name(name) for name in tensors if PYTORCH_NAME.fullmatch(name)}
    if not modules:
        return {name: tensor for name, tensor in tensors.items() if len(tensor.shape) <= MAX_WEIGHT_AXES}
    return {
        name: tensor for name, tensor in tensors.items() if _module_name(name) in modules or WEIGHT_NORM_NAME.fullmatch(name)
    }


def _module_name(name: str) -> str:
    return name.rpartition(".")[0]


# --- their numbers ----------------------------------------------------------------------------------------------------


def _check_storages(archive: ZipArchive, prefix: str, tensors: Mapping[str, PickledTensor]) -> None:
    """Check that every tensor lies within its storage, and that the archive holds this as the pickle describes it."""
    held = {member: archive.member_size(member) for member in archive.member_names}
    for name, tensor in tensors.items():
        if problem := _storage_problem(tensor, held, _storage_member(prefix, tensor)):
            raise InputFileError(archive.name, f"its tensor {printable(name)} {problem}", FIX_FORGED)


def _storage_problem(tensor: PickledTensor, held: Mapping[str, int], member: str) -> str | None:
    if member not in held:
        return f"is in {printable(member)}, which is missing from the archive"
    if held[member] != (announced := _storage_bytes(tensor)):
        return f"is in {printable(member)}, which holds {held[member]} bytes and not {announced}"
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if 0 not in tensor.shape and last >= tensor.storage.size:
        return f"reaches to number {last} of {tensor.storage.size} in {printable(member)}, counted from 0"
    if prod(max(1, size) for size in tensor.shape) > MAX_ARRAY_SIZE:  # numpy objects even where one of the sizes is 0
        return f"has {' x '.join(map(str, tensor.shape))} numbers, more than any array"
    return None


def _storage_member(prefix: str, tensor: PickledTensor) -> str:
    return f"{prefix}data/{tensor.storage.key}"


def _storage_bytes(tensor: PickledTensor) -> int:
    return tensor.storage.size * _dtype(tensor).itemsize


def _dtype(tensor: PickledTensor, byte_order: str = "<") -> np.dtype[Any]:
    return np.dtype(byte_order + TYPES[tensor.storage.kind])


def _check_memory(budget: MemoryBudget, tensors: Mapping[str, PickledTensor]) -> None:
    """Check the budget for each storage while it is read, and for the arrays with what is made of them."""
    storages = {tensor.storage.key: _storage_bytes(tensor) for tensor in tensors.values()}
    arrays = sum(prod(tensor.shape) * max(4, _dtype(tensor).itemsize) for tensor in tensors.values())
    needed = max(3 * arrays, arrays + 2 * max(storages.values(), default=0), sum(storages.values()))
    has_lstm = any(map(PYTORCH_NAME.fullmatch, tensors))
    everything = "all its tensors, of which none has a name such as weight_ih_l0,"
    budget.check(needed, f"reading {'its LSTMs' if has_lstm else everything}")


def _read_arrays(archive: ZipArchive, prefix: str, tensors: Mapping[str, PickledTensor]) -> dict[str, Array]:
    """Read storage after storage, so that no more than one is held beside the arrays."""
    byte_order = _read_byte_order(archive, f"{prefix}byteorder")
    names_by_member: dict[str, list[str]] = {}
    for name, tensor in tensors.items():
        names_by_member.setdefault(_storage_member(prefix, tensor), []).append(name)
    arrays: dict[str, Array] = {}
    for member, names in names_by_member.items():
        data = archive.read_member(member)
        arrays |= {name: _build_array(tensors[name], data, byte_order) for name in names}
    return {name: arrays[name] for name in tensors}


def _read_byte_order(archive: ZipArchive, member: str) -> str:
    """Return the byte order as numpy spells it; files of torch before 2.1 do not name it, and are little-endian."""
    if member not in archive.member_names:
        return "<"
    name = archive.read_member(member) if archive.member_size(member) <= max(map(len, BYTE_ORDERS)) else b""
    if name not in BYTE_ORDERS:
        raise InputFileError(archive.name, f"its member {printable(member)} names neither of the byte orders, little and big")
    return BYTE_ORDERS[name]


def _build_array(tensor: PickledTensor, data: bytes, byte_order: str) -> Array:
    """Copy a tensor's numbers out of its storage, in the order of its axes."""
    if 0 in tensor.shape:
        return np.zeros(tensor.shape, np.float32)
    dtype = _dtype(tensor, byte_order)
    strides = [stride * dtype.itemsize for stride in tensor.strides]
    view: Array = np.ndarray(tensor.shape, dtype, data, tensor.offset * dtype.itemsize, strides)
    return to_floats(view.copy(), is_bfloat16=tensor.storage.kind == "BFloat16")
