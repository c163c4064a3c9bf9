"""Which files are opened at all, and how their names are shown."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers import bounded_file
from lstm_explain.readers.containers.bounded_file import MemoryBudget, open_file, open_standard_input, read_text_lines

File = Callable[[str, bytes], str]


def test_a_regular_file_is_opened_for_its_bytes(file: File) -> None:
    with open_file(file("x.csv", b"1,2\r\n")) as opened:
        assert opened.read() == b"1,2\r\n"


def test_a_link_to_a_regular_file_is_followed(file: File, tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(file("x.csv", b"1\n"))
    with open_file(str(link)) as opened:
        assert opened.read() == b"1\n"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("missing.csv", "this file does not exist"),
        ("missing/x.csv", "this file does not exist"),
        (".", "this is a folder"),
        ("/dev/null", "this is not a regular file"),
        ("/dev/zero", "this is not a regular file"),
        ("", "this names no file"),
        ("a\0b", "no file can have this name"),
        ("x" * 300, "File name too long"),
        ("x.csv/y", "Not a directory"),
    ],
)
def test_what_is_no_regular_file_is_refused(
    name: str, found: str, file: File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file("x.csv", b"1\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputFileError) as caught:
        open_file(name)
    assert found in caught.value.found


def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(InputFileError, match=r"not a regular file.*standard input"):
        open_file(str(fifo))


def test_links_that_go_round_in_circles(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(InputFileError, match="symbolic links"):
        open_file(str(loop))


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_without_permission(file: File) -> None:
    name = file("secret.csv", b"1\n")
    Path(name).chmod(0)
    with pytest.raises(InputFileError, match="you may not read this file"):
        open_file(name)


def test_a_file_whose_permission_goes_is_named(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    name = file("secret.csv", b"1\n")
    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(InputFileError, match=r"secret\.csv: you may not read this file"):
        open_file(name)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("x.csv", "x.csv"),
        ("größe 5.csv", "größe 5.csv"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x9b31m\x7f", r"\x9b31m\x7f"),
        ("gpj.\u202evsc", r"gpj.\u202evsc"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\ufeffx", r"\ufeffx"),
        ("\udcff.csv", r"\udcff.csv"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 197 + "..."),
    ],
)
def test_names_are_shown_escaped_and_bounded(name: str, printed: str) -> None:
    assert printable(name) == printed
    assert printed.isprintable()


# --- lines ------------------------------------------------------------------------------------------------------------


def test_lines_are_decoded_and_the_mark_at_the_start_is_dropped() -> None:
    text = io.BytesIO("\ufeffa,ü\n\ufeff1\n2".encode())
    assert list(read_text_lines(text, MemoryBudget("x.csv", 100))) == ["a,ü\n", "\ufeff1\n", "2"]


@pytest.mark.parametrize(("content", "line"), [(b"\xff\xfe1\n", 1), (b"1\n2\n\xe9t\xe9\n", 3)])
def test_a_line_that_is_not_utf8_is_named(content: bytes, line: int) -> None:
    with pytest.raises(InputFileError, match=f"x.csv: line {line} is not UTF-8 text. Save the file as UTF-8"):
        list(read_text_lines(io.BytesIO(content), MemoryBudget("x.csv", 100)))


@pytest.mark.parametrize("content", [b"1,2\n1,2\n", b"12345678"])
def test_the_budget_is_counted_in_bytes(content: bytes) -> None:
    assert "".join(read_text_lines(io.BytesIO(content), MemoryBudget("x.csv", 8))).encode() == content
    with pytest.raises(RefusedError, match=r"x.csv: .* larger than the memory budget of 7 bytes. Raise --max-memory"):
        list(read_text_lines(io.BytesIO(content), MemoryBudget("x.csv", 7)))


def test_no_more_is_read_than_the_budget_allows() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            buffer[:] = b"1" * len(buffer)
            self.given += len(buffer)
            return len(buffer)

    endless = Endless()
    with pytest.raises(RefusedError):
        list(read_text_lines(io.BufferedReader(endless), MemoryBudget("-", 100_000)))
    assert endless.given < 200_000


def test_a_line_longer_than_any_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_file, "MAX_LINE_BYTES", 10)
    assert list(read_text_lines(io.BytesIO(b"123456789\n1\n"), MemoryBudget("x.csv", 10**9))) == ["123456789\n", "1\n"]
    with pytest.raises(RefusedError, match="line 2 is longer than 10 bytes"):
        list(read_text_lines(io.BytesIO(b"1\n1234567890\n"), MemoryBudget("x.csv", 10**9)))


# --- standard input ---------------------------------------------------------------------------------------------------


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputFileError, match=r"standard input is closed. Pipe a CSV file into it"):
        open_standard_input()


def test_standard_input_that_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, screen = os.openpty()
    with os.fdopen(screen) as terminal, os.fdopen(keyboard, "wb"):
        monkeypatch.setattr(sys, "stdin", terminal)
        with pytest.raises(InputFileError, match="standard input is a terminal"):
            open_standard_input()
