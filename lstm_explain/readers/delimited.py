"""CSV: rows are timesteps, columns are features. Every bad cell is named by line and column."""

from __future__ import annotations

import csv
from array import array
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from lstm_explain.errors import InputFileError, RefusedError, UsageError
from lstm_explain.readers.opening import lines, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.core.axes import Array

MOST_NAMED, MOST_DIGITS = 8, 9
MISSING = {"", "na", "n/a", "#n/a", "null", "none", "-", "?"}
"""How a cell says that its number is missing. In the first line, that does not make a header of it."""
SEPARATORS = {";": "semicolons", "\t": "tabs", " ": "spaces", "|": "bars"}


class Columns(NamedTuple):
    """Numbers by rows and columns, and the columns' names where the file has a header."""

    values: Array
    """float64[rows, columns]"""
    names: tuple[str, ...] | None


def read_csv(file: BinaryIO, name: str, wanted: Sequence[str] | None, budget: int) -> Columns:
    """Read a CSV file of numbers, with or without a header. Blank lines are passed over.

    The first line is a header if a column is text there and a number in the second line. A column that is text in both, such
    as a date, says nothing; nor does a word for a missing number, such as NA.

    Args:
        file: the bytes.
        name: what to call the file.
        wanted: the columns to read, by name or by place from 0; all if None.
        budget: the most bytes of text to read, and of numbers to hold.

    Raises:
        InputFileError: no rows, rows of unequal length, or a cell that is no number.
        UsageError: there is no such column.
        RefusedError: the file, or the numbers in it, are larger than the budget.
    """
    rows = _rows(file, name, budget)
    start = list(islice(rows, 2))
    if not start:
        raise InputFileError(shown(name), "the file is empty", "Give one row for each timestep, one column for each feature")
    header = _header([cells for _, cells in start])
    line, first = start[0]
    places = _places(header, len(first), wanted, name)
    values = array("d")
    for number, cells in chain(start[1:] if header else start, rows):
        if len(cells) != len(first):
            cell = "cell" if len(cells) == 1 else "cells"
            found = f"line {number} has {len(cells)} {cell}, and line {line} has {len(first)}"
            raise InputFileError(shown(name), found, "Give every row the same number of cells")
        values.extend(_numbers((number, cells), places, header, name))
        if len(values) * values.itemsize > budget:
            found = f"its numbers up to line {number} fill more than the memory budget of {budget} bytes"
            raise RefusedError(shown(name), found, "Choose fewer columns with --columns, or raise --max-memory")
    if not values:
        raise InputFileError(shown(name), "there is a header and no row of numbers after it")
    table = np.frombuffer(values).reshape(-1, len(places))
    return Columns(table, None if header is None else tuple(shown(header[place]) for place in places))


def _rows(file: BinaryIO, name: str, budget: int) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its line."""
    reader = csv.reader(lines(file, name, budget), strict=True)
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield reader.line_num, stripped
    except csv.Error as error:
        raise InputFileError(shown(name), f"line {reader.line_num} is no CSV: {error}") from None


def _header(rows: list[list[str]]) -> list[str] | None:
    first, second = rows[0], rows[1] if len(rows) > 1 else []
    turned = any(_is_name(one) and _is_number(other) for one, other in zip(first, second, strict=False))
    alone = not second and not any(map(_is_number, first))
    numbered = len(first) > 1 and first == ["", *map(str, range(len(first) - 1))]  # as pandas names columns without names
    return first if turned or alone or numbered else None


def _is_name(cell: str) -> bool:
    return not _is_number(cell) and cell.lower() not in MISSING


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _places(header: list[str] | None, width: int, wanted: Sequence[str] | None, name: str) -> list[int]:
    if wanted is None:
        return list(range(width))
    places = [_place(column, header, width, name) for column in wanted]
    for nth, place in enumerate(places):
        if place in places[:nth]:
            found = f"column {place} of {shown(name)} is asked for twice"
            raise UsageError(f"--columns {shown(','.join(wanted))}", found, "Name each column once")
    return places


def _place(column: str, header: list[str] | None, width: int, name: str) -> int:
    if header is not None and column in header:
        same = [place for place, one in enumerate(header) if one == column]
        if len(same) > 1:
            found = f"{shown(name)} has {len(same)} columns of that name, at {', '.join(map(str, same[:MOST_NAMED]))}"
            raise UsageError(f"--columns {shown(column)}", found, "Choose by place")
        return same[0]
    if column.isascii() and column.isdigit() and len(column) <= MOST_DIGITS and int(column) < width:
        return int(column)
    known = f"the columns are {_named(header)}" if header else f"it has no header, and its columns count from 0 to {width - 1}"
    raise UsageError(f"--columns {shown(column)}", f"{shown(name)} has no such column; {known}")


def _named(header: list[str]) -> str:
    names = [shown(one) or "(no name)" for one in header[:MOST_NAMED]]
    return ", ".join(names) + (f" and {len(header) - MOST_NAMED} more" if len(header) > MOST_NAMED else "")


def _numbers(row: tuple[int, list[str]], places: list[int], header: list[str] | None, name: str) -> list[float]:
    number, cells = row
    for place in places:
        if not _is_number(cells[place]):
            raise _bad_cell(number, place, cells[place], header, name)
    return [float(cells[place]) for place in places]


def _bad_cell(number: int, place: int, cell: str, header: list[str] | None, name: str) -> InputFileError:
    column = f"column {place}" + (f" ({shown(header[place])})" if header else "")
    wrong = f"'{shown(cell)}' is no number" if cell else "the cell is empty"
    separator = _other_separator(cell)
    fix = f"Leave column {place} out by naming the others with --columns, by name or by place from 0"
    if not cell:
        fix = "Fill the cell, drop the line, or leave the column out by naming the others with --columns"
    if separator:
        fix = f"Its cells seem to be separated by {separator}: separate them by commas, and write numbers with a point"
    return InputFileError(shown(name), f"line {number}, {column}: {wrong}", fix)


def _other_separator(cell: str) -> str:
    """What seems to separate cells inside of what commas separate; nothing where the cell is one word, or a sentence."""
    for mark, separator in SEPARATORS.items():
        pieces = cell.split(mark)
        if len(pieces) > 1 and (mark in ";\t" or all(map(_is_number, pieces))):
            return separator
    return ""
