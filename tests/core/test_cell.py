"""The reference step against the equations, number by number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.cell import sigmoid, step
from lstm_explain.core.gates import GATES, LETTERS, Direction, Gate
from lstm_explain.core.spec import Spec
from lstm_explain.core.weights import LayerWeights, seeded_weights

few = settings(max_examples=50, deadline=None)


def logistic(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def test_one_unit_by_hand() -> None:
    weights = LayerWeights(
        kernel=np.array([[0.5, -1.0, 2.0, 0.25]]),
        recurrent_kernel=np.array([[1.0, 0.5, -0.5, 2.0]]),
        bias=np.array([0.1, 0.2, 0.3, 0.4]),
    )
    made = step(weights, np.array([[2.0]]), np.array([[-1.0]]), np.array([[3.0]]))
    i, f = logistic(0.5 * 2 - 1.0 + 0.1), logistic(-1.0 * 2 - 0.5 + 0.2)
    g, o = math.tanh(2.0 * 2 + 0.5 + 0.3), logistic(0.25 * 2 - 2.0 + 0.4)
    c = f * 3 + i * g
    assert made.pre_activation.tolist() == [pytest.approx([0.1, -2.3, 4.8, -1.1])]
    found = [float(array[0, 0]) for array in (made.i, made.f, made.g, made.o, made.c, made.m, made.h)]
    assert found == pytest.approx([i, f, g, o, c, o * math.tanh(c), o * math.tanh(c)], rel=1e-15)


def test_peepholes_by_hand() -> None:
    """i and f look at the cell before the step, o at the cell after it."""
    p_i, p_f, p_o = 0.5, -0.25, 2.0
    weights = LayerWeights(np.zeros((1, 4)), np.zeros((1, 4)), np.array([0, 0, 1.0, 0]), None, np.array([[p_i], [p_f], [p_o]]))
    made = step(weights, np.zeros((1, 1)), np.zeros((1, 1)), np.array([[3.0]]))
    i, f, g = logistic(p_i * 3), logistic(p_f * 3), math.tanh(1)
    c = f * 3 + i * g
    assert made.pre_activation.tolist() == [pytest.approx([p_i * 3, p_f * 3, 1, p_o * c])]
    assert [float(made.i[0, 0]), float(made.f[0, 0]), float(made.c[0, 0])] == pytest.approx([i, f, c])
    assert float(made.o[0, 0]) == pytest.approx(logistic(p_o * c))


def test_a_projection_maps_what_the_units_emit() -> None:
    spec = Spec.from_options(units=4, projection=2, features=3, dtype="float64")
    weights = seeded_weights(spec).of(0, Direction.FORWARD)
    assert weights.projection is not None
    made = step(weights, np.ones((5, 3)), np.ones((5, 2)), np.ones((5, 4)))
    np.testing.assert_allclose(made.m, made.o * np.tanh(made.c), rtol=1e-15)
    np.testing.assert_allclose(made.h, made.m @ weights.projection, rtol=1e-15)
    assert made.h.shape == (5, 2)


def test_without_a_projection_h_is_what_the_units_emit() -> None:
    made = step(seeded_weights(Spec()).of(0, Direction.FORWARD), np.ones((2, 5)), np.ones((2, 10)), np.ones((2, 10)))
    assert made.h is made.m


def arguments(spec: Spec, seed: int) -> tuple[Any, Any, Any]:
    numbers = np.random.default_rng(seed)
    return (
        numbers.normal(size=(spec.samples, spec.features)),
        numbers.normal(size=(spec.samples, spec.hidden)),
        numbers.normal(size=(spec.samples, spec.units)),
    )


@given(st.booleans(), st.booleans(), st.booleans(), st.integers(0, 2**32 - 1))
@few
def test_every_gate_is_its_activation_of_the_sum(bias: bool, peepholes: bool, projected: bool, seed: int) -> None:
    projection = 2 if projected else None
    spec = Spec.from_options(3, 1, 2, 4, bias=bias, peepholes=peepholes, projection=projection, dtype="float64")
    weights = seeded_weights(spec, "pytorch", seed % 1000).of(0, Direction.FORWARD)
    x, h, c = arguments(spec, seed)
    made = step(weights, x, h, c)
    np.testing.assert_array_equal(made.joined, np.concatenate([x, h], axis=1))
    for gate in GATES:
        z = x @ weights.kernel[:, weights.columns(gate)] + h @ weights.recurrent_kernel[:, weights.columns(gate)]
        z = z + (0 if weights.bias is None else weights.bias[weights.columns(gate)])
        p = weights.peephole_of(gate)
        if p is not None:
            z = z + p * (made.c if gate is Gate.OUTPUT else c)
        np.testing.assert_allclose(made.pre_activation[:, weights.columns(gate)], z, atol=1e-14)
        squashed = np.tanh(z) if gate is Gate.CANDIDATE else 1 / (1 + np.exp(-z))
        np.testing.assert_allclose(getattr(made, LETTERS[gate]), squashed, atol=1e-14)
    np.testing.assert_allclose(made.c, made.f * c + made.i * made.g, atol=1e-15)


@given(st.integers(0, 3), st.integers(0, 2**32 - 1))
@few
def test_a_unit_sees_only_its_own_cell(unit: int, seed: int) -> None:
    spec = Spec.from_options(3, 1, 2, 4, peepholes=True, dtype="float64")
    weights = seeded_weights(spec, seed=seed % 1000).of(0, Direction.FORWARD)
    x, h, c = arguments(spec, seed)
    other = c.copy()
    other[:, unit] += 1
    before, after = step(weights, x, h, c), step(weights, x, h, other)
    others = [place for place in range(4) if place != unit]
    for name in ("i", "f", "g", "o", "c", "h"):
        np.testing.assert_array_equal(getattr(before, name)[:, others], getattr(after, name)[:, others])
    assert (before.c[:, unit] != after.c[:, unit]).all()


@given(st.integers(0, 2**32 - 1))
@few
def test_the_arguments_are_left_as_they_were(seed: int) -> None:
    spec = Spec.from_options(3, 1, 2, 4, peepholes=True, dtype="float64")
    x, h, c = arguments(spec, seed)
    copies = [array.copy() for array in (x, h, c)]
    step(seeded_weights(spec).of(0, Direction.FORWARD), x, h, c)
    for array, copy in zip((x, h, c), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_the_type_is_kept() -> None:
    for dtype in (np.float32, np.float64):
        spec = Spec.from_options(dtype="float32" if dtype is np.float32 else "float64", peepholes=True, projection=3)
        zeros = [np.zeros((2, size), dtype) for size in (5, 3, 10)]
        made = step(seeded_weights(spec).of(0, Direction.FORWARD), zeros[0], zeros[1], zeros[2])
        assert {array.dtype.type for array in made} == {dtype}


def test_a_closed_forget_gate_forgets_and_a_closed_output_gate_is_silent() -> None:
    bias = np.zeros(4)
    weights = LayerWeights(np.zeros((1, 4)), np.zeros((1, 4)), bias)
    state = np.zeros((1, 1)), np.zeros((1, 1)), np.full((1, 1), 7.0)
    shut = weights._replace(bias=np.array([0, -1000.0, 0, -1000.0]))
    assert step(weights, *state).c.item() == 3.5
    assert step(shut, *state).c.item() == 0
    assert step(shut, *state).h.item() == 0


@given(st.floats(-745, 745))
def test_sigmoid(z: float) -> None:
    assert sigmoid(np.array(z)).item() == pytest.approx(logistic(z) if z > -700 else math.exp(z), rel=1e-14, abs=0)


def test_sigmoid_saturates_without_a_warning() -> None:
    ends = np.array([-np.inf, -1e30, 0, 1e30, np.inf], np.float32)
    assert sigmoid(ends).tolist() == [0, 0, 0.5, 1, 1]
    assert np.isnan(sigmoid(np.array([np.nan]))).all()
    assert sigmoid(ends).dtype == np.float32
