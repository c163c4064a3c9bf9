"""The command lines that show what the explorer shows, for the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction
from lstm_explain.document.command_line import command

if TYPE_CHECKING:
    from typing import Any

    from lstm_explain.explorer.state import State


def commands(state: State) -> list[str]:
    """The explorer at this view, the topic with its numbers, and where a state was changed the one that measures that."""
    return [explore_command(state), topic_command(state, "unit"), *_measured(state)]


def explore_command(state: State) -> str:
    """The command that opens the explorer at this view."""
    return _command(state, "explore", unit=state.unit or None, step=state.step if state.step > 1 else None)


def topic_command(state: State, topic: str, output: str | None = None) -> str:
    """The command that prints the same numbers: `unit` with the arithmetic of the step, or `trace`."""
    if topic == "trace":
        return _command(state, "trace", output=output)
    return _command(state, "unit", unit=state.unit or None, step=state.step, output=output)


def _measured(state: State) -> list[str]:
    """`influence` pokes by itself: the unit whose h or c was changed last, at the timestep that reads it."""
    poked = [one for one in state.edits if one.name in ("h", "c") and one.step is not None]
    if not poked or state.lstm.spec.projection is not None:
        return []
    one = poked[-1]
    reads = (one.step or 0) + (1 if one.direction is Direction.FORWARD else -1)
    if not 1 <= reads <= state.length:
        return []
    there = state.but(edits=(), layer=one.layer, direction=one.direction)
    return [_command(there, "influence", unit=one.place or None, step=reads)]


def _command(state: State, topic: str, **options: Any) -> str:
    lstm = state.lstm.edited(state.edits)
    forward = state.direction is Direction.FORWARD
    where: dict[str, Any] = {
        "sample": state.sample or None,
        "layer": state.layer or None,
        "direction": None if forward else state.direction.value,
    }
    return command(topic, lstm.spec, lstm.origin, state.given, **where, **options)
