"""The tensors that a framework's layer reads and returns, in its own layout, and the formula of its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.axes import Axis, Shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.convention import Convention
    from lstm_explain.frameworks.described import AxisName


def shape_in(spec: Spec, axes: Iterable[AxisName]) -> Shape:
    """The shape of a tensor with the given axes; `spec` is of one layer, or of layers that are alike."""
    ways = len(spec.directions)
    both = "2*" if spec.bidirectional else ""
    named: dict[AxisName, Axis] = {
        "samples": Axis("samples", spec.samples),
        "timesteps": Axis("timesteps", spec.timesteps),
        "features": Axis("features", spec.features),
        "hidden": Axis(spec.hidden_axis, spec.hidden),
        "units": Axis("units", spec.units),
        "output": Axis(both + spec.hidden_axis, spec.output),
        "all_units": Axis(f"{both}units", ways * spec.units),
        "directions": Axis("directions", ways),
        "states": Axis("layers*directions", spec.layers * ways),
    }
    return Shape(tuple(named[axis] for axis in axes))


def formula(convention: Convention, spec: Spec) -> str:
    """How many parameters the framework counts, in the axis words of the command line.

    Where layers differ, a size has the layer's number: units_0. Layers that are alike are counted once, and taken times.
    """
    terms = [("" if times == 1 else f"{times}*") + _one_layer(convention, spec, layer) for layer, times in spec.unlike_layers]
    return " + ".join(terms)


def _one_layer(convention: Convention, spec: Spec, layer: int) -> str:
    own, biases = spec.at(layer), convention.bias_count(spec.at(layer))
    units, hidden = _word("units", spec, layer), _hidden(spec, layer)
    neurons = f"4*{units}*({_reads(spec, layer)} + {hidden}{f' + {biases}' if biases else ''})"
    extra = (f" + 3*{units}" if own.peepholes else "") + (f" + {units}*{hidden}" if own.projection else "")
    both = "2*" if own.bidirectional else ""
    if not extra or (spec.layers == 1 and not both):
        return both + neurons + extra
    return f"{both}({neurons}{extra})"


def _reads(spec: Spec, layer: int) -> str:
    if layer == 0:
        return "features"
    return ("2*" if spec.at(layer - 1).bidirectional else "") + _hidden(spec, layer - 1)


def _hidden(spec: Spec, layer: int) -> str:
    return _word("units" if spec.at(layer).projection is None else "projection", spec, layer)


def _word(size: str, spec: Spec, layer: int) -> str:
    return f"{size}_{layer}" if spec.stack else size
