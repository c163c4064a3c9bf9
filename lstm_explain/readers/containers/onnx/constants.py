"""Weights that an ONNX model computes from constants: folded with ONNX's own reference evaluator, node by node.

Only the nodes that a weight needs are run, only operators that move, join, cut or add numbers are allowed, and what a node
would make is bounded before it is run. Constants themselves are read by `tensors`, never by the evaluator.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers.onnx.tensors import RAW, tensor_array, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.bounded_file import MemoryBudget
    from lstm_explain.readers.containers.onnx.graph import Scope

MOST_FOLDED, DEEPEST = 5_000, 100
OWN_DOMAINS = ("", "ai.onnx")
QUANTISED = ("MatMulInteger", "QLinearMatMul", "QGemm")
"""Operators on quantised numbers whose names do not say so."""


class NotConstantError(Exception):
    """A value that is only known when the model runs; what it depends on."""


class NotFoldedError(NotConstantError):
    """A value made by an operator that is not folded, constant or not; what to say of it."""


# --- how many numbers a node makes, at most -------------------------------------------------------------------------


def _as_many(inputs: list[Array], _: int) -> int:
    return inputs[0].size


def _together(inputs: list[Array], _: int) -> int:
    return sum(one.size for one in inputs)


def _stretched(inputs: list[Array], _: int) -> int:
    return math.prod(_broadcast(*(one.shape for one in inputs)))


def _expanded(inputs: list[Array], _: int) -> int:
    return math.prod(_broadcast(inputs[0].shape, _sizes(inputs[1])))


def _gathered(inputs: list[Array], axis: int) -> int:
    data, indices = inputs
    return int(indices.size * (data.size // max(1, data.shape[axis])))


def _tiled(inputs: list[Array], _: int) -> int:
    return inputs[0].size * math.prod(_sizes(inputs[1]))


def _sizes(array: Array) -> tuple[int, ...]:
    if array.dtype.kind not in "iu" or array.ndim > 1 or array.size > 32 or (array < 0).any():
        raise ValueError("it is given sizes that no array has")
    return tuple(int(size) for size in array.ravel())


def _broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of all of them together, in Python integers, which do not overflow."""
    longest = max(map(len, shapes))
    axes = zip(*((1,) * (longest - len(shape)) + shape for shape in shapes), strict=True)
    return tuple(max(sizes) if 0 not in sizes else 0 for sizes in axes)


BOUNDS: dict[str, Callable[[list[Array], int], int]] = {
    **dict.fromkeys(("Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten"), _as_many),
    **dict.fromkeys(("Slice", "Split", "Neg", "Abs", "Shape", "Size"), _as_many),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), _stretched),
    "Concat": _together,
    "Expand": _expanded,
    "Gather": _gathered,
    "Tile": _tiled,
}
"""The operators that are folded, each with a bound on how many numbers it makes of its inputs along its axis."""


