"""influence: the four statements, the shares, the reach and the ripple, each against another way to the same numbers."""

from __future__ import annotations

import json
import math
import re
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core import lstm as lstm_module
from lstm_explain.core.bptt import backpropagate, trajectory_of
from lstm_explain.core.cost import run_bytes
from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.gates import Direction
from lstm_explain.core.spec import LayerSpec, Spec
from lstm_explain.core.weights import Weights
from lstm_explain.errors import RefusedError, UsageError, printable
from lstm_explain.library import given as lstm_over
from lstm_explain.library import seeded
from lstm_explain.topics.influence import explain_influence
from lstm_explain.topics.perturbation import measure_change
from lstm_explain.topics.shapes import explain_shapes
from tests.helpers.random_lstms import random_lstms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Block, LayerRecord
    from lstm_explain.topics.influence import Influence
    from lstm_explain.topics.influence.attribution import ThroughTime
    from lstm_explain.topics.perturbation import Ripple

Array = np.ndarray[Any, np.dtype[Any]]
Question = tuple["LSTM", dict[str, Any]]

TOLERANCE = {"float32": 2e-6, "float64": 1e-12}
few = settings(max_examples=60, deadline=None)


@st.composite
def questions(draw: st.DrawFn, /, **fixed: Any) -> Question:
    """An LSTM with any options, one of its units, and a timestep that was run."""
    lstm = draw(random_lstms(**{"most_samples": 4, "most_timesteps": 7, "most_units": 8, **fixed}))
    spec = lstm.spec
    sample = draw(st.integers(0, spec.samples - 1))
    layer, way = draw(st.sampled_from(spec.layer_directions))
    return lstm, {
        "unit": draw(st.integers(0, spec.for_layer(layer).units - 1)),
        "sample": sample,
        "step": draw(st.integers(1, spec.timesteps if lstm.lengths is None else lstm.lengths[sample])),
        "layer": layer,
        "direction": way.value,
        "by": draw(st.sampled_from([0.1, -0.5, 0.001])),
    }


def part_of(lstm: LSTM, found: Influence) -> tuple[LayerRecord, int]:
    """What the layer and direction computed, and the sample's place in it."""
    record, place = lstm.run_sample(found.sample)
    return record.of(found.layer, found.direction), place


def emitted(lstm: LSTM, found: Influence, unit: int) -> Array:
    """What h gains where a unit emits 1 more; [hidden]"""
    projection = lstm.weights.of(found.layer, found.direction).projection
    gained: Array = np.eye(found.layer_spec.units)[unit] if projection is None else projection[unit].astype(float)
    return gained


# --- the four statements ----------------------------------------------------------------------------------------------


@given(questions())
@few
def test_within_a_timestep_no_unit_moves_another_by_a_single_bit(question: Question) -> None:
    lstm, asked = question
    found = explain_influence(lstm, **asked).statements
    own, same, others = found.parameters, found.same_timestep, lstm.spec.for_layer(asked["layer"]).units - 1
    assert own.other_gates == (0, 4 * others, 0.0)
    assert same.other_cells == same.other_emitted == (0, others, 0.0)
    assert (own.own_gates.moved, own.own_gates.of) == (4, 4)
    assert same.own_cell[:2] == same.own_emitted[:2] == (1, 1)
    assert min(own.own_gates.largest, same.own_cell.largest, same.own_emitted.largest) > 0


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("features", [1, 2, 3])
def test_the_order_in_which_weights_lie_in_memory_moves_nothing(features: int, dtype: Any) -> None:
    """A recurrent kernel that was made orthogonal lies column by column, and so does a kernel of one row beside it."""
    for units in range(2, 30):
        lstm = seeded(samples=1, timesteps=2, features=features, units=units, bias=False, dtype=dtype)
        assert explain_influence(lstm).statements.parameters.other_gates.moved == 0


@given(questions())
@few
def test_a_timestep_later_every_unit_moves_whose_derivative_says_so(question: Question) -> None:
    lstm, asked = question
    found = explain_influence(lstm, **asked)
    later, poke = found.statements.next_timestep, emitted(lstm, found, asked["unit"]) * asked["by"]
    for moved, matrix in ((later.cells, found.derivatives.matrices.cell_by_hidden), (later.hidden, hidden_by_hidden(found))):
        assert moved.of == len(matrix)
        assert moved.moved >= int((np.abs(matrix @ poke) > 1e-5).sum())
        assert (moved.largest > 0) == (moved.moved > 0)


