"""CSV: what is a header, which columns are read, how each bad cell is named, and the times of rows."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.errors import InputFileError, LstmExplainError, RefusedError, UsageError
from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.csv_table import (
    CsvOptions,
    CsvTable,
    detect_delimiter,
    parse_decimal_comma,
    parse_timestamp,
    read_csv,
)

BUDGET = 10**6


def read(text: str | bytes, wanted: list[str] | None = None, budget: int = BUDGET, **how: Any) -> CsvTable:
    content = text.encode() if isinstance(text, str) else text
    return read_csv(io.BytesIO(content), MemoryBudget("x.csv", budget), CsvOptions(wanted, **how))


@pytest.mark.parametrize(
    ("text", "names", "values"),
    [
        ("1,2\n3,4\n", None, [[1, 2], [3, 4]]),
        ("1,2", None, [[1, 2]]),
        ("1\n2\n3\n", None, [[1], [2], [3]]),
        ("a,b\n1,2\n", ("a", "b"), [[1, 2]]),
        ("a,b\n1,2\n3,4\n", ("a", "b"), [[1, 2], [3, 4]]),
        ("country,1990\n7,2\n", ("country", "1990"), [[7, 2]]),
        ('"a","b,c"\n"1","-2.5e3"\n', ("a", "b,c"), [[1, -2500]]),
        ('"say ""hi""",b\n1,2\n', ('say "hi"', "b"), [[1, 2]]),
        ('"two\nlines",b\n1,2\n', ("two\\nlines", "b"), [[1, 2]]),
        ("\ufeffa,b\n1,2\n", ("a", "b"), [[1, 2]]),
        ("a,b\r\n1,2\r\n3,4\r\n", ("a", "b"), [[1, 2], [3, 4]]),
        ("\n\na,b\n\n1,2\n  \n,\n3,4\n\n", ("a", "b"), [[1, 2], [3, 4]]),
        (" a , b \n 1 ,\t2 \n", ("a", "b"), [[1, 2]]),
        (",0,1\n0,5,6\n", ("", "0", "1"), [[0, 5, 6]]),
        (",0\n0,5\n", ("", "0"), [[0, 5]]),
        ("+1,.5\n-1,5.\n", None, [[1, 0.5], [-1, 5]]),
    ],
)
def test_headers_and_numbers(text: str, names: tuple[str, ...] | None, values: list[list[float]]) -> None:
    found = read(text)
    assert found.names == names
    assert found.values.dtype == np.float64
    assert found.values.tolist() == values


def test_a_date_in_both_lines_says_nothing_about_the_header() -> None:
    with pytest.raises(InputFileError, match=r"line 2, column 0 \(date\): '2024-01-01' is not a number"):
        read("date,x\n2024-01-01,5\n2024-01-02,6\n")
    with pytest.raises(InputFileError, match="line 1, column 0: '2024-01-01' is not a number"):
        read("2024-01-01,5\n2024-01-02,6\n")
    assert read("date,x\n2024-01-01,5\n", ["x"]).values.tolist() == [[5]]
    assert read("2024-01-01,5\n2024-01-02,6\n", ["1"]).values.tolist() == [[5], [6]]


@pytest.mark.parametrize("missing", ["", "NA", "n/a", "null", "None", "-", "?"])
def test_a_missing_number_in_the_first_line_does_not_make_a_header_of_it(missing: str) -> None:
    """Taken as a header, the first row of numbers would vanish without a word."""
    with pytest.raises(InputFileError, match="line 1, column 0: "):
        read(f"{missing},2\n3,4\n")


