"""What the explorer's panels draw: the numbers of a scene against the reference step and the run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.apps.explorer import actions
from lstm_explain.apps.explorer.state import ExplorerState
from lstm_explain.apps.explorer.view_model import TENSOR_NAMES, ViewModel, build_view_model
from lstm_explain.core.cell import step
from lstm_explain.core.edits import Edit, parse_edit
from lstm_explain.core.gates import GATES, LETTERS, Direction
from lstm_explain.core.lstm import ArrayInputs, PretrainedWeights
from lstm_explain.core.weights import Weights
from tests.helpers.mixed_stacks import MIXED, stacks

few = settings(max_examples=60, deadline=None)
CLOSE: dict[str, Any] = {"rtol": 0, "atol": 1e-12}


@st.composite
def states(draw: st.DrawFn, /, edits: bool = True, **fixed: Any) -> ExplorerState:
    """Any LSTM in float64, any place in it, and some numbers set."""
    units, samples, timesteps = draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 6))
    options = {
        "samples": samples,
        "timesteps": timesteps,
        "features": draw(st.integers(1, 4)),
        "units": units,
        "layers": draw(st.integers(1, 3)),
        "bidirectional": draw(st.booleans()),
        "projection": draw(st.none() | st.integers(1, units - 1)) if units > 1 else None,
        "bias": draw(st.booleans()),
        "peepholes": draw(st.booleans()),
        "stack": draw(st.just(()) | stacks()),
        "init": draw(st.sampled_from(["keras", "pytorch"])),
        "seed": draw(st.integers(0, 99)),
        "lengths": draw(st.none() | st.lists(st.integers(1, timesteps), min_size=samples, max_size=samples)),
        **fixed,
    }
    lstm = lstm_explain.seeded(**options, dtype="float64")
    there = ExplorerState(
        lstm, sample=draw(st.integers(0, samples - 1)), layer=draw(st.integers(0, len(lstm.spec.layers) - 1))
    )
    spec = there.layer_spec
    there = there.evolve(direction=draw(st.sampled_from(spec.directions)), unit=draw(st.integers(0, spec.units - 1)))
    there = there.evolve(step=draw(st.integers(1, there.length)))
    return there.evolve(edits=tuple(draw(st.lists(some_edits(there), max_size=3)))) if edits else there


@st.composite
def some_edits(draw: st.DrawFn, state: ExplorerState) -> Edit:
    name = draw(st.sampled_from(["x", *TENSOR_NAMES]))
    layer, way = (0, Direction.FORWARD) if name == "x" else draw(st.sampled_from(state.lstm.spec.layer_directions))
    spec = state.lstm.spec.for_layer(layer)
    places = {"h": spec.hidden, "x": spec.features}.get(name, spec.units)
    place, value, when = st.integers(0, places - 1), st.floats(-2, 2), st.integers(1, spec.timesteps)
    return Edit(name, draw(value), draw(place), draw(when), layer=layer, direction=way)


def once_more(seen: ViewModel, t: int) -> Any:
    """The reference step from the states that the scene says timestep t started from."""
    h, c = seen.states_before(t)
    return step(seen.weights, seen.record.input[:, t - 1], h[None], c[None])


@given(states(edits=False))
@few
def test_without_changes_it_is_the_run(state: ExplorerState) -> None:
    seen = build_view_model(state)
    record, place = state.lstm.run_sample(state.sample)
    part = record.of(state.layer, state.direction)
    for letter, name in TENSOR_NAMES.items():
        expected = getattr(part, name)[place, : state.length]
        np.testing.assert_allclose(seen.values(letter), expected, **CLOSE)
        np.testing.assert_array_equal(seen.values_before(letter), seen.values(letter))
    assert not seen.moved_units.any()


@given(states(edits=False))
@few
def test_the_sums_are_those_of_the_reference_step(state: ExplorerState) -> None:
    seen = build_view_model(state)
    made = once_more(seen, state.step)
    for sums in seen.sums(state.step, state.unit):
        column = seen.weights.columns(sums.gate).start + state.unit
        assert sums.total == pytest.approx(float(made.pre_activation[0, column]), abs=1e-12)
        assert sums.total == sums.of_x + sums.of_h + sums.other
        assert sums.value == sums.was == pytest.approx(float(getattr(made, LETTERS[sums.gate])[0, state.unit]), abs=1e-12)
    assert [sums.gate for sums in seen.sums(state.step, state.unit)] == list(GATES)
    assert seen.computed_cell(state.step, state.unit) == pytest.approx(float(made.c[0, state.unit]), abs=1e-12)
    assert seen.unit_output(state.step, state.unit) == pytest.approx(float(made.m[0, state.unit]), abs=1e-12)


@given(states())
@few
def test_with_changes_only_what_is_set_differs_from_the_reference_step(state: ExplorerState) -> None:
    """Each step again from the states before it: what no edit names at that step is what the equations make of them."""
    seen = build_view_model(state)
    here = [one for one in state.edits if (one.layer, one.direction, one.step) == (state.layer, state.direction, state.step)]
    held = {one.name for one in here if one.position == state.unit}
    made = once_more(seen, state.step)
    for sums in seen.sums(state.step, state.unit):
        letter = LETTERS[sums.gate]
        if letter in held:
            last = [one for one in here if (one.name, one.position) == (letter, state.unit)][-1]
            assert sums.value == last.value
        elif not held or letter != "o":  # the output gate looks at the new c through its peephole
            assert sums.value == pytest.approx(float(getattr(made, letter)[0, state.unit]), abs=1e-12)
            assert sums.total == pytest.approx(
                float(made.pre_activation[0, seen.weights.columns(sums.gate)][state.unit]), abs=1e-12
            )
    if not {one.name for one in here} & set("cfig"):
        assert seen.number("c", state.step, state.unit) == pytest.approx(seen.computed_cell(state.step, state.unit), abs=1e-12)
    if state.layer_spec.projection is None and "h" not in held:
        assert seen.number("h", state.step, state.unit) == pytest.approx(seen.unit_output(state.step, state.unit), abs=1e-12)


@given(states())
@few
def test_what_moved_is_where_the_two_runs_differ(state: ExplorerState) -> None:
    seen, lstm = build_view_model(state), state.lstm
    base, poked = (lstm.run_stepwise(state.sample, edits).of(state.layer, state.direction) for edits in ((), state.edits))
    units = np.zeros((state.length, state.layer_spec.units), bool)
    for letter, name in TENSOR_NAMES.items():
        now, was = (getattr(part, name)[0, : state.length] for part in (poked, base))
        for t in range(1, state.length + 1):
            np.testing.assert_array_equal(seen.changed(letter, t), now[t - 1] != was[t - 1])
        if letter != "h" or state.layer_spec.projection is None:
            units |= now != was
    np.testing.assert_array_equal(seen.moved_units, units)
    assert seen.largest_cell == np.abs(poked.cell[0, : state.length]).max()


@given(states())
@few
def test_a_number_is_that_of_the_run_or_an_initial_state(state: ExplorerState) -> None:
    seen, first = build_view_model(state), 1 if state.direction is Direction.FORWARD else state.length
    for letter in TENSOR_NAMES:
        place = min(state.unit, seen.values(letter).shape[1] - 1)
        assert seen.number(letter, state.step, place) == seen.values(letter)[state.step - 1, place]
        assert seen.number(letter, state.step, place, base=True) == seen.values_before(letter)[state.step - 1, place]
    h, c = seen.states_before(state.step)
    assert seen.number("h", state.before_step, state.hidden_index) == h[state.hidden_index]
    assert seen.number("c", state.before_step, state.unit) == c[state.unit]
    if state.step == first and not state.edits:
        assert not h.any()
        assert not c.any()


def test_an_initial_state_that_is_set_is_seen_where_it_is_read() -> None:
    lstm = lstm_explain.seeded(samples=2, timesteps=4, bidirectional=True, lengths=[4, 2])
    forward = ExplorerState(lstm, (parse_edit("h_0[1]=1"),), sample=1)
    assert build_view_model(forward).number("h", 0, 1) == 1
    assert build_view_model(forward).number("h", 0, 1, base=True) == 0
    backward = ExplorerState(lstm, (parse_edit("0.backward:h_3[1]=1"),), sample=1, direction=Direction.BACKWARD, step=2)
    assert build_view_model(backward).number("h", 3, 1) == 1, "sample 1 ends at timestep 2, so it starts from h_3"
    assert build_view_model(backward.evolve(sample=0)).number("h", 3, 1) == 1, "sample 0 passes h_3 on its way"


@pytest.mark.parametrize(("unit", "t"), [(3, 3), (0, 9), (9, 1)])
def test_what_the_explorer_is_for(unit: int, t: int) -> None:
    """h of one unit: none of the others at that timestep, all of them at the next."""
    seen = build_view_model(actions.apply_edits(ExplorerState(lstm_explain.seeded()), f"h_{t}[{unit}]=0.6"))
    assert np.flatnonzero(seen.moved_units[t - 1]).tolist() == [unit]
    assert seen.moved_units[t].all()
    assert not seen.moved_units[: t - 1].any()


def test_a_change_in_one_layer_moves_the_layers_above_and_not_those_below() -> None:
    state = actions.apply_edits(ExplorerState(lstm_explain.seeded(layers=3)), "1:h_4[2]=0.6")
    below, above = build_view_model(state.evolve(layer=0)), build_view_model(state.evolve(layer=2))
    assert not below.moved_units.any()
    assert above.moved_units[3:].all()
    assert not above.moved_units[:3].any()


@pytest.mark.parametrize("layer", range(3))
def test_of_unlike_layers_each_is_what_it_makes_of_the_output_below_it(layer: int) -> None:
    """Each layer of the stack run alone, over what the layer below put out."""
    lstm = lstm_explain.seeded(samples=3, timesteps=4, features=2, stack=MIXED, dtype="float64")
    record = lstm.run()
    spec, read = lstm.spec.for_layer(layer), record.input if layer == 0 else record.outputs[layer - 1]
    alone = replace(
        lstm, spec=spec, inputs=ArrayInputs(read, ""), pretrained=PretrainedWeights(Weights((lstm.weights.layers[layer],)), {})
    )
    for way in spec.directions:
        seen = build_view_model(ExplorerState(lstm, sample=1, layer=layer, direction=way))
        for letter, name in TENSOR_NAMES.items():
            np.testing.assert_allclose(seen.values(letter), getattr(alone.run().of(0, way), name)[1], **CLOSE)


def test_a_change_in_a_layer_moves_the_unlike_layers_above() -> None:
    lstm = lstm_explain.seeded(samples=3, timesteps=4, features=2, stack=MIXED)
    state = actions.apply_edits(ExplorerState(lstm), "0.backward:h_3[5]=0.6")
    assert not state.message
    assert not build_view_model(state).moved_units.any(), "the forward units do not read the backward ones"
    assert build_view_model(state.evolve(direction=Direction.BACKWARD)).moved_units[1, :].all()
    for layer, one in ((1, MIXED[1]), (2, MIXED[2])):
        moved = build_view_model(state.evolve(layer=layer)).moved_units
        assert moved.shape == (4, one.units)
        assert moved.any(axis=1).tolist() == [True] * 4, "the first timesteps of the backward layer are the last of the data"


def test_a_changed_weight_is_the_one_that_is_seen() -> None:
    state = actions.apply_edits(ExplorerState(lstm_explain.seeded()), "W_f[0,2]=5")
    seen = build_view_model(state)
    assert seen.weights.kernel[0, 10 + 2] == 5
    assert state.lstm.weights.of(0, Direction.FORWARD).kernel[0, 10 + 2] != 5, "the LSTM itself is as it was"
    assert seen.moved_units[:, 2].any()


def test_nan_that_stays_nan_has_not_moved() -> None:
    array = np.ones((1, 3, 2), np.float32)
    array[0, 1, 0] = np.nan
    seen = build_view_model(actions.apply_edits(ExplorerState(lstm_explain.given(array, units=2)), "f_2[0]=1"))
    assert np.isnan(seen.values("c")[1:]).all()
    assert not seen.changed("c", 2).any()
    assert seen.changed("f", 2).tolist() == [True, False]
    assert seen.largest_cell == np.abs(seen.values("c")[0]).max()
