"""CSV: rows are timesteps, columns are features. Errors name a bad cell by line and column."""

from __future__ import annotations

import csv
import re
from array import array
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple, TypeAlias

import numpy as np

from lstm_explain.errors import InputFileError, RefusedError, UsageError, printable
from lstm_explain.readers.containers.bounded_file import format_names, read_text_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.bounded_file import MemoryBudget

MAX_INDEX_DIGITS = 9
MISSING = {"", "na", "n/a", "#n/a", "null", "none", "-", "?"}
"""How a cell says that its number is missing. A first line with such cells is not a header because of them."""
SEPARATORS = {
    ";": ("semicolons", "add --delimiter ';'"),
    "\t": ("tabs", "add --delimiter tab"),
    "|": ("bars", "add --delimiter '|'"),
    ",": ("commas", "add --delimiter ,"),
    " ": ("spaces", "add --delimiter space"),
}
"""What may separate cells in place of the delimiter: its name, and what to do about it."""
DELIMITERS = (",", ";", "\t", "|", " ")
"""What is tried where no delimiter is given, in the order that decides between equals."""
MAX_SAMPLE_LINES, MAX_SAMPLE_LENGTH = 20, 2**16
"""How much of a file decides about its delimiter."""

Decimal: TypeAlias = Literal[".", ","]

TimestampKind: TypeAlias = Literal["numbers", "dates", "dates in UTC"]
"""Numbers of any unit; dates without a time zone; dates with one each, converted to UTC."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIX_TIMESTAMP = "Write numbers, or dates as ISO 8601 does: 2024-01-31, 2024-01-31T12:00 or 2024-01"


class CsvOptions(NamedTuple):
    """What to read of a CSV file, and how it is written."""

    columns: Sequence[str] | None = None
    """By name or by index from 0; all if None."""
    skip_rows: int = 0
    """How many lines come before the table."""
    delimiter: str | None = None
    """The character between cells, of which spaces may be several; None to find it out."""
    target: str | None = None
    """A column that is read too, if it is not among the others."""
    time: str | None = None
    """The column of times, which is not a feature."""
    decimal: Decimal = "."
    """What separates decimals. With a comma, points separate thousands."""


class CsvTable(NamedTuple):
    """Numbers by rows and columns, and the columns' names where the file has a header."""

    values: Array
    """float64[rows, columns]: the features, then the target where it is not one of them"""
    names: tuple[str, ...] | None
    column_indices: tuple[int, ...]
    """The index of each of these columns in the file."""
    features: int
    """How many of the columns are features."""
    target: int | None = None
    """The position of the target among these columns."""
    times: Array | None = None
    """float64[rows]: each row's time, where the file has a column of times"""
    timestamp_kind: TimestampKind = "numbers"


class Timestamp(NamedTuple):
    """A row's time: a number, or for a date seconds since 1970."""

    value: float
    kind: TimestampKind


class _Row(NamedTuple):
    line: int
    cells: list[str]


class _Columns(NamedTuple):
    """The columns to read, by index."""

    indices: tuple[int, ...]
    features: int
    target: int | None
    time: int | None


def read_csv(file: BinaryIO, budget: MemoryBudget, options: CsvOptions) -> CsvTable:
    """Read a CSV file of numbers, with or without a header. Blank lines are skipped.

    The first line is a header if a column is text there and a number in the second line. A column that is text in both, such
    as a date, does not decide it; nor does a word for a missing number, such as NA.

    Args:
        file: the bytes.
        budget: the most bytes of text to read, and of numbers to hold.
        options: which columns to read, and how the file is written.

    Raises:
        InputFileError: the table is empty, its rows differ in length, or a cell is not a number.
        UsageError: a column does not exist.
        RefusedError: the file, or the numbers in it, are larger than the budget.
    """
    rows = _read_rows(file, budget, options)
    first_rows = list(islice(rows, 2))
    if not first_rows:
        skipped = options.skip_rows
        problem = f"nothing follows its first {skipped} lines" if skipped else "the file is empty"
        raise InputFileError(budget.name, problem, "Give one row for each timestep, one column for each feature")
    header = _find_header([row.cells for row in first_rows], _number_parser(options.decimal))
    parser = _TableParser(budget.name, header, len(first_rows[0].cells), options)
    for row in chain(first_rows[1:] if header else first_rows, rows):
        parser.add_row(row)
        if parser.nbytes > budget.limit:
            problem = f"its numbers up to line {row.line} fill more than the memory budget of {budget.limit} bytes"
            raise RefusedError(budget.name, problem, "Choose fewer columns with --columns, or raise --max-memory")
    if not parser.values:
        raise InputFileError(budget.name, "no row of numbers follows its header")
    return parser.build_table()


