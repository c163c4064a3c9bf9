"""Convention: one framework's way to write a layer, and the translation between it and ours."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Direction, Gate
from lstm_explain.core.weights import LayerWeights, parameter_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Spec

UNNUMBERED_NAMES = MappingProxyType(dict.fromkeys(Direction, "{name}"))
"""The names of weights say neither layer nor direction."""

DIRECTION_PREFIXES = MappingProxyType({way: way.value for way in Direction})
"""For frameworks that have no layer of both directions: `forward/linear.w`, `backward/linear.w`."""

HETEROGENEOUS = "layers that differ"
"""What a module lacks that has one size and the same options for all its layers."""


class Convention(NamedTuple):
    """One framework's LSTM layer, in one direction.

    A name with a star stands for four arrays, one for each gate, or three for peepholes: `letters` says what the star is. A
    name without one stands for one array, in which the gates are packed in `gate_order`.
    """

    framework: str
    """The name used on the command line and in JSON."""
    title: str
    """The name as its makers write it."""
    gate_order: tuple[Gate, ...]
    """How the gates are packed along the axis of 4*units; where each has arrays of its own, the order in which they come."""
    output_major: bool
    """Whether weights are [4*units, features] rather than [features, 4*units]."""
    biases: tuple[str, ...]
    """The names of the bias vectors, [4*units] each; the neurons add them all."""
    kernel: str
    """The name of the weights of x_t."""
    recurrent_kernel: str
    """The name of the weights of h_{t-1}; that of the kernel where one matrix holds both, the rows of x_t first."""
    projection: str | None
    """The name of the projection; None where the layer has none."""
    peephole: str | None
    """The name of the peepholes; None where the layer has none."""
    peephole_order: tuple[Gate, ...]
    source: str
    """Where this is written down."""
    gate_names: Mapping[Gate, str] = MappingProxyType({})
    """What a star in a name stands for."""
    name_overrides: Mapping[str, str] = MappingProxyType({})
    """Names that are spelled otherwise than the letters would have it."""
    forget_bias_added: float = 0.0
    """What the forget gate's neurons add when they are called, without storing it: no part of the stored bias."""
    bias_required: bool = False
    """Whether the layer cannot be built without biases; a layer that has none is then written with zeros."""
    direction_names: Mapping[Direction, str] = UNNUMBERED_NAMES
    """What becomes of a name in each direction; `{layer}` is the layer's number."""
    direction_prefixes: Mapping[Direction, str] = DIRECTION_PREFIXES
    """What stands before the names of each direction in a file of arrays, where a layer has both and `ways` is the same."""
    bidirectional_prefix: str = ""
    """What stands before these where there is one layer."""
    directions_stacked: bool = False
    """Whether an array holds all directions, along a first axis of its own."""
    concatenated_bias: str | None = None
    """The name of the one vector that holds all biases end to end, where there is one."""

    @property
    def fused_kernel(self) -> bool:
        """Whether one matrix multiplies x_t and h_{t-1} side by side."""
        return self.kernel == self.recurrent_kernel

    def unsupported_option(self, spec: Spec) -> str | None:
        """The option of a spec that this framework's layer has not, or None where it can be built."""
        if lacking := self._unsupported_layer_option(spec):
            return lacking
        return HETEROGENEOUS if spec.stack and self.numbers_layers else None

    def _unsupported_layer_option(self, spec: Spec) -> str | None:
        layers = [spec.at(layer) for layer, _ in spec.unlike_layers]
        if self.projection is None and any(layer.projection is not None for layer in layers):
            return "projection"
        if self.peephole is None and any(layer.peepholes for layer in layers):
            return "peepholes"
        return None

    @property
    def names_directions(self) -> bool:
        """Whether the arrays of a layer of both directions have names that say which, or hold both."""
        return self.directions_stacked or len(set(self.direction_names.values())) > 1

    @property
    def numbers_layers(self) -> bool:
        """Whether all layers are of one module, which names them by number; they are then alike."""
        return any("{layer}" in way for way in self.direction_names.values())

    def bias_count(self, spec: Spec) -> int:
        """How many biases a neuron has: the most, where layers differ."""
        biased = any(layer.bias for layer in spec.stack) if spec.stack else spec.bias
        return len(self.biases) if biased or self.bias_required else 0

    def effective_spec(self, spec: Spec) -> Spec:
        """A spec as this framework's layers have it: with biases where they cannot be built without."""
        if not self.bias_required:
            return spec
        if spec.stack:
            return replace(spec, stack=tuple(layer._replace(bias=True) for layer in spec.stack))
        return replace(spec, bias=True)

    def count_parameters(self, spec: Spec) -> int | None:
        """How many parameters the framework counts for all layers; None where its layer lacks an option."""
        if self._unsupported_layer_option(spec):
            return None
        return sum(self._layer_parameters(spec.at(layer)) * times for layer, times in spec.unlike_layers)

    def _layer_parameters(self, layer: Spec) -> int:
        counts = parameter_counts(layer)
        neurons = len(GATES) * layer.units * len(layer.directions)
        return sum(counts.values()) - counts.get("bias", 0) + neurons * self.bias_count(layer)

    def gate_arrays(self, name: str, gates: tuple[Gate, ...]) -> dict[str, Gate | None]:
        """The arrays that a name stands for, and the gate of each; None where one array holds all gates."""
        if "*" not in name:
            return {name: None}
        starred = {name.replace("*", self.gate_names[gate]): gate for gate in gates}
        return {self.name_overrides.get(one, one): gate for one, gate in starred.items()}

    def pack(self, weights: LayerWeights) -> dict[str, Array]:
        """Write a layer in this framework's names, axes and gate order. Of several biases all but the first are zero."""
        if self.fused_kernel:
            named = self._pack_array(self.kernel, np.concatenate([weights.kernel, weights.recurrent_kernel]), weights)
        else:
            named = self._pack_array(self.kernel, weights.kernel, weights)
            named |= self._pack_array(self.recurrent_kernel, weights.recurrent_kernel, weights)
        bias = self._stored_bias(weights)
        if bias is not None:
            for place, name in enumerate(self.biases):
                named |= self._pack_array(name, bias if place == 0 else np.zeros_like(bias), weights)
        if weights.projection is not None and self.projection is not None:
            named[self.projection] = self._transpose(weights.projection)
        if weights.peephole is not None and self.peephole is not None:
            named |= self._pack_peepholes(self.peephole, weights.peephole)
        return named

    def unpack(self, named: Mapping[str, Array]) -> LayerWeights:
        """Read a layer back; several biases are added up, as the neurons would, and so is what they add when called."""
        projection = None if self.projection is None else named.get(self.projection)
        projection = None if projection is None else self._transpose(projection)
        kernel, recurrent = self._unpack_kernels(named, projection)
        biases = [self._unpack_array(name, named) for name in self.biases if set(self.gate_arrays(name, GATES)) <= set(named)]
        return LayerWeights(
            kernel,
            recurrent,
            self._shift_forget_bias(np.sum(biases, axis=0), self.forget_bias_added) if biases else None,
            projection,
            self._unpack_peepholes(named),
        )

    # --- writing ------------------------------------------------------------------------------------------------------

    def _pack_array(self, name: str, array: Array, weights: LayerWeights) -> dict[str, Array]:
        """An array of ours, whose last axis is 4*units, as the framework's one or four."""
        parts = {gate: array[..., weights.columns(gate)] for gate in self.gate_order}
        return {
            one: self._transpose(np.concatenate(list(parts.values()), axis=-1) if gate is None else parts[gate])
            for one, gate in self.gate_arrays(name, self.gate_order).items()
        }

    def _pack_peepholes(self, name: str, peephole: Array) -> dict[str, Array]:
        rows = {gate: peephole[PEEPHOLE_GATES.index(gate)] for gate in self.peephole_order}
        return {
            one: np.concatenate(list(rows.values())) if gate is None else rows[gate].copy()
            for one, gate in self.gate_arrays(name, self.peephole_order).items()
        }

    def _stored_bias(self, weights: LayerWeights) -> Array | None:
        """The bias as it is stored: without what is added at every call."""
        bias = weights.bias
        if bias is None and self.bias_required:
            bias = np.zeros(len(GATES) * weights.units, weights.kernel.dtype)
        return None if bias is None else self._shift_forget_bias(bias, -self.forget_bias_added)

    def _shift_forget_bias(self, bias: Array, by: float) -> Array:
        """A bias of ours with a number added to the forget gate's part."""
        units, place = len(bias) // len(GATES), GATES.index(Gate.FORGET)
        shifted = bias.copy()
        shifted[place * units : (place + 1) * units] += by
        return shifted

    def _transpose(self, array: Array) -> Array:
        return np.array(array.T if self.output_major else array, order="C")

    # --- reading ------------------------------------------------------------------------------------------------------

    def _unpack_array(self, name: str, named: Mapping[str, Array]) -> Array:
        """The framework's one or four arrays as ours, whose last axis is 4*units."""
        found = {gate: self._transpose(named[one]) for one, gate in self.gate_arrays(name, self.gate_order).items()}
        if None in found:
            cut = np.split(found[None], len(GATES), axis=-1)
            found = dict(zip(self.gate_order, cut, strict=True))
        return np.concatenate([found[gate] for gate in GATES], axis=-1)

    def _unpack_kernels(self, named: Mapping[str, Array], projection: Array | None) -> tuple[Array, Array]:
        kernel = self._unpack_array(self.kernel, named)
        if not self.fused_kernel:
            return kernel, self._unpack_array(self.recurrent_kernel, named)
        hidden = kernel.shape[-1] // len(GATES) if projection is None else projection.shape[1]
        return kernel[:-hidden], kernel[-hidden:]

    def _unpack_peepholes(self, named: Mapping[str, Array]) -> Array | None:
        names = {} if self.peephole is None else self.gate_arrays(self.peephole, self.peephole_order)
        if not names or not set(names) <= set(named):
            return None
        found = {gate: named[one] for one, gate in names.items()}
        if None in found:
            found = dict(zip(self.peephole_order, np.split(found[None], len(PEEPHOLE_GATES)), strict=True))
        return np.stack([found[gate] for gate in PEEPHOLE_GATES])
