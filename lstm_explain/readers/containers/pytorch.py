"""PyTorch's `.pt` and `.pth` files: a zip archive of a pickle, which is followed, never run, and of the tensors' numbers."""

from __future__ import annotations

import re
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers.safe_pickle import (
    KINDS,
    OPCODE_BYTES,
    WAY_OUT,
    PickledDict,
    Storage,
    Tensor,
    interpret_pickle,
)
from lstm_explain.readers.containers.zip_archive import ZipArchive
from lstm_explain.readers.identify.name_patterns import NORMED_NAME, PYTORCH_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lstm_explain.core.axes import Array

PROGRAM = "data.pkl"
LARGEST_PROGRAM = 2**26
TEXT_BYTES = 8
"""How many bytes of memory a byte of the pickle may take as text: its copies while it is read, and wide characters."""
LARGEST_ARRAY = 2**48
DEEPEST, LONGEST_NAME = 100, 1_000
MOST_PLACES, MOST_TENSORS = 1_000_000, 20_000
"""In dicts and lists, each counted as often as it is reached: one that holds another twice doubles what there is to walk."""
MOST_AXES = 3
"""Of weights: a layer's have two; several directions side by side have three."""
TYPES = {"Double": "f8", "Float": "f4", "Half": "f2", "BFloat16": "u2"}
"""numpy's names of those types that are read. It has no bfloat16, which is the upper half of a float32."""
KEYS = (str, int, float, bool, type(None))
"""The types of keys that may lead to weights."""
SURROGATE = re.compile("[\ud800-\udfff]")
ORDERS = {b"little": "<", b"big": ">"}


def read_pytorch(file: BinaryIO, name: str, budget: int, left_out: dict[str, str] | None = None) -> dict[str, Array]:
    """The tensors of a PyTorch file that may be an LSTM's, by name, in float32 or float64.

    A state dict may lie in dicts, lists and tuples; the keys on the way are joined with dots. Where any tensor has a name that
    torch gives to an LSTM's, such as `weight_ih_l0`, only the tensors of modules that have such are read. `left_out` gets the
    types of those that have such a name, and hold no floating-point numbers.

    Raises:
        InputFileError: the archive or its pickle is malformed, or a tensor reaches beyond its numbers.
        RefusedError: the pickle holds more than weights, or reading takes more memory than the budget.
    """
    archive = ZipArchive(file, name)
    root = _root(archive)
    part = budget // 3  # for the text of the pickle, for what is made of it, and for the names
    walk = _Walk(archive.name)
    tensors = _weights(walk, interpret_pickle(_program(archive, root, part), archive.name, part), archive.name, part)
    if left_out is not None:
        left_out |= walk.left_out
    _check(archive, root, tensors)
    _afford(archive.name, tensors, budget)
    return _arrays(archive, root, tensors, budget)


def _root(archive: ZipArchive) -> str:
    """What stands before every member's name, with its slash."""
    roots = [one.removesuffix(PROGRAM) for one in archive.names if one == PROGRAM or one.endswith(f"/{PROGRAM}")]
    if len(roots) != 1:
        raise InputFileError(archive.name, f"it holds {len(roots)} members {PROGRAM}, and a PyTorch file holds one")
    return roots[0]


def _program(archive: ZipArchive, root: str, budget: int) -> bytes:
    member = root + PROGRAM
    size = archive.size(member)
    if size > LARGEST_PROGRAM:
        found = f"its pickle holds {size:,} bytes, and {LARGEST_PROGRAM:,} are the most that are read"
        raise RefusedError(archive.name, found, WAY_OUT)
    if TEXT_BYTES * size > budget:
        found = f"reading its pickle of {size:,} bytes may take {TEXT_BYTES} times as much memory, over a third of the budget"
        raise RefusedError(archive.name, found, "Raise --max-memory")
    return archive.read(member, budget)


# --- the tensors and their names --------------------------------------------------------------------------------------


def _weights(walk: _Walk, tree: Any, file: str, budget: int) -> dict[str, Tensor]:
    """Those tensors of a checkpoint that may be an LSTM's weights, by name."""
    tensors: dict[str, Tensor] = {}
    held = 0
    for name, tensor in walk.tensors(tree, "", 0):
        if name in tensors and tensors[name] != tensor:
            raise InputFileError(file, f"the name {printable(name)} stands twice in it, for different tensors")
        tensors[name] = tensor
        held += OPCODE_BYTES + 4 * len(name)
        if held > budget:
            raise RefusedError(
                file, f"its names alone take more than {budget:,} bytes, a third of the budget", "Raise --max-memory"
            )
        if len(tensors) > MOST_TENSORS:
            raise RefusedError(file, f"it names more than {MOST_TENSORS:,} tensors", WAY_OUT)
    telling = {_module(name) for name in tensors if PYTORCH_NAME.fullmatch(name)}
    if telling:
        return {name: one for name, one in tensors.items() if _module(name) in telling or NORMED_NAME.fullmatch(name)}
    return {name: tensor for name, tensor in tensors.items() if len(tensor.sizes) <= MOST_AXES}


def _module(name: str) -> str:
    return name.rpartition(".")[0]


