"""Expression: the right side of an equation as a tree, from which come how it is written, its shapes and its value.

Because all three are read off the same tree, what is printed is what was computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.core.cell import sigmoid
from lstm_explain.frameworks.notation import Sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lstm_explain.core.axes import Array


class Name(NamedTuple):
    """A quantity: a vector or the weights of something."""

    key: str
    """Which one, in our words, such as `kernel.forget_gate`."""
    sign: Sign


class Number(NamedTuple):
    """A number that has taken the place of a part of the expression, for one unit."""

    value: float
    sign: Sign | None
    """What the number was computed of."""


class Joined(NamedTuple):
    """Vectors side by side in one."""

    key: str
    parts: tuple[Name, ...]


class Product(NamedTuple):
    """Weights times a vector."""

    key: str
    weights: Name
    vector: Name | Joined
    rows: bool
    """Whether the vector is a row and stands first."""
    opening: Sign
    between: Sign


class Each(NamedTuple):
    """A product element by element."""

    key: str
    left: Expression
    right: Expression
    between: Sign


class Total(NamedTuple):
    """A sum."""

    key: str
    parts: tuple[Expression, ...]


class Applied(NamedTuple):
    """A function of every element."""

    key: str
    function: str
    """`sigmoid` or `tanh`."""
    sign: Sign
    argument: Expression


Expression: TypeAlias = Name | Number | Joined | Product | Each | Total | Applied

FUNCTIONS: dict[str, Callable[[Array], Array]] = {"sigmoid": sigmoid, "tanh": np.tanh}


class Piece(NamedTuple):
    """A piece of a written equation: a sign, a mark, or a number."""

    text: str
    latex: str
    key: str | None = None
    """Of the quantity, where the piece is a sign of one."""
    value: float | None = None
    """Where the piece is a number; then text and LaTeX say what it was computed of."""


def pieces(one: Expression) -> Iterator[Piece]:
    """The expression as it is written, piece by piece."""
    match one:
        case Name(key, sign):
            yield Piece(*sign, key=key)
        case Number(value, sign):
            yield Piece(*(sign or ("", "")), value=value)
        case Joined(key, parts):
            yield Piece("[", "[", key=key)
            yield from _between(parts, Piece(",", ","))
            yield Piece("]", "]")
        case Product(_, weights, vector, rows, opening, between):
            yield from _mark(opening)
            yield from _between((vector, weights) if rows else (weights, vector), *_mark(between))
        case Each(_, left, right, between):
            yield from _between((left, right), *_mark(between))
        case Total(_, parts):
            yield from _between(parts, Piece("+", "+"))
        case Applied(_, _, sign, argument):
            yield Piece(f"{sign.text}(", f"{sign.latex}(")
            yield from pieces(argument)
            yield Piece(")", ")")


def _mark(sign: Sign) -> list[Piece]:
    return [Piece(*sign)] if sign.text else []


def _between(parts: tuple[Expression, ...], *marks: Piece) -> Iterator[Piece]:
    for place, part in enumerate(parts):
        yield from marks if place else ()
        yield from pieces(part)


def names(one: Expression) -> Iterator[Name]:
    """Every quantity that an expression names, in order. What it joins is named as a whole first, then by part."""
    match one:
        case Name():
            yield one
        case Joined(key, parts):
            yield Name(key, _whole(one))
            yield from parts
        case Product(_, weights, vector):
            yield weights
            yield from names(vector)
        case Each(_, left, right):
            yield from (*names(left), *names(right))
        case Total(_, parts):
            yield from (name for part in parts for name in names(part))
        case Applied(_, _, _, argument):
            yield from names(argument)


def value(one: Expression, arrays: Mapping[str, Array]) -> Array:
    """Compute an expression. Vectors have a leading axis of timesteps: [timesteps, n].

    Args:
        one: the expression.
        arrays: the quantities by key: vectors [timesteps, n], weights [n, m] or [n].
    """
    result: Array
    match one:
        case Name(key, _):
            result = arrays[key]
        case Joined(_, parts):
            result = np.concatenate([arrays[part.key] for part in parts], axis=-1)
        case Product(_, weights, vector, rows, _, _):
            matrix = arrays[weights.key]
            result = value(vector, arrays) @ (matrix if rows else matrix.T)
        case Each(_, left, right, _):
            result = value(left, arrays) * value(right, arrays)
        case Total(_, parts):
            first, *rest = (value(part, arrays) for part in parts)
            result = sum(rest, start=first)
        case Applied(_, function, _, argument):
            result = FUNCTIONS[function](value(argument, arrays))
        case Number():
            raise TypeError("a number of one unit has no array")
    return result


def with_numbers(one: Expression, numbers: Mapping[str, float], times: Sign) -> Expression:
    """Put one unit's numbers in the place of every vector and every product of weights; `times` is written between two."""
    match one:
        case Name(key, sign):
            return Number(numbers[key], sign)
        case Product(key):
            return Number(numbers[key], _whole(one))
        case Each(key, left, right, _):
            return Each(key, with_numbers(left, numbers, times), with_numbers(right, numbers, times), times)
        case Total(key, parts):
            return Total(key, tuple(with_numbers(part, numbers, times) for part in parts))
        case Applied(_, _, _, argument):
            return one._replace(argument=with_numbers(argument, numbers, times))
    return one


def reduced(one: Expression, numbers: Mapping[str, float]) -> Expression:
    """Work out every operation whose operands are numbers already: the next line of a calculation by hand."""
    match one:
        case Each(key, Number(), Number(), _):
            return Number(numbers[key], None)
        case Each(key, left, right, between):
            return Each(key, reduced(left, numbers), reduced(right, numbers), between)
        case Total(key, parts) if all(isinstance(part, Number) for part in parts):
            return Number(numbers[key], None)
        case Total(key, parts):
            return Total(key, tuple(reduced(part, numbers) for part in parts))
        case Applied(key, _, _, Number()):
            return Number(numbers[key], None)
        case Applied(_, _, _, Total(key, parts)) if all(map(_is_simple, parts)):
            return one._replace(argument=Number(numbers[key], None))
        case Applied(_, _, _, argument):
            return one._replace(argument=reduced(argument, numbers))
    return one


def _is_simple(one: Expression) -> bool:
    """Whether it is a number, or the product of two: what is added up in one go."""
    return isinstance(one, Number) or (
        isinstance(one, Each) and isinstance(one.left, Number) and isinstance(one.right, Number)
    )


def _whole(one: Expression) -> Sign:
    """A part of an expression as one sign."""
    parts = list(pieces(one))
    return Sign(in_one_line(parts), latex_of(parts))


def in_one_line(parts: list[Piece]) -> str:
    """Written pieces as a line of text; numbers are not among them."""
    line = " ".join(part.text for part in parts)
    for loose, tight in (("( ", "("), (" )", ")"), ("[ ", "["), (" ]", "]"), (" ,", ",")):
        line = line.replace(loose, tight)
    return line


def latex_of(parts: list[Piece]) -> str:
    """Written pieces in LaTeX; numbers are not among them."""
    return " ".join(part.latex for part in parts if part.latex)
