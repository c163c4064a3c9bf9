"""Chapter 3: why units are independent and yet share."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from lstm_explain.apps.tour.chapter import ChapterContent
from lstm_explain.apps.tour.context import measure_within_budget
from lstm_explain.apps.tour.text import format_fraction_of
from lstm_explain.core.gates import Direction
from lstm_explain.document.blocks import Block, Cell, Column, Document, Note, Paragraph, Table
from lstm_explain.document.numbers import format_difference, percent, plural, thousands
from lstm_explain.topics.influence import BY, explain_influence
from lstm_explain.topics.result import to_plain

if TYPE_CHECKING:
    from lstm_explain.apps.tour.context import TourContext
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.influence import Influence
    from lstm_explain.topics.influence.perturbation import Change, Statements

ROUNDING_LIMITS = {"float32": "1e-5", "float64": "1e-12"}
"""Below it, a difference of two ways to compute the same number is rounding."""
SUM_TOLERANCE = 1e-6
"""How far shares may be from adding up."""


def sharing_chapter(subject: TourContext) -> ChapterContent:
    """Are the units independent, or do they share information?"""
    found, refused = measure_within_budget(lambda: explain_influence(subject.lstm, subject.unit, subject.sample))
    return ChapterContent(
        question=_question(subject),
        claims=_claims(subject, None if found is None else found.statements),
        evidence=(*refused, *(() if found is None else _evidence(subject, found))),
        numbers={
            "unit": subject.unit,
            "sample": subject.sample,
            "t": subject.length,
            "statements": None if found is None else to_plain(found.statements),
            "shares": None if found is None else found.derivatives.shares.mean,
        },
        commands=(subject.command_of_sample("influence", unit=subject.unit),),
    )


def _question(subject: TourContext) -> str:
    units, unit, stack = subject.layer_spec.units, subject.unit, subject.spec.layers_differ
    if units == 1:
        yours = "Your layer 0" if stack else "Yours"
        return (
            f"Are the units of a layer independent, or do they share information? {yours} has a single unit. What does that "
            "leave?"
        )
    yours = (
        f"The {thousands(units)} units of your layer 0 stand side by side"
        if stack
        else f"Your {thousands(units)} units stand side by side in one layer"
    )
    if subject.spec.timesteps == 1:
        return f"{yours}, and there is one timestep only. Are they independent, or do they share information?"
    return (
        f"{yours}. Are they independent, or do they share information? If "
        f"the output of unit {unit} changed by {BY:g}, how many of the {thousands(units)} units would notice, and when?"
    )


# --- the answer -------------------------------------------------------------------------------------------------------


def _claims(subject: TourContext, found: Statements | None) -> tuple[str, ...]:
    spec = subject.spec
    if found is not None and _nothing_moved(found):
        return (
            "Both: each unit owns its weights, and reads what all units made one timestep before. But this run cannot show "
            "it: nothing moved, not even what was changed itself. Its numbers are not finite, or too large for a change so "
            "small.",
        )
    if subject.layer_spec.units == 1:
        claims = ["With a single unit there is nobody to share with: of all outputs it reads its own alone."]
    else:
        claims = [f"{_within_timestep(spec, found)} {_across_timesteps(subject, found)}"]
    return (*claims, *_projection_claims(spec), *_weight_sharing_claims(subject, found), *_direction_claims(spec))


def _nothing_moved(found: Statements) -> bool:
    """Whether nothing moved, not even what was changed itself."""
    return not found.parameters.own_gates.moved and not found.same_timestep.own_cell.moved


def _within_timestep(spec: Spec, found: Statements | None) -> str:
    if found is not None and any(change.moved for change in _independent_changes(found)):
        return "They share even within a timestep: here other units moved at once."
    both = "Independent" if spec.timesteps == 1 else "Both. Within a timestep they are independent"
    return f"{both}: each unit has weights of its own, and none sees what another makes at that timestep."


def _independent_changes(found: Statements) -> tuple[Change, ...]:
    """What must not move."""
    same = found.same_timestep
    return found.parameters.other_gates, same.other_cells, same.other_emitted


def _across_timesteps(subject: TourContext, found: Statements | None) -> str:
    units, unit = subject.layer_spec.units, subject.unit
    if subject.spec.timesteps == 1:
        return "There is no next timestep at which they could hear of each other."
    reads = "From one timestep to the next they share: each reads the last outputs of all units."
    if found is None:
        return reads
    heard = found.next_timestep.cells
    if not heard.moved:
        return (
            f"{reads} Here a change of unit {unit}'s output moved none of them: it made no difference that the type can hold."
        )
    after = "one timestep later" if subject.length > 1 else "at the timestep that read it"
    return f"{reads} So a change of unit {unit}'s output moved {format_fraction_of(heard.moved, units)} units {after}."


def _projection_claims(spec: Spec) -> tuple[str, ...]:
    if all(layer.projection is None for layer in spec.layers):
        return ()
    if spec.layers_differ:
        return ("Only the projection of a layer that has one mixes units at once: it makes h of all outputs there.",)
    return ("The projection alone mixes units at once: it makes each number of h of the outputs of all units.",)


def _weight_sharing_claims(subject: TourContext, found: Statements | None) -> tuple[str, ...]:
    """The weights are the same at all timesteps."""
    if subject.length == 1 or found is None:
        return ()
    over = found.over_time
    return (
        f"The weights are shared over time: one set of {plural(over.parameters, 'parameter')} made all {thousands(over.uses)} "
        f"timesteps{' of this layer and direction' if _has_several_directions(subject.spec) else ''}.",
    )


def _direction_claims(spec: Spec) -> tuple[str, ...]:
    both = [layer for layer, way in spec.layer_directions if way is Direction.BACKWARD]
    if not both:
        return ()
    above = " The layer above reads both." if both[0] < len(spec.layers) - 1 else ""
    return (f"Units that read forward and units that read backward never read each other within a layer.{above}",)


# --- the evidence -----------------------------------------------------------------------------------------------------


def _evidence(subject: TourContext, found: Influence) -> Document:
    statements = found.statements
    where = f", in layer {found.layer}, {found.direction.value}," if _has_several_directions(subject.spec) else ""
    intro = (
        f"Measured just now on unit {subject.unit}{where} at timestep {found.step} of sample {found.sample}. Each change is "
        f"of size {statements.by:g}."
    )
    blocks: list[Block] = [Paragraph(intro), _perturbation_table(subject, found)]
    if subject.length == 1:
        blocks.append(Note("Before the only timestep there was none: the output that was changed is the initial one."))
    if subject.length > 1 and not _nothing_moved(statements):
        blocks.append(Note(_weight_sharing_note(subject, statements)))
    return (*blocks, *_attribution(found))


def _has_several_directions(spec: Spec) -> bool:
    return len(spec.layers) > 1 or spec.bidirectional


def _perturbation_table(subject: TourContext, found: Influence) -> Table:
    t, before, unit, several = found.step, found.step - 1, subject.unit, subject.layer_spec.units > 1
    own, same, later = found.statements.parameters, found.statements.same_timestep, found.statements.next_timestep
    emitted = "h" if subject.layer_spec.projection is None else "m"
    whose = f"unit {unit}" if subject.layer_spec.projection is None else "its neurons"
    owned = f"all {thousands(own.owned)} parameters of {whose}"
    rows = [
        (owned, "its own gates", own.own_gates),
        (owned, "gates of the others", own.other_gates),
        (f"its memory c_{before}", f"its own c_{t}", same.own_cell),
        (f"its memory c_{before}", f"c_{t} of the others", same.other_cells),
        (f"its memory c_{before}", f"{emitted}_{t} of the others", same.other_emitted),
        (f"its output {emitted}_{before}", f"c_{t} of all units" if several else f"its own c_{t}", later.cells),
    ]
    kept = [row for row in rows if several or "others" not in row[1]]
    columns = (Column("changed"), Column("looked at"), Column("moved", "right"), Column("by up to", "right"))
    return Table(columns, tuple(_perturbation_row(*row) for row in kept))


def _perturbation_row(changed: str, seen: str, change: Change) -> tuple[Cell, ...]:
    by = f"{change.largest:.3g}" if change.moved else "0 exactly"
    return (Cell(changed), Cell(seen), Cell(format_fraction_of(change.moved, change.of), strong=True), Cell(by))


def _weight_sharing_note(subject: TourContext, found: Statements) -> str:
    over, dtype = found.over_time, subject.spec.dtype
    made = f"The gates of all {thousands(over.uses)} timesteps, made again with one set of weights, differ from the run by"
    if over.difference < float(ROUNDING_LIMITS[dtype]):
        return f"{made} less than {ROUNDING_LIMITS[dtype]}, the rounding of {dtype}."
    return f"{made} up to {format_difference(over.difference)}."


def _attribution(found: Influence) -> Document:
    """Where a unit's next value comes from, in the mean over the units."""
    parts = found.derivatives.shares.mean
    together = sum(parts.values())
    if not isfinite(together) or abs(together - 1) > SUM_TOLERANCE:  # a unit that nothing moves has no shares
        return ()
    value = "h" if found.layer_spec.projection is None else "c"
    others = f", {percent(parts['others'])} to the other units," if found.layer_spec.units > 1 else ""
    text = (
        f"What moves a unit's next {value}? In the mean over all units {percent(parts['itself'])} is due to the unit "
        f"itself{others} and {percent(parts['input'])} to the input, judged by the sizes of the derivatives."
    )
    return (Paragraph(text),)
