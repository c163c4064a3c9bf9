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
    """The shape of a tensor with the given axes."""
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
    """How many parameters the framework counts, in the axis words of the command line."""
    first = _one_layer(convention, spec, "features")
    if spec.layers == 1:
        return first
    above = ("2*" if spec.bidirectional else "") + _hidden(spec)
    return f"{first} + {'' if spec.layers == 2 else f'{spec.layers - 1}*'}{_one_layer(convention, spec, above)}"


def _one_layer(convention: Convention, spec: Spec, reads: str) -> str:
    biases = convention.bias_count(spec)
    one = f"4*units*({reads} + {_hidden(spec)}{f' + {biases}' if biases else ''})"
    extra = (" + 3*units" if spec.peepholes else "") + (" + units*projection" if spec.projection else "")
    if not extra or (spec.layers == 1 and not spec.bidirectional):
        return ("2*" if spec.bidirectional else "") + one + extra
    return f"{'2*' if spec.bidirectional else ''}({one}{extra})"


def _hidden(spec: Spec) -> str:
    return "units" if spec.projection is None else "projection"
