"""Canvas: a field of characters to write on, each in a look; what a panel gives back."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from lstm_explain.document.numbers import format_decimal
from lstm_explain.render.layout import PLAIN, Line, Span, Style, width_of
from lstm_explain.render.sparkline import to_ascii

if TYPE_CHECKING:
    from collections.abc import Iterable


class Canvas:
    """Rows of characters. What is written past an edge is cut off."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(0, width), max(0, height)
        self._cells = [[(" ", PLAIN)] * self.width for _ in range(self.height)]

    def write(self, x: int, y: int, text: str, look: Style = PLAIN) -> int:
        """Write a text; returns the column after it."""
        if 0 <= y < self.height:
            for column, character in enumerate(text, start=x):
                if 0 <= column < self.width:
                    self._cells[y][column] = (character, look)
        return x + len(text)

    def write_right(self, x: int, y: int, text: str, look: Style = PLAIN) -> None:
        """Write a text that ends before column x."""
        self.write(x - len(text), y, text, look)

    def lines(self, unicode: bool = True) -> list[Line]:
        """The rows as spans, in ASCII where there is no Unicode."""
        return [list(_style_spans(row, unicode)) for row in self._cells]


def _style_spans(row: list[tuple[str, Style]], unicode: bool) -> Iterable[Span]:
    for look, cells in groupby(row, key=lambda cell: cell[1]):
        text = "".join(character for character, _ in cells)
        yield Span(text if unicode else _to_ascii_cells(text), look)


def _to_ascii_cells(text: str) -> str:
    """The same in ASCII, character for character, so that nothing moves."""
    return "".join(_ascii_character(character) for character in text)


def _ascii_character(character: str) -> str:
    spelled = to_ascii(character)
    return spelled if width_of(spelled) == 1 else ASCII_REPLACEMENTS.get(character, "?")


EDITED_MARK = "◎"
"""Marks what is set by hand."""
ASCII_REPLACEMENTS = {"→": ">", "←": "<", "↑": "^", "↓": "v", "…": "~", "σ": "s", "≤": "<"}
"""What stands for characters whose plain spelling would take more than one column."""


def fit_number(room: int, value: float, places: int) -> str:
    """A number in so many columns: -123.46 for -123.4567 in seven. No digit before the point is ever cut off."""
    texts = (format_decimal(value, fewer) for fewer in range(places, -1, -1))
    short = f"{value:.0e}".replace("e+", "e")
    return next((text if len(text) <= room else text.strip() for text in texts if len(text.strip()) <= room), short)


def fit_lines(lines: list[str], width: int) -> list[str]:
    """The lines, cut to a width, an ellipsis where something is left out."""
    return [line if len(line) <= width else line[: max(0, width - 1)] + "…" for line in lines]
