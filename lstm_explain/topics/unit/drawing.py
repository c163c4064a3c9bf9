"""A drawing of one unit at one timestep: what it reads, its four neurons, the number that it keeps and the one it outputs."""

from __future__ import annotations

from math import isclose, tanh
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.gates import GATES, LETTERS, Direction
from lstm_explain.document.numbers import format_decimal, plural

if TYPE_CHECKING:
    from lstm_explain.topics.unit import Unit

PLACES = 4
TOLERANCE = 1e-4
"""How far c and h may be from what the gates make of them, unless they were set by hand."""


class UnitTexts(NamedTuple):
    """What is written in a drawing of a unit."""

    inputs: tuple[str, ...]
    neurons: tuple[str, ...]
    cell_before: str
    cell: str
    output: str


def draw_unit(unit: Unit, t: int) -> tuple[str, ...]:
    """Draw the unit at timestep t from left to right."""
    texts = _unit_texts(unit, t)
    left, middle = max(map(len, texts.inputs)), max(map(len, texts.neurons))
    sources = [*texts.inputs, *[""] * (len(GATES) - len(texts.inputs))]
    into = {1: ("──► ",), 2: ("─┐  ", "─┴► "), 3: ("─┐  ", "─┼► ", "─┘  ")}[len(texts.inputs)]
    into += ("    ",) * (len(GATES) - len(into))
    out = ("─┐  ", "─┼► ", "─┤  ", "─┘  ")
    states = (texts.cell_before, texts.cell, texts.output, "")
    titles = f"{'reads':{left + 5}}{'4 neurons':{middle + 5}}keeps c, outputs {output_letter(unit)}"
    rows = zip(sources, into, texts.neurons, out, states, strict=True)
    lines = (f"{source:{left}} {arrow}{neuron:{middle}} {end}{state}" for source, arrow, neuron, end, state in rows)
    return (titles, *(line.rstrip() for line in lines))


def list_unit(unit: Unit, t: int) -> tuple[str, ...]:
    """Write the same from top to bottom, for a narrow page."""
    texts = _unit_texts(unit, t)
    groups = {"reads": texts.inputs, "neurons": texts.neurons, "keeps": (texts.cell,), "outputs": (texts.output,)}
    return tuple(f"{'' if row else name:9}{text}" for name, group in groups.items() for row, text in enumerate(group))


def output_letter(unit: Unit) -> str:
    """h, or with a projection m, which the projection mixes into h."""
    return "h" if unit.layer_spec.projection is None else "m"


def previous_step(unit: Unit, t: int) -> int:
    """The timestep that the direction reads before t."""
    return t - 1 if unit.direction is Direction.FORWARD else t + 1


def _unit_texts(unit: Unit, t: int) -> UnitTexts:
    before, letter = previous_step(unit, t), output_letter(unit)
    i, f, g, o = (float(unit.gates[gate][t - 1]) for gate in GATES)
    cell_before = _cell_before(unit, t)
    cell = f * cell_before + i * g
    of_units = "output" if unit.layer_spec.projection is None else "number"
    inputs = [f"x_{t}: {plural(unit.features, 'feature')}", f"h_{before}: {plural(unit.hidden, of_units)}"]
    inputs += [f"c_{before}: its own"] if unit.layer_spec.peepholes else []
    is_cell_set = _is_set(unit, cell, float(unit.cell[t - 1]))
    is_output_set = _is_set(unit, o * tanh(cell), float(unit.output[t - 1]))
    formulas = f"f × c_{before} + i × g", f"o × tanh(c_{t})"
    width = max(map(len, formulas))
    cell_text = f"c_{t} = {formulas[0]:{width}} = {_number(float(unit.cell[t - 1]))}"
    output_text = f"{letter}_{t} = {formulas[1]:{width}} = {_number(float(unit.output[t - 1]))}"
    if is_cell_set:
        cell_text = f"c_{t} = {_number(float(unit.cell[t - 1]))}, set by hand"
        output_text = f"{letter}_{t} = {_number(float(unit.output[t - 1]))}, made before that"
    if is_output_set:
        output_text = f"{letter}_{t} = {_number(float(unit.output[t - 1]))}, set by hand"
    return UnitTexts(
        tuple(inputs),
        tuple(
            f"{LETTERS[gate]} = {_number(value)} {gate.value.removesuffix('_gate')}"
            for gate, value in zip(GATES, (i, f, g, o), strict=True)
        ),
        f"c_{before} = {_number(cell_before)}",
        cell_text,
        output_text,
    )


def _cell_before(unit: Unit, t: int) -> float:
    before = previous_step(unit, t)
    return float(unit.cell[before - 1] if 1 <= before <= unit.length else unit.initial_cell)


def _is_set(unit: Unit, computed: float, recorded: float) -> bool:
    return bool(unit.source.get("edits")) and not isclose(computed, recorded, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _number(value: float) -> str:
    return format_decimal(value, PLACES)