def test_nan_and_infinity_are_numbers_here() -> None:
    """Whether they are accepted is `batch`'s business."""
    found = read("nan,-inf\n1e999,NaN\n")
    assert found.names is None
    np.testing.assert_array_equal(found.values, [[np.nan, -np.inf], [np.inf, np.nan]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.csv: the file is empty. Give one row for each timestep, one column for each feature."),
        ("\n \n,,\n", "the file is empty"),
        ("a,b\n", "no row of numbers follows its header"),
        ("a,b\n\n\n", "no row of numbers follows its header"),
        ("1,2\n3,4,5\n", "line 2 has 3 cells, and line 1 has 2. Give every row the same number of cells."),
        ("a,b\n1,2\n\n3\n", "line 4 has 1 cell, and line 1 has 2"),
        ("a,b,c\n1,2\n", "line 2 has 2 cells, and line 1 has 3"),
        (
            "a,b\n1,2\n3,x\n",
            r"line 3, column 1 \(b\): 'x' is not a number. Leave column 1 out .* --columns, by name or by index",
        ),
        ("1,2\n3,\n", "line 2, column 1: the cell is empty. Fill the cell"),
        ("1,2\n3,1_000\n", "line 2, column 1: '1_000' is not a number"),
        ("1,0x10\n3,0x11\n", "line 1, column 1: '0x10' is not a number"),
        ("a,b\n1,2\n3,NA\n", r"line 3, column 1 \(b\): 'NA' is not a number"),
        ('1,"2\n', "line 1 is not CSV: unexpected end of data"),
        ('1,"2"3\n', "line 1 is not CSV: ',' expected after '\"'"),
        ("1,2\r3,4\r", "line 1 is not CSV: new-line character"),
        ("a\n1\n" + "9" * 140_000 + "\n", "line 3 is not CSV: field larger than field limit"),
        ("1,2\n3,4\0\n", r"line 2, column 1: '4\\x00' is not a number"),
        ("1,2\n3,\x1b[31mred\n", r"line 2, column 1: '\\x1b\[31mred' is not a number"),
        ("a\x1b]0;title\x07,b\nx,2\n", r"line 2, column 0 \(a\\x1b\]0;title\\x07\): 'x' is not a number"),
        ("[red]a,b\nx,2\n", r"line 2, column 0 \(\[red\]a\)"),
    ],
)
def test_what_is_no_table_of_numbers(text: str, message: str) -> None:
    with pytest.raises(InputFileError, match=message) as caught:
        read(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a;b\n1;2\n", "semicolons: add --delimiter ';'"),
        ("1;2\n3;4\n", "semicolons: add --delimiter ';'"),
        ("a\tb\n1\t2\n", "tabs: add --delimiter tab"),
        ("1\t2\n3\t4\n", "tabs: add --delimiter tab"),
        ("1 2\n3 4\n", "spaces: add --delimiter space"),
        ("1|2\n3|4\n", "bars: add --delimiter '|'"),
    ],
)
def test_cells_that_something_else_separates(text: str, hint: str) -> None:
    with pytest.raises(InputFileError) as caught:
        read(text, delimiter=",")
    assert caught.value.fix == f"Its cells seem to be separated by {hint}"


def test_what_the_hint_says_then_works() -> None:
    for delimiter in (";", "\t", "|", " "):
        for named in (delimiter, None):
            found = read(f"a{delimiter}b\n1{delimiter}2\n", delimiter=named)
            assert (found.names, found.values.tolist()) == (("a", "b"), [[1, 2]])


DECIMAL_COMMA = "It seems to have a decimal comma: add --decimal ,"


def test_a_decimal_comma_does_not_hide_the_header() -> None:
    for text, delimiter in (("a;b\n1,5;2,5\n", ";"), ('a,b\n"1,5",2\n', ",")):
        with pytest.raises(InputFileError, match="line 2, column 0 \\(a\\): '1,5' is not a number") as caught:
            read(text, delimiter=delimiter)
        assert caught.value.fix == DECIMAL_COMMA


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("1,5;2,5\n3,5;4,5\n", f"{DECIMAL_COMMA}; or where commas separate cells add --delimiter ,"),
        ("1,234.5;2\n", "It seems to have commas between thousands: write it without them"),
        ("1,2,3\n4,5,6\n", "Its cells seem to be separated by commas: add --delimiter ,"),
        ("x;1\ny;2\n", "Leave column 0 out by naming the others with --columns, by name or by index from 0"),
    ],
)
def test_commas_where_semicolons_were_said_to_separate(text: str, fix: str) -> None:
    with pytest.raises(InputFileError) as caught:
        read(text, delimiter=";")
    assert caught.value.fix == fix


