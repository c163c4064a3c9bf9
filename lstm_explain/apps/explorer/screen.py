"""The whole screen as lines: which panel stands where, for a screen of a given size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.explorer import arithmetic, cell_panel, heatmaps, keys, status_lines
from lstm_explain.render.layout import Span

if TYPE_CHECKING:
    from lstm_explain.apps.explorer.state import ExplorerState
    from lstm_explain.apps.explorer.view_model import ViewModel
    from lstm_explain.render.layout import Line

MIN_SIZE = (60, 20)
"""The smallest screen on which everything can be read."""
HEADER_ROWS = 2
"""The rows above the maps: the title and the shapes."""
MESSAGE_ROWS = 2
PANEL_GAP = 2
"""The columns between the diagram and the arithmetic."""


class ScreenRows(NamedTuple):
    """How many rows the parts of the screen have."""

    maps: int
    footer: int


def divide_rows(width: int, height: int) -> ScreenRows:
    """Share the screen out: the maps take what the others leave."""
    footer = len(keys.draw_footer(width))
    return ScreenRows(max(2, height - HEADER_ROWS - 1 - cell_panel.PANEL_HEIGHT - MESSAGE_ROWS - footer), footer)


def draw_upper(scene: ViewModel, width: int, height: int, unicode: bool = True) -> list[Line]:
    """All but the footer and what moved."""
    maps = divide_rows(width, height).maps
    seen = heatmaps.fit_viewport(scene.state, width, maps)
    return [
        *status_lines.title_line(scene.state, width, unicode),
        *status_lines.shapes_line(scene, width, unicode),
        *heatmaps.draw_heatmaps(scene, width, maps, unicode),
        *status_lines.caption_line(scene, seen, width, unicode),
        *_draw_cell(scene, width, unicode),
    ]


def draw_screen(scene: ViewModel, width: int, height: int) -> list[Line]:
    """The whole screen."""
    return [
        *draw_upper(scene, width, height),
        *status_lines.message_lines(scene, width, MESSAGE_ROWS),
        *keys.draw_footer(width),
    ]


def _draw_cell(scene: ViewModel, width: int, unicode: bool) -> list[Line]:
    """The diagram and the arithmetic side by side."""
    left = cell_panel.draw_diagram(scene, cell_panel.DIAGRAM_WIDTH, unicode)
    right = arithmetic.draw_arithmetic(scene, max(0, width - cell_panel.DIAGRAM_WIDTH - PANEL_GAP), unicode)
    return [[*left_line, Span(" " * PANEL_GAP), *right_line] for left_line, right_line in zip(left, right, strict=True)]


def unit_and_step_at(state: ExplorerState, width: int, height: int, x: int, y: int) -> tuple[int, int] | None:
    """What a click chooses; None where there is nothing to choose."""
    maps = divide_rows(width, height).maps
    if not HEADER_ROWS <= y < HEADER_ROWS + maps:
        return None
    return heatmaps.fit_viewport(state, width, maps).at(x, y - HEADER_ROWS)
