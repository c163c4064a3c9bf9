"""Convention: one framework's way to write a layer, and the translation between it and ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Gate
from lstm_explain.core.weights import LayerWeights, parameter_counts

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Spec


class Convention(NamedTuple):
    """One framework's LSTM layer, in one direction."""

    framework: str
    """The name used on the command line and in JSON."""
    title: str
    """The name as its makers write it."""
    gate_order: tuple[Gate, ...]
    """How the gates are packed along the axis of 4*units."""
    neurons_first: bool
    """Whether weights are [4*units, features] rather than [features, 4*units]."""
    biases: tuple[str, ...]
    """The names of the bias vectors, [4*units] each; the neurons add them all."""
    kernel: str
    """The name of the weights of x_t."""
    recurrent_kernel: str
    """The name of the weights of h_{t-1}."""
    projection: str | None
    """The name of the projection; None where the layer has none."""
    peephole: str | None
    """The name of the peepholes; None where the layer has none."""
    peephole_order: tuple[Gate, ...]
    source: str
    """Where this is written down."""

    def lacks(self, spec: Spec) -> str | None:
        """The option of a spec that this framework's layer has not, or None where it can be built."""
        if spec.projection is not None and self.projection is None:
            return "projection"
        if spec.peepholes and self.peephole is None:
            return "peepholes"
        return None

    def parameters(self, spec: Spec) -> int | None:
        """How many parameters the framework counts for the whole stack; None where it lacks an option."""
        if self.lacks(spec):
            return None
        counts = parameter_counts(spec)
        return sum(counts.values()) + counts.get("bias", 0) * (len(self.biases) - 1)

    def pack(self, weights: LayerWeights) -> dict[str, Array]:
        """Write a layer in this framework's names, axes and gate order. Of several biases all but the first are zero."""
        named = {
            self.kernel: self._turned(self._ordered(weights.kernel, weights)),
            self.recurrent_kernel: self._turned(self._ordered(weights.recurrent_kernel, weights)),
        }
        if weights.bias is not None:
            bias = self._ordered(weights.bias, weights)
            named |= {name: bias if place == 0 else np.zeros_like(bias) for place, name in enumerate(self.biases)}
        if weights.projection is not None and self.projection is not None:
            named[self.projection] = self._turned(weights.projection)
        if weights.peephole is not None and self.peephole is not None:
            rows = [weights.peephole[PEEPHOLE_GATES.index(gate)] for gate in self.peephole_order]
            named[self.peephole] = np.concatenate(rows)
        return named

    def unpack(self, named: dict[str, Array]) -> LayerWeights:
        """Read a layer back; several biases are added up, as the neurons would."""
        kernel = self._turned(named[self.kernel])
        biases = [named[name] for name in self.biases if name in named]
        peephole = named.get(self.peephole or "")
        projection = named.get(self.projection or "")
        return LayerWeights(
            self._canonical(kernel),
            self._canonical(self._turned(named[self.recurrent_kernel])),
            self._canonical(np.sum(biases, axis=0)) if biases else None,
            None if projection is None else self._turned(projection),
            None if peephole is None else self._canonical_peephole(peephole),
        )

    def _turned(self, array: Array) -> Array:
        return np.ascontiguousarray(array.T) if self.neurons_first else array

    def _ordered(self, array: Array, weights: LayerWeights) -> Array:
        return np.concatenate([array[..., weights.columns(gate)] for gate in self.gate_order], axis=-1)

    def _canonical(self, array: Array) -> Array:
        parts = dict(zip(self.gate_order, np.split(array, len(GATES), axis=-1), strict=True))
        return np.concatenate([parts[gate] for gate in GATES], axis=-1)

    def _canonical_peephole(self, array: Array) -> Array:
        parts = dict(zip(self.peephole_order, np.split(array, len(PEEPHOLE_GATES)), strict=True))
        return np.stack([parts[gate] for gate in PEEPHOLE_GATES])