def test_a_sentence_is_not_taken_for_cells_that_spaces_separate() -> None:
    with pytest.raises(InputFileError, match=r"'New York' is not a number. Leave column 0 out"):
        read("city,x\nNew York,1\n")


# --- what separates cells, and decimals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a;b\n1;2\n", ";"),
        ("1,5;2,5\n3,5;4,5\n", ";"),
        ("1;2,3;4\n1;2,3;4\n", ";"),
        ('"a";"b"\n"1,5";"2"\n', ";"),
        ("\ufeffa;b\r\n1;2\r\n", ";"),
        ("2024-01-31;1\n2024-02-29;2\n", ";"),
        ("a\tb\n1\t2\n", "\t"),
        ("1,2\t3,4\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("a b\n1 2\n", " "),
        ("   a    b\n  1.5   -2 \n", " "),
        ("NA 1\n2 3\n", " "),
        ("100 200 300 x\n100 200 300 4\n", " "),
        ("1,2\n3,4\n", ","),
        ("a, b\n1, 2\n", ","),
        ("when,x\n2024-01-01 12:00,1\n2024-01-01 13:00,2\n", ","),
        ("name;with;semicolons,x\n1,2\n", ","),
        ("city,x\nNew York,1\nLos Angeles,2\n", ","),
        ("1\n2\n", ","),
        ("1,5\n2,5\n", ","),
        ("1 000\n12 000 000\n2 500\n", ","),
        ("1 2\n3 4 5\n", ","),
        ("a\n\n", ","),
        ("", ","),
        ('"\n', ","),
    ],
)
def test_what_separates_the_cells_is_found_out(text: str, delimiter: str) -> None:
    assert detect_delimiter(text.removeprefix("\ufeff").splitlines(keepends=True)) == delimiter


@given(
    st.sampled_from([",", ";", "\t", "|", " "]),
    st.lists(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), min_size=1, max_size=30),
    st.booleans(),
)
def test_any_table_is_read_whatever_separates_its_cells(delimiter: str, rows: list[list[float]], named: bool) -> None:
    lines = [["a", "b", "c"]] * named + [list(map(repr, row)) for row in rows]
    table = read("\n".join(delimiter.join(line) for line in lines))
    assert table.values.tolist() == rows
    assert table.names == (("a", "b", "c") if named else None)


@given(
    st.lists(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=2), min_size=1, max_size=9), st.sampled_from([";", "\t", " "])
)
def test_numbers_with_decimal_commas_read_back_to_the_last_bit(rows: list[list[float]], delimiter: str) -> None:
    text = "\n".join(delimiter.join(repr(number).replace(".", ",") for number in row) for row in rows)
    assert read(text, decimal=",").values.tolist() == rows


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1,5", 1.5),
        ("1.234,5", 1234.5),
        ("-12.345.678,25", -12345678.25),
        ("1.234", 1234),
        (",5", 0.5),
        ("5,", 5),
        ("+7", 7),
        ("1,5e-3", 0.0015),
        ("inf", float("inf")),
    ],
)
def test_decimal_commas(cell: str, number: float) -> None:
    assert parse_decimal_comma(cell) == number
    assert read(f"a;b\n{cell};0\n", decimal=",").values.tolist() == [[number, 0]]


