"""influence, in words and tables: what units share, with the number that was measured behind every statement."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Sparkline, Table
from lstm_explain.document.numbers import (
    format_difference,
    format_factor,
    format_fraction,
    percent,
    plural,
    thousands,
    tint,
    tint_scale,
)
from lstm_explain.document.tables import MAX_ROWS, MAX_UNITS, elide_rows, ellipsis_row, heat_row, visible_ends
from lstm_explain.document.text import previous_step_name
from lstm_explain.topics.intro import feature_names, lstm_summary, sample_title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.document.tables import Row
    from lstm_explain.topics.influence import Influence
    from lstm_explain.topics.influence.attribution import ThroughTime
    from lstm_explain.topics.perturbation import Change, Ripple

ITSELF = "*"
"""Marks the diagonal of a matrix: a unit's influence on itself."""
LAST_BITS = 1e-15
ROUNDING = {"float32": 1e-5, "float64": 1e-12}
"""A smaller difference between two computations of the same number is rounding."""


def document(influence: Influence) -> Document:
    """Lay out what was measured."""
    averaged = "" if influence.derivatives.averaged is None else "; derivatives averaged over all"
    blocks: list[Block] = [
        Heading(f"{sample_title(influence)}, timestep {influence.step}{averaged}", 1),
        Paragraph(lstm_summary(influence)),
        Heading("Are the units independent? Four statements, each just measured"),
        Paragraph(_verdict(influence)),
        _statement_table(influence),
        Heading("Where a unit's next value comes from"),
        *_share_blocks(influence),
        *_matrix_blocks(influence),
    ]
    if influence.through_time is not None:
        blocks += _through_time_blocks(influence, influence.through_time)
    if influence.ripple is not None:
        blocks += _ripple_blocks(influence, influence.ripple)
    return (*blocks, *map(Note, _notes(influence)))


# --- the four statements ----------------------------------------------------------------------------------------------


def _statement_table(influence: Influence) -> Table:
    statements, t, previous = influence.statements, influence.step, _previous_step(influence)
    weights, same, later, over = (
        statements.parameters,
        statements.same_timestep,
        statements.next_timestep,
        statements.over_time,
    )
    by, unit = f"{statements.by:g}", statements.unit
    output = "h" if influence.layer_spec.projection is None else "o tanh(c)"
    rows = [
        (
            "1 parameters",
            f"All {thousands(weights.owned)} parameters of unit {unit}, of the {thousands(weights.per_layer)} that the units "
            f"own, are changed by {by}, and timestep {t} is computed again.",
            f"Its own gates: {_change_text(weights.own_gates)}. Gates of other units: {_change_text(weights.other_gates)}.",
        ),
        (
            "2 same timestep",
            f"c_{previous}[{unit}] is changed by {by} as timestep {t} begins.",
            f"Its own c_{t}: {_change_text(same.own_cell)}; its own {output}: {_change_text(same.own_emitted)}. "
            f"c_{t} of other units: {_change_text(same.other_cells)}; their {output}: {_change_text(same.other_emitted)}.",
        ),
        (
            "3 next timestep",
            f"{_changed_output(influence)} is changed by {by}, and read at timestep {t}.",
            f"c_{t}: {_change_text(later.cells)}. h_{t}: {_change_text(later.hidden)}.",
        ),
        (
            "4 over time",
            f"One kernel is used {plural(over.uses, 'time')}: the gates of all timesteps are computed with it again.",
            f"{thousands(over.parameters)} parameters, counted once. Largest difference from the gates of the run: "
            f"{_rounding_text(influence)}.",
        ),
    ]
    columns = (Column("statement"), Column("what was done", wraps=True), Column("what moved", wraps=True))
    return Table(columns, tuple((Cell(name, strong=True), Cell(action), Cell(effect)) for name, action, effect in rows))


