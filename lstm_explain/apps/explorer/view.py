"""The whole screen as lines: which panel stands where, for a screen of a given size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.explorer import keys
from lstm_explain.apps.explorer.panels import arithmetic, diagram, over_time, words
from lstm_explain.render.layout import Span

if TYPE_CHECKING:
    from lstm_explain.apps.explorer.scene import Scene
    from lstm_explain.apps.explorer.state import State
    from lstm_explain.render.layout import Line

LEAST = (60, 20)
"""The smallest screen on which everything can be read."""
TOP = 2
"""The rows above the maps: the title and the shapes."""
MOVED = 2
BETWEEN = 2
"""The columns between the diagram and the arithmetic."""


class Rows(NamedTuple):
    """How many rows the parts of the screen have."""

    maps: int
    footer: int


def rows(width: int, height: int) -> Rows:
    """Share the screen out: the maps take what the others leave."""
    footer = len(keys.footer(width))
    return Rows(max(2, height - TOP - 1 - diagram.HEIGHT - MOVED - footer), footer)


def upper(scene: Scene, width: int, height: int, unicode: bool = True) -> list[Line]:
    """All but the footer and what moved."""
    maps = rows(width, height).maps
    seen = over_time.window(scene.state, width, maps)
    return [
        *words.title(scene.state, width, unicode),
        *words.shapes(scene, width, unicode),
        *over_time.draw(scene, width, maps, unicode),
        *words.caption(scene, seen, width, unicode),
        *_cell(scene, width, unicode),
    ]


def screen(scene: Scene, width: int, height: int) -> list[Line]:
    """The whole screen."""
    return [*upper(scene, width, height), *words.moved(scene, width, MOVED), *keys.footer(width)]


def _cell(scene: Scene, width: int, unicode: bool) -> list[Line]:
    """The diagram and the arithmetic side by side."""
    left = diagram.draw(scene, diagram.WIDTH, unicode)
    right = arithmetic.draw(scene, max(0, width - diagram.WIDTH - BETWEEN), unicode)
    return [[*one, Span(" " * BETWEEN), *two] for one, two in zip(left, right, strict=True)]


def unit_and_step_at(state: State, width: int, height: int, x: int, y: int) -> tuple[int, int] | None:
    """What a click chooses; None where there is nothing to choose."""
    maps = rows(width, height).maps
    if not TOP <= y < TOP + maps:
        return None
    return over_time.window(state, width, maps).at(x, y - TOP)
