"""How many of a thing there are in an LSTM, read off the tensors of `shapes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from lstm_explain.core.gates import ACTIVATIONS, GATES
from lstm_explain.frameworks.glossary.entry import Concept
from lstm_explain.topics.result import json_keys

if TYPE_CHECKING:
    from lstm_explain.topics.shapes import Shapes

Within = Literal["place", "unit", "lstm", "input", "state", "output"]


@json_keys("value noun within total formula measured layer?")
class ConceptCount(NamedTuple):
    """How many of something there are."""

    value: int
    """How many there are in one such place, unit, state or output; of `layer`, where layers differ."""
    noun: str
    """What is counted, in the singular."""
    within: Within
    """In what: a place (a layer in one direction), a unit, the LSTM, the input, a state (of a sample at a timestep in a
    place), or an output (of a sample at a timestep, of a layer)."""
    total: int
    """How many there are over all layers and directions, if `within` is `place`; else the same number."""
    formula: str
    """The count in the axis words of the command line."""
    measured: bool
    """Whether it was read off an array of a run that just happened."""
    layer: int | None = None
    """Only where layers differ: which layer `value` is of, the first that has such a thing."""


class _CountRule(NamedTuple):
    """How to count a concept: the sizes of axes of tensors, added up; without tensors, the formula is the number."""

    noun: str
    within: Within
    formula: str
    """`{hidden}` and `{output}` are the words for the size of h in one direction, and in all directions."""
    tensors: tuple[str, ...] = ()
    axis: int = -1


_RULES = {
    Concept.UNIT: _CountRule("unit", "place", "units", ("cell",)),
    Concept.MEMORY: _CountRule("number", "state", "units", ("cell",)),
    Concept.NEURON: _CountRule("neuron", "place", "4*units", ("pre_activation",)),
    Concept.CELL_COPY: _CountRule("timestep", "input", "timesteps", ("input",), 1),
    Concept.CANDIDATE: _CountRule("number", "state", "units", ("candidate",)),
    Concept.HIDDEN: _CountRule("number", "state", "{hidden}", ("hidden",)),
    Concept.CELL_STATE: _CountRule("number", "state", "units", ("cell",)),
    Concept.STATES: _CountRule("number", "state", "{hidden} + units", ("hidden", "cell")),
    Concept.OUTPUT: _CountRule("number", "output", "{output}", ("output_sequence",)),
    Concept.LAST_OUTPUT: _CountRule("number", "output", "{output}", ("output_sequence",)),
    Concept.PROJECTED: _CountRule("number", "state", "projection", ("projection",)),
    Concept.SAMPLE: _CountRule("sample", "input", "samples", ("input",), 0),
    Concept.BATCH: _CountRule("sample", "input", "samples", ("input",), 0),
    Concept.TIMESTEP: _CountRule("timestep", "input", "timesteps", ("input",), 1),
    Concept.FEATURE: _CountRule("feature", "input", "features", ("input",)),
    Concept.GATE: _CountRule("gate", "unit", str(len(GATES))),
    Concept.SIGMOID_GATE: _CountRule("gate", "unit", str(sum(ACTIVATIONS[gate] == "sigmoid" for gate in GATES))),
    Concept.GATE_LAYER: _CountRule("gate", "place", str(len(GATES))),
    Concept.CELL: _CountRule("cell", "place", "1"),
    Concept.LAYER: _CountRule("layer", "lstm", "layers"),
}


def count_concept(concept: Concept, shapes: Shapes) -> ConceptCount | None:
    """How many of a concept there are; None if this LSTM does not have it, or it cannot be counted."""
    rule, spec = _RULES.get(concept), shapes.spec
    if rule is None:
        return None
    if not rule.tensors:
        value = len(spec.layers) if concept is Concept.LAYER else int(rule.formula)
        total = value * len(spec.layer_directions) if rule.within == "place" else value
        return ConceptCount(value, rule.noun, rule.within, total, rule.formula, False)
    by_layer = {layer: size for layer in range(len(spec.layers)) if (size := _sum_sizes(rule, shapes, layer)) is not None}
    if not by_layer:
        return None
    layer, value = next(iter(by_layer.items()))
    layer_spec = spec.for_layer(layer)
    total = sum(by_layer[number] for number, _ in spec.layer_directions) if rule.within == "place" else value
    hidden = "units" if layer_spec.projection is None else "projection"
    formula = rule.formula.format(hidden=hidden, output=f"2*{hidden}" if layer_spec.bidirectional else hidden)
    differing_layer = layer if spec.layers_differ and rule.within != "input" else None
    return ConceptCount(value, rule.noun, rule.within, total, formula, shapes.measured, differing_layer)


def _sum_sizes(rule: _CountRule, shapes: Shapes, layer: int) -> int | None:
    """The sum of the axes' sizes in a layer; None if the layer does not have a tensor."""
    total = 0
    for name in rule.tensors:
        tensor = next(iter(shapes.of(name, layer=None if name == "input" else layer)), None)
        if tensor is None:
            return None
        total += tensor.shape.sizes[rule.axis]
    return total
