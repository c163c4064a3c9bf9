"""What a sample of a single timestep leaves without a gradient, counted over the whole stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.cost import run_bytes, weight_bytes
from lstm_explain.core.zero_gradients import zero_gradient_parameters
from lstm_explain.topics.result import json_keys

if TYPE_CHECKING:
    from typing import Literal

    from lstm_explain.core.gates import Gate
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record
    from lstm_explain.topics.result import Positive


class IdleParameters(NamedTuple):
    """How many parameters of a tensor get no gradient."""

    tensor: Literal["kernel", "recurrent_kernel", "bias", "peephole", "projection"]
    """The name of the tensor."""
    gate: Gate | None
    """Whose neurons they belong to; null for the projection, which comes after the gates."""
    idle: int
    """How many have a gradient of exactly 0."""
    total: Positive
    """How many there are."""


@json_keys("samples from_zero idle total tensors")
class OneStep(NamedTuple):
    """What is left to learn for a sample of a single timestep."""

    samples: Positive
    """How many samples of one timestep the gradients were made of."""
    from_zero: bool
    """Whether h and c were zero before the timestep, in every layer."""
    tensors: tuple[IdleParameters, ...]
    """The parameters that get no gradient, by tensor and gate, over the whole stack."""

    @property
    def idle(self) -> int:
        """How many parameters of the stack have a gradient of exactly 0 in all these samples."""
        return sum(one.idle for one in self.tensors)

    @property
    def total(self) -> Positive:
        """How many parameters the stack has."""
        return sum(one.total for one in self.tensors)


def one_step(lstm: LSTM, record: Record) -> OneStep:
    """Go back through the one timestep of all samples in the record that have no more than one."""
    samples = np.array([place for place in range(record.spec.samples) if record.length(place) == 1])
    # for one layer at a time the gradients' sizes, the sizes of both their factors, and the weights, in float64
    numbers = weight_bytes(lstm.spec) // lstm.spec.item_bytes
    lstm.check_memory(run_bytes(record.spec) + 3 * 8 * numbers, "making the gradients of one timestep")
    parts = [part for layer in record.layers for part in layer.values()]
    moved = any(part.initial_hidden[samples].any() or part.initial_cell[samples].any() for part in parts)
    counts = zero_gradient_parameters(lstm.weights, record, samples)
    return OneStep(len(samples), not moved, tuple(IdleParameters(*count) for count in counts))  # type: ignore[arg-type]
