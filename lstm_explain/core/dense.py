"""The dense layer that follows an LSTM: every one of its neurons reads all numbers of h."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.philox import Stream

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array

DENSE_STREAM = 2**32 + 1
"""The stream of the seed that the kernel is drawn from: an odd one, far above those of any stack's layers."""
BYTES_PER_DRAWN_WEIGHT = 64
"""An upper bound on the memory that drawing one number of a kernel takes."""


class Dense(NamedTuple):
    """A layer without memory: y = h W + b."""

    kernel: Array
    """[output features of the LSTM, outputs]"""
    bias: Array
    """[outputs]"""

    @property
    def parameters(self) -> int:
        return int(self.kernel.size + self.bias.size)

    def __call__(self, hidden: Array) -> Array:
        """Read h along the last axis, whatever axes stand before it; they are kept."""
        with np.errstate(all="ignore"):  # nan of the input stays nan, and is shown as such
            made: Array = hidden @ self.kernel + self.bias
        return made


def seeded_dense(reads: int, outputs: int, dtype: str, seed: int) -> Dense:
    """Make a dense layer from a seed, as Keras makes one by default: kernel glorot uniform, bias zero."""
    limit = math.sqrt(6 / (reads + outputs))
    kernel = (2 * Stream(seed, DENSE_STREAM).uniform(reads, outputs) - 1) * limit
    return Dense(kernel.astype(dtype), np.zeros(outputs, dtype))


def dense_bytes(reads: int, outputs: int, rows: int, item_bytes: int) -> int:
    """An upper bound on the memory of making a dense layer and applying it to so many vectors of h."""
    return BYTES_PER_DRAWN_WEIGHT * (reads + 1) * outputs + rows * (reads + 2 * outputs) * item_bytes
