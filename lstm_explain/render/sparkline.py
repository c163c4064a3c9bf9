"""Sparklines as bars, and all other characters, for terminals with Unicode or without."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm_explain.document.blocks import Sparkline

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-~=+*#"
GAP = "·"

ASCII = {
    "·": ".",
    "×": "x",
    "⋮": ":",
    "…": "...",
    "–": "-",
    "≤": "<=",
    "→": "->",
    "←": "<-",
    "↑": "Up",
    "↓": "Down",
    "σ": "sigmoid",
    "Γ": "Gamma",
    "Σ": "sum",
    "⊙": "(.)",
    "\u0303": "~",
    "“": '"',
    "”": '"',
    **dict.fromkeys("┌┐└┘┬┴├┤┼", "+"),
    "○": "o",
    "●": "@",
    "◆": "*",
    "◎": "#",
    "│": "|",
    "─": "-",
    "═": "=",
    "║": "|",
    **dict.fromkeys("╔╗╚╝", "+"),
    "▲": "^",
    "►": ">",
    "◄": "<",
    **dict(zip(BARS, ASCII_BARS, strict=True)),
}
"""How each character beyond ASCII is spelled on a terminal without Unicode."""


def draw_sparkline(sparkline: Sparkline, width: int) -> str:
    """Draw values as at most `width` bars.

    Where there are more values, each bar is for equally many of them, and shows the one farthest from zero.
    """
    return "".join(_bar_character(value, sparkline) for value in _resample_values(sparkline.values, width))


def _bar_character(value: float, sparkline: Sparkline) -> str:
    if not isfinite(value):
        return GAP
    height = value / sparkline.scale if sparkline.scale else 0.0  # from -1 to 1, or from 0 to 1
    level = int((height + 1) / 2 * len(BARS)) if sparkline.signed else int(height * len(BARS))
    return BARS[max(0, min(level, len(BARS) - 1))]


def _resample_values(values: tuple[float, ...], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    edges = [bar * len(values) // width for bar in range(width + 1)]
    groups = (values[first:last] for first, last in pairwise(edges))
    return [max(group, key=lambda value: abs(value) if isfinite(value) else -1.0) for group in groups]


def to_ascii(text: str) -> str:
    """Spell a text in ASCII; a character without a spelling becomes a question mark."""
    spelled = "".join(ASCII.get(character, character) for character in text)
    return spelled.encode("ascii", "replace").decode("ascii")
