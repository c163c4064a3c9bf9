"""Chapter 1: what a circle of a layer diagram is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from lstm_explain.apps.tour.chapter import (
    ChapterContent,
    describe_layers,
    measure_within_budget,
    nonfinite_notes,
    visible_indices,
)
from lstm_explain.document.blocks import Cell, Column, Document, Paragraph, Table
from lstm_explain.document.numbers import format_decimal, plural, thousands, tint
from lstm_explain.document.tables import elide_list, facts_table
from lstm_explain.document.text import format_shape
from lstm_explain.topics.result import Axes, Positive
from lstm_explain.topics.trace import explain_trace

if TYPE_CHECKING:
    from lstm_explain.apps.tour.chapter import TourContext
    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.trace import Trace


class CirclesEvidence(NamedTuple):
    """What the chapter `circles` measures."""

    circles: Positive
    """How many units there are over all layers and directions."""
    circles_per_direction: Positive
    """How many there are in one layer and direction; in layer 0, where layers differ."""
    measured: bool
    """Whether the shapes were read off arrays of a run."""
    hidden: tuple[Positive, ...]
    """The shape of h of one timestep."""
    output_sequence: tuple[Positive, ...]
    """The shape of h of all timesteps."""
    sample: int
    t: Positive
    units: list[int]
    c: Annotated[Array, Axes("units")] | None
    """The cell states of these units after timestep `t`."""
    h: Annotated[Array, Axes("units")] | None
    """Their hidden states; null also if h is a projection."""


def circles_chapter(context: TourContext) -> ChapterContent:
    """Is every circle of a layer diagram one LSTM unit?"""
    spec, layer_spec, shapes = context.spec, context.layer_spec, context.shapes
    units, gap = visible_indices(range(layer_spec.units))
    trace, refused = measure_within_budget(lambda: explain_trace(context.lstm, context.sample, units, [context.length]))
    return ChapterContent(
        question=_question(spec),
        claims=_claims(spec),
        blocks=(*_shapes_evidence(context), *refused, *(() if trace is None else _circles_table(context, trace, gap))),
        evidence=CirclesEvidence(
            circles=_count_circles(spec),
            circles_per_direction=layer_spec.units,
            measured=shapes.measured,
            hidden=shapes.of("hidden", layer=0)[0].shape.sizes,
            output_sequence=shapes.of("output_sequence", layer=0)[0].shape.sizes,
            sample=context.sample,
            t=context.length,
            units=units,
            c=None if trace is None else trace.cell[0],
            h=None if trace is None or layer_spec.projection is not None else trace.hidden[0],
        ),
        commands=(context.command("shapes"), context.command_of_sample("trace")),
    )


def _circles_per_direction(spec: Spec) -> list[int]:
    """The units of each layer and direction."""
    return [spec.layers[layer].units for layer, _ in spec.layer_directions]


def _count_circles(spec: Spec) -> int:
    return sum(_circles_per_direction(spec))


def _question(spec: Spec) -> str:
    return (
        "A diagram of a neural network draws a layer as a row of circles. Is every circle a separate LSTM unit? And how "
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
    layer, here = spec.layers[0], "in layer 0" if spec.layers_differ else "here"
    if layer.projection is None:
        return f"Those of h and c have one number from each unit: {thousands(layer.units)} {here}."
    sizes = f"{thousands(layer.units)} {here}; that of h has {layer.projection}, by the projection"
    return f"That of c has one number from each unit, {sizes}."


def _circle_counts(spec: Spec) -> str:
    if spec.layers_differ:
        total = plural(_count_circles(spec), "circle")
        terms = " + ".join(elide_list([thousands(units) for units in _circles_per_direction(spec)]))
        directions = " A bidirectional layer has separate circles for each direction." if spec.has_backward else ""
        return f"Your {thousands(len(spec.layers))} layers have {total} in all: {terms}.{directions}"
    if len(spec.layer_directions) == 1:
        return f"Your layer has {plural(spec.units, 'circle')}."
    total = plural(_count_circles(spec), "circle")
    directions = f"{thousands(spec.units)} that read forward and {thousands(spec.units)} others that read backward"
    if len(spec.layers) == 1:
        return f"Your layer has {directions}: {total}."
    in_each = directions if spec.bidirectional else plural(spec.units, "circle")
    return f"Each of your {thousands(len(spec.layers))} layers has {in_each}: {total} in all."


def _shapes_evidence(context: TourContext) -> Document:
    shapes, where = context.shapes, " in layer 0" if context.spec.layers_differ else ""
    rows = [
        ("the input", "input"),
        (f"h of one timestep{where}", "hidden"),
        (f"h of all timesteps{where}", "output_sequence"),
    ]
    tensors = [(label, shapes.of(name, layer=None if name == "input" else 0)[0]) for label, name in rows]
    return (facts_table((label, format_shape(tensor.shape)) for label, tensor in tensors), context.shapes_note)


def _circles_table(context: TourContext, trace: Trace, gap: int) -> Document:
    step = context.length
    rows = [("c", trace.cell[0].tolist())]
    if context.layer_spec.projection is None:
        rows.insert(0, ("h", trace.hidden[0].tolist()))
    columns = [Column("circle"), *(Column(str(unit), "right") for unit in trace.units)]
    cells = [
        [Cell(f"{name}_{step}", strong=True), *(Cell(format_decimal(v, 3), tint=tint(v, 1.0)) for v in row)]
        for name, row in rows
    ]
    if gap:
        columns.insert(gap + 1, Column("⋮"))
        for row in cells:
            row.insert(gap + 1, Cell("⋮"))
    first = " of layer 0, forward," if len(context.spec.layer_directions) > 1 else ""
    states = "The output h and the memory c" if len(rows) == 2 else "The memory c"
    text = f"{states} of each circle{first} after timestep {step} of sample {context.sample} (chapter 4):"
    table = Table(tuple(columns), tuple(map(tuple, cells)))
    return (Paragraph(text), table, *nonfinite_notes(value for _, row in rows for value in row))
