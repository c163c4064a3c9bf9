"""The document of `equations`: formulas that line up, numbers that follow from each other, and LaTeX that renders."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import lstm_explain
from lstm_explain.document.blocks import Cell, Document, Formula, Heading, NextSteps, Note, Paragraph, Table
from lstm_explain.frameworks.registry import NOTATIONS
from lstm_explain.render import layout, markdown
from lstm_explain.render.sparkline import ASCII, to_ascii
from lstm_explain.topics.equations.page import PLACES
from lstm_explain.topics.registry import document_of
from tests.helpers.documents import flatten

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "without bias": {"bias": False},
    "with everything": {"peepholes": True, "projection": 4, "layers": 2, "bidirectional": True},
}
MACROS = {
    *("underset", "times", "sigma", "tanh", "odot", "Gamma", "tilde", "langle", "rangle", "mathrm", "mathit", "mathbin"),
    *("cdot", "sum", "begin", "end", "_", ",", "\\", "infty"),
}
"""What LaTeX the formulas use; GitHub renders all of it, and refuses some other, such as operatorname."""


def page(notation: str | None = "pytorch", options: str = "plain", **choices: Any) -> Document:
    lstm = lstm_explain.seeded(samples=2, timesteps=5, **OPTIONS[options])
    where: dict[str, Any] = {"layer": 1, "direction": "backward"} if options == "with everything" else {}
    return document_of(lstm_explain.equations(lstm, notation, every=notation is None, **where, **choices))


def formulas(document: Document) -> list[Formula]:
    return [block for block in flatten(document) if isinstance(block, Formula)]


def words(document: Document) -> str:
    return " ".join(block.text for block in flatten(document) if isinstance(block, Heading | Paragraph | Note))


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_latex_renders(notation: str, options: str) -> None:
    for formula in formulas(page(notation, options, numbers=True)):
        latex = formula.latex
        assert latex.isascii()
        assert latex.isprintable()
        depth = 0
        for mark in re.sub(r"\\.", "", latex):
            depth += {"{": 1, "}": -1}.get(mark, 0)
            assert depth >= 0
        assert depth == 0
        assert set(re.findall(r"\\([a-zA-Z]+|.)", latex)) <= MACROS
        assert re.findall(r"\\begin\{(\w+)\}", latex) == re.findall(r"\\end\{(\w+)\}", latex)
        assert latex.count("(") == latex.count(")")
        assert latex.count("[") == latex.count("]")
        assert "%" not in latex


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_shape_stands_in_both_views(notation: str, options: str) -> None:
    for formula in formulas(page(notation, options)):
        shown = [symbol.under for symbol in formula.symbols if symbol.under]
        written = [found.replace(r" \times ", "×") for found in re.findall(r"\\underset\{(\([^{}]*\))\}", formula.latex)]
        assert shown == written
        assert all(re.fullmatch(r"\(\d+(×\d+)?\)", shape) for shape in shown)
        assert len(shown) >= 3


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("notation", [*NOTATIONS, None])
@pytest.mark.parametrize("width", [40, 80, 160])
@pytest.mark.parametrize("unicode", [True, False])
def test_the_page_fits_and_has_a_plain_form(notation: str | None, options: str, width: int, unicode: bool) -> None:
    document = page(notation, options, numbers=notation is not None)
    for line in layout.layout_lines(document, width, unicode):
        text = "".join(span.text for span in line)
        assert layout.width_of(text) <= width or width == 40
        assert text.isascii() or unicode
        assert "?" not in text
    text = markdown.to_markdown(document)
    assert {mark for mark in text if not mark.isascii()} <= set(ASCII)
    assert to_ascii(text).count("?") == text.count("?")


@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_lines_of_a_calculation_follow_from_the_numbers_shown(notation: str) -> None:
    """A sum that is shown is that of the numbers before it, within their own rounding."""
    worked = [formula for formula in formulas(page(notation, numbers=True, unit=3)) if "aligned" in formula.latex]
    assert len(worked) >= 5
    checked = 0
    for formula in worked:
        lines = [re.sub(r"\\underset\{.*?\}\{(-?\d+\.\d+)\}", r"\1", line) for line in formula.latex.split("&= ")[1:]]
        for one, other in pairwise(lines):
            sums = re.search(r"\( *(-?\d\S*(?: \+ -?\d\S*)+) *\)", one)
            if sums is not None:
                terms = [float(term) for term in sums[1].split("+")]
                after = re.search(r"\( *(-?\d\S*) *\)", other)
                assert after is not None
                assert float(after[1]) == pytest.approx(sum(terms), abs=0.5 * 10**-PLACES * (len(terms) + 1))
                checked += 1
    assert checked >= 4


def test_each_number_says_what_it_is_of() -> None:
    for formula in formulas(page(numbers=True, unit=3)):
        if "aligned" in formula.latex:
            head = formula.symbols[0].text
            assert head.endswith("[3]")
            first = next(symbol for symbol in formula.symbols if symbol.text.startswith("= "))
            assert first.under.startswith("  ")
            assert not any(symbol.text == "=" for symbol in formula.symbols)
            (second,) = [symbol for symbol in formula.symbols if symbol.breaks]
            assert second.text.startswith("= ")


def test_the_writers_words_are_said() -> None:
    titles = [block.text for block in flatten(page("ng")) if isinstance(block, Heading) and block.level == 3]
    assert titles[:2] == ["Candidate, here called candidate value", "Input gate, here called update gate"]
    assert "with the candidate inside" in words(page("goodfellow"))


def test_what_a_notation_lacks_is_said_by_name() -> None:
    text = words(page("keras", "with everything"))
    assert "with peepholes, which this notation does not have" in text
    assert "This notation has no symbols for peepholes. Written here: p with the gate's letter, as in Greff et al." in text
    assert "This notation has no symbols for projection. Written here: W_hr" in text
    assert "h_tm1 and c_tm1 are the states of timestep t+1" in text
    assert "does not have" not in words(page("keras"))
    onnx = words(page("onnx", "with everything"))
    assert "peepholes, which" not in onnx
    assert "projection, which this notation does not have" in onnx


def test_what_is_known_of_this_lstm_only_is_said_only_there() -> None:
    assert "the second is zero" in words(page("pytorch"))
    assert "the second is zero" not in words(page("pytorch", "without bias"))
    assert "output of layer 0 at the same timestep, of both directions" in words(page("pytorch", "with everything"))
    assert "output of layer" not in words(page())


def test_the_books_sigmoid_is_told_with_its_measure() -> None:
    lstm = lstm_explain.seeded()
    equations = lstm_explain.equations(lstm, "goodfellow")
    printed = equations.notations[0].check.printed
    assert printed is not None
    assert f"With sigmoid, the results would be up to {printed:.2g} away from the run." in words(document_of(equations))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_difference_that_is_told_is_not_below_the_one_measured(dtype: str) -> None:
    equations = lstm_explain.equations(lstm_explain.seeded(dtype=dtype), "onnx", numbers=True)
    found = [float(number) for number in re.findall(r"differs by more than (\S+) from", words(document_of(equations)))]
    assert equations.numbers is not None
    for told, measured in zip(
        found, (equations.notations[0].check.difference, equations.numbers.arithmetic.difference), strict=True
    ):
        assert measured <= told <= max(10 * measured, 1e-15)


def test_all_notations_stand_beside_each_other() -> None:
    tables = [block for block in page(None) if isinstance(block, Table)]
    for table in tables:
        assert [column.title for column in table.columns] == ["", *NOTATIONS]
    labels = [row[0].text for table in tables for row in table.rows if isinstance(row[0], Cell)]
    for label in ("input gate", "candidate", "weights of x", "weights of h", "joined", "bias", "elementwise", "gates packed"):
        assert label in labels
    packed = next(row for table in tables for row in table.rows if isinstance(row[0], Cell) and row[0].text == "gates packed")
    texts = [cell.text for cell in packed if isinstance(cell, Cell)]
    assert texts == ["gates packed", "i f g o", "i f c o", "i o f c", *["not packed"] * 3]
    assert not formulas(page(None))


def commands(document: Document) -> list[str]:
    return [step.command for block in document if isinstance(block, NextSteps) for step in block.steps]


def test_the_next_commands_keep_what_was_asked_for() -> None:
    assert "lstm-explain equations --samples 2 --timesteps 5 --numbers --unit 3 --step 4" in commands(page())
    small = lstm_explain.seeded(samples=1, timesteps=2, units=2)
    (first, *_) = commands(document_of(lstm_explain.equations(small, "ng")))
    assert first.endswith("--notation ng --numbers --unit 1 --step 2")
    (first, *_) = commands(page(numbers=True, unit=3, step=2))
    assert first == "lstm-explain unit --samples 2 --timesteps 5 --unit 3 --step 2"
    assert all("--layer 1 --direction backward" in command for command in commands(page("keras", "with everything", sample=1)))
    assert not any("--all" in command for command in commands(page(None)))


def test_the_formula_in_the_manual_is_the_one_that_is_written() -> None:
    manual = (Path(__file__).resolve().parents[2] / "docs/commands/equations.md").read_text("utf-8")
    (shown,) = re.findall(r"^```math\n(.*?)\n```$", manual, re.MULTILINE | re.DOTALL)
    first, *_ = formulas(document_of(lstm_explain.equations(lstm_explain.seeded())))
    assert shown == first.latex
