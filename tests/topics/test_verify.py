"""verify: outputs that are an LSTM's, and outputs that would be under another reading of the same weights."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.engine import StackState
from lstm_explain.core.gates import GATES, Direction, Gate
from lstm_explain.core.lstm import LSTM, PretrainedWeights
from lstm_explain.core.spec import LayerSpec, Spec
from lstm_explain.core.weight_variants import (
    add_forget_bias,
    remove_bias,
    reorder_gates,
    replace_biases,
    swap_directions,
)
from lstm_explain.core.weights import Weights, seeded_weights
from lstm_explain.errors import RefusedError, UsageError
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.library import given as lstm_over
from lstm_explain.library import seeded
from lstm_explain.topics.result import to_plain
from lstm_explain.topics.verify import MAX_SAMPLES, Verify, explain_verify
from lstm_explain.topics.verify.weight_interpretations import SINGLE_BIASES, BiasReading, InputLayout, Interpretation
from tests.helpers.mixed_stacks import MIXED
from tests.helpers.random_lstms import spec_options

Array = np.ndarray[Any, Any]
ORDERS = list(permutations(GATES))
SIZES: dict[str, Any] = {"samples": 3, "timesteps": 4, "features": 2, "units": 3, "dtype": "float64"}
few = settings(max_examples=15, deadline=None, derandomize=True)


def lstm_with(
    weights: Weights, inputs: Array, framework: str = "keras", initial: StackState | None = None, **options: Any
) -> LSTM:
    spec = Spec.from_options(*inputs.shape, **{"units": 3, "dtype": "float64", **options})
    about = {"kind": "model", "file": "x.npz", "layer": "lstm", "framework": framework, "title": framework}
    return lstm_over(inputs, loaded=PretrainedWeights(weights, about, initial), **spec.to_dict())


def inputs_of(seed: int = 0, samples: int = 3, timesteps: int = 4, features: int = 2) -> Array:
    return np.random.default_rng(seed).normal(size=(samples, timesteps, features))


def inverse(order: tuple[Gate, ...]) -> tuple[Gate, ...]:
    return tuple(GATES[order.index(gate)] for gate in GATES)


@st.composite
def lstms(draw: st.DrawFn, /, **fixed: Any) -> LSTM:
    options = draw(spec_options(4, 5, 4, 3, 2, **fixed))
    return seeded(**options, init=draw(st.sampled_from(["keras", "pytorch"])), seed=draw(st.integers(0, 99)))


def last_of(lstm: LSTM) -> Array:
    return np.concatenate([part.last_hidden for part in lstm.run().layers[-1].values()], axis=1)


# --- outputs that are its own -----------------------------------------------------------------------------------------


@given(lstm=lstms())
@few
def test_its_own_outputs_agree_in_every_arrangement(lstm: LSTM) -> None:
    output, spec = lstm.run().output, lstm.spec
    shapes = [output, np.swapaxes(output, 0, 1), last_of(lstm), last_of(lstm)[None]]
    for expected in shapes:
        verify = explain_verify(lstm, expected, 0.0)
        assert verify.agrees
        assert (verify.difference, verify.tried, verify.alternatives, verify.closest) == (0.0, 0, (), None)
        assert verify.compared in (output.size, spec.samples * spec.output)
    if spec.samples == 1:
        assert explain_verify(lstm, output[0], 0.0).agrees


@given(lstm=lstms(), by=st.sampled_from([1e-3, -0.5, 2.0]), data=st.data())
@few
def test_the_largest_difference_and_where_it_is(lstm: LSTM, by: float, data: st.DataObject) -> None:
    expected = lstm.run().output.copy()
    place = tuple(data.draw(st.integers(0, size - 1)) for size in expected.shape)
    expected[place] += expected.dtype.type(by)
    verify = explain_verify(lstm, expected, 10.0)
    assert verify.agrees
    assert verify.difference == pytest.approx(abs(by), rel=1e-3)
    assert verify.where == {"sample": place[0], "timestep": place[1] + 1, "number": place[2]}


def test_outputs_that_no_lstm_makes_do_not_agree() -> None:
    assert not explain_verify(seeded(**{**SIZES, "units": 1}), np.full((3, 4, 1), 9.0)).agrees


def test_of_the_last_h_there_is_no_timestep() -> None:
    lstm = seeded(**SIZES)
    expected = last_of(lstm)
    expected[2, 1] += 0.1
    verify = explain_verify(lstm, expected)
    assert (verify.output, verify.where) == ("last hidden", {"sample": 2, "number": 1})


def test_initial_states_of_a_model_are_started_from() -> None:
    inputs, weights = inputs_of(), seeded_weights(Spec.from_options(1, 1, 2, 3, dtype="float64"), "pytorch")
    initial = StackState.from_stacked(np.full((1, 1, 3), 0.5), np.full((1, 1, 3), -0.5))
    output = lstm_with(weights, inputs, initial=initial).run().output
    assert explain_verify(lstm_with(weights, inputs, initial=initial), output).agrees
    permuted = lstm_with(reorder_gates(weights, ORDERS[7]), inputs, initial=initial)
    assert explain_verify(permuted, output).alternatives[0].difference < 1e-12
    assert not explain_verify(permuted, lstm_with(weights, inputs).run().output).alternatives


# --- another reading --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("framework", ["keras", "pytorch", "onnx", "lstm-explain"])
def test_each_order_of_the_gates_is_found_as_it_stands_in_the_file(order: tuple[Gate, ...], framework: str) -> None:
    """A file whose blocks stand in `order` is read as if they stood in its framework's."""
    inputs, weights = inputs_of(), seeded_weights(Spec.from_options(1, 1, 2, 3, dtype="float64"), "pytorch")
    output = lstm_with(weights, inputs).run().output
    convention = CONVENTIONS.get(framework)
    as_read = GATES if convention is None else convention.gate_order
    really = tuple(order[as_read.index(gate)] for gate in GATES)  # what was read as i, f, g and o
    misread = reorder_gates(weights, inverse(really))
    verify = explain_verify(lstm_with(misread, inputs, framework), output, 1e-12)
    if order == as_read:
        assert verify.agrees
        return
    assert not verify.agrees
    (found,) = verify.alternatives
    assert found.gate_order == order
    assert found.reading == Interpretation(gates=really)
    assert to_plain(found)["gate_order"] == [gate.value for gate in order]


