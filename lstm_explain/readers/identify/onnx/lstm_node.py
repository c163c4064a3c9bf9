"""One node LSTM of an ONNX model: what it says of itself, its weights, and the states that it starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_explain.core.engine import StackState
from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Direction
from lstm_explain.core.weights import Weights
from lstm_explain.errors import InputFileError, printable
from lstm_explain.frameworks.onnx import ONNX
from lstm_explain.readers.containers.onnx.constants import NotConstantError, NotFoldedError
from lstm_explain.readers.containers.onnx.graph import named
from lstm_explain.readers.containers.onnx.tensors import text
from lstm_explain.readers.identify.find_lstms import validate_lstm
from lstm_explain.readers.identify.model_lstm import FED_STATES, ModelLSTM
from lstm_explain.readers.identify.onnx.dataflow import Source, attribute, before_batch, numbers, reversed_input, source

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.readers.containers.onnx.constants import Constants
    from lstm_explain.readers.containers.onnx.graph import Place


INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
DEFAULT_ACTIVATIONS = ("sigmoid", "tanh", "tanh")
WAYS = {
    "forward": (Direction.FORWARD,),
    "reverse": (Direction.FORWARD,),  # our forward LSTM, which is told to read from the end
    "bidirectional": (Direction.FORWARD, Direction.BACKWARD),
}
LENGTHS = "it is fed the lengths of its samples (sequence_lens) when the model runs: give them with --lengths"
LENGTHS_SHOWN = 16
TURNED = "the model turns the sequence round before it reads it"
TWICE = "the model turns the sequence round before it reads it from its end, which is the start of the data"


class _Node(NamedTuple):
    """A node LSTM, with what is needed to read it."""

    place: Place
    constants: Constants
    file: str

    @property
    def where(self) -> str:
        return f"{self.file}#{named(self.place)}"

    def input(self, name: str) -> str:
        """What the node's input of that name is called; empty where it has none."""
        names = self.place.node.input
        number = INPUTS.index(name)
        return names[number] if number < len(names) else ""

    def attribute(self, name: str) -> Any:
        return self.place.scope.attribute(self.place.node, name)

    def value(self, name: str) -> Array | None:
        """The value of the node's input of that name, None where it has none.

        Raises:
            InputFileError: it is only known when the model runs, or holds no floating-point numbers.
        """
        called = self.input(name)
        if not called:
            return None
        try:
            array = self.constants.value(self.place.scope, called)
        except NotFoldedError as error:
            raise InputFileError(self.where, *error.args) from None
        except NotConstantError as error:
            depends = text(error.args[0])
            home = self.place.scope.home(called)
            given = depends == called and home is not None and home.outer is None and not home.path
            what = "is an input of the model" if given else f"depends on {printable(depends)}"
            found = f"its {name} {what}, which is only known when the model runs"
            raise InputFileError(self.where, found, "Export the model with its weights inside") from None
        if array.dtype.kind != "f":
            found = f"its {name} is {array.dtype.name}: quantised weights are not explained"
            raise InputFileError(self.where, found, "Give the model before quantisation")
        return array


def read_lstm(place: Place, constants: Constants, file: str) -> ModelLSTM:
    """The LSTM that a node is.

    Args:
        place: the node.
        constants: the model's constant values.
        file: the file's name, safe to print.

    Raises:
        InputFileError: it is malformed, or is another layer than the one we explain: other activations, a clip, a coupled
            input gate.
        RefusedError: a tensor of it stands in another file, or is over the memory budget.
    """
    node = _Node(place, constants, file)
    _check_options(node)
    direction = _direction(node)
    tensors = {name: array for name in ("W", "R", "B", "P") if (array := node.value(name)) is not None}
    _check_shapes(node, tensors, len(WAYS[direction]))
    wide = np.float64 if any(array.dtype.itemsize == 8 for array in tensors.values()) else np.float32
    size = sum(array.size for array in tensors.values()) * np.dtype(wide).itemsize
    constants.ledger.take(3 * size, f"arranging the weights of {named(place)}")
    layer = {way: _layer(tensors, number, wide) for number, way in enumerate(WAYS[direction])}
    initial, asides = _initial(node, len(layer), tensors["R"].shape[2], wide)
    notes: tuple[str, ...] = ()
    backward = direction == "reverse"
    if len(layer) == 1 and reversed_input(place.scope, node.input("X"), _axis(node), constants):
        backward, notes = not backward, (TWICE if backward else TURNED,)
    if node.input("sequence_lens"):
        asides = (*asides, _lengths(node))
    title = "ONNX LSTM" + (", direction reverse" if direction == "reverse" else "")
    used = {text(node.input(name)): array.shape for name, array in tensors.items()}
    biases = 2 if "B" in tensors else 0
    found = ModelLSTM(place.name, ONNX.framework, title, Weights((layer,)), used, biases, initial, backward, notes, asides)
    return validate_lstm(found, file)


