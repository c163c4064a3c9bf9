"""shapes: names, sizes, counts and formulas, computed and measured."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.cost import run_bytes
from lstm_explain.core.gates import Direction
from lstm_explain.core.spec import MAX_SIZE
from lstm_explain.library import seeded
from lstm_explain.topics.result import keys_to_plain
from lstm_explain.topics.shapes import MEANINGS, computed_shapes, explain_shapes, measured_sizes
from tests.helpers.mixed_stacks import MIXED
from tests.helpers.random_lstms import random_lstms, words_of

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM

few = settings(max_examples=50, deadline=None)

NAMES = [
    *("input", "input_step", "hidden_prev", "cell_prev", "joined", "kernel", "recurrent_kernel", "bias", "pre_activation"),
    *("input_gate", "forget_gate", "candidate", "output_gate", "cell", "hidden"),
    *("output_sequence", "output_last", "cell_last"),
]
"""The tensors of the founding example."""


def lstms() -> st.SearchStrategy[LSTM]:
    return random_lstms(most_timesteps=6, most_features=6, most_units=8, lengths=None)


def unmeasured(lstm: LSTM) -> LSTM:
    """The same LSTM with too small a budget to run."""
    return replace(lstm, max_memory=run_bytes(lstm.spec) - 1)


def evaluate(formula: str, lstm: LSTM) -> Any:
    return eval(formula, {"__builtins__": {}}, words_of(lstm.spec))


def test_the_founding_example() -> None:
    shapes = explain_shapes(seeded())
    found = {one.name: (list(one.shape.sizes), one.bytes) for one in shapes.tensors}
    assert found == {
        "input": ([1000, 10, 5], 200_000),
        "input_step": ([1000, 5], 20_000),
        "hidden_prev": ([1000, 10], 40_000),
        "cell_prev": ([1000, 10], 40_000),
        "joined": ([1000, 15], 60_000),
        "pre_activation": ([1000, 40], 160_000),
        "input_gate": ([1000, 10], 40_000),
        "forget_gate": ([1000, 10], 40_000),
        "candidate": ([1000, 10], 40_000),
        "output_gate": ([1000, 10], 40_000),
        "cell": ([1000, 10], 40_000),
        "hidden": ([1000, 10], 40_000),
        "kernel": ([5, 40], 800),
        "recurrent_kernel": ([10, 40], 1600),
        "bias": ([40], 160),
        "output_sequence": ([1000, 10, 10], 400_000),
        "output_last": ([1000, 10], 40_000),
        "cell_last": ([1000, 10], 40_000),
    }
    assert shapes.measured
    assert shapes.total == 640


def test_the_names_in_json_are_exactly_these_each_once() -> None:
    tensors = explain_shapes(seeded()).to_dict()["tensors"]
    assert sorted(one["name"] for one in tensors) == sorted(NAMES)
    hidden = [one for one in tensors if one["name"] == "hidden"]
    assert [one["shape"] for one in hidden] == [[1000, 10]]


def test_what_options_add_to_the_names() -> None:
    names = {one.name for one in explain_shapes(seeded(samples=2, projection=3, peepholes=True)).tensors}
    assert names == {*NAMES, "unit_output", "projection", "peephole"}
    assert names == set(MEANINGS)
    names = {one.name for one in explain_shapes(seeded(samples=2, bias=False)).tensors}
    assert names == {*NAMES} - {"bias"}


def test_the_json_object() -> None:
    found = explain_shapes(seeded()).to_dict()
    assert list(found) == [
        *("schema", "schema_version", "tool_version", "spec", "source"),
        *("measured", "tensors", "last_states", "unit", "unit_by_layer", "parameters", "cost", "framework", "nonfinite"),
    ]
    assert found["schema"] == "lstm-explain/shapes"
    assert found["measured"] is True
    assert found["framework"] is None
    assert found["nonfinite"] == []
    assert found["last_states"] == [{"index": 0, "layer": 0, "direction": "forward"}]
    assert found["unit"] == {
        "layer": 0,
        "reads": {"features": 5, "hidden": 10, "total": 15},
        "neurons": 4,
        "parameters": 64,
        "emits": {"hidden": 1, "cell": 1, "total": 2},
    }
    assert found["unit_by_layer"] == [found["unit"]]
    assert found["parameters"] == {
        "total": 640,
        "per_unit": 64,
        "formula": "4*units*(features + units + 1)",
        "by_tensor": {"kernel": 200, "recurrent_kernel": 400, "bias": 40},
        "by_layer": [{"layer": 0, "total": 640, "formula": "4*units*(features + units + 1)"}],
        "by_framework": {"keras": 640, "pytorch": 680, "onnx": 680},
    }
    assert found["cost"] == {
        "macs_per_step": 600,
        "macs": 6_000_000,
        "products_per_step": 30,
        "activations_per_step": 50,
        "bytes": {"weights": 2560, "input": 200_000, "activations_per_step": 240_000, "record": 2_480_000},
    }


def test_a_tensor_in_json() -> None:
    found = explain_shapes(seeded(bidirectional=True)).to_dict()["tensors"]
    kernel = next(one for one in found if one["name"] == "kernel" and one["direction"] == "backward")
    assert kernel.pop("meaning")
    assert kernel == {
        "name": "kernel",
        "symbol": "W",
        "layer": 0,
        "direction": "backward",
        "axes": [{"name": "features", "size": 5}, {"name": "4*units", "size": 40}],
        "shape": [5, 40],
        "elements": 200,
        "bytes": 800,
        "measured": True,
    }
    assert (found[0]["layer"], found[0]["direction"]) == (None, None)


@given(lstms())
@few
def test_computed_shapes_are_those_measured(lstm: LSTM) -> None:
    computed = {place: axes.sizes for place, axes in computed_shapes(lstm.spec).items()}
    assert measured_sizes(lstm.weights, lstm.run()) == computed


@given(lstms())
@few
def test_an_lstm_too_large_to_run_is_described_the_same(lstm: LSTM) -> None:
    run, computed = explain_shapes(lstm), explain_shapes(unmeasured(lstm))
    assert run.measured
    assert not computed.measured
    assert {one.measured for one in run.tensors} == {True}
    assert {one.measured for one in computed.tensors} == {False}
    assert tuple(one._replace(measured=True) for one in computed.tensors) == run.tensors
    left_out = {"measured", "tensors"}
    assert {key: value for key, value in keys_to_plain(computed).items() if key not in left_out} == {
        key: value for key, value in keys_to_plain(run).items() if key not in left_out
    }


def test_measured_tensors_are_read_off_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that disagrees with the computed sizes shows."""
    lstm = seeded(samples=2)
    right = measured_sizes(lstm.weights, lstm.run())
    wrong = {**right, ("cell", 0, Direction.FORWARD): (2, 11)}
    monkeypatch.setattr("lstm_explain.topics.shapes.measured_sizes", lambda *_: wrong)
    assert [one.shape.sizes for one in explain_shapes(lstm).of("cell")] == [(2, 11)]
    monkeypatch.setattr(
        "lstm_explain.topics.shapes.measured_sizes", lambda *_: {**right, ("cell", 0, Direction.FORWARD): (2, 10, 1)}
    )
    with pytest.raises(AssertionError, match="was expected"):
        explain_shapes(lstm)


