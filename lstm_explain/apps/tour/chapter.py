"""What the chapters of the tour are made of: the LSTM they look at, their content, and wording that several of them use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from lstm_explain.document.blocks import Block, Cell, Document, Note, Paragraph, Preformatted
from lstm_explain.document.numbers import format_decimal, plural, thousands
from lstm_explain.document.tables import elide_list, ellipsis_row, visible_ends
from lstm_explain.document.text import join_words
from lstm_explain.errors import RefusedError
from lstm_explain.topics.command_line import format_command, spell_option, wrap_command
from lstm_explain.topics.shapes import explain_shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lstm_explain.apps.tour.circles import CirclesEvidence
    from lstm_explain.apps.tour.outputs import OutputsEvidence
    from lstm_explain.apps.tour.sharing import SharingEvidence
    from lstm_explain.apps.tour.states import StatesEvidence
    from lstm_explain.apps.tour.unit import UnitEvidence
    from lstm_explain.apps.tour.words import WordsEvidence
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.shapes import Shapes

T = TypeVar("T")

DEFAULT_UNIT = 3
MAX_ROWS = 10
"""The most rows or columns of numbers in a table of the tour."""


class ChapterContent(NamedTuple):
    """The content of a chapter about one LSTM."""

    question: str
    """What you can think about before you read the answer."""
    claims: tuple[str, ...]
    """The answer, one string for each paragraph; the first begins with the answer itself."""
    blocks: Document
    """What was measured, in words and tables."""
    evidence: CirclesEvidence | UnitEvidence | SharingEvidence | StatesEvidence | OutputsEvidence | WordsEvidence
    """What was measured, below; null replaces what the memory budget refused. `unit`, `sample`, `t` and `length` give the
    place in layer 0, forward."""
    commands: tuple[str, ...]
    """Command lines that show more. No other key in any JSON has paths; they are those of the command line."""

    @property
    def answer_blocks(self) -> Document:
        """The answer, the evidence, and the commands that show more."""
        first, *others = self.claims
        claims: list[Block] = [Paragraph(f"Answer: {first}"), *map(Paragraph, others)]
        lines = tuple(line for command in self.commands for line in wrap_command(command))
        return (*claims, *self.blocks, Paragraph("These commands show more:"), Preformatted(lines, "sh"))


@dataclass(frozen=True, eq=False)
class TourContext:
    """An LSTM, and the sample and unit that the chapters look at, in layer 0, forward, which every LSTM has."""

    lstm: LSTM
    sample: int = 0

    @property
    def spec(self) -> Spec:
        return self.lstm.spec

    @property
    def layer_spec(self) -> Spec:
        """The sizes and options of layer 0; other layers may differ."""
        return self.spec.for_layer(0)

    @property
    def unit(self) -> int:
        """The unit: not the first, which could look special."""
        return min(DEFAULT_UNIT, self.layer_spec.units - 1)

    @property
    def length(self) -> int:
        """How many timesteps of the sample are run; the rest is padding."""
        return self.spec.timesteps if self.lstm.lengths is None else self.lstm.lengths[self.sample]

    @cached_property
    def shapes(self) -> Shapes:
        """The result of `shapes`, which several chapters use."""
        return explain_shapes(self.lstm)

    @property
    def shapes_note(self) -> Note:
        """Whether the shapes were measured."""
        if self.shapes.measured:
            return Note("These shapes were read off arrays of a run that just happened, over all samples.")
        return Note("These shapes are computed: a run over all samples does not fit the memory budget (--max-memory).")

    def command(self, topic: str, arguments: tuple[str, ...] = (), **options: Any) -> str:
        """The command line that shows a topic of this LSTM."""
        return format_command(topic, self.spec, self.lstm.provenance, arguments, **options)

    def command_of_sample(self, topic: str, arguments: tuple[str, ...] = (), **options: Any) -> str:
        """The same for the sample; `--sample` is left out if it is the first, as that is the default."""
        return self.command(topic, arguments, **options, sample=self.sample or None)


def measure_within_budget(build: Callable[[], T]) -> tuple[T | None, tuple[Note, ...]]:
    """The result of `build`; or None and a note, if it would need more memory than the budget."""
    try:
        return build(), ()
    except RefusedError as refused:
        return None, (
            Note(
                f"Not measured: {refused.message(spell_option)} Statements without a measurement are computed from the sizes."
            ),
        )


# --- wording ----------------------------------------------------------------------------------------------------------


def describe_layers(spec: Spec) -> str:
    """layer 0 has 6 units in each direction, layer 1 has 4 units and layer 2 has 3 units"""
    descriptions = [
        f"layer {index} has {plural(layer.units, 'unit')}{' in each direction' if layer.bidirectional else ''}"
        for index, layer in enumerate(spec.layers)
    ]
    return join_words(elide_list(descriptions))


def has_several_directions(spec: Spec) -> bool:
    """Whether a unit's layer and direction must be named."""
    return len(spec.layer_directions) > 1


def nonfinite_notes(values: Iterable[float]) -> tuple[Note, ...]:
    """A note if a table has dots in place of numbers."""
    if all(map(isfinite, values)):
        return ()
    return (Note("A dot marks a number that is not finite: the data are not finite, or too large."),)


def visible_indices(items: Sequence[int]) -> tuple[list[int], int]:
    """The items that a table shows, and the index of the gap; 0 if nothing is left out."""
    front, back = visible_ends(items, MAX_ROWS)
    return [*items[:front], *(items[-back:] if back else ())], front if back else 0


def insert_gap_row(rows: list[tuple[Cell, ...]], gap: int) -> tuple[tuple[Cell, ...], ...]:
    """The rows, with a row of dots at the gap."""
    return tuple([*rows[:gap], ellipsis_row(len(rows[0])), *rows[gap:]] if gap else rows)


def format_number(value: float) -> str:
    """0.0249, for a sentence."""
    return format_decimal(value, 4).strip()


def format_fraction_of(changed: int, of: int) -> str:
    """0 of 36"""
    return f"{thousands(changed)} of {thousands(of)}"
