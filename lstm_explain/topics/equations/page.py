"""The page of `equations`: each equation with the shape under every symbol, and one unit's numbers put in."""

from __future__ import annotations

from math import ceil, isfinite, log10
from typing import TYPE_CHECKING

from lstm_explain.core.equations import Piece, pieces
from lstm_explain.core.gates import Direction, Gate
from lstm_explain.document.blocks import (
    Block,
    Document,
    Formula,
    FormulaSymbol,
    Heading,
    NextStep,
    Note,
    Paragraph,
    SideBySide,
)
from lstm_explain.document.numbers import format_decimal, plural, thousands
from lstm_explain.frameworks.registry import DEFAULT_NOTATION, NOTATIONS
from lstm_explain.topics.command_line import format_sample_command
from lstm_explain.topics.equations import EQUALS
from lstm_explain.topics.equations.symbol_tables import ROLES, comparison_tables, format_sizes, reference, symbol_table
from lstm_explain.topics.intro import closing_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lstm_explain.core.axes import Shape
    from lstm_explain.topics.equations import Chain, Equations, UnitNumbers, WrittenNotation
    from lstm_explain.topics.equations.writer import Equation

PLACES = 6  # as in the topic `unit`, so that both show the same digits
CLOSING = {")": " )", "]": " ]", ",": ","}
"""Pieces that are written onto the one before them: a line never begins with one."""


def document(equations: Equations) -> Document:
    """Lay out the equations in one notation, or all notations next to each other."""
    if equations.every:
        return _all_notations(equations)
    (written,) = equations.notations
    formulas = [block for equation in written.equations for block in _equation_blocks(equations, written, equation)]
    return (
        Heading(f"equations: {written.notation.title}, {_layer_text(equations)}", 1),
        Paragraph(_how_to_read(equations, written)),
        SideBySide((tuple(formulas), (Heading("Symbols"), symbol_table(written)))),
        Heading("What to know about this notation"),
        *map(Paragraph, _remarks(equations, written)),
        Note(f"Written as in {reference(written)}"),
        *closing_blocks(equations, _check_text(equations, written), _next_steps(equations)),
    )


def _all_notations(equations: Equations) -> Document:
    return (
        Heading(f"equations: every notation, symbol by symbol, {_layer_text(equations)}", 1),
        Paragraph("Below each symbol is its shape, for one sample at one timestep."),
        *comparison_tables(equations),
        Heading("What to know about them"),
        *(Paragraph(f"{written.notation.name}: {' '.join(_remarks(equations, written))}") for written in equations.notations),
        Heading("Sources"),
        *(Note(f"{written.notation.name}: {reference(written)}") for written in equations.notations),
        *closing_blocks(equations, _all_check_text(equations), _next_steps(equations)),
    )


def _next_steps(equations: Equations) -> list[NextStep]:
    unit, step = min(3, equations.layer_spec.units - 1), min(4, equations.length)
    if equations.numbers is not None:
        unit, step = equations.numbers.unit, equations.numbers.arithmetic.t
    notation = next(iter(equations.notations)).notation.name
    shown = None if equations.every or notation == DEFAULT_NOTATION else notation
    other = "keras" if shown is None else None
    one_unit = {"unit": unit, "step": step}
    steps = []
    if equations.numbers is None:
        reason = f"with unit {unit}'s numbers"
        steps.append(NextStep(format_sample_command("equations", equations, notation=shown, numbers=True, **one_unit), reason))
    else:
        steps.append(NextStep(format_sample_command("unit", equations, **one_unit), "every product of these sums"))
    reason = f"the same as in {NOTATIONS[other or DEFAULT_NOTATION].title}"
    steps.append(NextStep(format_sample_command("equations", equations, notation=other), reason))
    if not equations.every:
        steps.append(NextStep(format_sample_command("equations", equations, every=True), "all notations"))
    return steps


def _layer_text(equations: Equations) -> str:
    return f"layer {equations.layer}, {equations.direction}"


def _how_to_read(equations: Equations, written: WrittenNotation) -> str:
    orientation = "rows, before their weights" if written.notation.row_vectors else "columns, after their weights"
    unit = " (for all i and j)" if written.notation.names_unit else ""
    text = f"One timestep t of one sample. Below each symbol is the shape of its array{unit}."
    if equations.numbers is not None:
        numbers = equations.numbers
        asked = f"unit {numbers.unit} at timestep {numbers.arithmetic.t} of sample {thousands(equations.sample)}"
        text += f" Then come the numbers of {asked}, with the symbol of each below it."
    return f"{text} Vectors are {orientation}.{_reads(equations, written)}"


def _reads(equations: Equations, written: WrittenNotation) -> str:
    """What x is in a layer above the first."""
    if equations.layer == 0:
        return ""
    sign = next(symbol.sign.text for symbol in written.symbols if symbol.key == "input")
    both = ", of both directions" if equations.spec.for_layer(equations.layer - 1).bidirectional else ""
    return f" In layer {equations.layer}, {sign} is the output of layer {equations.layer - 1} at the same timestep{both}."


def _equation_blocks(equations: Equations, written: WrittenNotation, equation: Equation) -> list[Block]:
    blocks: list[Block] = [Heading(_title(written, equation), 3), equation_formula(equation, written.shapes)]
    numbers = equations.numbers
    chain = None if numbers is None else next((chain for chain in numbers.chains if chain.role == equation.role), None)
    if numbers is not None and chain is not None:
        blocks.append(_worked_formula(written, numbers, chain))
    elif numbers is not None:
        blocks.append(Note(f"Each of its numbers is mixed from all units, so none belongs to unit {numbers.unit} alone."))
    return blocks


