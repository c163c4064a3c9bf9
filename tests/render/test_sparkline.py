"""Strips: never longer than asked, taller where the value is larger, a gap where there is none."""

from __future__ import annotations

from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.document.blocks import Sparkline
from lstm_explain.render.sparkline import ASCII, ASCII_BARS, BARS, GAP, draw_sparkline, to_ascii

NUMBERS = st.floats(-10, 10)
ANY = NUMBERS | st.sampled_from([nan, inf, -inf])
SCALES = st.floats(1e-6, 100)


@given(st.lists(ANY, max_size=200).map(tuple), SCALES | st.just(0.0), st.integers(1, 80))
def test_a_strip_is_as_long_as_its_values_or_its_width(values: tuple[float, ...], scale: float, width: int) -> None:
    drawn = draw_sparkline(Sparkline(values, scale), width)
    assert len(drawn) == min(len(values), width)
    assert set(drawn) <= {*BARS, GAP}


@given(NUMBERS, NUMBERS, SCALES)
def test_a_larger_value_is_no_lower_bar(one: float, other: float, scale: float) -> None:
    low, high = (BARS.index(draw_sparkline(Sparkline((value,), scale), 1)) for value in sorted((one, other)))
    assert low <= high


@given(st.lists(ANY, min_size=1, max_size=80).map(tuple), SCALES)
def test_a_gap_stands_where_there_is_no_number(values: tuple[float, ...], scale: float) -> None:
    assert [mark == GAP for mark in draw_sparkline(Sparkline(values, scale), 80)] == [not isfinite(value) for value in values]


@given(st.lists(ANY, min_size=1, max_size=300).map(tuple), st.integers(1, 40))
def test_a_strip_too_narrow_shows_the_value_farthest_from_zero_of_each_part(values: tuple[float, ...], width: int) -> None:
    drawn = draw_sparkline(Sparkline(values, 10.0), width)
    size = max((abs(value) for value in values if isfinite(value)), default=None)
    far = {draw_sparkline(Sparkline((value,), 10.0), 1) for value in values if isfinite(value) and abs(value) == size}
    assert size is None or far & set(drawn)
    assert (set(drawn) == {GAP}) == (size is None) or width > 1


@given(st.lists(st.lists(NUMBERS, min_size=4, max_size=4), min_size=1, max_size=20))
def test_parts_of_equal_size_are_drawn_each_by_itself(parts: list[list[float]]) -> None:
    values = tuple(value for part in parts for value in part)
    assert draw_sparkline(Sparkline(values, 10.0), len(parts)) == "".join(
        draw_sparkline(Sparkline(tuple(part), 10.0), 1) for part in parts
    )


@pytest.mark.parametrize(
    ("values", "scale", "drawn"),
    [
        ((), 1.0, ""),
        ((-1.0, 1.0), 1.0, "▁█"),
        ((-2.0, 2.0), 1.0, "▁█"),
        ((-0.001, 0.0, 0.001), 1.0, "▄▅▅"),
        ((0.0, 0.0), 0.0, "▅▅"),
        ((-1.0, -0.74, -0.49, -0.24, 0.01, 0.26, 0.51, 0.76), 1.0, BARS),
        ((0.5, nan, inf, -inf), 1.0, "▇···"),
    ],
)
def test_strips(values: tuple[float, ...], scale: float, drawn: str) -> None:
    assert draw_sparkline(Sparkline(values, scale), 80) == drawn


@given(st.floats(0, 10), st.floats(0, 10), SCALES)
def test_a_strip_from_zero_is_lowest_at_zero_and_highest_at_its_scale(one: float, other: float, scale: float) -> None:
    ends = draw_sparkline(Sparkline((0.0, scale), scale, signed=False), 2)
    assert ends == BARS[0] + BARS[-1]
    low, high = (BARS.index(draw_sparkline(Sparkline((value,), scale, signed=False), 1)) for value in sorted((one, other)))
    assert low <= high


@pytest.mark.parametrize(
    ("values", "scale", "drawn"),
    [
        ((), 1.0, ""),
        ((0.0, 1.0), 1.0, "▁█"),
        ((-1.0, 2.0), 1.0, "▁█"),
        ((0.0, 0.0), 0.0, "▁▁"),
        ((0.0, 0.13, 0.26, 0.38, 0.51, 0.63, 0.76, 0.88), 1.0, BARS),
        ((0.5, nan, inf, -inf), 1.0, "▅···"),
    ],
)
def test_strips_from_zero(values: tuple[float, ...], scale: float, drawn: str) -> None:
    assert draw_sparkline(Sparkline(values, scale, signed=False), 80) == drawn


def test_every_bar_has_a_plain_one_of_its_own() -> None:
    assert [ASCII[bar] for bar in BARS] == list(ASCII_BARS)
    assert len(set(ASCII_BARS)) == len(BARS)
    assert to_ascii(BARS + GAP) == ASCII_BARS + "."


@given(st.text())
def test_plain_text_is_ascii_and_leaves_ascii_alone(text: str) -> None:
    spelled = to_ascii(text)
    assert spelled.isascii()
    assert not text.isascii() or spelled == text
