"""The chapters in their order, each told only when it is read."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from lstm_explain.apps.tour.chapter import Chapter
from lstm_explain.apps.tour.circles import circles_chapter
from lstm_explain.apps.tour.outputs import outputs_chapter
from lstm_explain.apps.tour.sharing import sharing_chapter
from lstm_explain.apps.tour.states import states_chapter
from lstm_explain.apps.tour.unit import unit_chapter
from lstm_explain.apps.tour.words import words_chapter
from lstm_explain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

CHAPTERS = (
    Chapter(1, "circles", "What is a circle?", circles_chapter),
    Chapter(2, "unit", "What does a unit read, own and emit?", unit_chapter),
    Chapter(3, "sharing", "Are units independent, or do they share?", sharing_chapter),
    Chapter(4, "states", "What are h and c?", states_chapter),
    Chapter(5, "outputs", "How many outputs are there?", outputs_chapter),
    Chapter(6, "words", "What do the words mean?", words_chapter),
)


def select_chapters(asked: Iterable[str]) -> tuple[Chapter, ...]:
    """The chapters of these names or numbers, each once; all where none is asked for.

    Raises:
        UsageError: there is no such chapter.
    """
    found = dict.fromkeys(_select_chapter(one) for one in asked)
    return tuple(found) or CHAPTERS


def _select_chapter(asked: str) -> Chapter:
    chapter = find_chapter(asked)
    if chapter is not None:
        return chapter
    near = get_close_matches(asked.lower(), [one.name for one in CHAPTERS], 1)
    fix = f"Did you mean {near[0]}? " if near else ""
    there = ", ".join(f"{one.number} {one.name}" for one in CHAPTERS)
    shown = asked if asked.isprintable() and asked and len(asked) <= 40 else repr(asked[:40])
    raise UsageError(f"--chapter {shown}", "there is no such chapter", f"{fix}There are {there}")


def find_chapter(asked: str) -> Chapter | None:
    """The chapter of a name or number."""
    word = asked.strip().lower()
    return next((one for one in CHAPTERS if word in (one.name, str(one.number))), None)
