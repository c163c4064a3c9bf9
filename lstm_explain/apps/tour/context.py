"""Subject: the LSTM that the tour is about, and where in it the tour looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from lstm_explain.document.blocks import Note
from lstm_explain.errors import RefusedError
from lstm_explain.topics.command_line import format_command
from lstm_explain.topics.shapes import explain_shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.command_line import CliSource
    from lstm_explain.topics.shapes import Shapes

T = TypeVar("T")

DEFAULT_UNIT = 3


@dataclass(frozen=True, eq=False)
class TourContext:
    """An LSTM, and the sample, layer and unit that are looked at. Layer 0 forward, as every LSTM has one."""

    lstm: LSTM
    given: CliSource | None = field(default=None, repr=False)
    """How the command line named the files."""
    sample: int = 0

    @property
    def spec(self) -> Spec:
        return self.lstm.spec

    @property
    def layer_spec(self) -> Spec:
        """The sizes and options of the layer that is looked at; those of others may differ."""
        return self.spec.for_layer(0)

    @property
    def unit(self) -> int:
        """The unit that is looked at: not the first, which could be taken for a special one."""
        return min(DEFAULT_UNIT, self.layer_spec.units - 1)

    @property
    def length(self) -> int:
        """How many timesteps of the sample are run; the rest is padding."""
        return self.spec.timesteps if self.lstm.lengths is None else self.lstm.lengths[self.sample]

    @cached_property
    def shapes(self) -> Shapes:
        """What `shapes` says; several chapters read it."""
        return explain_shapes(self.lstm)

    @property
    def how(self) -> Note:
        """Whether the shapes were measured."""
        if self.shapes.measured:
            return Note("These shapes were read off arrays of a run that just happened, over all samples.")
        return Note("These shapes are computed: a run over all samples does not fit the memory budget (--max-memory).")

    def command(self, topic: str, arguments: tuple[str, ...] = (), **options: Any) -> str:
        """The command line that asks a topic of this LSTM."""
        return format_command(topic, self.spec, self.lstm.provenance, self.given, arguments, **options)

    def command_of_sample(self, topic: str, arguments: tuple[str, ...] = (), **options: Any) -> str:
        """The same, of the sample that is looked at; left out where it is the first, as that is the default."""
        return self.command(topic, arguments, **options, sample=self.sample or None)


def measure_within_budget(build: Callable[[], T]) -> tuple[T | None, tuple[Note, ...]]:
    """What was built; or None and a remark, where it would have needed more memory than the budget."""
    try:
        return build(), ()
    except RefusedError as refused:
        return None, (Note(f"Not measured: {refused} What is said without a measurement is computed from the sizes."),)
