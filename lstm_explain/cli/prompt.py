"""Ask at the terminal: whether the standard streams are terminals, and one line after a prompt."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from typing import Literal

from lstm_explain.errors import UsageError

Stream = Literal["input", "output", "error"]

POLL_SECONDS = 0.2
"""How often to check whether Ctrl-C was pressed."""


def streams_without_terminal(*names: Stream) -> list[str]:
    """The standard streams, among these, that are not terminals."""
    streams = {"input": sys.stdin, "output": sys.stdout, "error": sys.stderr}
    return [f"standard {name}" for name in names if (stream := streams[name]) is None or stream.closed or not stream.isatty()]


def check_terminal(command: str, fix: str, *names: Stream) -> None:
    """Raise `UsageError` unless these standard streams are terminals."""
    if missing := streams_without_terminal(*names):
        *first, last = missing
        problem = f"{', '.join(first)} and {last} are not terminals" if first else f"{last} is not a terminal"
        raise UsageError(command, problem, fix)


def ask_line(prompt: str) -> str | None:
    """Print a prompt and wait for a line; None at the end of input.

    `input` would print the prompt on standard error, and lose a Ctrl-C now and then.
    """
    from lstm_explain.cli.output_file import write_output

    line = b""
    try:
        write_output([prompt.encode()], None)
        with contextlib.suppress(OSError):  # the terminal is gone
            line = _read_line()
    finally:
        if not line:
            write_output([b"\n"], None)  # what follows begins on a new line
    return line.decode(errors="replace") if line else None


def _read_line() -> bytes:
    """The next line of standard input, with its end; empty at the end of input.

    A signal that comes in the moment before a read blocks would be seen only after the next line. So the wait is cut into
    short ones, and a line is read once there is one. It is read without a buffer, in which a line typed ahead would hide.

    Raises:
        OSError: the terminal is gone.
    """
    stream = sys.stdin.buffer
    if os.name == "nt":  # where only sockets can be waited for
        return stream.readline()
    raw = getattr(stream, "raw", stream)
    while not select.select([raw], [], [], POLL_SECONDS)[0]:
        pass
    return bytes(raw.readline())
