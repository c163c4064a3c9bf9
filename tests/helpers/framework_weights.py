"""Our weights as each framework's own loading functions take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.frameworks.keras import KERAS_CONVENTION
from lstm_explain.frameworks.layout import export_layer
from lstm_explain.frameworks.onnx import ONNX_CONVENTION
from lstm_explain.frameworks.pytorch import PYTORCH_CONVENTION

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import Weights


def state_dict(weights: Weights) -> dict[str, Array]:
    """A whole stack as in `torch.nn.LSTM(...).state_dict()`: `weight_ih_l0`, `weight_ih_l0_reverse`, ..."""
    layers = enumerate(weights.layers)
    return {name: array for layer, parts in layers for name, _, array in export_layer(PYTORCH_CONVENTION, parts, layer)}


def layer_weights(weights: Weights, layer: int) -> list[Array]:
    """A layer's weights in the order of `set_weights`; `Bidirectional` takes forward's, then backward's."""
    return [array for part in weights.layers[layer].values() for array in KERAS_CONVENTION.pack(part).values()]


def node_inputs(weights: Weights, layer: int) -> dict[str, Array]:
    """A layer as the operator's inputs W, R, B = [Wb, Rb] and P, each with a leading axis of directions."""
    return {name: array for name, _, array in export_layer(ONNX_CONVENTION, weights.layers[layer], layer)}
