"""What a run costs, from the sizes alone, in exact Python integers: arithmetic and bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES, PEEPHOLE_GATES
from lstm_explain.core.weights import parameter_counts

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.spec import Spec


def macs_per_step(spec: Spec) -> int:
    """Multiply-accumulates of one sample's timestep through the whole stack.

    A layer multiplies features + hidden numbers with 4*units columns; a projection units numbers with hidden columns; a
    peephole is one product for each of three gates. Biases are additions, so they do not count; nor do the three
    element-wise products of a unit (f c, i g, o tanh c), which are in `products_per_step`.
    """
    return _over_layers(spec, _macs_of_layer)


def _macs_of_layer(layer: Spec) -> int:
    gates = len(GATES) * layer.units * (layer.features + layer.hidden)
    projection = layer.units * layer.hidden if layer.projection is not None else 0
    peepholes = len(PEEPHOLE_GATES) * layer.units if layer.peepholes else 0
    return len(layer.directions) * (gates + projection + peepholes)


def products_per_step(spec: Spec) -> int:
    """The element-wise products of one sample's timestep: f c_{t-1}, i g and o tanh(c_t) for every unit."""
    return 3 * _all_units(spec)


def activations_per_step(spec: Spec) -> int:
    """The calls of sigmoid and tanh of one sample's timestep: four gates and tanh(c_t) for every unit."""
    return 5 * _all_units(spec)


def weight_bytes(spec: Spec) -> int:
    """The bytes of all weights."""
    return sum(parameter_counts(spec).values()) * spec.item_bytes


def input_bytes(spec: Spec) -> int:
    """The bytes of the batch."""
    return spec.samples * spec.timesteps * spec.features * spec.item_bytes


def step_bytes(spec: Spec) -> int:
    """The bytes of one timestep's i, f, g, o, c and h of the whole batch, in every layer and direction."""
    return spec.samples * _step_numbers(spec) * spec.item_bytes


def record_bytes(spec: Spec) -> int:
    """The bytes of a full record: i, f, g, o, c and h of every timestep, and the initial states."""
    starts = _over_layers(spec, lambda layer: len(layer.directions) * (layer.units + layer.hidden))
    numbers = spec.timesteps * _step_numbers(spec) + starts
    return spec.samples * numbers * spec.item_bytes


def run_bytes(spec: Spec, padded: bool = False) -> int:
    """An upper bound on the memory of making the weights, drawing the inputs and recording the run.

    Args:
        spec: the sizes and options.
        padded: whether the samples have lengths: then outputs are zeroed in a copy, and a backward direction, which reads each
            sample from that sample's end, is put back into order in one.
    """
    copied = spec.timesteps * _over_layers(spec, lambda layer: _copied_numbers(layer, padded))
    return weight_creation_bytes(spec) + input_bytes(spec) + spec.samples * copied * spec.item_bytes + record_bytes(spec)


def _copied_numbers(layer: Spec, padded: bool) -> int:
    """How many numbers of a layer's timestep are held beside the record: what it reads, and its output where it is a copy."""
    read = (layer.features + 1) * len(layer.directions)
    joined = layer.output if layer.bidirectional or padded else 0
    reordered = read + _layer_numbers(layer) if layer.bidirectional and padded else 0
    return read + joined + reordered


def weight_creation_bytes(spec: Spec) -> int:
    """An upper bound on the memory of making the weights: themselves, and float64 copies while a matrix is made orthogonal."""
    largest = max(_largest_weight(spec.for_layer(layer)) for layer, _ in spec.layer_groups)
    return 6 * 8 * largest + weight_bytes(spec)


def _largest_weight(layer: Spec) -> int:
    return len(GATES) * layer.units * max(layer.features, layer.hidden)


def _all_units(spec: Spec) -> int:
    return _over_layers(spec, lambda layer: len(layer.directions) * layer.units)


def _step_numbers(spec: Spec) -> int:
    return _over_layers(spec, _layer_numbers)


def _layer_numbers(layer: Spec) -> int:
    """How many numbers of i, f, g, o, c and h a layer makes in a timestep."""
    return len(layer.directions) * ((len(GATES) + 1) * layer.units + layer.hidden)


def _over_layers(spec: Spec, of_layer: Callable[[Spec], int]) -> int:
    """The sum over all layers of what each takes."""
    return sum(of_layer(spec.for_layer(layer)) * times for layer, times in spec.layer_groups)
