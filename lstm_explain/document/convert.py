"""convert, in words and tables: what was done to the weights, the arrays that came of it, and the check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.document.blocks import Cell, Column, Document, Heading, Note, Paragraph, Table
from lstm_explain.document.numbers import count, small
from lstm_explain.document.opening import ROWS_SHOWN, dots, middle_left_out, opening

if TYPE_CHECKING:
    from lstm_explain.explain.convert import Convert


def document(convert: Convert, file: str = "") -> Document:
    """Lay out a conversion; `file` is where the arrays were written."""
    title = convert.convention.title
    written = f"Written to {file}." if file else "Nothing was written: name a file to write to."
    return (
        Heading(f"convert: to {title}", 1),
        Paragraph(opening(convert)),
        Paragraph(written),
        Heading("What was done"),
        _done(convert),
        Heading("The arrays"),
        _arrays(convert),
        Heading("Checked"),
        Paragraph(_checked(convert)),
        Note(f"Source: {convert.convention.source}."),
    )


def _done(convert: Convert) -> Table:
    rows = tuple((Cell(what, strong=True), Cell(done)) for what, done in convert.done.items())
    return Table((Column(""), Column("", wraps=True)), rows, ruled=False)


def _arrays(convert: Convert) -> Table:
    rows = [
        (
            Cell(one.name, strong=True),
            Cell(f"({', '.join(map(str, one.array.shape))})"),
            Cell(count(one.layer)),
            Cell("all" if one.direction is None else one.direction.value),
        )
        for one in convert.arrays
    ]
    front, back = middle_left_out(rows, ROWS_SHOWN)
    shown = [*rows[:front], dots(4), *rows[-back:]] if back else rows
    columns = (Column("name", wraps=True), Column("shape"), Column("layer", "right"), Column("direction"))
    return Table(columns, tuple(shown))


def _checked(convert: Convert) -> str:
    differ = f"differ by at most {small(convert.difference)}" if convert.difference else "are the same to the last bit"
    return (
        f"The arrays were read back as {convert.convention.title} reads them, and both were run over the same seeded input: "
        f"{count(convert.compared)} numbers of the output {differ}."
    )
