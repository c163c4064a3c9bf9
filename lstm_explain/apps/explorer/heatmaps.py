"""The layer over time: units as circles, and heat maps of two tensors. Rows are units, columns are timesteps.

Of a long sequence or a wide layer, only a window around the current step and unit is drawn. A heat map
is readable without colour: a cell is a sign and tenths of the scale where there is little room, else decimals.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from lstm_explain.apps.explorer.canvas import EDITED_MARK, Canvas, fit_number
from lstm_explain.apps.explorer.state import HEATMAP_PAIRS
from lstm_explain.document.numbers import format_fraction, tint
from lstm_explain.render.layout import BOLD, DIM, Style

if TYPE_CHECKING:
    from lstm_explain.apps.explorer.state import ExplorerState
    from lstm_explain.apps.explorer.view_model import ViewModel
    from lstm_explain.render.layout import Line

MAP_GAP = 2
CIRCLE_WIDTH = 2
"""The columns that a circle takes, and the narrowest cell of a heat map."""
CELL_WIDTHS = ((6, 3), (5, 2), (CIRCLE_WIDTH, 0))
"""The widths of a heat map's cell, and how many decimals each shows; 0 for tenths of the scale."""
UNTOUCHED, MOVED, CURRENT = "○", "◆", "●"


@dataclass(frozen=True)
class Viewport:
    """Which units and timesteps are visible, and where."""

    first_unit: int
    units: int
    first_step: int
    steps: int
    label: int
    """The columns of a unit's label."""
    cell: int
    """The columns of a heat map's cell."""
    decimals: int
    """The decimals in a cell."""
    bands: int
    """How many pairs of heat maps are stacked: more than one if all units fit that often."""

    @property
    def band_rows(self) -> int:
        """The rows of a band: a line of titles, and the units."""
        return self.units + 1

    @property
    def maps_at(self) -> tuple[int, int]:
        """Where the two heat maps begin."""
        first = self.label + self.steps * CIRCLE_WIDTH + MAP_GAP
        return first, first + self.steps * self.cell + MAP_GAP

    def column(self, step: int, start: int, cell: int) -> int:
        return start + (step - self.first_step) * cell

    def at(self, x: int, y: int) -> tuple[int, int] | None:
        """The unit and timestep at a position, counted from the panel's corner; None where there is none."""
        band, row = divmod(y, self.band_rows)
        if not 0 <= band < self.bands or row == 0:
            return None
        circles = [(self.label, CIRCLE_WIDTH)] if band == 0 else []
        for start, cell in (*circles, *((start, self.cell) for start in self.maps_at)):
            column = (x - start) // cell
            if x >= start and column < self.steps:
                return self.first_unit + row - 1, self.first_step + column
        return None


