"""The page of `trace`: the vectors h and c over time, the gates on request, and a sparkline of each unit."""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING

from lstm_explain.core.gates import ACTIVATIONS, GATES, Direction, Gate
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
from lstm_explain.document.numbers import format_decimal, thousands, tint, tint_scale
from lstm_explain.document.tables import MAX_ROWS, MAX_UNITS, ellipsis_row, heat_row, split_sparklines, visible_ends
from lstm_explain.document.text import saturation_warning
from lstm_explain.topics.command_line import format_sample_command
from lstm_explain.topics.intro import closing_blocks, sample_title, stack_note, units_note

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.document.tables import Row
    from lstm_explain.topics.trace import Trace

GATE_TITLES = {
    Gate.INPUT: "i_t, the input gate: how much of its candidate each unit lets in, 0 to 1",
    Gate.FORGET: "f_t, the forget gate: how much of its c each unit keeps, 0 to 1",
    Gate.CANDIDATE: "g_t, the candidate: what each unit would add to its c, -1 to 1",
    Gate.OUTPUT: "o_t, the output gate: how much of its c each unit outputs, 0 to 1",
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
    hidden_scale, cell_scale = (tint_scale(values.ravel().tolist()) for values in (trace.hidden, trace.cell))
    hidden = _table(trace, numbers, rows, trace.hidden, trace.initial_hidden, hidden_scale)
    cell = _table(trace, units, rows, trace.cell, trace.initial_cell, cell_scale)
    blocks: list[Block] = [
        Heading(sample_title(trace), 1),
        Paragraph(_answer(trace)),
        Paragraph(_how_to_read(trace)),
        *map(Note, saturation_warning(trace.gates)),
        SideBySide(((Heading(_hidden_title(trace)), hidden), (Heading("c_t, the cell state: what each unit keeps"), cell))),
    ]
    if gates:
        tables = {gate: _gate_table(trace, units, rows, gate) for gate in GATES}
        pairs = (GATES[:2], GATES[2:])
        blocks += [SideBySide(tuple((Heading(GATE_TITLES[gate]), tables[gate]) for gate in pair)) for pair in pairs]
    if len(trace.steps) > 1:
        blocks += [Heading("How each unit moves from timestep to timestep"), *_sparklines(trace, units)]
    blocks += map(Note, _selection_notes(trace, len(units), rows))
    measurement = (
        f"The numbers are those of this run, in {trace.spec.dtype}, rounded to three decimals; --json has every digit."
    )
    return (*blocks, *closing_blocks(trace, measurement, _next_steps(trace, gates)))


def _answer(trace: Trace) -> str:
    outputs = "outputs one number, h," if trace.layer_spec.projection is None else "outputs a number, which is mixed into h,"
    text = f"At every timestep each unit {outputs} and keeps one number, c."
    last, values = _last_step(trace), trace.hidden[_last_index(trace)].tolist()
    finite = sorted((value, number) for value, number in zip(values, trace.hidden_numbers, strict=True) if isfinite(value))
    if last > trace.length or len(finite) < len(values) or len(values) == 1:
        return text
    (low, lowest), (high, highest) = finite[0], finite[-1]
    name = "unit" if trace.layer_spec.projection is None else "number"
    low_text, high_text = (format_decimal(value, 3).strip() for value in (low, high))
    return f"{text} At t = {thousands(last)}, h goes from {low_text} ({name} {lowest}) to {high_text} ({name} {highest})."


def _last_index(trace: Trace) -> int:
    """Which of the chosen timesteps is read last."""
    return -1 if trace.direction is Direction.FORWARD else 0


def _last_step(trace: Trace) -> int:
    """The timestep whose states that row has: forward, rows of padding have those of the sample's end."""
    return min(trace.steps[-1], trace.length) if trace.direction is Direction.FORWARD else trace.steps[0]


def _how_to_read(trace: Trace) -> str:
    backward = trace.direction is Direction.BACKWARD
    previous, initial = ("row below", "start") if backward else ("row above", "0")
    order = " This direction reads the last timestep first." if backward else ""
    padded = trace.length < trace.spec.timesteps
    end = f" This sample ends at t = {trace.length}; what follows is padding and is not run." if padded else ""
    return (
        f"A row is a timestep, a column a unit.{order} All units compute a row at once, each from x_t, from all h of the "
        f"{previous} and from its own c there. Row {initial} is the initial state.{end}"
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


def _gate_table(trace: Trace, units: Sequence[int], max_rows: int, gate: Gate) -> Table:
    return _table(trace, units, max_rows, trace.gates[gate], None, 1.0, gate=ACTIVATIONS[gate] == "sigmoid")


def _sparklines(trace: Trace, units: Sequence[int]) -> list[Block]:
    """A sparkline for each unit's h and c, with the value after the last timestep read; in two tables on wide pages."""
    outputs = {"h": trace.hidden} if trace.layer_spec.projection is None else {}
    columns, cells = [Column("unit", "right")], []
    for name, values in {**outputs, "c": trace.cell}.items():
        scale = tint_scale(values.ravel().tolist())
        columns += [Column(f"{name} from -{scale:.2f} to {scale:.2f}"), Column(f"{name}_{_last_step(trace)}", "right")]
        cells.append([_sparkline_cells(trace, unit_values, scale) for unit_values in values[:, : len(units)].T.tolist()])
    rows = [
        (Cell(str(unit), strong=True), *(cell for pair in pairs for cell in pair))
        for unit, *pairs in zip(units, *cells, strict=True)
    ]
    return [split_sparklines(tuple(columns), rows, (trace.steps[0], trace.steps[-1]))]


def _sparkline_cells(trace: Trace, values: list[float], scale: float) -> tuple[Sparkline, Cell]:
    """The sparkline of one unit, with a gap at padding, and the last value that was read."""
    run = tuple(value if t <= trace.length else nan for t, value in zip(trace.steps, values, strict=True))
    last = values[_last_index(trace)]
    return Sparkline(run, scale), Cell(format_decimal(last, 3), tint=tint(last, scale))


def _selection_notes(trace: Trace, units: int, rows: int) -> list[str]:
    notes, steps = units_note(units, len(trace.units)), len(trace.steps)
    if rows < steps:
        notes.append(f"{rows} of {thousands(steps)} timesteps are shown: choose with --steps 20-40; --json has all.")
    return notes + stack_note(trace.spec)


def _next_steps(trace: Trace, gates: bool) -> list[NextStep]:
    unit, step = trace.units[0], min(trace.steps[-1], trace.length)
    one_unit = format_sample_command("unit", trace, unit=unit or None, step=step)
    return [
        *([] if gates else [NextStep(format_sample_command("trace", trace, gates=True), "i, f, g and o too")]),
        NextStep(one_unit, f"how unit {unit} computes its numbers at t = {step}"),
        NextStep(format_sample_command("memory", trace), "when the last c was written"),
    ]
