"""Lines of Python that fit a page: statements with what they make beside them, broken within their parentheses where long."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_WIDTH = 76
INDENT = "    "


class Statement(NamedTuple):
    """One statement."""

    code: str
    makes: str = ""
    """The shapes of what it makes; stands beside it as a comment."""


def shape_literal(*sizes: object) -> str:
    """A shape as Python writes it."""
    return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"


def string_tuple(words: Iterable[str]) -> str:
    """Words as Python writes them."""
    return shape_literal(*(f'"{word}"' for word in words))


def format_statements(statements: list[Statement]) -> tuple[str, ...]:
    """Lay statements out, their comments in one column; a comment that does not fit there stands above."""
    column = max((len(one.code) for one in statements if _beside(one, len(one.code))), default=0)
    return tuple(line for one in statements for line in _lines(one, column))


def _beside(one: Statement, column: int) -> bool:
    """Whether the comment fits beside the code."""
    return bool(one.makes) and len(one.code) <= column <= MAX_WIDTH - len(f"  # {one.makes}")


def _lines(one: Statement, column: int) -> list[str]:
    if not one.makes:
        return _broken(one.code)
    if _beside(one, column):
        return [f"{one.code:{column}}  # {one.makes}"]
    indent = one.code[: len(one.code) - len(one.code.lstrip())]
    above = textwrap.wrap(f"makes {one.makes}", MAX_WIDTH - len(indent) - 2, break_long_words=False)
    return [*(f"{indent}# {line}" for line in above), *_broken(one.code)]


def _broken(code: str) -> list[str]:
    """Break a statement within its first parentheses, where Python allows it."""
    start = code.find("(") + 1
    if len(code) <= MAX_WIDTH or start == 0:
        return [code]
    end = _closing(code, start)
    indent = code[: len(code) - len(code.lstrip())]
    inner = textwrap.wrap(code[start:end], MAX_WIDTH - len(indent + INDENT), break_on_hyphens=False, break_long_words=False)
    return [code[:start], *(f"{indent}{INDENT}{line}" for line in inner), indent + code[end:]]


def _closing(code: str, start: int) -> int:
    """Where the parenthesis closes that was opened before `start`."""
    depth = 1
    for place in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[place], 0)
        if depth == 0:
            return place
    raise AssertionError(f"{code!r} never closes its parenthesis")
