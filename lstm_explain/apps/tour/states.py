"""Chapter 4: what h and c are."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from lstm_explain.apps.tour.chapter import ChapterContent
from lstm_explain.apps.tour.context import measure_within_budget
from lstm_explain.apps.tour.text import insert_gap_row, nonfinite_notes, visible_indices
from lstm_explain.core.gates import GATES, LETTERS
from lstm_explain.document.blocks import Cell, Column, Document, Note, Paragraph, Table
from lstm_explain.document.numbers import format_decimal, plural, thousands, tint
from lstm_explain.document.text import saturation_warning
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.memory import explain_memory
from lstm_explain.topics.unit import explain_unit

if TYPE_CHECKING:
    from lstm_explain.apps.tour.context import TourContext
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.memory import Memory
    from lstm_explain.topics.unit import Unit


def states_chapter(subject: TourContext) -> ChapterContent:
    """What are h and c?"""
    unit, refused = measure_within_budget(lambda: explain_unit(subject.lstm, subject.unit, subject.sample))
    memory, no_memory = measure_within_budget(lambda: explain_memory(subject.lstm, subject.sample, [subject.unit]))
    seen = () if unit is None else _unit_over_time(subject, unit)
    kept = () if memory is None else _memory_age(memory)
    return ChapterContent(
        question=_question(subject.spec),
        claims=(*_claims(subject.spec), *_single_timestep_claims(subject, memory)),
        evidence=(*refused, *seen, *kept, *(no_memory if unit is not None else ())),
        numbers=_numbers(subject, unit, memory),
        commands=(subject.command_of_sample("trace", gates=True), subject.command_of_sample("memory")),
    )


def _question(spec: Spec) -> str:
    own, where = spec.for_layer(0), " of layer 0" if spec.layers_differ else ""
    several = f"All units{where} together make {_vector_sizes(own)}." if own.units > 1 else ""
    return (
        "At every timestep a unit makes two numbers, h and c. Which of them is its memory, and which one do others see? "
        f"{several}"
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
    seen = f"h is its output: {units} at the next timestep" if spec.timesteps > 1 else "h is its output"
    beyond = "what comes after the layer reads it" if len(spec.layers) == 1 else "the next layer reads it at the same timestep"
    projections = {one.projection is not None for one in spec.layers}
    if projections == {False}:
        shown = "the new h is o × tanh(c): a part o of the memory is shown"
    else:
        projection = "the projection" if projections == {True} else "the projection, in a layer that has one,"
        shown = f"the new output is o × tanh(c): a part o of the memory is shown, and {projection} makes h of all outputs"
    return (
        f"c is the memory: it stays within its unit. {seen}, and {beyond}. (h is also called the hidden state, and c the cell "
        "state.)",
        "The new c is f × (the old c) + i × g: a part f of the memory is kept, and a part i of g is let in, which is what "
        f"could be stored. Then {shown}. The parts i, f and o are the gates. They lie between 0 and 1, and each timestep "
        "computes them anew.",
    )


def _single_timestep_claims(subject: TourContext, memory: Memory | None) -> tuple[str, ...]:
    """What is different where there is no past."""
    step = None if memory is None else memory.one_step
    if step is None or subject.spec.timesteps > 1 or not step.from_zero:
        return ()
    return (
        "You have one timestep, so there is no old c and no last h: both are 0. The forget gate and the weights for h have "
        f"nothing to act on. So {thousands(step.idle)} of {plural(step.total, 'parameter')} get no gradient: training "
        "cannot change them.",
    )


# --- the evidence -----------------------------------------------------------------------------------------------------


def _unit_over_time(subject: TourContext, unit: Unit) -> Document:
    emitted = "h" if subject.layer_spec.projection is None else "m"
    steps, gap = visible_indices(range(unit.length))
    arrays = [*(unit.gates[gate] for gate in GATES), unit.cell, unit.output]
    rows: list[tuple[Cell, ...]] = []
    for step in steps:
        values = (float(array[step]) for array in arrays)
        rows.append((Cell(str(step + 1), strong=True), *(Cell(format_decimal(v, 4), tint=tint(v, 1.0)) for v in values)))
    titles = [*(LETTERS[gate] for gate in GATES), "c", emitted]
    columns = (Column("t", "right"), *(Column(title, "right") for title in titles))
    where = f"sample {unit.sample}" if not _has_several_directions(subject.spec) else f"sample {unit.sample}, layer 0, forward"
    words = f"Unit {unit.unit} over time, {where}; t is the timestep, {emitted} {_output_description(subject.layer_spec)}:"
    ended = unit.length < subject.spec.timesteps
    past = (Note(f"The sample ends at timestep {unit.length}; what follows is padding and is not run."),) if ended else ()
    remarks = (*past, *map(Note, saturation_warning(unit.gates)), *nonfinite_notes(unit.cell[: unit.length].tolist()))
    return (Paragraph(words), Table(columns, insert_gap_row(rows, gap)), *remarks)


def _has_several_directions(spec: Spec) -> bool:
    return len(spec.layers) > 1 or spec.bidirectional


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
        f"From when is its memory c_{memory.last}? It is a sum of what each timestep left in it. Half of that or more, by "
        f"size, was left by timestep {int(since)} {later}."
    )
    if isfinite(half) and half > 0:
        text += f" At the mean of its f, half of a memory is forgotten in {format_decimal(half, 1).strip()} timesteps."
    return (Paragraph(text),)


def _numbers(subject: TourContext, unit: Unit | None, memory: Memory | None) -> dict[str, Any]:
    step = None if memory is None else memory.one_step
    since = None if memory is None else float(memory.half_since[0])
    return {
        "hidden": subject.layer_spec.hidden,
        "cell": subject.layer_spec.units,
        "unit": subject.unit,
        "sample": subject.sample,
        "length": subject.length,
        "gates": None if unit is None else {LETTERS[gate]: plain_numbers(unit.gates[gate][: unit.length]) for gate in GATES},
        "c": None if unit is None else plain_numbers(unit.cell[: unit.length]),
        "emitted": None if unit is None else plain_numbers(unit.output[: unit.length]),
        "half_since": None if since is None or not isfinite(since) else int(since),
        "mean_half_life": None if memory is None else float(memory.mean_half_life[0]),
        "without_gradient": None if step is None else {"idle": step.idle, "total": step.total},
    }