def hidden_by_hidden(found: Influence) -> Array:
    return found.derivatives.matrices.hidden_by_hidden


@pytest.mark.parametrize("options", [{}, {"projection": 4}, {"peepholes": True}, {"bias": False}], ids=str)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_at_the_size_of_the_example_all_units_hear_of_a_change(options: dict[str, Any], dtype: Any) -> None:
    lstm = seeded(samples=1, dtype=dtype, **options)
    for unit in range(10):
        later = explain_influence(lstm, unit).statements.next_timestep
        assert (later.cells.moved, later.hidden.moved) == (10, lstm.spec.hidden)


@given(questions(dtype="float64"))
@few
def test_how_far_a_timestep_later_moves_is_what_a_run_of_that_timestep_makes_of_the_poke(question: Question) -> None:
    """The engine, started from the poked h, moves as far as the statement says."""
    lstm, asked = question
    found = explain_influence(lstm, **asked)
    part, place = part_of(lstm, found)
    h, c = part.before(place, found.step, found.length)
    poked = h + asked["by"] * emitted(lstm, found, asked["unit"])
    base, moved = (one_layer(lstm, found, part.input[place, found.step - 1][None], each, c) for each in (h, poked))
    later = found.statements.next_timestep
    assert later.cells.largest == pytest.approx(float(np.abs(moved.cell - base.cell).max()), abs=1e-14)
    assert later.hidden.largest == pytest.approx(float(np.abs(moved.hidden - base.hidden).max()), abs=1e-14)


def one_layer(lstm: LSTM, found: Influence, read: Array, h: Array, c: Array) -> LayerRecord:
    """One layer's weights of one direction, run forward over [timesteps, features] from a state."""
    spec = found.layer_spec.with_options(bidirectional=False)
    weights = Weights(({Direction.FORWARD: lstm.weights.of(found.layer, found.direction)},))
    start = StackState.from_stacked(*(each.astype(spec.dtype)[None, None] for each in (h, c)))
    return forward(spec, weights, read[None], start).of(0, Direction.FORWARD)


@given(questions())
@few
def test_the_units_own_all_parameters_but_a_projection(question: Question) -> None:
    lstm, asked = question
    found = explain_influence(lstm, **asked)
    own, over, spec = found.statements.parameters, found.statements.over_time, found.layer_spec
    assert own.owned * spec.units == own.per_layer
    assert own.per_layer + (spec.units * spec.projection if spec.projection else 0) == over.parameters
    (layer,) = (one for one in explain_shapes(lstm).layers if one.layer == asked["layer"])
    assert over.parameters * len(spec.directions) == layer.total
    assert over.uses == found.length


def test_one_layer_and_direction_has_the_parameters_that_shapes_counts() -> None:
    for options in ({}, {"projection": 3}, {"peepholes": True}, {"bias": False}):
        lstm = seeded(samples=1, **options)
        assert explain_influence(lstm).statements.over_time.parameters == explain_shapes(lstm).total


@given(questions())
@few
def test_the_gates_of_every_timestep_are_made_by_one_kernel(question: Question) -> None:
    lstm, asked = question
    assert explain_influence(lstm, **asked).statements.over_time.difference < TOLERANCE[lstm.spec.dtype]


def test_a_kernel_that_is_another_one_is_noticed() -> None:
    """The statement is measured: a run with other weights does not pass for one with these."""
    lstm, other = seeded(samples=1), seeded(samples=1, seed=1)
    vars(lstm)["weights"] = other.weights
    record = seeded(samples=1).run()
    vars(lstm)["run"] = lambda *_: record
    assert explain_influence(lstm).statements.over_time.difference > 0.01


def test_nan_that_stays_nan_has_not_moved() -> None:
    before = np.array([1.0, np.nan, np.nan, np.inf, np.inf, 0.0])
    assert measure_change(before, np.array([1.0, np.nan, 2.0, np.inf, -np.inf, -0.0]))[:2] == (2, 6)
    assert measure_change(before, before) == (0, 6, 0.0)
    assert measure_change(np.zeros(0), np.zeros(0)) == (0, 0, 0.0)


# --- the ripple -------------------------------------------------------------------------------------------------------


