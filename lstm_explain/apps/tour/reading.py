"""Reading the tour line by line: a state and a line that was typed make the next state and what is to be printed.

Plain text, one line at a time, no cursor is moved: a screen reader reads all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.tour.chapters import find
from lstm_explain.apps.tour.tour import beginning, contents
from lstm_explain.document.blocks import Cell, Column, Document, Note, Paragraph, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.apps.tour.tour import Tour

HELP = (
    "Press Enter to go on. Or type, and then press Enter: b for the chapter before, c for the list of chapters, a number or "
    "name for that chapter, q to leave."
)


class State(NamedTuple):
    """Where the reader is."""

    place: int = 0
    """Which of the tour's chapters; counts from 0."""
    answered: bool = False
    """Whether its answer was shown."""
    left: bool = False


class Turn(NamedTuple):
    """What comes of a line."""

    state: State
    shown: Document


def opened(tour: Tour) -> Turn:
    """The beginning: what the tour is, the keys, and the first question."""
    return Turn(State(), (*beginning(tour), Note(HELP), *tour.question(0)))


def after(tour: Tour, state: State, line: str) -> Turn:
    """What comes of a line that the reader typed."""
    word = line.strip().lower()
    if word == "":
        return _on(tour, state)
    if word in KEYS:
        return KEYS[word](tour, state)
    chapter = find(word)
    if chapter in tour.chapters:
        return _at(tour, tour.chapters.index(chapter))
    there = f"There are {contents(tour)}." if len(tour.chapters) > 1 else f"There is {contents(tour)}."
    said = line.strip()[:20]
    asked = f"'{said}' is no chapter and none of the letters." if said.isprintable() else "This is no chapter."
    return Turn(state, (Paragraph(f"{asked} {there} {HELP}"),))


def prompt(tour: Tour, state: State) -> str:
    """What stands before the place to type: what Enter does, and the letters."""
    after_it = "the next chapter" if state.place + 1 < len(tour.chapters) else "the end"
    enter = after_it if state.answered else "the answer"
    return f"[Enter: {enter}; b: back; c: chapters; q: leave] "


def read(tour: Tour, show: Callable[[Document], None], line_after: Callable[[str], str | None]) -> None:
    """Go through the tour until the reader leaves.

    Args:
        tour: the tour.
        show: prints blocks.
        line_after: prints the prompt and waits for a line; None where the input has ended.
    """
    state, shown = opened(tour)
    while True:
        show(shown)
        if state.left:
            return
        line = line_after(prompt(tour, state))
        if line is None:
            return
        state, shown = after(tour, state, line)


# --- what a line does -------------------------------------------------------------------------------------------------


def _on(tour: Tour, state: State) -> Turn:
    """Enter: the answer, the next chapter, or the end."""
    if not state.answered:
        return Turn(state._replace(answered=True), tour.answer(state.place))
    if state.place + 1 < len(tour.chapters):
        return _at(tour, state.place + 1)
    return _leave(tour, state)


def _at(tour: Tour, place: int) -> Turn:
    return Turn(State(place), tour.question(place))


def _back(tour: Tour, state: State) -> Turn:
    """The chapter before, from its question."""
    if state.place == 0:
        return Turn(state, (Paragraph("This is the first chapter."),))
    return _at(tour, state.place - 1)


def _list(tour: Tour, state: State) -> Turn:
    rows = []
    for place, chapter in enumerate(tour.chapters):
        here = "you are here" if place == state.place else ""
        rows.append((Cell(str(chapter.number), strong=True), Cell(chapter.name), Cell(chapter.title), Cell(here)))
    columns = (Column("", "right"), Column("name"), Column("question", wraps=True), Column(""))
    return Turn(state, (Table(columns, tuple(rows), ruled=False), Note(HELP)))


def _leave(_: Tour, state: State) -> Turn:
    return Turn(state._replace(left=True), (Paragraph("This was the tour."),))


def _help(_: Tour, state: State) -> Turn:
    return Turn(state, (Paragraph(HELP),))


KEYS: dict[str, Callable[[Tour, State], Turn]] = {
    "b": _back,
    "back": _back,
    "c": _list,
    "q": _leave,
    "quit": _leave,
    "?": _help,
    "h": _help,
}
