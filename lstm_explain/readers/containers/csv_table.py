"""CSV: rows are timesteps, columns are features. Every bad cell is named by line and column."""

from __future__ import annotations

import csv
from array import array
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from lstm_explain.errors import InputFileError, RefusedError, UsageError, printable
from lstm_explain.readers.containers.bounded_file import MemoryBudget, read_text_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.timestamps import TimestampKind
    from lstm_explain.readers.containers.wanted import CsvOptions

MOST_NAMED, MOST_DIGITS = 8, 9
MISSING = {"", "na", "n/a", "#n/a", "null", "none", "-", "?"}
"""How a cell says that its number is missing. In the first line, that does not make a header of it."""
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas", " ": "spaces"}
DELIMITERS = {";": "--delimiter ';'", "\t": "--delimiter tab", "|": "--delimiter '|'", ",": "--delimiter ,"}
"""What may separate cells, and how it is asked for."""


class CsvTable(NamedTuple):
    """Numbers by rows and columns, and the columns' names where the file has a header."""

    values: Array
    """float64[rows, columns]: those that were wanted, then the target's where it is not one of them"""
    names: tuple[str, ...] | None
    places: tuple[int, ...]
    """Where the columns stand in the file."""
    features: int
    """How many of them were wanted for themselves; the target comes after, where it is not one of them."""
    target: int | None = None
    """Which of these columns is the target."""
    times: Array | None = None
    """float64[rows]: each row's time, where there is a column of times"""
    clock: TimestampKind = "numbers"


class _Choice(NamedTuple):
    """The columns to read, by place."""

    places: tuple[int, ...]
    features: int
    target: int | None
    time: int | None


def read_csv(file: BinaryIO, name: str, wanted: CsvOptions, budget: int) -> CsvTable:
    """Read a CSV file of numbers, with or without a header. Blank lines are passed over.

    The first line is a header if a column is text there and a number in the second line. A column that is text in both, such
    as a date, says nothing; nor does a word for a missing number, such as NA.

    Args:
        file: the bytes.
        name: what to call the file.
        wanted: which columns to read, and how the file is written.
        budget: the most bytes of text to read, and of numbers to hold.

    Raises:
        InputFileError: no rows, rows of unequal length, or a cell that is no number.
        UsageError: there is no such column.
        RefusedError: the file, or the numbers in it, are larger than the budget.
    """
    rows = _rows(file, name, budget, wanted)
    start = list(islice(rows, 2))
    if not start:
        found = f"there is nothing after its first {wanted.skip_rows} lines" if wanted.skip_rows else "the file is empty"
        raise InputFileError(printable(name), found, "Give one row for each timestep, one column for each feature")
    header = _header([cells for _, cells in start])
    choice = _choice(header, len(start[0][1]), wanted, name)
    values, times = array("d"), array("d")
    clock: TimestampKind | None = None
    for number, cells in _even(chain(start[1:] if header else start, rows), start[0], name):
        values.extend(_numbers((number, cells), choice.places, header, name))
        if choice.time is not None:
            clock = _add_time(times, clock, (number, cells), choice.time, header, name)
        if (len(values) + len(times)) * values.itemsize > budget:
            found = f"its numbers up to line {number} fill more than the memory budget of {budget} bytes"
            raise RefusedError(printable(name), found, "Choose fewer columns with --columns, or raise --max-memory")
    if not values:
        raise InputFileError(printable(name), "there is a header and no row of numbers after it")
    return CsvTable(
        np.frombuffer(values).reshape(-1, len(choice.places)),
        None if header is None else tuple(printable(header[place]) for place in choice.places),
        choice.places,
        choice.features,
        None if choice.target is None else choice.places.index(choice.target),
        None if choice.time is None else np.frombuffer(times),
        clock or "numbers",
    )


def _rows(file: BinaryIO, name: str, budget: int, wanted: CsvOptions) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its line."""
    skipped = wanted.skip_rows
    reader = csv.reader(read_text_lines(file, MemoryBudget(name, budget), skipped), strict=True, delimiter=wanted.delimiter)
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield reader.line_num + skipped, stripped
    except csv.Error as error:
        raise InputFileError(printable(name), f"line {reader.line_num + skipped} is no CSV: {error}") from None


def _even(rows: Iterator[tuple[int, list[str]]], first: tuple[int, list[str]], name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows, as long as they have as many cells as the first."""
    line, width = first[0], len(first[1])
    for number, cells in rows:
        if len(cells) != width:
            cell = "cell" if len(cells) == 1 else "cells"
            found = f"line {number} has {len(cells)} {cell}, and line {line} has {width}"
            raise InputFileError(printable(name), found, "Give every row the same number of cells")
        yield number, cells


def _header(rows: list[list[str]]) -> list[str] | None:
    first, second = rows[0], rows[1] if len(rows) > 1 else []
    turned = any(
        _is_name(one) and (_is_number(other) or _has_decimal_comma(other))
        for one, other in zip(first, second, strict=False)
        if not _has_decimal_comma(one)
    )
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


