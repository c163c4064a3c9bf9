"""ONNX Runtime's operator `LSTM`, given our weights, computes what we compute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import Direction
from lstm_explain.core.spec import Spec
from lstm_explain.library import seeded
from lstm_explain.topics.shapes import explain_shapes
from tests.helpers.framework_weights import node_inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array

pytestmark = pytest.mark.oracle

TOLERANCE = 2e-6
OPSET, IR_VERSION = 22, 10
STATE = ("directions", "samples", "units")
MADE = {"Y": ("timesteps", *STATE), "Y_h": STATE, "Y_c": STATE}
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.fixed_dictionaries(
    {
        "samples": st.integers(1, 6),
        "timesteps": st.integers(1, 8),
        "features": st.integers(1, 6),
        "units": st.integers(1, 7),
    }
)
few = settings(max_examples=8, deadline=None, derandomize=True)


@dataclass(frozen=True)
class Operator:
    """One node `LSTM`: which way it reads, its weights and what else it is fed."""

    onnx: Any
    direction: str
    weights: dict[str, Array]
    fed: dict[str, Array]
    """X, and sequence_lens, initial_h and initial_c where there are any."""

    @property
    def model(self) -> Any:
        helper, float32 = self.onnx.helper, self.onnx.TensorProto.FLOAT
        given_names = {**self.weights, **self.fed}
        order = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
        node = helper.make_node(
            "LSTM",
            [name if name in given_names else "" for name in order],
            list(MADE),
            hidden_size=self.weights["R"].shape[2],
            direction=self.direction,
        )
        graph = helper.make_graph(
            [node],
            "lstm",
            [
                helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
                for name, array in self.fed.items()
            ],
            [helper.make_tensor_value_info(name, float32, axes) for name, axes in MADE.items()],
            [self.onnx.numpy_helper.from_array(array, name) for name, array in self.weights.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)

    def run(self, onnxruntime: Any) -> list[Array]:
        """Y as [samples, timesteps, directions*units], Y_h and Y_c."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        model = self.model
        self.onnx.checker.check_model(model)
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        y, hidden, cell = session.run(None, self.fed)
        timesteps, _, samples, _ = y.shape
        return [y.transpose(2, 0, 1, 3).reshape(samples, timesteps, -1), hidden, cell]


def run(onnx: Any, onnxruntime: Any, case: Any) -> dict[str, Array]:
    """A whole stack, node by node, each fed with the output of the one below."""
    spec, below = case.spec, case.inputs
    hidden, cell = [], []
    for layer in range(len(spec.layers)):
        direction = "bidirectional" if spec.bidirectional else "forward"
        fed = {"X": np.ascontiguousarray(below.transpose(1, 0, 2)), **options_of(case, layer)}
        node = Operator(onnx, direction, node_inputs(case.weights, layer), fed)
        below, last_hidden, last_cell = node.run(onnxruntime)
        hidden.append(last_hidden)
        cell.append(last_cell)
    return {"output": below, "hidden": np.concatenate(hidden), "cell": np.concatenate(cell)}


def options_of(case: Any, layer: int) -> dict[str, Array]:
    fed: dict[str, Array] = {}
    if case.lengths is not None:
        fed["sequence_lens"] = case.lengths.astype(np.int32)
    if case.initial is not None:
        ways = len(case.spec.directions)
        places = slice(layer * ways, (layer + 1) * ways)
        hidden, cell = (np.stack(states[places]) for states in case.initial)
        fed |= {"initial_h": hidden, "initial_c": cell}
    return fed


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("peepholes", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
@given(sizes=SIZES, seed=SEEDS, lengths=st.booleans(), initial=st.booleans())
@few
def test_stack(
    onnx: Any,
    onnxruntime: Any,
    case: Callable[..., Any],
    layers: int,
    bidirectional: bool,
    peepholes: bool,
    bias: bool,
    sizes: dict[str, Any],
    seed: int,
    lengths: bool,
    initial: bool,
) -> None:
    spec = Spec.from_options(**sizes, layers=layers, bidirectional=bidirectional, peepholes=peepholes, bias=bias)
    one = case(spec, seed, lengths=lengths, initial=initial)
    assert one.difference(run(onnx, onnxruntime, one)) <= TOLERANCE


@pytest.mark.parametrize("lengths", [True, False])
@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("peepholes", [True, False])
@given(sizes=SIZES, seed=SEEDS)
@few
def test_reverse(
    onnx: Any,
    onnxruntime: Any,
    case: Callable[..., Any],
    peepholes: bool,
    initial: bool,
    lengths: bool,
    sizes: dict[str, Any],
    seed: int,
) -> None:
    """The operator's third direction is our backward half of a bidirectional layer."""
    one = case(Spec.from_options(**sizes, bidirectional=True, peepholes=peepholes), seed, lengths=lengths, initial=initial)
    backward = one.record.of(0, Direction.BACKWARD)
    weights = {name: array[1:] for name, array in node_inputs(one.weights, 0).items()}
    fed = {name: array if name == "sequence_lens" else array[1:] for name, array in options_of(one, 0).items()}
    fed["X"] = np.ascontiguousarray(one.inputs.transpose(1, 0, 2))
    output, hidden, cell = Operator(onnx, "reverse", weights, fed).run(onnxruntime)
    ours = one.record.output[:, :, one.spec.units :]
    assert np.max(np.abs(output - ours)) <= TOLERANCE
    assert np.max(np.abs(hidden[0] - backward.last_hidden)) <= TOLERANCE
    assert np.max(np.abs(cell[0] - backward.last_cell)) <= TOLERANCE


@pytest.mark.parametrize("name", ["W", "R", "B", "P"])
def test_swapped_weights_are_noticed(onnx: Any, onnxruntime: Any, case: Callable[..., Any], name: str) -> None:
    one = case(Spec.from_options(4, 6, 3, 5, peepholes=True), 1)
    weights = node_inputs(one.weights, 0)
    fed = {"X": np.ascontiguousarray(one.inputs.transpose(1, 0, 2))}
    right = Operator(onnx, "forward", weights, fed)
    swapped = {**weights, name: gates_swapped(weights[name], units=5)}
    wrong = replace(right, weights=swapped)
    for operator, smallest, largest in ((right, 0.0, TOLERANCE), (wrong, 1e-2, 10.0)):
        output, hidden, cell = operator.run(onnxruntime)
        assert smallest <= one.difference({"output": output, "hidden": hidden, "cell": cell}) <= largest


def gates_swapped(array: Array, units: int) -> Array:
    """Swap the first two gates along the axis after the directions."""
    first, second, rest = np.split(array, [units, 2 * units], axis=1)
    return np.concatenate([second, first, rest], axis=1)


@given(sizes=SIZES, layers=st.integers(1, 3), bidirectional=st.booleans(), peepholes=st.booleans(), bias=st.booleans())
@settings(few, max_examples=30)
def test_parameter_counts(
    onnx: Any, sizes: dict[str, Any], layers: int, bidirectional: bool, peepholes: bool, bias: bool
) -> None:
    lstm = seeded(**sizes, layers=layers, bidirectional=bidirectional, peepholes=peepholes, bias=bias)
    theirs = 0
    for layer in range(layers):
        fed = {"X": np.zeros((1, 1, lstm.spec.features_of(layer)), np.float32)}
        model = Operator(onnx, "bidirectional", node_inputs(lstm.weights, layer), fed).model
        theirs += sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer)
    assert explain_shapes(lstm).frameworks["onnx"] == theirs
