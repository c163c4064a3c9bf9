"""unit, in words and tables: what one unit owns, reads and emits; and with a step, its arithmetic written out."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES, LETTERS, Direction, Gate
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Sparkline, Table
from lstm_explain.document.numbers import format_decimal, format_difference, plural, thousands, tint
from lstm_explain.document.tables import MAX_ROWS, elide_rows, visible_ends
from lstm_explain.document.text import previous_step_name, saturation_warning
from lstm_explain.topics.intro import feature_names, lstm_summary

if TYPE_CHECKING:
    from lstm_explain.topics.unit import Arithmetic, GateSum, Term, Unit

PLACES = 6  # decimals in arithmetic: enough that the shown numbers add up to the shown sum within their own rounding
NEURONS = {
    Gate.INPUT: "i, the input gate",
    Gate.FORGET: "f, the forget gate",
    Gate.CANDIDATE: "g, the candidate",
    Gate.OUTPUT: "o, the output gate",
}


def document(unit: Unit) -> Document:
    """Lay out one unit."""
    where = f"sample {thousands(unit.sample)}, layer {unit.layer}, {unit.direction.value}"
    blocks: list[Block] = [
        Heading(f"unit {unit.unit} (of 0 to {thousands(unit.layer_spec.units - 1)}): {where}", 1),
        Paragraph(lstm_summary(unit)),
        Paragraph(_share(unit)),
        *map(Note, saturation_warning(unit.gates)),
        Heading("The weights it owns, by gate"),
        _weights(unit),
        Heading("Its two scalars, h and c, and its gates at every timestep"),
        _steps(unit),
        _course(unit),
    ]
    if unit.arithmetic is None:
        blocks.append(Note(f"Add --step {min(4, unit.length)} to see the arithmetic of a timestep written out."))
    else:
        blocks += arithmetic(unit)
    return tuple(blocks)


def _share(unit: Unit) -> str:
    before = previous_step_name(unit.direction)
    h = "of all units, its own among them" if unit.layer_spec.projection is None else "mixed from all units by the projection"
    emits = "h and c" if unit.layer_spec.projection is None else "m = o tanh(c), which the projection mixes into h, and c"
    return (
        f"At every timestep it reads {unit.features + unit.hidden} numbers: {plural(unit.features, 'feature')} of x_t and "
        f"{thousands(unit.hidden)} of h_{{{before}}}, {h}. It owns {thousands(unit.parameters)} parameters that no "
        "other unit uses, "
        f"and emits two scalars: {emits}."
    )


def _weights(unit: Unit) -> Table:
    before = f"{{{previous_step_name(unit.direction)}}}"
    neurons = [unit.neurons[gate] for gate in GATES]
    rows = [(_feature(unit, "t", place), [float(one.kernel[place]) for one in neurons]) for place in range(unit.features)]
    rows += [(f"h_{before}[{place}]", [float(one.recurrent_kernel[place]) for one in neurons]) for place in range(unit.hidden)]
    biases = [unit.neurons[gate].bias for gate in GATES]
    rows += [("bias", [float(bias) for bias in biases if bias is not None])] if biases[0] is not None else []
    table = [
        (Cell(label, strong=True), *(Cell(format_decimal(w, 4), tint=tint(w, 1.0)) for w in values)) for label, values in rows
    ]
    if unit.neurons[Gate.INPUT].peephole is not None:
        peepholes = [unit.neurons[gate].peephole for gate in GATES]
        cells = (Cell("") if p is None else Cell(format_decimal(float(p), 4), tint=tint(float(p), 1.0)) for p in peepholes)
        table.append((Cell("own c (peephole)", strong=True), *cells))
    titles = tuple(Column(LETTERS[gate], "right") for gate in GATES)
    return Table((Column("reads"), *titles), elide_rows(table))


def _steps(unit: Unit) -> Table:
    emitted = "h" if unit.layer_spec.projection is None else "m"
    arrays = [*(unit.gates[gate] for gate in GATES), unit.cell, unit.output]
    rows = [
        (Cell(str(t), strong=True), *(Cell(format_decimal(value, 4), tint=tint(value, 1.0)) for value in values))
        for t, values in enumerate(zip(*(array.tolist() for array in arrays), strict=True), start=1)
    ]
    titles = [*(LETTERS[gate] for gate in GATES), "c", emitted]
    return Table((Column("t", "right"), *(Column(title, "right") for title in titles)), elide_rows(rows))


def _course(unit: Unit) -> Table:
    emitted = "h" if unit.layer_spec.projection is None else "m"
    rows = []
    for name, values in ((emitted, unit.output.tolist()), ("c", unit.cell.tolist())):
        scale = max([0.0, *(abs(value) for value in values if isfinite(value))])
        rows.append((Cell(name, strong=True), Sparkline(tuple(values), scale), Cell(f"from -{scale:.2f} to {scale:.2f}")))
    return Table((Column(""), Column("course"), Column("")), tuple(rows), ruled=False)


def arithmetic(unit: Unit) -> list[Block]:
    """The chosen timestep, written out."""
    step = unit.arithmetic
    if step is None:
        return []
    blocks: list[Block] = [
        Heading(f"Timestep {step.t}, written out"),
        Paragraph("Each neuron multiplies what it reads with its weights, adds up, and squashes the sum."),
    ]
    for gate in GATES:
        blocks += [Heading(f"{NEURONS[gate]} = {step.gates[gate].activation}(sum)", 3), _sum(unit, step, step.gates[gate])]
    blocks += [Heading("Then its memory and its output", 3), _states(unit, step)]
    recorded = {"c": step.cell_recorded, "h": step.hidden_recorded}
    blocks += [Note(f"After that, {letter}_{step.t} was set by hand to {recorded[letter]:g}.") for letter in step.set_after]
    blocks.append(
        Note(
            "Worked in float64 from the run's own numbers. The largest difference from what the run "
            f"recorded in {unit.spec.dtype}: {format_difference(step.difference)}."
        )
    )
    return blocks


def _sum(unit: Unit, step: Arithmetic, one: GateSum) -> Table:
    rows = [_term(unit, step.t, term) for term in one.terms]
    front, back = visible_ends(rows, MAX_ROWS)
    if back:
        between = one.terms[front:-back]
        together = sum(term.product for term in between)
        rows[front:-back] = [(Cell(f"{thousands(len(between))} more"), Cell("⋮"), Cell("⋮"), _number(together))]
    letter = LETTERS[one.gate]
    rows.append((Cell("sum", strong=True), Cell(""), Cell(""), _number(one.total, strong=True)))
    result = f"{letter} = {one.activation}(sum)"
    rows.append((Cell(result, strong=not one.held), Cell(""), Cell(""), _number(one.activated, strong=not one.held)))
    if one.held:
        rows.append((Cell(f"{letter}, held by hand", strong=True), Cell(""), Cell(""), _number(one.value, strong=True)))
    columns = (Column("reads"), Column("value", "right"), Column("× weight", "right"), Column("= product", "right"))
    return Table(columns, tuple(rows))


def _before(unit: Unit, t: int) -> int:
    """The timestep whose states a timestep starts from."""
    return t - 1 if unit.direction is Direction.FORWARD else t + 1


def _term(unit: Unit, t: int, term: Term) -> tuple[Cell, ...]:
    names = {"h": f"h_{_before(unit, t)}[{term.place}]", "c": "own c (peephole)", "bias": "bias"}
    name = _feature(unit, str(t), term.place or 0) if term.source == "x" else names[term.source]
    return (Cell(name), _number(term.value), _number(term.weight), _number(term.product))


def _feature(unit: Unit, t: str, place: int) -> str:
    """What a neuron reads of x_t, with the name that the column of the file has."""
    return feature_names(unit, t)[place] if unit.layer == 0 else f"x_{t}[{place}]"


def _number(value: float, strong: bool = False) -> Cell:
    return Cell(format_decimal(value, PLACES), strong=strong)


def _states(unit: Unit, step: Arithmetic) -> Table:
    f, i, g, o = (step.gates[gate].value for gate in (Gate.FORGET, Gate.INPUT, Gate.CANDIDATE, Gate.OUTPUT))
    emitted = "h" if unit.layer_spec.projection is None else "m"
    rows = (
        (f"f × c_{_before(unit, step.t)}", f"{_plain(f)} × {_plain(step.cell_before)}", step.kept),
        ("i × g", f"{_plain(i)} × {_plain(g)}", step.added),
        (f"c_{step.t}", f"{_plain(step.kept)} + {_plain(step.added)}", step.cell),
        (f"{emitted}_{step.t}", f"o × tanh(c_{step.t}) = {_plain(o)} × {_plain(step.tanh_cell)}", step.hidden),
    )
    columns = (Column(""), Column("", "right"), Column("", "right"))
    cells = tuple((Cell(name, strong=True), Cell(text), _number(value, strong=True)) for name, text, value in rows)
    return Table(columns, cells, ruled=False)


def _plain(value: float) -> str:
    return format_decimal(value, PLACES).strip()
