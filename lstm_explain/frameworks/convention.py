"""Convention: one framework's names, axes and gate order for a layer's weights, and the translation to and from ours."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Direction, Gate
from lstm_explain.core.weights import LayerWeights, parameter_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Spec

IFGO = (Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT)
UNNUMBERED_NAMES = MappingProxyType(dict.fromkeys(Direction, "{name}"))
"""The names of weights contain neither layer nor direction."""

DIRECTION_PREFIXES = MappingProxyType({direction: direction.value for direction in Direction})
"""For frameworks without a layer of both directions: `forward/linear.w`, `backward/linear.w`."""

UnsupportedOption: TypeAlias = Literal["projection", "peepholes", "layers that differ"]
HETEROGENEOUS: UnsupportedOption = "layers that differ"
"""The unsupported option of a module that has one size and the same options for all its layers."""


def name_gates(i: str, f: str, g: str, o: str) -> Mapping[Gate, str]:
    """A framework's names of the four gates, for `Convention.gate_names`."""
    return MappingProxyType(dict(zip(IFGO, (i, f, g, o), strict=True)))


class Convention(NamedTuple):
    """One framework's LSTM layer, in one direction.

    A name with a star names four arrays, one for each gate, or three for peepholes; `gate_names` replace the star. A
    name without one is a single array, in which the gates are packed in `gate_order`.
    """

    framework: str
    """The name used on the command line and in JSON."""
    title: str
    """The name as its makers write it."""
    gate_order: tuple[Gate, ...]
    """How the gates are packed along the axis of 4*units; with an array for each gate, the order of these arrays."""
    output_major: bool
    """Whether weights are [4*units, features] rather than [features, 4*units]."""
    biases: tuple[str, ...]
    """The names of the bias vectors, [4*units] each; the neurons add them all."""
    kernel: str
    """The name of the weights of x_t."""
    recurrent_kernel: str
    """The name of the weights of h_{t-1}; the kernel's name if one matrix holds both, the rows of x_t first."""
    source: str
    """Where this is written down."""
    projection: str | None = None
    """The name of the projection; None if the layer has none."""
    peephole: str | None = None
    """The name of the peepholes; None if the layer has none."""
    peephole_order: tuple[Gate, ...] = ()
    gate_names: Mapping[Gate, str] = MappingProxyType({})
    """What replaces the star in a name."""
    name_overrides: Mapping[str, str] = MappingProxyType({})
    """Names that are spelled differently from what `gate_names` yields."""
    forget_bias_added: float = 0.0
    """A constant that the forget gate's neurons add when called; the stored bias does not contain it."""
    bias_required: bool = False
    """Whether the layer cannot be built without biases; a layer that has none is then written with zeros."""
    direction_names: Mapping[Direction, str] = UNNUMBERED_NAMES
    """The full name of an array in each direction; `{layer}` is the layer's number."""
    direction_prefixes: Mapping[Direction, str] = DIRECTION_PREFIXES
    """Prefixes of the names of each direction in a file of arrays, if a layer has both and `direction_names` are equal."""
    bidirectional_prefix: str = ""
    """The prefix of both directions' names, if there is one layer."""
    directions_stacked: bool = False
    """Whether an array holds all directions, along a first axis."""
    concatenated_bias: str | None = None
    """The name of the one vector that holds all biases end to end, if there is one."""

    @property
    def fused_kernel(self) -> bool:
        """Whether one matrix multiplies x_t and h_{t-1} side by side."""
        return self.kernel == self.recurrent_kernel

    @property
    def gates_separate(self) -> bool:
        """Whether each gate has its own arrays."""
        return "*" in self.kernel

    @property
    def names_directions(self) -> bool:
        """Whether the names of the arrays distinguish the directions, or each array holds both."""
        return self.directions_stacked or len(set(self.direction_names.values())) > 1

    @property
    def numbers_layers(self) -> bool:
        """Whether all layers belong to one module, which numbers their names; they then have equal sizes and options."""
        return any("{layer}" in name for name in self.direction_names.values())

    def unsupported_option(self, spec: Spec) -> UnsupportedOption | None:
        """The option of a spec that this framework's layer does not have, or None."""
        if option := self._unsupported_layer_option(spec):
            return option
        return HETEROGENEOUS if spec.layers_differ and self.numbers_layers else None

    def _unsupported_layer_option(self, spec: Spec) -> UnsupportedOption | None:
        layers = [spec.for_layer(layer) for layer, _ in spec.layer_groups]
        if self.projection is None and any(layer.projection is not None for layer in layers):
            return "projection"
        if self.peephole is None and any(layer.peepholes for layer in layers):
            return "peepholes"
        return None

    def bias_count(self, spec: Spec) -> int:
        """The number of biases of a neuron; the largest, if layers differ."""
        biased = any(layer.bias for layer in spec.layers)
        return len(self.biases) if biased or self.bias_required else 0

    def effective_spec(self, spec: Spec) -> Spec:
        """The spec of the layer as the framework builds it: with biases if it requires them."""
        if not self.bias_required:
            return spec
        return replace(spec, layers=tuple(replace(layer, bias=True) for layer in spec.layers))

    def count_parameters(self, spec: Spec) -> int | None:
        """The number of parameters the framework counts in all layers; None if its layer lacks an option."""
        if self._unsupported_layer_option(spec):
            return None
        return sum(self._count_layer_parameters(spec.for_layer(layer)) * times for layer, times in spec.layer_groups)

    def _count_layer_parameters(self, layer: Spec) -> int:
        counts = parameter_counts(layer)
        neurons = len(GATES) * layer.units * len(layer.directions)
        return sum(counts.values()) - counts.get("bias", 0) + neurons * self.bias_count(layer)

    def gate_arrays(self, name: str, gates: tuple[Gate, ...]) -> dict[str, Gate | None]:
        """The arrays of a name, and the gate of each; None if one array holds all gates."""
        if "*" not in name:
            return {name: None}
        starred = {name.replace("*", self.gate_names[gate]): gate for gate in gates}
        return {self.name_overrides.get(starred_name, starred_name): gate for starred_name, gate in starred.items()}

    def pack(self, weights: LayerWeights) -> dict[str, Array]:
        """Write a layer in this framework's names, axes and gate order. Of several biases all but the first are zero."""
        if self.fused_kernel:
            packed = self._pack_array(self.kernel, np.concatenate([weights.kernel, weights.recurrent_kernel]), weights)
        else:
            packed = self._pack_array(self.kernel, weights.kernel, weights)
            packed |= self._pack_array(self.recurrent_kernel, weights.recurrent_kernel, weights)
        bias = self._stored_bias(weights)
        if bias is not None:
            for index, name in enumerate(self.biases):
                packed |= self._pack_array(name, bias if index == 0 else np.zeros_like(bias), weights)
        if weights.projection is not None and self.projection is not None:
            packed[self.projection] = self._transpose(weights.projection)
        if weights.peephole is not None and self.peephole is not None:
            packed |= self._pack_peepholes(self.peephole, weights.peephole)
        return packed

    def unpack(self, arrays: Mapping[str, Array]) -> LayerWeights:
        """Read a layer back; several biases, and the constant added to the forget gate when called, are summed up."""
        projection = None if self.projection is None else arrays.get(self.projection)
        projection = None if projection is None else self._transpose(projection)
        kernel, recurrent = self._unpack_kernels(arrays, projection)
        biases = [
            self._unpack_array(name, arrays) for name in self.biases if set(self.gate_arrays(name, GATES)) <= set(arrays)
        ]
        return LayerWeights(
            kernel,
            recurrent,
            self._shift_forget_bias(np.sum(biases, axis=0), self.forget_bias_added) if biases else None,
            projection,
            self._unpack_peepholes(arrays),
        )

    # --- writing ------------------------------------------------------------------------------------------------------

    def _pack_array(self, name: str, array: Array, weights: LayerWeights) -> dict[str, Array]:
        """An array of ours, whose last axis is 4*units, as the framework's one or four."""
        blocks = {gate: array[..., weights.columns(gate)] for gate in self.gate_order}
        return {
            full_name: self._transpose(np.concatenate(list(blocks.values()), axis=-1) if gate is None else blocks[gate])
            for full_name, gate in self.gate_arrays(name, self.gate_order).items()
        }

    def _pack_peepholes(self, name: str, peephole: Array) -> dict[str, Array]:
        rows = {gate: peephole[PEEPHOLE_GATES.index(gate)] for gate in self.peephole_order}
        return {
            full_name: np.concatenate(list(rows.values())) if gate is None else rows[gate].copy()
            for full_name, gate in self.gate_arrays(name, self.peephole_order).items()
        }

    def _stored_bias(self, weights: LayerWeights) -> Array | None:
        """The bias as it is stored: without the constant added at every call."""
        bias = weights.bias
        if bias is None and self.bias_required:
            bias = np.zeros(len(GATES) * weights.units, weights.kernel.dtype)
        return None if bias is None else self._shift_forget_bias(bias, -self.forget_bias_added)

    def _shift_forget_bias(self, bias: Array, shift: float) -> Array:
        """A bias of ours with a number added to the forget gate's part."""
        units, index = len(bias) // len(GATES), GATES.index(Gate.FORGET)
        shifted = bias.copy()
        shifted[index * units : (index + 1) * units] += shift
        return shifted

    def _transpose(self, array: Array) -> Array:
        return np.array(array.T if self.output_major else array, order="C")

    # --- reading ------------------------------------------------------------------------------------------------------

    def _unpack_array(self, name: str, arrays: Mapping[str, Array]) -> Array:
        """The framework's one or four arrays as ours, whose last axis is 4*units."""
        names = self.gate_arrays(name, self.gate_order)
        blocks = {gate: self._transpose(arrays[full_name]) for full_name, gate in names.items()}
        if None in blocks:
            blocks = dict(zip(self.gate_order, np.split(blocks[None], len(GATES), axis=-1), strict=True))
        return np.concatenate([blocks[gate] for gate in GATES], axis=-1)

    def _unpack_kernels(self, arrays: Mapping[str, Array], projection: Array | None) -> tuple[Array, Array]:
        kernel = self._unpack_array(self.kernel, arrays)
        if not self.fused_kernel:
            return kernel, self._unpack_array(self.recurrent_kernel, arrays)
        hidden = kernel.shape[-1] // len(GATES) if projection is None else projection.shape[1]
        return kernel[:-hidden], kernel[-hidden:]

    def _unpack_peepholes(self, arrays: Mapping[str, Array]) -> Array | None:
        names = {} if self.peephole is None else self.gate_arrays(self.peephole, self.peephole_order)
        if not names or not set(names) <= set(arrays):
            return None
        rows = {gate: arrays[full_name] for full_name, gate in names.items()}
        if None in rows:
            rows = dict(zip(self.peephole_order, np.split(rows[None], len(PEEPHOLE_GATES)), strict=True))
        return np.stack([rows[gate] for gate in PEEPHOLE_GATES])
