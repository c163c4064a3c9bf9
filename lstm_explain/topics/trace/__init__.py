"""trace: h, c and the gates of chosen units at every timestep of one sample; or of all samples, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NotRequired, TypedDict, cast

import numpy as np

from lstm_explain.core.gates import GATES, LETTERS, Direction, Gate
from lstm_explain.core.record import freeze
from lstm_explain.errors import UsageError
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.result import OpeningJSON, SampleResult, envelope_of_lstm, json_keys
from lstm_explain.topics.selection import check_layer, select_steps, select_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Annotated

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Block
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.result import Axes, NonfiniteJSON, Positive


class TraceStep(TypedDict):
    """One timestep. With a projection, `h` is always the whole of it."""

    t: Positive
    padded: bool
    x: list[float]
    """What the layer read."""
    i: list[float] | None
    """The input gate; null at padding."""
    f: list[float] | None
    """The forget gate; null at padding."""
    g: list[float] | None
    """The candidate; null at padding."""
    o: list[float] | None
    """The output gate; null at padding."""
    c: list[float]
    """The cell state after this timestep."""
    h: list[float]
    """The hidden state after this timestep."""


class TraceLine(TraceStep):
    """One timestep as a line of JSON Lines."""

    type: Literal["step"]
    """What kind of line this is."""
    sample: int
    layer: int
    direction: Direction
    nonfinite: NotRequired[list[NonfiniteJSON]]
    """The numbers that were nan or infinite, and are null; only if there are some."""


class TracePlace(TypedDict):
    """A layer and direction that is traced."""

    layer: int
    direction: Direction
    units: NotRequired[list[int]]
    """Which units; only if those of layers differ."""


class TraceHeader(OpeningJSON):
    """The first line of JSON Lines."""

    type: Literal["header"]
    """What kind of line this is."""
    samples: list[int]
    """The first sample, and the one after the last."""
    units: list[int] | None
    """Which units of every layer; null if they differ, and are in `places`."""
    places: list[TracePlace]
    """The layers and directions, in order."""


class TraceEnd(TypedDict):
    """The last line of JSON Lines; a file without it was cut off."""

    type: Literal["end"]
    """What kind of line this is."""
    rows: int
    """How many lines are steps."""


@json_keys("sample layer direction length units initial.h=initial_hidden initial.c=initial_cell steps=step_rows")
@dataclass(frozen=True, eq=False, repr=False)
class Trace(SampleResult):
    """The vectors h_t and c_t of one sample over time, and the gates."""

    topic: ClassVar[str] = "trace"

    units: Sequence[int]
    """The chosen units, ascending: the order of i, f, g, o and c, and of h unless there is a projection."""
    steps: Sequence[int]
    """The chosen timesteps, from 1; the first axis of every array below."""
    x: Array
    """[steps, features of this layer]"""
    gates: dict[Gate, Array]
    """[steps, units] each; nan at padding"""
    cell: Array
    """[steps, units]"""
    hidden: Array
    """[steps, units], or [steps, hidden] where there is a projection"""
    initial_hidden: Annotated[Array, Axes("units or hidden")]
    """h before the first timestep that this direction reads, which backwards is the last."""
    initial_cell: Annotated[Array, Axes("units")]
    """c before that timestep."""

    @property
    def hidden_numbers(self) -> Sequence[int]:
        """Which numbers of h the last axis of `hidden` holds: those of the chosen units, or the whole projection."""
        projection = self.layer_spec.projection
        return self.units if projection is None else range(projection)

    @property
    def step_rows(self) -> list[TraceStep]:
        """One for each chosen timestep."""
        gates = {LETTERS[gate]: values for gate, values in self.gates.items()}
        arrays = {"x": self.x, **gates, "c": self.cell, "h": self.hidden}
        columns = {name: plain_numbers(array) for name, array in arrays.items()}
        return [
            step_row(t, self.length, {name: column[index] for name, column in columns.items()})
            for index, t in enumerate(self.steps)
        ]


def step_row(t: int, length: int, numbers: dict[str, Any]) -> TraceStep:
    """The JSON object of one timestep of a sample; its gates are null at padding."""
    padded = t > length
    row: Any = {"t": t, "padded": padded, **numbers, **(dict.fromkeys(LETTERS.values()) if padded else {})}
    return cast("TraceStep", row)


def explain_trace(
    lstm: LSTM,
    sample: int = 0,
    units: Iterable[int] | None = None,
    steps: Iterable[int] | None = None,
    layer: int = 0,
    direction: str = "forward",
) -> Trace:
    """Trace one sample.

    Args:
        lstm: the LSTM and its batch.
        sample: which sample; counts from 0.
        units: which units, from 0; all if left out.
        steps: which timesteps, from 1; all if left out.
        layer: which layer; counts from 0.
        direction: `forward` or `backward`.

    Raises:
        UsageError: the sample, a unit, a timestep, the layer or the direction does not exist.
        RefusedError: running even this sample would need more memory than the budget.
    """
    layer, layer_direction = check_layer(lstm.spec, layer, direction)
    sample = lstm.validate_sample(sample)
    layer_spec = lstm.spec.for_layer(layer)
    unit_list, step_list = select_units(layer_spec, units), select_steps(layer_spec, steps)
    record, position = lstm.run_sample(sample)
    layer_record = record.of(layer, layer_direction)
    rows, columns = np.array(step_list) - 1, np.array(unit_list)
    h_columns = columns if layer_spec.projection is None else np.arange(layer_spec.hidden)
    return Trace(
        spec=lstm.spec,
        source=lstm.provenance,
        sample=sample,
        layer=layer,
        direction=layer_direction,
        length=record.length(position),
        units=unit_list,
        steps=step_list,
        x=freeze(layer_record.input[position][rows]),
        gates={gate: freeze(layer_record.gate(gate)[position][np.ix_(rows, columns)]) for gate in GATES},
        cell=freeze(layer_record.cell[position][np.ix_(rows, columns)]),
        hidden=freeze(layer_record.hidden[position][np.ix_(rows, h_columns)]),
        initial_hidden=freeze(layer_record.initial_hidden[position][h_columns]),
        initial_cell=freeze(layer_record.initial_cell[position][columns]),
    )


@dataclass(frozen=True, eq=False)
class TraceStream:
    """The same for many samples, layers and directions: made block by block, at constant memory, for the row formats."""

    topic: ClassVar[str] = "trace"

    lstm: LSTM
    samples: range
    units: Sequence[int] | None
    """The chosen units; all of each layer where None."""
    steps: Sequence[int]
    places: tuple[tuple[int, Direction], ...]
    """The layers and directions, in order."""

    @property
    def spec(self) -> Spec:
        return self.lstm.spec

    @property
    def rows(self) -> int:
        """How many steps there are over all samples, layers and directions."""
        return len(self.samples) * len(self.places) * len(self.steps)

    def units_of(self, layer: int) -> Sequence[int]:
        """Which units of a layer are traced."""
        return range(self.spec.for_layer(layer).units) if self.units is None else self.units

    def header(self) -> dict[str, Any]:
        """What all rows have in common. If layers have different units, each of `places` lists its own."""
        units = {layer: list(self.units_of(layer)) for layer, _ in self.places}
        first = units[self.places[0][0]]
        alike = all(layer_units == first for layer_units in units.values())
        places = [
            {"layer": layer, "direction": direction.value, **({} if alike else {"units": units[layer]})}
            for layer, direction in self.places
        ]
        about = {
            "samples": [self.samples.start, self.samples.stop],
            "units": first if alike else None,
            "places": places,
        }
        return {**envelope_of_lstm(self.topic, self.spec, self.lstm.provenance), **about}

    def blocks(self) -> Iterator[Block]:
        """Run block after block; each block's record is let go before the next."""
        return self.lstm.blocks(self.samples)

    def arrays(self, block: Block, layer: int, direction: Direction) -> dict[str, Array]:
        """What a block's samples did in a layer and direction: x, i, f, g, o, c and h; [samples, steps, ...] each."""
        part = block.record.of(layer, direction)
        steps, units = self._steps_part, slice(None) if self.units is None else np.array(self.units)
        gates = {LETTERS[gate]: part.gate(gate)[block.positions][:, steps][:, :, units] for gate in GATES}
        hidden = units if self.spec.for_layer(layer).projection is None else slice(None)
        return {
            "x": part.input[block.positions][:, steps],
            **gates,
            "c": part.cell[block.positions][:, steps][:, :, units],
            "h": part.hidden[block.positions][:, steps][:, :, hidden],
        }

    def plain_values(self, block: Block) -> list[tuple[int, str, dict[str, Any]]]:
        """Return each layer and direction with its `arrays` as nested lists of plain numbers."""
        return [
            (
                layer,
                direction.value,
                {name: plain_numbers(array) for name, array in self.arrays(block, layer, direction).items()},
            )
            for layer, direction in self.places
        ]

    @property
    def _steps_part(self) -> Array | slice:
        return slice(None) if len(self.steps) == self.spec.timesteps else np.array(self.steps) - 1


