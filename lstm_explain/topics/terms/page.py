"""terms, in words and tables: all words at a glance and where they contradict each other; or a few words with all sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Table
from lstm_explain.document.numbers import plural, thousands
from lstm_explain.document.tables import facts_table
from lstm_explain.topics.intro import computed_note, lstm_summary

if TYPE_CHECKING:
    from lstm_explain.topics.terms import OtherUsage, Term, Terms
    from lstm_explain.topics.terms.concept_counts import ConceptCount

TITLES = {
    "parts": "The parts of a layer",
    "gates": "Its gates",
    "states": "What it carries and emits",
    "sequences": "What it reads",
    "arguments": "Names of sizes in frameworks",
}
OVERVIEW_COLUMNS = (Column("word"), Column("means here", wraps=True), Column("number"), Column("others"))
CONTRADICTION_COLUMNS = (Column("word"), Column("means", wraps=True), Column("number"), Column("used by", wraps=True))
USAGE_COLUMNS = (Column("who"), Column("means", wraps=True), Column("number"), Column(""))
NO_NUMBER = "-"


def document(terms: Terms) -> Document:
    """Lay out the words: those that were asked for with every source, else all of them in brief."""
    title = ", ".join(term.word for term in terms.terms) if terms.chosen else "who says what, and how many there are"
    blocks: list[Block] = [Heading(f"terms: {title}", 1), Paragraph(lstm_summary(terms)), Note(_measurement_note(terms))]
    if terms.chosen:
        for term in terms.terms:
            blocks += _term_blocks(term, several=len(terms.spec.layer_directions) > 1)
    else:
        blocks += _overview_blocks(terms)
    return tuple(blocks)


def _measurement_note(terms: Terms) -> str:
    if terms.measured:
        return (
            "Sizes were read off arrays of a run that just happened, over all samples; how many gates, cells and layers there "
            "are follows from the options."
        )
    return computed_note("These numbers", terms.max_memory)


# --- all words --------------------------------------------------------------------------------------------------------


def _overview_blocks(terms: Terms) -> list[Block]:
    blocks: list[Block] = []
    for group, title in TITLES.items():
        rows = tuple(_overview_row(term) for term in terms.terms if term.group == group)
        blocks += [Heading(title), Table(OVERVIEW_COLUMNS, rows)]
    return [
        *blocks,
        *_contradiction_blocks(terms),
        *_inconsistent_sources(terms),
        Note("For one word with every source: lstm-explain terms unit"),
    ]


def _overview_row(term: Term) -> tuple[Cell, ...]:
    return Cell(term.word, strong=True), Cell(term.entry.meaning), _number_cell(term.number), Cell(_agreement(term))


def _agreement(term: Term) -> str:
    if term.entry.thing is None:
        return plural(len(term.meanings), "meaning")
    return f"{term.differing} of {len(term.others)} differ" if term.differing else "agree"


def _contradiction_blocks(terms: Terms) -> list[Block]:
    rows = [row for term in terms.contradictions for row in _meaning_rows(term)]
    words = (
        f"{plural(len(terms.contradictions), 'word')} of these {thousands(len(terms.terms))} have more than one meaning. "
        "Each meaning has its own number in this LSTM."
    )
    return [
        Heading("One word, several things: the contradictions"),
        Paragraph(words),
        Table(CONTRADICTION_COLUMNS, tuple(rows)),
    ]


def _meaning_rows(term: Term) -> list[tuple[Cell, ...]]:
    return [
        (
            Cell(term.word if index == 0 else "", strong=True),
            Cell(meaning.phrase),
            _number_cell(meaning.number),
            Cell(", ".join(meaning.who)),
        )
        for index, meaning in enumerate(term.meanings)
    ]


def _inconsistent_sources(terms: Terms) -> list[Block]:
    words_by_source: dict[str, list[str]] = {}
    for term in terms.terms:
        for who in term.both_ways:
            words_by_source.setdefault(who, []).append(term.word)
    if not words_by_source:
        return []
    rows = [(who, ", ".join(words)) for who, words in words_by_source.items()]
    return [Heading("Who uses a word both ways"), facts_table(rows)]


# --- one word ---------------------------------------------------------------------------------------------------------


def _term_blocks(term: Term, several: bool) -> list[Block]:
    rows = [("here", term.entry.meaning)]
    rows += [("number", _number_text(term.number, several))] if term.entry.thing is not None else []
    rows += [("also looked for as", ", ".join(term.entry.spellings))] if term.entry.spellings else []
    rows.append(("see also", ", ".join(term.entry.related)))
    rows += [("both ways", f"{who} says it of one thing in one place, of another in another") for who in term.both_ways]
    blocks: list[Block] = [
        Heading(f"{term.word}: {_term_summary(term)}"),
        facts_table(rows),
        Heading(f"What others mean by {term.word}", 3),
        Table(USAGE_COLUMNS, tuple(_usage_row(other, index) for index, other in enumerate(term.others, 1)), repeated=0),
    ]
    if term.same:
        blocks += [Heading("Others' words for the same thing", 3), facts_table([(w, ", ".join(who)) for w, who in term.same])]
    return [*blocks, Heading("Sources", 3), _source_table(term)]


def _term_summary(term: Term) -> str:
    if len(term.meanings) == 1:
        return "all sources agree" if term.entry.thing is not None else "not used here"
    things = f"{len(term.meanings)} meanings"
    return things if term.entry.thing is None else f"{things}; {term.differing} of {len(term.others)} sources differ from here"


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
