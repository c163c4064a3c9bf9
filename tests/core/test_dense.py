"""The dense layer: h W + b along the last axis, from a stream of its own."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.network import DENSE_STREAM, Dense, seeded_dense
from lstm_explain.core.spec import MAX_LAYERS

SIZES = st.integers(1, 8)


@given(SIZES, SIZES, SIZES, SIZES)
@settings(max_examples=50, deadline=None)
def test_every_output_is_a_sum_over_h(samples: int, steps: int, reads: int, outputs: int) -> None:
    numbers = np.random.default_rng(samples)
    dense = Dense(numbers.normal(size=(reads, outputs)), numbers.normal(size=outputs))
    hidden = numbers.normal(size=(samples, steps, reads))
    made = dense(hidden)
    for place in np.ndindex(samples, steps, outputs):
        k, t, out = place
        total = math.fsum(hidden[k, t, j] * dense.kernel[j, out] for j in range(reads)) + dense.bias[out]
        assert made[place] == pytest.approx(total, abs=1e-12)
    np.testing.assert_allclose(dense(hidden[0]), made[0], atol=1e-12)
    assert dense.parameters == (reads + 1) * outputs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_seeded_kernel_is_glorot_uniform_and_the_bias_zero(dtype: str) -> None:
    dense = seeded_dense(60, 40, dtype, 3)
    limit = math.sqrt(6 / 100)
    assert dense.kernel.dtype == dense.bias.dtype == dtype
    assert 0.99 * limit < np.max(np.abs(dense.kernel)) <= limit
    assert abs(float(dense.kernel.mean())) < 0.02 * limit
    assert not dense.bias.any()
    np.testing.assert_array_equal(seeded_dense(60, 40, dtype, 3).kernel, dense.kernel)
    assert not np.array_equal(seeded_dense(60, 40, dtype, 4).kernel, dense.kernel)


def test_the_first_numbers_are_pinned() -> None:
    np.testing.assert_allclose(seeded_dense(2, 2, "float64", 0).kernel, PINNED, atol=1e-15)


PINNED = [[0.14448319178198324, -0.1422533909959779], [-0.4195791214792089, -0.038199809760999216]]


def test_no_layer_of_any_stack_draws_from_the_same_stream() -> None:
    assert DENSE_STREAM > 2 * (2 * MAX_LAYERS)
    assert DENSE_STREAM % 2 == 1


def test_nan_is_no_warning() -> None:
    assert np.isnan(seeded_dense(2, 1, "float32", 0)(np.array([[np.nan, np.inf]], np.float32))).all()
