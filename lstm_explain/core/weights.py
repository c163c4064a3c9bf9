"""Weights by layer, direction and gate; how many there are; and the two seeded initialisers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.axes import Shape, check_shape, describe_array, shape
from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Direction, Gate
from lstm_explain.core.philox import Stream
from lstm_explain.core.spec import validate_init
from lstm_explain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Init, Spec


class LayerWeights(NamedTuple):
    """The weights of one layer in one direction, shared by all timesteps; gates packed in the order i f g o."""

    kernel: Array
    """What the neurons multiply x_t with; [features, 4*units]."""
    recurrent_kernel: Array
    """What the neurons multiply h_{t-1} with; [hidden, 4*units]."""
    bias: Array | None = None
    """What is added to every neuron's sum; [4*units]."""
    projection: Array | None = None
    """The linear map from the units' outputs to h; [units, hidden]."""
    peephole: Array | None = None
    """What i and f multiply the unit's own c_{t-1} with, and o its own c_t; [3, units] in the order i f o."""

    def __repr__(self) -> str:
        tensors = (f"{name} {describe_array(array)}" for name, array in self.tensors().items())
        return f"<LayerWeights: {', '.join(tensors)}>"

    @property
    def units(self) -> int:
        return int(self.kernel.shape[1]) // len(GATES)

    def columns(self, gate: Gate) -> slice:
        """Where the neurons of a gate stand along the axis `4*units`."""
        index = GATES.index(gate)
        return slice(index * self.units, (index + 1) * self.units)

    def peephole_of(self, gate: Gate) -> Array | None:
        """The peephole weights of a gate, [units]; None where it has none."""
        if self.peephole is None or gate not in PEEPHOLE_GATES:
            return None
        row: Array = self.peephole[PEEPHOLE_GATES.index(gate)]
        return row

    def astype(self, dtype: str) -> LayerWeights:
        return self._replace(**{name: array.astype(dtype, copy=False) for name, array in self.tensors().items()})

    def tensors(self) -> dict[str, Array]:
        """The weights that there are, by name."""
        named = {name: getattr(self, name) for name in WEIGHT_NAMES}
        return {name: array for name, array in named.items() if array is not None}


WEIGHT_NAMES = ("kernel", "recurrent_kernel", "bias", "projection", "peephole")


class Weights(NamedTuple):
    """The weights of a whole stack: for every layer, one `LayerWeights` for each direction."""

    layers: tuple[dict[Direction, LayerWeights], ...]

    def of(self, layer: int, direction: Direction) -> LayerWeights:
        return self.layers[layer][direction]

    def astype(self, dtype: str) -> Weights:
        """The same weights in another floating-point type."""
        return Weights(tuple({direction: part.astype(dtype) for direction, part in layer.items()} for layer in self.layers))


def weight_shapes(spec: Spec, layer: int) -> dict[str, Shape]:
    """The shape of every weight of a layer in one direction, by name, computed from the sizes alone."""
    spec = spec.for_layer(layer)
    gate_units = len(GATES) * spec.units
    shapes = {
        "kernel": shape(features=spec.features, gate_units=gate_units),
        "recurrent_kernel": shape(**{spec.hidden_axis: spec.hidden, "gate_units": gate_units}),
    }
    if spec.bias:
        shapes["bias"] = shape(gate_units=gate_units)
    if spec.projection is not None:
        shapes["projection"] = shape(units=spec.units, hidden=spec.hidden)
    if spec.peepholes:
        shapes["peephole"] = shape(gates=len(PEEPHOLE_GATES), units=spec.units)
    return shapes


def parameter_counts(spec: Spec) -> dict[str, int]:
    """The number of parameters of the whole stack, by tensor name."""
    counts: dict[str, int] = {}
    for layer, times in spec.layer_groups:
        for name, axes in weight_shapes(spec, layer).items():
            counts[name] = counts.get(name, 0) + axes.elements * times * len(spec.for_layer(layer).directions)
    return counts


