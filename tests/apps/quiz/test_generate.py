"""The questions of a quiz: answerable, with one right answer, the same for the same request."""

from __future__ import annotations

import dataclasses
import shlex
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.apps.quiz.generate import (
    GENERATORS,
    LEVELS,
    MAX_QUESTIONS,
    MAX_SIZES,
    TOPICS,
    QuizRequest,
    generate_questions,
)
from lstm_explain.apps.quiz.question import LETTERS, Question, format_shape, grade_answer
from lstm_explain.apps.quiz.question_draft import ChoiceAnswer, NumberAnswer, QuestionDraft, QuestionGenerator, Sampler
from lstm_explain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

FIFTY = {level: generate_questions(QuizRequest(7, level, None, 50)) for level in LEVELS}
SIZES = st.dictionaries(st.sampled_from(sorted(MAX_SIZES)), st.sampled_from([1, 2, 3, 7, 10]), max_size=4)


def spellings(question: Question) -> Iterator[str]:
    """Several ways to give the right answer."""
    right = question.right
    yield from (right, f"  {right} ", right.upper())
    if question.kind == "choice":
        words = question.choices[question.answer[0]]
        yield from (f"({right})", f"{right})", f"{right}.", words, words.upper(), f"{right}) {words}")
    elif question.kind == "number":
        yield from (f"{question.answer[0]:,}", f"{question.answer[0]}.0", f"+{right}")
    else:
        sizes = [str(size) for size in question.answer]
        yield from (",".join(sizes), ", ".join(sizes), " x ".join(sizes), "×".join(sizes), " ".join(sizes))
        yield from (f"[{', '.join(sizes)}]", ", ".join(f"axis{place}={size}" for place, size in enumerate(sizes)))


def check(question: Question) -> None:
    """What must hold of every question."""
    assert question.text.endswith(("?", "."))
    assert question.text[0].isupper() or question.text.startswith(("x has", "output, ", "h_n of"))
    told = [question.text, *question.choices, question.hint, question.explanation, question.command]
    assert all(words == words.strip() and words.isascii() and words.isprintable() and "  " not in words for words in told)
    assert all(told)
    for words in spellings(question):
        assert grade_answer(question, words).outcome == "right", (question, words)
    if question.kind == "choice":
        check_choices(question)
    else:
        assert question.choices == ()
        other = question.answer[0] + 1
        wrong = str(other) if question.kind == "number" else format_shape((other, *question.answer[1:]))
        assert grade_answer(question, wrong).outcome == "wrong"


def check_choices(question: Question) -> None:
    assert 3 <= len(question.choices) <= len(LETTERS)
    assert len(set(question.choices)) == len(question.choices)
    for place, (letter, words) in enumerate(zip(LETTERS, question.choices, strict=False)):
        assert len(words) > 1 or words.isdigit(), "a single letter would be taken for a choice"
        expected = "right" if (place,) == question.answer else "wrong"
        assert [grade_answer(question, one).outcome for one in (letter, words)] == [expected] * 2, (question, words)


@pytest.mark.parametrize("level", LEVELS)
def test_fifty_questions_of_a_level(level: int) -> None:
    questions = FIFTY[level]
    assert len({question.id for question in questions}) == 50
    assert len({question.text for question in questions}) > 45
    assert {question.level for question in questions} == {level}
    assert len({question.id.rpartition("-")[0] for question in questions}) >= 8
    for question in questions:
        check(question)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**53 - 1), maker=st.sampled_from(GENERATORS), number=st.integers(0, 2**21), sizes=SIZES)
def test_every_kind_of_question_with_any_sizes(
    seed: int, maker: QuestionGenerator, number: int, sizes: dict[str, int]
) -> None:
    question = maker.question(Sampler(seed, number, sizes))
    if question is not None:
        check(question)


@pytest.mark.parametrize("maker", GENERATORS, ids=lambda maker: maker.name)
@pytest.mark.parametrize("size", [1, 2, None])
def test_each_kind_with_small_and_with_drawn_sizes(maker: QuestionGenerator, size: int | None) -> None:
    sizes = {} if size is None else dict.fromkeys(MAX_SIZES, size)
    found = [question for number in range(8) if (question := maker.question(Sampler(number, number, sizes))) is not None]
    for question in found:
        check(question)
    assert found or size is not None


@pytest.mark.parametrize("maker", GENERATORS, ids=lambda maker: maker.name)
def test_each_kind_uses_the_sizes_that_are_given(maker: QuestionGenerator) -> None:
    """A size is used as far as the question has it, so the command line that shows the answer has it too."""
    free = {"windows", "fading", "forget-start", "reshaped", "held-gates", "step-arithmetic"}
    questions = [maker.question(Sampler(3, number, {"units": 7, "features": 11})) for number in range(12)]
    found = [question for question in questions if question is not None]
    assert found
    if maker.name not in free:
        assert all("--units 7" in question.command or "--units" not in question.command for question in found)
        assert all("--features 11" in question.command for question in found)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**53 - 1),
    level=st.sampled_from([None, *LEVELS]),
    topic=st.sampled_from([None, *TOPICS]),
    count=st.integers(1, 6),
    sizes=SIZES.filter(lambda sizes: sizes.get("timesteps", 9) > 2 and sizes.get("units", 9) > 2),
)
def test_the_same_request_gives_the_same_questions(
    seed: int, level: int | None, topic: str | None, count: int, sizes: dict[str, int]
) -> None:
    request = QuizRequest(seed, level, topic, count, tuple(sizes.items()))
    try:
        questions = generate_questions(request)
    except UsageError:
        there = any(one.level == (level or one.level) and one.topic == (topic or one.topic) for one in GENERATORS)
        assert not there or sizes
        return
    assert questions == generate_questions(request)
    assert len(questions) == count
    assert all(question.topic == (topic or question.topic) for question in questions)
    levels = [question.level for question in questions]
    assert levels == sorted(levels)
    assert set(levels) == {level} if level else True


