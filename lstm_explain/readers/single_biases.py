"""Two biases one by one: those of an LSTM whose file has two for each neuron, which are added up wherever it is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from lstm_explain.errors import InputFileError, printable
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.containers.bounded_file import open_file
from lstm_explain.readers.identify.find_lstms import find_lstms
from lstm_explain.readers.identify.model_lstm import select_lstm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lstm_explain.core.axes import Array
    from lstm_explain.core.weight_variants import Biases
    from lstm_explain.readers.identify.model_lstm import ModelLSTM

LAST_PART = re.compile(r"(?:.*[./])?(?P<tensor>[A-Za-z_]+?)(?:_l\d+)?(?:_reverse)?")


def read_single_biases(name: str, layer: str | None, convention: str | None, budget: int) -> tuple[Biases, ...]:
    """Read an LSTM that `read_model` read before, once with each of its two biases alone.

    Args:
        name: the file's name.
        layer: which of its LSTMs, as in `found.chosen`.
        convention: as in `read_model`.
        budget: how many bytes of memory reading may take.

    Returns:
        The first and the second; nothing where the file is not one of arrays by name, or has not two biases.

    Raises:
        InputFileError, RefusedError: as `read_model`.
    """
    try:
        with open_file(name, "Name a model") as file:
            tensors = _tensors(file, name, budget)
    except OSError as error:
        raise InputFileError(printable(name), f"it cannot be read: {error.strerror or error}") from None
    if tensors is None:
        return ()
    short = printable(Path(name).name)
    both = select_lstm(find_lstms(tensors, short, convention), layer, short)
    if both.biases != 2:
        return ()
    kept = [_without(tensors, both, bias) for bias in reversed(CONVENTIONS[both.framework].biases)]
    if any(one is None for one in kept):
        return ()
    return tuple(_biases(select_lstm(find_lstms(one, short, convention), layer, short)) for one in kept if one is not None)


def _tensors(file: BinaryIO, name: str, budget: int) -> dict[str, Array] | None:
    """The arrays by name; None where the file holds something else."""
    from lstm_explain.readers.containers.zip_archive import ZipArchive

    start = file.read(9)
    file.seek(0)
    if start.startswith(b"PK\x03\x04"):
        names = ZipArchive(file, name).names
        file.seek(0)
        if any(one == "data.pkl" or one.endswith("/data.pkl") for one in names):
            from lstm_explain.readers.containers.pytorch import read_pytorch

            return read_pytorch(file, name, budget)
        if "config.json" in names:
            return None
        from lstm_explain.readers.containers.numpy_files import read_npz

        return read_npz(file, name, budget)
    if start[8:] != b"{":  # the JSON that a .safetensors file begins with, after its length
        return None
    from lstm_explain.readers.containers.safetensors import read_safetensors

    return read_safetensors(file, name, budget)


def _without(tensors: Mapping[str, Array], found: ModelLSTM, bias: str) -> dict[str, Array] | None:
    """The arrays with zeros in place of an LSTM's biases of one name; None where there are none."""
    named = {one for one in found.tensors if (match := LAST_PART.fullmatch(one)) and match["tensor"] == bias}
    if not named:
        return None
    return {one: np.zeros_like(array) if one in named else array for one, array in tensors.items()}


def _biases(found: ModelLSTM) -> Biases:
    layers = found.weights.layers
    return tuple({way: part.bias for way, part in layer.items() if part.bias is not None} for layer in layers)
