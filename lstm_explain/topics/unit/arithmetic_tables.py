"""The arithmetic of one timestep of one unit: its products and sums in one table, then c and h."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES, LETTERS, PEEPHOLE_GATES, Gate
from lstm_explain.document.blocks import Block, Cell, Column, FirstThatFits, Heading, Note, Paragraph, Table
from lstm_explain.document.numbers import format_decimal, format_difference, thousands, tint, tint_scale
from lstm_explain.document.tables import MAX_ROWS, visible_ends
from lstm_explain.topics.intro import feature_names
from lstm_explain.topics.unit.drawing import output_letter, previous_step

if TYPE_CHECKING:
    from lstm_explain.document.tables import Row
    from lstm_explain.topics.unit import Arithmetic, Term, Unit

PLACES = 6
"""Decimals: enough that the shown numbers add up to the shown sum within their own rounding."""
NARROW_PLACES = 4
"""Decimals where six do not fit the page."""


def arithmetic_blocks(unit: Unit) -> list[Block]:
    """Write the chosen timestep out."""
    step = unit.arithmetic
    if step is None:
        return []
    return [
        Heading(f"Timestep {step.t}, written out: four sums of products"),
        Paragraph(_explanation(step)),
        FirstThatFits(((_product_table(unit, step, PLACES),), (_product_table(unit, step, NARROW_PLACES),))),
        Heading(f"What it keeps and what it outputs: c_{step.t} and {output_letter(unit)}_{step.t}"),
        _state_table(unit, step),
        *_hand_set_notes(step),
    ]


def difference_text(unit: Unit, step: Arithmetic) -> str:
    """Say how far the arithmetic is from the run."""
    return (
        "Worked in float64 from the run's own numbers. The largest difference from what the run "
        f"recorded in {unit.spec.dtype}: {format_difference(step.difference)}."
    )


def explain_indices(unit: Unit, t: str, before: str) -> str:
    """Say what the names of the numbers that the unit reads mean: h_3[7] and x_4[0]."""
    index = min(unit.unit, unit.hidden - 1)
    projected = unit.layer_spec.projection is not None
    owner = "number of h" if projected else "unit"
    subscript = before if before.isdigit() else f"{{{before}}}"
    meaning = f"number {index} of h" if projected else f"the output h of unit {index}"
    if before.isdigit() and not 1 <= int(before) <= unit.length:
        meaning = f"number {index} of the initial h" if projected else f"the initial h of unit {index}"
    else:
        meaning += f" at timestep {before}"
    return (
        f"h_{subscript}[{index}] is {meaning}, x_{t}[0] is feature 0 of timestep {t}: the subscript is the timestep, the "
        f"bracket the {owner} or the feature."
    )


def feature_name(unit: Unit, t: str, index: int) -> str:
    """What a neuron reads of x_t, with the name that the column of the file has."""
    return feature_names(unit, t)[index] if unit.layer == 0 else f"x_{t}[{index}]"


def _explanation(step: Arithmetic) -> str:
    columns = [", ".join(f"{sign} {letter}" for letter in LETTERS.values()) for sign in "×="]
    bias = " and the bias" if any(term.source == "bias" for term in step.input_gate.terms) else ""
    return (
        f"Each value is multiplied by a weight of each neuron ({columns[0]}). A neuron adds up its products ({columns[1]})"
        f"{bias}, and squashes the sum."
    )


def _product_table(unit: Unit, step: Arithmetic, places: int) -> Table:
    """A row for each number that is read, with its weight and its product in each of the four neurons; then the sums."""
    terms = list(zip(*(_weighted_terms(step, gate) for gate in GATES), strict=True))
    products = [[term.product for term in row] for row in terms]
    scale = tint_scale(product for row in products for product in row)
    rows: list[Row] = [
        (
            Cell(_term_name(unit, step.t, row[0])),
            _number(row[0].value, places),
            *(_number(term.weight, places) for term in row),
            *_product_cells(values, scale, places),
        )
        for row, values in zip(terms, products, strict=True)
    ]
    front, back = visible_ends(rows, MAX_ROWS)
    if back:
        totals = [sum(values) for values in zip(*products[front:-back], strict=True)]
        dots = (Cell("⋮"),) * (1 + len(GATES))
        rows[front:-back] = [
            (Cell(f"{thousands(len(rows) - front - back)} more"), *dots, *_product_cells(totals, scale, places))
        ]
    rows += [*_peephole_rows(unit, step, scale, places), *_bias_row(step, scale, places), *_result_rows(step, places)]
    titles = ["value", *(f"× {letter}" for letter in LETTERS.values()), *(f"= {letter}" for letter in LETTERS.values())]
    return Table((Column("reads"), *(Column(title, "right") for title in titles)), tuple(rows))


def _weighted_terms(step: Arithmetic, gate: Gate) -> list[Term]:
    """The terms that all neurons share: what is read of x and h."""
    return [term for term in step.gates[gate].terms if term.source in ("x", "h")]


def _term_name(unit: Unit, t: int, term: Term) -> str:
    if term.source == "x":
        return feature_name(unit, str(t), term.position or 0)
    return f"h_{previous_step(unit, t)}[{term.position}]"


def _peephole_rows(unit: Unit, step: Arithmetic, scale: float, places: int) -> list[Row]:
    """Rows for the unit's own cell state: i and f read the previous one, o reads the new one."""
    terms = {gate: term for gate in PEEPHOLE_GATES for term in step.gates[gate].terms if term.source == "c"}
    if not terms:
        return []
    rows = []
    for t, gates in ((previous_step(unit, step.t), (Gate.INPUT, Gate.FORGET)), (step.t, (Gate.OUTPUT,))):
        read = [terms[gate] if gate in gates else None for gate in GATES]
        weights = (Cell("") if term is None else _number(term.weight, places) for term in read)
        products = _product_cells([None if term is None else term.product for term in read], scale, places)
        rows.append((Cell(f"c_{t}[{unit.unit}]"), _number(terms[gates[0]].value, places), *weights, *products))
    return rows


