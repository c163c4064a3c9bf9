"""What the question generators share: what is drawn from the seed, drafts of questions, and wording.

A generator returns a draft: the text, the measured answer, and the mistakes that people make. Whether the answer is written
out or chosen from a list, and in which order the choices are shown, is drawn from the seed.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from lstm_explain.apps.quiz.question import LETTERS, Kind, Question, format_shape
from lstm_explain.core.gates import GATES
from lstm_explain.core.gates import LETTERS as GATE_LETTERS
from lstm_explain.core.lstm import LSTM, SeededInputs
from lstm_explain.core.philox import Stream
from lstm_explain.core.spec import Spec
from lstm_explain.document.numbers import plural
from lstm_explain.topics.command_line import format_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lstm_explain.core.gates import Gate

    Item = TypeVar("Item")

MIN_CHOICES = 3
"""A question with fewer choices has its answer written out."""
GATE_NAMES = {gate: f"the {gate.value.replace('_', ' ')} {GATE_LETTERS[gate]}" for gate in GATES}
"""the input gate i, the forget gate f, the candidate g, the output gate o"""
GATE_COUNT = len(GATES)
PRECISE_DTYPE = "float64"
"""The type for questions that show numbers of a run: in float32, another processor may round them differently."""
MAX_TRACEABLE_STEPS = 32
"""After more timesteps, a change may have faded below the last bit of h, so no question asks how far it reaches."""
FIRST_STREAM = 2**33 + 1
"""The draws of question k come from stream 2**33 + 2 k + 1 of the seed: an odd one, above those of any stack's weights."""
BATCH_SIZE = 32
MAX_SEED = 1000
"""The seeds of the LSTMs are smaller, so that their command lines are short."""

SIZES: dict[str, tuple[int, ...]] = {
    "samples": (4, 8, 9, 16, 20, 30, 32, 40, 50, 64, 100),
    "timesteps": (3, 5, 6, 7, 10, 12, 14, 15, 18, 24, 28),
    "features": (1, 2, 3, 5, 6, 7, 8, 11, 13, 17),
    "units": (4, 6, 8, 9, 10, 12, 14, 16, 20, 24, 25, 30, 32),
}
"""The sizes that are drawn."""


