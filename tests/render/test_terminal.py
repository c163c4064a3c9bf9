"""Painting: colours for terminals, pictures and notebooks, with nothing in them but what the document says."""

import io
import re

import pytest
from rich.console import Console

import lstm_explain
from lstm_explain.document.blocks import Cell, Column, Paragraph, Table
from lstm_explain.render.markup import to_html, to_svg
from lstm_explain.render.terminal import Colors, to_terminal
from lstm_explain.topics.registry import document_of

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
DOCUMENT = document_of(lstm_explain.trace(lstm_explain.seeded(samples=2, units=3)), gates=True)


@pytest.mark.parametrize("system", ["standard", "256", "truecolor"])
def test_colour_adds_escape_codes_and_nothing_else(system: Colors) -> None:
    plain, colored = to_terminal(DOCUMENT, 80, None, unicode=True), to_terminal(DOCUMENT, 80, system, unicode=True)
    assert ESCAPE.search(colored)
    assert [line.rstrip() for line in ESCAPE.sub("", colored).splitlines()] == plain.splitlines()


def test_below_and_above_zero_have_different_colours() -> None:
    cells = (Cell("-1.0", tint=-1.0), Cell(" 1.0", tint=1.0), Cell(" 0.0", tint=0.0))
    painted = to_terminal((Table((Column("a"), Column("b"), Column("c")), (cells,)),), 80, "truecolor", unicode=True)
    papers = re.findall(r"48;2;(\d+;\d+;\d+)", painted)
    assert len(set(papers)) == len(papers) == 2, "zero keeps the terminal's own background"


def test_a_picture_is_the_same_twice_and_refers_to_nothing_outside() -> None:
    picture = to_svg(DOCUMENT, 80, "title")
    assert picture == to_svg(DOCUMENT, 80, "title")
    assert re.findall(r"https?://[^\"' ]+", picture) == ["http://www.w3.org/2000/svg"]


@pytest.mark.parametrize("render", [to_html, lambda document: to_svg(document, 80, "</svg><script>")])
def test_text_is_escaped(render: object) -> None:
    assert callable(render)
    page = render((Paragraph("<script>alert(1)</script> & [red]"),))
    assert "<script>" not in page
    assert "[red]" in page


def test_results_show_themselves_in_consoles_and_notebooks() -> None:
    lstm = lstm_explain.seeded(samples=2)
    for result in (lstm_explain.shapes(lstm), lstm_explain.unit(lstm, unit=1, step=1), lstm_explain.trace(lstm)):
        console = Console(file=io.StringIO(), width=100, record=True)
        console.print(result)
        assert result.topic in console.export_text() or "h_t" in console.export_text()
        assert result._repr_html_().startswith('<div class="lstm-explain">')
