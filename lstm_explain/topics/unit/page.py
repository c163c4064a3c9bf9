"""unit, in words and tables: what one unit owns, reads and outputs; and with a step, its arithmetic written out."""

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
    source = f"sample {thousands(unit.sample)}, layer {unit.layer}, {unit.direction.value}"
    blocks: list[Block] = [
        Heading(f"unit {unit.unit} (of 0 to {thousands(unit.layer_spec.units - 1)}): {source}", 1),
        Paragraph(lstm_summary(unit)),
        Paragraph(_summary(unit)),
        *map(Note, saturation_warning(unit.gates)),
        Heading("The weights it owns, by gate"),
        _weights(unit),
        Heading("Its two scalars, h and c, and its gates at every timestep"),
        _steps(unit),
        _sparklines(unit),
    ]
    if unit.arithmetic is None:
        blocks.append(Note(f"Add --step {min(4, unit.length)} to see the arithmetic of a timestep written out."))
    else:
        blocks += arithmetic(unit)
    return tuple(blocks)


def _summary(unit: Unit) -> str:
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
    rows = [
        (_feature(unit, "t", index), [float(neuron.kernel[index]) for neuron in neurons]) for index in range(unit.features)
    ]
    rows += [
        (f"h_{before}[{index}]", [float(neuron.recurrent_kernel[index]) for neuron in neurons]) for index in range(unit.hidden)
    ]
    biases = [neuron.bias for neuron in neurons]
    rows += [("bias", [float(bias) for bias in biases if bias is not None])] if biases[0] is not None else []
    cells = [
        (Cell(label, strong=True), *(Cell(format_decimal(w, 4), tint=tint(w, 1.0)) for w in values)) for label, values in rows
    ]
    peepholes = [neuron.peephole for neuron in neurons]
    if peepholes[0] is not None:
        weights = (Cell("") if w is None else Cell(format_decimal(float(w), 4), tint=tint(float(w), 1.0)) for w in peepholes)
        cells.append((Cell("own c (peephole)", strong=True), *weights))
    titles = tuple(Column(LETTERS[gate], "right") for gate in GATES)
    return Table((Column("reads"), *titles), elide_rows(cells))


def _steps(unit: Unit) -> Table:
    arrays = [*(unit.gates[gate] for gate in GATES), unit.cell, unit.output]
    rows = [
        (Cell(str(t), strong=True), *(Cell(format_decimal(value, 4), tint=tint(value, 1.0)) for value in values))
        for t, values in enumerate(zip(*(array.tolist() for array in arrays), strict=True), start=1)
    ]
    titles = [*(LETTERS[gate] for gate in GATES), "c", _output_letter(unit)]
    return Table((Column("t", "right"), *(Column(title, "right") for title in titles)), elide_rows(rows))


def _sparklines(unit: Unit) -> Table:
    rows = []
    for name, values in ((_output_letter(unit), unit.output.tolist()), ("c", unit.cell.tolist())):
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
        gate_sum = step.gates[gate]
        blocks += [Heading(f"{NEURONS[gate]} = {gate_sum.activation}(sum)", 3), _sum_table(unit, step.t, gate_sum)]
    blocks += [Heading("Then its memory and its output", 3), _state_table(unit, step)]
    recorded = {"c": step.cell_recorded, "h": step.hidden_recorded}
    blocks += [Note(f"After that, {letter}_{step.t} was set by hand to {recorded[letter]:g}.") for letter in step.set_after]
    blocks.append(
        Note(
            "Worked in float64 from the run's own numbers. The largest difference from what the run "
            f"recorded in {unit.spec.dtype}: {format_difference(step.difference)}."
        )
    )
    return blocks


def _sum_table(unit: Unit, t: int, gate_sum: GateSum) -> Table:
    rows = [_term_row(unit, t, term) for term in gate_sum.terms]
    front, back = visible_ends(rows, MAX_ROWS)
    if back:
        elided = gate_sum.terms[front:-back]
        total = sum(term.product for term in elided)
        rows[front:-back] = [(Cell(f"{thousands(len(elided))} more"), Cell("⋮"), Cell("⋮"), _number(total))]
    letter, held = LETTERS[gate_sum.gate], gate_sum.held
    results = [("sum", gate_sum.total, True), (f"{letter} = {gate_sum.activation}(sum)", gate_sum.activated, not held)]
    results += [(f"{letter}, held by hand", gate_sum.value, True)] if held else []
    rows += [(Cell(label, strong=strong), Cell(""), Cell(""), _number(value, strong)) for label, value, strong in results]
    columns = (Column("reads"), Column("value", "right"), Column("× weight", "right"), Column("= product", "right"))
    return Table(columns, tuple(rows))


def _output_letter(unit: Unit) -> str:
    """h, or with a projection m, which the projection mixes into h."""
    return "h" if unit.layer_spec.projection is None else "m"


def _previous_step(unit: Unit, t: int) -> int:
    """The timestep that the direction reads before t."""
    return t - 1 if unit.direction is Direction.FORWARD else t + 1


def _term_row(unit: Unit, t: int, term: Term) -> tuple[Cell, ...]:
    names = {"h": f"h_{_previous_step(unit, t)}[{term.position}]", "c": "own c (peephole)", "bias": "bias"}
    name = _feature(unit, str(t), term.position or 0) if term.source == "x" else names[term.source]
    return (Cell(name), _number(term.value), _number(term.weight), _number(term.product))


def _feature(unit: Unit, t: str, index: int) -> str:
    """What a neuron reads of x_t, with the name that the column of the file has."""
    return feature_names(unit, t)[index] if unit.layer == 0 else f"x_{t}[{index}]"


def _number(value: float, strong: bool = False) -> Cell:
    return Cell(format_decimal(value, PLACES), strong=strong)


def _state_table(unit: Unit, step: Arithmetic) -> Table:
    f, i, g, o = (step.gates[gate].value for gate in (Gate.FORGET, Gate.INPUT, Gate.CANDIDATE, Gate.OUTPUT))
    letter = _output_letter(unit)
    rows = (
        (f"f × c_{_previous_step(unit, step.t)}", f"{_decimal(f)} × {_decimal(step.cell_before)}", step.kept),
        ("i × g", f"{_decimal(i)} × {_decimal(g)}", step.added),
        (f"c_{step.t}", f"{_decimal(step.kept)} + {_decimal(step.added)}", step.cell),
        (f"{letter}_{step.t}", f"o × tanh(c_{step.t}) = {_decimal(o)} × {_decimal(step.tanh_cell)}", step.hidden),
    )
    columns = (Column(""), Column("", "right"), Column("", "right"))
    cells = tuple((Cell(name, strong=True), Cell(text), _number(value, strong=True)) for name, text, value in rows)
    return Table(columns, cells, ruled=False)


def _decimal(value: float) -> str:
    return format_decimal(value, PLACES).strip()
