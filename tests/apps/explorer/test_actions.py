"""The explorer's actions: each a pure function from a state to the next, so they are tested without a terminal."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.apps.explorer import actions, prompts
from lstm_explain.apps.explorer.state import HEATMAP_PAIRS, ExplorerState
from lstm_explain.apps.explorer.view_model import build_view_model
from lstm_explain.core.gates import Direction
from tests.helpers.mixed_stacks import MIXED, stacks

if TYPE_CHECKING:
    from collections.abc import Callable

few = settings(max_examples=60, deadline=None)


def small(**sizes: Any) -> ExplorerState:
    return ExplorerState(lstm_explain.seeded(**{"samples": 3, "timesteps": 4, "features": 2, "units": 3, **sizes}))


def snapshot(state: ExplorerState) -> dict[str, Any]:
    return {one.name: getattr(state, one.name) for one in fields(ExplorerState)}


def sound(state: ExplorerState) -> None:
    """What is looked at is there, and can be run."""
    spec = state.lstm.spec
    assert 0 <= state.sample < spec.samples
    assert 0 <= state.layer < len(spec.layers)
    spec = state.layer_spec
    assert 0 <= state.unit < spec.units
    assert 1 <= state.step <= state.length
    assert state.direction in spec.directions
    assert 0 <= state.maps < len(HEATMAP_PAIRS)
    seen = build_view_model(state)
    assert seen.values("c").shape == (state.length, spec.units)
    assert seen.values("h").shape == (state.length, spec.hidden)


# --- any sequence -----------------------------------------------------------------------------------------------------

EDITS = ["h_1[0]=0.5", "c_2[1]=-1", "f_1[0]=0", "i[2]=1", "x_3[1]=2", "W_f[1,2]=0.3", "R_g[0,1]=0", "b_o[0]=1", "p_i[1]=2"]
EDITS += ["1:h_2[1]=1", "0.backward:c_1[0]=3", "1.backward:f[0]=1", "h_0[0]=1; c_0[1]=1", "h_2[0] = 0.5", "R_f[0, 1]=2"]
WRONG = [
    "",
    "  ",
    "h",
    "h_99[0]=1",
    "x_0[0]=1",
    "h_1[0]=nan",
    "h_1[0]=1e999",
    "5:f[0]=1",
    "q[1]=2",
    "\x1b[31m",
    "h_1[99]=0",
    ";;",
]
SIZES = [
    "units=2",
    "units=5 timesteps=2",
    "timesteps=6",
    "samples=1",
    "features=1",
    "layers=2",
    "layers=1",
    "bidirectional=yes",
]
SIZES += ["bidirectional=no", "projection=1", "projection=none", "peepholes=yes", "bias=no", "dtype=float64"]
WRONG_SIZES = [
    "units=0",
    "units=-1",
    "units=x",
    "units",
    "=",
    "units=1e-3",
    "units=8,0",
    "units=8,,4",
    "samples=yes",
    "dtype=int8",
    "projection=99",
    "",
]
WRONG_SIZES += ["units=99999999999", "timesteps=999999999999999999", "colour=red", "bias=7", "units=10000000000000000000000"]


def acting(draw: Any) -> Callable[[ExplorerState], ExplorerState]:
    """One action with what it takes."""
    by = draw(st.integers(-12, 12))
    text = draw(st.sampled_from([*EDITS, *WRONG]))
    sizes = draw(st.sampled_from([*SIZES, *WRONG_SIZES]))
    about = draw(st.sampled_from(["h", "c", "g", "x", "w"]))
    choices: list[Callable[[ExplorerState], ExplorerState]] = [
        lambda state: actions.move_step(state, by),
        lambda state: actions.move_unit(state, by),
        lambda state: actions.select_unit_and_step(state, by, by),
        lambda state: actions.move_sample(state, by),
        lambda state: actions.move_layer(state, by),
        actions.switch_direction,
        actions.next_heatmaps,
        actions.toggle_playing,
        actions.advance_playback,
        actions.undo_change,
        actions.reset_changes,
        lambda state: actions.apply_edits(state, text),
        lambda state: actions.change_sizes(state, sizes),
        lambda state: prompts.apply_answer(state, about, prompts.prompt_for(state, about).answer),
        lambda state: prompts.apply_answer(state, "sizes", prompts.prompt_for(state, "sizes").answer),
    ]
    chosen: Callable[[ExplorerState], ExplorerState] = draw(st.sampled_from(choices))
    return chosen


STARTS = st.fixed_dictionaries(
    {
        "layers": st.integers(1, 2),
        "bidirectional": st.booleans(),
        "projection": st.sampled_from([None, 1, 2]),
        "peepholes": st.booleans(),
        "bias": st.booleans(),
        "lengths": st.sampled_from([None, [4, 1, 3]]),
        "stack": st.just(()) | stacks(),
    }
)


@given(STARTS, st.data())
@few
def test_any_sequence_of_actions_keeps_the_state_sound(options: dict[str, Any], data: st.DataObject) -> None:
    state = small(**options)
    for _ in range(data.draw(st.integers(1, 12))):
        before = snapshot(state)
        after = acting(data.draw)(state)
        assert snapshot(state) == before, "the state that was given is as it was"
        sound(after)
        state = after


@given(STARTS, st.data())
@few
def test_undo_brings_back_what_was(options: dict[str, Any], data: st.DataObject) -> None:
    """After any sequence, undo goes back change by change to the LSTM and the changes of the beginning."""
    state = small(**options)
    was = [(state.lstm, state.edits)]
    for _ in range(data.draw(st.integers(1, 8))):
        after = acting(data.draw)(state)
        if len(after.past) > len(state.past):
            was.append((after.lstm, after.edits))
        elif len(after.past) < len(state.past):
            was.pop()
            assert (after.lstm, after.edits) == was[-1]
        else:
            assert (after.lstm, after.edits) == was[-1], "only a change that can be undone changes anything"
        state = after
    while state.past:
        was.pop()
        state = actions.undo_change(state)
        assert (state.lstm, state.edits) == was[-1]
        sound(state)
    assert state.edits == ()
    assert actions.undo_change(state).message == "There is nothing to undo."


@given(st.text(max_size=30))
@few
def test_whatever_is_written_is_answered(text: str) -> None:
    state = small()
    for about in ("h", "sizes"):
        after = prompts.apply_answer(state, about, text)
        assert after.edits or after.lstm is not state.lstm or after.message or not text.strip(" ,")
        sound(after)


# --- looking elsewhere ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "step"), [(1, 3), (-1, 1), (-5, 1), (2, 4), (99, 4), (0, 2)])
def test_a_step_stops_at_the_ends(by: int, step: int) -> None:
    assert actions.move_step(small().evolve(step=2), by).step == step


@pytest.mark.parametrize(("by", "unit"), [(1, 2), (-1, 0), (-5, 0), (10, 2), (0, 1)])
def test_a_unit_stops_at_the_ends(by: int, unit: int) -> None:
    assert actions.move_unit(small().evolve(unit=1), by).unit == unit


@pytest.mark.parametrize(("start", "by", "sample"), [(0, 1, 1), (2, 1, 0), (0, -1, 2), (1, 30, 1)])
def test_samples_go_round(start: int, by: int, sample: int) -> None:
    assert actions.move_sample(small().evolve(sample=start), by).sample == sample


def test_layers_go_round() -> None:
    state = small(layers=2)
    assert actions.move_layer(state, 1).layer == 1
    assert actions.move_layer(actions.move_layer(state, 1), 1).layer == 0


@pytest.mark.parametrize(
    ("layer", "way", "said"), [(0, "forward", ""), (0, "backward", "Layer 1 reads forward only."), (2, "forward", "")]
)
def test_another_layer_is_looked_at_where_it_has_a_unit_and_a_direction(layer: int, way: str, said: str) -> None:
    state = small(stack=MIXED).evolve(layer=layer, unit=MIXED[layer].units - 1, direction=Direction(way), step=3)
    after = actions.move_layer(state, 1)
    sound(after)
    there = MIXED[(layer + 1) % 3]
    assert after.unit == min(state.unit, there.units - 1)
    assert (after.layer, after.step, after.direction, after.message) == ((layer + 1) % 3, 3, Direction.FORWARD, said)


def test_of_unlike_layers_each_has_its_own_units_and_directions() -> None:
    state = small(stack=MIXED)
    assert [actions.select_unit(state.evolve(layer=layer), 99).unit for layer in range(3)] == [5, 3, 2]
    assert actions.switch_direction(state).direction is Direction.BACKWARD
    assert actions.switch_direction(state.evolve(layer=2)).message == "Layer 2 reads forward only."
    assert actions.apply_edits(state, "0.backward:h_1[5]=1 1:f[3]=0 2:c_2[2]=1").message == ""
    for wrong in ("1:f[4]=0", "2:c_2[3]=1", "1.backward:h_1[0]=1", "1:b_f[0]=1", "2:R_f[3,0]=1"):
        after = actions.apply_edits(state, wrong)
        assert after.message, wrong
        assert not after.edits


def test_of_unlike_layers_the_batch_has_other_sizes_and_the_layers_keep_theirs() -> None:
    state = small(stack=MIXED).evolve(layer=1, unit=3)
    asked = prompts.prompt_for(state, "sizes")
    assert asked.answer == "samples=3 timesteps=4 features=2"
    assert "each keeps its own" in asked.question
    after = actions.change_sizes(state, "timesteps=6 features=1")
    assert after.lstm.spec.layers == MIXED
    sound(after)
    for text in ("units=4", "layers=2", "bias=no", "bidirectional=yes", "projection=2"):
        after = actions.change_sizes(state, text)
        assert after.lstm is state.lstm
        assert after.message == f"{text}: the layers differ, and each keeps its own sizes."


def test_a_stack_of_other_units_is_changed_like_any_lstm() -> None:
    state = actions.change_sizes(small(), "units=4,2 bidirectional=yes")
    assert state.lstm.spec == lstm_explain.seeded(samples=3, timesteps=4, features=2, units=(4, 2), bidirectional=True).spec
    assert prompts.prompt_for(state, "sizes").answer == "samples=3 timesteps=4 features=2 units=4,2 bidirectional=yes"
    for text, units in (
        ("units=5,4,3", (5, 4, 3)),
        ("units=5,4,3 timesteps=3, features=1", (5, 4, 3)),
        ("bias=no", (4, 2)),
        ("units=3", (3,)),
        ("units=3 layers=2", (3, 3)),
        ("units=1,000,2", (1000, 2)),
    ):
        after = actions.change_sizes(state, text)
        assert after.message == "", text
        assert tuple(layer.units for layer in after.lstm.spec.layers) == units
        assert all(layer.bidirectional for layer in after.lstm.spec.layers)
        sound(after)
    assert "these are the units of 2 layers" in actions.change_sizes(state, "layers=3").message
    back = actions.change_sizes(small(layers=2), "samples=3 timesteps=4 features=2 units=3,2 layers=2")
    assert tuple(layer.units for layer in back.lstm.spec.layers) == (3, 2)


@pytest.mark.parametrize(
    ("text", "units"), [("units=1k", 1000), ("units=1,000", 1000), ("units=1e1", 10), ("units=0.01k", 10)]
)
def test_sizes_are_spelled_as_on_the_command_line(text: str, units: int) -> None:
    assert actions.change_sizes(small(timesteps=1), text).lstm.spec.units == units


def test_heat_maps_go_round() -> None:
    state = small()
    pairs = []
    for _ in range(4):
        pairs.append(HEATMAP_PAIRS[state.maps])
        state = actions.next_heatmaps(state)
    assert pairs == [("h", "c"), ("i", "f"), ("g", "o"), ("h", "c")]


def test_directions_are_two() -> None:
    state = actions.switch_direction(small(bidirectional=True))
    assert state.direction is Direction.BACKWARD
    assert state.before_step == state.step + 1
    assert actions.switch_direction(state).direction is Direction.FORWARD


def test_a_shorter_sample_is_looked_at_where_it_is_run() -> None:
    state = small(lengths=[4, 1, 3]).evolve(step=4)
    assert actions.move_sample(state, 1).step == 1
    assert actions.move_sample(state, 2).step == 3
    assert actions.select_step(actions.move_sample(state, 1), 4).step == 1


def test_a_click_chooses_both() -> None:
    state = actions.select_unit_and_step(small(), 2, 3)
    assert (state.unit, state.step) == (2, 3)


def test_where_there_is_no_other_it_is_said_how_to_have_one() -> None:
    assert "layers=2" in actions.move_layer(small(), 1).message
    assert "bidirectional=yes" in actions.switch_direction(small()).message


def test_what_was_said_is_gone_with_the_next_action() -> None:
    state = actions.switch_direction(small())
    assert state.message
    assert not actions.move_step(state, 1).message


# --- playing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "seen"), [(Direction.FORWARD, [1, 2, 3, 4]), (Direction.BACKWARD, [4, 3, 2, 1])])
def test_playing_goes_in_the_order_of_reading_and_ends_with_the_last(way: Direction, seen: list[int]) -> None:
    state = actions.toggle_playing(small(bidirectional=True).evolve(direction=way, step=seen[-1]))
    assert state.playing
    steps = [state.step]
    while state.playing:
        state = actions.advance_playback(state)
        steps.append(state.step)
    assert steps == seen, "from the end it starts again"
    assert actions.advance_playback(state) is state


def test_playing_goes_on_from_where_one_is_and_stops_on_request() -> None:
    state = actions.toggle_playing(small().evolve(step=2))
    assert (state.step, state.playing) == (2, True)
    assert not actions.toggle_playing(state).playing


def test_playing_a_single_timestep_ends() -> None:
    state = actions.toggle_playing(small(timesteps=1))
    assert not actions.advance_playback(state).playing


# --- changing something -----------------------------------------------------------------------------------------------


def test_a_change_is_made_and_can_be_undone() -> None:
    state = small()
    after = actions.apply_edits(state, "h_1[2]=0.5")
    assert [str(one) for one in after.edits] == ["h_1[2]=0.5"]
    back = actions.undo_change(after)
    assert (back.lstm, back.edits, back.past) == (state.lstm, (), ())
    assert back.message == "Undone."


@pytest.mark.parametrize("text", ["h_1[2]=0.5 f[0]=1", "h_1[2]=0.5;f[0]=1", " h_1[2] = 0.5 ;  f[0]= 1 "])
def test_several_changes_at_once_are_one_to_undo(text: str) -> None:
    after = actions.apply_edits(small(), text)
    assert [str(one) for one in after.edits] == ["h_1[2]=0.5", "f[0]=1"]
    assert actions.undo_change(after).edits == ()


def test_the_same_number_set_again_takes_the_place_of_the_first() -> None:
    after = actions.apply_edits(actions.apply_edits(small(), "h_1[2]=0.5 f[0]=1"), "h_1[2]=2")
    assert [str(one) for one in after.edits] == ["f[0]=1", "h_1[2]=2"]
    assert [str(one) for one in actions.undo_change(after).edits] == ["h_1[2]=0.5", "f[0]=1"]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_change_is_said_and_nothing_is_changed(text: str) -> None:
    state = small()
    after = actions.apply_edits(state, text)
    assert after.message
    assert (after.lstm, after.edits, after.past) == (state.lstm, (), ())


def test_reset_takes_all_back_and_can_be_undone() -> None:
    state = actions.apply_edits(actions.apply_edits(small(), "h_1[2]=0.5"), "f[0]=1")
    none = actions.reset_changes(state)
    assert none.edits == ()
    assert actions.undo_change(none).edits == state.edits
    assert actions.reset_changes(none).message == "Nothing is changed."


def test_only_so_many_changes_are_remembered() -> None:
    state = small()
    for place in range(actions.MAX_UNDO + 5):
        state = actions.apply_edits(state, f"h_1[0]={place}")
    assert len(state.past) == actions.MAX_UNDO


@pytest.mark.parametrize("about", ["h", "c", "g", "x", "w", "sizes", "save"])
@pytest.mark.parametrize("options", [{}, {"layers": 2, "bidirectional": True}])
def test_every_question_fits_into_eighty_columns(about: str, options: dict[str, Any]) -> None:
    state = ExplorerState(lstm_explain.seeded(**options), step=4, unit=9, layer=options.get("layers", 1) - 1)
    asked = prompts.prompt_for(state, about)
    assert len(asked.question) <= 80
    if about not in ("sizes", "save") and (about != "x" or state.layer == 0):
        assert len(actions.apply_edits(state, asked.answer).edits) == 1, "what is offered can be done"


def test_what_is_offered_moves_the_number_from_where_it_is() -> None:
    state = ExplorerState(
        lstm_explain.seeded(layers=2, bidirectional=True), step=4, unit=9, layer=1, direction=Direction.BACKWARD
    )
    asked = prompts.prompt_for(state, "h")
    now = build_view_model(state).number("h", 5, 9)
    assert asked.question == f"h_5[9] is {now:.4f}; all units read it at step 4."
    assert asked.answer == f"1.backward:h_5[9]={now + prompts.PERTURBATION:.4g}"


# --- other sizes ------------------------------------------------------------------------------------------------------


def test_other_sizes_and_back() -> None:
    state = small().evolve(sample=2, unit=2, step=4)
    after = actions.change_sizes(state, "samples=1 units=2, timesteps=3")
    assert (after.lstm.spec.samples, after.lstm.spec.units, after.lstm.spec.timesteps) == (1, 2, 3)
    assert (after.sample, after.unit, after.step) == (0, 1, 3)
    assert actions.undo_change(after).lstm is state.lstm


def test_other_sizes_are_the_lstm_that_the_command_line_makes() -> None:
    after = actions.change_sizes(
        small(), "units=5 layers=2 bidirectional=yes projection=2 peepholes=yes bias=no dtype=float64"
    )
    same = lstm_explain.seeded(samples=3, timesteps=4, features=2, units=5, layers=2, bidirectional=True, projection=2)
    assert after.lstm.spec != same.spec
    asked: dict[str, Any] = {
        "layers": 2,
        "bidirectional": True,
        "projection": 2,
        "peepholes": True,
        "bias": False,
        "dtype": "float64",
    }
    same = lstm_explain.seeded(samples=3, timesteps=4, features=2, units=5, **asked)
    assert after.lstm.spec == same.spec
    assert after.lstm.provenance == same.provenance
    np.testing.assert_array_equal(after.lstm.run().output, same.run().output)


def test_the_line_of_sizes_says_what_there_is() -> None:
    state = actions.change_sizes(small(), "units=5 projection=2 bias=no")
    line = prompts.prompt_for(state, "sizes").answer
    assert line == "samples=3 timesteps=4 features=2 units=5 layers=1 projection=2 bias=no"
    assert actions.change_sizes(state, line).lstm.spec == state.lstm.spec


def test_changes_that_fit_no_longer_are_left_out_and_said() -> None:
    state = actions.apply_edits(small(), "h_1[2]=0.5 f[0]=1")
    after = actions.change_sizes(state, "units=2")
    assert [str(one) for one in after.edits] == ["f[0]=1"]
    assert after.message == "1 of 2 changes no longer fit these sizes and were undone."
    assert actions.undo_change(after).edits == state.edits


@pytest.mark.parametrize("text", [one for one in WRONG_SIZES if one])
def test_what_is_no_size_is_said_and_nothing_is_changed(text: str) -> None:
    state = small()
    after = actions.change_sizes(state, text)
    assert after.message
    assert after.lstm is state.lstm
    assert after.past == ()


def test_what_would_take_too_much_memory_is_refused() -> None:
    for sizes in ("units=20000", "timesteps=3000000 units=40"):
        after = actions.change_sizes(small(), sizes)
        assert "--max-memory" in after.message, sizes
        sound(after)


def test_what_is_allowed_can_be_run() -> None:
    """A run step by step takes more than the engine's; whatever the sizes, it is refused before, not after."""
    state, refused = small(max_memory=2**20), []
    for power in range(4, 16):
        after = actions.change_sizes(state, f"timesteps={2**power}")
        sound(after)
        refused.append("--max-memory" in after.message)
    assert refused == sorted(refused)
    assert {*refused} == {False, True}


def test_what_a_file_tells_cannot_be_changed() -> None:
    over_a_file = ExplorerState(lstm_explain.given(np.ones((3, 4, 2), np.float32), units=3))
    assert "the inputs come from a file" in actions.change_sizes(over_a_file, "timesteps=5").message
    assert actions.change_sizes(over_a_file, "units=5").lstm.spec.units == 5
    sound(actions.change_sizes(over_a_file, "units=5 layers=2"))
    padded = small(lengths=[4, 1, 3])
    assert "--lengths" in actions.change_sizes(padded, "timesteps=5").message
    sound(actions.change_sizes(padded, "units=5"))
