"""Blocks laid out as lines of spans, for a page of a given width: what the terminal, SVG and HTML views all paint.

The layout is our own because it is part of every start: rich's tables took 20 to 30 ms for the tables of `shapes`, this takes
about 3, and a page without colour needs no rich at all. It also keeps every page the same across versions of rich.
"""

from __future__ import annotations

import re
import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from unicodedata import combining, east_asian_width

from lstm_explain.document.blocks import (
    BlankLine,
    Block,
    Cell,
    Column,
    Document,
    FirstThatFits,
    Formula,
    FormulaSymbol,
    Heading,
    NextStep,
    NextSteps,
    Note,
    Paragraph,
    Preformatted,
    SideBySide,
    Sparkline,
    Table,
)
from lstm_explain.render.sparkline import draw_sparkline, to_ascii

if TYPE_CHECKING:
    from collections.abc import Iterator

SPARKLINE_WIDTH = 40
MIN_TEXT_WIDTH = 20
UNLIMITED_WIDTH = 100_000
MAX_PROSE_WIDTH = 100
"""Longer lines of text are hard to read, so they are broken however wide the page is."""
MIN_PART_WIDTH = 70
"""The narrowest of equal columns next to each other."""
GUTTER = "    "
"""What is between the parts of a page that are next to each other."""
FORMULA_INDENT = 4
NO_BREAK_SPACE = "\u00a0"
KEPT_TOGETHER = re.compile(r" (?=%)|(?<=\bt) (?== \d)|(?<=\bt =) (?=\d)")
"""The blanks in `90 %` and in `t = 10`, where no line is broken."""


class Style(NamedTuple):
    """How a span looks, whatever it is shown on."""

    bold: bool = False
    dim: bool = False
    italic: bool = False
    reverse: bool = False
    underline: bool = False
    tint: float | None = None
    """From -1 to 1; see `document.blocks.Cell`."""
    gate: bool = False
    """Whether the tint is on the scale of gates."""
    symbol: str = ""
    """The letter of the symbol that this is (i, f, g, o, h or c), which has a colour; see `render.theme`."""
    literal: bool = False
    """Whether symbols in it stay as they are: code."""


PLAIN = Style()
BOLD, DIM, ITALIC, TITLE = Style(bold=True), Style(dim=True), Style(italic=True), Style(bold=True, underline=True)
CODE = Style(literal=True)


class Span(NamedTuple):
    """A piece of a line in one style."""

    text: str
    style: Style = PLAIN


Line: TypeAlias = list[Span]


def layout_lines(document: Document, width: int, unicode: bool) -> Iterator[Line]:
    """Lay a document out for a page of `width` columns, in Unicode or ASCII."""
    for block in document:
        yield from _layout_block(block, width, unicode)


def _layout_block(block: Block, width: int, unicode: bool) -> Iterator[Line]:  # noqa: C901 - a case for each kind of block
    match block:
        case Heading(words, level):
            if level > 1:
                yield []
            yield from _layout_text(words, {1: TITLE, 2: BOLD}.get(level, ITALIC), width, unicode)
        case Paragraph(words):
            yield from _layout_text(words, PLAIN, width, unicode)
        case BlankLine():
            yield []
        case Note(words):
            yield from _layout_text(words, DIM, width, unicode)
        case Table():
            yield from _split_table(block, width, unicode)
        case Preformatted(rows, language):
            yield from ([Span(_to_display(row, unicode), PLAIN if language == "text" else CODE)] for row in rows)
        case Formula(symbols):
            yield from _layout_formula(symbols, width, unicode)
        case NextSteps():
            yield from _layout_next_steps(block, width, unicode)
        case SideBySide():
            yield from _layout_side_by_side(block, width, unicode)
        case FirstThatFits(layouts):
            fitting = (layout for layout in layouts if _natural_width(layout, unicode) <= width)
            yield from layout_lines(next(fitting, layouts[-1]), width, unicode)


def _layout_text(words: str, style: Style, width: int, unicode: bool) -> Iterator[Line]:
    return ([Span(line, style)] for line in _wrap_words(_to_display(words, unicode), min(width, MAX_PROSE_WIDTH)))


