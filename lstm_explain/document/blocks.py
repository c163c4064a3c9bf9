"""The blocks that a document is made of: plain data, laid out by `render`, which is told width, colour and alphabet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Heading:
    """A line that names what follows."""

    text: str
    level: int = 2
    """1 for the document, 2 for a part of it."""


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True)
class Note:
    """A remark that stands back: how something was measured, where to read on, which command shows more."""

    text: str


@dataclass(frozen=True)
class Cell:
    """A table's cell of text."""

    text: str
    detail: str = ""
    """A second line in a softer voice."""
    tint: float | None = None
    """From -1 to 1: how strongly to colour the cell, in which of the two colours. None for no colour."""
    strong: bool = False


@dataclass(frozen=True)
class Course:
    """A table's cell that draws how a value went, from the first timestep to the last."""

    values: tuple[float, ...]
    scale: float
    """The size that fills the cell's height: the strip goes from -scale to scale."""


@dataclass(frozen=True)
class Column:
    """A table's column."""

    title: str
    align: Literal["left", "right"] = "left"
    wraps: bool = False
    """Whether its text may be broken into lines."""


@dataclass(frozen=True)
class Table:
    """Rows of cells. A table too wide for the page is continued below, its first columns repeated."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | Course, ...], ...]
    repeated: int = 1
    """How many columns are repeated where the table is continued."""
    ruled: bool = True
    """Whether it has a header line; a table of label and value has none."""


Block: TypeAlias = Heading | Paragraph | Note | Table
Document: TypeAlias = tuple[Block, ...]
