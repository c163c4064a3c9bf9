"""HDF5 files as Keras writes them: plain groups of plain datasets. Whatever else HDF5 can do is refused before it is read.

pyfive parses the file's structures. It trusts them, so it is given one of them at a time, after a look at what it would do:
how many bytes it would read, how many elements it would build, where a link leads. Its public interface cannot be given so
little: it follows links, opens other files and hides the addresses that a walk needs to end, so parts below it are used, of
the versions that `pyproject.toml` names. Datasets are read here, from their address. The terms are those of the HDF5 file
format specification, version 3.
"""

from __future__ import annotations

import math
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from lstm_explain.errors import InputFileError, LstmExplainError, MissingExtraError, RefusedError, printable
from lstm_explain.readers.containers.bounded_file import FIX_BUDGET, FIX_FORGED, BoundedReader
from lstm_explain.readers.containers.named_arrays import to_floats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.bounded_file import MemoryBudget

MAX_OBJECTS, MAX_MESSAGES = 50_000, 4096
MAX_DEPTH = 64
MAX_NAME_LENGTH = 1024
MAX_HEADER_BYTES = 2**22
NAME_SHARE, NAME_OVERHEAD = 16, 100
UNDEFINED_ADDRESS = 2**64 - 1
BASE_ADDRESS_AT = 24
DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL_FILES, LAYOUT, FILTERS, ATTRIBUTE, SYMBOL_TABLE = 1, 2, 3, 6, 7, 8, 11, 12, 17
SHARED_FLAG = 2
LINKS = {1: "a soft link to another place, which is not followed", 64: "an external link, which leads to another file"}
CONTIGUOUS, VIRTUAL = 1, 3
LAYOUTS = {0: "in its header (compact)", 2: "in chunks"}
ATTRIBUTES = ("name", "dtype", "model_config", "keras_version", "layer_names")
"""The attributes that describe layers; no other is read."""
FLOAT_CLASS, STRING_CLASS, VARIABLE_LENGTH_CLASS = 1, 3, 9
FLOATS = {
    (2, 0, 16, 10, 5, 0, 10, 15): "f2",
    (2, 0, 16, 7, 8, 0, 7, 127): "bfloat16",
    (4, 0, 32, 23, 8, 0, 23, 127): "f4",
    (8, 0, 64, 52, 11, 0, 52, 1023): "f8",
}
"""Bytes, then offset, precision, position and size of exponent and of fraction, bias of the exponent."""
IMPLIED_ONE = 32
"""The first bits of such a type: its fraction begins with a 1 that is not stored; bit 0 is the byte order."""
OTHER_CLASSES = {0: "integers", 3: "text", 7: "references to other objects", 9: "lists"}
FIX_KERAS = "Save the model anew with Keras"


class Dataset(NamedTuple):
    """An array of a file; its numbers are read on demand."""

    path: str
    shape: tuple[int, ...]
    kind: str
    """f2, f4, f8 or bfloat16, with numpy's byte order before it; else what it holds, in words."""
    address: int
    problem: LstmExplainError | None
    """Why it cannot be read."""

    @property
    def stored_bytes(self) -> int:
        """How many bytes it takes in the file."""
        return math.prod(self.shape) * _item_bytes(self.kind)

    @property
    def loaded_bytes(self) -> int:
        """How many bytes it takes in the type that it is read into."""
        return math.prod(self.shape) * (8 if self.kind.endswith("f8") else 4)


