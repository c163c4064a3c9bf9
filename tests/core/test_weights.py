"""The weights: their shapes, their number, and the two seeded initialisers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Direction, Gate
from lstm_explain.core.spec import INITS, Spec
from lstm_explain.core.weights import (
    WEIGHT_NAMES,
    Weights,
    check_weights,
    parameter_counts,
    seeded_weights,
    weight_shapes,
)
from lstm_explain.errors import UsageError
from tests.helpers.random_lstms import spec_options

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array

few = settings(max_examples=40, deadline=None)


def specs() -> st.SearchStrategy[Spec]:
    return spec_options(most_features=6, most_units=8).map(lambda options: Spec.from_options(**options))


def every_array(weights: Weights) -> list[Array]:
    return [array for parts in weights.layers for part in parts.values() for array in part.tensors().values()]


@pytest.mark.parametrize(
    ("options", "total"),
    [
        ({"bias": False}, 600),
        ({}, 640),
        ({"peepholes": True}, 670),
        ({"bidirectional": True}, 1280),
        ({"layers": 2}, 1480),
        ({"units": 1}, 28),
        ({"projection": 3}, 4 * 10 * (5 + 3 + 1) + 30),
        ({"projection": 3, "layers": 2}, 390 + 4 * 10 * (3 + 3 + 1) + 30),
        ({"bidirectional": True, "layers": 2}, 2 * 640 + 2 * 4 * 10 * (20 + 10 + 1)),
    ],
)
def test_known_totals(options: dict[str, Any], total: int) -> None:
    assert sum(parameter_counts(Spec.from_options(**options)).values()) == total


def test_counts_by_name() -> None:
    assert parameter_counts(Spec.from_options(peepholes=True, projection=3)) == {
        "kernel": 200,
        "recurrent_kernel": 120,
        "bias": 40,
        "projection": 30,
        "peephole": 30,
    }


def test_counts_are_exact_beyond_64_bits() -> None:
    assert sum(parameter_counts(Spec.from_options(units=10**12, features=10**12)).values()) == 8 * 10**24 + 4 * 10**12


def test_the_shapes_say_which_axis_is_which() -> None:
    shapes = weight_shapes(Spec.from_options(projection=3, peepholes=True, bidirectional=True, layers=2), 1)
    assert {name: str(axes) for name, axes in shapes.items()} == {
        "kernel": "[features=6, 4*units=40]",
        "recurrent_kernel": "[hidden=3, 4*units=40]",
        "bias": "[4*units=40]",
        "projection": "[units=10, hidden=3]",
        "peephole": "[gates=3, units=10]",
    }


@given(spec=specs(), init=st.sampled_from(INITS), seed=st.integers(0, 2**53 - 1))
@few
def test_the_weights_made_are_those_computed(spec: Spec, init: Any, seed: int) -> None:
    weights = seeded_weights(spec, init, seed)
    check_weights(spec, weights)
    arrays = every_array(weights)
    assert sum(array.size for array in arrays) == sum(parameter_counts(spec).values())
    assert {array.dtype.name for array in arrays} == {spec.dtype}
    assert all(np.isfinite(array).all() for array in arrays)
    for layer, parts in enumerate(weights.layers):
        assert tuple(parts) == spec.for_layer(layer).directions
        for part in parts.values():
            assert part.units == spec.for_layer(layer).units
            assert list(part.tensors()) == [name for name in WEIGHT_NAMES if name in weight_shapes(spec, layer)]


@given(spec=specs(), init=st.sampled_from(INITS), seed=st.integers(0, 2**53 - 1))
@few
def test_the_same_seed_makes_the_same_weights(spec: Spec, init: Any, seed: int) -> None:
    once, again = (every_array(seeded_weights(spec, init, seed)) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("init", INITS)
def test_seeds_layers_and_directions_differ(init: Any) -> None:
    spec = Spec.from_options(features=10, layers=3, bidirectional=True, units=10, projection=5)
    kernels = [
        seeded_weights(spec, init, seed).of(layer, way).kernel
        for seed in (0, 1)
        for layer in (1, 2)
        for way in spec.directions
    ]
    numbers = np.concatenate([kernel.ravel() for kernel in kernels])
    assert len(np.unique(numbers)) > 0.999 * numbers.size


@pytest.mark.parametrize("init", INITS)
def test_the_first_layer_does_not_depend_on_the_number_of_layers(init: Any) -> None:
    one, two = (seeded_weights(Spec.from_options(layers=layers), init).of(0, Direction.FORWARD) for layers in (1, 2))
    np.testing.assert_array_equal(one.kernel, two.kernel)


@given(spec=specs(), seed=st.integers(0, 100))
@few
def test_keras_initialiser(spec: Spec, seed: int) -> None:
    for parts in seeded_weights(spec, "keras", seed).layers:
        for part in parts.values():
            for array in (part.kernel, part.projection):
                if array is not None:
                    assert np.max(np.abs(array)) <= math.sqrt(6 / sum(array.shape)) * (1 + 1e-6)
            r = part.recurrent_kernel.astype(np.float64)
            np.testing.assert_allclose(r @ r.T, np.eye(len(r)), atol=1e-6)
            if part.bias is not None:
                for gate in GATES:
                    assert set(part.bias[part.columns(gate)]) == {float(gate is Gate.FORGET)}


def test_keras_kernel_reaches_its_limits() -> None:
    kernel = seeded_weights(Spec.from_options(features=50, units=50)).of(0, Direction.FORWARD).kernel
    limit = math.sqrt(6 / 250)
    assert kernel.max() > 0.999 * limit
    assert kernel.min() < -0.999 * limit
    assert abs(kernel.mean()) < 0.02 * limit


@given(spec=specs(), seed=st.integers(0, 100))
@few
def test_pytorch_initialiser(spec: Spec, seed: int) -> None:
    for parts in seeded_weights(spec, "pytorch", seed).layers:
        for part in parts.values():
            for array in part.tensors().values():
                assert np.max(np.abs(array)) <= 1 / math.sqrt(part.units) * (1 + 1e-6)


def test_pytorch_fills_every_tensor_to_its_limits() -> None:
    for array in every_array(
        seeded_weights(Spec.from_options(features=60, units=400, projection=60, peepholes=True), "pytorch")
    ):
        assert array.max() > 0.98 / 20
        assert array.min() < -0.98 / 20


def test_an_unknown_initialiser_is_refused() -> None:
    with pytest.raises(UsageError) as raised:
        seeded_weights(Spec(), "glorot")  # type: ignore[arg-type]
    assert raised.value.asked == "init='glorot'"
    assert raised.value.found == "the initialisers are keras and pytorch"


def test_columns_stand_in_the_canonical_order() -> None:
    weights = seeded_weights(Spec.from_options(units=3)).of(0, Direction.FORWARD)
    assert [weights.columns(gate) for gate in GATES] == [slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 12)]


def test_peepholes_by_gate() -> None:
    weights = seeded_weights(Spec.from_options(units=3, peepholes=True)).of(0, Direction.FORWARD)
    assert weights.peephole is not None
    assert weights.peephole_of(Gate.CANDIDATE) is None
    for row, gate in enumerate(PEEPHOLE_GATES):
        found = weights.peephole_of(gate)
        assert found is not None
        np.testing.assert_array_equal(found, weights.peephole[row])
    assert weights._replace(peephole=None).peephole_of(Gate.INPUT) is None


@pytest.mark.parametrize("name", WEIGHT_NAMES)
def test_missing_and_misshapen_weights_are_refused(name: str) -> None:
    spec = Spec.from_options(units=4, projection=2, peepholes=True, bidirectional=True)
    good = seeded_weights(spec)
    part = good.of(0, Direction.BACKWARD)
    for array, words in ((None, "these weights are missing"), (part.tensors()[name][..., 1:], "the array given is float32[")):
        changed: dict[str, Any] = {name: array}
        wrong = part._replace(**changed)
        with pytest.raises(UsageError) as raised:
            check_weights(spec, Weights((good.layers[0] | {Direction.BACKWARD: wrong},)))
        assert raised.value.asked.startswith(f"layer 0 backward {name} [")
        assert words in raised.value.found


def test_weights_are_frozen() -> None:
    weights = seeded_weights(Spec())
    with pytest.raises(AttributeError):
        weights.layers = ()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        weights.of(0, Direction.FORWARD).bias = None  # type: ignore[misc]
