"""Chapter 1: what a circle of a layer diagram is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.apps.tour.chapter import ChapterContent
from lstm_explain.apps.tour.context import measure_within_budget
from lstm_explain.apps.tour.text import describe_layers, nonfinite_notes, visible_indices
from lstm_explain.document.blocks import Cell, Column, Document, Paragraph, Table
from lstm_explain.document.numbers import format_decimal, plural, thousands, tint
from lstm_explain.document.tables import elide_list, facts_table
from lstm_explain.document.text import format_shape
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.trace import explain_trace

if TYPE_CHECKING:
    from lstm_explain.apps.tour.context import TourContext
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.trace import Trace


def circles_chapter(subject: TourContext) -> ChapterContent:
    """Is every circle of a layer diagram one LSTM unit?"""
    spec, own = subject.spec, subject.layer_spec
    units, gap = visible_indices(range(own.units))
    trace, refused = measure_within_budget(lambda: explain_trace(subject.lstm, subject.sample, units, [subject.length]))
    return ChapterContent(
        question=_question(spec),
        claims=_claims(spec),
        evidence=(*_shapes_evidence(subject), *refused, *(() if trace is None else _circles_table(subject, trace, gap))),
        numbers={
            "circles": count_circles(spec),
            "circles_per_direction": own.units,
            "measured": subject.shapes.measured,
            "hidden": list(subject.shapes.of("hidden", layer=0)[0].shape.sizes),
            "output_sequence": list(subject.shapes.of("output_sequence", layer=0)[0].shape.sizes),
            "sample": subject.sample,
            "t": subject.length,
            "units": units,
            "c": None if trace is None else plain_numbers(trace.cell[0]),
            "h": None if trace is None or own.projection is not None else plain_numbers(trace.hidden[0]),
        },
        commands=(subject.command("shapes"), subject.command_of_sample("trace")),
    )


def count_circles(spec: Spec) -> int:
    """How many units there are in all layers and directions."""
    return sum(_circles_per_direction(spec))


def _circles_per_direction(spec: Spec) -> list[int]:
    """The units of each layer and direction."""
    units = [spec.for_layer(layer).units for layer in range(len(spec.layers))]
    return [units[layer] for layer, _ in spec.layer_directions]


def _question(spec: Spec) -> str:
    return (
        "A diagram of a neural network draws a layer as a row of circles. Is every circle an LSTM unit of its own? And how "
        f"many circles are there in your LSTM, {_describe_circles(spec)} reads "
        f"{plural(spec.timesteps, 'timestep')} of {plural(spec.features, 'number')}?"
    )


def _describe_circles(spec: Spec) -> str:
    if spec.layers_differ:
        return f"in which {describe_layers(spec)}, and which"
    each = " in each of its layers and directions" if len(spec.layer_directions) > 1 else ""
    return f"which has {plural(spec.units, 'unit')}{each}, and"


def _claims(spec: Spec) -> tuple[str, ...]:
    steps = "the one timestep" if spec.timesteps == 1 else f"all {thousands(spec.timesteps)} timesteps, one after the other"
    same = "units read" if spec.layers_differ or spec.units > 1 else "unit reads"
    return (
        f"Yes. Every circle of a layer is one LSTM unit. {_circle_counts(spec)}",
        f"A circle is not a timestep: the same {same} {steps}. Nor is it a gate: a unit has four small neurons inside "
        "(chapter 2).",
        "Another picture, 'the LSTM cell' with its gates and arrows, shows the whole layer at one timestep, all units at "
        f"once. Each arrow in it is a vector, a list of numbers. {_vector_sizes(spec)}",
    )


def _vector_sizes(spec: Spec) -> str:
    own, here = spec.for_layer(0), "in layer 0" if spec.layers_differ else "here"
    if own.projection is None:
        return f"Those of h and c have one from each unit: {thousands(own.units)} {here}."
    return (
        f"That of c has one from each unit, {thousands(own.units)} {here}; that of h has {own.projection}, by the projection."
    )


def _circle_counts(spec: Spec) -> str:
    if spec.layers_differ:
        added = " + ".join(elide_list([thousands(units) for units in _circles_per_direction(spec)]))
        ways = " A layer that reads both ways has circles of its own for each direction." if spec.has_backward else ""
        return f"Your {thousands(len(spec.layers))} layers have {plural(count_circles(spec), 'circle')} in all: {added}.{ways}"
    if len(spec.layer_directions) == 1:
        return f"Your layer has {plural(spec.units, 'circle')}."
    ways = f"{thousands(spec.units)} that read forward and {thousands(spec.units)} others that read backward"
    own = ways if spec.bidirectional else plural(spec.units, "circle")
    if len(spec.layers) == 1:
        return f"Your layer has {ways}: {plural(count_circles(spec), 'circle')}."
    return f"Each of your {thousands(len(spec.layers))} layers has {own}: {plural(count_circles(spec), 'circle')} in all."


def _shapes_evidence(subject: TourContext) -> Document:
    shapes, where = subject.shapes, " in layer 0" if subject.spec.layers_differ else ""
    rows = [
        ("what is read", "input"),
        (f"h of one timestep{where}", "hidden"),
        (f"h of all timesteps{where}", "output_sequence"),
    ]
    found = [(label, shapes.of(name, layer=None if name == "input" else 0)[0].shape) for label, name in rows]
    return (facts_table((label, format_shape(shape)) for label, shape in found), subject.how)


def _circles_table(subject: TourContext, trace: Trace, gap: int) -> Document:
    t = subject.length
    rows = [("c", trace.cell[0].tolist())]
    if subject.layer_spec.projection is None:
        rows.insert(0, ("h", trace.hidden[0].tolist()))
    columns = [Column("circle"), *(Column(str(unit), "right") for unit in trace.units)]
    cells = [
        [Cell(f"{name}_{t}", strong=True), *(Cell(format_decimal(v, 3), tint=tint(v, 1.0)) for v in row)] for name, row in rows
    ]
    if gap:
        columns.insert(gap + 1, Column("⋮"))
        for row in cells:
            row.insert(gap + 1, Cell("⋮"))
    first = " of layer 0, forward," if len(subject.spec.layer_directions) > 1 else ""
    holds = "its output h and its memory c" if len(rows) == 2 else "its memory c"
    text = f"What each circle{first} holds after timestep {t} of sample {subject.sample}, {holds} (chapter 4):"
    table = Table(tuple(columns), tuple(map(tuple, cells)))
    return (Paragraph(text), table, *nonfinite_notes(value for _, row in rows for value in row))
