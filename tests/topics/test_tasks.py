"""tasks: five networks around one LSTM, their shapes read off runs, what is said of them measured."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.network import FREE_LENGTH, TO_ONE, Task, plan_network, run_network
from lstm_explain.core.network import build_network as build
from lstm_explain.errors import RefusedError, UsageError
from lstm_explain.library import given as lstm_over
from lstm_explain.library import seeded
from lstm_explain.topics import tasks as module
from lstm_explain.topics.tasks import TASKS, explain_tasks
from lstm_explain.topics.tasks.tensors import list_tensors
from tests.helpers.mixed_stacks import MIXED
from tests.helpers.random_lstms import random_lstms, words_of

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.tasks import TaskNetwork

SCHEMA = json.loads((resources.files("lstm_explain.render") / "schemas" / "tasks.json").read_text("utf-8"))
few = settings(max_examples=40, deadline=None)
EVERY_TASK = pytest.mark.parametrize("task", TASKS, ids=str)


@st.composite
def questions(draw: st.DrawFn, /, **fixed: Any) -> tuple[LSTM, dict[str, Any]]:
    """An LSTM with any options, and a question about it."""
    lstm = draw(random_lstms(most_samples=4, most_timesteps=6, most_features=4, most_units=6, **fixed))
    asked: dict[str, Any] = {"outputs": draw(st.integers(1, 4)), "sample": draw(st.integers(0, lstm.spec.samples - 1))}
    asked["task"] = draw(st.none() | st.sampled_from([one.value for one in TASKS]))
    if asked["task"] in (None, *FREE_LENGTH):
        asked["steps_out"] = draw(st.none() | st.integers(1, 5))
    return lstm, asked


def layers_of(lstm: LSTM) -> list[Spec]:
    return [lstm.spec.for_layer(layer) for layer in range(len(lstm.spec.layers))]


def one(lstm: LSTM, task: str, **asked: Any) -> TaskNetwork:
    (network,) = explain_tasks(lstm, task, **asked).networks
    return network


@given(questions())
@few
def test_the_measured_shapes_are_the_computed_ones(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    tasks = explain_tasks(lstm, **asked)
    for network in tasks.networks:
        assert network.measured
        assert all(tensor.measured for tensor in network.tensors)
        plan = plan_network(network.task, lstm.spec, tasks.outputs, network.steps_out or 1)
        computed = list_tensors(plan, None)
        assert [tensor.shape for tensor in network.tensors] == [tensor.shape for tensor in computed]
        assert not any(tensor.measured for tensor in computed)


@given(questions())
@few
def test_the_outputs_are_those_of_the_network(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    tasks = explain_tasks(lstm, **asked)
    inputs = lstm.inputs.block(0, lstm.spec.samples)
    lengths = None if lstm.lengths is None else np.array(lstm.lengths)
    for found in tasks.networks:
        plan = plan_network(found.task, lstm.spec, tasks.outputs, found.steps_out or 1)
        made = run_network(build(plan, lstm.weights, lstm.init, lstm.seed), inputs, lengths).outputs[asked["sample"]]
        np.testing.assert_allclose(found.outputs, made, atol=1e-6)
        assert found.outputs.shape == made.shape


@given(questions())
@few
def test_parameters_are_counted_as_the_formulas_say(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    sizes = {**words_of(lstm.spec), "outputs": asked["outputs"]}
    peepholes = any(layer.peepholes for layer in layers_of(lstm))
    projected = any(layer.projection is not None for layer in layers_of(lstm))
    for network in explain_tasks(lstm, **asked).networks:
        for part in network.parts:
            assert eval(part.formula, {}, sizes) == part.total, part
        assert network.total == sum(part.total for part in network.parts)
        lacks = {"keras": peepholes or projected, "pytorch": peepholes or bool(lstm.spec.layers_differ)}
        for name, said in network.frameworks.items():
            assert (said.parameters is None) == (said.lines is None) == (said.lacks is not None) == lacks[name]
        if not lacks["keras"]:
            assert network.frameworks["keras"].parameters == network.total


@given(questions())
@few
def test_every_neuron_of_the_dense_layer_reads_every_number_of_h(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    for network in explain_tasks(lstm, **asked).networks:
        reach = network.checks.reach
        assert reach.poked == reach.numbers == lstm.spec.output
        assert reach.outputs == asked["outputs"]
        assert reach.moved == reach.poked * reach.outputs


def test_a_number_that_is_not_read_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    original = build

    def cut(*arguments: Any) -> Any:
        network = original(*arguments)
        network.dense.kernel[3, 1] = 0
        return network

    monkeypatch.setattr(module, "build_network", cut)
    assert one(seeded(samples=2), "many-to-one", outputs=4).checks.reach.moved == 39


def test_of_a_wide_h_only_some_numbers_are_poked() -> None:
    reach = one(seeded(samples=1, units=100), "many-to-one").checks.reach
    assert (reach.poked, reach.numbers, reach.moved) == (64, 100, 64)


def test_at_a_single_timestep_460_of_640_parameters_do_nothing() -> None:
    idle = one(seeded(samples=3), "one-to-one").checks.idle
    assert idle is not None
    assert (idle.weights, idle.difference) == (460, 0.0)


@given(questions(lengths=None))
@few
def test_weights_that_meet_zero_states_do_nothing(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    network = one(lstm, "one-to-one", outputs=asked["outputs"])
    idle = network.checks.idle
    assert idle is not None
    assert idle.difference == 0
    expected = 0
    for layer in layers_of(lstm):
        forget = layer.units * (layer.features + layer.bias)
        recurrent = 4 * layer.units * layer.hidden + 2 * layer.units * layer.peepholes
        expected += len(layer.directions) * (forget + recurrent)
    assert idle.weights == expected


@given(questions())
@few
def test_the_last_output_is_the_last_h_of_one_direction_and_no_padding_only(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    tolerance = 1e-6 if lstm.spec.dtype == "float32" else 1e-14
    top = layers_of(lstm)[-1]
    for task in ("many-to-one", "encoder-decoder"):
        last = one(lstm, task, outputs=asked["outputs"]).checks.last
        assert last is not None
        ends = [] if lstm.lengths is None else [length for length in lstm.lengths if length < lstm.spec.timesteps]
        assert last.padded == len(ends)
        assert (last.backward is not None) == top.bidirectional
        assert (last.outputs is not None) == (task == "many-to-one")
        if not ends:
            assert last.forward == 0
            assert (last.difference == 0) == (not top.bidirectional or top.timesteps == 1)
        if last.alone is not None:
            assert last.alone <= tolerance


@given(questions(timesteps=6, lengths=None, samples=3))
@few
def test_only_both_directions_know_the_future(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, _ = question
    ahead = one(lstm, "many-to-many").checks.ahead
    assert ahead is not None
    assert ahead.earlier == 5
    assert (ahead.moved > 0) == any(layer.bidirectional for layer in layers_of(lstm))


@given(questions())
@few
def test_step_by_step_is_all_at_once(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    for network in explain_tasks(lstm, **asked).networks:
        found = network.checks.step_by_step
        assert (found is None) == (network.task in TO_ONE)
        if found is not None:
            assert found.steps == network.steps_out
            assert found.difference <= (1e-5 if lstm.spec.dtype == "float32" else 1e-14)
        broadcast = network.checks.broadcast
        assert (broadcast is not None) == (asked["outputs"] == 1 and (network.steps_out or 1) > 1)
        if broadcast is not None:
            assert broadcast.compared == broadcast.samples * (network.steps_out or 1)


@given(questions())
@few
def test_the_json_object(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    found = explain_tasks(lstm, **asked).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert list(found)[5:] == ["task", "outputs", "sample", "tasks", "nonfinite"]
    assert found["task"] == asked["task"]
    assert [one["task"] for one in found["tasks"]] == ([asked["task"]] if asked["task"] else [one.value for one in TASKS])
    assert found["nonfinite"] == []


def test_the_founding_example() -> None:
    tasks = explain_tasks(seeded())
    shapes = {network.task: network.tensor("outputs").shape.sizes for network in tasks.networks}
    assert shapes == {
        Task.ONE_TO_ONE: (1000, 1),
        Task.ONE_TO_MANY: (1000, 10, 1),
        Task.MANY_TO_ONE: (1000, 1),
        Task.MANY_TO_MANY: (1000, 10, 1),
        Task.ENCODER_DECODER: (1000, 10, 1),
    }
    totals = {network.task: network.total for network in tasks.networks}
    assert totals.pop(Task.ENCODER_DECODER) == 640 + 4 * 10 * (10 + 10 + 1) + 11
    assert set(totals.values()) == {651}
    assert {network.frameworks["pytorch"].parameters for network in tasks.networks} == {691, 1491 + 80}
    assert tasks.task is None


def test_the_steps_of_the_outputs_can_be_chosen() -> None:
    tasks = explain_tasks(seeded(samples=2, timesteps=7), steps_out=4)
    steps = {network.task: network.steps_out for network in tasks.networks}
    assert (steps[Task.ONE_TO_MANY], steps[Task.ENCODER_DECODER], steps[Task.MANY_TO_MANY]) == (4, 4, 7)
    assert steps[Task.ONE_TO_ONE] is steps[Task.MANY_TO_ONE] is None


@EVERY_TASK
def test_what_does_not_fit_is_computed_and_marked(task: Task) -> None:
    large, small = one(seeded(samples=10**12), task), one(seeded(samples=1000), task)
    assert not large.measured
    assert not any(tensor.measured for tensor in large.tensors)
    assert large.tensor("outputs").shape.sizes[0] == 10**12
    assert large.checks.samples == small.checks.samples == 128
    np.testing.assert_array_equal(large.outputs, small.outputs)
    assert large.checks == small.checks


@EVERY_TASK
def test_a_tight_budget_makes_the_block_smaller(task: Task) -> None:
    network = one(seeded(max_memory=200_000), task)
    assert not network.measured
    assert 1 <= network.checks.samples < 128
    with pytest.raises(RefusedError, match=rf"running {task} over 1 sample and checking it takes [\d,]+ bytes of memory"):
        one(seeded(max_memory=2000), task)


@EVERY_TASK
def test_layers_that_differ_fit_a_budget_too(task: Task) -> None:
    """With lengths, a layer that reads backward takes twice its memory."""
    lstm = seeded(timesteps=4, lengths=[1, 4, 2], features=2, stack=MIXED)
    assert one(lstm, task).measured
    with pytest.raises(RefusedError):
        one(replace(lstm, max_memory=1000), task)


@EVERY_TASK
@pytest.mark.filterwarnings("error")
def test_nan_in_the_input_is_no_warning_and_named_in_json(task: Task) -> None:
    array = np.ones((2, 4, 3))
    array[0, 0, 1], array[1, 0, 2] = np.nan, np.inf
    network = one(lstm_over(array, units=3, bidirectional=True), task)
    assert network.checks.reach.moved == 6
    found = explain_tasks(lstm_over(array, units=3), task).to_dict()
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert any(entry["path"].startswith("tasks[0].outputs[0]") for entry in found["nonfinite"])


@pytest.mark.parametrize(
    ("asked", "named", "found"),
    [
        ({"task": "nosuch"}, "tasks nosuch", "unknown task"),
        ({"task": ""}, "tasks ''", "unknown task"),
        ({"outputs": 0}, "outputs=0", "the dense layer needs at least one neuron"),
        ({"outputs": -1}, "outputs=-1", "the dense layer needs at least one neuron"),
        ({"outputs": 1.5}, "outputs=1.5", "this must be a whole number"),
        ({"outputs": 2**53}, f"outputs={2**53}", "sizes above 9007199254740991 (2**53 - 1) are not supported"),
        ({"steps_out": 0}, "steps_out=0", "outputs are made at one step at least"),
        ({"steps_out": True}, "steps_out=True", "this must be a whole number"),
        (
            {"task": "many-to-one", "steps_out": 3},
            "steps_out=3",
            "the number of output steps of many-to-one is fixed",
        ),
        ({"sample": 3}, "sample=3", "there are 3 samples, and they count from 0 to 2"),
    ],
)
def test_what_is_not_there_is_refused(asked: dict[str, Any], named: str, found: str) -> None:
    with pytest.raises(UsageError) as raised:
        explain_tasks(seeded(samples=3), **asked)
    assert (raised.value.asked, raised.value.found) == (named, found)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("many2won", "many-to-one"),
        ("many_to_mny", "many-to-many"),
        ("On-To-One", "one-to-one"),
        ("decoder", "encoder-decoder"),
    ],
)
def test_an_unknown_task_gets_the_nearest_name(name: str, near: str) -> None:
    with pytest.raises(UsageError, match=rf"unknown task\. Did you mean {near}\? There are one-to-one, "):
        explain_tasks(seeded(samples=1), name)


def test_a_large_dense_layer_is_refused_before_it_is_made() -> None:
    with pytest.raises(RefusedError):
        explain_tasks(seeded(samples=1), "many-to-one", outputs=10**12)


def test_results_are_frozen() -> None:
    tasks = explain_tasks(seeded(samples=1))
    network = tasks.networks[0]
    for value in (tasks, network, network.checks, network.parts[0], network.frameworks["keras"], network.tensors[0]):
        for name in value._fields if isinstance(value, tuple) else vars(value):
            with pytest.raises(AttributeError):
                setattr(value, name, None)
    with pytest.raises(ValueError, match="read-only"):
        network.outputs[0] = 1
