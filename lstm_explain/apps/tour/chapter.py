"""Chapter: a question to the reader, the claim that answers it, and the evidence beneath."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.document.blocks import Block, Document, Heading, Paragraph, Preformatted
from lstm_explain.topics.command_line import wrap_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.apps.tour.context import TourContext


class ChapterContent(NamedTuple):
    """What a chapter says of one LSTM."""

    question: str
    """What the reader may think about before the answer is shown."""
    claims: tuple[str, ...]
    """The answer, a paragraph each; the first answers the question in its first words."""
    evidence: Document
    """What was measured, in words and tables."""
    numbers: dict[str, Any]
    """The same as plain data."""
    commands: tuple[str, ...]
    """The command lines that show more."""


class Chapter(NamedTuple):
    """A chapter of the tour before it is told."""

    number: int
    """Its place; counts from 1."""
    name: str
    title: str
    told_of: Callable[[TourContext], ChapterContent]

    @property
    def heading(self) -> str:
        return f"{self.number} {self.title}"


def question_blocks(chapter: Chapter, told: ChapterContent) -> Document:
    """What is seen before the answer."""
    return (Heading(chapter.heading), Paragraph(f"Question: {told.question}"))


def answer_blocks(told: ChapterContent) -> Document:
    """The answer, the evidence, and where to read on."""
    first, *others = told.claims
    claims: list[Block] = [Paragraph(f"Answer: {first}"), *map(Paragraph, others)]
    lines = tuple(line for command in told.commands for line in wrap_command(command))
    more = (Paragraph("This shows more:"), Preformatted(lines, "sh"))
    return (*claims, *told.evidence, *more)
