"""terms: every word has a source, its numbers are those of the LSTM, and who contradicts whom follows from what is meant."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.errors import UsageError
from lstm_explain.frameworks.glossary import ENTRIES, GROUPS, sources
from lstm_explain.frameworks.glossary.entry import DEFINITIONS, READ_THERE, Concept, Source
from lstm_explain.library import seeded
from lstm_explain.topics.lookup import find_terms, normalise
from lstm_explain.topics.shapes import explain_shapes
from lstm_explain.topics.terms import HERE, explain_terms
from lstm_explain.topics.terms.concept_counts import count_concept
from tests.helpers.random_lstms import random_lstms, words_of

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.glossary.entry import Usage
    from lstm_explain.topics.terms import Term
    from lstm_explain.topics.terms.concept_counts import ConceptCount

few = settings(max_examples=60, deadline=None)
USAGES = [usage for entry in ENTRIES for usage in entry.usages]
SOURCES = [source for source in vars(sources).values() if isinstance(source, Source)]
PLACES = {
    "docstring": r"[a-z]+(\.\w+)+",
    "operator": r"onnx/onnx: [\w./]+, \w+",
    "file": r"[\w-]+/[\w.-]+@[0-9a-f]{8}: [\w./-]+\.(py|md|html)(, .+)?",
    "page": r"https://\S+",
    "paper": r".+, \d{4}, (doi:10\.\d{4}/\S+|arXiv:\d{4}\.\d{5}|https://\S+)(, section [\d.]+)?",
    "thread": r"[\w-]+/[\w.-]+#\d+, an? \w+( \w+)?",
}
SECOND_HAND = {"Hochreiter & Schmidhuber", "Greff et al.", "Goodfellow et al.", "Wikipedia"}
ASKED_FOR = [
    *("unit", "neuron", "node", "cell", "block", "layer", "hidden state", "cell state", "output", "state", "gate", "timestep"),
    *("sample", "batch", "feature", "units", "hidden_size", "num_units", "input_size", "sequence length"),
]


@st.composite
def lstms(draw: st.DrawFn) -> LSTM:
    """An LSTM with any options, and memory for a run or not."""
    budget = draw(st.sampled_from([1, 2**30]))
    return draw(random_lstms(most_samples=5, most_timesteps=7, most_units=8, lengths=None, max_memory=budget))


def term_of(word: str, **sizes: Any) -> Term:
    (term,) = explain_terms(seeded(**{"samples": 2, **sizes}), word).terms
    return term


def value_of(word: str, **sizes: Any) -> int | None:
    number = term_of(word, **sizes).number
    return None if number is None else number.value


# --- the glossary itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.location)
def test_every_source_is_a_place_that_can_be_found(source: Source) -> None:
    assert source.who
    assert re.fullmatch(PLACES[source.kind], source.location)
    assert (source.seen == READ_THERE) is (source.who not in SECOND_HAND)
    assert source.seen == READ_THERE or source.seen.startswith("second-hand: ")


def test_every_source_is_used() -> None:
    assert {usage.source for usage in USAGES} == set(SOURCES)


@pytest.mark.parametrize("usage", USAGES, ids=lambda usage: f"{usage.source.who}: {usage.quote[:30]}")
def test_quotations_are_short(usage: Usage) -> None:
    assert usage.means
    assert 1 <= len(usage.quote.split()) <= 20
    assert usage.quote == " ".join(usage.quote.split())


def test_every_word_has_a_meaning_a_source_and_relatives() -> None:
    words = {entry.word for entry in ENTRIES}
    for entry in ENTRIES:
        assert entry.meaning
        assert "\n" not in entry.meaning
        assert entry.usages, entry.word
        assert set(entry.related) <= words - {entry.word}, entry.word
        assert entry.thing is not None or entry.meaning.startswith("not used in this package")


def test_every_thing_is_meant_by_somebody_and_has_a_phrase() -> None:
    meant = {usage.thing for usage in USAGES} | {entry.thing for entry in ENTRIES}
    assert meant - {None} == set(Concept) == set(DEFINITIONS)
    assert len(set(DEFINITIONS.values())) == len(Concept)


def test_no_two_words_are_looked_for_in_the_same_form() -> None:
    forms = [normalise(form) for entry in ENTRIES for form in {entry.word, *entry.spellings}]
    assert len(forms) == len(set(forms))


def test_the_words_that_people_ask_about_are_there() -> None:
    assert [find_terms([word])[0].word for word in ASKED_FOR] == ASKED_FOR


def test_the_index_says_the_same() -> None:
    index = (Path(__file__).resolve().parents[2] / "docs" / "index.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", index.partition("## Words")[2].partition("\n## ")[0], re.MULTILINE)
    told = {word.partition(",")[0]: meaning for word, meaning in rows}
    known = {entry.word: entry.meaning for entry in ENTRIES}
    shared = set(told) & set(known)
    assert {"unit", "neuron", "gate", "cell", "layer", "hidden state", "cell state", "sample", "timestep", "feature"} <= shared
    for word in shared:
        assert first_clause(told[word]) == first_clause(known[word].removeprefix("h, ").removeprefix("c, "))


def first_clause(text: str) -> str:
    return re.split("[;:,]", text)[0]


# --- the numbers ------------------------------------------------------------------------------------------------------


@given(lstms())
@few
def test_each_number_is_what_its_formula_says(lstm: LSTM) -> None:
    spec, terms = lstm.spec, explain_terms(lstm)
    assert terms.measured is lstm.fits_memory
    numbers = [term.number for term in terms.terms] + [other.number for term in terms.terms for other in term.others]
    for number in filter(None, numbers):
        values = {layer: value_in(number, spec, layer) for layer in range(len(spec.layers))}
        assert number.value == values[number.layer or 0]
        assert number.total == (
            sum(values[layer] for layer, _ in spec.layer_directions) if number.within == "place" else number.value
        )
        assert (number.layer is None) or bool(spec.layers_differ)
        assert number.measured is (lstm.fits_memory and not number.formula.isdigit() and number.noun != "layer")


def value_in(number: ConceptCount, spec: Spec, layer: int) -> int:
    """What the formula of a number gives in a layer."""
    sizes = {**words_of(spec.for_layer(layer)), "features": spec.features, "layers": len(spec.layers)}
    return int(eval(number.formula, {"__builtins__": {}}, sizes))


@given(lstms())
@few
def test_the_numbers_agree_with_the_shapes(lstm: LSTM) -> None:
    spec, shapes, first = lstm.spec, explain_shapes(lstm), lstm.spec.for_layer(0)
    found = {thing: count_concept(thing, shapes) for thing in Concept}
    values = {thing.value: number.value for thing, number in found.items() if number is not None}
    assert values["unit"] == first.units
    assert values["neuron"] == shapes.units[0].neurons * first.units
    assert values["gate"] == shapes.units[0].neurons == values["sigmoid_gate"] + 1
    assert values["hidden"] == shapes.units[0].hidden
    assert values["states"] == values["hidden"] + values["cell_state"]
    assert values["output"] == values["last_output"] == first.output
    assert (values["sample"], values["timestep"], values["feature"]) == shapes.of("input")[0].shape.sizes
    assert values["layer"] == len(spec.layers)
    projections = [one for layer in range(len(spec.layers)) if (one := spec.for_layer(layer).projection) is not None]
    assert values.get("projected") == (projections[0] if projections else None)
    last = found[Concept.CELL]
    assert last is not None
    assert last.total == len(shapes.last_states)


def test_the_founding_example() -> None:
    words = ("unit", "neuron", "cell", "layer", "hidden state", "cell state", "state", "timestep", "sample", "feature", "gate")
    assert [value_of(word, samples=1000) for word in words] == [10, 40, 1, 1, 10, 10, 20, 10, 1000, 5, 3]
    assert value_of("proj_size") is value_of("block") is None


def test_both_directions_have_units_of_their_own() -> None:
    number = term_of("unit", bidirectional=True).number
    assert number is not None
    assert (number.value, number.total) == (10, 20)
    assert value_of("output", bidirectional=True) == 20
    assert value_of("hidden state", bidirectional=True) == 10


def test_with_a_projection_the_size_of_h_is_no_longer_the_units() -> None:
    assert (value_of("hidden state", projection=3), value_of("cell state", projection=3)) == (3, 10)
    assert (value_of("hidden_size", projection=3), value_of("proj_size", projection=3)) == (10, 3)
    assert [other.number.value for other in term_of("hidden_size", projection=3).others if other.number and other.differs] == [
        3
    ]


def test_what_does_not_fit_the_budget_is_computed() -> None:
    terms = explain_terms(seeded(samples=10**12), "sample")
    number = terms.terms[0].number
    assert number is not None
    assert (terms.measured, number.measured, number.value) == (False, False, 10**12)


# --- who contradicts whom ---------------------------------------------------------------------------------------------


def test_a_source_differs_where_it_means_another_thing() -> None:
    terms = explain_terms(seeded(samples=1))
    for term in terms.terms:
        assert len(term.others) == len(term.entry.usages)
        for other in term.others:
            if term.entry.thing is not None:
                assert other.differs is (other.usage.thing is not term.entry.thing)
            else:
                assert other.differs is (len(term.meanings) > 1)
    assert set(terms.contradictions) == {term for term in terms.terms if any(other.differs for other in term.others)}


def test_each_meaning_names_everybody_who_means_it() -> None:
    for term in explain_terms(seeded(samples=1)).terms:
        said = {(usage.thing, usage.source.who) for usage in term.entry.usages}
        said |= {(term.entry.thing, HERE)} if term.entry.thing is not None and term.entry.ours else set()
        assert {(meaning.thing, who) for meaning in term.meanings for who in meaning.who} == said


@pytest.mark.parametrize(
    ("word", "who", "things"),
    [
        ("cell", "TensorFlow", {Concept.CELL, Concept.UNIT}),
        ("hidden state", "TensorFlow", {Concept.HIDDEN, Concept.CELL_STATE}),
        ("unit", "TensorFlow", {Concept.UNIT, Concept.CELL}),
        ("element", "PyTorch", {Concept.TIMESTEP, Concept.SAMPLE}),
    ],
)
def test_some_mean_two_things_by_one_word(word: str, who: str, things: set[Concept]) -> None:
    term = term_of(word)
    assert who in term.both_ways
    assert {meaning.thing for meaning in term.meanings if who in meaning.who} == things


def test_samples_are_not_timesteps() -> None:
    meanings = {meaning.thing: meaning for meaning in term_of("sample", samples=7, timesteps=3).meanings}
    assert HERE in meanings[Concept.SAMPLE].who
    assert "NumPy" in meanings[Concept.TIMESTEP].who
    numbers = {thing: meaning.number.value for thing, meaning in meanings.items() if meaning.number}
    assert numbers == {Concept.SAMPLE: 7, Concept.TIMESTEP: 3}


def test_the_other_words_for_a_unit() -> None:
    same = dict(term_of("unit").same)
    assert "ONNX" in same["neuron"]
    assert HERE in same["units"]
    assert HERE not in same["hidden_size"]
    assert {"PyTorch", "ONNX", "MLX", "Haiku"} <= set(same["hidden_size"])
    assert "timestep" not in same


# --- looking words up -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["unit"], ["unit"]),
        (["units"], ["units"]),
        (["Neurons"], ["neuron"]),
        (["HIDDEN-size"], ["hidden_size"]),
        (["hiddensize"], ["hidden_size"]),
        (["hidden", "state"], ["hidden state"]),
        (["hidden states"], ["hidden state"]),
        (["time", "steps"], ["sequence length"]),
        (["time step"], ["timestep"]),
        (["unit", "cell", "unit"], ["unit", "cell"]),
        (["hidden", "state", "cell"], ["hidden state", "cell"]),
        (["cell", "state"], ["cell state"]),
        (["LSTMCell"], ["cell"]),
        (["h_t"], ["hidden state"]),
    ],
)
def test_words_are_found(asked: list[str], words: list[str]) -> None:
    assert [entry.word for entry in find_terms(asked)] == words
    assert [term.word for term in explain_terms(seeded(samples=1), asked).terms] == words


@given(st.sampled_from([form for entry in ENTRIES for form in (entry.word, *entry.spellings)]), st.data())
def test_case_and_separators_make_no_difference(form: str, data: st.DataObject) -> None:
    separator = data.draw(st.sampled_from([" ", "_", "-", ""]))
    changed = separator.join(re.split("[ _-]", data.draw(st.sampled_from([form, form.upper(), form.title()]))))
    assert find_terms([changed]) == find_terms([form])


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [(["nuron"], "neuron"), (["hiden state"], "hidden state"), (["layr"], "layer"), (["unit", "celll"], "cell")],
)
def test_an_unknown_word_gets_the_nearest_ones(asked: list[str], nearest: str) -> None:
    with pytest.raises(UsageError) as raised:
        explain_terms(seeded(samples=1), asked)
    assert raised.value.found == "unknown word"
    assert re.match(rf"The nearest (words are (.+, )?|word is ){nearest}[,.]", raised.value.fix)
    assert raised.value.exit_code == 2


def message_of(word: str) -> str:
    """What is said of a word that is not known; nothing of one that is."""
    try:
        find_terms([word])
    except UsageError as error:
        return str(error)
    return ""


@given(st.text())
@few
def test_no_text_does_harm(text: str) -> None:
    assert len(message_of(text)) < 500
    assert message_of(text).isprintable()


@pytest.mark.parametrize("words", [[3], [None], 3, None, [["unit"]], 1.5])
def test_only_texts_are_words(words: Any) -> None:
    with pytest.raises(UsageError, match="this is not a word"):
        explain_terms(seeded(samples=1), words)


# --- the object -------------------------------------------------------------------------------------------------------


@given(lstms())
@few
def test_the_json_object(lstm: LSTM) -> None:
    found = explain_terms(lstm).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["schema"] == "lstm-explain/terms"
    assert list(found)[5:] == ["measured", "chosen", "terms", "contradictions", "nonfinite"]
    schema = json.loads((resources.files("lstm_explain.render") / "schemas" / "terms.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(found)
    assert [term["word"] for term in found["terms"]] == [entry.word for group in GROUPS.values() for entry in group]
    for term in found["terms"]:
        assert (term["word"] in found["contradictions"]) is (len(term["meanings"]) > 1)
        assert term["group"] in GROUPS
        assert all(other["quote"] and other["source"]["place"] for other in term["others"])


def test_terms_are_frozen() -> None:
    terms = explain_terms(seeded(samples=1), "cell")
    term = terms.terms[0]
    for value in (terms, term, term.number, term.others[0], term.meanings[0], term.entry, term.entry.usages[0].source):
        for name in value._fields if isinstance(value, tuple) else vars(value):
            with pytest.raises(AttributeError):
                setattr(value, name, None)
