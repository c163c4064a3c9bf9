"""How many of a thing there are in an LSTM, read off the tensors of `shapes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NotRequired, TypedDict, cast

from lstm_explain.core.gates import ACTIVATIONS, GATES
from lstm_explain.frameworks.glossary.entry import Concept

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.shapes import Shapes, Tensor


class ConceptCount(NamedTuple):
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

    def to_dict(self) -> ConceptCountJSON:
        """The fields, without `layer` where it is None."""
        fields: Any = {name: value for name, value in self._asdict().items() if name != "layer" or value is not None}
        return cast("ConceptCountJSON", fields)


class ConceptCountJSON(TypedDict):
    """How many of something there are."""

    value: int
    """How many there are in one such place, unit, state or output; of `layer`, where layers differ."""
    noun: str
    """What is counted, in the singular."""
    within: Literal["place", "unit", "lstm", "input", "state", "output"]
    """In what: a place (a layer in one direction), a unit, the LSTM, the input, a state (of a sample at a timestep in a
    place), or an output (of a sample at a timestep, of a layer)."""
    total: int
    """How many there are over all layers and directions, if `within` is `place`; else the same number."""
    formula: str
    """The count in the axis words of the command line."""
    measured: bool
    """Whether it was read off an array of a run that just happened."""
    layer: NotRequired[int]
    """Only where layers differ: which layer `value` is of, the first that has such a thing."""


class _CountedAxis(NamedTuple):
    """The last axis, or another, of a tensor of a layer, and what one step along it is."""

    tensor: str
    noun: str
    within: str
    place: int = -1


_AXES: dict[Concept, tuple[_CountedAxis, ...]] = {
    Concept.UNIT: (_CountedAxis("cell", "unit", "place"),),
    Concept.MEMORY: (_CountedAxis("cell", "number", "state"),),
    Concept.NEURON: (_CountedAxis("pre_activation", "neuron", "place"),),
    Concept.CELL_COPY: (_CountedAxis("input", "timestep", "input", 1),),
    Concept.CANDIDATE: (_CountedAxis("candidate", "number", "state"),),
    Concept.HIDDEN: (_CountedAxis("hidden", "number", "state"),),
    Concept.CELL_STATE: (_CountedAxis("cell", "number", "state"),),
    Concept.STATES: (_CountedAxis("hidden", "number", "state"), _CountedAxis("cell", "number", "state")),
    Concept.OUTPUT: (_CountedAxis("output_sequence", "number", "output"),),
    Concept.LAST_OUTPUT: (_CountedAxis("output_sequence", "number", "output"),),
    Concept.PROJECTED: (_CountedAxis("projection", "number", "state"),),
    Concept.SAMPLE: (_CountedAxis("input", "sample", "input", 0),),
    Concept.BATCH: (_CountedAxis("input", "sample", "input", 0),),
    Concept.TIMESTEP: (_CountedAxis("input", "timestep", "input", 1),),
    Concept.FEATURE: (_CountedAxis("input", "feature", "input"),),
}


def count_concept(thing: Concept, shapes: Shapes) -> ConceptCount | None:
    """How many of a thing there are; None where this LSTM does not have it, or it cannot be counted."""
    axes, spec = _AXES.get(thing, ()), shapes.spec
    if not axes:
        return _structural_count(thing, spec, _count_formula(thing, spec))
    by_layer = {layer: size for layer in range(len(spec.layers)) if (size := _sum_sizes(axes, shapes, layer)) is not None}
    if not by_layer:
        return None
    layer, value = next(iter(by_layer.items()))
    within = axes[0].within
    total = sum(by_layer[one] for one, _ in spec.layer_directions) if within == "place" else value
    own = layer if spec.layers_differ and within != "input" else None
    return ConceptCount(value, axes[0].noun, within, total, _count_formula(thing, spec.for_layer(layer)), shapes.measured, own)


def _sum_sizes(axes: tuple[_CountedAxis, ...], shapes: Shapes, layer: int) -> int | None:
    """The sum of the axes' sizes in a layer; None where the layer does not have the tensor."""
    tensors = [_find_tensor(axis.tensor, shapes, layer) for axis in axes]
    sizes = [one.shape.sizes[axis.place] for axis, one in zip(axes, tensors, strict=True) if one is not None]
    return sum(sizes) if len(sizes) == len(axes) else None


def _find_tensor(name: str, shapes: Shapes, layer: int) -> Tensor | None:
    return next(iter(shapes.of(name, layer=None if name == "input" else layer)), None)


def _structural_count(thing: Concept, spec: Spec, formula: str) -> ConceptCount | None:
    """What is a matter of structure and no axis of a tensor: gates, cells and layers."""
    places = len(spec.layer_directions)
    if thing is Concept.GATE:
        return ConceptCount(len(GATES), "gate", "unit", len(GATES), formula, False)
    if thing is Concept.SIGMOID_GATE:
        sigmoids = [gate for gate in GATES if ACTIVATIONS[gate] == "sigmoid"]
        return ConceptCount(len(sigmoids), "gate", "unit", len(sigmoids), formula, False)
    if thing is Concept.GATE_LAYER:
        return ConceptCount(len(GATES), "gate", "place", len(GATES) * places, formula, False)
    if thing is Concept.CELL:
        return ConceptCount(1, "cell", "place", places, formula, False)
    if thing is Concept.LAYER:
        return ConceptCount(len(spec.layers), "layer", "lstm", len(spec.layers), formula, False)
    return None


def _count_formula(thing: Concept, spec: Spec) -> str:
    spec = spec.for_layer(0)
    hidden = "units" if spec.projection is None else "projection"
    both = "2*" if spec.bidirectional else ""
    formulas = {
        Concept.NEURON: "4*units",
        Concept.CELL_COPY: "timesteps",
        Concept.HIDDEN: hidden,
        Concept.STATES: f"{hidden} + units",
        Concept.OUTPUT: both + hidden,
        Concept.LAST_OUTPUT: both + hidden,
        Concept.PROJECTED: "projection",
        Concept.SAMPLE: "samples",
        Concept.BATCH: "samples",
        Concept.TIMESTEP: "timesteps",
        Concept.FEATURE: "features",
        Concept.GATE: "4",
        Concept.SIGMOID_GATE: "3",
        Concept.GATE_LAYER: "4",
        Concept.CELL: "1",
        Concept.LAYER: "layers",
    }
    return formulas.get(thing, "units")
