"""Blocks as Markdown, for notes, issues and slides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.document.blocks import (
    Block,
    Cell,
    Document,
    Formula,
    Heading,
    Note,
    Paragraph,
    Preformatted,
    Sparkline,
    Table,
)
from lstm_explain.render.sparkline import strip

if TYPE_CHECKING:
    from collections.abc import Iterator

COURSE_WIDTH = 60
SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\|*_[]<>`#$"})


def text(document: Document) -> str:
    """Write a document as GitHub-flavoured Markdown."""
    return "\n\n".join("\n".join(_block(block)) for block in document) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(words, level):
            yield f"{'#' * level} {_escaped(words)}"
        case Paragraph(words):
            yield _escaped(words)
        case Note(words):
            yield f"> {_escaped(words)}"
        case Table():
            yield from _table(block)
        case Preformatted(rows, language):
            yield from (f"```{language}", *rows, "```")
        case Formula(_, latex):
            yield from ("```math", latex, "```")


def _table(table: Table) -> Iterator[str]:
    yield _line(_escaped(column.title) for column in table.columns)
    yield _line("---:" if column.align == "right" else ":---" for column in table.columns)
    for row in table.rows:
        yield _line(map(_cell, row))


def _line(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell | Sparkline) -> str:
    if isinstance(cell, Sparkline):
        return f"`{strip(cell, COURSE_WIDTH)}`"
    words = _escaped(cell.text.strip())
    words = f"**{words}**" if cell.strong and words else words
    return f"{words}<br>{_escaped(cell.detail)}" if cell.detail else words


def _escaped(words: str) -> str:
    return words.translate(SPECIAL)