def rippled(lstm: LSTM, asked: dict[str, Any]) -> tuple[Influence, Ripple]:
    """Poke the unit at the timestep that is asked for."""
    rest = {name: value for name, value in asked.items() if name not in ("unit", "step")}
    found = explain_influence(lstm, poke=asked["unit"], at=asked["step"], **rest)
    assert found.ripple is not None
    return found, found.ripple


@given(questions())
@few
def test_the_ripple_is_a_second_run_from_the_poked_state_less_the_run(question: Question) -> None:
    lstm, asked = question
    found, ripple = rippled(lstm, asked)
    part, place = part_of(lstm, found)
    forwards, at = found.direction is Direction.FORWARD, asked["step"]
    assert list(ripple.steps) == list(range(at, found.length + 1) if forwards else range(at, 0, -1))
    rest = [t - 1 for t in ripple.steps[1:]]
    h, c = part.hidden[place, at - 1].astype(float), part.cell[place, at - 1]
    poked = h + asked["by"] * emitted(lstm, found, asked["unit"])
    assert ripple.hidden.shape == (len(ripple.steps), found.layer_spec.hidden)
    assert ripple.cell.shape == (len(ripple.steps), found.layer_spec.units)
    if rest:
        again = one_layer(lstm, found, part.input[place, rest], poked, c)
        tolerance = 10 * TOLERANCE[lstm.spec.dtype]
        np.testing.assert_allclose(ripple.hidden[1:], again.hidden[0] - part.hidden[place, rest], rtol=0, atol=tolerance)
        np.testing.assert_allclose(ripple.cell[1:], again.cell[0] - part.cell[place, rest], rtol=0, atol=tolerance)


@given(questions())
@few
def test_the_first_row_of_a_ripple_is_the_poke_alone(question: Question) -> None:
    lstm, asked = question
    found, ripple = rippled(lstm, asked)
    expected = asked["by"] * emitted(lstm, found, asked["unit"])
    np.testing.assert_allclose(ripple.hidden[0], expected, rtol=0, atol=TOLERANCE[lstm.spec.dtype])
    assert (ripple.cell[0] == 0).all()
    if found.layer_spec.projection is None:
        assert np.flatnonzero(ripple.hidden[0]).tolist() == [asked["unit"]]
        assert ripple.moved_counts[0] == 1
    assert ripple.moved_counts == [int((row != 0).sum()) for row in ripple.hidden]


@given(questions(dtype="float64"))
@few
def test_a_small_ripple_is_the_poke_times_the_derivative(question: Question) -> None:
    lstm, asked = question
    by = 1e-6
    found, ripple = rippled(lstm, {**asked, "by": by})
    record, place = lstm.run_sample(found.sample)
    way = trajectory_of(lstm.weights, record, found.layer, found.direction, place)
    hidden, units = found.layer_spec.hidden, found.layer_spec.units
    rows = backpropagate(way, np.eye(hidden + units)[:, :hidden], np.eye(hidden + units)[:, hidden:])
    (here,) = (each for each in rows if each.timestep == asked["step"])
    expected = here.by_hidden @ emitted(lstm, found, asked["unit"])
    last = np.concatenate([ripple.hidden[-1], ripple.cell[-1]])
    np.testing.assert_allclose(last / by, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("direction", "first", "last"), [("forward", 1, 4), ("backward", 4, 1)])
def test_without_a_timestep_the_poke_is_at_the_first_that_is_read(direction: str, first: int, last: int) -> None:
    lstm = seeded(lengths=[6, 4], bidirectional=True, units=3)
    ripple = explain_influence(lstm, sample=1, direction=direction, poke=2).ripple
    assert ripple is not None
    assert (ripple.unit, ripple.at, ripple.steps[0], ripple.steps[-1]) == (2, first, first, last)


def test_nan_that_stays_nan_ripples_no_farther() -> None:
    array = np.ones((1, 4, 2))
    array[0, 2] = np.nan
    ripple = explain_influence(lstm_over(array, units=3), poke=1, at=1).ripple
    assert ripple is not None
    assert ripple.moved_counts[:2] == [1, 3]
    assert ripple.moved_counts[2:] == [0, 0]


# --- derivatives and shares -------------------------------------------------------------------------------------------


