"""Blocks laid out as lines of spans, for a page of a given width: what the terminal, SVG and HTML views all paint.

The layout is our own because it is part of every start: rich's tables took 20 to 30 ms for the tables of `shapes`, this takes
about 3, and a page without colour needs no rich at all. It also keeps every page the same across versions of rich.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from unicodedata import combining, east_asian_width

from lstm_explain.document.blocks import (
    Block,
    Cell,
    Column,
    Document,
    Formula,
    FormulaSymbol,
    Heading,
    Note,
    Paragraph,
    Preformatted,
    Sparkline,
    Table,
)
from lstm_explain.render.sparkline import draw_sparkline, to_ascii

if TYPE_CHECKING:
    from collections.abc import Iterator

COURSE_WIDTH = 40
NARROWEST_TEXT = 20
FORMULA_INDENT = 4


class Style(NamedTuple):
    """How a span looks, in words that any medium can honour."""

    bold: bool = False
    dim: bool = False
    italic: bool = False
    reverse: bool = False
    underline: bool = False
    tint: float | None = None
    """From -1 to 1; see `document.blocks.Cell`."""


PLAIN = Style()
BOLD, DIM, ITALIC, TITLE = Style(bold=True), Style(dim=True), Style(italic=True), Style(bold=True, reverse=True)


class Span(NamedTuple):
    """A piece of a line in one look."""

    text: str
    look: Style = PLAIN


Line: TypeAlias = list[Span]


def layout_lines(document: Document, width: int, unicode: bool) -> Iterator[Line]:
    """Lay a document out for a page of `width` columns, in ASCII where there is no Unicode."""
    for block in document:
        yield from _layout_block(block, width, unicode)


def _layout_block(block: Block, width: int, unicode: bool) -> Iterator[Line]:
    match block:
        case Heading(words, level):
            if level > 1:
                yield []
            yield from _layout_text(words, {1: TITLE, 2: BOLD}.get(level, ITALIC), width, unicode)
        case Paragraph(words):
            yield from _layout_text(words, PLAIN, width, unicode)
        case Note(words):
            yield from _layout_text(words, DIM, width, unicode)
        case Table():
            yield from _split_table(block, width, unicode)
        case Preformatted(rows):
            yield from ([Span(_to_display(row, unicode))] for row in rows)
        case Formula(symbols):
            yield from _layout_formula(symbols, width, unicode)


def _layout_text(words: str, look: Style, width: int, unicode: bool) -> Iterator[Line]:
    return ([Span(line, look)] for line in _wrap_words(_to_display(words, unicode), width))


def _split_table(table: Table, width: int, unicode: bool) -> Iterator[Line]:
    """A table, in as many parts below each other as its width needs."""
    for place, part in enumerate(_fit_tables(table, width, unicode)):
        if place > 0:
            yield []
        yield from _layout_table(part, width, unicode)


def _layout_formula(symbols: tuple[FormulaSymbol, ...], width: int, unicode: bool) -> Iterator[Line]:
    """The symbols side by side, what stands under each below it; continued, further in, where the page ends."""
    line, under, indent = "", "", " " * FORMULA_INDENT
    for symbol in symbols:
        text, below = _to_display(symbol.text, unicode), _to_display(symbol.under, unicode)
        size = max(width_of(text), width_of(below))
        if line and width_of(line) + 1 + size > width:
            yield from _formula_lines(line, under)
            line, under = indent, indent
        gap = " " if line and line != indent else ""
        line += gap + text + " " * (size - width_of(text))
        under += gap + below + " " * (size - width_of(below))
    yield from _formula_lines(line, under)


def _formula_lines(line: str, under: str) -> Iterator[Line]:
    yield [Span(line.rstrip(), BOLD)]
    if under.strip():
        yield [Span(under.rstrip(), DIM)]


def _to_display(words: str, unicode: bool) -> str:
    return words if unicode else to_ascii(words)


def _wrap_words(words: str, width: int) -> list[str]:
    if width_of(words) <= width:
        return [words]
    return textwrap.wrap(words, width, break_on_hyphens=False) or [""]


def width_of(text: str) -> int:
    """How many columns a text takes: two for a wide character of East Asia, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)


# --- tables -----------------------------------------------------------------------------------------------------------


