"""The tensors and parameters of a network: computed from the sizes, or read off the arrays of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.core.axes import shape
from lstm_explain.core.network import FROM_ONE, TO_ONE, Task
from lstm_explain.topics.shapes import Tensor, layer_formula, parenthesize_sum, size_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.engine import StackState
    from lstm_explain.core.network import Network, NetworkPlan, NetworkRun
    from lstm_explain.core.record import Record
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import Weights
    from lstm_explain.topics.result import Positive

    TensorKey: TypeAlias = tuple[str, int | None]
    """A tensor's name, and the layer it belongs to."""
    AxisSize: TypeAlias = tuple[str, int]


def list_tensors(plan: NetworkPlan, sizes: dict[TensorKey, tuple[int, ...]] | None) -> tuple[Tensor, ...]:
    """List the tensors of a network: with the sizes of the arrays of a run, or computed if there was none."""
    tensors = []
    for name, symbol, axes, meaning, layer in _tensor_rows(plan):
        measured = shape(**dict(axes))
        if sizes is not None:
            measured = measured.with_sizes(sizes[name, layer])
        size = measured.elements * plan.batch.item_bytes
        tensors.append(Tensor(name, symbol, layer, None, measured, size, sizes is not None, meaning))
    return tuple(tensors)


def measured_sizes(network: Network, run: NetworkRun) -> dict[TensorKey, tuple[int, ...]]:
    """The sizes of every array of a run."""
    return {key: array.shape for key, array in _network_arrays(network, run)}


def _network_arrays(network: Network, run: NetworkRun) -> Iterator[tuple[TensorKey, Array]]:
    yield ("input", None), run.input
    yield ("input_read", None), run.read
    for layer, output in enumerate(run.record.outputs):
        yield ("output_sequence", layer), output
    if run.decoder is not None and run.initial is not None:
        yield from _state_arrays(run.record, run.initial)
        yield ("decoder_input", None), run.decoder.input
        for layer, output in enumerate(run.decoder.outputs):
            yield ("decoder_sequence", layer), output
    yield ("dense_input", None), run.dense_input
    yield ("dense_kernel", None), network.dense.kernel
    yield ("dense_bias", None), network.dense.bias
    yield ("outputs", None), run.outputs


def _state_arrays(record: Record, initial: StackState) -> Iterator[tuple[TensorKey, Array]]:
    """Where the encoder ended, and what the decoder starts from: of all layers together if they are alike, else of each."""
    if not record.spec.layers_differ:
        yield ("last_hidden", None), record.last_hidden
        yield ("last_cell", None), record.last_cell
        yield ("initial_hidden", None), np.stack(initial.hidden)
        yield ("initial_cell", None), np.stack(initial.cell)
        return
    for layer, parts in enumerate(record.layers):
        yield ("last_hidden", layer), np.stack([part.last_hidden for part in parts.values()])
        yield ("last_cell", layer), np.stack([part.last_cell for part in parts.values()])
        yield ("initial_hidden", layer), initial.hidden[layer]
        yield ("initial_cell", layer), initial.cell[layer]


class TensorRow(NamedTuple):
    """What is known of a tensor before a run."""

    name: str
    symbol: str
    axes: tuple[AxisSize, ...]
    meaning: str
    layer: int | None = None


def _tensor_rows(plan: NetworkPlan) -> Iterator[TensorRow]:
    batch, spec = plan.batch, plan.spec
    samples, features, outputs = ("samples", batch.samples), ("features", batch.features), ("outputs", plan.outputs)
    steps_read = ("steps_out" if plan.task is Task.ONE_TO_MANY else "timesteps", spec.timesteps)
    yield TensorRow("input", "x", (samples, ("timesteps", batch.timesteps), features), "the batch: each sample a sequence")
    if plan.task in FROM_ONE:
        meaning = "the first timestep alone" if plan.task is Task.ONE_TO_ONE else "the first timestep, the same at every step"
        yield TensorRow("input_read", "x_1", (samples, steps_read, features), meaning)
    meaning = "h of every timestep" if plan.decoder is None else "h of the encoder at every timestep"
    for layer in range(len(spec.layers)):
        axes = (samples, steps_read, _output_axis(spec.for_layer(layer)))
        yield TensorRow("output_sequence", _sequence_symbol(steps_read), axes, meaning, layer)
    if plan.decoder is not None:
        yield from _decoder_rows(plan, plan.decoder)
    steps: tuple[AxisSize, ...] = ()
    if plan.steps_out is not None:
        steps = (("timesteps" if plan.task is Task.MANY_TO_MANY else "steps_out", plan.steps_out),)
    hidden = _output_axis(spec.for_layer(len(spec.layers) - 1))
    reads = "the last h" if plan.task in TO_ONE else "h of every step"
    yield TensorRow("dense_input", "h", (samples, *steps, hidden), f"what the dense layer reads: {reads}")
    yield TensorRow("dense_kernel", "W", (hidden, outputs), "from every number of h to every output")
    yield TensorRow("dense_bias", "b", (outputs,), "what is added to each output")
    meaning = "the outputs of the network" + (", at every step" if steps else "")
    yield TensorRow("outputs", "y = h W + b", (samples, *steps, outputs), meaning)


