"""Record: every tensor of a run, samples first, as read-only views of the engine's buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.gates import Direction, Gate

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Spec


class SampleStates(NamedTuple):
    """The states of one sample at each timestep."""

    hidden: Array
    """[timesteps, hidden]"""
    cell: Array
    """[timesteps, units]"""


class LayerRecord(NamedTuple):
    """What one layer computed in one direction. Index t - 1 along `timesteps` is timestep t, in both directions.

    Where the batch has lengths, a sample's timesteps past its end were never run: their gates are nan, and the states
    stand still (forward) or have not begun to move (backward).
    """

    layer: int
    direction: Direction
    input: Array
    """What the layer read; [samples, timesteps, features of this layer]."""
    input_gate: Array
    """i; [samples, timesteps, units]."""
    forget_gate: Array
    """f; [samples, timesteps, units]."""
    candidate: Array
    """g; [samples, timesteps, units]."""
    output_gate: Array
    """o; [samples, timesteps, units]."""
    cell: Array
    """c after each timestep; [samples, timesteps, units]."""
    hidden: Array
    """h after each timestep; [samples, timesteps, hidden]."""
    initial_cell: Array
    """c before the first timestep that this direction reads; [samples, units]."""
    initial_hidden: Array
    """h before the first timestep that this direction reads; [samples, hidden]."""
    last_cell: Array
    """c after the last timestep that this direction reads: its `c_n`; [samples, units]."""
    last_hidden: Array
    """h after the last timestep that this direction reads: its `h_n`; [samples, hidden]."""

    def gate(self, gate: Gate) -> Array:
        """A gate's values; [samples, timesteps, units]."""
        values: Array = getattr(self, gate.value)
        return values

    def of_sample(self, sample: int, length: int) -> LayerRecord:
        """One sample alone, without its padding; the axis of samples stays, and has size 1."""
        steps, whole = slice(0, length), slice(sample, sample + 1)
        arrays = {
            name: getattr(self, name)[whole, steps] if name in _OVER_TIME else getattr(self, name)[whole]
            for name in self._fields[2:]
        }
        return self._replace(**arrays)

    def states_before(self, sample: int, length: int) -> SampleStates:
        """The states that each timestep of a sample started from, whatever the direction."""
        h, c = self.initial_hidden[sample], self.initial_cell[sample]
        hidden, cell = self.hidden[sample, :length], self.cell[sample, :length]
        if self.direction is Direction.FORWARD:
            return SampleStates(_prepend(h, hidden[:-1]), _prepend(c, cell[:-1]))
        return SampleStates(_prepend(h, hidden[:0:-1])[::-1], _prepend(c, cell[:0:-1])[::-1])

    def before(self, sample: int, t: int, length: int) -> tuple[Array, Array]:
        """The states (h, c) that timestep t of a sample started from; t counts from 1."""
        first = 1 if self.direction is Direction.FORWARD else length
        if t == first:
            return self.initial_hidden[sample], self.initial_cell[sample]
        earlier = t - 2 if self.direction is Direction.FORWARD else t
        return self.hidden[sample, earlier], self.cell[sample, earlier]


_OVER_TIME = ("input", *Gate, "cell", "hidden")


class Record(NamedTuple):
    """A whole run: the input, what every layer computed in every direction, and the output."""

    spec: Spec
    """The sizes and options; `samples` and `timesteps` are those of the batch that was run."""
    input: Array
    """The batch; [samples, timesteps, features]."""
    layers: tuple[dict[Direction, LayerRecord], ...]
    outputs: tuple[Array, ...]
    """Each layer's h at every timestep, directions joined, zero past a sample's end; [samples, timesteps, its output]."""
    lengths: Array | None = None
    """How many timesteps of each sample were run; [samples]; None where all were."""

    def of(self, layer: int, direction: Direction) -> LayerRecord:
        return self.layers[layer][direction]

    def length(self, sample: int) -> int:
        """How many timesteps of a sample were run."""
        return self.spec.timesteps if self.lengths is None else int(self.lengths[sample])

    @property
    def output(self) -> Array:
        """The last layer's output; [samples, timesteps, output]."""
        return self.outputs[-1]

    @property
    def last_hidden(self) -> Array:
        """h_n of equal layers: [layers*directions, samples, hidden], in the order of `Spec.layer_directions`."""
        return _stack([part.last_hidden for layer in self.layers for part in layer.values()])

    @property
    def last_cell(self) -> Array:
        """c_n of equal layers: [layers*directions, samples, units], in the same order."""
        return _stack([part.last_cell for layer in self.layers for part in layer.values()])


class Block(NamedTuple):
    """Consecutive samples and the record that they are part of."""

    start: int
    """The number of the first sample."""
    positions: slice
    """Where the samples stand in the record."""
    record: Record

    @property
    def samples(self) -> range:
        return range(self.start, self.start + self.positions.stop - self.positions.start)

    def length(self, sample: int) -> int:
        """How many timesteps of one of the block's samples were run."""
        return self.record.length(self.positions.start + sample - self.start)


def _prepend(first: Array, rest: Array) -> Array:
    """A state, and the states after it."""
    import numpy as np

    return np.concatenate([first[None], rest])


def _stack(arrays: list[Array]) -> Array:
    import numpy as np

    return np.stack(arrays)
