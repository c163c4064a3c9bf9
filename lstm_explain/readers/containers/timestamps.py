"""When a row was: a number, or a date as ISO 8601 writes it, as seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from lstm_explain.errors import InputFileError, printable

TimestampKind: TypeAlias = Literal["numbers", "dates", "dates in UTC"]
"""Numbers of any unit; dates without a time zone; dates with one each, told in UTC."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ANY = "Write numbers, or dates as ISO 8601 does: 2024-01-31, 2024-01-31T12:00 or 2024-01"


class Timestamp(NamedTuple):
    """A row's time."""

    value: float
    clock: TimestampKind


def parse_timestamp(cell: str, line: int, column: str, name: str) -> Timestamp:
    """Read the time of a row.

    Raises:
        InputFileError: it is neither a finite number nor an ISO date.
    """
    moment = _number(cell) or _date(cell)
    if moment is None:
        wrong = f"'{printable(cell)}' is no time" if cell else "the time is empty"
        raise InputFileError(printable(name), f"line {line}, {column}: {wrong}", ANY)
    return moment


def _number(cell: str) -> Timestamp | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return Timestamp(value, "numbers") if "_" not in cell and abs(value) < float("inf") else None


def _date(cell: str) -> Timestamp | None:
    for text in (cell, f"{cell}-01"):  # a month stands for its first day
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            continue
        if found.tzinfo is None:
            return Timestamp((found.replace(tzinfo=UTC) - EPOCH) / SECOND, "dates")
        try:
            return Timestamp((found.astimezone(UTC) - EPOCH) / SECOND, "dates in UTC")
        except OverflowError:  # beyond the years 1 to 9999 in UTC
            return None
    return None
