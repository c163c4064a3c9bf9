"""Samples or units side by side, in one thread for each processor, with BLAS held to one thread meanwhile.

Many samples: samples never meet, so any block of them can run by itself; numpy releases the interpreter lock inside its
loops. Each thread works through small blocks, whose rows stay in its processor's cache.

Large layers: BLAS shares out a matrix product over its own threads, but would leave the element-wise work after it to one.
So each thread takes every timestep for its share of the units: it multiplies with their rows, does their element-wise work
while it is still in the processor's cache, and then waits for the others: h_t must be whole before it is read.
"""

from __future__ import annotations

import os
from functools import cache
from itertools import pairwise
from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.core.engine.step import TILE_BYTES, run_step, step_views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from threadpoolctl import ThreadpoolController

    from lstm_explain.core.engine.buffers import Buffers
    from lstm_explain.core.engine.step import EngineWeights

MIN_THREADED_NUMBERS = 2**15
"""From how many numbers on, samples times units, threads save more than handing out the work costs."""
MAX_BLOCK_UNITS = 64
"""Above this many units blocks are left to BLAS, which shares out the matrix product by rows: a block each would read, and
arrange for the processor, all of the weights again."""
MIN_PRODUCTS = 2**25
"""From how many multiply-accumulates in a timestep on threads save more than waiting for each other costs."""
MAX_PRE_ACTIVATIONS = 2**19
"""Up to how many pre-activations in a timestep; more do not stay in the caches between the product and what follows."""


def count_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def blas_controller() -> ThreadpoolController:
    """The control of numpy's BLAS; finding it means reading the list of loaded libraries, so it is done once."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


# --- many samples -----------------------------------------------------------------------------------------------------


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


def _split_samples(samples: int, units: int, workers: int) -> Iterator[slice]:
    """Equal blocks, a multiple of the workers in number, whose rows of a timestep fit a tile where units are few."""
    fitting = max(512, TILE_BYTES // (5 * units * 4))
    rounds = -(-samples // (fitting * workers))
    size = -(-samples // (rounds * workers))
    return (slice(first, min(first + size, samples)) for first in range(0, samples, size))


# --- large layers -----------------------------------------------------------------------------------------------------


def should_split_units(weights: EngineWeights, rows: Buffers) -> bool:
    """Whether a timestep is of the right size; a projection mixes the units, so it takes one thread."""
    large = weights.matrix.size * rows.samples >= MIN_PRODUCTS and len(weights.matrix) * rows.samples <= MAX_PRE_ACTIVATIONS
    return large and count_processors() > 1 and weights.projection is None


def run_units_in_threads(weights: EngineWeights, rows: Buffers) -> None:
    """Run every timestep, in place."""
    from concurrent.futures import ThreadPoolExecutor

    from_zero = not rows.hiddens[0].any()
    workers = min(count_processors(), rows.units)
    barrier = Barrier(workers)

    @np.errstate(all="ignore")  # as in the thread that calls; each thread has its own
    def work(part: slice) -> None:
        part_weights = weights.select_units(part)
        try:
            for step in step_views(part_weights, rows, part, from_zero):
                run_step(part_weights, step)
                barrier.wait()
        except BaseException:
            barrier.abort()  # release the other workers
            raise

    edges = [worker * rows.units // workers for worker in range(workers + 1)]
    with blas_controller().limit(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        ends = [pool.submit(work, slice(*share)).exception for share in pairwise(edges)]
        causes = [
            error for error in (end() for end in ends) if error is not None and not isinstance(error, BrokenBarrierError)
        ]
    if causes:
        raise causes[0]
