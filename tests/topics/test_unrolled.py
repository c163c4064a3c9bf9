"""The drawings: no wider than a page, each timestep where it belongs, boxes whole."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.network import FROM_ONE, Task, plan_network
from lstm_explain.core.spec import MAX_SIZE, Spec
from lstm_explain.render.sparkline import to_ascii
from lstm_explain.topics.tasks.unrolled import draw_network

WIDEST = 76
STEPS = st.integers(1, 12) | st.integers(1, MAX_SIZE)


def drawn(task: Task, timesteps: int = 10, steps_out: int = 10, **options: Any) -> tuple[str, ...]:
    return draw_network(plan_network(task, Spec.from_options(timesteps=timesteps, **options), 1, steps_out))


def boxes(line: str, name: str) -> int:
    return len(re.findall(rf"│ *{name} *│", line))


@given(st.sampled_from(Task), STEPS, STEPS, st.integers(1, 1000), st.booleans())
@settings(max_examples=200, deadline=None)
def test_every_drawing_fits_a_page_and_its_boxes_are_whole(
    task: Task, timesteps: int, steps_out: int, layers: int, both: bool
) -> None:
    lines = drawn(task, timesteps, steps_out, layers=layers, bidirectional=both)
    assert max(map(len, lines)) <= WIDEST
    assert not [line for line in lines if line != line.rstrip()]
    text = "\n".join(lines)
    assert text.count("└") == text.count("┘") == text.count("┐")
    for above, line in pairwise(lines):
        for place, character in enumerate(line):
            if character == "└":
                assert above[place] in "│┌"
    assert [len(line) for line in map(to_ascii, lines)] == [len(line) for line in lines]


@pytest.mark.parametrize(("timesteps", "columns"), [(1, 1), (2, 2), (5, 5), (6, 4), (10, 4), (1000, 4)])
def test_up_to_five_timesteps_are_drawn_and_more_are_elided(timesteps: int, columns: int) -> None:
    lines = drawn(Task.MANY_TO_MANY, timesteps)
    (lstm,) = [line for line in lines if "LSTM" in line]
    assert boxes(lstm, "LSTM") == columns
    read = lines[-1].split()
    assert ("···" in read) == (timesteps > 5)
    shown = [word for word in read if word != "···"]
    assert shown[0] == "x_1"
    assert shown[-1] == f"x_{timesteps}"
    assert len(shown) == columns
    assert lines[0].replace("y", "x").split() == read


def test_one_answer_has_one_dense_layer_above_the_last_timestep() -> None:
    for task in Task:
        lines = drawn(task, 4, 2)
        dense = sum(boxes(line, "Dense") for line in lines)
        expected = {Task.MANY_TO_MANY: 4, Task.ONE_TO_MANY: 2, Task.ENCODER_DECODER: 2}
        assert dense == expected.get(task, 1)
    lines = drawn(Task.MANY_TO_ONE, 4)
    (above,) = [line for line in lines if "Dense" in line]
    (lstm,) = [line for line in lines if "LSTM" in line]
    assert above.index("│") == lstm.rindex("LSTM") - 3


def test_from_one_the_first_timestep_is_read() -> None:
    for task in FROM_ONE:
        assert set(drawn(task, 10, 3)[-1].split()) == {"x_1"}


def test_both_directions_have_arrows_both_ways() -> None:
    lines = drawn(Task.MANY_TO_MANY, 3, bidirectional=True)
    (forward,) = [line for line in lines if "forward" in line]
    (backward,) = [line for line in lines if "backward" in line]
    assert (forward.count("►"), forward.count("◄")) == (2, 0)
    assert (backward.count("►"), backward.count("◄")) == (0, 2)
    assert not any("◄" in line for line in drawn(Task.MANY_TO_MANY, 3))


@pytest.mark.parametrize("timesteps", [1, 2, 3, 10])
def test_of_both_directions_the_dense_layer_reads_what_each_ends_with(timesteps: int) -> None:
    lines = drawn(Task.MANY_TO_ONE, timesteps, bidirectional=True)
    (dense,) = [line for line in lines if "Dense" in line]
    assert ("►│ Dense" in dense) == (timesteps > 1)
    (h,) = [line for line in lines if "▲ h_" in line]
    if timesteps == 1:
        assert h.split() == ["▲", "h_1"]
    else:
        assert h.split() == ["│", "h_1", "backward", "▲", f"h_{timesteps}", "forward"]


def test_the_encoder_hands_over_to_the_decoder() -> None:
    lines = drawn(Task.ENCODER_DECODER, 2, 2)
    (boxed,) = [line for line in lines if "encoder" in line]
    assert re.fullmatch(r"│encoder │─h,c►│encoder │═h,c►│decoder │─h,c►│decoder │", boxed)
    assert lines[-1].split() == ["x_1", "x_2", "last", "h", "last", "h"]


@pytest.mark.parametrize("timesteps", [1, 2, 3, 10])
def test_each_direction_of_the_encoder_passes_on_the_state_that_it_ends_with(timesteps: int) -> None:
    lines = drawn(Task.ENCODER_DECODER, timesteps, 1, bidirectional=True)
    text = "\n".join(lines)
    assert ("h_1, c_1 backward" in text) == (timesteps > 1)
    if timesteps > 1:
        (forward,) = [line for line in lines if "forward" in line]
        assert re.search(r"│forward │═h,c►│", forward)
        (route,) = [line for line in lines if "╔" in line]
        first = next(line for line in lines if "encoder" in line).index("│")
        assert first < route.index("╔") < first + 10
        assert [line.index(turn) for line, turn in zip(lines[5:8], "╗║╚", strict=True)] == [route.index("╗")] * 3


def test_a_stack_says_how_many_layers_it_has() -> None:
    assert any("× 3" in line for line in drawn(Task.ONE_TO_ONE, layers=3))
    assert not any("×" in line for line in drawn(Task.ONE_TO_ONE))


def test_numbers_too_long_to_write_are_letters() -> None:
    lines = drawn(Task.ENCODER_DECODER, 10**8, 10**9)
    assert "x_T" in lines[-1]
    assert "y_S" in lines[0]
    assert "x_T" in drawn(Task.MANY_TO_MANY, 10**8)[-1]
    assert "y_S" in drawn(Task.ONE_TO_MANY, 10, 10**8)[0]
    assert "x_100000" in drawn(Task.MANY_TO_MANY, 10**5)[-1]
