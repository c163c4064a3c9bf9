"""trace, in words and tables: the vectors h and c over time, the gates on request, and each unit's course."""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction, Gate
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Sparkline, Table
from lstm_explain.document.numbers import format_decimal, thousands, tint
from lstm_explain.document.tables import MAX_ROWS, MAX_UNITS, ellipsis_row, visible_ends
from lstm_explain.document.text import saturation_warning
from lstm_explain.topics.intro import lstm_summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.topics.trace import Trace

GATE_TITLES = {
    Gate.INPUT: "i_t, the input gate: how much of its candidate each unit lets in, 0 to 1",
    Gate.FORGET: "f_t, the forget gate: how much of its memory each unit keeps, 0 to 1",
    Gate.CANDIDATE: "g_t, the candidate: what each unit would add to its memory, -1 to 1",
    Gate.OUTPUT: "o_t, the output gate: how much of its memory each unit shows, 0 to 1",
}


def document(trace: Trace, gates: bool = False, every_unit: bool = False, every_step: bool = False) -> Document:
    """Lay out a trace.

    Args:
        trace: the explanation.
        gates: show the four gates too.
        every_unit: show all of the trace's units, however many they are.
        every_step: show all of its timesteps.
    """
    most = len(trace.units) if every_unit else MAX_UNITS
    units, numbers = trace.units[:most], trace.hidden_numbers[:most]
    rows = len(trace.steps) if every_step else MAX_ROWS
    blocks: list[Block] = [
        Heading(f"trace: sample {thousands(trace.sample)}, layer {trace.layer}, {trace.direction.value}", 1),
        Paragraph(lstm_summary(trace)),
        Paragraph(_reading(trace)),
        *map(Note, saturation_warning(trace.gates)),
        Heading(_hidden_title(trace)),
        _table(trace, numbers, rows, trace.hidden, trace.initial_hidden, _scale(trace.hidden)),
        Heading("c_t, the cell state: what each unit remembers"),
        _table(trace, units, rows, trace.cell, trace.initial_cell, _scale(trace.cell)),
    ]
    if gates:
        for gate, title in GATE_TITLES.items():
            blocks += [Heading(title), _table(trace, units, rows, trace.gates[gate], None, 1.0)]
    if len(trace.steps) > 1:
        blocks += [Heading("The whole course of each unit"), _courses(trace, units)]
    return (*blocks, *_notes(trace, len(units), rows, gates))


def _reading(trace: Trace) -> str:
    backward = trace.direction is Direction.BACKWARD
    order = "read from the last to the first, from the state at start" if backward else "t = 0 holds the initial state"
    padded = trace.length < trace.spec.timesteps
    end = f" This sample ends at t = {trace.length}; what follows is padding and is not run." if padded else ""
    return (
        f"Every row is a timestep ({order}), every column a unit; all units take a timestep together. "
        f"Colour: purple below zero, orange above.{end}"
    )


def _hidden_title(trace: Trace) -> str:
    projection = trace.layer_spec.projection
    if projection is None:
        return "h_t, the hidden state: what the layer emits, one number from each unit"
    return f"h_t, the hidden state: {projection} numbers, each mixed from all units' outputs"


def _table(trace: Trace, names: Sequence[int], most: int, values: Array, initial: Array | None, scale: float) -> Table:
    """A heat table: a row for each timestep shown, a column for each name; the initial state where reading begins."""
    front, back = visible_ends(trace.steps, most)
    last = len(trace.steps)
    lines: dict[float, tuple[Cell, ...]] = {
        t: _row(str(t), values[place, : len(names)], scale if t <= trace.length else 0.0)  # no colour at padding
        for place, t in enumerate(trace.steps)
        if place < front or place >= last - back
    }
    if initial is not None:
        first = 0 if trace.direction is Direction.FORWARD else trace.length + 0.5
        lines[first] = _row("0" if first == 0 else "start", initial[: len(names)], scale)
    columns = (Column("t \\ unit", "right"), *(Column(str(name), "right") for name in names))
    return Table(columns, tuple(_with_gaps(lines)))


def _with_gaps(rows: dict[float, tuple[Cell, ...]]) -> Iterator[tuple[Cell, ...]]:
    """The rows in order, and dots where timesteps between two of them are left out."""
    shown = sorted(rows)
    for before, t in zip([shown[0], *shown], shown, strict=False):
        if t - before > 1:
            yield ellipsis_row(len(rows[t]))
        yield rows[t]


def _row(label: str, values: Array, scale: float) -> tuple[Cell, ...]:
    cells = (Cell(format_decimal(value, 3), tint=tint(value, scale)) for value in values.tolist())
    return (Cell(label, strong=True), *cells)


def _courses(trace: Trace, units: Sequence[int]) -> Table:
    """A strip for each unit's h and c, with the value it ends with."""
    emitted = {"h": trace.hidden} if trace.layer_spec.projection is None else {}
    columns, parts = [Column("unit", "right")], []
    for name, values in {**emitted, "c": trace.cell}.items():
        scale = _scale(values)
        columns += [Column(f"{name}, from -{scale:.2f} to {scale:.2f}"), Column(f"last {name}", "right")]
        end = -1 if trace.direction is Direction.FORWARD else 0  # the last that was read
        parts.append([(_course(trace, one, scale), _last(one[end], scale)) for one in values[:, : len(units)].T])
    rows = (
        (Cell(str(unit), strong=True), *(cell for pair in pairs for cell in pair))
        for unit, *pairs in zip(units, *parts, strict=True)
    )
    return Table(tuple(columns), tuple(rows))


def _course(trace: Trace, values: Array, scale: float) -> Sparkline:
    """The strip of one unit; a gap where the sample is padding."""
    run = (value if t <= trace.length else nan for t, value in zip(trace.steps, values.tolist(), strict=True))
    return Sparkline(tuple(run), scale)


def _last(value: float, scale: float) -> Cell:
    return Cell(format_decimal(value, 3), tint=tint(value, scale))


def _scale(values: Array) -> float:
    """The largest size among the values: what fills a strip and gives the full colour."""
    finite = (abs(float(value)) for value in values.ravel().tolist() if isfinite(value))
    return max(finite, default=0.0)


def _notes(trace: Trace, units: int, rows: int, gates: bool) -> tuple[Note, ...]:
    spec, found = trace.spec, list[str]()
    if units < len(trace.units):
        found.append(f"{units} of {thousands(len(trace.units))} units are shown: choose with --unit 0,3,7-9; --json has all.")
    if rows < len(trace.steps):
        found.append(
            f"{rows} of {thousands(len(trace.steps))} timesteps are shown: choose with --steps 20-40; --json has all."
        )
    if len(spec.layer_directions) > 1:
        there = (("--layer", len(spec.layers) > 1), ("--direction", spec.has_backward))
        others = " and ".join(word for word, given in there if given)
        found.append(f"Choose another part of the stack with {others}.")
    if not gates:
        found.append("Add --gates to see i, f, g and o. The command `unit`, with --step, writes one unit's arithmetic out.")
    return tuple(map(Note, found))
