"""Sparklines as bars, and all other characters, for terminals with Unicode or without."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm_explain.document.blocks import Sparkline

BARS = "▁▂▃▄▅▆▇█"
"""Bars of values from 0, by height."""
ASCII_BARS = "_.-~=+*#"
BARS_UP, BARS_DOWN = "▁▄█", "▔▀█"
"""Bars above and below a zero line, by height: those that every font has in both directions."""
BAR_HEIGHTS = (1 / 8, 1 / 2, 1.0)
"""Their heights, in lines."""
GAP = "·"
MAX_BAR_WIDTH = 2
"""How many characters a bar takes where there is room."""

ASCII = {
    "·": ".",
    "\u00a0": " ",
    "×": "x",
    "±": "+-",
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
    "▔": "'",
    "▀": '"',
}
"""How each character beyond ASCII is spelled on a terminal without Unicode."""


def draw_sparkline(sparkline: Sparkline, width: int) -> list[str]:
    """Draw values as bars in at most `width` columns, and the timesteps of the first and the last below them if it has them.

    Signed values take two lines, and the zero line is between them: bars rise from it, or hang from it. Where there are more
    values than columns, each bar is for equally many of them, and shows the one farthest from zero.
    """
    values = _resample_values(sparkline.values, width)
    bar_width = max(1, min(MAX_BAR_WIDTH, width // max(1, len(values))))
    draw_bar = _signed_bar if sparkline.signed else _bar_from_zero
    bars = [draw_bar(value, sparkline.scale) for value in values]
    height = 2 if sparkline.signed else 1
    lines = ["".join(bar[row] * bar_width for bar in bars) for row in range(height)]
    return lines if sparkline.axis is None else [*lines, _draw_axis(*sparkline.axis, len(lines[0]))]


def _bar_from_zero(value: float, scale: float) -> str:
    if not isfinite(value):
        return GAP
    level = int(value / scale * len(BARS)) if scale else 0
    return BARS[max(0, min(level, len(BARS) - 1))]


def _signed_bar(value: float, scale: float) -> str:
    """What is above the zero line and below it: the bar whose height is nearest."""
    if not isfinite(value):
        return f"{GAP} "
    size = min(abs(value) / scale, 1.0) if scale else 0.0
    level = min(range(len(BAR_HEIGHTS)), key=lambda level: abs(BAR_HEIGHTS[level] - size))
    return f" {BARS_DOWN[level]}" if value < 0 else f"{BARS_UP[level]} "


def _draw_axis(first: str | int, last: str | int, width: int) -> str:
    """The first timestep below the first bar and the last below the last, with a `t` between them where there is room."""
    if first == last:
        return str(first)
    gap = max(1, width - len(str(first)) - len(str(last)))
    return f"{first}{('t' if gap > len(' t ') else '').center(gap)}{last}"


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
