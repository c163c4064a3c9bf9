"""What a sample of a single timestep leaves without a gradient, counted over the whole stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_explain.core.cost import run_bytes, weight_bytes
from lstm_explain.core.zero_gradients import zero_gradient_parameters

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record
    from lstm_explain.core.zero_gradients import ZeroGradientCount


class OneStep(NamedTuple):
    """What is left to learn for a sample of a single timestep."""

    samples: int
    """How many samples of one timestep the gradients were made of."""
    from_zero: bool
    """Whether h and c were zero before the timestep, in every layer."""
    tensors: tuple[ZeroGradientCount, ...]
    """The parameters that get no gradient, by tensor and gate, over the whole stack."""

    @property
    def idle(self) -> int:
        return sum(one.zero for one in self.tensors)

    @property
    def total(self) -> int:
        return sum(one.total for one in self.tensors)

    def to_dict(self) -> dict[str, Any]:
        return {
            "samples": self.samples,
            "from_zero": self.from_zero,
            "idle": self.idle,
            "total": self.total,
            "tensors": [
                {"tensor": tensor, "gate": None if gate is None else gate.value, "idle": idle, "total": total}
                for tensor, gate, idle, total in self.tensors
            ],
        }


def one_step(lstm: LSTM, record: Record) -> OneStep:
    """Go back through the one timestep of all samples in the record that have no more than one."""
    samples = np.array([place for place in range(record.spec.samples) if record.length(place) == 1])
    # for one layer at a time the gradients' sizes, the sizes of both their factors, and the weights, in float64
    numbers = weight_bytes(lstm.spec) // lstm.spec.item_bytes
    lstm.check_memory(run_bytes(record.spec) + 3 * 8 * numbers, "making the gradients of one timestep")
    parts = [part for layer in record.layers for part in layer.values()]
    moved = any(part.initial_hidden[samples].any() or part.initial_cell[samples].any() for part in parts)
    return OneStep(len(samples), not moved, zero_gradient_parameters(lstm.weights, record, samples))
