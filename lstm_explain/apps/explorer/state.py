"""State: all that the explorer knows, frozen. Actions make a new one of it; panels draw it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.gates import Direction

if TYPE_CHECKING:
    from typing import Any

    from lstm_explain.core.edits import Edit
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.command_line import CliSource

HEATMAP_PAIRS = (("h", "c"), ("i", "f"), ("g", "o"))
"""The heat maps that are seen side by side, and in which order they follow each other."""


class UndoEntry(NamedTuple):
    """What undo brings back."""

    lstm: LSTM
    edits: tuple[Edit, ...]


@dataclass(frozen=True, eq=False)
class ExplorerState:
    """Which LSTM, what is changed in it, and where one looks. Steps count from 1, everything else from 0."""

    lstm: LSTM = field(repr=False)
    """Without the edits."""
    edits: tuple[Edit, ...] = ()
    sample: int = 0
    layer: int = 0
    direction: Direction = Direction.FORWARD
    step: int = 1
    unit: int = 0
    maps: int = 0
    """Which pair of `MAPS`."""
    playing: bool = False
    said: str = ""
    """What the last action has to say; empty where nothing."""
    past: tuple[UndoEntry, ...] = field(default=(), repr=False)
    """What was before each change, the latest last."""
    given: CliSource | None = field(default=None, repr=False)
    """How files were named on the command line."""

    @property
    def layer_spec(self) -> Spec:
        """The sizes and options of the layer that is looked at; another one's may differ."""
        return self.lstm.spec.for_layer(self.layer)

    @property
    def length(self) -> int:
        """How many timesteps of the sample are run."""
        return self.lstm.spec.timesteps if self.lstm.lengths is None else self.lstm.lengths[self.sample]

    @property
    def before_step(self) -> int:
        """The timestep whose states the current one starts from: t - 1, or t + 1 where the direction is backward."""
        return self.step - 1 if self.direction is Direction.FORWARD else self.step + 1

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """The pairs of heat maps, the chosen one first; where a projection mixes the units, m stands for what each emits."""
        emits = "h" if self.layer_spec.projection is None else "m"
        pairs = ((emits, "c"), *HEATMAP_PAIRS[1:])
        return (*pairs[self.maps :], *pairs[: self.maps])

    @property
    def place(self) -> int:
        """Which number of h stands for the unit: its own, unless a projection made fewer."""
        return min(self.unit, self.layer_spec.hidden - 1)

    def but(self, **changes: Any) -> ExplorerState:
        """The same with some fields changed, and nothing said unless it is among them."""
        return replace(self, **{"said": "", **changes})
