"""Zip archives: an honest directory or none, and no more of a member than it says to hold."""

from __future__ import annotations

import io
import struct
import tracemalloc
import warnings
import zipfile
from typing import TYPE_CHECKING

import pytest

from lstm_explain.errors import InputFileError, LstmExplainError, RefusedError
from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.zip_archive import ZipArchive
from tests.helpers.model_files.arrays import zipped

if TYPE_CHECKING:
    from collections.abc import Callable

MEMBER = b"0123456789" * 1000


def opened(content: bytes, budget: int = 10**6) -> ZipArchive:
    return ZipArchive(io.BytesIO(content), MemoryBudget("x.npz", budget))


def read_all(content: bytes) -> list[bytes]:
    archive = opened(content)
    return [archive.read_member(name) for name in archive.member_names]


def refused(content: bytes, kind: type[LstmExplainError] = InputFileError) -> str:
    """Opening it or reading its members fails in our own words."""
    with pytest.raises(kind) as raised:
        read_all(content)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 500
    return str(raised.value)


def directory(content: bytes) -> int:
    """Where the first member stands in the directory."""
    return content.index(b"PK\x01\x02")


def changed(content: bytes, place: int, data: bytes) -> bytes:
    return content[:place] + data + content[place + len(data) :]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read_whole_and_in_pieces(method: int) -> None:
    archive = opened(zipped({"b": MEMBER, "a": b"", "c/d": b"1"}, method))
    assert archive.member_names == ("b", "a", "c/d")
    assert [archive.member_size(name) for name in archive.member_names] == [len(MEMBER), 0, 1]
    assert archive.read_member("b") == b"".join(archive.iter_chunks("b")) == MEMBER
    assert archive.read_member("a") == b""


def test_a_member_above_the_budget_is_refused_unread() -> None:
    archive = opened(zipped({"b": MEMBER}), len(MEMBER) - 1)
    with pytest.raises(RefusedError, match="reading its member b takes 10,000 bytes of memory, and the budget is 9,999"):
        archive.read_member("b")


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    content = zipped({"bomb": bytes(10**8)}, zipfile.ZIP_DEFLATED)
    assert len(content) < 10**6
    tracemalloc.start()
    refused(content, RefusedError)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2 * 10**6


def test_a_bomb_that_says_it_is_small_goes_no_further_than_it_says() -> None:
    content = zipped({"bomb": bytes(10**7)}, zipfile.ZIP_DEFLATED)
    small = changed(content, directory(content) + 24, struct.pack("<I", 100))
    tracemalloc.start()
    assert "its member bomb cannot be read" in refused(small)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10**6


def test_a_member_that_says_it_is_larger_than_it_is() -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        content = zipped({"a": MEMBER}, method)
        large = changed(content, directory(content) + 24, struct.pack("<I", len(MEMBER) + 1))
        assert "its member a" in refused(large)


def test_a_member_that_stands_twice() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for data in (b"one", b"other"):
            archive.writestr("b", b"x")
            archive.writestr("a", data)
    message = refused(stream.getvalue())
    assert "its member b appears twice in it. The file is cut or forged: write it anew" in message


def test_an_encrypted_member() -> None:
    content = zipped({"a": MEMBER})
    place = directory(content)
    locked = changed(content, place + 8, struct.pack("<H", 1))
    assert "its member a is encrypted" in refused(locked)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_a_bound(method: int) -> None:
    assert f"its member a is packed by method {method}, which is not supported" in refused(zipped({"a": MEMBER}, method))


@pytest.mark.parametrize("method", [1, 6, 9, 97, 65535])
def test_methods_that_nobody_knows(method: int) -> None:
    content = zipped({"a": MEMBER})
    assert "packed by method" in refused(changed(content, directory(content) + 10, struct.pack("<H", method)))


def test_more_members_than_any_model_has() -> None:
    assert len(opened(zipped({str(place): b"" for place in range(10_000)})).member_names) == 10_000
    message = refused(zipped({str(place): b"" for place in range(10_001)}), RefusedError)
    assert "it has 10001 members, and 10000 are the most that are read" in message


def test_members_that_lie_over_each_other() -> None:
    content = zipped({"a": MEMBER, "b": b"1"})
    second = content.index(b"PK\x01\x02", directory(content) + 4)
    refused(changed(content, second + 42, struct.pack("<I", 0)))


def test_a_cut_archive() -> None:
    content = zipped({"a": MEMBER, "b": MEMBER}, zipfile.ZIP_DEFLATED)
    for length in range(0, len(content), 7):
        refused(content[:length])


def test_a_changed_byte_is_seen() -> None:
    content = zipped({"a": MEMBER})
    refused(changed(content, content.index(MEMBER) + 5000, b"x"))


def test_places_beyond_the_file() -> None:
    content = zipped({"a": MEMBER})
    refused(changed(content, directory(content) + 42, struct.pack("<I", 2**31)))
    end = content.rindex(b"PK\x05\x06")
    for size, start in ((2**32 - 1, 0), (56, 2**32 - 2), (2**31, 2**31)):
        forged = changed(content, end + 12, struct.pack("<II", size, start))
        with pytest.raises(LstmExplainError):
            opened(forged)


def test_a_directory_of_gigabytes_is_refused_unread() -> None:
    """zipfile takes a directory at once, as large as the file says that it is."""

    class Long(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert size < 10**7
            return super().read(size)

    content = bytes(2**23) + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, 2**23, 0, 0)
    with pytest.raises(RefusedError, match="its directory announces 8,388,608 bytes"):
        ZipArchive(Long(content), MemoryBudget("x.npz", 10**6))


@pytest.mark.parametrize("name", ["\x1b[31mred", "\u202e", "[b]", "../../etc/passwd", "</script>", "x" * 60_000, "\r\n"])
def test_names_are_safe_in_messages(name: str) -> None:
    content = zipped({name: MEMBER})
    refused(changed(content, directory(content) + 8, struct.pack("<H", 1 | 0x800)))


def test_nothing_is_ever_written(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> Callable[..., None]:
        raise AssertionError("a member was unpacked")

    monkeypatch.setattr(zipfile.ZipFile, "extract", never)
    monkeypatch.setattr(zipfile.ZipFile, "extractall", never)
    archive = opened(zipped({"../../escaped": MEMBER, "/etc/escaped": MEMBER}))
    assert [archive.read_member(name) for name in archive.member_names] == [MEMBER, MEMBER]
