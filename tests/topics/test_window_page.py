"""The document of `window`: its words against the numbers of the explanation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.document.blocks import Cell, Heading, Note, Paragraph, Table
from lstm_explain.render.layout import layout_lines
from lstm_explain.topics.registry import document_of
from lstm_explain.topics.window import Window, explain_window
from lstm_explain.topics.window.page import MAX_TIMESTEPS
from lstm_explain.topics.window.time_series import Series, format_duration, format_time


def made(rows: int = 30, columns: int = 2, times: Any = None, **options: Any) -> Window:
    values = np.arange(rows * columns, dtype="f8").reshape(rows, columns) / 64
    return explain_window(Series(values, "x.csv", times=times), **{"timesteps": 4, **options})


def facts(window: Window) -> dict[str, str]:
    tables = [one for one in document_of(window) if isinstance(one, Table) and not one.ruled]
    return {
        row[0].text: row[1].text for one in tables for row in one.rows if isinstance(row[0], Cell) and isinstance(row[1], Cell)
    }


def words(window: Window, **choices: Any) -> str:
    return "\n".join(one.text for one in document_of(window, **choices) if isinstance(one, Heading | Paragraph | Note))


def rows_of(window: Window, title: str) -> list[list[list[str]]]:
    tables = [one for one in document_of(window) if isinstance(one, Table) and one.columns[0].title == title]
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
    assert "These numbers come from all 30 rows." in told
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


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (None, "Write them: add -o windows.npy. Then: lstm-explain shapes --data windows.npy"),
        ("a b.npy", "Written to a b.npy. Next: lstm-explain shapes --data 'a b.npy'"),
        ("w.NPZ", "Next: lstm-explain shapes --data w.NPZ#x"),
    ],
)
def test_the_next_command(written: str | None, told: str) -> None:
    assert told in words(made(), written=written)


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
