"""Reading the tour line by line: a state and a line that was typed make the next state and what is to be printed.

Plain text, one line at a time, no cursor is moved: a screen reader reads all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.tour.chapters import find_chapter
from lstm_explain.apps.tour.tour import introduction, list_contents
from lstm_explain.document.blocks import Cell, Column, Document, Note, Paragraph, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.apps.tour.tour import Tour

HELP = (
    "Press Enter to go on. Or type, and then press Enter: b for the chapter before, c for the list of chapters, a number or "
    "name for that chapter, q to leave."
)


class TourPosition(NamedTuple):
    """Where the reader is."""

    place: int = 0
    """Which of the tour's chapters; counts from 0."""
    answered: bool = False
    """Whether its answer was shown."""
    left: bool = False


class TourTurn(NamedTuple):
    """What comes of a line."""

    state: TourPosition
    shown: Document


def first_turn(tour: Tour) -> TourTurn:
    """The beginning: what the tour is, the keys, and the first question."""
    return TourTurn(TourPosition(), (*introduction(tour), Note(HELP), *tour.question(0)))


def handle_line(tour: Tour, state: TourPosition, line: str) -> TourTurn:
    """What comes of a line that the reader typed."""
    word = line.strip().lower()
    if word == "":
        return _advance(tour, state)
    if word in KEYS:
        return KEYS[word](tour, state)
    chapter = find_chapter(word)
    if chapter in tour.chapters:
        return _open_chapter(tour, tour.chapters.index(chapter))
    there = f"There are {list_contents(tour)}." if len(tour.chapters) > 1 else f"There is {list_contents(tour)}."
    said = line.strip()[:20]
    asked = f"'{said}' is no chapter and none of the letters." if said.isprintable() else "This is no chapter."
    return TourTurn(state, (Paragraph(f"{asked} {there} {HELP}"),))


def format_prompt(tour: Tour, state: TourPosition) -> str:
    """What stands before the place to type: what Enter does, and the letters."""
    after_it = "the next chapter" if state.place + 1 < len(tour.chapters) else "the end"
    enter = after_it if state.answered else "the answer"
    return f"[Enter: {enter}; b: back; c: chapters; q: leave] "


def run_session(tour: Tour, show: Callable[[Document], None], line_after: Callable[[str], str | None]) -> None:
    """Go through the tour until the reader leaves.

    Args:
        tour: the tour.
        show: prints blocks.
        line_after: prints the prompt and waits for a line; None where the input has ended.
    """
    state, shown = first_turn(tour)
    while True:
        show(shown)
        if state.left:
            return
        line = line_after(format_prompt(tour, state))
        if line is None:
            return
        state, shown = handle_line(tour, state, line)


# --- what a line does -------------------------------------------------------------------------------------------------


def _advance(tour: Tour, state: TourPosition) -> TourTurn:
    """Enter: the answer, the next chapter, or the end."""
    if not state.answered:
        return TourTurn(state._replace(answered=True), tour.answer(state.place))
    if state.place + 1 < len(tour.chapters):
        return _open_chapter(tour, state.place + 1)
    return _leave_tour(tour, state)


def _open_chapter(tour: Tour, place: int) -> TourTurn:
    return TourTurn(TourPosition(place), tour.question(place))


def _previous_chapter(tour: Tour, state: TourPosition) -> TourTurn:
    """The chapter before, from its question."""
    if state.place == 0:
        return TourTurn(state, (Paragraph("This is the first chapter."),))
    return _open_chapter(tour, state.place - 1)


def _list_chapters(tour: Tour, state: TourPosition) -> TourTurn:
    rows = []
    for place, chapter in enumerate(tour.chapters):
        here = "you are here" if place == state.place else ""
        rows.append((Cell(str(chapter.number), strong=True), Cell(chapter.name), Cell(chapter.title), Cell(here)))
    columns = (Column("", "right"), Column("name"), Column("question", wraps=True), Column(""))
    return TourTurn(state, (Table(columns, tuple(rows), ruled=False), Note(HELP)))


def _leave_tour(_: Tour, state: TourPosition) -> TourTurn:
    return TourTurn(state._replace(left=True), (Paragraph("This was the tour."),))


def _show_help(_: Tour, state: TourPosition) -> TourTurn:
    return TourTurn(state, (Paragraph(HELP),))


KEYS: dict[str, Callable[[Tour, TourPosition], TourTurn]] = {
    "b": _previous_chapter,
    "back": _previous_chapter,
    "c": _list_chapters,
    "q": _leave_tour,
    "quit": _leave_tour,
    "?": _show_help,
    "h": _show_help,
}