def _decoder_rows(plan: NetworkPlan, decoder: Spec) -> Iterator[TensorRow]:
    batch, samples, steps = plan.batch, ("samples", plan.batch.samples), ("steps_out", decoder.timesteps)
    for differing in range(len(batch.layers)) if batch.layers_differ else (None,):
        yield from _state_rows(batch, decoder, differing)
    axes = (samples, steps, _output_axis(batch.for_layer(len(batch.layers) - 1)))
    yield TensorRow("decoder_input", "x", axes, "the encoder's last h, the same at every step")
    for layer in range(len(decoder.layers)):
        axes = (samples, steps, _output_axis(batch.for_layer(layer)))
        yield TensorRow("decoder_sequence", _sequence_symbol(steps), axes, "h of the decoder at every step", layer)


def _state_rows(batch: Spec, decoder: Spec, layer: int | None) -> Iterator[TensorRow]:
    """The states that the decoder takes from the encoder: of one layer, or of all if they are alike."""
    layer_spec, samples = batch.for_layer(layer or 0), ("samples", batch.samples)
    directions = len(layer_spec.directions)
    layers: tuple[AxisSize, ...] = (("layers", len(batch.layers)),)
    stacked = ("layers*directions", len(batch.layers) * directions)
    if layer is not None:
        layers, stacked = (), ("directions", directions)
    hidden, units = (layer_spec.hidden_axis, layer_spec.hidden), ("units", layer_spec.units)
    beside = ", directions side by side" if layer_spec.bidirectional else ""
    yield TensorRow("last_hidden", "h_n", (stacked, samples, hidden), "h where the encoder ended", layer)
    yield TensorRow("last_cell", "c_n", (stacked, samples, units), "c where the encoder ended", layer)
    axes = (*layers, samples, _output_axis(layer_spec))
    yield TensorRow("initial_hidden", "h_0", axes, f"h that the decoder starts from: h_n{beside}", layer)
    axes = (*layers, samples, ("both_units" if layer_spec.bidirectional else "units", decoder.for_layer(layer or 0).units))
    yield TensorRow("initial_cell", "c_0", axes, f"c that the decoder starts from: c_n{beside}", layer)


def _sequence_symbol(steps: AxisSize) -> str:
    return "h_1..h_T" if steps[0] == "timesteps" else "h_1..h_S"


def _output_axis(spec: Spec) -> AxisSize:
    return (f"both_{spec.hidden_axis}" if spec.bidirectional else spec.hidden_axis, spec.output)


# --- parameters -------------------------------------------------------------------------------------------------------


class NetworkPart(NamedTuple):
    """One layer or stack of a network, and its parameters."""

    name: Literal["lstm", "encoder", "decoder", "dense"]
    """Which part: `lstm`, or `encoder` and `decoder`; and `dense`."""
    total: Positive
    """How many parameters its arrays have."""
    formula: str
    """The count in the words of the options."""


def count_parts(network: Network) -> tuple[NetworkPart, ...]:
    """The LSTM, or encoder and decoder; and the dense layer."""
    plan, batch = network.plan, network.plan.batch
    output = size_words(batch, len(batch.layers) - 1).output
    total, formula = _count_parameters(network.weights), _stack_formula(batch, batch, "features")
    parts = [NetworkPart("lstm" if plan.decoder is None else "encoder", total, formula)]
    if network.decoder is not None and plan.decoder is not None:
        formula = _stack_formula(plan.decoder, batch, output)
        parts.append(NetworkPart("decoder", _count_parameters(network.decoder), formula))
    return (*parts, NetworkPart("dense", network.dense.parameters, f"({output} + 1)*outputs"))


def _count_parameters(weights: Weights) -> int:
    return sum(int(array.size) for parts in weights.layers for part in parts.values() for array in part.tensors().values())


def _stack_formula(spec: Spec, batch: Spec, reads: str) -> str:
    """The parameters of a stack, of which the first layer reads `reads` numbers, in words of the LSTM at hand.

    A decoder's layer reads forward only, and is as wide as both directions of the encoder's.
    """
    formulas = []
    for layer, _ in batch.layer_groups:
        layer_spec = spec.for_layer(layer)
        widened = batch.for_layer(layer).bidirectional and not layer_spec.bidirectional
        words = size_words(batch, layer, "2*" if widened else "")
        formulas.append(layer_formula(layer_spec, reads, words))
        reads = words.output
    if batch.layers_differ or len(formulas) == 1:
        return " + ".join(formulas)
    return f"{formulas[0]} + (layers - 1)*{parenthesize_sum(formulas[1])}"