def _changed_output(influence: Influence) -> str:
    """What statement 3 changes."""
    unit, first = influence.statements.unit, 1 if influence.direction is Direction.FORWARD else influence.length
    if influence.step == first:
        return f"The initial h, as if it were an output of unit {unit},"
    return f"The output of unit {unit} at timestep {_previous_step(influence)}"


def _previous_step(influence: Influence) -> str:
    """The number of the timestep that was read before: t-1, or t+1 backwards."""
    if influence.direction is Direction.FORWARD:
        return str(influence.step - 1)
    return str(influence.step + 1) if influence.step < influence.length else "start"


def _rounding_text(influence: Influence) -> str:
    """The fourth difference, which need not be exactly 0: all timesteps at once are another product than one by one."""
    difference, dtype = influence.statements.over_time.difference, influence.spec.dtype
    if dtype == "float64" and difference < LAST_BITS:  # the last bits depend on the processor
        return f"below {LAST_BITS:.0e} (rounding of {dtype})"
    return format_difference(difference) + (f" (rounding of {dtype})" if 0 < difference < ROUNDING[dtype] else "")


def _change_text(change: Change) -> str:
    """3 of 9 moved, by up to 0.0136"""
    if change.of == 0:
        return "none to move"
    if change.moved == 0:
        return f"0 of {thousands(change.of)} moved: 0 exactly"
    return f"{thousands(change.moved)} of {thousands(change.of)} moved, by up to {change.largest:.3g}"


def _verdict(influence: Influence) -> str:
    """What the four numbers say together, but only what they do say."""
    statements, spec = influence.statements, influence.layer_spec
    parameters, same = statements.parameters, statements.same_timestep
    if spec.units == 1:
        return "A single unit has no other unit to share with."
    if not parameters.own_gates.moved and not same.own_cell.moved:
        return (
            "Nothing moved, not even the unit that was changed: the numbers of this timestep are not finite, or the change is "
            "too small for them. So this shows nothing; try another --step, or a larger --by."
        )
    independent = not any(change.moved for change in (parameters.other_gates, same.other_cells, same.other_emitted))
    within = (
        "the units are independent: each has its own parameters, and no other unit's new state reaches it"
        if independent
        else "units moved each other"
    )
    reached = statements.next_timestep.cells.moved
    units = f"{thousands(reached)} of {thousands(spec.units)} units have" if reached else "no unit has"
    mixed = " The projection alone mixes them at once: each number of h reads all of them." if spec.projection else ""
    return f"Within a timestep {within}. One timestep later {units} been reached by a change, through h.{mixed}"


# --- shares -----------------------------------------------------------------------------------------------------------


def _share_blocks(influence: Influence) -> list[Block]:
    shares, averaged = influence.derivatives.shares, influence.derivatives.averaged
    value = "h_t" if influence.layer_spec.projection is None else "c_t"
    columns = [values.tolist() for values in shares]
    rows = [_share_row(str(unit), parts) for unit, parts in enumerate(zip(*columns, strict=True))]
    mean = _share_row("mean", tuple(sum(values) / len(values) for values in columns))
    titles = (f"{value} of unit", "itself", "other units", "the input")
    steps = f"at timestep {influence.step}"
    if averaged is not None:
        steps = f"averaged over {plural(averaged, 'timestep')} of all samples"
    text = (
        f"If everything that a unit's {value} depends on changed equally little, how much would come from the unit itself "
        f"(its previous c and output), how much from the other units, and how much from x_t? Absolute derivatives, {steps}."
    )
    return [Paragraph(text), Table(tuple(Column(title, "right") for title in titles), (*elide_rows(rows, MAX_UNITS), mean))]


def _share_row(label: str, parts: tuple[float, ...]) -> Row:
    return (Cell(label, strong=True), *(Cell(percent(part), tint=tint(part, 1.0)) for part in parts))


# --- matrices ---------------------------------------------------------------------------------------------------------