def _read_rows(file: BinaryIO, budget: MemoryBudget, options: CsvOptions) -> Iterator[_Row]:
    """Yield the rows that are not blank, as long as they have as many cells as the first."""
    skipped, first = options.skip_rows, None
    lines = read_text_lines(file, budget, skipped)
    delimiter = options.delimiter
    if delimiter is None:
        sample = _sample_lines(lines)
        delimiter = _announced_delimiter(sample)
        if delimiter is None:
            delimiter = detect_delimiter(sample, options.decimal)
        else:
            sample, skipped = sample[1:], skipped + 1
        lines = chain(sample, lines)
    reader = _split_cells(lines, delimiter, strict=True)
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if not any(stripped):
                continue
            row = _Row(reader.line_num + skipped, stripped)
            first = first or row
            if len(stripped) != len(first.cells):
                cell_count = "1 cell" if len(stripped) == 1 else f"{len(stripped)} cells"
                problem = f"line {row.line} has {cell_count}, and line {first.line} has {len(first.cells)}"
                raise InputFileError(budget.name, problem, "Give every row the same number of cells")
            yield row
    except csv.Error as error:
        raise InputFileError(budget.name, f"line {reader.line_num + skipped} is not CSV: {error}") from None


# --- the delimiter ----------------------------------------------------------------------------------------------------


def detect_delimiter(lines: Sequence[str], decimal: Decimal = ".") -> str:
    """Return what separates the cells of a table, judged by its first lines.

    It is what splits every line into the same number of cells, two at least, of which most are numbers. Where nothing does, it
    is a comma; or a semicolon if a comma separates decimals.
    """
    candidates = [delimiter for delimiter in DELIMITERS if delimiter != decimal]
    shares = {delimiter: _number_share(lines, delimiter, decimal) for delimiter in candidates}
    best = max(candidates, key=lambda delimiter: shares[delimiter])
    return best if shares[best] > 0 else candidates[0]


def _announced_delimiter(lines: Sequence[str]) -> str | None:
    """The delimiter that a first line such as `sep=;` names, as Excel writes it; None if there is no such line."""
    match = re.fullmatch(r"sep=([,;|\t ])\s*", lines[0], re.IGNORECASE) if lines else None
    return match and match[1]


def _number_share(lines: Sequence[str], delimiter: str, decimal: Decimal) -> float:
    """The share of numbers among the cells that a delimiter makes; 0 if it makes no table."""
    try:
        rows = [[cell.strip() for cell in cells] for cells in _split_cells(lines, delimiter)]
    except csv.Error:
        return 0.0
    rows = [cells for cells in rows if any(cells)]
    if not rows or len(rows[0]) < 2 or any(len(cells) != len(rows[0]) for cells in rows):
        return 0.0
    if delimiter == " " and all(map(_has_spaced_thousands, rows)):
        return 0.0
    parse = _number_parser(decimal)
    cells = [cell for row in rows[1:] or rows for cell in row]
    numbers = [
        _is_number(cell, parse) or cell.lower() in MISSING or (delimiter != "," and _has_decimal_comma(cell)) for cell in cells
    ]
    return sum(numbers) / len(cells)


def _has_spaced_thousands(cells: list[str]) -> bool:
    """Whether a row may be one number, such as `1 000 000`."""
    return re.fullmatch(r"[+-]?[1-9]\d{0,2}( \d{3})+", " ".join(cells)) is not None


def _sample_lines(lines: Iterator[str]) -> list[str]:
    """Take the first lines of a table, two at least."""
    sample: list[str] = []
    for line in islice(lines, MAX_SAMPLE_LINES):
        sample.append(line)
        if len(sample) > 1 and sum(map(len, sample)) > MAX_SAMPLE_LENGTH:
            break
    return sample


def _split_cells(lines: Iterable[str], delimiter: str, strict: bool = False) -> Any:
    """Split lines into cells; several spaces separate as one does."""
    if delimiter == " ":
        return csv.reader(map(str.strip, lines), strict=strict, delimiter=" ", skipinitialspace=True)
    return csv.reader(lines, strict=strict, delimiter=delimiter)


# --- numbers ----------------------------------------------------------------------------------------------------------

_DECIMAL_COMMA = re.compile(
    r"[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+)(,\d*)?(e[+-]?\d+)?|[+-]?,\d+(e[+-]?\d+)?", re.ASCII | re.IGNORECASE
)


