"""`keras.layers.LSTM` and `keras.layers.Bidirectional`, given our weights, compute what we compute."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import Direction
from lstm_explain.core.spec import Spec
from lstm_explain.core.weights import LayerWeights, Weights, seeded_weights
from lstm_explain.frameworks.keras import KERAS_CONVENTION
from lstm_explain.library import seeded
from lstm_explain.topics.shapes import explain_shapes
from tests.helpers.framework_weights import layer_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")]

TOLERANCE = 2e-6
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.fixed_dictionaries(
    {
        "samples": st.integers(2, 6),
        "timesteps": st.integers(2, 8),
        "features": st.integers(1, 6),
        "units": st.integers(2, 7),
    }
)
few = settings(max_examples=3, deadline=None, derandomize=True)  # Keras compiles anew for every example


def layer_of(keras: Any, spec: Spec, layer: int, **options: Any) -> Any:
    one = keras.layers.LSTM(spec.units, use_bias=spec.bias, return_sequences=True, return_state=True, **options)
    built = keras.layers.Bidirectional(one) if spec.bidirectional else one
    built.build((spec.samples, spec.timesteps, spec.features_of(layer)))
    return built


def run(keras: Any, case: Any) -> dict[str, Array]:
    spec, below, last = case.spec, case.inputs, []
    mask = None if case.lengths is None else np.arange(spec.timesteps) < case.lengths[:, None]
    for layer in range(len(spec.layers)):
        built = layer_of(keras, spec, layer, kernel_initializer="zeros", recurrent_initializer="zeros")
        built.set_weights(layer_weights(case.weights, layer))
        below, *states = built(below, initial_state=initial_of(case, layer), mask=mask)
        last += states
    output = np.asarray(below)
    if mask is not None:
        output = output * mask[:, :, None]  # Keras repeats the last output; we write zeros
    return {"output": output, "hidden": np.stack(last[0::2]), "cell": np.stack(last[1::2])}


def initial_of(case: Any, layer: int) -> list[Array] | None:
    """A layer's initial states as Keras takes them: h, c of the forward direction, then those of the backward one."""
    if case.initial is None:
        return None
    ways = len(case.spec.directions)
    places = range(layer * ways, (layer + 1) * ways)
    return [state for place in places for state in (case.initial.hidden[place], case.initial.cell[place])]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@given(sizes=SIZES, seed=SEEDS, layers=st.integers(1, 2), initial=st.booleans())
@few
def test_stack(
    keras: Any,
    case: Callable[..., Any],
    bidirectional: bool,
    bias: bool,
    sizes: dict[str, Any],
    seed: int,
    layers: int,
    initial: bool,
) -> None:
    spec = Spec.from_options(**sizes, layers=layers, bidirectional=bidirectional, bias=bias)
    one = case(spec, seed, initial=initial)
    assert one.difference(run(keras, one)) <= TOLERANCE


@pytest.mark.parametrize("bidirectional", [True, False])
@given(sizes=SIZES, seed=SEEDS, initial=st.booleans())
@settings(few, max_examples=2)
def test_masked_timesteps(
    keras: Any, case: Callable[..., Any], bidirectional: bool, sizes: dict[str, Any], seed: int, initial: bool
) -> None:
    spec = Spec.from_options(**sizes, layers=2, bidirectional=bidirectional)
    one = case(spec, seed, lengths=True, initial=initial)
    assert one.difference(run(keras, one)) <= TOLERANCE


def test_swapped_weights_are_noticed(keras: Any, case: Callable[..., Any]) -> None:
    ours = case(Spec.from_options(4, 6, 3, 5, bidirectional=True), 1)
    assert ours.difference(run(keras, ours)) <= TOLERANCE
    for change in (forget_and_candidate_swapped, directions_swapped):
        assert ours.difference(run(keras, replace(ours, weights=change(ours.weights)))) > 1e-2


def forget_and_candidate_swapped(weights: Weights) -> Weights:
    def swap(array: Array) -> Array:
        i, f, g, o = np.split(array, 4, axis=-1)
        return np.concatenate([i, g, f, o], axis=-1)

    def changed(part: LayerWeights) -> LayerWeights:
        return LayerWeights(**{name: swap(array) for name, array in part.tensors().items()})

    return Weights(tuple({way: changed(part) for way, part in parts.items()} for parts in weights.layers))


def directions_swapped(weights: Weights) -> Weights:
    forward, backward = Direction.FORWARD, Direction.BACKWARD
    return Weights(tuple({forward: parts[backward], backward: parts[forward]} for parts in weights.layers))


@given(sizes=SIZES, layers=st.integers(1, 3), bidirectional=st.booleans(), bias=st.booleans())
@settings(few, max_examples=15)
def test_parameter_counts(keras: Any, sizes: dict[str, Any], layers: int, bidirectional: bool, bias: bool) -> None:
    lstm = seeded(**sizes, layers=layers, bidirectional=bidirectional, bias=bias)
    zeros = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
    theirs = sum(layer_of(keras, lstm.spec, layer, **zeros).count_params() for layer in range(layers))
    assert explain_shapes(lstm).frameworks["keras"] == theirs


def test_default_initialiser(keras: Any) -> None:
    keras.utils.set_random_seed(0)
    spec = Spec.from_options(features=48, units=64)
    ours = KERAS_CONVENTION.pack(seeded_weights(spec).of(0, Direction.FORWARD))
    kernel, recurrent, bias = (np.asarray(weight) for weight in layer_of(keras, spec, 0).get_weights())
    limit = np.sqrt(6 / (48 + 4 * 64))
    for one in (ours["kernel"], kernel):
        assert 0.99 * limit < np.max(np.abs(one)) <= limit
        assert abs(np.std(one) - limit / np.sqrt(3)) < 0.02 * limit
    for one in (ours["recurrent_kernel"], recurrent):
        assert np.max(np.abs(one @ one.T - np.eye(64))) < 1e-5
        assert abs(np.mean(one)) < 4e-3
    np.testing.assert_array_equal(ours["bias"], bias)
