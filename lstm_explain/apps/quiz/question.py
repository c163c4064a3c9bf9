"""Question: the text, the measured answer, and how an answer is read and graded."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Literal, NamedTuple, get_args

from lstm_explain.topics.result import Maximum, Minimum

Level = Annotated[int, Minimum(1), Maximum(3)]
Kind = Literal["choice", "number", "shape"]
Outcome = Literal["right", "wrong", "unreadable", "missing"]
Letter = Literal["a", "b", "c", "d"]

LETTERS: tuple[Letter, ...] = get_args(Letter)
"""The letters of the choices; a question has at most these."""
MAX_ANSWER_LENGTH = 200
"""A longer answer is not read."""
MAX_DIGITS = 18
ANSWER_FORMATS: dict[Kind, str] = {
    "choice": "a letter such as b, or the words of a choice",
    "number": "a whole number such as 12",
    "shape": "whole numbers such as (3, 4)",
}
"""What an answer to each kind of question looks like."""


class Choice(NamedTuple):
    """A choice of a question, and the letter to answer with."""

    letter: Letter
    """The letter."""
    text: str
    """The words of the choice."""


class Question(NamedTuple):
    """One question."""

    id: str
    """The kind of question and a hash of its words: the same question always has the same id."""
    level: Level
    """1: shapes and counts; 2: units and sharing; 3: frameworks, layouts and mistakes that raise no error."""
    topic: str
    """Which command of lstm-explain it belongs to."""
    text: str
    """The question."""
    kind: Kind
    """What kind of answer it has."""
    choices: tuple[str, ...]
    """In the order in which they are shown; empty if the answer is written out."""
    answer: tuple[int, ...]
    """The measured answer: the index of the right choice, the number, or the sizes of the shape."""
    hint: str
    """What to think about."""
    explanation: str
    """Why the right answer is right."""
    command: str
    """The command line that shows it."""

    @property
    def lettered_choices(self) -> Annotated[list[Choice], Maximum(4)]:
        """The choices in order; empty if the answer is written out."""
        return list(map(Choice, LETTERS, self.choices))

    @property
    def answered_by(self) -> str:
        """What an answer looks like."""
        return ANSWER_FORMATS[self.kind]

    @property
    def right(self) -> str:
        """The right answer, in a form that is accepted."""
        if self.kind == "choice":
            return LETTERS[self.answer[0]]
        return str(self.answer[0]) if self.kind == "number" else format_shape(self.answer)

    @property
    def right_in_words(self) -> str:
        """The right answer with the words of the choice, such as `b) 640`."""
        return f"{self.right}) {self.choices[self.answer[0]]}" if self.kind == "choice" else self.right


class Verdict(NamedTuple):
    """How an answer was graded."""

    outcome: Outcome
    """The grade. An `unreadable` answer does not count as `wrong`; `missing` means that none was given."""
    read: str | None
    """The answer as it was understood; None if it could not be read."""


def grade_answer(question: Question, given: str | None) -> Verdict:
    """Read an answer and compare it with the right one.

    A choice is given by its letter (`b`, `b)`, `B`) or by its words; a number may have thousands commas; a shape may be
    spelled `(1000, 10)`, `1000,10`, `1000 x 10` or with axis names, `samples=1000, units=10`.
    """
    words = _normalise(given or "")
    if not words:
        return Verdict("missing", None)
    read = _PARSERS[question.kind](question, words) if len(words) <= MAX_ANSWER_LENGTH else None
    if read is None:
        return Verdict("unreadable", None)
    shown = question._replace(answer=read).right
    return Verdict("right" if read == question.answer else "wrong", shown)


def format_shape(sizes: tuple[int, ...]) -> str:
    """(1000, 10), and (10,) for one axis: as Python and every framework print a shape."""
    return str(tuple(sizes))


def _normalise(text: str) -> str:
    """Remove differences that do not matter: the width and kind of characters, case, extra blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("×", "x").casefold().split())


def _parse_choice(question: Question, words: str) -> tuple[int, ...] | None:
    letters = LETTERS[: len(question.choices)]
    letter = re.fullmatch(r"\(?([a-d])[).:]?", words)
    if letter:
        return (letters.index(letter[1]),) if letter[1] in letters else None
    bare = re.sub(r"^\(?[a-d]\) ", "", words)
    for parse in (_strip_punctuation, _parse_number, _parse_shape):
        value = parse(question, bare)
        matches = [index for index, choice in enumerate(question.choices) if parse(question, _normalise(choice)) == value]
        if value is not None and len(matches) == 1:
            return (matches[0],)
    return None


def _strip_punctuation(_: Question, words: str) -> str:
    """The words without surrounding punctuation."""
    return words.strip(" .;\"'`")


def _parse_number(_: Question, words: str) -> tuple[int, ...] | None:
    grouped = re.fullmatch(r"[-+]?\d{1,3}([, _'])\d{3}(\1\d{3})*", words)
    digits = re.sub(r"[, _']", "", words) if grouped else words
    match = re.fullmatch(r"([-+]?\d+)(?:\.0*)?(?: [a-z ]+)?", digits)
    return (int(match[1]),) if match and len(match[1]) <= MAX_DIGITS else None


def _parse_shape(_: Question, words: str) -> tuple[int, ...] | None:
    pairs = {"(": ")", "[": "]"}
    if words[:1] in pairs and words[-1:] == pairs[words[0]]:
        words = words[1:-1].strip()
    parts = re.split(r"\s*[,;x*]\s*|\s+", re.sub(r"[a-z_][a-z_0-9]*\s*=\s*", "", words).rstrip(", "))
    if not all(re.fullmatch(r"0|[1-9]\d*", part) and len(part) <= MAX_DIGITS for part in parts):
        return None
    return tuple(map(int, parts))


_PARSERS = {"choice": _parse_choice, "number": _parse_number, "shape": _parse_shape}
