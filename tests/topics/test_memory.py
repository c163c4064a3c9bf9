"""memory: the parts add up, half-lives follow from f, both initialisers are really run, and states cross borders."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.gates import Direction, Gate
from lstm_explain.core.spec import INITS
from lstm_explain.errors import RefusedError, UsageError
from lstm_explain.library import given as lstm_over
from lstm_explain.library import seeded
from lstm_explain.topics.memory import explain_memory
from tests.helpers.random_lstms import options_of, random_lstms

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import LayerRecord
    from lstm_explain.topics.memory import Memory

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
few = settings(max_examples=60, deadline=None)


@st.composite
def questions(draw: st.DrawFn, /, **fixed: Any) -> tuple[LSTM, dict[str, Any]]:
    """An LSTM with any options, and some units of one of its samples."""
    lstm = draw(random_lstms(most_samples=5, most_timesteps=7, most_units=6, **fixed))
    layer, way = draw(st.sampled_from(lstm.spec.layer_directions))
    units = st.integers(0, lstm.spec.for_layer(layer).units - 1)
    return lstm, {
        "units": draw(st.none() | st.lists(units, min_size=1, max_size=4)),
        "sample": draw(st.integers(0, lstm.spec.samples - 1)),
        "layer": layer,
        "direction": way.value,
    }


def run_of(lstm: LSTM, memory: Memory) -> tuple[LayerRecord, int]:
    record, place = lstm.run_sample(memory.sample)
    return record.of(memory.layer, memory.direction), place


@given(questions())
@few
def test_the_parts_add_up_to_the_last_state_of_the_run(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    memory = explain_memory(lstm, **asked)
    part, place = run_of(lstm, memory)
    units, length = list(memory.units), memory.length
    np.testing.assert_array_equal(memory.recorded, part.last_cell[place][units])
    np.testing.assert_array_equal(memory.recorded, part.cell[place, memory.last - 1][units])
    assert memory.largest_residual <= TOLERANCE[lstm.spec.dtype]
    np.testing.assert_allclose(memory.parts[:length].sum(axis=0) + memory.initial_part, memory.total, atol=1e-12)
    assert not memory.initial_part.any()
    assert np.isnan(memory.parts[length:]).all()
    assert np.isfinite(memory.parts[:length]).all()


@given(questions())
@few
def test_what_is_kept_is_the_product_of_the_forget_gates_read_later(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    memory = explain_memory(lstm, **asked)
    part, place = run_of(lstm, memory)
    i, f, g = (part.gate(gate)[place, : memory.length].astype(float) for gate in (Gate.INPUT, Gate.FORGET, Gate.CANDIDATE))
    for column, unit in enumerate(memory.units):
        for t in range(1, memory.length + 1):
            later = f[t:, unit] if memory.direction is Direction.FORWARD else f[: t - 1, unit]
            assert memory.kept[t - 1, column] == pytest.approx(math.prod(later), rel=1e-12)
            assert memory.added[t - 1, column] == i[t - 1, unit] * g[t - 1, unit]


@given(questions())
@few
def test_half_lives_follow_from_the_forget_gates(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    memory = explain_memory(lstm, **asked)
    forget = memory.gates[Gate.FORGET][: memory.length].astype(float)
    np.testing.assert_allclose(forget ** memory.half_life[: memory.length], 0.5, rtol=1e-9)
    np.testing.assert_allclose(memory.mean_forget**memory.length, forget.prod(axis=0), rtol=1e-9)
    np.testing.assert_allclose(memory.mean_forget**memory.mean_half_life, 0.5, rtol=1e-9)
    since = memory.half_since.astype(int)
    assert all(1 <= t <= memory.length for t in since)
    for column, t in enumerate(since):
        sizes = np.abs(memory.parts[: memory.length, column])
        later = sizes[t - 1 :] if memory.direction is Direction.FORWARD else sizes[:t]
        assert later.sum() >= 0.499999 * sizes.sum()


@given(questions())
@few
def test_how_recent_the_state_is(question: tuple[LSTM, dict[str, Any]]) -> None:
    """Shares by plain arithmetic, of the last timestep, and of the fewest timesteps that make up half and 90 %."""
    lstm, asked = question
    memory = explain_memory(lstm, **asked)
    sizes = np.abs(memory.parts[: memory.length])
    sizes = sizes[::-1] if memory.direction is Direction.FORWARD else sizes
    whole = [float(sizes[:count].sum() / sizes.sum()) for count in range(1, memory.length + 1)]
    fewest = [next(count for count, share in enumerate(whole, 1) if share > least - 1e-9) for least in (0.5, 0.9)]
    assert [recent.timesteps for recent in memory.recent] == sorted({1, *fewest})
    for recent in memory.recent:
        assert recent.share == pytest.approx(whole[recent.timesteps - 1], abs=1e-9)
        np.testing.assert_allclose(recent.units, sizes[: recent.timesteps].sum(axis=0) / sizes.sum(axis=0), atol=1e-9)


def test_how_recent_a_state_is_that_a_carried_one_dominates() -> None:
    """Where all timesteps together wrote less than was asked for, all are counted."""
    memory = explain_memory(seeded(samples=3, timesteps=1), sample=2, carry_state=True)
    (recent,) = memory.recent
    written, initial = np.abs(memory.parts).sum(), np.abs(memory.initial_part).sum()
    assert recent.timesteps == 1
    assert recent.share == pytest.approx(written / (written + initial))
    assert recent.share < 1


@given(questions())
@few
def test_both_initialisers_are_run(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    memory = explain_memory(lstm, **asked)
    assert [one.init for one in memory.initialisers] == list(INITS)
    for one in memory.initialisers:
        assert one.init is not None
        other = seeded(**options_of(lstm.spec), init=one.init, seed=lstm.seed, lengths=lstm.lengths)
        record, _ = other.run_sample(memory.sample)
        f = record.of(memory.layer, memory.direction).forget_gate.astype(float)
        run = ~np.isnan(f)
        assert one.own == (one.init == lstm.init)
        assert one.numbers == run.sum()
        assert one.mean_forget == pytest.approx(math.exp(np.log(f[run]).mean()), rel=1e-9)
        assert one.mean_forget**one.mean_half_life == pytest.approx(0.5, rel=1e-9)
        bias = other.weights.of(memory.layer, memory.direction).bias
        assert (one.bias is None) == (bias is None)
        if bias is not None and one.bias is not None:
            units = memory.layer_spec.units
            np.testing.assert_array_equal(one.bias, bias[units : 2 * units])


def test_another_initialiser_gets_weights_of_its_own() -> None:
    """`replace` copies the fields, not the weights that were made already."""
    lstm = seeded(samples=1)
    made = lstm.weights
    other = replace(lstm, init="pytorch")
    assert other.weights is not made
    assert not np.array_equal(other.weights.of(0, Direction.FORWARD).kernel, made.of(0, Direction.FORWARD).kernel)


def test_what_the_forget_bias_does() -> None:
    keras, pytorch = explain_memory(seeded()).initialisers
    assert (keras.mean_bias, round(keras.forget_of_bias, 4)) == (1.0, 0.7311)
    assert abs(pytorch.mean_bias) < 0.2
    assert 0.70 < keras.mean_forget < 0.74
    assert 0.47 < pytorch.mean_forget < 0.53
    assert 1.9 < keras.mean_half_life < 2.3
    assert 0.9 < pytorch.mean_half_life < 1.1
    assert keras.numbers == pytorch.numbers == 12800


@given(questions())
@few
def test_the_json_object(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    memory = explain_memory(lstm, **asked)
    found = memory.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found)[5:] == [
        *("sample", "layer", "direction", "length", "units", "initial", "steps", "last", "mean_f", "mean_half_life"),
        *("initialisers", "one_step", "carried", "recent", "nonfinite"),
    ]
    assert found["nonfinite"] == []
    assert found["carried"] is None
    assert (found["one_step"] is None) == (memory.length > 1)
    assert [step["t"] for step in found["steps"]] == list(range(1, lstm.spec.timesteps + 1))
    for step in found["steps"]:
        padded = step["t"] > memory.length
        assert step["padded"] is padded
        assert [step[key] is None for key in ("f", "half_life", "added", "kept", "part")] == [padded] * 5
    parts = [step["part"] for step in found["steps"] if not step["padded"]]
    totals = [sum(column) for column in zip(found["initial"]["part"], *parts, strict=True)]
    assert totals == pytest.approx(found["last"]["sum"], abs=1e-12)
    assert found["last"]["sum"] == pytest.approx(found["last"]["recorded"], abs=TOLERANCE[lstm.spec.dtype])


def test_forget_gates_of_one_and_of_zero() -> None:
    """Infinite and zero half-lives, and no warning."""
    held = explain_memory(lstm_over(np.full((1, 3, 1), 1e30, np.float32), units=8))
    f = held.gates[Gate.FORGET][0]
    assert set(f.tolist()) == {0.0, 1.0}
    assert held.mean_half_life.tolist() == [math.inf if one == 1 else 0.0 for one in f.tolist()]
    found = held.to_dict()
    assert {"path": f"mean_half_life[{f.tolist().index(1.0)}]", "value": "inf"} in found["nonfinite"]
    json.dumps(found, allow_nan=False)


@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul")
@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("carry_state", [False, True])
def test_nan_and_infinity_in_the_input(value: float, carry_state: bool) -> None:
    array = np.ones((3, 4, 2), np.float32)
    array[1, 2, 0] = value
    memory = explain_memory(lstm_over(array, units=3), sample=1, carry_state=carry_state)
    json.dumps(memory.to_dict(), allow_nan=False)
    if math.isnan(value):
        assert np.isnan(memory.total).all()
        assert np.isnan(memory.half_since).all()
        assert memory.recent == []
        assert memory.carried is None or np.isnan(memory.carried.faded).all()  # what is nan is never gone


# --- one timestep -----------------------------------------------------------------------------------------------------


def test_the_founding_layer_with_one_timestep() -> None:
    step = explain_memory(seeded(timesteps=1)).one_step
    assert step is not None
    assert (step.idle, step.total, step.samples, step.from_zero) == (460, 640, 128, True)


def test_one_timestep_is_that_of_the_samples_that_have_no_more() -> None:
    lstm = seeded(lengths=[1, 4, 1, 2])
    step = explain_memory(lstm, sample=2).one_step
    assert step is not None
    assert (step.idle, step.total, step.samples) == (460, 640, 2)
    assert explain_memory(lstm, sample=1).one_step is None


def test_one_timestep_from_a_carried_state() -> None:
    lstm = seeded(samples=3, timesteps=1, layers=2)
    first, second = (explain_memory(lstm, sample=sample, carry_state=True).one_step for sample in (0, 1))
    assert first is not None
    assert second is not None
    assert (first.from_zero, second.from_zero) == (True, False)
    assert first.idle == 460 + 400 + 10 * 10 + 10
    assert (second.idle, second.total) == (0, first.total)


# --- carried states ---------------------------------------------------------------------------------------------------


@given(questions(bidirectional=False), st.integers(0, 4))
@few
def test_carried_states_are_those_of_piece_after_piece(question: tuple[LSTM, dict[str, Any]], sample: int) -> None:
    lstm, asked = question
    sizes = {**options_of(lstm.spec), "samples": 5}
    lstm = seeded(**sizes, init=lstm.init, seed=lstm.seed, lengths=_five(lstm.lengths))
    memory = explain_memory(lstm, **{**asked, "sample": sample}, carry_state=True)
    carried, state = memory.carried, None
    assert carried is not None
    own = memory.layer_spec
    numbers = list(memory.units) if own.projection is None else list(range(own.hidden))
    fresh = lstm.run().of(memory.layer, Direction.FORWARD).hidden
    for one in range(5):
        lengths = None if lstm.lengths is None else np.array(lstm.lengths[one : one + 1])
        record = forward(lstm.spec, lstm.weights, lstm.inputs.block(one, one + 1), state, lengths)
        part = record.of(memory.layer, Direction.FORWARD)
        length = record.length(0)
        if one == sample:
            assert np.abs(memory.recorded - part.last_cell[0][list(memory.units)]).max() < 1e-6
            assert np.abs(memory.initial_cell - part.initial_cell[0][list(memory.units)]).max() < 1e-6
            assert memory.largest_residual <= TOLERANCE[lstm.spec.dtype]
        if one > 0:
            np.testing.assert_allclose(carried.hidden[one - 1], part.initial_hidden[0][numbers], atol=1e-6)
            np.testing.assert_allclose(carried.cell[one - 1], part.initial_cell[0][list(memory.units)], atol=1e-6)
            difference = np.abs(part.hidden[0, :length] - fresh[one, :length]).max(axis=1)
            assert carried.first[one - 1] == pytest.approx(difference[0], abs=1e-6)
            assert carried.last[one - 1] == pytest.approx(difference[-1], abs=1e-6)
            faded = carried.faded[one - 1]
            end = length + 1 if math.isnan(faded) else int(faded)
            assert (difference[end - 1 :] < 0.01 + 1e-6).all()
            assert end == 1 or difference[end - 2] > 0.01 - 1e-6
        parts = [record.of(*place) for place in lstm.spec.layer_directions]
        state = StackState(tuple(one.last_hidden for one in parts), tuple(one.last_cell for one in parts))


def _five(lengths: tuple[int, ...] | None) -> list[int] | None:
    return None if lengths is None else (list(lengths) * 5)[:5]


@pytest.mark.parametrize("lengths", [False, True])
def test_many_blocks_are_as_one(lengths: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    given_lengths = [1 + k % 4 for k in range(20)] if lengths else None
    lstm = seeded(samples=20, timesteps=4, layers=2, dtype="float64", lengths=given_lengths)
    one = explain_memory(lstm, sample=11, layer=1, carry_state=True)
    monkeypatch.setattr("lstm_explain.core.lstm.BLOCK_SAMPLES", 4)
    several = explain_memory(lstm, sample=11, layer=1, carry_state=True)
    assert one.carried is not None
    assert several.carried is not None
    for name, expected in one.carried._asdict().items():
        np.testing.assert_allclose(getattr(several.carried, name), expected, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(several.parts, one.parts, atol=1e-12)
    np.testing.assert_allclose(several.initial_part, one.initial_part, atol=1e-12)


def test_the_first_piece_starts_from_zero_and_the_others_do_not() -> None:
    lstm = seeded(samples=4)
    assert not explain_memory(lstm, sample=0, carry_state=True).initial_cell.any()
    assert explain_memory(lstm, sample=1, carry_state=True).initial_cell.all()


def test_the_means_over_the_pieces() -> None:
    memory = explain_memory(seeded(samples=6, timesteps=5, lengths=[5, 2, 3, 1, 4, 2]), carry_state=True)
    carried = memory.carried
    assert carried is not None
    assert carried.mean[0] == pytest.approx(carried.first.mean())
    assert carried.largest[0] == carried.first.max()
    assert (carried.mean[:4] > 0).all()
    assert math.isnan(carried.mean[4])  # only sample 0 has five timesteps, and no border lies before it
    json.dumps(memory.to_dict(), allow_nan=False)


def test_the_carried_json_object() -> None:
    lstm = seeded(samples=4, projection=3)
    found = explain_memory(lstm, sample=2, units=[1, 5], carry_state=True).to_dict()["carried"]
    assert (found["pieces"], found["faded_below"], len(found["borders"]), len(found["steps"])) == (4, 0.01, 3, 10)
    assert [border["sample"] for border in found["borders"]] == [1, 2, 3]
    assert all(len(border["c"]) == 2 and len(border["h"]) == 3 for border in found["borders"])
    assert found["unfaded"] == sum(border["faded"] is None for border in found["borders"])


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "named", "found"),
    [
        ({"units": [10]}, "unit=10", "there are 10 units, and they count from 0 to 9"),
        ({"units": [-1]}, "unit=-1", "there are 10 units, and they count from 0 to 9"),
        ({"units": []}, "units", "no unit is chosen"),
        ({"sample": 3}, "sample=3", "there are 3 samples, and they count from 0 to 2"),
        ({"layer": 1}, "layer=1", "there is one layer, number 0"),
        ({"direction": "backward"}, "direction='backward'", "this LSTM's layers read forward only"),
    ],
)
def test_what_is_not_there_is_refused(asked: dict[str, Any], named: str, found: str) -> None:
    for carry_state in (False, True):
        with pytest.raises(UsageError) as raised:
            explain_memory(seeded(lengths=[5, 2, 1]), **asked, carry_state=carry_state)
        assert (raised.value.asked, raised.value.found) == (named, found)


def test_where_no_state_can_be_carried() -> None:
    with pytest.raises(UsageError, match=r"^carry_state=True bidirectional=True: read backwards, a piece would start from"):
        explain_memory(seeded(bidirectional=True), carry_state=True)
    with pytest.raises(UsageError, match=r"^carry_state=True: with one sample there is no border"):
        explain_memory(seeded(samples=1), carry_state=True)


def test_more_borders_than_memory_holds() -> None:
    with pytest.raises(RefusedError, match="keeping the states at 999999999 borders"):
        explain_memory(seeded(samples=10**9), carry_state=True)


def test_a_last_sample_of_a_billion_costs_what_one_does() -> None:
    assert explain_memory(seeded(samples=10**9), sample=10**9 - 1).largest_residual < 1e-6


def test_memories_are_frozen() -> None:
    memory = explain_memory(seeded(samples=2, timesteps=1), carry_state=True)
    for value in (memory, memory.carried, memory.one_step, memory.initialisers[0]):
        for name in value._fields if isinstance(value, tuple) else list(vars(value)):
            with pytest.raises(AttributeError):
                setattr(value, name, None)
    for name in ("added", "kept", "parts", "recorded"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(memory, name)[...] = 0
