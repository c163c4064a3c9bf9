"""JSON without its loopholes: keys that appear twice, NaN and Infinity, other encodings than UTF-8."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lstm_explain.errors import InputFileError, RefusedError
from lstm_explain.readers.containers.bounded_file import error_reason

if TYPE_CHECKING:
    from lstm_explain.readers.containers.bounded_file import MemoryBudget

MEMORY_FACTOR = 40
"""How many times larger than its text JSON may be in memory: an empty object has 3 bytes there, and 72 here."""


def parse_json(text: bytes | str, budget: MemoryBudget, what: str, held: int = 0) -> Any:
    """Parse JSON in a file.

    Args:
        text: the JSON; bytes are UTF-8.
        budget: the memory that reading the file may take.
        what: what to call the JSON in a message, such as `its config`.
        held: how many bytes are held beside it.

    Raises:
        InputFileError: the text is not JSON, or a key appears twice in one object.
        RefusedError: it may take more memory than the budget, or is nested too deeply.
    """
    check_json_size(len(text), budget, what, held)
    try:
        return load_json(text)
    except RecursionError:
        raise RefusedError(budget.name, f"{what} is nested too deeply") from None
    except ValueError as error:  # not JSON, not UTF-8, a number of more than 4300 digits, or one of our own below
        raise InputFileError(budget.name, f"{what} cannot be read as JSON: {error_reason(error)}") from None


def check_json_size(size: int, budget: MemoryBudget, what: str, held: int = 0) -> None:
    """Check the budget before JSON of `size` bytes is parsed."""
    budget.check(held + MEMORY_FACTOR * size, f"parsing {what} of {size:,} bytes")


def load_json(text: bytes | str) -> Any:
    """Parse JSON.

    Raises:
        ValueError: the text is not strict JSON.
        RecursionError: it is nested too deeply.
    """
    decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    return json.loads(decoded, object_pairs_hook=_build_object, parse_constant=_reject_constant)


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) < len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {repeated} appears twice in one object")
    return keys


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
