"""Five words as boxes inside each other: a layer has cells, a cell has units, a unit has neurons, three of them gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import ACTIVATIONS, GATES, LETTERS
from lstm_explain.document.numbers import plural, thousands
from lstm_explain.document.text import join_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.terms.concept_counts import ConceptCount

NESTED_WORDS = ("layer", "cell", "unit", "neuron", "gate")
"""From the outside in."""
SIGMOID_LETTERS = tuple(LETTERS[gate] for gate in GATES if ACTIVATIONS[gate] == "sigmoid")
PADDING = 2
"""The columns between a box and what is in it, its border among them."""


def draw_boxes(counts: Mapping[str, ConceptCount], spec: Spec) -> tuple[str, ...]:
    """Draw the five words as boxes with the number of each in an LSTM.

    Args:
        counts: for each of `NESTED_WORDS`, how many there are.
        spec: the sizes of the LSTM.
    """
    titles = _box_titles(counts, spec)
    lines = _join_boxes(
        _draw_box(titles["gate"], [f"{join_words(SIGMOID_LETTERS)}, from 0 to 1"]),
        _draw_box("candidate: 1 in each unit", ["g, from -1 to 1: what to store"]),
    )
    lines = _draw_box(titles["neuron"], ["a weighted sum and an activation, f(Wx + b)", *lines])
    lines = _draw_box(titles["unit"], [_unit_line(spec), *lines])
    lines = _draw_box(titles["cell"], ["one timestep of all units together", *lines])
    return tuple(_draw_box(titles["layer"], [_layer_line(spec), *lines]))


def _box_titles(counts: Mapping[str, ConceptCount], spec: Spec) -> dict[str, str]:
    """For each word, how many there are in the box around it, and in all."""
    cells, units, neurons = counts["cell"], counts["unit"], counts["neuron"]
    cells_per_layer = _alternatives([len(layer.directions) for layer in spec.layers])
    units_per_cell = _alternatives([layer.units for layer in spec.layers])
    return {
        "layer": f"layer: {thousands(counts['layer'].value)}",
        "cell": f"cell: {_count_in_box(cells_per_layer, 'layer', cells.total)}",
        "unit": f"unit: {_count_in_box(units_per_cell, 'cell', units.total)}",
        "neuron": f"neuron: {_count_in_box(thousands(neurons.value // units.value), 'unit', neurons.total)}",
        "gate": f"gate: {counts['gate'].value} in each unit",
    }


def _count_in_box(each: str, outer: str, total: int) -> str:
    return each if each == thousands(total) else f"{each} in each {outer}, {thousands(total)} in all"


def _alternatives(numbers: list[int]) -> str:
    """Numbers that may differ from layer to layer: `10`, `2 or 3`, `2 to 64`."""
    low, high = min(numbers), max(numbers)
    if low == high:
        return thousands(low)
    return f"{thousands(low)} {'or' if len(set(numbers)) == 2 else 'to'} {thousands(high)}"


def _unit_line(spec: Spec) -> str:
    output = "one number" if any(layer.projection for layer in spec.layers) else "one number, h,"
    return f"a circle in a diagram: outputs {output} and keeps another, c"


def _layer_line(spec: Spec) -> str:
    return f"a cell run over {plural(spec.timesteps, 'timestep')}, with the same weights at each"


def _draw_box(title: str, lines: list[str]) -> list[str]:
    """A frame around lines, with a title in its upper border."""
    inner = max(len(title) + 3, *(len(line) + PADDING for line in lines))
    top = f"┌─ {title} {'─' * (inner - len(title) - 3)}┐"
    return [top, *(f"│ {line:<{inner - PADDING}} │" for line in lines), f"└{'─' * inner}┘"]


def _join_boxes(left: list[str], right: list[str]) -> list[str]:
    return [f"{first} {second}" for first, second in zip(left, right, strict=True)]
