"""Read the tour in a terminal: the position and a line that you typed make the next position and the blocks to print.

Output is plain text, line by line, and the cursor never moves, so that a screen reader can read all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.tour.tour import find_chapter, introduction, list_chapters
from lstm_explain.document.blocks import Cell, Column, Document, Note, Paragraph, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.apps.tour.tour import Tour

HELP = (
    "Press Enter to go on. Or type, and then press Enter: b for the previous chapter, c for the list of chapters, a number or "
    "name for that chapter, q to leave."
)


class TourPosition(NamedTuple):
    """Where the reader is."""

    chapter: int = 0
    """Which of the tour's chapters, from 0."""
    answered: bool = False
    """Whether its answer was shown."""
    ended: bool = False


class TourTurn(NamedTuple):
    """The next position, and the blocks to print."""

    position: TourPosition
    blocks: Document


def first_turn(tour: Tour) -> TourTurn:
    """The introduction, the keys, and the first question."""
    return TourTurn(TourPosition(), (*introduction(tour), Note(HELP), *tour.question(0)))


def handle_line(tour: Tour, position: TourPosition, line: str) -> TourTurn:
    """What follows from a line that the reader typed."""
    word = line.strip().lower()
    if word == "":
        return _advance(tour, position)
    if word in KEYS:
        return KEYS[word](tour, position)
    chapter = find_chapter(word)
    if chapter in tour.chapters:
        return _open_chapter(tour, tour.chapters.index(chapter))
    known = f"{'The chapters are' if len(tour.chapters) > 1 else 'The only chapter is'} {list_chapters(tour.chapters)}."
    text = line.strip()[:20]
    problem = f"'{text}' is not a chapter or a command." if text.isprintable() else "This is not a chapter or a command."
    return TourTurn(position, (Paragraph(f"{problem} {known} {HELP}"),))


def format_prompt(tour: Tour, position: TourPosition) -> str:
    """The prompt: what Enter does, and the letters."""
    after_answer = "the next chapter" if position.chapter + 1 < len(tour.chapters) else "the end"
    enter = after_answer if position.answered else "the answer"
    return f"[Enter: {enter}; b: back; c: chapters; q: leave] "


def run_session(tour: Tour, show: Callable[[Document], None], ask: Callable[[str], str | None]) -> None:
    """Go through the tour until the reader leaves.

    Args:
        tour: the tour.
        show: prints blocks.
        ask: prints the prompt and waits for a line; None at the end of input.
    """
    position, blocks = first_turn(tour)
    while True:
        show(blocks)
        if position.ended:
            return
        line = ask(format_prompt(tour, position))
        if line is None:
            return
        position, blocks = handle_line(tour, position, line)


# --- what a line does -------------------------------------------------------------------------------------------------


def _advance(tour: Tour, position: TourPosition) -> TourTurn:
    """Enter: the answer, the next chapter, or the end."""
    if not position.answered:
        return TourTurn(position._replace(answered=True), tour.answer(position.chapter))
    if position.chapter + 1 < len(tour.chapters):
        return _open_chapter(tour, position.chapter + 1)
    return _leave_tour(tour, position)


def _open_chapter(tour: Tour, index: int) -> TourTurn:
    return TourTurn(TourPosition(index), tour.question(index))


def _previous_chapter(tour: Tour, position: TourPosition) -> TourTurn:
    """The previous chapter, from its question."""
    if position.chapter == 0:
        return TourTurn(position, (Paragraph("This is the first chapter."),))
    return _open_chapter(tour, position.chapter - 1)


def _list_chapters(tour: Tour, position: TourPosition) -> TourTurn:
    rows = []
    for index, chapter in enumerate(tour.chapters):
        here = "you are here" if index == position.chapter else ""
        rows.append((Cell(str(chapter.number), strong=True), Cell(chapter.name), Cell(chapter.title), Cell(here)))
    columns = (Column("", "right"), Column("name"), Column("question", wraps=True), Column(""))
    return TourTurn(position, (Table(columns, tuple(rows), ruled=False), Note(HELP)))


def _leave_tour(_: Tour, position: TourPosition) -> TourTurn:
    return TourTurn(position._replace(ended=True), (Paragraph("This is the end of the tour."),))


def _show_help(_: Tour, position: TourPosition) -> TourTurn:
    return TourTurn(position, (Paragraph(HELP),))


KEYS: dict[str, Callable[[Tour, TourPosition], TourTurn]] = {
    "b": _previous_chapter,
    "back": _previous_chapter,
    "c": _list_chapters,
    "q": _leave_tour,
    "quit": _leave_tour,
    "?": _show_help,
    "h": _show_help,
}