def _layout_next_steps(block: NextSteps, width: int, unicode: bool) -> Iterator[Line]:
    """Lay out a line for each command, the reasons behind the commands if all fit there, and below them otherwise.

    Commands without reasons are in one line where they fit.
    """
    label = "Next: "
    in_one_line = _to_display(" · ".join(step.command for step in block.steps), unicode)
    if len(label) + width_of(in_one_line) <= width and not any(step.reason for step in block.steps):
        yield [Span(label, DIM), Span(in_one_line, CODE)]
        return
    column = len(label) + max(width_of(step.command) for step in block.steps) + 2
    fits = column + max(width_of(_to_display(step.reason, unicode)) for step in block.steps) <= width
    for number, step in enumerate(block.steps):
        yield from _layout_next_step(step, " " * len(label) if number else label, column if fits else None, width, unicode)


def _layout_next_step(step: NextStep, label: str, column: int | None, width: int, unicode: bool) -> Iterator[Line]:
    """Lay out a command, with its reason from a column on or, without one, below it."""
    from lstm_explain.topics.command_line import wrap_command

    command, reason = _to_display(step.command, unicode), _to_display(step.reason, unicode)
    if column is not None:
        gap = " " * (column - len(label) - width_of(command))
        yield [Span(label, DIM), Span(command, CODE), *([Span(gap), Span(reason, DIM)] if reason else [])]
        return
    room, indent = width - len(label), " " * len(label)
    first, *others = (command,) if width_of(command) <= room else wrap_command(command, room)
    yield [Span(label, DIM), Span(first, CODE)]
    yield from ([Span(indent), Span(line, CODE)] for line in others)
    if reason:
        yield from ([Span(f"{indent}  "), *line] for line in _layout_text(reason, DIM, width - len(label) - 2, unicode))


def _layout_side_by_side(block: SideBySide, width: int, unicode: bool) -> Iterator[Line]:
    """Lay out parts next to each other: as wide as each likes, or else in equal columns that are wide enough for text."""
    gaps = len(GUTTER) * (len(block.parts) - 1)
    equal = (width - gaps) // len(block.parts)
    for column in (width, equal) if equal >= MIN_PART_WIDTH else (width,):
        pages = [list(layout_lines(part, column, unicode)) for part in block.parts]
        sizes = [max(map(_line_width, page), default=0) for page in pages]
        if sum(sizes) + gaps <= width:
            sizes = [max(size, column) if column == equal else size for size in sizes]
            for lines in zip_longest(*pages, fillvalue=[]):
                row: Line = []
                for line, size in zip(lines, sizes, strict=True):
                    row += [*line, Span(" " * (size - _line_width(line))), Span(GUTTER)]
                yield row[:-2]
            return
    for number, part in enumerate(block.parts):
        page = list(layout_lines(part, width, unicode))
        yield from [[], *page] if number and page and page[0] else page


def _natural_width(document: Document, unicode: bool) -> int:
    """Return the width of a document where nothing is broken or continued below."""
    return max(map(_line_width, layout_lines(document, UNLIMITED_WIDTH, unicode)), default=0)


def _line_width(line: Line) -> int:
    return sum(width_of(span.text) for span in line)


def _split_table(table: Table, width: int, unicode: bool) -> Iterator[Line]:
    """Lay out a table, as several below each other where the page is too narrow."""
    for number, narrow_table in enumerate(_fit_tables(table, width, unicode)):
        if number > 0:
            yield []
        yield from _layout_table(narrow_table, width, unicode)


def _layout_formula(symbols: tuple[FormulaSymbol, ...], width: int, unicode: bool) -> Iterator[Line]:
    """Lay out the symbols side by side, with their shapes or values below; indented where the formula continues."""
    line, under, indent = "", "", " " * FORMULA_INDENT
    equals_sign = width_of(_to_display(symbols[0].text, unicode)) + 1 if symbols else 0
    for symbol in symbols:
        if symbol.breaks and line.strip():
            yield from _formula_lines(line, under)
            line = under = indent = " " * equals_sign
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
    joined = KEPT_TOGETHER.sub(NO_BREAK_SPACE, words)
    return [line.replace(NO_BREAK_SPACE, " ") for line in textwrap.wrap(joined, width, break_on_hyphens=False)] or [""]


