"""frameworks: weights written in the way of each, read back, and run; names looked up; programs with their arrays."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from lstm_explain.core.engine import StackState
from lstm_explain.core.gates import Direction
from lstm_explain.core.lstm import PretrainedWeights
from lstm_explain.core.spec import Spec
from lstm_explain.errors import RefusedError, UsageError
from lstm_explain.frameworks.registry import FRAMEWORKS, SCRIPTS
from lstm_explain.library import seeded
from lstm_explain.topics.frameworks import explain_frameworks, parameter_formula
from lstm_explain.topics.lookup import find_framework
from tests.helpers.mixed_stacks import MIXED
from tests.helpers.random_lstms import spec_options

SMALL: dict[str, Any] = {"samples": 3, "timesteps": 4, "features": 2, "units": 3}


def counted(text: str, spec: Spec) -> int:
    """A formula, computed."""
    names = {"features": spec.features}
    if not spec.layers_differ:
        names |= {"units": spec.units, "projection": spec.projection or 0}
    for layer in range(len(spec.layers)):
        layer_spec = spec.for_layer(layer)
        names |= {f"units_{layer}": layer_spec.units, f"projection_{layer}": layer_spec.projection or 0}
    return int(eval(text, {"__builtins__": {}}, names))


@given(spec_options(samples=2, timesteps=2, dtype="float32"))
@settings(max_examples=60, deadline=None)
def test_every_formula_counts_what_is_written(options: dict[str, Any]) -> None:
    lstm = seeded(**options)
    for one in explain_frameworks(lstm).frameworks:
        if one.lacks:
            assert (one.parameters, one.formula, one.weights, one.reads, one.read_back) == (None, None, (), None, None)
            continue
        assert one.formula is not None
        assert one.read_back is None
        assert {array.layer for array in one.weights} == {layer for layer, _ in lstm.spec.layer_groups}
        (whole,) = explain_frameworks(lstm, one.framework.name).frameworks
        assert counted(one.formula, lstm.spec) == one.parameters == sum(array.shape.elements for array in whole.weights)
        assert whole.weights[: len(one.weights)] == one.weights
        assert whole.read_back is not None
        assert whole.read_back.weights <= np.finfo(np.float32).eps


@pytest.mark.parametrize("name", FRAMEWORKS)
@pytest.mark.parametrize(
    "options",
    [{}, {"bias": False}, {"layers": 2, "bidirectional": True}, {"peepholes": True}, {"projection": 2}],
    ids=str,
)
def test_what_is_read_back_runs_like_ours(name: str, options: dict[str, Any]) -> None:
    lstm = seeded(**SMALL, init="pytorch", dtype="float64", **options)
    found = explain_frameworks(lstm, name)
    (one,) = found.frameworks
    assert (found.chosen, one.framework.name) == (True, name)
    if one.lacks:
        return
    back = one.read_back
    assert back is not None
    exact = not one.framework.convention.forget_bias_added
    assert back.samples == 3
    assert back.hidden is not None
    assert (back.weights, back.hidden) == (0, 0) if exact else back.weights <= 2e-16 and back.hidden <= 1e-15


def test_a_wrong_order_would_be_noticed() -> None:
    lstm = seeded(**SMALL, init="pytorch")
    layer = FRAMEWORKS["haiku"]
    (one,) = explain_frameworks(lstm, "haiku").frameworks
    assert one.read_back is not None
    right = one.read_back.weights
    wrong = layer.convention._replace(gate_order=FRAMEWORKS["keras"].convention.gate_order)
    part = lstm.weights.layers[0][Direction.FORWARD]
    assert np.abs(wrong.unpack(layer.convention.pack(part)).kernel - part.kernel).max() > 0.1 > right


def test_the_founding_sizes() -> None:
    found = {one.framework.name: one for one in explain_frameworks(seeded()).frameworks}
    assert list(found) == list(FRAMEWORKS)
    sizes = {name: [array.shape.sizes for array in one.weights] for name, one in found.items()}
    assert sizes["keras"] == [(5, 40), (10, 40), (40,)]
    assert sizes["pytorch"] == [(40, 5), (40, 10), (40,), (40,)]
    assert sizes["onnx"] == [(1, 40, 5), (1, 40, 10), (1, 80)]
    assert sizes["haiku"] == sizes["tensorflow1"] == [(15, 40), (40,)]
    assert sizes["tflite"] == 4 * [(10, 5)] + 4 * [(10, 10)] + 4 * [(10,)]
    assert sizes["flax-nnx-optimized"] == [(5, 40), (10, 40), (40,)]
    reads = {name: one.reads.sizes for name, one in found.items() if one.reads is not None}
    assert reads["pytorch"] == reads["onnx"] == reads["coreml"] == reads["webnn"] == (10, 1000, 5)
    assert reads["keras"] == reads["mlx"] == reads["openvino"] == (1000, 10, 5)
    assert (reads["haiku"], reads["equinox"]) == ((1000, 5), (5,))


def test_what_is_returned_for_layers_and_directions() -> None:
    lstm = seeded(layers=2, bidirectional=True, projection=4)
    (one,) = explain_frameworks(lstm, "pytorch").frameworks
    assert [shape.sizes for _, shape, _ in one.returns] == [(10, 1000, 8), (4, 1000, 4), (4, 1000, 10)]
    (one,) = explain_frameworks(seeded(bidirectional=True), "onnx").frameworks
    assert [shape.sizes for _, shape, _ in one.returns] == [(10, 2, 1000, 10), (2, 1000, 10), (2, 1000, 10)]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_long_stack_has_a_short_formula(bidirectional: bool) -> None:
    spec = Spec.from_options(layers=1000, units=3, bidirectional=bidirectional, peepholes=True)
    text = parameter_formula(FRAMEWORKS["onnx"].convention, spec)
    assert len(text) < 120
    assert counted(text, spec) == FRAMEWORKS["onnx"].convention.count_parameters(spec)


def test_layers_that_differ() -> None:
    lstm = seeded(samples=3, timesteps=4, features=2, stack=MIXED)
    (keras,) = explain_frameworks(lstm, "keras").frameworks
    assert keras.formula == (
        "2*4*units_0*(features + units_0 + 1) + 4*units_1*(2*units_0 + units_1) + 4*units_2*(units_1 + units_2 + 1)"
    )
    assert keras.reads is not None
    assert (keras.reads.sizes, keras.returns[1][1].sizes) == ((3, 4, 2), (3, 4, 3))
    found = [(array.layer, array.direction, array.name, array.shape.sizes) for array in keras.weights]
    assert found[3:8] == [
        (0, Direction.BACKWARD, "kernel", (2, 24)),
        (0, Direction.BACKWARD, "recurrent_kernel", (6, 24)),
        (0, Direction.BACKWARD, "bias", (24,)),
        (1, Direction.FORWARD, "kernel", (12, 16)),
        (1, Direction.FORWARD, "recurrent_kernel", (4, 16)),
    ]
    assert keras.read_back == (0, 0, 3)
    (pytorch,) = explain_frameworks(lstm, "pytorch").frameworks
    assert (pytorch.lacks, pytorch.layers_alone, pytorch.parameters) == ("layers that differ", True, None)
    json.dumps(explain_frameworks(lstm).to_dict(), allow_nan=False)


def test_weights_are_read_back_from_the_states_that_the_model_starts_from() -> None:
    lstm = seeded(**SMALL)
    state = np.full((1, 1, 3), 0.5, np.float32)
    lstm = replace(lstm, pretrained=PretrainedWeights(lstm.weights, {"kind": "model"}, StackState.from_stacked(state, state)))
    (one,) = explain_frameworks(lstm, "keras").frameworks
    assert one.read_back == (0, 0, 3)


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("torch", "pytorch"),
        ("PyTorch", "pytorch"),
        ("nn.LSTMCell", "pytorch-cell"),
        ("pytorch cell", "pytorch-cell"),
        ("flax", "flax-linen"),
        ("NNX", "flax-nnx"),
        ("tf1", "tensorflow1"),
        ("TensorFlow Lite", "tflite"),
        ("core_ml", "coreml"),
        ("hk.LSTM", "haiku"),
    ],
)
def test_names_are_found_however_they_are_spelled(asked: str, name: str) -> None:
    assert find_framework(asked).name == name


def test_every_name_alias_and_title_is_of_one_framework() -> None:
    for name, layer in FRAMEWORKS.items():
        for asked in (name, layer.title, layer.info.class_name, *layer.info.aliases):
            assert find_framework(asked) is layer


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("pytorhc", "frameworks pytorhc: unknown framework. The nearest"),
        ("", "frameworks '': unknown framework. See all with lstm-explain frameworks."),
        ("...", "frameworks ...: unknown framework. See all"),
        ("\x1b[31m", r"frameworks \x1b[31m: unknown framework."),
        ("z" * 1000, f"frameworks {'z' * 40}...: unknown framework."),
    ],
)
def test_an_unknown_name_gets_the_nearest(asked: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        find_framework(asked)
    assert str(error.value).startswith(message)
    assert len(str(error.value).splitlines()) == 1


def test_something_that_is_no_name() -> None:
    with pytest.raises(UsageError, match="frameworks 3: this is not a framework"):
        find_framework(3)  # type: ignore[arg-type]


# --- memory -----------------------------------------------------------------------------------------------------------


def test_weights_that_do_not_fit_are_computed() -> None:
    found = explain_frameworks(seeded(units=10**9), "keras")
    (one,) = found.frameworks
    assert (found.measured, one.read_back) == (False, None)
    assert [array.shape.sizes for array in one.weights] == [(5, 4 * 10**9), (10**9, 4 * 10**9), (4 * 10**9,)]
    assert one.parameters == 4 * 10**9 * (10**9 + 6)


def test_a_run_that_does_not_fit_is_left_out() -> None:
    lstm = seeded(**{**SMALL, "timesteps": 3 * 10**6}, max_memory=2**28)
    (one,) = explain_frameworks(lstm, "keras").frameworks
    assert one.read_back is not None
    assert (one.read_back.weights, one.read_back.hidden, one.read_back.samples) == (0, None, 0)


def test_a_program_that_cannot_be_run_is_refused() -> None:
    with pytest.raises(RefusedError):
        explain_frameworks(seeded(units=10**9), "keras", code=True)


# --- programs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_arrays_of_a_program(name: str) -> None:
    lstm = seeded(samples=1000, timesteps=4, features=2, units=3)
    program = explain_frameworks(lstm, name, code=True).program
    assert program is not None
    record = lstm.run(0, 128)
    assert program.samples == 8
    np.testing.assert_array_equal(program.arrays["x"], record.input[:8])
    np.testing.assert_array_equal(program.arrays["output"], record.output[:8])
    np.testing.assert_array_equal(program.arrays["h"], record.last_hidden[:, :8])
    np.testing.assert_array_equal(program.arrays["c"], record.last_cell[:, :8])
    convention = FRAMEWORKS[name].convention
    named = {key: array for key, array in program.arrays.items() if key not in ("x", "output", "h", "c")}
    assert sum(array.size for array in named.values()) == convention.count_parameters(lstm.spec)


def test_arrays_of_several_layers_have_names_of_their_own() -> None:
    lstm = seeded(**SMALL, layers=2, bidirectional=True)
    program = explain_frameworks(lstm, "keras", code=True).program
    assert program is not None
    assert len(program.arrays) == 4 + 12
    np.testing.assert_array_equal(program.arrays["layer1.backward.kernel"], lstm.weights.layers[1][Direction.BACKWARD].kernel)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (None, {}, "frameworks code=True: a program is written in one framework"),
        (
            "coreml",
            {},
            "frameworks coreml code=True: Core ML is not run here, so a program cannot be checked. Choose one of",
        ),
        ("mlx", {"layers": 2}, "frameworks mlx code=True layers=2: the program in MLX is written for one layer"),
        ("onnx", {"layers": 2}, "frameworks onnx code=True layers=2: the program in ONNX is written for one layer"),
        (
            "haiku",
            {"bidirectional": True},
            "frameworks haiku code=True bidirectional=True: the program in Haiku is written",
        ),
        (
            "keras",
            {"projection": 2},
            "frameworks keras code=True projection=2: Keras has no projection. Leave out projection.",
        ),
        ("pytorch", {"peepholes": True}, "frameworks pytorch code=True peepholes=True: PyTorch has no peepholes"),
        (
            "keras",
            {"dtype": "float64"},
            "frameworks keras code=True dtype='float64': the program in Keras is written for float32",
        ),
    ],
)
def test_a_program_that_is_not_written(name: str | None, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as error:
        explain_frameworks(seeded(**SMALL, **options), name, code=True)
    assert str(error.value).startswith(message)


def test_json() -> None:
    found = explain_frameworks(seeded(**SMALL), "haiku", code=True).to_dict()
    assert list(found)[5:] == ["chosen", "measured", "frameworks", "program", "nonfinite"]
    (one,) = found["frameworks"]
    assert one["gate_order"] == ["input_gate", "candidate", "forget_gate", "output_gate"]
    assert one["forget_bias"] == {"value": 1.0, "how": "added when called"}
    assert one["weights"][0]["parts"][0] == {"axis": 0, "start": 0, "stop": 2, "what": "input"}
    assert found["program"]["arrays"][0] == {"name": "x", "shape": [3, 4, 2], "dtype": "float32"}
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("pytorch", "PyTorch's LSTM has no layers that differ, and this one has"),
        ("haiku", "the program in Haiku is written for one layer"),
    ],
)
def test_programs_that_are_not_written_for_layers_that_differ(name: str, found: str) -> None:
    lstm = seeded(**SMALL, stack=MIXED)
    with pytest.raises(UsageError) as caught:
        explain_frameworks(lstm, name, code=True)
    assert str(caught.value) == f"frameworks {name} code=True: {found}. Ask for keras."
    of_a_file = replace(lstm, pretrained=PretrainedWeights(lstm.weights, {"kind": "model", "layer": "a+b+c"}))
    with pytest.raises(UsageError) as caught:
        explain_frameworks(of_a_file, name, code=True)
    assert caught.value.fix == "Ask for keras; or choose one layer alone: FILE#NAME"


def test_the_states_of_layers_that_differ_stand_side_by_side() -> None:
    lstm = seeded(samples=3, timesteps=4, features=2, stack=MIXED)
    program = explain_frameworks(lstm, "keras", code=True).program
    assert program is not None
    record = lstm.run()
    both = [record.of(layer, way) for layer, way in lstm.spec.layer_directions]
    np.testing.assert_array_equal(program.arrays["h"], np.concatenate([part.last_hidden for part in both], axis=1))
    np.testing.assert_array_equal(program.arrays["c"], np.concatenate([part.last_cell for part in both], axis=1))
