"""A session, line by line, without a terminal."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.apps.quiz.generate import QuizRequest, generate_questions
from lstm_explain.apps.quiz.session import QuizSession, handle_input, opening_text

REQUEST = QuizRequest(0, 2, None, 4)
QUESTIONS = generate_questions(REQUEST)
START = QuizSession(REQUEST, QUESTIONS)


def wrong(place: int) -> str:
    question = QUESTIONS[place]
    return (
        "abcd"[question.answer[0] - 1]
        if question.kind == "choice" and question.answer[0]
        else "b"
        if question.choices
        else "99"
    )


def play(*lines: str | None) -> tuple[QuizSession, list[str]]:
    session, told = START, []
    for line in lines:
        session, said = handle_input(session, line)
        told.append(said)
    return session, told


def test_the_opening_asks_the_first_question() -> None:
    said = opening_text(START)
    assert said.startswith("A quiz of 4 questions.")
    assert QUESTIONS[0].text in said
    assert "Question 1 of 4" in said
    for choice in QUESTIONS[0].choices:
        assert f") {choice}" in said


def test_all_right() -> None:
    session, told = play(*(question.right for question in QUESTIONS))
    assert session.ended
    assert all(said.startswith(f"Right: {question.right_in_words}.") for said, question in zip(told, QUESTIONS, strict=True))
    assert "Score: 4 of 4 points: 4 right, 0 wrong, 0 skipped." in told[-1]
    assert "Look again" not in told[-1]


def test_a_wrong_answer_is_explained() -> None:
    session, (said,) = play(wrong(0))
    question = QUESTIONS[0]
    assert said.startswith(f"Wrong. The right answer is {question.right_in_words}.\n{question.explanation}\n")
    assert f"\n  {question.command}\n" in said
    assert "Question 2 of 4" in said
    assert session.number == 2


def test_a_hint_halves_the_point_of_its_question_alone() -> None:
    session, told = play("?", "H", QUESTIONS[0].right, QUESTIONS[1].right, "q")
    assert told[0] == told[1] == f"Hint: {QUESTIONS[0].hint}"
    assert "for half a point after the hint" in told[2]
    assert "for half a point after the hint" not in told[3]
    assert "Score: 1.5 of 2 points: 2 right (1 after a hint), 0 wrong, 0 skipped, 2 not answered." in told[4]
    assert session.ended


def test_what_cannot_be_read_does_not_count() -> None:
    session, told = play("", "who knows", "\x00", QUESTIONS[0].right, None)
    assert told[0].startswith("The answer is empty.")
    assert told[1].startswith("The answer cannot be read, so it does not count.")
    assert "Score: 1 of 1 point: 1 right" in told[-1]
    assert len(session.replies) == 1


def test_skipping_shows_the_answer_and_what_to_look_at() -> None:
    _, told = play("s", "Skip", None)
    assert told[0].startswith(f"Skipped. The right answer is {QUESTIONS[0].right_in_words}.")
    assert "Score: 0 of 2 points: 0 right, 0 wrong, 2 skipped, 2 not answered." in told[2]
    for question in QUESTIONS[:2]:
        assert f"Look again at {question.topic}" in told[2]
    assert "\n  lstm-explain quiz --seed 1 --questions 4 --level 2" in told[2]


def test_stopping_at_once() -> None:
    for end in (None, "q", " QUIT "):
        _, (said,) = play(end)
        assert "Score: 0 of 0 points: 0 right, 0 wrong, 0 skipped, 4 not answered." in said


def test_a_session_is_a_function_of_the_lines() -> None:
    assert play("?", "s", wrong(1)) == play("?", "s", wrong(1))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["a", "b", "c", "d", "?", "s", "", "12", "(3, 4)", "x"]) | st.text(max_size=8), max_size=30))
def test_any_lines_lead_to_a_score(lines: list[str]) -> None:
    session = START
    for line in lines:
        if session.ended:
            break
        session, said = handle_input(session, line)
        assert said
    if not session.ended:
        session, said = handle_input(session, None)
    assert session.ended
    assert "Score: " in said
    assert "For other questions:" in said
