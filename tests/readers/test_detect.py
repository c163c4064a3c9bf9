"""ONNX and Flax files are told by their content, whatever they are called."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING

import pytest

from lstm_explain.errors import LstmExplainError
from lstm_explain.readers.detect import looks_like_msgpack, looks_like_onnx
from lstm_explain.readers.model_file import read_model
from tests.helpers.model_files import flax as flax_files
from tests.helpers.model_files import onnx as onnx_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("ending", [".onnx", ".msgpack", ".bin", ".pt", ".npz", ""])
def test_the_content_decides_before_the_ending(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"m{ending}"
    for content in (onnx_files.simple().SerializeToString(), flax_files.valid()[0]):
        path.write_bytes(content)
        assert read_model(str(path), 10**8)


def test_what_is_neither() -> None:
    onnx = onnx_files.simple().SerializeToString()
    assert looks_like_onnx(io.BytesIO(onnx))
    others = [
        b"",
        b"\x08",
        b"hello",
        pickle.dumps({}),
        onnx[:-1],
        onnx + b"\xff",
        b"\x08\x08",
        b"\x3a\xff\xff\xff\xff\x0f",
        b"\x08" * 99,
    ]
    assert not any(looks_like_onnx(io.BytesIO(one)) for one in others)
    assert not looks_like_onnx(io.BytesIO(b"\x0a\x00" * 50_000))  # stops in time
    assert not any(
        looks_like_msgpack(one[:16]) for one in [*others, onnx, b"\x80", b"\x89HDF\r\n\x1a\n", b"\x81", b"\xde\x00"]
    )
    assert all(map(looks_like_msgpack, [b"\x81\xa6params", b"\xde\x00\x20\xa1a"]))


def test_nothing_else_is_raised(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    for content in (b"\x81\xa1", b"\x8f\xd9\xff", b"\x3a\x00", b"\x08\x07\x3a\x02\x0a\x00", b"\xdf\xff\xff\xff\xff\xa1a"):
        path.write_bytes(content)
        with pytest.raises(LstmExplainError):
            read_model(str(path), 10**8)
