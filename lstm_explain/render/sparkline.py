"""Courses as strips of characters, and the plain alphabet for terminals that have no Unicode."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm_explain.document.blocks import Sparkline

BARS = "▁▂▃▄▅▆▇█"
PLAIN_BARS = "_.-~=+*#"
GAP = "·"

PLAIN = {
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
    "▲": "^",
    "►": ">",
    "◄": "<",
    **dict(zip(BARS, PLAIN_BARS, strict=True)),
}
"""What each character beyond ASCII becomes where there is no Unicode."""


def draw_sparkline(course: Sparkline, width: int) -> str:
    """Draw a course's values as bars from its lowest to its highest, at most `width` of them.

    Where there are more values than that, each bar stands for equally many, and shows the one farthest from zero.
    """
    return "".join(_bar_character(value, course) for value in _resample_values(course.values, width))


def _bar_character(value: float, course: Sparkline) -> str:
    if not isfinite(value):
        return GAP
    place = value / course.scale if course.scale else 0.0  # from -1 to 1, or from 0 to 1
    level = int((place + 1) / 2 * len(BARS)) if course.signed else int(place * len(BARS))
    return BARS[max(0, min(level, len(BARS) - 1))]


def _resample_values(values: tuple[float, ...], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    edges = [place * len(values) // width for place in range(width + 1)]
    groups = (values[first:last] for first, last in pairwise(edges))
    return [max(group, key=lambda value: abs(value) if isfinite(value) else -1.0) for group in groups]


def to_ascii(text: str) -> str:
    """Spell a text in ASCII."""
    spelled = "".join(PLAIN.get(character, character) for character in text)
    return spelled.encode("ascii", "replace").decode("ascii")
