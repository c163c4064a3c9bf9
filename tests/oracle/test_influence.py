"""Derivatives: PyTorch's automatic differentiation, given our weights, makes the derivatives that we make in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.bptt import hidden_by_network_input, trajectory_of
from lstm_explain.core.gates import Direction
from lstm_explain.core.jacobian import step_jacobian
from lstm_explain.core.spec import Spec
from lstm_explain.frameworks.pytorch import PYTORCH_CONVENTION
from lstm_explain.library import seeded
from lstm_explain.topics.influence import explain_influence
from tests.helpers.framework_weights import state_dict

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.weights import LayerWeights

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")]

TOLERANCE = 1e-12
"""In float64; by the largest entry of a matrix where that is above 1."""
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.fixed_dictionaries(
    {
        "samples": st.integers(1, 3),
        "timesteps": st.integers(1, 6),
        "features": st.integers(1, 4),
        "units": st.integers(2, 6),
    }
)
few = settings(max_examples=5, deadline=None, derandomize=True)


def assert_same(found: Array, expected: Array, what: str) -> None:
    assert found.shape == expected.shape, what
    largest = max(1.0, float(np.abs(expected).max(initial=0)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * largest, err_msg=what)


def a_projection(units: int, seed: int) -> int:
    return 1 + seed % (units - 1)


# --- one timestep -----------------------------------------------------------------------------------------------------


def torch_step(torch: Any, weights: LayerWeights) -> Callable[..., tuple[Any, Any]]:
    """(x, h, c) -> the next h and c, as `torch.nn.LSTM` documents them: a step of our own making out of torch's operations."""
    tensors = {name: torch.tensor(array) for name, array in PYTORCH_CONVENTION.pack(weights).items()}
    linear = torch.nn.functional.linear

    def step(x: Any, h: Any, c: Any) -> tuple[Any, Any]:
        sums = linear(x, tensors["weight_ih"], tensors.get("bias_ih"))
        sums = sums + linear(h, tensors["weight_hh"], tensors.get("bias_hh"))
        i, f, g, o = sums.chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return (h if weights.projection is None else linear(h, tensors["weight_hr"])), c

    return step


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@given(sizes=SIZES, seed=SEEDS, lengths=st.booleans())
@few
def test_the_derivatives_of_a_timestep(
    torch: Any,
    case: Callable[..., Any],
    bidirectional: bool,
    projected: bool,
    bias: bool,
    sizes: dict[str, Any],
    seed: int,
    lengths: bool,
) -> None:
    spec = Spec.from_options(**sizes, layers=2, bidirectional=bidirectional, bias=bias, dtype="float64")
    if projected:
        spec = spec.with_options(projection=a_projection(spec.units, seed))
    one = case(spec, seed, lengths=lengths, initial=True)
    record, sample = one.record, seed % spec.samples
    for layer in range(len(spec.layers)):
        for direction in spec.directions:
            weights, part = one.weights.of(layer, direction), record.of(layer, direction)
            way, length = trajectory_of(one.weights, record, layer, direction, sample), record.length(sample)
            made = step_jacobian(weights, way.slopes)
            for t in way.order:
                read = [torch.tensor(array) for array in (part.input[sample, t - 1], *part.before(sample, t, length))]
                theirs = torch.func.jacrev(torch_step(torch, weights), argnums=(0, 1, 2))(*read)
                for moved, row in zip(("hidden", "cell"), theirs, strict=True):
                    for by, matrix in zip(("input", "hidden", "cell"), row, strict=True):
                        name = f"{moved}_by_{by}"
                        assert_same(getattr(made, name)[t - 1], matrix.numpy(), f"{name}, layer {layer}, {direction}, t {t}")


