"""The engine against the reference: every tensor of `forward` equals a plain loop over `cell.step`."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm_explain.core import engine as forward_module
from lstm_explain.core.cell import step
from lstm_explain.core.engine import StackState, forward, threads
from lstm_explain.core.engine import step as steps_module
from lstm_explain.core.gates import GATES, LETTERS, Direction, Gate
from lstm_explain.core.spec import Dtype, Spec
from lstm_explain.core.weights import LayerWeights, Weights, seeded_weights, weight_shapes
from lstm_explain.errors import UsageError
from tests.helpers.random_lstms import spec_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.record import LayerRecord, Record

Array = np.ndarray[Any, np.dtype[Any]]

TOLERANCE: dict[Dtype, float] = {"float32": 2e-6, "float64": 1e-12}
TENSORS = {**{gate.value: LETTERS[gate] for gate in GATES}, "cell": "c", "hidden": "h"}
ENDS = ("initial_cell", "initial_hidden", "last_cell", "last_hidden")
quick = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])


# --- cases ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """Everything that a run is given."""

    spec: Spec
    weights: Weights
    inputs: Array
    initial: StackState | None = None
    lengths: Array | None = None

    def run(self) -> Record:
        return forward(self.spec, self.weights, self.inputs, self.initial, self.lengths)


def random_weights(spec: Spec, rng: np.random.Generator, scale: float = 1.0) -> Weights:
    """Normal numbers in every weight, biases too, scaled so that neither gates saturate nor units die."""

    def one(layer: int) -> LayerWeights:
        arrays = {
            name: rng.standard_normal(axes.sizes) * (scale if len(axes.sizes) == 1 else scale / np.sqrt(axes.sizes[0]))
            for name, axes in weight_shapes(spec, layer).items()
        }
        return LayerWeights(**{name: array.astype(spec.dtype) for name, array in arrays.items()})

    layers = range(len(spec.layers))
    return Weights(tuple({direction: one(layer) for direction in spec.for_layer(layer).directions} for layer in layers))


def random_case(spec: Spec, seed: int, initial: bool = False, lengths: bool = False, scale: float = 1.0) -> Case:
    rng = np.random.default_rng(seed)
    layers = [spec.for_layer(layer) for layer, _ in spec.layer_directions]
    start = StackState(
        tuple(rng.uniform(-1, 1, (spec.samples, one.hidden)).astype(spec.dtype) for one in layers),
        tuple(rng.standard_normal((spec.samples, one.units)).astype(spec.dtype) for one in layers),
    )
    return Case(
        spec,
        random_weights(spec, rng, scale),
        rng.standard_normal((spec.samples, spec.timesteps, spec.features)).astype(spec.dtype),
        start if initial else None,
        rng.integers(1, spec.timesteps + 1, spec.samples) if lengths else None,
    )


@st.composite
def cases(draw: st.DrawFn, /, **fixed: Any) -> Case:
    spec = Spec.from_options(**draw(spec_options(**fixed)))
    return random_case(spec, draw(st.integers(0, 2**32 - 1)), draw(st.booleans()), draw(st.booleans()))


def cut(state: StackState | None, *part: Any) -> StackState | None:
    """Some of the samples of initial states."""
    return state and StackState(*(tuple(one[part] for one in states) for states in state))


# --- the reference: sample by sample, step by step --------------------------------------------------------------------


def reference_layer(
    weights: LayerWeights, direction: Direction, read: Array, h0: Array, c0: Array, lengths: list[int]
) -> dict[str, Array]:
    """Every tensor of one layer in one direction, by its name in the record."""
    samples, timesteps, _ = read.shape
    made = {gate.value: np.full((samples, timesteps, weights.units), np.nan) for gate in GATES}
    made["cell"] = np.repeat(c0[:, None], timesteps, axis=1)
    made["hidden"] = np.repeat(h0[:, None], timesteps, axis=1)
    last_h, last_c = h0.copy(), c0.copy()
    for sample, length in enumerate(lengths):
        h, c = h0[sample : sample + 1], c0[sample : sample + 1]
        for t in range(length) if direction is Direction.FORWARD else reversed(range(length)):
            result = step(weights, read[sample : sample + 1, t], h, c)
            h, c = result.h, result.c
            for name, letter in TENSORS.items():
                made[name][sample, t] = getattr(result, letter)[0]
        if direction is Direction.FORWARD:
            made["hidden"][sample, length:], made["cell"][sample, length:] = h, c
        last_h[sample], last_c[sample] = h, c
    return {**made, "initial_cell": c0, "initial_hidden": h0, "last_cell": last_c, "last_hidden": last_h}


def reference(case: Case) -> tuple[list[dict[Direction, dict[str, Array]]], list[Array]]:
    """Every layer's tensors and every layer's output, in double precision from the weights and inputs as they are."""
    spec, own = case.spec, [case.spec.for_layer(layer) for layer, _ in case.spec.layer_directions]
    lengths = [spec.timesteps] * spec.samples if case.lengths is None else case.lengths.tolist()
    h0 = [np.zeros((spec.samples, one.hidden)) for one in own]
    c0 = [np.zeros((spec.samples, one.units)) for one in own]
    if case.initial is not None:
        h0, c0 = ([one.astype(float) for one in states] for states in case.initial)
    layers, outputs, read, place = [], [], case.inputs.astype(float), 0
    for layer in range(len(spec.layers)):
        parts = {}
        for direction in spec.for_layer(layer).directions:
            one = case.weights.of(layer, direction)
            doubled = LayerWeights(**{name: array.astype(float) for name, array in one.tensors().items()})
            parts[direction] = reference_layer(doubled, direction, read, h0[place], c0[place], lengths)
            place += 1
        read = np.concatenate([part["hidden"] for part in parts.values()], axis=2)
        for sample, length in enumerate(lengths):
            read[sample, length:] = 0
        layers.append(parts)
        outputs.append(read)
    return layers, outputs


def assert_same(found: Array, expected: Array, dtype: Dtype, what: str, tolerance: float | None = None) -> None:
    tolerance = tolerance or TOLERANCE[dtype]
    assert found.dtype == dtype, what
    assert found.shape == expected.shape, what
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance, err_msg=what)


def assert_equals_reference(case: Case) -> None:
    record, (layers, outputs) = case.run(), reference(case)
    dtype = case.spec.dtype
    for layer, parts in enumerate(layers):
        for direction, tensors in parts.items():
            found = record.of(layer, direction)
            for name in (*TENSORS, *ENDS):
                assert_same(getattr(found, name), tensors[name], dtype, f"layer {layer} {direction} {name}")
            below = case.inputs if layer == 0 else outputs[layer - 1]
            assert_same(found.input, below, dtype, f"layer {layer} {direction} input")
        assert_same(record.outputs[layer], outputs[layer], dtype, f"layer {layer} output")
    assert record.output is record.outputs[-1]
    parts_in_order = [tensors for parts in layers for tensors in parts.values()]
    if not case.spec.layers_differ:
        assert_same(record.last_hidden, np.stack([tensors["last_hidden"] for tensors in parts_in_order]), dtype, "h_n")
        assert_same(record.last_cell, np.stack([tensors["last_cell"] for tensors in parts_in_order]), dtype, "c_n")


def arrays_of(record: Record) -> dict[str, Array]:
    """Every array of a record, by a name for messages."""
    arrays = {"input": record.input}
    for number, (parts, output) in enumerate(zip(record.layers, record.outputs, strict=True)):
        arrays[f"{number} output"] = output
        for direction, part in parts.items():
            arrays |= {f"{number} {direction} {name}": getattr(part, name) for name in ("input", *TENSORS, *ENDS)}
    return arrays


# --- equal to the reference -------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_every_tensor_equals_a_loop_over_the_reference_step(case: Case) -> None:
    assert_equals_reference(case)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"projection": 40}, {"peepholes": True}], ids=str)
@pytest.mark.parametrize("lengths", [False, True])
def test_tiles_of_many_units_equal_the_reference(options: dict[str, Any], lengths: bool) -> None:
    """Wide enough that a timestep's rows are worked on in several tiles, the last of them smaller."""
    spec = Spec.from_options(samples=700, timesteps=2, features=3, units=151, dtype="float64", **options)
    case = random_case(spec, 5, initial=True, lengths=lengths)
    record, (layers, _) = case.run(), reference(case)
    for name in (*TENSORS, *ENDS):
        assert_same(getattr(record.of(0, Direction.FORWARD), name), layers[0][Direction.FORWARD][name], "float64", name)


