"""Numbers from a seed, addressable: every number of every stream can be computed by itself.

The source is Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", 2011), the
counter-based generator that PyTorch, TensorFlow and cuRAND use too. It is a function of a key and a counter, so there is
no state to advance and no streams that could overlap. We compute it with numpy's integers instead of using
`numpy.random`: importing that takes a tenth of a whole start, and its seeding and its methods carry no promise to stay
the same. A test holds it to the published known answers. What we make of its integers is ours, and documented here:

- the key is the seed; the counter's upper half is the stream's number, its lower half the place in the stream;
- each counter gives four 32-bit words a, b, c, d, and so two 64-bit integers, a + 2**32 b and c + 2**32 d;
- uniform on [0, 1): the upper 53 bits of an integer, divided by 2**53; place n holds the uniforms 2 n and 2 n + 1;
- standard normal: Box and Muller's transform (1958) of a place's two uniforms, (u, v) -> sqrt(-2 ln(1-u)) (cos 2 pi v,
  sin 2 pi v), in that order; place n holds the normals 2 n and 2 n + 1.

Even streams feed the inputs: sample k is stream 2 k, timestep by timestep; a timestep begins a new place. Odd streams
feed the weights.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.core.spec import validate_seed

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array

MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
WORD = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)
MAX_COUNTERS_AT_ONCE = 2**14
"""How many places are drawn at once: few enough that the work stays in the processor's cache."""


class Stream:
    """One stream of numbers, drawn in order.

    Args:
        seed: any whole number from 0 to 2**53 - 1.
        number: which of the seed's streams.
    """

    def __init__(self, seed: int, number: int) -> None:
        self._seed, self._number, self._place = seed, number, 0

    def uniform(self, *sizes: int) -> Array:
        """Draw float64 numbers in [0, 1) of the given sizes."""
        return self._draw(_to_uniform, sizes)

    def normal(self, *sizes: int) -> Array:
        """Draw float64 standard-normal numbers of the given sizes."""
        return self._draw(_to_normal, sizes)

    def _draw(self, transform: Transform, sizes: tuple[int, ...]) -> Array:
        count = math.prod(sizes)
        places = np.arange(self._place, self._place + -(-count // 2), dtype=np.uint64)
        self._place += len(places)
        pairs = transform(random_integers(self._seed, np.uint64(self._number), places))
        return pairs.reshape(-1)[:count].reshape(sizes)


def normal_inputs(seed: int, samples: range, timesteps: int, features: int, dtype: str = "float64") -> Array:
    """Draw the inputs of consecutive samples; [samples, timesteps, features].

    Sample k depends on (seed, k) alone: not on how many samples there are, nor on which are drawn beside it; and its
    first timesteps are the same whatever the number of timesteps. Drawn piece by piece, so that the memory in use is
    hardly more than the result's.
    """
    drawn = np.empty((len(samples), timesteps, features), dtype)
    pairs = -(-features // 2)
    steps_at_once = max(1, MAX_COUNTERS_AT_ONCE // pairs)
    samples_at_once = max(1, MAX_COUNTERS_AT_ONCE // (pairs * timesteps))
    for sample in range(0, len(samples), samples_at_once):
        streams = np.array([2 * number for number in samples[sample : sample + samples_at_once]], np.uint64)
        for t in range(0, timesteps, steps_at_once):
            part = drawn[sample : sample + samples_at_once, t : t + steps_at_once]
            places = np.arange(t * pairs, (t + part.shape[1]) * pairs, dtype=np.uint64)
            normals = _to_normal(random_integers(seed, streams[:, None], places))
            part[:] = normals.reshape(*part.shape[:2], 2 * pairs)[:, :, :features]
    return drawn


def random_integers(seed: int, streams: Array | np.uint64, places: Array) -> Array:
    """The two 64-bit integers at each place of each stream: uint64[..., 2], streams and places broadcast together."""
    seed = validate_seed(seed)
    words = philox((seed & 0xFFFFFFFF, seed >> 32), places & LOW, places >> WORD, streams & LOW, streams >> WORD)
    a, b, c, d = np.broadcast_arrays(*words)
    return np.stack([a | b << WORD, c | d << WORD], axis=-1)


def philox(key: tuple[int, int], *counter: Array | np.uint64) -> tuple[Array | np.uint64, ...]:
    """Philox4x32-10: the four 32-bit words of each counter of four 32-bit words, all held in uint64."""
    x0, x1, x2, x3 = counter
    for turn in range(ROUNDS):
        k0, k1 = (np.uint64((word + turn * step) & 0xFFFFFFFF) for word, step in zip(key, WEYL, strict=True))
        first, second = MULTIPLIERS[0] * x0, MULTIPLIERS[1] * x2
        x0, x1, x2, x3 = second >> WORD ^ x1 ^ k0, second & LOW, first >> WORD ^ x3 ^ k1, first & LOW
    return x0, x1, x2, x3


def _to_uniform(raw: Array) -> Array:
    return (raw >> np.uint64(11)) * 2.0**-53


def _to_normal(raw: Array) -> Array:
    """Transform pairs of integers, [..., 2], to pairs of normal numbers."""
    uniform = _to_uniform(raw)
    radius = np.sqrt(-2 * np.log1p(-uniform[..., 0]))
    angle = 2 * np.pi * uniform[..., 1]
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=-1)


if TYPE_CHECKING:
    from collections.abc import Callable

    Transform = Callable[[Array], Array]
