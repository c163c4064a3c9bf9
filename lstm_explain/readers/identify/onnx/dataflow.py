"""Where a value in an ONNX model comes from, seen through nodes that change nothing and through calls and bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_explain.readers.containers.onnx.constants import OWN_DOMAINS, NotConstantError
from lstm_explain.readers.containers.onnx.tensors import text

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.onnx.constants import Constants
    from lstm_explain.readers.containers.onnx.graph import Scope


LONGEST = 12
"""No more nodes that change nothing are seen through in a row; torch writes up to four."""
WIDE = (1, 11)
"""float32 and float64, by their number in `TensorProto.DataType`: a Cast to others may round."""
MOST_FLIPS = 32


class Source(NamedTuple):
    """What a name stands for: the graph in which it has its value, and its name there."""

    scope: Scope
    name: str

    @property
    def key(self) -> tuple[int, str]:
        return id(self.scope), self.name

    @property
    def maker(self) -> tuple[Any, int] | None:
        """The node that makes it, and which of its outputs it is; None where it is held or given."""
        if self.name in self.scope.tensors or self.name in self.scope.sparse:
            return None
        return self.scope.producers.get(self.name)

    @property
    def kind(self) -> str:
        """The operator that makes it; empty where none of ONNX's own does."""
        return "" if self.maker is None else operator(self.maker[0])

    @property
    def inputs(self) -> list[str]:
        """What the node that makes it is given."""
        return [] if self.maker is None else list(self.maker[0].input)

    def of(self, number: int) -> Source:
        """What an input of the node that makes it stands for.

        Raises:
            IndexError: it has no such input.
        """
        if self.maker is None:
            raise IndexError("what is held or given has no inputs")
        return source(self.scope, self.maker[0].input[number])


def operator(node: Any) -> str:
    """The name of a node's operator; empty where it is of another domain than ONNX's own."""
    return text(node.op_type) if node.domain in OWN_DOMAINS else ""


def source(scope: Scope, name: str) -> Source:
    """What a name stands for, as seen from a graph."""
    for _ in range(LONGEST):
        home = scope.home(name)
        if home is None:
            break
        found = Source(home, name)
        if (maker := found.maker) is not None:
            if not _changes_nothing(home, maker[0]):
                return found
            scope, name = home, maker[0].input[0]
            continue
        outside = None if name in home.tensors or name in home.sparse else home.given.get(name)
        if outside is None:
            return found
        scope, name = outside
    return Source(scope.home(name) or scope, name)


def _changes_nothing(scope: Scope, node: Any) -> bool:
    if node.op_type not in ("Identity", "Cast") or not operator(node) or len(node.input) != 1:
        return False
    to = scope.attribute(node, "to")
    return node.op_type == "Identity" or (to is not None and to.i in WIDE)


class State(NamedTuple):
    """A state of a Loop or Scan."""

    handed_on: Source
    """What its body hands on to the next turn."""
    start: Source
    """What it begins with, outside of the body."""


def state(one: Source) -> State | None:
    """The state of a Loop or Scan that a name in its body is, None where it is none."""
    around = one.scope.body_of
    if one.maker is not None or around is None or one.name not in one.scope.states:
        return None
    handed_on, start = one.scope.states[one.name]
    return State(source(one.scope, handed_on), source(around.scope, start))


# --- which timestep is read -------------------------------------------------------------------------------------------


class Reading(NamedTuple):
    """One timestep of a sequence."""

    sequence: Source
    axis: int
    """The sequence's axis of timesteps."""
    at: int | None
    """The number of the timestep, None where it is the turn of a loop."""
    backwards: bool = False
    """Whether the turns of a Scan go through the sequence from its end."""


def reading(one: Source, constants: Constants) -> Reading | None:
    """Which timestep of which sequence a value is; None where that cannot be told."""
    if one.kind == "Gather":
        return _gathered(one, constants)
    if one.kind == "Squeeze":
        return _squeezed(one, constants)
    return _scanned(one)


def _gathered(one: Source, constants: Constants) -> Reading | None:
    axis = attribute(one, "axis", 0)
    index = constants.known_value(one.scope, one.inputs[1])
    if index is not None:
        return Reading(one.of(0), axis, int(index.ravel()[0])) if index.size == 1 and index.dtype.kind in "iu" else None
    return Reading(one.of(0), axis, None) if _is_turn(one.of(1), constants) else None


def _is_turn(one: Source, constants: Constants) -> bool:
    """Whether a value is the number of a Loop's turn: its body's first input, or a state that counts up from zero."""
    around = one.scope.body_of
    if around is not None and one.maker is None and operator(around.node) == "Loop" and one.scope.inputs.get(one.name) == 0:
        return True
    counter = state(one)
    if counter is None or counter.handed_on.kind != "Add":
        return False
    start = constants.known_value(*counter.start)
    added = [constants.known_value(counter.handed_on.scope, name) for name in counter.handed_on.inputs]
    itself = [source(counter.handed_on.scope, name).key == one.key for name in counter.handed_on.inputs]
    ones = [one is not None and one.size == 1 and int(one.ravel()[0]) == 1 for one in added]
    zero = start is not None and start.size == 1 and int(start.ravel()[0]) == 0
    return zero and any(ones) and any(itself)


