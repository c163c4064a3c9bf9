"""A run's tensors laid out as a framework's call returns them, and every index that selects a last state from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.core.compare import max_abs_difference
from lstm_explain.core.gates import Direction
from lstm_explain.topics.result import Minimum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.call import Call, ReturnedTensor
    from lstm_explain.frameworks.framework import AxisName
    from lstm_explain.topics.result import Positive

    Results: TypeAlias = tuple[tuple[int | None, ReturnedTensor], ...]
    """Each returned tensor, and the layer whose call returns it; None if one call runs all layers."""

StateKind = Literal["hidden", "cell"]
Mistake = Literal["first", "padding"]
Difference = Annotated[float, Minimum(0)]

ALL = slice(None)
LENGTHS, SAMPLES = "lengths - 1", "arange"
"""An index that differs between samples, and the samples' numbers, which go with it."""


class LastState(NamedTuple):
    """A last state, and everywhere in what is returned that it is."""

    layer: int
    direction: Direction
    kind: StateKind
    """Which state."""
    timestep: Positive | None
    """After which timestep; None if it is each sample's own last."""
    places: tuple[str, ...]
    """As Python would index what is returned."""
    difference: Difference | None
    """The largest between these places and what the run recorded after that timestep; None if nothing was run."""


class Pitfall(NamedTuple):
    """A place that looks like the last h of a direction, and is not."""

    layer: int
    direction: Direction
    place: str
    """Where it is, as Python indexes what is returned."""
    why: Mistake
    """`first`: it is h after the first timestep that this direction reads; `padding`: it is zero where samples are shorter."""
    difference: Difference | None
    """The largest difference to the last h; None if nothing was run."""


class TensorIndex(NamedTuple):
    """An index into a returned tensor."""

    name: str
    indices: tuple[Any, ...]
    """For each axis a number, a slice, `LENGTHS` or `SAMPLES`."""
    samples: int

    @property
    def text(self) -> str:
        """As Python writes it: output[-1, :, :10]; arange is that of numpy or the framework."""
        indices = [self._format_index(index) for index in self.indices]
        while indices and indices[-1] == ":":
            indices.pop()
        return f"{self.name}[{', '.join(indices)}]" if indices else self.name

    def select(self, array: Array, record: Record) -> Array:
        """What the index selects for the samples of a record."""
        numbers = {SAMPLES: np.arange(len(record.input)), LENGTHS: _lengths(record) - 1}
        selected: Array = array[tuple(numbers[index] if isinstance(index, str) else index for index in self.indices)]
        return selected

    def _format_index(self, index: Any) -> str:
        if isinstance(index, slice):
            return ":".join("" if end is None else str(end) for end in (index.start, index.stop))
        return f"arange({self.samples})" if index == SAMPLES else str(index)


def find_last_states(lstm: LSTM, call: Call, results: Results, record: Record | None) -> Iterator[LastState]:
    """Every last state, and where it is in what the calls return.

    Args:
        lstm: the LSTM and its batch.
        call: the framework's.
        results: the returned tensors.
        record: a run over some of the samples or all, to compare with; None if none fits the budget.
    """
    places: dict[tuple[int, Direction, StateKind], list[tuple[str, float]]] = {}
    for layer, result in results:
        for key, location in _states_in_tensor(lstm, call, result, layer, record):
            places.setdefault(key, []).append(location)
    last = lstm.spec.timesteps if lstm.lengths is None else None
    kinds: tuple[StateKind, ...] = ("hidden", "cell")
    for layer, direction, kind in ((*key, kind) for key in lstm.spec.layer_directions for kind in kinds):
        if locations := places.get((layer, direction, kind)):
            texts, differences = zip(*locations, strict=True)
            difference = None if record is None else max(differences)
            timestep = 1 if direction is Direction.BACKWARD else last
            yield LastState(layer, direction, kind, timestep, texts, difference)


def _states_in_tensor(
    lstm: LSTM, call: Call, result: ReturnedTensor, layer: int | None, record: Record | None
) -> Iterator[tuple[tuple[int, Direction, StateKind], tuple[str, float]]]:
    """Every last state in a tensor: which it is, and its index with the largest difference to the run."""
    array = None if record is None else returned_array(record, call, result, layer)
    layers = [len(lstm.spec.layers) - 1 if layer is None else layer]
    if "states" in result.axes:
        layers = list(range(len(lstm.spec.layers)))
    kind: StateKind = "cell" if result.role == "cell" else "hidden"
    for number in layers:
        directions = lstm.spec.for_layer(number).directions if result.direction is None else (result.direction,)
        for direction in directions:
            index = _index_of(lstm, call, result, number, direction, direction)
            difference = 0.0
            if record is not None and array is not None:
                difference = max_abs_difference(index.select(array, record), last_state(record, number, direction, kind))
            yield (number, direction, kind), (index.text, difference)


