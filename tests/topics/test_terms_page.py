"""The document of `terms`: what it says is what the explanation holds, and contradictions are marked by a word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.document.blocks import Cell, Heading, Note, Table
from lstm_explain.frameworks.glossary import GROUPS
from lstm_explain.topics.registry import document_of
from lstm_explain.topics.terms.page import TITLES

if TYPE_CHECKING:
    from lstm_explain.document.blocks import Document
    from lstm_explain.topics.terms import Terms


def terms_of(*words: str, **sizes: Any) -> Terms:
    return lstm_explain.terms(lstm_explain.seeded(**{"samples": 2, **sizes}), words)


def tables(document: Document, *titles: str) -> list[Table]:
    return [one for one in document if isinstance(one, Table) and tuple(column.title for column in one.columns) == titles]


def texts(row: tuple[object, ...]) -> list[str]:
    return [cell.text for cell in row if isinstance(cell, Cell)]


def facts(document: Document) -> dict[str, str]:
    rows = [row for one in tables(document, "", "") for row in one.rows]
    return dict(map(texts, rows))


def test_every_word_stands_in_one_row_of_the_overview() -> None:
    terms = terms_of()
    document = document_of(terms)
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
    (table,) = tables(document_of(terms), "word", "means", "number", "used by")
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
    assert [one for one in document if isinstance(one, Note) and "computed, not measured" in one.text]


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
    assert listed["here"] == term.entry.meaning


def test_several_words_stand_below_each_other() -> None:
    titles = [one.text for one in document_of(terms_of("unit", "cell")) if isinstance(one, Heading)]
    assert titles[0] == "terms: unit, cell"
    assert [title.partition(":")[0] for title in titles if "sources differ" in title] == ["unit", "cell"]


def test_who_says_it_both_ways_is_marked() -> None:
    assert "TensorFlow" in facts(document_of(terms_of("cell")))["both ways"]
    assert "hidden state" in facts(document_of(terms_of()))["TensorFlow"]