def test_another_seed_gives_other_questions() -> None:
    ids = [{question.id for question in generate_questions(QuizRequest(seed, None, None, 12))} for seed in range(3)]
    assert not ids[0] & ids[1]
    assert not ids[1] & ids[2]


def test_a_quiz_of_all_levels_has_a_third_of_each() -> None:
    levels = [question.level for question in generate_questions(QuizRequest(1, None, None, 11))]
    assert [levels.count(level) for level in LEVELS] == [4, 4, 3]


def test_a_longer_quiz_begins_with_the_questions_of_a_shorter_one() -> None:
    assert generate_questions(QuizRequest(5, 2, None, 20))[:8] == generate_questions(QuizRequest(5, 2, None, 8))


def test_where_there_are_no_more_questions_they_come_again() -> None:
    """Only so many constant forget gates are asked about."""
    questions = generate_questions(QuizRequest(0, 2, "memory", 40))
    kinds = {question.id for question in questions}
    assert len(questions) == 40
    assert 8 <= len(kinds) < 40
    assert len({question.id for question in questions[: len(kinds) - 2]}) == len(kinds) - 2


def test_fifty_questions_are_made_fast() -> None:
    for level in LEVELS:
        start = time.perf_counter()
        generate_questions(QuizRequest(11, level, None, 50))
        assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (QuizRequest(questions=0), f"questions=0: a quiz has 1 to {MAX_QUESTIONS} questions."),
        (QuizRequest(questions=501), "questions=501: a quiz has 1 to 500 questions."),
        (QuizRequest(level=4), "level=4: unknown level. The levels are 1: shapes and counts; 2: units and sharing; 3: "),
        (QuizRequest(level=0), "level=0: unknown level."),
        (QuizRequest(topic="nosuch"), "topic='nosuch': no question is about this topic. The topics are shapes, unit, "),
        (QuizRequest(topic=""), "topic='': no question is about this topic."),
        (QuizRequest(topic="a\nb"), r"topic='a\nb': no question is about this topic."),
        (QuizRequest(level=1, topic="memory"), "this level has no questions about memory. Choose level 2 or 3."),
        (QuizRequest(seed=-1), "seed=-1: a seed is a whole number"),
        (QuizRequest(sizes=(("units", 101),)), "units=101: questions are about 1 to 100 units."),
        (QuizRequest(sizes=(("samples", 0),)), "samples=0: questions are about 1 to 1000 samples."),
        (QuizRequest(level=2, topic="trace", questions=True), "this must be a whole number"),
    ],
)
def test_what_cannot_be_asked(request_: QuizRequest, message: str) -> None:
    with pytest.raises(UsageError) as error:
        generate_questions(request_)
    assert message in str(error.value)


def test_sizes_of_which_nothing_can_be_asked() -> None:
    with pytest.raises(UsageError, match="no question can be asked of these sizes"):
        generate_questions(QuizRequest(level=3, topic="trace", sizes=(("timesteps", 1),)))


def test_choices_of_which_not_exactly_one_is_right_are_not_asked() -> None:
    for tried in ([True, True, False], [False, False, False]):
        claims = tuple((f"claim {place}", true) for place, true in enumerate(tried))
        draft = QuestionDraft("What?", ChoiceAnswer(claims), "h", "e", "c")
        maker = QuestionGenerator(1, "shapes", lambda _, draft=draft: draft)  # type: ignore[misc]
        assert maker.question(Sampler(0, 0)) is None


def test_a_mistake_that_happens_to_be_right_is_no_choice() -> None:
    maker = QuestionGenerator(1, "shapes", lambda _: QuestionDraft("What?", NumberAnswer(5, (5, 5, 3, 4, -1)), "h", "e", "c"))
    questions = [maker.question(Sampler(0, number)) for number in range(30)]
    kinds = {question.kind for question in questions if question is not None}
    assert kinds == {"choice", "number"}
    for question in questions:
        assert question is not None
        assert sorted(question.choices) in ([], ["3", "4", "5"])
        check_choices(question) if question.choices else None


def test_how_far_a_change_reaches_is_not_asked_where_it_fades() -> None:
    for name, sizes in (
        ("leaking-samples", {"samples": 60}),
        ("timesteps-reached", {"timesteps": 60}),
        ("half-of-the-output", {"timesteps": 60}),
    ):
        (maker,) = (maker for maker in GENERATORS if maker.name == name)
        assert maker.question(Sampler(0, 0, sizes)) is None


def test_levels_and_topics_are_well_filled() -> None:
    for level in LEVELS:
        assert sum(maker.level == level for maker in GENERATORS) >= 8
    assert len({maker.name for maker in GENERATORS}) == len(GENERATORS)


def test_the_commands_can_be_split_by_a_shell() -> None:
    for questions in FIFTY.values():
        for question in questions:
            words = shlex.split(question.command)
            assert words[0] == "lstm-explain" or words[0] == "seq"


def test_a_question_cannot_be_changed() -> None:
    with pytest.raises((AttributeError, dataclasses.FrozenInstanceError)):
        FIFTY[1][0].level = 2  # type: ignore[misc]