def _lengths(node: _Node) -> str:
    """What is to be said of the lengths that a node is given."""
    array = node.constants.known_value(node.place.scope, node.input("sequence_lens"))
    if array is None or array.dtype.kind not in "iu" or array.ndim != 1:
        return LENGTHS
    listed = ",".join(str(int(one)) for one in array[:LENGTHS_SHOWN])
    more = "" if len(array) <= LENGTHS_SHOWN else f" and {len(array) - LENGTHS_SHOWN} more"
    said = f"its node carries the lengths {listed}{more} of {len(array)} samples (sequence_lens)"
    return f"{said}; only those that --lengths gives are used here"


def _layer(tensors: dict[str, Array], number: int, dtype: Any) -> LayerWeights:
    """The weights of one direction in our own arrangement."""
    parts = {name: array[number].astype(dtype) for name, array in tensors.items()}
    if "B" in parts:
        parts |= dict(zip(ONNX.biases, np.split(parts.pop("B"), 2), strict=True))
    with np.errstate(all="ignore"):  # infinite biases of either sign add up to nan
        return ONNX.unpack(parts)


def _axis(node: _Node) -> int:
    """The axis of timesteps of its X."""
    layout = node.attribute("layout")
    return 1 if layout is not None and layout.i else 0


# --- what it says of itself -------------------------------------------------------------------------------------------


def _check_options(node: _Node) -> None:
    """Refuse by name what changes the arithmetic."""
    if (clip := node.attribute("clip")) is not None:
        raise InputFileError(node.where, f"it cuts its sums off (clip={clip.f:g}), which is not explained")
    coupled = node.attribute("input_forget")
    if coupled is not None and coupled.i:
        raise InputFileError(node.where, f"its input and forget gates are one (input_forget={coupled.i}): that is no LSTM")
    activations = node.attribute("activations")
    given = [text(one) for one in activations.strings] if activations is not None else []
    rounds, rest = divmod(len(given), len(DEFAULT_ACTIVATIONS))
    if rest or tuple(one.lower() for one in given) != DEFAULT_ACTIVATIONS * rounds:
        listed = ", ".join(map(printable, given[:6]))
        raise InputFileError(node.where, f"its activations are {listed}; only Sigmoid, Tanh, Tanh are explained")


def _direction(node: _Node) -> str:
    attribute = node.attribute("direction")
    direction = "forward" if attribute is None else text(attribute.s)
    if direction not in WAYS:
        found = f"its direction is {printable(direction)}; there are {', '.join(WAYS)}"
        raise InputFileError(node.where, found, "Export the model anew")
    return direction


def _check_shapes(node: _Node, tensors: dict[str, Array], ways: int) -> None:
    """Compare every tensor with the sizes that R and W say."""
    if missing := [name for name in ("W", "R") if name not in tensors]:
        raise InputFileError(node.where, f"it has no {missing[0]}", "Export the model anew")
    kernel, recurrent = tensors["W"], tensors["R"]
    units, features = recurrent.shape[-1] if recurrent.ndim else 0, kernel.shape[-1] if kernel.ndim else 0
    if not units or not features:
        raise InputFileError(node.where, "its weights are empty", "Export the model anew")
    gates = len(GATES) * units
    expected = {
        "W": (ways, gates, features),
        "R": (ways, gates, units),
        "B": (ways, 2 * gates),
        "P": (ways, len(PEEPHOLE_GATES) * units),
    }
    for name, array in tensors.items():
        if array.shape != expected[name]:
            found = f"its {name} has the shape {list(array.shape)}; with {units} units it should be {list(expected[name])}"
            raise InputFileError(node.where, found, "Export the model anew")
    said = node.attribute("hidden_size")
    if said is not None and said.i != units:
        found = f"its hidden_size is {said.i}, and its weights are those of {units} units"
        raise InputFileError(node.where, found, "Export the model anew")


# --- the states that it starts from -----------------------------------------------------------------------------------


def _initial(node: _Node, ways: int, units: int, dtype: Any) -> tuple[StackState | None, tuple[str, ...]]:
    """The states that it starts from, None for zeros; and what is to be said of them."""
    try:
        states = [_state(node, name, ways, units, dtype) for name in ("initial_h", "initial_c")]
    except NotConstantError:
        return None, (FED_STATES,)
    initial = StackState.from_stacked(*states)
    return (initial if initial.any() else None), ()


