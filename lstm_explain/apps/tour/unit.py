"""Chapter 2: what a unit reads, owns and emits."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from lstm_explain.apps.tour.chapter import ChapterContent
from lstm_explain.apps.tour.context import measure_within_budget
from lstm_explain.apps.tour.text import format_number, nonfinite_notes
from lstm_explain.core.gates import GATES, LETTERS, Gate
from lstm_explain.document.blocks import Cell, Column, Document, Note, Paragraph, Table
from lstm_explain.document.numbers import format_decimal, format_difference, plural, thousands
from lstm_explain.document.tables import elide_list, facts_table
from lstm_explain.document.text import join_words
from lstm_explain.topics.result import to_plain
from lstm_explain.topics.unit import explain_unit
from lstm_explain.topics.unit.page import NEURONS

if TYPE_CHECKING:
    from lstm_explain.apps.tour.context import TourContext
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.shapes import UnitShare
    from lstm_explain.topics.unit import Arithmetic, Unit

DEFAULT_STEP = 4
LAST_BITS = 1e-15  # a few roundings of float64: which of them meet is another matter on each processor
GATE_ROLES = {
    Gate.INPUT: "how much of g to let in",
    Gate.FORGET: "how much memory to keep",
    Gate.CANDIDATE: "what could be stored",
    Gate.OUTPUT: "how much memory to show",
}


def unit_chapter(subject: TourContext) -> ChapterContent:
    """Does each unit take a vector of the features, and is its output of size 1?"""
    spec, share, step = subject.spec, subject.shapes.units[0], min(DEFAULT_STEP, subject.length)
    unit, refused = measure_within_budget(lambda: explain_unit(subject.lstm, subject.unit, subject.sample, step))
    arithmetic = None if unit is None else unit.arithmetic
    return ChapterContent(
        question=_question(spec),
        claims=_claims(subject, share, arithmetic),
        evidence=(
            _unit_facts(subject.layer_spec, share, unit),
            *refused,
            *(() if unit is None or arithmetic is None else _step_evidence(unit, arithmetic)),
        ),
        numbers={
            "features": share.features,
            "hidden": share.hidden,
            "reads": share.reads,
            "neurons": share.neurons,
            "parameters": share.parameters,
            "total": subject.shapes.total,
            "unit": subject.unit,
            "sample": subject.sample,
            "t": step,
            "arithmetic": None if arithmetic is None else to_plain(arithmetic),
        },
        commands=(subject.command_of_sample("unit", unit=subject.unit, step=step),),
    )


def _question(spec: Spec) -> str:
    return (
        f"Each timestep of yours has {plural(spec.features, 'feature')}. Does a unit read a vector of size "
        f"{thousands(spec.features)}? "
        "Is its output of size 1? And how many numbers in it can training change?"
    )


def _claims(subject: TourContext, share: UnitShare, step: Arithmetic | None) -> tuple[str, ...]:
    spec = subject.layer_spec
    it, a, of_layer = ("In layer 0 it", "In layer 0 a", " of layer 0") if subject.spec.layers_differ else ("It", "A", "")
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
    return (*claims, *_upper_layers(subject), *_sample_sentence(spec))


def _peephole_sentence(spec: Spec) -> str:
    return " Through its peepholes it reads that, too." if spec.peepholes else ""


def _single_timestep_sentence(spec: Spec, step: Arithmetic | None) -> str:
    """What is different where no timestep is before."""
    if spec.timesteps > 1 or step is None or any(term.value for term in step.gates[Gate.INPUT].terms if term.source == "h"):
        return ""
    read = "all 0" if spec.hidden > 1 else "0"
    return f" (You have one timestep and no other before it, so what is read as the last h is {read}.)"


def _recurrent_inputs(spec: Spec) -> str:
    """What a unit reads beside the features."""
    if spec.projection is not None:
        mixed = f"the {plural(spec.hidden, 'number')} h of the timestep before"
        return f"{mixed}, into which a projection mixes the outputs of all {plural(spec.units, 'unit')}"
    if spec.units == 1:
        return "its own output h of the timestep before"
    return f"the outputs h that all {thousands(spec.units)} units made one timestep before, its own among them"


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


def _upper_layers(subject: TourContext) -> tuple[str, ...]:
    """What is otherwise in the layers above."""
    if len(subject.spec.layers) == 1:
        return ()
    above = subject.shapes.units[1:]
    if subject.spec.layers_differ:
        told = [f"{_layer_summary(f'layer {one.layer}', one)}, {_parameter_formula(one)}." for one in above]
        return (" ".join(elide_list(told)),)
    return (f"{_layer_summary('a layer above the first,', above[0])}.",)


def _layer_summary(where: str, share: UnitShare) -> str:
    reads = f"{thousands(share.features)} that the layer below made, and {thousands(share.hidden)} of its own layer"
    owns = f"It owns {plural(share.parameters, 'parameter')}"
    return f"In {where} a unit reads {thousands(share.reads)} numbers: {reads}. {owns}"


def _sample_sentence(spec: Spec) -> tuple[str, ...]:
    if spec.samples == 1:
        return ()
    return (f"How many samples there are changes nothing in a unit: each of the {thousands(spec.samples)} is read by itself.",)


def _unit_facts(spec: Spec, share: UnitShare, unit: Unit | None) -> Table:
    how = "computed from the sizes" if unit is None else f"counted in the weights of unit {unit.unit}"
    owned = share.parameters if unit is None else unit.parameters
    read = (
        f"{plural(share.features, 'feature')} of x_t, and {thousands(share.hidden)} of h_{{t-1}}, the h of the timestep before"
    )
    emitted = "h_t, its output" if spec.projection is None else "m_t = o × tanh(c_t), which the projection reads"
    return facts_table(
        [
            ("reads", f"{plural(share.reads, 'number')}: {read}"),
            ("owns", f"{plural(owned, 'parameter')}, {how}"),
            ("emits", f"one number: {emitted}"),
            ("keeps", "a second one for itself: c_t, its memory"),
        ]
    )


def _step_evidence(unit: Unit, step: Arithmetic) -> Document:
    sources = [term.source for term in step.gates[Gate.INPUT].terms]
    products = plural(sources.count("x") + sources.count("h"), "product")
    bias = " and a bias" if "bias" in sources else ""
    own = "; i, f and o add one more product, with the unit's own c" if "c" in sources else ""
    intro = f"Timestep {step.t} of sample {unit.sample} in unit {unit.unit}. Each neuron adds up {products}{bias}{own}:"
    rows = []
    for gate in GATES:
        one = step.gates[gate]
        value = Cell(format_decimal(one.value, 4), strong=True)
        rows.append((Cell(NEURONS[gate], strong=True), Cell(GATE_ROLES[gate]), Cell(format_decimal(one.total, 4)), value))
    columns = (Column("neuron"), Column("decides", wraps=True), Column("sum", "right"), Column("squashed", "right"))
    return (Paragraph(intro), Table(columns, tuple(rows)), _state_arithmetic(unit, step), *_difference_note(unit, step))


def _state_arithmetic(unit: Unit, step: Arithmetic) -> Table:
    """The unit's new memory and output, as sentences of numbers."""
    f, i, g, o = (format_number(step.gates[gate].value) for gate in (Gate.FORGET, Gate.INPUT, Gate.CANDIDATE, Gate.OUTPUT))
    emitted = "h" if unit.layer_spec.projection is None else "m"
    memory = f"f × c_{step.t - 1} + i × g = {f} × {format_number(step.cell_before)} + {i} × {g}"
    shown = f"o × tanh(c_{step.t}) = {o} × {format_number(step.tanh_cell)}"
    return facts_table(
        [
            (f"memory c_{step.t}", f"{memory} = {format_number(step.cell)}"),
            (f"output {emitted}_{step.t}", f"{shown} = {format_number(step.hidden)}"),
        ]
    )


def _difference_note(unit: Unit, step: Arithmetic) -> tuple[Note, ...]:
    if not isfinite(step.difference):
        return nonfinite_notes([step.difference])
    letters = [*(LETTERS[gate] for gate in GATES), "c", "h" if unit.layer_spec.projection is None else "m"]
    what = f"Worked out anew from the run's numbers. Largest difference of {join_words(letters)} to those of the run:"
    size = f"below {LAST_BITS:.0e}" if step.difference < LAST_BITS else format_difference(step.difference)
    return (Note(f"{what} {size}."),)
