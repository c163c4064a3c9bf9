"""`-o`: a file is whole or absent, and what stood there before is untouched until then."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lstm_explain.cli.output_file import open_output, write_output
from lstm_explain.errors import OutputError

Call = Callable[..., subprocess.CompletedProcess[bytes]]
Refused = Callable[..., str]

COMMANDS = [
    ("shapes",),
    ("unit",),
    ("influence",),
    ("memory",),
    ("equations",),
    ("tasks",),
    ("terms",),
    ("tour",),
    ("trace",),
    ("trace", "--json"),
    ("shapes", "--format", "svg"),
    ("trace", "--all-samples", "--samples", "3"),
    ("trace", "--all-samples", "--samples", "3", "--format", "csv"),
    ("trace", "--all-samples", "--samples", "3", "--format", "npz"),
]


def names() -> list[str]:
    return sorted(one.name for one in Path().iterdir())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_is_no_file(command: tuple[str, ...], refused: Refused) -> None:
    Path("folder").mkdir()
    assert refused(5, *command, "-o", "folder") == "-o folder: this is a folder. Name a file."


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["missing/x", "/missing/x"])
def test_a_folder_that_is_missing(command: tuple[str, ...], name: str, refused: Refused) -> None:
    assert refused(5, *command, "-o", name) == f"-o {name}: there is no folder {Path(name).parent}. Make it first."


def test_a_file_for_a_folder(refused: Refused) -> None:
    Path("file").touch()
    assert refused(5, "shapes", "-o", "file/x") == "-o file/x: there is no folder file. Make it first."


@pytest.mark.parametrize("command", [one for one in COMMANDS if "npz" not in one])
def test_a_device_that_is_full(command: tuple[str, ...], refused: Refused) -> None:
    assert refused(5, *command, "-o", "/dev/full") == "-o /dev/full: No space left on device."


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_is_replaced(command: tuple[str, ...], call: Call) -> None:
    Path("old").write_text("old", encoding="utf-8")
    assert call(*command, "-o", "old").returncode == 0
    if "npz" not in command:
        assert Path("old").read_bytes() == call(*command, "-o", "-").stdout
    assert names() == ["old"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_refusal_leaves_the_old_file(command: tuple[str, ...], refused: Refused) -> None:
    Path("old").write_text("old", encoding="utf-8")
    for wrong in (("--units", "0"), ("--data", "missing"), ("--seed", "-1")):
        refused(3 if "--data" in wrong else 2, *command, *wrong, "-o", "old")
    assert Path("old").read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), RuntimeError(), MemoryError()])
def test_whatever_stops_the_writing_leaves_the_old_file_and_no_other(error: BaseException) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"new" * 100_000
        assert len(names()) == 2, "the new file grows beside the old one"
        raise error

    Path("old").write_text("old", encoding="utf-8")
    with pytest.raises(OutputError if isinstance(error, OSError) else type(error)):
        write_output(pieces(), "old")
    assert Path("old").read_text(encoding="utf-8") == "old"
    assert names() == ["old"]


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_disk_that_fails_at_the_end_leaves_the_old_file(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    Path("old").write_text("old", encoding="utf-8")
    monkeypatch.setattr(*(os, "fsync", fail) if broken == "fsync" else (Path, "replace", fail))
    with pytest.raises(OutputError, match="-o old: Input/output error"):
        write_output([b"new"], "old")
    assert Path("old").read_text(encoding="utf-8") == "old"
    assert names() == ["old"]


def test_a_link_stays_and_what_it_points_to_is_replaced(call: Call) -> None:
    Path("folder").mkdir()
    Path("folder/real").write_text("old", encoding="utf-8")
    Path("link").symlink_to("folder/real")
    assert call("shapes", "-o", "link").returncode == 0
    assert Path("link").is_symlink()
    assert Path("folder/real").read_bytes() == call("shapes").stdout
    assert names() == ["folder", "link"]
    assert [one.name for one in Path("folder").iterdir()] == ["real"]


def test_a_link_to_what_is_missing_makes_it(call: Call) -> None:
    Path("link").symlink_to("real")
    assert call("shapes", "-o", "link").returncode == 0
    assert Path("link").is_symlink()
    assert Path("real").read_bytes() == call("shapes").stdout


def test_what_was_private_stays_private() -> None:
    Path("old").touch(0o600)
    write_output([b"new"], "old")
    assert stat.S_IMODE(Path("old").stat().st_mode) == 0o600


def test_a_new_file_has_the_usual_permissions() -> None:
    mask = os.umask(0o027)
    try:
        write_output([b"new"], "new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(Path("new").stat().st_mode) == 0o640


def test_the_longest_name_there_can_be(call: Call) -> None:
    assert call("shapes", "-o", "x" * 255).returncode == 0
    assert names() == ["x" * 255]


def test_a_name_longer_than_that(refused: Refused) -> None:
    assert refused(5, "shapes", "-o", "x" * 256).endswith(": File name too long.")


def test_two_at_once_do_not_meet() -> None:
    with open_output("x") as one, open_output("x") as other:
        one.write(b"one")
        other.write(b"other")
    assert Path("x").read_bytes() == b"one"
    assert names() == ["x"]


def test_a_pipe_for_a_file_is_written_to_as_it_is() -> None:
    os.mkfifo("fifo")
    reader = os.open("fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_output([b"one\n", b"two\n"], "fifo")
        assert os.read(reader, 100) == b"one\ntwo\n"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(Path("fifo").stat().st_mode)


@pytest.mark.parametrize("output", ["x.csv", "./x.csv", "link.csv"])
def test_the_file_that_is_read_is_not_replaced(output: str, call: Call) -> None:
    Path("x.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    Path("link.csv").symlink_to("x.csv")
    done = call("trace", "--data", "x.csv", "-o", output)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"the answer would replace the file that is read" in done.stderr
    assert Path("x.csv").read_text(encoding="utf-8") == "a,b\n1,2\n3,4\n"