def _worked_formula(written: WrittenNotation, numbers: UnitNumbers, chain: Chain) -> Formula:
    return calculation_formula(chain, "" if written.notation.names_unit else f"[{numbers.unit}]")


def _title(written: WrittenNotation, equation: Equation) -> str:
    """What an equation makes, and what the writer calls it."""
    ours, theirs = ROLES[equation.role], written.notation.terminology.get(equation.role, "")
    inside = Gate.CANDIDATE not in {other.role for other in written.equations} and equation.role == "cell"
    title = ours if theirs in ("", ours) else f"{ours}, here called {theirs}"
    title += ", with the candidate inside" if inside else ""
    title += f"; with {' and '.join(equation.borrowed)}, which this notation does not have" if equation.borrowed else ""
    return title[0].upper() + title[1:]


def _check_text(equations: Equations, written: WrittenNotation) -> str:
    text = f"{_how_computed_text(equations, 'these equations')}: {_difference_text(written.check.difference)}."
    if equations.numbers is None:
        return text
    return f"{text} The numbers are computed in float64: {_difference_text(equations.numbers.arithmetic.difference)}."


def _all_check_text(equations: Equations) -> str:
    largest = max(written.check.difference for written in equations.notations)
    return f"{_how_computed_text(equations, 'the equations of every notation')}: {_difference_text(largest)}."


def _how_computed_text(equations: Equations, what: str) -> str:
    return (
        f"Checked against the run: computed in float64 as written, from the layer's own weights and the states of sample "
        f"{equations.sample}, {what} give the gates, c and h that the run recorded in {equations.spec.dtype} at "
        f"{plural(equations.length, 'timestep')}"
    )


def _difference_text(difference: float) -> str:
    """How far results are from the run, as a power of ten. Differences below 1e-15 are rounding and reported as 1e-15."""
    if not isfinite(difference):
        return "nan and infinite numbers are among them, which cannot be compared"
    power = -15 if difference == 0 else max(ceil(log10(difference)), -15)
    return f"none differs by more than 1e{power} from the run"


def _remarks(equations: Equations, written: WrittenNotation) -> list[str]:
    """What to know about the notation, in full sentences."""
    notation, spec = written.notation, equations.layer_spec
    options = {
        "bias": spec.bias,
        "peepholes": spec.peepholes,
        "projection": spec.projection is not None,
        "backward": equations.direction is Direction.BACKWARD,
    }
    remarks = [*notation.remarks]
    for option, is_used in options.items():
        if is_used and option in notation.option_notes:
            borrowed = f"This notation has no symbols for {option}. Written here: " if option in written.borrowed else ""
            remarks.append(f"{borrowed}{notation.option_notes[option]}.")
    return remarks + _printed_candidate_text(written)


def _printed_candidate_text(written: WrittenNotation) -> list[str]:
    check, notation = written.check, written.notation
    if check.printed is None:
        return []
    return [
        f"The source prints the {notation.printed_candidate} around the candidate. This LSTM, like those of Keras, PyTorch "
        f"and ONNX, has tanh there, so tanh is written here. With {notation.printed_candidate}, the results would be up to "
        f"{check.printed:.2g} away from the run."
    ]


# --- formulas ----------------------------------------------------------------------------------------------------------


def equation_formula(equation: Equation, shapes: dict[str, Shape]) -> Formula:
    """An equation with the shape under each of its symbols."""
    parts = [*pieces(equation.left), EQUALS, *pieces(equation.right)]
    signs = [(piece.text, format_sizes(shapes[piece.key]) if piece.key else "") for piece in parts]
    latex = (_under(piece.latex, _latex_sizes(shapes[piece.key]) if piece.key else "") for piece in parts)
    return Formula(_attach_closing(signs), " ".join(latex))


def calculation_formula(chain: Chain, unit: str) -> Formula:
    """An equation with numbers in it, worked out down to the result; `unit` names the unit behind the first sign."""
    left = chain.left.sign
    symbols, lines = [FormulaSymbol(left.text + unit)], []
    for number, line in enumerate(chain.lines):
        parts = list(pieces(line))
        (first, under), *others = map(_number, parts)
        sides = _attach_closing([(f"= {first}", f"  {under}"), *others])  # no line ends with an equals sign
        symbols += [sides[0]._replace(breaks=number == 1), *sides[1:]]
        lines.append(" ".join(map(_latex_number, parts)))
    latex = r" \\ ".join(f"&= {line}" for line in lines)
    return Formula(tuple(symbols), rf"\begin{{aligned}} {left.latex}{unit} {latex} \end{{aligned}}")


def _number(piece: Piece) -> tuple[str, str]:
    return (piece.text, "") if piece.value is None else (_decimal(piece.value), piece.text)


def _latex_number(piece: Piece) -> str:
    if piece.value is None:
        return piece.latex
    return _under(_decimal(piece.value).replace("·", r"\mathrm{nan}").replace("inf", r"\infty"), piece.latex)


def _decimal(value: float) -> str:
    return format_decimal(value, PLACES).strip()


def _under(latex: str, below: str) -> str:
    return rf"\underset{{{below}}}{{{latex}}}" if below else latex


def _latex_sizes(shape: Shape) -> str:
    return format_sizes(shape, r" \times ")


def _attach_closing(signs: Iterable[tuple[str, str]]) -> tuple[FormulaSymbol, ...]:
    """Signs as symbols of a formula, with closing brackets and commas written onto what they close."""
    symbols: list[FormulaSymbol] = []
    for text, under in signs:
        if text in CLOSING and symbols:
            symbols[-1] = symbols[-1]._replace(text=symbols[-1].text + CLOSING[text])
        else:
            symbols.append(FormulaSymbol(text, under))
    return tuple(symbols)
