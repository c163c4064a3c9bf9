"""What a run costs, from the sizes alone, in exact Python integers: arithmetic and bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES, PEEPHOLE_GATES
from lstm_explain.core.weights import parameter_counts

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec


def macs_per_step(spec: Spec) -> int:
    """Multiply-accumulates of one sample's timestep through the whole stack.

    A layer multiplies features + hidden numbers with 4*units columns; a projection units numbers with hidden columns; a
    peephole is one product for each of three gates. Biases are additions, so they do not count; nor do the three
    element-wise products of a unit (f c, i g, o tanh c), which are in `products_per_step`.
    """
    return sum(_layer_macs(spec, layer) * times for layer, times in spec.unlike_layers) * len(spec.directions)


def _layer_macs(spec: Spec, layer: int) -> int:
    gates = len(GATES) * spec.units * (spec.features_of(layer) + spec.hidden)
    projection = spec.units * spec.hidden if spec.projection is not None else 0
    peepholes = len(PEEPHOLE_GATES) * spec.units if spec.peepholes else 0
    return gates + projection + peepholes


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
    numbers = spec.timesteps * _step_numbers(spec) + _places(spec) * (spec.units + spec.hidden)
    return spec.samples * numbers * spec.item_bytes


def run_bytes(spec: Spec, padded: bool = False) -> int:
    """An upper bound on the memory of making the weights, drawing the inputs and recording the run.

    Args:
        spec: the sizes and options.
        padded: whether the samples have lengths: then outputs are zeroed in a copy, and a backward direction, which reads each
            sample from an end of its own, is put back into order in one.
    """
    read = sum((spec.features_of(layer) + 1) * times for layer, times in spec.unlike_layers) * len(spec.directions)
    joined = spec.output * spec.layers if spec.bidirectional or padded else 0
    reordered = read + _step_numbers(spec) if spec.bidirectional and padded else 0
    copies = spec.samples * spec.timesteps * (read + joined + reordered) * spec.item_bytes
    return making_bytes(spec) + input_bytes(spec) + copies + record_bytes(spec)


def making_bytes(spec: Spec) -> int:
    """An upper bound on the memory of making the weights: themselves, and float64 copies while a matrix is made orthogonal."""
    return 6 * 8 * _largest_weight(spec) + weight_bytes(spec)


def _largest_weight(spec: Spec) -> int:
    widest = max(spec.features_of(layer) for layer in range(min(spec.layers, 2)))
    return len(GATES) * spec.units * max(widest, spec.hidden)


def _places(spec: Spec) -> int:
    return spec.layers * len(spec.directions)


def _all_units(spec: Spec) -> int:
    return _places(spec) * spec.units


def _step_numbers(spec: Spec) -> int:
    return _places(spec) * ((len(GATES) + 1) * spec.units + spec.hidden)