@given(questions())
@few
def test_shares_add_up_to_one_for_every_unit(question: Question) -> None:
    lstm, asked = question
    shares, units = explain_influence(lstm, **asked).derivatives.shares, lstm.spec.for_layer(asked["layer"]).units
    for values in shares:
        assert values.shape == (units,)
        assert (values >= -1e-15).all()
    np.testing.assert_allclose(shares.itself + shares.others + shares.input, 1, rtol=0, atol=1e-14)
    if units == 1:
        assert shares.others.tolist() == [0]


def sizes_by_hand(lstm: LSTM, found: Influence) -> Array:
    """What moves each unit's next value: itself, others, the input; unit by unit, from the matrices; [3, units]"""
    by, units = found.derivatives.matrices, found.layer_spec.units
    projection = lstm.weights.of(found.layer, found.direction).projection
    sizes = np.zeros((3, units))
    for unit in range(units):
        if projection is None:
            by_emitted, by_cell, by_input = by.hidden_by_hidden[unit], by.hidden_by_cell[unit], by.hidden_by_input[unit]
        else:
            by_emitted = np.array([by.cell_by_hidden[unit] @ projection[other] for other in range(units)])
            by_cell, by_input = by.cell_by_cell[unit], by.cell_by_input[unit]
        sizes[0, unit] = abs(by_emitted[unit]) + abs(by_cell[unit])
        sizes[1, unit] = sum(abs(by_emitted[other]) for other in range(units) if other != unit)
        sizes[2, unit] = sum(map(abs, by_input))
    return sizes


@given(questions(dtype="float64"))
@few
def test_shares_are_the_sizes_of_the_derivatives_of_a_units_next_value(question: Question) -> None:
    lstm, asked = question
    found = explain_influence(lstm, **asked)
    sizes = sizes_by_hand(lstm, found)
    np.testing.assert_allclose(np.array(found.derivatives.shares), sizes / sizes.sum(axis=0), rtol=0, atol=1e-13)


@given(questions(samples=3, timesteps=4, lengths=None) | questions(samples=3, timesteps=4, lengths=[4, 1, 3]))
@settings(few, max_examples=25)
def test_the_mean_is_the_mean_over_every_timestep_of_every_sample(question: Question) -> None:
    lstm, asked = question
    where = {"layer": asked["layer"], "direction": asked["direction"]}
    lengths = lstm.lengths or (4, 4, 4)
    each = [
        explain_influence(lstm, sample=sample, step=step, **where)
        for sample, length in enumerate(lengths)
        for step in range(1, length + 1)
    ]
    found = explain_influence(lstm, mean=True, **where).derivatives
    assert found.averaged == len(each) == sum(lengths)
    for name, matrix in found.matrices._asdict().items():
        by_hand = np.mean([np.abs(getattr(one.derivatives.matrices, name)) for one in each], axis=0)
        np.testing.assert_allclose(matrix, by_hand, rtol=0, atol=1e-14, err_msg=name)
    sizes = np.sum([sizes_by_hand(lstm, one) for one in each], axis=0)
    np.testing.assert_allclose(np.array(found.shares), sizes / sizes.sum(axis=0), rtol=0, atol=1e-6)


