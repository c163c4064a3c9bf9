"""Pieces of sentences and tables that several chapters use."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from lstm_explain.document.blocks import Cell, Note
from lstm_explain.document.numbers import format_decimal, plural, thousands
from lstm_explain.document.tables import elide_list, ellipsis_row, visible_ends
from lstm_explain.document.text import join_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lstm_explain.core.spec import Spec

MAX_ROWS = 10
"""A table of the tour shows no more rows or columns of numbers than this."""


def describe_layers(spec: Spec) -> str:
    """layer 0 has 6 units in each direction, layer 1 has 4 units and layer 2 has 3 units"""
    ways = [" in each direction" if one.bidirectional else "" for one in spec.layers]
    told = [f"layer {layer} has {plural(one.units, 'unit')}{ways[layer]}" for layer, one in enumerate(spec.layers)]
    return join_words(elide_list(told))


def batch(spec: Spec) -> str:
    """1,000 samples of 10 timesteps of 5 features"""
    return f"{plural(spec.samples, 'sample')} of {plural(spec.timesteps, 'timestep')} of {plural(spec.features, 'feature')}"


def vectors_of(size: int) -> str:
    """two vectors of 10 numbers each"""
    return f"two vectors of {plural(size, 'number')} each"


def nonfinite_notes(values: Iterable[float]) -> tuple[Note, ...]:
    """A remark where a table holds dots in place of numbers."""
    if all(map(isfinite, values)):
        return ()
    return (Note("A dot stands for a number that is not finite: the data are not, or too large."),)


def visible_indices(items: Sequence[int]) -> tuple[list[int], int]:
    """Those of many that a table shows; and the place of the gap, 0 where there is none."""
    front, back = visible_ends(items, MAX_ROWS)
    return [*items[:front], *(items[-back:] if back else ())], front if back else 0


def insert_gap_row(rows: list[tuple[Cell, ...]], gap: int) -> tuple[tuple[Cell, ...], ...]:
    """The rows, with a row of dots where some are left out."""
    return tuple([*rows[:gap], ellipsis_row(len(rows[0])), *rows[gap:]] if gap else rows)


def format_number(value: float) -> str:
    """0.0249, as it stands in a sentence."""
    return format_decimal(value, 4).strip()


def format_fraction_of(changed: int, of: int) -> str:
    """0 of 36"""
    return f"{thousands(changed)} of {thousands(of)}"
