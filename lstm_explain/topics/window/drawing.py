"""A drawing of windows over a table: its rows from left to right, and below them the timesteps and targets of some samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.document.numbers import thousands

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lstm_explain.topics.window import SampleWindow, Window

MAX_WIDTH, MAX_LABEL, MAX_VALUE = 78, 14, 7
GAP, SKIPPED = "···", "⋮"


def draw_windows(window: Window, width: int = MAX_WIDTH) -> tuple[str, ...]:
    """Draw the first, the second and the last sample over the rows of the table; parts are left out where it gets too wide.

    Each line has a label, and a cell for each row of the table that is drawn: its number, its value in the column that the
    targets are from, or the first, and what it is in each sample: `x_1` the first timestep, `y` the target.
    """
    samples = window.shown
    lines: list[str] = []
    if window.windowing.rows < width:
        lines = _draw(window, samples, range(window.windowing.rows))
    for drawn in (samples, samples[:2], samples[:1]):
        if lines and max(map(len, lines)) <= width:
            break
        lines = _draw(window, drawn, _key_rows(window, drawn))
    return tuple(lines)


def drawn_column(window: Window) -> int:
    """The column whose values are drawn."""
    return window.target or 0


def _key_rows(window: Window, samples: Sequence[SampleWindow]) -> list[int]:
    """The rows at which the samples and their targets begin and end."""
    plan, rows = window.windowing, set[int]()
    for sample in samples:
        end = sample.row + plan.timesteps
        rows |= {sample.row, min(sample.row + 1, end - 1), end - 1}
        rows |= {end, end + plan.horizon - 1} if plan.horizon else set()
    return sorted(rows)


def _draw(window: Window, samples: Sequence[SampleWindow], rows: Iterable[int]) -> list[str]:
    """The lines of a drawing of these samples over these rows."""
    values = window.series.values[:, drawn_column(window)]
    columns = _with_gaps(tuple(rows), window.windowing.rows)
    lines = [("row", [GAP if row is None else thousands(row) for row in columns])]
    label = window.series.column_name(drawn_column(window))[:MAX_LABEL]
    lines.append((label, [GAP if row is None else _short(float(values[row])) for row in columns]))
    before = 0
    for sample in samples:
        if sample.sample > before + 1:
            lines.append((f"  {SKIPPED}", [""] * len(columns)))
        lines.append((f"sample {thousands(sample.sample)}", _sample_cells(window, sample, columns)))
        before = sample.sample
    label_size = max(len(label) for label, _ in lines)
    size = max(len(cell) for _, cells in lines for cell in cells)
    return [f"{label:<{label_size}}  {' '.join(f'{cell:>{size}}' for cell in cells)}".rstrip() for label, cells in lines]


def _short(value: float) -> str:
    text = f"{value:.4g}"
    return text if len(text) <= MAX_VALUE else f"{value:.1e}"


def _with_gaps(rows: tuple[int, ...], count: int) -> list[int | None]:
    """The rows, with None where others are left out between two of them, or after the last."""
    columns: list[int | None] = []
    for row, following in zip(rows, (*rows[1:], count), strict=True):
        columns += [row] if following == row + 1 else [row, None]
    return columns


def _sample_cells(window: Window, sample: SampleWindow, columns: Sequence[int | None]) -> list[str]:
    """What each row is in a sample; dots where timesteps or targets are left out."""
    plan = window.windowing
    last = sample.row + plan.reach - 1
    cells = []
    for index, row in enumerate(columns):
        if row is None:
            before, following = columns[index - 1], columns[index + 1] if index + 1 < len(columns) else None
            is_within = before is not None and following is not None and sample.row <= before and following <= last
            cells.append(GAP if is_within else "")
        elif sample.row <= row < sample.row + plan.timesteps:
            cells.append(f"x_{row - sample.row + 1}")
        elif sample.row + plan.timesteps <= row <= last:
            number = row - sample.row - plan.timesteps + 1
            cells.append("y" if plan.horizon == 1 else f"y_{number}")
        else:
            cells.append("")
    return cells
