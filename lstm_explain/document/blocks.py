"""The blocks that a document is made of: plain data, laid out by `render` for a width, colours and an alphabet."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias


class Heading(NamedTuple):
    """A line that names what follows."""

    text: str
    level: int = 2
    """1 for the document, 2 for a part of it."""


class Paragraph(NamedTuple):
    """Running text."""

    text: str


class BlankLine(NamedTuple):
    """A line without text, between parts of a page that have no heading."""


class Note(NamedTuple):
    """A remark that stands back: how something was measured, where to read on, which command shows more."""

    text: str


class Cell(NamedTuple):
    """A table's cell of text."""

    text: str
    detail: str = ""
    """A second line in a softer voice."""
    tint: float | None = None
    """From -1 to 1: how strongly to colour the cell, in which of the two colours. None for no colour."""
    strong: bool = False
    gate: bool = False
    """Whether the tint is from 0 to 1, on the scale of gates."""


class Sparkline(NamedTuple):
    """A table's cell that draws how a value went, from the first timestep to the last."""

    values: tuple[float, ...]
    scale: float
    """The size that fills the cell's height: it goes from -scale to scale."""
    signed: bool = True
    """Whether it does, around a zero line; else it goes from 0 to scale."""
    axis: tuple[str | int, str | int] | None = None
    """The timesteps of the first and the last value, to write below; None for no axis."""


class Column(NamedTuple):
    """A table's column."""

    title: str
    align: Literal["left", "right"] = "left"
    wraps: bool = False
    """Whether its text may be broken into lines."""


class Table(NamedTuple):
    """Rows of cells. A table too wide for the page is continued below, its first columns repeated."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | Sparkline, ...], ...]
    repeated: int = 1
    """How many columns are repeated where the table is continued."""
    ruled: bool = True
    """Whether it has a header line; a table of label and value has none."""


class Preformatted(NamedTuple):
    """A picture made of characters, or a program: lines that are kept as they are."""

    lines: tuple[str, ...]
    language: str = "text"
    """The language of a program."""


class FormulaSymbol(NamedTuple):
    """A piece of a formula, and what is written under it: the shape of what it names, or its value."""

    text: str
    under: str = ""
    breaks: bool = False
    """Whether it begins a new line, below the first equals sign."""


class Formula(NamedTuple):
    """An equation: symbol by symbol for the page, and in LaTeX for Markdown."""

    symbols: tuple[FormulaSymbol, ...]
    latex: str


class NextStep(NamedTuple):
    """A command to try next."""

    command: str
    """As it is typed, with the program's name."""
    reason: str = ""
    """What it shows, in a few words."""


class NextSteps(NamedTuple):
    """What to try next, at the end of a page."""

    steps: tuple[NextStep, ...]


class SideBySide(NamedTuple):
    """Parts of a page next to each other where the page is wide enough, and below each other where it is not."""

    parts: tuple[tuple[Block, ...], ...]


class FirstThatFits(NamedTuple):
    """The same thing laid out in several ways, widest first: the first that fits the page is shown, or else the last."""

    layouts: tuple[tuple[Block, ...], ...]


Block: TypeAlias = (
    Heading | Paragraph | BlankLine | Note | Table | Preformatted | Formula | NextSteps | SideBySide | FirstThatFits
)
Document: TypeAlias = tuple[Block, ...]
