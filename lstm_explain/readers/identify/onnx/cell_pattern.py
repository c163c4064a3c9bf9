"""The nodes of one LSTM cell, where an exporter wrote it out: which gate each piece of the sums is, told from its use.

    h' = o * tanh(c')        c' = f * c + i * g        i, f, o = sigmoid(pieces of z)        g = tanh(piece of z)

What multiplies tanh(c') is o; of the two products that c' adds up, the one of two activations is i * g, of which g is the
tanh; what multiplies the old c is f. Nothing is assumed of the order of operands, nor of the order in which z is cut.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import Gate
from lstm_explain.readers.identify.onnx.dataflow import Source, attribute, numbers, operator, source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.onnx.constants import Constants
    from lstm_explain.readers.containers.onnx.graph import Place


ACTIVATIONS = {
    "Sigmoid", "Tanh", "HardSigmoid", "Relu", "LeakyRelu", "ThresholdedRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu",
    "Softplus", "Softsign", "HardSwish", "Mish", "Clip",
}  # fmt: skip
"""Operators that a gate may be, whether they are explained or not; Clip is how TensorFlow's hard sigmoid is written."""
STANDARD = ("Sigmoid", "Tanh", "Tanh")
MOST_OF_A_BOUND = 24
"""No more nodes compute where a piece of the sums begins; torch writes six."""


class Activation(NamedTuple):
    """An activation of something."""

    kind: str
    of: Source


class Cell(NamedTuple):
    """The nodes of a cell."""

    place: Place
    """The node that makes h'."""
    hidden: Source
    """The new hidden state, h'."""
    cell: Source
    """The new cell state, c'."""
    old_cell: Source
    activations: tuple[str, str, str]
    """Of the gates, of the candidate, and of the new cell state."""
    pieces: dict[Gate, Source]
    """What each gate is an activation of."""


def cell_of(place: Place) -> Cell | None:
    """The cell whose hidden state a node Mul makes, None where it is another product."""
    if operator(place.node) != "Mul" or len(place.node.input) != 2 or len(place.node.output) != 1:
        return None
    one, other = (_activation(source(place.scope, name)) for name in place.node.input)
    if one is None or other is None:
        return None
    for gate, squashed in ((one, other), (other, one)):
        if squashed.of.kind == "Add" and (found := _update(place, gate, squashed)) is not None:
            return found
    return None


def _update(place: Place, gate: Activation, squashed: Activation) -> Cell | None:
    """The cell whose new state an Add makes: f * c + i * g."""
    products = [squashed.of.of(number) for number in range(2)]
    if any(one.kind != "Mul" or len(one.inputs) != 2 for one in products):
        return None
    for written, kept in (products, products[::-1]):
        factors = [_activation(written.of(number)) for number in range(2)]
        forget = [_activation(kept.of(number)) for number in range(2)]
        if None in factors or forget.count(None) != 1:
            continue
        first, second = (one for one in factors if one is not None)
        if (first.kind == gate.kind) == (second.kind == gate.kind):  # which is the gate cannot be told
            continue
        opened, candidate = (first, second) if first.kind == gate.kind else (second, first)
        number = 1 - forget.index(None)
        keeps = forget[number]
        if keeps is None or keeps.kind != gate.kind:
            continue
        pieces = {Gate.INPUT: opened.of, Gate.FORGET: keeps.of, Gate.CANDIDATE: candidate.of, Gate.OUTPUT: gate.of}
        kinds = (gate.kind, candidate.kind, squashed.kind)
        new = Source(place.scope, place.node.output[0])
        return Cell(place, new, squashed.of, kept.of(1 - number), kinds, pieces)
    return None


def _activation(one: Source) -> Activation | None:
    """The activation that makes a value; a Clip is seen through a factor, as in TensorFlow's hard sigmoid, (z + 3) / 6."""
    scaled = one.kind in ("Mul", "Div") and len(one.inputs) == 2
    if scaled:
        held = [_held(one, number) for number in range(2)]
        one = one.of(held.index(False)) if held.count(True) == 1 else one
    if one.kind not in ACTIVATIONS or not one.inputs or (scaled and one.kind != "Clip"):
        return None
    return Activation(one.kind, one.of(0))


