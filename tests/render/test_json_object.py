"""JSON: every topic's object fits the schema that we ship, and every number reads back to the same bits."""

import json
from importlib import resources
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.readers.identify.find_lstms import find_lstms
from lstm_explain.render.json_object import to_json_text
from lstm_explain.topics.result import Result
from tests.helpers.model_files.arrays import keras_layer, pytorch_layer

SCHEMAS = resources.files("lstm_explain.render") / "schemas"


def schema(topic: str) -> Any:
    return json.loads((SCHEMAS / f"{topic}.json").read_text(encoding="utf-8"))


def validate(explanation: Result) -> Any:
    made = json.loads(to_json_text(explanation), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    jsonschema.Draft202012Validator(schema(explanation.topic)).validate(made)
    return made


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    layers=st.integers(1, 2),
    bidirectional=st.booleans(),
    projection=st.sampled_from([None, 2]),
    bias=st.booleans(),
    peepholes=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
    lengths=st.sampled_from([None, (4, 1)]),
)
def test_every_topic_fits_its_schema_with_every_option(lengths: Any, **options: Any) -> None:
    lstm = lstm_explain.seeded(samples=2, timesteps=4, features=3, units=3, lengths=lengths, **options)
    direction = lstm.spec.directions[-1].value
    validate(lstm_explain.shapes(lstm))
    validate(lstm_explain.trace(lstm, sample=1, direction=direction))
    validate(lstm_explain.unit(lstm, unit=1, sample=1, step=1, direction=direction))
    validate(lstm_explain.unit(lstm, unit=1))
    validate(lstm_explain.equations(lstm, every=True, sample=1, direction=direction))
    validate(lstm_explain.equations(lstm, "goodfellow", numbers=True, unit=1))
    validate(lstm_explain.memory(lstm, sample=1, direction=direction))
    validate(lstm_explain.tasks(lstm, outputs=2, sample=1))
    if lengths is None:
        validate(lstm_explain.verify(lstm, lstm.run().output))
        validate(lstm_explain.verify(lstm, np.full((2, lstm.spec.output), np.nan)))
    if not lstm.spec.bidirectional:
        validate(lstm_explain.memory(lstm, sample=1, carry_state=True))


def test_a_model_fits_its_schema() -> None:
    found = [one._replace(notes=("odd",)) for one in find_lstms({**keras_layer(), **pytorch_layer(3, 2, module="a.")}, "x")]
    made = validate(lstm_explain.model(found, "x.npz"))
    assert [one["name"] for one in made["lstms"]] == ["a", "lstm"]


@pytest.mark.parametrize("name", ["\x7f", "\x9b31m", "\u202e", "\u2028", "\ud800"])
def test_names_hold_nothing_that_a_terminal_obeys(name: str) -> None:
    one = find_lstms(keras_layer(), "x")[0]._replace(name=name)
    written = to_json_text(lstm_explain.model([one], "x.npz"))
    assert written.rstrip("\n").isprintable()
    written.encode()
    assert json.loads(written)["lstms"][0]["name"] == name


def test_a_schema_can_refuse() -> None:
    made = lstm_explain.trace(lstm_explain.seeded(samples=1)).to_dict()
    del made["steps"][0]["h"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema("trace")).validate(made)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_read_back_to_the_same_bits(dtype: str) -> None:
    lstm = lstm_explain.seeded(samples=3, dtype=dtype)
    trace = lstm_explain.trace(lstm, sample=2)
    made = json.loads(to_json_text(trace))
    for letter, values in (("c", trace.cell), ("h", trace.hidden), ("x", trace.x)):
        assert np.array_equal(np.array([step[letter] for step in made["steps"]], dtype), values)


def test_a_float32_is_written_short() -> None:
    lstm = lstm_explain.given(np.full((1, 1), 0.1, np.float32))
    assert json.loads(to_json_text(lstm_explain.trace(lstm)))["steps"][0]["x"] == [0.1]


def test_what_is_not_finite_is_null_and_listed() -> None:
    lstm = lstm_explain.given(np.array([[np.nan, 1.0]], np.float32))
    made = validate(lstm_explain.trace(lstm, units=[0]))
    assert made["steps"][0]["x"] == [None, 1.0]
    assert {"path": "steps[0].x[0]", "value": "nan"} in made["nonfinite"]


def test_it_is_one_line() -> None:
    written = to_json_text(lstm_explain.shapes(lstm_explain.seeded(samples=1)))
    assert written.endswith("}\n")
    assert written.count("\n") == 1
