"""Where an answer goes: to standard output, or to a file that is then whole or absent."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import current_thread, main_thread
from typing import BinaryIO

from lstm_explain.errors import LstmExplainError, OutputError


class ReaderGoneError(LstmExplainError):
    """The reader of standard output has closed it, as `head` does. No message is printed."""

    exit_code = 141

    def __init__(self) -> None:
        super().__init__("standard output", "its reader closed it")


def write_output(pieces: Iterable[bytes], output: str | None) -> None:
    """Write an answer to standard output, or to a file that is then whole or absent.

    Raises:
        OutputError: it cannot be written.
        ReaderGoneError: standard output is a pipe whose reader has closed it.
    """
    with open_output(output) as file:
        for piece in pieces:
            file.write(piece)


@contextmanager
def open_output(output: str | None) -> Iterator[BinaryIO]:
    """A binary file to write an answer to; see `write`."""
    target = _open_stdout() if output in (None, "-") else _open_replacement(Path(str(output)))
    with _raise_output_errors(output), target as file:
        yield file


def output_folder(output: str | None) -> Path | None:
    """The folder that an answer's file is in, for what is needed while it is made; None unless it is a file."""
    if output in (None, "-"):
        return None
    real = Path(os.path.realpath(str(output)))
    return None if real.exists() and not real.is_file() else real.parent


class _CompleteWriter:
    """A raw stream whose `write` writes all of what it is given.

    Ctrl-C waits for the end of the line that is being written, so that what was written is whole lines. A second one does not
    wait: the reader may be stuck.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw

    def write(self, data: bytes) -> int:
        view = memoryview(data).cast("B")
        done, end = 0, len(view)
        with _defer_interrupts() as noted:
            while done < end:
                done += self._raw.write(view[done:end])
                if noted:
                    end = _end_of_line(view, done)
        if noted:
            raise KeyboardInterrupt
        return end

    def flush(self) -> None:
        self._raw.flush()


def _end_of_line(view: memoryview, done: int) -> int:
    """Where the line ends that `done` bytes reach into."""
    if done == 0 or view[done - 1] == ord("\n"):
        return done
    return done + (bytes(view[done:]).find(b"\n") + 1 or len(view) - done)


@contextmanager
def _defer_interrupts() -> Iterator[list[int]]:
    """A list that grows by the first Ctrl-C, instead of an exception at any place, such as between a write and its count."""
    noted: list[int] = []

    def note(number: int, _: object) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler or current_thread() is not main_thread():
        yield noted  # Ctrl-C is ignored, as it is in the background, or it is somebody else's business
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _open_stdout() -> Iterator[BinaryIO]:
    """Standard output without Python's buffer, so that nothing is left in it to fail when the program ends."""
    if sys.stdout is None:
        raise OutputError("standard output", "it is closed")
    sys.stdout.flush()
    buffer = sys.stdout.buffer
    yield _CompleteWriter(getattr(buffer, "raw", buffer))  # type: ignore[misc]


@contextmanager
def _open_replacement(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path` that takes its place once it is whole and on disk; a device or pipe is written to as it is."""
    if path.is_dir():
        raise OutputError(f"-o {path}", "this is a folder", "Name a file")
    if path.exists() and not path.is_file():
        with path.open("wb", buffering=0) as device:
            yield _CompleteWriter(device)  # type: ignore[misc]
        return
    real = Path(os.path.realpath(path))
    if not real.parent.is_dir():
        raise OutputError(f"-o {path}", f"there is no folder {path.parent}", "Make it first")
    part = real.with_name(f".lstm-explain-{os.urandom(6).hex()}.part")
    with part.open("xb") as file:
        try:
            if real.exists():
                part.chmod(real.stat().st_mode & 0o7777)  # what was private stays private
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.replace(real)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


@contextmanager
def _raise_output_errors(output: str | None) -> Iterator[None]:
    where = "standard output" if output in (None, "-") else f"-o {output}"
    try:
        yield
    except BrokenPipeError:
        raise ReaderGoneError from None
    except OSError as error:
        raise OutputError(where, error.strerror or "it is closed") from None
