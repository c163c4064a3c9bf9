"""The derivatives of a timestep between units as tables: what the units read of each other, and what they keep."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from lstm_explain.document.blocks import Block, Cell, Column, Heading, Paragraph, SideBySide, Table
from lstm_explain.document.numbers import format_fraction, thousands, tint, tint_scale
from lstm_explain.document.tables import MAX_UNITS, elide_rows, heat_row
from lstm_explain.document.text import previous_step_name
from lstm_explain.topics.intro import feature_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.document.tables import Row
    from lstm_explain.topics.influence import Influence

ITSELF = "*"
"""Marks the diagonal of a matrix: a unit's influence on itself."""


def matrix_blocks(influence: Influence) -> list[Block]:
    """Heat tables of all derivatives of the timestep, or of their mean sizes: a row for each number that moves."""
    matrices, plain = influence.derivatives.matrices, influence.layer_spec.projection is None
    previous = previous_step_name(influence.direction)
    previous_h, previous_c = f"h_{{{previous}}}", f"c_{{{previous}}}"
    by_input = matrices.hidden_by_input
    names = [f"x_t[{column}]" for column in range(len(by_input[0]))] if influence.layer else feature_names(influence, "t")
    unit = _noun(influence, len(by_input))
    of_input: list[Block] = [
        Heading(f"{_derivative(influence, 'h_t', 'x_t')}: {unit}s of h_t by features of x_t"),
        *map(Paragraph, [_input_layer(influence)] if influence.layer else []),
        _heat_table(unit, names, by_input),
    ]
    tables: list[list[Block]] = [
        _square_matrix(influence, "h_t", previous_h, matrices.hidden_by_hidden, plain),
        _square_matrix(influence, "c_t", previous_h, matrices.cell_by_hidden, plain),
        *([] if plain else [_square_matrix(influence, "h_t", previous_c, matrices.hidden_by_cell, False)]),
        of_input,
    ]
    marked = f" {ITSELF} marks the diagonal, where a unit moves itself." if plain else ""
    return [
        Heading("How far each number moves when another changes a little: derivatives"),
        Paragraph(f"A row for each number that moves, a column for each that moves it.{marked}"),
        *(SideBySide(tuple(tuple(table) for table in tables[start : start + 2])) for start in range(0, len(tables), 2)),
    ]


def _input_layer(influence: Influence) -> str:
    return f"In layer {influence.layer}, x_t is the output of layer {influence.layer - 1}."


def _square_matrix(influence: Influence, moves: str, moved_by: str, matrix: Array, diagonal: bool) -> list[Block]:
    row, column = (_noun(influence, size) for size in matrix.shape)
    name = _derivative(influence, moves, moved_by)
    heading = Heading(f"{name}: {row}s of {moves} by {column}s of {moved_by}")
    explanation = [Paragraph(_diagonal_summary(matrix))] if diagonal else []
    return [heading, *explanation, _heat_table(row, [str(number) for number in range(matrix.shape[1])], matrix, diagonal)]


def _derivative(influence: Influence, moves: str, moved_by: str) -> str:
    name = f"d{moves}/d{moved_by}"
    return name if influence.derivatives.averaged is None else f"mean |{name}|"


def _noun(influence: Influence, size: int) -> str:
    """A unit, or a number of h where a projection mixes them."""
    return "unit" if size == influence.layer_spec.units else "number"


def _diagonal_summary(matrix: Array) -> str:
    sizes, units = abs(matrix), len(matrix)
    diagonal = float(sizes.trace())
    others = float(sizes.sum()) - diagonal
    if not isfinite(diagonal + others):
        return "Not all numbers are finite."
    if units == 1:
        return f"Absolute value: {diagonal:.3g}."
    return f"Mean absolute value: {diagonal / units:.3g} on the diagonal, {others / (units * (units - 1)):.3g} off it."


def memory_blocks(influence: Influence) -> list[Block]:
    """The matrices that are 0 off their diagonals, which is counted; as columns."""
    previous_c = f"c_{{{previous_step_name(influence.direction)}}}"
    matrices = {_derivative(influence, "c_t", previous_c): influence.derivatives.matrices.cell_by_cell}
    if influence.layer_spec.projection is None:
        matrices[_derivative(influence, "h_t", previous_c)] = influence.derivatives.matrices.hidden_by_cell
    pairs = sum(matrix.size - len(matrix) for matrix in matrices.values())
    zeros = sum(int((matrix == 0).sum()) - int((matrix.diagonal() == 0).sum()) for matrix in matrices.values())
    text = (
        f"A unit alone reads its own c: {thousands(zeros)} of {thousands(pairs)} derivatives by the c of another unit are "
        "exactly 0. Below are those by its own."
    )
    columns = zip(*(matrix.diagonal().tolist() for matrix in matrices.values()), strict=True)
    rows = [heat_row(str(unit), values, 1.0) for unit, values in enumerate(columns)]
    return [
        Heading(
            "How far a unit's memory moves its next c and h"
            if len(matrices) > 1
            else "How far a unit's memory moves its next c"
        ),
        *map(Paragraph, [text] if pairs else []),  # a single unit has nothing off the diagonal
        Table((Column("unit", "right"), *(Column(f"  {name}", "right") for name in matrices)), elide_rows(rows, MAX_UNITS)),
    ]


def _heat_table(corner: str, columns: Sequence[str], matrix: Array, diagonal: bool = False) -> Table:
    """A heat table; the diagonal is marked where it means a unit itself."""
    scale, columns = tint_scale(matrix.ravel().tolist()), columns[:MAX_UNITS]
    rows = [
        _matrix_row(str(number), values[: len(columns)].tolist(), scale, number if diagonal else None)
        for number, values in enumerate(matrix)
    ]
    titles = (Column(name + " " * diagonal, "right") for name in columns)
    return Table((Column(corner, "right"), *titles), elide_rows(rows, MAX_UNITS))


def _matrix_row(label: str, values: list[float], scale: float, itself: int | None) -> Row:
    """A row of a matrix; `itself` is the column that means the unit itself, if any."""
    marks = ["" if itself is None else ITSELF if column == itself else " " for column in range(len(values))]
    cells = (
        Cell(format_fraction(value, 3) + mark, tint=tint(value, scale), strong=mark == ITSELF)
        for value, mark in zip(values, marks, strict=True)
    )
    return (Cell(label, strong=True), *cells)
