"""The quiz in a terminal: a state, and a pure function from a state and a line to the next state and the text to print.

Output is plain lines with one statement each, so that screen readers can read all of it: nothing depends on colour or layout.
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
"""The points for a right answer after a hint."""
COMMAND_INDENT = "  "
"""The indent of a command line. Such a line is never wrapped, so that you can copy it."""
KEY_HELP = "? or h gives a hint, for half a point; s skips the question; q stops."


class Reply(NamedTuple):
    """An answered or skipped question."""

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
    """A quiz in progress."""

    request: QuizRequest
    questions: tuple[Question, ...]
    replies: tuple[Reply, ...] = ()
    hinted: bool = False
    """Whether the hint of the current question was shown."""
    ended: bool = False

    @property
    def number(self) -> int:
        """The number of the current question, from 1."""
        return len(self.replies) + 1

    @property
    def question(self) -> Question:
        return self.questions[self.number - 1]


def opening_text(session: QuizSession) -> str:
    """The introduction and the first question."""
    lines = [
        f"A quiz of {plural(len(session.questions), 'question')}. Where there are choices, answer with a letter.",
        KEY_HELP,
        COUNTING_RULE,
    ]
    return "\n".join([*lines, "A unit outputs h and keeps c, its memory.", "", _format_question(session)])


def handle_input(session: QuizSession, line: str | None) -> tuple[QuizSession, str]:
    """The next state after a line, and the text to print; None is the end of input."""
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
    message = "The answer is empty." if outcome == "missing" else "The answer cannot be read, so it does not count."
    return session, f"{message} Answer with {session.question.answered_by}. {KEY_HELP}"


def _finish_question(session: QuizSession, outcome: Literal["right", "wrong", "skipped"]) -> tuple[QuizSession, str]:
    """Grade the current question and go to the next."""
    question = session.question
    reply = Reply(session.number, question, outcome, session.hinted)
    session = session._replace(replies=(*session.replies, reply), hinted=False)
    if outcome == "right":
        half = ", for half a point after the hint" if reply.hinted else ""
        lines = [f"Right: {question.right_in_words}{half}."]
    else:
        lines = [f"{outcome.capitalize()}. The right answer is {question.right_in_words}.", question.explanation]
        lines += ["This command shows it:", f"{COMMAND_INDENT}{question.command}"]
    if len(session.replies) < len(session.questions):
        return session, "\n".join([*lines, "", _format_question(session)])
    session = session._replace(ended=True)
    return session, "\n".join([*lines, *_summary_lines(session)])


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
    counts_text = [
        f"{count} {name}" + (f" ({hinted} after a hint)" if name == "right" and hinted else "")
        for name, count in counts.items()
    ]
    left = len(session.questions) - len(replies)
    counts_text += [f"{left} not answered"] if left else []
    return [
        "",
        f"Score: {points:g} of {plural(len(replies), 'point')}: {', '.join(counts_text)}.",
        *_topics_to_review(replies),
        *_next_quiz_lines(session),
    ]


def _topics_to_review(replies: tuple[Reply, ...]) -> list[str]:
    """The topics of wrong, skipped and hinted questions, each with a command that shows it."""
    by_topic: dict[str, list[Reply]] = {}
    for reply in replies:
        if reply.outcome != "right" or reply.hinted:
            by_topic.setdefault(reply.question.topic, []).append(reply)
    lines = []
    for topic, topic_replies in by_topic.items():
        numbers = ", ".join(str(reply.number) for reply in topic_replies)
        lines += [f"Look again at {topic} ({'question' if len(topic_replies) == 1 else 'questions'} {numbers}):"]
        lines += [f"{COMMAND_INDENT}{topic_replies[0].question.command}"]
    return lines


def _next_quiz_lines(session: QuizSession) -> list[str]:
    other = session.request._replace(seed=(session.request.seed + 1) % 2**53)
    return ["For other questions:", f"{COMMAND_INDENT}{repeat_command(other)}"]
