"""The explorer's state, frozen: actions make a new state, panels draw it. And the command lines that show the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.gates import Direction
from lstm_explain.topics.command_line import format_command

if TYPE_CHECKING:
    from typing import Any

    from lstm_explain.core.edits import Edit
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec

HEATMAP_PAIRS = (("h", "c"), ("i", "f"), ("g", "o"))
"""The heat maps that are side by side, in order."""


class UndoEntry(NamedTuple):
    """What undo brings back."""

    lstm: LSTM
    edits: tuple[Edit, ...]


@dataclass(frozen=True, eq=False)
class ExplorerState:
    """The LSTM, the changes in it, and the selection. Steps count from 1, everything else from 0."""

    lstm: LSTM = field(repr=False)
    """Without the edits."""
    edits: tuple[Edit, ...] = ()
    sample: int = 0
    layer: int = 0
    direction: Direction = Direction.FORWARD
    step: int = 1
    unit: int = 0
    maps: int = 0
    """Which of `HEATMAP_PAIRS`."""
    playing: bool = False
    message: str = ""
    """The message of the last action; empty if it has none."""
    past: tuple[UndoEntry, ...] = field(default=(), repr=False)
    """What was there before each change, the latest last."""

    @property
    def layer_spec(self) -> Spec:
        """The sizes and options of the selected layer; other layers may differ."""
        return self.lstm.spec.for_layer(self.layer)

    @property
    def length(self) -> int:
        """How many timesteps of the sample are run."""
        return self.lstm.spec.timesteps if self.lstm.lengths is None else self.lstm.lengths[self.sample]

    @property
    def time_order(self) -> range:
        """The timesteps in the order in which the direction reads them."""
        return range(1, self.length + 1) if self.direction is Direction.FORWARD else range(self.length, 0, -1)

    @property
    def before_step(self) -> int:
        """The timestep whose states the current one starts from: t - 1, or t + 1 where the direction is backward."""
        return self.step - self.time_order.step

    @property
    def output_letter(self) -> str:
        """What each unit outputs: h, or m if a projection makes h of it."""
        return "h" if self.layer_spec.projection is None else "m"

    @property
    def heatmap_pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of heat maps, the selected one first."""
        pairs = ((self.output_letter, "c"), *HEATMAP_PAIRS[1:])
        return (*pairs[self.maps :], *pairs[: self.maps])

    @property
    def hidden_index(self) -> int:
        """The index in h of the unit; the last one if a projection makes h shorter."""
        return min(self.unit, self.layer_spec.hidden - 1)

    def evolve(self, **changes: Any) -> ExplorerState:
        """The same with some fields changed, and without a message unless one is given."""
        return replace(self, **{"message": "", **changes})


# --- commands ---------------------------------------------------------------------------------------------------------


class CommandLine(NamedTuple):
    """A command line, and what it shows."""

    shows: str
    line: str


def list_commands(state: ExplorerState) -> list[CommandLine]:
    """The commands for this view, for its unit, and for the influence of a single change of a state."""
    return [
        CommandLine("this view", explore_command(state)),
        CommandLine("this unit and step, with the arithmetic written out", topic_command(state, "unit")),
        *_influence_commands(state),
    ]


def explore_command(state: ExplorerState) -> str:
    """The command that opens the explorer at this view."""
    return _format_command(state, "explore", unit=state.unit or None, step=state.step)


def topic_command(state: ExplorerState, topic: str, output: str | None = None) -> str:
    """The command that prints the same numbers: `unit` with the arithmetic of the step, or `trace`."""
    if topic == "trace":
        run = state.evolve(layer=0, direction=Direction.FORWARD)  # a file of a run holds all layers and directions
        return _format_command(run, "trace", output=output)
    return _format_command(state, "unit", unit=state.unit or None, step=state.step, output=output)


def _influence_commands(state: ExplorerState) -> list[CommandLine]:
    """`influence`, if h or c is the only change: it changes them by itself."""
    edit = state.edits[0] if len(state.edits) == 1 else None
    if edit is None or edit.name not in ("h", "c") or state.lstm.spec.for_layer(edit.layer).projection is not None:
        return []
    step = (edit.step or 0) + (1 if edit.direction is Direction.FORWARD else -1)
    if not 1 <= step <= state.length:
        return []
    selected = state.evolve(edits=(), layer=edit.layer, direction=edit.direction)
    shows = f"which units change when c or h of unit {edit.position} changes a little, measured"
    return [CommandLine(shows, _format_command(selected, "influence", unit=edit.position or None, step=step))]


def _format_command(state: ExplorerState, topic: str, **options: Any) -> str:
    lstm = state.lstm.with_edits(state.edits)
    forward = state.direction is Direction.FORWARD
    selection: dict[str, Any] = {
        "sample": state.sample or None,
        "layer": state.layer or None,
        "direction": None if forward else state.direction.value,
    }
    return format_command(topic, lstm.spec, lstm.provenance, **selection, **options)
