"""The tensors that a framework's layer reads and returns, in its own layout, and the formula of its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.axes import Axis, Shape
from lstm_explain.topics.shapes.parameter_formula import grouped, layer_formula, size_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.convention import Convention
    from lstm_explain.frameworks.framework import AxisName


def build_shape(spec: Spec, axes: Iterable[AxisName]) -> Shape:
    """The shape of a tensor with the given axes; `spec` is of one layer, or of layers that are alike."""
    directions = len(spec.directions)
    both = "2*" if spec.bidirectional else ""
    named: dict[AxisName, Axis] = {
        "samples": Axis("samples", spec.samples),
        "timesteps": Axis("timesteps", spec.timesteps),
        "features": Axis("features", spec.features),
        "hidden": Axis(spec.hidden_axis, spec.hidden),
        "units": Axis("units", spec.units),
        "output": Axis(both + spec.hidden_axis, spec.output),
        "all_units": Axis(f"{both}units", directions * spec.units),
        "directions": Axis("directions", directions),
        "states": Axis("layers*directions", len(spec.layers) * directions),
    }
    return Shape(tuple(named[axis] for axis in axes))


def parameter_formula(convention: Convention, spec: Spec) -> str:
    """How many parameters the framework counts, in the axis words of the command line.

    Where layers differ, a size has the layer's number: units_0. Layers that are alike are counted once, and taken times.
    """
    terms = []
    for layer, times in spec.layer_groups:
        layer_spec, reads = spec.for_layer(layer), size_words(spec, layer - 1).output if layer else "features"
        term = layer_formula(layer_spec, reads, size_words(spec, layer), convention.bias_count(layer_spec))
        terms.append(term if times == 1 else f"{times}*{grouped(term)}")
    return " + ".join(terms)