def _has_decimal_comma(cell: str) -> bool:
    """Whether a cell would be a number, had it a point in place of its only comma."""
    return cell.count(",") == 1 and _is_number(cell.replace(",", "."))


def _choice(header: list[str] | None, width: int, wanted: CsvOptions, name: str) -> _Choice:
    time = None if wanted.time is None else _place(wanted.time, header, width, name, "--time-column")
    target = None if wanted.target is None else _place(wanted.target, header, width, name, "--target")
    if target is not None and target == time:
        found = f"column {target} of {printable(name)} is the column of times"
        raise UsageError(f"--target {printable(str(wanted.target))}", found, "Choose another")
    if wanted.columns is not None:
        places = _places(header, width, wanted.columns, name)
        if time in places:
            found = f"column {time} of {printable(name)} is among --columns too, and a column of times is no feature"
            raise UsageError(f"--time-column {printable(str(wanted.time))}", found, "Leave it out of --columns")
    else:
        places = [place for place in range(width) if place != time]
    if not places:
        raise UsageError(f"--time-column {printable(str(wanted.time))}", f"{printable(name)} has no other column")
    every = (*places, target) if target is not None and target not in places else tuple(places)
    return _Choice(every, len(places), target, time)


def _places(header: list[str] | None, width: int, wanted: Sequence[str], name: str) -> list[int]:
    places = [_place(column, header, width, name) for column in wanted]
    for nth, place in enumerate(places):
        if place in places[:nth]:
            found = f"column {place} of {printable(name)} is asked for twice"
            raise UsageError(f"--columns {printable(','.join(wanted))}", found, "Name each column once")
    return places


def _place(column: str, header: list[str] | None, width: int, name: str, option: str = "--columns") -> int:
    if header is not None and column in header:
        same = [place for place, one in enumerate(header) if one == column]
        if len(same) > 1:
            found = f"{printable(name)} has {len(same)} columns of that name, at {', '.join(map(str, same[:MOST_NAMED]))}"
            raise UsageError(f"{option} {printable(column)}", found, "Choose by place")
        return same[0]
    if column.isascii() and column.isdigit() and len(column) <= MOST_DIGITS and int(column) < width:
        return int(column)
    known = f"the columns are {_named(header)}" if header else f"it has no header, and its columns count from 0 to {width - 1}"
    raise UsageError(f"{option} {printable(column)}", f"{printable(name)} has no such column; {known}")


def _named(header: list[str]) -> str:
    names = [printable(one) or "(no name)" for one in header[:MOST_NAMED]]
    return ", ".join(names) + (f" and {len(header) - MOST_NAMED} more" if len(header) > MOST_NAMED else "")


def _numbers(row: tuple[int, list[str]], places: Sequence[int], header: list[str] | None, name: str) -> list[float]:
    number, cells = row
    for place in places:
        if not _is_number(cells[place]):
            raise _bad_cell(number, place, cells[place], header, name)
    return [float(cells[place]) for place in places]


def _add_time(
    times: array[float],
    clock: TimestampKind | None,
    row: tuple[int, list[str]],
    place: int,
    header: list[str] | None,
    name: str,
) -> TimestampKind:
    """Add a row's time to those before, which were read from the same clock."""
    from lstm_explain.readers.containers.timestamps import parse_timestamp

    number, cells = row
    moment = parse_timestamp(cells[place], number, _column(place, header), name)
    if clock not in (None, moment.clock):
        found = f"line {number}, {_column(place, header)}: '{printable(cells[place])}' is of the kind {moment.clock}"
        raise InputFileError(printable(name), f"{found}, and the times before it are of the kind {clock}", "Write all alike")
    times.append(moment.value)
    return moment.clock


def _column(place: int, header: list[str] | None) -> str:
    return f"column {place}" + (f" ({printable(header[place])})" if header else "")


def _bad_cell(number: int, place: int, cell: str, header: list[str] | None, name: str) -> InputFileError:
    column = _column(place, header)
    wrong = f"'{printable(cell)}' is no number" if cell else "the cell is empty"
    separator = _other_separator(cell)
    fix = f"Leave column {place} out by naming the others with --columns, by name or by place from 0"
    if not cell:
        fix = "Fill the cell, drop the line, or leave the column out by naming the others with --columns"
    if separator:
        way = f"add {DELIMITERS[separator]}" if separator in DELIMITERS else "separate them by commas"
        fix = f"Its cells seem to be separated by {SEPARATORS[separator]}: {way}"
    if _has_decimal_comma(cell):
        fix = "It seems to have a decimal comma: write a point"
        if separator and (header is None or len(header) == 1):
            fix += f"; or where commas separate cells {way}"
    return InputFileError(printable(name), f"line {number}, {column}: {wrong}", fix)


def _other_separator(cell: str) -> str:
    """What seems to separate cells inside of a cell; nothing where the cell is one word, or a sentence."""
    for mark in SEPARATORS:
        pieces = cell.split(mark)
        if len(pieces) > 1 and (mark in ";\t" or all(map(_is_number, pieces))):
            return mark
    return ""
