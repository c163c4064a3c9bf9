"""`torch.nn.LSTM` and `torch.nn.LSTMCell`, given our weights, compute what we compute."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import GATES, Direction, Gate
from lstm_explain.core.spec import Spec
from lstm_explain.core.weights import LayerWeights, Weights, seeded_weights
from lstm_explain.frameworks.pytorch import PYTORCH_CONVENTION
from lstm_explain.library import seeded
from lstm_explain.topics.shapes import explain_shapes
from lstm_explain.topics.unit import explain_unit
from tests.helpers.framework_weights import state_dict

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")]

TOLERANCE = {"float64": 1e-12, "float32": 2e-6}
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.fixed_dictionaries(
    {
        "samples": st.integers(1, 6),
        "timesteps": st.integers(1, 8),
        "features": st.integers(1, 6),
        "units": st.integers(2, 7),
    }
)
few = settings(max_examples=5, deadline=None, derandomize=True)


def a_projection(units: int, seed: int) -> int:
    return 1 + seed % (units - 1)


def lstm_of(torch: Any, spec: Spec) -> Any:
    return torch.nn.LSTM(
        spec.features,
        spec.units,
        len(spec.layers),
        bias=spec.bias,
        batch_first=True,
        bidirectional=spec.bidirectional,
        proj_size=spec.projection or 0,
        dtype=getattr(torch, spec.dtype),
    )


def load(torch: Any, module: Any, named: dict[str, Array]) -> Any:
    module.load_state_dict({name: torch.tensor(array) for name, array in named.items()}, strict=True)
    return module


def run(torch: Any, case: Any) -> dict[str, Array]:
    module = load(torch, lstm_of(torch, case.spec), state_dict(case.weights))
    batch, initial = torch.tensor(case.inputs), None
    if case.initial is not None:
        initial = tuple(torch.tensor(np.stack(states)) for states in case.initial)
    if case.lengths is not None:
        lengths = torch.tensor(case.lengths)
        batch = torch.nn.utils.rnn.pack_padded_sequence(batch, lengths, batch_first=True, enforce_sorted=False)
    with torch.no_grad():
        output, (hidden, cell) = module(batch, initial)
    if case.lengths is not None:
        steps = case.spec.timesteps
        output, _ = torch.nn.utils.rnn.pad_packed_sequence(output, batch_first=True, total_length=steps)
    return {"output": output.numpy(), "hidden": hidden.numpy(), "cell": cell.numpy()}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
@given(sizes=SIZES, seed=SEEDS, lengths=st.booleans(), initial=st.booleans())
@few
def test_stack(
    torch: Any,
    case: Callable[..., Any],
    layers: int,
    bidirectional: bool,
    projected: bool,
    bias: bool,
    dtype: Any,
    sizes: dict[str, Any],
    seed: int,
    lengths: bool,
    initial: bool,
) -> None:
    spec = Spec.from_options(**sizes, layers=layers, bidirectional=bidirectional, bias=bias, dtype=dtype)
    if projected:
        spec = spec.with_options(projection=a_projection(spec.units, seed))
    one = case(spec, seed, lengths=lengths, initial=initial)
    assert one.difference(run(torch, one)) <= TOLERANCE[dtype]


@pytest.mark.parametrize("lengths", [True, False])
@pytest.mark.parametrize("initial", [True, False])
@given(seed=SEEDS)
@few
def test_everything_at_once(torch: Any, case: Callable[..., Any], initial: bool, lengths: bool, seed: int) -> None:
    spec = Spec.from_options(5, 7, 3, 6, layers=3, bidirectional=True, projection=4, dtype="float64")
    one = case(spec, seed, lengths=lengths, initial=initial)
    assert one.difference(run(torch, one)) <= 1e-12


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("lengths", [True, False])
@pytest.mark.parametrize(("samples", "timesteps", "units"), [(2, 3000, 8), (1, 700, 1), (5000, 3, 8), (70, 4, 600)])
def test_long_sequences_large_batches_and_wide_layers(
    torch: Any, case: Callable[..., Any], samples: int, timesteps: int, units: int, lengths: bool, dtype: Any
) -> None:
    """Sizes at which the engine takes another way."""
    spec = Spec.from_options(samples, timesteps, 3, units, bidirectional=True, dtype=dtype)
    one = case(spec, 5, lengths=lengths, initial=True)
    one = replace(one, weights=scaled(one.weights, min(1.0, 2 / np.sqrt(units))))
    assert one.difference(run(torch, one)) <= TOLERANCE[dtype]


def scaled(weights: Weights, factor: float) -> Weights:
    def layer(part: LayerWeights) -> LayerWeights:
        return LayerWeights(**{name: array * array.dtype.type(factor) for name, array in part.tensors().items()})

    return Weights(tuple({way: layer(part) for way, part in parts.items()} for parts in weights.layers))


@pytest.mark.parametrize("forget", [0.0, 3.0, 8.0])
def test_long_sequences_of_a_network_that_remembers(torch: Any, case: Callable[..., Any], forget: float) -> None:
    """The larger the forget gate's bias, the longer a state lasts: for a handful of timesteps, or for thousands."""
    one = case(Spec.from_options(2, 2000, 3, 6, bidirectional=True, dtype="float64"), 3, initial=True)
    for parts in one.weights.layers:
        for part in parts.values():
            part.bias[part.columns(Gate.FORGET)] += forget
    largest = max(1.0, float(np.max(np.abs(one.record.last_cell))))
    assert one.difference(run(torch, one)) <= 1e-12 * largest


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("bias", [True, False])
@given(sizes=SIZES, seed=SEEDS, layers=st.integers(1, 2), bidirectional=st.booleans())
@few
def test_every_step(
    torch: Any,
    case: Callable[..., Any],
    bias: bool,
    dtype: Any,
    sizes: dict[str, Any],
    seed: int,
    layers: int,
    bidirectional: bool,
) -> None:
    spec = Spec.from_options(**sizes, layers=layers, bidirectional=bidirectional, bias=bias, dtype=dtype)
    one = case(spec, seed, initial=True)
    for layer, directions in enumerate(one.record.layers):
        for direction, part in directions.items():
            differences = step_by_step(torch, spec, one.weights.of(layer, direction), part)
            assert max(differences) <= TOLERANCE[dtype]


