"""What a cell state is made of, and how fast a unit forgets: in float64, from the gates of a run.

Unrolling c_t = f_t c_{t-1} + i_t g_t from the last timestep to the first gives

    c_T = sum over t of (f_{t+1} f_{t+2} ... f_T) i_t g_t  +  (f_1 f_2 ... f_T) c_0

so every timestep has a part in c_T, the initial state has one, and the parts add up. That is algebra, with peepholes and
with a projection too. It takes the gates as they were: another input would have changed them.

A unit whose forget gate stays at f keeps the share f^n after n timesteps: half of it after ln(1/2) / ln(f).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array


class CellDecomposition(NamedTuple):
    """A cell state as a sum of parts; float64, timesteps in the order in which they were read."""

    added: Array
    """What each timestep added, i_t g_t; [timesteps, units]."""
    kept: Array
    """How much of that is left at the end: the product of all later forget gates; [timesteps, units]."""
    initial: Array
    """c_0; [units]."""
    initial_kept: Array
    """How much of c_0 is left: the product of all forget gates; [units]."""
    parts: Array
    """added x kept; [timesteps, units]."""

    @property
    def initial_part(self) -> Array:
        """What c_0 has left in c_T; [units]."""
        part: Array = self.initial_kept * self.initial
        return part

    @property
    def total(self) -> Array:
        """The sum of all parts; [units]."""
        total: Array = self.parts.sum(axis=0) + self.initial_part
        return total


def decompose_cell_state(input_gate: Array, forget_gate: Array, candidate: Array, initial: Array) -> CellDecomposition:
    """Split the cell state after the last timestep into the parts of all timesteps and of the initial state.

    Args:
        input_gate, forget_gate, candidate: i, f and g in the order in which the timesteps were read; [timesteps, units].
        initial: c before the first of them; [units].
    """
    i, f, g, c = (array.astype(np.float64) for array in (input_gate, forget_gate, candidate, initial))
    with np.errstate(all="ignore"):  # infinite inputs make infinities and nan, which are shown as such
        products = np.cumprod(f[::-1], axis=0)[::-1]
        kept = np.concatenate([products[1:], np.ones_like(products[:1])])
        added = i * g
        return CellDecomposition(added, kept, c, products[0], added * kept)


def half_mass_step(decomposition: CellDecomposition) -> Array:
    """Where the later half of each unit's state begins; [units].

    Going back from the last timestep, it is the first at which half of the sum of all |parts| is reached. Timesteps count from
    1 in the order of reading. 0 if only the initial state reaches it; nan if the sum is zero or not finite.
    """
    sizes = np.abs(np.concatenate([decomposition.initial_part[None], decomposition.parts]))[::-1]
    with np.errstate(all="ignore"):  # as above
        sums = np.cumsum(sizes, axis=0)
        total = sums[-1]
        first = np.argmax(sums >= total / 2, axis=0)
    return np.where(np.isfinite(total) & (total > 0), len(decomposition.parts) - first, np.nan)


def half_life(forget: Array) -> Array:
    """In how many timesteps half is left, if f stays as it is; infinite where f is 1, and 0 where f is 0; any axes."""
    return _half_life_from_log(_log_forget(forget))


def mean_forget(forget: Array) -> Array:
    """The geometric mean over the first axis: the one f that, at every timestep, would keep as much in the end."""
    mean: Array = np.exp(_log_forget(forget).mean(axis=0))
    return mean


def mean_half_life(forget: Array) -> Array:
    """The half-life of `mean_forget`, from the logarithms: exact for f however close to 1."""
    return _half_life_from_log(_log_forget(forget).mean(axis=0))


def _log_forget(forget: Array) -> Array:
    with np.errstate(divide="ignore"):
        logarithms: Array = np.log(forget.astype(np.float64))
    return logarithms


def _half_life_from_log(logarithms: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.where(logarithms == 0, np.inf, math.log(0.5) / logarithms)
