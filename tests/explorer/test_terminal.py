"""The explorer in a real terminal: a pseudo-terminal, the program in it, and keys that are pressed."""

from __future__ import annotations

import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
fcntl = pytest.importorskip("fcntl", reason="there are no pseudo-terminals here")
termios = pytest.importorskip("termios", reason="there are no pseudo-terminals here")

PATIENCE = 60.0
TAKEN, GIVEN_BACK = "\x1b[?1049h", "\x1b[?1049l"
"""The other screen that full-screen programs draw on, and the way back."""


class Session:
    """The program in a terminal of 80 columns and 24 rows."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.theirs)
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lstm_explain", "explore", *arguments],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            env={**environment, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that the terminal's signals reach the program
        )
        self.seen = ""

    def until(self, words: str) -> None:
        """Read until these words have come since the last call; what is drawn piecemeal is compared without its colours."""
        came, end = "", time.monotonic() + PATIENCE
        while words not in without_escapes(came):
            ready, _, _ = select.select([self.ours], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{words!r} did not come; this did:\n{without_escapes(came)}"
            piece = os.read(self.ours, 65536).decode(errors="replace")
            came, self.seen = came + piece, self.seen + piece

    def press(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def end(self) -> int:
        """Wait for the end, reading meanwhile: what nobody reads would hold the program up."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            self._read(0.1)
        self._read(0.3)
        return self.process.wait(timeout=1)

    def _read(self, patience: float) -> None:
        while select.select([self.ours], [], [], patience)[0]:
            self.seen += os.read(self.ours, 65536).decode(errors="replace")

    @property
    def unchanged(self) -> bool:
        """Whether echo, line editing and everything else of the terminal is as it was."""
        return bool(termios.tcgetattr(self.theirs) == self.before)

    @property
    def afterwards(self) -> str:
        """What was printed after the screen had been given back."""
        assert self.seen.count(TAKEN) == self.seen.count(GIVEN_BACK) == 1
        assert self.seen.index(TAKEN) < self.seen.index(GIVEN_BACK)
        return without_escapes(self.seen.rpartition(GIVEN_BACK)[2]).replace("\r\n", "\n")


def without_escapes(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?<>=]*[A-Za-z]|\x1b[78=>]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)", "", text)


@pytest.fixture
def open_session(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    made: list[Session] = []

    def opened(*arguments: str) -> Session:
        made.append(Session(*arguments, cwd=tmp_path))
        return made[-1]

    yield opened
    for session in made:
        if session.process.poll() is None:
            session.process.kill()
            session.process.wait()
        os.close(session.ours)
        os.close(session.theirs)


def test_from_the_first_key_to_the_command_that_shows_it(open_session: Callable[..., Session]) -> None:
    session = open_session("--unit", "3", "--step", "4")
    session.until("Press h to change h_3[3]")
    assert not session.unchanged, "the keys come one by one now, or this test would prove nothing"
    session.press("h")
    session.until("all units read it at step 4")
    session.press("\r")
    session.until("0 of 9 at step 3, 9 of 9 at")
    session.press("y")
    session.until("Why: unit 3 at step 4")
    session.press("q")
    session.press("q")
    assert session.end() == 0
    assert session.unchanged
    lines = [line for line in session.afterwards.strip().splitlines() if not line.startswith("#")]
    assert lines == [
        "lstm-explain explore --edit 'h_3[3]=0.5798' --unit 3 --step 4",
        "lstm-explain unit --edit 'h_3[3]=0.5798' --unit 3 --step 4",
        "lstm-explain influence --unit 3 --step 4",
    ]


def test_ctrl_c_leaves_the_terminal_as_it_was(open_session: Callable[..., Session]) -> None:
    session = open_session()
    session.until("Press h to change")
    session.press("h")
    session.until("all units read it")
    session.press("\x03")
    assert session.end() == 130
    assert session.unchanged
    assert session.afterwards.strip() in ("", "Error: interrupted"), "no command line, no traceback"


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_terminal_as_it_was(kind: Any, open_session: Callable[..., Session]) -> None:
    session = open_session()
    session.until("Press h to change")
    session.process.send_signal(kind)
    assert session.end() == (130 if kind is signal.SIGINT else -kind)
    assert session.unchanged
    assert "Traceback" not in session.afterwards


def test_the_terminal_is_given_back_after_an_error(open_session: Callable[..., Session]) -> None:
    """A file that cannot be written is only said; the screen stays, and the file is not there."""
    session = open_session()
    session.until("Press h to change")
    session.press("s")
    session.until("A file:")
    session.press("/x.json\r")
    session.until("unit-0-step-2.svg/x.json: there is no folder unit-0-step-2.svg")
    session.press("q")
    assert session.end() == 0
    assert session.unchanged


def test_colours_are_left_out_on_request(open_session: Callable[..., Session]) -> None:
    session = open_session("--color", "never")
    session.until("Press h to change")
    session.press("q")
    assert session.end() == 0
    colours = set(re.findall(r"\x1b\[[0-9;]*38;2;(\d+;\d+;\d+)", session.seen))
    assert all(max(map(int, one.split(";"))) - min(map(int, one.split(";"))) <= 16 for one in colours)


def test_what_is_wrong_is_said_before_the_screen_is_taken(open_session: Callable[..., Session]) -> None:
    for arguments, found in ((("--unit", "10"), "there are 10 units"), (("--edit", "h_99[0]=1"), "timesteps of h count")):
        session = open_session(*arguments)
        assert session.end() == 2
        assert TAKEN not in session.seen
        assert found in session.seen
        assert session.seen.count("\n") == session.seen.count("Error: ") == 1
        assert session.unchanged