@pytest.mark.parametrize(
    "cell", ["1.5", "1,234.5", "1.23,5", "0.123,5", "1..234", "1,5,5", "1.2345,6", ".5", ",", "1.234.56", "x"]
)
def test_what_is_no_number_with_a_decimal_comma(cell: str) -> None:
    with pytest.raises(ValueError, match=re.escape(cell)):
        parse_decimal_comma(cell)
    with pytest.raises(InputFileError) as caught:
        read(f"a;b\n1,5;{cell}\n", decimal=",", delimiter=";")
    points = "With --decimal , a comma separates decimals, and points separate thousands, as in 1.234,5"
    assert (caught.value.fix == points) is (cell in ("1.5", ".5"))


@pytest.mark.parametrize("first", ["sep=;\n", "SEP=;\r\n", "\ufeffsep=;\n"])
def test_a_first_line_that_names_the_delimiter_is_no_row(first: str) -> None:
    table = read(first + "a;b;c\n1;2;3\n")
    assert (table.names, table.values.tolist()) == (("a", "b", "c"), [[1, 2, 3]])
    with pytest.raises(InputFileError, match="line 3, column 1"):
        read(first + "1;2\n1;x\n")
    assert read("sep=a;b\n1;2\n").names == ("sep=a", "b")
    assert read("sep=;b\n1;2\n").names == ("sep=", "b")


def test_a_decimal_comma_is_never_a_delimiter() -> None:
    assert read("1,5\n2,5\n", decimal=",").values.tolist() == [[1.5], [2.5]]
    assert read('"1,5","2"\n', decimal=",", delimiter=",").values.tolist() == [[1.5, 2]]
    assert read("x\n1,5\n", decimal=",").names == ("x",)
    table = read("1,5;2\n2,5;3\n", decimal=",", time="0")
    assert table.times is not None
    assert table.times.tolist() == [1.5, 2.5]


def test_spaces_are_named_like_other_delimiters() -> None:
    assert read("a  b\n 1   2 \n", delimiter=" ").values.tolist() == [[1, 2]]
    with pytest.raises(InputFileError, match="line 2 has 3 cells, and line 1 has 2"):
        read("1 2\n1 2 3\n", delimiter=" ")


# --- columns ----------------------------------------------------------------------------------------------------------

TABLE = "date,open,close,5\n2024-01-01,1,2,3\n2024-01-02,4,5,6\n"


@pytest.mark.parametrize(
    ("wanted", "names", "values"),
    [
        (["open"], ("open",), [[1], [4]]),
        (["close", "open"], ("close", "open"), [[2, 1], [5, 4]]),
        (["1", "2"], ("open", "close"), [[1, 2], [4, 5]]),
        (["close", "1"], ("close", "open"), [[2, 1], [5, 4]]),
        (["5"], ("5",), [[3], [6]]),
    ],
)
def test_columns_by_name_or_by_place(wanted: list[str], names: tuple[str, ...], values: list[list[float]]) -> None:
    found = read(TABLE, wanted)
    assert found.names == names
    assert found.values.tolist() == values


def test_a_name_goes_before_a_place() -> None:
    assert read("x,0\n1,2\n", ["0"]).values.tolist() == [[2]]


