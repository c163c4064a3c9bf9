"""Damaged ONNX models: read as they are, or refused in our own words.

python tests/fuzz/fuzz_onnx_model.py --seconds 30 --seed 1
"""

from __future__ import annotations

import io

from mutations import main
from onnx_files import valid

from lstm_explain.readers.identify.onnx import read_onnx


def read_onnx_model(data: bytes) -> None:
    read_onnx(io.BytesIO(data), "fuzz.onnx", 2**26)


if __name__ == "__main__":
    main((valid(), read_onnx_model))
