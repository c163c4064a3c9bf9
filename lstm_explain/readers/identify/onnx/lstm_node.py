"""One node LSTM of an ONNX model: its options, its weights, its initial states, and which node's output it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_explain.core.engine import StackState
from lstm_explain.core.gates import GATES, PEEPHOLE_GATES
from lstm_explain.core.weights import Weights
from lstm_explain.errors import InputFileError, printable
from lstm_explain.frameworks.onnx import ONNX_CONVENTION
from lstm_explain.readers.containers.onnx import FIX_EXPORT
from lstm_explain.readers.containers.onnx.constants import NotConstantError, NotFoldedError
from lstm_explain.readers.containers.onnx.graph import decode_text, printable_name
from lstm_explain.readers.identify.model_lstm import FED_STATES, ModelLSTM, validate_lstm
from lstm_explain.readers.identify.onnx.dataflow import GraphValue, constant_state, is_integer, is_time_reversed, resolve
from lstm_explain.readers.identify.tensor_names import split_directions

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.onnx.constants import Constants
    from lstm_explain.readers.containers.onnx.graph import GraphNode

INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
DEFAULT_ACTIVATIONS = ("sigmoid", "tanh", "tanh")
DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}
"""How many directions a node has; `reverse` is our forward direction of a layer that reads from the end."""
LENGTHS_FED = "it is fed the lengths of its samples (sequence_lens) when the model runs: give them with --lengths"
MAX_LISTED_LENGTHS = 16
REVERSED = "the model reverses the sequence before it reads it"
REVERSED_TWICE = "the model reverses the sequence before it reads it from its end, which is the start of the data"


class _LSTMNode(NamedTuple):
    """A node LSTM, with what is needed to read it."""

    graph_node: GraphNode
    constants: Constants
    file: str

    @property
    def label(self) -> str:
        """Its name in messages, safe to print."""
        return f"{self.file}#{printable_name(self.graph_node)}"

    @property
    def direction(self) -> str:
        attribute = self.attribute("direction")
        return "forward" if attribute is None else decode_text(attribute.s)

    @property
    def layout(self) -> int:
        """0 if timesteps are the first axis of its sequences, 1 if samples are."""
        attribute = self.attribute("layout")
        return 0 if attribute is None else int(attribute.i)

    def error(self, problem: str, fix: str = "") -> InputFileError:
        return InputFileError(self.label, problem, fix)

    def attribute(self, name: str) -> Any:
        return self.graph_node.scope.attribute(self.graph_node.node, name)

    def input_name(self, role: str) -> str:
        """Return the name that the model gives to one of the inputs in `INPUTS`; empty if the node does not have it."""
        names, number = self.graph_node.node.input, INPUTS.index(role)
        return names[number] if number < len(names) else ""

    def weights(self, role: str) -> Array | None:
        """Return the value of one of the inputs in `INPUTS`; None if the node does not have it.

        Raises:
            InputFileError: it is only known when the model runs, or does not hold floating-point numbers.
        """
        name, scope = self.input_name(role), self.graph_node.scope
        if not name:
            return None
        try:
            array = self.constants.value(scope, name)
        except NotFoldedError as error:
            raise self.error(*error.args) from None
        except NotConstantError as error:
            dependency = decode_text(error.args[0])
            home = scope.defining_scope(name)
            is_model_input = dependency == name and home is not None and home.outer is None and not home.path
            origin = "is an input of the model" if is_model_input else f"depends on {printable(dependency)}"
            problem = f"its {role} {origin}, which is only known when the model runs"
            raise self.error(problem, "Export the model with its weights inside") from None
        if array.dtype.kind != "f":
            problem = f"its {role} is {array.dtype.name}: quantised weights are not explained"
            raise self.error(problem, "Give the model before quantisation")
        return array


def read_lstm_node(graph_node: GraphNode, constants: Constants, file: str) -> ModelLSTM:
    """Return the LSTM that a node computes.

    Raises:
        InputFileError: it is malformed, or is not supported: other activations, a clip, a coupled input gate.
        RefusedError: one of its tensors is in another file, or does not fit the memory budget.
    """
    node = _LSTMNode(graph_node, constants, file)
    _check_options(node)
    tensors = {role: array for role in ("W", "R", "B", "P") if (array := node.weights(role)) is not None}
    _check_shapes(node, tensors, DIRECTIONS[node.direction])
    dtype = np.float64 if any(array.dtype.itemsize == 8 for array in tensors.values()) else np.float32
    size = sum(array.size for array in tensors.values()) * np.dtype(dtype).itemsize
    constants.budget.take(3 * size, f"arranging the weights of {printable_name(graph_node)}")
    arrays = {role: array.astype(dtype) for role, array in tensors.items()}
    with np.errstate(all="ignore"):  # infinite biases of either sign add up to nan
        by_direction = split_directions(arrays, ONNX_CONVENTION)
        layer = {direction: ONNX_CONVENTION.unpack(parts) for direction, parts in by_direction.items()}
    initial, caveats = _initial_state(node, len(layer), tensors["R"].shape[2], dtype)
    if node.input_name("sequence_lens"):
        caveats = (*caveats, _lengths_caveat(node))
    notes: tuple[str, ...] = ()
    reverse = node.direction == "reverse"
    if len(layer) == 1 and is_time_reversed(resolve(graph_node.scope, node.input_name("X")), int(node.layout != 0), constants):
        reverse, notes = not reverse, (REVERSED_TWICE if reverse else REVERSED,)
    lstm = ModelLSTM(
        name=graph_node.name,
        framework=ONNX_CONVENTION.framework,
        title="ONNX LSTM" + (", direction reverse" if node.direction == "reverse" else ""),
        weights=Weights((layer,)),
        tensors={decode_text(node.input_name(role)): array.shape for role, array in tensors.items()},
        biases=2 if "B" in tensors else 0,
        initial=initial,
        reverse=reverse,
        notes=notes,
        caveats=caveats,
    )
    return validate_lstm(lstm, file)


def _lengths_caveat(node: _LSTMNode) -> str:
    array = node.constants.value_or_none(node.graph_node.scope, node.input_name("sequence_lens"))
    if not is_integer(array) or array.ndim != 1:
        return LENGTHS_FED
    listed = ",".join(str(int(length)) for length in array[:MAX_LISTED_LENGTHS])
    more = "" if len(array) <= MAX_LISTED_LENGTHS else f" and {len(array) - MAX_LISTED_LENGTHS} more"
    lengths = f"its node carries the lengths {listed}{more} of {len(array)} samples (sequence_lens)"
    return f"{lengths}; only those that --lengths gives are used here"


# --- options and shapes -----------------------------------------------------------------------------------------------


def _check_options(node: _LSTMNode) -> None:
    """Raise `InputFileError` for an option that changes the arithmetic, and for an unknown direction."""
    if (clip := node.attribute("clip")) is not None:
        raise node.error(f"it clips its gates' sums (clip={clip.f:g}), which is not explained")
    coupled = node.attribute("input_forget")
    if coupled is not None and coupled.i:
        raise node.error(f"its input and forget gates are coupled (input_forget={coupled.i}), which is not explained")
    attribute = node.attribute("activations")
    activations = [decode_text(name) for name in attribute.strings] if attribute is not None else []
    repeats, rest = divmod(len(activations), len(DEFAULT_ACTIVATIONS))
    if rest or tuple(name.lower() for name in activations) != DEFAULT_ACTIVATIONS * repeats:
        listed = ", ".join(map(printable, activations[:6]))
        raise node.error(f"its activations are {listed}; only Sigmoid, Tanh, Tanh are explained")
    if node.direction not in DIRECTIONS:
        problem = f"its direction is {printable(node.direction)}; it must be one of {', '.join(DIRECTIONS)}"
        raise node.error(problem, FIX_EXPORT)


def _check_shapes(node: _LSTMNode, tensors: dict[str, Array], direction_count: int) -> None:
    """Raise `InputFileError` unless every tensor has the shape that follows from the sizes of W and R."""
    if missing := [role for role in ("W", "R") if role not in tensors]:
        raise node.error(f"it has no {missing[0]}", FIX_EXPORT)
    kernel, recurrent_kernel = tensors["W"], tensors["R"]
    features = kernel.shape[-1] if kernel.ndim else 0
    units = recurrent_kernel.shape[-1] if recurrent_kernel.ndim else 0
    if not units or not features:
        raise node.error("its weights are empty", FIX_EXPORT)
    neurons = len(GATES) * units
    expected = {
        "W": (direction_count, neurons, features),
        "R": (direction_count, neurons, units),
        "B": (direction_count, 2 * neurons),
        "P": (direction_count, len(PEEPHOLE_GATES) * units),
    }
    for role, array in tensors.items():
        if array.shape != expected[role]:
            problem = f"its {role} has the shape {list(array.shape)}; with {units} units it should be {list(expected[role])}"
            raise node.error(problem, FIX_EXPORT)
    hidden_size = node.attribute("hidden_size")
    if hidden_size is not None and hidden_size.i != units:
        problem = f"its hidden_size is {hidden_size.i}, and its weights are those of {units} units"
        raise node.error(problem, FIX_EXPORT)


# --- initial states ---------------------------------------------------------------------------------------------------


def _initial_state(node: _LSTMNode, directions: int, units: int, dtype: Any) -> tuple[StackState | None, tuple[str, ...]]:
    """Return the states that the node starts from, None for zeros; and a caveat if only the model knows them when it runs."""
    try:
        arrays = [_read_state(node, role, directions, units, dtype) for role in ("initial_h", "initial_c")]
    except NotConstantError:
        return None, (FED_STATES,)
    state = StackState.from_stacked(*arrays)
    return (state if state.any() else None), ()


def _read_state(node: _LSTMNode, role: str, directions: int, units: int, dtype: Any) -> Array:
    """Return the state that every sample starts from; [directions, 1, units].

    Raises:
        NotConstantError: it is only known when the model runs.
        InputFileError: the samples start from different states, or the shape is wrong.
    """
    name = node.input_name(role)
    if not name:
        return np.zeros((directions, 1, units), dtype)
    array = constant_state(GraphValue(node.graph_node.scope, name), node.constants)
    if node.layout and array.ndim == 3:
        array = array.transpose(1, 0, 2)
    if array.dtype.kind != "f":
        raise node.error(f"its {role} is {array.dtype.name}, not floating-point numbers")
    samples = array.shape[-2] if array.ndim > 1 else 1
    sizes = zip(reversed(array.shape), (units, samples, directions), strict=False)
    if array.ndim > 3 or array.size == 0 or any(size not in (1, expected) for size, expected in sizes):
        problem = f"its {role} has the shape {list(array.shape)}; it should be [{directions}, samples, {units}]"
        raise node.error(problem, FIX_EXPORT)
    if array.ndim == 3 and (array != array[:, :1]).any():
        raise node.error(f"its {role} gives each of {samples} samples another state; one for all of them is explained")
    first_sample = array[:, :1] if array.ndim == 3 else array
    return np.ascontiguousarray(np.broadcast_to(first_sample, (directions, 1, units))).astype(dtype)


# --- which output a node reads ----------------------------------------------------------------------------------------

MAX_AXIS_NODES = 64
"""How many nodes in a row that only reorder axes are followed."""
AXIS_OPERATORS = ("Identity", "Cast", "Dropout", "Squeeze", "Unsqueeze", "Reshape", "Transpose")
OUTPUT_AXES = {0: "TDNH", 1: "NTDH"}
"""The axes of a node's output Y, for each layout: timesteps, directions (`1` if there is one), samples (N) and hidden."""
INPUT_AXES = {0: "TNH", 1: "NTH"}


