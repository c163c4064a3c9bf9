"""Chapter 6: what the words mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.tour.chapter import ChapterContent, describe_layers, has_several_directions
from lstm_explain.document.blocks import Cell, Column, Document, Paragraph, Table
from lstm_explain.document.numbers import plural, thousands
from lstm_explain.document.text import join_words
from lstm_explain.topics.terms import HERE, explain_terms

if TYPE_CHECKING:
    from lstm_explain.apps.tour.chapter import TourContext
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.glossary.entry import Concept
    from lstm_explain.topics.terms import Term, TermMeaning, Terms
    from lstm_explain.topics.terms.concept_counts import ConceptCount

CONCEPTS = ("unit", "neuron", "cell", "layer")
UNIT_COUNT_NAMES = ("units", "hidden_size", "num_units")
"""What frameworks call the number of units."""
MAX_SOURCES = 2


class MeaningCount(NamedTuple):
    """One thing that a word means, and how many there are."""

    thing: Concept
    """The thing."""
    number: int | None
    """How many there are in one layer and direction; null where nothing is counted."""
    who: tuple[str, ...]
    """Who means it; `here` is lstm-explain."""


class WordMeanings(NamedTuple):
    """A word and what it means."""

    word: str
    """The word."""
    meanings: list[MeaningCount]
    """Everything that it means."""


class WordsEvidence(NamedTuple):
    """What the chapter `words` measures."""

    words: list[WordMeanings]
    """The words of the chapter, and what frameworks call the number of units."""


def words_chapter(context: TourContext) -> ChapterContent:
    """What do unit, neuron, cell and layer mean?"""
    terms = explain_terms(context.lstm, [*CONCEPTS, *UNIT_COUNT_NAMES])
    by_word = {term.word: term for term in terms.terms}
    return ChapterContent(
        question=_question(context.spec),
        claims=(_cell_claim(by_word["cell"]), _units_claim(by_word, context.spec)),
        blocks=_evidence_blocks(terms, by_word),
        evidence=WordsEvidence([_word_meanings(by_word[word]) for word in (*CONCEPTS, *UNIT_COUNT_NAMES)]),
        commands=(context.command("terms"), context.command("terms", ("cell",))),
    )


def _question(spec: Spec) -> str:
    if spec.layers_differ:
        return (
            f"People say unit, neuron, cell and layer. In your LSTM {describe_layers(spec)}, and it reads "
            f"{plural(spec.timesteps, 'timestep')}. How many cells are there{_layer_phrase(spec)}?"
        )
    layers = "layer" if len(spec.layers) == 1 else f"{thousands(len(spec.layers))} layers"
    have = "has" if len(spec.layers) == 1 else "have"
    return (
        f"People say unit, neuron, cell and layer. Your {layers} {have} {plural(spec.units, 'unit')}"
        f"{'' if len(spec.layers) == 1 else ' each'} and {'reads' if len(spec.layers) == 1 else 'read'} "
        f"{plural(spec.timesteps, 'timestep')}. How many cells are there{_layer_phrase(spec)}?"
    )


def _layer_phrase(spec: Spec) -> str:
    if spec.layers_differ:
        return " in layer 0" + (" in one direction" if spec.for_layer(0).bidirectional else "")
    return " in a layer" + (" and direction" if spec.bidirectional else "") if has_several_directions(spec) else ""


# --- the answer -------------------------------------------------------------------------------------------------------


def _cell_claim(term: Term) -> str:
    meanings = [
        f"To {_sources_phrase(term, meaning)} a cell is {meaning.phrase}: {thousands(meaning.number.value)}."
        for meaning in term.meanings
        if meaning.number
    ]
    return f"It depends on who says it. {' '.join(meanings)}"


def _sources_phrase(term: Term, meaning: TermMeaning) -> str:
    """Some of those who mean it; best those who mean nothing else by it elsewhere."""
    others = [who for who in _rank_sources(term, meaning) if who != HERE]
    clear = [who for who in others if _is_unambiguous(term, who)]
    return join_words([_format_source(who) for who in (clear or others)[:MAX_SOURCES]])


def _rank_sources(term: Term, meaning: TermMeaning) -> list[str]:
    """Who means it: this tool, those who mean nothing else by the word elsewhere, the others."""
    return sorted(meaning.who, key=lambda who: not _is_unambiguous(term, who))


def _is_unambiguous(term: Term, who: str) -> bool:
    return who not in term.both_ways and "(" not in who


def _format_source(who: str) -> str:
    """A thread is known by its number."""
    return f"the thread {who}" if "#" in who else who


def _format_count(number: ConceptCount, spec: Spec) -> str:
    """Of one layer in one direction, but for the layers themselves."""
    return (
        f"{thousands(number.value)} in all"
        if number.within == "lstm" and has_several_directions(spec)
        else thousands(number.value)
    )


def _units_claim(by_word: dict[str, Term], spec: Spec) -> str:
    names = "; ".join(
        f"{word} in {join_words([who for who in _unit_meaning(by_word[word]).who if who != HERE and '#' not in who])}"
        for word in UNIT_COUNT_NAMES
    )
    if spec.layers_differ:
        where = _layer_phrase(spec)
    else:
        where = f" in each layer{' and direction' if spec.bidirectional else ''}" if has_several_directions(spec) else ""
    return f"The number of units, {thousands(spec.layers[0].units)}{where}, is called {names}."


def _unit_meaning(term: Term) -> TermMeaning:
    return next(meaning for meaning in term.meanings if meaning.thing.value == "unit")


# --- the evidence -----------------------------------------------------------------------------------------------------


def _evidence_blocks(terms: Terms, by_word: dict[str, Term]) -> Document:
    columns = (Column("word"), Column("means", wraps=True), Column("number", "right"), Column("used by", wraps=True))
    rows = [row for word in CONCEPTS for row in _term_rows(by_word[word], terms.spec)]
    origin = "read off arrays of the run" if terms.measured else "computed"
    intro = (
        f"Who means what ('here': this tour), and how many there are{_layer_phrase(terms.spec)}. Sizes are {origin}; cells, "
        "layers and gates follow from the options."
    )
    return (Paragraph(intro), Table(columns, tuple(rows)))


def _term_rows(term: Term, spec: Spec) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for meaning in term.meanings:
        if meaning.number is not None:
            who, limit = _rank_sources(term, meaning), MAX_SOURCES + (HERE in meaning.who)
            sources = ", ".join(who[:limit]) + (f" and {len(who) - limit} more" if len(who) > limit else "")
            word = Cell("" if rows else term.word, strong=True)
            rows.append((word, Cell(meaning.phrase), Cell(_format_count(meaning.number, spec)), Cell(sources)))
    return rows


def _word_meanings(term: Term) -> WordMeanings:
    counts = [
        MeaningCount(meaning.thing, None if meaning.number is None else meaning.number.value, meaning.who)
        for meaning in term.meanings
    ]
    return WordMeanings(term.word, counts)
