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

from lstm_explain.core.blocks import blas, processors
from lstm_explain.core.steps import steps, take

if TYPE_CHECKING:
    from lstm_explain.core.rows import Rows
    from lstm_explain.core.steps import Packed

LEAST_PRODUCTS = 2**25
"""From how many multiply-accumulates in a timestep on a team saves more than meeting costs."""


MOST_SUMS = 2**19
"""Up to how many pre-activations in a timestep; more do not stay in the caches between the product and what follows."""


def worth_a_team(weights: Packed, rows: Rows) -> bool:
    """Whether a timestep is of the right size; a projection mixes the units, so it takes no team."""
    large = weights.matrix.size * rows.samples >= LEAST_PRODUCTS and len(weights.matrix) * rows.samples <= MOST_SUMS
    return large and processors() > 1 and weights.projection is None


def run_as_team(weights: Packed, rows: Rows) -> None:
    """Run every timestep, in place."""
    from concurrent.futures import ThreadPoolExecutor

    from_zero = not rows.hiddens[0].any()
    members = min(processors(), rows.units)
    meeting = Barrier(members)

    @np.errstate(all="ignore")  # as in the thread that calls; each thread has its own
    def work(part: slice) -> None:
        own = weights.of_units(part)
        try:
            for step in steps(own, rows, part, from_zero):
                take(own, step)
                meeting.wait()
        except BaseException:
            meeting.abort()  # nobody shall wait for a member that is gone
            raise

    edges = [place * rows.units // members for place in range(members + 1)]
    with blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(members) as pool:
        ends = [pool.submit(work, slice(*share)).exception for share in pairwise(edges)]
        causes = [
            error for error in (end() for end in ends) if error is not None and not isinstance(error, BrokenBarrierError)
        ]
    if causes:
        raise causes[0]
