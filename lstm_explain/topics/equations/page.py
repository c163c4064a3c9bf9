"""equations, in words and formulas: each equation with the shape under every symbol, and one unit's numbers put in."""

from __future__ import annotations

from math import ceil, isfinite, log10
from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction, Gate
from lstm_explain.document.blocks import Block, Document, Formula, Heading, Note, Paragraph
from lstm_explain.document.numbers import plural, thousands
from lstm_explain.topics.equations.formulas import equation, worked
from lstm_explain.topics.equations.symbols import ROLES, compared, reference, symbols
from lstm_explain.topics.intro import lstm_summary

if TYPE_CHECKING:
    from lstm_explain.topics.equations import Equations, Numbers, Written
    from lstm_explain.topics.equations.builder import Equation
    from lstm_explain.topics.equations.numbers import Chain


def document(equations: Equations) -> Document:
    """Lay out the equations in one notation, or all notations beside each other."""
    if equations.every:
        return _all(equations)
    (written,) = equations.notations
    blocks: list[Block] = [
        Heading(f"equations: {written.notation.title}, {_where(equations)}", 1),
        Paragraph(lstm_summary(equations)),
        Paragraph(f"Written as in {reference(written)}"),
        Paragraph(_how_to_read(equations, written)),
    ]
    blocks.append(Heading("The equations"))
    for one in written.equations:
        blocks += _one(equations, written, one)
    return (
        *blocks,
        Heading("Its symbols"),
        symbols(written),
        Heading("What to know about this notation"),
        *map(Paragraph, _remarks(equations, written)),
        Heading("Checked against the run"),
        Paragraph(_checked(equations, written)),
        *_numbers_note(equations),
    )


def _all(equations: Equations) -> Document:
    return (
        Heading(f"equations: every notation, symbol by symbol, {_where(equations)}", 1),
        Paragraph(lstm_summary(equations)),
        Paragraph("Below each symbol stands its shape, for one sample at one timestep."),
        *compared(equations),
        Heading("What to know about them"),
        *(Paragraph(f"{one.notation.name}: {' '.join(_remarks(equations, one))}") for one in equations.notations),
        Heading("Checked against the run"),
        Paragraph(_all_checked(equations)),
        Note("Add --notation NAME instead of --all to see one notation's equations."),
    )


def _where(equations: Equations) -> str:
    return f"layer {equations.layer}, {equations.direction}"


def _how_to_read(equations: Equations, written: Written) -> str:
    rows = written.notation.row_vectors
    turned = "rows, and stand before what they are multiplied with" if rows else "columns, and stand behind their weights"
    below = "Below each symbol stands the shape of its array"
    unit = " (of all i and j)" if written.notation.names_unit else ""
    if equations.numbers is not None:
        numbers = equations.numbers
        asked = f"unit {numbers.unit} at timestep {numbers.arithmetic.t} of sample {thousands(equations.sample)}"
        below += f"{unit}; then the same with the numbers of {asked}, what each is made of below it"
    else:
        below += unit
    return f"One sample at one timestep t. {below}. Vectors are {turned}.{_reads(equations, written)}"


def _reads(equations: Equations, written: Written) -> str:
    """What x is in a layer above the first."""
    if equations.layer == 0:
        return ""
    sign = next(name.sign.text for name in written.names if name.key == "input")
    both = ", of both directions" if equations.spec.for_layer(equations.layer - 1).bidirectional else ""
    return f" In layer {equations.layer}, {sign} is the output of layer {equations.layer - 1} at the same timestep{both}."


def _one(equations: Equations, written: Written, one: Equation) -> list[Block]:
    blocks: list[Block] = [Heading(_title(written, one), 3), equation(one, written.shapes)]
    numbers = equations.numbers
    chain = None if numbers is None else next((chain for chain in numbers.chains if chain.role == one.role), None)
    if numbers is not None and chain is not None:
        blocks.append(_worked(written, numbers, chain))
    elif numbers is not None:
        blocks.append(Note(f"Each number of it is mixed from all units, so unit {numbers.unit} has none of its own."))
    return blocks