def find_pitfalls(lstm: LSTM, call: Call, results: Results, record: Record | None) -> Iterator[Pitfall]:
    """The last timestep of the last layer's output, where it is not the last that a direction or a sample reads."""
    spec = lstm.spec
    top = len(spec.layers) - 1
    shorter = lstm.lengths is not None and min(lstm.lengths) < spec.timesteps
    for layer, result in results:
        if result.role != "sequence" or spec.timesteps == 1 or layer not in (None, top):
            continue
        mistakes: list[tuple[Direction, Mistake, Direction | None]] = []
        if shorter and call.padding_behaviour(spec.for_layer(top)) == "zeros":
            mistakes.append((Direction.FORWARD, "padding", None))
        if spec.for_layer(top).bidirectional:
            mistakes.append((Direction.BACKWARD, "first", Direction.FORWARD))
        for direction, mistake, end in mistakes:
            index, difference = _index_of(lstm, call, result, top, direction, end), None
            if record is not None:
                values = index.select(returned_array(record, call, result, layer), record)
                difference = max_abs_difference(values, record.of(top, direction).last_hidden)
            yield Pitfall(top, direction, index.text, mistake, difference)


def _index_of(
    lstm: LSTM, call: Call, result: ReturnedTensor, layer: int, direction: Direction, end: Direction | None
) -> TensorIndex:
    """The index of a direction's part of a tensor.

    `end` is the end of the sequence: where `forward` or `backward` stops reading; None for the end of the tensor, which is
    past that of shorter samples.
    """
    spec = lstm.spec.for_layer(layer)
    number = spec.directions.index(direction)
    ends_differ = end is Direction.FORWARD and lstm.lengths is not None and not _repeats(call, spec)
    start = number * spec.hidden
    indices: dict[AxisName, Any] = {
        "states": lstm.spec.layer_directions.index((layer, direction)),
        "directions": number,
        "timesteps": 0 if end is Direction.BACKWARD else LENGTHS if ends_differ else -1,
        "output": slice(start or None, None if number else start + spec.hidden) if spec.bidirectional else ALL,
        "samples": SAMPLES if ends_differ and "timesteps" in result.axes else ALL,
    }
    return TensorIndex(result.name, tuple(indices.get(axis, ALL) for axis in result.axes), spec.samples)


# --- from the record --------------------------------------------------------------------------------------------------


def input_array(record: Record, axes: tuple[AxisName, ...]) -> Array:
    """The batch, laid out."""
    return _transpose(record.input, ("samples", "timesteps", "features"), axes)


def returned_array(record: Record, call: Call, result: ReturnedTensor, layer: int | None) -> Array:
    """A tensor as the call returns it; of the stack if `layer` is None."""
    number = len(record.layers) - 1 if layer is None else layer
    directions, axes = record.layers[number], result.axes
    if result.role == "sequence":
        # A forward direction's states are repeated past a sample's end, where its outputs are zeros.
        repeats = _repeats(call, record.spec.for_layer(number))
        sequence = directions[Direction.FORWARD].hidden if repeats else record.outputs[number]
        if "output" in axes:
            return _transpose(sequence, ("samples", "timesteps", "output"), axes)
        separate = sequence.reshape(*sequence.shape[:2], len(directions), -1)
        return _transpose(separate, ("samples", "timesteps", "directions", "hidden"), axes)
    if result.role == "last":
        return np.concatenate([layer_record.last_hidden for layer_record in directions.values()], axis=1)
    if "states" in axes:
        return record.last_hidden if result.role == "hidden" else record.last_cell
    states = {
        direction: layer_record.last_hidden if result.role == "hidden" else layer_record.last_cell
        for direction, layer_record in directions.items()
    }
    if result.direction is not None:
        return states[result.direction]
    return _transpose(np.stack(list(states.values())), ("directions", "samples", axes[-1]), axes)


def last_state(record: Record, layer: int, direction: Direction, kind: StateKind) -> Array:
    """A state after the last timestep that a direction reads, taken from those of all timesteps."""
    layer_record = record.of(layer, direction)
    over_time = layer_record.hidden if kind == "hidden" else layer_record.cell
    last = np.zeros(len(over_time), int) if direction is Direction.BACKWARD else _lengths(record) - 1
    state: Array = over_time[np.arange(len(over_time)), last]
    return state


def _lengths(record: Record) -> Array:
    return np.full(len(record.input), record.spec.timesteps) if record.lengths is None else record.lengths


def _repeats(call: Call, spec: Spec) -> bool:
    return call.padding_behaviour(spec) == "repeated"


def _transpose(array: Array, axes: tuple[AxisName, ...], order: tuple[AxisName, ...]) -> Array:
    return np.transpose(array, [axes.index(axis) for axis in order])