@pytest.mark.parametrize(
    ("text", "wanted", "message"),
    [
        (TABLE, ["volume"], "--columns volume: x.csv has no such column; the columns are date, open, close, 5"),
        (TABLE, ["4"], "--columns 4: x.csv has no such column"),
        (TABLE, ["-1"], "--columns -1: x.csv has no such column"),
        (TABLE, ["9" * 5000], "has no such column"),
        (TABLE, ["٢"], "has no such column"),
        (TABLE, ["Open"], "has no such column"),
        (TABLE, [""], "has no such column"),
        (TABLE, ["open", "close", "open"], "--columns open,close,open: column 1 of x.csv is asked for twice"),
        (TABLE, ["open", "1"], "--columns open,1: column 1 of x.csv is asked for twice"),
        ("a,b,a\n1,2,3\n", ["a"], "x.csv has 2 columns of that name, at 0, 2. Choose by index"),
        ("1,2\n", ["a"], "it has no header, and its columns count from 0 to 1"),
        ("a\x1bb,b\n1,2\n", ["\x1b[2J"], r"--columns \\x1b\[2J: .* the columns are a\\x1bb, b"),
        (",".join(f"c{n}" for n in range(20)) + "\n" + "1," * 19 + "1\n", ["x"], "c0, c1, .*, c7 and 12 more"),
        (",b\n1,2\n", ["x"], r"the columns are \(no name\), b"),
    ],
)
def test_columns_that_there_are_not(text: str, wanted: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        read(text, wanted)
    assert str(caught.value).isprintable()


# --- memory -----------------------------------------------------------------------------------------------------------


def test_the_numbers_count_against_the_budget_too() -> None:
    """Two bytes of text make a number of eight."""
    text = "1,2,3,4\n" * 100
    assert read(text, budget=4 * 8 * 100).values.shape == (100, 4)
    with pytest.raises(RefusedError, match=r"its numbers up to line 63 fill more than the memory budget of 2000 bytes"):
        read(text, budget=2000)
    assert read(text, ["0"], budget=1000).values.shape == (100, 1)


def test_the_text_counts_against_the_budget() -> None:
    with pytest.raises(RefusedError, match="the text is larger than the memory budget of 100 bytes"):
        read("1" * 50 + "\n" + "2" * 50 + "\n", budget=100)


# --- any text ---------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=300) | st.text("01.,;\"'\r\n \tabNA-e\0", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_by_name(content: bytes) -> None:
    message = ""
    try:
        assert read(content).values.size > 0
    except LstmExplainError as error:
        message = str(error)
    assert not message or (message.startswith("x.csv: ") and message.isprintable())


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=1, max_size=9))
def test_numbers_read_back_to_the_last_bit(rows: list[list[float]]) -> None:
    assert read("\n".join(",".join(map(repr, row)) for row in rows)).values.tolist() == rows


# --- times ------------------------------------------------------------------------------------------------------------

DAY = 86_400.0


@pytest.mark.parametrize(
    ("cell", "value", "clock"),
    [
        ("3", 3, "numbers"),
        ("-1.5e3", -1500, "numbers"),
        ("20240131", 20240131, "numbers"),
        ("1970-01-01", 0, "dates"),
        ("1970-01-02T06:00", 1.25 * DAY, "dates"),
        ("1970-01-02 06:00:00.5", 1.25 * DAY + 0.5, "dates"),
        ("1970-02", 31 * DAY, "dates"),
        ("1969-12-31", -DAY, "dates"),
        ("1970-01-01T01:00+01:00", 0, "dates in UTC"),
        ("1970-01-02T00:00:00Z", DAY, "dates in UTC"),
        ("1970-W01-5", DAY, "dates"),
    ],
)
def test_numbers_and_dates(cell: str, value: float, clock: str) -> None:
    assert parse_timestamp(cell, 1, "column 0", "x.csv") == (value, clock)


