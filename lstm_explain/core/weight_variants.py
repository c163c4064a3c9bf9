"""Weights as they would be, had they been written under another rule: what a wrong reading of them comes down to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.core.gates import GATES, Gate
from lstm_explain.core.weights import Weights

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.gates import Direction
    from lstm_explain.core.weights import LayerWeights

    Biases = tuple[dict[Direction, Array], ...]
    """For every layer, a bias for each direction where it has any; [4*units] in the order i f g o."""


def reorder_gates(weights: Weights, order: tuple[Gate, ...]) -> Weights:
    """Take the gates' blocks, which were read as i f g o, for blocks in another order."""

    def reorder(array: Array) -> Array:
        blocks = dict(zip(order, np.split(array, len(GATES), axis=-1), strict=True))
        return np.concatenate([blocks[gate] for gate in GATES], axis=-1)

    def layer(part: LayerWeights) -> LayerWeights:
        bias = None if part.bias is None else reorder(part.bias)
        return part._replace(kernel=reorder(part.kernel), recurrent_kernel=reorder(part.recurrent_kernel), bias=bias)

    return _map_layers(weights, layer)


def add_forget_bias(weights: Weights, more: float) -> Weights:
    """Add a number to every forget gate's bias, as some frameworks do when they run; make a bias where there is none."""

    def layer(part: LayerWeights) -> LayerWeights:
        bias = np.zeros_like(part.kernel[0]) if part.bias is None else part.bias.copy()
        bias[part.columns(Gate.FORGET)] += bias.dtype.type(more)
        return part._replace(bias=bias)

    return _map_layers(weights, layer)


def remove_bias(weights: Weights) -> Weights:
    """Leave the biases out."""
    return _map_layers(weights, lambda part: part._replace(bias=None if part.bias is None else np.zeros_like(part.bias)))


def replace_biases(weights: Weights, biases: Biases) -> Weights:
    """Put other biases in place of those that there are."""

    def replace_bias(part: LayerWeights, bias: Array | None) -> LayerWeights:
        return part if bias is None else part._replace(bias=bias.astype(part.kernel.dtype, copy=False))

    pairs = zip(weights.layers, biases, strict=True)
    return Weights(
        tuple(
            {direction: replace_bias(part, layer_biases.get(direction)) for direction, part in layer.items()}
            for layer, layer_biases in pairs
        )
    )


def swap_directions(weights: Weights) -> Weights:
    """Have what reads forward read backward, and the other way round, in every layer that reads both ways.

    What it reads stays where it is.
    """
    return Weights(tuple(dict(zip(layer, reversed(layer.values()), strict=True)) for layer in weights.layers))


def _map_layers(weights: Weights, change: object) -> Weights:
    assert callable(change)
    return Weights(tuple({direction: change(part) for direction, part in layer.items()} for layer in weights.layers))