@given(seed=SEEDS)
@settings(few, max_examples=10)
def test_the_derivatives_of_an_lstm_cell(torch: Any, case: Callable[..., Any], seed: int) -> None:
    """`torch.nn.LSTMCell` itself, which takes no projection."""
    spec = Spec.from_options(1, 4, 3, 5, dtype="float64")
    one = case(spec, seed, initial=True)
    weights, record = one.weights.of(0, Direction.FORWARD), one.record
    cell = torch.nn.LSTMCell(3, 5, dtype=torch.float64)
    cell.load_state_dict({name: torch.tensor(array) for name, array in PYTORCH_CONVENTION.pack(weights).items()}, strict=True)
    made = step_jacobian(weights, trajectory_of(one.weights, record, 0, Direction.FORWARD, 0).slopes)
    part = record.of(0, Direction.FORWARD)
    for t in range(1, 5):
        read = tuple(torch.tensor(array[None]) for array in (part.input[0, t - 1], *part.before(0, t, 4)))
        theirs = torch.autograd.functional.jacobian(lambda x, h, c: cell(x, (h, c)), read)
        for moved, row in zip(("hidden", "cell"), theirs, strict=True):
            for by, matrix in zip(("input", "hidden", "cell"), row, strict=True):
                assert_same(getattr(made, f"{moved}_by_{by}")[t - 1], matrix[0, :, 0].numpy(), f"{moved} by {by}, t {t}")


# --- whole runs -------------------------------------------------------------------------------------------------------


def lstm_of(torch: Any, spec: Spec, named: dict[str, Array]) -> Any:
    module = torch.nn.LSTM(
        spec.features,
        spec.units,
        len(spec.layers),
        bias=spec.bias,
        batch_first=True,
        bidirectional=spec.bidirectional,
        proj_size=spec.projection or 0,
        dtype=torch.float64,
    )
    module.load_state_dict({name: torch.tensor(array) for name, array in named.items()}, strict=True)
    return module.requires_grad_(False)


@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
@given(sizes=SIZES, seed=SEEDS, lengths=st.booleans(), bias=st.booleans())
@few
def test_the_last_h_of_the_last_layer_by_every_input(
    torch: Any,
    case: Callable[..., Any],
    layers: int,
    bidirectional: bool,
    projected: bool,
    sizes: dict[str, Any],
    seed: int,
    lengths: bool,
    bias: bool,
) -> None:
    """dh_T/dx_t through `torch.nn.LSTM` itself: all layers, both directions, from any initial state."""
    spec = Spec.from_options(**sizes, layers=layers, bidirectional=bidirectional, bias=bias, dtype="float64")
    if projected:
        spec = spec.with_options(projection=a_projection(spec.units, seed))
    one = case(spec, seed, lengths=lengths, initial=True)
    record, sample = one.record, seed % spec.samples
    module = lstm_of(torch, spec, state_dict(one.weights))
    initial = tuple(torch.tensor(np.stack(state)[:, sample : sample + 1]) for state in one.initial)
    inputs = torch.tensor(one.inputs[sample : sample + 1, : record.length(sample)])
    theirs = torch.autograd.functional.jacobian(lambda x: module(x, initial)[1][0][:, 0], inputs)[:, :, 0]
    places = [(layer, direction) for layer in range(layers) for direction in spec.directions]
    for slice_of_last, (layer, direction) in zip(theirs, places, strict=True):
        found = hidden_by_network_input(one.weights, record, sample, layer, direction)
        assert_same(found, slice_of_last.numpy().swapaxes(0, 1), f"layer {layer}, {direction}")


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("projected", [True, False])
@given(sizes=SIZES, seed=SEEDS, lengths=st.booleans())
@few
def test_the_reach_of_every_state(
    torch: Any, projected: bool, direction: str, layer: int, sizes: dict[str, Any], seed: int, lengths: bool
) -> None:
    """The spectral norms of dh_T/dh_t and dc_T/dc_t: `torch.nn.LSTM` run from every timestep on, the state its argument."""
    lstm = seeded(
        **sizes,
        layers=2,
        bidirectional=True,
        projection=a_projection(sizes["units"], seed) if projected else None,
        seed=seed,
        dtype="float64",
        init="pytorch",
        lengths=lengths_of(sizes, seed) if lengths else None,
    )
    sample = seed % lstm.spec.samples
    found = explain_influence(lstm, sample=sample, layer=layer, direction=direction, through_time=True).through_time
    assert found is not None
    expected = [norms_from(torch, lstm, sample, layer, Direction(direction), done) for done in range(len(found.steps) + 1)]
    assert_same(np.stack([found.hidden_norms, found.cell_norms], axis=1), np.array(expected), f"layer {layer}, {direction}")