# --- what is true of every run ----------------------------------------------------------------------------------------


@quick
@given(cases())
def test_gates_and_hidden_states_stay_in_their_ranges(case: Case) -> None:
    for layer, parts in enumerate(case.run().layers):
        for part in parts.values():
            assert_in_range(part, case.spec.for_layer(layer))


def assert_in_range(part: LayerRecord, spec: Spec) -> None:
    for gate in (part.input_gate, part.forget_gate, part.output_gate):
        assert np.nanmin(gate) >= 0
        assert np.nanmax(gate) <= 1
    assert np.nanmax(np.abs(part.candidate)) <= 1
    if spec.projection is None:
        assert np.abs(part.hidden).max() <= 1


@quick
@given(cases(), st.randoms(use_true_random=False))
def test_a_sample_does_not_depend_on_those_beside_it(case: Case, random: Any) -> None:
    sample = random.randrange(case.spec.samples)
    one = slice(sample, sample + 1)
    alone = replace(
        case,
        inputs=case.inputs[one],
        initial=cut(case.initial, one),
        lengths=None if case.lengths is None else case.lengths[one],
    )
    for name, array in arrays_of(case.run()).items():
        assert_same(arrays_of(alone.run())[name], array[one], case.spec.dtype, name)


@quick
@given(cases(layers=1, bidirectional=False, projection=None), st.randoms(use_true_random=False))
def test_permuting_the_units_permutes_the_results(case: Case, random: Any) -> None:
    order = random.sample(range(case.spec.units), case.spec.units)
    columns = np.concatenate([np.array(order) + gate * case.spec.units for gate in range(len(GATES))])
    given_weights = case.weights.of(0, Direction.FORWARD)
    permuted = LayerWeights(
        given_weights.kernel[:, columns],
        given_weights.recurrent_kernel[order][:, columns],
        None if given_weights.bias is None else given_weights.bias[columns],
        peephole=None if given_weights.peephole is None else given_weights.peephole[:, order],
    )
    initial = cut(case.initial, slice(None), order)
    other = replace(case, weights=Weights(({Direction.FORWARD: permuted},)), initial=initial)
    found, expected = other.run().of(0, Direction.FORWARD), case.run().of(0, Direction.FORWARD)
    for name in TENSORS:
        assert_same(getattr(found, name), getattr(expected, name)[:, :, order], case.spec.dtype, name)