def check_weights(spec: Spec, weights: Weights) -> None:
    """Raise `UsageError` unless the weights have the shapes that the sizes ask for."""
    for layer, direction in spec.layer_directions:
        given = weights.of(layer, direction).tensors()
        for name, expected in weight_shapes(spec, layer).items():
            if name not in given:
                raise UsageError(f"layer {layer} {direction} {name} {expected}", "these weights are missing")
            check_shape(f"layer {layer} {direction} {name}", given[name], expected)


def seeded_weights(spec: Spec, init: Init = "keras", seed: int = 0) -> Weights:
    """Make the weights of a stack from a seed.

    Args:
        spec: the sizes and options.
        init: `keras` - glorot uniform kernel, orthogonal recurrent kernel, zero bias with the forget gate's at 1 (Keras 3,
            `keras/src/layers/rnn/lstm.py`); or `pytorch` - everything uniform in +-1/sqrt(units) (`torch.nn.LSTM`, whose
            two biases we hold as one). Projections are glorot uniform under `keras`; peepholes, which neither framework
            has, are uniform in +-1/sqrt(units) under both.
        seed: a whole number; layer l in direction d draws from a separate stream.
    """
    init = validate_init(init)
    layers: tuple[dict[Direction, LayerWeights], ...] = tuple({} for _ in range(len(spec.layers)))
    for index, (layer, direction) in enumerate(spec.layer_directions):
        layers[layer][direction] = _layer_weights(spec, layer, init, Stream(seed, 2 * index + 1))
    return Weights(layers)


def _layer_weights(spec: Spec, layer: int, init: Init, stream: Stream) -> LayerWeights:
    shapes, units = weight_shapes(spec, layer), spec.for_layer(layer).units
    if init == "pytorch":
        arrays = {name: _pytorch_uniform(axes.sizes, units, stream) for name, axes in shapes.items()}
    else:
        arrays = {name: _keras_default(name, axes.sizes, units, stream) for name, axes in shapes.items()}
    return LayerWeights(**{name: array.astype(spec.dtype) for name, array in arrays.items()})


def _pytorch_uniform(sizes: tuple[int, ...], units: int, stream: Stream) -> Array:
    return _uniform(1 / math.sqrt(units), sizes, stream)


def _keras_default(name: str, sizes: tuple[int, ...], units: int, stream: Stream) -> Array:
    fillers: dict[str, Callable[[], Array]] = {
        "kernel": lambda: _glorot_uniform(sizes, stream),
        "projection": lambda: _glorot_uniform(sizes, stream),
        "recurrent_kernel": lambda: _orthogonal(sizes, stream),
        "bias": lambda: _unit_forget_bias(units),
        "peephole": lambda: _pytorch_uniform(sizes, units, stream),
    }
    return fillers[name]()


def _uniform(limit: float, sizes: tuple[int, ...], stream: Stream) -> Array:
    return (2 * stream.uniform(*sizes) - 1) * limit


def _glorot_uniform(sizes: tuple[int, ...], stream: Stream) -> Array:
    """Uniform in +-sqrt(6 / (rows + columns)) (Glorot & Bengio, 2010)."""
    return _uniform(math.sqrt(6 / sum(sizes)), sizes, stream)


def _orthogonal(sizes: tuple[int, ...], stream: Stream) -> Array:
    """Orthonormal rows: the Q of a normal matrix's QR, signs made unique by R's diagonal (Saxe et al., 2014)."""
    tall = stream.normal(max(sizes), min(sizes))
    q, r = np.linalg.qr(tall)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    return q if sizes[0] >= sizes[1] else q.T


def _unit_forget_bias(units: int) -> Array:
    """Zero, but 1 for the forget gate, so that a new network starts by remembering (Jozefowicz et al., 2015)."""
    return np.concatenate([np.full(units, float(gate is Gate.FORGET)) for gate in GATES])