def parse_decimal_comma(cell: str) -> float:
    """Read a number whose decimals follow a comma: `1,5`, or `1.234,5` with points between thousands.

    Raises:
        ValueError: it is not such a number.
    """
    if _DECIMAL_COMMA.fullmatch(cell):
        return float(cell.replace(".", "").replace(",", "."))
    if "." in cell or "," in cell:
        raise ValueError(cell)
    return float(cell)


def _number_parser(decimal: Decimal) -> Callable[[str], float]:
    return float if decimal == "." else parse_decimal_comma


def _find_header(rows: list[list[str]], parse: Callable[[str], float]) -> list[str] | None:
    """Return the first row if it holds the columns' names."""
    first, second = rows[0], rows[1] if len(rows) > 1 else []
    names_above_numbers = any(
        not _is_number(cell, parse) and cell.lower() not in MISSING and (_is_number(below, parse) or _has_decimal_comma(below))
        for cell, below in zip(first, second, strict=False)
        if not _has_decimal_comma(cell)
    )
    only_names = not second and not any(_is_number(cell, parse) for cell in first)
    pandas_numbers = len(first) > 1 and first == ["", *map(str, range(len(first) - 1))]  # pandas' columns without names
    return first if names_above_numbers or only_names or pandas_numbers else None


def _is_number(cell: str, parse: Callable[[str], float] = float) -> bool:
    try:
        parse(cell)
    except ValueError:
        return False
    return "_" not in cell


def _has_decimal_comma(cell: str) -> bool:
    """Whether a cell would be a number if its only comma were a point."""
    return cell.count(",") == 1 and _is_number(cell.replace(",", "."))


class _TableParser:
    """The columns to read of a table, and the numbers read so far."""

    def __init__(self, name: str, header: list[str] | None, width: int, options: CsvOptions) -> None:
        self.name, self.header, self.width = name, header, width
        self.delimiter, self.decimal, self.parse = options.delimiter, options.decimal, _number_parser(options.decimal)
        self.columns = self._select_columns(options)
        self.values, self.times = array("d"), array("d")
        self.timestamp_kind: TimestampKind | None = None

    @property
    def nbytes(self) -> int:
        return (len(self.values) + len(self.times)) * self.values.itemsize

    def build_table(self) -> CsvTable:
        indices, features, target, time = self.columns
        return CsvTable(
            np.frombuffer(self.values).reshape(-1, len(indices)),
            None if self.header is None else tuple(printable(self.header[index]) for index in indices),
            indices,
            features,
            None if target is None else indices.index(target),
            None if time is None else np.frombuffer(self.times),
            self.timestamp_kind or "numbers",
        )

    def add_row(self, row: _Row) -> None:
        cells = [row.cells[index] for index in self.columns.indices]
        try:
            self.values.extend(map(self.parse, cells))
            is_valid = "_" not in "".join(cells)
        except ValueError:
            is_valid = False
        if not is_valid:
            bad = next(index for index in self.columns.indices if not _is_number(row.cells[index], self.parse))
            raise self._bad_cell_error(row, bad)
        if self.columns.time is not None:
            self._add_time(row, self.columns.time)

    def _add_time(self, row: _Row, index: int) -> None:
        timestamp = parse_timestamp(row.cells[index], row.line, self._column_label(index), self.name, self.parse)
        self.timestamp_kind = self.timestamp_kind or timestamp.kind
        if timestamp.kind != self.timestamp_kind:
            location = f"line {row.line}, {self._column_label(index)}: '{printable(row.cells[index])}'"
            problem = f"is of the kind {timestamp.kind}, and the times before it are of the kind {self.timestamp_kind}"
            raise InputFileError(self.name, f"{location} {problem}", "Write all alike")
        self.times.append(timestamp.value)

    # --- which columns ------------------------------------------------------------------------------------------------

    def _select_columns(self, options: CsvOptions) -> _Columns:
        time = None if options.time is None else self._find_column(options.time, "--time-column")
        target = None if options.target is None else self._find_column(options.target, "--target")
        if target is not None and target == time:
            problem = f"column {target} of {self.name} is the column of times"
            raise UsageError(f"--target {printable(str(options.target))}", problem, "Choose another")
        time_option = f"--time-column {printable(str(options.time))}"
        if options.columns is None:
            indices = [index for index in range(self.width) if index != time]
        else:
            indices = self._find_columns(options.columns)
            if time in indices:
                problem = f"column {time} of {self.name} is among --columns too, and a column of times is not a feature"
                raise UsageError(time_option, problem, "Leave it out of --columns")
        if not indices:
            raise UsageError(time_option, f"{self.name} has no other column")
        extra = (target,) if target is not None and target not in indices else ()
        return _Columns((*indices, *extra), len(indices), target, time)

    def _find_columns(self, columns: Sequence[str]) -> list[int]:
        indices = [self._find_column(column, "--columns") for column in columns]
        repeated = [index for position, index in enumerate(indices) if index in indices[:position]]
        if repeated:
            problem = f"column {repeated[0]} of {self.name} is asked for twice"
            raise UsageError(f"--columns {printable(','.join(columns))}", problem, "Name each column once")
        return indices

    def _find_column(self, column: str, option: str) -> int:
        """Return the index of a column, which may be given by name or by index."""
        indices = [index for index, name in enumerate(self.header or ()) if name == column]
        if len(indices) > 1:
            problem = f"{self.name} has {len(indices)} columns of that name, at {format_names([*map(str, indices)])}"
            raise UsageError(f"{option} {printable(column)}", problem, "Choose by index")
        if indices:
            return indices[0]
        if column.isascii() and column.isdigit() and len(column) <= MAX_INDEX_DIGITS and int(column) < self.width:
            return int(column)
        known = f"it has no header, and its columns count from 0 to {self.width - 1}"
        if self.header:
            known = f"the columns are {format_names(self.header)}"
        raise UsageError(f"{option} {printable(column)}", f"{self.name} has no such column; {known}")

    # --- errors -------------------------------------------------------------------------------------------------------

    def _column_label(self, index: int) -> str:
        return f"column {index}" + (f" ({printable(self.header[index])})" if self.header else "")

    def _bad_cell_error(self, row: _Row, index: int) -> InputFileError:
        cell = row.cells[index]
        problem = f"'{printable(cell)}' is not a number" if cell else "the cell is empty"
        separator = _separator_within(cell)
        name, separate = SEPARATORS.get(separator, ("", ""))
        fix = f"Leave column {index} out by naming the others with --columns, by name or by index from 0"
        if not cell:
            fix = "Fill the cell, drop the line, or leave the column out by naming the others with --columns"
        if separator:
            fix = f"Its cells seem to be separated by {name}: {separate}"
        if self.decimal == "," and _is_number(cell):
            fix = "With --decimal , a comma separates decimals, and points separate thousands, as in 1.234,5"
        elif _is_number(cell.replace(",", "")) and re.match(r"[+-]?[1-9]\d{0,2}(,\d{3})+\.", cell):
            fix = "It seems to have commas between thousands: write it without them"
        elif _is_number(cell, parse_decimal_comma):
            fix = "It seems to have a decimal comma: add --decimal ,"
            if separator and self.delimiter is not None and (self.header is None or self.width == 1):
                fix += f"; or where commas separate cells {separate}"
        return InputFileError(self.name, f"line {row.line}, {self._column_label(index)}: {problem}", fix)


