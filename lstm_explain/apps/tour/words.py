"""Chapter 6: what the words mean, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.apps.tour.chapter import Told
from lstm_explain.apps.tour.phrases import unlike_layers
from lstm_explain.document.blocks import Cell, Column, Document, Paragraph, Table
from lstm_explain.document.numbers import plural, thousands
from lstm_explain.document.text import join_words
from lstm_explain.topics.terms import HERE, explain_terms

if TYPE_CHECKING:
    from lstm_explain.apps.tour.subject import Subject
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.terms import Meaning, Term, Terms
    from lstm_explain.topics.terms.concept_counts import Count

PARTS = ("unit", "neuron", "cell", "layer")
SIZES = ("units", "hidden_size", "num_units")
"""What frameworks call the number of units."""
MOST_NAMED = 2


def words(subject: Subject) -> Told:
    """What do unit, neuron, cell and layer mean?"""
    terms = explain_terms(subject.lstm, [*PARTS, *SIZES])
    found = {term.word: term for term in terms.terms}
    return Told(
        question=_question(subject.spec),
        claims=(_cell(found["cell"]), _size(found, subject.spec)),
        evidence=_evidence(terms, found),
        numbers={"words": [_facts(found[word]) for word in (*PARTS, *SIZES)]},
        commands=(subject.command("terms"), subject.command("terms", ("cell",))),
    )


def _question(spec: Spec) -> str:
    if spec.stack:
        return (
            f"People say unit, neuron, cell and layer. In your LSTM {unlike_layers(spec)}, and it reads "
            f"{plural(spec.timesteps, 'timestep')}. How many cells are there{_where(spec)}?"
        )
    layers = "layer" if spec.layers == 1 else f"{thousands(spec.layers)} layers"
    have = "has" if spec.layers == 1 else "have"
    return (
        f"People say unit, neuron, cell and layer. Your {layers} {have} {plural(spec.units, 'unit')}"
        f"{'' if spec.layers == 1 else ' each'} and {'reads' if spec.layers == 1 else 'read'} "
        f"{plural(spec.timesteps, 'timestep')}. How many cells are there{_where(spec)}?"
    )


def _where(spec: Spec) -> str:
    if spec.stack:
        return " in layer 0" + (" in one direction" if spec.at(0).bidirectional else "")
    return " in a layer" + (" and direction" if spec.bidirectional else "") if _several(spec) else ""


# --- the answer -------------------------------------------------------------------------------------------------------


def _cell(term: Term) -> str:
    said = [
        f"To {_who(term, one)} a cell is {one.phrase}: {thousands(one.number.value)}." for one in term.meanings if one.number
    ]
    return f"It depends on who says it. {' '.join(said)}"


def _who(term: Term, meaning: Meaning) -> str:
    """Some of those who mean it; best those who mean nothing else by it elsewhere."""
    others = [who for who in _best_first(term, meaning) if who != HERE]
    clear = [who for who in others if _clear(term, who)]
    return join_words([_source(who) for who in (clear or others)[:MOST_NAMED]])


def _best_first(term: Term, meaning: Meaning) -> list[str]:
    """Who means it: this tool, those who mean nothing else by the word elsewhere, the others."""
    return sorted(meaning.who, key=lambda who: not _clear(term, who))


def _clear(term: Term, who: str) -> bool:
    return who not in term.both_ways and "(" not in who


def _source(who: str) -> str:
    """A thread is known by its number."""
    return f"the thread {who}" if "#" in who else who


def _number(number: Count, spec: Spec) -> str:
    """Of one layer in one direction, but for the layers themselves."""
    return f"{thousands(number.value)} in all" if number.within == "lstm" and _several(spec) else thousands(number.value)


def _several(spec: Spec) -> bool:
    return spec.layers > 1 or spec.bidirectional


def _size(found: dict[str, Term], spec: Spec) -> str:
    said = [
        f"{word} in {join_words([who for who in _unit_meaning(found[word]).who if who != HERE and '#' not in who])}"
        for word in SIZES
    ]
    if spec.stack:
        return f"The number of units, {thousands(spec.at(0).units)}{_where(spec)}, is called {'; '.join(said)}."
    each = f" in each layer{' and direction' if spec.bidirectional else ''}" if _several(spec) else ""
    return f"The number of units, {thousands(spec.units)}{each}, is called {'; '.join(said)}."


def _unit_meaning(term: Term) -> Meaning:
    return next(one for one in term.meanings if one.thing.value == "unit")


# --- the evidence -----------------------------------------------------------------------------------------------------


def _evidence(terms: Terms, found: dict[str, Term]) -> Document:
    columns = (Column("word"), Column("stands for", wraps=True), Column("number", "right"), Column("said by", wraps=True))
    rows = [row for word in PARTS for row in _rows(found[word], terms.spec)]
    how = "read off arrays of the run" if terms.measured else "computed"
    what = f"Who means what ('here': this tour), and how many there are{_where(terms.spec)}."
    who = f"{what} Sizes are {how}; cells, layers and gates follow from the options."
    return (Paragraph(who), Table(columns, tuple(rows)))


def _rows(term: Term, spec: Spec) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for one in term.meanings:
        if one.number is not None:
            who, most = _best_first(term, one), MOST_NAMED + (HERE in one.who)
            named = ", ".join(who[:most]) + (f" and {len(who) - most} more" if len(who) > most else "")
            rows.append(
                (Cell("" if rows else term.word, strong=True), Cell(one.phrase), Cell(_number(one.number, spec)), Cell(named))
            )
    return rows


def _facts(term: Term) -> dict[str, object]:
    return {
        "word": term.word,
        "meanings": [
            {"thing": one.thing.value, "number": None if one.number is None else one.number.value, "who": list(one.who)}
            for one in term.meanings
        ],
    }
