"""convert: the same weights in another framework's names, axes and order; what was done, and that they are the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from lstm_explain.core.forward import forward
from lstm_explain.core.gates import GATES, LETTERS, Direction
from lstm_explain.core.inputs import SeededInputs
from lstm_explain.core.weights import Weights
from lstm_explain.errors import UsageError
from lstm_explain.explain.result import Explanation
from lstm_explain.frameworks.known import CONVENTIONS
from lstm_explain.frameworks.stored import written

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.frameworks.convention import Convention

SAMPLES, TIMESTEPS = 4, 6
"""Of the batch on which both are run."""


class Written(NamedTuple):
    """One array in the new convention."""

    name: str
    layer: int
    direction: Direction | None
    """None where the array holds all directions."""
    array: Array

    def to_dict(self) -> dict[str, Any]:
        way = None if self.direction is None else self.direction.value
        about = {"name": self.name, "layer": self.layer, "direction": way}
        return {**about, "shape": list(self.array.shape), "dtype": str(self.array.dtype)}


@dataclass(frozen=True, eq=False, repr=False)
class Convert(Explanation):
    """Weights in another convention."""

    topic: ClassVar[str] = "convert"

    spec: Spec
    source: dict[str, Any]
    convention: Convention
    arrays: tuple[Written, ...]
    difference: float
    """The largest difference between the outputs of the LSTM and of the converted arrays, read back."""
    compared: int
    """How many numbers of the output were compared."""

    @property
    def done(self) -> dict[str, str]:
        """What was done to the weights, by what it was done to."""
        convention, spec = self.convention, self.spec
        letters = [" ".join(LETTERS[gate] for gate in order) for order in (GATES, convention.gate_order)]
        changed = {"gates": f"reordered from {letters[0]} to {letters[1]}"} if letters[0] != letters[1] else {}
        changed["axes"] = _axes(convention)
        if convention.joined:
            changed["kernels"] = "joined: the rows of x_t, then those of h_{t-1}"
        count = convention.bias_count(spec)
        if count == 2:
            changed["biases"] = (
                "one into two: all of it in the first, zero in the second" if spec.bias else "none, written as zeros"
            )
        elif count and not spec.bias:
            changed["biases"] = "none, written as zeros"
        if convention.forget_bias_added:
            changed["forget bias"] = f"{convention.forget_bias_added:g} taken away: {convention.title} adds it when it runs"
        return changed

    def named(self) -> dict[str, Array]:
        """The arrays by name."""
        return {one.name: one.array for one in self.arrays}

    def facts(self) -> dict[str, Any]:
        return {
            "to": self.convention.framework,
            "gate_order": [gate.value for gate in self.convention.gate_order],
            "done": self.done,
            "arrays": [one.to_dict() for one in self.arrays],
            "difference": self.difference,
            "compared": self.compared,
        }


def explain_convert(lstm: LSTM, to: str) -> Convert:
    """Write an LSTM's weights in another convention, read them back, and compare what both compute.

    Args:
        lstm: the LSTM.
        to: a key of `frameworks.known.CONVENTIONS`.

    Raises:
        UsageError: there is no such convention, or it lacks an option of this LSTM.
        RefusedError: the copies would need more memory than the budget.
    """
    if to not in CONVENTIONS:
        raise UsageError(f"--to {to}", f"the conventions are {', '.join(CONVENTIONS)}")
    convention, spec = CONVENTIONS[to], lstm.spec
    lacking = convention.lacks(spec)
    if lacking:
        raise UsageError(f"--to {to}", f"{convention.title}'s LSTM has no {lacking}, and this one has")
    checked = replace(spec, samples=SAMPLES, timesteps=TIMESTEPS)
    sizes = sum(array.nbytes for layer in lstm.weights.layers for part in layer.values() for array in part.tensors().values())
    lstm.afford(4 * sizes, "writing the weights anew")
    arrays = tuple(
        Written(name, layer, way, array)
        for layer, parts in enumerate(lstm.weights.layers)
        for name, way, array in written(convention, parts, layer)
    )
    again = Weights(tuple(_again(convention, parts) for parts in lstm.weights.layers))
    inputs = SeededInputs(checked, 0).block(0, SAMPLES)
    one = forward(checked, lstm.weights, inputs).output
    other = forward(replace(checked, bias=spec.bias or convention.bias_count(spec) > 0), again, inputs).output
    return Convert(spec, lstm.origin, convention, _apart(arrays), float(np.abs(one - other).max()), one.size)


def _again(convention: Convention, parts: dict[Direction, LayerWeights]) -> dict[Direction, LayerWeights]:
    """A layer packed and unpacked."""
    return {way: convention.unpack(convention.pack(part)) for way, part in parts.items()}


def _apart(arrays: tuple[Written, ...]) -> tuple[Written, ...]:
    """Names that no two arrays share: where a convention's say nothing of layers or directions, these stand before them."""
    names = [one.name for one in arrays]
    if len(set(names)) == len(names):
        return arrays
    return tuple(one._replace(name=f"{_module(one)}/{one.name}") for one in arrays)


def _module(one: Written) -> str:
    way = "" if one.direction in (None, Direction.FORWARD) else f"_{one.direction}"
    return f"lstm_{one.layer}{way}"


def _axes(convention: Convention) -> str:
    return "turned: a row for each neuron" if convention.neurons_first else "as here: a column for each neuron"