class _Walk:
    """A walk through nested dicts, lists and tuples, which a file may have made endless."""

    def __init__(self, file: str) -> None:
        self._file, self._places = file, 0
        self.left_out: dict[str, str] = {}
        """The types of the tensors that are not read, and have the name of an LSTM's."""

    def tensors(self, value: Any, name: str, depth: int) -> Iterator[tuple[str, Tensor]]:
        """The tensors of types that are read, by the keys that lead to them."""
        if type(value) is Tensor:
            if value.storage.kind in TYPES:
                yield name, value
            elif PYTORCH_NAME.fullmatch(name):
                self.left_out[name] = KINDS[value.storage.kind]
            return
        if type(value) not in (PickledDict, list, tuple):  # at the top: a file of one number, for example
            return
        items = value.pairs if type(value) is PickledDict else value
        self._places += len(items)
        if depth > DEEPEST or self._places > MOST_PLACES:
            reason = f"more than {DEEPEST} deep" if depth > DEEPEST else f"with more than {MOST_PLACES:,} places"
            raise RefusedError(self._file, f"it holds dicts and lists nested {reason}", WAY_OUT)
        for key, one in items if type(value) is PickledDict else enumerate(items):
            if type(one) in (Tensor, PickledDict, list, tuple) and type(key) in KEYS:
                yield from self.tensors(one, self._joined(name, key), depth + 1)

    def _joined(self, name: str, key: Any) -> str:
        last = str(key)
        if len(name) + len(last) > LONGEST_NAME or SURROGATE.search(last):
            raise InputFileError(
                self._file, f"a name in it is too long or no Unicode text: {printable(name)}.{printable(last)}"
            )
        return f"{name}.{last}" if name else last


# --- their numbers ----------------------------------------------------------------------------------------------------


def _check(archive: ZipArchive, root: str, tensors: Mapping[str, Tensor]) -> None:
    """Every tensor lies within its storage, and the archive holds this as the pickle describes it."""
    held = {member: archive.size(member) for member in archive.names}
    for name, tensor in tensors.items():
        wrong = _wrong(tensor, held, _member(root, tensor.storage))
        if wrong:
            found = f"its tensor {printable(name)} {wrong}"
            raise InputFileError(archive.name, found, "The file is cut or forged: write it anew")


def _wrong(tensor: Tensor, held: Mapping[str, int], member: str) -> str | None:
    numbers = tensor.storage.numbers
    said = numbers * _itemsize(tensor.storage)
    if member not in held:
        return f"is in {printable(member)}, and the archive has no such member"
    if said != held[member]:
        return f"is in {printable(member)}, which holds {held[member]} bytes and not {said}"
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.sizes, tensor.strides, strict=True))
    if 0 not in tensor.sizes and last >= numbers:
        return f"reaches to number {last} of {numbers} in {printable(member)}, counted from 0"
    if prod(max(1, size) for size in tensor.sizes) > LARGEST_ARRAY:  # numpy objects even where one of the sizes is 0
        return f"has {' x '.join(map(str, tensor.sizes))} numbers, more than any array"
    return None


def _member(root: str, storage: Storage) -> str:
    return f"{root}data/{storage.key}"


def _itemsize(storage: Storage) -> int:
    return np.dtype(TYPES[storage.kind]).itemsize


def _afford(file: str, tensors: Mapping[str, Tensor], budget: int) -> None:
    """Refuse what is above the budget: each storage while it is read, or the arrays with what is made of them."""
    storages = {tensor.storage.key: tensor.storage.numbers * _itemsize(tensor.storage) for tensor in tensors.values()}
    arrays = sum(prod(tensor.sizes) * max(4, _itemsize(tensor.storage)) for tensor in tensors.values())
    needed = max(3 * arrays, arrays + 2 * max(storages.values(), default=0), sum(storages.values()))
    if needed > budget:
        told = any(map(PYTORCH_NAME.fullmatch, tensors))
        which = "its LSTMs" if told else "all its tensors, of which none has a name such as weight_ih_l0,"
        found = f"reading {which} takes {needed:,} bytes of memory, and the budget is {budget:,}"
        raise RefusedError(file, found, "Raise --max-memory")


def _arrays(archive: ZipArchive, root: str, tensors: Mapping[str, Tensor], budget: int) -> dict[str, Array]:
    """Read storage after storage, so that no more than one is held beside the arrays."""
    order = _order(archive, root)
    by_member: dict[str, list[str]] = {}
    for name, tensor in tensors.items():
        by_member.setdefault(_member(root, tensor.storage), []).append(name)
    arrays: dict[str, Array] = {}
    for member, names in by_member.items():
        data = archive.read(member, budget)
        arrays |= {name: _array(tensors[name], data, order) for name in names}
    return {name: arrays[name] for name in tensors}


def _order(archive: ZipArchive, root: str) -> str:
    """The order of bytes, as numpy spells it; files of torch before 2.1 do not say, and are little-endian."""
    member = f"{root}byteorder"
    if member not in archive.names:
        return "<"
    said = archive.read(member, 2**10) if archive.size(member) <= max(map(len, ORDERS)) else b"?"
    if said not in ORDERS:
        raise InputFileError(archive.name, f"its member {printable(member)} names no order of bytes, which are little and big")
    return ORDERS[said]


def _array(tensor: Tensor, data: bytes, order: str) -> Array:
    """A tensor's numbers, copied out of its storage in the order of its axes."""
    dtype = np.dtype(order + TYPES[tensor.storage.kind])
    if 0 in tensor.sizes:
        return np.zeros(tensor.sizes, np.float32)
    strides = [stride * dtype.itemsize for stride in tensor.strides]
    view: Array = np.ndarray(tensor.sizes, dtype, data, tensor.offset * dtype.itemsize, strides)
    if tensor.storage.kind != "BFloat16":
        return view.astype(np.float64 if dtype.itemsize == 8 else np.float32, order="C")
    wide = view.astype(np.uint32, order="C")
    wide <<= 16
    return wide.view(np.float32)
