"""What a maker of questions hands in: words, and an answer that was measured, with the mistakes that people make beside it.

How it is asked, by letters or to be written out, and in which order choices stand, is drawn from the seed.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lstm_explain.apps.quiz.question import LETTERS, Kind, Question, format_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.apps.quiz.sampler import Sampler

MIN_CHOICES = 3
"""A question has at least so many choices; with fewer, the answer is written out."""


class NumberAnswer(NamedTuple):
    """A whole number."""

    value: int
    """As it was measured."""
    mistakes: tuple[int, ...] = ()
    """What people arrive at by typical mistakes, the most typical first; none of them need be wrong by itself."""
    written: bool = False
    """Whether it is always written out, where choices would give it away."""


class ShapeAnswer(NamedTuple):
    """A shape, or the place of a number in an array."""

    value: tuple[int, ...]
    mistakes: tuple[tuple[int, ...], ...] = ()


class ChoiceAnswer(NamedTuple):
    """Statements of which exactly one is true; each was tried."""

    tried: tuple[tuple[str, bool], ...]
    """The words, and whether it turned out to be true."""


AnswerValue: TypeAlias = int | tuple[int, ...]
DraftAnswer: TypeAlias = NumberAnswer | ShapeAnswer | ChoiceAnswer


class QuestionDraft(NamedTuple):
    """A question before it has an order of choices and a number."""

    text: str
    asked: DraftAnswer
    hint: str
    explanation: str
    command: str


DraftFunction: TypeAlias = "Callable[[Sampler], QuestionDraft | None]"
"""Draw the sizes, build and run the LSTM, and ask. None where nothing can be asked of what was drawn."""


class QuestionGenerator(NamedTuple):
    """One kind of question."""

    level: int
    topic: str
    make: DraftFunction

    @property
    def name(self) -> str:
        return self.make.__name__.replace("_", "-")

    def question(self, draw: Sampler) -> Question | None:
        """Make one question with what is drawn; None where that gives none."""
        posed = self.make(draw)
        found = None if posed is None else _finish_answer(posed.asked, draw)
        if posed is None or found is None:
            return None
        kind, choices, answer = found
        digits = sha256("\n".join([posed.text, *choices]).encode()).hexdigest()[:8]
        told = posed.text, kind, choices, answer, posed.hint, posed.explanation, posed.command
        return Question(f"{self.name}-{digits}", self.level, self.topic, *told)


def _finish_answer(asked: DraftAnswer, draw: Sampler) -> tuple[Kind, tuple[str, ...], tuple[int, ...]] | None:
    if isinstance(asked, ChoiceAnswer):
        return _shuffle_choices(asked.tried, draw)
    kind: Kind = "number" if isinstance(asked, NumberAnswer) else "shape"
    value: AnswerValue = asked.value
    mistakes: tuple[AnswerValue, ...] = asked.mistakes
    written = value if isinstance(value, tuple) else (value,)
    wrong = tuple(dict.fromkeys(one for one in mistakes if one != value and _is_possible(one)))
    if len(wrong) + 1 < MIN_CHOICES or (isinstance(asked, NumberAnswer) and asked.written) or draw.chance(2):
        return kind, (), written
    among = [value, *draw.some(wrong, len(LETTERS) - 1)]
    return _shuffle_choices(tuple((_format_value(one), one == value) for one in among), draw)


def _shuffle_choices(
    tried: tuple[tuple[str, bool], ...], draw: Sampler
) -> tuple[Kind, tuple[str, ...], tuple[int, ...]] | None:
    """The choices in an order that is drawn; None unless exactly one of them is right, and there are enough of them."""
    order = draw.shuffled(tried)
    right = [place for place, (_, true) in enumerate(order) if true]
    words = tuple(one for one, _ in order)
    if len(right) != 1 or not MIN_CHOICES <= len(set(words)) == len(words) <= len(LETTERS):
        return None
    return "choice", words, (right[0],)


def _is_possible(value: AnswerValue) -> bool:
    return min(value if isinstance(value, tuple) else (value,), default=-1) >= 0


def _format_value(value: AnswerValue) -> str:
    return format_shape(value) if isinstance(value, tuple) else str(value)
