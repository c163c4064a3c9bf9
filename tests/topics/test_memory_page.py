"""The document of `memory`: the shown parts add up to the shown state, and its words say what was measured."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.document.blocks import Cell, Document, Heading, NextSteps, Note, Paragraph, Sparkline, Table
from lstm_explain.topics.registry import document_of
from tests.helpers.documents import flatten

few = settings(max_examples=20, deadline=None, derandomize=True)


def text(cell: object) -> str:
    assert isinstance(cell, Cell)
    return cell.text


def labels(table: Table) -> list[str]:
    return [text(row[0]) for row in table.rows]


def numbers(row: tuple[object, ...]) -> list[float]:
    return [float(text(cell)) for cell in row[1:]]


def words(document: Document) -> str:
    return " ".join(block.text for block in document if isinstance(block, Heading | Paragraph | Note))


def table_below(document: Document, start: str) -> Table:
    """The first table after the heading that begins so."""
    place = next(place for place, one in enumerate(document) if isinstance(one, Heading) and one.text.startswith(start))
    return next(block for block in document[place:] if isinstance(block, Table))


def document(**asked: Any) -> Document:
    options = {name: asked.pop(name) for name in ("sample", "units", "layer", "direction", "carry_state") if name in asked}
    return flatten(document_of(lstm_explain.memory(lstm_explain.seeded(**asked), **options)))


@given(
    timesteps=st.sampled_from([1, 2, 10, 32, 33, 100]),
    direction=st.sampled_from(["forward", "backward"]),
    seed=st.integers(0, 1000),
    dtype=st.sampled_from(["float32", "float64"]),
)
@few
def test_the_shown_parts_add_up_to_the_shown_state(timesteps: int, direction: str, seed: int, dtype: str) -> None:
    """Also where there are too many timesteps to show: then one row holds the sum of the rest."""
    made = document(samples=2, timesteps=timesteps, bidirectional=True, direction=direction, seed=seed, dtype=dtype)
    table = table_below(made, "c_")
    *parts, total, state, residual = table.rows
    last = timesteps if direction == "forward" else 1
    assert labels(table)[-3:] == ["sum", f"c_{last}", "residual"]
    assert numbers(total) == numbers(state)
    for column, whole in enumerate(numbers(total)):
        assert sum(numbers(row)[column] for row in parts) == pytest.approx(whole, abs=0.0005 * (len(parts) + 1))
    assert all(text(cell) == "<1e-15" or abs(float(text(cell))) < 1e-6 for cell in residual[1:])
    assert labels(table)[0 if direction == "forward" else -4] == ("0" if direction == "forward" else "start")
    assert len(parts) <= 34


@pytest.mark.parametrize(("direction", "shown"), [("forward", "9-76"), ("backward", "25-92")])
def test_of_many_timesteps_those_read_last_are_shown(direction: str, shown: str) -> None:
    made = document(samples=1, timesteps=100, bidirectional=True, direction=direction)
    assert shown in labels(table_below(made, "c_"))
    assert "⋮" in labels(table_below(made, "Half-life"))


def test_every_timestep_of_the_sample_is_in_the_strip() -> None:
    table = table_below(document(lengths=[10, 4], sample=1), "When the content")
    *units, _ = table.rows
    for row in units:
        assert isinstance(row[1], Sparkline)
        assert len(row[1].values) == 4
        assert re.fullmatch(r"t = [1-4]", text(row[-1]))
    assert [cell.axis for row in units for cell in row if isinstance(cell, Sparkline)] == [None] * 9 + [(1, 4)]


def test_the_page_begins_with_how_recent_the_state_is() -> None:
    memory = lstm_explain.memory(lstm_explain.seeded(samples=1))
    made = flatten(document_of(memory))
    sizes = np.abs(memory.parts)
    shares = [f"{100 * sizes[-share.timesteps :].sum() / sizes.sum():.1f} %" for share in memory.recent]
    assert isinstance(made[1], Paragraph)
    start = f"Of c_10, {shares[0]} was written in the last timestep, {shares[1]} in the last {memory.recent[1].timesteps} and "
    assert (
        made[1].text == f"{start}{shares[2]} in the last {memory.recent[2].timesteps} (by magnitude, all 10 units together)."
    )
    *_, total = table_below(made, "When the content").rows
    assert [text(cell) for cell in total[3:-1]] == shares


def test_what_is_left_of_the_initial_state_is_named() -> None:
    assert "is left of the initial state" in words(document(samples=3, timesteps=2, sample=1, carry_state=True))
    assert "is left of the initial state" not in words(document(samples=3, timesteps=2, sample=1))


@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul")
def test_shares_of_what_is_not_finite_are_not_made_up() -> None:
    array = np.ones((1, 4, 2), np.float32)
    array[0, 2, 0] = np.nan
    page = flatten(document_of(lstm_explain.memory(lstm_explain.given(array, units=3))))
    assert "c_4 holds nothing that can be compared" in words(page)
    assert "nan" not in words(page)
    assert labels(table_below(page, "When the content")) == ["0", "1", "2"]


def test_why_units_differ_in_half_life() -> None:
    memory = lstm_explain.memory(lstm_explain.seeded(samples=1))
    made = words(flatten(document_of(memory)))
    lives, f = memory.mean_half_life, memory.mean_forget
    low, high = int(f.argmin()), int(f.argmax())
    assert f"Half-lives go from {lives[low]:.2f} timesteps (unit {low}) to {lives[high]:.2f} (unit {high})" in made
    assert f"Mean f is {f[low]:.3f} in unit {low} and {f[high]:.3f} in unit {high}." in made


def test_why_the_forget_bias_makes_half_lives_longer() -> None:
    keras, pytorch = lstm_explain.memory(lstm_explain.seeded()).initialisers
    made = words(document())
    assert "A larger forget bias makes f larger, and a larger f keeps c longer: with keras the bias is 1.000" in made
    assert f"sigmoid(1.000) = 0.731, and the half-life is {keras.mean_half_life:.2f} timesteps; with pytorch" in made
    assert f"and the half-life is {pytorch.mean_half_life:.2f} timesteps." in made
    assert "Without biases, f is around sigmoid(0) = 0.500 under each initialiser." in words(document(bias=False))
    saturated = lstm_explain.memory(lstm_explain.given(np.full((1, 3, 1), 1e30, np.float32), units=8))
    assert "Here the longer half-life does not come with the larger bias." in words(flatten(document_of(saturated)))


def test_the_half_life_of_the_shown_mean() -> None:
    table = table_below(document(samples=1), "Half-life")
    assert labels(table)[-2:] == ["mean f", "overall"]
    for f, life in zip(numbers(table.rows[-2]), numbers(table.rows[-1]), strict=True):
        assert f**life == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("init", ["keras", "pytorch"])
def test_the_initialiser_of_this_lstm_is_marked(init: str) -> None:
    made = document(init=init)
    rows = {text(row[0]): row for row in table_below(made, "What the forget bias does").rows}
    assert list(rows) == ["keras", "pytorch"]
    for name, row in rows.items():
        assert isinstance(row[0], Cell)
        assert row[0].detail == ("this LSTM" if name == init else "")
    assert [text(cell) for cell in rows["keras"][1:3]] == [" 1.000", " 0.731"]
    assert "12,800 values: 10 units at every timestep of the 128 samples in the block of sample 0" in words(made)


def test_without_bias_there_is_none() -> None:
    table = table_below(document(samples=1, bias=False), "What the forget bias does")
    assert [text(row[1]) for row in table.rows] == ["none", "none"]
    assert [text(row[2]) for row in table.rows] == [" 0.500", " 0.500"]


def test_it_says_that_the_split_takes_the_gates_as_they_were() -> None:
    assert "exact for these gates, but the gates depend on the inputs" in words(document(samples=1))


def test_backwards_it_ends_with_the_first_timestep() -> None:
    made = document(lengths=[10, 4], sample=1, bidirectional=True, direction="backward")
    assert "This direction reads from t = 4 to 1, so it ends with c_1." in words(made)
    assert "At every timestep c_t = f_t c_{t+1} + i_t g_t." in words(made)


def test_one_timestep() -> None:
    made = document(timesteps=1)
    assert "One timestep: 460 of 640 parameters get no gradient" in words(made)
    assert "exactly 0 in all 128 samples of one timestep that were run" in words(made)
    table = table_below(made, "One timestep")
    assert labels(table) == ["kernel", "recurrent kernel", "bias", "total"]
    assert text(table.rows[-1][-1]) == "460 of 640"
    assert [text(row[2]) for row in table.rows] == ["50 of 50", "100 of 100", "10 of 10", "160 of 160"]
    assert "--carry-state" in words(made)


def test_one_timestep_of_a_sample_among_longer_ones() -> None:
    assert "Longer samples can." in words(document(lengths=[1, 3]))
    assert "exactly 0 in the sample." in words(document(lengths=[1, 3]))
    assert "One timestep" not in words(document(lengths=[1, 3], sample=1))


def test_one_timestep_backwards_is_not_sent_to_an_option_that_is_refused() -> None:
    assert "--carry-state" not in words(document(timesteps=1, bidirectional=True))


def test_one_timestep_from_a_carried_state() -> None:
    made = words(document(timesteps=1, sample=1, carry_state=True))
    assert "One timestep: 0 of 640 parameters get no gradient" in made
    assert "carried over from the previous sample" in made
    assert "This is true of sample 0 only" in words(document(timesteps=1, carry_state=True))


# --- carried states ---------------------------------------------------------------------------------------------------


def test_the_borders() -> None:
    made = document(samples=100, carry_state=True, units=[0, 3])
    expected = [*(f"sample {k}" for k in range(1, 7)), "⋮", "sample 98", "sample 99"]
    for title in ("c at", "h at"):
        table = table_below(made, title)
        assert labels(table) == expected
        assert [column.title for column in table.columns[1:]] == ["0", "3"]
    assert "8 of 99 borders are shown" in words(made)
    assert "100 samples as consecutive pieces" in words(made)


def test_few_borders_are_all_shown() -> None:
    made = document(samples=4, carry_state=True)
    assert labels(table_below(made, "c at")) == ["sample 1", "sample 2", "sample 3"]
    assert "borders are shown" not in words(made)


def test_what_resetting_loses() -> None:
    lstm = lstm_explain.seeded(samples=9, timesteps=40)
    memory = lstm_explain.memory(lstm, carry_state=True)
    assert memory.carried is not None
    made = flatten(document_of(memory))
    gone = 8 - memory.carried.unfaded
    assert f"After {gone} of 8 borders the difference falls below 0.01" in words(made)
    (table,) = (one for one in made if isinstance(one, Table) and one.columns[0].title == "after the border")
    for row, faded, first in zip(table.rows, memory.carried.faded, memory.carried.first, strict=True):
        assert text(row[3]) == f"t = {int(faded)}"
        assert float(text(row[1])) == pytest.approx(first, abs=5e-5)
    assert gone == 8


def test_with_a_projection_h_has_its_own_numbers() -> None:
    made = document(samples=3, projection=2, carry_state=True)
    assert [column.title for column in table_below(made, "h at").columns[1:]] == ["0", "1"]
    assert len(table_below(made, "c at").columns) == 11


# --- what is not shown ------------------------------------------------------------------------------------------------


def test_more_units_than_a_page_holds() -> None:
    made = flatten(document_of(memory_of_many()))
    assert "16 of 20 units are shown" in words(made)
    assert len(table_below(made, "c_").columns) == 17
    every = flatten(document_of(memory_of_many(), every_unit=True))
    assert "units are shown" not in words(every)
    assert len(table_below(every, "c_").columns) == 21


def memory_of_many() -> Any:
    return lstm_explain.memory(lstm_explain.seeded(samples=2, units=20))


@pytest.mark.parametrize(
    ("asked", "note", "there"),
    [
        ({"layers": 2}, "with --layer.", True),
        ({"layers": 2, "bidirectional": True}, "with --layer and --direction.", True),
        ({"timesteps": 33}, "32 of 33 timesteps are shown", True),
        ({"timesteps": 32}, "timesteps are shown", False),
    ],
)
def test_the_notes(asked: dict[str, Any], note: str, there: bool) -> None:
    assert (note in words(document(**{"samples": 3, **asked}))) is there


@pytest.mark.parametrize(
    ("asked", "commands"),
    [
        ({}, ["memory --samples 3 --carry-state", "trace --samples 3 --gates", "influence --samples 3"]),
        ({"samples": 1}, ["trace --samples 1 --gates", "influence --samples 1"]),
        (
            {"bidirectional": True, "direction": "backward"},
            [
                f"{name} --samples 3 --bidirectional{more} --direction backward"
                for name, more in (("trace", " --gates"), ("influence", ""))
            ],
        ),
        (
            {"carry_state": True},
            ["memory --samples 3 --carry-state --sample 1", "trace --samples 3 --gates", "influence --samples 3"],
        ),
        ({"carry_state": True, "sample": 1}, ["trace --samples 3 --gates --sample 1", "influence --samples 3 --sample 1"]),
    ],
)
def test_what_to_try_next(asked: dict[str, Any], commands: list[str]) -> None:
    (steps,) = (block for block in document(**{"samples": 3, **asked}) if isinstance(block, NextSteps))
    assert [step.command for step in steps.steps] == [f"lstm-explain {command}" for command in commands]
