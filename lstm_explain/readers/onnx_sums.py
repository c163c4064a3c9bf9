"""The sums that a written-out cell's gates read: x @ K + h @ R + b, in whatever order they are added up."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.readers.onnx_source import Source, attribute, source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.onnx_constants import Constants

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
