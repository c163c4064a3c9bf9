"""Interpretation: one way to read a file's weights, the inputs and the outputs, of which only one was meant."""

from __future__ import annotations

from itertools import permutations, product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES, LETTERS, Gate
from lstm_explain.core.weight_variants import (
    add_forget_bias,
    remove_bias,
    reorder_gates,
    replace_biases,
    swap_directions,
)
from lstm_explain.frameworks.registry import CONVENTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weight_variants import Biases
    from lstm_explain.core.weights import Weights

AS_IN_FILE = "as in the file"
BIASES = {AS_IN_FILE: 0.0, "1 added to the forget gate": 1.0, "1 taken from the forget gate": -1.0, "left out": None}
SINGLE_BIASES = ("only the first of two", "only the second of two")
"""What else a bias may be where the file has two for each neuron."""
SAMPLES_FIRST = "samples first"
LAYOUTS = (SAMPLES_FIRST, "timesteps first")
WEIGHTS_SWAPPED, OUTPUTS_SWAPPED = "weights swapped", "outputs swapped"


class Interpretation(NamedTuple):
    """One way to read weights, inputs and outputs."""

    gates: tuple[Gate, ...] = GATES
    """What the blocks really are that were read as i, f, g and o."""
    bias: str = AS_IN_FILE
    """One of `BIASES`, or of `ONE_BIAS`."""
    layout: str = SAMPLES_FIRST
    """Which axis of the input comes first."""
    reversed: bool = False
    """Whether the sequence is read from its end."""
    in_reading_order: bool = False
    """Whether the outputs of a sequence that is read from its end have their timesteps in that order too."""
    directions: str = AS_IN_FILE
    """Of an LSTM that reads both ways: whether the two change places, in the weights or in the outputs."""

    @classmethod
    def of(cls, lstm: LSTM) -> Interpretation:
        """As the file says."""
        return cls(reversed=lstm.reverse)

    @property
    def of_run(self) -> Interpretation:
        """What of it is about the run, and not about how its outputs are laid out."""
        directions = AS_IN_FILE if self.directions == OUTPUTS_SWAPPED else self.directions
        return self._replace(in_reading_order=False, directions=directions)

    @property
    def of_weights(self) -> Interpretation:
        """What of it is about the weights."""
        return Interpretation(self.gates, self.bias, directions=self.of_run.directions)

    def changes(self, other: Interpretation) -> int:
        """In how many respects two readings differ."""
        return sum(convention != another for convention, another in zip(self, other, strict=True))

    def weights(self, weights: Weights, single: tuple[Biases, ...] = ()) -> Weights:
        """Weights, read so; `single` are the biases of which `ONE_BIAS` speaks."""
        if self.bias in SINGLE_BIASES:
            weights = replace_biases(weights, single[SINGLE_BIASES.index(self.bias)])
        weights = reorder_gates(weights, self.gates)
        if self.directions == WEIGHTS_SWAPPED:
            weights = swap_directions(weights)
        more = BIASES.get(self.bias, 0.0)
        if more is None:
            return remove_bias(weights)
        return weights if more == 0 else add_forget_bias(weights, more)

    def inputs(self, inputs: Array) -> Array:
        """Inputs, read so: [samples, timesteps, features]."""
        if self.layout != SAMPLES_FIRST:
            inputs = inputs.swapaxes(0, 1)
        return inputs[:, ::-1] if self.reversed else inputs

    def outputs(self, made: Array) -> Array:
        """Outputs of a run as they would have been given: samples first."""
        if self.directions == OUTPUTS_SWAPPED:
            made = np.roll(made, made.shape[-1] // 2, axis=-1)
        if made.ndim == 3 and self.reversed and not self.in_reading_order:
            made = made[:, ::-1]
        return made if self.layout == SAMPLES_FIRST else made.swapaxes(0, 1)

    def to_dict(self) -> dict[str, Any]:
        return {
            "bias": self.bias,
            "layout": self.layout,
            "reversed": self.reversed,
            "in_reading_order": self.in_reading_order,
            "directions": self.directions,
        }


class InterpretationResult(NamedTuple):
    """A reading, and how far its outputs are from those that were expected."""

    reading: Interpretation
    gate_order: tuple[Gate, ...]
    """The order of the gates that the file would then have."""
    difference: float

    @property
    def letters(self) -> str:
        return ", ".join(LETTERS[gate] for gate in self.gate_order)

    @property
    def frameworks(self) -> tuple[str, ...]:
        """Who packs the gates in this order."""
        return tuple(convention.title for convention in CONVENTIONS.values() if convention.gate_order == self.gate_order)

    def to_dict(self) -> dict[str, Any]:
        return {
            "gate_order": [gate.value for gate in self.gate_order],
            "letters": [LETTERS[gate] for gate in self.gate_order],
            **self.reading.to_dict(),
            "difference": self.difference,
        }


def gate_order_in_file(origin: Mapping[str, Any], gates: tuple[Gate, ...]) -> tuple[Gate, ...]:
    """The order of the gates in the file, where `gates` were taken for i, f, g and o."""
    convention = CONVENTIONS.get(origin["weights"].get("framework", ""))
    as_read = GATES if convention is None else convention.gate_order
    return tuple(gates[GATES.index(gate)] for gate in as_read)


def list_interpretations(spec: Spec, sequence: bool, swaps: bool, two_biases: bool) -> Iterator[Interpretation]:
    """All that make outputs of the same shape; those of one run one after another, and those of the same weights.

    Args:
        spec: the sizes.
        sequence: whether the outputs are those of every timestep.
        swaps: whether to take samples for timesteps too.
        two_biases: whether the file has two for each neuron, of which either may have been left out.
    """
    biased = any(spec.for_layer(layer).bias for layer, _ in spec.layer_groups)
    biases = [name for name, more in BIASES.items() if biased or more is not None]
    weights = product(
        permutations(GATES),
        [*biases, *(SINGLE_BIASES if two_biases else ())],
        (AS_IN_FILE, WEIGHTS_SWAPPED) if spec.has_backward else (AS_IN_FILE,),
    )
    layouts = LAYOUTS if swaps else LAYOUTS[:1]
    reversals = (False,) if spec.has_backward else (False, True)
    both_out = spec.for_layer(len(spec.layers) - 1).bidirectional
    for (order, bias, swapped), layout, backwards in product(weights, layouts, reversals):
        reading = Interpretation(order, bias, layout, backwards, directions=swapped)
        yield reading
        if backwards and sequence:
            yield reading._replace(in_reading_order=True)
        if both_out and swapped == AS_IN_FILE:
            yield reading._replace(directions=OUTPUTS_SWAPPED)
