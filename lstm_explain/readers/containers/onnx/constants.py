"""The constants of an ONNX model: stored tensors, and what it computes from them.

A tensor's announced shape is checked against its data before an array is made; the library's own `to_array` accepts a shape
of [-1] and reads other files for external data, which this does not. Nodes are run with ONNX's own reference evaluator, only
where a weight needs them; their operators are from a short list, and the size of each result is bounded before it is computed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers.bounded_file import error_reason
from lstm_explain.readers.containers.named_arrays import MAX_AXES, check_shape, format_shape, to_floats
from lstm_explain.readers.containers.onnx import FIX_EXPORT
from lstm_explain.readers.containers.onnx.graph import ONNX_DOMAINS, decode_text

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.bounded_file import MemoryBudget
    from lstm_explain.readers.containers.onnx.graph import Scope

EXTERNAL = 1
"""The value of `data_location` for a tensor in another file."""
FLOAT16, BFLOAT16 = 10, 16
RAW_DTYPES = {
    1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", FLOAT16: "<f2", 11: "<f8", 12: "<u4",
    13: "<u8", BFLOAT16: "<u2",
}  # fmt: skip
"""The supported types by their number in `TensorProto.DataType`, as `raw_data` stores them."""
LIST_FIELDS = {1: "float_data", 7: "int64_data", 11: "double_data", 12: "uint64_data", 13: "uint64_data"}
"""The field with a type's numbers where `raw_data` is absent; `int32_data` for all others, which holds the bits of halves."""
MAX_FOLDED_NODES, MAX_NODE_CHAIN = 5_000, 100
MIN_COUNTED_BYTES = 2**20
"""Smaller results are not taken from the memory budget."""
ELEMENTWISE = ("Add", "Sub", "Mul", "Div")
FOLDED = (
    *("Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Split", "Concat"),
    *("Neg", "Abs", "Shape", "Size", "Expand", "Gather", "Tile", "ConstantOfShape", *ELEMENTWISE),
)
"""The operators that are run; of Constant, the numbers are read."""
QUANTISED = ("MatMulInteger", "QLinearMatMul", "QGemm")
"""Operators on quantised numbers whose names do not say so."""
NUMBER_ATTRIBUTES = {
    "value_float": ("f", np.float32),
    "value_int": ("i", np.int64),
    "value_floats": ("floats", np.float32),
    "value_ints": ("ints", np.int64),
}
"""The attributes of a Constant that hold numbers: the field of each, and its dtype."""
FIX_FOLD = "Fold its constants first, with any optimiser of ONNX models"


# --- stored tensors ---------------------------------------------------------------------------------------------------


def read_tensor(tensor: Any, label: str, budget: MemoryBudget) -> Array:
    """Return a `TensorProto` as an array; bfloat16 becomes float32, which represents it exactly.

    Args:
        tensor: the message.
        label: what to call the tensor in a message, safe to print.
        budget: the budget that the array is taken from.

    Raises:
        InputFileError: its data do not fit its shape, or its type is not supported.
        RefusedError: it is in another file, or does not fit the budget.
    """
    if tensor.data_location == EXTERNAL or len(tensor.external_data):
        problem = f"{label} is in another file, and no other file is opened"
        raise RefusedError(budget.name, problem, "Save the model with its tensors inside: onnx.save(model, file)")
    if tensor.data_type not in RAW_DTYPES or tensor.HasField("segment"):
        problem = f"{label} holds {_type_name(tensor)}, which is not supported"
        raise InputFileError(budget.name, problem, "Export it as float32")
    shape, dtype = check_shape(tensor.dims, budget.name, label), np.dtype(RAW_DTYPES[tensor.data_type])
    is_raw = tensor.HasField("raw_data")
    numbers = tensor.raw_data if is_raw else getattr(tensor, LIST_FIELDS.get(tensor.data_type, "int32_data"))
    budget.take(3 * len(numbers) * (1 if is_raw else dtype.itemsize), label)
    announced = math.prod(shape) * (dtype.itemsize if is_raw else 1)
    if announced != len(numbers):
        noun = "bytes" if is_raw else "numbers"
        problem = f"{label} of the shape {format_shape(shape)} announces {announced} {noun}, and holds {len(numbers)}"
        raise InputFileError(budget.name, problem, FIX_EXPORT)
    stored_dtype = np.dtype("<u2") if tensor.data_type in (FLOAT16, BFLOAT16) and not is_raw else dtype
    try:
        array = np.frombuffer(numbers, dtype) if is_raw else np.fromiter(numbers, stored_dtype, len(numbers)).view(dtype)
    except OverflowError:
        raise InputFileError(budget.name, f"{label} holds numbers that do not fit {dtype.name}") from None
    if tensor.data_type == BFLOAT16:
        return to_floats(array, is_bfloat16=True).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False).reshape(shape)


def _type_name(tensor: Any) -> str:
    """Return the name of a tensor's type, such as STRING."""
    if tensor.HasField("segment"):
        return "a segment of a tensor"
    names = {number: name for name, number in type(tensor).DataType.items()}
    return str(names.get(tensor.data_type, f"numbers of type {tensor.data_type}"))


