"""Draw: what is left to chance in a question, drawn from a seed: sizes, options, which unit, the order of choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from lstm_explain.core.lstm import LSTM, SeededInputs
from lstm_explain.core.philox import Stream
from lstm_explain.core.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    One = TypeVar("One")

FIRST_STREAM = 2**33 + 1
"""The draws of question k come from stream 2**33 + 2 k + 1 of the seed: an odd one, above those of any stack's weights."""
BATCH_SIZE = 32
MAX_SEED = 1000
"""The LSTMs of questions have seeds below this, so that their command lines are short."""

SIZES: dict[str, tuple[int, ...]] = {
    "samples": (4, 8, 9, 16, 20, 30, 32, 40, 50, 64, 100),
    "timesteps": (3, 5, 6, 7, 10, 12, 14, 15, 18, 24, 28),
    "features": (1, 2, 3, 5, 6, 7, 8, 11, 13, 17),
    "units": (4, 6, 8, 9, 10, 12, 14, 16, 20, 24, 25, 30, 32),
}
"""What is drawn where no size is given."""


class Sampler:
    """The draws of one question.

    Args:
        seed: of the whole quiz.
        number: which attempt at a question this is, from 0.
        sizes: sizes that are not drawn, because they were given.
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

    def whole(self, first: int, last: int) -> int:
        """A whole number from first to last."""
        return first + self.below(last - first + 1)

    def chance(self, of: int) -> bool:
        """True once in so many times."""
        return self.below(of) == 0

    def one(self, among: Sequence[One]) -> One:
        return among[self.below(len(among))]

    def shuffled(self, items: Sequence[One]) -> list[One]:
        """Fisher and Yates's shuffle."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            place = self.below(last + 1)
            order[last], order[place] = order[place], order[last]
        return order

    def some(self, items: Sequence[One], most: int) -> list[One]:
        """At most so many of them; the first of them always."""
        return [*items[:1], *self.shuffled(items[1:])[: most - 1]]

    def lstm(self, may: str = "", **fixed: Any) -> LSTM:
        """An LSTM of sizes that are drawn, no two of them alike unless they are given, and of a seed of its own.

        Args:
            may: options that it may have, each once in three times: layers, bidirectional, projection, no_bias, peepholes.
            fixed: fields of `Spec` that are not drawn.
        """
        drawn: dict[str, Any] = {}
        for name, among in SIZES.items():
            taken = {*drawn.values(), *self._sizes.values(), *(one for one in fixed.values() if one is not True)}
            drawn[name] = self.one([size for size in among if size not in taken])
        sizes = {**drawn, **self._sizes, **fixed}
        options = {name: value for name in may.split() if self.chance(3) for name, value in self._option(name, sizes)}
        spec = Spec.from_options(**{**options, **sizes})
        seed = self.below(MAX_SEED)
        return LSTM(spec, SeededInputs(spec, seed), seed=seed)

    @staticmethod
    def resized(lstm: LSTM, **sizes: Any) -> LSTM:
        """An LSTM of other sizes and another seed, where only the number of weights counts: they are drawn the fastest way."""
        spec = lstm.spec.with_options(**sizes)
        return LSTM(spec, SeededInputs(spec, lstm.seed), "pytorch", lstm.seed + 1)

    def _option(self, name: str, sizes: Mapping[str, Any]) -> list[tuple[str, Any]]:
        if name == "projection":
            return [(name, self.whole(1, min(5, sizes["units"] - 1)))] if sizes["units"] > 1 else []
        if name == "layers":
            return [(name, self.whole(2, 3))]
        return [("bias", False)] if name == "no_bias" else [(name, True)]
