"""Record: every tensor of a run, samples first, as read-only views of the engine's buffers; and the order of its timesteps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.axes import describe_array
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

    def __repr__(self) -> str:
        return f"<LayerRecord: layer {self.layer}, {self.direction.value}, h {describe_array(self.hidden)}>"

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

    def __repr__(self) -> str:
        arrays = f"input {describe_array(self.input)}, output {describe_array(self.output)}"
        return f"<Record of LSTM: {self.spec.describe()}; {arrays}>"

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
        return np.stack([part.last_hidden for layer in self.layers for part in layer.values()])

    @property
    def last_cell(self) -> Array:
        """c_n of equal layers: [layers*directions, samples, units], in the same order."""
        return np.stack([part.last_cell for layer in self.layers for part in layer.values()])


class Block(NamedTuple):
    """Consecutive samples and the record that they are part of."""

    start: int
    """The number of the first sample."""
    positions: slice
    """The indices of the samples in the record."""
    record: Record

    @property
    def samples(self) -> range:
        return range(self.start, self.start + self.positions.stop - self.positions.start)

    def length(self, sample: int) -> int:
        """How many timesteps of one of the block's samples were run."""
        return self.record.length(self.positions.start + sample - self.start)


def _prepend(first: Array, rest: Array) -> Array:
    """A state, and the states after it."""
    return np.concatenate([first[None], rest])


# --- making a record --------------------------------------------------------------------------------------------------


def build_layer_record(
    layer: int,
    direction: Direction,
    gates: dict[str, Array],
    inputs: Array,
    cells: Array,
    hiddens: Array,
    order: Array | None,
    lengths: Array | None,
) -> LayerRecord:
    """Make the record of a layer from what one direction computed; timesteps are in the order in which it reads them.

    Args:
        layer, direction: the layer and direction that ran.
        gates: [samples, timesteps, units] each, by the names of the record's fields.
        inputs: what it read; [samples, timesteps, features].
        cells, hiddens: the initial states and those after each timestep; [samples, 1 + timesteps, units or hidden].
        order: as `time_order` returns it.
        lengths: how many timesteps of each sample were run; [samples]; None where all were.
    """
    tensors = {**gates, "input": inputs, "cell": cells[:, 1:], "hidden": hiddens[:, 1:]}
    if order is not None:
        tensors = {name: reorder_time(array, order) for name, array in tensors.items()}
        if lengths is not None:
            padding = (np.arange(inputs.shape[1]) >= lengths[:, None])[:, :, None]
            tensors["cell"] = np.where(padding, cells[:, :1], tensors["cell"])
            tensors["hidden"] = np.where(padding, hiddens[:, :1], tensors["hidden"])
    tensors |= {"initial_cell": cells[:, 0], "initial_hidden": hiddens[:, 0]}
    tensors |= {"last_cell": cells[:, -1], "last_hidden": hiddens[:, -1]}
    return LayerRecord(layer, direction, **{name: freeze(array) for name, array in tensors.items()})


def time_order(direction: Direction, timesteps: int, lengths: Array | None) -> Array | None:
    """Which timestep is read when, [samples or 1, timesteps]; None where it is simply first to last.

    Backwards, a sample is read from its true end; the timesteps past it keep their places. The order is its own inverse.
    """
    if direction is Direction.FORWARD:
        return None
    places = np.arange(timesteps)
    if lengths is None:
        return places[::-1]
    ends = lengths[:, None]
    return np.where(places < ends, ends - 1 - places, places)


def reorder_time(array: Array, order: Array) -> Array:
    """Put the timesteps of [samples, timesteps, ...] into the order given; a view where it is the same for all samples."""
    if order.ndim == 1:
        return array[:, order[0] :: -1]
    return np.take_along_axis(array, order[:, :, None], axis=1)


def reverse_sequences(inputs: Array, lengths: Array | None) -> Array:
    """A batch as a layer takes it that reads every sample from its end; [samples, timesteps, features]. Its own inverse."""
    order = time_order(Direction.BACKWARD, inputs.shape[1], lengths)
    return inputs if order is None else reorder_time(inputs, order)


def concat_directions(parts: list[LayerRecord], lengths: Array | None) -> Array:
    """A layer's h of its directions side by side, zero past each sample's end; [samples, timesteps, output]."""
    output = parts[0].hidden if len(parts) == 1 else np.concatenate([part.hidden for part in parts], axis=2)
    if lengths is None:
        return output
    past = np.arange(output.shape[1]) >= lengths[:, None]
    return np.where(past[:, :, None], output.dtype.type(0), output)


def freeze(array: Array) -> Array:
    """The same array, in which nothing can be changed."""
    view = array.view()
    view.flags.writeable = False
    return view