def _fit_tables(table: Table, width: int, unicode: bool) -> Iterator[Table]:
    """Cut a table whose columns do not fit into tables that do, the first columns repeated in each."""
    gap = _column_gap(table)
    sizes = [_min_width(table, place, width, unicode) + gap for place in range(len(table.columns))]
    if sum(sizes) - gap <= width:
        yield table
        return
    fixed = list(range(table.repeated))
    chosen: list[int] = []
    for place in range(table.repeated, len(table.columns)):
        if chosen and sum(sizes[one] for one in (*fixed, *chosen, place)) - gap > width:
            yield _select_columns(table, fixed + chosen)
            chosen = []
        chosen.append(place)
    yield _select_columns(table, fixed + chosen)


def _select_columns(table: Table, places: list[int]) -> Table:
    rows = tuple(tuple(row[place] for place in places) for row in table.rows)
    return table._replace(columns=tuple(table.columns[place] for place in places), rows=rows)


def _column_gap(table: Table) -> int:
    """Coloured cells stand close together, so that they make one picture; strips keep a distance."""
    cells = [cell for row in table.rows for cell in row]
    colored = any(isinstance(cell, Cell) and cell.tint is not None for cell in cells)
    return 1 if colored and not any(isinstance(cell, Sparkline) for cell in cells) else 2


def _min_width(table: Table, place: int, width: int, unicode: bool) -> int:
    """The width that a column needs."""
    size = _natural_width(table, place, width, unicode)
    return min(size, NARROWEST_TEXT) if table.columns[place].wraps else size


def _natural_width(table: Table, place: int, width: int, unicode: bool) -> int:
    """The width that a column would like."""
    cells = (row[place] for row in table.rows)
    sizes = (width_of(line) for cell in cells for line, _ in _layout_cell(cell, None, width, unicode))
    return max([width_of(table.columns[place].title), *sizes])


def _layout_table(table: Table, width: int, unicode: bool) -> Iterator[Line]:
    gap = _column_gap(table)
    sizes = [_natural_width(table, place, width, unicode) for place in range(len(table.columns))]
    sizes = _share_width(table.columns, sizes, width - gap * (len(sizes) - 1))
    if table.ruled:
        titles = [[Span(_to_display(column.title, unicode), DIM)] for column in table.columns]
        yield from _layout_row(table.columns, titles, sizes, gap)
        yield [Span(("─" if unicode else "-") * (sum(sizes) + gap * (len(sizes) - 1)), DIM)]
    for row in table.rows:
        cells = [
            _layout_cell(cell, size if column.wraps else None, width, unicode)
            for cell, size, column in zip(row, sizes, table.columns, strict=True)
        ]
        yield from _layout_row(table.columns, cells, sizes, gap)


def _share_width(columns: tuple[Column, ...], sizes: list[int], width: int) -> list[int]:
    """Columns that wrap share what the others leave of the page: each what it likes, up to an equal part of the rest."""
    room = width - sum(size for size, column in zip(sizes, columns, strict=True) if not column.wraps)
    wrapping = sorted((size, place) for place, (size, column) in enumerate(zip(sizes, columns, strict=True)) if column.wraps)
    result = list(sizes)
    for taken, (size, place) in enumerate(wrapping):
        result[place] = max(1, min(size, room // (len(wrapping) - taken)))
        room -= result[place]
    return result


def _layout_row(columns: tuple[Column, ...], cells: list[list[Span]], sizes: list[int], gap: int) -> Iterator[Line]:
    """Put the cells of a row side by side, as many lines as the highest of them has."""
    for level in range(max(map(len, cells))):
        line: Line = []
        for column, cell, size in zip(columns, cells, sizes, strict=True):
            text, look = cell[level] if level < len(cell) else Span("")
            padding = " " * (size - width_of(text))
            line += [Span(text + padding if column.align == "left" else padding + text, look), Span(" " * gap)]
        yield line[:-1]


def _layout_cell(cell: Cell | Sparkline, size: int | None, width: int, unicode: bool) -> list[Span]:
    """The lines of a cell, wrapped to `size` where it is given."""
    if isinstance(cell, Sparkline):
        return [Span(_to_display(draw_sparkline(cell, min(COURSE_WIDTH, max(8, width // 3))), unicode))]
    look = PLAIN if not cell.strong and cell.tint is None else Style(bold=cell.strong, tint=cell.tint)
    text, detail = _to_display(cell.text, unicode), _to_display(cell.detail, unicode)
    found = [Span(line, look) for line in (_wrap_words(text, size) if size else [text])]
    if detail:
        found += [Span(line, DIM) for line in (_wrap_words(detail, size) if size else [detail])]
    return found