@given(
    order=st.sampled_from(ORDERS),
    bias=st.sampled_from(["as in the file", "1 added to the forget gate", "1 taken from the forget gate", "left out"]),
    layout=st.sampled_from(["samples first", "timesteps first"]),
    backwards=st.booleans(),
    layers=st.integers(1, 2),
    bidirectional=st.booleans(),
    projection=st.sampled_from([None, 2]),
    peepholes=st.booleans(),
    seed=st.integers(0, 99),
)
@few
def test_every_other_reading_is_found(
    order: tuple[Gate, ...], bias: BiasReading, layout: InputLayout, backwards: bool, seed: int, **options: Any
) -> None:
    """Outputs of other weights over other inputs, of which the ones given are a reading."""
    backwards = backwards and not options["bidirectional"]
    reading = Interpretation(order, bias, layout, backwards)
    inputs = inputs_of(seed)
    weights = seeded_weights(Spec.from_options(1, 1, 2, 3, dtype="float64", **options), "pytorch", seed)
    shift = {"1 added to the forget gate": 1.0, "1 taken from the forget gate": -1.0}.get(bias)
    really = reorder_gates(weights, order)
    really = remove_bias(really) if bias == "left out" else really if shift is None else add_forget_bias(really, shift)
    seen = inputs if layout == "samples first" else inputs.swapaxes(0, 1)
    made = lstm_with(really, seen[:, ::-1] if backwards else seen, **options).run().output
    made = made[:, ::-1] if backwards else made
    expected = made if layout == "samples first" else made.swapaxes(0, 1)
    verify = explain_verify(lstm_with(weights, inputs, **options), expected, 1e-12)
    if reading == Interpretation():
        assert verify.agrees
    else:
        assert reading in [one.reading for one in verify.alternatives]
        assert all(one.difference <= 1e-12 for one in verify.alternatives)
        assert verify.closest is None