def _bias_row(step: Arithmetic, scale: float, places: int) -> list[Row]:
    biases = [term.weight for gate in GATES for term in step.gates[gate].terms if term.source == "bias"]
    if not biases:
        return []
    return [(Cell("+ bias"), *(Cell(""),) * (1 + len(GATES)), *_product_cells(biases, scale, places))]


def _result_rows(step: Arithmetic, places: int) -> list[Row]:
    blank = (Cell(""),) * (1 + len(GATES))
    sums = [step.gates[gate] for gate in GATES]
    rows: list[Row] = [
        (Cell("sum", strong=True), *blank, *(_number(gate_sum.total, places, strong=True) for gate_sum in sums)),
        (Cell("through"), *blank, *(Cell(gate_sum.activation) for gate_sum in sums)),
        (
            Cell("result", strong=True),
            *blank,
            *(_number(gate_sum.activated, places, strong=not gate_sum.held) for gate_sum in sums),
        ),
    ]
    if any(gate_sum.held for gate_sum in sums):
        held = (_number(gate_sum.value, places, strong=True) if gate_sum.held else Cell("") for gate_sum in sums)
        rows.append((Cell("by hand", strong=True), *blank, *held))
    return rows


def _product_cells(values: list[float] | list[float | None], scale: float, places: int) -> list[Cell]:
    return [Cell("") if value is None else Cell(format_decimal(value, places), tint=tint(value, scale)) for value in values]


def _number(value: float, places: int, strong: bool = False) -> Cell:
    return Cell(format_decimal(value, places), strong=strong)


def _state_table(unit: Unit, step: Arithmetic) -> Table:
    f, i, g, o = (step.gates[gate].value for gate in (Gate.FORGET, Gate.INPUT, Gate.CANDIDATE, Gate.OUTPUT))
    letter = output_letter(unit)
    rows = (
        (
            f"f × c_{previous_step(unit, step.t)}",
            f"{_decimal(f)} × {_decimal(step.cell_before)}",
            step.kept,
            "left of its memory",
        ),
        ("i × g", f"{_decimal(i)} × {_decimal(g)}", step.added, "newly written"),
        (f"c_{step.t}", f"{_decimal(step.kept)} + {_decimal(step.added)}", step.cell, "its memory, kept"),
        (
            f"{letter}_{step.t}",
            f"o × tanh(c_{step.t}) = {_decimal(o)} × {_decimal(step.tanh_cell)}",
            step.hidden,
            "its output",
        ),
    )
    columns = (Column(""), Column("", "right"), Column("", "right"), Column(""))
    cells = tuple(
        (Cell(name, strong=True), Cell(text), _number(value, PLACES, strong=True), Cell(meaning))
        for name, text, value, meaning in rows
    )
    return Table(columns, cells, ruled=False)


def _hand_set_notes(step: Arithmetic) -> list[Note]:
    recorded = {"c": step.cell_recorded, "h": step.hidden_recorded}
    return [Note(f"After that, {letter}_{step.t} was set by hand to {recorded[letter]:g}.") for letter in step.set_after]


def _decimal(value: float) -> str:
    return format_decimal(value, PLACES).strip()
