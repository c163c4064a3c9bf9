"""Formulas: an equation with what stands under each of its symbols, for the page and in LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.document.blocks import Formula, FormulaSymbol
from lstm_explain.document.numbers import format_decimal
from lstm_explain.topics.equations.expression import Piece, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lstm_explain.core.axes import Shape
    from lstm_explain.topics.equations.builder import Equation
    from lstm_explain.topics.equations.numbers import Chain

PLACES = 6  # as in the topic `unit`, so that both show the same digits
EQUALS = Piece("=", "=")
CLOSING = {")": " )", "]": " ]", ",": ","}
"""Pieces that are written onto the one before them: a line never begins with one."""


def sizes(shape: Shape, times: str = "×") -> str:
    """A shape as it stands under a symbol: (10×5), or (10) for a vector."""
    return f"({times.join(map(str, shape.sizes))})"


def equation(one: Equation, shapes: dict[str, Shape]) -> Formula:
    """An equation with the shape under each of its symbols."""
    found = [*pieces(one.left), EQUALS, *pieces(one.right)]
    signs = [(piece.text, sizes(shapes[piece.key]) if piece.key else "") for piece in found]
    latex = (_under(piece.latex, _latex_sizes(shapes[piece.key]) if piece.key else "") for piece in found)
    return Formula(_closed(signs), " ".join(latex))


def worked(chain: Chain, unit: str) -> Formula:
    """An equation with numbers in it, worked out down to the result; `unit` names the unit behind the first sign."""
    left = chain.left.sign
    signs, lines = [(left.text + unit, "")], []
    for line in chain.lines:
        found = list(pieces(line))
        (first, under), *rest = map(_number, found)
        signs += [(f"= {first}", f"  {under}"), *rest]  # in one, so that no line ends with an equals sign
        lines.append(" ".join(map(_latex_number, found)))
    latex = r" \\ ".join(f"&= {line}" for line in lines)
    return Formula(_closed(signs), rf"\begin{{aligned}} {left.latex}{unit} {latex} \end{{aligned}}")


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
    return sizes(shape, r" \times ")


def _closed(signs: Iterable[tuple[str, str]]) -> tuple[FormulaSymbol, ...]:
    """Signs as symbols of a formula, with closing brackets and commas written onto what they close."""
    symbols: list[FormulaSymbol] = []
    for text, under in signs:
        if text in CLOSING and symbols:
            symbols[-1] = symbols[-1]._replace(text=symbols[-1].text + CLOSING[text])
        else:
            symbols.append(FormulaSymbol(text, under))
    return tuple(symbols)
