"""`.keras` archives: weights in `model.weights.h5`, and what the model is in `config.json`, which is read as data only."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from lstm_explain.errors import InputFileError, RefusedError, UsageError, printable
from lstm_explain.readers.containers.zip_archive import ZipArchive
from lstm_explain.readers.identify.keras_config import afford_config, read_config
from lstm_explain.readers.identify.keras_hdf5 import read_hdf5

if TYPE_CHECKING:
    from lstm_explain.readers.identify.model_lstm import ModelLSTM

CONFIG, WEIGHTS = "config.json", "model.weights.h5"


def read_keras(file: BinaryIO, name: str, budget: int, convention: str | None = None) -> tuple[ModelLSTM, ...]:
    """Every LSTM in a `.keras` archive. The model is not built, and nothing that its config names is looked up or run.

    Raises:
        InputFileError: the archive, its config or its weights are malformed, or only layers are there that are not explained.
        RefusedError: it takes more than the budget, or its weights lead to other files.
        MissingExtraError: pyfive is not installed.
        UsageError: another convention than Keras' own is asked for.
    """
    if convention not in (None, "keras"):
        raise UsageError(f"--convention {printable(convention)}", "a .keras file is in Keras' own", "Leave it out")
    archive = ZipArchive(file, name)
    for member in (CONFIG, WEIGHTS):
        if member not in archive.names:
            raise InputFileError(archive.name, f"it has no {member}", "Save the model as one .keras file with Keras 3")
    needed = 2 * archive.size(WEIGHTS)
    if needed > budget:
        found = f"reading {WEIGHTS} takes {needed:,} bytes of memory, and the budget is {budget:,}"
        raise RefusedError(archive.name, found, "Raise --max-memory")
    afford_config(archive.size(CONFIG), archive.name, budget - needed // 2)
    declared = read_config(archive.read(CONFIG, budget), archive.name, budget - needed // 2)
    weights = io.BytesIO(archive.read(WEIGHTS, budget))
    return read_hdf5(weights, name, budget - needed // 2, None, declared)
