"""The chapters in their order, each told only when it is read."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from lstm_explain.apps.tour.chapter import Chapter
from lstm_explain.apps.tour.circles import circles
from lstm_explain.apps.tour.hidden_and_cell import hidden_and_cell
from lstm_explain.apps.tour.independent_and_shared import independent_and_shared
from lstm_explain.apps.tour.outputs_of_your_task import outputs_of_your_task
from lstm_explain.apps.tour.reads_owns_emits import reads_owns_emits
from lstm_explain.apps.tour.words import words
from lstm_explain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

CHAPTERS = (
    Chapter(1, "circles", "What is a circle?", circles),
    Chapter(2, "unit", "What does a unit read, own and emit?", reads_owns_emits),
    Chapter(3, "sharing", "Are units independent, or do they share?", independent_and_shared),
    Chapter(4, "states", "What are h and c?", hidden_and_cell),
    Chapter(5, "outputs", "How many outputs are there?", outputs_of_your_task),
    Chapter(6, "words", "What do the words mean?", words),
)


def named(asked: Iterable[str]) -> tuple[Chapter, ...]:
    """The chapters of these names or numbers, each once; all where none is asked for.

    Raises:
        UsageError: there is no such chapter.
    """
    found = dict.fromkeys(_named(one) for one in asked)
    return tuple(found) or CHAPTERS


def _named(asked: str) -> Chapter:
    chapter = find(asked)
    if chapter is not None:
        return chapter
    near = get_close_matches(asked.lower(), [one.name for one in CHAPTERS], 1)
    fix = f"Did you mean {near[0]}? " if near else ""
    there = ", ".join(f"{one.number} {one.name}" for one in CHAPTERS)
    shown = asked if asked.isprintable() and asked and len(asked) <= 40 else repr(asked[:40])
    raise UsageError(f"--chapter {shown}", "there is no such chapter", f"{fix}There are {there}")


def find(asked: str) -> Chapter | None:
    """The chapter of a name or number."""
    word = asked.strip().lower()
    return next((one for one in CHAPTERS if word in (one.name, str(one.number))), None)
