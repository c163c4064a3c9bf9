"""PyTorch's `torch.nn.LSTM`: i f g o, neurons first, and two biases that are always added (once for cuDNN's sake)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction, Gate
from lstm_explain.frameworks.convention import Convention

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import Weights

PYTORCH = Convention(
    framework="pytorch",
    title="PyTorch",
    gate_order=(Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT),
    neurons_first=True,
    biases=("bias_ih", "bias_hh"),
    kernel="weight_ih",
    recurrent_kernel="weight_hh",
    projection="weight_hr",
    peephole=None,
    peephole_order=(),
    source="torch/nn/modules/rnn.py, class LSTM",
)


def state_dict(weights: Weights) -> dict[str, Array]:
    """Name a whole stack as `torch.nn.LSTM(...).state_dict()` does: `weight_ih_l0`, `weight_ih_l0_reverse`, ..."""
    named: dict[str, Array] = {}
    for layer, directions in enumerate(weights.layers):
        for direction, part in directions.items():
            suffix = f"_l{layer}" + ("_reverse" if direction is Direction.BACKWARD else "")
            named |= {name + suffix: array for name, array in PYTORCH.pack(part).items()}
    return named
