"""The matrices of influence: heat tables of derivatives, a row for each number that moves."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction
from lstm_explain.document.blocks import Block, Cell, Column, Heading, Paragraph, Table
from lstm_explain.document.numbers import format_decimal, format_fraction, thousands, tint
from lstm_explain.document.tables import MAX_UNITS, elide_rows, ellipsis_row, visible_ends
from lstm_explain.topics.intro import feature_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.topics.influence import Influence

ITSELF = "*"
"""Marks the diagonal of a matrix: a unit's influence on itself."""


def matrices(influence: Influence) -> list[Block]:
    """All derivatives of the timestep, or their mean sizes."""
    found, plain, before = influence.derivatives.matrices, influence.layer_spec.projection is None, _before_symbol(influence)
    blocks = [
        *_matrix(influence, "h_t", f"h_{before}", found.hidden_by_hidden, plain),
        *_matrix(influence, "c_t", f"h_{before}", found.cell_by_hidden, plain),
        *([] if plain else _matrix(influence, "h_t", f"c_{before}", found.hidden_by_cell, False)),
        *_diagonals(influence),
    ]
    by_input = found.hidden_by_input
    names = feature_names(influence, "t") if influence.layer == 0 else [f"x_t[{place}]" for place in range(len(by_input[0]))]
    unit = _noun(influence, len(by_input))
    heading = Heading(f"{_derivative(influence, 'h_t', 'x_t')}: how far each {unit} of h_t moves with each input")
    reads = (
        [Paragraph(f"In layer {influence.layer}, x_t is the output of layer {influence.layer - 1}.")]
        if influence.layer
        else []
    )
    return [*blocks, heading, *reads, _heat(unit, _numbers(len(by_input)), names, by_input)]


def _matrix(influence: Influence, moves: str, moved_by: str, matrix: Array, diagonal: bool) -> list[Block]:
    row, column = (_noun(influence, size) for size in matrix.shape)
    name = _derivative(influence, moves, moved_by)
    heading = Heading(f"{name}: row, a {row} of {moves}; column, the {column} of {moved_by} that moves it")
    rows, columns = map(_numbers, matrix.shape)
    blocks: list[Block] = [heading, _heat(row, rows, columns, matrix, diagonal)]
    if diagonal:
        blocks.insert(1, Paragraph(_own_and_others(matrix)))
    return blocks


def _derivative(influence: Influence, moves: str, moved_by: str) -> str:
    name = f"d{moves}/d{moved_by}"
    return name if influence.derivatives.averaged is None else f"|{name}| in the mean"


def _noun(influence: Influence, size: int) -> str:
    """A unit, or a number of h where a projection mixes them."""
    return "unit" if size == influence.layer_spec.units else "number"


def _before_symbol(influence: Influence) -> str:
    return "{t-1}" if influence.direction is Direction.FORWARD else "{t+1}"


def _numbers(size: int) -> list[str]:
    return [str(place) for place in range(size)]


def _own_and_others(matrix: Array) -> str:
    sizes = abs(matrix)
    count_, own = len(sizes), float(sizes.trace())
    others = float(sizes.sum()) - own
    mean = f"{own / count_:.3g}"
    if not isfinite(own + others):
        return f"The diagonal, marked {ITSELF}, is a unit's influence on itself; off it is what others do."
    if count_ == 1:
        return f"The diagonal, marked {ITSELF}: a unit's influence on itself, {mean}."
    return (
        f"The diagonal, marked {ITSELF}, is a unit's influence on itself: {mean} in the mean of its sizes. "
        f"Off it is what others do: {others / (count_ * (count_ - 1)):.3g}."
    )


def _diagonals(influence: Influence) -> list[Block]:
    """The matrices that have nothing off their diagonals, which is counted; as columns."""
    found = influence.derivatives.matrices
    before = f"c_{_before_symbol(influence)}"
    named = {_derivative(influence, "c_t", before): found.cell_by_cell}
    if influence.layer_spec.projection is None:
        named[_derivative(influence, "h_t", before)] = found.hidden_by_cell
    pairs = sum(matrix.size - len(matrix) for matrix in named.values())
    zero = sum(int((matrix == 0).sum()) - int((matrix.diagonal() == 0).sum()) for matrix in named.values())
    words = f"Memory is private: off these diagonals {thousands(zero)} of {thousands(pairs)} numbers are 0 exactly."
    private = [Paragraph(words)] if pairs else []  # a single unit has nothing off the diagonal
    columns = zip(*(matrix.diagonal().tolist() for matrix in named.values()), strict=True)
    rows = [
        (Cell(str(unit), strong=True), *(Cell(format_decimal(value, 3), tint=tint(value, 1.0)) for value in values))
        for unit, values in enumerate(columns)
    ]
    table = Table((Column("unit", "right"), *(Column(name, "right") for name in named)), elide_rows(rows, MAX_UNITS))
    return [Heading(f"{' and '.join(named)}: how far a unit's memory moves what comes next"), *private, table]


def _heat(corner: str, rows: Sequence[str], columns: Sequence[str], matrix: Array, diagonal: bool = False) -> Table:
    """A heat table; the diagonal marked where it means a unit itself."""
    scale = largest(matrix.ravel().tolist())
    columns = columns[:MAX_UNITS]
    front, back = visible_ends(rows, MAX_UNITS)
    shown = [place for place in range(len(rows)) if not front <= place < len(rows) - back]
    lines = [
        _heat_row(rows[place], matrix[place, : len(columns)].tolist(), scale, place if diagonal else None) for place in shown
    ]
    if back:
        lines.insert(front, ellipsis_row(len(columns) + 1))
    titles = (Column(name + " " * diagonal, "right") for name in columns)
    return Table((Column(corner, "right"), *titles), tuple(lines))


def _heat_row(label: str, values: list[float], scale: float, own: int | None) -> tuple[Cell, ...]:
    """A row of a matrix; `own` is the column that means the unit itself, where one does."""
    marks = ["" if own is None else ITSELF if column == own else " " for column in range(len(values))]
    cells = (
        Cell(format_fraction(value, 3) + mark, tint=tint(value, scale), strong=mark == ITSELF)
        for value, mark in zip(values, marks, strict=True)
    )
    return (Cell(label, strong=True), *cells)


def largest(values: Iterable[float]) -> float:
    """The largest size among the values: what gives the full colour."""
    return max((abs(value) for value in values if isfinite(value)), default=0.0)
