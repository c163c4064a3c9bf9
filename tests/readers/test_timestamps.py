"""When a row was: numbers and ISO dates, and a CSV's column of them."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.errors import InputFileError, LstmExplainError, RefusedError, UsageError
from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.csv_table import CsvOptions, CsvTable, parse_timestamp, read_csv

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

TABLE = "date,open,close\n2024-01-01,1,2\n2024-01-02,3,4\n"


def read(text: str, **wanted: Any) -> CsvTable:
    return read_csv(io.BytesIO(text.encode()), MemoryBudget("x.csv", 10**6), CsvOptions(**wanted))


def test_the_column_of_times_is_no_feature() -> None:
    found = read(TABLE, time="date")
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
    found = read(TABLE, time="0", **wanted)
    assert (found.names, found.features, found.target) == (names, features, target)


@pytest.mark.parametrize(
    ("text", "wanted", "message"),
    [
        (TABLE, {"time": "when"}, "--time-column when: x.csv has no such column; the columns are date, open, close"),
        (TABLE, {"time": "date", "target": "date"}, "--target date: column 0 of x.csv is the column of times"),
        (TABLE, {"time": "date", "target": "high\x1b"}, "--target high\\x1b: x.csv has no such column"),
        ("date\n1\n2\n", {"time": "0"}, "--time-column 0: x.csv has no other column"),
    ],
)
def test_columns_that_cannot_be(text: str, wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text, **wanted)
    assert message in str(caught.value)


def test_times_of_two_kinds() -> None:
    text = "2024-01-01,1\n2024-01-02T00:00Z,2\n"
    with pytest.raises(InputFileError) as caught:
        read(text, time="0")
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
    content = before.encode("latin-1") + TABLE.encode()
    found = read_csv(io.BytesIO(content), MemoryBudget("x.csv", 10**6), CsvOptions(["open"], before.count("\n")))
    assert (found.names, found.values.tolist()) == (("open",), [[1], [3]])


def test_lines_are_counted_from_the_start_of_the_file() -> None:
    with pytest.raises(InputFileError, match="line 5, column 0: 'x' is not a number"):
        read("#\n#\n1,2\n3,4\nx,5\n", skip_rows=2)


def test_more_lines_to_pass_over_than_there_are() -> None:
    with pytest.raises(InputFileError, match=r"x.csv: nothing follows its first 100 lines"):
        read(TABLE, skip_rows=100)
