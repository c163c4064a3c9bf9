"""Numbers from a seed, addressable: every tensor draws from a stream of its own.

The only source is the raw 64-bit integers of `numpy.random.PCG64(seed)`, whose stream numpy guarantees; the methods of
`numpy.random.Generator` carry no such promise, so the mapping to real numbers is ours and is documented here:

- uniform on [0, 1): the upper 53 bits of a raw integer, divided by 2**53;
- standard normal: Box and Muller's transform (1958) of uniforms taken in pairs, (u, v) -> sqrt(-2 ln(1-u)) (cos 2 pi v,
  sin 2 pi v), in that order;
- stream n begins n * 2**128 / phi draws after the seed's own beginning. The golden ratio spreads any number of streams
  evenly over the generator's period, so no two of them overlap (numpy's own `PCG64.jumped` uses the same step).

Odd streams feed the weights. Even streams feed the inputs: stream 2 m holds samples 64 m to 64 m + 63, timestep by timestep,
within a timestep sample by sample, and within a sample feature by feature (one more where the features are odd in number,
drawn and left out, so that no pair is shared).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.errors import UsageError

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array

PERIOD = 2**128
GROUP = 64
"""How many samples share a stream: enough to make drawing a batch fast, few enough to make drawing one sample cheap."""
DRAWN_AT_ONCE = 2**20
STRIDE = 0x9E3779B97F4A7C15F39CC0605CEDC835  # 2**128 / phi, rounded to odd


class Stream:
    """One stream of numbers, drawn in order.

    Args:
        seed: any whole number from 0 to 2**53 - 1.
        number: which of the seed's streams.
    """

    def __init__(self, seed: int, number: int) -> None:
        self._bits = _generator(seed)
        self._bits.advance(number * STRIDE % PERIOD)

    def uniform(self, *sizes: int) -> Array:
        """Draw float64 numbers in [0, 1) of the given sizes."""
        return _uniform(self._bits.random_raw(math.prod(sizes))).reshape(sizes)

    def normal(self, *sizes: int) -> Array:
        """Draw float64 standard-normal numbers of the given sizes."""
        count = math.prod(sizes)
        return _normal(self._bits.random_raw(count + count % 2))[:count].reshape(sizes)


def normal_inputs(seed: int, start: int, stop: int, timesteps: int, features: int) -> Array:
    """Draw the inputs of samples start to stop - 1, float64[samples, timesteps, features].

    Sample k depends on (seed, k) alone: not on how many samples there are, nor on which are drawn beside it; and its first
    timesteps are the same whatever the number of timesteps.
    """
    drawn = features + features % 2
    raw = np.empty((timesteps, stop - start, drawn), np.uint64)
    bits, at, first = _generator(seed), 0, start
    while first < stop:
        group, last = first // GROUP, min(stop, (first // GROUP + 1) * GROUP)
        bits.advance((2 * group * STRIDE - at) % PERIOD)
        _draw_group(bits, raw[:, first - start : last - start], first - group * GROUP)
        at, first = 2 * group * STRIDE + timesteps * GROUP * drawn, last
    return _normal(raw)[:, :, :features].transpose(1, 0, 2)


def _draw_group(bits: np.random.PCG64, into: Array, first: int) -> None:
    """Draw a group's stream for all timesteps, a bounded number at a time, and keep the samples from `first` on."""
    timesteps, samples, drawn = into.shape
    at_once = max(1, DRAWN_AT_ONCE // (GROUP * drawn))
    for start in range(0, timesteps, at_once):
        part = into[start : start + at_once]
        group = bits.random_raw(len(part) * GROUP * drawn).reshape(len(part), GROUP, drawn)
        part[:] = group[:, first : first + samples]


def _generator(seed: int) -> np.random.PCG64:
    if not 0 <= seed < 2**53:
        raise UsageError(f"--seed {seed}", "a seed is a whole number from 0 to 2**53 - 1")
    return np.random.PCG64(seed)


def _uniform(raw: Array) -> Array:
    return (raw >> np.uint64(11)) * 2.0**-53


def _normal(raw: Array) -> Array:
    """Transform raw integers, an even number of them along the last axis, to as many normal numbers."""
    uniform = _uniform(raw)
    radius = np.sqrt(-2 * np.log1p(-uniform[..., 0::2]))
    angle = 2 * np.pi * uniform[..., 1::2]
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=-1).reshape(raw.shape)
