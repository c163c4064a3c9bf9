"""trace: h, c and the gates of chosen units at every timestep of one sample; or of all samples, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lstm_explain.core.gates import GATES, LETTERS, Direction, Gate
from lstm_explain.explain.plain import plain
from lstm_explain.explain.result import Explanation, lstm_envelope
from lstm_explain.explain.selection import check_layer, chosen_steps, chosen_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Block
    from lstm_explain.core.spec import Spec


@dataclass(frozen=True, eq=False, repr=False)
class Trace(Explanation):
    """The course of one sample through one layer in one direction."""

    topic: ClassVar[str] = "trace"

    spec: Spec
    source: dict[str, Any]
    sample: int
    layer: int
    direction: Direction
    length: int
    """How many timesteps of this sample were run; the rest is padding."""
    units: Sequence[int]
    """The chosen units; the last axis of the gates and of c, and of h too unless there is a projection."""
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
    initial_hidden: Array
    initial_cell: Array

    @property
    def hidden_numbers(self) -> Sequence[int]:
        """Which numbers of h the last axis of `hidden` holds: those of the chosen units, or the whole projection."""
        return self.units if self.spec.projection is None else range(self.spec.projection)

    def facts(self) -> dict[str, Any]:
        x, c, h = plain(self.x), plain(self.cell), plain(self.hidden)
        gates = {LETTERS[gate]: plain(values) for gate, values in self.gates.items()}
        steps = []
        for place, t in enumerate(self.steps):
            padded = t > self.length
            made = {letter: None if padded else values[place] for letter, values in gates.items()}
            steps.append({"t": t, "padded": padded, "x": x[place], **made, "c": c[place], "h": h[place]})
        return {
            "sample": self.sample,
            "layer": self.layer,
            "direction": self.direction.value,
            "length": self.length,
            "units": list(self.units),
            "initial": {"h": plain(self.initial_hidden), "c": plain(self.initial_cell)},
            "steps": steps,
        }


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
        UsageError: there is no such sample, unit, timestep, layer or direction.
        RefusedError: running even this sample would need more memory than the budget.
    """
    layer, way = check_layer(lstm.spec, layer, direction)
    sample = lstm.checked_sample(sample)
    unit_list, step_list = chosen_units(lstm.spec, units), chosen_steps(lstm.spec, steps)
    record, place = lstm.run_sample(sample)
    part = record.of(layer, way)
    rows, columns = np.array(step_list) - 1, np.array(unit_list)
    h_columns = columns if lstm.spec.projection is None else np.arange(lstm.spec.hidden)
    return Trace(
        spec=lstm.spec,
        source=lstm.origin,
        sample=sample,
        layer=layer,
        direction=way,
        length=record.length(place),
        units=unit_list,
        steps=step_list,
        x=_read_only(part.input[place][rows]),
        gates={gate: _read_only(part.gate(gate)[place][np.ix_(rows, columns)]) for gate in GATES},
        cell=_read_only(part.cell[place][np.ix_(rows, columns)]),
        hidden=_read_only(part.hidden[place][np.ix_(rows, h_columns)]),
        initial_hidden=_read_only(part.initial_hidden[place][h_columns]),
        initial_cell=_read_only(part.initial_cell[place][columns]),
    )


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class TraceStream:
    """The same for many samples, layers and directions: made block by block, at constant memory, for the row formats."""

    topic: ClassVar[str] = "trace"

    lstm: LSTM
    samples: range
    units: Sequence[int]
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

    def header(self) -> dict[str, Any]:
        """What holds for all rows."""
        places = [{"layer": layer, "direction": direction.value} for layer, direction in self.places]
        about = {"samples": [self.samples.start, self.samples.stop], "units": list(self.units), "places": places}
        return {**lstm_envelope(self.topic, self.spec, self.lstm.origin), **about}

    def blocks(self) -> Iterator[Block]:
        """Run block after block; each block's record is let go before the next."""
        return self.lstm.blocks(self.samples)

    def arrays(self, block: Block, layer: int, direction: Direction) -> dict[str, Array]:
        """What a block's samples did in a layer and direction: x, i, f, g, o, c and h; [samples, steps, ...] each."""
        part = block.record.of(layer, direction)
        steps, units = self._steps_part, self._units_part
        gates = {LETTERS[gate]: part.gate(gate)[block.part][:, steps][:, :, units] for gate in GATES}
        hidden = units if self.spec.projection is None else slice(None)
        return {
            "x": part.input[block.part][:, steps],
            **gates,
            "c": part.cell[block.part][:, steps][:, :, units],
            "h": part.hidden[block.part][:, steps][:, :, hidden],
        }

    @property
    def _steps_part(self) -> Array | slice:
        return slice(None) if len(self.steps) == self.spec.timesteps else np.array(self.steps) - 1

    @property
    def _units_part(self) -> Array | slice:
        return slice(None) if len(self.units) == self.spec.units else np.array(self.units)


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
        UsageError: there is no such sample, unit, timestep, layer or direction.
    """
    spec = lstm.spec
    if sample is not None:
        sample = lstm.checked_sample(sample)
    check_layer(spec, layer or 0, direction or "forward")
    places = [(place, way) for place in range(spec.layers) for way in spec.directions]
    return TraceStream(
        lstm,
        range(spec.samples) if sample is None else range(sample, sample + 1),
        chosen_units(spec, units),
        chosen_steps(spec, steps),
        tuple((k, way) for k, way in places if layer in (None, k) and direction in (None, way)),
    )
