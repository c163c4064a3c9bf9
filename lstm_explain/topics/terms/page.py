"""The page of `terms`: five words inside each other; all words and who contradicts whom; or a few words with all sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.document.blocks import (
    Block,
    Cell,
    Column,
    Document,
    Heading,
    NextStep,
    Paragraph,
    Preformatted,
    Table,
)
from lstm_explain.document.numbers import plural, thousands
from lstm_explain.document.tables import facts_table
from lstm_explain.document.text import join_words
from lstm_explain.topics.command_line import format_command
from lstm_explain.topics.intro import closing_blocks, computed_note
from lstm_explain.topics.terms.nested_boxes import NESTED_WORDS, draw_boxes

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.terms import OtherUsage, Term, Terms
    from lstm_explain.topics.terms.concept_counts import ConceptCount

TITLES = {
    "parts": "The parts of a layer",
    "gates": "Its gates",
    "states": "What it keeps and outputs",
    "sequences": "What it reads",
    "arguments": "What frameworks call the sizes",
}
OVERVIEW_COLUMNS = (Column("word"), Column("means here", wraps=True), Column("number"), Column("others"))
MEANING_COLUMNS = (Column("word"), Column("means", wraps=True), Column("number"), Column("used by", wraps=True))
USAGE_COLUMNS = (Column("who"), Column("means", wraps=True), Column("number"), Column(""))
NO_NUMBER = "-"


def document(terms: Terms, every: bool = False) -> Document:
    """Lay out the words: those that were asked for with every source, else the five most important ones.

    Args:
        terms: the explanation.
        every: without a word, show all of them, and who contradicts whom.
    """
    if terms.chosen:
        title = ", ".join(term.word for term in terms.terms)
        several = len(terms.terms) > 1
        blocks = [block for term in terms.terms for block in _term_blocks(term, terms.spec, several)]
    elif every:
        title, blocks = "every word, and who means what by it", _overview_blocks(terms)
    else:
        title, blocks = ", ".join(NESTED_WORDS), _nested_blocks(terms)
    return (
        Heading(f"terms: {title}", 1),
        *blocks,
        *closing_blocks(terms, _measurement_note(terms), _next_steps(terms, every)),
    )


def _measurement_note(terms: Terms) -> str:
    if not terms.measured:
        return computed_note("These numbers", terms.max_memory)
    return (
        "Sizes were read off arrays of a run over all samples that just happened. The numbers of gates, cells and layers "
        "follow from the options."
    )


def _next_steps(terms: Terms, every: bool) -> list[NextStep]:
    steps = [] if every else [NextStep(_command(terms, every=True), "every word, and who contradicts whom")]
    if terms.chosen:
        words = [word for term in terms.terms for word in term.entry.related]
        asked = {term.word for term in terms.terms}
        related = next((word for word in words if word not in asked), None)
        steps += [] if related is None else [NextStep(_command(terms, related), f"what {related} means to others")]
    else:
        steps.append(NextStep(_command(terms, "unit"), "one word with every source"))
    return [*steps, NextStep(format_command("shapes", terms.spec, terms.source), "how units share information")]


def _command(terms: Terms, *words: str, every: bool = False) -> str:
    return format_command("terms", terms.spec, terms.source, arguments=words, every=every)


# --- five words -------------------------------------------------------------------------------------------------------


def _nested_blocks(terms: Terms) -> list[Block]:
    by_word = {term.word: term for term in terms.terms}
    counts = {word: number for word in NESTED_WORDS if (number := by_word[word].number) is not None}
    rows = [row for word in NESTED_WORDS for row in _meaning_rows(by_word[word], others_only=True)]
    return [
        Paragraph(
            "A layer runs its cell at every timestep. A cell is made of units, and a unit of four neurons: three gates and "
            "the candidate."
        ),
        Preformatted(draw_boxes(counts, terms.spec)),
        Heading("What else these words mean to others"),
        Table(MEANING_COLUMNS, tuple(rows)),
    ]


# --- all words --------------------------------------------------------------------------------------------------------


def _overview_blocks(terms: Terms) -> list[Block]:
    blocks: list[Block] = [
        Paragraph(
            f"{plural(len(terms.contradictions), 'word')} of these {thousands(len(terms.terms))} have more than one meaning: "
            f"{join_words(terms.contradicting_words)}."
        )
    ]
    for group, title in TITLES.items():
        rows = tuple(_overview_row(term) for term in terms.terms if term.group == group)
        blocks += [Heading(title), Table(OVERVIEW_COLUMNS, rows)]
    return [*blocks, *_contradiction_blocks(terms), *_inconsistent_sources(terms)]


def _overview_row(term: Term) -> tuple[Cell, ...]:
    return Cell(term.word, strong=True), Cell(term.entry.meaning), _number_cell(term.number), Cell(_agreement(term))


def _agreement(term: Term) -> str:
    if term.entry.thing is None:
        return plural(len(term.meanings), "meaning")
    return f"{term.differing} of {len(term.others)} differ" if term.differing else "agree"


def _contradiction_blocks(terms: Terms) -> list[Block]:
    rows = [row for term in terms.contradictions for row in _meaning_rows(term)]
    return [Heading("Words with several meanings, each with its own number"), Table(MEANING_COLUMNS, tuple(rows))]


def _meaning_rows(term: Term, others_only: bool = False) -> list[tuple[Cell, ...]]:
    """A row for each meaning of a word; `others_only` leaves out the one that it has here."""
    meanings = [meaning for meaning in term.meanings if not (others_only and meaning.thing is term.entry.thing)]
    return [
        (
            Cell(term.word if index == 0 else "", strong=True),
            Cell(meaning.phrase),
            _number_cell(meaning.number),
            Cell(", ".join(meaning.who)),
        )
        for index, meaning in enumerate(meanings)
    ]


def _inconsistent_sources(terms: Terms) -> list[Block]:
    words_by_source: dict[str, list[str]] = {}
    for term in terms.terms:
        for who in term.both_ways:
            words_by_source.setdefault(who, []).append(term.word)
    rows = [(who, ", ".join(words)) for who, words in words_by_source.items()]
    return [Heading("Sources that use a word in two ways"), facts_table(rows)]


# --- one word ---------------------------------------------------------------------------------------------------------


def _term_blocks(term: Term, spec: Spec, several: bool) -> list[Block]:
    rows = [("means here", term.entry.meaning)]
    rows += [("number", _number_text(term.number, len(spec.layer_directions) > 1))] if term.entry.thing is not None else []
    rows.append(("elsewhere", _agreement_text(term)))
    rows += [("", f"{who} uses it in two ways") for who in term.both_ways]
    rows += [("also called", _synonym_text(term))] if term.same else []
    rows += [("also found as", ", ".join(term.entry.spellings))] if term.entry.spellings else []
    rows.append(("see also", ", ".join(term.entry.related)))
    return [
        *([Heading(term.word)] if several else []),
        facts_table(rows),
        Heading(f"What others mean by {term.word}", 3),
        Table(USAGE_COLUMNS, tuple(_usage_row(other, index) for index, other in enumerate(term.others, 1)), repeated=0),
        Heading("Sources", 3),
        _source_table(term),
    ]


def _agreement_text(term: Term) -> str:
    total = len(term.others)
    if term.entry.thing is None:
        return f"{plural(len(term.meanings), 'meaning')} in {plural(total, 'source')}"
    if not term.differing:
        return "the same in all sources" if total > 1 else "the same in the source below"
    return f"{term.differing} of {plural(total, 'source')} {'means' if term.differing == 1 else 'mean'} something else"


def _synonym_text(term: Term) -> str:
    return "; ".join(f"{word} ({', '.join(who)})" for word, who in term.same)


def _usage_row(other: OtherUsage, index: int) -> tuple[Cell, ...]:
    usage = other.usage
    return (
        Cell(usage.source.who, f"[{index}]", strong=True),
        Cell(usage.means, f"“{usage.quote}”"),
        _number_cell(other.number),
        Cell("differs" if other.differs else "the same"),
    )


def _source_table(term: Term) -> Table:
    rows = []
    for index, other in enumerate(term.others, 1):
        source = other.usage.source
        where = f"the docstring of {source.location}" if source.kind == "docstring" else source.location
        rows.append((f"[{index}]", f"{where} ({other.second_hand})" if other.second_hand else where))
    return facts_table(rows)


# --- numbers ----------------------------------------------------------------------------------------------------------


def _number_cell(count: ConceptCount | None) -> Cell:
    if count is None:
        return Cell(NO_NUMBER)
    each = " a unit" if count.within == "unit" else ""
    details = [] if count.layer is None else [f"layer {count.layer}"]
    details += [] if count.total == count.value else [f"{thousands(count.total)} in all"]
    return Cell(plural(count.value, count.noun) + each, ", ".join(details))


def _number_text(count: ConceptCount | None, several: bool) -> str:
    if count is None:
        return "none: this LSTM does not have it"
    each = " in each layer and direction" if several else ""
    if count.layer is not None:
        each = f" in layer {count.layer} in one direction"
    within = {
        "unit": " in each unit",
        "place": f"{each}, {thousands(count.total)} in all" if several else "",
        "state": f" for a sample at a timestep{each}",
        "output": " for a sample at a timestep" + ("" if count.layer is None else f" in layer {count.layer}"),
    }
    origin = "read off an array" if count.measured else "computed"
    formula = "" if count.formula.isdigit() else f"{count.formula}; "
    return f"{plural(count.value, count.noun)}{within.get(count.within, '')} ({formula}{origin})"
