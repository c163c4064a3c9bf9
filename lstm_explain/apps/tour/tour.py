"""The tour: its chapters, as a document that is printed straight through, and as an object for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np

from lstm_explain.apps.tour.circles import circles_chapter
from lstm_explain.apps.tour.outputs import outputs_chapter
from lstm_explain.apps.tour.sharing import sharing_chapter
from lstm_explain.apps.tour.states import states_chapter
from lstm_explain.apps.tour.unit import unit_chapter
from lstm_explain.apps.tour.words import words_chapter
from lstm_explain.document.blocks import Block, Document, Heading, Note, Paragraph
from lstm_explain.document.text import join_words
from lstm_explain.errors import UsageError, argument
from lstm_explain.topics.intro import lstm_summary
from lstm_explain.topics.result import LSTMResult, Positive, json_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lstm_explain.apps.tour.chapter import ChapterContent, TourContext
    from lstm_explain.core.spec import Spec

DEFINITIONS = (
    "An LSTM (long short-term memory) is a neural network that reads a sequence step by step. A sample is one sequence, such "
    "as one week of weather. A timestep is a step of it, such as a day. A feature is one number of a timestep, such as the "
    "day's temperature. Timesteps count from 1; samples, units and layers count from 0."
)


class Chapter(NamedTuple):
    """A chapter of the tour, without its content."""

    number: Positive
    """Its number in the tour, from 1."""
    name: Literal["circles", "unit", "sharing", "states", "outputs", "words"]
    """Its name."""
    title: str
    """What it is about."""
    build: Callable[[TourContext], ChapterContent]


CHAPTERS = (
    Chapter(1, "circles", "What is a circle?", circles_chapter),
    Chapter(2, "unit", "What does a unit read, own and output?", unit_chapter),
    Chapter(3, "sharing", "Are units independent, or do they share?", sharing_chapter),
    Chapter(4, "states", "What are h and c?", states_chapter),
    Chapter(5, "outputs", "How many outputs are there?", outputs_chapter),
    Chapter(6, "words", "What do the words mean?", words_chapter),
)


def select_chapters(names: Iterable[str]) -> tuple[Chapter, ...]:
    """The chapters with these names or numbers, each once; all chapters if no name is given.

    Raises:
        UsageError: a chapter is unknown.
    """
    return tuple(dict.fromkeys(map(_select_chapter, names))) or CHAPTERS


def _select_chapter(name: str) -> Chapter:
    chapter = find_chapter(name)
    if chapter is not None:
        return chapter
    matches = get_close_matches(name.lower(), [chapter.name for chapter in CHAPTERS], 1)
    hint = f"Did you mean {matches[0]}? " if matches else ""
    raise UsageError(argument("chapter", name[:40]), "unknown chapter", f"{hint}The chapters are {list_chapters(CHAPTERS)}")


def find_chapter(name: str) -> Chapter | None:
    """The chapter with a name or number."""
    word = name.strip().lower()
    return next((chapter for chapter in CHAPTERS if word in (chapter.name, str(chapter.number))), None)


def list_chapters(chapters: Iterable[Chapter]) -> str:
    """1 circles, 2 unit and 3 sharing"""
    return join_words([f"{chapter.number} {chapter.name}" for chapter in chapters])


@json_keys(
    "number=chapter.number name=chapter.name title=chapter.title question=content.question claims=content.claims",
    "evidence=content.evidence commands=content.commands",
)
class ChapterWithContent(NamedTuple):
    """A chapter of the tour."""

    chapter: Chapter
    content: ChapterContent


@dataclass(frozen=True, eq=False, repr=False)
@json_keys("chapters=chapters_with_content")
class Tour(LSTMResult):
    """A tour of one LSTM: questions, answers, and the measurements that prove them."""

    topic: ClassVar[str] = "tour"

    context: TourContext
    chapters: tuple[Chapter, ...]
    _contents: dict[int, ChapterContent] = field(default_factory=dict, init=False)

    @property
    def spec(self) -> Spec:  # type: ignore[override]
        return self.context.spec

    @property
    def source(self) -> dict[str, Any]:  # type: ignore[override]
        return self.context.lstm.provenance

    def content(self, index: int) -> ChapterContent:
        """The content of a chapter, built when it is first read."""
        if index not in self._contents:
            with np.errstate(all="ignore"):  # data may be infinite: the text says so, without a warning
                self._contents[index] = self.chapters[index].build(self.context)
        return self._contents[index]

    def question(self, index: int) -> Document:
        """What is shown before the answer."""
        chapter = self.chapters[index]
        return (Heading(f"{chapter.number} {chapter.title}"), Paragraph(f"Question: {self.content(index).question}"))

    def answer(self, index: int) -> Document:
        """The answer, the evidence, and the commands that show more."""
        return self.content(index).answer_blocks

    @property
    def chapters_with_content(self) -> list[ChapterWithContent]:
        """The chapters, in the order in which you asked for them."""
        return [ChapterWithContent(chapter, self.content(index)) for index, chapter in enumerate(self.chapters)]


def introduction(tour: Tour) -> Document:
    """The blocks before the first chapter."""
    number = len(tour.chapters)
    title = "tour: a question" if number == 1 else f"tour: {number} questions"
    return (
        Heading(f"{title} about LSTM units, answered with your numbers", 1),
        Paragraph(lstm_summary(tour)),
        Paragraph(DEFINITIONS),
        Note("Every number below was measured just now, unless it is marked as computed."),
    )


def tour_document(tour: Tour) -> Document:
    """All chapters, straight through."""
    blocks: list[Block] = [*introduction(tour)]
    for index in range(len(tour.chapters)):
        blocks += [*tour.question(index), *tour.answer(index)]
    return tuple(blocks)
