"""`.npy`: nothing is allocated or run before the header is known to be true."""

from __future__ import annotations

import io
import pickle
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm_explain.errors import InputFileError
from lstm_explain.readers.containers.numpy_files import read_npy
from tests.helpers.model_files.arrays import npy

File = Callable[[str, bytes], str]


def headed(header: str | bytes, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    """A `.npy` file with a header of our own."""
    text = header.encode("latin-1") if isinstance(header, str) else header
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text) + 1)
    return b"\x93NUMPY" + bytes(version) + size + text + b"\n" + data


def described(shape: object, descr: object = "<f4", data: bytes = b"", order: object = False) -> bytes:
    return headed(f"{{'descr': {descr!r}, 'fortran_order': {order!r}, 'shape': {shape!r}}}", data)


def read(name: str) -> np.ndarray[Any, Any]:
    with Path(name).open("rb") as file:
        return read_npy(file, "x.npy")


NUMBERS = np.arange(24).reshape(2, 3, 4)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8", "<i2", ">i8", "i1", "u1", "u4", "g"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_of_every_type_and_layout(dtype: str, order: Any, file: File) -> None:
    array = np.asarray(NUMBERS.astype(dtype), order=order)
    found = read(file("x.npy", npy(array)))
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("shape", [(), (24,), (4, 6), (1, 24, 1), (2, 3, 2, 2), (1,) * 32])
def test_any_number_of_axes_is_read_and_left_to_be_judged_by_others(shape: tuple[int, ...], file: File) -> None:
    array = np.ones(shape)
    assert read(file("x.npy", npy(array))).shape == shape


def test_the_array_is_mapped_and_read_only(file: File) -> None:
    found = read(file("x.npy", npy(NUMBERS)))
    assert isinstance(found, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0, 0] = 1


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format(version: tuple[int, int], file: File) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, NUMBERS, version=version)
    np.testing.assert_array_equal(read(file("x.npy", stream.getvalue())), NUMBERS)


def test_what_follows_the_numbers_is_not_read(file: File) -> None:
    np.testing.assert_array_equal(read(file("x.npy", npy(NUMBERS) + b"more")), NUMBERS)


def test_a_header_of_python_2_is_read_without_a_warning(file: File) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        content = headed("{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 2L), }", bytes(8))
        assert read(file("x.npy", content)).shape == (1, 2)


# --- hostile ----------------------------------------------------------------------------------------------------------


