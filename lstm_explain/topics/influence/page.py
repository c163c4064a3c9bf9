"""The page of `influence`: what units share, with the number that was measured behind every statement."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction
from lstm_explain.document.blocks import (
    Block,
    Cell,
    Column,
    Document,
    Heading,
    NextStep,
    Note,
    Paragraph,
    SideBySide,
    Sparkline,
    Table,
)
from lstm_explain.document.numbers import format_factor, percent, plural, thousands, tint, tint_scale
from lstm_explain.document.tables import MAX_ROWS, MAX_UNITS, elide_rows, ellipsis_row, heat_row, visible_ends
from lstm_explain.topics.command_line import format_sample_command
from lstm_explain.topics.influence.matrix_tables import matrix_blocks, memory_blocks
from lstm_explain.topics.influence.statement_tables import statement_blocks
from lstm_explain.topics.intro import closing_blocks, feature_names, sample_title

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.document.tables import Row
    from lstm_explain.topics.influence import Influence
    from lstm_explain.topics.influence.attribution import ThroughTime
    from lstm_explain.topics.perturbation import Ripple

SUGGESTED_STEP = 4
"""The timestep of the poke that is suggested."""


def document(influence: Influence) -> Document:
    """Lay out what was measured."""
    averaged = "" if influence.derivatives.averaged is None else "; derivatives averaged over all"
    blocks: list[Block] = [Heading(f"{sample_title(influence)}, timestep {influence.step}{averaged}", 1)]
    if influence.ripple is not None:
        blocks += _ripple_blocks(influence, influence.ripple)
        blocks.append(Heading("Are the units independent?"))
    blocks += [
        Paragraph(_answer(influence)),
        *statement_blocks(influence),
        SideBySide((tuple(_share_blocks(influence)), tuple(memory_blocks(influence)))),
        *matrix_blocks(influence),
    ]
    if influence.through_time is not None:
        blocks += _through_time_blocks(influence, influence.through_time)
    blocks += map(Note, _omission_notes(influence))
    return (*blocks, *closing_blocks(influence, _measurement_note(influence), _next_steps(influence)))


def _answer(influence: Influence) -> str:
    """What the numbers say together, but only what they do say."""
    statements, spec = influence.statements, influence.layer_spec
    parameters, same, unit = statements.parameters, statements.same_timestep, statements.unit
    if not parameters.own_gates.moved and not same.own_cell.moved:
        return (
            "Nothing moved, not even the unit that was changed: the numbers of this timestep are not finite, or the change is "
            "too small for them. So this shows nothing; try another --step, or a larger --by."
        )
    reached = statements.next_timestep.cells.moved
    if spec.units == 1:
        later = "its output h moved it" if reached else "its output h did not move it"
        return f"A single unit has no other unit to share with. One timestep later a change of {later}."
    others, gates = max(same.other_cells.moved, same.other_emitted.moved), parameters.other_gates
    within = "units moved each other" if others or gates.moved else "the units are independent"
    later = "they share information" if reached else "nothing is shared"
    mixed = " The projection alone mixes them at once: each number of h reads all of them." if spec.projection else ""
    return (
        f"Within a timestep {within}: a change of the memory c of unit {unit} moved {thousands(others)} of "
        f"{thousands(spec.units - 1)} other units, and a change of its weights {thousands(gates.moved)} of "
        f"{thousands(gates.of)} other gates. One timestep later {later}: a change of its output, which all units read, moved "
        f"{thousands(reached)} of {thousands(spec.units)} units.{mixed}"
    )


def _measurement_note(influence: Influence) -> str:
    averaged = influence.derivatives.averaged
    mean = (
        "" if averaged is None else f"; their absolute values are averaged over {plural(averaged, 'timestep')} of all samples"
    )
    return (
        "Each change is a run of its own, compared with the run bit by bit: 0 means that not one bit differs. Derivatives are "
        f"computed in closed form, in float64{mean}."
    )


def _next_steps(influence: Influence) -> list[NextStep]:
    unit, t = influence.statements.unit, min(SUGGESTED_STEP, influence.length)
    chosen = unit or None
    steps = []
    if influence.ripple is None:
        command = format_sample_command("influence", influence, unit=chosen, poke=unit, at=t)
        steps.append(NextStep(command, f"follow a change of unit {unit} to the end"))
    if influence.through_time is None:
        command = format_sample_command("influence", influence, unit=chosen, through_time=True)
        steps.append(NextStep(command, "how far back the last state reaches"))
    if influence.derivatives.averaged is None:
        command = format_sample_command("influence", influence, unit=chosen, mean=True)
        steps.append(NextStep(command, "derivatives averaged over all samples"))
    command = format_sample_command("explore", influence, unit=chosen)
    return [*steps, NextStep(command, "change any number, and see what moves")][:3]


# --- shares -----------------------------------------------------------------------------------------------------------


def _share_blocks(influence: Influence) -> list[Block]:
    shares, averaged = influence.derivatives.shares, influence.derivatives.averaged
    value = "h_t" if influence.layer_spec.projection is None else "c_t"
    columns = [values.tolist() for values in shares]
    rows = [_share_row(str(unit), parts) for unit, parts in enumerate(zip(*columns, strict=True))]
    mean = _share_row("mean", tuple(sum(values) / len(values) for values in columns))
    titles = ("unit", "  itself", "  others", "   input")  # wider than the numbers, so that they are apart
    steps = f"at timestep {influence.step}"
    if averaged is not None:
        steps = f"averaged over {plural(averaged, 'timestep')} of all samples"
    text = (
        f"If all that a unit's {value} depends on changed equally little, how much of the change would come from the unit "
        f"itself (its previous c and output), from the other units, and from x_t? Shares of absolute derivatives, {steps}."
    )
    return [
        Heading("Where a unit's next value comes from"),
        Paragraph(text),
        Table(tuple(Column(title, "right") for title in titles), (*elide_rows(rows, MAX_UNITS), mean)),
    ]


def _share_row(label: str, parts: tuple[float, ...]) -> Row:
    return (Cell(label, strong=True), *(Cell(percent(part), tint=tint(part, 1.0)) for part in parts))


# --- through time -----------------------------------------------------------------------------------------------------


def _through_time_blocks(influence: Influence, course: ThroughTime) -> list[Block]:
    end, names = course.end, feature_names(influence, "t")[:MAX_UNITS]
    norms = [course.hidden_norms.tolist(), course.cell_norms.tolist()]
    inputs = course.input_norms[:, : len(names)].tolist()
    scale = tint_scale(value for row in inputs for value in row)
    input_cells = [[Cell("")] * len(names)]  # the initial state is read with no input
    input_cells += [[Cell(format_factor(value), tint=tint(value, scale)) for value in row] for row in inputs]
    labels = ["start" if influence.direction is Direction.BACKWARD else "0", *map(str, course.steps)]
    rows = [
        (Cell(label, strong=True), Cell(format_factor(hidden)), Cell(format_factor(cell)), *cells)
        for label, hidden, cell, cells in zip(labels, *norms, input_cells, strict=True)
    ]
    titles = ("t", f"dh_{end}/dh_t", f"dc_{end}/dc_t", *names)
    sparklines = tuple(
        (
            Cell(title, strong=True),
            Cell(format_factor(values[0])),
            Sparkline(tuple(values), 1.0, signed=False, axis=axis),
            Cell(format_factor(values[-1])),
        )
        for title, values, axis in zip(titles[1:3], norms, (None, (labels[0], labels[-1])), strict=True)
    )
    return [
        Heading(f"Through time: how the last state, at timestep {end}, depends on every state and input before it"),
        Paragraph(_reach(influence, course)),
        Table(tuple(Column(title, "right") for title in titles), _elide_early(rows)),
        Table(tuple(map(Column, ("", "first", "from 0 to 1", "last"))), sparklines),
    ]


def _elide_early(rows: list[Row]) -> tuple[Row, ...]:
    """Of many rows, show more of the last than of the first: the first have often vanished."""
    back, front = visible_ends(rows, MAX_ROWS)
    return (*rows[:front], ellipsis_row(len(rows[0])), *rows[-back:]) if front else tuple(rows)


def _reach(influence: Influence, course: ThroughTime) -> str:
    """Whether the gradient vanishes, and which input moved the last output most."""
    index = min(1, len(course.steps) - 1)  # from the first timestep; from the initial state if there is only one
    first, end = ("0" if index == 0 else str(course.steps[0])), course.end
    hidden, cell = float(course.hidden_norms[index]), float(course.cell_norms[index])
    sizes = course.input_norms
    largest = float(sizes.max())
    if not all(map(isfinite, (hidden, cell, largest))):
        return "Some numbers of this run are not finite. Their derivatives are shown as dots."
    step, feature = divmod(int(sizes.argmax()), sizes.shape[1])
    name = feature_names(influence, "{}")[feature].replace("x_{}", f"x_{course.steps[step]}", 1)
    strongest = f"{name} moves it most: by {largest:.3g} times its own change." if largest else "No input moves it at all."
    order = " The timesteps are in the order of reading, from the last to the first."
    network_input = "the network's own input" if influence.layer else "the input"
    return (
        f"A small change of h_{first} becomes at most {hidden:.3g} times as large in h_{end}, and one of c_{first} at most "
        f"{cell:.3g} times in c_{end}: these are spectral norms. Below each x_t, {network_input}, is how far h_{end} moves "
        f"with it: the length of the derivative. {strongest}{order if influence.direction is Direction.BACKWARD else ''}"
    )


# --- the ripple -------------------------------------------------------------------------------------------------------


def _ripple_blocks(influence: Influence, ripple: Ripple) -> list[Block]:
    """The changes of h and c in percent of the poke, so that the first and the last timesteps can be read in one table."""
    plain = influence.layer_spec.projection is None
    target = f"h_{ripple.at}[{ripple.unit}]" if plain else f"The output of unit {ripple.unit} at timestep {ripple.at}"
    counts, total = ripple.moved_counts, ripple.hidden.shape[1]
    alone = ", the one that was changed" if plain and counts[0] == 1 else ""
    sentences = [f"{target} is changed by {ripple.by:g}, and the sample is run on to its end."]
    if total > 1:
        sentences.append(f"At timestep {ripple.at}, {thousands(counts[0])} of {thousands(total)} numbers of h moved{alone}.")
    if total > 1 and len(counts) > 1:
        sentences.append(f"At timestep {ripple.steps[1]}, {thousands(counts[1])} of {thousands(total)} moved.")
    unit = "percent of the change, timestep by timestep"
    return [
        Paragraph(" ".join(sentences)),
        SideBySide(
            (
                (Heading(f"How far h moved: {unit}"), _ripple_table(ripple, ripple.hidden, "unit" if plain else "number")),
                (Heading(f"How far c moved: {unit}"), _ripple_table(ripple, ripple.cell, "unit")),
            )
        ),
    ]


def _ripple_table(ripple: Ripple, changes: Array, noun: str) -> Table:
    """A row for each timestep, a column for each of at most 16 numbers, that of the poked unit among them."""
    total = changes.shape[1]
    first = min(max(0, ripple.unit + 1 - MAX_UNITS), max(0, total - MAX_UNITS)) if noun == "unit" else 0
    columns = range(first, min(first + MAX_UNITS, total))
    percents = [[100 * (row[column] / ripple.by) for column in columns] for row in changes.tolist()]
    scale = tint_scale(value for row in percents[1:] for value in row)
    rows = [
        (*heat_row(str(t), values, scale, 2), Cell(thousands(int(moved))))
        for t, moved, values in zip(ripple.steps, (changes != 0).sum(axis=1), percents, strict=True)
    ]
    titles = (f"t \\ {noun}", *map(str, columns), "moved")
    return Table(tuple(Column(title, "right") for title in titles), elide_rows(rows))


# --- what is not shown ------------------------------------------------------------------------------------------------


def _omission_notes(influence: Influence) -> list[str]:
    notes, spec, course = [], influence.layer_spec, influence.through_time
    if spec.units > MAX_UNITS:
        notes.append(f"{MAX_UNITS} of {thousands(spec.units)} units are shown; --json has all.")
    features = max(len(influence.derivatives.matrices.hidden_by_input[0]), influence.spec.features if course else 0)
    if features > MAX_UNITS:
        notes.append(f"{MAX_UNITS} of {thousands(features)} numbers of x_t are shown; --json has all.")
    if course is not None and len(course.steps) >= MAX_ROWS:
        notes.append(f"{MAX_ROWS} of {thousands(len(course.steps) + 1)} states are shown; --json has all.")
    return notes
