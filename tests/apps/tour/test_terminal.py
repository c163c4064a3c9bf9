"""The tour in a real terminal: a pseudo-terminal, a program in it, and keys that are pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.helpers.terminal_session import Session, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


SMALL = ("--samples", "3", "--timesteps", "4", "--features", "2", "--units", "3")


@pytest.fixture
def open_session(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    with sessions("tour", *SMALL, cwd=tmp_path, NO_COLOR="1") as opened:
        yield opened


def test_forward_back_a_chosen_chapter_the_list_and_out(open_session: Callable[..., Session]) -> None:
    session = open_session()
    first = session.until("[Enter: the answer; b: back; c: chapters; q: leave] ")
    assert "1 What is a circle?" in first
    assert "Answer:" not in first, "the question comes before its answer"
    session.press("\n")
    assert "Answer: Yes. Every circle" in session.until("[Enter: the next chapter")
    session.press("\n")
    assert "2 What does a unit read" in session.until("[Enter: the answer")
    session.press("b\n")
    assert "1 What is a circle?" in session.until("[Enter: the answer")
    session.press("4\n")
    assert "4 What are h and c?" in session.until("[Enter: the answer")
    session.press("c\n")
    assert "you are here" in session.until("[Enter: the answer")
    session.press("nothing such\n")
    assert "'nothing such' is not a chapter" in session.until("[Enter: the answer")
    session.press("q\n")
    assert session.end() == 0
    assert session.unchanged
    assert "\x1b" not in session.seen, "no cursor is moved, no screen is cleared"


def test_the_end_of_the_input_leaves_quietly(open_session: Callable[..., Session]) -> None:
    session = open_session()
    session.until("q: leave] ")
    session.press("\x04")  # Ctrl-D
    assert session.end() == 0
    assert session.unchanged
    assert session.seen.endswith("\n")
    assert "Error" not in session.seen


def test_an_interrupt_leaves_the_terminal_as_it_was(open_session: Callable[..., Session]) -> None:
    session = open_session()
    session.until("q: leave] ")
    session.press("\n")
    session.until("q: leave] ")
    session.press("\x03")  # Ctrl-C
    assert session.end() == 130
    assert session.unchanged
    assert session.echoes, "the terminal of this test echoes, or it would prove nothing"
    assert session.seen.endswith("^C\n"), "what follows begins on a line of its own"
    assert "Traceback" not in session.seen


def test_the_last_answer_is_followed_by_the_end(open_session: Callable[..., Session]) -> None:
    session = open_session("--chapter", "words")
    session.until("[Enter: the answer")
    session.press("\n")
    session.until("[Enter: the end")
    session.press("\n")
    session.until("This is the end of the tour.")
    assert session.end() == 0


def test_without_pauses_it_is_printed_straight_through_in_a_terminal_too(open_session: Callable[..., Session]) -> None:
    session = open_session("--no-pause", "--chapter", "1")
    session.until("lstm-explain trace")
    assert session.end() == 0
    assert "Enter:" not in session.seen