def _held(one: Source, number: int) -> bool:
    found = one.of(number)
    return found.name in found.scope.tensors or found.kind == "Constant"


# --- where the pieces stand in the sums -------------------------------------------------------------------------------


class Piece(NamedTuple):
    """Some neighbouring columns of the sums."""

    sums: Source
    first: int
    last: int
    """The column after the last."""


def piece(one: Source, columns: int, constants: Constants) -> Piece | None:
    """Which columns of the sums a gate reads.

    Args:
        one: what the gate is an activation of.
        columns: how many columns the sums have.
        constants: the model's constant values.
    """
    if one.kind == "Split" and one.maker is not None:
        outputs = len(one.maker[0].output)
        sizes = numbers(one, 1, "split", constants) or [columns // outputs] * outputs
        if attribute(one, "axis", 0) not in (1, -1) or len(sizes) != outputs or sum(sizes) != columns or min(sizes) < 0:
            return None
        first = sum(sizes[: one.maker[1]])
        return Piece(one.of(0), first, first + sizes[one.maker[1]])
    if one.kind == "Slice":
        bounds = [_bound(one, number, name, columns, constants) for number, name in ((1, "starts"), (2, "ends"))]
        steps = numbers(one, 4, "steps", constants) or [1]
        if numbers(one, 3, "axes", constants) not in ([1], [-1]) or steps != [1] or None in bounds:
            return None
        first, last = (one if one >= 0 else one + columns for one in bounds if one is not None)
        return Piece(one.of(0), first, min(last, columns))
    return None


def cut(one: Source) -> Source | None:
    """What a gate's piece is cut out of."""
    return one.of(0) if one.kind in ("Split", "Slice") and one.inputs else None


def _bound(one: Source, number: int, name: str, columns: int, constants: Constants) -> int | None:
    known = numbers(one, number, name, constants)
    if known is not None:
        return known[0] if len(known) == 1 else None
    if number >= len(one.inputs):
        return None
    return _whole(one.of(number), one.of(0), columns, constants, iter(range(MOST_OF_A_BOUND)))


def _whole(one: Source, sums: Source, columns: int, constants: Constants, left: Iterator[int]) -> int | None:
    """A whole number that is computed from how many columns the sums have, as torch writes the places of a cut."""
    if next(left, None) is None:
        return None
    known = constants.known_value(*one)
    if known is not None:
        return int(known.ravel()[0]) if known.size == 1 and known.dtype.kind in "iu" else None
    if one.kind == "Gather" and one.of(0).kind == "Shape" and one.of(0).of(0).key == sums.key:
        index = constants.known_value(one.scope, one.inputs[1])
        return columns if index is not None and index.size == 1 and int(index.ravel()[0]) in (1, -1) else None
    if one.kind not in ("Add", "Sub", "Mul", "Div"):
        return None
    parts = [_whole(one.of(number), sums, columns, constants, left) for number in range(2)]
    return _reckoned(one.kind, *parts)


def _reckoned(kind: str, first: int | None, second: int | None) -> int | None:
    if first is None or second is None or (kind == "Div" and second <= 0):
        return None
    return {"Add": first + second, "Sub": first - second, "Mul": first * second}.get(kind, first // max(second, 1))


MOST_OF_A_SUM = 16
"""No more nodes make the sums of one cell; exporters write up to six."""


class Matrix(NamedTuple):
    """Weights, and what they are multiplied with."""

    by: Source
    array: Array
    """[features or units, 4*units]"""
    named: Source
    turned: bool
    """Whether the file has it as [4*units, features or units]."""
    at: int | None = None
    """Which timestep of `by` is taken, where that is done after multiplying; None where `by` is one timestep."""
    axis: int = 0
    """The axis of timesteps then."""


class Sums(NamedTuple):
    """What is added up."""

    matrices: list[Matrix]
    added: list[tuple[Source, Array]]
    """Vectors of 4*units numbers."""


class Known:
    """What is known of constants, each looked at once however many timesteps read it."""

    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        self.vectors: dict[tuple[int, str], Array | None] = {}
        self.digests: dict[tuple[int, str], bytes] = {}

    def vector(self, one: Source) -> Array | None:
        """A constant that is the same for all samples, as one row of it; None where it is another."""
        if one.key not in self.vectors:
            array = self.constants.known_value(*one)
            fits = array is not None and array.dtype.kind == "f" and array.size and array.ndim in (1, 2)
            rows = array.reshape(-1, array.shape[-1]) if array is not None and fits else None
            self.vectors[one.key] = None if rows is None or (rows != rows[:1]).any() else rows[0]
        return self.vectors[one.key]

    def same(self, one: Matrix, other: Matrix) -> bool:
        """Whether two matrices hold the same numbers."""
        if one.named.key == other.named.key or one.array.shape != other.array.shape:
            return one.array.shape == other.array.shape and one.turned == other.turned
        return self._digest(one) == self._digest(other)

    def _digest(self, one: Matrix) -> bytes:
        if one.named.key not in self.digests:
            self.digests[one.named.key] = blake2b(np.ascontiguousarray(one.array).data).digest()
        return self.digests[one.named.key]


def sums_of(one: Source, known: Known) -> Sums | None:
    """The sums that a value is; None where it is more than products with constant weights and constant vectors."""
    found = Sums([], [])
    return found if _add(one, known, found, iter(range(MOST_OF_A_SUM)), None) else None


def _add(one: Source, known: Known, found: Sums, left: Iterator[int], at: tuple[int, int] | None) -> bool:
    """Note what a value adds to the sums; `at` is the axis and the timestep of it that are taken."""
    if next(left, None) is None:
        return False
    if one.kind == "Add" and len(one.inputs) == 2:
        return all(_add(one.of(number), known, found, left, at) for number in range(2))
    if one.kind == "MatMul" and len(one.inputs) == 2:
        return _product(one, known, found, at, turned=False)
    if one.kind == "Gemm" and len(one.inputs) in (2, 3):
        return at is None and _plain(one) and _gemm(one, known, found, left)
    if one.kind == "Gather" and at is None:
        index = known.constants.known_value(one.scope, one.inputs[1])
        if index is not None and index.ndim == 0 and index.dtype.kind in "iu" and attribute(one, "axis", 0) in (0, 1):
            return _add(one.of(0), known, found, left, (attribute(one, "axis", 0), int(index)))
        return False
    vector = known.vector(one)
    found.added.extend([] if vector is None else [(one, vector)])
    return vector is not None


def _plain(one: Source) -> bool:
    """Whether a Gemm is a product and a sum, and no more."""
    if one.maker is None:
        return False
    factors = [one.scope.attribute(one.maker[0], name) for name in ("alpha", "beta")]
    return all(factor is None or factor.f == 1 for factor in factors) and attribute(one, "transA", 0) == 0


def _gemm(one: Source, known: Known, found: Sums, left: Iterator[int]) -> bool:
    turned = attribute(one, "transB", 0) == 1
    rest = len(one.inputs) < 3 or not one.inputs[2] or _add(one.of(2), known, found, left, None)
    return rest and _product(one, known, found, None, turned=turned)


def _product(one: Source, known: Known, found: Sums, at: tuple[int, int] | None, *, turned: bool) -> bool:
    array = known.constants.known_value(one.scope, one.inputs[1])
    if array is None or array.ndim != 2 or array.dtype.kind != "f" or not array.size:
        return False
    axis, number = at or (0, None)
    array = array.T if turned else array
    found.matrices.append(Matrix(one.of(0), array, source(one.scope, one.inputs[1]), turned, number, axis))
    return len(found.matrices) <= 2