class InputSource(NamedTuple):
    """What a node LSTM reads."""

    sequence: GraphValue | None
    """The output sequence of another node LSTM, if it reads that unchanged."""
    name: str
    """Its name; not yet safe to print."""


def input_source(graph_node: GraphNode, constants: Constants) -> InputSource:
    """Return what a node LSTM reads as its X, before nodes that only change its axes.

    Raises:
        RefusedError: a constant that those nodes need is in another file.
    """
    node = _LSTMNode(graph_node, constants, "")
    if not node.input_name("X"):
        return InputSource(None, "nothing")
    value, axes = _trace_axes(resolve(graph_node.scope, node.input_name("X")), constants)
    if value.producer is None:
        return InputSource(None, decode_text(value.name))
    producer, output = value.producer
    name = decode_text(producer.name) or decode_text(value.name)
    if value.operator != "LSTM":
        return InputSource(None, name)
    if output != 0:
        return InputSource(None, f"a state of {name}")
    if axes != INPUT_AXES.get(node.layout):
        return InputSource(None, f"the output of {name} with other axes")
    return InputSource(value, name)


def _trace_axes(value: GraphValue, constants: Constants, max_nodes: int = MAX_AXIS_NODES) -> tuple[GraphValue, str | None]:
    """Return a value before the nodes that only change its axes; and its axes after them, if it is the output of an LSTM."""
    if value.operator in AXIS_OPERATORS and value.input_names and value.producer and value.producer[1] == 0 and max_nodes:
        source, axes = _trace_axes(value.input(0), constants, max_nodes - 1)
        return source, None if axes is None else _reorder_axes(axes, value, constants)
    axes = OUTPUT_AXES.get(value.int_attribute("layout", 0)) if value.operator == "LSTM" else None
    direction = value.attribute("direction")
    is_bidirectional = direction is not None and decode_text(direction.s) == "bidirectional"
    return value, axes if axes is None or is_bidirectional else axes.replace("D", "1")


def _reorder_axes(axes: str, value: GraphValue, constants: Constants) -> str | None:
    """Return the axes after one node; two directions can only be merged into the hidden axis."""
    if value.operator == "Transpose":
        permutation = value.int_list(1, "perm", constants) or list(range(len(axes)))[::-1]
        is_permutation = sorted(permutation) == list(range(len(axes)))
        return "".join(axes[axis] for axis in permutation) if is_permutation else None
    if value.operator == "Reshape":
        return axes.replace("D", "") if "DH" in axes else axes.replace("1", "", 1) if "1" in axes else None
    if value.operator not in ("Squeeze", "Unsqueeze"):
        return axes
    numbers = value.int_list(1, "axes", constants)
    if value.operator == "Squeeze":
        dropped = [axis for axis, name in enumerate(axes) if name == "1"]
        dropped = dropped if numbers is None else [axis % len(axes) for axis in numbers]
        is_valid = all(axes[axis] == "1" for axis in dropped)
        return "".join(name for axis, name in enumerate(axes) if axis not in dropped) if is_valid else None
    if numbers is None or len(numbers) != 1:
        return None
    axis = numbers[0] % (len(axes) + 1)
    return f"{axes[:axis]}1{axes[axis:]}"
