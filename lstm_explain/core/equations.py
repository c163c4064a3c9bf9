"""The equations of an LSTM as expression trees: how each is written, the shapes in it, and its value.

All three are read from the same tree, so what is printed is what was computed. A notation decides how the trees are arranged
and which signs they have; see `topics/equations/writer.py`. A test compares them with the reference cell and the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.core.cell import sigmoid
from lstm_explain.core.gates import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lstm_explain.core.axes import Array


ResultRole: TypeAlias = Gate | Literal["cell", "emitted", "hidden"]
"""What an equation computes; `emitted` is o tanh(c) where h is a projection of it."""


class Sign(NamedTuple):
    """How a thing is written: on a page of characters, and in LaTeX."""

    text: str
    latex: str

    def substitute(self, time: str, unit: str, columns: slice) -> Sign:
        """The sign with its markers replaced."""
        braced = f"{{{time}}}" if set("+-") & set(time) else time
        cut = {"%u": unit, "%a": str(columns.start), "%z": str(columns.stop), "%b": time}
        text, latex = self.text.replace("%t", braced), self.latex.replace("%t", time)
        for marker, value in cut.items():
            text, latex = text.replace(marker, value), latex.replace(marker, value)
        return Sign(text, latex)


class Symbol(NamedTuple):
    """A quantity: a vector or the weights of something."""

    key: str
    """Which one, in our words, such as `kernel.forget_gate`."""
    sign: Sign


class Number(NamedTuple):
    """A number that has taken the place of a part of the expression, for one unit."""

    value: float
    sign: Sign | None
    """What the number was computed of."""


class Concatenation(NamedTuple):
    """Vectors side by side in one."""

    key: str
    parts: tuple[Symbol, ...]


class Product(NamedTuple):
    """Weights times a vector."""

    key: str
    weights: Symbol
    vector: Symbol | Concatenation
    rows: bool
    """Whether the vector is a row and stands first."""
    opening: Sign
    between: Sign


class ElementwiseProduct(NamedTuple):
    """A product element by element."""

    key: str
    left: Expression
    right: Expression
    between: Sign


class Sum(NamedTuple):
    """A sum."""

    key: str
    parts: tuple[Expression, ...]


class FunctionCall(NamedTuple):
    """A function of every element."""

    key: str
    function: str
    """`sigmoid` or `tanh`."""
    sign: Sign
    argument: Expression


Expression: TypeAlias = Symbol | Number | Concatenation | Product | ElementwiseProduct | Sum | FunctionCall

FUNCTIONS: dict[str, Callable[[Array], Array]] = {"sigmoid": sigmoid, "tanh": np.tanh}


class Piece(NamedTuple):
    """A piece of a written equation: a sign, a mark, or a number."""

    text: str
    latex: str
    key: str | None = None
    """Of the quantity, where the piece is a sign of one."""
    value: float | None = None
    """Where the piece is a number; then text and LaTeX say what it was computed of."""


def pieces(expression: Expression) -> Iterator[Piece]:
    """The expression as it is written, piece by piece."""
    match expression:
        case Symbol(key, sign):
            yield Piece(*sign, key=key)
        case Number(value, sign):
            yield Piece(*(sign or ("", "")), value=value)
        case Concatenation(key, parts):
            yield Piece("[", "[", key=key)
            yield from _between(parts, Piece(",", ","))
            yield Piece("]", "]")
        case Product(_, weights, vector, rows, opening, between):
            yield from _mark(opening)
            yield from _between((vector, weights) if rows else (weights, vector), *_mark(between))
        case ElementwiseProduct(_, left, right, between):
            yield from _between((left, right), *_mark(between))
        case Sum(_, parts):
            yield from _between(parts, Piece("+", "+"))
        case FunctionCall(_, _, sign, argument):
            yield Piece(f"{sign.text}(", f"{sign.latex}(")
            yield from pieces(argument)
            yield Piece(")", ")")


def _mark(sign: Sign) -> list[Piece]:
    return [Piece(*sign)] if sign.text else []


def _between(parts: tuple[Expression, ...], *marks: Piece) -> Iterator[Piece]:
    for index, part in enumerate(parts):
        yield from marks if index else ()
        yield from pieces(part)


def symbols_in(expression: Expression) -> Iterator[Symbol]:
    """Every quantity that an expression names, in order. What it joins is named as a whole first, then by part."""
    match expression:
        case Symbol():
            yield expression
        case Concatenation(key, parts):
            yield Symbol(key, _as_sign(expression))
            yield from parts
        case Product(_, weights, vector):
            yield weights
            yield from symbols_in(vector)
        case ElementwiseProduct(_, left, right):
            yield from (*symbols_in(left), *symbols_in(right))
        case Sum(_, parts):
            yield from (name for part in parts for name in symbols_in(part))
        case FunctionCall(_, _, _, argument):
            yield from symbols_in(argument)


def evaluate(expression: Expression, arrays: Mapping[str, Array]) -> Array:
    """Compute an expression. Vectors have a leading axis of timesteps: [timesteps, n].

    Args:
        expression: the right side of an equation, or a part of it.
        arrays: the quantities by key: vectors [timesteps, n], weights [n, m] or [n].
    """
    result: Array
    match expression:
        case Symbol(key, _):
            result = arrays[key]
        case Concatenation(_, parts):
            result = np.concatenate([arrays[part.key] for part in parts], axis=-1)
        case Product(_, weights, vector, rows, _, _):
            matrix = arrays[weights.key]
            result = evaluate(vector, arrays) @ (matrix if rows else matrix.T)
        case ElementwiseProduct(_, left, right, _):
            result = evaluate(left, arrays) * evaluate(right, arrays)
        case Sum(_, parts):
            first, *rest = (evaluate(part, arrays) for part in parts)
            result = sum(rest, start=first)
        case FunctionCall(_, function, _, argument):
            result = FUNCTIONS[function](evaluate(argument, arrays))
        case Number():
            raise TypeError("a number of one unit has no array")
    return result


def substitute_numbers(expression: Expression, numbers: Mapping[str, float], times: Sign) -> Expression:
    """Put one unit's numbers in the place of every vector and every product of weights; `times` is written between two."""
    match expression:
        case Symbol(key, sign):
            return Number(numbers[key], sign)
        case Product(key):
            return Number(numbers[key], _as_sign(expression))
        case ElementwiseProduct(key, left, right, _):
            return ElementwiseProduct(
                key, substitute_numbers(left, numbers, times), substitute_numbers(right, numbers, times), times
            )
        case Sum(key, parts):
            return Sum(key, tuple(substitute_numbers(part, numbers, times) for part in parts))
        case FunctionCall(_, _, _, argument):
            return expression._replace(argument=substitute_numbers(argument, numbers, times))
    return expression