def test_a_last_h_may_have_been_read_from_the_other_end() -> None:
    inputs, weights = inputs_of(), seeded_weights(Spec.from_options(1, 1, 2, 3, dtype="float64"))
    expected = last_of(lstm_with(weights, inputs[:, ::-1]))
    (found,) = explain_verify(lstm_with(weights, inputs), expected, 1e-12).alternatives
    assert found.reading == Interpretation(reversed=True)


@pytest.mark.parametrize("turned", [False, True])
def test_outputs_of_what_was_read_from_the_end_may_stand_in_that_order(turned: bool) -> None:
    """As a layer of Keras with go_backwards gives them, or any LSTM that was fed `x[:, ::-1]`."""
    inputs, weights = inputs_of(), seeded_weights(Spec.from_options(1, 1, 2, 3, dtype="float64"))
    made = lstm_with(weights, inputs[:, ::-1]).run().output
    (found,) = explain_verify(lstm_with(weights, inputs), made[:, ::-1] if turned else made, 1e-12).alternatives
    assert found.reading == Interpretation(reversed=True, in_reading_order=not turned)
    assert to_plain(found)["in_reading_order"] is not turned


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_the_two_directions_may_have_changed_places(layers: int, last: bool) -> None:
    inputs = inputs_of()
    weights = seeded_weights(Spec.from_options(1, 1, 2, 3, layers=layers, bidirectional=True, dtype="float64"), "pytorch")
    swapped = Weights(
        tuple(
            {Direction.FORWARD: layer[Direction.BACKWARD], Direction.BACKWARD: layer[Direction.FORWARD]}
            for layer in weights.layers
        )
    )
    own, other = (lstm_with(one, inputs, bidirectional=True, layers=layers) for one in (weights, swapped))
    expected = last_of(other) if last else other.run().output
    (found,) = explain_verify(own, expected, 1e-12).alternatives
    assert found.reading == Interpretation(directions="weights swapped")
    made = last_of(own) if last else own.run().output
    halves = np.concatenate([made[..., 3:], made[..., :3]], axis=-1)
    (found,) = explain_verify(own, halves, 1e-12).alternatives
    assert found.reading == Interpretation(directions="outputs swapped")


@pytest.mark.parametrize("kept", [0, 1])
def test_of_two_biases_one_may_have_been_left_out(kept: int) -> None:
    inputs, weights = inputs_of(), seeded_weights(Spec.from_options(1, 1, 2, 3, dtype="float64"), "pytorch")
    (own,) = weights.layers[0].values()
    assert own.bias is not None
    both = own.bias * 0.25, own.bias * 0.75
    single = tuple(({Direction.FORWARD: bias},) for bias in both)
    alone = Weights(({Direction.FORWARD: own._replace(bias=both[kept])},))
    lstm, expected = lstm_with(weights, inputs), lstm_with(alone, inputs).run().output
    assert explain_verify(lstm, expected, 1e-12).alternatives == ()
    (found,) = explain_verify(lstm, expected, 1e-12, lambda: single).alternatives
    assert found.reading == Interpretation(bias=SINGLE_BIASES[kept])
    assert explain_verify(lstm, np.zeros((3, 4, 3)), 1e-12, lambda: single).tried == 24 * 6 * 2 * 3 - 1


def test_biases_are_not_read_one_by_one_where_the_outputs_agree() -> None:
    lstm = seeded(**SIZES)
    assert explain_verify(lstm, lstm.run().output, 0.0, lambda: pytest.fail("they were asked for")).agrees


def test_without_a_bias_one_may_have_been_added() -> None:
    inputs, weights = inputs_of(), seeded_weights(Spec.from_options(1, 1, 2, 3, bias=False, dtype="float64"))
    expected = lstm_with(add_forget_bias(weights, 1.0), inputs).run().output
    (found,) = explain_verify(lstm_with(weights, inputs, bias=False), expected, 1e-12).alternatives
    assert found.reading == Interpretation(bias="1 added to the forget gate")
    assert "left out" not in [one.reading.bias for one in (found,)]


