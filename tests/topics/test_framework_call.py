"""shapes in a framework's names: layouts, names, shapes and places, compared with numpy's own reading of the same run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.engine import StackState
from lstm_explain.core.gates import Direction
from lstm_explain.core.lstm import PretrainedWeights
from lstm_explain.errors import UsageError
from lstm_explain.frameworks.registry import CALLS
from lstm_explain.library import seeded
from lstm_explain.topics.frameworks import explain_frameworks
from lstm_explain.topics.result import to_plain
from lstm_explain.topics.shapes import explain_shapes, last_states
from lstm_explain.topics.shapes.last_states import returned_array
from tests.helpers.mixed_stacks import MIXED
from tests.helpers.random_lstms import spec_options

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.topics.shapes.framework_call import FrameworkCall

SMALL: dict[str, Any] = {"samples": 3, "timesteps": 4, "features": 2, "units": 3}
few = settings(max_examples=60, deadline=None)


def call_of(lstm: LSTM, name: str, **asked: Any) -> FrameworkCall:
    call = explain_shapes(lstm, name, **asked).framework
    assert call is not None
    return call


@st.composite
def cases(draw: st.DrawFn) -> tuple[LSTM, str, dict[str, Any]]:
    """An LSTM, a framework that can build it, and options that its call has."""
    name = draw(st.sampled_from(list(CALLS)))
    fixed: dict[str, Any] = {} if name == "onnx" else {"peepholes": False}
    fixed |= {} if name == "pytorch" else {"projection": None}
    options = draw(spec_options(most_samples=5, most_timesteps=5, most_units=4, unlike=name != "pytorch", **fixed))
    samples, timesteps = options["samples"], options["timesteps"]
    lengths = st.lists(st.integers(1, timesteps), min_size=samples, max_size=samples)
    lstm = seeded(**options, lengths=draw(st.none() | lengths))
    values: dict[str, Any] = {"layout": st.sampled_from([None, 0, 1])}
    had = [
        one
        for one in ("batch_first", "return_sequences", "return_state", "layout")
        if one not in CALLS[name].unsupported_options
    ]
    return lstm, name, {one: draw(values.get(one, st.booleans())) for one in had}


@given(cases())
@few
def test_every_place_holds_the_state_that_it_is_said_to(case: tuple[LSTM, str, dict[str, Any]]) -> None:
    """Each place, as it is written, is evaluated on the tensors that are returned; the states are found by walking the run."""
    lstm, name, asked = case
    call, record = call_of(lstm, name, **asked), lstm.run()
    assert (call.measured, call.compared) == (True, lstm.spec.samples)
    ends = list(lstm.lengths or [lstm.spec.timesteps] * lstm.spec.samples)
    whole: dict[Any, dict[str, Any]] = {}
    for one in call.returns:
        array = returned_array(record, call.call, one.result, one.layer)
        assert array.shape == one.shape.sizes
        assert array.nbytes == one.bytes
        whole.setdefault(one.layer, {})[one.result.name.partition("[")[0]] = None
        whole[one.layer][one.result.name] = array
    for state in call.states:
        part = record.of(state.layer, state.direction)
        over_time = part.hidden if state.kind == "hidden" else part.cell
        backward = state.direction is Direction.BACKWARD
        expected = np.stack([over_time[k, 0 if backward else ends[k] - 1] for k in range(len(ends))])
        assert state.difference == 0
        assert state.timestep == (1 if backward else None if lstm.lengths else lstm.spec.timesteps)
        tensors = whole[state.layer if call.call.per_layer else None]
        for place in state.places:
            assert np.array_equal(value(place, tensors, ends), expected), place
    for wrong in call.pitfalls:
        tensors = whole[wrong.layer if call.call.per_layer else None]
        last = record.of(wrong.layer, wrong.direction).last_hidden
        assert wrong.difference == np.max(np.abs(value(wrong.place, tensors, ends) - last))


def value(place: str, tensors: dict[str, Any], ends: list[int]) -> Any:
    """What stands at a place; a tensor in a tuple has the place in the tuple in its name."""
    name = max((one for one in tensors if place.startswith(one)), key=len)
    space = {"tensor": tensors[name], "arange": np.arange, "lengths": np.array(ends)}
    return eval(f"tensor{place.removeprefix(name)}", space)


@given(cases())
@few
def test_an_lstm_too_large_to_run_is_told_the_same(case: tuple[LSTM, str, dict[str, Any]]) -> None:
    lstm, name, asked = case
    run, computed = call_of(lstm, name, **asked), call_of(replace(lstm, max_memory=1), name, **asked)
    assert (computed.measured, computed.weights_measured, computed.compared) == (False, False, 0)
    assert {one.difference for one in computed.states} == {None}
    assert {one.difference for one in computed.pitfalls} <= {None}
    assert computed.returns == run.returns
    assert computed.reads == run.reads
    assert computed.written.weights == run.written.weights
    assert [one._replace(difference=0) for one in computed.states] == list(run.states)
    assert [(one.place, one.why) for one in computed.pitfalls] == [(one.place, one.why) for one in run.pitfalls]


@given(cases())
@few
def test_the_weights_are_those_of_the_topic_frameworks(case: tuple[LSTM, str, dict[str, Any]]) -> None:
    lstm, name, asked = case
    (written,) = explain_frameworks(lstm, name).frameworks
    assert call_of(lstm, name, **asked).written == written


def test_every_last_state_has_a_place_where_it_is_returned() -> None:
    """PyTorch and ONNX return all; Keras and Flax those that are asked for, and h of the output always."""
    lstm = seeded(**SMALL, layers=2, bidirectional=True)
    everything = {(layer, way, kind) for layer in (0, 1) for way in Direction for kind in ("hidden", "cell")}
    for name in CALLS:
        asked = {} if "return_state" in CALLS[name].unsupported_options else {"return_state": True}
        assert {(one.layer, one.direction, one.kind) for one in call_of(lstm, name, **asked).states} == everything
        if asked:
            assert {one.kind for one in call_of(lstm, name).states} == {"hidden"}


def test_the_index_map_of_pytorch() -> None:
    call = call_of(seeded(**SMALL, layers=2, bidirectional=True, projection=2), "torch")
    assert {(one.layer, one.direction.value, one.kind): one.places for one in call.states} == {
        (0, "forward", "hidden"): ("h_n[0]",),
        (0, "forward", "cell"): ("c_n[0]",),
        (0, "backward", "hidden"): ("h_n[1]",),
        (0, "backward", "cell"): ("c_n[1]",),
        (1, "forward", "hidden"): ("output[-1, :, :2]", "h_n[2]"),
        (1, "forward", "cell"): ("c_n[2]",),
        (1, "backward", "hidden"): ("output[0, :, 2:]", "h_n[3]"),
        (1, "backward", "cell"): ("c_n[3]",),
    }
    assert [one.place for one in call.pitfalls] == ["output[-1, :, 2:]"]


@pytest.mark.parametrize("budget", [1, 2**30])
def test_with_a_projection_h_and_c_differ_in_size(budget: int) -> None:
    call = call_of(seeded(**SMALL, projection=2, max_memory=budget), "torch")
    assert {one.result.name: (one.shape.names[-1], one.shape.sizes) for one in call.returns} == {
        "output": ("hidden", (4, 3, 2)),
        "h_n": ("hidden", (1, 3, 2)),
        "c_n": ("units", (1, 3, 3)),
    }


@pytest.mark.parametrize(
    ("name", "asked", "reads", "returns"),
    [
        ("pytorch", {}, (4, 3, 2), {"output": (4, 3, 6), "h_n": (4, 3, 3), "c_n": (4, 3, 3)}),
        ("pytorch", {"batch_first": True}, (3, 4, 2), {"output": (3, 4, 6), "h_n": (4, 3, 3), "c_n": (4, 3, 3)}),
        ("keras", {}, (3, 4, 2), {"output": (3, 6)}),
        ("keras", {"return_sequences": True}, (3, 4, 2), {"output": (3, 4, 6)}),
        (
            "keras",
            {"return_state": True},
            (3, 4, 2),
            {"output": (3, 6), "forward_h": (3, 3), "forward_c": (3, 3), "backward_h": (3, 3), "backward_c": (3, 3)},
        ),
        ("onnx", {}, (4, 3, 2), {"Y": (4, 2, 3, 3), "Y_h": (2, 3, 3), "Y_c": (2, 3, 3)}),
        ("onnx", {"layout": 1}, (3, 4, 2), {"Y": (3, 4, 2, 3), "Y_h": (3, 2, 3), "Y_c": (3, 2, 3)}),
        ("flax", {}, (3, 4, 2), {"outputs": (3, 4, 6)}),
        (
            "flax",
            {"return_state": True},
            (3, 4, 2),
            {"carry[0][0]": (3, 3), "carry[0][1]": (3, 3), "carry[1][0]": (3, 3), "carry[1][1]": (3, 3), "outputs": (3, 4, 6)},
        ),
    ],
)
def test_known_layouts(name: str, asked: dict[str, Any], reads: Any, returns: dict[str, Any]) -> None:
    call = call_of(seeded(**SMALL, bidirectional=True, layers=2), name, **asked)
    assert call.reads.sizes == reads
    assert {one.result.name: one.shape.sizes for one in call.returns if one.layer in (None, 1)} == returns


def test_lower_layers_of_keras_return_sequences() -> None:
    call = call_of(seeded(**SMALL, layers=3), "keras")
    assert [one.shape.sizes for one in call.returns] == [(3, 4, 3), (3, 4, 3), (3, 3)]
    assert [(one.first, one.last) for one in call.lines] == [(0, 1), (2, 2)]


def test_a_difference_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose last state is another than that of its last timestep shows."""
    right = last_states.last_state
    monkeypatch.setattr(last_states, "last_state", lambda *places: right(*places) + np.float32(0.5))
    assert {one.difference for one in call_of(seeded(**SMALL), "pytorch").states} == {0.5}