@given(lstms())
@few
def test_formulas_give_the_totals(lstm: LSTM) -> None:
    found = explain_shapes(unmeasured(lstm)).to_dict()["parameters"]
    assert evaluate(found["formula"], lstm) == found["total"]
    for layer in found["by_layer"]:
        assert evaluate(layer["formula"], lstm) == layer["total"]
    assert sum(layer["total"] for layer in found["by_layer"]) == found["total"]
    assert sum(found["by_tensor"].values()) == found["total"]


@given(lstms())
@few
def test_the_units_of_a_layer_own_all_its_parameters(lstm: LSTM) -> None:
    shapes = explain_shapes(unmeasured(lstm))
    for number, (unit, layer) in enumerate(zip(shapes.units, shapes.layers, strict=True)):
        own = lstm.spec.for_layer(number)
        assert unit.parameters * own.units * len(own.directions) == layer.total


@pytest.mark.parametrize(
    ("options", "total", "formula"),
    [
        ({"bias": False}, 600, "4*units*(features + units)"),
        ({}, 640, "4*units*(features + units + 1)"),
        ({"peepholes": True}, 670, "4*units*(features + units + 1) + 3*units"),
        ({"projection": 3}, 390, "4*units*(features + projection + 1) + units*projection"),
        ({"bidirectional": True}, 1280, "2*4*units*(features + units + 1)"),
        ({"layers": 2}, 1480, "4*units*(features + units + 1) + 4*units*(units + units + 1)"),
        (
            {"layers": 2, "bidirectional": True, "projection": 3, "peepholes": True},
            2 * (4 * 10 * 9 + 60) + 2 * (4 * 10 * 10 + 60),
            "2*(4*units*(features + projection + 1) + 3*units + units*projection)"
            " + 2*(4*units*(2*projection + projection + 1) + 3*units + units*projection)",
        ),
        (
            {"features": 2, "stack": MIXED},
            2 * 4 * 6 * (2 + 6 + 1) + 4 * 4 * (12 + 4) + 4 * 3 * (4 + 3 + 1),
            "2*4*units_0*(features + units_0 + 1) + 4*units_1*(2*units_0 + units_1) + 4*units_2*(units_1 + units_2 + 1)",
        ),
    ],
)
def test_known_formulas(options: dict[str, Any], total: int, formula: str) -> None:
    found = explain_shapes(seeded(samples=1, **options)).to_dict()["parameters"]
    assert (found["total"], found["formula"]) == (total, formula)


