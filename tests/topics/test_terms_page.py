"""The document of `terms`: what it says is what the explanation holds, and contradictions are marked by a word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.document.blocks import Cell, Heading, NextSteps, Note, Preformatted, Table
from lstm_explain.frameworks.glossary import GROUPS
from lstm_explain.topics.registry import document_of
from lstm_explain.topics.terms.nested_boxes import NESTED_WORDS
from lstm_explain.topics.terms.page import TITLES

if TYPE_CHECKING:
    from lstm_explain.document.blocks import Document
    from lstm_explain.topics.terms import Terms


def terms_of(*words: str, **sizes: Any) -> Terms:
    return lstm_explain.terms(lstm_explain.seeded(**{"samples": 2, **sizes}), words)


def tables(document: Document, *titles: str) -> list[Table]:
    return [block for block in document if isinstance(block, Table) and tuple(c.title for c in block.columns) == titles]


def texts(row: tuple[object, ...]) -> list[str]:
    return [cell.text for cell in row if isinstance(cell, Cell)]


def facts(document: Document) -> dict[str, str]:
    rows = [row for table in tables(document, "", "") for row in table.rows]
    return dict(map(texts, rows))


def picture(terms: Terms) -> str:
    (drawing,) = (block for block in document_of(terms) if isinstance(block, Preformatted))
    return "\n".join(drawing.lines)


@pytest.mark.parametrize(
    ("sizes", "titles"),
    [
        ({}, ["layer: 1", "cell: 1", "unit: 10", "neuron: 4 in each unit, 40 in all", "gate: 3 in each unit"]),
        ({"units": 1}, ["layer: 1", "cell: 1", "unit: 1", "neuron: 4", "gate: 3 in each unit"]),
        (
            {"layers": 2, "bidirectional": True, "units": 3},
            ["layer: 2", "cell: 2 in each layer, 4 in all", "unit: 3 in each cell, 12 in all"],
        ),
        ({"units": (64, 32)}, ["layer: 2", "cell: 1 in each layer, 2 in all", "unit: 32 or 64 in each cell, 96 in all"]),
        ({"units": (2, 3, 7)}, ["layer: 3", "unit: 2 to 7 in each cell, 12 in all", "neuron: 4 in each unit, 48 in all"]),
    ],
)
def test_five_words_are_boxes_with_the_numbers_of_the_network(sizes: dict[str, Any], titles: list[str]) -> None:
    drawing = picture(terms_of(**sizes))
    assert [title for title in titles if f"─ {title} ─" not in drawing] == []


def test_the_boxes_are_inside_each_other_and_fit_a_narrow_page() -> None:
    lines = picture(terms_of(units=1000, layers=40, bidirectional=True, timesteps=10**6)).splitlines()
    assert {len(line) for line in lines} == {len(lines[0])}
    assert len(lines[0]) <= 80
    depths = [lines[0].index("┌"), *(line.index("┌") for line in lines[1:] if "┌" in line)]
    assert depths == [0, 2, 4, 6, 8]


def test_by_default_only_the_other_meanings_of_the_five_words_follow() -> None:
    terms = terms_of()
    (table,) = tables(document_of(terms), "word", "means", "number", "used by")
    rows = [texts(row) for row in table.rows]
    assert [word for word, *_ in rows if word] == list(NESTED_WORDS)
    assert not [who for *_, who in rows if "here" in who]
    expected = [meaning for term in terms.terms if term.word in NESTED_WORDS for meaning in term.meanings]
    assert len(rows) == len(expected) - len(NESTED_WORDS)


@pytest.mark.parametrize("choices", [{}, {"every": True}])
def test_the_commands_to_try_next_keep_the_sizes(choices: dict[str, bool]) -> None:
    (steps,) = (block for block in document_of(terms_of(units=7), **choices) if isinstance(block, NextSteps))
    assert all(step.command.endswith(("--units 7", "--units 7 --all")) for step in steps.steps)
    assert any(step.command.startswith("lstm-explain terms unit ") for step in steps.steps)


def test_every_word_stands_in_one_row_of_the_overview() -> None:
    terms = terms_of()
    document = document_of(terms, every=True)
    rows = [row for table in tables(document, "word", "means here", "number", "others") for row in table.rows]
    assert [texts(row)[0] for row in rows] == [term.word for term in terms.terms]
    assert list(TITLES) == list(GROUPS)
    for row, term in zip(rows, terms.terms, strict=True):
        said = texts(row)[3]
        differ = re.fullmatch(r"(\d+) of (\d+) differ", said)
        if differ:
            assert (int(differ[1]), int(differ[2])) == (term.differing, len(term.others))
        else:
            assert said == ("agree" if term.entry.thing else f"{len(term.meanings)} meaning{'s' * (len(term.meanings) > 1)}")
            assert term.differing == 0 or term.entry.thing is None


def test_the_contradictions_name_every_meaning_with_its_number() -> None:
    terms = terms_of(units=7)
    (table,) = tables(document_of(terms, every=True), "word", "means", "number", "used by")
    expected = [(term, meaning) for term in terms.contradictions for meaning in term.meanings]
    assert len(table.rows) == len(expected)
    word = ""
    for row, (term, meaning) in zip(table.rows, expected, strict=True):
        label, phrase, number, who = texts(row)
        word = label or word
        assert (word, phrase, who) == (term.word, meaning.phrase, ", ".join(meaning.who))
        value = re.match(r"[\d,]+", number)
        assert (None if value is None else int(value[0])) == (None if meaning.number is None else meaning.number.value)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 2000), st.booleans(), st.integers(1, 3))
def test_the_number_of_units_is_in_words(units: int, bidirectional: bool, layers: int) -> None:
    lstm = lstm_explain.seeded(samples=10**12, units=units, bidirectional=bidirectional, layers=layers)
    document = document_of(lstm_explain.terms(lstm, "unit"))
    places = layers * (1 + bidirectional)
    said = facts(document)["number"].replace(",", "")
    assert said.startswith(f"{units} unit{'s' * (units > 1)} ")
    assert (f"{units * places} in all" in said) is (places > 1)
    assert said.endswith("(units; computed)")
    assert [block for block in document if isinstance(block, Note) and "computed, not measured" in block.text]


@pytest.mark.parametrize("word", [entry.word for group in GROUPS.values() for entry in group])
def test_one_word_shows_every_source_with_its_quotation(word: str) -> None:
    (term,) = terms_of(word).terms
    document = document_of(terms_of(word))
    (table,) = tables(document, "who", "means", "number", "")
    listed = facts(document)
    assert len(table.rows) == len(term.others)
    for place, (row, other) in enumerate(zip(table.rows, term.others, strict=True), 1):
        assert texts(row)[0] == other.usage.source.who
        assert texts(row)[3] == ("differs" if other.differs else "the same")
        assert [cell.detail for cell in row if isinstance(cell, Cell)][:2] == [f"[{place}]", f"“{other.usage.quote}”"]
        assert other.usage.source.location in listed[f"[{place}]"]
        assert other.second_hand in listed[f"[{place}]"]
    assert listed["means here"] == term.entry.meaning


def test_several_words_follow_each_other() -> None:
    titles = [block.text for block in document_of(terms_of("unit", "cell")) if isinstance(block, Heading) and block.level < 3]
    assert titles == ["terms: unit, cell", "unit", "cell"]


def test_a_word_begins_with_what_it_means_and_how_many_agree() -> None:
    heading, table, *_ = document_of(terms_of("unit", samples=1))
    assert isinstance(heading, Heading)
    assert isinstance(table, Table)
    rows = [texts(row) for row in table.rows]
    assert [label for label, _ in rows[:3]] == ["means here", "number", "elsewhere"]
    assert rows[2][1] == "3 of 7 sources mean something else"
    assert rows[3] == ["", "TensorFlow uses it in two ways"]


def test_sources_that_use_a_word_in_two_ways_are_listed() -> None:
    assert facts(document_of(terms_of("cell")))[""] == "TensorFlow uses it in two ways"
    assert "hidden state" in facts(document_of(terms_of(), every=True))["TensorFlow"]