def stream_trace(
    lstm: LSTM,
    sample: int | None = None,
    units: Iterable[int] | None = None,
    steps: Iterable[int] | None = None,
    layer: int | None = None,
    direction: str | None = None,
) -> TraceStream:
    """Trace one sample, or all where `sample` is None, through every layer and direction unless one is chosen.

    Raises:
        UsageError: the sample, a unit, a timestep, the layer or the direction does not exist.
    """
    spec = lstm.spec
    if sample is not None:
        sample = lstm.validate_sample(sample)
    places = _places(spec, layer, direction)
    return TraceStream(
        lstm,
        range(spec.samples) if sample is None else range(sample, sample + 1),
        _units_of_all(spec, units, places),
        select_steps(spec, steps),
        places,
    )


def _places(spec: Spec, layer: int | None, direction: str | None) -> tuple[tuple[int, Direction], ...]:
    """Every layer and direction, or the chosen ones."""
    exists = any(direction in (None, existing) for _, existing in spec.layer_directions)
    if layer is not None or not exists:
        check_layer(spec, layer or 0, direction or Direction.FORWARD)
    return tuple(pair for pair in spec.layer_directions if layer in (None, pair[0]) and direction in (None, pair[1]))


def _units_of_all(spec: Spec, units: Iterable[int] | None, places: tuple[tuple[int, Direction], ...]) -> Sequence[int] | None:
    """The chosen units, once every layer is known to have them; None where none is chosen."""
    if units is None:
        return None
    chosen = tuple(units)
    for layer, _ in places:
        try:
            units = select_units(spec.for_layer(layer), chosen)
        except UsageError as error:
            asked, problem, fix = error.parts
            raise UsageError(asked, f"in layer {layer} {problem}" if spec.layers_differ else problem, fix) from None
    return tuple(units)
