"""Answers as people write them: right, wrong, unreadable or missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.apps.quiz.question import MAX_ANSWER_LENGTH, Kind, Question, grade_answer

CHOICES = ("640", "600", "the forget gate f", "(16, 4)")


def question(kind: Kind, *answer: int, choices: tuple[str, ...] = ()) -> Question:
    return Question("id-0", 1, "shapes", "What?", kind, choices, answer, "hint", "why", "lstm-explain shapes")


CHOICE, NUMBER, SHAPE = question("choice", 1, choices=CHOICES), question("number", 1560), question("shape", 1000, 10)


@pytest.mark.parametrize(
    "given_", ["b", "B", " b ", "b)", "(b)", "b.", "b:", "600", "600.", '"600"', "600.0", "b) 600", "\uff42", "+600"]
)
def test_a_right_choice(given_: str) -> None:
    assert grade_answer(CHOICE, given_) == ("right", "b")


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        ("a", "a"),
        ("640", "a"),
        ("c", "c"),
        ("The  Forget Gate F", "c"),
        ("d", "d"),
        ("16,4", "d"),
        ("16 x 4", "d"),
        ("[16, 4]", "d"),
    ],
)
def test_a_wrong_choice(given_: str, read: str) -> None:
    assert grade_answer(CHOICE, given_) == ("wrong", read)


@pytest.mark.parametrize("given_", ["e", "601", "ab", "a b", "forget", "bb", "()", "(16, 5)", "\x1b[31m", "x" * 1000])
def test_what_is_no_choice(given_: str) -> None:
    assert grade_answer(CHOICE, given_) == ("unreadable", None)


def test_a_letter_that_no_choice_has() -> None:
    assert grade_answer(question("choice", 0, choices=CHOICES[:3]), "d").outcome == "unreadable"


@pytest.mark.parametrize(
    "given_",
    ["1560", "1,560", "1 560", "1_560", "1'560", "1560.", "1560.00", "+1560", "1560 weights", "\uff11\uff15\uff16\uff10"],
)
def test_a_right_number(given_: str) -> None:
    assert grade_answer(NUMBER, given_) == ("right", "1560")


@pytest.mark.parametrize(("given_", "read"), [("1561", "1561"), ("-1560", "-1560"), ("0", "0"), ("156", "156")])
def test_a_wrong_number(given_: str, read: str) -> None:
    assert grade_answer(NUMBER, given_) == ("wrong", read)


@pytest.mark.parametrize(
    "given_", ["many", "1560.5", "15,60", "1,5,6,0", "1e3", "0x618", "1560+0", "nan", "b", "--1", "9" * 19, "\u0663\u0664x"]
)
def test_what_is_no_number(given_: str) -> None:
    assert grade_answer(NUMBER, given_) == ("unreadable", None)


@pytest.mark.parametrize(
    "given_",
    [
        "(1000, 10)",
        "1000,10",
        "1000, 10",
        "1000 10",
        "1000 x 10",
        "1000x10",
        "1000×10",
        "1000 * 10",
        "[1000, 10]",
        "(1000, 10,)",
        "samples=1000, units=10",
        "[samples=1000, units=10]",
        "( 1000 , 10 )",
        "1000; 10",
    ],
)
def test_a_right_shape(given_: str) -> None:
    assert grade_answer(SHAPE, given_) == ("right", "(1000, 10)")


@pytest.mark.parametrize(
    ("given_", "read"),
    [("10, 1000", "(10, 1000)"), ("(1000,)", "(1000,)"), ("1000", "(1000,)"), ("1 1000 10", "(1, 1000, 10)")],
)
def test_a_wrong_shape(given_: str, read: str) -> None:
    assert grade_answer(SHAPE, given_) == ("wrong", read)


@pytest.mark.parametrize("given_", ["(1000, 10", "1,000, 10", "ten", "()", "1000 by 10", "-1, 10", "1000, ?", ",", "9" * 30])
def test_what_is_no_shape(given_: str) -> None:
    assert grade_answer(SHAPE, given_) == ("unreadable", None)


@pytest.mark.parametrize("given_", [None, "", "  ", "\t\n", "\u3000"])
def test_nothing_at_all(given_: str | None) -> None:
    for one in (CHOICE, NUMBER, SHAPE):
        assert grade_answer(one, given_) == ("missing", None)


@given(st.text(max_size=MAX_ANSWER_LENGTH + 50), st.sampled_from([CHOICE, NUMBER, SHAPE]))
def test_any_text_is_graded(text: str, one: Question) -> None:
    verdict = grade_answer(one, text)
    assert (verdict.read is None) == (verdict.outcome in ("unreadable", "missing"))
    if verdict.read is not None:
        assert grade_answer(one, verdict.read) == verdict


def test_the_right_answer_in_words() -> None:
    assert [one.right_in_words for one in (CHOICE, NUMBER, SHAPE, question("shape", 7))] == [
        "b) 600",
        "1560",
        "(1000, 10)",
        "(7,)",
    ]
