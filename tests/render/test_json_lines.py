"""JSON Lines: a header, a line for each step, an end that counts them; and one sample's lines are those of all samples."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.render import json_lines

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM

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
    return b"".join(json_lines.encode_lines(stream, stream.blocks())).splitlines(keepends=True)


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
    made = list(json_lines.encode_lines(stream, stream.blocks()))
    assert len(made) > 3, "several blocks"
    assert all(piece.endswith(b"\n") for piece in made)