def _separator_within(cell: str) -> str:
    """Return what seems to separate cells within a cell; nothing where the cell is one word, or a sentence."""
    for separator in SEPARATORS:
        pieces = cell.split(separator)
        if len(pieces) > 1 and (separator in ";\t" or all(map(_is_number, pieces))):
            return separator
    return ""


# --- times ------------------------------------------------------------------------------------------------------------


def parse_timestamp(cell: str, line: int, column: str, name: str, parse: Callable[[str], float] = float) -> Timestamp:
    """Parse the time of a row: a number, or a date as ISO 8601 writes it.

    Raises:
        InputFileError: it is neither a finite number nor an ISO date.
    """
    timestamp = _parse_number(cell, parse) or _parse_date(cell)
    if timestamp is None:
        problem = f"'{printable(cell)}' is not a time" if cell else "the time is empty"
        raise InputFileError(printable(name), f"line {line}, {column}: {problem}", FIX_TIMESTAMP)
    return timestamp


def _parse_number(cell: str, parse: Callable[[str], float]) -> Timestamp | None:
    value = parse(cell) if _is_number(cell, parse) else float("nan")
    return Timestamp(value, "numbers") if abs(value) < float("inf") else None


def _parse_date(cell: str) -> Timestamp | None:
    for text in (cell, f"{cell}-01"):  # a month is read as its first day
        try:
            date = datetime.fromisoformat(text)
        except ValueError:
            continue
        kind: TimestampKind = "dates" if date.tzinfo is None else "dates in UTC"
        try:
            utc = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
        except OverflowError:  # beyond the years 1 to 9999 in UTC
            return None
        return Timestamp((utc - EPOCH) / timedelta(seconds=1), kind)
    return None
