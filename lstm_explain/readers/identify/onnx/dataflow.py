"""Where a value in an ONNX model comes from, followed through nodes that keep its numbers, calls and loop bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import numpy as np

from lstm_explain.readers.containers.onnx.constants import NotConstantError
from lstm_explain.readers.containers.onnx.graph import operator_name

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.onnx.constants import Constants
    from lstm_explain.readers.containers.onnx.graph import Scope

MAX_PASS_THROUGH = 12
"""How many nodes in a row that keep a value are followed; torch writes up to four."""
MAX_REVERSALS = MAX_STATE_NODES = 32
"""How many nodes in a row that reorder a sequence, or broadcast, concatenate or rename a state, are followed."""
MAX_INDICES = 32
FLOAT_TYPES = (1, 11)
"""float32 and float64, by their number in `TensorProto.DataType`: a Cast to another type may round."""


class GraphValue(NamedTuple):
    """A value: the scope that defines it, and its name there."""

    scope: Scope
    name: str

    @property
    def producer(self) -> tuple[Any, int] | None:
        """The node that computes it, and which of the node's outputs it is; None where it is stored or an input."""
        return None if self.scope.is_stored(self.name) else self.scope.producers.get(self.name)

    @property
    def operator(self) -> str:
        """The operator that computes it; empty where that is not one of ONNX's."""
        return "" if self.producer is None else operator_name(self.producer[0])

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs of the node that computes it."""
        return [] if self.producer is None else list(self.producer[0].input)

    def input(self, number: int) -> GraphValue:
        """Return an input of the node that computes it.

        Raises:
            IndexError: there is none.
        """
        if self.producer is None:
            raise IndexError("a stored value or an input has no inputs")
        return resolve(self.scope, self.producer[0].input[number])

    def attribute(self, name: str) -> Any:
        """Return an attribute of the node that computes it, or None."""
        return None if self.producer is None else self.scope.attribute(self.producer[0], name)

    def int_attribute(self, name: str, default: int) -> int:
        """Return an integer attribute of the node that computes it."""
        attribute = self.attribute(name)
        return default if attribute is None else int(attribute.i)

    def int_list(self, number: int, name: str, constants: Constants) -> list[int] | None:
        """Return the integers in an input of the node that computes it, or in an attribute, as older versions of ONNX have."""
        if (attribute := self.attribute(name)) is not None:
            return [int(number) for number in attribute.ints]
        if number >= len(self.input_names) or not self.input_names[number]:
            return None
        array = constants.value_or_none(self.scope, self.input_names[number])
        return [int(number) for number in array.ravel()[:MAX_INDICES]] if is_integer(array) else None


def is_integer(array: Array | None) -> TypeGuard[Array]:
    """Whether a constant is known and holds integers."""
    return array is not None and array.dtype.kind in "iu"


def scalar_int(array: Array | None) -> int | None:
    """Return the one integer of a constant; None where it is something else."""
    return int(array.ravel()[0]) if is_integer(array) and array.size == 1 else None


def resolve(scope: Scope, name: str) -> GraphValue:
    """Return the value of a name as seen from a scope, before Identity, Cast, calls and bodies that only pass it on."""
    for _ in range(MAX_PASS_THROUGH):
        home = scope.defining_scope(name)
        if home is None:
            break
        value = GraphValue(home, name)
        if value.producer is not None:
            if not _is_pass_through(value):
                return value
            scope, name = home, value.input_names[0]
            continue
        binding = None if home.is_stored(name) else home.inputs.get(name)
        if binding is None:
            return value
        scope, name = binding
    return GraphValue(scope.defining_scope(name) or scope, name)


def _is_pass_through(value: GraphValue) -> bool:
    if value.operator not in ("Identity", "Cast") or len(value.input_names) != 1:
        return False
    return value.operator == "Identity" or value.int_attribute("to", 0) in FLOAT_TYPES


class LoopState(NamedTuple):
    """A state of a Loop or Scan."""

    returned: GraphValue
    """What the body returns for the next iteration."""
    start: GraphValue
    """What it begins with, outside of the body."""


def loop_state(value: GraphValue) -> LoopState | None:
    """Return the loop state that a value in a body is, or None."""
    body_of = value.scope.body_of
    if value.producer is not None or body_of is None or value.name not in value.scope.loop_states:
        return None
    returned, start = value.scope.loop_states[value.name]
    return LoopState(resolve(value.scope, returned), resolve(body_of.scope, start))


# --- which timestep is read -------------------------------------------------------------------------------------------


class TimestepRead(NamedTuple):
    """One timestep of a sequence."""

    sequence: GraphValue
    axis: int
    """The sequence's axis of timesteps."""
    timestep: int | None
    """The index on that axis; None where it is the iteration number of a loop."""
    reverse: bool = False
    """Whether the iterations of a Scan run from the sequence's end."""


def timestep_read(value: GraphValue, constants: Constants) -> TimestepRead | None:
    """Return which timestep of which sequence a value is; None where that is unknown."""
    if value.operator == "Gather":
        return _gathered_timestep(value, constants)
    if value.operator == "Squeeze":
        return _squeezed_timestep(value, constants)
    return _scanned_timestep(value)


def _gathered_timestep(value: GraphValue, constants: Constants) -> TimestepRead | None:
    """Match Gather(sequence, index), where the index is a constant or the iteration number."""
    axis = value.int_attribute("axis", 0)
    index = constants.value_or_none(value.scope, value.input_names[1])
    if index is not None:
        number = scalar_int(index)
        return None if number is None else TimestepRead(value.input(0), axis, number)
    return TimestepRead(value.input(0), axis, None) if _is_iteration_number(value.input(1), constants) else None


