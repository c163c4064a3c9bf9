"""The gradient of one timestep: equal to differences of the reference step, and its zeros counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.cell import step
from lstm_explain.core.engine import forward
from lstm_explain.core.gates import GATES, Direction, Gate
from lstm_explain.core.spec import Spec
from lstm_explain.core.weights import LayerWeights, Weights, parameter_counts, seeded_weights
from lstm_explain.core.zero_gradients import _backpropagate_step, zero_gradient_parameters
from tests.helpers.random_lstms import random_state, spec_options

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array


def specs() -> st.SearchStrategy[Spec]:
    return spec_options(samples=3, timesteps=1, features=4, most_units=5).map(lambda options: Spec.from_options(**options))


few = settings(max_examples=60, deadline=None)


def a_record(spec: Spec, seed: int, carried: bool) -> tuple[Weights, Any]:
    weights, numbers = seeded_weights(spec, "pytorch", seed), np.random.default_rng(seed)
    state = random_state(spec, numbers) if carried else None
    return weights, forward(spec, weights, numbers.normal(size=(spec.samples, 1, spec.features)), state)


def counts(weights: Weights, record: Any, samples: int) -> dict[tuple[str, Gate | None], tuple[int, int]]:
    found = zero_gradient_parameters(weights, record, np.arange(samples))
    return {(one.tensor, one.gate): (one.zero, one.total) for one in found}


@given(specs(), st.integers(0, 1000))
@few
def test_from_zero_the_recurrent_weights_and_the_forget_gate_are_idle(spec: Spec, seed: int) -> None:
    found = counts(*a_record(spec, seed, carried=False), 3)
    by_tensor = parameter_counts(spec)
    assert {name: sum(total for (one, _), (_, total) in found.items() if one == name) for name in by_tensor} == by_tensor
    for (tensor, gate), (idle, total) in found.items():
        looks_back = tensor == "recurrent_kernel" or (tensor == "peephole" and gate is Gate.INPUT)
        assert idle == (total if looks_back or gate is Gate.FORGET else 0), (tensor, gate)


@given(specs(), st.integers(0, 1000))
@few
def test_from_a_carried_state_nothing_is_idle(spec: Spec, seed: int) -> None:
    assert {idle for idle, _ in counts(*a_record(spec, seed, carried=True), 3).values()} == {0}


def test_an_input_that_is_always_zero_is_idle_too() -> None:
    spec = Spec.from_options(samples=2, timesteps=1, features=3, units=4, dtype="float64")
    weights = seeded_weights(spec)
    inputs = np.ones((2, 1, 3))
    inputs[:, :, 1] = 0
    found = counts(weights, forward(spec, weights, inputs), 2)
    assert found["kernel", Gate.INPUT] == (4, 12)
    assert found["kernel", Gate.FORGET] == (12, 12)


@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("projection", [None, 2])
def test_the_gradient_is_that_of_the_reference_step(projection: int | None, peepholes: bool) -> None:
    """Of one sample, so that its size is the gradient's own; by central differences of `core/cell.py`."""
    spec = Spec.from_options(
        samples=1, timesteps=1, features=3, units=4, projection=projection, peepholes=peepholes, dtype="float64"
    )
    weights, record = a_record(spec, 7, carried=True)
    own, part = weights.of(0, Direction.FORWARD), record.of(0, Direction.FORWARD)
    sizes, below = _backpropagate_step(own, part, np.array([0]), np.ones((1, spec.hidden)))

    def emitted(changed: LayerWeights, x: Array) -> float:
        return float(step(changed, x, part.initial_hidden, part.initial_cell).h.sum())

    x = np.array(part.input[:, 0])
    for name, array in own.tensors().items():
        expected = np.zeros_like(array)
        for place in np.ndindex(*array.shape):
            near = [emitted(own._replace(**{name: moved(array, place, by)}), x) for by in (1e-6, -1e-6)]
            expected[place] = abs(near[0] - near[1]) / 2e-6
        np.testing.assert_allclose(getattr(sizes, name), expected, atol=1e-8, err_msg=name)
    steps = [(emitted(own, moved(x, (0, one), 1e-6)) - emitted(own, moved(x, (0, one), -1e-6))) / 2e-6 for one in range(3)]
    np.testing.assert_allclose(below[0], steps, atol=1e-8)


def moved(array: Array, place: tuple[int, ...], by: float) -> Array:
    changed = array.copy()
    changed[place] += by
    return changed


def test_a_weight_that_moves_nothing_in_one_sample_may_move_something_in_another() -> None:
    spec = Spec.from_options(samples=2, timesteps=1, features=2, units=3, dtype="float64")
    weights = seeded_weights(spec)
    inputs = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    record = forward(spec, weights, inputs)
    one = {(one.tensor, one.gate): one.zero for one in zero_gradient_parameters(weights, record, np.array([0]))}
    both = {(one.tensor, one.gate): one.zero for one in zero_gradient_parameters(weights, record, np.array([0, 1]))}
    assert [one["kernel", gate] for gate in GATES] == [3, 6, 3, 3]
    assert [both["kernel", gate] for gate in GATES] == [0, 6, 0, 0]