class Hdf5File:
    """An HDF5 file, walked once from its root; every object may appear in it once, so that the walk ends."""

    def __init__(self, file: BinaryIO, budget: MemoryBudget) -> None:
        """Walk through a file.

        Raises:
            InputFileError: it is malformed, or holds what Keras does not write.
            RefusedError: it leads to other files or around in circles, or its structures take more than the memory budget.
            MissingExtraError: pyfive is not installed.
        """
        self.name = budget.name
        try:
            import pyfive  # noqa: F401
        except ImportError:
            raise MissingExtraError(self.name, "pyfive") from None
        self._file = BoundedReader(file, budget)
        self._characters_left = budget.available // NAME_SHARE
        self._heaps: dict[int, Any] = {}
        self.datasets: dict[str, Dataset] = {}
        self.attributes: dict[str, dict[str, str | list[str]]] = {}
        """By the path of their group, which is empty for the root."""
        with self._pyfive_errors("its first bytes"):
            self._walk(self._root_address())

    def read_dataset(self, dataset: Dataset) -> Array:
        """Read a dataset's numbers as float32 or float64.

        Raises:
            InputFileError: they are not floating-point numbers, or not stored plainly.
            RefusedError: they are in other files.
        """
        if dataset.problem is not None:
            raise dataset.problem
        data = self._file.read_at(dataset.address, dataset.stored_bytes)
        is_bfloat16 = dataset.kind.endswith("bfloat16")
        dtype = dataset.kind.replace("bfloat16", "u2")
        return to_floats(np.frombuffer(data, dtype), is_bfloat16).reshape(dataset.shape)

    # --- the walk -----------------------------------------------------------------------------------------------------

    def _root_address(self) -> int:
        from pyfive.misc_low_level import SuperBlock

        version = self._file.read_at(8, 1)[0]
        if version != 0:
            problem = f"its HDF5 format is of a newer kind (superblock {version}), which Keras does not write"
            raise InputFileError(self.name, problem, FIX_KERAS)
        if self._file.read_at(BASE_ADDRESS_AT, 8) != bytes(8):
            raise InputFileError(self.name, "its HDF5 part does not begin at byte 0", FIX_FORGED)
        return int(SuperBlock(self._file, 0).offset_to_dataobjects)

    def _walk(self, root: int) -> None:
        seen: set[int] = set()
        pending = [("", root, 0)]
        while pending:
            path, address, depth = pending.pop()
            if address in seen:
                problem = f"{printable(path)} is an object that appears elsewhere in it too: its links may loop"
                raise RefusedError(self.name, problem)
            seen.add(address)
            if len(seen) > MAX_OBJECTS or depth > MAX_DEPTH:
                limit = f"{MAX_OBJECTS} objects" if depth <= MAX_DEPTH else f"{MAX_DEPTH} levels of groups"
                raise RefusedError(self.name, f"it has more than {limit}, far more than any model")
            with self._pyfive_errors(_path_label(path)):
                header = self._read_header(address)
                if header.find_msg_type(LAYOUT):
                    self.datasets[path] = self._describe_dataset(path, header)
                    continue
                if attributes := self._read_attributes(header):
                    self.attributes[path] = attributes
                links = dict(self._iter_links(path, header))
            pending += [(f"{path}/{name}" if path else name, child, depth + 1) for name, child in links.items()]

    def _read_header(self, address: int) -> Any:
        """Read the messages of an object's header: a pyfive `DataObjects`."""
        from pyfive.dataobjects import DataObjects

        self._file.begin_object(MAX_HEADER_BYTES)
        start = self._file.read_at(address, 16)
        messages, size = struct.unpack_from("<H4xI", start, 2)
        if start[0] != 1:
            if start[:4] == b"OHDR":
                problem = f"its object at byte {address} is of a newer kind of HDF5, which Keras does not write"
                raise InputFileError(self.name, problem, FIX_KERAS)
            raise InputFileError(self.name, f"it has no object at byte {address}, where one should be", FIX_FORGED)
        if messages > MAX_MESSAGES or size > MAX_HEADER_BYTES:
            raise RefusedError(self.name, f"an object at byte {address} has {messages} messages in {size} bytes of header")
        header = DataObjects(self._file, address)
        header._global_heaps = self._heaps  # or each object would read the texts of all again
        return header

    def _iter_links(self, path: str, header: Any) -> Iterator[tuple[str, int]]:
        """Yield the names in a group, and the address that each leads to."""
        from pyfive.btree import BTreeV1Groups
        from pyfive.misc_low_level import Heap, SymbolTable

        if not header.find_msg_type(SYMBOL_TABLE):
            raise self._group_error(_path_label(path), header)
        self._file.begin_object(self._file.size + MAX_HEADER_BYTES)
        message_at = header.find_msg_type(SYMBOL_TABLE)[0]["offset_to_message"]
        tree, heap = struct.unpack_from("<QQ", header.msg_data, message_at)
        heap_data = Heap(self._file, heap).data
        names: set[str] = set()
        for address in BTreeV1Groups(self._file, tree).symbol_table_addresses():
            for entry in SymbolTable(self._file, address).entries:
                name = self._link_name(path, heap_data, entry["link_name_offset"])
                if name in names:
                    problem = f"{printable(name)} appears twice in {_path_label(path)}"
                    raise InputFileError(self.name, problem, FIX_FORGED)
                if entry["cache_type"] not in (0, 1):
                    problem = f"{printable(path + '/' + name)} is a soft link to another place, which is not followed"
                    raise RefusedError(self.name, problem, "Save the model anew with Keras, which writes no links")
                names.add(name)
                yield name, entry["object_header_address"]

    def _group_error(self, label: str, header: Any) -> LstmExplainError:
        """Return the error for an object that is neither a plain dataset nor a plain group."""
        links = header.find_msg_type(LINK)
        for message in links:
            data, message_at = header.msg_data, message["offset_to_message"]
            has_kind = data[message_at + 1] & 8
            if has_kind and data[message_at + 2] in LINKS:
                return RefusedError(self.name, f"{label} has {LINKS[data[message_at + 2]]}", FIX_KERAS)
        if links or header.find_msg_type(LINK_INFO):
            return InputFileError(self.name, f"{label} is a group of a newer kind, which Keras does not write", FIX_KERAS)
        return InputFileError(self.name, f"{label} is neither a group nor an array", FIX_KERAS)

    def _link_name(self, path: str, heap_data: bytes, offset: int) -> str:
        end = heap_data.find(b"\0", offset, offset + MAX_NAME_LENGTH + 1)
        if end <= offset:
            problem = f"a name in {_path_label(path)} is empty, or longer than {MAX_NAME_LENGTH} bytes"
            raise InputFileError(self.name, problem, FIX_FORGED)
        name = heap_data[offset:end].decode()
        if "/" in name:
            raise InputFileError(self.name, f"the name {printable(name)} has a / in it", FIX_FORGED)
        self._count_characters(len(path) + len(name))
        return name

    # --- datasets -----------------------------------------------------------------------------------------------------

    def _describe_dataset(self, path: str, header: Any) -> Dataset:
        from pyfive.dataobjects import determine_data_shape

        data = header.msg_data
        dataspace, datatype, layout = (self._only_message(header, kind) for kind in (DATASPACE, DATATYPE, LAYOUT))
        shape = tuple(map(int, determine_data_shape(data, dataspace)[0] or ()))
        kind = _parse_datatype(data, datatype)
        if kind == "2 opaque bytes" and self._read_attributes(header).get("dtype") == "bfloat16":
            kind = "<bfloat16"
        try:
            return Dataset(path, shape, kind, self._data_address(path, header, layout, shape, kind), None)
        except (InputFileError, RefusedError) as error:
            return Dataset(path, shape, kind, 0, error)

    def _only_message(self, header: Any, kind: int) -> int:
        """Return the offset of the only message of a kind."""
        messages = header.find_msg_type(kind)
        if len(messages) != 1 or messages[0]["flags"] & SHARED_FLAG:
            problem = f"an array has {len(messages)} messages of kind {kind}, or a shared one"
            raise InputFileError(self.name, problem, FIX_FORGED)
        return int(messages[0]["offset_to_message"])

    def _data_address(self, path: str, header: Any, layout: int, shape: tuple[int, ...], kind: str) -> int:
        """Return where a dataset's numbers begin.

        Raises:
            InputFileError: they are not floating-point numbers, or not stored plainly.
            RefusedError: they are in other files.
        """
        label = f"{self.name}: {printable(path)}"
        version, layout_class = header.msg_data[layout], header.msg_data[layout + 1]
        if header.find_msg_type(EXTERNAL_FILES) or layout_class == VIRTUAL:
            raise RefusedError(label, "its numbers are in another file or dataset, and no other file is opened", FIX_KERAS)
        if header.find_msg_type(FILTERS):
            raise InputFileError(label, "its numbers are compressed or filtered, which Keras does not do", FIX_KERAS)
        if version != 3 or layout_class != CONTIGUOUS:
            problem = f"its numbers are {LAYOUTS.get(layout_class, 'stored in a newer way')}, not in one piece"
            raise InputFileError(label, problem, FIX_KERAS)
        if kind[:1] not in "<>":
            raise InputFileError(label, f"it holds {kind}, and only floating-point numbers are read")
        address, size = struct.unpack_from("<QQ", header.msg_data, layout + 2)
        announced = math.prod(shape) * _item_bytes(kind)
        if address == UNDEFINED_ADDRESS and size:
            raise InputFileError(label, "its numbers were never written", FIX_KERAS)
        if announced != size or address + size > self._file.size:
            problem = f"its shape {list(shape)} announces {announced} bytes, and the file holds {size} for it"
            beyond = ", beyond its end" if size > self._file.size else ""
            raise InputFileError(label, problem + beyond, FIX_FORGED)
        return int(address)

    # --- attributes ---------------------------------------------------------------------------------------------------

    def _read_attributes(self, header: Any) -> dict[str, str | list[str]]:
        """Read those of `ATTRIBUTES` that are texts or lists of texts."""
        attributes: dict[str, str | list[str]] = {}
        for message in header.find_msg_type(ATTRIBUTE):
            start, data = message["offset_to_message"], header.msg_data
            name_size, name_at = struct.unpack_from("<H", data, start + 2)[0], _attribute_name_at(data, start)
            name = data[name_at : name_at + name_size].split(b"\0")[0].decode(errors="replace")
            if name.rstrip("0123456789") in ATTRIBUTES and not message["flags"] & SHARED_FLAG and _is_text(data, start):
                self._file.begin_object(self._file.size + MAX_HEADER_BYTES)
                value = header.unpack_attribute(start)[1]
                is_list = isinstance(value, np.ndarray)
                attributes[name] = [self._decode(text) for text in value.ravel()] if is_list else self._decode(value)
        return attributes

    def _decode(self, value: Any) -> str:
        self._count_characters(len(value))
        return value.decode() if isinstance(value, bytes) else str(value)

    def _count_characters(self, count: int) -> None:
        """Count the characters of names and texts: a few bytes of a file can name a long one again and again."""
        self._characters_left -= count + NAME_OVERHEAD
        if self._characters_left < 0:
            raise RefusedError(self.name, "its names take more than a sixteenth of the memory budget", FIX_BUDGET)

    @contextmanager
    def _pyfive_errors(self, label: str) -> Iterator[None]:
        """Turn whatever pyfive raises at a malformed file, under `python -O` too, into one error of ours."""
        try:
            yield
        except (LstmExplainError, OSError):  # a disk that fails is not a malformed file
            raise
        except Exception as error:
            reason = printable(f"{type(error).__name__} {error}".strip())
            raise InputFileError(self.name, f"{label} cannot be read as HDF5 ({reason})", FIX_FORGED) from None