def step_by_step(torch: Any, spec: Spec, weights: LayerWeights, part: Any) -> list[float]:
    """Walk one layer in one direction with `LSTMCell`; how far each step's gates, c and h are from the record."""
    named = PYTORCH_CONVENTION.pack(weights)
    cell = torch.nn.LSTMCell(part.input.shape[2], spec.units, bias=spec.bias, dtype=getattr(torch, spec.dtype))
    load(torch, cell, named)
    h, c = torch.tensor(part.initial_hidden), torch.tensor(part.initial_cell)
    steps = range(spec.timesteps) if part.direction is Direction.FORWARD else reversed(range(spec.timesteps))
    differences = []
    for t in steps:
        x = torch.tensor(part.input[:, t])
        with torch.no_grad():
            gates = gates_of(torch, cell, x, h)
            h, c = cell(x, (h, c))
        pairs = [(part.gate(gate)[:, t], gates[gate]) for gate in GATES]
        pairs += [(part.cell[:, t], c), (part.hidden[:, t], h)]
        differences += [float(np.max(np.abs(ours - theirs.numpy()))) for ours, theirs in pairs]
    return differences


def gates_of(torch: Any, cell: Any, x: Any, h: Any) -> dict[Gate, Any]:
    sums = torch.nn.functional.linear(x, cell.weight_ih, cell.bias_ih)
    i, f, g, o = (sums + torch.nn.functional.linear(h, cell.weight_hh, cell.bias_hh)).chunk(4, 1)
    return {
        Gate.INPUT: torch.sigmoid(i),
        Gate.FORGET: torch.sigmoid(f),
        Gate.CANDIDATE: torch.tanh(g),
        Gate.OUTPUT: torch.sigmoid(o),
    }