@quick
@given(cases())
def test_records_are_read_only(case: Case) -> None:
    for name, array in arrays_of(case.run()).items():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        assert not array.flags.writeable, name


@quick
@given(cases())
def test_the_same_call_gives_the_same_bits_and_changes_nothing_it_was_given(case: Case) -> None:
    before = [array.copy() for array in given_arrays(case)]
    first, second = arrays_of(case.run()), arrays_of(case.run())
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)
    for array, kept in zip(given_arrays(case), before, strict=True):
        np.testing.assert_array_equal(array, kept)


def given_arrays(case: Case) -> list[Array]:
    weights = [array for parts in case.weights.layers for part in parts.values() for array in part.tensors().values()]
    states = [] if case.initial is None else [one for states in case.initial for one in states]
    return [case.inputs, *weights, *states, *([] if case.lengths is None else [case.lengths])]


def test_records_hold_their_arrays_and_little_more() -> None:
    case = random_case(Spec.from_options(samples=1000, timesteps=10, features=5, units=10), 1)
    assert retained_bytes(case) <= 1.1 * array_bytes(case.run())


def retained_bytes(case: Case) -> int:
    case.run()  # so that what is made only once is not counted
    gc.collect()
    tracemalloc.start()
    record = case.run()
    gc.collect()
    retained: int = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert record.output.size
    return retained