def _squeezed(one: Source, constants: Constants) -> Reading | None:
    """An axis of size one that is dropped, after a Split or Slice made it so."""
    cut = one.of(0)
    axes = numbers(one, 1, "axes", constants)
    if axes is None or len(axes) != 1 or cut.maker is None:
        return None
    if cut.kind == "Split" and attribute(cut, "axis", 0) == axes[0]:
        return Reading(cut.of(0), axes[0], cut.maker[1])
    if cut.kind != "Slice":
        return None
    starts, along = numbers(cut, 1, "starts", constants), numbers(cut, 3, "axes", constants)
    if starts is None:
        return None
    along = list(range(len(starts))) if along is None else along
    at = dict(zip(along, starts, strict=False)).get(axes[0])
    return None if at is None else Reading(cut.of(0), axes[0], at)


def _scanned(one: Source) -> Reading | None:
    """An input that a Scan hands its body timestep by timestep."""
    place, number = one.scope.body_of, one.scope.inputs.get(one.name)
    if one.maker is not None or place is None or number is None or operator(place.node) != "Scan":
        return None
    many = place.scope.attribute(place.node, "num_scan_inputs")
    if many is None or len(one.scope.inputs) != len(place.node.input):
        return None
    scanned = number - (len(place.node.input) - int(many.i))
    if scanned < 0:
        return None
    ways, axes = (place.scope.attribute(place.node, f"scan_input_{what}") for what in ("directions", "axes"))
    axis = int(axes.ints[scanned]) if axes is not None and scanned < len(axes.ints) else 0
    back = ways is not None and scanned < len(ways.ints) and ways.ints[scanned] == 1
    return Reading(source(place.scope, place.node.input[number]), axis, None, back)


def turned_round(one: Source, axis: int, constants: Constants) -> bool:
    """Whether a sequence is another one with its timesteps in reverse."""
    turned = False
    for _ in range(MOST_FLIPS):
        if one.maker is None or not one.inputs:
            break
        if one.kind == "Transpose":
            order = one.scope.attribute(one.maker[0], "perm")
            if order is None or not 0 <= axis < len(order.ints):
                break
            axis = int(order.ints[axis])
        elif one.kind == "ReverseSequence":
            turned ^= attribute(one, "time_axis", 0) == axis
        elif one.kind == "Slice":
            steps, along = numbers(one, 4, "steps", constants), numbers(one, 3, "axes", constants)
            turned ^= steps is not None and along is not None and (axis, -1) in zip(along, steps, strict=False)
        else:
            break
        one = one.of(0)
    return turned


def reversed_input(scope: Scope, name: str, axis: int, constants: Constants) -> bool:
    """Whether what a name stands for is a sequence in reverse, with its timesteps along an axis."""
    return turned_round(source(scope, name), axis, constants)


def attribute(one: Source, name: str, default: int) -> int:
    """A whole number that the node that makes a value has as an attribute."""
    found = None if one.maker is None else one.scope.attribute(one.maker[0], name)
    return default if found is None else int(found.i)


def numbers(one: Source, number: int, name: str, constants: Constants) -> list[int] | None:
    """Whole numbers that a node is given as an input, or as an attribute in older versions of ONNX."""
    found = None if one.maker is None else one.scope.attribute(one.maker[0], name)
    if found is not None:
        return [int(each) for each in found.ints]
    if number >= len(one.inputs) or not one.inputs[number]:
        return None
    array = constants.known_value(one.scope, one.inputs[number])
    return [int(each) for each in array.ravel()[:32]] if array is not None and array.dtype.kind in "iu" else None


MOST_NODES = 32
"""No more nodes in a row only repeat, join or rename a state."""


def before_batch(constants: Constants, scope: Scope, name: str, left: int = MOST_NODES) -> Array:
    """The value of a state; where nodes only repeat it for as many samples as there are, the value before that.

    Raises:
        NotConstantError: it is only known when the model runs.
        InputFileError: it is malformed.
        RefusedError: it stands in another file, or is over the memory budget.
    """
    try:
        return constants.value(scope, name)
    except NotConstantError:
        home = scope.home(name)
        if home is None or left <= 0:
            raise
    one = Source(home, name)
    outside = home.given.get(name)
    if one.maker is None and outside is not None:
        return before_batch(constants, *outside, left - 1)
    if one.kind == "ConstantOfShape" and one.maker is not None:
        return constants.fill(home, one.maker[0])
    if one.kind in ("Expand", "Cast", "Identity") and one.inputs:
        return before_batch(constants, home, one.inputs[0], left - 1)
    if one.kind == "Unsqueeze" and one.inputs and numbers(one, 1, "axes", constants) == [0]:
        array = before_batch(constants, home, one.inputs[0], left - 1)
        return array[np.newaxis] if array.ndim > 1 else array
    if one.kind == "Concat" and len(one.inputs) == 2:  # of both directions
        return _joined([before_batch(constants, home, each, left // 2) for each in one.inputs], name)
    raise NotConstantError(name)


def _joined(parts: list[Array], name: str) -> Array:
    if all(one.size == 1 and one.ravel()[0] == parts[0].ravel()[0] for one in parts):
        return parts[0]
    if all(one.ndim == 3 and one.shape[1:] == parts[0].shape[1:] for one in parts):
        return np.concatenate(parts)
    raise NotConstantError(name)


def one_for_all(array: Array, units: int) -> Array | None:
    """A state of a cell, [units], where all samples start from the same; None where they do not."""
    if array.ndim > 2 or array.dtype.kind != "f" or not array.size:
        return None
    rows = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    if (rows != rows[:1]).any() or rows.shape[1] not in (1, units):
        return None
    return np.broadcast_to(rows[0], (units,))
