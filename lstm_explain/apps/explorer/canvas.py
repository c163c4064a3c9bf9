"""Canvas: a grid of characters with a style each, on which a panel is drawn."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from lstm_explain.document.numbers import format_decimal
from lstm_explain.render.layout import PLAIN, Line, Span, Style, width_of
from lstm_explain.render.sparkline import to_ascii

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Canvas:
    """Rows of characters. Text is cut off at the edges."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(0, width), max(0, height)
        self._cells = [[(" ", PLAIN)] * self.width for _ in range(self.height)]

    def write(self, x: int, y: int, text: str, style: Style = PLAIN) -> int:
        """Write a text; return the column after it."""
        if 0 <= y < self.height:
            for column, character in enumerate(text, start=x):
                if 0 <= column < self.width:
                    self._cells[y][column] = (character, style)
        return x + len(text)

    def write_right(self, x: int, y: int, text: str, style: Style = PLAIN) -> None:
        """Write a text that ends before column x."""
        self.write(x - len(text), y, text, style)

    def lines(self, unicode: bool = True) -> list[Line]:
        """Return the rows as spans, in ASCII unless the terminal has Unicode."""
        return [list(_style_spans(row, unicode)) for row in self._cells]


def _style_spans(row: list[tuple[str, Style]], unicode: bool) -> Iterable[Span]:
    for style, cells in groupby(row, key=lambda cell: cell[1]):
        yield Span("".join(character if unicode else _to_ascii_character(character) for character, _ in cells), style)


def _to_ascii_character(character: str) -> str:
    """Spell a character as a single one in ASCII, so that nothing moves."""
    spelled = to_ascii(character)
    return spelled if width_of(spelled) == 1 else ASCII_REPLACEMENTS.get(character, "?")


EDITED_MARK = "◎"
"""Marks what is set by hand."""
ASCII_REPLACEMENTS = {"→": ">", "←": "<", "↑": "^", "↓": "v", "…": "~", "σ": "s", "≤": "<"}
"""Replacements for characters whose usual spelling in ASCII takes more than one column."""


def fit_text(texts: Sequence[str], width: int) -> str:
    """The first text that fits into a width; the last if none does."""
    return next((text for text in texts if len(text) <= width), texts[-1])


def fit_number(width: int, value: float, places: int) -> str:
    """Format a number for a width: -123.46 for -123.4567 in seven columns. Digits before the point are never cut off."""
    texts = (format_decimal(value, fewer) for fewer in range(places, -1, -1))
    short = f"{value:.0e}".replace("e+", "e")
    return next((text if len(text) <= width else text.strip() for text in texts if len(text.strip()) <= width), short)
