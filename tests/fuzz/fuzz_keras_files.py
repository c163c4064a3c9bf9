"""Damaged Keras files: HDF5 in both layouts, `.keras` archives, and archives that are whole but hold a damaged part."""

from __future__ import annotations

import io
import json

from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.identify.keras_model import read_keras
from tests.fuzz.mutations import main
from tests.helpers.model_files.keras import archive, arrays, keras2, layer, legacy, sequential, stored

BUDGET = 10**7
ONE, TWO = arrays(1), arrays(2)
MODEL = sequential(
    layer("LSTM", "first"),
    layer("Bidirectional", "both", layer=layer("LSTM", "way"), merge_mode="concat"),
    layer("RNN", "cells", cell={"class_name": "StackedRNNCells", "config": {"cells": [layer("LSTMCell", "low")]}}),
    sequential(layer("TimeDistributed", "timed", layer=layer("LSTM", "deep"))),
)
BOTH = "layers/bidirectional"
STORED = stored(
    {
        "layers/lstm/cell": ONE,
        f"{BOTH}/forward_layer/cell": ONE,
        f"{BOTH}/backward_layer/cell": TWO,
        "layers/gru/cell": arrays(gates=3),
    },
    {"layers/lstm": "first", BOTH: "both"},
)
LEGACY = legacy(
    {
        "first": keras2("first", ONE),
        "both": {**keras2("both/forward_way", ONE), **keras2("both/backward_way", TWO)},
        "cu": keras2("cu", {**ONE, "bias": arrays(units=8)["bias"]}, ""),
    },
    MODEL,
)
WEIGHTS = legacy({"first": keras2("first", ONE), "gru": keras2("gru", arrays(gates=3))})
HDF5 = [STORED, LEGACY, WEIGHTS]
CONFIGS = [json.dumps(MODEL).encode(), json.dumps(sequential(MODEL, MODEL)).encode()]
ARCHIVES = [archive(MODEL, STORED)]


def damaged_hdf5(data: bytes) -> None:
    read_keras(io.BytesIO(data), "hdf5", MemoryBudget("fuzz.h5", BUDGET))


def damaged_archives(data: bytes) -> None:
    read_keras(io.BytesIO(data), "keras", MemoryBudget("fuzz.keras", BUDGET))


def damaged_configs(data: bytes) -> None:
    damaged_archives(archive(data, STORED))


if __name__ == "__main__":
    main((HDF5, damaged_hdf5), (ARCHIVES, damaged_archives), (CONFIGS, damaged_configs))
