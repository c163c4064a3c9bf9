"""Damaged ONNX models: read as they are, or refused in our own words.

python -m tests.fuzz.fuzz_onnx_model --seconds 30 --seed 1
"""

from __future__ import annotations

import io

from lstm_explain.readers.identify.onnx import read_onnx
from tests.fuzz.mutations import main
from tests.helpers.model_files.onnx import valid


def read_onnx_model(data: bytes) -> None:
    read_onnx(io.BytesIO(data), "fuzz.onnx", 2**26)


if __name__ == "__main__":
    main((valid(), read_onnx_model))