def _path_label(path: str) -> str:
    return printable(path) or "its root"


# --- messages, looked at before pyfive reads them ---------------------------------------------------------------------


def _item_bytes(kind: str) -> int:
    """Return how many bytes a number takes in the file."""
    return 2 if kind.endswith("bfloat16") else int(kind[-1])


def _parse_datatype(data: bytes, start: int) -> str:
    """Return a floating-point type as in `Dataset.kind`, or what a datatype message describes, in words."""
    type_class, bits, sign_at = data[start] & 15, data[start + 1], data[start + 2]
    size = struct.unpack_from("<I", data, start + 4)[0]
    if type_class == FLOAT_CLASS:
        kind = FLOATS.get((size, *struct.unpack_from("<HHBBBBI", data, start + 8)))
        if kind is not None and bits | 1 == IMPLIED_ONE | 1 and sign_at == 8 * size - 1:
            return f"{'>' if bits & 1 else '<'}{kind}"
        return f"floating-point numbers of {size} bytes in an unknown format"
    return f"{size} opaque bytes" if type_class == 5 else OTHER_CLASSES.get(type_class, "values of another kind")


def _attribute_name_at(data: bytes, start: int) -> int:
    """Return where the name begins in an attribute message; versions 2 and 3 have one more byte before it."""
    return start + (8 if data[start] == 1 else 9)


def _is_text(data: bytes, start: int) -> bool:
    """Whether an attribute is a text or a list of texts, and small enough for its elements to be where they should."""
    from pyfive.dataobjects import determine_data_shape

    version, flags = data[start], data[start + 1]
    if version not in (1, 3) or (version == 3 and flags):
        return False
    name_size, datatype_size = struct.unpack_from("<HH", data, start + 2)
    alignment = 8 if version == 1 else 1
    datatype_at = _attribute_name_at(data, start) + -(-name_size // alignment) * alignment
    type_class, element_class = data[datatype_at] & 15, data[datatype_at + 1] & 15
    if type_class != STRING_CLASS and not (type_class == VARIABLE_LENGTH_CLASS and element_class == 1):
        return False
    shape = determine_data_shape(data, datatype_at + -(-datatype_size // alignment) * alignment)[0]
    return shape is not None and math.prod(shape) <= len(data)
