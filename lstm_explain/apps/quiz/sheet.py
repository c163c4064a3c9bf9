"""The quiz on paper: questions and their key as JSON or as blocks, and the grades of a filled-in sheet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import starmap
from typing import TYPE_CHECKING, ClassVar, NamedTuple, get_args

from lstm_explain.apps.quiz.generate import LEVELS, QuizRequest, generate_questions
from lstm_explain.apps.quiz.question import Outcome, Question, grade_answer
from lstm_explain.document.blocks import Block, Document, Heading, Note, Paragraph, Preformatted
from lstm_explain.document.numbers import plural
from lstm_explain.topics.result import Finite, Positive, Result, json_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lstm_explain.apps.quiz.question import Verdict

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@json_keys(
    "number id=question.id level=question.level topic=question.topic text=question.text kind=question.kind",
    "choices=question.lettered_choices answered_by=question.answered_by hint=question.hint answer",
)
class SheetQuestion(NamedTuple):
    """A question of a sheet."""

    number: Positive
    """The number of the question, from 1."""
    question: Question

    @property
    def answer(self) -> str | Finite | list[int] | None:
        """Null; fill in text, a number or a list of numbers before you give the sheet to `--answers`."""
        return None


@json_keys(
    "number id=question.id answer=question.right in_words=question.right_in_words",
    "explanation=question.explanation command=question.command",
)
class KeyEntry(NamedTuple):
    """The right answer to a question of a sheet."""

    number: Positive
    """The number of the question, from 1."""
    question: Question


@dataclass(frozen=True, eq=False, repr=False)
@json_keys("quiz=request questions=numbered_questions key")
class QuizSheet(Result):
    """A sheet of questions about LSTMs, and the key to them."""

    topic: ClassVar[str] = "quiz"

    request: QuizRequest
    """What the questions are made from."""
    questions: tuple[Question, ...]

    @property
    def numbered_questions(self) -> list[SheetQuestion]:
        """The questions with their numbers."""
        return list(starmap(SheetQuestion, enumerate(self.questions, 1)))

    @property
    def key(self) -> list[KeyEntry]:
        """The right answers."""
        return list(starmap(KeyEntry, enumerate(self.questions, 1)))


@json_keys(
    "number id=question.id given read=verdict.read outcome=verdict.outcome right=question.right",
    "in_words=question.right_in_words explanation=question.explanation command=question.command",
)
class GradedAnswer(NamedTuple):
    """An answer to a question of a sheet, and how it was graded."""

    number: Positive
    """The number of the question, from 1."""
    question: Question
    given: str | None
    """The answer as it was given; None if there was none."""
    verdict: Verdict


@dataclass(frozen=True, eq=False, repr=False)
@json_keys("quiz=request points of counts answers")
class Grades(Result):
    """A filled-in sheet of questions about LSTMs, graded."""

    topic: ClassVar[str] = "grades"

    request: QuizRequest
    """What the questions are made from."""
    answers: tuple[GradedAnswer, ...]
    """The answer to each question."""

    @cached_property
    def counts(self) -> dict[Outcome, int]:
        """How many answers have each grade."""
        return {outcome: sum(answer.verdict.outcome == outcome for answer in self.answers) for outcome in OUTCOMES}

    @property
    def points(self) -> int:
        """How many answers are right."""
        return self.counts["right"]

    @property
    def of(self) -> Positive:
        """How many questions there are."""
        return len(self.answers)


def build_sheet(request: QuizRequest) -> QuizSheet:
    """Make the questions of a request, and their key.

    Raises:
        UsageError: no such questions exist; see `validate_request`.
    """
    return QuizSheet(request, generate_questions(request))


def grade_sheet(sheet: QuizSheet, given: Mapping[int, str | None]) -> Grades:
    """Grade the answers to a sheet, by the numbers of the questions; an answer that is not given is missing."""
    answers = (
        GradedAnswer(number, question, given.get(number), grade_answer(question, given.get(number)))
        for number, question in sheet.numbered_questions
    )
    return Grades(sheet.request, tuple(answers))


# --- blocks -----------------------------------------------------------------------------------------------------------


def questions_document(sheet: QuizSheet) -> Document:
    """The questions, to hand out."""
    levels = sorted({question.level for question in sheet.questions})
    about = "; ".join(f"level {level}: {LEVELS[level]}" for level in levels)
    instructions = "Answer with a letter where there are choices, else with a whole number, or a shape such as (3, 4)."
    blocks: list[Block] = [
        Heading("Quiz: how an LSTM works", 1),
        Paragraph(f"{plural(len(sheet.questions), 'question')} ({about}). {instructions}"),
        Paragraph(f"{COUNTING_RULE} A unit outputs h and keeps c, its memory."),
        Paragraph("Name:"),
    ]
    for number, question in sheet.numbered_questions:
        blocks += [Heading(f"Question {number}"), Paragraph(question.text)]
        blocks += [Paragraph(f"{letter}) {text}") for letter, text in question.lettered_choices]
        blocks.append(Paragraph("Answer:"))
    return tuple(blocks)


COUNTING_RULE = "Samples, features, units and layers count from 0, timesteps from 1."


def key_document(sheet: QuizSheet) -> Document:
    """The key, for grading."""
    blocks: list[Block] = [
        Heading("Key", 1),
        Note("Every answer was computed or measured on a real LSTM when this sheet was made. The commands show them."),
    ]
    for number, question in sheet.numbered_questions:
        blocks += [Heading(f"Question {number}: {question.right_in_words}")]
        blocks += [Paragraph(question.explanation), Preformatted((question.command,), "sh")]
    return (
        *blocks,
        Heading("The same sheet again"),
        Preformatted((f"{repeat_command(sheet.request)} --export markdown",), "sh"),
    )


def repeat_command(request: QuizRequest) -> str:
    """The command line that asks the same questions."""
    words = ["lstm-explain quiz", f"--seed {request.seed}", f"--questions {request.questions}"]
    words += [] if request.level is None else [f"--level {request.level}"]
    words += [] if request.topic is None else [f"--topic {request.topic}"]
    return " ".join([*words, *(f"--{name} {size}" for name, size in request.sizes)])