def _state(node: _Node, name: str, ways: int, units: int, dtype: Any) -> Array:
    """The state that every sample starts from; [directions, 1, units].

    Raises:
        NotConstantError: it is only known when the model runs.
        InputFileError: the samples start from different states, or the shape is another.
    """
    called = node.input(name)
    if not called:
        return np.zeros((ways, 1, units), dtype)
    array = before_batch(node.constants, node.place.scope, called)
    layout = node.attribute("layout")
    if layout is not None and layout.i and array.ndim == 3:
        array = array.transpose(1, 0, 2)
    if array.dtype.kind != "f":
        raise InputFileError(node.where, f"its {name} is {array.dtype.name}, not floating-point numbers")
    if array.ndim > 3 or array.size == 0 or any(size not in (1, one) for size, one in _axes(array, ways, units)):
        found = f"its {name} has the shape {list(array.shape)}; it should be [{ways}, samples, {units}]"
        raise InputFileError(node.where, found, "Export the model anew")
    if array.ndim == 3 and (array != array[:, :1]).any():
        found = f"its {name} gives each of {array.shape[1]} samples another state; one for all of them is explained"
        raise InputFileError(node.where, found)
    first = array[:, :1] if array.ndim == 3 else array
    return np.ascontiguousarray(np.broadcast_to(first, (ways, 1, units))).astype(dtype)


def _axes(array: Array, ways: int, units: int) -> list[tuple[int, int]]:
    """Each axis with the size that it should have; any number of samples will do."""
    samples = array.shape[-2] if array.ndim > 1 else 1
    return list(zip(reversed(array.shape), (units, samples, ways), strict=False))


MOST_NODES = 64
"""No more nodes in a row only move axes about."""
HAND_ON = ("Identity", "Cast", "Dropout", "Squeeze", "Unsqueeze", "Reshape", "Transpose")
OUTPUT = {0: "TDNH", 1: "NTDH"}
"""The axes of what a node LSTM emits, for each layout: timesteps, directions, samples (N) and hidden."""
INPUT = {0: "TNH", 1: "NTH"}


class Feed(NamedTuple):
    """What a node LSTM reads."""

    key: tuple[int, str] | None
    """The graph and the name of the output sequence of another node LSTM, where it reads that as it is."""
    name: str
    """What to call it; not yet safe to print."""


def feed_of(place: Place, constants: Constants) -> Feed:
    """What a node LSTM reads as its X, seen through nodes that only give it other axes.

    Raises:
        RefusedError: a constant on the way stands in another file.
    """
    node = place.node
    if not len(node.input) or not node.input[0]:
        return Feed(None, "nothing")
    one = source(place.scope, node.input[0])
    way: list[Source] = []
    while one.maker is not None and one.kind in HAND_ON and one.maker[1] == 0 and one.inputs and len(way) < MOST_NODES:
        way.append(one)
        one = one.of(0)
    if one.maker is None:
        return Feed(None, text(one.name))
    below, output = one.maker
    name = text(below.name) or text(one.name)
    if one.kind != "LSTM":
        return Feed(None, name)
    if output != 0:
        return Feed(None, f"a state of {name}")
    layout = place.scope.attribute(node, "layout")
    if _axes_after(one, way, constants) != INPUT.get(0 if layout is None else int(layout.i)):
        return Feed(None, f"the output of {name} with other axes")
    return Feed(one.key, name)


def _axes_after(emitted: Source, way: list[Source], constants: Constants) -> str | None:
    """The axes that the output of a node LSTM has behind the nodes on the way; None where that cannot be told."""
    axes = OUTPUT.get(attribute(emitted, "layout", 0))
    direction = emitted.scope.attribute(emitted.maker[0], "direction") if emitted.maker else None
    both = direction is not None and text(direction.s) == "bidirectional"
    for one in reversed(way):
        axes = None if axes is None else _moved(axes, one, both, constants)
    return axes


def _moved(axes: str, one: Source, both: bool, constants: Constants) -> str | None:
    """The axes behind one node; `both` where there are two directions, which can only be joined with hidden."""
    if one.kind == "Transpose":
        order = numbers(one, 1, "perm", constants) or list(range(len(axes)))[::-1]
        return "".join(axes[place] for place in order) if sorted(order) == list(range(len(axes))) else None
    if one.kind == "Squeeze":
        places = numbers(one, 1, "axes", constants)
        without = axes.replace("D", "").replace("1", "")
        if places is None:
            return without if not both else None
        gone = {place % len(axes) for place in places}
        fits = gone <= {place for place, axis in enumerate(axes) if axis in ("1" if both else "1D")}
        return "".join(axis for place, axis in enumerate(axes) if place not in gone) if fits else None
    if one.kind == "Unsqueeze":
        places = numbers(one, 1, "axes", constants)
        return None if places is None or len(places) != 1 else _with_one(axes, places[0] % (len(axes) + 1))
    if one.kind == "Reshape":
        without = axes.replace("D", "")
        return without if "DH" in axes or (not both and "D" in axes) else None
    return axes


def _with_one(axes: str, place: int) -> str:
    return axes[:place] + "1" + axes[place:]
