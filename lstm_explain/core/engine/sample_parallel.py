"""Blocks of samples, side by side: one thread for each processor.

Samples never meet, so any block of them can run by itself; numpy lets go of the interpreter lock inside its loops, and
BLAS is held to one thread meanwhile. Each thread works through small blocks, whose rows stay in its processor's cache.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from lstm_explain.core.engine.step import TILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from threadpoolctl import ThreadpoolController

MIN_THREADED_NUMBERS = 2**15
"""From how many numbers on, samples times units, threads save more than handing out the work costs."""
MAX_BLOCK_UNITS = 64
"""Above so many units blocks are left to BLAS, which shares out the matrix product by rows: a block each would read, and
arrange for the processor, all of the weights again."""


def run_sample_blocks(run: Callable[[slice], None], samples: int, units: int) -> None:
    """Call `run` for blocks that cover all samples: one after the other, or in threads where that is faster."""
    workers = count_processors()
    if workers == 1 or samples * units < MIN_THREADED_NUMBERS or units > MAX_BLOCK_UNITS:
        run(slice(0, samples))
        return
    from concurrent.futures import ThreadPoolExecutor

    with blas_controller().limit(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(run, block) for block in _split_samples(samples, units, workers)]:
            done.result()


def count_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def blas_controller() -> ThreadpoolController:
    """The control of numpy's BLAS; finding it means reading the list of loaded libraries, so it is done once."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _split_samples(samples: int, units: int, workers: int) -> Iterator[slice]:
    """Equal blocks, a multiple of the workers in number, whose rows of a timestep fit a tile where units are few."""
    fitting = max(512, TILE_BYTES // (5 * units * 4))
    rounds = -(-samples // (fitting * workers))
    size = -(-samples // (rounds * workers))
    return (slice(first, min(first + size, samples)) for first in range(0, samples, size))