def array_bytes(record: Record) -> int:
    """The bytes of i f g o c h and x."""
    part = record.of(0, Direction.FORWARD)
    return record.input.nbytes + sum(int(getattr(part, name).nbytes) for name in TENSORS)


def test_inputs_of_another_type_are_converted() -> None:
    case = random_case(Spec.from_options(samples=2, timesteps=3, features=2, units=3), 0)
    doubled = replace(case, inputs=case.inputs.astype(float))
    assert doubled.run().output.dtype == np.float32
    np.testing.assert_array_equal(doubled.run().output, case.run().output)


# --- long sequences: segments -----------------------------------------------------------------------------------------


def as_it_is(case: Case) -> Case:
    return case


def remembering(case: Case) -> Case:
    """The same network, but for forget gates that stay open: it never forgets, so segments settle one by one."""
    parts = {}
    for direction, weights in case.weights.layers[0].items():
        bias = np.zeros(4 * weights.units, weights.kernel.dtype)
        bias[weights.columns(Gate.FORGET)] = 12
        changed = {"recurrent_kernel": weights.recurrent_kernel / 8, "bias": bias}
        parts[direction] = LayerWeights(**{**weights.tensors(), **changed})
    return replace(case, weights=Weights((parts,)))


def assert_every_step_follows(case: Case) -> None:
    """Each recorded timestep is what the reference makes of the recorded states before it: nothing can add up."""
    record = case.run()
    for direction, part in record.layers[0].items():
        turn = slice(None) if direction is Direction.FORWARD else slice(None, None, -1)
        h, c = (
            np.concatenate([first[:, None], states[:, turn][:, :-1]], axis=1).reshape(-1, states.shape[2])
            for first, states in ((part.initial_hidden, part.hidden), (part.initial_cell, part.cell))
        )
        x = part.input[:, turn].reshape(-1, case.spec.features)
        result = step(case.weights.of(0, direction), x, h, c)
        for name, letter in TENSORS.items():
            found = getattr(part, name)[:, turn].reshape(len(x), -1)
            tolerance = 5 * TOLERANCE[case.spec.dtype]  # as large as the weights are
            assert_same(found, getattr(result, letter), case.spec.dtype, f"{direction} {name}", tolerance)
        last = 0 if direction is Direction.BACKWARD else -1
        np.testing.assert_array_equal(part.last_cell, part.cell[:, last])
        np.testing.assert_array_equal(part.last_hidden, part.hidden[:, last])


long_cases = cases(layers=1, samples=1) | cases(layers=1, samples=3)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(long_cases, st.integers(200, 700), st.booleans(), st.sampled_from([0.5, 1, 5]))
def test_every_step_of_a_long_sequence_follows_from_the_one_before(
    case: Case, timesteps: int, remembers: bool, scale: float
) -> None:
    """A scale of 5 makes networks that are chaotic: they do not forget either."""
    spec = replace(case.spec, timesteps=timesteps)
    case = random_case(spec, timesteps, initial=case.initial is not None, scale=scale)
    assert_every_step_follows(remembering(case) if remembers and spec.bias else case)


@pytest.mark.slow
@pytest.mark.parametrize("timesteps", [200, 211, 1000, 3301])
@pytest.mark.parametrize("change", [as_it_is, remembering])
def test_long_sequences_equal_the_reference(timesteps: int, change: Callable[[Case], Case]) -> None:
    spec = Spec.from_options(
        samples=2, timesteps=timesteps, features=3, units=4, bidirectional=timesteps == 211, dtype="float64"
    )
    assert_equals_reference(change(random_case(spec, timesteps, initial=True, scale=0.7)))


def test_long_sequences_hold_no_second_copy() -> None:
    case = random_case(Spec.from_options(samples=1, timesteps=5000, features=5, units=10), 1)
    assert retained_bytes(case) <= 1.1 * array_bytes(case.run())


