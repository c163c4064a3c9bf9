"""`lstm-explain report`: where the page goes, and what is refused."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

import lstm_explain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Done = subprocess.CompletedProcess[bytes]


def test_the_file_is_the_page_of_the_library(call: Callable[..., Done], tmp_path: Path) -> None:
    done = call("report", "3", "--units", "4", "--samples", "2", "-o", "lstm.html")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    page = lstm_explain.report(lstm_explain.seeded(units=4, samples=2), unit=3)
    assert (tmp_path / "lstm.html").read_text("utf-8") == page.html


def test_a_page_goes_to_standard_output_on_request(call: Callable[..., Done]) -> None:
    assert call("report", "--samples", "1", "-o", "-").stdout.startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("code", "arguments", "message"),
    [
        (2, (), "report: Missing option -o: a page is a file. Add -o lstm.html."),
        (2, ("-o", "lstm.png"), "-o lstm.png: a page is HTML. End it in .html or .htm."),
        (2, ("-o", "x.html", "--samples-in-page", "0"), "--samples-in-page 0: a page needs at least one sample. Give "),
        (2, ("-o", "x.html", "--max-page", "many"), "--max-page many: this is not a size such as 500MB"),
        (2, ("-o", "x.html", "--edit", "h_3[10]=1"), "--edit h_3[10]=1: h has 10 numbers, which count from 0."),
        (2, ("-o", "x.html", "--unit", "10"), "--unit 10: there are 10 units, and they count from 0 to 9."),
        (4, ("-o", "x.html", "--units", "100000"), "an LSTM of "),
        (5, ("-o", "nowhere/x.html"), "-o nowhere/x.html: there is no folder nowhere. Make it first."),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused(
    code: int, arguments: tuple[str, ...], message: str, refused: Callable[..., str]
) -> None:
    assert refused(code, "report", *arguments).startswith(message)


def test_a_page_that_is_too_large_leaves_the_old_file(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("old")
    message = refused(4, "report", "-o", "x.html", "--max-page", "10KB")
    assert message.startswith("report: a page of one sample takes ")
    assert message.endswith("or raise --max-page.")
    assert (tmp_path / "x.html").read_text() == "old"