@pytest.mark.parametrize("lengths", [None, [4, 1, 3, 2, 2, 4, 1]])
def test_the_mean_goes_over_all_blocks_and_lets_them_be_watched(
    lengths: list[int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lstm = seeded(samples=7, timesteps=4, units=3, lengths=lengths, dtype="float64")
    whole = explain_influence(lstm, mean=True).derivatives
    monkeypatch.setattr(lstm_module, "BLOCK_SAMPLES", 2)
    seen: list[range] = []

    def watched(blocks: Iterable[Block]) -> Iterator[Block]:
        for block in blocks:
            seen.append(block.samples)
            yield block

    found = explain_influence(lstm, mean=True, watched=watched).derivatives
    assert seen == [range(2), range(2, 4), range(4, 6), range(6, 7)]
    assert found.averaged == whole.averaged == (28 if lengths is None else 17)
    for one, other in zip(found.matrices, whole.matrices, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-14)


def test_the_mean_in_small_pieces_is_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    lstm = seeded(samples=2, timesteps=7, units=3, dtype="float64")
    whole = explain_influence(lstm, mean=True).derivatives
    monkeypatch.setattr("lstm_explain.topics.influence.attribution.CHUNK_BYTES", 2000)
    found = explain_influence(lstm, mean=True).derivatives
    for one, other in zip(found.matrices, whole.matrices, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-14)


# --- the reach --------------------------------------------------------------------------------------------------------


def reach(lstm: LSTM, **asked: Any) -> ThroughTime:
    found = explain_influence(lstm, through_time=True, **asked).through_time
    assert found is not None
    return found


@given(questions())
@few
def test_the_reach_begins_with_the_initial_state_and_ends_with_the_last(question: Question) -> None:
    lstm, asked = question
    found, explained = reach(lstm, **asked), explain_influence(lstm, **asked)
    forwards, length = explained.direction is Direction.FORWARD, explained.length
    assert list(found.steps) == (list(range(1, length + 1)) if forwards else list(range(length, 0, -1)))
    assert found.end == found.steps[-1]
    assert found.hidden_norms.shape == found.cell_norms.shape == (length + 1,)
    assert found.inputs.shape == (length, explained.layer_spec.hidden, lstm.spec.features)
    assert (found.hidden_norms[-1], found.cell_norms[-1]) == (1.0, 1.0)
    np.testing.assert_allclose(found.input_norms, np.linalg.norm(found.inputs, axis=1), rtol=1e-14)


def test_the_reach_of_what_has_all_but_vanished_is_not_rounded_to_zero() -> None:
    """Squares of such numbers would be 0."""
    lstm = seeded(samples=1, timesteps=1500, units=6, dtype="float64")
    found = explain_influence(lstm, through_time=True).through_time
    assert found is not None
    assert 0 < found.input_norms[0].max() < 1e-170


@given(questions(layers=1))
@few
def test_the_last_steps_of_the_reach_are_the_derivatives_of_the_last_timestep(question: Question) -> None:
    lstm, asked = question
    end = reach(lstm, **asked).end
    found = explain_influence(lstm, **{**asked, "step": end}, through_time=True)
    way, matrices = found.through_time, found.derivatives.matrices
    assert way is not None
    assert way.hidden_norms[-2] == pytest.approx(float(np.linalg.norm(matrices.hidden_by_hidden, 2)), abs=1e-13)
    assert way.cell_norms[-2] == pytest.approx(float(np.linalg.norm(matrices.cell_by_cell, 2)), abs=1e-13)
    np.testing.assert_allclose(way.inputs[-1], matrices.hidden_by_input, rtol=0, atol=1e-13)


# --- JSON -------------------------------------------------------------------------------------------------------------


@given(questions(), st.booleans())
@few
def test_the_json_object(question: Question, mean: bool) -> None:
    lstm, asked = question
    explained = explain_influence(lstm, **asked, mean=mean, through_time=True, poke=asked["unit"], at=asked["step"])
    found = explained.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["schema"] == "lstm-explain/influence"
    assert list(found)[5:] == [
        *("sample", "layer", "direction", "length", "step", "statements", "averaged", "matrices", "shares"),
        *("through_time", "ripple", "nonfinite"),
    ]
    assert found["nonfinite"] == []
    assert (found["averaged"] is None) is not mean
    own = explained.layer_spec
    sizes = {"hidden": own.hidden, "cell": own.units, "input": own.features}
    for name, matrix in found["matrices"].items():
        moved, by = name.split("_by_")
        assert np.shape(matrix) == (sizes[moved], sizes[by])
        np.testing.assert_array_equal(matrix, getattr(explained.derivatives.matrices, name))
    for name, mean_share in found["shares"]["mean"].items():
        assert mean_share == pytest.approx(np.mean(found["shares"]["by_unit"][name]))
    assert [row["t"] for row in found["ripple"]["steps"]] == list(explained.ripple.steps if explained.ripple else ())
    through = found["through_time"]
    assert [row["t"] for row in through["steps"]] == list(reach(lstm, **asked).steps)
    assert through["steps"][-1]["hidden"] == through["steps"][-1]["cell"] == 1
    assert {len(row["input"]) for row in through["steps"]} == {lstm.spec.features}


def test_what_was_not_asked_for_is_null() -> None:
    found = explain_influence(seeded(samples=1)).to_dict()
    assert (found["averaged"], found["through_time"], found["ripple"]) == (None, None, None)


@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 1e308])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("options", [{}, {"projection": 2, "peepholes": True, "layers": 2, "bidirectional": True}], ids=str)
@pytest.mark.parametrize("mean", [False, True])
def test_numbers_that_are_not_finite_or_huge_are_explained(
    value: float, dtype: Any, options: dict[str, Any], mean: bool
) -> None:
    array = np.ones((2, 3, 2))
    array[0, 1] = value
    lstm = lstm_over(array, units=3, dtype=dtype, **options)
    for step in (1, 2, 3):
        explained = explain_influence(lstm, step=step, mean=mean, through_time=True, poke=0)
        found = explained.to_dict()
        json.dumps(found, allow_nan=False)
        others = explained.statements.parameters.other_gates, explained.statements.same_timestep.other_cells
        assert [one.moved for one in others] == [0, 0]
        off_diagonal = explained.derivatives.matrices.cell_by_cell[~np.eye(3, dtype=bool)]
        assert (off_diagonal == 0).all()
    if math.isnan(value):
        paths = {one["path"] for one in found["nonfinite"]}
        assert "matrices.hidden_by_hidden[0][0]" in paths
        assert "matrices.cell_by_cell[0][1]" not in paths
        assert found["through_time"]["steps"][-1]["hidden"] == 1