def _matrix_blocks(influence: Influence) -> list[Block]:
    """Heat tables of all derivatives of the timestep, or of their mean sizes: a row for each number that moves."""
    matrices, plain = influence.derivatives.matrices, influence.layer_spec.projection is None
    previous = previous_step_name(influence.direction)
    previous_h, previous_c = f"h_{{{previous}}}", f"c_{{{previous}}}"
    by_input = matrices.hidden_by_input
    names = [f"x_t[{column}]" for column in range(len(by_input[0]))] if influence.layer else feature_names(influence, "t")
    unit = _noun(influence, len(by_input))
    return [
        *_square_matrix(influence, "h_t", previous_h, matrices.hidden_by_hidden, plain),
        *_square_matrix(influence, "c_t", previous_h, matrices.cell_by_hidden, plain),
        *([] if plain else _square_matrix(influence, "h_t", previous_c, matrices.hidden_by_cell, False)),
        *_diagonal_blocks(influence, previous_c),
        Heading(f"{_derivative(influence, 'h_t', 'x_t')}: how far each {unit} of h_t moves with each input"),
        *map(Paragraph, [_input_layer(influence)] if influence.layer else []),
        _heat_table(unit, names, by_input),
    ]


def _input_layer(influence: Influence) -> str:
    return f"In layer {influence.layer}, x_t is the output of layer {influence.layer - 1}."


def _square_matrix(influence: Influence, moves: str, moved_by: str, matrix: Array, diagonal: bool) -> list[Block]:
    row, column = (_noun(influence, size) for size in matrix.shape)
    name = _derivative(influence, moves, moved_by)
    heading = Heading(f"{name}: a row for each {row} of {moves}, a column for the {column} of {moved_by} that moves it")
    explanation = [Paragraph(_diagonal_summary(matrix))] if diagonal else []
    return [heading, *explanation, _heat_table(row, [str(number) for number in range(matrix.shape[1])], matrix, diagonal)]


def _derivative(influence: Influence, moves: str, moved_by: str) -> str:
    name = f"d{moves}/d{moved_by}"
    return name if influence.derivatives.averaged is None else f"mean |{name}|"


def _noun(influence: Influence, size: int) -> str:
    """A unit, or a number of h where a projection mixes them."""
    return "unit" if size == influence.layer_spec.units else "number"


def _diagonal_summary(matrix: Array) -> str:
    sizes, units = abs(matrix), len(matrix)
    diagonal = float(sizes.trace())
    others = float(sizes.sum()) - diagonal
    marked = f"The diagonal, marked {ITSELF}, is a unit's influence on itself"
    if not isfinite(diagonal + others):
        return f"{marked}; the other numbers are the influence of other units."
    if units == 1:
        return f"{marked}: {diagonal:.3g} in absolute value."
    return (
        f"{marked}. The mean absolute value is {diagonal / units:.3g} on it and {others / (units * (units - 1)):.3g} off it."
    )


def _diagonal_blocks(influence: Influence, previous_c: str) -> list[Block]:
    """The matrices that are 0 off their diagonals, which is counted; as columns."""
    matrices = {_derivative(influence, "c_t", previous_c): influence.derivatives.matrices.cell_by_cell}
    if influence.layer_spec.projection is None:
        matrices[_derivative(influence, "h_t", previous_c)] = influence.derivatives.matrices.hidden_by_cell
    pairs = sum(matrix.size - len(matrix) for matrix in matrices.values())
    zeros = sum(int((matrix == 0).sum()) - int((matrix.diagonal() == 0).sum()) for matrix in matrices.values())
    text = f"Memory is private: off these diagonals {thousands(zeros)} of {thousands(pairs)} numbers are exactly 0."
    columns = zip(*(matrix.diagonal().tolist() for matrix in matrices.values()), strict=True)
    rows = [heat_row(str(unit), values, 1.0) for unit, values in enumerate(columns)]
    return [
        Heading(f"{' and '.join(matrices)}: how far a unit's memory moves its next values"),
        *map(Paragraph, [text] if pairs else []),  # a single unit has nothing off the diagonal
        Table((Column("unit", "right"), *(Column(name, "right") for name in matrices)), elide_rows(rows, MAX_UNITS)),
    ]


