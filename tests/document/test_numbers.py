"""Numbers as words."""

import math

import pytest

from lstm_explain.document.numbers import format_bytes, format_decimal, format_difference, plural, thousands, tint


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "0.977 KiB"),
        (200_000, "195 KiB"),
        (2**30, "1 GiB"),
        (10**15, "909 TiB"),
        (10**22, "8.67e+03 EiB"),
    ],
)
def test_sizes_have_three_digits_and_a_unit(number: int, text: str) -> None:
    assert format_bytes(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, " 0.500"),
        (-0.5, "-0.500"),
        (-0.0001, " 0.000"),
        (0.0, " 0.000"),
        (12.3456, " 12.346"),
        (math.nan, "·"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
    ],
)
def test_decimals_keep_a_place_for_the_sign(value: float, text: str) -> None:
    assert format_decimal(value, 3) == text


def test_huge_numbers_stay_short() -> None:
    assert format_decimal(-1.5e30, 3) == "-1.500e+30"


def test_words() -> None:
    assert thousands(6_000_000) == "6,000,000"
    assert (plural(1, "unit"), plural(1000, "unit")) == ("1 unit", "1,000 units")
    assert (format_difference(0.0), format_difference(2.4e-8)) == ("0 exactly", "2e-8")


def test_tints_end_at_one_and_nothing_has_none() -> None:
    assert tint(5.0, 2.0) == 1
    assert tint(-1.0, 2.0) == -0.5
    assert tint(math.nan, 1.0) is None
    assert tint(0.0, 0.0) is None
