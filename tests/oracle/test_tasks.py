"""The programs that `tasks` prints, run as they stand with our weights in PyTorch and Keras, compute what ours compute."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from lstm_explain.core.network import FROM_ONE, Task, build_network, plan_network, run_network
from lstm_explain.frameworks.keras import network_lines as keras_lines
from lstm_explain.frameworks.pytorch import network_lines as pytorch_lines
from lstm_explain.library import seeded
from lstm_explain.topics.tasks import explain_tasks
from tests.helpers.framework_weights import layer_weights, state_dict
from tests.helpers.mixed_stacks import MIXED

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array
    from lstm_explain.core.network import Network, NetworkPlan
    from lstm_explain.core.spec import LayerSpec

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]

TORCH_TOLERANCE, KERAS_TOLERANCE = 1e-12, 2e-6
LENGTHS = (4, 1, 6, 2)
OUTPUTS, STEPS_OUT = 3, 5
BOTH = pytest.mark.parametrize("bidirectional", [False, True])
EVERY_TASK = pytest.mark.parametrize("task", list(Task), ids=str)


class Example(NamedTuple):
    """A network of ours, and what it makes of a batch."""

    network: Network
    inputs: Array
    lengths: Array | None
    outputs: Array

    @property
    def plan(self) -> NetworkPlan:
        return self.network.plan

    def difference(self, theirs: Array) -> float:
        """The largest difference at steps that are no padding."""
        assert theirs.shape == self.outputs.shape
        apart = np.abs(theirs - self.outputs)
        if self.lengths is not None and self.plan.task is Task.MANY_TO_MANY:
            apart = apart[np.arange(apart.shape[1]) < self.lengths[:, None]]
        return float(np.max(apart))


def example(task: Task, lengths: bool = False, **options: Any) -> Example:
    """A network whose every weight counts: no bias is zero."""
    lstm = seeded(samples=4, timesteps=6, features=3, units=4, init="pytorch", seed=5, **options)
    network = build_network(plan_network(task, lstm.spec, OUTPUTS, STEPS_OUT), lstm.weights, "pytorch", 5)
    bias = np.random.default_rng(1).normal(size=OUTPUTS).astype(lstm.spec.dtype)
    network = network._replace(dense=network.dense._replace(bias=bias))
    inputs, ends = lstm.inputs.block(0, 4), np.array(LENGTHS) if lengths else None
    return Example(network, inputs, ends, run_network(network, inputs, ends).outputs)


# --- running a program, statement by statement ------------------------------------------------------------------------


def executed(lines: tuple[str, ...], given: dict[str, Any], after: Callable[[str, Any], None] | None = None) -> dict[str, Any]:
    """Run a program; hand each name that it assigns at the top to `after`; hold the shapes in its comments to be true."""
    names, compared = dict(given), 0
    for statement in ast.parse("\n".join(lines)).body:
        exec(compile(ast.Module([statement], []), "<printed>", "exec"), names)
        assigned = targets(statement)
        if after is not None:
            for name in assigned:
                after(name, names[name])
        comment = shapes_told(lines, statement)
        for name, shape in zip(assigned, comment, strict=False):
            if shape is not None:
                assert tuple(names[name].shape) == shape, (ast.unparse(statement), comment)
                compared += 1
    assert compared >= 2, "no comment was compared"
    return names


def targets(statement: ast.stmt) -> list[str]:
    """The names that a statement assigns, in their order; of a loop those of its last statement."""
    if isinstance(statement, ast.For):
        return targets(statement.body[-1])
    if not isinstance(statement, ast.Assign):
        return []
    return [node.id for node in ast.walk(statement.targets[0]) if isinstance(node, ast.Name)]


def shapes_told(lines: tuple[str, ...], statement: ast.stmt) -> list[tuple[int | None, ...] | None]:
    """The shapes in the comment beside a statement or above it; None where it names a thing without a shape."""
    one = statement.body[-1] if isinstance(statement, ast.For) else statement
    first, last = one.lineno - 1, (one.end_lineno or one.lineno) - 1
    beside = lines[last].partition("  # ")[2]
    above = lines[first - 1].strip() if first else ""
    told = beside or (above.removeprefix("# makes ") if above.startswith("# makes ") else "")
    return [None if word == "packed" else sizes(word) for word in re.findall(r"packed|\([^)]*\)", told)]


def sizes(text: str) -> tuple[int | None, ...]:
    words = text.strip("()").split(",")
    return tuple(None if word.strip() == "None" else int(word) for word in words if word.strip())


def test_a_wrong_comment_is_noticed(torch: Any) -> None:
    right, wrong = (("import torch", f"x = torch.zeros(2, 3)  # (2, {size})", "y = torch.zeros(1)  # (1,)") for size in (3, 4))
    executed(right, {})
    with pytest.raises(AssertionError, match=r"torch\.zeros"):
        executed(wrong, {})


# --- PyTorch ----------------------------------------------------------------------------------------------------------


def in_torch(torch: Any, one: Example) -> dict[str, Any]:
    network = one.network

    def load(name: str, module: Any) -> None:
        weights = {"lstm": network.weights, "encoder": network.weights, "decoder": network.decoder}
        if (ours := weights.get(name)) is not None:
            module.load_state_dict({key: torch.tensor(array) for key, array in state_dict(ours).items()})
        if name == "dense":
            module.load_state_dict({"weight": torch.tensor(network.dense.kernel.T), "bias": torch.tensor(network.dense.bias)})

    given = {"x": torch.tensor(one.inputs)}
    if one.lengths is not None:
        given["lengths"] = torch.tensor(one.lengths)
    with torch.no_grad():
        return executed(pytorch_lines(one.plan, one.lengths is not None), given, load)


@EVERY_TASK
@BOTH
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("options", [{}, {"projection": 2}, {"bias": False}], ids=str)
def test_pytorch(torch: Any, task: Task, bidirectional: bool, layers: int, lengths: bool, options: dict[str, Any]) -> None:
    one = example(task, lengths, bidirectional=bidirectional, layers=layers, dtype="float64", **options)
    assert one.difference(in_torch(torch, one)["y"].numpy()) <= TORCH_TOLERANCE


@BOTH
def test_the_last_output_and_the_last_h_in_pytorch(torch: Any, bidirectional: bool) -> None:
    """What `checks.last` says of output[:, -1] is so in PyTorch."""
    lstm = seeded(samples=4, timesteps=6, features=3, units=4, layers=2, bidirectional=bidirectional, dtype="float64")
    (found,) = explain_tasks(lstm, "many-to-one").networks
    last, network = found.checks.last, build_network(plan_network(Task.MANY_TO_ONE, lstm.spec, 1, 6), lstm.weights, "keras", 0)
    assert last is not None
    inputs = lstm.inputs.block(0, 4)
    made = in_torch(torch, Example(network, inputs, None, run_network(network, inputs).outputs))
    taken, right = made["output"][:, -1].numpy(), made["last"].numpy()
    assert np.max(np.abs(taken - right)) == pytest.approx(last.difference, abs=1e-12)
    assert np.max(np.abs(taken - right)[:, :4]) == pytest.approx(last.forward, abs=1e-12)
    with torch.no_grad():
        wrong = made["dense"](made["output"][:, -1]).numpy()
    assert np.max(np.abs(wrong - made["y"].numpy())) == pytest.approx(last.outputs, abs=1e-12)
    assert (last.difference > 0.01) is bidirectional
    if bidirectional:
        assert np.max(np.abs(taken - right)[:, 4:]) == pytest.approx(last.backward, abs=1e-12)


@EVERY_TASK
@BOTH
@pytest.mark.parametrize("options", [{}, {"layers": 2, "projection": 2}, {"bias": False}], ids=str)
def test_pytorch_counts_the_same_parameters(torch: Any, task: Task, bidirectional: bool, options: dict[str, Any]) -> None:
    lstm = seeded(samples=2, units=4, bidirectional=bidirectional, **options)
    (found,) = explain_tasks(lstm, task, OUTPUTS).networks
    made = executed(found.frameworks["pytorch"].lines or (), {"x": torch.tensor(lstm.inputs.block(0, 2))})
    modules = [value for value in made.values() if isinstance(value, torch.nn.Module)]
    assert sum(one.numel() for module in modules for one in module.parameters()) == found.frameworks["pytorch"].parameters


# --- Keras ------------------------------------------------------------------------------------------------------------


def in_keras(keras: Any, one: Example) -> Array:
    model = executed(keras_lines(one.plan, one.lengths is not None), {})["model"]
    recurrent = [layer for layer in model.layers if isinstance(layer, keras.layers.LSTM | keras.layers.Bidirectional)]
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense | keras.layers.TimeDistributed)]
    stacks = [weights for weights in (one.network.weights, one.network.decoder) if weights is not None]
    ours = [layer_weights(weights, layer) for weights in stacks for layer in range(len(weights.layers))]
    for layer, weights in zip(recurrent, ours, strict=True):
        layer.set_weights(weights)
    (last,) = dense
    last.set_weights([one.network.dense.kernel, one.network.dense.bias])
    x = {Task.ONE_TO_ONE: one.inputs[:, :1], Task.ONE_TO_MANY: one.inputs[:, 0]}.get(one.plan.task, one.inputs)
    if one.lengths is None or one.plan.task in FROM_ONE:
        return np.asarray(model(x))
    return np.asarray(model([x, np.arange(x.shape[1]) < one.lengths[:, None]]))


@EVERY_TASK
@BOTH
@pytest.mark.parametrize(("layers", "lengths"), [(1, True), (2, False), (3, True)])
def test_keras(keras: Any, task: Task, bidirectional: bool, layers: int, lengths: bool) -> None:
    one = example(task, lengths, bidirectional=bidirectional, layers=layers)
    assert one.difference(in_keras(keras, one)) <= KERAS_TOLERANCE


@EVERY_TASK
@BOTH
def test_keras_without_bias(keras: Any, task: Task, bidirectional: bool) -> None:
    one = example(task, bidirectional=bidirectional, bias=False)
    assert one.difference(in_keras(keras, one)) <= KERAS_TOLERANCE


@EVERY_TASK
@pytest.mark.parametrize(("stack", "lengths"), [(MIXED, True), (tuple(reversed(MIXED)), False)], ids=["down", "up"])
def test_keras_with_layers_that_differ(keras: Any, task: Task, stack: tuple[LayerSpec, ...], lengths: bool) -> None:
    one = example(task, lengths, stack=stack)
    assert one.difference(in_keras(keras, one)) <= KERAS_TOLERANCE
    lstm = seeded(samples=2, stack=stack)
    (found,) = explain_tasks(lstm, task, OUTPUTS).networks
    assert found.frameworks["pytorch"].lacks == "layers that differ"
    model = executed(found.frameworks["keras"].lines or (), {})["model"]
    assert model.count_params() == found.frameworks["keras"].parameters == found.total


@EVERY_TASK
@BOTH
@pytest.mark.parametrize("options", [{}, {"layers": 2, "bias": False}], ids=str)
def test_keras_counts_the_same_parameters(keras: Any, task: Task, bidirectional: bool, options: dict[str, Any]) -> None:
    lstm = seeded(samples=2, units=4, bidirectional=bidirectional, **options)
    (found,) = explain_tasks(lstm, task, OUTPUTS).networks
    model = executed(found.frameworks["keras"].lines or (), {})["model"]
    assert model.count_params() == found.frameworks["keras"].parameters


def test_keras_is_told_of_float64(keras: Any) -> None:
    lines = keras_lines(plan_network(Task.MANY_TO_ONE, seeded(dtype="float64").spec, 1, 1), False)
    (line,) = [line for line in lines if "float64" in line]
    try:
        exec(line, {"keras": keras})
        assert keras.config.floatx() == "float64"
    finally:
        keras.config.set_floatx("float32")


def test_keras_compares_one_target_with_every_step_without_an_error(keras: Any) -> None:
    """What `checks.broadcast` says: outputs (samples, steps, 1) against targets (samples, 1)."""
    numbers = np.random.default_rng(0)
    outputs, targets = numbers.normal(size=(4, 6, 1)), numbers.normal(size=(4, 1))
    (found,) = explain_tasks(seeded(samples=4, timesteps=6), "many-to-many").networks
    compared = (outputs[:, :, 0] - targets) ** 2
    loss = float(keras.losses.MeanSquaredError()(targets, outputs))
    assert loss == pytest.approx(compared.mean(), abs=1e-6)
    assert found.checks.broadcast is not None
    assert found.checks.broadcast.compared == compared.size


def test_time_distributed_is_dense_in_keras(keras: Any) -> None:
    dense = keras.layers.Dense(3)
    hidden = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    np.testing.assert_allclose(dense(hidden), keras.layers.TimeDistributed(dense)(hidden), atol=KERAS_TOLERANCE)


# --- the tests themselves ---------------------------------------------------------------------------------------------


@EVERY_TASK
def test_another_order_of_gates_is_noticed(torch: Any, task: Task) -> None:
    one = example(task, dtype="float64")
    (part,) = one.network.weights.layers[0].values()
    part.kernel[:] = part.kernel[:, ::-1].copy()
    assert one.difference(in_torch(torch, one)["y"].numpy()) > 1e-3
