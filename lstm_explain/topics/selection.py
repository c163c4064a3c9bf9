"""Which units, timesteps, layer and direction a question is about, checked against what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction
from lstm_explain.core.spec import as_int
from lstm_explain.errors import UsageError, argument, index_range_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec


def check_unedited(lstm: LSTM, topic: str) -> LSTM:
    """Return the LSTM if nothing is set by hand in it; raise `UsageError` otherwise, as the topic's statements are "
    "about such a run."""
    if lstm.edits:
        asked = f"{topic} with {', '.join(map(str, lstm.edits[:8]))}{', ...' if len(lstm.edits) > 8 else ''} set by hand"
        raise UsageError(asked, "its statements are about a run in which nothing is set", "Ask `unit` or `trace` of it")
    return lstm


def check_layer(spec: Spec, layer: int, direction: str) -> tuple[int, Direction]:
    """Return the layer and direction if they exist; raise `UsageError` otherwise."""
    layer = as_int("layer", layer)
    if not 0 <= layer < len(spec.layers):
        raise UsageError(argument("layer", layer), index_range_message(len(spec.layers), "layer"))
    known = [existing.value for existing in spec.for_layer(layer).directions]
    if direction not in known:
        who = f"layer {layer} of this LSTM reads" if spec.layers_differ else "this LSTM's layers read"
        fix = (
            f"Add {argument('bidirectional', True)} to have both"
            if direction == Direction.BACKWARD and not spec.layers_differ
            else ""
        )
        raise UsageError(argument("direction", str(direction)), f"{who} {' and '.join(known)} only", fix)
    return layer, Direction(direction)


def unit_count(spec: Spec, layer: int) -> int:
    """How many units a layer has; raise `UsageError` if it does not exist."""
    return spec.for_layer(check_layer(spec, layer, Direction.FORWARD)[0]).units


def check_unit(spec: Spec, unit: int, name: str = "unit") -> int:
    """Return the unit if the layer that `spec` describes has it; raise `UsageError` otherwise."""
    unit = as_int(name, unit)
    if not 0 <= unit < spec.units:
        raise UsageError(argument(name, unit), index_range_message(spec.units, "unit"))
    return unit


def check_step(spec: Spec, step: int, name: str = "step") -> int:
    """Return the timestep if it exists; raise `UsageError` otherwise."""
    step, last = as_int(name, step), spec.timesteps
    if not 1 <= step <= last:
        problem = f"timesteps count from 1 to {last}; h and c at 0 are the initial states"
        raise UsageError(argument(name, step), problem)
    return step


def check_run_step(spec: Spec, name: str, step: int, sample: int, length: int) -> int:
    """Return the timestep if it was run; raise `UsageError` otherwise: past its length a sample is padding."""
    step = check_step(spec, step, name)
    if step > length:
        raise UsageError(argument(name, step), f"sample {sample} ends at timestep {length}; what follows is padding")
    return step


def select_units(spec: Spec, units: Iterable[int] | None) -> Sequence[int]:
    """The chosen units of the layer that `spec` is of, in ascending order, each once; all where none is chosen."""
    if units is None:
        return range(spec.units)
    chosen = tuple(sorted({check_unit(spec, unit) for unit in units}))
    if not chosen:
        raise UsageError(argument("units"), "no unit is chosen", "Choose one at least")
    return chosen


def select_steps(spec: Spec, steps: Iterable[int] | None) -> Sequence[int]:
    """The chosen timesteps in ascending order, each once; all where none is chosen."""
    if steps is None:
        return range(1, spec.timesteps + 1)
    chosen = tuple(sorted({check_step(spec, step) for step in steps}))
    if not chosen:
        raise UsageError(argument("steps"), "no timestep is chosen", "Choose one at least")
    return chosen
