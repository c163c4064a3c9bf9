"""Chapter 4: what h and c are."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Annotated, NamedTuple

from lstm_explain.apps.tour.chapter import (
    ChapterContent,
    has_several_directions,
    insert_gap_row,
    measure_within_budget,
    nonfinite_notes,
    visible_indices,
)
from lstm_explain.core.gates import GATES, LETTERS, gate_letters
from lstm_explain.document.blocks import Cell, Column, Document, Note, Paragraph, Table
from lstm_explain.document.numbers import format_decimal, plural, thousands, tint
from lstm_explain.document.text import saturation_warning
from lstm_explain.topics.memory import explain_memory
from lstm_explain.topics.result import Axes, Positive
from lstm_explain.topics.unit import explain_unit

if TYPE_CHECKING:
    from lstm_explain.apps.tour.chapter import TourContext
    from lstm_explain.core.axes import Array
    from lstm_explain.core.gates import Letter
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.memory import Memory
    from lstm_explain.topics.unit import Unit


class GradientCount(NamedTuple):
    """How many parameters get no gradient."""

    idle: int
    """How many have a gradient of exactly 0."""
    total: Positive
    """How many there are."""


class StatesEvidence(NamedTuple):
    """What the chapter `states` measures."""

    hidden: Positive
    """The size of h."""
    cell: Positive
    """The size of c."""
    unit: int
    sample: int
    length: Positive
    gates: dict[Letter, Annotated[Array, Axes("timesteps")]] | None
    """The gates of the unit at every timestep that was run, by their letters."""
    c: Annotated[Array, Axes("timesteps")] | None
    """Its cell states."""
    emitted: Annotated[Array, Axes("timesteps")] | None
    """Its outputs o tanh(c): h, unless h is a projection."""
    half_since: int | None
    """As in `memory`: the timestep that, with those after it, left half of its last cell state; null where all parts are 0."""
    mean_half_life: float | None
    """As in `memory`: the half-life of its cell state at its mean forget gate."""
    without_gradient: GradientCount | None
    """The parameters that get no gradient; null if the sample has more than one timestep."""


def states_chapter(context: TourContext) -> ChapterContent:
    """What are h and c?"""
    unit, refused = measure_within_budget(lambda: explain_unit(context.lstm, context.unit, context.sample))
    memory, memory_refused = measure_within_budget(lambda: explain_memory(context.lstm, context.sample, [context.unit]))
    unit_blocks = () if unit is None else _unit_over_time(context, unit)
    memory_blocks = () if memory is None else _memory_age(memory)
    return ChapterContent(
        question=_question(context.spec),
        claims=(*_claims(context.spec), *_single_timestep_claims(context, memory)),
        blocks=(*refused, *unit_blocks, *memory_blocks, *(memory_refused if unit is not None else ())),
        evidence=_evidence(context, unit, memory),
        commands=(context.command_of_sample("trace", gates=True), context.command_of_sample("memory")),
    )


def _question(spec: Spec) -> str:
    layer, where = spec.for_layer(0), " of layer 0" if spec.layers_differ else ""
    vectors = f"All units{where} together make {_vector_sizes(layer)}." if layer.units > 1 else ""
    return (
        "At every timestep a unit makes two numbers, h and c. Which of them is its memory, and which one do others see? "
        f"{vectors}"
    ).rstrip()


def _vector_sizes(spec: Spec) -> str:
    if spec.projection is None:
        return f"two vectors of {plural(spec.units, 'number')} each"
    return f"two vectors: c of {plural(spec.units, 'number')}, and h of {spec.projection} (by the projection)"


def _claims(spec: Spec) -> tuple[str, ...]:
    units = (
        "all units of its layer read it"
        if spec.layers_differ
        else "all units read it"
        if spec.units > 1
        else "the unit reads it"
    )
    output_claim = f"h is its output: {units} at the next timestep" if spec.timesteps > 1 else "h is its output"
    readers = (
        "what comes after the layer reads it" if len(spec.layers) == 1 else "the next layer reads it at the same timestep"
    )
    projections = {layer.projection is not None for layer in spec.layers}
    if projections == {False}:
        output = "the new h is o × tanh(c): a part o of the memory is output"
    else:
        projection = "the projection" if projections == {True} else "the projection, in a layer that has one,"
        output = (
            f"the new output is o × tanh(c): a part o of the memory is output, and {projection} computes h from all outputs"
        )
    return (
        f"c is the memory: it stays within its unit. {output_claim}, and {readers}. (h is also called the hidden state, and c "
        "the cell state.)",
        "The new c is f × (the old c) + i × g: a part f of the memory is kept, and a part i of g is let in, which is what "
        f"could be stored. Then {output}. The parts i, f and o are the gates. They lie between 0 and 1, and each timestep "
        "computes them anew.",
    )


def _single_timestep_claims(context: TourContext, memory: Memory | None) -> tuple[str, ...]:
    """What differs without a previous timestep."""
    step = None if memory is None else memory.one_step
    if step is None or context.spec.timesteps > 1 or not step.from_zero:
        return ()
    return (
        "You have one timestep, so c and h of the previous timestep are both 0. The forget gate and the weights for h have "
        f"nothing to act on. So {thousands(step.idle)} of {plural(step.total, 'parameter')} get no gradient: training "
        "cannot change them.",
    )


# --- the evidence -----------------------------------------------------------------------------------------------------


def _unit_over_time(context: TourContext, unit: Unit) -> Document:
    output_name = "h" if context.layer_spec.projection is None else "m"
    steps, gap = visible_indices(range(unit.length))
    arrays = [*(unit.gates[gate] for gate in GATES), unit.cell, unit.output]
    rows: list[tuple[Cell, ...]] = []
    for step in steps:
        values = (float(array[step]) for array in arrays)
        rows.append((Cell(str(step + 1), strong=True), *(Cell(format_decimal(v, 4), tint=tint(v, 1.0)) for v in values)))
    titles = [*(LETTERS[gate] for gate in GATES), "c", output_name]
    columns = (Column("t", "right"), *(Column(title, "right") for title in titles))
    where = f"sample {unit.sample}" if not has_several_directions(context.spec) else f"sample {unit.sample}, layer 0, forward"
    intro = f"Unit {unit.unit} over time, {where}; t is the timestep, {output_name} {_output_description(context.layer_spec)}:"
    ended = unit.length < context.spec.timesteps
    padding_notes = (Note(f"The sample ends at timestep {unit.length}; the rest is padding and is not run."),) if ended else ()
    notes = (*padding_notes, *map(Note, saturation_warning(unit.gates)), *nonfinite_notes(unit.cell[: unit.length].tolist()))
    return (Paragraph(intro), Table(columns, insert_gap_row(rows, gap)), *notes)


def _output_description(spec: Spec) -> str:
    return "the output" if spec.projection is None else "the output that the projection reads"


def _memory_age(memory: Memory) -> Document:
    """From when the last memory is, and how fast it goes."""
    half = float(memory.mean_half_life[0])
    since = float(memory.half_since[0])
    if memory.length == 1 or not isfinite(since) or since < 1:
        return ()
    later = "and those after it" if int(since) < memory.last else "alone"
    text = (
        f"When was the content of its memory c_{memory.last} written? It is a sum of what each timestep added. At least half "
        f"of it, by absolute value, was added by timestep {int(since)} {later}."
    )
    if isfinite(half) and half > 0:
        text += f" At its mean f, half of a memory is forgotten in {format_decimal(half, 1).strip()} timesteps."
    return (Paragraph(text),)


def _evidence(context: TourContext, unit: Unit | None, memory: Memory | None) -> StatesEvidence:
    step = None if memory is None else memory.one_step
    run = slice(0, context.length)
    gates = None if unit is None else [unit.gates[gate][run] for gate in GATES]
    return StatesEvidence(
        hidden=context.layer_spec.hidden,
        cell=context.layer_spec.units,
        unit=context.unit,
        sample=context.sample,
        length=context.length,
        gates=None if gates is None else dict(zip(gate_letters(GATES), gates, strict=True)),
        c=None if unit is None else unit.cell[run],
        emitted=None if unit is None else unit.output[run],
        half_since=None if memory is None else memory.half_since_steps[0],
        mean_half_life=None if memory is None else float(memory.mean_half_life[0]),
        without_gradient=None if step is None else GradientCount(step.idle, step.total),
    )
