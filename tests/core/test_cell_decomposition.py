"""The parts of a cell state: the algebra, and half-lives at their ends."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.cell_decomposition import (
    CellDecomposition,
    decompose_cell_state,
    half_life,
    half_mass_step,
    mean_forget,
    mean_half_life,
)

few = settings(max_examples=100, deadline=None)


def a_run(seed: int, timesteps: int, units: int) -> tuple[CellDecomposition, np.ndarray, list[np.ndarray]]:
    """A split, c_T as the recurrence makes it, and i, f, g and c_0."""
    numbers = np.random.default_rng(seed)
    i, f = numbers.uniform(size=(2, timesteps, units))
    g, c = numbers.uniform(-1, 1, size=(timesteps, units)), numbers.normal(size=units)
    found, last = decompose_cell_state(i, f, g, c), c
    for t in range(timesteps):
        last = f[t] * last + i[t] * g[t]
    return found, last, [i, f, g, c]


@given(seed=st.integers(0, 10**6), timesteps=st.integers(1, 12), units=st.integers(1, 4))
@few
def test_the_parts_add_up_to_the_last_state(seed: int, timesteps: int, units: int) -> None:
    found, last, (i, f, g, c) = a_run(seed, timesteps, units)
    np.testing.assert_allclose(found.total, last, atol=1e-14)
    for t in range(timesteps):
        np.testing.assert_allclose(found.kept[t], np.prod(f[t + 1 :], axis=0), rtol=1e-13)
        np.testing.assert_allclose(found.added[t], i[t] * g[t], rtol=1e-15)
        np.testing.assert_allclose(found.parts[t], found.added[t] * found.kept[t], rtol=1e-15)
    np.testing.assert_allclose(found.initial_part, np.prod(f, axis=0) * c, rtol=1e-13)
    np.testing.assert_array_equal(found.kept[-1], np.ones(units))


@given(seed=st.integers(0, 10**6), timesteps=st.integers(1, 9))
@few
def test_the_later_half(seed: int, timesteps: int) -> None:
    found, _, _ = a_run(seed, timesteps, 3)
    sizes = np.abs(np.concatenate([found.initial_part[None], found.parts]))
    for unit, since in enumerate(half_mass_step(found).astype(int)):
        whole = sizes[:, unit].sum()
        assert sizes[since:, unit].sum() >= whole / 2 * (1 - 1e-12)
        assert sizes[since + 1 :, unit].sum() < whole / 2 * (1 + 1e-12)


def test_the_later_half_of_nothing_and_of_nan() -> None:
    one, zero = np.ones((3, 2)), np.zeros((3, 2))
    assert np.isnan(half_mass_step(decompose_cell_state(one, one, zero, zero[0]))).all()
    assert np.isnan(half_mass_step(decompose_cell_state(one, one, np.full((3, 2), np.nan), zero[0]))).all()
    assert half_mass_step(decompose_cell_state(one, one, zero, one[0])).tolist() == [0, 0]


def test_half_lives() -> None:
    found = half_life(np.array([0.0, 0.25, 0.5, 0.5**0.5, 1.0, math.nan]))
    np.testing.assert_allclose(found, [0.0, 0.5, 1.0, 2.0, math.inf, math.nan], rtol=1e-15)


def test_the_ends_raise_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert half_life(np.array([0.0, 1.0])).tolist() == [0.0, math.inf]
        assert mean_half_life(np.array([[0.0, 1.0], [0.5, 1.0]])).tolist() == [0.0, math.inf]
        assert mean_forget(np.array([[0.0, 1.0], [0.5, 1.0]])).tolist() == [0.0, 1.0]


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=20))
@few
def test_the_mean_keeps_as_much_in_the_end(values: list[float]) -> None:
    forget = np.array(values)[:, None]
    assert float(mean_forget(forget)[0]) ** len(values) == pytest.approx(math.prod(values), rel=1e-10)


@given(st.lists(st.floats(0.01, 0.999), min_size=1, max_size=20))
@few
def test_after_the_mean_half_life_half_is_left(values: list[float]) -> None:
    forget = np.array(values)[:, None]
    assert float(mean_forget(forget)[0]) ** float(mean_half_life(forget)[0]) == pytest.approx(0.5, rel=1e-9)


def test_a_forget_gate_as_close_to_one_as_float32_gets() -> None:
    f = np.float32(1) - np.float32(2**-24)
    assert float(half_life(np.array([f]))[0]) == pytest.approx(math.log(2) * 2**24, rel=1e-6)
