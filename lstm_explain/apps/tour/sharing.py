"""Chapter 3: why units are independent and yet share."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.tour.chapter import ChapterContent, format_fraction_of, has_several_directions, measure_within_budget
from lstm_explain.core.gates import Direction
from lstm_explain.document.blocks import Block, Cell, Column, Document, Note, Paragraph, Table
from lstm_explain.document.numbers import format_difference, percent, plural, thousands
from lstm_explain.topics.influence import explain_influence
from lstm_explain.topics.perturbation import DEFAULT_CHANGE

if TYPE_CHECKING:
    from lstm_explain.apps.tour.chapter import TourContext
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.influence import Influence
    from lstm_explain.topics.influence.attribution import ShareName
    from lstm_explain.topics.perturbation import Change, Statements
    from lstm_explain.topics.result import Positive

ROUNDING_LIMITS = {"float32": "1e-5", "float64": "1e-12"}
"""Below it, a difference of two ways to compute the same number is rounding."""
SUM_TOLERANCE = 1e-6
"""How far shares may be from adding up."""


class SharingEvidence(NamedTuple):
    """What the chapter `sharing` measures."""

    unit: int
    sample: int
    t: Positive
    statements: Statements | None
    """Whether units are independent: each statement is measured."""
    shares: dict[ShareName, float] | None
    """Where a unit's next value comes from, in the mean over the units."""


def sharing_chapter(context: TourContext) -> ChapterContent:
    """Are the units independent, or do they share information?"""
    influence, refused = measure_within_budget(lambda: explain_influence(context.lstm, context.unit, context.sample))
    statements = None if influence is None else influence.statements
    shares = None if influence is None else influence.derivatives.shares.mean
    return ChapterContent(
        question=_question(context),
        claims=_claims(context, statements),
        blocks=(*refused, *(() if influence is None else _evidence_blocks(context, influence))),
        evidence=SharingEvidence(context.unit, context.sample, context.length, statements, shares),
        commands=(context.command_of_sample("influence", unit=context.unit),),
    )


def _question(context: TourContext) -> str:
    units, unit, stack = context.layer_spec.units, context.unit, context.spec.layers_differ
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
    if context.spec.timesteps == 1:
        return f"{yours}, and there is one timestep only. Are they independent, or do they share information?"
    return (
        f"{yours}. Are they independent, or do they share information? If the output of unit {unit} changed by "
        f"{DEFAULT_CHANGE:g}, how many of the {thousands(units)} units would notice, and when?"
    )


# --- the answer -------------------------------------------------------------------------------------------------------


def _claims(context: TourContext, statements: Statements | None) -> tuple[str, ...]:
    spec = context.spec
    if statements is not None and _nothing_moved(statements):
        return (
            "Both: each unit owns its weights, and reads the previous outputs of all units. But this run cannot show "
            "it: nothing moved, not even what was changed itself. Its numbers are not finite, or too large for a change so "
            "small.",
        )
    if context.layer_spec.units == 1:
        claims = ["A single unit has no other unit to share with: it reads only its own output."]
    else:
        claims = [f"{_within_timestep(spec, statements)} {_across_timesteps(context, statements)}"]
    return (*claims, *_projection_claims(spec), *_weight_sharing_claims(context, statements), *_direction_claims(spec))


def _nothing_moved(statements: Statements) -> bool:
    """Whether nothing moved, not even what was changed itself."""
    return not statements.parameters.own_gates.moved and not statements.same_timestep.own_cell.moved


def _within_timestep(spec: Spec, statements: Statements | None) -> str:
    if statements is not None and any(change.moved for change in _independent_changes(statements)):
        return "They share even within a timestep: here other units moved at once."
    both = "Independent" if spec.timesteps == 1 else "Both. Within a timestep they are independent"
    return f"{both}: each unit has its own weights, and no unit sees what another computes at that timestep."


def _independent_changes(statements: Statements) -> tuple[Change, ...]:
    """What must not move."""
    same = statements.same_timestep
    return statements.parameters.other_gates, same.other_cells, same.other_emitted


def _across_timesteps(context: TourContext, statements: Statements | None) -> str:
    units, unit = context.layer_spec.units, context.unit
    if context.spec.timesteps == 1:
        return "No timestep follows in which they could read each other's outputs."
    reads = "From one timestep to the next they share: each reads the previous outputs of all units."
    if statements is None:
        return reads
    change = statements.next_timestep.cells
    if not change.moved:
        return (
            f"{reads} Here a change of unit {unit}'s output moved none of them: it made no difference that the type can hold."
        )
    after = "one timestep later" if context.length > 1 else "at the timestep that read it"
    return f"{reads} So a change of unit {unit}'s output moved {format_fraction_of(change.moved, units)} units {after}."