def fit_viewport(state: ExplorerState, width: int, height: int) -> Viewport:
    """Choose the units, timesteps and cell width that fit into a panel."""
    spec, length = state.layer_spec, state.length
    label = len(f"u{spec.units - 1}") + 1
    units = max(1, min(spec.units, height - 1))
    room = width - label - 2 * MAP_GAP
    fitting = [(cell, decimals) for cell, decimals in CELL_WIDTHS if length * (CIRCLE_WIDTH + 2 * cell) <= room]
    cell, decimals = fitting[0] if fitting else CELL_WIDTHS[-1]
    steps = max(1, min(length, room // (CIRCLE_WIDTH + 2 * cell)))
    first_unit = _first_visible(state.unit, units, spec.units)
    first_step = 1 + _first_visible(state.step - 1, steps, length)
    bands = max(1, min(len(HEATMAP_PAIRS), height // (units + 1))) if units == spec.units else 1
    return Viewport(first_unit, units, first_step, steps, label, cell, decimals, bands)


def _first_visible(selected: int, visible: int, total: int) -> int:
    """The first visible index that puts the selected one in the middle, as far as the ends allow."""
    return max(0, min(selected - visible // 2, total - visible))


def draw_heatmaps(view: ViewModel, width: int, height: int, unicode: bool = True) -> list[Line]:
    """Draw the circles and two heat maps, a line of titles above."""
    viewport, canvas = fit_viewport(view.state, width, height), Canvas(width, height)
    for band in range(viewport.bands):
        top = band * viewport.band_rows
        canvas.write(0, top, "t", DIM)
        for row in range(viewport.units):
            unit = viewport.first_unit + row
            canvas.write(0, top + row + 1, f"u{unit}", _label_style(unit == view.state.unit))
        for letter, start in zip(view.state.heatmap_pairs[band], viewport.maps_at, strict=True):
            _draw_map(view, viewport, canvas, letter, start, top)
    _draw_circles(view, viewport, canvas)
    return canvas.lines(unicode)


def visible_letters(state: ExplorerState, viewport: Viewport) -> list[str]:
    """The tensors whose heat maps are visible."""
    return [letter for band in range(viewport.bands) for letter in state.heatmap_pairs[band]]


def _draw_circles(view: ViewModel, viewport: Viewport, canvas: Canvas) -> None:
    state, moved, edited = view.state, view.moved_units, _edited_positions(view)
    _draw_steps(state, viewport, canvas, viewport.label, CIRCLE_WIDTH, 0)
    for step in range(viewport.first_step, viewport.first_step + viewport.steps):
        for row in range(viewport.units):
            unit = viewport.first_unit + row
            current = (unit, step) == (state.unit, state.step)
            mark = CURRENT if current else UNTOUCHED
            if (unit, step) in edited:
                mark = EDITED_MARK
            elif moved[step - 1, unit]:
                mark = MOVED
            style = Style(bold=mark != UNTOUCHED, reverse=current)
            canvas.write(viewport.column(step, viewport.label, CIRCLE_WIDTH) + 1, row + 1, mark, style)


def _edited_positions(view: ViewModel) -> set[tuple[int, int]]:
    """The units and timesteps at which an edit sets a state or a gate."""
    state, positions = view.state, set()
    for edit in state.edits:
        if (edit.layer, edit.direction) != (state.layer, state.direction) or edit.is_weight or edit.name == "x":
            continue
        if edit.name == "h" and state.layer_spec.projection is not None:
            continue  # belongs to no single unit
        steps = range(1, state.length + 1) if edit.step is None else (edit.step,)
        positions |= {(edit.position, step) for step in steps}
    return positions


def _draw_steps(state: ExplorerState, viewport: Viewport, canvas: Canvas, start: int, cell: int, top: int) -> None:
    """As many numbers of timesteps as fit, the current one marked."""
    last_end = start
    current_end = viewport.column(state.step, start, cell) + cell
    for step in range(viewport.first_step, viewport.first_step + viewport.steps):
        end, text = viewport.column(step, start, cell) + cell, str(step)
        near_current = step < state.step and end >= current_end - len(str(state.step))
        if step == state.step or (end - len(text) >= last_end + (last_end > start) and not near_current):
            canvas.write_right(end, top, text, Style(bold=True, reverse=True) if step == state.step else DIM)
            last_end = end


def _draw_map(view: ViewModel, viewport: Viewport, canvas: Canvas, letter: str, start: int, top: int) -> None:
    state, values, scale = view.state, view.values(letter), scale_of(view, letter)
    _draw_steps(state, viewport, canvas, start, viewport.cell, top)
    canvas.write(start - 1, top, letter, BOLD)
    for step in range(viewport.first_step, viewport.first_step + viewport.steps):
        moved = view.changed(letter, step)
        for row in range(min(viewport.units, values.shape[1] - viewport.first_unit)):
            unit = viewport.first_unit + row
            current = (unit, step) == (state.unit, state.step)
            value, differs = float(values[step - 1, unit]), bool(moved[unit])
            shade = None if current else tint(value, scale)
            style = Style(bold=current or differs, underline=differs, reverse=current, tint=shade)
            column = viewport.column(step, start, viewport.cell)
            canvas.write(column, top + row + 1, _format_cell(value, scale, viewport), style)


def scale_of(view: ViewModel, letter: str) -> float:
    """The value of the darkest colour and the highest digit: 1, or more if c went beyond."""
    return max(1.0, view.largest_cell) if letter == "c" else 1.0


def _format_cell(value: float, scale: float, viewport: Viewport) -> str:
    if viewport.decimals:
        short = format_fraction(value, viewport.decimals)
        text = short if len(short) <= viewport.cell else fit_number(viewport.cell - 1, value, viewport.decimals)
        return text.rjust(viewport.cell)
    if not isfinite(value):
        return " ?"
    tenths = min(9, int(10 * abs(value) / scale))
    return f"{'-' if value < 0 else '+'}{tenths}" if tenths else " 0"


def _label_style(current: bool) -> Style:
    return Style(bold=True, reverse=True) if current else DIM
