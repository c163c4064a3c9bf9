"""Tour: the chapters about one LSTM, as a document that is printed straight through, and as an object for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lstm_explain.apps.tour.chapter import Chapter, ChapterContent, answer_blocks, question_blocks
from lstm_explain.document.blocks import Block, Document, Heading, Note, Paragraph
from lstm_explain.document.text import join_words
from lstm_explain.topics.intro import lstm_summary
from lstm_explain.topics.result import LSTMResult

if TYPE_CHECKING:
    from lstm_explain.apps.tour.context import TourContext
    from lstm_explain.core.spec import Spec

DEFINITIONS = (
    "An LSTM (long short-term memory) is a neural network that reads a sequence step by step. A sample is one sequence, such "
    "as one week of weather. A timestep is a step of it, such as a day. A feature is one number of a timestep, such as the "
    "day's temperature. Timesteps count from 1; samples, units and layers count from 0."
)


@dataclass(frozen=True, eq=False, repr=False)
class Tour(LSTMResult):
    """Some chapters about one LSTM, each told when it is first read."""

    topic: ClassVar[str] = "tour"

    subject: TourContext
    chapters: tuple[Chapter, ...]
    _told: dict[int, ChapterContent] = field(default_factory=dict, init=False)

    @property
    def spec(self) -> Spec:  # type: ignore[override]
        return self.subject.spec

    @property
    def source(self) -> dict[str, Any]:  # type: ignore[override]
        return self.subject.lstm.provenance

    def told(self, place: int) -> ChapterContent:
        """What the chapter at this place says."""
        if place not in self._told:
            with np.errstate(all="ignore"):  # data may be infinite: what comes of them is said, not warned of
                self._told[place] = self.chapters[place].told_of(self.subject)
        return self._told[place]

    def question(self, place: int) -> Document:
        return question_blocks(self.chapters[place], self.told(place))

    def answer(self, place: int) -> Document:
        return answer_blocks(self.told(place))

    def facts(self) -> dict[str, Any]:
        return {"chapters": [_chapter_to_dict(chapter, self.told(place)) for place, chapter in enumerate(self.chapters)]}


def _chapter_to_dict(chapter: Chapter, told: ChapterContent) -> dict[str, Any]:
    return {
        "number": chapter.number,
        "name": chapter.name,
        "title": chapter.title,
        "question": told.question,
        "claims": list(told.claims),
        "evidence": told.numbers,
        "commands": list(told.commands),
    }


def introduction(tour: Tour) -> Document:
    """What stands before the first chapter."""
    number = len(tour.chapters)
    title = "tour: a question" if number == 1 else f"tour: {number} questions"
    return (
        Heading(f"{title} about LSTM units, answered with your numbers", 1),
        Paragraph(lstm_summary(tour)),
        Paragraph(DEFINITIONS),
        Note("Every number below was measured just now, or is said to be computed."),
    )


def tour_document(tour: Tour) -> Document:
    """The chapters straight through."""
    blocks: list[Block] = [*introduction(tour)]
    for place in range(len(tour.chapters)):
        blocks += [*tour.question(place), *tour.answer(place)]
    return tuple(blocks)


def list_contents(tour: Tour) -> str:
    """1 circles, 2 unit and 3 sharing"""
    return join_words([f"{chapter.number} {chapter.name}" for chapter in tour.chapters])