def _worked(written: Written, numbers: Numbers, chain: Chain) -> Formula:
    return worked(chain, "" if written.notation.names_unit else f"[{numbers.unit}]")


def _title(written: Written, one: Equation) -> str:
    """What an equation makes, and what the writer calls it."""
    ours, theirs = ROLES[one.role], written.notation.terminology.get(one.role, "")
    inside = Gate.CANDIDATE not in {equation.role for equation in written.equations} and one.role == "cell"
    title = ours if theirs in ("", ours) else f"{ours}, here called {theirs}"
    title += ", with the candidate inside" if inside else ""
    title += f"; with {' and '.join(one.borrowed)}, which this notation does not have" if one.borrowed else ""
    return title[0].upper() + title[1:]


def _checked(equations: Equations, written: Written) -> str:
    return f"{_computed(equations, 'these equations')}: {_apart(written.check.difference)}."


def _all_checked(equations: Equations) -> str:
    largest = max(one.check.difference for one in equations.notations)
    return f"{_computed(equations, 'the equations of every notation')}: {_apart(largest)}."


def _computed(equations: Equations, what: str) -> str:
    return (
        f"Computed in float64 as they are written, from the layer's own weights and the states of sample {equations.sample}, "
        f"{what} give the gates, c and h that the run recorded in {equations.spec.dtype} at "
        f"{plural(equations.length, 'timestep')}"
    )


def _apart(difference: float) -> str:
    """How far results are from the run, as a power of ten. Below 1e-15 they are not told apart: those are last bits."""
    if not isfinite(difference):
        return "nan and infinite numbers are among them, which cannot be compared"
    power = -15 if difference == 0 else max(ceil(log10(difference)), -15)
    return f"none differs by more than 1e{power} from the run"


def _numbers_note(equations: Equations) -> list[Block]:
    numbers = equations.numbers
    if numbers is None:
        step, unit = min(4, equations.length), min(3, equations.layer_spec.units - 1)
        return [Note(f"Add --numbers --unit {unit} --step {step} to see them with one unit's numbers.")]
    place, apart = _place(equations, numbers), _apart(numbers.arithmetic.difference)
    return [Note(f"The numbers are those that unit {place} writes out, worked in float64: {apart}.")]


def _place(equations: Equations, numbers: Numbers) -> str:
    """The options that ask the topic `unit` for the same numbers."""
    options = [f"--unit {numbers.unit} --step {numbers.arithmetic.t}"]
    options += [f"--sample {equations.sample}"] if equations.sample else []
    options += [f"--layer {equations.layer}"] if equations.layer else []
    options += [f"--direction {equations.direction}"] if equations.direction is Direction.BACKWARD else []
    return " ".join(options)


def _remarks(equations: Equations, written: Written) -> list[str]:
    """What to know about the notation, in full sentences."""
    notation, spec = written.notation, equations.layer_spec
    options = {
        "bias": spec.bias,
        "peepholes": spec.peepholes,
        "projection": spec.projection is not None,
        "backward": equations.direction is Direction.BACKWARD,
    }
    remarks = [*notation.remarks]
    for option, there in options.items():
        if there and option in notation.option_notes:
            borrowed = f"This notation has no signs for {option}; written here: " if option in written.borrowed else ""
            remarks.append(f"{borrowed}{notation.option_notes[option]}.")
    return remarks + _printed(written)


def _printed(written: Written) -> list[str]:
    check, notation = written.check, written.notation
    if check.printed is None:
        return []
    return [
        f"The source prints the {notation.printed_candidate} around the candidate. This LSTM, like those of Keras, PyTorch "
        f"and ONNX, has tanh there, so tanh is written here. With {notation.printed_candidate}, the results would be up to "
        f"{check.printed:.2g} away from the run."
    ]