def test_gates_that_are_shut_for_good_have_shares_of_nothing() -> None:
    """Where no derivative is left, there is nothing to share: all shares are 0, not nan."""
    lstm = lstm_over(np.full((1, 1, 3), 1e30), units=4)
    shares = explain_influence(lstm).derivatives.shares
    whole = shares.itself + shares.others + shares.input
    assert set(np.unique(whole)) <= {0.0, 1.0}
    assert np.isfinite(whole).all()


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "named", "found"),
    [
        ({"unit": 10}, "unit=10", "there are 10 units, and they count from 0 to 9"),
        ({"unit": -1}, "unit=-1", "there are 10 units, and they count from 0 to 9"),
        ({"unit": 1.0}, "unit=1.0", "this must be a whole number"),
        ({"unit": 10**30}, f"unit={10**30}", "there are 10 units, and they count from 0 to 9"),
        ({"sample": 3}, "sample=3", "there are 3 samples, and they count from 0 to 2"),
        ({"sample": -1}, "sample=-1", "there are 3 samples, and they count from 0 to 2"),
        ({"step": 0}, "step=0", "timesteps count from 1 to 5; h and c at 0 are the initial states"),
        ({"step": 6}, "step=6", "timesteps count from 1 to 5; h and c at 0 are the initial states"),
        ({"step": 3, "sample": 1}, "step=3", "sample 1 ends at timestep 2; what follows is padding"),
        ({"layer": 1}, "layer=1", "there is one layer, number 0"),
        ({"direction": "backward"}, "direction='backward'", "this LSTM's layers read forward only"),
        ({"direction": "sideways"}, "direction='sideways'", "this LSTM's layers read forward only"),
        ({"poke": 10}, "poke=10", "there are 10 units, and they count from 0 to 9"),
        ({"poke": -1}, "poke=-1", "there are 10 units, and they count from 0 to 9"),
        ({"poke": 0, "at": 0}, "at=0", "timesteps count from 1 to 5; h and c at 0 are the initial states"),
        ({"poke": 0, "at": 6}, "at=6", "timesteps count from 1 to 5; h and c at 0 are the initial states"),
        ({"poke": 0, "at": 3, "sample": 1}, "at=3", "sample 1 ends at timestep 2; what follows is padding"),
        ({"at": 2}, "at=2", "this is the timestep of a poke, and no unit is chosen"),
        *(
            ({"by": by}, f"by={printable(repr(by))}", "must be a number other than 0 that float32 can hold")
            for by in (0, 0.0, -0.0, math.nan, math.inf, -math.inf, 1e39, 1e-50, 10**400, "far", "0.1", None, [1.0, 2.0], 1j)
        ),
    ],
)
def test_what_is_not_there_is_refused(asked: dict[str, Any], named: str, found: str) -> None:
    with pytest.raises(UsageError) as raised:
        explain_influence(seeded(lengths=[5, 2, 1]), **asked)
    assert (raised.value.asked, raised.value.found) == (named, found)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("by", [1e39, 1e-50, 5e-324, -1e308, np.float32(0.5), np.array(0.25), 2])
