"""The ONNX operator `LSTM`: i o f c, neurons first, two biases in one tensor, directions stacked, peepholes i o f."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.convention import Convention

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import Weights

ONNX = Convention(
    framework="onnx",
    title="ONNX",
    gate_order=(Gate.INPUT, Gate.OUTPUT, Gate.FORGET, Gate.CANDIDATE),
    neurons_first=True,
    biases=("Wb", "Rb"),
    kernel="W",
    recurrent_kernel="R",
    projection=None,
    peephole="P",
    peephole_order=(Gate.INPUT, Gate.OUTPUT, Gate.FORGET),
    source="onnx/onnx, docs/Operators.md, LSTM",
)


def node_inputs(weights: Weights, layer: int) -> dict[str, Array]:
    """A layer as the operator's inputs W, R, B = [Wb, Rb] and P, each with a leading axis of directions."""
    packed = [ONNX.pack(part) for part in weights.layers[layer].values()]
    named = {name: np.stack([part[name] for part in packed]) for name in packed[0]}
    if "Wb" in named:
        named["B"] = np.concatenate([named.pop("Wb"), named.pop("Rb")], axis=1)
    return named
