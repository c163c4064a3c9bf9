"""The command lines that show what the explorer shows, for the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.gates import Direction
from lstm_explain.topics.command_line import format_command

if TYPE_CHECKING:
    from typing import Any

    from lstm_explain.apps.explorer.state import ExplorerState


class CommandLine(NamedTuple):
    """A command line, and what it shows."""

    shows: str
    line: str


def list_commands(state: ExplorerState) -> list[CommandLine]:
    """The explorer at this view, the topic with its numbers, and after one change of a state the topic that measures such."""
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
        whole = state.but(layer=0, direction=Direction.FORWARD)  # a file of a run holds all layers and directions
        return _format_command(whole, "trace", output=output)
    return _format_command(state, "unit", unit=state.unit or None, step=state.step, output=output)


def _influence_commands(state: ExplorerState) -> list[CommandLine]:
    """`influence` pokes an LSTM without edits by itself: the same as one change of h or c, and of nothing else."""
    one = state.edits[0] if len(state.edits) == 1 else None
    if one is None or one.name not in ("h", "c") or state.lstm.spec.for_layer(one.layer).projection is not None:
        return []
    reads = (one.step or 0) + (1 if one.direction is Direction.FORWARD else -1)
    if not 1 <= reads <= state.length:
        return []
    there = state.but(edits=(), layer=one.layer, direction=one.direction)
    shows = f"who notices when c or h of unit {one.position} changes by a little, measured"
    return [CommandLine(shows, _format_command(there, "influence", unit=one.position or None, step=reads))]


def _format_command(state: ExplorerState, topic: str, **options: Any) -> str:
    lstm = state.lstm.with_edits(state.edits)
    forward = state.direction is Direction.FORWARD
    where: dict[str, Any] = {
        "sample": state.sample or None,
        "layer": state.layer or None,
        "direction": None if forward else state.direction.value,
    }
    return format_command(topic, lstm.spec, lstm.provenance, state.given, **where, **options)