def test_any_number_that_the_type_can_hold_is_a_poke(by: Any) -> None:
    found = explain_influence(seeded(samples=1, dtype="float64"), by=by, poke=0)
    assert found.statements.by == float(by)
    json.dumps(found.to_dict(), allow_nan=False)


LARGE: dict[str, dict[str, Any]] = {
    "wide": {"units": 200, "timesteps": 3},
    "long": {"units": 12, "timesteps": 700, "dtype": "float64"},
    "long and thin": {"units": 1, "features": 1, "timesteps": 3000},
    "many features": {"units": 20, "features": 400, "timesteps": 60},
    "a stack": {"units": 30, "timesteps": 100, "layers": 2, "bidirectional": True, "projection": 20, "peepholes": True},
    "layers that differ": {
        "timesteps": 90,
        "stack": (LayerSpec(40, bidirectional=True), LayerSpec(90), LayerSpec(12, projection=5)),
    },
}
ASKED: list[dict[str, Any]] = [{}, {"mean": True}, {"through_time": True}, {"poke": 0}]


def least_budget(asked: dict[str, Any], sizes: dict[str, Any]) -> LSTM:
    """The LSTM with a budget that just suffices: raised to what each refusal says that it takes."""
    budget, refusals = 1, 0
    while True:
        lstm = seeded(samples=1, max_memory=budget, **sizes)
        try:
            explain_influence(lstm, layer=len(lstm.spec.layers) - 1, **asked)
        except RefusedError as refused:
            (needed,) = re.findall(r"takes ([\d,]+) bytes", refused.found)
            budget, refusals = int(needed.replace(",", "")), refusals + 1
        else:
            assert refusals > 0
            return lstm


@pytest.mark.slow
@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("sizes", LARGE.values(), ids=LARGE)
def test_a_budget_that_suffices_is_not_exceeded(asked: dict[str, Any], sizes: dict[str, Any]) -> None:
    lstm = least_budget(asked, sizes)
    tracemalloc.start()
    try:
        explain_influence(lstm, layer=len(lstm.spec.layers) - 1, **asked)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= lstm.max_memory


@pytest.mark.parametrize(("asked", "of"), [({}, "a run"), ({"through_time": True}, "going back through all timesteps")])
def test_what_is_over_the_budget_is_named(asked: dict[str, Any], of: str) -> None:
    needed = least_budget(asked, LARGE["long"]).max_memory
    with pytest.raises(RefusedError) as raised:
        explain_influence(seeded(samples=1, max_memory=needed - 1, **LARGE["long"]), **asked)
    assert raised.value.exit_code == 4
    assert "max_memory" in raised.value.fix
    assert raised.value.found.startswith(of) or "derivatives of a timestep" in raised.value.found
    assert f"takes {needed:,} bytes of memory, and the budget is {needed - 1:,}" in raised.value.found


def test_what_is_over_the_budget_is_refused_before_anything_is_made() -> None:
    """The run alone would fit."""
    lstm = seeded(samples=1, **LARGE["long"])
    small = replace(lstm, max_memory=run_bytes(lstm.spec))
    with pytest.raises(RefusedError):
        explain_influence(small)
    assert "weights" not in vars(small)
    small.run()


def test_what_is_wrong_is_said_before_anything_is_run() -> None:
    lstm = seeded(units=10**9, timesteps=10**6)
    for asked in ({"poke": -1}, {"at": 1}, {"step": 0}, {"by": 0}, {"unit": -1}):
        with pytest.raises(UsageError):
            explain_influence(lstm, **asked)  # type: ignore[arg-type]
    with pytest.raises(RefusedError):
        explain_influence(lstm)


def test_influence_is_frozen() -> None:
    found = explain_influence(seeded(samples=1), poke=0, through_time=True)
    parts = (found, found.statements, found.statements.parameters, found.derivatives, found.ripple, found.through_time)
    for value in parts:
        assert value is not None
        for name in value._fields if isinstance(value, tuple) else vars(value):
            with pytest.raises(AttributeError):
                setattr(value, name, None)


def test_the_spec_is_the_lstms() -> None:
    lstm = seeded(samples=1)
    found = explain_influence(lstm)
    assert found.spec == Spec.from_options(samples=1)
    assert found.source == lstm.provenance
    assert (found.step, found.length) == (10, 10)