def lengths_of(sizes: dict[str, Any], seed: int) -> list[int]:
    """One sample at least is as long as the batch."""
    steps = sizes["timesteps"]
    return [steps, *(1 + (seed + each) % steps for each in range(1, sizes["samples"]))]


def norms_from(torch: Any, lstm: LSTM, sample: int, layer: int, direction: Direction, done: int) -> tuple[float, float]:
    """Of one layer and direction alone, after so many of its timesteps: the norms of the last h by h, and of c by c."""
    record, weights = lstm.run(), lstm.weights.of(layer, direction)
    part, length = record.of(layer, direction), record.length(sample)
    read = part.input[sample, :length] if direction is Direction.FORWARD else part.input[sample, :length][::-1]
    one = lstm.spec.with_options(features=part.input.shape[2], layers=1, bidirectional=False)
    module = lstm_of(torch, one, {f"{name}_l0": array for name, array in PYTORCH_CONVENTION.pack(weights).items()})
    after = done if direction is Direction.FORWARD else length - done + 1
    if done == 0:
        states = part.initial_hidden[sample], part.initial_cell[sample]
    else:
        states = part.hidden[sample, after - 1], part.cell[sample, after - 1]
    if done == length:
        return 1.0, 1.0
    rest = torch.tensor(read[done:].copy())[None]
    h, c = (torch.tensor(state)[None, None] for state in states)
    by_h = torch.autograd.functional.jacobian(lambda h: module(rest, (h, c))[1][0][0, 0], h)[:, 0, 0]
    by_c = torch.autograd.functional.jacobian(lambda c: module(rest, (h, c))[1][1][0, 0], c)[:, 0, 0]
    return tuple(float(torch.linalg.matrix_norm(matrix, 2)) for matrix in (by_h, by_c))  # type: ignore[return-value]


@pytest.mark.parametrize("projection", [None, 3])
@given(seed=SEEDS, step=st.integers(1, 5), layer=st.integers(0, 1))
@few
def test_the_matrices_that_are_shown(torch: Any, projection: int | None, seed: int, step: int, layer: int) -> None:
    """What `influence` shows of a run in float32 is right for the numbers of that run."""
    lstm = seeded(samples=2, timesteps=5, features=3, units=5, layers=2, projection=projection, seed=seed, init="pytorch")
    found = explain_influence(lstm, step=step, layer=layer).derivatives.matrices
    part = lstm.run().of(layer, Direction.FORWARD)
    doubled = [array.astype(np.float64) for array in (part.input[0, step - 1], *part.before(0, step, 5))]
    weights = lstm.weights.of(layer, Direction.FORWARD)
    weights = weights._replace(**{name: array.astype(np.float64) for name, array in weights.tensors().items()})
    theirs = torch.func.jacrev(torch_step(torch, weights), argnums=(0, 1, 2))(*map(torch.tensor, doubled))
    for moved, row in zip(("hidden", "cell"), theirs, strict=True):
        for by, matrix in zip(("input", "hidden", "cell"), row, strict=True):
            name = f"{moved}_by_{by}"
            np.testing.assert_allclose(getattr(found, name), matrix.numpy(), rtol=0, atol=2e-6, err_msg=name)
