"""A run's tensors laid out as a framework's call returns them, and where in them a last state stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_explain.core.compare import max_abs_difference
from lstm_explain.core.gates import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import LayerRecord, Record
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.call import Call, ReturnedTensor
    from lstm_explain.frameworks.framework import AxisName

ALL = slice(None)
LENGTHS, SAMPLES = "lengths - 1", "arange"
"""An index that each sample has of its own, and the samples' numbers beside it."""


class Place(NamedTuple):
    """A part of a tensor that a call returns."""

    name: str
    along: tuple[Any, ...]
    """For each axis a number, a slice, `LENGTHS` or `SAMPLES`."""
    samples: int

    @property
    def text(self) -> str:
        """As Python writes it: output[-1, :, :10]; arange is that of numpy or the framework."""
        parts = [self._spelled(one) for one in self.along]
        while parts and parts[-1] == ":":
            parts.pop()
        return f"{self.name}[{', '.join(parts)}]" if parts else self.name

    def where(self, record: Record) -> tuple[Any, ...]:
        """The same as numpy takes it, for the samples of a record."""
        numbers = {SAMPLES: np.arange(len(record.input)), LENGTHS: _lengths(record) - 1}
        return tuple(numbers[one] if isinstance(one, str) else one for one in self.along)

    def _spelled(self, one: Any) -> str:
        if isinstance(one, slice):
            return ":".join("" if end is None else str(end) for end in (one.start, one.stop))
        return f"arange({self.samples})" if one == SAMPLES else str(one)


class Placed(NamedTuple):
    """A last state in a tensor that a call returns."""

    layer: int
    direction: Direction
    kind: str
    """`hidden` or `cell`."""
    text: str
    difference: float
    """The largest to what the run recorded; 0 where there is none."""


def placed(lstm: LSTM, call: Call, result: ReturnedTensor, layer: int | None, record: Record | None) -> Iterator[Placed]:
    """Every last state that a tensor holds."""
    spec = lstm.spec
    array = None if record is None else array_of(record, call, result, layer)
    top = len(spec.layers) - 1 if layer is None else layer
    for number in range(len(spec.layers)) if "states" in result.axes else (top,):
        for way in spec.for_layer(number).directions if result.direction is None else (result.direction,):
            place = place_of(lstm, call, result, number, way, way)
            kind = "cell" if result.role == "cell" else "hidden"
            apart = 0.0
            if record is not None and array is not None:
                apart = max_abs_difference(array[place.where(record)], last_of(record, number, way, kind))
            yield Placed(number, way, kind, place.text, apart)


def place_of(lstm: LSTM, call: Call, result: ReturnedTensor, layer: int, way: Direction, end: Direction | None) -> Place:
    """A direction's part of a tensor.

    Args:
        lstm: the LSTM and its batch.
        call: the framework's.
        result: the tensor.
        layer: whose.
        way: which direction's part.
        end: where `forward` or `backward` stops reading; None for the tensor's end, past that of shorter samples.
    """
    spec = lstm.spec.for_layer(layer)
    direction = spec.directions.index(way)
    own = end is Direction.FORWARD and lstm.lengths is not None and not _repeated(call, spec)
    last: Any = LENGTHS if own else -1
    start = direction * spec.hidden
    along: dict[AxisName, Any] = {
        "states": lstm.spec.layer_directions.index((layer, way)),
        "directions": direction,
        "timesteps": 0 if end is Direction.BACKWARD else last,
        "output": slice(start or None, None if direction else start + spec.hidden) if spec.bidirectional else ALL,
        "samples": SAMPLES if own and "timesteps" in result.axes else ALL,
    }
    return Place(result.name, tuple(along.get(axis, ALL) for axis in result.axes), spec.samples)


# --- from the record --------------------------------------------------------------------------------------------------


def input_of(record: Record, axes: tuple[AxisName, ...]) -> Array:
    """The batch, laid out."""
    return _turned(record.input, ("samples", "timesteps", "features"), axes)


def array_of(record: Record, call: Call, result: ReturnedTensor, layer: int | None) -> Array:
    """A tensor as the call returns it; of the stack where `layer` is None."""
    number = len(record.layers) - 1 if layer is None else layer
    parts = record.layers[number]
    axes = result.axes
    if result.role == "sequence":
        # A forward direction's states stand still past a sample's end, where its outputs are zeros.
        whole = parts[Direction.FORWARD].hidden if _repeated(call, record.spec.for_layer(number)) else record.outputs[number]
        if "output" in axes:
            return _turned(whole, ("samples", "timesteps", "output"), axes)
        split = whole.reshape(*whole.shape[:2], len(parts), -1)
        return _turned(split, ("samples", "timesteps", "directions", "hidden"), axes)
    if result.role == "last":
        return np.concatenate([part.last_hidden for part in parts.values()], axis=1)
    if "states" in axes:
        return record.last_hidden if result.role == "hidden" else record.last_cell
    if result.direction is not None:
        return _last(parts[result.direction], result.role)
    stacked = np.stack([_last(part, result.role) for part in parts.values()])
    return _turned(stacked, ("directions", "samples", axes[-1]), axes)


def last_of(record: Record, layer: int, way: Direction, kind: str) -> Array:
    """A state after the last timestep that a direction reads, as it stands among those of all timesteps."""
    part = record.of(layer, way)
    over_time = part.hidden if kind == "hidden" else part.cell
    if way is Direction.BACKWARD:
        first: Array = over_time[:, 0]
        return first
    last: Array = over_time[np.arange(len(over_time)), _lengths(record) - 1]
    return last


def _last(part: LayerRecord, holds: str) -> Array:
    return part.last_hidden if holds == "hidden" else part.last_cell


def _lengths(record: Record) -> Array:
    return np.full(len(record.input), record.spec.timesteps) if record.lengths is None else record.lengths


def _repeated(call: Call, spec: Spec) -> bool:
    return call.padding_behaviour(spec) == "repeated"


def _turned(array: Array, axes: tuple[AxisName, ...], wanted: tuple[AxisName, ...]) -> Array:
    return np.transpose(array, [axes.index(axis) for axis in wanted])
