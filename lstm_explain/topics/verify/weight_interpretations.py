"""Interpretation: one way to read a file's weights, the inputs and the outputs, of which only one was meant."""

from __future__ import annotations

from itertools import permutations, product
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.core.gates import GATES, Gate, gate_letters
from lstm_explain.core.weight_variants import (
    add_forget_bias,
    remove_bias,
    reorder_gates,
    replace_biases,
    swap_directions,
)
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.topics.result import json_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Annotated

    from lstm_explain.core.axes import Array
    from lstm_explain.core.gates import Letter
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weight_variants import Biases
    from lstm_explain.core.weights import Weights
    from lstm_explain.topics.result import Maximum, Minimum

BiasReading: TypeAlias = Literal[
    "as in the file",
    "1 added to the forget gate",
    "1 taken from the forget gate",
    "left out",
    "only the first of two",
    "only the second of two",
]
InputLayout: TypeAlias = Literal["samples first", "timesteps first"]
DirectionReading: TypeAlias = Literal["as in the file", "weights swapped", "outputs swapped"]

AS_IN_FILE: Literal["as in the file"] = "as in the file"
BIASES: dict[BiasReading, float | None] = {
    AS_IN_FILE: 0.0,
    "1 added to the forget gate": 1.0,
    "1 taken from the forget gate": -1.0,
    "left out": None,
}
"""What is added to the forget gate's bias; None for no bias at all."""
SINGLE_BIASES: tuple[BiasReading, BiasReading] = ("only the first of two", "only the second of two")
"""The other choices if the file has two biases for each neuron."""
SAMPLES_FIRST: InputLayout = "samples first"
LAYOUTS: tuple[InputLayout, ...] = (SAMPLES_FIRST, "timesteps first")
WEIGHTS_SWAPPED: DirectionReading = "weights swapped"
OUTPUTS_SWAPPED: DirectionReading = "outputs swapped"


