"""Damaged `.npz` archives, and archives that are whole but hold damaged arrays."""

from __future__ import annotations

import io
import zipfile

import numpy as np

from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.numpy_files import read_npz
from lstm_explain.readers.identify.find_lstms import find_lstms
from tests.fuzz.mutations import main
from tests.helpers.model_files.arrays import keras_layer, npy, npz, pytorch_layer, zipped

BUDGET = 10**7
OWN = {f"layer0.forward.{name.removeprefix('lstm/')}": array for name, array in keras_layer().items()}
LAYERS = [keras_layer(), pytorch_layer() | pytorch_layer(2, 2, "_l1"), OWN, keras_layer(dtype="float16")]
ARCHIVES = [npz(layer, kind) for layer in LAYERS for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
ARRAYS = [npy(keras_layer()["lstm/kernel"]), npy(np.asfortranarray(np.ones((3, 8)))), npy(np.ones((3, 8), ">f8"))]


def damaged_archives(data: bytes) -> None:
    find_lstms(read_npz(io.BytesIO(data), MemoryBudget("fuzz.npz", BUDGET)).arrays, "fuzz.npz")


def damaged_arrays(data: bytes) -> None:
    others = {f"{name}.npy": npy(array) for name, array in keras_layer().items()}
    damaged_archives(zipped({**others, "lstm/kernel.npy": data}))


if __name__ == "__main__":
    main((ARCHIVES, damaged_archives), (ARRAYS, damaged_arrays))