def test_a_shape_is_read_off_an_array(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstm_explain.topics.shapes.framework_call.input_array", lambda *_: np.zeros((7, 3, 2)))
    assert call_of(seeded(**SMALL), "pytorch").reads.sizes == (7, 3, 2)


def test_more_samples_than_fit_are_compared_on_a_block() -> None:
    call = call_of(seeded(samples=10**12), "onnx")
    assert (call.measured, call.weights_measured, call.compared) == (False, True, 128)
    assert call.reads.sizes == (10, 10**12, 5)
    assert {one.difference for one in call.states} == {0}


def test_a_model_that_starts_from_states_of_its_own() -> None:
    """Every place is compared with a run that starts from them."""
    lstm = seeded(**SMALL, bidirectional=True)
    start = StackState.from_stacked(np.full((2, 1, 3), 0.25, "float32"), np.full((2, 1, 3), 0.5, "float32"))
    origin = {"kind": "model", "file": "a.onnx", "layer": "lstm", "title": "ONNX", "framework": "onnx"}
    own = replace(lstm, pretrained=PretrainedWeights(lstm.weights, origin, start))
    call = call_of(own, "onnx")
    assert call.initial
    assert not call_of(lstm, "onnx").initial
    assert {one.difference for one in call.states} == {0}
    assert call.pitfalls[0].difference != call_of(lstm, "onnx").pitfalls[0].difference


@pytest.mark.parametrize(
    ("name", "asked", "options", "message"),
    [
        ("keras", {"batch_first": True}, {}, "framework='keras' batch_first=True: Keras always has samples first."),
        (
            "torch",
            {"return_state": True},
            {},
            "framework='pytorch' return_state=True: PyTorch's LSTM returns h_n and c_n always.",
        ),
        ("torch", {"layout": 0}, {}, "framework='pytorch' layout=0: PyTorch's LSTM has no number for its layout."),
        ("onnx", {"layout": 2}, {}, "framework='onnx' layout=2: the layouts are 0 and 1."),
        ("onnx", {"layout": 1.0}, {}, "framework='onnx' layout=1.0: the layouts are 0 and 1."),
        ("flax", {"return_sequences": True}, {}, "framework='flax-linen' return_sequences=True: Flax's RNN returns every"),
        (
            "flax",
            {},
            {"peepholes": True},
            "framework='flax-linen' peepholes=True: Flax linen has no peepholes. Leave out peepholes",
        ),
        (
            "keras",
            {},
            {"projection": 2},
            "projection=2: Keras has no projection. Leave out projection, or give framework='py",
        ),
        ("onnx", {}, {"projection": 2, "peepholes": True}, "Leave out projection, or leave out framework."),
        ("haiku", {}, {}, "framework='haiku': calls of Haiku are not covered."),
        ("", {}, {}, "framework='': unknown framework."),
        (5, {}, {}, "framework='5': this is not a framework's name."),
        ("keras", {"return_state": 1}, {}, "return_state 1: this option is True or False."),
        (
            None,
            {"return_state": True, "layout": 0},
            {},
            "return_state=True layout=0: this option describes a framework's call",
        ),
        (None, {"nosuch": 1}, {}, "nosuch: unknown option of a call."),
    ],
)
def test_what_a_framework_has_not_is_refused_by_name(
    name: Any, asked: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        explain_shapes(seeded(**SMALL, **options), name, **asked)
    assert message in str(caught.value)


def test_a_model_that_a_framework_cannot_build_is_refused_without_options() -> None:
    lstm = seeded(**SMALL, peepholes=True)
    own = replace(lstm, pretrained=PretrainedWeights(lstm.weights, {"kind": "model"}))
    with pytest.raises(
        UsageError, match=r"^framework='keras': Keras has no peepholes, which this LSTM has. Give framework='onnx'"
    ):
        explain_shapes(own, "keras")


def test_a_layer_that_reads_from_the_end_is_refused() -> None:
    lstm = seeded(**SMALL)
    own = replace(lstm, pretrained=PretrainedWeights(lstm.weights, {"kind": "model"}, None, True))
    with pytest.raises(
        UsageError, match=r"^framework='onnx': only layers that read forward or in both directions are covered"
    ):
        explain_shapes(own, "onnx")


def test_the_json_object() -> None:
    found = explain_shapes(seeded(**SMALL), "keras", return_state=True).to_dict()["framework"]
    assert found["options"] == {"return_sequences": False, "return_state": True}
    assert found["input"] == {
        "name": "sequences",
        "axes": ["samples", "timesteps", "features"],
        "shape": [3, 4, 2],
        "elements": 24,
    }
    assert found["states"][0] == {
        "layer": 0,
        "direction": "forward",
        "kind": "hidden",
        "timestep": 4,
        "places": ["output", "h"],
        "difference": 0.0,
    }
    assert json.loads(json.dumps(found)) == found


def test_the_cost_counts_no_padding() -> None:
    lengths = (4, 1, 2)
    cost = explain_shapes(seeded(**SMALL, lengths=lengths)).cost
    assert cost["macs"] == cost["macs_per_step"] * sum(lengths)


def test_layers_that_differ_are_called_each_in_its_own_way() -> None:
    lstm = seeded(samples=3, timesteps=4, features=2, stack=MIXED, lengths=(4, 2, 3))
    call = call_of(lstm, "keras", return_state=True)
    built = [" ".join(one.lines) for one in call.lines]
    assert ["Bidirectional" in one for one in built] == [True, False, False]
    assert ["use_bias=False" in one for one in built] == [False, True, False]
    assert call.past_end == ("zeros", "repeated", "repeated")
    assert to_plain(call)["past_end"] == "repeated"
    sizes = {(one.layer, one.result.name): one.shape.sizes for one in call.returns}
    assert (sizes[0, "output"], sizes[0, "backward_c"]) == ((3, 4, 12), (3, 6))
    assert (sizes[1, "output"], sizes[2, "output"], sizes[2, "c"]) == ((3, 4, 4), (3, 3), (3, 3))


def test_one_call_of_all_layers_has_none_that_differ() -> None:
    lstm = seeded(**SMALL, stack=MIXED)
    found = "framework='pytorch': PyTorch's LSTM has no layers that differ, which this LSTM has. Give framework='keras'"
    with pytest.raises(UsageError) as caught:
        call_of(lstm, "pytorch")
    assert str(caught.value) == f"{found}."
    with pytest.raises(UsageError) as caught:
        call_of(replace(lstm, pretrained=PretrainedWeights(lstm.weights, {"kind": "model", "layer": "a+b"})), "pytorch")
    assert str(caught.value) == f"{found}, or choose one layer alone: FILE#NAME."