# --- constants --------------------------------------------------------------------------------------------------------


class NotConstantError(Exception):
    """A value is only known when the model runs; the argument is the name that it depends on."""


class NotFoldedError(NotConstantError):
    """A value is computed by an operator that is not folded, constant or not; the arguments are problem and fix."""


def _max_result_size(operator: str, inputs: list[Array], axis: int) -> int:
    """Return an upper bound on how many numbers an operator computes."""
    first, *others = inputs
    if operator in ELEMENTWISE:
        return math.prod(_broadcast_shape(*(array.shape for array in inputs)))
    if operator == "Expand":
        return math.prod(_broadcast_shape(first.shape, _shape_from(others[0])))
    if operator == "Tile":
        return first.size * math.prod(_shape_from(others[0]))
    if operator == "Gather":
        return int(others[0].size * (first.size // max(1, first.shape[axis])))
    return sum(array.size for array in inputs)


def _shape_from(array: Array) -> tuple[int, ...]:
    """Return the shape that a constant holds."""
    if array.dtype.kind not in "iu" or array.ndim > 1 or array.size > MAX_AXES or (array < 0).any():
        raise ValueError("it is given sizes that no array has")
    return tuple(int(size) for size in array.ravel())


def _broadcast_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return an upper bound on the broadcast shape in Python integers, which do not overflow."""
    axis_count = max(map(len, shapes))
    axes = zip(*((1,) * (axis_count - len(shape)) + shape for shape in shapes), strict=True)
    return tuple(max(sizes) if 0 not in sizes else 0 for sizes in axes)


def evaluate(nodes: list[Any], feeds: dict[str, Array], outputs: list[str], opset: int) -> list[Any]:
    """Run nodes with ONNX's reference evaluator, on arrays for every name that they do not compute.

    Raises:
        Exception: whatever the evaluator raises.
    """
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    inputs, results = ([helper.make_tensor_value_info(name, 0, None) for name in names] for names in (feeds, outputs))
    graph = helper.make_graph(nodes, "nodes", inputs, results)
    evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]))
    with np.errstate(all="ignore"):
        return list(evaluator.run(outputs, feeds))


class Constants:
    """The values of a model's constant names, each computed once."""

    def __init__(self, model: Any, budget: MemoryBudget) -> None:
        self.budget, self.file = budget, budget.name
        self.opset = next((opset.version for opset in model.opset_import if opset.domain in ONNX_DOMAINS), 1)
        self.values: dict[tuple[Scope, str], Array] = {}
        self._not_constant: dict[tuple[Scope, str], NotConstantError] = {}
        self._pending: list[tuple[Scope, str]] = []
        self._folded_nodes = 0

    def value(self, scope: Scope, name: str) -> Array:
        """Return the value of a name as seen from a scope.

        Raises:
            NotConstantError: it depends on an input of the model, or on an operator that is not folded.
            InputFileError: it is malformed.
            RefusedError: it is in another file, or does not fit the memory budget.
        """
        home = scope.defining_scope(name)
        if home is None:
            problem = f"nothing in it gives {printable(decode_text(name))} a value"
            raise InputFileError(self.file, problem, FIX_EXPORT)
        key = (home, name)
        if (not_constant := self._not_constant.get(key)) is not None:
            raise type(not_constant)(*not_constant.args)
        if key not in self.values:
            if key in self._pending or len(self._pending) >= MAX_NODE_CHAIN:
                dependency = "itself" if key in self._pending else f"more than {MAX_NODE_CHAIN} nodes in a row"
                raise InputFileError(self.file, f"{printable(decode_text(name))} depends on {dependency}", FIX_EXPORT)
            self._pending.append(key)
            try:
                self.values[key] = self._compute(home, name)
            except NotConstantError as error:
                self._not_constant[key] = error.with_traceback(None)
                raise
            finally:
                self._pending.pop()
        return self.values[key]

    def value_or_none(self, scope: Scope, name: str) -> Array | None:
        """Return the value of a name as seen from a scope; None where it is not constant, or is malformed.

        Raises:
            RefusedError: it is in another file, or does not fit the memory budget.
        """
        try:
            return self.value(scope, name) if name else None
        except (NotConstantError, InputFileError):
            return None

    def fill_value(self, scope: Scope, node: Any) -> Array:
        """Return the number that a node ConstantOfShape fills its output with."""
        tensor = scope.attribute(node, "value")
        if tensor is None:
            return np.zeros((), np.float32)
        value = read_tensor(tensor.t, f"the tensor of {_node_label(node)}", self.budget)
        if value.size != 1:
            raise InputFileError(self.file, f"{_node_label(node)} fills with {value.size} numbers, not one")
        return value.reshape(())

    def _compute(self, home: Scope, name: str) -> Array:
        if name in home.initializers:
            return read_tensor(home.initializers[name], f"its tensor {printable(decode_text(name))}", self.budget)
        if name in home.sparse_initializers:
            problem = f"its tensor {printable(decode_text(name))} is sparse, which is not supported"
            raise InputFileError(self.file, problem)
        if name in home.producers:
            return self._fold(home, *home.producers[name])
        if (binding := home.inputs[name]) is None:
            raise NotConstantError(name)
        return self.value(*binding)

    def _fold(self, scope: Scope, node: Any, output: int) -> Array:
        if node.op_type == "Constant":
            return self._read_constant(scope, node)
        self._check_node(node)
        inputs = [self.value(scope, name) if name else None for name in node.input]
        self._folded_nodes += 1
        if self._folded_nodes > MAX_FOLDED_NODES:
            problem = f"its weights are computed by more than {MAX_FOLDED_NODES:,} nodes"
            raise RefusedError(self.file, problem, FIX_FOLD)
        try:
            if node.op_type == "ConstantOfShape":
                return self._fill(scope, node, inputs)
            return self._run_node(node, inputs, output)
        except (InputFileError, RefusedError):
            raise
        except Exception as error:  # the evaluator raises what numpy raises: ValueError, IndexError, TypeError, ...
            problem = f"a weight is computed by {_node_label(node)}, and that fails: {error_reason(error)}"
            raise InputFileError(self.file, problem, FIX_EXPORT) from None

    def _read_constant(self, scope: Scope, node: Any) -> Array:
        if (tensor := scope.attribute(node, "value")) is not None:
            return read_tensor(tensor.t, f"the tensor of {_node_label(node)}", self.budget)
        for name, (field, dtype) in NUMBER_ATTRIBUTES.items():
            if (attribute := scope.attribute(node, name)) is not None:
                self.budget.take(64 * max(1, len(attribute.floats) + len(attribute.ints)), _node_label(node))
                return np.array(getattr(attribute, field), dtype)
        raise InputFileError(self.file, f"{_node_label(node)} holds no numbers", FIX_EXPORT)

    def _fill(self, scope: Scope, node: Any, inputs: list[Array | None]) -> Array:
        if len(inputs) != 1 or inputs[0] is None:
            raise ValueError("it needs one input")
        value, shape = self.fill_value(scope, node), _shape_from(inputs[0])
        self.budget.take(math.prod(shape) * value.itemsize, f"the output of {_node_label(node)}")
        return np.full(shape, value)

    def _run_node(self, node: Any, inputs: list[Array | None], output: int) -> Array:
        """Run one node, after the size of its result has been taken from the budget."""
        feeds = {f"input_{number}": array for number, array in enumerate(inputs) if array is not None}
        arrays = list(feeds.values())
        itemsize = 8 if node.op_type in ("Cast", "Shape") else max(array.itemsize for array in arrays)
        axis = next((int(attribute.i) for attribute in node.attribute if attribute.name == "axis"), 0)
        size = itemsize * _max_result_size(node.op_type, arrays, axis)
        if size > MIN_COUNTED_BYTES:
            self.budget.take(size, f"the output of {_node_label(node)}")
        input_names = [f"input_{number}" if array is not None else "" for number, array in enumerate(inputs)]
        output_names = [f"output_{number}" for number in range(len(node.output))]
        copy = type(node)(op_type=node.op_type, input=input_names, output=output_names, attribute=node.attribute)
        (result,) = evaluate([copy], feeds, [output_names[output]], self.opset)
        array = np.asarray(result)
        if array.dtype.name == "bfloat16":  # of another library, which numpy itself does not know
            return array.astype(np.float32)
        if array.dtype.kind not in "iufb":
            raise InputFileError(self.file, f"{_node_label(node)} returns {array.dtype.name}, which is not supported")
        return array

    def _check_node(self, node: Any) -> None:
        """Raise `NotFoldedError` where a node's operator is not folded, `InputFileError` where the node is malformed."""
        label, operator = _node_label(node), decode_text(node.op_type)
        if "quant" in operator.lower() or operator in QUANTISED:
            raise NotFoldedError(f"a weight is quantised: it is computed by {label}", "Give the model before quantisation")
        if node.domain not in ONNX_DOMAINS or operator not in FOLDED:
            raise NotFoldedError(f"a weight is computed by {label}, which is not folded", FIX_FOLD)
        output_counts = [attribute.i for attribute in node.attribute if attribute.name == "num_outputs"]
        cast_types = [attribute.i for attribute in node.attribute if attribute.name == "to"]
        valid = len(node.input) and not any(attribute.ref_attr_name for attribute in node.attribute)
        if not valid or any(count != len(node.output) for count in output_counts) or not set(cast_types) <= set(RAW_DTYPES):
            problem = f"a weight is computed by {label}, and its inputs, outputs or attributes are not as they should be"
            raise InputFileError(self.file, problem, FIX_EXPORT)


def _node_label(node: Any) -> str:
    """What to call a node in a message, safe to print."""
    name = decode_text(node.name) or next((decode_text(output) for output in node.output if output), "")
    return f"the {printable(decode_text(node.op_type))} node {printable(name)}"