def test_the_simplest_reading_comes_first() -> None:
    """With weights of which two gates are alike, more than one reading agrees."""
    inputs, weights = inputs_of(), seeded_weights(Spec.from_options(1, 1, 2, 3, dtype="float64"), "pytorch")
    verify = explain_verify(lstm_with(weights, inputs), lstm_with(weights, inputs[:, ::-1]).run().output[:, ::-1], 1.0)
    assert verify.agrees
    verify = explain_verify(lstm_with(weights, inputs), lstm_with(weights, inputs[:, ::-1]).run().output[:, ::-1], 1e-12)
    changes = [
        sum(one != other for one, other in zip(found.reading, Interpretation(), strict=True)) for found in verify.alternatives
    ]
    assert changes == sorted(changes)
    assert verify.alternatives[0].reading == Interpretation(reversed=True)


def test_where_none_agrees_the_closest_is_told() -> None:
    lstm = seeded(**SIZES)
    verify = explain_verify(lstm, np.zeros((3, 4, 3)))
    assert verify.alternatives == ()
    assert verify.tried == 24 * 4 * 2 * 3 - 1
    assert verify.closest is not None
    assert verify.closest.difference > verify.tolerance


def test_the_file_as_it_was_read_is_one_of_the_closest() -> None:
    lstm = seeded(**SIZES)
    verify = explain_verify(lstm, lstm.run().output + 0.01)
    assert verify.closest is not None
    assert (verify.closest.reading, verify.closest.gate_order) == (Interpretation(), GATES)
    assert verify.closest.difference == pytest.approx(0.01)


@pytest.mark.slow
@given(lstm=lstms(bidirectional=True))
@settings(few, max_examples=6)
def test_both_directions_are_not_turned_round(lstm: LSTM) -> None:
    verify = explain_verify(lstm, np.full((lstm.spec.samples, lstm.spec.timesteps, lstm.spec.output), 9.0))
    biased = any(lstm.spec.for_layer(layer).bias for layer in range(len(lstm.spec.layers)))
    assert verify.tried == 24 * (4 if biased else 3) * 2 * 3 - 1
    assert verify.closest is not None
    assert not verify.closest.reading.reversed


def test_other_readings_are_tried_on_a_few_samples() -> None:
    lstm = seeded(**{**SIZES, "samples": 40})
    verify = explain_verify(lstm, np.zeros((40, 4, 3)))
    assert verify.samples_tried == MAX_SAMPLES
    assert explain_verify(seeded(**SIZES), np.zeros((3, 4, 3))).samples_tried == 3


# --- what cannot be compared ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape", [(), (3,), (3, 4), (3, 4, 2), (4, 4, 3), (3, 3, 4), (3, 4, 3, 1), (0, 4, 3), (1, 3, 4, 3), (12, 3)]
)
def test_outputs_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError) as raised:
        explain_verify(seeded(**SIZES), np.zeros(shape))
    assert "this LSTM makes outputs of (3, 4, 3), or (3, 3) for the last h, of these inputs" in str(raised.value)


@pytest.mark.parametrize("tolerance", [-1.0, -1e-300, float("nan"), float("inf"), float("-inf")])
def test_a_tolerance_that_is_none(tolerance: float) -> None:
    with pytest.raises(UsageError, match="a tolerance is a number from 0"):
        explain_verify(seeded(**SIZES), np.zeros((3, 4, 3)), tolerance)


def test_a_tolerance_of_zero_and_a_huge_one() -> None:
    lstm = seeded(**SIZES)
    output = lstm.run().output
    assert explain_verify(lstm, output, 0.0).agrees
    assert not explain_verify(lstm, output + 1e-9, 0.0).agrees
    assert explain_verify(lstm, output + 1e9, 1e300).agrees


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_outputs_that_are_nonfinite_never_agree(value: float) -> None:
    lstm = seeded(**SIZES)
    expected = lstm.run().output.copy()
    expected[1, 2, 0] = value
    verify = explain_verify(lstm, expected, 1e300)
    assert not verify.agrees
    assert verify.where == {"sample": 1, "timestep": 3, "number": 0}
    found = verify.to_dict()
    assert found["difference"] is None
    assert {"path": "difference", "value": "inf"} in found["nonfinite"]
    assert found["no_numbers"] == {"given": 1, "first": verify.where, "made": 0, "difference": 0}
    json.dumps(found, allow_nan=False)


