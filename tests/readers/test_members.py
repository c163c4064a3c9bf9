"""One array of an archive: which one, and archives that lie."""

from __future__ import annotations

import io
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm_explain.errors import InputFileError, LstmExplainError, RefusedError, UsageError
from lstm_explain.readers.containers import zip_archive
from lstm_explain.readers.containers.csv_table import CsvOptions
from lstm_explain.readers.containers.numpy_files import split_path_and_member
from lstm_explain.readers.input_file import read_inputs
from tests.helpers.model_files.arrays import npy, npz, zipped

File = Callable[[str, bytes], str]
BUDGET = 10**6
NUMBERS = np.arange(24.0).reshape(2, 3, 4)


def arrays(**members: np.ndarray[Any, Any]) -> bytes:
    return npz(members)


# --- which array ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "i4", "g"])
def test_the_only_array_is_read(packed: int, order: Any, dtype: str, file: File) -> None:
    array = np.asarray(NUMBERS.astype(dtype), order=order)
    found = read_inputs(file("x.npz", zipped({"a.npy": npy(array), "read.me": b"x"}, packed)), None, BUDGET)
    np.testing.assert_array_equal(found.array, array)
    assert found.array.dtype == array.dtype
    assert (found.name, found.columns) == ("x.npz#a", None)


@pytest.mark.parametrize("member", ["b", "b.npy"])
def test_one_of_several_is_chosen_by_name(member: str, file: File) -> None:
    name = file("x.npz", arrays(a=NUMBERS, b=2 * NUMBERS))
    np.testing.assert_array_equal(read_inputs(f"{name}#{member}", None, BUDGET).array, 2 * NUMBERS)


def test_an_array_larger_than_what_is_read_at_once(file: File) -> None:
    array = np.random.default_rng(0).normal(size=(500, 100, 9))
    found = read_inputs(file("x.npz", zipped({"a.npy": npy(array)}, zipfile.ZIP_DEFLATED)), None, 10**7)
    np.testing.assert_array_equal(found.array, array)


@pytest.mark.parametrize(
    ("members", "member", "message"),
    [
        ({"a": 1, "b": 2}, "", "#: it has no array of that name. Its arrays are a, b"),
        ({"a": 1, "b": 2}, None, "it has 2 arrays: a, b. Choose one: --data "),
        ({"a": 1, "b": 2}, "c\x1b", "#c\\x1b: it has no array of that name. Its arrays are a, b"),
        ({f"a{n}": 1 for n in range(20)}, None, "a0, a1, a2, a3, a4, a5, a6, a7 and 12 more"),
        ({"x" * 5000: 1, "\x1b]0;t\x07<b>": 1}, None, f"{'x' * 27}..., \\x1b]0;t\\x07<b>. Choose"),
        ({"": 1, "b": 2}, None, "it has 2 arrays: (no name), b"),
    ],
)
def test_arrays_to_choose_from(members: dict[str, int], member: str | None, message: str, file: File) -> None:
    name = file("x.npz", zipped({f"{one}.npy": npy(NUMBERS) for one in members}))
    with pytest.raises(UsageError) as caught:
        read_inputs(name if member is None else f"{name}#{member}", None, BUDGET)
    assert message in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "files", "parts"),
    [
        ("x.npz", ["x.npz"], ("x.npz", None)),
        ("x.npz#a", ["x.npz"], ("x.npz", "a")),
        ("x.npz#a#b", ["x.npz"], ("x.npz", "a#b")),
        ("x#1.npz", ["x#1.npz"], ("x#1.npz", None)),
        ("x#1.npz#a", ["x#1.npz"], ("x#1.npz", "a")),
        ("x#1.npz#a", ["x", "x#1.npz"], ("x", "1.npz#a")),
        ("no.npz#a", [], ("no.npz", "a")),
        ("#a", [], ("#a", None)),
        ("x\0#a", [], ("x\0#a", None)),
    ],
)
def test_the_mark_between_file_and_array(
    text: str, files: list[str], parts: tuple[str, str | None], file: File, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in files:
        file(name, b"")
    assert split_path_and_member(text) == parts


@pytest.mark.parametrize(("name", "content"), [("x.csv", b"1,2\n"), ("x.npy", npy(NUMBERS))])
def test_other_files_have_no_arrays_to_choose_from(name: str, content: bytes, file: File) -> None:
    with pytest.raises(UsageError, match=r"only .npz archives have arrays to choose from. Leave out #a"):
        read_inputs(f"{file(name, content)}#a", None, BUDGET)


@pytest.mark.parametrize("content", [arrays(a=NUMBERS), npy(NUMBERS)])
@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (CsvOptions(["a"]), "--columns a: only CSV files have columns"),
        (CsvOptions(skip_rows=2), "--skip-rows 2: this is for CSV files alone"),
        (CsvOptions(delimiter=";"), "--delimiter ;: this is for CSV files alone"),
        (CsvOptions(time="a\x1b"), "--time-column a\\x1b: this is for CSV files alone"),
    ],
)
def test_what_only_csv_files_have(content: bytes, wanted: CsvOptions, message: str, file: File) -> None:
    with pytest.raises(UsageError) as caught:
        read_inputs(file("x", content), wanted, BUDGET)
    assert message in str(caught.value)


