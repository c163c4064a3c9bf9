"""Named axes: what a shape says about itself, and the one check of an array's sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.core.axes import Axis, Shape, check_shape, describe_array, shape
from lstm_explain.errors import UsageError


def test_a_shape_names_every_axis() -> None:
    found = shape(samples=2, timesteps=3, features=4)
    assert str(found) == "[samples=2, timesteps=3, features=4]"
    assert found.names == ("samples", "timesteps", "features")
    assert found.sizes == (2, 3, 4)
    assert found.elements == 24


def test_names_that_are_no_python_words_are_spelled_out() -> None:
    assert shape(features_and_hidden=15, gate_units=40).names == ("features + hidden", "4*units")


def test_a_shape_without_axes_has_one_element() -> None:
    assert Shape(()).elements == 1
    assert str(Shape(())) == "[]"


def test_elements_are_exact_beyond_64_bits() -> None:
    assert shape(samples=10**12, timesteps=10**12, features=7).elements == 7 * 10**24


@given(st.lists(st.integers(0, 10**18), max_size=5))
def test_elements_are_the_product_of_the_sizes(sizes: list[int]) -> None:
    product = 1
    for size in sizes:
        product *= size
    assert Shape(tuple(Axis("axis", size) for size in sizes)).elements == product


def test_shapes_are_values() -> None:
    assert shape(units=3) == shape(units=3)
    assert shape(units=3) != shape(hidden=3)
    with pytest.raises(AttributeError):
        shape(units=3).axes = ()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Axis("units", 3).size = 4  # type: ignore[misc]


def test_compact_names_the_axes_it_has_names_for() -> None:
    array = np.zeros((2, 3), np.float32)
    assert describe_array(array, ("samples", "units")) == "float32[samples=2, units=3]"
    assert describe_array(array) == "float32[2, 3]"
    assert describe_array(array, ("samples",)) == "float32[2, 3]"
    assert describe_array(np.zeros(())) == "float64[]"


def test_check_accepts_exactly_the_expected_sizes() -> None:
    check_shape("the input", np.zeros((2, 3)), shape(samples=2, units=3))


@pytest.mark.parametrize("sizes", [(3, 2), (2, 3, 1), (2,), (2, 4)])
def test_check_names_what_was_expected_and_what_was_given(sizes: tuple[int, ...]) -> None:
    with pytest.raises(UsageError) as raised:
        check_shape("the input", np.zeros(sizes, np.float32), shape(samples=2, units=3))
    assert raised.value.asked == "the input [samples=2, units=3]"
    assert "float32[" in raised.value.found
    for size in sizes:
        assert str(size) in raised.value.found
    assert raised.value.fix == "Give an array of the shape named"
