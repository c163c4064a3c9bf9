"""JSON: an object that fits the schema that we ship, and JSON Lines of which one sample's lines are those of all samples."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.readers.identify.find_lstms import find_lstms
from lstm_explain.render.json_text import encode_lines, to_json_text
from tests.helpers.model_files.arrays import keras_layer, pytorch_layer

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.topics.result import Result

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


# --- JSON Lines --------------------------------------------------------------------------------------------------------

STACK = {"samples": 300, "timesteps": 4, "features": 3, "units": 5}
RUNS: list[dict[str, Any]] = [
    {},
    {"layers": 2, "bidirectional": True},
    {"projection": 2},
    {"peepholes": True, "bias": False, "dtype": "float64"},
    {"lengths": [1 + sample % 4 for sample in range(300)], "bidirectional": True},
]


def lstm(run: dict[str, Any]) -> LSTM:
    return lstm_explain.seeded(**{**STACK, **run})


def lines(model: LSTM, *places: Any, **chosen: Any) -> list[bytes]:
    stream = lstm_explain.stream_trace(model, *places, **chosen)
    return b"".join(encode_lines(stream, stream.blocks())).splitlines(keepends=True)


@pytest.mark.parametrize("run", RUNS)
def test_the_header_says_what_holds_for_all_and_the_end_counts(run: dict[str, Any]) -> None:
    model = lstm(run)
    header, *steps, end = map(json.loads, lines(model))
    places = len(model.spec.directions) * len(model.spec.layers)
    assert (header["type"], header["schema"], header["schema_version"]) == ("header", "lstm-explain/trace", 1)
    assert header["spec"] == model.spec.to_dict()
    assert header["samples"] == [0, 300]
    assert len(header["places"]) == places
    assert {step["type"] for step in steps} == {"step"}
    assert end == {"type": "end", "rows": len(steps)}
    assert len(steps) == 300 * 4 * places
    keys = [(step["sample"], step["layer"], step["direction"] == "backward", step["t"]) for step in steps]
    assert keys == sorted(set(keys))


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("sample", [0, 127, 128, 299])
def test_one_samples_lines_are_those_of_all_samples_to_the_byte(run: dict[str, Any], sample: int) -> None:
    model = lstm(run)
    alone = lines(model, sample)[1:-1]
    among = [line for line in lines(model)[1:-1] if json.loads(line)["sample"] == sample]
    assert alone == among != []


@pytest.mark.parametrize("run", RUNS)
def test_the_steps_are_those_of_the_json_object(run: dict[str, Any]) -> None:
    model = lstm(run)
    for way in model.spec.directions:
        found = [json.loads(line) for line in lines(model, 7, layer=len(model.spec.layers) - 1, direction=way)[1:-1]]
        wanted = lstm_explain.trace(model, 7, layer=len(model.spec.layers) - 1, direction=way).to_dict()["steps"]
        assert [{key: step[key] for key in wanted[0]} for step in found] == wanted


def test_numbers_read_back_to_the_last_bit() -> None:
    model = lstm({})
    record = model.run(0, 128)
    read = [json.loads(line) for line in lines(model)[1:-1]]
    for name, tensor in (("c", "cell"), ("h", "hidden"), ("i", "input_gate"), ("g", "candidate")):
        made = np.array([step[name] for step in read if step["sample"] < 128], "f4").reshape(128, 4, 5)
        np.testing.assert_array_equal(made, getattr(record.layers[0][model.spec.directions[0]], tensor))


def test_padding_has_no_gates_and_says_so() -> None:
    model = lstm(RUNS[4])
    for step in map(json.loads, lines(model, 0)[1:-1]):  # one timestep long
        assert step["padded"] == (step["t"] > 1)
        assert all((step[gate] is None) == step["padded"] for gate in "ifgo")
        assert None not in (*step["c"], *step["h"], *step["x"])


def test_a_choice_of_units_and_steps() -> None:
    model = lstm({"projection": 2})
    header, *steps, end = map(json.loads, lines(model, 3, units=[4, 0], steps=[2, 4]))
    assert header["units"] == [0, 4]
    assert [step["t"] for step in steps] == [2, 4]
    assert [len(steps[0][name]) for name in "ifgochx"] == [2, 2, 2, 2, 2, 2, 3]
    assert end["rows"] == 2


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # infinity minus infinity, in a matrix product
def test_what_is_not_finite_is_null_and_named() -> None:
    batch = np.zeros((1, 3, 2), "f4")
    batch[0, 1, 1] = np.inf
    found = [json.loads(line, parse_constant=pytest.fail) for line in lines(lstm_explain.given(batch, units=2))]
    assert "nonfinite" not in found[1]
    assert {"path": "x[1]", "value": "inf"} in found[2]["nonfinite"]
    assert found[2]["x"] == [0.0, None]


def test_every_piece_ends_on_a_whole_line() -> None:
    model = lstm({})
    stream = lstm_explain.stream_trace(model)
    made = list(encode_lines(stream, stream.blocks()))
    assert len(made) > 3, "several blocks"
    assert all(piece.endswith(b"\n") for piece in made)