class Touch:
    """What unpickling would run."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.touch, (self.target,)


def test_a_pickle_is_refused_unread(file: File, tmp_path: Path) -> None:
    target = tmp_path / "touched"
    content = npy(np.array([[Touch(target)]], dtype=object))
    pickle.loads(content[content.index(b"\n") + 1 :])
    assert target.exists(), "the file must be a real danger, or this test proves nothing"
    target.unlink()
    with pytest.raises(InputFileError, match="Python objects, and reading those would run whatever program"):
        read(file("x.npy", content))
    assert not target.exists()


@pytest.mark.parametrize("descr", ["|O", [("a", "|O")], [("a", "<f4"), ("b", "<f4")]])
def test_no_objects_nor_records(descr: object, file: File) -> None:
    with pytest.raises(InputFileError, match=r"Python objects|its numbers are of type .* Save them as float32"):
        read(file("x.npy", described((1,), descr, bytes(64))))


@pytest.mark.parametrize(
    "array",
    [
        np.array([[True]]),
        np.array([[1j]]),
        np.array([["text"]]),
        np.array([[b"text"]]),
        np.array([["2024-01-01"]], dtype="datetime64[D]"),
        np.array([[1]], dtype="timedelta64[s]"),
        np.zeros((1, 1), dtype="V4"),
        np.zeros((1, 1), dtype=[("a", "f4")]),
    ],
    ids=lambda array: str(array.dtype),
)
def test_what_is_no_plain_number(array: np.ndarray[Any, Any], file: File) -> None:
    with pytest.raises(InputFileError, match=r"its numbers are of type .*\. Save them as float32 or float64\."):
        read(file("x.npy", npy(array)))


TERABYTES = described((10**6, 10**6))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (TERABYTES, "announces 4000000000000 bytes of numbers, and 0 follow"),
        (described((2, 3), data=bytes(23)), "announces 24 bytes of numbers, and 23 follow"),
        (npy(NUMBERS)[:-1], "announces 192 bytes of numbers, and 191 follow"),
        (described((10**15, 10**15, 10**15)), "announces 4000000000000000000000000000000000000000000000 bytes"),
        (described((2**53,)), "announces the shape [9007199254740992], which no array has"),
        (described((-1, 5)), "announces the shape [-1, 5], which no array has"),
        (described((-2, -3), data=bytes(24)), "announces the shape [-2, -3]"),
        (described((True, 5), data=bytes(20)), "announces the shape [True, 5]"),
        (described((1,) * 33, data=bytes(4)), "announces the shape [1, 1, 1"),
        (described((1,) * 2000, data=bytes(4)), "announces the shape [1, 1, 1"),
        (described((10**4000, 10**4000)), "announces the shape [1000"),
        (described((0, 10**4000)), "announces the shape [0, 1000"),
        (described((0, 5)), "it holds no numbers: its shape is [0, 5]"),
        (described((3, 0, 2**53 - 1)), "it holds no numbers: its shape is [3, 0, 9007199254740991]"),
        (described("(1, 2)"), "this .npy header cannot be read: shape is not valid"),
        (described((1.0, 2)), "this .npy header cannot be read: shape is not valid"),
        (described(None), "this .npy header cannot be read: shape is not valid"),
        (described((1, 2), "no type"), "this .npy header cannot be read: descr is not a valid dtype"),
        (described((1, 2), order="maybe"), "this .npy header cannot be read: fortran_order is not a valid bool"),
        (headed("{'descr': '<f4'}"), "this .npy header cannot be read: Header does not contain the correct keys"),
        (headed("[1, 2]"), "this .npy header cannot be read: Header is not a dictionary"),
        (headed("{'shape': (1,"), "this .npy header cannot be read: "),
        (headed("__import__('os').system('true')"), "this .npy header cannot be read: "),
        (headed("(" * 9000), "this .npy header cannot be read: "),
        (headed("-" * 9000 + "1"), "this .npy header cannot be read: "),
        (headed("'" + "9" * 5000), "this .npy header cannot be read: "),
        (headed("9" * 5000), "this .npy header cannot be read: "),
        (headed(" " * 20_000), "this .npy header cannot be read: Header info length (20001) is large"),
        (headed(b"\xff\xfe\x00"), "this .npy header cannot be read: "),
        (headed("{'a\x1b[31m': 1}"), "this .npy header cannot be read: "),
        (headed("{}", version=(9, 7)), "this .npy header cannot be read: version 9.7 of the format is unknown"),
        (b"\x93NUMPY", "this .npy header cannot be read: EOF: reading magic string"),
        (b"\x93NUMPY\x01\x00", "this .npy header cannot be read: EOF"),
        (b"\x93NUMPY\x01\x00\xff\xff{", "this .npy header cannot be read: EOF"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "this .npy header cannot be read: "),
    ],
)
def test_headers_that_lie(content: bytes, found: str, file: File) -> None:
    with pytest.raises(InputFileError) as caught:
        read(file("x.npy", content))
    assert str(caught.value).startswith("x.npy: ")
    assert found in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_the_terabytes_are_announced_by_a_file_of_128_bytes_and_never_asked_for(
    file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(TERABYTES) <= 128
    for maker in ("empty", "zeros", "ndarray", "memmap", "fromfile"):
        monkeypatch.setattr(np, maker, None)
    with pytest.raises(InputFileError, match="cut or forged"):
        read(file("x.npy", TERABYTES))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(place=st.integers(0, 127), change=st.binary(min_size=1, max_size=4))
def test_any_change_to_a_file_is_read_or_refused_by_name(place: int, change: bytes, file: File) -> None:
    good = npy(NUMBERS.astype("f4"))
    name = file("x.npy", good[:place] + change + good[place + len(change) :])
    message = ""
    try:
        assert read(name).nbytes <= len(good)
    except InputFileError as error:
        message = str(error)
    assert not message or (message.startswith("x.npy: ") and message.isprintable())
