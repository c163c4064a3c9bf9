"""Keras' HDF5 files: `.weights.h5` of Keras 3, and the legacy `.h5` of whole models or weights, of Keras 2 and 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from lstm_explain.errors import InputFileError, UsageError, printable
from lstm_explain.readers.containers.hdf5 import Hdf5File
from lstm_explain.readers.identify.keras_config import read_config
from lstm_explain.readers.identify.keras_model import found_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.readers.identify.keras_config import Declared
    from lstm_explain.readers.identify.model_lstm import ModelLSTM


def read_hdf5(
    file: BinaryIO, name: str, budget: int, convention: str | None = None, declared: Sequence[Declared] = ()
) -> tuple[ModelLSTM, ...]:
    """Every LSTM in an HDF5 file that Keras wrote.

    Args:
        file: the file.
        name: what to call it in a message.
        budget: how many bytes of memory reading may take.
        convention: the framework that wrote it, if the caller says so; it can only be Keras.
        declared: what a config outside of the file says of its layers.

    Raises:
        InputFileError: it is malformed, or has only recurrent layers that are not explained.
        RefusedError: it takes more than the budget, or leads to other files.
        MissingExtraError: pyfive is not installed.
        UsageError: another convention is asked for.
    """
    if convention not in (None, "keras"):
        raise UsageError(f"--convention {printable(convention)}", "only Keras' own files are read as HDF5", "Leave it out")
    hdf5 = Hdf5File(file, name, budget)
    config = hdf5.attributes.get("", {}).get("model_config")
    if isinstance(config, list):
        raise InputFileError(hdf5.name, "its model_config is a list of texts, not one text")
    if config is not None and not declared:
        declared = read_config(config, hdf5.name, budget)
    return found_in(hdf5, declared, budget)
