"""Damaged `.safetensors` files, and files that are whole but have damaged headers."""

from __future__ import annotations

import json
import tempfile

import numpy as np

from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.safetensors import read_safetensors
from lstm_explain.readers.identify.find_lstms import find_lstms
from tests.fuzz.mutations import main
from tests.helpers.model_files.arrays import entry, keras_layer, packed, pytorch_layer, safetensors

BUDGET = 10**7
LAYERS = [keras_layer(), pytorch_layer() | pytorch_layer(2, 2, "_l1"), keras_layer(dtype="float16")]
FILES = [packed(layer) for layer in LAYERS]
FILES += [packed(keras_layer(dtype="float16"), dict.fromkeys(keras_layer(), "BF16"))]
FILES += [packed({**keras_layer(), "steps": np.arange(3), "mask": np.ones(3, "bool")})]
SIZES = [one.nbytes for one in keras_layer().values()]
BORDERS = [0, SIZES[0], SIZES[0] + SIZES[1], sum(SIZES)]
HEADER = {
    name: entry("F32", list(array.shape), BORDERS[place], BORDERS[place + 1])
    for place, (name, array) in enumerate(keras_layer().items())
}
HEADERS = [json.dumps(HEADER).encode(), json.dumps({"__metadata__": {"format": "np"}, **HEADER}).encode()]


def damaged_files(data: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        find_lstms(read_safetensors(file, MemoryBudget("fuzz.safetensors", BUDGET)).arrays, "fuzz.safetensors")


def damaged_headers(data: bytes) -> None:
    damaged_files(safetensors(data, bytes(BORDERS[-1])))


if __name__ == "__main__":
    main((FILES, damaged_files), (HEADERS, damaged_headers))
