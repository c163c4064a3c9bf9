"""Damaged files of inputs: arrays, archives of them, and CSV, whole files by way of the command line's own reader."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import numpy as np

from lstm_explain.readers.containers.csv_table import CsvOptions
from lstm_explain.readers.input_file import read_inputs
from tests.fuzz.mutations import main
from tests.helpers.model_files.arrays import npy, npz

BUDGET = 10**7
SMALL = np.arange(24.0).reshape(2, 3, 4)
ARRAYS = [npy(SMALL), npy(np.asfortranarray(SMALL)), npy(SMALL.astype(">f4")), npy(SMALL.astype("i2"))]
ARCHIVES = [npz({"x": SMALL}, kind) for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
TABLES = [
    b"date,open,close\n2024-01-01,1,2\n2024-01-02T06:00,3.5e-3,-4\n2024-03,5,6\n",
    b'"t","a ""b""",c\n1,2,3\n2.5,nan,inf\n\n4,5,6\n',
    b"t a  c\n1 2,5 3\n 2  1.000,5 4 \n",
    b"\xef\xbb\xbft;a;c\r\n2024-01-01T00:00Z;1;2\r\n2024-01-02T00:00+05:00;3;4\r\n",
]


def whole_file(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        read_inputs(file.name, None, BUDGET, allow_nan=True)


def table(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        target = "-1" if b"-1" in data[:9] else "1"
        read_inputs(file.name, CsvOptions(target=target, time="0", decimal="," if b"2,5" in data else "."), BUDGET, True)


if __name__ == "__main__":
    main((ARRAYS + ARCHIVES, whole_file), (TABLES, table))