@json_keys("bias layout reversed in_reading_order directions")
class Interpretation(NamedTuple):
    """One way to read weights, inputs and outputs."""

    gates: tuple[Gate, ...] = GATES
    """The gates of the blocks that were read as i, f, g and o."""
    bias: BiasReading = AS_IN_FILE
    """Which bias is used; `only the first of two` and `only the second of two` if the file has two."""
    layout: InputLayout = SAMPLES_FIRST
    """Which axis of the input comes first."""
    reversed: bool = False
    """Whether the sequence is read from its end."""
    in_reading_order: bool = False
    """Whether the outputs of a sequence that is read from its end have their timesteps in that order too, the last first."""
    directions: DirectionReading = AS_IN_FILE
    """Whether the two directions of a bidirectional layer are swapped."""

    @classmethod
    def of(cls, lstm: LSTM) -> Interpretation:
        """The interpretation that the file asks for."""
        return cls(reversed=lstm.reverse)

    @property
    def of_run(self) -> Interpretation:
        """The same without what concerns the layout of the outputs: interpretations that need one run are equal."""
        directions = AS_IN_FILE if self.directions == OUTPUTS_SWAPPED else self.directions
        return self._replace(in_reading_order=False, directions=directions)

    @property
    def of_weights(self) -> Interpretation:
        """The same without what concerns inputs and outputs: interpretations that use the same weights are equal."""
        return Interpretation(self.gates, self.bias, directions=self.of_run.directions)

    def changes(self, other: Interpretation) -> int:
        """In how many respects two interpretations differ."""
        return sum(field != other_field for field, other_field in zip(self, other, strict=True))

    def weights(self, weights: Weights, single: tuple[Biases, ...] = ()) -> Weights:
        """Rearrange weights as this interpretation reads them; `single` are the biases of `SINGLE_BIASES`."""
        if self.bias in SINGLE_BIASES:
            weights = replace_biases(weights, single[SINGLE_BIASES.index(self.bias)])
        weights = reorder_gates(weights, self.gates)
        if self.directions == WEIGHTS_SWAPPED:
            weights = swap_directions(weights)
        addend = BIASES.get(self.bias, 0.0)
        if addend is None:
            return remove_bias(weights)
        return weights if addend == 0 else add_forget_bias(weights, addend)

    def inputs(self, inputs: Array) -> Array:
        """Rearrange inputs as this interpretation reads them: [samples, timesteps, features]."""
        if self.layout != SAMPLES_FIRST:
            inputs = inputs.swapaxes(0, 1)
        return inputs[:, ::-1] if self.reversed else inputs

    def outputs(self, outputs: Array) -> Array:
        """Rearrange a run's outputs as they would be in the file to compare with: samples first."""
        if self.directions == OUTPUTS_SWAPPED:
            outputs = np.roll(outputs, outputs.shape[-1] // 2, axis=-1)
        if outputs.ndim == 3 and self.reversed and not self.in_reading_order:
            outputs = outputs[:, ::-1]
        return outputs if self.layout == SAMPLES_FIRST else outputs.swapaxes(0, 1)


@json_keys("gate_order letters *reading difference")
class InterpretationResult(NamedTuple):
    """An interpretation of weights, inputs and outputs, and how well the outputs agree under it."""

    reading: Interpretation
    gate_order: Annotated[tuple[Gate, ...], Minimum(4), Maximum(4)]
    """The order of the gates in the file under this interpretation."""
    difference: float
    """The largest difference to the expected outputs."""

    @property
    def letters(self) -> Annotated[tuple[Letter, ...], Minimum(4), Maximum(4)]:
        """The same in letters."""
        return gate_letters(self.gate_order)

    @property
    def frameworks(self) -> tuple[str, ...]:
        """The frameworks that pack the gates in this order."""
        return tuple(convention.title for convention in CONVENTIONS.values() if convention.gate_order == self.gate_order)


def gate_order_in_file(provenance: Mapping[str, Any], gates: tuple[Gate, ...]) -> tuple[Gate, ...]:
    """The order of the gates in the file, if `gates` were read as i, f, g and o."""
    convention = CONVENTIONS.get(provenance["weights"].get("framework", ""))
    as_read = GATES if convention is None else convention.gate_order
    return tuple(gates[GATES.index(gate)] for gate in as_read)


def list_interpretations(spec: Spec, sequence: bool, swaps: bool, two_biases: bool) -> Iterator[Interpretation]:
    """List the interpretations whose outputs have the same shape, grouped by weights, and within these by run.

    Args:
        spec: the sizes.
        sequence: whether the outputs are those of every timestep.
        swaps: whether to swap samples and timesteps, too.
        two_biases: whether the file has two biases for each neuron, one of which may have been left out.
    """
    biased = any(spec.for_layer(layer).bias for layer, _ in spec.layer_groups)
    biases = [name for name, addend in BIASES.items() if biased or addend is not None]
    direction_readings: tuple[DirectionReading, ...] = (AS_IN_FILE, WEIGHTS_SWAPPED) if spec.has_backward else (AS_IN_FILE,)
    weights = product(
        permutations(GATES),
        [*biases, *(SINGLE_BIASES if two_biases else ())],
        direction_readings,
    )
    layouts = LAYOUTS if swaps else LAYOUTS[:1]
    reversals = (False,) if spec.has_backward else (False, True)
    bidirectional_output = spec.for_layer(len(spec.layers) - 1).bidirectional
    for (order, bias, directions), layout, reverse in product(weights, layouts, reversals):
        interpretation = Interpretation(order, bias, layout, reverse, directions=directions)
        yield interpretation
        if reverse and sequence:
            yield interpretation._replace(in_reading_order=True)
        if bidirectional_output and directions == AS_IN_FILE:
            yield interpretation._replace(directions=OUTPUTS_SWAPPED)
