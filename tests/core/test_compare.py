"""Differences of arrays: nan and infinities equal themselves, and empty arrays do not differ."""

import numpy as np

from lstm_explain.core.compare import max_abs_difference, numbers_differ

ARRAY = np.array([np.nan, np.inf, 1.0])


def test_nan_and_infinity_equal_themselves() -> None:
    assert max_abs_difference(ARRAY, ARRAY) == 0
    assert not numbers_differ(ARRAY, ARRAY).any()


def test_a_number_differs_from_nan_and_infinity() -> None:
    assert np.isnan(max_abs_difference(ARRAY, np.array([0.0, np.inf, 1.0])))
    assert max_abs_difference(ARRAY, np.array([np.nan, 0.0, 1.0])) == np.inf
    assert numbers_differ(ARRAY, np.array([0.0, 0.0, 1.0])).tolist() == [True, True, False]


def test_the_largest_difference_counts() -> None:
    assert max_abs_difference(np.array([1.0, 2.0]), np.array([1.5, 0.0])) == 2


def test_empty_arrays_do_not_differ() -> None:
    assert max_abs_difference(np.empty(0), np.empty(0)) == 0