# --- hostile ----------------------------------------------------------------------------------------------------------


def twice() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(2):
            made.writestr("a.npy", npy(NUMBERS))
    return stream.getvalue()


def patched(content: bytes, offset: int, value: bytes) -> bytes:
    """The archive with bytes of its directory's first entry replaced."""
    place = content.index(b"PK\x01\x02") + offset
    return content[:place] + value + content[place + len(value) :]


def both(content: bytes, offset: int, value: bytes) -> bytes:
    """The same also where the entry is repeated before the member."""
    made = patched(content, offset, value)
    place = made.index(b"PK\x03\x04") + offset - 2
    return made[:place] + value + made[place + len(value) :]


def directory_of(size: int) -> bytes:
    content = arrays(a=NUMBERS)
    place = content.index(b"PK\x05\x06") + 12
    return content[:place] + struct.pack("<I", size) + content[place + 4 :]


GOOD = arrays(a=NUMBERS)
PACKED = zipped({"a.npy": npy(NUMBERS)}, zipfile.ZIP_DEFLATED)
TERABYTES = b"\x93NUMPY\x01\x00" + struct.pack("<H", 70)
TERABYTES += b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000)}\n"


@pytest.mark.parametrize(
    ("content", "kind", "found"),
    [
        (zipped({}), InputFileError, "this is a zip archive without a .npy array"),
        (zipped({"xl/workbook.xml": b"<x/>"}), InputFileError, "this is an Excel workbook"),
        (b"PK\x03\x04", InputFileError, "this zip archive cannot be read"),
        (GOOD[:-30], InputFileError, "this zip archive cannot be read"),
        (twice(), InputFileError, "its member a.npy appears twice in it"),
        (patched(GOOD, 8, b"\x01\x00"), InputFileError, "its member a.npy is encrypted"),
        (both(PACKED, 10, b"\x0c\x00"), InputFileError, "its member a.npy is packed by method 12, which is not supported"),
        (both(PACKED, 10, b"\x0e\x00"), InputFileError, "is packed by method 14"),
        (both(PACKED, 10, b"\x63\x00"), InputFileError, "is packed by method 99"),
        (zipped({f"{n}.txt": b"" for n in range(10_001)}), RefusedError, "it has 10001 members, and 10000 are the most"),
        (directory_of(2**32 - 2), InputFileError, "this zip archive cannot be read: Bad offset for central directory"),
        (
            patched(GOOD, 24, struct.pack("<I", 2**31)),
            RefusedError,
            "reading its member a.npy takes 2,147,483,648 bytes of memory",
        ),
        (zipped({"a.npy": bytes(2 * BUDGET)}, zipfile.ZIP_DEFLATED), RefusedError, "takes 2,000,000 bytes of memory"),
        (zipped({"a.npy": TERABYTES}), InputFileError, "its header announces 4000000000000 bytes of numbers, and 0 follow"),
        (zipped({"a.npy": npy(NUMBERS)[:-8]}), InputFileError, "its header announces 192 bytes of numbers, and 184 follow"),
        (zipped({"a.npy": npy(NUMBERS) + b"more"}), InputFileError, "announces 192 bytes of numbers, and 196 follow"),
        (zipped({"a.npy": npy(np.array([[print]], dtype=object))}), InputFileError, "it holds Python objects"),
        (zipped({"a.npy": b"x"}), InputFileError, "this .npy header cannot be read"),
        (zipped({"a.npy": b""}), InputFileError, "this .npy header cannot be read"),
        (zipped({"a.npy": npy(np.zeros((0, 3)))}), InputFileError, "it holds no numbers"),
        (both(GOOD, 16, b"\0\0\0\0"), InputFileError, "its member a.npy cannot be read: Bad CRC-32"),
        (PACKED.replace(PACKED[60:80], b"\xff" * 20, 1), InputFileError, "its member a.npy cannot be read"),
        (patched(PACKED, 42, struct.pack("<I", 2**32 - 2)), InputFileError, "cannot be read"),
        (patched(GOOD, 46, b"b"), InputFileError, "its member b.npy cannot be read: File name in directory"),
        (patched(GOOD, 46, b"\x1b"), InputFileError, "\\x1b.npy"),
    ],
)
def test_archives_that_lie(content: bytes, kind: type[LstmExplainError], found: str, file: File) -> None:
    with pytest.raises(kind) as caught:
        read_inputs(file("x.npz", content), None, BUDGET)
    assert found in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_path_in_a_members_name_leads_nowhere(file: File, tmp_path: Any) -> None:
    inner = tmp_path / "in"
    inner.mkdir()
    name = file("in/x.npz", zipped({"../../escaped.npy": npy(NUMBERS)}))
    assert read_inputs(name, None, BUDGET).array.shape == (2, 3, 4)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "x.npz"]


