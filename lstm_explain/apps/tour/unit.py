"""Chapter 2: what a unit reads, owns and outputs."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.tour.chapter import ChapterContent, format_number, measure_within_budget, nonfinite_notes
from lstm_explain.core.gates import GATES, LETTERS, Gate
from lstm_explain.document.blocks import Cell, Column, Document, Note, Paragraph, Table
from lstm_explain.document.numbers import format_decimal, format_difference, plural, thousands
from lstm_explain.document.tables import elide_list, facts_table
from lstm_explain.document.text import join_words
from lstm_explain.topics.result import Positive, json_keys
from lstm_explain.topics.unit import explain_unit
from lstm_explain.topics.unit.page import NEURONS

if TYPE_CHECKING:
    from lstm_explain.apps.tour.chapter import TourContext
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.shapes import UnitShare
    from lstm_explain.topics.unit import Arithmetic, Unit

DEFAULT_STEP = 4
LAST_BITS = 1e-15  # a few roundings of float64: which of them meet is another matter on each processor
GATE_ROLES = {
    Gate.INPUT: "how much of g to let in",
    Gate.FORGET: "how much memory to keep",
    Gate.CANDIDATE: "what could be stored",
    Gate.OUTPUT: "how much memory to output",
}


@json_keys(
    "features=share.features hidden=share.hidden reads=share.reads neurons=share.neurons parameters=share.parameters",
    "total unit sample t arithmetic",
)
class UnitEvidence(NamedTuple):
    """What the chapter `unit` measures."""

    share: UnitShare
    total: Positive
    """How many parameters the LSTM has."""
    unit: int
    sample: int
    t: Positive
    arithmetic: Arithmetic | None
    """The timestep, redone from the numbers of the run."""


def unit_chapter(context: TourContext) -> ChapterContent:
    """Does each unit take a vector of the features, and is its output of size 1?"""
    spec, share, step = context.spec, context.shapes.units[0], min(DEFAULT_STEP, context.length)
    unit, refused = measure_within_budget(lambda: explain_unit(context.lstm, context.unit, context.sample, step))
    arithmetic = None if unit is None else unit.arithmetic
    return ChapterContent(
        question=_question(spec),
        claims=_claims(context, share, arithmetic),
        blocks=(
            _unit_facts(context.layer_spec, share, unit),
            *refused,
            *(() if unit is None or arithmetic is None else _step_evidence(unit, arithmetic)),
        ),
        evidence=UnitEvidence(share, context.shapes.total, context.unit, context.sample, step, arithmetic),
        commands=(context.command_of_sample("unit", unit=context.unit, step=step),),
    )


def _question(spec: Spec) -> str:
    return (
        f"Each timestep of yours has {plural(spec.features, 'feature')}. Does a unit read a vector of size "
        f"{thousands(spec.features)}? "
        "Is its output of size 1? And how many numbers in it can training change?"
    )


def _claims(context: TourContext, share: UnitShare, step: Arithmetic | None) -> tuple[str, ...]:
    spec = context.layer_spec
    it, a, of_layer = ("In layer 0 it", "In layer 0 a", " of layer 0") if context.spec.layers_differ else ("It", "A", "")
    features = plural(share.features, "feature")
    output = "h" if spec.projection is None else "m, for the projection to read"
    claims = [
        f"{it} reads more than {plural(share.features, 'number')}: at each timestep the {features}, and "
        f"{_recurrent_inputs(spec)}. That makes a vector of size {thousands(share.reads)}. Its output is of size 1: one "
        f"number, {output}. It also keeps a second number, its memory, called "
        f"c.{_peephole_sentence(spec)}{_single_timestep_sentence(spec, step)}",
        f"A unit is four small neurons. {a} neuron multiplies each number that it reads with a weight, adds the "
        f"products up{', adds a bias' if spec.bias else ''}, and squashes the sum into a small range. "
        f"{_owned_parameters(share, of_layer)}",
    ]
    return (*claims, *_upper_layers(context), *_sample_sentence(spec))


def _peephole_sentence(spec: Spec) -> str:
    return " Its peepholes read that number, too." if spec.peepholes else ""


def _single_timestep_sentence(spec: Spec, step: Arithmetic | None) -> str:
    """What differs without a previous timestep."""
    if spec.timesteps > 1 or step is None or any(term.value for term in step.gates[Gate.INPUT].terms if term.source == "h"):
        return ""
    zeros = "all 0" if spec.hidden > 1 else "0"
    return f" (You have one timestep and no other before it, so the previous h is {zeros}.)"


def _recurrent_inputs(spec: Spec) -> str:
    """What a unit reads besides the features."""
    if spec.projection is not None:
        hidden = f"the {plural(spec.hidden, 'number')} h of the previous timestep"
        return f"{hidden}, into which a projection mixes the outputs of all {plural(spec.units, 'unit')}"
    if spec.units == 1:
        return "its own output h of the previous timestep"
    return f"the outputs h of all {thousands(spec.units)} units at the previous timestep, its own among them"


def _owned_parameters(share: UnitShare, of_layer: str) -> str:
    both = "Weights and biases are its parameters" if share.biases else "The weights are its parameters"
    number, formula = thousands(share.parameters), _parameter_formula(share)
    owned = f"A unit{of_layer} owns {number} of them, {formula}, and no other unit uses them."
    return f"{both}: the numbers that training changes. {owned}"


def _parameter_formula(share: UnitShare) -> str:
    """How many parameters a unit owns, counted from what it reads."""
    bias = " + 1" if share.biases else ""
    extra = f" + {share.peepholes} peepholes" if share.peepholes else ""
    extra += f" + {share.projection} of the projection" if share.projection else ""
    return f"{share.neurons} × ({thousands(share.features)} + {thousands(share.hidden)}{bias}){extra}"


def _upper_layers(context: TourContext) -> tuple[str, ...]:
    """What differs in the layers above."""
    if len(context.spec.layers) == 1:
        return ()
    above = context.shapes.units[1:]
    if context.spec.layers_differ:
        summaries = [f"{_layer_summary(f'layer {share.layer}', share)}, {_parameter_formula(share)}." for share in above]
        return (" ".join(elide_list(summaries)),)
    return (f"{_layer_summary('a layer above the first,', above[0])}.",)


def _layer_summary(where: str, share: UnitShare) -> str:
    reads = f"{thousands(share.features)} from the layer below, and {thousands(share.hidden)} from its own layer"
    owns = f"It owns {plural(share.parameters, 'parameter')}"
    return f"In {where} a unit reads {thousands(share.reads)} numbers: {reads}. {owns}"


def _sample_sentence(spec: Spec) -> tuple[str, ...]:
    if spec.samples == 1:
        return ()
    return (f"How many samples there are changes nothing in a unit: each of the {thousands(spec.samples)} is read by itself.",)


def _unit_facts(spec: Spec, share: UnitShare, unit: Unit | None) -> Table:
    origin = "computed from the sizes" if unit is None else f"counted in the weights of unit {unit.unit}"
    parameters = share.parameters if unit is None else unit.parameters
    features, hidden = plural(share.features, "feature"), thousands(share.hidden)
    inputs = f"{features} of x_t, and {hidden} of h_{{t-1}}, the h of the previous timestep"
    output = "h_t" if spec.projection is None else "m_t = o × tanh(c_t), which the projection reads"
    return facts_table(
        [
            ("reads", f"{plural(share.reads, 'number')}: {inputs}"),
            ("owns", f"{plural(parameters, 'parameter')}, {origin}"),
            ("outputs", f"one number: {output}"),
            ("keeps", "a second number: c_t, its memory"),
        ]
    )


def _step_evidence(unit: Unit, step: Arithmetic) -> Document:
    sources = [term.source for term in step.gates[Gate.INPUT].terms]
    products = plural(sources.count("x") + sources.count("h"), "product")
    bias = " and a bias" if "bias" in sources else ""
    peepholes = "; i, f and o add one more product, with the unit's c" if "c" in sources else ""
    intro = f"Timestep {step.t} of sample {unit.sample} in unit {unit.unit}. Each neuron adds up {products}{bias}{peepholes}:"
    rows = []
    for gate in GATES:
        gate_sum = step.gates[gate]
        total, value = Cell(format_decimal(gate_sum.total, 4)), Cell(format_decimal(gate_sum.value, 4), strong=True)
        rows.append((Cell(NEURONS[gate], strong=True), Cell(GATE_ROLES[gate]), total, value))
    columns = (Column("neuron"), Column("decides", wraps=True), Column("sum", "right"), Column("squashed", "right"))
    return (Paragraph(intro), Table(columns, tuple(rows)), _state_arithmetic(unit, step), *_difference_note(unit, step))


def _state_arithmetic(unit: Unit, step: Arithmetic) -> Table:
    """The unit's new memory and output, as sentences of numbers."""
    f, i, g, o = (format_number(step.gates[gate].value) for gate in (Gate.FORGET, Gate.INPUT, Gate.CANDIDATE, Gate.OUTPUT))
    output_name = "h" if unit.layer_spec.projection is None else "m"
    memory = f"f × c_{step.t - 1} + i × g = {f} × {format_number(step.cell_before)} + {i} × {g}"
    output = f"o × tanh(c_{step.t}) = {o} × {format_number(step.tanh_cell)}"
    return facts_table(
        [
            (f"memory c_{step.t}", f"{memory} = {format_number(step.cell)}"),
            (f"output {output_name}_{step.t}", f"{output} = {format_number(step.hidden)}"),
        ]
    )


def _difference_note(unit: Unit, step: Arithmetic) -> tuple[Note, ...]:
    if not isfinite(step.difference):
        return nonfinite_notes([step.difference])
    letters = [*(LETTERS[gate] for gate in GATES), "c", "h" if unit.layer_spec.projection is None else "m"]
    what = f"Computed again from the run's numbers. Largest difference between {join_words(letters)} and those of the run:"
    size = f"below {LAST_BITS:.0e}" if step.difference < LAST_BITS else format_difference(step.difference)
    return (Note(f"{what} {size}."),)
