"""The quiz on paper: questions and their key as JSON or as blocks, and a filled-in sheet graded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from lstm_explain.apps.quiz.generate import LEVELS, QuizRequest, generate_questions
from lstm_explain.apps.quiz.question import ANSWER_FORMATS, LETTERS, Outcome, Question, grade_answer
from lstm_explain.document.blocks import Block, Document, Heading, Note, Paragraph, Preformatted
from lstm_explain.document.numbers import plural
from lstm_explain.topics.result import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lstm_explain.apps.quiz.question import Verdict

OUTCOMES: tuple[Outcome, ...] = ("right", "wrong", "unreadable", "missing")


@dataclass(frozen=True, eq=False, repr=False)
class QuizSheet(Result):
    """The questions of a request, and the key to them."""

    topic: ClassVar[str] = "quiz"

    request: QuizRequest
    questions: tuple[Question, ...]

    @property
    def numbered(self) -> list[tuple[int, Question]]:
        """The questions with their numbers, from 1."""
        return list(enumerate(self.questions, 1))

    def facts(self) -> dict[str, Any]:
        return {
            "quiz": self.request.to_dict(),
            "questions": [_question_to_dict(number, question) for number, question in self.numbered],
            "key": [{"number": number, "id": one.id, "answer": one.right, **_solution(one)} for number, one in self.numbered],
        }


class GradedAnswer(NamedTuple):
    """What became of one answer of a sheet."""

    number: int
    question: Question
    given: str | None
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "id": self.question.id,
            "given": self.given,
            "read": self.verdict.read,
            "outcome": self.verdict.outcome,
            "right": self.question.right,
            **_solution(self.question),
        }


@dataclass(frozen=True, eq=False, repr=False)
class Grades(Result):
    """A filled-in sheet, graded."""

    topic: ClassVar[str] = "grades"

    request: QuizRequest
    answers: tuple[GradedAnswer, ...]

    def count(self, outcome: Outcome) -> int:
        """How many answers came to this."""
        return sum(one.verdict.outcome == outcome for one in self.answers)

    def facts(self) -> dict[str, Any]:
        return {
            "quiz": self.request.to_dict(),
            "points": self.count("right"),
            "of": len(self.answers),
            "counts": {outcome: self.count(outcome) for outcome in OUTCOMES},
            "answers": [one.to_dict() for one in self.answers],
        }


def build_sheet(request: QuizRequest) -> QuizSheet:
    """Make the questions of a request, and their key.

    Raises:
        UsageError: there are no such questions; see `made`.
    """
    return QuizSheet(request, generate_questions(request))


def grade_sheet(sheet: QuizSheet, given: Mapping[int, str | None]) -> Grades:
    """Grade the answers to a sheet, by the numbers of the questions; one that is not there is missing."""
    return Grades(
        sheet.request,
        tuple(
            GradedAnswer(number, one, given.get(number), grade_answer(one, given.get(number)))
            for number, one in sheet.numbered
        ),
    )


def _question_to_dict(number: int, question: Question) -> dict[str, Any]:
    choices = zip(LETTERS, question.choices, strict=False)
    return {
        "number": number,
        "id": question.id,
        "level": question.level,
        "topic": question.topic,
        "text": question.text,
        "kind": question.kind,
        "choices": [{"letter": letter, "text": text} for letter, text in choices],
        "answered_by": ANSWER_FORMATS[question.kind],
        "hint": question.hint,
        "answer": None,
    }


def _solution(question: Question) -> dict[str, str]:
    return {"in_words": question.right_in_words, "explanation": question.explanation, "command": question.command}


# --- blocks -----------------------------------------------------------------------------------------------------------


def questions_document(sheet: QuizSheet) -> Document:
    """The sheet that is handed out."""
    levels = sorted({question.level for question in sheet.questions})
    about = "; ".join(f"level {level}: {LEVELS[level]}" for level in levels)
    how = "Answer with a letter where there are choices, else with a whole number, or a shape such as (3, 4)."
    blocks: list[Block] = [
        Heading("Quiz: how an LSTM works", 1),
        Paragraph(f"{plural(len(sheet.questions), 'question')} ({about}). {how}"),
        Paragraph(f"{COUNTING_RULE} h is what a unit puts out, c its memory."),
        Paragraph("Name:"),
    ]
    for number, question in sheet.numbered:
        blocks += [Heading(f"Question {number}"), Paragraph(question.text)]
        blocks += [Paragraph(f"{letter}) {text}") for letter, text in zip(LETTERS, question.choices, strict=False)]
        blocks.append(Paragraph("Answer:"))
    return tuple(blocks)


COUNTING_RULE = "Samples, features, units and layers count from 0, timesteps from 1."


def key_document(sheet: QuizSheet) -> Document:
    """The key, for who grades."""
    blocks: list[Block] = [
        Heading("Key", 1),
        Note("Every answer was computed or measured on a real LSTM when this sheet was made. The command shows it."),
    ]
    for number, question in sheet.numbered:
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
