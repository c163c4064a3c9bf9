"""The quiz at a terminal: a state, and a pure function from a state and a line to the next state and what is said.

Plain lines, one thing on each, for screen readers too: nothing is said by colour or by where it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from lstm_explain.apps.quiz.question import Question, grade_answer
from lstm_explain.apps.quiz.sheet import COUNTING_RULE, repeat_command
from lstm_explain.document.numbers import plural

if TYPE_CHECKING:
    from lstm_explain.apps.quiz.generate import QuizRequest

PROMPT = "Your answer: "
HINT_POINTS = 0.5
"""What a right answer is worth after a hint."""
COMMAND_INDENT = "  "
"""What stands before a command line. Such a line is never broken, so that it can be copied."""
KEY_HELP = "? or h gives a hint, for half a point; s skips the question; q stops."


class Reply(NamedTuple):
    """A question that is over."""

    number: int
    question: Question
    outcome: Literal["right", "wrong", "skipped"]
    hinted: bool

    @property
    def points(self) -> float:
        if self.outcome != "right":
            return 0.0
        return HINT_POINTS if self.hinted else 1.0


class QuizSession(NamedTuple):
    """Where a quiz stands."""

    request: QuizRequest
    questions: tuple[Question, ...]
    replies: tuple[Reply, ...] = ()
    hinted: bool = False
    """Whether the hint of the question at hand was given."""
    ended: bool = False

    @property
    def number(self) -> int:
        """The number of the question at hand, from 1."""
        return len(self.replies) + 1

    @property
    def question(self) -> Question:
        return self.questions[self.number - 1]


def opening_text(session: QuizSession) -> str:
    """What is said first."""
    lines = [
        f"A quiz of {plural(len(session.questions), 'question')}. Where there are choices, answer with a letter.",
        KEY_HELP,
        COUNTING_RULE,
    ]
    return "\n".join([*lines, "h is what a unit puts out, c its memory.", "", _format_question(session)])


def handle_input(session: QuizSession, line: str | None) -> tuple[QuizSession, str]:
    """The next state after a line was typed, and what is said; None is the end of input."""
    command = None if line is None else line.strip().casefold()
    if command in (None, "q", "quit"):
        ended = session._replace(ended=True)
        return ended, "\n".join(_summary_lines(ended))
    if command in ("?", "h", "hint"):
        return session._replace(hinted=True), f"Hint: {session.question.hint}"
    if command in ("s", "skip"):
        return _finish_question(session, "skipped")
    outcome = grade_answer(session.question, line).outcome
    if outcome in ("right", "wrong"):
        return _finish_question(session, "right" if outcome == "right" else "wrong")
    said = "Nothing was typed." if outcome == "missing" else "This cannot be read, so it does not count."
    return session, f"{said} Answer with {session.question.answered_by}. {KEY_HELP}"


def _finish_question(session: QuizSession, outcome: Literal["right", "wrong", "skipped"]) -> tuple[QuizSession, str]:
    """Go on from a question that is over."""
    question = session.question
    reply = Reply(session.number, question, outcome, session.hinted)
    session = session._replace(replies=(*session.replies, reply), hinted=False)
    if outcome == "right":
        half = ", for half a point after the hint" if reply.hinted else ""
        said = [f"Right: {question.right_in_words}{half}."]
    else:
        said = [f"{outcome.capitalize()}. The right answer is {question.right_in_words}.", question.explanation]
        said += ["This shows it:", f"{COMMAND_INDENT}{question.command}"]
    if len(session.replies) < len(session.questions):
        return session, "\n".join([*said, "", _format_question(session)])
    session = session._replace(ended=True)
    return session, "\n".join([*said, *_summary_lines(session)])


def _format_question(session: QuizSession) -> str:
    question = session.question
    lines = [f"Question {session.number} of {len(session.questions)}, about {question.topic}", question.text]
    lines += [f"{letter}) {text}" for letter, text in question.lettered_choices]
    return "\n".join(lines if question.choices else [*lines, f"Answer with {question.answered_by}."])


def _summary_lines(session: QuizSession) -> list[str]:
    replies = session.replies
    points = sum(reply.points for reply in replies)
    counts = {name: sum(reply.outcome == name for reply in replies) for name in ("right", "wrong", "skipped")}
    hinted = sum(reply.outcome == "right" and reply.hinted for reply in replies)
    told = [
        f"{count} {name}" + (f" ({hinted} after a hint)" if name == "right" and hinted else "")
        for name, count in counts.items()
    ]
    left = len(session.questions) - len(replies)
    told += [f"{left} not answered"] if left else []
    return [
        "",
        f"Score: {points:g} of {plural(len(replies), 'point')}: {', '.join(told)}.",
        *_topics_to_review(replies),
        *_next_quiz_lines(session),
    ]


def _topics_to_review(replies: tuple[Reply, ...]) -> list[str]:
    """The topics of what went wrong, each with a command that shows it."""
    found: dict[str, list[Reply]] = {}
    for reply in replies:
        if reply.outcome != "right" or reply.hinted:
            found.setdefault(reply.question.topic, []).append(reply)
    lines = []
    for topic, those in found.items():
        numbers = ", ".join(str(reply.number) for reply in those)
        lines += [f"Look again at {topic} ({'question' if len(those) == 1 else 'questions'} {numbers}):"]
        lines += [f"{COMMAND_INDENT}{those[0].question.command}"]
    return lines


def _next_quiz_lines(session: QuizSession) -> list[str]:
    other = session.request._replace(seed=(session.request.seed + 1) % 2**53)
    return ["For other questions:", f"{COMMAND_INDENT}{repeat_command(other)}"]
