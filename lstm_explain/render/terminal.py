"""Blocks as text for a terminal, as SVG, and for notebooks: the one file that knows rich.

It is told width, colour and alphabet, and never asks the terminal. Values are coloured by sign and size: purple below zero,
orange above (ColorBrewer's PuOr, safe for colour-blind readers); the numbers themselves always carry their sign.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.style import Style
from rich.table import Table as RichTable
from rich.text import Text

from lstm_explain.document.blocks import Block, Cell, Course, Document, Heading, Note, Paragraph, Table
from lstm_explain.render.strip import plain_text, strip

if TYPE_CHECKING:
    from collections.abc import Iterator

ColorSystem = Literal["standard", "256", "truecolor"]

BELOW, ABOVE, ZERO = (94, 60, 153), (230, 97, 1), (247, 247, 247)
NARROWEST = 20
PADDING = 1
COURSE_WIDTH = 40


def text(document: Document, width: int, color: ColorSystem | None, unicode: bool) -> str:
    """Lay a document out.

    Args:
        document: the blocks.
        width: how many columns there are.
        color: which colours the terminal has; None for none.
        unicode: whether it has more than ASCII.
    """
    console = Console(
        file=io.StringIO(),
        width=max(width, NARROWEST),
        force_terminal=color is not None,
        color_system=color,
        no_color=color is None,
        highlight=False,
        legacy_windows=False,
        emoji=False,
        markup=False,
    )
    for block in document:
        for part in _block(block, unicode, console.width):
            console.print(part)
    laid_out: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "".join(line.rstrip() + "\n" for line in laid_out.splitlines())


def renderable(document: Document, unicode: bool = True, width: int = 80) -> RenderableType:
    """What a rich console prints for a document."""
    return Group(*(part for block in document for part in _block(block, unicode, width)))


def svg(document: Document, width: int, title: str) -> str:
    """A picture of the document as a terminal shows it. The same document gives the same bytes."""
    from rich.terminal_theme import DEFAULT_TERMINAL_THEME

    console = Console(
        file=io.StringIO(), record=True, width=width, force_terminal=True, color_system="truecolor", no_color=False
    )
    console.print(renderable(document, width=width))
    return console.export_svg(title=title, theme=DEFAULT_TERMINAL_THEME, unique_id="lstm-explain", code_format=SVG)


def html(document: Document, width: int = 100) -> str:
    """The document as an escaped block of preformatted HTML, for notebooks."""
    console = Console(
        file=io.StringIO(), record=True, width=width, force_terminal=True, color_system="truecolor", no_color=False
    )
    console.print(renderable(document, width=width))
    page = '<pre style="line-height:1.2;font-family:monospace">{code}</pre>'
    return console.export_html(inline_styles=True, code_format=page)


def _block(block: Block, unicode: bool, width: int) -> Iterator[RenderableType]:
    match block:
        case Heading(words, 1):
            yield Text(_spelled(words, unicode), style="bold reverse")
        case Heading(words, level):
            yield Text("\n" + _spelled(words, unicode), style="bold" if level == 2 else "italic")
        case Paragraph(words):
            yield Text(_spelled(words, unicode))
        case Note(words):
            yield Text(_spelled(words, unicode), style="dim")
        case Table():
            yield from (_table(part, unicode, width) for part in _fitting(block, width))


def _spelled(words: str, unicode: bool) -> str:
    return words if unicode else plain_text(words)


# --- tables -----------------------------------------------------------------------------------------------------------


def _fitting(table: Table, width: int) -> Iterator[Table]:
    """Cut a table whose columns cannot wrap and do not fit into tables that do, the first columns repeated in each."""
    between = 1 + 2 * _padding(table)
    sizes = [_natural(table, place) + between for place in range(len(table.columns))]
    if any(column.wraps for column in table.columns) or sum(sizes) <= width:
        yield table
        return
    fixed = list(range(table.repeated))
    chosen: list[int] = []
    for place in range(table.repeated, len(table.columns)):
        if chosen and sum(sizes[one] for one in (*fixed, *chosen, place)) > width:
            yield _columns(table, fixed + chosen)
            chosen = []
        chosen.append(place)
    yield _columns(table, fixed + chosen)


def _natural(table: Table, place: int) -> int:
    cells = [row[place] for row in table.rows]
    sizes = (cell_len(cell.text) if isinstance(cell, Cell) else min(len(cell.values), COURSE_WIDTH) for cell in cells)
    return max([cell_len(table.columns[place].title), *sizes])


def _padding(table: Table) -> int:
    """Coloured cells stand close together, so that they make one picture."""
    colored = any(isinstance(cell, Cell) and cell.tint is not None for row in table.rows for cell in row)
    return 0 if colored else PADDING


def _columns(table: Table, places: list[int]) -> Table:
    rows = tuple(tuple(row[place] for place in places) for row in table.rows)
    return Table(tuple(table.columns[place] for place in places), rows, table.repeated, table.ruled)


def _table(table: Table, unicode: bool, width: int) -> RichTable:
    line = box.SIMPLE_HEAD if unicode else box.ASCII2
    rich = RichTable(
        box=line if table.ruled else None,
        show_header=table.ruled,
        show_edge=False,
        pad_edge=False,
        padding=(0, _padding(table)),
        header_style="dim",
    )
    for column in table.columns:
        rich.add_column(_spelled(column.title, unicode), justify=column.align, no_wrap=not column.wraps)
    for row in table.rows:
        rich.add_row(*(_cell(cell, unicode, width) for cell in row))
    return rich


def _cell(cell: Cell | Course, unicode: bool, width: int) -> Text:
    if isinstance(cell, Course):
        return Text(_spelled(strip(cell.values, cell.scale, min(COURSE_WIDTH, max(8, width // 3))), unicode))
    words = Text(_spelled(cell.text, unicode), style=_style(cell))
    if cell.detail:
        words.append("\n" + _spelled(cell.detail, unicode), style="dim")
    return words


def _style(cell: Cell) -> Style:
    if cell.tint is None:
        return Style(bold=cell.strong or None)
    end = BELOW if cell.tint < 0 else ABOVE
    share = abs(cell.tint)
    red, green, blue = (round(zero + (full - zero) * share) for zero, full in zip(ZERO, end, strict=True))
    ink = "#000000" if 0.3 * red + 0.59 * green + 0.11 * blue > 130 else "#ffffff"
    return Style(color=ink, bgcolor=f"#{red:02x}{green:02x}{blue:02x}", bold=cell.strong or None)


SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
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