def width_of(text: str) -> int:
    """Return how many columns a text takes: two for a wide character of East Asia, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


# --- tables -----------------------------------------------------------------------------------------------------------


def _fit_tables(table: Table, width: int, unicode: bool) -> Iterator[Table]:
    """Cut a table whose columns do not fit into tables that do, the first columns repeated in each."""
    gap = _column_gap(table)
    widths = [size + gap for size in _column_widths(table, width, unicode)]
    widths = [
        min(size, MIN_TEXT_WIDTH + gap) if column.wraps else size for size, column in zip(widths, table.columns, strict=True)
    ]
    if sum(widths) - gap <= width:
        yield table
        return
    fixed = list(range(table.repeated))
    chosen: list[int] = []
    for index in range(table.repeated, len(table.columns)):
        if chosen and sum(widths[number] for number in (*fixed, *chosen, index)) - gap > width:
            yield _select_columns(table, fixed + chosen)
            chosen = []
        chosen.append(index)
    yield _select_columns(table, fixed + chosen)


def _select_columns(table: Table, indices: list[int]) -> Table:
    rows = tuple(tuple(row[index] for index in indices) for row in table.rows)
    return table._replace(columns=tuple(table.columns[index] for index in indices), rows=rows)


def _column_gap(table: Table) -> int:
    """Return the space between columns: coloured cells are close together, so that they make one picture."""
    cells = [cell for row in table.rows for cell in row]
    colored = any(isinstance(cell, Cell) and cell.tint is not None for cell in cells)
    return 1 if colored and not any(isinstance(cell, Sparkline) for cell in cells) else 2


def _column_widths(table: Table, width: int, unicode: bool) -> list[int]:
    """Return the width of each column when nothing is wrapped."""
    widths = [width_of(column.title) for column in table.columns]
    for row in table.rows:
        for index, cell in enumerate(row):
            widths[index] = max(widths[index], *(width_of(text) for text, _ in _layout_cell(cell, None, width, unicode)))
    return widths


def _layout_table(table: Table, width: int, unicode: bool) -> Iterator[Line]:
    gap = _column_gap(table)
    sizes = _column_widths(table, width, unicode)
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
    """Divide the width that the other columns leave among those that wrap: to each what it needs, up to an equal part."""
    room = width - sum(size for size, column in zip(sizes, columns, strict=True) if not column.wraps)
    wrapping = sorted((size, index) for index, (size, column) in enumerate(zip(sizes, columns, strict=True)) if column.wraps)
    shared = list(sizes)
    for number, (size, index) in enumerate(wrapping):
        shared[index] = max(1, min(size, MAX_PROSE_WIDTH, room // (len(wrapping) - number)))
        room -= shared[index]
    return shared


def _layout_row(columns: tuple[Column, ...], cells: list[list[Span]], sizes: list[int], gap: int) -> Iterator[Line]:
    """Lay out the cells of a row side by side, in as many lines as the highest of them has."""
    for level in range(max(map(len, cells))):
        line: Line = []
        for column, cell, size in zip(columns, cells, sizes, strict=True):
            text, style = cell[level] if level < len(cell) else Span("")
            padding = " " * (size - width_of(text))
            line += [Span(text + padding if column.align == "left" else padding + text, style), Span(" " * gap)]
        yield line[:-1]


def _layout_cell(cell: Cell | Sparkline, size: int | None, width: int, unicode: bool) -> list[Span]:
    """Return the lines of a cell, wrapped to `size` where it is given."""
    if isinstance(cell, Sparkline):
        drawn = draw_sparkline(cell, min(SPARKLINE_WIDTH, max(8, width // 3)))
        bars = len(drawn) if cell.axis is None else len(drawn) - 1
        return [Span(_to_display(line, unicode), PLAIN if row < bars else DIM) for row, line in enumerate(drawn)]
    style = Style(bold=cell.strong, tint=cell.tint, gate=cell.gate)
    text, detail = _to_display(cell.text, unicode), _to_display(cell.detail, unicode)
    lines = [Span(line, style) for line in (_wrap_words(text, size) if size else [text])]
    if detail:
        lines += [Span(line, DIM) for line in (_wrap_words(detail, size) if size else [detail])]
    return lines
