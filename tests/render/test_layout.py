"""The layout: no line is wider than the page, nothing is lost, and every character has an ASCII spelling."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.document.blocks import Block, Cell, Column, Formula, FormulaSymbol, Paragraph, Preformatted, Table
from lstm_explain.render.layout import layout_lines, width_of
from lstm_explain.render.terminal import to_terminal
from lstm_explain.topics.registry import document_of

WORDS = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=9)


def page(*blocks: Block, width: int = 80, unicode: bool = True) -> str:
    return to_terminal(blocks, width, None, unicode)


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


@settings(deadline=None)
@given(st.lists(WORDS, max_size=30), st.lists(WORDS, max_size=30), WORDS, st.integers(53, 120))
def test_columns_that_wrap_share_the_page_and_keep_their_words(
    one: list[str], other: list[str], label: str, width: int
) -> None:
    columns = (Column("what"), Column("long", wraps=True), Column("longer", wraps=True))
    row = Cell(label), Cell(" ".join(one)), Cell(" ".join(other))
    laid_out = page(Table(columns, (row,)), width=width).splitlines()
    assert max(map(len, laid_out)) <= width
    starts = laid_out[0].index("long"), laid_out[0].index("longer")
    found = [[line[: starts[0]], line[starts[0] : starts[1]], line[starts[1] :]] for line in laid_out[2:]]
    assert [" ".join(parts).split() for parts in zip(*found, strict=True)] == [[label], one, other]


def test_a_short_column_that_wraps_leaves_its_room_to_a_long_one() -> None:
    columns = (Column("a", wraps=True), Column("b", wraps=True))
    lines_of = page(Table(columns, ((Cell("short"), Cell("word " * 20)),)), width=60).splitlines()
    assert len(lines_of[1]) == 60
    assert lines_of[2].startswith("short  word")
    halves = page(Table(columns, ((Cell("word " * 20), Cell("word " * 20)),)), width=60).splitlines()
    assert halves[2].index("  word") == 29
    assert len(lines_of) < len(halves)


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, st.just("") | WORDS), min_size=1, max_size=30), st.integers(24, 100), st.booleans())
def test_a_formula_fits_the_page_and_what_stands_under_a_symbol_begins_where_it_begins(
    pieces: list[tuple[str, str]], width: int, unicode: bool
) -> None:
    block = Formula(tuple(FormulaSymbol(text, under) for text, under in pieces), "")
    laid_out = page(block, width=width, unicode=unicode).splitlines()
    assert max(map(len, laid_out)) <= width
    rest = list(laid_out)
    left = [(text, under) for text, under in pieces]
    while rest:
        line = rest.pop(0)
        starts = [match.start() for match in re.finditer(r"\S+", line)]
        here, left = left[: len(starts)], left[len(starts) :]
        assert line.split() == [text for text, _ in here]
        below = rest.pop(0) if any(under for _, under in here) else ""
        for start, (_, under) in zip(starts, here, strict=True):
            assert below[start:].split(" ")[0] == under
    assert left == []


def test_a_formula_is_continued_further_in() -> None:
    symbols = (
        FormulaSymbol("f_t", "(3,)"),
        FormulaSymbol("="),
        FormulaSymbol("sigmoid("),
        FormulaSymbol("W_f", "(3, 5)"),
        FormulaSymbol("x_t", "(5,)"),
        FormulaSymbol(")"),
    )
    assert page(Formula(symbols, ""), width=80) == "f_t  = sigmoid( W_f    x_t  )\n(3,)            (3, 5) (5,)\n"
    assert page(Formula(symbols, ""), width=24).splitlines() == [
        "f_t  = sigmoid( W_f",
        "(3,)            (3, 5)",
        "    x_t  )",
        "    (5,)",
    ]
    assert page(Formula((FormulaSymbol("a"), FormulaSymbol("+"), FormulaSymbol("b")), "")) == "a + b\n"


def test_a_drawing_is_kept_as_it_is_and_has_an_ascii_spelling() -> None:
    drawing = Preformatted(("┌──┐   ", "│  │──► x" + " wide" * 20, "", "└──┘"))
    laid_out = ["".join(span.text for span in line) for line in layout_lines((drawing,), 20, unicode=True)]
    assert laid_out == list(drawing.lines)
    spelled = page(drawing, unicode=False)
    assert spelled.isascii()
    assert spelled.splitlines()[0].startswith("+--+")


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
        spelled = to_terminal(document, 80, None, unicode=False)
        assert spelled.isascii()
        assert spelled.count("?") == to_terminal(document, 80, None, unicode=True).count("?")


def test_the_same_words_with_and_without_colour() -> None:
    document = document_of(lstm_explain.trace(lstm_explain.seeded(samples=2)), gates=True)
    plain = ["".join(span.text for span in line).rstrip() for line in layout_lines(document, 80, unicode=True)]
    assert to_terminal(document, 80, None, unicode=True).splitlines() == plain


def test_a_number_stays_with_its_percent_sign_and_a_timestep_with_its_number() -> None:
    words = Paragraph("of the whole 90.4 % is recent, at t = 10")
    for width in range(8, 40):
        lines = ["".join(span.text for span in line) for line in layout_lines((words,), width, unicode=True)]
        assert " ".join(lines) == words.text
        assert any("90.4 %" in line for line in lines)
        assert any("t = 10" in line for line in lines)
