"""A file of inputs: what it is by its content, and where it holds what is no finite number."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_explain.errors import InputFileError, RefusedError, UsageError
from lstm_explain.readers import input_file
from lstm_explain.readers.containers.csv_table import CsvOptions
from lstm_explain.readers.input_file import read_inputs

File = Callable[[str, bytes], str]
BUDGET = 10**6


def saved(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("x.npy", saved(np.ones((2, 3))))
    return stream.getvalue()


def piped(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))


@pytest.mark.parametrize("name", ["x.npy", "x.csv", "x", "x.txt"])
def test_a_npy_file_is_known_by_its_content_whatever_its_name(name: str, file: File) -> None:
    found = read_inputs(file(name, saved(np.ones((2, 3, 4)))), None, BUDGET)
    assert found.array.shape == (2, 3, 4)
    assert (found.name, found.columns) == (name, None)


@pytest.mark.parametrize("name", ["x.csv", "x.npy", "x"])
def test_text_is_csv_whatever_its_name(name: str, file: File) -> None:
    found = read_inputs(file(name, b"PK,b\n1,2\n3,4\n5,6\n"), None, BUDGET)
    assert found.array.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert (found.name, found.columns) == (name, ("PK", "b"))


def test_the_name_is_without_its_folder_and_safe_to_print(file: File) -> None:
    assert read_inputs(file("\x1b[31m[b]x\n.csv", b"1\n"), None, BUDGET).name == r"\x1b[31m[b]x\n.csv"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x1f\x8b\x08\0\0", "this is a gzip archive"),
        (b"\x89HDF\r\n\x1a\n", "this is an HDF5 file"),
        (b"\x80\x04\x95\0\0", "this is a pickle"),
        (b"\xff\xfe1\0", "this is UTF-16 text"),
        (b"1\x002\0", "this is neither a .npy file nor text"),
        (b"\x89PNG\r\n", "line 1 is not UTF-8 text"),
        (b"", "the file is empty"),
        (b"%PDF-1.7\n%x\n1\n", "line 1, column 0: '%PDF-1.7' is not a number"),
    ],
)
def test_other_files_are_named_for_what_they_are(
    content: bytes, message: str, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputFileError, match=message) as caught:
        read_inputs(file("x.csv", content), None, BUDGET)
    assert "x.csv" in str(caught.value)
    piped(content, monkeypatch)
    with pytest.raises(InputFileError, match=message) as caught:
        read_inputs("-", None, BUDGET)
    assert "standard input" in str(caught.value)


def test_csv_is_read_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    piped(b"a,b\n1,2\n", monkeypatch)
    found = read_inputs("-", CsvOptions(["b"]), BUDGET)
    assert (found.array.tolist(), found.name, found.columns) == ([[2]], "standard input", ("b",))


def test_an_array_cannot_be_mapped_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    piped(saved(np.ones((2, 2))), monkeypatch)
    with pytest.raises(InputFileError, match=r"standard input: only CSV can be piped in, and this is a .npy array"):
        read_inputs("-", None, BUDGET)


def test_an_array_has_no_columns(file: File) -> None:
    with pytest.raises(UsageError, match=r"--columns a,\\x1b: only CSV files have columns"):
        read_inputs(file("x.npy", saved(np.ones((2, 2)))), CsvOptions(["a", "\x1b"]), BUDGET)


def test_a_csv_file_over_the_budget(file: File) -> None:
    with pytest.raises(RefusedError, match=r"larger than the memory budget of 10 bytes. Raise --max-memory"):
        read_inputs(file("x.csv", b"1,2,3,4,5,6\n"), None, 10)


def test_an_array_is_mapped_so_its_size_does_not_count(file: File) -> None:
    assert read_inputs(file("x.npy", saved(np.ones((50, 50)))), None, 10).array.size == 2500


def test_a_disk_that_fails_while_reading_is_the_files_fault(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise OSError(5, "Input/output error")

    name = file("x.csv", b"1\n")
    monkeypatch.setattr(Path, "open", lambda *_: Failing())
    with pytest.raises(InputFileError, match=r"x.csv: it cannot be read: Input/output error"):
        read_inputs(name, None, BUDGET)


# --- nan and infinity -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "g"])
@pytest.mark.parametrize(("value", "word"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_what_is_not_finite_is_found(order: Any, dtype: str, value: float, word: str, file: File) -> None:
    array = np.zeros((4, 3, 2), dtype)
    array[2, 1, 0] = value
    name = file("x.npy", saved(np.asarray(array, order=order)))
    with pytest.raises(InputFileError) as caught:
        read_inputs(name, None, BUDGET)
    assert f"x.npy: sample 2, timestep 2, feature 0 is {word}." in str(caught.value)
    assert "--allow-nan" in caught.value.fix
    np.testing.assert_array_equal(read_inputs(name, None, BUDGET, allow_nan=True).array, array)


@pytest.mark.parametrize(
    ("shape", "place", "found"),
    [
        ((5, 2), (4, 1), "timestep 5, feature 1 is nan"),
        ((5,), (3,), "number 3 is nan"),
        ((), (), "is nan"),
        ((2, 2, 2, 2), (1, 0, 1, 0), "number 1, number 0, number 1, number 0 is nan"),
    ],
)
def test_the_place_is_told_in_the_words_of_its_axes(
    shape: tuple[int, ...], place: tuple[int, ...], found: str, file: File
) -> None:
    array = np.zeros(shape)
    array[place] = np.nan
    with pytest.raises(InputFileError, match=found):
        read_inputs(file("x.npy", saved(array)), None, BUDGET)


def test_the_first_of_several_is_told_and_blocks_meet_without_a_gap(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_file, "CHECKED_AT_ONCE", 7)
    for place in range(30):
        array = np.zeros(30)
        array[place:] = np.inf
        with pytest.raises(InputFileError, match=f"timestep {place // 2 + 1}, feature {place % 2} is inf"):
            read_inputs(file("x.npy", saved(array.reshape(15, 2))), None, BUDGET)


def test_the_column_of_a_csv_is_named(file: File) -> None:
    name = file("x.csv", b"d,a,\x1b[1mb\n0,1,2\n0,3,inf\n")
    with pytest.raises(InputFileError, match=r"x.csv: timestep 2, feature 1 \(\\x1b\[1mb\) is inf"):
        read_inputs(name, CsvOptions(["a", "2"]), BUDGET)
    assert read_inputs(name, None, BUDGET, allow_nan=True).array[1, 2] == np.inf


@pytest.mark.parametrize("dtype", ["i8", "u1"])
def test_whole_numbers_are_always_finite(dtype: str, file: File) -> None:
    assert read_inputs(file("x.npy", saved(np.ones((2, 2), dtype))), None, BUDGET).array.dtype == dtype


@pytest.mark.parametrize("dtype", ["f8", ">f8", "g"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_number_beyond_the_type_that_it_will_be_made_is_found_too(dtype: str, order: Any, file: File) -> None:
    """It would become infinity without a word."""
    array = np.ones((4, 3, 2), dtype)
    array[1, 0, 1] = -1e300
    name = file("x.npy", saved(np.asarray(array, order=order)))
    with pytest.raises(InputFileError) as caught:
        read_inputs(name, None, BUDGET, dtype="float32")
    assert caught.value.found == "sample 1, timestep 1, feature 1 is -1e+300, which is beyond float32"
    assert caught.value.fix == "Scale the numbers, or use --dtype float64"
    assert read_inputs(name, None, BUDGET, dtype="float64").array.shape == (4, 3, 2)


def test_the_largest_number_of_a_type_is_not_beyond_it(file: File) -> None:
    largest = float(np.finfo("f4").max)
    assert read_inputs(file("x.csv", f"{largest!r},1\n".encode()), None, BUDGET, dtype="float32").array[0, 0] == largest
