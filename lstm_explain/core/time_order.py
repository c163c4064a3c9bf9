"""The order in which a direction reads the timesteps of each sample, and the layer's output made of what it read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.core.gates import Direction

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.record import LayerRecord


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
