"""The tour in a real terminal: a pseudo-terminal, a program in it, and keys that are pressed."""

from __future__ import annotations

import os
import select
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

SMALL = ("--samples", "3", "--timesteps", "4", "--features", "2", "--units", "3")
PATIENCE = 60.0


class Session:
    """The program in a terminal of its own."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self.ours, self.theirs = pty.openpty()
        self.before = termios.tcgetattr(self.theirs)
        environment = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": "1", "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lstm_explain", "tour", *SMALL, *arguments],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            env=environment,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C in it reaches the program
        )
        self.seen = ""

    def until(self, words: str) -> str:
        """Read until these words are on the screen; what came since the last call."""
        came, end = "", time.monotonic() + PATIENCE
        while words not in came:
            ready, _, _ = select.select([self.ours], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{words!r} did not come; this did:\n{came}"
            came += os.read(self.ours, 65536).decode().replace("\r\n", "\n")
        self.seen += came
        return came

    def types(self, line: str) -> None:
        os.write(self.ours, line.encode())

    def end(self) -> int:
        """Read until the program has left; a terminal keeps it until what it wrote is read."""
        end = time.monotonic() + PATIENCE
        while (code := self.process.poll()) is None or select.select([self.ours], [], [], 0.2)[0]:
            if select.select([self.ours], [], [], 0.1)[0]:
                self.seen += os.read(self.ours, 65536).decode().replace("\r\n", "\n")
            assert time.monotonic() < end, f"the program stays:\n{self.seen}"
        return int(code)

    @property
    def unchanged(self) -> bool:
        """Whether echo, line editing and everything else of the terminal is as it was."""
        return bool(termios.tcgetattr(self.theirs) == self.before)


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


def test_forward_back_a_chosen_chapter_the_list_and_out(open_session: Callable[..., Session]) -> None:
    session = open_session()
    first = session.until("[Enter: the answer; b: back; c: chapters; q: leave] ")
    assert "1 What is a circle?" in first
    assert "Answer:" not in first, "the question comes before its answer"
    session.types("\n")
    assert "Answer: Yes. Every circle" in session.until("[Enter: the next chapter")
    session.types("\n")
    assert "2 What does a unit read" in session.until("[Enter: the answer")
    session.types("b\n")
    assert "1 What is a circle?" in session.until("[Enter: the answer")
    session.types("4\n")
    assert "4 What are h and c?" in session.until("[Enter: the answer")
    session.types("c\n")
    assert "you are here" in session.until("[Enter: the answer")
    session.types("nothing such\n")
    assert "'nothing such' is no chapter" in session.until("[Enter: the answer")
    session.types("q\n")
    assert session.end() == 0
    assert session.unchanged
    assert "\x1b" not in session.seen, "no cursor is moved, no screen is cleared"


def test_the_end_of_the_input_leaves_quietly(open_session: Callable[..., Session]) -> None:
    session = open_session()
    session.until("q: leave] ")
    session.types("\x04")  # Ctrl-D
    assert session.end() == 0
    assert session.unchanged
    assert session.seen.endswith("\n")
    assert "Error" not in session.seen


def test_an_interrupt_leaves_the_terminal_as_it_was(open_session: Callable[..., Session]) -> None:
    session = open_session()
    session.until("q: leave] ")
    session.types("\n")
    session.until("q: leave] ")
    session.types("\x03")  # Ctrl-C
    assert session.end() == 130
    assert session.unchanged
    echo: Any = session.before[3] & termios.ECHO
    assert echo, "the terminal of this test echoes, or it would prove nothing"
    assert session.seen.endswith("^C\n"), "what follows begins on a line of its own"
    assert "Traceback" not in session.seen


def test_the_last_answer_is_followed_by_the_end(open_session: Callable[..., Session]) -> None:
    session = open_session("--chapter", "words")
    session.until("[Enter: the answer")
    session.types("\n")
    session.until("[Enter: the end")
    session.types("\n")
    session.until("This was the tour.")
    assert session.end() == 0


def test_without_pauses_it_is_printed_straight_through_in_a_terminal_too(open_session: Callable[..., Session]) -> None:
    session = open_session("--no-pause", "--chapter", "1")
    session.until("lstm-explain trace")
    assert session.end() == 0
    assert "Enter:" not in session.seen
