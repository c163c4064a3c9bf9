"""A pseudo-terminal with the program in it: keys are pressed, and what stands on the screen is read.

Where the system has none, the tests that import this are skipped.
"""

from __future__ import annotations

import os
import re
import select
import struct
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

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

    def __init__(self, *arguments: str, cwd: Path, **environment: str) -> None:
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.theirs)
        ours = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lstm_explain", *arguments],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            env={**ours, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environment},
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that the terminal's signals reach the program
        )
        self._written = b""

    @property
    def seen(self) -> str:
        """All that the program has written so far."""
        return _text(self._written)

    def until(self, words: str) -> str:
        """Read until these words have come since the last call; what came, without its colours and moves of the cursor."""
        start, end = len(self._written), time.monotonic() + PATIENCE
        while words not in (came := without_escapes(_text(self._written[start:]))):
            assert self._reads(end - time.monotonic()), f"{words!r} did not come; this did:\n{came}"
        return came

    def press(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def end(self) -> int:
        """Wait for the end, reading meanwhile: what nobody reads would hold the program up."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, f"the program stays:\n{self.seen}"
            self._reads(0.1)
        while self._reads(0.3):
            pass
        return self.process.wait(timeout=1)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)

    def _reads(self, patience: float) -> bool:
        """Read what there is, and say whether there was anything."""
        ready, _, _ = select.select([self.ours], [], [], max(0.0, patience))
        if ready:
            self._written += os.read(self.ours, 65536)
        return bool(ready)

    @property
    def unchanged(self) -> bool:
        """Whether echo, line editing and everything else of the terminal is as it was."""
        return bool(termios.tcgetattr(self.theirs) == self.before)

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed, as it was before the program began."""
        return bool(self.before[3] & termios.ECHO)

    @property
    def afterwards(self) -> str:
        """What was printed after the screen had been given back."""
        assert self.seen.count(TAKEN) == self.seen.count(GIVEN_BACK) == 1
        assert self.seen.index(TAKEN) < self.seen.index(GIVEN_BACK)
        return without_escapes(self.seen.rpartition(GIVEN_BACK)[2])


@contextmanager
def sessions(*before: str, cwd: Path, **environment: str) -> Iterator[Callable[..., Session]]:
    """A function that opens sessions in a folder; all are closed in the end.

    Args:
        before: the arguments that every session begins with, such as the command's name.
        cwd: the folder.
        environment: variables beside those of this process.
    """
    made: list[Session] = []

    def opened(*arguments: str) -> Session:
        made.append(Session(*before, *arguments, cwd=cwd, **environment))
        return made[-1]

    try:
        yield opened
    finally:
        for session in made:
            session.close()


def _text(written: bytes) -> str:
    return written.decode(errors="replace").replace("\r\n", "\n")


def without_escapes(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?<>=]*[A-Za-z]|\x1b[78=>]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)", "", text)
