"""The four statements of `influence`: a picture of what moved where, a table of how far, and the weights over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.gates import Direction
from lstm_explain.document.blocks import (
    Block,
    Cell,
    Column,
    FirstThatFits,
    Heading,
    Paragraph,
    Preformatted,
    SideBySide,
    Table,
)
from lstm_explain.document.numbers import format_difference, percent, plural, thousands

if TYPE_CHECKING:
    from lstm_explain.document.tables import Row
    from lstm_explain.topics.influence import Influence
    from lstm_explain.topics.perturbation import Change

LAST_BITS = 1e-15
ROUNDING = {"float32": 1e-5, "float64": 1e-12}
"""A smaller difference between two computations of the same number is rounding."""
DRAWN_UNITS = (16, 9)
"""How many units a picture shows on a wide and on a narrow page."""
CHANGED, MOVED, STILL, UNKNOWN, CUT = "◆", "●", "○", "·", "…"
KEY = f"{CHANGED} changed  {MOVED} moved  {STILL} did not move"


def statement_blocks(influence: Influence) -> list[Block]:
    """Draw and list what moved."""
    unit = influence.statements.unit
    pictures = tuple((Preformatted(_draw_changes(influence, limit)),) for limit in DRAWN_UNITS)
    picture = (Heading(f"What moved when c, and then h, of unit {unit} was changed"), FirstThatFits((*pictures, ())))
    table = (Heading(f"Unit {unit} was changed: how many numbers moved, and how far"), _statement_table(influence))
    return [SideBySide((picture, table)), Paragraph(_weights_over_time(influence))]


# --- the picture ------------------------------------------------------------------------------------------------------


class StateRow(NamedTuple):
    """A line of the picture: one state of all units at a timestep."""

    time: str
    state: str
    marks: dict[int, str]
    """The marks of units that are not marked as the others are."""
    others: str
    """The mark of all other units, or none where the state is not of units."""
    text: str


def _draw_changes(influence: Influence, limit: int) -> tuple[str, ...]:
    """Draw the changed state and, below it, what moved; at most `limit` units, the changed one among them."""
    statements, spec, plain = influence.statements, influence.layer_spec, influence.layer_spec.projection is None
    same, later, unit = statements.same_timestep, statements.next_timestep, statements.unit
    before, now = _time_name(influence), f"timestep {influence.step}"
    output = "output h" if plain else "output m"
    changed, by = {unit: CHANGED}, f"changed by {statements.by:g}"
    memory = [
        StateRow(before, "memory c", changed, UNKNOWN, by),
        StateRow(now, "memory c", {unit: _mark(same.own_cell)}, _mark(same.other_cells), _others_text(same.other_cells)),
        StateRow("", output, {unit: _mark(same.own_emitted)}, _mark(same.other_emitted), _others_text(same.other_emitted)),
    ]
    c_text, h_text = (
        _all_text(change, noun) for change, noun in ((later.cells, "unit"), (later.hidden, "unit" if plain else "number"))
    )
    sharing = [
        StateRow(before, output, changed, UNKNOWN, by),
        StateRow(now, "memory c", {}, _mark(later.cells), c_text),
        StateRow("", "output h" if plain else "h", {}, _mark(later.hidden) if plain else "", h_text),
    ]
    first = max(0, min(unit - limit // 2, spec.units - limit))
    units = range(first, min(first + limit, spec.units))
    label = max(len(row.time) for row in memory) + 2
    size = len(str(units[-1])) + 1
    before_units, after_units = CUT if units[0] > 0 else " ", CUT if units[-1] < spec.units - 1 else ""
    header = f"{'':{label}}{'unit':>8}{before_units}{''.join(f'{number:>{size}}' for number in units)} {after_units}"
    lines = [header, *(_draw_row(row, units, label, size) for row in memory), ""]
    lines += [*(_draw_row(row, units, label, size) for row in sharing), "", KEY]
    return tuple(line.rstrip() for line in lines)


def _draw_row(row: StateRow, units: range, label: int, size: int) -> str:
    marks = "".join(f"{row.marks.get(number, row.others):>{size}}" for number in units)
    return f"{row.time:{label}}{row.state:8} {marks}   {row.text}"


def _mark(change: Change) -> str:
    """The mark of units of which all moved, or none."""
    return {0: STILL, change.of: MOVED}.get(change.moved, UNKNOWN)


def _count_text(change: Change) -> str:
    return f"{thousands(change.moved)} of {thousands(change.of)}"


def _all_text(change: Change, noun: str) -> str:
    return f"{thousands(change.moved)} of {plural(change.of, noun)} moved"


def _others_text(change: Change) -> str:
    return f"{_count_text(change)} other units moved" if change.of else "there is no other unit"


def _time_name(influence: Influence) -> str:
    """The previous timestep, or the initial state."""
    previous = _previous_step(influence)
    return "initial" if previous in ("0", "start") else f"timestep {previous}"


# --- the table --------------------------------------------------------------------------------------------------------


def _statement_table(influence: Influence) -> Table:
    statements, t, previous = influence.statements, influence.step, _previous_step(influence)
    weights, same, later = statements.parameters, statements.same_timestep, statements.next_timestep
    plain, of_all = influence.layer_spec.projection is None, influence.layer_spec.units > 1
    output = "h" if plain else "m"
    h_of_all = f"h_{t} of all units" if of_all else f"its own h_{t}"
    groups = {
        f"its {thousands(weights.owned)} weights": (
            ("its own gates", weights.own_gates),
            ("gates of other units", weights.other_gates),
        ),
        f"its memory c_{previous}": (
            (f"its own c_{t}", same.own_cell),
            (f"its own {output}_{t}", same.own_emitted),
            (f"c_{t} of other units", same.other_cells),
            (f"{output}_{t} of other units", same.other_emitted),
        ),
        f"its output {output}_{previous}": (
            (f"c_{t} of all units" if of_all else f"its own c_{t}", later.cells),
            (h_of_all if plain else f"numbers of h_{t}", later.hidden),
        ),
    }
    rows: list[Row] = []
    for number, (name, changes) in enumerate(groups.items()):
        existing = [(target, change) for target, change in changes if change.of]
        for index, (target, change) in enumerate(existing):
            share = percent(change.largest / abs(statements.by)) if number and change.moved else ""
            largest = f"{change.largest:.3g}" if change.moved else "0 exactly"
            cells = (Cell(target), Cell(_count_text(change)), Cell(largest), Cell(share))
            rows.append((Cell("" if index else name, strong=True), *cells))
    titles = ("moved", "by up to", f"of {abs(statements.by):g}")
    columns = (
        Column(f"changed by {statements.by:g}"),
        Column("what could move"),
        *(Column(title, "right") for title in titles),
    )
    return Table(columns, tuple(rows))


def _previous_step(influence: Influence) -> str:
    """The number of the timestep that was read before: t-1, or t+1 backwards."""
    if influence.direction is Direction.FORWARD:
        return str(influence.step - 1)
    return str(influence.step + 1) if influence.step < influence.length else "start"


def _weights_over_time(influence: Influence) -> str:
    over = influence.statements.over_time
    uses = f"all {thousands(over.uses)} timesteps use" if over.uses > 1 else "the one timestep uses"
    return (
        f"Over time a layer shares its weights: {uses} the same {thousands(over.parameters)} parameters, counted once. The "
        f"gates of all timesteps, computed again with them at once, differ from those of the run by "
        f"{_rounding_text(influence)}."
    )


def _rounding_text(influence: Influence) -> str:
    """The fourth difference, which need not be exactly 0: all timesteps at once are another product than one by one."""
    difference, dtype = influence.statements.over_time.difference, influence.spec.dtype
    if dtype == "float64" and difference < LAST_BITS:  # the last bits depend on the processor
        return f"less than {LAST_BITS:.0e} (rounding of {dtype})"
    if difference == 0:
        return "0 exactly"
    return f"up to {format_difference(difference)}" + (f" (rounding of {dtype})" if difference < ROUNDING[dtype] else "")
