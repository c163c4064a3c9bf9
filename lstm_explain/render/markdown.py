"""Blocks as Markdown, for notes, issues and slides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lstm_explain.document.blocks import (
    BlankLine,
    Block,
    Cell,
    Document,
    FirstThatFits,
    Formula,
    Heading,
    NextSteps,
    Note,
    Paragraph,
    Preformatted,
    SideBySide,
    Sparkline,
    Table,
)
from lstm_explain.render.sparkline import draw_sparkline

if TYPE_CHECKING:
    from collections.abc import Iterator

SPARKLINE_WIDTH = 60
NO_BREAK_SPACE = "\u00a0"
"""A blank that Markdown keeps."""
SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\|*_[]<>`#$"})


def to_markdown(document: Document) -> str:
    """Write a document as GitHub-flavoured Markdown."""
    blocks = (block for block in document if not isinstance(block, BlankLine))
    return "\n\n".join("\n".join(_format_block(block)) for block in blocks) + "\n"


def _format_block(block: Block) -> Iterator[str]:  # noqa: C901 - a case for each kind of block
    match block:
        case Heading(words, level):
            yield f"{'#' * level} {_escape_markdown(words)}"
        case Paragraph(words):
            yield _escape_markdown(words)
        case Note(words):
            yield f"> {_escape_markdown(words)}"
        case Table():
            yield from _format_table(block)
        case Preformatted(rows, language):
            yield from (f"```{language}", *rows, "```")
        case Formula(_, latex):
            yield from ("```math", latex, "```")
        case NextSteps(steps):
            yield "Next:"
            yield ""
            yield from (f"- {_code_span(command)}{_reason_text(reason)}" for command, reason in steps)
        case FirstThatFits(layouts):
            yield to_markdown(layouts[0]).rstrip("\n")
        case SideBySide(parts):
            yield to_markdown(tuple(block for part in parts for block in part)).rstrip("\n")


def _format_table(table: Table) -> Iterator[str]:
    yield _format_row(_escape_markdown(column.title) for column in table.columns)
    yield _format_row("---:" if column.align == "right" else ":---" for column in table.columns)
    for row in table.rows:
        yield _format_row(map(_format_cell, row))


def _format_row(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _format_cell(cell: Cell | Sparkline) -> str:
    if isinstance(cell, Sparkline):
        lines = draw_sparkline(cell, SPARKLINE_WIDTH)
        return "<br>".join(f"`{line.replace(' ', NO_BREAK_SPACE)}`" for line in lines)
    words = _escape_markdown(cell.text.strip())
    words = f"**{words}**" if cell.strong and words else words
    return f"{words}<br>{_escape_markdown(cell.detail)}" if cell.detail else words


def _reason_text(reason: str) -> str:
    return f": {_escape_markdown(reason)}" if reason else ""


def _code_span(code: str) -> str:
    """Code within backticks, of which there are more than in any row of them in the code."""
    longest = max(map(len, re.findall("`+", code)), default=0)
    ticks, gap = "`" * (longest + 1), " " * (longest > 0)
    return f"{ticks}{gap}{code}{gap}{ticks}"


def _escape_markdown(words: str) -> str:
    return words.translate(SPECIAL)
