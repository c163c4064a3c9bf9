"""Chapter 6: what the words mean, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.apps.tour.chapter import ChapterContent
from lstm_explain.apps.tour.text import describe_layers
from lstm_explain.document.blocks import Cell, Column, Document, Paragraph, Table
from lstm_explain.document.numbers import plural, thousands
from lstm_explain.document.text import join_words
from lstm_explain.topics.terms import HERE, explain_terms

if TYPE_CHECKING:
    from lstm_explain.apps.tour.context import TourContext
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.terms import Term, TermMeaning, Terms
    from lstm_explain.topics.terms.concept_counts import ConceptCount

CONCEPTS = ("unit", "neuron", "cell", "layer")
UNIT_COUNT_NAMES = ("units", "hidden_size", "num_units")
"""What frameworks call the number of units."""
MAX_SOURCES = 2


def words_chapter(subject: TourContext) -> ChapterContent:
    """What do unit, neuron, cell and layer mean?"""
    terms = explain_terms(subject.lstm, [*CONCEPTS, *UNIT_COUNT_NAMES])
    found = {term.word: term for term in terms.terms}
    return ChapterContent(
        question=_question(subject.spec),
        claims=(_cell_claim(found["cell"]), _units_claim(found, subject.spec)),
        evidence=_evidence(terms, found),
        numbers={"words": [_term_to_dict(found[word]) for word in (*CONCEPTS, *UNIT_COUNT_NAMES)]},
        commands=(subject.command("terms"), subject.command("terms", ("cell",))),
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
    return " in a layer" + (" and direction" if spec.bidirectional else "") if _has_several_directions(spec) else ""


# --- the answer -------------------------------------------------------------------------------------------------------


def _cell_claim(term: Term) -> str:
    said = [
        f"To {_sources_phrase(term, one)} a cell is {one.phrase}: {thousands(one.number.value)}."
        for one in term.meanings
        if one.number
    ]
    return f"It depends on who says it. {' '.join(said)}"


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
        if number.within == "lstm" and _has_several_directions(spec)
        else thousands(number.value)
    )


def _has_several_directions(spec: Spec) -> bool:
    return len(spec.layers) > 1 or spec.bidirectional


def _units_claim(found: dict[str, Term], spec: Spec) -> str:
    said = [
        f"{word} in {join_words([who for who in _unit_meaning(found[word]).who if who != HERE and '#' not in who])}"
        for word in UNIT_COUNT_NAMES
    ]
    if spec.layers_differ:
        return f"The number of units, {thousands(spec.for_layer(0).units)}{_layer_phrase(spec)}, is called {'; '.join(said)}."
    each = f" in each layer{' and direction' if spec.bidirectional else ''}" if _has_several_directions(spec) else ""
    return f"The number of units, {thousands(spec.units)}{each}, is called {'; '.join(said)}."


def _unit_meaning(term: Term) -> TermMeaning:
    return next(one for one in term.meanings if one.thing.value == "unit")


# --- the evidence -----------------------------------------------------------------------------------------------------


def _evidence(terms: Terms, found: dict[str, Term]) -> Document:
    columns = (Column("word"), Column("stands for", wraps=True), Column("number", "right"), Column("said by", wraps=True))
    rows = [row for word in CONCEPTS for row in _term_rows(found[word], terms.spec)]
    how = "read off arrays of the run" if terms.measured else "computed"
    what = f"Who means what ('here': this tour), and how many there are{_layer_phrase(terms.spec)}."
    who = f"{what} Sizes are {how}; cells, layers and gates follow from the options."
    return (Paragraph(who), Table(columns, tuple(rows)))


def _term_rows(term: Term, spec: Spec) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for one in term.meanings:
        if one.number is not None:
            who, most = _rank_sources(term, one), MAX_SOURCES + (HERE in one.who)
            named = ", ".join(who[:most]) + (f" and {len(who) - most} more" if len(who) > most else "")
            rows.append(
                (
                    Cell("" if rows else term.word, strong=True),
                    Cell(one.phrase),
                    Cell(_format_count(one.number, spec)),
                    Cell(named),
                )
            )
    return rows


def _term_to_dict(term: Term) -> dict[str, object]:
    return {
        "word": term.word,
        "meanings": [
            {"thing": one.thing.value, "number": None if one.number is None else one.number.value, "who": list(one.who)}
            for one in term.meanings
        ],
    }
