"""Files of data in formats that are not read: each is named, by its content or its name, with a line that converts it."""

from __future__ import annotations

import io
import json
import pickle
import re
import shlex
import sys
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.errors import InputFileError
from lstm_explain.readers.foreign_formats import FORMATS, detect_by_content, detect_by_name
from lstm_explain.readers.input_file import read_inputs

if TYPE_CHECKING:
    from pathlib import Path

File = Callable[[str, bytes], str]
BUDGET = 10**6


def zipped(*members: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for member in members:
            archive.writestr(member, b"x")
    return stream.getvalue()


CONTENTS = {
    "a Parquet file": b"PAR1\x15\x04\x15\x10",
    "a Feather file": b"ARROW1\0\0\x10\x02",
    "an Excel workbook": zipped("[Content_Types].xml", "xl/workbook.xml"),
    "an OpenDocument spreadsheet": zipped("mimetype", "content.xml", "META-INF/manifest.xml"),
    "a MATLAB file of version 7.3": b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n",
    "a MATLAB file": b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\x01IM",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n\0",
    "JSON Lines": b'{"a": 1}\n{"a": 2}\n',
    "JSON": json.dumps({"a": [1, 2]}).encode(),
    "a pickle": pickle.dumps([1.0, 2.0]),
    "an ARFF file": b"@RELATION weather\n@ATTRIBUTE x NUMERIC\n@DATA\n1\n",
    "a PyTorch file": zipped("archive/data.pkl", "archive/version"),
    "a safetensors file": b'\x10\0\0\0\0\0\0\0{"x": {}}',
    "a Keras model": zipped("config.json", "metadata.json", "model.weights.h5"),
    "an SQLite database": b"SQLite format 3\0\x10\0",
    "a Stata file": b"<stata_dta><header>",
    "an SPSS file": b"$FL2@(#) IBM SPSS",
    "a NetCDF file": b"CDF\x01\0\0",
    "a sound file": b"RIFF\x24\x08\0\0WAVEfmt ",
    "a gzip archive": b"\x1f\x8b\x08\0",
    "a bzip2 archive": b"BZh91AY&SY",
    "an xz archive": b"\xfd7zXZ\0\0",
    "a Zstandard archive": b"\x28\xb5\x2f\xfd\0",
    "a 7z archive": b"7z\xbc\xaf\x27\x1c\0",
    "UTF-16 text": "a,b\n1,2\n".encode("utf-16"),
    "a web page": b"\n<!DOCTYPE html>\n<html>",
    "XML": b"<?xml version='1.0'?><table/>",
    "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "a zip archive without a .npy array": zipped("table.csv"),
}
"""How files of each format begin."""


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("name", ["x.csv", "x.npy", "x.bin", "x"])
def test_a_format_is_named_by_its_content_whatever_the_name(kind: str, name: str, file: File) -> None:
    with pytest.raises(InputFileError) as caught:
        read_inputs(file(name, CONTENTS[kind]), None, BUDGET)
    assert caught.value.found == f"this is {kind}, not a .npy, .npz or .csv file"
    assert caught.value.fix
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("kind", [kind for kind, content in CONTENTS.items() if not content.startswith(b"PK")])
def test_and_in_a_pipe(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(CONTENTS[kind]))))
    with pytest.raises(InputFileError) as caught:
        read_inputs("-", None, BUDGET)
    assert str(caught.value).startswith(f"standard input: this is {kind}, not a .npy, .npz or .csv file")


@pytest.mark.parametrize("suffix", sorted({suffix for entry in FORMATS for suffix in entry.suffixes}))
@pytest.mark.parametrize("content", [b"\0\1\2\3\4\5\6\7", b"neither this\nnor that\n", b"\xff\xf0\xe0"])
def test_a_format_is_named_by_its_name_where_its_content_says_nothing(suffix: str, content: bytes, file: File) -> None:
    for name in (f"x{suffix}", f"x{suffix.upper()}"):
        entry = detect_by_name(name)
        assert entry is not None
        with pytest.raises(InputFileError) as caught:
            read_inputs(file(name, content), None, BUDGET)
        assert caught.value.found == f"this is {entry.kind}, not a .npy, .npz or .csv file"


@pytest.mark.parametrize("name", ["x.parquet", "x.json", "x.mat", "x.pkl"])
def test_numbers_as_text_are_read_whatever_the_name(name: str, file: File) -> None:
    assert read_inputs(file(name, b"a,b\n1,2\n"), None, BUDGET).array.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    "header", ["PAR1,x", "ORC,x", "CDF,x", "RIFF,WAVE", "BZh,x", "MATLAB,x", "version,x", "[m],x", "{s},x", "%a,x"]
)
def test_a_header_that_begins_like_another_format(header: str, file: File) -> None:
    assert read_inputs(file("x.csv", f"{header}\n1,2\n".encode()), None, BUDGET).columns == tuple(header.split(","))


@pytest.mark.parametrize(
    ("name", "kind"), [("x.jsonl", "JSON Lines"), ("x.ndjson", "JSON Lines"), ("x.json", "JSON"), ("x", "JSON")]
)
def test_long_lines_of_json_are_told_apart_by_the_name(name: str, kind: str, file: File) -> None:
    with pytest.raises(InputFileError, match=f"this is {kind}, not"):
        read_inputs(file(name, b'{"a": [' + b"1, " * 500 + b"1]}\n{}\n"), None, BUDGET)


def test_an_empty_file_is_empty_whatever_its_name(file: File) -> None:
    with pytest.raises(InputFileError, match="the file is empty"):
        read_inputs(file("x.parquet", b""), None, BUDGET)


@pytest.mark.parametrize("name", ["it's x.json", "a b.json", "x\x1b[1m.json", "x;rm -r.json", "x" * 100 + ".json", "$x.json"])
def test_a_name_that_a_shell_would_read_is_not_in_the_command(name: str, file: File) -> None:
    with pytest.raises(InputFileError) as caught:
        read_inputs(file(name, b'{"a": 1}'), None, BUDGET)
    assert "read_json('FILE.json').to_csv('FILE.csv', index=False)" in caught.value.fix


def programs() -> dict[str, str]:
    found = {}
    for entry in FORMATS:
        command = re.search(r"python -c (\"[^\"]+\")", entry.error("x.dat").fix)
        if entry.program:
            assert command is not None, entry.kind
            found[entry.kind] = shlex.split(command[1])[0]
    return found


@pytest.mark.parametrize("kind", programs())
def test_the_lines_that_convert_are_programs(kind: str) -> None:
    compile(programs()[kind], kind, "exec")
    assert "{" not in programs()[kind]


def test_the_line_for_hdf5_converts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    h5py = pytest.importorskip("h5py")
    monkeypatch.chdir(tmp_path)
    with h5py.File("x.h5", "w") as made:
        made["NAME"] = np.arange(6.0).reshape(3, 2)
    with pytest.raises(InputFileError) as caught:
        read_inputs("x.h5", None, BUDGET)
    command = re.search(r"python -c (\"[^\"]+\")", caught.value.fix)
    assert command is not None
    exec(shlex.split(command[1])[0], {})
    assert read_inputs("x.npy", None, BUDGET).array.tolist() == [[0, 1], [2, 3], [4, 5]]


@given(st.binary(max_size=40))
def test_any_start_of_a_file_is_looked_at(start: bytes) -> None:
    entry = detect_by_content(start)
    assert entry is None or entry in FORMATS
    assert detect_by_name(start.decode("latin-1").replace("\0", "")) in (None, *FORMATS)
