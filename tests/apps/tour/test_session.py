"""Reading the tour, without a terminal: a state and a line make the next state and what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.apps.tour.chapter import TourContext
from lstm_explain.apps.tour.session import KEYS, TourPosition, first_turn, format_prompt, handle_line, run_session
from lstm_explain.apps.tour.tour import CHAPTERS, Tour, select_chapters
from lstm_explain.document.blocks import Cell, Heading, Note, Paragraph, Table

if TYPE_CHECKING:
    from lstm_explain.document.blocks import Block, Document

LAST = len(CHAPTERS) - 1
TOUR = Tour(TourContext(lstm_explain.seeded(samples=2, timesteps=3, features=2, units=3)), CHAPTERS)


def words(blocks: Document) -> str:
    return " ".join(block.text for block in blocks if isinstance(block, Heading | Paragraph | Note))


def test_it_opens_with_the_first_question_and_the_keys() -> None:
    state, shown = first_turn(TOUR)
    assert state == TourPosition(0, answered=False, ended=False)
    assert shown[-len(TOUR.question(0)) :] == TOUR.question(0)
    assert "Answer:" not in words(shown)
    assert all(f" {key} " in words(shown) for key in ("b", "c", "q"))


def test_enter_goes_from_question_to_answer_to_the_next_chapter_and_out() -> None:
    state = TourPosition()
    for place in range(len(CHAPTERS)):
        assert (state.chapter, state.answered) == (place, False)
        state, shown = handle_line(TOUR, state, "\n")
        assert (state.chapter, state.answered, shown) == (place, True, TOUR.answer(place))
        state, shown = handle_line(TOUR, state, "\r\n")
        if place < LAST:
            assert shown == TOUR.question(place + 1)
    assert state.ended


@pytest.mark.parametrize("answered", [False, True])
def test_back_is_the_question_of_the_chapter_before(answered: bool) -> None:
    assert handle_line(TOUR, TourPosition(2, answered), "b\n") == (TourPosition(1), TOUR.question(1))
    state, shown = handle_line(TOUR, TourPosition(0, answered), " B \n")
    assert state == TourPosition(0, answered), "there is nothing before the first"
    assert words(shown) == "This is the first chapter."


@pytest.mark.parametrize("line", ["4\n", " 4 ", "states", "STATES\n"])
def test_a_number_or_name_is_that_chapter(line: str) -> None:
    assert handle_line(TOUR, TourPosition(0, answered=True), line) == (TourPosition(3), TOUR.question(3))


def test_the_list_names_every_chapter_and_where_the_reader_is() -> None:
    state, shown = handle_line(TOUR, TourPosition(2, answered=True), "c")
    assert state == TourPosition(2, answered=True)
    table = next(block for block in shown if isinstance(block, Table))
    rows = [[cell.text for cell in row if isinstance(cell, Cell)] for row in table.rows]
    assert [row[:2] for row in rows] == [[str(chapter.number), chapter.name] for chapter in CHAPTERS]
    assert [row[3] for row in rows].index("you are here") == 2


@pytest.mark.parametrize("line", ["q", "quit\n", " Q "])
def test_leaving(line: str) -> None:
    assert handle_line(TOUR, TourPosition(1), line).position.ended


@pytest.mark.parametrize("line", ["x", "0", "7", "-1", "1.5", "4 2", "\x1b[A", "\ufffd\n", "circle", "b b"])
def test_anything_else_changes_nothing_and_says_what_there_is(line: str) -> None:
    state, shown = handle_line(TOUR, TourPosition(2, answered=True), line)
    assert state == TourPosition(2, answered=True)
    assert "not a chapter" in words(shown)
    assert "1 circles, 2 unit" in words(shown)
    assert words(shown).isprintable()


def test_of_chosen_chapters_the_others_cannot_be_reached() -> None:
    some = Tour(TOUR.context, select_chapters(["words", "1"]))
    assert handle_line(some, TourPosition(0), "1").position.chapter == 1
    state, shown = handle_line(some, TourPosition(0), "2")
    assert state == TourPosition(0)
    assert "The chapters are 6 words and 1 circles." in words(shown)
    one = Tour(TOUR.context, select_chapters(["2"]))
    assert "The only chapter is 2 unit." in words(handle_line(one, TourPosition(0), "1").blocks)
    assert handle_line(one, TourPosition(0, answered=True), "").position.ended


@given(st.lists(st.sampled_from(["", *KEYS, "1", "6", "9", "words", "zzz"]) | st.text(max_size=8), max_size=12))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_whatever_is_typed_the_reader_is_at_a_chapter(lines: list[str]) -> None:
    state = TourPosition()
    for line in lines:
        state, shown = handle_line(TOUR, state, line)
        assert 0 <= state.chapter <= LAST
        assert shown
        assert format_prompt(TOUR, state).isascii()
        assert len(format_prompt(TOUR, state)) < 80


def test_the_prompt_says_what_enter_does() -> None:
    assert format_prompt(TOUR, TourPosition(0)).startswith("[Enter: the answer;")
    assert format_prompt(TOUR, TourPosition(0, answered=True)).startswith("[Enter: the next chapter;")
    assert format_prompt(TOUR, TourPosition(LAST, answered=True)).startswith("[Enter: the end;")


def test_the_loop_shows_and_asks_in_turn_until_the_reader_leaves() -> None:
    lines, shown, asked = ["", "c", "q", "never read"], [], []

    def show(blocks: tuple[Block, ...]) -> None:
        shown.append(blocks)

    def line_after(text: str) -> str:
        asked.append(text)
        return lines.pop(0)

    run_session(TOUR, show, line_after)
    assert lines == ["never read"]
    assert shown[0] == first_turn(TOUR).blocks
    assert shown[1] == TOUR.answer(0)
    assert len(shown) == len(asked) + 1


def test_the_loop_ends_where_the_input_ends() -> None:
    shown: list[Document] = []
    run_session(TOUR, shown.append, lambda _: None)
    assert shown == [first_turn(TOUR).blocks]
