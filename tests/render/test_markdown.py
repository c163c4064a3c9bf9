"""Markdown: tables that render, and text that is not taken for markup."""

import lstm_explain
from lstm_explain.document import document_of
from lstm_explain.document.blocks import Cell, Column, Heading, Note, Paragraph, Table
from lstm_explain.render.markdown import text


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    document = document_of(lstm_explain.unit(lstm_explain.seeded(samples=2), unit=1, step=2))
    for part in text(document).split("\n\n"):
        if part.startswith("|"):
            bars = {line.replace("\\|", "").count("|") for line in part.splitlines()}
            assert len(bars) == 1


def test_blocks_become_their_markdown() -> None:
    table = Table((Column("a"), Column("b", "right")), ((Cell("x", "soft", strong=True), Cell("1")),))
    document = (Heading("One", 1), Heading("Two"), Paragraph("Words."), Note("Aside."), table)
    assert text(document) == "# One\n\n## Two\n\nWords.\n\n> Aside.\n\n| a | b |\n| :--- | ---: |\n| **x**<br>soft | 1 |\n"


def test_marks_are_escaped() -> None:
    assert text((Paragraph("h_t * [x] | <b> `c` #1 $y$"),)) == "h\\_t \\* \\[x\\] \\| \\<b\\> \\`c\\` \\#1 \\$y\\$\n"