@pytest.mark.parametrize(("one", "other"), list(combinations(range(4), 2)))
def test_swapped_gates_are_noticed(torch: Any, case: Callable[..., Any], one: int, other: int) -> None:
    ours = case(Spec.from_options(4, 6, 3, 5, dtype="float64"), 1)
    theirs = replace(ours, weights=swapped(ours.weights, one, other))
    assert ours.difference(run(torch, ours)) <= 1e-12
    assert ours.difference(run(torch, theirs)) > 1e-2


def swapped(weights: Weights, one: int, other: int) -> Weights:
    order = list(range(4))
    order[one], order[other] = other, one

    def swap(array: Array) -> Array:
        parts = np.split(array, 4, axis=-1)
        return np.concatenate([parts[place] for place in order], axis=-1)

    def layer(part: LayerWeights) -> LayerWeights:
        bias = None if part.bias is None else swap(part.bias)
        return LayerWeights(swap(part.kernel), swap(part.recurrent_kernel), bias)

    return Weights(tuple({way: layer(part) for way, part in parts.items()} for parts in weights.layers))


def test_a_wrong_start_and_a_wrong_end_are_noticed(torch: Any, case: Callable[..., Any]) -> None:
    ours = case(Spec.from_options(4, 6, 3, 5, bidirectional=True, dtype="float64"), 2, lengths=True, initial=True)
    assert ours.difference(run(torch, ours)) <= 1e-12
    assert ours.difference(run(torch, replace(ours, initial=None))) > 1e-2
    assert ours.difference(run(torch, replace(ours, lengths=None))) > 1e-2


@given(
    sizes=SIZES,
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    bias=st.booleans(),
    projected=st.booleans(),
    seed=SEEDS,
)
@settings(few, max_examples=40)
def test_parameter_counts(
    torch: Any, sizes: dict[str, Any], layers: int, bidirectional: bool, bias: bool, projected: bool, seed: int
) -> None:
    projection = a_projection(sizes["units"], seed) if projected else None
    lstm = seeded(**sizes, layers=layers, bidirectional=bidirectional, bias=bias, projection=projection)
    theirs = sum(parameter.numel() for parameter in lstm_of(torch, lstm.spec).parameters())
    assert explain_shapes(lstm).frameworks["pytorch"] == theirs


def test_default_initialiser(torch: Any) -> None:
    torch.manual_seed(0)
    spec, limit = Spec.from_options(units=64, features=48, layers=2, bidirectional=True), 1 / np.sqrt(64)
    ours = [array for name, array in state_dict(seeded_weights(spec, "pytorch")).items() if "bias_hh" not in name]
    theirs = [parameter.detach().numpy() for parameter in lstm_of(torch, spec).parameters()]
    for array in ours + theirs:
        assert np.max(np.abs(array)) <= limit
        assert np.max(np.abs(array)) > 0.9 * limit
        assert abs(np.std(array) - limit / np.sqrt(3)) < 0.1 * limit


@pytest.mark.parametrize("projection", [None, 3])
@pytest.mark.parametrize("dtype", TOLERANCE)
@given(unit=st.integers(0, 4), step=st.integers(1, 6), sample=st.integers(0, 3), layer=st.integers(0, 1), seed=SEEDS)
@few
def test_the_arithmetic_of_a_unit(
    torch: Any, dtype: Any, projection: int | None, unit: int, step: int, sample: int, layer: int, seed: int
) -> None:
    lstm = seeded(
        samples=4,
        timesteps=6,
        features=3,
        units=5,
        layers=2,
        projection=projection,
        init="pytorch",
        seed=seed,
        dtype=dtype,
    )
    module = load(torch, lstm_of(torch, lstm.spec), state_dict(lstm.weights))
    inputs = torch.tensor(lstm.inputs.block(sample, sample + 1)[:, :step])
    with torch.no_grad():
        _, (hidden, cell) = module(inputs)
    arithmetic = explain_unit(lstm, unit, sample, step, layer).arithmetic
    assert arithmetic is not None
    assert abs(arithmetic.cell - float(cell[layer, 0, unit])) <= TOLERANCE[dtype]
    if projection is None:
        assert abs(arithmetic.hidden - float(hidden[layer, 0, unit])) <= TOLERANCE[dtype]
