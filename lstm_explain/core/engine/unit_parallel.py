"""Units side by side: in a large layer each thread takes every timestep for its share of the units.

BLAS shares out a matrix product over its own threads, but the element-wise work after it would be left to one. So each
thread multiplies with the rows of its own units, does their element-wise work while it is still in the processor's
cache, and then all meet: h_t must be whole before anybody reads it.
"""

from __future__ import annotations

from itertools import pairwise
from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.core.engine.sample_parallel import blas_controller, count_processors
from lstm_explain.core.engine.step import run_step, step_views

if TYPE_CHECKING:
    from lstm_explain.core.engine.buffers import Buffers
    from lstm_explain.core.engine.step import EngineWeights

MIN_PRODUCTS = 2**25
"""From how many multiply-accumulates in a timestep on a team saves more than meeting costs."""


MAX_PRE_ACTIVATIONS = 2**19
"""Up to how many pre-activations in a timestep; more do not stay in the caches between the product and what follows."""


def should_split_units(weights: EngineWeights, rows: Buffers) -> bool:
    """Whether a timestep is of the right size; a projection mixes the units, so it takes no team."""
    large = weights.matrix.size * rows.samples >= MIN_PRODUCTS and len(weights.matrix) * rows.samples <= MAX_PRE_ACTIVATIONS
    return large and count_processors() > 1 and weights.projection is None


def run_units_in_threads(weights: EngineWeights, rows: Buffers) -> None:
    """Run every timestep, in place."""
    from concurrent.futures import ThreadPoolExecutor

    from_zero = not rows.hiddens[0].any()
    members = min(count_processors(), rows.units)
    meeting = Barrier(members)

    @np.errstate(all="ignore")  # as in the thread that calls; each thread has its own
    def work(part: slice) -> None:
        own = weights.select_units(part)
        try:
            for step in step_views(own, rows, part, from_zero):
                run_step(own, step)
                meeting.wait()
        except BaseException:
            meeting.abort()  # nobody shall wait for a member that is gone
            raise

    edges = [place * rows.units // members for place in range(members + 1)]
    with blas_controller().limit(limits=1, user_api="blas"), ThreadPoolExecutor(members) as pool:
        ends = [pool.submit(work, slice(*share)).exception for share in pairwise(edges)]
        causes = [
            error for error in (end() for end in ends) if error is not None and not isinstance(error, BrokenBarrierError)
        ]
    if causes:
        raise causes[0]
