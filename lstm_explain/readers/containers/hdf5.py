"""HDF5 files as Keras writes them: plain groups of plain datasets. Whatever else HDF5 can do is refused before it is read.

pyfive takes the file's structures apart. It trusts them, so it is given one of them at a time, after a look at what it would
do: how many bytes it would read, how many elements it would make, where a link leads. Datasets are read here, from their place
in the file. The words are those of the HDF5 file format specification, version 3.
"""

from __future__ import annotations

import math
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lstm_explain.errors import InputFileError, LstmExplainError, MissingExtraError, RefusedError, printable
from lstm_explain.readers.containers.bounded_file import BoundedReader, MemoryBudget
from lstm_explain.readers.containers.hdf5_messages import Dataset, attribute_name, is_text, kind_of, width_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array

MOST_OBJECTS, MOST_MESSAGES = 50_000, 4096
DEEPEST = 64
LONGEST_NAME = 1024
OVERHEAD = 100
LARGEST_HEADER = 2**22
UNDEFINED = 2**64 - 1
BASE_ADDRESS = 24
DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL_FILES, LAYOUT, FILTERS, ATTRIBUTE, SYMBOL_TABLE = 1, 2, 3, 6, 7, 8, 11, 12, 17
SHARED = 2
LAYOUTS = {0: "in its header (compact)", 2: "in chunks", 3: "in other files or datasets (virtual)"}
WANTED = ("name", "dtype", "model_config", "keras_version", "layer_names")
"""The attributes that say something about layers; no other is read."""
REWRITE = "The file is cut or forged: write it anew"


