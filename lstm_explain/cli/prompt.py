"""Waiting for a line at the terminal."""

from __future__ import annotations

import os
import select
import sys

POLL_SECONDS = 0.2
"""Seconds between two looks at whether Ctrl-C was pressed."""


def read_line() -> bytes:
    """The next line of standard input, with its end; empty where the input has ended.

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
