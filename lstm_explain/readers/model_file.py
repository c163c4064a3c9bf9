"""A model file, whatever its format: chosen by its content first, then by its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lstm_explain.errors import InputFileError, UsageError, printable
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.containers.bounded_file import open_file
from lstm_explain.readers.containers.safetensors import LARGEST_HEADER
from lstm_explain.readers.detect import looks_like_msgpack, looks_like_onnx
from lstm_explain.readers.identify.find_lstms import find_lstms

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.readers.identify.model_lstm import ModelLSTM

KINDS = ".npz, .safetensors, .pt, .keras, .h5, .onnx or .msgpack"
HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"


def read_model(name: str, budget: int, convention: str | None = None) -> tuple[ModelLSTM, ...]:
    """Every LSTM in a model file. No code in the file is run, and no other file is opened.

    Args:
        name: the file's name.
        budget: how many bytes of memory reading may take.
        convention: the framework that wrote the arrays, where their names do not tell.

    Raises:
        InputFileError: the file cannot be read, is malformed, or holds what is not supported.
        UsageError: there is no such convention.
        RefusedError: the file is larger than the budget, or holds an unsafe construct.
        MissingExtraError: a library is missing that reads the format.
    """
    if convention is not None and convention not in CONVENTIONS:
        raise UsageError(f"--convention {printable(convention)}", f"the conventions are {', '.join(CONVENTIONS)}")
    try:
        with open_file(name, f"Name a model: {KINDS}") as file:
            return _reader(file, name)(file, name, budget, convention)
    except OSError as error:
        raise InputFileError(printable(name), f"it cannot be read: {error.strerror or error}") from None


def _reader(file: BinaryIO, name: str) -> Callable[[BinaryIO, str, int, str | None], tuple[ModelLSTM, ...]]:
    """The reader for what the file begins with; for a zip archive, for what it holds."""
    start = file.read(16)
    file.seek(0)
    suffix = Path(name).suffix.lower()
    if start.startswith(ZIP):
        return _zip_reader(file, name)
    if start.startswith(HDF5):
        from lstm_explain.readers.identify.keras_hdf5 import read_hdf5

        return read_hdf5
    if not start:
        raise InputFileError(printable(name), "the file is empty", f"Give {KINDS}")
    if suffix == ".safetensors" or _is_safetensors(start):
        return _safetensors
    msgpack = looks_like_msgpack(start)
    if looks_like_onnx(file) or (suffix == ".onnx" and not msgpack):
        from lstm_explain.readers.identify.onnx import read_onnx

        return read_onnx
    if msgpack or suffix in (".msgpack", ".flax"):
        return _flax
    if start[:1] == b"\x80":
        fix = "Save it anew with torch.save(model.state_dict(), file), which torch 1.6 and later write as a zip archive"
        raise InputFileError(printable(name), "this is a pickle, and reading it would run the program in it", fix)
    raise InputFileError(printable(name), "this is no model file that we know", f"Give {KINDS}")


def _is_safetensors(start: bytes) -> bool:
    """Whether a file begins with the length of a JSON object, and with that."""
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= LARGEST_HEADER


def _zip_reader(file: BinaryIO, name: str) -> Callable[[BinaryIO, str, int, str | None], tuple[ModelLSTM, ...]]:
    from lstm_explain.readers.containers.zip_archive import ZipArchive

    names = ZipArchive(file, name).names
    file.seek(0)
    if any(one == "data.pkl" or one.endswith("/data.pkl") for one in names):
        return _pytorch
    if "config.json" in names and any(one.endswith(".weights.h5") for one in names):
        from lstm_explain.readers.identify.keras_archive import read_keras

        return read_keras
    return _npz


def _npz(file: BinaryIO, name: str, budget: int, convention: str | None) -> tuple[ModelLSTM, ...]:
    from lstm_explain.readers.containers.numpy_files import read_npz

    left_out: dict[str, str] = {}
    return find_lstms(read_npz(file, name, budget, left_out), printable(Path(name).name), convention, left_out)


def _safetensors(file: BinaryIO, name: str, budget: int, convention: str | None) -> tuple[ModelLSTM, ...]:
    from lstm_explain.readers.containers.safetensors import read_safetensors

    left_out: dict[str, str] = {}
    return find_lstms(read_safetensors(file, name, budget, left_out), printable(Path(name).name), convention, left_out)


def _pytorch(file: BinaryIO, name: str, budget: int, convention: str | None) -> tuple[ModelLSTM, ...]:
    from lstm_explain.readers.containers.pytorch import read_pytorch

    left_out: dict[str, str] = {}
    return find_lstms(read_pytorch(file, name, budget, left_out), printable(Path(name).name), convention, left_out)


def _flax(file: BinaryIO, name: str, budget: int, convention: str | None) -> tuple[ModelLSTM, ...]:
    from lstm_explain.readers.containers.flax_msgpack import read_msgpack

    return find_lstms(read_msgpack(file, name, budget), printable(Path(name).name), convention)
