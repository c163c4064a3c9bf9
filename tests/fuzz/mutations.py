"""Fuzzing in plain Python: valid inputs are damaged at random, and a reader may only read them or say no in its own words.

python -m tests.fuzz.fuzz_NAME --seconds 30 --seed 1
"""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_explain.errors import LstmExplainError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_READ_SECONDS = 20
"""In seconds. A slow machine may take some; what hangs takes all."""
MAX_DAMAGES = 6
MEMORY = 2**30
"""How much may be allocated beyond what is in use at the start, where the system can limit it."""
EDGES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1]


def fuzz(valid: list[bytes], read: Callable[[bytes], None], seconds: float, seed: int) -> int:
    """Read damaged inputs for some seconds; how many they were. The same seed damages in the same way.

    Raises:
        AssertionError: an input took too long, or raised anything but our own errors; it is written to a file that is named.
    """
    rng, read_count, until = random.Random(seed), 0, time.monotonic() + seconds
    for data in valid:
        read(data)  # undamaged, each of them is read
    while time.monotonic() < until:
        data = damage_input(valid, rng)
        _check_read(read, data, seed, read_count)
        read_count += 1
    return read_count


def _check_read(read: Callable[[bytes], None], data: bytes, seed: int, number: int) -> None:
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(MAX_READ_SECONDS)
    try:
        read(data)
    except BaseException as error:
        if isinstance(error, LstmExplainError) and str(error).isprintable():  # which no line feed is
            return
        kept = Path(tempfile.gettempdir()) / f"fuzz-{seed}-{number}.bin"
        kept.write_bytes(data)
        raise AssertionError(
            f"input {number} of seed {seed}, kept in {kept}, raised {type(error).__name__}: {error}"
        ) from error
    finally:
        signal.alarm(0)


def _too_long(*_: object) -> None:
    raise TimeoutError(f"it took longer than {MAX_READ_SECONDS} seconds")


def damage_input(valid: list[bytes], rng: random.Random) -> bytes:
    """One of the inputs, damaged in a few places."""
    data = bytearray(rng.choice(valid))
    for _ in range(rng.randint(1, MAX_DAMAGES)):
        rng.choice(DAMAGES)(data, valid, rng)
    return bytes(data)


def _slice(data: bytes | bytearray, rng: random.Random, longest: int = 64) -> slice:
    start = rng.randint(0, len(data))
    return slice(start, start + rng.randint(0, longest))


def _flip(data: bytearray, _: list[bytes], rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _delete(data: bytearray, _: list[bytes], rng: random.Random) -> None:
    if rng.random() < 0.2:
        del data[rng.randint(0, len(data)) :]
    else:
        del data[_slice(data, rng)]


def _insert(data: bytearray, _: list[bytes], rng: random.Random) -> None:
    position = rng.randint(0, len(data))
    data[position:position] = rng.randbytes(rng.randint(1, 16))


def _insert_edge(data: bytearray, _: list[bytes], rng: random.Random) -> None:
    """A number at the edge of what its bytes can hold."""
    size, position = rng.choice([1, 2, 4, 8]), rng.randint(0, len(data))
    value = rng.choice(EDGES) % 2 ** (8 * size)
    data[position : position + size] = value.to_bytes(size, rng.choice(["little", "big"]))


def _repeat(data: bytearray, _: list[bytes], rng: random.Random) -> None:
    part = data[_slice(data, rng)]
    position = rng.randint(0, len(data))
    data[position:position] = part * rng.choice([1, 2, 100])


def _swap(data: bytearray, _: list[bytes], rng: random.Random) -> None:
    """Two places of equal length change places."""
    first_start, second_start, size = (
        rng.randint(0, len(data)),
        rng.randint(0, len(data)),
        rng.randint(1, 64),
    )
    if abs(first_start - second_start) >= size and max(first_start, second_start) + size <= len(data):
        first, second = data[first_start : first_start + size], data[second_start : second_start + size]
        data[first_start : first_start + size], data[second_start : second_start + size] = second, first


def _borrow(data: bytearray, valid: list[bytes], rng: random.Random) -> None:
    """A piece of another input."""
    other = rng.choice(valid)
    data[_slice(data, rng)] = other[_slice(other, rng)]


DAMAGES = [_flip, _delete, _insert, _insert_edge, _repeat, _swap, _borrow]


def limit_memory() -> None:
    """Have the system refuse memory beyond `MEMORY` more than now, where it can."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main(*targets: tuple[list[bytes], Callable[[bytes], None]]) -> None:
    """Run a script's targets one after another, for the time that the command line gives."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    limit_memory()
    for valid, read in targets:
        count = fuzz(valid, read, arguments.seconds / len(targets), arguments.seed)
        print(f"{read.__name__}: {count} damaged inputs, seed {arguments.seed}: all were read or refused")  # noqa: T201
