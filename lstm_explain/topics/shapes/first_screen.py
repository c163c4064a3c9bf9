"""What `shapes` shows first, within a screen: the circles, one unit opened, the questions everyone asks with their answers,
and the shapes from end to end. `page.py` has the full tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction
from lstm_explain.document.blocks import (
    BlankLine,
    Block,
    Cell,
    Column,
    Document,
    FirstThatFits,
    Heading,
    NextStep,
    NextSteps,
    Note,
    Paragraph,
    Preformatted,
    SideBySide,
    Table,
)
from lstm_explain.document.numbers import plural, thousands
from lstm_explain.document.tables import elide_middle
from lstm_explain.document.text import format_sizes, join_words
from lstm_explain.topics.command_line import PROGRAM, format_command
from lstm_explain.topics.intro import computed_note, model_remarks, summarize_origin
from lstm_explain.topics.shapes.diagram import draw_circles, draw_layer, draw_stack

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.shapes import Shapes

MAX_LISTED_LAYERS = 4
NARROW_WIDTH = 36
"""How many columns the circles take where the drawing does not fit."""
MAX_STATE_ROWS = 3
"""How many lines of last states there are, two states in each."""


def first_screen(shapes: Shapes) -> Document:
    """Lay out the answers that fit on one screen."""
    spec = shapes.spec
    if len(spec.layer_directions) == 1:
        picture: list[Block] = [SideBySide((_layer_diagram(spec), _unit_diagram(shapes)))]
    else:
        picture = [*_stack_diagram(spec), BlankLine(), *_last_states(shapes)]
    return (
        Heading(_title(shapes), 1),
        BlankLine(),
        *picture,
        BlankLine(),
        _answers(shapes),
        BlankLine(),
        Paragraph(_shapes_line(shapes)),
        _next_steps(shapes),
        Note(_provenance(shapes)),
    )


def _provenance(shapes: Shapes) -> str:
    if not shapes.measured:
        return computed_note("These shapes", shapes.max_memory)
    weights = shapes.source["weights"]
    remarks = model_remarks(weights) if weights["kind"] == "model" else []
    return " ".join([f"Read off a run: {summarize_origin(shapes.source)}, {shapes.spec.dtype}.", *remarks])


def _title(shapes: Shapes) -> str:
    spec = shapes.spec
    weights = shapes.source["weights"]
    reads = plural(spec.features, "feature")
    if weights["kind"] != "model":  # whose title names the file, and the samples are only ours
        reads = f"{plural(spec.samples, 'sample')} of {plural(spec.timesteps, 'timestep')} of {reads}"
    count = len(spec.layers)
    if count == 1:
        subject, verb = f"A layer of {_units_text(spec, 0)}", "reads"
    elif spec.layers_differ:
        units = join_words(elide_middle([thousands(layer.units) for layer in spec.layers], MAX_LISTED_LAYERS, "..."))
        subject, verb = f"{thousands(count)} layers of {units} units", "read"
    else:
        subject, verb = f"{thousands(count)} layers of {_units_text(spec, 0)}", "read"
    name = f"{weights['layer']} in {weights['file']}: " if weights["kind"] == "model" else ""
    return f"{name}{subject if not name else subject[0].lower() + subject[1:]} {verb} {reads}."


def _units_text(spec: Spec, layer: int) -> str:
    """10 units, or 2 × 10 units in two directions."""
    units = plural(spec.for_layer(layer).units, "unit")
    return f"2 × {units}" if spec.for_layer(layer).bidirectional else units


# --- the pictures -----------------------------------------------------------------------------------------------------


def _layer_diagram(spec: Spec) -> Document:
    narrow = Preformatted((draw_circles(spec.units, NARROW_WIDTH).text,))
    return (FirstThatFits(((Preformatted(tuple(draw_layer(spec))),), (narrow,))),)


def _stack_diagram(spec: Spec) -> Document:
    rows = (draw_circles(spec.for_layer(layer).units, NARROW_WIDTH).text for layer in (len(spec.layers) - 1, 0))
    narrow = Preformatted(tuple(dict.fromkeys(rows)))
    return (FirstThatFits(((Preformatted(tuple(draw_stack(spec))),), (narrow,))),)


def _unit_diagram(shapes: Shapes) -> Document:
    """One unit of layer 0: what it reads, its neurons, and its two numbers."""
    unit, spec = shapes.unit, shapes.spec.for_layer(0)
    reads = f"{plural(unit.reads, 'number')} ─► "
    own = "and its own c" if spec.peepholes else ""
    neurons, parameters = "4 neurons i f g o ─► ", f"({plural(unit.parameters, 'parameter')})"
    output = "h_t = o × tanh(c_t)  output, 1 number" if spec.projection is None else "m_t = o × tanh(c_t)  mixed into h_t"
    lines = (
        f" {reads}{neurons}c_t = f × c_{{t-1}} + i × g  kept",
        f" {own:{len(reads)}}{parameters:{len(neurons)}}{output}",
    )
    numbers = " ".join(filter(None, (plural(unit.reads, "number"), own)))
    text = f"{numbers} ─► 4 neurons ─► c_t = f × c_{{t-1}} + i × g, kept; {output}"
    return (Heading("One unit, opened"), FirstThatFits(((Preformatted(lines),), (Paragraph(text),))))


def _last_states(shapes: Shapes) -> list[Block]:
    """Which last state is where: h_n as PyTorch and ONNX stack it, unless the layers differ."""
    spec = shapes.spec
    lengths = shapes.source["inputs"]["lengths"]
    entries = []
    for index, (layer, direction) in enumerate(shapes.last_states):
        after = "t = 1" if direction is Direction.BACKWARD else "its end" if lengths else f"t = {thousands(spec.timesteps)}"
        name = f"layer {layer}" if len(spec.layers) > 1 else ""
        name = " ".join(filter(None, (name, direction.value if spec.for_layer(layer).bidirectional else "")))
        if spec.layers_differ:
            entries.append(f"{name} at {after} {format_sizes((spec.samples, spec.for_layer(layer).hidden))}")
        else:
            entries.append(f"h_n[{index}] {name}, after {after}")
    cells = [Cell(f" {entry}") for entry in entries]
    cells += [Cell("")] * (len(cells) % 2)
    rows = list(zip(cells[::2], cells[1::2], strict=True))
    rows = rows if len(rows) <= MAX_STATE_ROWS else [rows[0], (Cell(" ..."), Cell("")), rows[-1]]
    wide = Table((Column(""), Column("")), tuple(rows), ruled=False)
    narrow = Table((Column("", wraps=True),), tuple((cell,) for row in rows for cell in row if cell.text), ruled=False)
    if spec.layers_differ:
        text = "The layers differ, so each has a last h of its own:"
    else:
        h_n = format_sizes((len(spec.layer_directions), spec.samples, spec.hidden))
        text = f"The last states, as PyTorch and ONNX stack them: h_n is {h_n}"
    return [Paragraph(text), FirstThatFits(((wide,), (narrow,)))]


# --- the answers ------------------------------------------------------------------------------------------------------


def _answers(shapes: Shapes) -> Table:
    spec, unit = shapes.spec, shapes.unit
    rows = [
        ("Is every circle one unit?", _circles_answer(spec)),
        *zip(
            (
                "Do units share information?",
                "  (measured in this run)" if shapes.sharing and spec.for_layer(0).units > 1 else "",
            ),
            _sharing_answers(shapes),
            strict=True,
        ),
        ("What does one unit take in?", _reading_answer(shapes)),
        ("What does it output?", _output_answer(spec.for_layer(0))),
        ("How many parameters?", _parameter_answer(shapes, unit.parameters)),
    ]
    cells = tuple((Cell(f" {question}", strong=True), Cell(answer)) for question, answer in rows)
    return Table((Column("", wraps=True), Column("", wraps=True)), cells, ruled=False)


def _circles_answer(spec: Spec) -> str:
    count = sum(spec.for_layer(layer).units for layer, _ in spec.layer_directions)
    if count == 1:
        return "Yes: 1 circle is 1 unit, not a timestep."
    return f"Yes: {thousands(count)} circles are {thousands(count)} units, not timesteps."


def _sharing_answers(shapes: Shapes) -> tuple[str, ...]:
    spec, sharing = shapes.spec.for_layer(0), shapes.sharing
    if spec.units == 1:
        return ("No other unit is in its layer: it reads its own", "previous output.")
    if sharing is None:
        return ("Within a timestep no; one timestep later yes:", "`influence` measures it, this run is too large.")
    same, later = sharing.same_timestep, sharing.next_timestep
    if not same.own_cell.moved:
        return (f"Not measurable here: a change of {sharing.by:g} does not move", "even the unit itself. Scale the inputs.")
    now = max(same.other_cells.moved, same.other_emitted.moved)
    following = "One timestep later" if shapes.spec.timesteps > 1 else "Through the previous h"
    others = f"{thousands(spec.units - 1)} other{'s' if spec.units > 2 else ''}"
    later_moved = f"{thousands(later.cells.moved)} of {thousands(spec.units)}"
    return (
        f"Within a timestep {'no' if now == 0 else 'yes'}: {thousands(now)} of {others} moved.",
        f"{following} {'yes' if later.cells.moved else 'no'}: {later_moved} moved.",
    )


def _reading_answer(shapes: Shapes) -> str:
    unit, spec = shapes.unit, shapes.spec
    hidden = f"all {thousands(unit.hidden)} previous outputs" if unit.hidden > 1 else "the previous output"
    if spec.for_layer(0).projection is not None:
        hidden = f"{thousands(unit.hidden)} of h_{{t-1}}"
    own = ", its own c" if unit.peepholes else ""
    where = plural(unit.reads, "number") if len(spec.layers) == 1 else "Layer 0"
    return f"{where}: {plural(unit.features, 'feature')}, {hidden}{own}."


def _output_answer(spec: Spec) -> str:
    if spec.projection is not None:
        return "1 number, m, mixed into h. It keeps a second, c."
    return "1 number, h. It keeps a second one, c."


def _parameter_answer(shapes: Shapes, per_unit: int) -> str:
    spec, text = shapes.spec, thousands(shapes.total)
    if len(spec.layer_directions) == 1 and spec.units > 1:
        text = f"{thousands(spec.units)} × {thousands(per_unit)} = {text}"
    other = shapes.frameworks.get("pytorch")
    if other is not None and other != shapes.total:
        text += f" ({thousands(other)} in PyTorch: two biases)"
    return f"{text}."


def _shapes_line(shapes: Shapes) -> str:
    """The shapes from end to end, as they were read off."""
    spec = shapes.spec
    batch = format_sizes(shapes.of("input")[0].shape.sizes)
    sequence, hidden, cell = (
        format_sizes(shapes.of(name)[-1].shape.sizes) for name in ("output_sequence", "output_last", "cell_last")
    )
    if len(spec.layer_directions) > 1 and not spec.layers_differ:
        stacked = len(spec.layer_directions), spec.samples
        last = f"h_n {format_sizes((*stacked, spec.hidden))}, c_n {format_sizes((*stacked, spec.units))}"
    else:
        last = f"last h {hidden}, last c {cell}"
    return f" x {batch} ─► all h {sequence}, {last}"


def _next_steps(shapes: Shapes) -> NextSteps:
    tour = format_command("tour", shapes.spec, shapes.source)
    if tour != f"{PROGRAM} tour":
        return NextSteps((NextStep(tour, "(or explore, shapes --all)"),))
    return NextSteps((NextStep(tour), NextStep(f"{PROGRAM} explore"), NextStep(f"{PROGRAM} shapes --all")))
