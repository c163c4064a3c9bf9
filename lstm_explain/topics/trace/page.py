"""trace, in words and tables: the vectors h and c over time, the gates on request, and a sparkline of each unit."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from lstm_explain.core.gates import ACTIVATIONS, Direction, Gate
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Sparkline, Table
from lstm_explain.document.numbers import format_decimal, thousands, tint, tint_scale
from lstm_explain.document.tables import MAX_ROWS, MAX_UNITS, ellipsis_row, heat_row, visible_ends
from lstm_explain.document.text import saturation_warning
from lstm_explain.topics.intro import lstm_summary, sample_title, stack_note, units_note

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.document.tables import Row
    from lstm_explain.topics.trace import Trace

GATE_TITLES = {
    Gate.INPUT: "i_t, the input gate: how much of its candidate each unit lets in, 0 to 1",
    Gate.FORGET: "f_t, the forget gate: how much of its memory each unit keeps, 0 to 1",
    Gate.CANDIDATE: "g_t, the candidate: what each unit would add to its memory, -1 to 1",
    Gate.OUTPUT: "o_t, the output gate: how much of its memory each unit outputs, 0 to 1",
}


def document(trace: Trace, gates: bool = False, every_unit: bool = False, every_step: bool = False) -> Document:
    """Lay out a trace.

    Args:
        trace: the explanation.
        gates: show the four gates too.
        every_unit: show all of the trace's units, however many they are.
        every_step: show all of its timesteps.
    """
    shown = len(trace.units) if every_unit else MAX_UNITS
    units, numbers = trace.units[:shown], trace.hidden_numbers[:shown]
    rows = len(trace.steps) if every_step else MAX_ROWS
    blocks: list[Block] = [
        Heading(sample_title(trace), 1),
        Paragraph(lstm_summary(trace)),
        Paragraph(_introduction(trace)),
        *map(Note, saturation_warning(trace.gates)),
        Heading(_hidden_title(trace)),
        _table(trace, numbers, rows, trace.hidden, trace.initial_hidden, tint_scale(trace.hidden.ravel().tolist())),
        Heading("c_t, the cell state: what each unit remembers"),
        _table(trace, units, rows, trace.cell, trace.initial_cell, tint_scale(trace.cell.ravel().tolist())),
    ]
    if gates:
        for gate, title in GATE_TITLES.items():
            is_sigmoid = ACTIVATIONS[gate] == "sigmoid"
            blocks += [Heading(title), _table(trace, units, rows, trace.gates[gate], None, 1.0, is_sigmoid)]
    if len(trace.steps) > 1:
        blocks += [Heading("The whole course of each unit"), _sparklines(trace, units)]
    return (*blocks, *_notes(trace, len(units), rows, gates))


def _introduction(trace: Trace) -> str:
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
        return "h_t, the hidden state: what the layer outputs, one number from each unit"
    return f"h_t, the hidden state: {projection} numbers, each mixed from all units' outputs"


def _table(
    trace: Trace, names: Sequence[int], max_rows: int, values: Array, initial: Array | None, scale: float, gate: bool = False
) -> Table:
    """A heat table: a row for each timestep shown, a column for each name; the initial state where reading begins."""
    front, back = visible_ends(trace.steps, max_rows)
    last = len(trace.steps)
    lines: dict[float, Row] = {
        t: heat_row(
            str(t), values[index, : len(names)].tolist(), scale if t <= trace.length else 0.0, gate=gate
        )  # no colour at padding
        for index, t in enumerate(trace.steps)
        if index < front or index >= last - back
    }
    if initial is not None:
        first = 0 if trace.direction is Direction.FORWARD else trace.length + 0.5
        lines[first] = heat_row("0" if first == 0 else "start", initial[: len(names)].tolist(), scale)
    columns = (Column("t \\ unit", "right"), *(Column(str(name), "right") for name in names))
    return Table(columns, tuple(_with_gaps(lines)))


def _with_gaps(rows: dict[float, Row]) -> Iterator[Row]:
    """The rows in order, and dots where timesteps between two of them are left out."""
    shown = sorted(rows)
    for before, t in zip([shown[0], *shown], shown, strict=False):
        if t - before > 1:
            yield ellipsis_row(len(rows[t]))
        yield rows[t]


def _sparklines(trace: Trace, units: Sequence[int]) -> Table:
    """A sparkline for each unit's h and c, with the value it ends with."""
    outputs = {"h": trace.hidden} if trace.layer_spec.projection is None else {}
    columns, cells = [Column("unit", "right")], []
    for name, values in {**outputs, "c": trace.cell}.items():
        scale = tint_scale(values.ravel().tolist())
        columns += [Column(f"{name}, from -{scale:.2f} to {scale:.2f}"), Column(f"last {name}", "right")]
        cells.append([_sparkline_cells(trace, course, scale) for course in values[:, : len(units)].T.tolist()])
    rows = (
        (Cell(str(unit), strong=True), *(cell for pair in pairs for cell in pair))
        for unit, *pairs in zip(units, *cells, strict=True)
    )
    return Table(tuple(columns), tuple(rows))


def _sparkline_cells(trace: Trace, values: list[float], scale: float) -> tuple[Sparkline, Cell]:
    """The sparkline of one unit, with a gap at padding, and the last value that was read."""
    run = tuple(value if t <= trace.length else nan for t, value in zip(trace.steps, values, strict=True))
    last = values[-1 if trace.direction is Direction.FORWARD else 0]
    return Sparkline(run, scale), Cell(format_decimal(last, 3), tint=tint(last, scale))


def _notes(trace: Trace, units: int, rows: int, gates: bool) -> tuple[Note, ...]:
    notes, steps = units_note(units, len(trace.units)), len(trace.steps)
    if rows < steps:
        notes.append(f"{rows} of {thousands(steps)} timesteps are shown: choose with --steps 20-40; --json has all.")
    notes += stack_note(trace.spec)
    if not gates:
        notes.append("Add --gates to see i, f, g and o. The command `unit`, with --step, writes one unit's arithmetic out.")
    return tuple(map(Note, notes))
