"""Sparklines: never wider than the page allows, taller where the value is larger, a gap where there is none."""

from __future__ import annotations

from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.document.blocks import Sparkline
from lstm_explain.render.sparkline import (
    ASCII,
    ASCII_BARS,
    BAR_HEIGHTS,
    BARS,
    BARS_DOWN,
    BARS_UP,
    GAP,
    draw_sparkline,
    to_ascii,
)

NUMBERS = st.floats(-10, 10)
ANY = NUMBERS | st.sampled_from([nan, inf, -inf])
SCALES = st.floats(1e-6, 100)


def draw_signed(values: tuple[float, ...], scale: float, width: int = 80) -> list[str]:
    """The columns of the bars: what is above the zero line, and what is below it."""
    above, below = draw_sparkline(Sparkline(values, scale), width)
    assert len(above) == len(below)
    bar_width = len(above) // min(len(values), width) if values else 1
    return ["".join(column) for column in zip(above[::bar_width], below[::bar_width], strict=True)]


def height(bar: str) -> float:
    """The height of a bar, from -1 to 1; not 0, as the lowest bars are the zero line."""
    above, below = bar[0], bar[1]
    assert (above == " ") != (below == " ")
    return BAR_HEIGHTS[BARS_UP.index(above)] if below == " " else -BAR_HEIGHTS[BARS_DOWN.index(below)]


@given(st.lists(ANY, max_size=200).map(tuple), SCALES | st.just(0.0), st.integers(1, 80), st.booleans())
def test_a_sparkline_is_as_wide_as_its_bars(values: tuple[float, ...], scale: float, width: int, signed: bool) -> None:
    lines = draw_sparkline(Sparkline(values, scale, signed), width)
    bars = min(len(values), width)
    assert {len(line) for line in lines} == {2 * bars if 2 * bars <= width else bars}
    assert len(lines) == (2 if signed else 1)


@given(NUMBERS, NUMBERS, SCALES)
def test_a_larger_value_has_no_lower_bar(value: float, other: float, scale: float) -> None:
    low, high = map(height, draw_signed(tuple(sorted((value, other))), scale))
    assert low <= high


@given(NUMBERS, SCALES)
def test_a_bar_is_on_the_side_of_its_sign_and_as_high_as_what_is_nearest(value: float, scale: float) -> None:
    (bar,) = draw_signed((value,), scale)
    size = min(abs(value) / scale, 1.0)
    assert (height(bar) < 0) == (value < 0)
    assert abs(abs(height(bar)) - size) <= min(abs(other - size) for other in BAR_HEIGHTS) + 1e-12


@given(st.lists(ANY, min_size=1, max_size=80).map(tuple), SCALES)
def test_a_gap_is_where_there_is_no_number(values: tuple[float, ...], scale: float) -> None:
    assert [bar == f"{GAP} " for bar in draw_signed(values, scale)] == [not isfinite(value) for value in values]


@given(st.lists(ANY, min_size=1, max_size=300).map(tuple), st.integers(1, 40))
def test_too_many_values_are_drawn_by_the_one_farthest_from_zero_of_each_part(values: tuple[float, ...], width: int) -> None:
    drawn = draw_signed(values, 10.0, width)
    size = max((abs(value) for value in values if isfinite(value)), default=None)
    far = {draw_signed((value,), 10.0)[0] for value in values if isfinite(value) and abs(value) == size}
    assert size is None or far & set(drawn)
    assert (set(drawn) == {f"{GAP} "}) == (size is None) or width > 1


@given(st.lists(st.lists(NUMBERS, min_size=4, max_size=4), min_size=1, max_size=20))
def test_parts_of_equal_size_are_drawn_each_by_itself(parts: list[list[float]]) -> None:
    values = tuple(value for part in parts for value in part)
    assert draw_signed(values, 10.0, len(parts)) == [draw_signed(tuple(part), 10.0, 1)[0] for part in parts]


@pytest.mark.parametrize(
    ("values", "scale", "lines"),
    [
        ((), 1.0, ["", ""]),
        ((-1.0, 1.0), 1.0, ["  ██", "██  "]),
        ((-2.0, 2.0), 1.0, ["  ██", "██  "]),
        ((-0.001, 0.0, 0.001), 1.0, ["  ▁▁▁▁", "▔▔    "]),
        ((0.0, 0.0), 0.0, ["▁▁▁▁", "    "]),
        ((-1.0, -0.5, -0.2, 0.2, 0.5, 1.0), 1.0, ["      ▁▁▄▄██", "██▀▀▔▔      "]),
        ((0.5, nan, inf, -inf), 1.0, ["▄▄······", "        "]),
    ],
)
def test_signed_sparklines(values: tuple[float, ...], scale: float, lines: list[str]) -> None:
    assert draw_sparkline(Sparkline(values, scale), 80) == lines


@pytest.mark.parametrize(
    ("count", "axis", "width", "line"),
    [
        (10, (1, 10), 26, "1        t        10"),
        (10, (1, 10), 12, "1   t   10"),
        (3, (1, 3), 26, "1 t  3"),
        (2, (1, 2), 26, "1  2"),
        (2, (1, 2), 2, "1 2"),
        (1, (4, 4), 26, "4"),
        (500, (1, 500), 12, "1   t    500"),
    ],
)
def test_timesteps_below_a_sparkline(count: int, axis: tuple[int, int], width: int, line: str) -> None:
    *_, drawn = draw_sparkline(Sparkline((0.5,) * count, 1.0, axis=axis), width)
    assert drawn == line


@given(st.floats(0, 10), st.floats(0, 10), SCALES)
def test_a_strip_from_zero_is_lowest_at_zero_and_highest_at_its_scale(one: float, other: float, scale: float) -> None:
    (ends,) = draw_sparkline(Sparkline((0.0, scale), scale, signed=False), 2)
    assert ends == BARS[0] + BARS[-1]
    low, high = (BARS.index(draw_sparkline(Sparkline((value,), scale, signed=False), 1)[0]) for value in sorted((one, other)))
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
    assert draw_sparkline(Sparkline(values, scale, signed=False), max(1, len(values))) == [drawn]


def test_every_bar_has_a_plain_one_of_its_own() -> None:
    assert [ASCII[bar] for bar in BARS] == list(ASCII_BARS)
    assert len(set(ASCII_BARS)) == len(BARS)
    assert to_ascii(BARS + GAP) == ASCII_BARS + "."
    assert [len(set(to_ascii(bars))) for bars in (BARS_UP, BARS_DOWN)] == [3, 3]


@given(st.text())
def test_plain_text_is_ascii_and_leaves_ascii_alone(text: str) -> None:
    spelled = to_ascii(text)
    assert spelled.isascii()
    assert not text.isascii() or spelled == text