def test_no_more_memory_than_the_array_takes(file: File) -> None:
    """Ten megabytes of zeros are packed into ten kilobytes; neither they nor a forged size is made before it is judged."""
    bomb = zipped({"a.npy": npy(np.zeros((10**6 // 4, 5)))}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 20_000
    lying = patched(GOOD, 24, struct.pack("<I", 9 * 10**6))
    for content, budget, peak, kind in [
        (bomb, 10**7, 10**6, RefusedError),
        (lying, 10**7, 10**6, InputFileError),
        (bomb, 11 * 10**6, 17 * 10**6, None),
    ]:
        name = file("x.npz", content)
        tracemalloc.start()
        refused = None
        try:
            read_inputs(name, None, budget)
        except LstmExplainError as error:
            refused = type(error)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert refused == kind
        assert used < peak


def test_the_directory_is_not_read_before_its_size_is_judged(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_archive, "MAX_DIRECTORY_BYTES", 1000)
    content = zipped({f"{n}.npy": b"" for n in range(30)})
    with pytest.raises(RefusedError, match="its directory announces"):
        read_inputs(file("x.npz", content), None, BUDGET)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(good=st.sampled_from([GOOD, PACKED]), place=st.integers(0, 400), change=st.binary(min_size=1, max_size=4))
def test_any_change_to_an_archive_is_read_or_refused_by_name(good: bytes, place: int, change: bytes, file: File) -> None:
    name, message = file("x.npz", good[:place] + change + good[place + len(change) :]), ""
    try:
        assert read_inputs(name, None, BUDGET, allow_nan=True).array.nbytes <= BUDGET
    except LstmExplainError as error:
        message = str(error)
    assert message.isprintable()
