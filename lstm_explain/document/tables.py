"""Tables and lists that pages share: label and value, tensors, and the middle left out where there are many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lstm_explain.document.blocks import Cell, Column, FirstThatFits, SideBySide, Sparkline, Table
from lstm_explain.document.numbers import format_decimal, thousands, tint
from lstm_explain.document.text import format_shape, format_sizes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Sized

    from lstm_explain.core.axes import Shape

MAX_ROWS = 32
"""How many rows a table shows unless you select rows one by one."""
MAX_UNITS = 16
"""How many units a table shows."""
MIN_SPLIT_ROWS = 4
"""From how many rows on a table is split into two on wide pages."""
MAX_LAYERS = 8
"""How many layers a sentence lists."""
MAX_NAME_LENGTH = 16
"""How many characters of a column's name are shown."""
FACT_COLUMNS = (Column(""), Column("", wraps=True))
"""The columns of a table of label and value."""
SIZE_COLUMNS = (Column("elements", "right"), Column("bytes", "right"))
TENSOR_COLUMNS = (Column("tensor"), Column("shape", wraps=True), *SIZE_COLUMNS)
WIDE_TENSOR_COLUMNS = (Column("tensor"), Column(""), Column("shape"), Column("axes"), Column("meaning"), *SIZE_COLUMNS)

Item = TypeVar("Item")
Row = tuple[Cell, ...]


def facts_table(rows: Iterable[tuple[str, str]]) -> Table:
    """Lay out labels and values, without a header."""
    return Table(FACT_COLUMNS, tuple((Cell(label, strong=True), Cell(text)) for label, text in rows), ruled=False)


def heat_row(label: str, values: Iterable[float], scale: float, places: int = 3, gate: bool = False) -> Row:
    """A row of numbers with a fixed count of decimals, each coloured by its size; `gate` for those from 0 to 1."""
    cells = (Cell(format_decimal(value, places), tint=tint(value, scale), gate=gate) for value in values)
    return (Cell(label, strong=True), *cells)


def split_sparklines(
    columns: tuple[Column, ...],
    rows: Sequence[tuple[Cell | Sparkline, ...]],
    axis: tuple[int, int],
    total: Row | None = None,
) -> FirstThatFits:
    """Lay out rows with sparklines: as two tables next to each other where the page is wide enough, or else as one.

    The timesteps of the `axis` are below the last sparkline of each table. The row `total` is at the end.
    """

    def table(part: Sequence[tuple[Cell | Sparkline, ...]], end: Row | None) -> Table:
        *others, last = part
        last = tuple(cell._replace(axis=axis) if isinstance(cell, Sparkline) else cell for cell in last)
        return Table(columns, (*others, last, *([end] if end else [])))

    whole, middle = table(rows, total), (len(rows) + 1) // 2
    if len(rows) < MIN_SPLIT_ROWS:
        return FirstThatFits(((whole,),))
    halves = SideBySide(((table(rows[:middle], None),), (table(rows[middle:], total),)))
    return FirstThatFits(((halves,), (whole,)))


class TensorRow(NamedTuple):
    """A line of a table of tensors."""

    name: str
    detail: str
    """Its symbol, or which layer it belongs to."""
    shape: Shape
    meaning: str
    bytes: int


def tensor_table(tensors: Sequence[TensorRow], limit: int = MAX_ROWS) -> FirstThatFits:
    """Lay out tensors: one line for each where the page is wide enough, else two."""
    wide, narrow = [], []
    for name, detail, shape, meaning, size in tensors:
        sizes = Cell(thousands(shape.elements)), Cell(thousands(size))
        cells = map(Cell, (detail, format_sizes(shape.sizes), ", ".join(shape.names), meaning))
        wide.append((Cell(name, strong=True), *cells, *sizes))
        narrow.append((Cell(name, detail, strong=True), Cell(format_shape(shape), meaning), *sizes))
    tables = Table(WIDE_TENSOR_COLUMNS, elide_rows(wide, limit)), Table(TENSOR_COLUMNS, elide_rows(narrow, limit))
    return FirstThatFits(((tables[0],), (tables[1],)))


def visible_ends(items: Sized, limit: int) -> tuple[int, int]:
    """How many items to show from the front and from the back: all from the front unless there are more than `limit`."""
    if len(items) <= limit:
        return len(items), 0
    return limit - limit // 4, limit // 4


def elide_middle(items: Sequence[Item], limit: int, ellipsis: Item) -> list[Item]:
    """The items, with an ellipsis for those in the middle where there are more than `limit`."""
    front, back = visible_ends(items, limit)
    return [*items[:front], ellipsis, *items[-back:]] if back else list(items)


def elide_rows(rows: Sequence[Row], limit: int = MAX_ROWS) -> tuple[Row, ...]:
    """The rows of a table, with a row of dots for those in the middle where there are more than `limit`."""
    return tuple(elide_middle(rows, limit, ellipsis_row(len(rows[0])))) if rows else ()


def ellipsis_row(columns: int) -> Row:
    """A row of dots, for rows that are left out."""
    return (Cell("⋮"),) * columns


def elide_list(texts: Sequence[str]) -> list[str]:
    """One text for each layer, with `...` for those in the middle where there are many."""
    return elide_middle(texts, MAX_LAYERS, "...")
