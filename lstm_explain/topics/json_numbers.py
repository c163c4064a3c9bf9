"""From arrays to plain Python numbers that a JSON writer prints in the shortest form that reads back to the same bits.

A float32 0.1 is 0.10000000149011612 as a Python float. `plain_numbers` gives 0.1 instead: the decimal number with the fewest
digits that rounds to the same float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array

MAX_DIGITS = 9  # nine significant decimal digits identify any float32 (IEEE 754-2019, 5.12.2)
SMALLEST, LARGEST = 1e-12, 1e15  # between them, nine digits need no power of ten beyond 10**22, the last exact float64


def plain_numbers(array: Array) -> Any:
    """Nested lists of Python numbers, or one number for an array without axes.

    Numbers that are nan or infinite stay so; `Result.to_dict` replaces them.
    """
    if array.dtype == np.float32:
        return shortest_float64(array.reshape(-1)).reshape(array.shape).tolist()
    return array.tolist()


def shortest_float64(array: Array) -> Array:
    """For each float32, the float64 nearest to the shortest decimal number that reads back as that float32."""
    exact = array.astype(np.float64)
    size = np.abs(exact)
    common = (size > SMALLEST) & (size < LARGEST)
    result = exact.copy()
    result[common] = _shortest_common(exact[common])
    rare = np.isfinite(exact) & ~common & (exact != 0)
    result[rare] = [float(str(number)) for number in array[rare]]
    return result


def _shortest_common(exact: Array) -> Array:
    """Round to 1, 2, ... digits until the float32 comes back. All powers of ten used here are exact in float64."""
    result, left = exact.copy(), np.arange(exact.size)
    places = np.floor(np.log10(np.abs(exact)))
    for digits in range(1, MAX_DIGITS + 1):
        decimals = digits - 1 - places[left]
        up, down = 10.0 ** np.maximum(decimals, 0), 10.0 ** np.maximum(-decimals, 0)
        rounded = np.rint(exact[left] * up / down) / up * down
        hits = rounded.astype(np.float32) == exact[left]
        result[left[hits]] = rounded[hits]
        left = left[~hits]
    return result