class Sampler:
    """Draw what a question leaves to chance: sizes, options, units, the order of choices.

    Args:
        seed: of the whole quiz.
        number: the number of the attempt at a question, from 0.
        sizes: fixed sizes, which are not drawn.
    """

    def __init__(self, seed: int, number: int, sizes: Mapping[str, int] | None = None) -> None:
        self._stream = Stream(seed, FIRST_STREAM + 2 * number)
        self._left: Iterator[float] = iter(())
        self._sizes = dict(sizes or {})

    def below(self, end: int) -> int:
        """A whole number from 0 to end - 1."""
        drawn = next(self._left, None)
        if drawn is None:
            self._left = iter(self._stream.uniform(BATCH_SIZE).tolist())
            drawn = next(self._left)
        return int(drawn * end)

    def integer(self, first: int, last: int) -> int:
        """A whole number from first to last."""
        return first + self.below(last - first + 1)

    def chance(self, of: int) -> bool:
        """True with probability 1/`of`."""
        return self.below(of) == 0

    def item(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """Fisher and Yates's shuffle."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            index = self.below(last + 1)
            order[last], order[index] = order[index], order[last]
        return order

    def some(self, items: Sequence[Item], limit: int) -> list[Item]:
        """The first item, and others up to the limit."""
        return [*items[:1], *self.shuffled(items[1:])[: limit - 1]]

    def lstm(self, options: str = "", **fixed: Any) -> LSTM:
        """An LSTM with a new seed, of sizes that are drawn; no two of them are equal unless they are fixed.

        Args:
            options: options that it has with probability 1/3 each: layers, bidirectional, projection, no_bias, peepholes.
            fixed: fields of `Spec` that are not drawn.
        """
        drawn: dict[str, Any] = {}
        for name, choices in SIZES.items():
            used = {*drawn.values(), *self._sizes.values(), *(value for value in fixed.values() if value is not True)}
            drawn[name] = self.item([size for size in choices if size not in used])
        sizes = {**drawn, **self._sizes, **fixed}
        chosen = {name: value for name in options.split() if self.chance(3) for name, value in self._option(name, sizes)}
        spec = Spec.from_options(**{**chosen, **sizes})
        seed = self.below(MAX_SEED)
        return LSTM(spec, SeededInputs(spec, seed), seed=seed)

    @staticmethod
    def resized(lstm: LSTM, **sizes: Any) -> LSTM:
        """An LSTM of other sizes and another seed. Only its number of weights matters, so they are drawn the fastest way."""
        spec = lstm.spec.with_options(**sizes)
        return LSTM(spec, SeededInputs(spec, lstm.seed), "pytorch", lstm.seed + 1)

    def _option(self, name: str, sizes: Mapping[str, Any]) -> list[tuple[str, Any]]:
        if name == "projection":
            return [(name, self.integer(1, min(5, sizes["units"] - 1)))] if sizes["units"] > 1 else []
        if name == "layers":
            return [(name, self.integer(2, 3))]
        return [("bias", False)] if name == "no_bias" else [(name, True)]


# --- drafts -----------------------------------------------------------------------------------------------------------


class NumberAnswer(NamedTuple):
    """A whole number."""

    value: int
    """The measured value."""
    mistakes: tuple[int, ...] = ()
    """The results of typical mistakes, the most typical first; one may happen to equal the value."""
    written: bool = False
    """Whether the answer is always written out, because choices would give it away."""


class ShapeAnswer(NamedTuple):
    """A shape, or the indices of a number in an array."""

    value: tuple[int, ...]
    mistakes: tuple[tuple[int, ...], ...] = ()


class ChoiceAnswer(NamedTuple):
    """Statements of which exactly one is true; each was measured."""

    tried: tuple[tuple[str, bool], ...]
    """The words, and whether the statement is true."""


AnswerValue: TypeAlias = int | tuple[int, ...]
DraftAnswer: TypeAlias = NumberAnswer | ShapeAnswer | ChoiceAnswer


class QuestionDraft(NamedTuple):
    """A question whose choices have no order yet."""

    text: str
    asked: DraftAnswer
    hint: str
    explanation: str
    command: str


DraftFunction: TypeAlias = "Callable[[Sampler], QuestionDraft | None]"
"""Draw the sizes, build and run the LSTM, and ask; None if what was drawn allows no question."""


class QuestionGenerator(NamedTuple):
    """One kind of question."""

    level: int
    topic: str
    make: DraftFunction

    @property
    def name(self) -> str:
        return self.make.__name__.replace("_", "-")

    def question(self, draw: Sampler) -> Question | None:
        """Make a question; None if what was drawn allows none."""
        draft = self.make(draw)
        finished = None if draft is None else _finish_answer(draft.asked, draw)
        if draft is None or finished is None:
            return None
        kind, choices, answer = finished
        digits = sha256("\n".join([draft.text, *choices]).encode()).hexdigest()[:8]
        fields = draft.text, kind, choices, answer, draft.hint, draft.explanation, draft.command
        return Question(f"{self.name}-{digits}", self.level, self.topic, *fields)


def _finish_answer(asked: DraftAnswer, draw: Sampler) -> tuple[Kind, tuple[str, ...], tuple[int, ...]] | None:
    if isinstance(asked, ChoiceAnswer):
        return _shuffle_choices(asked.tried, draw)
    kind: Kind = "number" if isinstance(asked, NumberAnswer) else "shape"
    value: AnswerValue = asked.value
    mistakes: tuple[AnswerValue, ...] = asked.mistakes
    written = value if isinstance(value, tuple) else (value,)
    wrong = tuple(dict.fromkeys(mistake for mistake in mistakes if mistake != value and _is_possible(mistake)))
    if len(wrong) + 1 < MIN_CHOICES or (isinstance(asked, NumberAnswer) and asked.written) or draw.chance(2):
        return kind, (), written
    options = [value, *draw.some(wrong, len(LETTERS) - 1)]
    return _shuffle_choices(tuple((_format_value(mistake), mistake == value) for mistake in options), draw)


def _shuffle_choices(
    tried: tuple[tuple[str, bool], ...], draw: Sampler
) -> tuple[Kind, tuple[str, ...], tuple[int, ...]] | None:
    """Shuffle the choices; None unless exactly one is right and their number fits."""
    order = draw.shuffled(tried)
    right = [index for index, (_, true) in enumerate(order) if true]
    words = tuple(text for text, _ in order)
    if len(right) != 1 or not MIN_CHOICES <= len(set(words)) == len(words) <= len(LETTERS):
        return None
    return "choice", words, (right[0],)


def _is_possible(value: AnswerValue) -> bool:
    return min(value if isinstance(value, tuple) else (value,), default=-1) >= 0


def _format_value(value: AnswerValue) -> str:
    return format_shape(value) if isinstance(value, tuple) else str(value)


# --- wording ----------------------------------------------------------------------------------------------------------


def describe_input(spec: Spec) -> str:
    """Describe the LSTM and its input in a sentence."""
    batch = f"{plural(spec.samples, 'sample')} of {plural(spec.timesteps, 'timestep')} of {plural(spec.features, 'feature')}"
    return f"{describe_layers(spec)} reads {batch}."


def describe_layers(spec: Spec) -> str:
    """Describe the LSTM, as the beginning of a sentence."""
    direction = "bidirectional " if spec.bidirectional else ""
    options = [
        "" if spec.bias else "without biases",
        "with peepholes" if spec.peepholes else "",
        f"whose h is projected to {plural(spec.projection, 'number')}" if spec.projection else "",
    ]
    extra = "".join(f", {option}" for option in options if option)
    if len(spec.layers) > 1:
        each = f"with {plural(spec.units, 'unit')} in each layer" + (" and direction" if spec.bidirectional else "")
        return f"A stack of {len(spec.layers)} {direction}LSTM layers {each}{extra}{',' if extra else ''}"
    each = f"of {plural(spec.units, 'unit')}" + (" in each direction" if spec.bidirectional else "")
    return f"{'A bidirectional' if spec.bidirectional else 'An'} LSTM layer {each}{extra}{',' if extra else ''}"


def gate_letters(gates: Sequence[Gate]) -> str:
    """i, f, g, o"""
    return ", ".join(GATE_LETTERS[gate] for gate in gates)


def command_for(lstm: LSTM, topic: str, *arguments: str, **options: Any) -> str:
    """The command line that shows a topic of this LSTM."""
    return format_command(topic, lstm.spec, lstm.provenance, arguments=arguments, **options)
