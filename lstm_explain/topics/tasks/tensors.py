"""The tensors and parameters of a network: computed from the sizes, or read off the arrays of a run."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.axes import SPELLED, Axis, Shape
from lstm_explain.core.network import FROM_ONE, TO_ONE, Task
from lstm_explain.topics.shapes import Tensor
from lstm_explain.topics.shapes.parameter_formula import grouped, layer_formula, size_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.engine import StackState
    from lstm_explain.core.network import Network, NetworkPlan, NetworkRun
    from lstm_explain.core.record import Record
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import Weights


class TensorKey(NamedTuple):
    """A tensor's name, and the layer it belongs to."""

    name: str
    layer: int | None = None


def list_tensors(plan: NetworkPlan, made: dict[TensorKey, tuple[int, ...]] | None) -> tuple[Tensor, ...]:
    """List the tensors of a network: with the sizes of the arrays that a run made, or computed where there are none."""
    rows = []
    for place, symbol, axes, meaning in _tensor_rows(plan):
        found = axes if made is None else _with_sizes(axes, made[place])
        size = found.elements * plan.batch.item_bytes
        rows.append(Tensor(place.name, symbol, place.layer, None, found, size, made is not None, meaning))
    return tuple(rows)


def measured_sizes(network: Network, passage: NetworkRun) -> dict[TensorKey, tuple[int, ...]]:
    """The sizes of every array of a run."""
    return {place: array.shape for place, array in _network_arrays(network, passage)}


def _network_arrays(network: Network, passage: NetworkRun) -> Iterator[tuple[TensorKey, Array]]:
    yield TensorKey("input"), passage.input
    yield TensorKey("input_read"), passage.read
    for layer, output in enumerate(passage.record.outputs):
        yield TensorKey("output_sequence", layer), output
    if passage.decoder is not None and passage.initial is not None:
        yield from _state_arrays(passage.record, passage.initial)
        yield TensorKey("decoder_input"), passage.decoder.input
        for layer, output in enumerate(passage.decoder.outputs):
            yield TensorKey("decoder_sequence", layer), output
    yield TensorKey("dense_input"), passage.dense_input
    yield TensorKey("dense_kernel"), network.dense.kernel
    yield TensorKey("dense_bias"), network.dense.bias
    yield TensorKey("outputs"), passage.outputs


def _state_arrays(record: Record, initial: StackState) -> Iterator[tuple[TensorKey, Array]]:
    """Where the encoder ended, and what the decoder starts from: of all layers together where they are alike, else of each."""
    if not record.spec.layers_differ:
        yield TensorKey("last_hidden"), record.last_hidden
        yield TensorKey("last_cell"), record.last_cell
        yield TensorKey("initial_hidden"), np.stack(initial.hidden)
        yield TensorKey("initial_cell"), np.stack(initial.cell)
        return
    for layer, parts in enumerate(record.layers):
        yield TensorKey("last_hidden", layer), np.stack([part.last_hidden for part in parts.values()])
        yield TensorKey("last_cell", layer), np.stack([part.last_cell for part in parts.values()])
        yield TensorKey("initial_hidden", layer), initial.hidden[layer]
        yield TensorKey("initial_cell", layer), initial.cell[layer]


TensorRow = tuple[TensorKey, str, Shape, str]


def _tensor_rows(plan: NetworkPlan) -> Iterator[TensorRow]:
    batch, spec = plan.batch, plan.spec
    samples, steps = ("samples", batch.samples), _steps_axis(plan)
    read = ("timesteps", spec.timesteps) if plan.task is not Task.ONE_TO_MANY else ("steps_out", spec.timesteps)
    features = ("features", batch.features)
    yield (
        TensorKey("input"),
        "x",
        _shape_from_axes(samples, ("timesteps", batch.timesteps), features),
        "the batch: each sample a sequence",
    )
    if plan.task in FROM_ONE:
        again = "the first timestep alone" if plan.task is Task.ONE_TO_ONE else "the first timestep, the same at every step"
        yield TensorKey("input_read"), "x_1", _shape_from_axes(samples, read, features), again
    whose = "h of every timestep" if plan.decoder is None else "h of the encoder at every timestep"
    for layer in range(len(spec.layers)):
        yield (
            TensorKey("output_sequence", layer),
            _sequence_symbol(read),
            _shape_from_axes(samples, read, _hidden_axis(spec.for_layer(layer))),
            whose,
        )
    if plan.decoder is not None:
        yield from _decoder_rows(plan, plan.decoder)
    hidden = _hidden_axis(spec.for_layer(len(spec.layers) - 1))
    reads = "the last h" if plan.task in TO_ONE else "h of every step"
    yield TensorKey("dense_input"), "h", _shape_from_axes(samples, *steps, hidden), f"what the dense layer reads: {reads}"
    yield (
        TensorKey("dense_kernel"),
        "W",
        _shape_from_axes(hidden, ("outputs", plan.outputs)),
        "from every number of h to every output",
    )
    yield TensorKey("dense_bias"), "b", _shape_from_axes(("outputs", plan.outputs)), "what is added to each output"
    yield (
        TensorKey("outputs"),
        "y = h W + b",
        _shape_from_axes(samples, *steps, ("outputs", plan.outputs)),
        _outputs_meaning(plan),
    )


