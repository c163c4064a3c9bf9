"""How many of a thing there are in an LSTM, read off the tensors of `shapes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.core.gates import ACTIVATIONS, GATES
from lstm_explain.frameworks.glossary.entry import Thing

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.shapes import Shapes, Tensor


class Count(NamedTuple):
    """How many of something there are."""

    value: int
    """In one such place, unit, state or output; of `layer`, where layers differ."""
    noun: str
    """What is counted, in the singular."""
    within: str
    """In what: `place` (a layer in one direction), `unit`, `lstm`, `input`, `state` (of a sample at a timestep in a place), or
    `output` (of a sample at a timestep, of a layer)."""
    total: int
    """How many there are over all layers and directions, where `within` is a place; else the same number."""
    formula: str
    """In the axis words of the command line."""
    measured: bool
    """True where it was read off an array of a run that just happened."""
    layer: int | None = None
    """Which layer `value` is of, where the layers of a stack differ: the first that has such a thing."""

    def to_dict(self) -> dict[str, Any]:
        told = self._asdict()
        return told if self.layer is not None else {name: value for name, value in told.items() if name != "layer"}


class _Axis(NamedTuple):
    """The last axis, or another, of a tensor of a layer, and what one step along it is."""

    tensor: str
    noun: str
    within: str
    place: int = -1


_AXES: dict[Thing, tuple[_Axis, ...]] = {
    Thing.UNIT: (_Axis("cell", "unit", "place"),),
    Thing.MEMORY: (_Axis("cell", "number", "state"),),
    Thing.NEURON: (_Axis("pre_activation", "neuron", "place"),),
    Thing.CELL_COPY: (_Axis("input", "timestep", "input", 1),),
    Thing.CANDIDATE: (_Axis("candidate", "number", "state"),),
    Thing.HIDDEN: (_Axis("hidden", "number", "state"),),
    Thing.CELL_STATE: (_Axis("cell", "number", "state"),),
    Thing.STATES: (_Axis("hidden", "number", "state"), _Axis("cell", "number", "state")),
    Thing.OUTPUT: (_Axis("output_sequence", "number", "output"),),
    Thing.LAST_OUTPUT: (_Axis("output_sequence", "number", "output"),),
    Thing.PROJECTED: (_Axis("projection", "number", "state"),),
    Thing.SAMPLE: (_Axis("input", "sample", "input", 0),),
    Thing.BATCH: (_Axis("input", "sample", "input", 0),),
    Thing.TIMESTEP: (_Axis("input", "timestep", "input", 1),),
    Thing.FEATURE: (_Axis("input", "feature", "input"),),
}


def counted(thing: Thing, shapes: Shapes) -> Count | None:
    """How many of a thing there are; None where this LSTM has no such thing, or the word is no count."""
    axes, spec = _AXES.get(thing, ()), shapes.spec
    if not axes:
        return _structure(thing, spec, _formula(thing, spec))
    by_layer = {layer: size for layer in range(spec.layers) if (size := _sizes(axes, shapes, layer)) is not None}
    if not by_layer:
        return None
    layer, value = next(iter(by_layer.items()))
    within = axes[0].within
    total = sum(by_layer[one] for one, _ in spec.places) if within == "place" else value
    own = layer if spec.stack and within != "input" else None
    return Count(value, axes[0].noun, within, total, _formula(thing, spec.at(layer)), shapes.measured, own)


def _sizes(axes: tuple[_Axis, ...], shapes: Shapes, layer: int) -> int | None:
    """The sum of the axes' sizes in a layer; None where it has no such tensor."""
    tensors = [_tensor(axis.tensor, shapes, layer) for axis in axes]
    sizes = [one.shape.sizes[axis.place] for axis, one in zip(axes, tensors, strict=True) if one is not None]
    return sum(sizes) if len(sizes) == len(axes) else None


def _tensor(name: str, shapes: Shapes, layer: int) -> Tensor | None:
    return next(iter(shapes.of(name, layer=None if name == "input" else layer)), None)


def _structure(thing: Thing, spec: Spec, formula: str) -> Count | None:
    """What is a matter of structure and no axis of a tensor: gates, cells and layers."""
    places = len(spec.places)
    if thing is Thing.GATE:
        return Count(len(GATES), "gate", "unit", len(GATES), formula, False)
    if thing is Thing.SIGMOID_GATE:
        sigmoids = [gate for gate in GATES if ACTIVATIONS[gate] == "sigmoid"]
        return Count(len(sigmoids), "gate", "unit", len(sigmoids), formula, False)
    if thing is Thing.GATE_LAYER:
        return Count(len(GATES), "gate", "place", len(GATES) * places, formula, False)
    if thing is Thing.CELL:
        return Count(1, "cell", "place", places, formula, False)
    if thing is Thing.LAYER:
        return Count(spec.layers, "layer", "lstm", spec.layers, formula, False)
    return None


def _formula(thing: Thing, spec: Spec) -> str:
    spec = spec.at(0)
    hidden = "units" if spec.projection is None else "projection"
    both = "2*" if spec.bidirectional else ""
    formulas = {
        Thing.NEURON: "4*units",
        Thing.CELL_COPY: "timesteps",
        Thing.HIDDEN: hidden,
        Thing.STATES: f"{hidden} + units",
        Thing.OUTPUT: both + hidden,
        Thing.LAST_OUTPUT: both + hidden,
        Thing.PROJECTED: "projection",
        Thing.SAMPLE: "samples",
        Thing.BATCH: "samples",
        Thing.TIMESTEP: "timesteps",
        Thing.FEATURE: "features",
        Thing.GATE: "4",
        Thing.SIGMOID_GATE: "3",
        Thing.GATE_LAYER: "4",
        Thing.CELL: "1",
        Thing.LAYER: "layers",
    }
    return formulas.get(thing, "units")
