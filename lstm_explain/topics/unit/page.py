"""The page of `unit`: what one unit reads, owns, keeps and outputs; and with a step, its arithmetic written out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import ACTIVATIONS, GATES, LETTERS, Gate
from lstm_explain.document.blocks import (
    Block,
    Cell,
    Column,
    Document,
    FirstThatFits,
    Heading,
    NextStep,
    Note,
    Paragraph,
    Preformatted,
    SideBySide,
    Sparkline,
    Table,
)
from lstm_explain.document.numbers import format_decimal, plural, thousands, tint, tint_scale
from lstm_explain.document.tables import elide_rows
from lstm_explain.document.text import previous_step_name, saturation_warning
from lstm_explain.topics.command_line import COMMANDS_WITH_EDITS, format_sample_command
from lstm_explain.topics.intro import closing_blocks
from lstm_explain.topics.unit.arithmetic_tables import arithmetic_blocks, difference_text, explain_indices, feature_name
from lstm_explain.topics.unit.drawing import draw_unit, list_unit, output_letter, previous_step

if TYPE_CHECKING:
    from lstm_explain.topics.unit import Unit

NEURONS = {
    Gate.INPUT: "i, the input gate",
    Gate.FORGET: "f, the forget gate",
    Gate.CANDIDATE: "g, the candidate",
    Gate.OUTPUT: "o, the output gate",
}
EXAMPLE_STEP = 4
"""The timestep that is drawn and suggested unless you choose one."""


def document(unit: Unit) -> Document:
    """Lay out one unit."""
    source = f"sample {thousands(unit.sample)}, layer {unit.layer}, {unit.direction.value}"
    t = _drawn_step(unit)
    step, units = unit.arithmetic, unit.layer_spec.units
    which = "the only one" if units == 1 else f"of 0 to {thousands(units - 1)}"
    names = ("t", previous_step_name(unit.direction)) if step is None else (str(t), str(previous_step(unit, t)))
    weights: list[Block] = [Heading("Its weights: a row for each number that it reads"), _weights(unit)]
    over_time: list[Block] = [
        Heading(f"Its gates, c and {output_letter(unit)} at every timestep"),
        _steps(unit),
        *([_sparklines(unit)] if unit.length > 1 else []),
    ]
    return (
        Heading(f"unit {unit.unit} ({which}): {source}", 1),
        Paragraph(_answer(unit)),
        *map(Note, saturation_warning(unit.gates)),
        Heading(f"Unit {unit.unit} at timestep {t}"),
        FirstThatFits(((Preformatted(draw_unit(unit, t)),), (Preformatted(list_unit(unit, t)),))),
        Note(explain_indices(unit, *names)),
        SideBySide((tuple(weights if step is None else arithmetic_blocks(unit)), tuple(over_time))),
        *closing_blocks(unit, _measurement_note(unit), _next_steps(unit)),
    )


def _drawn_step(unit: Unit) -> int:
    return min(EXAMPLE_STEP, unit.length) if unit.arithmetic is None else unit.arithmetic.t


def _answer(unit: Unit) -> str:
    before, spec = previous_step_name(unit.direction), unit.layer_spec
    if spec.projection is not None:
        h = f"the {plural(unit.hidden, 'number')} of h_{{{before}}}, mixed from the outputs of all units"
    elif spec.units == 1:
        h = f"its own output h_{{{before}}}"
    else:
        h = f"the outputs h_{{{before}}} of all {thousands(spec.units)} units, its own among them"
    outputs = "h" if spec.projection is None else "m = o × tanh(c), which the projection mixes into h"
    reads = f"{plural(unit.reads, 'number')}: {plural(unit.features, 'feature')} of x_t and {h}"
    return (
        f"At every timestep unit {unit.unit} reads {reads}. It outputs one number, {outputs}, and keeps one, c. It owns "
        f"{thousands(unit.parameters)} parameters that no other unit uses."
    )


def _measurement_note(unit: Unit) -> str:
    if unit.arithmetic is not None:
        return difference_text(unit, unit.arithmetic)
    return "The weights are those of the layer, and all other numbers are from a run of this sample that just happened."


def _next_steps(unit: Unit) -> list[NextStep]:
    t, chosen = _drawn_step(unit), unit.unit or None
    topics = ("unit" if unit.arithmetic is None else "equations", "influence", "trace")
    if unit.arithmetic is None:
        command = format_sample_command("unit", unit, unit=chosen, step=t)
        first = NextStep(command, f"every product of timestep {t}")
    else:
        command = format_sample_command("equations", unit, numbers=True, unit=chosen, step=t)
        first = NextStep(command, "the same numbers in the equations")
    steps = [
        first,
        NextStep(format_sample_command("influence", unit, unit=chosen), "which units notice a change of this unit"),
        NextStep(format_sample_command("trace", unit), "c and h of all units"),
    ]
    is_edited = bool(unit.source.get("edits"))  # only some commands take numbers set by hand
    return [step for step, topic in zip(steps, topics, strict=True) if not is_edited or topic in COMMANDS_WITH_EDITS]


def _weights(unit: Unit) -> Table:
    before = f"{{{previous_step_name(unit.direction)}}}"
    neurons = [unit.neurons[gate] for gate in GATES]
    rows = [
        (feature_name(unit, "t", index), [float(neuron.kernel[index]) for neuron in neurons]) for index in range(unit.features)
    ]
    rows += [
        (f"h_{before}[{index}]", [float(neuron.recurrent_kernel[index]) for neuron in neurons]) for index in range(unit.hidden)
    ]
    cells = [
        (Cell(label, strong=True), *(Cell(format_decimal(w, 4), tint=tint(w, 1.0)) for w in values)) for label, values in rows
    ]
    cells = list(elide_rows(cells))
    peepholes = [neuron.peephole for neuron in neurons]
    if peepholes[0] is not None:
        weights = (Cell("") if w is None else Cell(format_decimal(float(w), 4), tint=tint(float(w), 1.0)) for w in peepholes)
        cells.append((Cell("own c (peephole)", strong=True), *weights))
    biases = [neuron.bias for neuron in neurons if neuron.bias is not None]
    if biases:
        cells.append(
            (Cell("+ bias", strong=True), *(Cell(format_decimal(b, 4), tint=tint(b, 1.0)) for b in map(float, biases)))
        )
    titles = tuple(Column(LETTERS[gate], "right") for gate in GATES)
    return Table((Column("reads"), *titles), tuple(cells))


def _steps(unit: Unit) -> Table:
    arrays = [*(unit.gates[gate] for gate in GATES), unit.cell, unit.output]
    is_gate = [*(ACTIVATIONS[gate] == "sigmoid" for gate in GATES), False, False]
    rows = [
        (
            Cell(str(t), strong=True),
            *(
                Cell(format_decimal(value, 4), tint=tint(value, 1.0), gate=gate)
                for value, gate in zip(values, is_gate, strict=True)
            ),
        )
        for t, values in enumerate(zip(*(array.tolist() for array in arrays), strict=True), start=1)
    ]
    titles = [*(LETTERS[gate] for gate in GATES), "c", output_letter(unit)]
    return Table((Column("t", "right"), *(Column(title, "right") for title in titles)), elide_rows(rows))


def _sparklines(unit: Unit) -> Table:
    rows = []
    for name, values in (("c", unit.cell.tolist()), (output_letter(unit), unit.output.tolist())):
        scale = tint_scale(values)
        sparkline = Sparkline(tuple(values), scale, axis=None if name == "c" else (1, len(values)))
        rows.append((Cell(name, strong=True), sparkline, Cell(f"from -{scale:.2f} to {scale:.2f}")))
    return Table((Column(""), Column(""), Column("")), tuple(rows), ruled=False)