def _decoder_rows(plan: NetworkPlan, decoder: Spec) -> Iterator[TensorRow]:
    batch, samples = plan.batch, ("samples", plan.batch.samples)
    for layer in range(len(batch.layers)) if batch.layers_differ else (None,):
        yield from _state_rows(batch, decoder, layer)
    steps = ("steps_out", decoder.timesteps)
    reads = _hidden_axis(batch.for_layer(len(batch.layers) - 1))
    yield (
        TensorKey("decoder_input"),
        "x",
        _shape_from_axes(samples, steps, reads),
        "the encoder's last h, the same at every step",
    )
    for layer in range(len(decoder.layers)):
        both = _hidden_axis(batch.for_layer(layer))
        yield (
            TensorKey("decoder_sequence", layer),
            _sequence_symbol(steps),
            _shape_from_axes(samples, steps, both),
            "h of the decoder at every step",
        )


def _state_rows(batch: Spec, decoder: Spec, layer: int | None) -> Iterator[TensorRow]:
    """The states that the decoder takes from the encoder: of one layer, or of all where they are alike."""
    own, samples, alone = batch.for_layer(layer or 0), ("samples", batch.samples), layer is not None
    ways = len(own.directions)
    places = ("directions", ways) if alone else ("layers*directions", len(batch.layers) * ways)
    layers = () if alone else (("layers", len(batch.layers)),)
    one, both = (own.hidden_axis, own.hidden), _hidden_axis(own)
    units = ("both_units" if own.bidirectional else "units", decoder.for_layer(layer or 0).units)
    ends = "where the encoder ended"
    beside = ", directions side by side" if own.bidirectional else ""
    yield TensorKey("last_hidden", layer), "h_n", _shape_from_axes(places, samples, one), f"h {ends}"
    yield TensorKey("last_cell", layer), "c_n", _shape_from_axes(places, samples, ("units", own.units)), f"c {ends}"
    start = "that the decoder starts from"
    yield TensorKey("initial_hidden", layer), "h_0", _shape_from_axes(*layers, samples, both), f"h {start}: h_n{beside}"
    yield TensorKey("initial_cell", layer), "c_0", _shape_from_axes(*layers, samples, units), f"c {start}: c_n{beside}"


def _steps_axis(plan: NetworkPlan) -> tuple[tuple[str, int], ...]:
    """The axis of steps of what the dense layer reads and makes, where it has one."""
    if plan.steps_out is None:
        return ()
    return (("timesteps" if plan.task is Task.MANY_TO_MANY else "steps_out", plan.steps_out),)


def _sequence_symbol(steps: tuple[str, int]) -> str:
    return "h_1..h_T" if steps[0] == "timesteps" else "h_1..h_S"


def _outputs_meaning(plan: NetworkPlan) -> str:
    return "the outputs of the network" + ("" if plan.steps_out is None else ", at every step")


def _hidden_axis(batch: Spec) -> tuple[str, int]:
    return (f"both_{batch.hidden_axis}" if batch.bidirectional else batch.hidden_axis, batch.output)


def _shape_from_axes(*axes: tuple[str, int]) -> Shape:
    return Shape(tuple(Axis(SPELLED.get(name, name), size) for name, size in axes))


def _with_sizes(axes: Shape, sizes: tuple[int, ...]) -> Shape:
    """The sizes that were read off an array, under the names of its axes."""
    if len(sizes) != len(axes.axes):
        raise AssertionError(f"{axes} was expected, and the run made {sizes}")
    return Shape(tuple(Axis(axis.name, size) for axis, size in zip(axes.axes, sizes, strict=True)))


# --- parameters -------------------------------------------------------------------------------------------------------


class NetworkPart(NamedTuple):
    """One layer or stack of a network, and its parameters."""

    name: str
    """`lstm`, or `encoder` and `decoder`; and `dense`."""
    total: int
    """Counted off its arrays."""
    formula: str
    """In the axis words of the command line."""


def count_parts(network: Network) -> tuple[NetworkPart, ...]:
    """The LSTM, or encoder and decoder; and the dense layer."""
    plan = network.plan
    batch, last = plan.batch, len(plan.batch.layers) - 1
    name = "lstm" if plan.decoder is None else "encoder"
    parts = [NetworkPart(name, _count_parameters(network.weights), _stack_formula(batch, batch, "features"))]
    if network.decoder is not None and plan.decoder is not None:
        parts.append(
            NetworkPart(
                "decoder",
                _count_parameters(network.decoder),
                _stack_formula(plan.decoder, batch, size_words(batch, last).output),
            )
        )
    return (*parts, NetworkPart("dense", network.dense.parameters, f"({size_words(batch, last).output} + 1)*outputs"))


def _count_parameters(weights: Weights) -> int:
    return sum(int(array.size) for parts in weights.layers for part in parts.values() for array in part.tensors().values())


def _stack_formula(spec: Spec, batch: Spec, reads: str) -> str:
    """The parameters of a stack, of which the first layer reads `reads` numbers, in words of the LSTM at hand.

    A decoder's layer reads forward only, and is as wide as both directions of the encoder's.
    """
    wide = [
        "2*" if batch.for_layer(layer).bidirectional and not spec.for_layer(layer).bidirectional else ""
        for layer in range(len(spec.layers))
    ]
    words = [size_words(batch, layer, wide[layer]) for layer, _ in batch.layer_groups]
    layers = [layer_formula(spec.for_layer(0), reads, words[0])]
    for layer, (below, own) in enumerate(pairwise(words), start=1):
        layers.append(layer_formula(spec.for_layer(layer), below.output, own))
    if batch.layers_differ or len(layers) == 1:
        return " + ".join(layers)
    return f"{layers[0]} + (layers - 1)*{grouped(layers[1])}"
