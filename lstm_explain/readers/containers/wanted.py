"""What is wanted of a file of inputs that is a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class CsvOptions(NamedTuple):
    """What is read of a CSV file, and how it is written."""

    columns: Sequence[str] | None = None
    """By name or by place from 0; all if None."""
    skip_rows: int = 0
    """How many lines come before the table."""
    delimiter: str = ","
    """What separates the cells."""
    target: str | None = None
    """A column to read too, if it is not among the others."""
    time: str | None = None
    """The column of times, which is not one of numbers to read."""
