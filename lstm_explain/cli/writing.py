"""Where an answer goes: to standard output, or to a file that is then whole or absent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lstm_explain.errors import LstmExplainError, OutputError


class ReaderGoneError(LstmExplainError):
    """Whoever read our standard output has closed it, as `head` does: nothing to say, and nobody to say it to."""

    exit_code = 141

    def __init__(self) -> None:
        super().__init__("standard output", "its reader closed it")


def write(pieces: Iterable[bytes], output: str | None) -> None:
    """Write an answer to standard output, or to a file that is then whole or absent.

    Raises:
        OutputError: it cannot be written.
        ReaderGoneError: standard output is a pipe that nobody reads any more.
    """
    with opened(output) as file:
        for piece in pieces:
            file.write(piece)


@contextmanager
def opened(output: str | None) -> Iterator[BinaryIO]:
    """A binary file to write an answer to; see `write`."""
    target = _standard_output() if output in (None, "-") else _replacing(Path(str(output)))
    with _as_output_error(output), target as file:
        yield file


class _Whole:
    """A raw stream whose `write` writes all of what it is given."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw

    def write(self, data: bytes) -> int:
        left = memoryview(data).cast("B")
        while len(left):
            left = left[self._raw.write(left) :]
        return len(data)

    def flush(self) -> None:
        self._raw.flush()


@contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    """Standard output without Python's buffer, so that nothing is left in it to fail when the program ends."""
    if sys.stdout is None:
        raise OutputError("standard output", "it is closed")
    sys.stdout.flush()
    buffer = sys.stdout.buffer
    yield _Whole(getattr(buffer, "raw", buffer))  # type: ignore[misc]


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path` that takes its place once it is whole and on disk; a device or pipe is written to as it is."""
    if path.is_dir():
        raise OutputError(f"-o {path}", "this is a folder", "Name a file")
    if path.exists() and not path.is_file():
        with path.open("wb", buffering=0) as device:
            yield _Whole(device)  # type: ignore[misc]
        return
    real = Path(os.path.realpath(path))
    part = real.with_name(f".{real.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(real)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def _as_output_error(output: str | None) -> Iterator[None]:
    where = "standard output" if output in (None, "-") else f"-o {output}"
    try:
        yield
    except BrokenPipeError:
        raise ReaderGoneError from None
    except OSError as error:
        raise OutputError(where, error.strerror or str(error)) from None