class Hdf5File:
    """An HDF5 file, walked once from its root; every object stands in it once, so that the walk ends."""

    def __init__(self, file: BinaryIO, name: str, budget: int) -> None:
        """Walk through a file.

        Raises:
            InputFileError: it is malformed, or holds what Keras does not write.
            RefusedError: it leads to other files or around in circles, or its structures take more than the memory budget.
            MissingExtraError: pyfive is not installed.
        """
        self.name = printable(name)
        try:
            import pyfive  # noqa: F401
        except ImportError:
            raise MissingExtraError(self.name, "pyfive") from None
        self._file = BoundedReader(file, MemoryBudget(self.name, budget))
        self._letters_left = budget // 16
        self._heaps: dict[int, Any] = {}
        self.datasets: dict[str, Dataset] = {}
        self.attributes: dict[str, dict[str, str | list[str]]] = {}
        """By the path of their group, which is empty for the root."""
        with self._parsing("its first bytes"):
            self._walk(self._root())

    def read(self, dataset: Dataset) -> Array:
        """A dataset's numbers, float32 or float64.

        Raises:
            InputFileError: they are no floating-point numbers, or not stored plainly.
            RefusedError: they stand in other files.
        """
        if dataset.problem is not None:
            raise dataset.problem
        return dataset.numbers(self._file.read_at(dataset.place, dataset.stored_bytes))

    # --- the walk -----------------------------------------------------------------------------------------------------

    def _root(self) -> int:
        """The address of the root group's header."""
        from pyfive.misc_low_level import SuperBlock

        version = self._file.read_at(8, 1)[0]
        if version != 0:
            found = f"its HDF5 format is of a newer kind (superblock {version}), which Keras does not write"
            raise InputFileError(self.name, found, "Save the model anew with Keras")
        if self._file.read_at(BASE_ADDRESS, 8) != bytes(8):
            raise InputFileError(self.name, "its HDF5 part does not begin at byte 0", REWRITE)
        return int(SuperBlock(self._file, 0).offset_to_dataobjects)

    def _walk(self, root: int) -> None:
        seen: set[int] = set()
        waiting = [("", root, 0)]
        while waiting:
            path, address, depth = waiting.pop()
            if address in seen:
                raise RefusedError(
                    self.name, f"{printable(path)} is an object that stands elsewhere in it too: its links may loop"
                )
            seen.add(address)
            if len(seen) > MOST_OBJECTS or depth > DEEPEST:
                limit = f"{MOST_OBJECTS} objects" if depth <= DEEPEST else f"{DEEPEST} levels of groups"
                raise RefusedError(self.name, f"it has more than {limit}, and no model has")
            with self._parsing(printable(path) or "its root"):
                objects = self._header(address)
                if objects.find_msg_type(LAYOUT):
                    self.datasets[path] = self._dataset(path, objects)
                    continue
                self._keep_attributes(path, objects)
                links = dict(self._links(path, objects))
            waiting += [(f"{path}/{name}" if path else name, child, depth + 1) for name, child in links.items()]

    def _header(self, address: int) -> Any:
        """The messages of an object's header: a pyfive `DataObjects`."""
        from pyfive.dataobjects import DataObjects

        self._file.begin_object(LARGEST_HEADER)
        start = self._file.read_at(address, 16)
        messages, size = struct.unpack_from("<H4xI", start, 2)
        if start[0] != 1:
            newer = start[:4] == b"OHDR"
            found = "it holds an object of a newer kind of HDF5, which Keras does not write" if newer else "it is malformed"
            fix = "Save the model anew with Keras" if newer else REWRITE
            raise InputFileError(self.name, f"{found}; byte {address}", fix)
        if messages > MOST_MESSAGES or size > LARGEST_HEADER:
            raise RefusedError(self.name, f"an object at byte {address} has {messages} messages in {size} bytes of header")
        objects = DataObjects(self._file, address)
        objects._global_heaps = self._heaps  # or each object would read the texts of all again
        return objects

    def _links(self, path: str, objects: Any) -> Iterator[tuple[str, int]]:
        """The names in a group, and where each leads."""
        from pyfive.btree import BTreeV1Groups
        from pyfive.misc_low_level import Heap, SymbolTable

        if not objects.find_msg_type(SYMBOL_TABLE):
            raise self._no_group(path, objects)
        self._file.begin_object(self._file.size + LARGEST_HEADER)
        place = objects.find_msg_type(SYMBOL_TABLE)[0]["offset_to_message"]
        tree, heap = struct.unpack_from("<QQ", objects.msg_data, place)
        names = Heap(self._file, heap).data
        met: set[str] = set()
        for address in BTreeV1Groups(self._file, tree).symbol_table_addresses():
            for entry in SymbolTable(self._file, address).entries:
                name = self._name(path, names, entry["link_name_offset"])
                if name in met:
                    raise InputFileError(
                        self.name, f"{printable(name)} stands twice in {printable(path) or 'its root'}", REWRITE
                    )
                if entry["cache_type"] not in (0, 1):
                    found = f"{printable(path + '/' + name)} is a soft link to another place, which is not followed"
                    raise RefusedError(self.name, found, "Save the model anew with Keras, which writes no links")
                met.add(name)
                yield name, entry["object_header_address"]

    def _no_group(self, path: str, objects: Any) -> LstmExplainError:
        """What an object is that is neither a plain dataset nor a plain group."""
        where, fix = printable(path) or "its root", "Save the model anew with Keras"
        for message in objects.find_msg_type(LINK):
            data, place = objects.msg_data, message["offset_to_message"]
            kind = data[place + 2] if data[place + 1] & 8 else 0
            if kind == 64:
                return RefusedError(self.name, f"{where} has an external link, which leads to another file", fix)
            if kind == 1:
                return RefusedError(self.name, f"{where} has a soft link to another place, which is not followed", fix)
        if objects.find_msg_type(LINK) or objects.find_msg_type(LINK_INFO):
            return InputFileError(self.name, f"{where} is a group of a newer kind, which Keras does not write", fix)
        return InputFileError(self.name, f"{where} is neither a group nor an array", fix)

    def _name(self, path: str, names: bytes, offset: int) -> str:
        end = names.find(b"\0", offset, offset + LONGEST_NAME + 1)
        if end <= offset:
            found = f"a name in {printable(path) or 'its root'} is empty, or longer than {LONGEST_NAME} bytes"
            raise InputFileError(self.name, found, REWRITE)
        name = names[offset:end].decode()
        if "/" in name:
            raise InputFileError(self.name, f"the name {printable(name)} has a / in it", REWRITE)
        self._pay(len(path) + len(name))
        return name

    # --- datasets -----------------------------------------------------------------------------------------------------

    def _dataset(self, path: str, objects: Any) -> Dataset:
        from pyfive.dataobjects import determine_data_shape

        data = objects.msg_data
        places = {kind: self._only(objects, kind) for kind in (DATASPACE, DATATYPE, LAYOUT)}
        shape = determine_data_shape(data, places[DATASPACE])[0] or ()
        kind = kind_of(data, places[DATATYPE])
        if kind == "2 opaque bytes" and self._attributes(objects).get("dtype") == "bfloat16":
            kind = "<bfloat16"
        address, problem = self._storage(path, objects, places[LAYOUT], shape, kind)
        return Dataset(path, tuple(map(int, shape)), kind, address, problem)

    def _only(self, objects: Any, kind: int) -> int:
        """The place of the only message of a kind."""
        messages = objects.find_msg_type(kind)
        if len(messages) != 1 or messages[0]["flags"] & SHARED:
            raise InputFileError(self.name, f"an array has {len(messages)} messages of kind {kind}, or a shared one", REWRITE)
        return int(messages[0]["offset_to_message"])

    def _storage(
        self, path: str, objects: Any, layout: int, shape: tuple[int, ...], kind: str
    ) -> tuple[int, LstmExplainError | None]:
        """Where the numbers begin, or why they cannot be read."""
        where, fix = f"{self.name}: {printable(path)}", "Save the model anew with Keras"
        version, stored = objects.msg_data[layout], objects.msg_data[layout + 1]
        if objects.find_msg_type(EXTERNAL_FILES):
            return 0, RefusedError(where, "its numbers stand in another file, which is not opened", fix)
        if stored == 3:
            return 0, RefusedError(where, f"its numbers stand {LAYOUTS[3]}, and these are not opened", fix)
        if objects.find_msg_type(FILTERS):
            return 0, InputFileError(where, "its numbers are compressed or filtered, which Keras does not do", fix)
        if version != 3 or stored != 1:
            return 0, InputFileError(
                where, f"its numbers stand {LAYOUTS.get(stored, 'in a newer way')}, not in one piece", fix
            )
        if kind[:1] not in "<>":
            return 0, InputFileError(where, f"it holds {kind}, not floating-point numbers")
        address, size = struct.unpack_from("<QQ", objects.msg_data, layout + 2)
        announced = math.prod(shape) * width_of(kind)
        if address == UNDEFINED and size:
            return 0, InputFileError(where, "its numbers were never written", fix)
        if announced != size or address + size > self._file.size:
            found = f"its shape {list(shape)} announces {announced} bytes, and the file holds {size} for it"
            return 0, InputFileError(where, found if size <= self._file.size else f"{found}, beyond its end", REWRITE)
        return address, None

    # --- attributes ---------------------------------------------------------------------------------------------------

    def _keep_attributes(self, path: str, objects: Any) -> None:
        if found := self._attributes(objects):
            self.attributes[path] = found

    def _attributes(self, objects: Any) -> dict[str, str | list[str]]:
        """The attributes that are wanted, where they are texts or lists of texts."""
        found = {}
        for message in objects.find_msg_type(ATTRIBUTE):
            place = message["offset_to_message"]
            name = attribute_name(objects.msg_data, place)
            if name.rstrip("0123456789") in WANTED and not message["flags"] & SHARED and is_text(objects.msg_data, place):
                self._file.begin_object(self._file.size + LARGEST_HEADER)
                value = objects.unpack_attribute(place)[1]
                several = isinstance(value, np.ndarray)
                found[name] = [self._text(one) for one in value.ravel()] if several else self._text(value)
        return found

    def _text(self, value: Any) -> str:
        self._pay(len(value))
        return value.decode() if isinstance(value, bytes) else str(value)

    def _pay(self, letters: int) -> None:
        """Count the letters of names and texts: a few bytes of a file can name a long one again and again."""
        self._letters_left -= letters + OVERHEAD
        if self._letters_left < 0:
            raise RefusedError(self.name, "its names take more than a sixteenth of the memory budget", "Raise --max-memory")

    @contextmanager
    def _parsing(self, where: str) -> Iterator[None]:
        """Whatever pyfive raises at a malformed file, under `python -O` too, as one error of ours."""
        try:
            yield
        except (LstmExplainError, OSError):  # a disk that fails is no malformed file
            raise
        except Exception as error:
            reason = printable(f"{type(error).__name__} {error}".strip())
            raise InputFileError(self.name, f"{where} cannot be read as HDF5 ({reason})", REWRITE) from None