def test_of_outputs_without_any_number_there_is_no_largest_difference() -> None:
    lstm = seeded(**SIZES)
    verify = explain_verify(lstm, np.full((3, 4, 3), np.nan))
    assert verify.nonfinite == (36, {"sample": 0, "timestep": 1, "number": 0}, 0, None)
    assert explain_verify(lstm, lstm.run().output).nonfinite is None


def test_nan_that_both_have_agrees() -> None:
    inputs = inputs_of()
    inputs[1, 2, 0] = np.nan
    lstm = lstm_over(inputs, units=3, dtype="float64")
    verify = explain_verify(lstm, lstm.run().output, 0.0)
    assert verify.agrees
    assert verify.nonfinite == (6, {"sample": 1, "timestep": 3, "number": 0}, 6, 0.0)


def test_padded_sequences_are_refused() -> None:
    with pytest.raises(UsageError, match="verify compares whole sequences, none of them padded"):
        explain_verify(seeded(**SIZES, lengths=[4, 2, 1]), np.zeros((3, 4, 3)))


def test_a_run_above_the_budget_is_refused() -> None:
    lstm = seeded(**{**SIZES, "samples": 1000}, max_memory=10**5)
    with pytest.raises(RefusedError, match="comparing 1000 samples takes"):
        explain_verify(lstm, np.zeros((1000, 4, 3)))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_readings() -> None:
    import tracemalloc

    lstm = seeded(samples=1, timesteps=1, features=2, units=300, dtype="float64")
    weights = 8 * 4 * 300 * 303
    lstm.run()
    tracemalloc.start()
    explain_verify(lstm, np.zeros((1, 1, 300)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * weights


def test_it_is_frozen_and_fits_in_json() -> None:
    verify: Verify = explain_verify(seeded(**SIZES), np.zeros((3, 4, 3)))
    for value in (verify, verify.closest, verify.closest and verify.closest.reading):
        assert value is not None
        for name in value._fields if isinstance(value, tuple) else vars(value):
            with pytest.raises(AttributeError):
                setattr(value, name, None)
    json.dumps(verify.to_dict(), allow_nan=False)


# --- layers that differ -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("top", [(), (LayerSpec(2, bidirectional=True),)], ids=["forward", "both"])
def test_a_wrong_order_of_gates_is_named_where_layers_differ(top: tuple[LayerSpec, ...]) -> None:
    lstm = seeded(samples=3, timesteps=4, features=2, stack=MIXED + top, dtype="float64", init="pytorch")
    assert explain_verify(lstm, lstm.run().output).agrees
    meant = replace(lstm, pretrained=PretrainedWeights(reorder_gates(lstm.weights, ORDERS[7]), {"kind": "model"}))
    found = explain_verify(lstm, meant.run().output)
    assert (found.agrees, found.alternatives[0].reading) == (False, Interpretation(ORDERS[7]))
    assert {one.reading.reversed for one in found.alternatives} == {False}
    swapped = replace(lstm, pretrained=PretrainedWeights(swap_directions(lstm.weights), {"kind": "model"}))
    found = explain_verify(lstm, swapped.run().output)
    assert found.alternatives[0].reading == Interpretation(directions="weights swapped")


def test_either_of_two_biases_alone_where_layers_differ() -> None:
    """A layer without biases keeps none."""
    lstm = seeded(samples=3, timesteps=4, features=2, stack=MIXED, dtype="float64", init="pytorch")
    first = tuple(
        {way: 0.25 * part.bias for way, part in layer.items() if part.bias is not None} for layer in lstm.weights.layers
    )
    meant = replace(lstm, pretrained=PretrainedWeights(replace_biases(lstm.weights, first), {"kind": "model"}))
    found = explain_verify(lstm, meant.run().output, single_biases=lambda: (first, first))
    assert found.alternatives[0].reading == Interpretation(bias="only the first of two")