class Constants:
    """The constant values of a model's names, each computed once."""

    def __init__(self, model: Any, ledger: MemoryBudget) -> None:
        self.ledger, self.name = ledger, ledger.name
        self.opset = next((one.version for one in model.opset_import if one.domain in OWN_DOMAINS), 1)
        self.known: dict[tuple[int, str], Array] = {}
        self.unknown: dict[tuple[int, str], NotConstantError] = {}
        self.scopes: dict[int, Scope] = {}
        self.folded = 0
        self.under_way: list[tuple[int, str]] = []

    def value(self, scope: Scope, name: str) -> Array:
        """The value of a name as seen from a graph.

        Raises:
            NotConstantError: it depends on what the model is given, or on an operator that is not folded.
            InputFileError: it is malformed.
            RefusedError: it stands in another file, or would be over the memory budget.
        """
        home = scope.home(name)
        if home is None:
            raise InputFileError(self.name, f"nothing in it gives {printable(text(name))} a value", "Export the model anew")
        place = (id(home), name)
        if (known := self.unknown.get(place)) is not None:
            raise type(known)(*known.args)
        if place not in self.known:
            if place in self.under_way or len(self.under_way) >= DEEPEST:
                found = "depends on itself" if place in self.under_way else f"depends on more than {DEEPEST} nodes in a row"
                raise InputFileError(self.name, f"{printable(text(name))} {found}", "Export the model anew")
            self.under_way.append(place)
            try:
                self.known[place], self.scopes[place[0]] = self._value(home, name), home
            except NotConstantError as error:
                self.unknown[place], self.scopes[place[0]] = error.with_traceback(None), home
                raise
            finally:
                self.under_way.pop()
        return self.known[place]

    def known_value(self, scope: Scope, name: str) -> Array | None:
        """The value of a name as seen from a graph; None where it is not constant, or is malformed.

        Raises:
            RefusedError: it stands in another file, or would be over the memory budget.
        """
        try:
            return self.value(scope, name) if name else None
        except (NotConstantError, InputFileError):
            return None

    def _value(self, home: Scope, name: str) -> Array:
        if name in home.tensors:
            return tensor_array(home.tensors[name], f"its tensor {printable(text(name))}", self.ledger)
        if name in home.sparse:
            raise InputFileError(self.name, f"its tensor {printable(text(name))} is sparse, which is not read")
        if name in home.producers:
            return self._made(home, *home.producers[name])
        given = home.given[name]
        if given is None:
            raise NotConstantError(name)
        return self.value(*given)

    def _made(self, scope: Scope, node: Any, output: int) -> Array:
        if node.op_type == "Constant":
            return self._constant(scope, node)
        self._check(node)
        inputs = [self.value(scope, one) if one else None for one in node.input]
        self.folded += 1
        if self.folded > MOST_FOLDED:
            found = f"its weights are computed by more than {MOST_FOLDED:,} nodes"
            raise RefusedError(self.name, found, "Fold its constants first, with any optimiser of ONNX models")
        try:
            return self._filled(scope, node, inputs) if node.op_type == "ConstantOfShape" else self._run(node, inputs, output)
        except (InputFileError, RefusedError):
            raise
        except Exception as error:  # the evaluator raises what numpy raises: ValueError, IndexError, TypeError, ...
            reason = str(error).partition("\n")[0]
            found = f"a weight is computed by {self._called(node)}, and that fails: {printable(reason)}"
            raise InputFileError(self.name, found, "Export the model anew") from None

    def _constant(self, scope: Scope, node: Any) -> Array:
        if (tensor := scope.attribute(node, "value")) is not None:
            return tensor_array(tensor.t, f"the tensor of {self._called(node)}", self.ledger)
        kinds = {"value_float": np.float32, "value_int": np.int64, "value_floats": np.float32, "value_ints": np.int64}
        for kind, dtype in kinds.items():
            if (found := scope.attribute(node, kind)) is not None:
                self.ledger.take(64 * max(1, len(found.floats) + len(found.ints)), self._called(node))
                return np.array(getattr(found, kind.removeprefix("value_")[0] if kind[-1] != "s" else kind[6:]), dtype)
        raise InputFileError(self.name, f"{self._called(node)} holds no numbers", "Export the model anew")

    def _filled(self, scope: Scope, node: Any, inputs: list[Array | None]) -> Array:
        if len(inputs) != 1 or inputs[0] is None:
            raise ValueError("it needs one input")
        value = self.fill(scope, node)
        sizes = _sizes(inputs[0])
        self.ledger.take(math.prod(sizes) * value.itemsize, f"what {self._called(node)} makes")
        return np.full(sizes, value)

    def fill(self, scope: Scope, node: Any) -> Array:
        """The one number that a node ConstantOfShape fills its output with."""
        tensor = scope.attribute(node, "value")
        if tensor is None:
            return np.zeros((), np.float32)
        value = tensor_array(tensor.t, f"the tensor of {self._called(node)}", self.ledger)
        if value.size != 1:
            raise InputFileError(self.name, f"{self._called(node)} fills with {value.size} numbers, not one")
        return value.reshape(())

    def _run(self, node: Any, inputs: list[Array | None], output: int) -> Array:
        """Run one node, once what it makes is known to fit."""
        from onnx import helper
        from onnx.reference import ReferenceEvaluator

        arrays = [one for one in inputs if one is not None]
        width = 8 if node.op_type in ("Cast", "Shape") else max(one.itemsize for one in arrays)
        axis = next((int(one.i) for one in node.attribute if one.name == "axis"), 0)
        largest = width * BOUNDS[node.op_type](arrays, axis)
        if largest > 2**20:  # a few small ones are not worth counting
            self.ledger.take(largest, f"what {self._called(node)} makes")
        names = [f"input_{place}" if one is not None else "" for place, one in enumerate(inputs)]
        alone = type(node)(op_type=node.op_type, input=names, attribute=node.attribute)
        alone.output.extend(f"output_{place}" for place in range(len(node.output)))
        given = [helper.make_tensor_value_info(name, 0, None) for name in names if name]
        made = [helper.make_tensor_value_info(alone.output[output], 0, None)]
        graph = helper.make_graph([alone], "one", given, made)
        opsets = [helper.make_opsetid("", self.opset)]
        evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets))
        with np.errstate(all="ignore"):
            (value,) = evaluator.run(None, {name: one for name, one in zip(names, inputs, strict=True) if name})
        return self._numbers(value, node)

    def _numbers(self, value: Any, node: Any) -> Array:
        """What the evaluator made, where it is an array of numbers."""
        array = np.asarray(value)
        if array.dtype.name == "bfloat16":  # of another library, which numpy itself does not know
            return array.astype(np.float32)
        if array.dtype.kind not in "iufb":
            raise InputFileError(self.name, f"{self._called(node)} makes {array.dtype.name}, which is not read")
        return array

    def _check(self, node: Any) -> None:
        """Raise `NotFoldedError` unless the node is one that is folded, `InputFileError` where it is malformed."""
        called, kind = self._called(node), text(node.op_type)
        if "quant" in kind.lower() or kind in QUANTISED:
            found = f"a weight is quantised: it is computed by {called}"
            raise NotFoldedError(found, "Give the model before quantisation")
        if node.domain not in OWN_DOMAINS or (kind not in BOUNDS and kind != "ConstantOfShape"):
            found = f"a weight is computed by {called}, which is not folded"
            raise NotFoldedError(found, "Fold its constants first, with any optimiser of ONNX models")
        outputs = [one.i for one in node.attribute if one.name == "num_outputs"]
        kinds = [one.i for one in node.attribute if one.name == "to"]
        by_call = any(one.ref_attr_name for one in node.attribute)
        if not len(node.input) or by_call or any(one != len(node.output) for one in outputs) or not set(kinds) <= set(RAW):
            found = f"a weight is computed by {called}, and its inputs, outputs or attributes are not as they should be"
            raise InputFileError(self.name, found, "Export the model anew")

    def _called(self, node: Any) -> str:
        own = text(node.name) or next((text(one) for one in node.output if one), "")
        return f"the {printable(text(node.op_type))} node {printable(own)}"
