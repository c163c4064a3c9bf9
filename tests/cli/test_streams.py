"""Standard output that is closed, full, or read by nobody; and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

pytestmark = pytest.mark.slow

Done = subprocess.CompletedProcess[bytes]
Run = Callable[..., Done]
Refused = Callable[..., str]

COMMANDS = [
    ("shapes",),
    ("shapes", "--json"),
    ("unit",),
    ("influence",),
    ("memory", "--carry-state", "--samples", "5"),
    ("equations", "--format", "markdown"),
    ("tasks",),
    ("terms", "--json"),
    ("tour",),
    ("trace",),
    ("trace", "--format", "csv"),
    ("trace", "--all-samples", "--samples", "5"),
    ("trace", "--all-samples", "--samples", "5", "--format", "npz", "-o", "-"),
    ("schema", "trace"),
    ("--version",),
]
HELP = [("--help",), ("trace", "--help")]
ENDLESS = ("trace", "--all-samples", "--samples", "1000000000", "--format")


def through_shell(redirection: str, *arguments: str) -> Done:
    line = f'exec "$0" -m lstm_explain "$@" {redirection}'
    return subprocess.run(["sh", "-c", line, sys.executable, *arguments], capture_output=True, check=False, timeout=60)


@contextmanager
def started(*arguments: str, **settings: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The program in a group of its own, so that a signal to it is one to it alone."""
    command = [sys.executable, "-m", "lstm_explain", *arguments]
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True, **settings}
    with subprocess.Popen(command, **settings) as child:
        try:
            yield child
        finally:
            child.kill()


def piped(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


@pytest.mark.parametrize("command", [*COMMANDS, *HELP], ids=" ".join)
def test_a_full_device(command: tuple[str, ...], refused: Refused, run: Run) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(*command, stdout=full)
    assert (done.returncode, done.stderr) == (5, b"Error: standard output: No space left on device.\n")


@pytest.mark.parametrize("command", [*COMMANDS, *HELP])
def test_standard_output_that_is_closed(command: tuple[str, ...]) -> None:
    done = through_shell(">&-", *command)
    assert (done.returncode, done.stderr) == (5, b"Error: standard output: it is closed.\n")


@pytest.mark.parametrize("command", [("shapes", "--units", "0"), ("trace", "--unit", "x"), ("shapes", "--data", "missing")])
def test_standard_error_that_is_closed_changes_no_exit_code(command: tuple[str, ...]) -> None:
    done = through_shell("2>&-", *command)
    assert (done.returncode, done.stdout) == (3 if "missing" in command else 2, b"")


@pytest.mark.parametrize("view", ["jsonl", "csv"])
def test_a_reader_that_goes_away_ends_the_run_silently(view: str) -> None:
    with started(*ENDLESS, view) as child:
        first = piped(child.stdout).read(70_000)
        piped(child.stdout).close()
        assert first.count(b"\n") > 1
        assert child.wait(20) == 141
        assert piped(child.stderr).read() == b""


def test_head_gets_its_line(tmp_path: Path) -> None:
    line = f'("{sys.executable}" -m lstm_explain {" ".join(ENDLESS)} csv; echo $? >code) | head -1'
    done = subprocess.run(["sh", "-c", line], capture_output=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == (b"sample,layer,direction,t,unit,i,f,g,o,c,h\n", b"")
    assert (tmp_path / "code").read_text(encoding="utf-8") == "141\n"


@pytest.mark.parametrize("command", [("shapes",), ("schema", "trace"), ("--version",), ("--help",)])
def test_a_reader_that_was_never_there(command: tuple[str, ...], run: Run) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as out:
        done = run(*command, stdout=out)
    assert (done.returncode, done.stderr) == (141, b"")


def test_standard_error_that_is_full_changes_no_exit_code(run: Run) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run("shapes", "--units", "0", stderr=full)
    assert (done.returncode, done.stdout) == (2, b"")


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["jsonl", "csv"])
def test_ctrl_c_while_the_reader_is_slow_ends_on_a_whole_line(view: str) -> None:
    with started(*ENDLESS, view) as child:
        out = piped(child.stdout)
        got = out.read(100_000)
        time.sleep(0.2)  # the pipe is full by now, and the program waits in the middle of a line
        child.send_signal(signal.SIGINT)
        asked = time.monotonic()
        got += out.read()
        assert child.wait(20) == 130
        assert time.monotonic() - asked < 5
        assert b"Traceback" not in piped(child.stderr).read()
        assert got.endswith(b"\n")
        assert len({len(line.split(b",")) for line in got.splitlines()}) == 1 or view == "jsonl"
        for line in got.splitlines() if view == "jsonl" else []:
            json.loads(line)


def test_a_second_ctrl_c_does_not_wait_for_a_reader_that_is_stuck() -> None:
    with started(*ENDLESS, "jsonl") as child:
        piped(child.stdout).read(100_000)
        for _ in range(2):
            time.sleep(0.3)
            child.send_signal(signal.SIGINT)
        assert child.wait(10) == 130


@pytest.mark.parametrize("view", ["jsonl", "csv", "npz"])
def test_ctrl_c_leaves_nothing_behind(view: str, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old", encoding="utf-8")
    with started(*ENDLESS, view, "-o", "old") as child:
        for _ in range(100):
            if len(list(tmp_path.iterdir())) > 1:
                break
            time.sleep(0.05)
        time.sleep(0.2)
        assert len(list(tmp_path.iterdir())) > 1, "the new file grows beside the old one"
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
        assert b"Traceback" not in piped(child.stderr).read()
        assert [one.name for one in tmp_path.iterdir()] == ["old"]
        assert (tmp_path / "old").read_text(encoding="utf-8") == "old"


def test_ctrl_c_stays_ignored_where_it_was() -> None:
    """As it is for what a shell runs in the background."""
    with started(*ENDLESS, "csv", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) as child:
        piped(child.stdout).read(100_000)
        child.send_signal(signal.SIGINT)
        assert len(piped(child.stdout).read(500_000)) == 500_000
        piped(child.stdout).close()
        assert child.wait(20) == 141


# --- the same bytes everywhere ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [("shapes", "--json"), ("trace",), ("unit", "--format", "markdown"), ("trace", "--format", "csv")], ids=" ".join
)
def test_a_pipe_a_file_and_a_terminal_get_the_same(command: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    in_pipe = run(*command, "--width", "80")
    assert (in_pipe.returncode, in_pipe.stderr) == (0, b"")
    with (tmp_path / "out").open("wb") as out:
        run(*command, "--width", "80", stdout=out)
    assert (tmp_path / "out").read_bytes() == in_pipe.stdout
    assert on_terminal(*command, "--width", "80", "--color", "never") == in_pipe.stdout


def on_terminal(*arguments: str) -> bytes:
    """What a terminal receives."""
    keyboard, screen = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "lstm_explain", *arguments], stdout=screen, stderr=screen, stdin=subprocess.DEVNULL
    )
    os.close(screen)
    got = b""
    while True:
        try:
            part = os.read(keyboard, 65536)
        except OSError:  # how Linux says that nobody writes any more
            break
        if not part:
            break
        got += part
    os.close(keyboard)
    assert child.wait(20) == 0
    return got.replace(b"\r\n", b"\n")


def test_a_terminal_gets_colours(run: Run) -> None:
    got = on_terminal("trace", "--width", "80")
    assert b"\x1b[" in got
    assert got == run("trace", "--width", "80", "--color", "always").stdout
