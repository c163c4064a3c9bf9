"""Model files of every format: the LSTMs in them, and the two separate biases of an LSTM."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from lstm_explain.errors import InputFileError, UsageError, printable
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.containers.bounded_file import MemoryBudget, open_file
from lstm_explain.readers.detect import SUFFIXES, detect_format
from lstm_explain.readers.identify.find_lstms import find_lstms
from lstm_explain.readers.identify.model_lstm import select_lstm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lstm_explain.core.axes import Array
    from lstm_explain.core.weight_variants import Biases
    from lstm_explain.readers.containers.named_arrays import NamedArrays
    from lstm_explain.readers.detect import ModelFormat
    from lstm_explain.readers.identify.model_lstm import ModelLSTM

TENSOR_NAME = re.compile(r"(?:.*[./])?(?P<tensor>[A-Za-z_]+?)(?:_l\d+)?(?:_reverse)?")


def read_model(name: str, budget: int, convention: str | None = None) -> tuple[ModelLSTM, ...]:
    """Read every LSTM in a model file. No code in the file is run, and no other file is opened.

    Args:
        name: the file's name.
        budget: how many bytes of memory reading may take.
        convention: the framework that wrote the arrays, where their names are ambiguous.

    Raises:
        InputFileError: the file cannot be read, is malformed, or holds what is not supported.
        UsageError: the convention is unknown.
        RefusedError: the file is larger than the budget, or holds an unsafe construct.
        MissingExtraError: the library that reads the format is not installed.
    """
    if convention is not None and convention not in CONVENTIONS:
        raise UsageError(f"--convention {printable(convention)}", f"the conventions are {', '.join(CONVENTIONS)}")
    memory = MemoryBudget(name, budget)
    with _open_model(name) as file:
        model_format = detect_format(file, name, memory)
        if model_format in ("keras", "hdf5"):
            from lstm_explain.readers.identify.keras_model import read_keras

            return read_keras(file, model_format, memory, convention)
        if model_format == "onnx":
            from lstm_explain.readers.identify.onnx import read_onnx

            return read_onnx(file, name, budget, convention)
        arrays, skipped = _array_reader(model_format)(file, memory)
        return find_lstms(arrays, printable(Path(name).name), convention, skipped)


@contextmanager
def _open_model(name: str) -> Iterator[BinaryIO]:
    try:
        with open_file(name, f"Name a model: {SUFFIXES}") as file:
            yield file
    except OSError as error:
        raise InputFileError(printable(name), f"it cannot be read: {error.strerror or error}") from None


def _array_reader(model_format: ModelFormat) -> Callable[[BinaryIO, MemoryBudget], NamedArrays]:
    """Return the reader of a format that holds named arrays."""
    if model_format == "npz":
        from lstm_explain.readers.containers.numpy_files import read_npz

        return read_npz
    if model_format == "safetensors":
        from lstm_explain.readers.containers.safetensors import read_safetensors

        return read_safetensors
    if model_format == "pytorch":
        from lstm_explain.readers.containers.pytorch import read_pytorch

        return read_pytorch
    from lstm_explain.readers.containers.flax_msgpack import read_msgpack

    return read_msgpack


# --- two separate biases ----------------------------------------------------------------------------------------------


def read_separate_biases(name: str, layer: str | None, convention: str | None, budget: int) -> tuple[Biases, ...]:
    """Read the two biases of an LSTM that `read_model` adds up.

    Args:
        name: the file's name.
        layer: which of its LSTMs, as in `select_lstm`.
        convention: as in `read_model`.
        budget: how many bytes of memory reading may take.

    Returns:
        The first and the second; nothing if the file has no named arrays, or the LSTM does not have two biases.

    Raises:
        InputFileError, RefusedError: as `read_model`.
    """
    memory = MemoryBudget(name, budget)
    with _open_model(name) as file:
        model_format = detect_format(file, name, memory)
        if model_format not in ("npz", "safetensors", "pytorch"):
            return ()
        arrays = _array_reader(model_format)(file, memory).arrays
    short_name = printable(Path(name).name)

    def select(arrays: Mapping[str, Array]) -> ModelLSTM:
        return select_lstm(find_lstms(arrays, short_name, convention), layer, short_name)

    lstm = select(arrays)
    if lstm.biases != 2:
        return ()
    biases = []
    for zeroed in reversed(CONVENTIONS[lstm.framework].biases):
        names = {name for name in lstm.tensors if (match := TENSOR_NAME.fullmatch(name)) and match["tensor"] == zeroed}
        if not names:
            return ()
        variant = select({name: np.zeros_like(array) if name in names else array for name, array in arrays.items()})
        layers = variant.weights.layers
        biases.append(
            tuple(
                {direction: weights.bias for direction, weights in layer.items() if weights.bias is not None}
                for layer in layers
            )
        )
    return tuple(biases)