@pytest.mark.parametrize(
    "cell",
    ["", "01/02/2024", "nan", "inf", "1e999", "1_000", "2024-13-01", "soon", "0001-01-01T00:00+14:00", "\x1b[1m"],
)
def test_what_is_no_time(cell: str) -> None:
    with pytest.raises(InputFileError, match=r"x.csv: line 7, column 0 \(d\): '.*' is not a time|the time is empty") as caught:
        parse_timestamp(cell, 7, "column 0 (d)", "x.csv")
    assert str(caught.value).isprintable()
    assert "2024-01-31T12:00" in caught.value.fix


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))
def test_any_date_is_seconds_since_1970(moment: datetime) -> None:
    exact = (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    assert parse_timestamp(moment.isoformat(), 1, "", "").value == exact


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused_by_name(cell: str) -> None:
    message = ""
    try:
        parse_timestamp(cell, 1, "column 0", "x.csv")
    except LstmExplainError as error:
        message = str(error)
    assert message.isprintable()


# --- in a CSV file ----------------------------------------------------------------------------------------------------

DATED_TABLE = "date,open,close\n2024-01-01,1,2\n2024-01-02,3,4\n"


def read_dated(text: str, **wanted: Any) -> CsvTable:
    return read_csv(io.BytesIO(text.encode()), MemoryBudget("x.csv", 10**6), CsvOptions(**wanted))


def test_the_column_of_times_is_no_feature() -> None:
    found = read_dated(DATED_TABLE, time="date")
    assert (found.names, found.values.tolist(), found.timestamp_kind) == (("open", "close"), [[1, 2], [3, 4]], "dates")
    assert found.times is not None
    assert (found.times[1] - found.times[0], found.column_indices, found.features) == (DAY, (1, 2), 2)


@pytest.mark.parametrize(
    ("wanted", "names", "features", "target"),
    [
        ({"target": "close"}, ("open", "close"), 2, 1),
        ({"target": "1"}, ("open", "close"), 2, 0),
        ({"columns": ["open"], "target": "close"}, ("open", "close"), 1, 1),
        ({"columns": ["close", "open"], "target": "1"}, ("close", "open"), 2, 1),
        ({"columns": ["open"], "target": "open"}, ("open",), 1, 0),
    ],
)
def test_the_target_is_read_too(wanted: dict[str, Any], names: tuple[str, ...], features: int, target: int) -> None:
    found = read_dated(DATED_TABLE, time="0", **wanted)
    assert (found.names, found.features, found.target) == (names, features, target)


@pytest.mark.parametrize(
    ("text", "wanted", "message"),
    [
        (DATED_TABLE, {"time": "when"}, "--time-column when: x.csv has no such column; the columns are date, open, close"),
        (DATED_TABLE, {"time": "date", "target": "date"}, "--target date: column 0 of x.csv is the column of times"),
        (DATED_TABLE, {"time": "date", "target": "high\x1b"}, "--target high\\x1b: x.csv has no such column"),
        ("date\n1\n2\n", {"time": "0"}, "--time-column 0: x.csv has no other column"),
    ],
)
def test_columns_that_cannot_be(text: str, wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_dated(text, **wanted)
    assert message in str(caught.value)


def test_times_of_two_kinds() -> None:
    text = "2024-01-01,1\n2024-01-02T00:00Z,2\n"
    with pytest.raises(InputFileError) as caught:
        read_dated(text, time="0")
    expected = (
        "line 2, column 0: '2024-01-02T00:00Z' is of the kind dates in UTC, and the times before it are of the kind dates"
    )
    assert caught.value.found == expected


def test_times_count_against_the_budget() -> None:
    with pytest.raises(RefusedError, match="its numbers up to line 6 fill more than the memory budget of 80 bytes"):
        read_csv(io.BytesIO(b"1,2\n" * 20), MemoryBudget("x.csv", 80), CsvOptions(time="0"))


# --- lines before the table -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["a note, with commas\n", "\n\n", '"an open quote\n', "\xe9\xff;;;\n"])
def test_lines_before_the_table_may_hold_anything(before: str) -> None:
    content = before.encode("latin-1") + DATED_TABLE.encode()
    found = read_csv(io.BytesIO(content), MemoryBudget("x.csv", 10**6), CsvOptions(["open"], before.count("\n")))
    assert (found.names, found.values.tolist()) == (("open",), [[1], [3]])


def test_lines_are_counted_from_the_start_of_the_file() -> None:
    with pytest.raises(InputFileError, match="line 5, column 0: 'x' is not a number"):
        read_dated("#\n#\n1,2\n3,4\nx,5\n", skip_rows=2)


def test_more_lines_to_pass_over_than_there_are() -> None:
    with pytest.raises(InputFileError, match=r"x.csv: nothing follows its first 100 lines"):
        read_dated(DATED_TABLE, skip_rows=100)