def _is_iteration_number(value: GraphValue, constants: Constants) -> bool:
    """Whether a value is the first input of a Loop's body, or a loop state that counts up from zero."""
    body_of = value.scope.body_of
    is_body_input = value.producer is None and body_of is not None and operator_name(body_of.node) == "Loop"
    if is_body_input and value.scope.input_numbers.get(value.name) == 0:
        return True
    counter = loop_state(value)
    if counter is None or counter.returned.operator != "Add":
        return False
    scope, terms = counter.returned.scope, counter.returned.input_names
    starts_at_zero = scalar_int(constants.value_or_none(*counter.start)) == 0
    counts_by_one = any(scalar_int(constants.value_or_none(scope, name)) == 1 for name in terms)
    return starts_at_zero and counts_by_one and any(resolve(scope, name) == value for name in terms)


def _squeezed_timestep(value: GraphValue, constants: Constants) -> TimestepRead | None:
    """Match Squeeze of an axis of size one, which a Split or Slice cut out of the sequence."""
    piece = value.input(0)
    axes = value.int_list(1, "axes", constants)
    if axes is None or len(axes) != 1 or piece.producer is None:
        return None
    if piece.operator == "Split" and piece.int_attribute("axis", 0) == axes[0]:
        return TimestepRead(piece.input(0), axes[0], piece.producer[1])
    if piece.operator != "Slice":
        return None
    starts, slice_axes = piece.int_list(1, "starts", constants), piece.int_list(3, "axes", constants)
    if starts is None:
        return None
    start_by_axis = dict(zip(range(len(starts)) if slice_axes is None else slice_axes, starts, strict=False))
    return TimestepRead(piece.input(0), axes[0], start_by_axis[axes[0]]) if axes[0] in start_by_axis else None


def _scanned_timestep(value: GraphValue) -> TimestepRead | None:
    """Match an input of a Scan's body that is one timestep of a sequence."""
    body_of, number = value.scope.body_of, value.scope.input_numbers.get(value.name)
    if value.producer is not None or body_of is None or number is None or operator_name(body_of.node) != "Scan":
        return None
    scan, outer = body_of.node, body_of.scope
    scan_inputs = outer.attribute(scan, "num_scan_inputs")
    if scan_inputs is None or len(value.scope.input_numbers) != len(scan.input):
        return None
    scanned = number - (len(scan.input) - int(scan_inputs.i))
    if scanned < 0:
        return None
    directions, axes = (outer.attribute(scan, f"scan_input_{name}") for name in ("directions", "axes"))
    axis = int(axes.ints[scanned]) if axes is not None and scanned < len(axes.ints) else 0
    reverse = directions is not None and scanned < len(directions.ints) and directions.ints[scanned] == 1
    return TimestepRead(resolve(outer, scan.input[number]), axis, None, reverse)


def is_time_reversed(value: GraphValue, axis: int, constants: Constants) -> bool:
    """Whether a sequence, with its timesteps along an axis, is another one with its timesteps in reverse."""
    is_reversed = False
    for _ in range(MAX_REVERSALS):
        if value.producer is None or not value.input_names:
            break
        if value.operator == "Transpose":
            permutation = value.attribute("perm")
            if permutation is None or not 0 <= axis < len(permutation.ints):
                break
            axis = int(permutation.ints[axis])
        elif value.operator == "ReverseSequence":
            is_reversed ^= value.int_attribute("time_axis", 0) == axis
        elif value.operator == "Slice":
            steps, axes = value.int_list(4, "steps", constants), value.int_list(3, "axes", constants)
            is_reversed ^= steps is not None and axes is not None and (axis, -1) in zip(axes, steps, strict=False)
        else:
            break
        value = value.input(0)
    return is_reversed


# --- constant initial states ------------------------------------------------------------------------------------------


def constant_state(value: GraphValue, constants: Constants, max_nodes: int = MAX_STATE_NODES) -> Array:
    """Return the value of an initial state, before nodes that broadcast it over the samples or concatenate directions.

    Raises:
        NotConstantError: it is only known when the model runs.
        InputFileError: it is malformed.
        RefusedError: it is in another file, or does not fit the memory budget.
    """
    try:
        return constants.value(*value)
    except NotConstantError:
        if max_nodes <= 0:
            raise
    value = resolve(*value)
    if value.operator == "ConstantOfShape" and value.producer is not None:
        return constants.fill_value(value.scope, value.producer[0])
    inputs = [resolve(value.scope, name) for name in value.input_names[:2]]
    if value.operator in ("Expand", "Cast", "Identity") and inputs:
        return constant_state(inputs[0], constants, max_nodes - 1)
    if value.operator == "Unsqueeze" and inputs and value.int_list(1, "axes", constants) == [0]:
        array = constant_state(inputs[0], constants, max_nodes - 1)
        return array[np.newaxis] if array.ndim > 1 else array
    if value.operator == "Concat" and len(value.input_names) == 2:
        return _concat_directions([constant_state(state, constants, max_nodes // 2) for state in inputs], value.name)
    raise NotConstantError(value.name)


def _concat_directions(states: list[Array], name: str) -> Array:
    if all(state.size == 1 and state.ravel()[0] == states[0].ravel()[0] for state in states):
        return states[0]
    if all(state.ndim == 3 and state.shape[1:] == states[0].shape[1:] for state in states):
        return np.concatenate(states)
    raise NotConstantError(name)


def shared_state(array: Array, units: int) -> Array | None:
    """Return the state of a cell, [units], that all samples start from; None where they differ."""
    if array.ndim > 2 or array.dtype.kind != "f" or not array.size:
        return None
    rows = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    if (rows != rows[:1]).any() or rows.shape[1] not in (1, units):
        return None
    return np.broadcast_to(rows[0], (units,))
