"""Courses as strips of characters, and the plain alphabet for terminals that have no Unicode."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite

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
    **dict(zip(BARS, PLAIN_BARS, strict=True)),
}
"""What each character beyond ASCII becomes where there is no Unicode."""


def strip(values: tuple[float, ...], scale: float, width: int) -> str:
    """Draw values as bars from -scale (lowest) to scale (highest), at most `width` of them.

    Where there are more values than that, each bar stands for equally many, and shows the one farthest from zero.
    """
    return "".join(_bar(value, scale) for value in _squeezed(values, width))


def _bar(value: float, scale: float) -> str:
    if not isfinite(value):
        return GAP
    level = int((value / scale + 1) / 2 * len(BARS)) if scale else len(BARS) // 2
    return BARS[max(0, min(level, len(BARS) - 1))]


def _squeezed(values: tuple[float, ...], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    edges = [place * len(values) // width for place in range(width + 1)]
    groups = (values[first:last] for first, last in pairwise(edges))
    return [max(group, key=lambda value: abs(value) if isfinite(value) else -1.0) for group in groups]


def plain_text(text: str) -> str:
    """Spell a text in ASCII."""
    spelled = "".join(PLAIN.get(character, character) for character in text)
    return spelled.encode("ascii", "replace").decode("ascii")
