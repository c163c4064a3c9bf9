"""The document of `window`: its words against the numbers of the explanation."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.document.blocks import Block, Cell, Heading, NextSteps, Note, Paragraph, Preformatted, SideBySide, Table
from lstm_explain.render.layout import layout_lines
from lstm_explain.topics.registry import document_of
from lstm_explain.topics.window import Window, explain_window
from lstm_explain.topics.window.page import MAX_TIMESTEPS
from lstm_explain.topics.window.time_series import Series, format_duration, format_time


def made(rows: int = 30, columns: int = 2, times: Any = None, **options: Any) -> Window:
    values = np.arange(rows * columns, dtype="f8").reshape(rows, columns) / 64
    return explain_window(Series(values, "x.csv", times=times), **{"timesteps": 4, **options})


def blocks(window: Window, **choices: Any) -> list[Block]:
    """The blocks of the document, those next to each other one after the other."""
    parts = [one.parts if isinstance(one, SideBySide) else ((one,),) for one in document_of(window, **choices)]
    return [one for several in parts for part in several for one in part]


def facts(window: Window) -> dict[str, str]:
    tables = [one for one in blocks(window) if isinstance(one, Table) and not one.ruled]
    return {
        row[0].text: row[1].text for one in tables for row in one.rows if isinstance(row[0], Cell) and isinstance(row[1], Cell)
    }


def words(window: Window, **choices: Any) -> str:
    return "\n".join(one.text for one in blocks(window, **choices) if isinstance(one, Heading | Paragraph | Note))


def rows_of(window: Window, title: str) -> list[list[list[str]]]:
    tables = [one for one in blocks(window) if isinstance(one, Table) and one.columns[0].title == title]
    return [[[cell.text for cell in row if isinstance(cell, Cell)] for row in one.rows] for one in tables]


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 3), st.integers(10, 60))
def test_every_number_is_the_explanations(timesteps: int, stride: int, horizon: int, rows: int) -> None:
    aim = {"horizon": horizon, "target": 1} if horizon else {}
    window = made(rows, timesteps=timesteps, stride=stride, **aim)
    told, plan = facts(window), window.windowing
    assert told["rows"] == f"N = {rows}"
    assert told["samples"].endswith(f" = {plan.samples}")
    assert told["x"] == f"(samples, timesteps, features) = ({plan.samples}, {timesteps}, 2)"
    assert ("y" in told) == bool(horizon)
    assert ("stride" in told) == (stride > 1)
    assert ("left between" in told) == (stride > timesteps)
    assert told["left at the end"].startswith(str(plan.unused) if plan.unused else "nothing")
    (which,) = rows_of(window, "sample")
    assert [row[0] for row in which if row[0] != "⋮"] == [str(one.sample) for one in window.shown]
    assert which[-1][1].split(" to ")[-1] == str(window.shown[-1].row + timesteps - 1)
    if horizon:
        assert which[-1][2].split(" to ")[-1] == str(rows - plan.unused - 1)


@settings(max_examples=20)
@given(st.integers(1, 40))
def test_the_numbers_of_a_sample_and_the_rows_they_are_from(timesteps: int) -> None:
    window = made(60, timesteps=timesteps)
    for one, rows in zip(window.shown, rows_of(window, "t"), strict=True):
        shown = [row for row in rows if row[0] != "⋮"]
        assert len(shown) == min(timesteps, MAX_TIMESTEPS)
        assert ("⋮" in [row[0] for row in rows]) == (timesteps > MAX_TIMESTEPS)
        for t, row, *values in shown:
            assert int(row) == one.row + int(t) - 1
            assert [float(value) for value in values] == pytest.approx(one.x[int(t) - 1].tolist(), rel=1e-5)


def test_targets_are_written_out() -> None:
    window = made(horizon=3, target=1)
    y = window.shown[0].y
    assert y is not None
    assert f"y, column 1 of rows 4 to 6: {', '.join(f'{value:.6g}' for value in y.tolist())}" in words(window)


@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_scaling_says_where_its_numbers_are_from(scale: str) -> None:
    window = made(scale=scale)
    assert window.scaling is not None
    told = words(window)
    assert f"Scaling: {scale}" in told
    assert "The statistics come from all 30 rows." in told
    assert "training samples alone" in told
    (table,) = rows_of(window, "column")
    for place, row in enumerate(table):
        assert [float(cell) for cell in row[1:3]] == pytest.approx(list(window.scaling.statistics(place).values()), rel=1e-5)


def test_without_scaling_and_times_nothing_is_said_of_them() -> None:
    told = words(made())
    assert "Scaling" not in told
    assert "Time\n" not in told
    assert "Warnings" not in told


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        (made(timesteps=1), "With one timestep in a sample there is no order to learn from"),
        (made(400), "hold numbers of up to 12.4844 in size"),
        (made(4, timesteps=2, times=np.array([0.0, 1, 9, 10])), "1 of 3 samples go across a gap in time"),
        (made(4, timesteps=2, times=np.array([0.0, 1, 1, 2])), "1 row is not later than the row before, first row 2"),
        (made(3, 1, timesteps=1, scale="minmax"), "no order"),
    ],
)
def test_warnings_in_words(window: Window, sentence: str) -> None:
    assert sentence in words(window)


def test_gaps_are_listed_with_their_rows() -> None:
    told = facts(made(6, timesteps=2, times=np.array([0, 1, 2, 5, 6, 10]) * 86400.0))
    assert told["usual step"].startswith("86400, the median of all steps")
    assert told["gaps"] == "2: steps larger than 129600, 1.5 times that"
    assert told["after row 2"] == "172800 to 432000: 259200"


COMMAND = "lstm-explain window x.csv --timesteps 4 -o windows.npy"


@pytest.mark.parametrize(
    ("choices", "commands"),
    [
        ({"command": COMMAND}, [COMMAND, "lstm-explain shapes --data windows.npy"]),
        ({"written": "a b.npy"}, ['lstm-explain shapes --data "a b.npy"', 'lstm-explain trace --data "a b.npy"']),
        ({"written": "w.NPZ"}, ["lstm-explain shapes --data w.NPZ#x", "lstm-explain trace --data w.NPZ#x"]),
    ],
)
def test_the_next_commands(choices: dict[str, str], commands: list[str]) -> None:
    (*_, last) = document_of(made(), **choices)
    assert isinstance(last, NextSteps)
    assert [step.command for step in last.steps] == commands
    assert ("Written to " in words(made(), **choices)) == ("written" in choices)


def test_without_a_command_line_the_option_is_named() -> None:
    assert words(made()).endswith("On the command line, -o windows.npy writes the windows.")
    assert words(made(horizon=1, target=0)).endswith("-o windows.npz writes the windows.")


# --- the drawing ------------------------------------------------------------------------------------------------------


def drawing(window: Window) -> tuple[str, ...]:
    (picture,) = [one for one in document_of(window) if isinstance(one, Preformatted)]
    return picture.lines


def tokens(line: str) -> dict[int, str]:
    """The cells of a line behind its label, by the place at which they end."""
    return {match.end(): match[0] for match in re.finditer(r"\S+", line) if match.start() >= LABEL_END}


LABEL_END = len("column 1")


@settings(max_examples=200)
@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 12), st.integers(0, 300))
def test_everything_drawn_is_below_the_row_that_it_is(timesteps: int, stride: int, horizon: int, more: int) -> None:
    rows = timesteps + horizon + more
    aim = {"horizon": horizon, "target": 1} if horizon else {}
    window = made(rows, timesteps=timesteps, stride=stride, **aim)
    header, values, *samples = drawing(window)
    assert max(map(len, (header, values, *samples))) <= 78
    numbers = {end: int(text.replace(",", "")) for end, text in tokens(header).items() if text != "···"}
    assert sorted(numbers.values()) == list(dict.fromkeys(numbers.values()))
    for end, row in numbers.items():
        assert float(tokens(values)[end]) == pytest.approx(window.series.values[row, 1 if horizon else 0], rel=0.05, abs=1e-3)
    drawn = [line for line in samples if line.strip() != "⋮"]
    assert drawn
    for line, sample in zip(drawn, window.shown, strict=False):
        assert line.startswith(f"sample {sample.sample:,} ")
        cells = {numbers[end]: text for end, text in tokens(line).items() if text != "···"}
        for row, text in cells.items():
            place = row - sample.row
            assert text == (f"x_{place + 1}" if place < timesteps else "y" if horizon == 1 else f"y_{place - timesteps + 1}")
        ends = {0, timesteps - 1} | ({timesteps, timesteps + horizon - 1} if horizon else set())
        assert {sample.row + end for end in ends} <= set(cells)
        inside = [row for row in numbers.values() if 0 <= row - sample.row < timesteps + horizon]
        assert sorted(cells) == inside


def test_a_small_table_is_drawn_whole() -> None:
    series = Series(np.array([[112.0], [118], [132], [129], [121], [135]]), "x.csv", ("price",))
    window = explain_window(series, timesteps=3, horizon=1, target=0)
    assert drawing(window) == (
        "row         0   1   2   3   4   5",
        "price     112 118 132 129 121 135",
        "sample 0  x_1 x_2 x_3   y",
        "sample 1      x_1 x_2 x_3   y",
        "sample 2          x_1 x_2 x_3   y",
    )


def test_the_notes_say_what_the_signs_are() -> None:
    assert "x_t is the row that the LSTM reads at timestep t, all 2 features of it." in words(made())
    assert "y is the target, column 1." in words(made(horizon=1, target=1))
    assert "y_1 to y_3 are the targets, from column 1." in words(made(horizon=3, target=1))
    assert "x_t is the row that the LSTM reads at timestep t." in words(made(columns=1))


def test_wide_tables_are_bounded() -> None:
    window = made(30, 40)
    assert "12 of 40 features are shown: choose with --columns; --json has all." in words(window)
    assert max(sum(len(span.text) for span in line) for line in layout_lines(document_of(window), 80, True)) <= 80


@pytest.mark.parametrize(
    ("value", "clock", "text"),
    [
        (3, "numbers", "3"),
        (0.1, "numbers", "0.1"),
        (0, "dates", "1970-01-01"),
        (3600, "dates", "1970-01-01 01:00:00"),
        (-86400, "dates in UTC", "1969-12-31 UTC"),
    ],
)
def test_moments(value: float, clock: str, text: str) -> None:
    assert format_time(value, clock) == text


@pytest.mark.parametrize(
    ("value", "clock", "text"),
    [(86400, "dates", "1 day"), (129600, "dates", "1.5 days"), (3600, "dates", "1:00:00"), (2.5, "numbers", "2.5")],
)
def test_durations(value: float, clock: str, text: str) -> None:
    assert format_duration(value, clock) == text
