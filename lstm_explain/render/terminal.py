"""Laid-out lines for a terminal: as plain text, in colour, and as a text of rich. With the explorer the one user of rich.

The caller decides width, colours, theme and alphabet; the terminal is never asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from lstm_explain.render.layout import layout_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text

    from lstm_explain.document.blocks import Document
    from lstm_explain.render.layout import Line, Style
    from lstm_explain.render.theme import ThemeName

Colors = Literal["standard", "256", "truecolor"]


def to_terminal(document: Document, width: int, color: Colors | None, unicode: bool, theme: ThemeName = "dark") -> str:
    """Lay a document out.

    Args:
        document: the blocks.
        width: how many columns there are.
        color: which colours the terminal has; None for plain text without any markup.
        unicode: whether it shows more than ASCII.
        theme: the background that the colours are chosen for.
    """
    page = layout_lines(document, width, unicode)
    if color is None:
        return "".join("".join(span.text for span in line).rstrip() + "\n" for line in page)
    from rich.color import ColorSystem

    from lstm_explain.render.theme import color_symbols

    system = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT, "truecolor": ColorSystem.TRUECOLOR}[color]
    return "".join(
        "".join(to_rich_style(span.style, theme).render(span.text, color_system=system) for span in color_symbols(line)) + "\n"
        for line in page
    )


def can_encode(encoding: str) -> bool:
    """Whether an encoding has the characters that pages are drawn with; otherwise they are laid out in ASCII."""
    try:
        "▁█×⋮─".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def to_rich(document: Document, width: int = 80, unicode: bool = True) -> Text:
    """Return what a rich console prints for a document, in the terminal's theme."""
    from lstm_explain.render.theme import detect_theme

    return to_rich_text(layout_lines(document, width, unicode), detect_theme())


def to_rich_text(page: Iterable[Line], theme: ThemeName) -> Text:
    """Return lines as one text of rich."""
    from rich.text import Text

    from lstm_explain.render.theme import color_symbols

    text = Text(no_wrap=True, overflow="ignore")
    for line in page:
        for span in color_symbols(line):
            text.append(span.text, to_rich_style(span.style, theme))
        text.append("\n")
    return text


def to_rich_style(style: Style, theme: ThemeName) -> Any:
    """Return a style as rich has it."""
    from rich.style import Style

    from lstm_explain.render.theme import THEMES, heat_colors, to_hex

    colors = THEMES[theme]
    heat = heat_colors(style, colors)
    paper = None if heat is None else to_hex(heat[0])
    ink = to_hex(heat[1]) if heat is not None else to_hex(colors.symbols[style.symbol]) if style.symbol else None
    bold, dim, italic, reverse, under = (
        mark or None for mark in (style.bold, style.dim, style.italic, style.reverse, style.underline)
    )
    return Style(color=ink, bgcolor=paper, bold=bold, dim=dim, italic=italic, reverse=reverse, underline=under)
