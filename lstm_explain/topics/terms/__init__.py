"""terms: who says unit, cell, layer and neuron, and means what; and how many of each there are in the LSTM at hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from lstm_explain.errors import UsageError
from lstm_explain.frameworks.glossary import ENTRIES, GROUPS
from lstm_explain.frameworks.glossary.entry import DEFINITIONS, READ_THERE, Concept
from lstm_explain.topics.lookup import find_terms
from lstm_explain.topics.result import LSTMResult, json_keys
from lstm_explain.topics.shapes import explain_shapes
from lstm_explain.topics.terms.concept_counts import count_concept

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.glossary.entry import Entry, Usage
    from lstm_explain.topics.terms.concept_counts import ConceptCount

HERE = "here"
"""Who says what this package says."""


@json_keys("thing phrase number who")
class TermMeaning(NamedTuple):
    """One thing that a word means, how many of it there are, and who means it."""

    thing: Concept
    """The thing."""
    number: ConceptCount | None
    """How many there are, below; None where nothing is counted."""
    who: tuple[str, ...]
    """Each once; `here` comes first where this package means it."""

    @property
    def phrase(self) -> str:
        """The thing in words that everybody can agree on."""
        return DEFINITIONS[self.thing]


@json_keys(
    "who=usage.source.who thing=usage.thing means=usage.means quote=usage.quote number differs",
    "source.kind=usage.source.kind source.place=usage.source.location source.seen=usage.source.seen",
)
class OtherUsage(NamedTuple):
    """What one source means by a word, and how many of it there are."""

    usage: Usage
    number: ConceptCount | None
    """How many there are, below; None where nothing is counted."""
    differs: bool
    """Whether it means something else than this package, or, where this package does not use the word, than another source."""

    @property
    def second_hand(self) -> str:
        """How we know of it, where it was not read where it stands; else empty."""
        seen = self.usage.source.seen
        return "" if seen == READ_THERE else seen


class Synonym(NamedTuple):
    """Another word for what a word means here."""

    word: str
    """The word."""
    who: tuple[str, ...]
    """Who uses it."""


@json_keys(
    "word group used_here thing=entry.thing meaning=entry.meaning number spellings=entry.spellings",
    "related=entry.related others meanings both_ways same",
)
class Term(NamedTuple):
    """A word with all that is known of it."""

    entry: Entry
    group: str
    """The group of words that it belongs to."""
    number: ConceptCount | None
    """How many there are, below; None where nothing is counted."""
    others: tuple[OtherUsage, ...]
    """What each source means by it."""
    meanings: tuple[TermMeaning, ...]
    """The things that the word means: first what it means here, then in the order of the sources."""
    same: tuple[Synonym, ...]
    """Other words for what this one means here, and who says them."""

    @property
    def word(self) -> str:
        """The word."""
        return self.entry.word

    @property
    def used_here(self) -> bool:
        """Whether this package uses the word."""
        return self.entry.ours and self.entry.thing is not None

    @property
    def differing(self) -> int:
        """How many of the others mean something else."""
        return sum(other.differs for other in self.others)

    @property
    def both_ways(self) -> tuple[str, ...]:
        """Who means one thing by the word in one place, and another in another place."""
        sources = [who for meaning in self.meanings for who in meaning.who]
        return tuple(dict.fromkeys(who for who in sources if sources.count(who) > 1))


@json_keys("measured chosen terms contradictions=contradicting_words")
@dataclass(frozen=True, eq=False, repr=False)
class Terms(LSTMResult):
    """The words, and the numbers that they have in an LSTM."""

    topic: ClassVar[str] = "terms"

    spec: Spec
    source: dict[str, Any]
    terms: tuple[Term, ...]
    """The words."""
    chosen: bool
    """Whether words were asked for; else these are all there are."""
    measured: bool
    """Whether the sizes were read off arrays of a run that just happened; else it would not have fitted the budget."""
    max_memory: int

    @property
    def contradictions(self) -> tuple[Term, ...]:
        """The words with more than one meaning."""
        return tuple(term for term in self.terms if len(term.meanings) > 1)

    @property
    def contradicting_words(self) -> tuple[str, ...]:
        """The words with more than one meaning."""
        return tuple(term.word for term in self.contradictions)


def explain_terms(lstm: LSTM, words: str | Iterable[str] = ()) -> Terms:
    """Explain what words mean, here and to others, and count each concept in an LSTM.

    Runs the LSTM over all samples, if that fits the budget, and reads the sizes off the arrays.

    Args:
        lstm: the LSTM and its batch.
        words: the words to explain; all if left out. Several words may make one: `hidden state`.

    Raises:
        UsageError: a word is not known; the message names the nearest ones.
    """
    asked = list(words) if isinstance(words, Iterable) and not isinstance(words, str) else [words]
    for word in asked:
        if not isinstance(word, str):
            raise UsageError(f"terms {word!r}", "this is not a word")
    chosen = find_terms(asked) if asked else ENTRIES
    shapes = explain_shapes(lstm)
    counts = {thing: count_concept(thing, shapes) for thing in Concept}
    return Terms(
        spec=lstm.spec,
        source=lstm.provenance,
        terms=tuple(_explain_term(entry, counts) for entry in chosen),
        chosen=bool(asked),
        measured=shapes.measured,
        max_memory=lstm.max_memory,
    )


def _explain_term(entry: Entry, counts: dict[Concept, ConceptCount | None]) -> Term:
    sources = _sources_by_concept(entry)
    order = list(sources)
    others = tuple(
        OtherUsage(usage, counts[usage.thing], len(sources) > 1 if entry.thing is None else usage.thing is not entry.thing)
        for usage in sorted(entry.usages, key=lambda usage: order.index(usage.thing))
    )
    return Term(
        entry=entry,
        group=next(name for name, group in GROUPS.items() if entry in group),
        number=None if entry.thing is None else counts[entry.thing],
        others=others,
        meanings=tuple(TermMeaning(thing, counts[thing], who) for thing, who in sources.items()),
        same=_synonyms(entry),
    )


def _sources_by_concept(entry: Entry) -> dict[Concept, tuple[str, ...]]:
    """The things that a word means, and who uses it so."""
    sources: dict[Concept, dict[str, None]] = {}
    if entry.thing is not None:
        sources[entry.thing] = {HERE: None} if entry.ours else {}
    for usage in entry.usages:
        sources.setdefault(usage.thing, {})[usage.source.who] = None
    return {thing: tuple(who) for thing, who in sources.items() if who}


def _synonyms(entry: Entry) -> tuple[Synonym, ...]:
    """The other words for what a word means here."""
    if entry.thing is None:
        return ()
    synonyms = [(other.word, _sources_by_concept(other).get(entry.thing, ())) for other in ENTRIES if other is not entry]
    return tuple(Synonym(word, who) for word, who in synonyms if who)
