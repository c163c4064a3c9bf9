"""plain: the shortest decimal number that reads back as the same float32."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lstm_explain.topics.json_numbers import plain_numbers, shortest_float64

many = settings(max_examples=1000, deadline=None)
FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
LARGEST = float(np.finfo(np.float32).max)
SMALLEST = float(np.finfo(np.float32).smallest_subnormal)


def by_numpy(number: np.float32) -> float:
    """numpy prints the shortest decimal number too."""
    return float(str(number))


@given(FLOAT32)
@example(0.0)
@example(-0.0)
@example(LARGEST)
@example(-LARGEST)
@example(SMALLEST)
@example(-SMALLEST)
@example(float(np.finfo(np.float32).tiny))
@example(1e-12)
@example(1e15)
@example(16777216.0)
@many
def test_one_number(number: float) -> None:
    exact = np.float32(number)
    found = plain_numbers(np.array(exact))
    assert type(found) is float
    assert found == by_numpy(exact)
    assert np.float32(found) == exact
    assert math.copysign(1, found) == math.copysign(1, number)
    assert np.float32(json.loads(json.dumps(found))) == exact
    assert plain_numbers(exact) == found  # type: ignore[arg-type]


@given(st.lists(FLOAT32, max_size=30))
@settings(max_examples=200, deadline=None)
def test_lists_of_numbers(numbers: list[float]) -> None:
    array = np.array(numbers, np.float32)
    assert plain_numbers(array) == [by_numpy(number) for number in array]


def test_powers_of_two_and_their_neighbours() -> None:
    """Where the gap below a number is half of the gap above it."""
    powers = np.ldexp(np.float32(1), np.arange(-149, 128)).astype(np.float32)
    near = [np.nextafter(powers, np.float32(end), dtype=np.float32) for end in (0, np.inf)]
    array = np.concatenate([powers, *near])
    array = array[np.isfinite(array)]
    assert plain_numbers(array) == [by_numpy(number) for number in array]


def test_powers_of_ten_and_their_neighbours() -> None:
    powers = np.array([f"1e{exponent}" for exponent in range(-45, 39)]).astype(np.float32)
    near = [np.nextafter(powers, np.float32(end), dtype=np.float32) for end in (0, np.inf)]
    array = np.concatenate([powers, *near, -powers])
    assert plain_numbers(array) == [by_numpy(number) for number in array]


def test_many_bit_patterns() -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 20_000, dtype=np.uint32)
    array = bits.view(np.float32)
    array = array[np.isfinite(array)]
    assert plain_numbers(array) == [by_numpy(number) for number in array]


def test_the_numbers_people_write_come_back_as_written() -> None:
    written = [0.1, 0.2, 0.3, 1.1, 3.14159, 100.5, 1e-3, 123456.7, 1e10]
    assert plain_numbers(np.array(written, np.float32)) == written
    assert np.array(written, np.float32).tolist() != written


def test_nested_lists_in_the_shape_of_the_array() -> None:
    array = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], np.float32)
    assert plain_numbers(array) == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
    assert plain_numbers(array.T) == [[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]]
    assert plain_numbers(array[:, ::-1]) == [[0.3, 0.2, 0.1], [0.6, 0.5, 0.4]]
    assert plain_numbers(array[:, :0]) == [[], []]


@given(st.lists(st.floats(), max_size=10))
def test_float64_is_left_as_it_is(numbers: list[float]) -> None:
    assert str(plain_numbers(np.array(numbers))) == str(numbers)


def test_nan_and_infinity_stay_what_they_are() -> None:
    found = plain_numbers(np.array([np.nan, np.inf, -np.inf, 1], np.float32))
    assert str(found) == "[nan, inf, -inf, 1.0]"


def test_the_array_is_left_as_it_was() -> None:
    array = np.array([0.1, 2.5], np.float32)
    copy = array.copy()
    shortest_float64(array)
    np.testing.assert_array_equal(array, copy)


def test_a_longer_way_to_write_a_number_would_be_noticed() -> None:
    exact = np.float32(0.1)
    assert plain_numbers(np.array(exact)) != float(exact)
    assert len(json.dumps(plain_numbers(np.array(exact)))) == len("0.1")


@pytest.mark.parametrize("digits", range(1, 10))
def test_every_number_of_digits_is_found(digits: int) -> None:
    text = f"1.{'3' * (digits - 2)}7" if digits > 2 else "1.7"[: max(1, digits + (digits > 1))]
    assert plain_numbers(np.array(text).astype(np.float32)) == by_numpy(np.float32(text))
