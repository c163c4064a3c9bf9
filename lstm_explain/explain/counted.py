"""How many of a thing there are in an LSTM, read off the tensors of `shapes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.core.gates import ACTIVATIONS, GATES
from lstm_explain.frameworks.glossary.entry import Thing

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec
    from lstm_explain.explain.shapes import Shapes, Tensor


class Count(NamedTuple):
    """How many of something there are."""

    value: int
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

    def to_dict(self) -> dict[str, Any]:
        return self._asdict()


class _Axis(NamedTuple):
    """The last axis, or another, of a tensor of layer 0, and what one step along it is."""

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
    axes, formula = _AXES.get(thing, ()), _formula(thing, shapes.spec)
    if not axes:
        return _structure(thing, shapes.spec, formula)
    sizes = [_size(axis, shapes) for axis in axes]
    if None in sizes:
        return None
    value = sum(size for size in sizes if size is not None)
    places = _places(shapes.spec) if axes[0].within == "place" else 1
    return Count(value, axes[0].noun, axes[0].within, value * places, formula, shapes.measured)


def _size(axis: _Axis, shapes: Shapes) -> int | None:
    found = _tensor(axis.tensor, shapes)
    return None if found is None else found.shape.sizes[axis.place]


def _tensor(name: str, shapes: Shapes) -> Tensor | None:
    layer = None if name == "input" else 0
    return next(iter(shapes.of(name, layer=layer)), None)


def _structure(thing: Thing, spec: Spec, formula: str) -> Count | None:
    """What is a matter of structure and no axis of a tensor: gates, cells and layers."""
    places = _places(spec)
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


def _places(spec: Spec) -> int:
    return spec.layers * len(spec.directions)


def _formula(thing: Thing, spec: Spec) -> str:
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