def reduce_once(expression: Expression, numbers: Mapping[str, float]) -> Expression:
    """Work out every operation whose operands are numbers already: the next line of a calculation by hand."""
    match expression:
        case ElementwiseProduct(key, Number(), Number(), _):
            return Number(numbers[key], None)
        case ElementwiseProduct(key, left, right, between):
            return ElementwiseProduct(key, reduce_once(left, numbers), reduce_once(right, numbers), between)
        case Sum(key, parts) if all(isinstance(part, Number) for part in parts):
            return Number(numbers[key], None)
        case Sum(key, parts):
            return Sum(key, tuple(reduce_once(part, numbers) for part in parts))
        case FunctionCall(key, _, _, Number()):
            return Number(numbers[key], None)
        case FunctionCall(_, _, _, Sum(key, parts)) if all(map(_is_simple, parts)):
            return expression._replace(argument=Number(numbers[key], None))
        case FunctionCall(_, _, _, argument):
            return expression._replace(argument=reduce_once(argument, numbers))
    return expression


def _is_simple(expression: Expression) -> bool:
    """Whether it is a number, or the product of two: what is added up in one go."""
    return isinstance(expression, Number) or (
        isinstance(expression, ElementwiseProduct)
        and isinstance(expression.left, Number)
        and isinstance(expression.right, Number)
    )


def _as_sign(expression: Expression) -> Sign:
    """A part of an expression as one sign."""
    parts = list(pieces(expression))
    return Sign(text_of(parts), latex_of(parts))


def text_of(parts: list[Piece]) -> str:
    """Written pieces as a line of text; numbers are not among them."""
    line = " ".join(part.text for part in parts)
    for loose, tight in (("( ", "("), (" )", ")"), ("[ ", "["), (" ]", "]"), (" ,", ",")):
        line = line.replace(loose, tight)
    return line


def latex_of(parts: list[Piece]) -> str:
    """Written pieces in LaTeX; numbers are not among them."""
    return " ".join(part.latex for part in parts if part.latex)