@pytest.mark.parametrize(
    ("options", "keras", "pytorch", "onnx"),
    [
        ({"bias": False}, 600, 600, 600),
        ({}, 640, 680, 680),
        ({"peepholes": True}, None, None, 710),
        ({"projection": 3}, None, 430, None),
        ({"layers": 2}, 1480, 1560, 1560),
        ({"layers": 2, "bidirectional": True}, 3760, 3920, 3920),
    ],
)
def test_known_counts_of_the_frameworks(
    options: dict[str, Any], keras: int | None, pytorch: int | None, onnx: int | None
) -> None:
    assert explain_shapes(seeded(samples=1, **options)).frameworks == {"keras": keras, "pytorch": pytorch, "onnx": onnx}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("framework", "options"),
    [(None, {}), ("keras", {}), (None, {"peepholes": True}), ("pytorch", {"projection": 4, "layers": 2})],
)
def test_the_memory_stays_within_the_budget(framework: str | None, options: dict[str, Any]) -> None:
    """Of one timestep, where the reference step is as large as the run."""
    lstm = seeded(samples=20_000, timesteps=1, features=1, units=16, bidirectional=True, **options)
    needed = lstm.run_bytes(lstm.spec.samples)
    measured = []
    for budget in range(needed, 3 * needed, needed // 4):
        one = replace(lstm, max_memory=budget)
        assert one.weights
        tracemalloc.start()
        measured.append(explain_shapes(one, framework).measured)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak <= budget
    assert measured[0] is False
    assert measured[-1] is True


def test_a_thousand_billion_samples_are_computed_exactly() -> None:
    shapes = explain_shapes(seeded(samples=10**12))
    found = shapes.to_dict()
    assert found["measured"] is False
    sizes = {one["name"]: one["elements"] for one in found["tensors"]}
    assert sizes["input"] == 50 * 10**12
    assert sizes["output_sequence"] == 100 * 10**12
    assert found["cost"]["macs"] == 6000 * 10**12
    assert found["parameters"]["total"] == 640
    assert json.loads(json.dumps(found)) == found


def test_the_largest_sizes_are_computed_exactly() -> None:
    largest: dict[str, Any] = dict.fromkeys(("samples", "timesteps", "features", "units"), MAX_SIZE)
    found = explain_shapes(seeded(**largest)).to_dict()
    n = MAX_SIZE
    assert found["tensors"][0]["elements"] == n**3
    assert found["parameters"]["total"] == 4 * n * (2 * n + 1)
    assert found["cost"]["macs"] == 8 * n**4


def test_tensors_can_be_asked_for_by_name_and_layer() -> None:
    shapes = explain_shapes(seeded(samples=2, layers=2, bidirectional=True))
    assert [(one.name, one.layer, one.direction) for one in shapes.of("hidden", "output_sequence", layer=1)] == [
        ("hidden", 1, Direction.FORWARD),
        ("hidden", 1, Direction.BACKWARD),
        ("output_sequence", 1, None),
    ]
    assert len(shapes.of("hidden")) == 4
    assert shapes.of("no_such_tensor") == ()


def test_the_slices_of_the_last_states() -> None:
    found = explain_shapes(seeded(samples=2, layers=2, bidirectional=True)).to_dict()["last_states"]
    places = [(0, "forward"), (0, "backward"), (1, "forward"), (1, "backward")]
    assert found == [{"index": k, "layer": layer, "direction": way} for k, (layer, way) in enumerate(places)]


def test_shapes_are_frozen() -> None:
    shapes = explain_shapes(seeded(samples=1))
    for value in (shapes, shapes.tensors[0], shapes.units[0], shapes.layers[0]):
        for name in value._fields if isinstance(value, tuple) else vars(value):
            with pytest.raises(AttributeError):
                setattr(value, name, None)
