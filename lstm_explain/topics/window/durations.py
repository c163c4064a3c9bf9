"""Moments and spans of time as words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400


def moment(value: float, clock: str) -> str:
    """A time: a number, or seconds since 1970 as a date; without the hour where it is midnight."""
    if clock == "numbers":
        return f"{value:.10g}"
    found = (EPOCH + timedelta(seconds=value)).replace(tzinfo=None)
    text = found.date().isoformat() if value % DAY == 0 else found.isoformat(" ")
    return f"{text} UTC" if clock == "dates in UTC" else text


def duration(value: float, clock: str) -> str:
    """A step of time: a number, or seconds as days and hours."""
    if clock == "numbers":
        return f"{value:.10g}"
    days = value / DAY
    if days >= 1 and days * 2 == int(days * 2):
        return f"{days:g} day" if days == 1 else f"{days:g} days"
    return str(timedelta(seconds=value))
