"""What `memory` says, by PyTorch's autograd and by stateful layers of PyTorch and Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import GATES, Direction, Gate
from lstm_explain.library import seeded
from lstm_explain.topics.memory import explain_memory
from tests.helpers.framework_weights import layer_weights, state_dict

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.topics.memory import Memory

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")]
few = settings(max_examples=8, deadline=None, derandomize=True)


def module_of(torch: Any, lstm: LSTM) -> Any:
    spec = lstm.spec
    module = torch.nn.LSTM(
        spec.features,
        spec.units,
        len(spec.layers),
        bias=spec.bias,
        batch_first=True,
        bidirectional=spec.bidirectional,
        proj_size=spec.projection or 0,
        dtype=getattr(torch, spec.dtype),
    )
    module.load_state_dict({name: torch.tensor(array) for name, array in state_dict(lstm.weights).items()}, strict=True)
    return module


def walked(torch: Any, lstm: LSTM, inputs: Any, start: tuple[Any, Any]) -> tuple[Any, Any, list[Any], list[Any]]:
    """Walk one layer step by step with autograd: c_T, and of every step c before it, f and i g as leaves of the graph.

    f and i g are computed from h, but c is made from copies that h does not reach: the gates are taken as they were.
    """
    named = {name: torch.tensor(array) for name, array in state_dict(lstm.weights).items()}
    h, c = start
    true_c, forgets, added = c, [], []
    for x in inputs:
        sums = named["weight_ih_l0"] @ x + named["weight_hh_l0"] @ h + named["bias_ih_l0"] + named["bias_hh_l0"]
        i, f, g, o = sums.chunk(4)
        forgets.append(torch.sigmoid(f))
        added.append((torch.sigmoid(i) * torch.tanh(g)).requires_grad_())
        c = forgets[-1] * c + added[-1]
        true_c = c.detach()
        h = torch.sigmoid(o) * torch.tanh(true_c)
    return c, h, forgets, added


@given(
    timesteps=st.integers(1, 12),
    units=st.integers(1, 6),
    seed=st.integers(0, 1000),
    init=st.sampled_from(["keras", "pytorch"]),
)
@few
def test_the_split_is_what_autograd_makes_of_the_steps(torch: Any, timesteps: int, units: int, seed: int, init: Any) -> None:
    """dc_T / d(i_t g_t) is the product of the later forget gates; also from an initial state that is carried over."""
    lstm = seeded(samples=2, timesteps=timesteps, features=3, units=units, seed=seed, init=init, dtype="float64")
    memory = explain_memory(lstm, sample=1, carry_state=True)
    inputs = torch.tensor(lstm.inputs.block(0, 2))
    with torch.no_grad():
        _, (hidden, cell) = module_of(torch, lstm)(inputs[:1])
        _, (_, last) = module_of(torch, lstm)(inputs[1:], (hidden, cell))
    start = cell[0, 0].clone().requires_grad_()
    c, _, forgets, added = walked(torch, lstm, inputs[1], (hidden[0, 0], start))
    c.sum().backward()
    for t in range(timesteps):
        assert far(memory.kept[t], added[t].grad) <= 1e-12
        assert far(memory.added[t], added[t].detach()) <= 1e-12
        assert far(memory.parts[t], (added[t] * added[t].grad).detach()) <= 1e-12
        assert far(memory.gates[Gate.FORGET][t], forgets[t]) <= 1e-12
    assert far(memory.initial_kept, start.grad) <= 1e-12
    assert far(memory.initial_cell, cell[0, 0]) <= 1e-12
    assert far(memory.total, last[0, 0]) <= 1e-12


@pytest.mark.parametrize("projection", [None, 2])
@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("layer", [0, 1])
@given(seed=st.integers(0, 1000), length=st.integers(1, 6))
@few
def test_the_sum_is_the_last_state_of_every_layer_and_direction(
    torch: Any, layer: int, direction: Direction, projection: int | None, seed: int, length: int
) -> None:
    lengths = [6, length]
    sizes: dict[str, Any] = {
        "features": 3,
        "units": 4,
        "layers": 2,
        "bidirectional": True,
        "projection": projection,
        "dtype": "float64",
    }
    lstm = seeded(**sizes, seed=seed, lengths=lengths)
    memory = explain_memory(lstm, sample=1, layer=layer, direction=direction)
    with torch.no_grad():
        _, (_, cell) = module_of(torch, lstm)(torch.tensor(lstm.inputs.block(1, 2)[:, :length]))
    assert far(memory.total, cell[2 * layer + list(Direction).index(direction), 0]) <= 1e-12


def far(ours: Any, theirs: Any) -> float:
    return float(np.max(np.abs(ours - theirs.detach().numpy())))


# --- one timestep -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("projection", [None, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_as_many_parameters_get_no_gradient(
    torch: Any, layers: int, bidirectional: bool, projection: int | None, bias: bool
) -> None:
    """PyTorch has a second bias beside each of ours, which gets the same gradient: those of f are counted twice."""
    options: dict[str, Any] = {"layers": layers, "bidirectional": bidirectional, "projection": projection, "bias": bias}
    lstm = seeded(samples=8, timesteps=1, **options)
    step = explain_memory(lstm).one_step
    assert step is not None
    module = module_of(torch, lstm)
    sizes = {name: np.zeros(parameter.shape) for name, parameter in module.named_parameters()}
    for sample in range(8):
        module.zero_grad()
        module(torch.tensor(lstm.inputs.block(sample, sample + 1)))[0].sum().backward()
        for name, parameter in module.named_parameters():
            sizes[name] += np.abs(parameter.grad.numpy())
    theirs = {name: int((size == 0).sum()) for name, size in sizes.items()}
    second_biases = sum(count for name, count in theirs.items() if "bias_hh" in name)
    assert second_biases == lstm.spec.units * layers * (2 if bidirectional else 1) * bias
    assert sum(theirs.values()) - second_biases == step.idle
    by_tensor = {"kernel": "weight_ih", "recurrent_kernel": "weight_hh", "bias": "bias_ih", "projection": "weight_hr"}
    for tensor, prefix in by_tensor.items():
        ours = sum(one.idle for one in step.tensors if one.tensor == tensor)
        assert ours == sum(count for name, count in theirs.items() if name.startswith(prefix))


def test_the_founding_layer_has_460_of_640_in_keras_too(keras: Any) -> None:
    import jax

    lstm = seeded(samples=8, timesteps=1)
    step = explain_memory(lstm).one_step
    assert step is not None
    assert (step.idle, step.total) == (460, 640)
    layer = keras.layers.LSTM(10)
    layer.build((None, 1, 5))
    values = layer_weights(lstm.weights, 0)
    layer.set_weights(values)
    inputs = lstm.inputs.block(0, 8)

    def emitted(variables: list[Any], x: Any) -> Any:
        return layer.stateless_call(variables, [one.value for one in layer.non_trainable_variables], x)[0].sum()

    order = [one.name for one in layer.trainable_variables]
    assert order == ["kernel", "recurrent_kernel", "bias"]
    gradients = [jax.grad(emitted)(values, inputs[sample : sample + 1]) for sample in range(8)]
    sizes = [sum(np.abs(np.asarray(one[place])) for one in gradients) for place in range(3)]
    assert sum(int((size == 0).sum()) for size in sizes) == 460
    assert sum(size.size for size in sizes) == 640


# --- carried states ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("projection", [None, 3])
@pytest.mark.parametrize("layer", [0, 1])
def test_the_borders_are_those_of_torch_with_states_passed_on(torch: Any, layer: int, projection: int | None) -> None:
    lstm = seeded(samples=200, timesteps=6, layers=2, projection=projection, dtype="float64")
    memory = explain_memory(lstm, sample=150, layer=layer, carry_state=True)
    assert memory.carried is not None
    module, state, outputs = module_of(torch, lstm), None, []
    inputs = torch.tensor(lstm.inputs.block(0, 200))
    for piece in range(200):
        if state is not None:
            assert far(memory.carried.hidden[piece - 1], state[0][layer, 0]) <= 1e-12
            assert far(memory.carried.cell[piece - 1], state[1][layer, 0]) <= 1e-12
        with torch.no_grad():
            output, state = module(inputs[piece : piece + 1], state)
        if piece == 150:
            assert far(memory.total, state[1][layer, 0]) <= 1e-12
        outputs.append(output[0].numpy())
    if layer == 1:
        with torch.no_grad():
            fresh = module(inputs)[0].numpy()
        check_differences(memory, np.abs(np.stack(outputs) - fresh).max(axis=2)[1:])


def check_differences(memory: Memory, difference: Any) -> None:
    carried = memory.carried
    assert carried is not None
    np.testing.assert_allclose(carried.first, difference[:, 0], atol=1e-12)
    np.testing.assert_allclose(carried.last, difference[:, -1], atol=1e-12)
    np.testing.assert_allclose(carried.mean, difference.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(carried.largest, difference.max(axis=0), atol=1e-12)
    assert carried.unfaded == int((difference[:, -1] >= carried.faded_below).sum())


def test_a_stateful_keras_layer_carries_the_same_state(keras: Any) -> None:
    lstm = seeded(samples=6, timesteps=4)
    memory = explain_memory(lstm, carry_state=True)
    assert memory.carried is not None
    layer = keras.layers.LSTM(10, stateful=True)
    layer.build((1, 4, 5))
    layer.set_weights(layer_weights(lstm.weights, 0))
    inputs = lstm.inputs.block(0, 6)
    for piece in range(5):
        layer(inputs[piece : piece + 1])
        hidden, cell = (np.asarray(state) for state in layer.states)
        np.testing.assert_allclose(memory.carried.hidden[piece], hidden[0], atol=2e-6)
        np.testing.assert_allclose(memory.carried.cell[piece], cell[0], atol=2e-6)


def test_a_wrong_order_of_gates_would_be_noticed(torch: Any) -> None:
    """The comparison of the split can fail: with f and g swapped the parts are others."""
    lstm = seeded(samples=1, timesteps=5, dtype="float64")
    memory = explain_memory(lstm)
    zero = torch.zeros(10, dtype=torch.float64)
    _, _, forgets, added = walked(torch, lstm, torch.tensor(lstm.inputs.block(0, 1))[0], (zero, zero))
    assert far(memory.added[2], added[2]) <= 1e-12
    assert far(memory.gates[GATES[2]][2], forgets[2]) > 1e-2
