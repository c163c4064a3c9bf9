"""Weights under another rule: blocks that change places, and biases that are moved or left out."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import GATES, Gate
from lstm_explain.core.spec import Spec
from lstm_explain.core.weight_variants import add_forget_bias, remove_bias, reorder_gates
from lstm_explain.core.weights import LayerWeights, Weights, seeded_weights
from tests.helpers.random_lstms import spec_options

few = settings(max_examples=30, deadline=None, derandomize=True)
ORDERS = list(permutations(GATES))


@st.composite
def weights(draw: st.DrawFn) -> Weights:
    spec = Spec.from_options(**draw(spec_options(samples=1, timesteps=1, most_features=3, most_units=4, most_layers=2)))
    return seeded_weights(spec, "pytorch", draw(st.integers(0, 99)))


def tensors(weights: Weights) -> list[dict[str, Any]]:
    return [part.tensors() for layer in weights.layers for part in layer.values()]


def assert_same(one: Weights, other: Weights) -> None:
    for mine, theirs in zip(tensors(one), tensors(other), strict=True):
        assert mine.keys() == theirs.keys()
        for name, array in mine.items():
            assert array.dtype == theirs[name].dtype
            assert np.array_equal(array, theirs[name])


def inverse(order: tuple[Gate, ...]) -> tuple[Gate, ...]:
    """Read i f g o as this, and what was read as `order` is i f g o again."""
    return tuple(GATES[order.index(gate)] for gate in GATES)


@given(weights=weights(), order=st.sampled_from(ORDERS))
@few
def test_each_block_becomes_the_gate_that_it_is_said_to_be(weights: Weights, order: tuple[Gate, ...]) -> None:
    changed = reorder_gates(weights, order)
    for before, after in zip(weights.layers, changed.layers, strict=True):
        for way, part in before.items():
            for read_as, really in zip(GATES, order, strict=True):
                old, new = part.columns(read_as), after[way].columns(really)
                assert np.array_equal(part.kernel[:, old], after[way].kernel[:, new])
                assert np.array_equal(part.recurrent_kernel[:, old], after[way].recurrent_kernel[:, new])
                assert part.bias is None or np.array_equal(part.bias[old], bias_of(after[way])[new])
            for name in ("projection", "peephole"):
                assert getattr(after[way], name) is getattr(part, name)


@given(weights=weights(), order=st.sampled_from(ORDERS))
@few
def test_read_back_they_are_the_same(weights: Weights, order: tuple[Gate, ...]) -> None:
    assert_same(reorder_gates(reorder_gates(weights, order), inverse(order)), weights)
    assert_same(reorder_gates(weights, GATES), weights)


@given(weights=weights(), more=st.sampled_from([1.0, -1.0, 0.5]))
@few
def test_a_number_is_added_to_the_forget_gate_alone(weights: Weights, more: float) -> None:
    for before, after in zip(tensors(weights), tensors(add_forget_bias(weights, more)), strict=True):
        part = LayerWeights(**after)
        added = bias_of(part) - before.get("bias", 0)
        assert np.allclose(added[part.columns(Gate.FORGET)], more, atol=1e-6)
        assert not any(added[part.columns(gate)].any() for gate in GATES if gate is not Gate.FORGET)
        assert {name: array.dtype for name, array in after.items()} == dict.fromkeys(after, before["kernel"].dtype)


@given(weights=weights())
@few
def test_biases_are_left_out(weights: Weights) -> None:
    for before, after in zip(tensors(weights), tensors(remove_bias(weights)), strict=True):
        assert before.keys() == after.keys()
        assert not after.get("bias", np.zeros(1)).any()
        assert after["kernel"] is before["kernel"]


def test_the_weights_given_are_left_as_they_are() -> None:
    before = seeded_weights(Spec.from_options(1, 1, 3, 4))
    copy = Weights(tuple({way: LayerWeights(*map(_copied, part)) for way, part in layer.items()} for layer in before.layers))
    reorder_gates(before, ORDERS[5])
    add_forget_bias(before, 1.0)
    remove_bias(before)
    assert_same(before, copy)


@pytest.mark.parametrize("order", ORDERS)
def test_no_two_orders_are_alike(order: tuple[Gate, ...]) -> None:
    before = seeded_weights(Spec.from_options(1, 1, 3, 4), "pytorch")
    kernels = [reorder_gates(before, other).layers[0] for other in ORDERS]
    same = [place for place, layer in enumerate(kernels) if np.array_equal(*_kernels(layer, kernels[ORDERS.index(order)]))]
    assert same == [ORDERS.index(order)]


def _kernels(one: Any, other: Any) -> tuple[Any, Any]:
    (mine,), (theirs,) = one.values(), other.values()
    return mine.kernel, theirs.kernel


def _copied(array: Any) -> Any:
    return None if array is None else array.copy()


def bias_of(part: LayerWeights) -> Any:
    assert part.bias is not None
    return part.bias
