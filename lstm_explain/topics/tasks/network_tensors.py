"""Every tensor on the way through a network, from the batch to the outputs: computed from the sizes, or read off a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.axes import SPELLED, Axis, Shape
from lstm_explain.core.network import FROM_ONE, TO_ONE, Task
from lstm_explain.topics.shapes import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.engine import StackState
    from lstm_explain.core.network import Network, NetworkPlan, NetworkRun
    from lstm_explain.core.record import Record
    from lstm_explain.core.spec import Spec


class Place(NamedTuple):
    """A tensor's name, and the layer it belongs to."""

    name: str
    layer: int | None = None


def tensors_of(plan: NetworkPlan, made: dict[Place, tuple[int, ...]] | None) -> tuple[Tensor, ...]:
    """List the tensors of a network: with the sizes of the arrays that a run made, or computed where there are none."""
    rows = []
    for place, symbol, axes, meaning in _computed(plan):
        found = axes if made is None else _named(axes, made[place])
        size = found.elements * plan.batch.item_bytes
        rows.append(Tensor(place.name, symbol, place.layer, None, found, size, made is not None, meaning))
    return tuple(rows)


def measured_sizes(network: Network, passage: NetworkRun) -> dict[Place, tuple[int, ...]]:
    """The sizes of every array of a run."""
    return {place: array.shape for place, array in _arrays(network, passage)}


def _arrays(network: Network, passage: NetworkRun) -> Iterator[tuple[Place, Array]]:
    yield Place("input"), passage.input
    yield Place("input_read"), passage.read
    for layer, output in enumerate(passage.record.outputs):
        yield Place("output_sequence", layer), output
    if passage.decoder is not None and passage.initial is not None:
        yield from _states(passage.record, passage.initial)
        yield Place("decoder_input"), passage.decoder.input
        for layer, output in enumerate(passage.decoder.outputs):
            yield Place("decoder_sequence", layer), output
    yield Place("dense_input"), passage.dense_input
    yield Place("dense_kernel"), network.dense.kernel
    yield Place("dense_bias"), network.dense.bias
    yield Place("outputs"), passage.outputs


def _states(record: Record, initial: StackState) -> Iterator[tuple[Place, Array]]:
    """Where the encoder ended, and what the decoder starts from: of all layers together where they are alike, else of each."""
    if not record.spec.stack:
        yield Place("last_hidden"), record.last_hidden
        yield Place("last_cell"), record.last_cell
        yield Place("initial_hidden"), np.stack(initial.hidden)
        yield Place("initial_cell"), np.stack(initial.cell)
        return
    for layer, parts in enumerate(record.layers):
        yield Place("last_hidden", layer), np.stack([part.last_hidden for part in parts.values()])
        yield Place("last_cell", layer), np.stack([part.last_cell for part in parts.values()])
        yield Place("initial_hidden", layer), initial.hidden[layer]
        yield Place("initial_cell", layer), initial.cell[layer]


Row = tuple[Place, str, Shape, str]


def _computed(plan: NetworkPlan) -> Iterator[Row]:
    batch, spec = plan.batch, plan.spec
    samples, steps = ("samples", batch.samples), _steps_axis(plan)
    read = ("timesteps", spec.timesteps) if plan.task is not Task.ONE_TO_MANY else ("steps_out", spec.timesteps)
    features = ("features", batch.features)
    yield Place("input"), "x", _shape(samples, ("timesteps", batch.timesteps), features), "the batch: each sample a sequence"
    if plan.task in FROM_ONE:
        again = "the first timestep alone" if plan.task is Task.ONE_TO_ONE else "the first timestep, the same at every step"
        yield Place("input_read"), "x_1", _shape(samples, read, features), again
    whose = "h of every timestep" if plan.decoder is None else "h of the encoder at every timestep"
    for layer in range(spec.layers):
        yield Place("output_sequence", layer), _course(read), _shape(samples, read, _hidden_axis(spec.at(layer))), whose
    if plan.decoder is not None:
        yield from _decoder(plan, plan.decoder)
    hidden = _hidden_axis(spec.at(spec.layers - 1))
    reads = "the last h" if plan.task in TO_ONE else "h of every step"
    yield Place("dense_input"), "h", _shape(samples, *steps, hidden), f"what the dense layer reads: {reads}"
    yield Place("dense_kernel"), "W", _shape(hidden, ("outputs", plan.outputs)), "from every number of h to every output"
    yield Place("dense_bias"), "b", _shape(("outputs", plan.outputs)), "what is added to each output"
    yield Place("outputs"), "y = h W + b", _shape(samples, *steps, ("outputs", plan.outputs)), _made(plan)


