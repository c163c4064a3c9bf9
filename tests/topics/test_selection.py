"""selection: which units, timesteps, layer and direction, and what is said where there is no such thing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.core.edits import parse_edit
from lstm_explain.core.gates import Direction
from lstm_explain.core.spec import Spec
from lstm_explain.errors import UsageError
from lstm_explain.topics.selection import check_layer, check_step, check_unit, select_steps, select_units


def refused(asked: Any) -> UsageError:
    with pytest.raises(UsageError) as raised:
        asked()
    assert raised.value.exit_code == 2
    return raised.value


@given(units=st.integers(1, 2**53 - 1), unit=st.integers(-(2**60), 2**60))
def test_units_count_from_zero(units: int, unit: int) -> None:
    spec = Spec.from_options(units=units)
    if 0 <= unit < units:
        assert check_unit(spec, unit) == unit
        return
    error = refused(lambda: check_unit(spec, unit))
    assert error.asked == f"unit={unit}"
    several = f"there are {units} units, and they count from 0 to {units - 1}"
    assert error.found == ("there is one unit, number 0" if units == 1 else several)


@given(timesteps=st.integers(1, 2**53 - 1), step=st.integers(-(2**60), 2**60))
def test_timesteps_count_from_one(timesteps: int, step: int) -> None:
    spec = Spec.from_options(timesteps=timesteps)
    if 1 <= step <= timesteps:
        assert check_step(spec, step) == step
        return
    error = refused(lambda: check_step(spec, step))
    assert error.asked == f"step={step}"
    assert f"from 1 to {timesteps}" in error.found
    assert "initial states" in error.found


def test_the_first_and_the_last_are_there() -> None:
    assert (check_unit(Spec(), 0), check_unit(Spec(), 9)) == (0, 9)
    assert (check_step(Spec(), 1), check_step(Spec(), 10)) == (1, 10)


@pytest.mark.parametrize("layer", [-1, 3, 10**20])
def test_a_layer_that_is_not_there(layer: int) -> None:
    error = refused(lambda: check_layer(Spec.from_options(layers=3), layer, "forward"))
    assert error.asked == f"layer={layer}"
    assert error.found == "there are 3 layers, and they count from 0 to 2"


def test_directions_by_word() -> None:
    both = Spec.from_options(bidirectional=True)
    assert check_layer(both, 0, "forward") == (0, Direction.FORWARD)
    assert check_layer(both, 0, "backward") == (0, Direction.BACKWARD)
    assert check_layer(both, 0, Direction.BACKWARD) == (0, Direction.BACKWARD)


def test_a_direction_that_this_lstm_does_not_read() -> None:
    error = refused(lambda: check_layer(Spec(), 0, "backward"))
    assert error.asked == "direction='backward'"
    assert error.found == "this LSTM's layers read forward only"
    assert error.fix == "Add bidirectional=True to have both"


def test_a_direction_that_there_is_not() -> None:
    error = refused(lambda: check_layer(Spec.from_options(bidirectional=True), 0, "sideways"))
    assert error.asked == "direction='sideways'"
    assert error.found == "this LSTM's layers read forward and backward only"
    assert error.fix == ""


def test_all_are_chosen_where_none_is_named() -> None:
    assert tuple(select_units(Spec.from_options(units=3), None)) == (0, 1, 2)
    assert tuple(select_steps(Spec.from_options(timesteps=3), None)) == (1, 2, 3)


def test_the_chosen_stand_in_order_each_once() -> None:
    assert select_units(Spec(), [7, 0, 7, 3]) == (0, 3, 7)
    assert select_steps(Spec(), iter([10, 1, 10])) == (1, 10)


def test_one_wrong_choice_is_named() -> None:
    assert refused(lambda: select_units(Spec(), [1, 12, 3])).asked == "unit=12"
    assert refused(lambda: select_steps(Spec(), [1, 0])).asked == "step=0"


@pytest.mark.parametrize("topic", ["influence", "memory", "equations", "tasks"])
def test_what_is_said_of_a_free_run_is_not_said_of_one_with_numbers_set_by_hand(topic: str) -> None:
    lstm = lstm_explain.seeded(samples=1)
    ask = getattr(lstm_explain, topic)
    error = refused(lambda: ask(lstm.with_edits([parse_edit("h_3[4]=0.5"), parse_edit("f[0]=1")])))
    assert error.asked == f"{topic} with h_3[4]=0.5, f[0]=1 set by hand"
    assert error.found == "its statements are about a run in which nothing is set"
    assert "`unit` or `trace`" in error.fix
    ask(lstm)


def test_many_edits_are_named_in_part() -> None:
    lstm = lstm_explain.seeded(samples=1, timesteps=50).with_edits([parse_edit(f"h_{t}[0]=1") for t in range(1, 51)])
    error = refused(lambda: lstm_explain.memory(lstm))
    assert error.asked.endswith("h_8[0]=1, ... set by hand")