def _heat_table(corner: str, columns: Sequence[str], matrix: Array, diagonal: bool = False) -> Table:
    """A heat table; the diagonal is marked where it means a unit itself."""
    scale, columns = tint_scale(matrix.ravel().tolist()), columns[:MAX_UNITS]
    rows = [
        _matrix_row(str(number), values[: len(columns)].tolist(), scale, number if diagonal else None)
        for number, values in enumerate(matrix)
    ]
    titles = (Column(name + " " * diagonal, "right") for name in columns)
    return Table((Column(corner, "right"), *titles), elide_rows(rows, MAX_UNITS))


def _matrix_row(label: str, values: list[float], scale: float, itself: int | None) -> Row:
    """A row of a matrix; `itself` is the column that means the unit itself, if any."""
    marks = ["" if itself is None else ITSELF if column == itself else " " for column in range(len(values))]
    cells = (
        Cell(format_fraction(value, 3) + mark, tint=tint(value, scale), strong=mark == ITSELF)
        for value, mark in zip(values, marks, strict=True)
    )
    return (Cell(label, strong=True), *cells)


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
            Sparkline(tuple(values), 1.0, signed=False),
            Cell(format_factor(values[-1])),
        )
        for title, values in zip(titles[1:3], norms, strict=True)
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
    """The change of h in percent of the poke, so that the first and the last timesteps can be read in one table."""
    percents = [[100 * (value / ripple.by) for value in row] for row in ripple.hidden[:, :MAX_UNITS].tolist()]
    scale = tint_scale(value for row in percents[1:] for value in row)
    rows = [
        (*heat_row(str(t), values, scale, 2), Cell(thousands(moved)))
        for t, moved, values in zip(ripple.steps, ripple.moved_counts, percents, strict=True)
    ]
    plain = influence.layer_spec.projection is None
    titles = (f"t \\ {'unit' if plain else 'number'}", *map(str, range(len(percents[0]))), "moved")
    target = f"h_{ripple.at}[{ripple.unit}]" if plain else f"The output of unit {ripple.unit} at timestep {ripple.at}"
    text = (
        f"{target} is changed by {ripple.by:g}, and the sample is run on to its end. The table shows how far every number of "
        "h moved, in percent of the poke: the changed run minus the run, not a derivative. The last column "
        "counts how many moved."
    )
    return [
        Heading(f"The ripple of a poke at timestep {ripple.at}"),
        Paragraph(text),
        Table(tuple(Column(title, "right") for title in titles), elide_rows(rows)),
    ]


# --- what is not shown ------------------------------------------------------------------------------------------------


def _notes(influence: Influence) -> list[str]:
    notes, spec, course = [], influence.layer_spec, influence.through_time
    if spec.units > MAX_UNITS:
        notes.append(f"{MAX_UNITS} of {thousands(spec.units)} units are shown; --json has all.")
    features = max(len(influence.derivatives.matrices.hidden_by_input[0]), influence.spec.features if course else 0)
    if features > MAX_UNITS:
        notes.append(f"{MAX_UNITS} of {thousands(features)} numbers of x_t are shown; --json has all.")
    if course is not None and len(course.steps) >= MAX_ROWS:
        notes.append(f"{MAX_ROWS} of {thousands(len(course.steps) + 1)} states are shown; --json has all.")
    if influence.derivatives.averaged is None:
        notes.append("Add --mean to average the derivatives over all timesteps of all samples, --step for another timestep.")
    if course is None:
        notes.append("Add --through-time to see how far back the last state reaches.")
    if influence.ripple is None:
        options = f"--poke {min(3, spec.units - 1)} --at {min(4, influence.length)}"
        notes.append(f"Add {options} to follow a change of one unit through all later timesteps.")
    return notes
