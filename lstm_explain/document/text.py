"""Phrases that pages share: shapes, lists of words, the timestep before, and the warning about saturated gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import ACTIVATIONS, Direction
from lstm_explain.document.numbers import thousands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.core.axes import Array, Shape
    from lstm_explain.core.gates import Gate

SATURATION_MARGIN = 0.001
"""How close to 0 or 1 a sigmoid must be to count as saturated."""


def format_sizes(sizes: Sequence[int]) -> str:
    """Write the sizes of a shape as Python does: (1000, 10), and (10,) for one axis."""
    return str(tuple(sizes))


def format_shape(shape: Shape) -> str:
    """Write a shape with the names of its axes: (1000, 10)  samples, units."""
    return f"{format_sizes(shape.sizes)}  {', '.join(shape.names)}"


def join_words(words: Sequence[str], conjunction: str = "and") -> str:
    """Join words as a sentence does: a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def previous_step_name(direction: Direction) -> str:
    """The index of the timestep that is read before timestep t: `t-1`, or `t+1` backward."""
    return "t-1" if direction is Direction.FORWARD else "t+1"


def saturation_warning(gates: dict[Gate, Array]) -> list[str]:
    """Warn where most sigmoids are almost 0 or 1, which happens when the inputs were never scaled."""
    sigmoids = [value for gate, values in gates.items() if ACTIVATIONS[gate] == "sigmoid" for value in values.ravel().tolist()]
    saturated = sum(value < SATURATION_MARGIN or value > 1 - SATURATION_MARGIN for value in sigmoids)
    if 2 * saturated <= len(sigmoids):
        return []
    return [
        f"{thousands(saturated)} of {thousands(len(sigmoids))} values of i, f and o lie within {SATURATION_MARGIN} of 0 or 1: "
        "the inputs are large for this LSTM. Scale them first, to about -1 to 1."
    ]
