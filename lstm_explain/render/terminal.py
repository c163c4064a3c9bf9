"""Laid-out lines as plain text, and in colour: for a terminal, as SVG, and for notebooks. The one file that imports rich.

The caller decides width, colour and alphabet; the terminal is never asked. Values are coloured by sign and size: purple below
zero, orange above (ColorBrewer's PuOr, safe for colour-blind readers); the numbers themselves always carry their sign.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

from lstm_explain.render.layout import layout_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.text import Text

    from lstm_explain.document.blocks import Document
    from lstm_explain.render.layout import Line, Style

Colors = Literal["standard", "256", "truecolor"]

BELOW, ABOVE, ZERO = (94, 60, 153), (230, 97, 1), (247, 247, 247)


def to_terminal(document: Document, width: int, color: Colors | None, unicode: bool) -> str:
    """Lay a document out.

    Args:
        document: the blocks.
        width: how many columns there are.
        color: which colours the terminal has; None for plain text without any markup.
        unicode: whether it shows more than ASCII.
    """
    if color is None:
        plain = ("".join(span.text for span in line).rstrip() for line in layout_lines(document, width, unicode))
        return "".join(f"{line}\n" for line in plain)
    from rich.color import ColorSystem

    system = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT, "truecolor": ColorSystem.TRUECOLOR}[color]
    page = (
        "".join(to_rich_style(span.style).render(span.text, color_system=system) for span in line)
        for line in layout_lines(document, width, unicode)
    )
    return "".join(f"{line}\n" for line in page)


def to_rich(document: Document, width: int = 80, unicode: bool = True) -> Text:
    """Return what a rich console prints for a document."""
    return to_rich_text(layout_lines(document, width, unicode))


def to_rich_text(page: Iterable[Line]) -> Text:
    """Return lines as one text of rich."""
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ignore")
    for line in page:
        for span in line:
            text.append(span.text, to_rich_style(span.style))
        text.append("\n")
    return text


def to_svg(document: Document, width: int, title: str) -> str:
    """Draw the document as a terminal shows it. The same document gives the same bytes."""
    return svg_from_lines(layout_lines(document, width, True), width, title)


def svg_from_lines(page: Iterable[Line], width: int, title: str) -> str:
    """Draw lines."""
    from rich.terminal_theme import DEFAULT_TERMINAL_THEME

    console = _make_console(width, file=io.StringIO(), color_system="truecolor", record=True)
    console.print(to_rich_text(page), end="")
    return console.export_svg(title=title, theme=DEFAULT_TERMINAL_THEME, unique_id="lstm-explain", code_format=SVG)


def to_html(document: Document, width: int = 100) -> str:
    """Return the document as an escaped block of preformatted HTML, for notebooks."""
    console = _make_console(width, file=io.StringIO(), color_system="truecolor", record=True)
    console.print(to_rich(document, width), end="")
    page = '<pre style="line-height:1.2;font-family:monospace">{code}</pre>'
    return console.export_html(inline_styles=True, code_format=page)


def _make_console(width: int, **settings: Any) -> Console:
    from rich.console import Console

    always: dict[str, Any] = {"force_terminal": True, "no_color": False, "highlight": False, "legacy_windows": False}
    return Console(width=width, emoji=False, markup=False, **always, **settings)


def to_rich_style(style: Style) -> Any:
    """Return a style as rich has it."""
    from rich.style import Style

    ink = paper = None
    if style.tint is not None:
        end, share = BELOW if style.tint < 0 else ABOVE, abs(style.tint)
        red, green, blue = (round(zero + (full - zero) * share) for zero, full in zip(ZERO, end, strict=True))
        ink = "#000000" if 0.3 * red + 0.59 * green + 0.11 * blue > 130 else "#ffffff"
        paper = f"#{red:02x}{green:02x}{blue:02x}"
    bold, dim, italic, reverse, under = (
        mark or None for mark in (style.bold, style.dim, style.italic, style.reverse, style.underline)
    )
    return Style(color=ink, bgcolor=paper, bold=bold, dim=dim, italic=italic, reverse=reverse, underline=under)


SVG = """<svg class="rich-terminal" xml:space="preserve" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px;
line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: arial; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
