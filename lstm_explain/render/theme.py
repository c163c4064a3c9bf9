"""The colours of a page on a dark and on a light background, and which symbols have one.

Zero is the background, so that what is small does not glare. Below zero is purple and above it orange (the ends of
ColorBrewer's PuOr); gates, which are from 0 to 1, have a scale of their own in teal. The symbols' colours follow the palette
of Okabe and Ito.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from lstm_explain.render.layout import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lstm_explain.render.layout import Line, Style

Rgb = tuple[int, int, int]
ThemeName = Literal["dark", "light"]

MIN_HEAT = 0.04
"""Below this share of the scale a number has the background's colour."""


class Theme(NamedTuple):
    """The colours for one background."""

    background: Rgb
    text: Rgb
    below: Rgb
    """The largest value below zero; smaller ones are between this and the background."""
    above: Rgb
    """The largest value above zero."""
    gate: Rgb
    """A gate of 1."""
    symbols: Mapping[str, Rgb]
    """The colour of i, f, g, o, h and c, by their letters."""


DARK = Theme(
    background=(30, 30, 30),
    text=(220, 220, 220),
    below=(128, 92, 200),
    above=(232, 126, 30),
    gate=(0, 150, 136),
    symbols={
        "i": (86, 180, 233),
        "f": (230, 159, 0),
        "g": (60, 200, 150),
        "o": (240, 228, 66),
        "h": (255, 140, 105),
        "c": (222, 160, 205),
    },
)
LIGHT = Theme(
    background=(255, 255, 255),
    text=(30, 30, 30),
    below=(94, 60, 153),
    above=(230, 97, 1),
    gate=(0, 121, 107),
    symbols={
        "i": (0, 100, 160),
        "f": (138, 86, 0),
        "g": (0, 110, 78),
        "o": (104, 98, 0),
        "h": (180, 56, 0),
        "c": (150, 50, 115),
    },
)
THEMES: Mapping[ThemeName, Theme] = {"dark": DARK, "light": LIGHT}

SYMBOL = re.compile(
    r"(?<![\w.'’/\\-])(?P<letter>[cfghio])(?:_(?:\{[^}]*\}|\w+))?(?:\[[^\]]*\])?(?![\w(\u0300-\u036f]|[-.'’/\\]\w)"
)
"""A symbol by itself, with its subscript and index: `c`, `h_t`, `h_{t-1}`, `c_3[7]`; not the letters of words and options."""


def detect_theme() -> ThemeName:
    """Return the theme that the terminal asks for: LSTM_EXPLAIN_THEME, then the background in COLORFGBG, then dark."""
    for name in THEMES:
        if os.environ.get("LSTM_EXPLAIN_THEME", "").strip().lower() == name:
            return name
    background = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if background in ("7", "15") else "dark"


def heat_colors(style: Style, theme: Theme) -> tuple[Rgb, Rgb] | None:
    """Return the background of a number and the colour of its text, or None where it has the page's own."""
    share = heat_share(style)
    if share == 0:
        return None
    full = theme.gate if style.gate else theme.above if share > 0 else theme.below
    paper = blend(theme.background, full, abs(share))
    return paper, max((theme.text, theme.background, (0, 0, 0), (255, 255, 255)), key=lambda ink: contrast(ink, paper))


def heat_share(style: Style) -> float:
    """Return how strongly to colour a number, from -1 to 1; 0 where it is too close to zero to see."""
    share = style.tint or 0.0
    return share if abs(share) >= MIN_HEAT else 0.0


def blend(start: Rgb, end: Rgb, share: float) -> Rgb:
    """Return the colour that lies at a share, from 0 to 1, of the way from one colour to another."""
    red, green, blue = (round(first + (last - first) * share) for first, last in zip(start, end, strict=True))
    return red, green, blue


def contrast(first: Rgb, second: Rgb) -> float:
    """Return the contrast of two colours, from 1 to 21; source: WCAG 2.2, contrast ratio."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Rgb) -> float:
    shares = (channel / 255 for channel in color)
    linear = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def to_hex(color: Rgb) -> str:
    """Write a colour as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def color_symbols(line: Line) -> Iterator[Span]:
    """Split the spans of a line so that each symbol is a span of its own, with its letter in its style."""
    for span in line:
        style = span.style
        if style.literal or style.symbol or style.reverse or style.tint is not None:
            yield span
        else:
            yield from _split_at_symbols(span)


def _split_at_symbols(span: Span) -> Iterator[Span]:
    end = 0
    for match in SYMBOL.finditer(span.text):
        if match.start() > end:
            yield Span(span.text[end : match.start()], span.style)
        yield Span(match.group(), span.style._replace(symbol=match["letter"]))
        end = match.end()
    if end < len(span.text) or not span.text:
        yield Span(span.text[end:], span.style)
