"""The layout: no line is wider than the page, nothing is lost, and every character has an ASCII spelling."""

from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.document import document_of
from lstm_explain.document.blocks import Cell, Column, Heading, Note, Paragraph, Table
from lstm_explain.render.layout import lines, width_of
from lstm_explain.render.terminal import text

WORDS = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=9)


def page(*blocks: Heading | Note | Paragraph | Table, width: int = 80, unicode: bool = True) -> str:
    return text(blocks, width, None, unicode)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    columns = draw(st.integers(2, 12))
    rows = draw(st.lists(st.lists(WORDS, min_size=columns, max_size=columns), min_size=1, max_size=4))
    aligned = (Column(draw(WORDS), draw(st.sampled_from(("left", "right")))) for _ in range(columns))
    return Table(tuple(aligned), tuple(tuple(Cell(word) for word in row) for row in rows))


@settings(deadline=None)
@given(tables(), st.integers(24, 100))
def test_a_table_fits_the_page_and_loses_no_cell(table: Table, width: int) -> None:
    laid_out = page(table, width=width)
    assert max(map(len, laid_out.splitlines())) <= width
    for row in table.rows:
        for cell in row:
            assert isinstance(cell, Cell)
            assert cell.text in laid_out


@settings(deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=40), st.integers(20, 100))
def test_a_paragraph_fits_the_page_and_keeps_its_words(words: list[str], width: int) -> None:
    laid_out = page(Paragraph(" ".join(words)), width=width)
    assert max(map(len, laid_out.splitlines())) <= width
    assert laid_out.split() == words


def test_a_continued_table_repeats_its_first_column() -> None:
    table = Table(tuple(Column(f"c{n}") for n in range(9)), (tuple(Cell(f"{n}" * 8) for n in range(9)),))
    heads = [line for line in page(table, width=40).splitlines() if "c" in line]
    assert len(heads) > 1
    assert all(head.startswith("c0") for head in heads)


def test_wide_and_combining_characters_take_the_columns_that_they_take() -> None:
    assert width_of("漢字") == 4
    assert width_of("e\u0301") == 1
    laid_out = page(Table((Column("a"), Column("b")), ((Cell("漢字"), Cell("x")), (Cell("abcd"), Cell("y")))))
    assert [width_of(line) for line in laid_out.splitlines()[-2:]] == [7, 7]


def test_no_text_is_taken_for_markup() -> None:
    assert "[red]x[/red] \\[b]" in page(Paragraph("[red]x[/red] \\[b]"))


def test_every_document_can_be_spelled_in_ascii() -> None:
    lstm = lstm_explain.seeded(samples=2, layers=2, bidirectional=True, projection=3, peepholes=True)
    documents = (
        document_of(lstm_explain.shapes(lstm)),
        document_of(lstm_explain.unit(lstm, unit=1, step=2)),
        document_of(lstm_explain.trace(lstm), gates=True),
    )
    for document in documents:
        spelled = text(document, 80, None, unicode=False)
        assert spelled.isascii()
        assert "?" not in spelled


def test_the_same_words_with_and_without_colour() -> None:
    document = document_of(lstm_explain.trace(lstm_explain.seeded(samples=2)), gates=True)
    plain = ["".join(span.text for span in line).rstrip() for line in lines(document, 80, unicode=True)]
    assert text(document, 80, None, unicode=True).splitlines() == plain
