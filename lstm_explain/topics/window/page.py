"""window, in words and tables: how many windows there are and why, which rows they read, and the first, second and last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.document.blocks import (
    Block,
    Cell,
    Column,
    Document,
    Heading,
    NextStep,
    NextSteps,
    Note,
    Paragraph,
    Preformatted,
    SideBySide,
    Table,
)
from lstm_explain.document.numbers import format_bytes, plural, thousands
from lstm_explain.document.tables import MAX_NAME_LENGTH, ellipsis_row, facts_table, visible_ends
from lstm_explain.topics.command_line import quote_word
from lstm_explain.topics.window.drawing import draw_windows, drawn_column
from lstm_explain.topics.window.time_series import format_duration, format_time

if TYPE_CHECKING:
    from lstm_explain.topics.window import SampleWindow, Window
    from lstm_explain.topics.window.time_series import Scaling, TimeGaps

MAX_TIMESTEPS, MAX_FEATURES, MAX_CONSTANTS = 12, 12, 4


def document(window: Window, written: str | None = None, command: str | None = None) -> Document:
    """Lay out the windows.

    Args:
        window: the windows.
        written: the file that they were written to.
        command: the command line that writes them.
    """
    blocks: list[Block] = [Heading(f"window: {window.series.name}, rows into samples", 1), Paragraph(_summary(window))]
    blocks += [Heading("Windows over the rows"), Preformatted(draw_windows(window)), Note(_drawing_note(window))]
    count: tuple[Block, ...] = (Heading("How many samples"), _count_table(window), *_sharing_note(window))
    blocks += [SideBySide((count, (Heading("Which rows"), _row_table(window))))]
    blocks += [SideBySide(tuple(tuple(_sample_blocks(window, sample)) for sample in window.shown))]
    blocks += _omitted_note(window)
    blocks += [] if window.scaling is None else _scaling_blocks(window, window.scaling)
    blocks += [] if window.gaps is None else _gap_blocks(window.gaps)
    blocks += _warning_blocks(window)
    measured = (
        "The shapes were read off the windows, which are views of the table: its rows are in memory once. Rows and samples "
        "count from 0, timesteps from 1."
    )
    return (*blocks, Note(measured), *_next_blocks(window, written, command))


def _summary(window: Window) -> str:
    plan, series = window.windowing, window.series
    columns = plural(series.values.shape[1], "column")
    every = "every row" if plan.stride == 1 else f"every {thousands(plan.stride)} rows"
    features = plural(window.x.shape[2], "feature")
    what = f"{plural(plan.samples, 'sample')} of {plural(plan.timesteps, 'timestep')} of {features}"
    shapes = f"x is {_sizes(window.x.shape)}" + (f" and y is {_sizes(window.y.shape)}" if window.y is not None else "")
    table, size = f"{series.name} has {plural(plan.rows, 'row')} of {columns}.", plural(plan.timesteps, "row")
    if plan.samples == 1:
        return f"{table} One window of {size} fits, so there is {what}: {shapes}, in {window.dtype}."
    return f"{table} A window of {size} begins at {every}, so there are {what}: {shapes}, in {window.dtype}."


def _sizes(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(thousands, shape))})"


def _drawing_note(window: Window) -> str:
    """What the signs of the drawing mean."""
    plan, features = window.windowing, window.x.shape[2]
    every = "" if features == 1 else f", all {thousands(features)} features of it"
    text = f"x_t is the row that the LSTM reads at timestep t{every}."
    if plan.horizon:
        targets = "the target" if plan.horizon == 1 else f"y_1 to y_{thousands(plan.horizon)} are the targets"
        name = window.series.column_name(drawn_column(window))
        text += f" y is {targets}, {name}." if plan.horizon == 1 else f" {targets}, from {name}."
    return text


def _count_table(window: Window) -> Table:
    plan = window.windowing
    rows = [("rows", f"N = {thousands(plan.rows)}"), ("timesteps", f"T = {plural(plan.timesteps, 'row')} in a window")]
    if plan.horizon:
        target = window.series.column_name(window.target or 0)
        rows.append(("horizon", f"H = {plural(plan.horizon, 'row')} after the window: its targets, {target}"))
    if plan.stride > 1:
        rows.append(("stride", f"S = {thousands(plan.stride)} rows from the start of a window to that of the next"))
    rows += [("samples", f"{plan.letters} = {plan.formula}"), ("x", _shape_text(window, "x"))]
    rows += [] if window.y is None else [("y", _shape_text(window, "y"))]
    rows += [("left at the end", _unused_rows(window))]
    if plan.between:
        rows.append(("left between", f"{plural(plan.between, 'row')} after each window, which no sample has as timesteps"))
    written = f"{format_bytes(window.x_bytes)} when written; the table itself takes {format_bytes(window.table_bytes)}"
    return facts_table([*rows, ("memory", written)])


def _shape_text(window: Window, name: str) -> str:
    shape = window.x.shape if name == "x" or window.y is None else window.y.shape
    names = ("samples", "timesteps", "features") if name == "x" else ("samples", "horizon")
    return f"({', '.join(names)}) = ({', '.join(map(thousands, shape))})"


def _unused_rows(window: Window) -> str:
    plan = window.windowing
    if not plan.unused:
        return "nothing: the last sample ends with the last row"
    first = plan.rows - plan.unused
    return f"{plural(plan.unused, 'row')}, {_row_range(first, plan.rows - 1)}: too few for another sample"


def _sharing_note(window: Window) -> list[Block]:
    shared = window.windowing.shared
    if not shared or window.windowing.samples == 1:
        return []
    return [Note(f"Neighbouring samples share {plural(shared, 'row')}, so they are not independent of each other.")]


def _row_table(window: Window) -> Table:
    plan = window.windowing
    columns = [Column("sample", "right"), Column("timesteps are rows")]
    columns += [Column("targets are rows")] if plan.horizon else []
    rows: list[tuple[Cell, ...]] = []
    before = 0
    for sample in window.shown:
        if sample.sample > before + 1:
            rows.append(ellipsis_row(len(columns)))
        cells = [Cell(thousands(sample.sample), strong=True), Cell(_row_range(sample.row, sample.row + plan.timesteps - 1))]
        end = sample.row + plan.timesteps
        rows.append((*cells, *([Cell(_row_range(end, end + plan.horizon - 1))] if plan.horizon else [])))
        before = sample.sample
    return Table(tuple(columns), tuple(rows))


def _row_range(first: int, last: int) -> str:
    return thousands(first) if first == last else f"{thousands(first)} to {thousands(last)}"


# --- the numbers of a sample ------------------------------------------------------------------------------------------


def _sample_blocks(window: Window, sample: SampleWindow) -> list[Block]:
    features = window.features[:MAX_FEATURES]
    times = window.series.times
    columns = [Column("t", "right"), Column("row", "right"), *([] if times is None else [Column("time")])]
    columns += [Column(name[:MAX_NAME_LENGTH], "right") for name in features]
    front, back = visible_ends(range(len(sample.x)), MAX_TIMESTEPS)
    rows: list[tuple[Cell, ...]] = []
    for index in (*range(front), *range(len(sample.x) - back, len(sample.x))):
        if back and index == len(sample.x) - back:
            rows.append(ellipsis_row(len(columns)))
        rows.append(_row_cells(window, str(index + 1), sample.row + index, sample.x[index].tolist()[: len(features)]))
    blocks: list[Block] = [
        Heading(f"Sample {thousands(sample.sample)}"),
        Table(tuple(columns), tuple(rows), repeated=len(columns) - len(features)),
    ]
    return blocks if sample.y is None else [*blocks, _target_text(window, sample)]


def _row_cells(window: Window, label: str, row: int, values: list[float]) -> tuple[Cell, ...]:
    times = window.series.times
    when = [] if times is None else [Cell(format_time(float(times[row]), window.series.clock))]
    return (Cell(label, strong=True), Cell(thousands(row)), *when, *(Cell(_format_value(value)) for value in values))


def _target_text(window: Window, sample: SampleWindow) -> Paragraph:
    plan, values = window.windowing, [] if sample.y is None else sample.y.tolist()
    first = sample.row + plan.timesteps
    front, back = visible_ends(values, MAX_TIMESTEPS)
    shown = [*map(_format_value, values[:front]), *(["⋮"] if back else []), *map(_format_value, values[len(values) - back :])]
    rows = "row" if len(values) == 1 else "rows"
    return Paragraph(
        f"y, {window.series.column_name(window.target or 0)} of {rows} {_row_range(first, first + plan.horizon - 1)}: "
        f"{', '.join(shown)}"
    )


def _format_value(value: float) -> str:
    return f"{value:.6g}"


def _omitted_note(window: Window) -> list[Block]:
    features = len(window.features)
    if features <= MAX_FEATURES:
        return []
    return [Note(f"{MAX_FEATURES} of {thousands(features)} features are shown: choose with --columns; --json has all.")]


# --- scaling and time -------------------------------------------------------------------------------------------------


def _scaling_blocks(window: Window, scaling: Scaling) -> list[Block]:
    names = list(scaling.statistics(0))
    columns = (Column("column"), *(Column(name, "right") for name in names), Column(""))
    places = range(len(scaling.constant))
    rows = tuple(
        (
            Cell(window.series.column_name(index)[:MAX_NAME_LENGTH], strong=True),
            *(Cell(_format_value(value)) for value in scaling.statistics(index).values()),
            Cell("constant: becomes 0" if scaling.constant[index] else ""),
        )
        for index in places[:MAX_FEATURES]
    )
    how, undo = _scaling_formulas(scaling)
    words = (
        f"Each number became {how}; {undo} undoes it. The statistics come from all {thousands(window.windowing.rows)} rows. "
        "If you keep some samples for a test, compute them from the rows of the training samples alone: otherwise the test "
        "leaks into the training."
    )
    return [Heading(f"Scaling: {scaling.kind}"), Table(columns, rows), Paragraph(words)]


def _scaling_formulas(scaling: Scaling) -> tuple[str, str]:
    if scaling.kind == "standard":
        return "(value - mean) / std", "scaled × std + mean"
    return "(value - min) / (max - min)", "scaled × (max - min) + min"


def _gap_blocks(gaps: TimeGaps) -> list[Block]:
    if gaps.usual is None:
        return [
            Heading("Time"),
            Paragraph("The steps from row to row have no usual size that a larger one could be compared with."),
        ]
    rows = [
        ("usual step", f"{format_duration(gaps.usual, gaps.clock)}, the median of all steps from one row to the next"),
        (
            "gaps",
            f"{thousands(gaps.number)}: steps larger than {format_duration(gaps.limit or 0, gaps.clock)}, 1.5 times that",
        ),
    ]
    for gap in gaps.listed:
        before, after = format_time(gap.before, gaps.clock), format_time(gap.after, gaps.clock)
        rows.append((f"after row {thousands(gap.row)}", f"{before} to {after}: {format_duration(gap.step, gaps.clock)}"))
    if gaps.number > len(gaps.listed):
        rows.append(("", f"and {thousands(gaps.number - len(gaps.listed))} more"))
    return [Heading("Time"), facts_table(rows)]


# --- what to look out for ---------------------------------------------------------------------------------------------


def _warning_blocks(window: Window) -> list[Block]:
    if not window.warnings:
        return []
    return [Heading("Warnings"), *(Paragraph(_warning_text(window, word)) for word in window.warnings)]


def _warning_text(window: Window, word: str) -> str:
    samples, gaps, scaling = window.windowing.samples, window.gaps, window.scaling
    if word == "gaps" and gaps is not None:
        return (
            f"{thousands(gaps.samples)} of {plural(samples, 'sample')} go across a gap in time: to the LSTM the rows "
            "before and after it are one timestep apart. Fill the missing rows, or cut the table at the gap and make windows "
            "of each part."
        )
    if word == "backward" and gaps is not None:
        return (
            f"{plural(gaps.backward, 'row')} {'is' if gaps.backward == 1 else 'are'} not later than the row before, first row "
            f"{thousands(gaps.first_backward or 0)}. Sort the rows by time, and keep one of each."
        )
    if word == "constant" and scaling is not None:
        names = [window.series.column_name(column) for column, constant in enumerate(scaling.constant) if constant]
        listed = ", ".join(names[:MAX_CONSTANTS]) + (", ..." if len(names) > MAX_CONSTANTS else "")
        return f"{listed}: the same number in every row, so scaled it is 0 and tells the LSTM nothing."
    if word == "large":
        return (
            f"The windows shown hold numbers of up to {_format_value(window.largest)} in size. Large inputs drive an "
            "LSTM's gates to 0 or 1: scale them to about -1 to 1, with --scale standard or minmax."
        )
    return (
        "With one timestep in a sample there is no order to learn from: the state that a row leaves is read by no other. "
        "See lstm-explain memory --timesteps 1."
    )


def _next_blocks(window: Window, written: str | None, command: str | None) -> list[Block]:
    """How to write the windows, and what to ask of them then."""
    name = written or ("windows.npy" if window.y is None else "windows.npz")
    read = quote_word(name + ("#x" if name.lower().endswith(".npz") else ""))
    shapes = NextStep(f"lstm-explain shapes --data {read}", "every shape of an LSTM that reads them")
    if written is not None:
        trace = NextStep(f"lstm-explain trace --data {read}", "what its units keep and output")
        return [Paragraph(f"Written to {written}."), NextSteps((shapes, trace))]
    if command is None:
        return [Note(f"On the command line, -o {name} writes the windows.")]
    return [NextSteps((NextStep(command, "write the windows"), shapes))]