def _projection_claims(spec: Spec) -> tuple[str, ...]:
    if all(layer.projection is None for layer in spec.layers):
        return ()
    if spec.layers_differ:
        return ("Only the projection of a layer that has one mixes units at once: it computes h from all outputs.",)
    return ("The projection alone mixes units at once: it computes each number of h from the outputs of all units.",)


def _weight_sharing_claims(context: TourContext, statements: Statements | None) -> tuple[str, ...]:
    """The weights are the same at all timesteps."""
    if context.length == 1 or statements is None:
        return ()
    over = statements.over_time
    return (
        f"The weights are shared over time: one set of {plural(over.parameters, 'parameter')} made all {thousands(over.uses)} "
        f"timesteps{' of this layer and direction' if has_several_directions(context.spec) else ''}.",
    )


def _direction_claims(spec: Spec) -> tuple[str, ...]:
    backward_layers = [layer for layer, direction in spec.layer_directions if direction is Direction.BACKWARD]
    if not backward_layers:
        return ()
    above = " The layer above reads both." if backward_layers[0] < len(spec.layers) - 1 else ""
    return (f"Units that read forward and units that read backward never read each other within a layer.{above}",)


# --- the evidence -----------------------------------------------------------------------------------------------------


def _evidence_blocks(context: TourContext, influence: Influence) -> Document:
    statements = influence.statements
    where = f", in layer {influence.layer}, {influence.direction.value}," if has_several_directions(context.spec) else ""
    intro = (
        f"Measured just now on unit {context.unit}{where} at timestep {influence.step} of sample {influence.sample}. Each "
        f"change is of size {statements.by:g}."
    )
    blocks: list[Block] = [Paragraph(intro), _perturbation_table(context, influence)]
    if context.length == 1:
        blocks.append(Note("The only timestep has no previous one: the output that was changed is the initial state."))
    if context.length > 1 and not _nothing_moved(statements):
        blocks.append(Note(_weight_sharing_note(context, statements)))
    return (*blocks, *_attribution(influence))


def _perturbation_table(context: TourContext, influence: Influence) -> Table:
    t, before, unit, several = influence.step, influence.step - 1, context.unit, context.layer_spec.units > 1
    parameters, same, later = (
        influence.statements.parameters,
        influence.statements.same_timestep,
        influence.statements.next_timestep,
    )
    output_name = "h" if context.layer_spec.projection is None else "m"
    whose = f"unit {unit}" if context.layer_spec.projection is None else "its neurons"
    owned = f"all {thousands(parameters.owned)} parameters of {whose}"
    rows = [
        (owned, "its own gates", parameters.own_gates),
        (owned, "gates of the others", parameters.other_gates),
        (f"its memory c_{before}", f"its own c_{t}", same.own_cell),
        (f"its memory c_{before}", f"c_{t} of the others", same.other_cells),
        (f"its memory c_{before}", f"{output_name}_{t} of the others", same.other_emitted),
        (f"its output {output_name}_{before}", f"c_{t} of all units" if several else f"its own c_{t}", later.cells),
    ]
    visible_rows = [row for row in rows if several or "others" not in row[1]]
    columns = (Column("changed"), Column("looked at"), Column("moved", "right"), Column("by up to", "right"))
    return Table(columns, tuple(_perturbation_row(*row) for row in visible_rows))


def _perturbation_row(changed: str, observed: str, change: Change) -> tuple[Cell, ...]:
    size = f"{change.largest:.3g}" if change.moved else "0 exactly"
    return (Cell(changed), Cell(observed), Cell(format_fraction_of(change.moved, change.of), strong=True), Cell(size))


def _weight_sharing_note(context: TourContext, statements: Statements) -> str:
    over, dtype = statements.over_time, context.spec.dtype
    intro = f"The gates of all {thousands(over.uses)} timesteps, made again with one set of weights, differ from the run by"
    if over.difference < float(ROUNDING_LIMITS[dtype]):
        return f"{intro} less than {ROUNDING_LIMITS[dtype]}, the rounding of {dtype}."
    return f"{intro} up to {format_difference(over.difference)}."


def _attribution(influence: Influence) -> Document:
    """Where a unit's next value comes from, in the mean over the units."""
    shares = influence.derivatives.shares.mean
    total = sum(shares.values())
    if not isfinite(total) or abs(total - 1) > SUM_TOLERANCE:  # a unit that nothing moves has no shares
        return ()
    value = "h" if influence.layer_spec.projection is None else "c"
    others = f", {percent(shares['others'])} to the other units," if influence.layer_spec.units > 1 else ""
    text = (
        f"What moves a unit's next {value}? In the mean over all units {percent(shares['itself'])} is due to the unit "
        f"itself{others} and {percent(shares['input'])} to the input, judged by the sizes of the derivatives."
    )
    return (Paragraph(text),)
