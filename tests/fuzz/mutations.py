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

LONGEST_READ = 20
"""In seconds. A slow machine may take some; what hangs takes all."""
MOST_DAMAGES = 6
MEMORY = 2**30
"""How much may be allocated beyond what is in use at the start, where the system can limit it."""
EDGES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1]


def fuzz(valid: list[bytes], read: Callable[[bytes], None], seconds: float, seed: int) -> int:
    """Read damaged inputs for some seconds; how many they were. The same seed damages in the same way.

    Raises:
        AssertionError: an input took too long, or raised anything but our own errors; it is written to a file that is named.
    """
    chance, read_count, until = random.Random(seed), 0, time.monotonic() + seconds
    for data in valid:
        read(data)  # undamaged, each of them is read
    while time.monotonic() < until:
        data = damaged(valid, chance)
        _judge(read, data, seed, read_count)
        read_count += 1
    return read_count


def _judge(read: Callable[[bytes], None], data: bytes, seed: int, number: int) -> None:
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LONGEST_READ)
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
    raise TimeoutError(f"it took longer than {LONGEST_READ} seconds")


def damaged(valid: list[bytes], chance: random.Random) -> bytes:
    """One of the inputs, damaged in a few places."""
    data = bytearray(chance.choice(valid))
    for _ in range(chance.randint(1, MOST_DAMAGES)):
        chance.choice(DAMAGES)(data, valid, chance)
    return bytes(data)


def _slice(data: bytes | bytearray, chance: random.Random, longest: int = 64) -> slice:
    start = chance.randint(0, len(data))
    return slice(start, start + chance.randint(0, longest))


def _flip(data: bytearray, _: list[bytes], chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut(data: bytearray, _: list[bytes], chance: random.Random) -> None:
    if chance.random() < 0.2:
        del data[chance.randint(0, len(data)) :]
    else:
        del data[_slice(data, chance)]


def _insert(data: bytearray, _: list[bytes], chance: random.Random) -> None:
    place = chance.randint(0, len(data))
    data[place:place] = chance.randbytes(chance.randint(1, 16))


def _edge(data: bytearray, _: list[bytes], chance: random.Random) -> None:
    """A number at the edge of what its bytes can hold."""
    size, place = chance.choice([1, 2, 4, 8]), chance.randint(0, len(data))
    value = chance.choice(EDGES) % 2 ** (8 * size)
    data[place : place + size] = value.to_bytes(size, chance.choice(["little", "big"]))


def _repeat(data: bytearray, _: list[bytes], chance: random.Random) -> None:
    part = data[_slice(data, chance)]
    place = chance.randint(0, len(data))
    data[place:place] = part * chance.choice([1, 2, 100])


def _swap(data: bytearray, _: list[bytes], chance: random.Random) -> None:
    """Two places of equal length change places."""
    one, other, size = chance.randint(0, len(data)), chance.randint(0, len(data)), chance.randint(1, 64)
    if abs(one - other) >= size and max(one, other) + size <= len(data):
        first, second = data[one : one + size], data[other : other + size]
        data[one : one + size], data[other : other + size] = second, first


def _borrow(data: bytearray, valid: list[bytes], chance: random.Random) -> None:
    """A piece of another input."""
    other = chance.choice(valid)
    data[_slice(data, chance)] = other[_slice(other, chance)]


DAMAGES = [_flip, _cut, _insert, _edge, _repeat, _swap, _borrow]


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
    asked = parser.parse_args()
    limit_memory()
    for valid, read in targets:
        count = fuzz(valid, read, asked.seconds / len(targets), asked.seed)
        print(f"{read.__name__}: {count} damaged inputs, seed {asked.seed}: all were read or refused")  # noqa: T201