def _decoder(plan: NetworkPlan, decoder: Spec) -> Iterator[Row]:
    batch, samples = plan.batch, ("samples", plan.batch.samples)
    for layer in range(batch.layers) if batch.stack else (None,):
        yield from _handed_over(batch, decoder, layer)
    steps = ("steps_out", decoder.timesteps)
    reads = _hidden_axis(batch.at(batch.layers - 1))
    yield Place("decoder_input"), "x", _shape(samples, steps, reads), "the encoder's last h, the same at every step"
    for layer in range(decoder.layers):
        both = _hidden_axis(batch.at(layer))
        yield Place("decoder_sequence", layer), _course(steps), _shape(samples, steps, both), "h of the decoder at every step"


def _handed_over(batch: Spec, decoder: Spec, layer: int | None) -> Iterator[Row]:
    """The states that the decoder takes from the encoder: of one layer, or of all where they are alike."""
    own, samples, alone = batch.at(layer or 0), ("samples", batch.samples), layer is not None
    ways = len(own.directions)
    places = ("directions", ways) if alone else ("layers*directions", batch.layers * ways)
    layers = () if alone else (("layers", batch.layers),)
    one, both = (own.hidden_axis, own.hidden), _hidden_axis(own)
    units = ("both_units" if own.bidirectional else "units", decoder.at(layer or 0).units)
    ends = "where the encoder ended"
    beside = ", directions side by side" if own.bidirectional else ""
    yield Place("last_hidden", layer), "h_n", _shape(places, samples, one), f"h {ends}"
    yield Place("last_cell", layer), "c_n", _shape(places, samples, ("units", own.units)), f"c {ends}"
    start = "that the decoder starts from"
    yield Place("initial_hidden", layer), "h_0", _shape(*layers, samples, both), f"h {start}: h_n{beside}"
    yield Place("initial_cell", layer), "c_0", _shape(*layers, samples, units), f"c {start}: c_n{beside}"


def _steps_axis(plan: NetworkPlan) -> tuple[tuple[str, int], ...]:
    """The axis of steps of what the dense layer reads and makes, where it has one."""
    if plan.steps_out is None:
        return ()
    return (("timesteps" if plan.task is Task.MANY_TO_MANY else "steps_out", plan.steps_out),)


def _course(steps: tuple[str, int]) -> str:
    return "h_1..h_T" if steps[0] == "timesteps" else "h_1..h_S"


def _made(plan: NetworkPlan) -> str:
    return "the outputs of the network" + ("" if plan.steps_out is None else ", at every step")


def _hidden_axis(batch: Spec) -> tuple[str, int]:
    return (f"both_{batch.hidden_axis}" if batch.bidirectional else batch.hidden_axis, batch.output)


def _shape(*axes: tuple[str, int]) -> Shape:
    return Shape(tuple(Axis(SPELLED.get(name, name), size) for name, size in axes))


def _named(axes: Shape, sizes: tuple[int, ...]) -> Shape:
    """The sizes that were read off an array, under the names of its axes."""
    if len(sizes) != len(axes.axes):
        raise AssertionError(f"{axes} was expected, and the run made {sizes}")
    return Shape(tuple(Axis(axis.name, size) for axis, size in zip(axes.axes, sizes, strict=True)))
