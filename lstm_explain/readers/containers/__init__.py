"""File formats: bytes to named arrays, each format read within a memory budget and without running anything in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array


class NamedArrays(NamedTuple):
    """What a file of named arrays holds."""

    arrays: dict[str, Array]
    """The floating-point arrays, as float32 or float64."""
    skipped_dtypes: dict[str, str]
    """The types of the other arrays, which are not read."""