# --- many samples: threads --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [False, True])
def test_threads_give_what_small_batches_give(lengths: bool) -> None:
    spec = Spec.from_options(samples=5003, timesteps=3, features=2, units=4, bidirectional=True)
    case = random_case(spec, 3, initial=True, lengths=lengths)
    assert case.initial is not None
    whole = arrays_of(case.run())
    for part in (slice(0, 17), slice(2490, 2520), slice(4990, 5003)):
        small = replace(
            case,
            inputs=case.inputs[part],
            initial=cut(case.initial, part),
            lengths=None if case.lengths is None else case.lengths[part],
        )
        for name, array in arrays_of(small.run()).items():
            assert_same(array, whole[name][part], "float32", name)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_a_team_over_the_units_equals_the_reference(monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    monkeypatch.setattr(threads, "MIN_PRODUCTS", 1)
    monkeypatch.setattr(threads, "count_processors", lambda: 3)
    assert_equals_reference(case)


def test_a_team_whose_member_fails_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(threads, "MIN_PRODUCTS", 1)
    monkeypatch.setattr(threads, "count_processors", lambda: 2)
    monkeypatch.setattr(threads, "run_step", fail)
    case = random_case(Spec.from_options(samples=2, timesteps=3, features=2, units=4), 1)
    with pytest.raises(MemoryError):
        case.run()


def test_a_step_from_zero_is_the_step_from_any_state(monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(Spec.from_options(samples=5, timesteps=2, features=3, units=4, dtype="float64"), 2)
    skipped = arrays_of(case.run())
    monkeypatch.setattr(forward_module, "step_views", lambda weights, rows, **_: steps_module.step_views(weights, rows))
    for name, array in arrays_of(case.run()).items():
        assert_same(array, skipped[name], "float64", name)


# --- what is refused --------------------------------------------------------------------------------------------------

SPEC = Spec.from_options(samples=3, timesteps=4, features=2, units=3)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"inputs": np.zeros((3, 4, 5), np.float32)}, "features=5"),
        ({"lengths": np.array([1, 2])}, "samples=2"),
        ({"lengths": np.array([1, 2, 5])}, "whole number from 1 to 4"),
        ({"lengths": np.array([0, 2, 4])}, "whole number from 1 to 4"),
        ({"lengths": np.array([1.0, 2.0, 4.0])}, "whole number from 1 to 4"),
        ({"lengths": np.array([True, True, True])}, "whole number from 1 to 4"),
        ({"initial": StackState((np.zeros((3, 4)),), (np.zeros((3, 3)),))}, "hidden=4"),
        ({"initial": StackState((np.zeros((3, 3)),), (np.zeros((3, 3)), np.zeros((3, 3))))}, "c of 2 layers and directions"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_wrong_shapes_and_lengths_are_refused(changed: dict[str, Any], found: str) -> None:
    case = replace(random_case(SPEC, 0), **changed)
    with pytest.raises(UsageError, match=found):
        case.run()


@pytest.mark.parametrize("axes", [0, 1, 2, 4])
def test_inputs_must_have_three_axes(axes: int) -> None:
    with pytest.raises(UsageError, match=r"samples=3, timesteps=4, features=2.*float32"):
        replace(random_case(SPEC, 0), inputs=np.zeros((2,) * axes, np.float32)).run()


def test_one_timestep_of_the_founding_example_by_hand() -> None:
    """The one number that is worked out here without `cell.step`."""
    spec = Spec.from_options(samples=1, timesteps=1, features=1, units=1, dtype="float64")
    weights = seeded_weights(spec)
    x = np.array([[[0.5]]])
    part = forward(spec, weights, x).of(0, Direction.FORWARD)
    i, f, g, o = weights.of(0, Direction.FORWARD).kernel[0] * 0.5 + np.array([0, 1, 0, 0])
    cell = np.tanh(g) / (1 + np.exp(-i))
    assert part.cell[0, 0, 0] == pytest.approx(cell, abs=1e-15)
    assert part.forget_gate[0, 0, 0] == pytest.approx(1 / (1 + np.exp(-f)), abs=1e-15)
    assert part.hidden[0, 0, 0] == pytest.approx(np.tanh(cell) / (1 + np.exp(-o)), abs=1e-15)
