"""Markdown: tables that render, and text that is not taken for markup."""

import lstm_explain
from lstm_explain.document.blocks import (
    Cell,
    Column,
    Formula,
    FormulaSymbol,
    Heading,
    Note,
    Paragraph,
    Preformatted,
    Sparkline,
    Table,
)
from lstm_explain.render.markdown import to_markdown
from lstm_explain.topics.registry import document_of


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    document = document_of(lstm_explain.unit(lstm_explain.seeded(samples=2), unit=1, step=2))
    for part in to_markdown(document).split("\n\n"):
        if part.startswith("|"):
            bars = {line.replace("\\|", "").count("|") for line in part.splitlines()}
            assert len(bars) == 1


def test_blocks_become_their_markdown() -> None:
    table = Table((Column("a"), Column("b", "right")), ((Cell("x", "soft", strong=True), Cell("1")),))
    document = (Heading("One", 1), Heading("Two"), Paragraph("Words."), Note("Aside."), table)
    assert (
        to_markdown(document) == "# One\n\n## Two\n\nWords.\n\n> Aside.\n\n| a | b |\n| :--- | ---: |\n| **x**<br>soft | 1 |\n"
    )


def test_formulas_are_mathematics_and_drawings_are_text_as_they_are() -> None:
    document = (
        Formula((FormulaSymbol("h_t", "(3,)"), FormulaSymbol("= o_t * tanh(c_t)")), r"h_t = o_t \odot \tanh(c_t)"),
        Preformatted(("x_t ──► *[h]*", "  |")),
    )
    formula, drawing = to_markdown(document).split("\n\n")
    assert formula == "```math\nh_t = o_t \\odot \\tanh(c_t)\n```"
    assert drawing == "```text\nx_t ──► *[h]*\n  |\n```\n"


def test_strips_are_code() -> None:
    table = Table((Column("h"), Column("from 0")), ((Sparkline((-1.0, 1.0), 1.0), Sparkline((0.0, 1.0), 1.0, signed=False)),))
    assert to_markdown((table,)).splitlines()[-1] == "| `\u00a0\u00a0██`<br>`██\u00a0\u00a0` | `▁▁██` |"


def test_marks_are_escaped() -> None:
    assert to_markdown((Paragraph("h_t * [x] | <b> `c` #1 $y$"),)) == "h\\_t \\* \\[x\\] \\| \\<b\\> \\`c\\` \\#1 \\$y\\$\n"
