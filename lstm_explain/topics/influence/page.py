"""influence, in words and tables: what units share, with the number that was measured behind every statement."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Sparkline, Table
from lstm_explain.document.numbers import format_decimal, format_difference, format_factor, percent, plural, thousands, tint
from lstm_explain.document.tables import MAX_ROWS, MAX_UNITS, elide_rows, ellipsis_row, visible_ends
from lstm_explain.topics.influence.jacobian_tables import largest, matrices
from lstm_explain.topics.intro import feature_names, lstm_summary

if TYPE_CHECKING:
    from lstm_explain.topics.influence import Influence
    from lstm_explain.topics.influence.gradient_flow import ThroughTime
    from lstm_explain.topics.influence.perturbation import Change, Ripple

LAST_BITS = 1e-15
ROUNDING = {"float32": 1e-5, "float64": 1e-12}
"""Below it, a difference of two ways to compute the same number is rounding."""


def document(influence: Influence) -> Document:
    """Lay out what was measured."""
    where = f"sample {thousands(influence.sample)}, layer {influence.layer}, {influence.direction.value}"
    blocks: list[Block] = [
        Heading(f"influence: {where}, timestep {influence.step}{_averaged(influence)}", 1),
        Paragraph(lstm_summary(influence)),
        Heading("Are the units independent? Four statements, each measured just now"),
        Paragraph(_verdict(influence)),
        _statements(influence),
        Heading("Where a unit's next value comes from"),
        *_shares(influence),
        *matrices(influence),
    ]
    if influence.through_time is not None:
        blocks += _through_time(influence, influence.through_time)
    if influence.ripple is not None:
        blocks += _ripple(influence, influence.ripple)
    return (*blocks, *map(Note, _notes(influence)))


def _averaged(influence: Influence) -> str:
    return "" if influence.derivatives.averaged is None else "; derivatives averaged over all"


# --- the four statements ----------------------------------------------------------------------------------------------


def _statements(influence: Influence) -> Table:
    found, t, before = influence.statements, influence.step, _before(influence)
    own, same, later, over = found.parameters, found.same_timestep, found.next_timestep, found.over_time
    by, unit = f"{found.by:g}", found.unit
    emitted = "h" if influence.layer_spec.projection is None else "o tanh(c)"
    rows = [
        (
            "1 parameters",
            f"All {thousands(own.owned)} parameters of unit {unit}, of the {thousands(own.per_layer)} that the units own, "
            f"changed by {by}; timestep {t} again.",
            f"Its own gates: {_moved(own.own_gates)}. Gates of other units: {_moved(own.other_gates)}.",
        ),
        (
            "2 same timestep",
            f"c_{before}[{unit}] changed by {by}, as timestep {t} begins.",
            f"Its own c_{t}: {_moved(same.own_cell)}; its own {emitted}: {_moved(same.own_emitted)}. "
            f"c_{t} of other units: {_moved(same.other_cells)}; their {emitted}: {_moved(same.other_emitted)}.",
        ),
        (
            "3 next timestep",
            f"{_emitted(influence)} changed by {by}, read at timestep {t}.",
            f"c_{t}: {_moved(later.cells)}. h_{t}: {_moved(later.hidden)}.",
        ),
        (
            "4 over time",
            f"One kernel, used {plural(over.uses, 'time')}: the gates of all timesteps made with it again.",
            f"{thousands(over.parameters)} parameters, counted once. Largest difference to the gates of the run: "
            f"{_rounding(influence)}.",
        ),
    ]
    columns = (Column("statement"), Column("what was done", wraps=True), Column("what moved", wraps=True))
    return Table(columns, tuple((Cell(name, strong=True), Cell(done), Cell(moved)) for name, done, moved in rows))


def _rounding(influence: Influence) -> str:
    """The fourth difference, which need not be exactly 0: all timesteps at once are another product than one by one."""
    difference, dtype = influence.statements.over_time.difference, influence.spec.dtype
    if dtype == "float64" and difference < LAST_BITS:  # not told apart: the last bits depend on the processor
        return f"below {LAST_BITS:.0e} (rounding of {dtype})"
    return format_difference(difference) + (f" (rounding of {dtype})" if 0 < difference < ROUNDING[dtype] else "")


def _moved(change: Change) -> str:
    """3 of 9 moved, by up to 0.0136"""
    if change.of == 0:
        return "there are none"
    if change.moved == 0:
        return f"0 of {thousands(change.of)} moved: 0 exactly"
    return f"{thousands(change.moved)} of {thousands(change.of)} moved, by up to {change.largest:.3g}"


def _verdict(influence: Influence) -> str:
    """What the four numbers say together; said only where they say it."""
    found = influence.statements
    still = (found.parameters.other_gates, found.same_timestep.other_cells, found.same_timestep.other_emitted)
    if influence.layer_spec.units == 1:
        return "With a single unit there is nobody to share with."
    if not found.parameters.own_gates.moved and not found.same_timestep.own_cell.moved:
        return (
            "Nothing moved, not even what was poked itself: the numbers of this timestep are not finite, or the poke is too "
            "small for them. So nothing is shown here; try another --step, or a larger --by."
        )
    alone = not any(change.moved for change in still)
    shared = found.next_timestep.cells.moved
    independent = "the units are independent: each has parameters of its own, and no other unit's new state reaches it"
    first = f"Within a timestep {independent if alone else 'units moved each other'}."
    mixed = (
        " The projection alone mixes them at once: each number of h reads all of them."
        if influence.layer_spec.projection
        else ""
    )
    heard = f"{thousands(shared)} of {thousands(influence.layer_spec.units)} units have" if shared else "no unit has"
    then = f"One timestep later {heard} heard of a change, through h."
    return f"{first} {then}{mixed}"


# --- shares -----------------------------------------------------------------------------------------------------------


def _shares(influence: Influence) -> list[Block]:
    shares, spec = influence.derivatives.shares, influence.layer_spec
    value = "h_t" if spec.projection is None else "c_t"
    lists = [values.tolist() for values in shares]
    rows = [_share_row(str(unit), parts) for unit, parts in enumerate(zip(*lists, strict=True))]
    mean = _share_row("mean", tuple(sum(values) / len(values) for values in lists))
    titles = (f"{value} of unit", "itself", "other units", "the input")
    words = (
        f"Of all that can move a unit's {value}, changed equally little: how much does the unit itself do (its last c, and "
        f"what it emitted last), how much the others, how much x_t? The sizes of the derivatives, {_when(influence)}."
    )
    return [Paragraph(words), Table(tuple(Column(title, "right") for title in titles), (*elide_rows(rows, MAX_UNITS), mean))]


def _share_row(label: str, parts: tuple[float, ...]) -> tuple[Cell, ...]:
    return (Cell(label, strong=True), *(Cell(percent(part), tint=tint(part, 1.0)) for part in parts))


def _when(influence: Influence) -> str:
    averaged = influence.derivatives.averaged
    if averaged is None:
        return f"at timestep {influence.step}"
    return f"averaged over {plural(averaged, 'timestep')} of all samples"


# --- through time -----------------------------------------------------------------------------------------------------


def _through_time(influence: Influence, found: ThroughTime) -> list[Block]:
    end = found.end
    names = feature_names(influence, "t")[:MAX_UNITS]
    norms = [found.hidden_norms.tolist(), found.cell_norms.tolist()]
    inputs = found.input_norms[:, : len(names)].tolist()
    scale = largest(value for row in inputs for value in row)
    rows = [_norm_row("start" if influence.direction is Direction.BACKWARD else "0", norms[0][0], norms[1][0], [])]
    rows[0] += (Cell(""),) * len(names)
    for place, t in enumerate(found.steps):
        cells = [Cell(format_factor(value), tint=tint(value, scale)) for value in inputs[place]]
        rows.append(_norm_row(str(t), norms[0][place + 1], norms[1][place + 1], cells))
    titles = ("t", f"dh_{end}/dh_t", f"dc_{end}/dc_t", *names)
    courses = [
        (
            Cell(title, strong=True),
            Cell(format_factor(each[0])),
            Sparkline(tuple(each), 1.0, signed=False),
            Cell(format_factor(each[-1])),
        )
        for title, each in zip(titles[1:3], norms, strict=True)
    ]
    return [
        Heading(f"Through time: how the last state, at timestep {end}, depends on every timestep before"),
        Paragraph(_reach(influence, found)),
        Table(tuple(Column(title, "right") for title in titles), tuple(_late(rows))),
        Table(tuple(map(Column, ("", "first", "from 0 to 1", "last"))), tuple(courses)),
    ]


def _norm_row(label: str, hidden: float, cell: float, inputs: list[Cell]) -> tuple[Cell, ...]:
    return (Cell(label, strong=True), Cell(format_factor(hidden)), Cell(format_factor(cell)), *inputs)


def _reach(influence: Influence, found: ThroughTime) -> str:
    """Does the gradient vanish, and which input moved the last output?"""
    place = min(1, len(found.steps) - 1)  # from the first timestep; from the initial state where there is no later one
    first, end = ("0" if place == 0 else str(found.steps[0])), found.end
    hidden, cell = float(found.hidden_norms[place]), float(found.cell_norms[place])
    sizes = found.input_norms
    farthest = float(sizes.max())
    if not all(map(isfinite, (hidden, cell, farthest))):
        return "Numbers of this run are not finite, nor are the derivatives by what led to them: a dot stands for each."
    names = feature_names(influence, "{}")
    step, feature = divmod(int(sizes.argmax()), sizes.shape[1])
    name = names[feature].replace("x_{}", f"x_{found.steps[step]}", 1)
    most = f"{name} moves it most: by {farthest:.3g} times its own change." if farthest else "No input moves it at all."
    order = " Read from the last timestep to the first." if influence.direction is Direction.BACKWARD else ""
    return (
        f"A small change of h_{first} comes out in h_{end} at most {hidden:.3g} times as large, one of c_{first} in c_{end} "
        f"{cell:.3g} times: the largest factor that there is, the spectral norm. Under each x_t, {_network(influence)}: how "
        f"far h_{end} moves with it, as the length of the vector. {most}{order}"
    )


def _network(influence: Influence) -> str:
    return "the network's own input" if influence.layer else "the input"


# --- the ripple -------------------------------------------------------------------------------------------------------


def _ripple(influence: Influence, found: Ripple) -> list[Block]:
    """The change of h in percent of the poke: so the first timesteps and the last can be read in one table."""
    shown = [[100 * (value / found.by) for value in row] for row in found.hidden[:, :MAX_UNITS].tolist()]
    scale = largest(value for row in shown[1:] for value in row)
    rows = []
    for t, moved, values in zip(found.steps, found.moved, shown, strict=True):
        cells = (Cell(format_decimal(value, 2), tint=tint(value, scale)) for value in values)
        rows.append((Cell(str(t), strong=True), *cells, Cell(thousands(moved))))
    plain = influence.layer_spec.projection is None
    titles = (f"t \\ {'unit' if plain else 'number'}", *map(str, range(len(shown[0]))), "moved")
    target = f"h_{found.at}[{found.unit}]" if plain else f"What unit {found.unit} emits at {found.at}"
    words = (
        f"{target} changed by {found.by:g}, and the sample run on to its end. The change of every number of h, in percent of "
        "the poke: the poked run less the run, no derivative. Last, how many moved."
    )
    return [
        Heading(f"The ripple of a poke at timestep {found.at}"),
        Paragraph(words),
        Table(tuple(Column(title, "right") for title in titles), elide_rows(rows)),
    ]


# --- what they share --------------------------------------------------------------------------------------------------


def _emitted(influence: Influence) -> str:
    """What statement 3 changes."""
    unit, first = influence.statements.unit, 1 if influence.direction is Direction.FORWARD else influence.length
    if influence.step == first:
        return f"The initial state, as if unit {unit} had emitted something before it,"
    return f"What unit {unit} emitted at {_before(influence)}"


def _before(influence: Influence) -> str:
    """The number of the timestep that was read before: t-1, or t+1 backwards."""
    if influence.direction is Direction.FORWARD:
        return str(influence.step - 1)
    return str(influence.step + 1) if influence.step < influence.length else "start"


def _late(rows: list[tuple[Cell, ...]]) -> list[tuple[Cell, ...]]:
    """Where rows are left out, most that are shown are the last: the first have often vanished."""
    back, front = visible_ends(rows, MAX_ROWS)
    return [*rows[:front], ellipsis_row(len(rows[0])), *rows[-back:]] if front else rows


def _notes(influence: Influence) -> list[str]:
    found, spec = [], influence.layer_spec
    if spec.units > MAX_UNITS:
        found.append(f"{MAX_UNITS} of {thousands(spec.units)} units are shown; --json has all.")
    features = max(
        len(influence.derivatives.matrices.hidden_by_input[0]), influence.spec.features if influence.through_time else 0
    )
    if features > MAX_UNITS:
        found.append(f"{MAX_UNITS} of {thousands(features)} numbers of x_t are shown; --json has all.")
    if influence.through_time is not None and len(influence.through_time.steps) >= MAX_ROWS:
        found.append(f"{MAX_ROWS} of {thousands(len(influence.through_time.steps) + 1)} states are shown; --json has all.")
    if influence.derivatives.averaged is None:
        found.append("Add --mean to average the derivatives over all timesteps of all samples, --step for another timestep.")
    if influence.through_time is None:
        found.append("Add --through-time to see how far back the last state reaches.")
    if influence.ripple is None:
        where = f"--poke {min(3, spec.units - 1)} --at {min(4, influence.length)}"
        found.append(f"Add {where} to follow a change of one unit through all later timesteps.")
    return found
