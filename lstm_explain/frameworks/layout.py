"""TensorLayout: the arrays in which a framework keeps a layer of given sizes, and the segments of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.core.axes import Axis, Shape, shape
from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Direction, Gate

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.frameworks.convention import Convention

Kind = Literal["kernel", "recurrent_kernel", "joined_kernel", "bias", "projection", "peephole"]
SegmentContent: TypeAlias = Gate | Literal["input", "hidden"]


class Segment(NamedTuple):
    """A range of an array: the content at start to stop - 1 along an axis."""

    axis: int
    start: int
    stop: int
    content: SegmentContent
    """A gate, or `input` and `hidden`, the rows that multiply x and h."""


class TensorLayout(NamedTuple):
    """One array."""

    name: str
    kind: Kind
    layer: int
    direction: Direction | None
    """None where the array holds all directions."""
    gate: Gate | None
    """None where it holds all gates, or none."""
    shape: Shape
    segments: tuple[Segment, ...]


def tensor_layouts(convention: Convention, spec: Spec, layer: int) -> list[TensorLayout]:
    """The arrays of a layer, computed from the sizes alone, in the order of `export_layer`."""
    spec = spec.for_layer(layer)
    layout = _direction_layouts(convention, spec, layer)
    if convention.concatenated_bias is not None and convention.bias_count(spec):
        layout = _merge_bias_layouts(layout, convention.concatenated_bias)
    if convention.directions_stacked:
        return [_stack_layout(array, len(spec.directions)) for array in layout]
    return [
        array._replace(name=convention.direction_names[direction].format(name=array.name, layer=layer), direction=direction)
        for direction in spec.directions
        for array in layout
    ]


def export_layer(
    convention: Convention, weights: dict[Direction, LayerWeights], layer: int
) -> list[tuple[str, Direction | None, Array]]:
    """A layer in the framework's arrays: the name, the direction if it holds one only, and the array."""
    packed = {direction: convention.pack(part) for direction, part in weights.items()}
    if convention.concatenated_bias is not None:
        packed = {direction: _concat_biases(named, convention) for direction, named in packed.items()}
    if convention.directions_stacked:
        first = next(iter(packed.values()))
        return [(name, None, np.stack([named[name] for named in packed.values()])) for name in first]
    return [
        (convention.direction_names[direction].format(name=name, layer=layer), direction, array)
        for direction, named in packed.items()
        for name, array in named.items()
    ]


def _concat_biases(named: dict[str, Array], convention: Convention) -> dict[str, Array]:
    """Replace the biases by the one vector that holds them."""
    layouts: dict[str, Array] = {}
    for name, array in named.items():
        if name not in convention.biases:
            layouts[name] = array
        elif convention.concatenated_bias is not None and convention.concatenated_bias not in layouts:
            layouts[convention.concatenated_bias] = np.concatenate([named[layout] for layout in convention.biases])
    return layouts


# --- from the sizes ---------------------------------------------------------------------------------------------------


def _direction_layouts(convention: Convention, spec: Spec, layer: int) -> list[TensorLayout]:
    features, hidden = Axis("features", spec.features), Axis(spec.hidden_axis, spec.hidden)
    matrices: list[tuple[str, Kind, Axis]] = [
        (convention.kernel, "kernel", features),
        (convention.recurrent_kernel, "recurrent_kernel", hidden),
    ]
    if convention.fused_kernel:
        both = shape(**{f"features_and_{spec.hidden_axis}": features.size + hidden.size}).axes[0]
        matrices = [(convention.kernel, "joined_kernel", both)]
    layouts = [
        layout for name, kind, reads in matrices for layout in _gate_layouts(convention, spec, layer, name, kind, reads)
    ]
    for name in convention.biases[: convention.bias_count(spec)]:
        layouts += _gate_layouts(convention, spec, layer, name, "bias", None)
    if spec.projection is not None and convention.projection is not None:
        axes = (hidden, Axis("units", spec.units))
        turned = Shape(axes if convention.output_major else axes[::-1])
        layouts.append(TensorLayout(convention.projection, "projection", layer, None, None, turned, ()))
    if spec.peepholes and convention.peephole is not None:
        layouts += _peephole_layouts(convention, spec, layer, convention.peephole)
    return layouts


def _gate_layouts(
    convention: Convention, spec: Spec, layer: int, name: str, kind: Kind, reads: Axis | None
) -> list[TensorLayout]:
    """The array or the four arrays of a name."""
    layouts = []
    for layout, gate in convention.gate_arrays(name, convention.gate_order).items():
        neurons = Axis("units", spec.units) if gate is not None else shape(gate_units=len(GATES) * spec.units).axes[0]
        axes = (neurons,) if reads is None else (neurons, reads) if convention.output_major else (reads, neurons)
        parts = () if gate is not None else _gate_segments(axes.index(neurons), convention.gate_order, spec.units)
        if kind == "joined_kernel":
            parts = (*_input_segments(axes.index(reads), spec), *parts)
        layouts.append(TensorLayout(layout, kind, layer, None, gate, Shape(axes), parts))
    return layouts


def _peephole_layouts(convention: Convention, spec: Spec, layer: int, name: str) -> list[TensorLayout]:
    layouts = []
    for layout, gate in convention.gate_arrays(name, convention.peephole_order).items():
        axis = Axis("units", spec.units) if gate else Axis("3*units", len(PEEPHOLE_GATES) * spec.units)
        parts = () if gate else _gate_segments(0, convention.peephole_order, spec.units)
        layouts.append(TensorLayout(layout, "peephole", layer, None, gate, Shape((axis,)), parts))
    return layouts


def _gate_segments(axis: int, gates: tuple[Gate, ...], units: int) -> tuple[Segment, ...]:
    return tuple(Segment(axis, index * units, (index + 1) * units, gate) for index, gate in enumerate(gates))


def _input_segments(axis: int, spec: Spec) -> tuple[Segment, Segment]:
    features = spec.features
    return Segment(axis, 0, features, "input"), Segment(axis, features, features + spec.hidden, "hidden")


def _merge_bias_layouts(arrays: list[TensorLayout], name: str) -> list[TensorLayout]:
    biases = [layout for layout in arrays if layout.kind == "bias"]
    parts, start = [], 0
    for layout in biases:
        parts += [part._replace(start=start + part.start, stop=start + part.stop) for part in layout.segments]
        start += layout.shape.elements
    axis = Axis(f"{len(GATES) * len(biases)}*units", start)
    whole = biases[0]._replace(name=name, shape=Shape((axis,)), segments=tuple(parts))
    return [whole if layout is biases[0] else layout for layout in arrays if layout not in biases[1:]]


def _stack_layout(array: TensorLayout, directions: int) -> TensorLayout:
    axes = (Axis("directions", directions), *array.shape.axes)
    return array._replace(shape=Shape(axes), segments=tuple(part._replace(axis=part.axis + 1) for part in array.segments))
