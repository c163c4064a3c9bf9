"""Verify that the nodes of a decomposed cell compute what the reference cell does, on small seeded numbers.

The nodes of one timestep, from x, h and c to h' and c', are copied out of the model and run by ONNX's own reference
evaluator. Only the few operators of a cell are run, on two samples; the sizes of what they read are bounded before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_explain.core.cell import step
from lstm_explain.core.philox import Stream
from lstm_explain.readers.containers.onnx.constants import evaluate
from lstm_explain.readers.containers.onnx.graph import operator_name
from lstm_explain.readers.identify.onnx.dataflow import GraphValue

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.readers.containers.onnx.constants import Constants
    from lstm_explain.readers.identify.onnx.decomposed_cell import Timestep

CELL_OPERATORS = {
    "Add", "Sub", "Mul", "Div", "MatMul", "Gemm", "Sigmoid", "Tanh", "Split", "Slice", "Gather", "Shape", "Cast", "Identity",
}  # fmt: skip
"""The operators that are run. None of them returns more numbers than it reads, except for products with the weights."""
MAX_VALUES, MAX_NUMBERS = 200, 2**22
SAMPLES = 2
MAX_ROUNDING = 1e-2
"""A larger difference is never taken for rounding."""


def can_run(timestep: Timestep) -> bool:
    """Whether a timestep can be run by itself; not where it is cut out of a long sequence after multiplying."""
    if timestep.input is None:
        return False
    return _sequence_length(timestep) * SAMPLES * int(max(timestep.input.weights.shape)) <= MAX_NUMBERS


def _sequence_length(timestep: Timestep) -> int:
    """Return how many timesteps the sequence that it reads must have."""
    index = None if timestep.input is None else timestep.input.timestep
    if index is None:
        return 1
    return index + 1 if index >= 0 else -index


def matches_reference(timestep: Timestep, weights: LayerWeights, constants: Constants) -> bool:
    """Whether a timestep's nodes compute the h' and c' that the reference cell computes from the same x, h and c.

    `weights` are those that were read for it, in our arrangement.
    """
    feeds = _seeded_feeds(timestep, weights)
    if feeds is None:
        return False
    values, (x, h, c) = feeds
    with np.errstate(all="ignore"):  # the file's weights may be anything
        expected = step(weights, x, h, c)
    try:
        hidden, cell_state = _NodeCopier(values, constants).run([timestep.cell.hidden, timestep.cell.cell_state])
    except Exception:  # the evaluator may raise anything for nodes that do not fit together: they are not verified
        return False
    return _is_close(hidden, expected.h, weights) and _is_close(cell_state, expected.c, weights)


def _seeded_feeds(
    timestep: Timestep, weights: LayerWeights
) -> tuple[dict[GraphValue, Array], tuple[Array, Array, Array]] | None:
    """Return numbers for everything that a timestep reads, and x, h and c among them."""
    product, recurrent = timestep.input, timestep.recurrent
    if product is None or recurrent is None:
        return None
    states = dict.fromkeys((recurrent.operand, timestep.cell.previous_cell_state))  # often one: both begin with zeros
    if not can_run(timestep) or product.operand in states or recurrent.timestep is not None:
        return None
    stream, length, features = Stream(0, 1), _sequence_length(timestep), len(weights.kernel)

    def uniform(*shape: int) -> Array:
        array: Array = (2 * stream.uniform(*shape) - 1).astype(recurrent.weights.dtype)
        return array

    if product.timestep is None:
        sequence = x = uniform(SAMPLES, features)
    else:
        sequence = uniform(*((SAMPLES, length) if product.time_axis else (length, SAMPLES)), features)
        x = sequence.take(product.timestep, product.time_axis)
    values = {state: uniform(SAMPLES, weights.units) for state in states}
    arrays = (x, values[recurrent.operand], values[timestep.cell.previous_cell_state])
    x, h, c = (array.astype(weights.kernel.dtype) for array in arrays)
    return {**values, product.operand: sequence}, (x, h, c)


def _is_close(actual: Array, expected: Array, weights: LayerWeights) -> bool:
    """Whether two states are equal but for rounding, which grows with the weights that are added up."""
    with np.errstate(all="ignore"):
        largest_sum = sum(np.abs(kernel).sum(axis=0).max() for kernel in (weights.kernel, weights.recurrent_kernel))
        tolerance = min(MAX_ROUNDING, float(64 * np.finfo(actual.dtype).eps * (1 + largest_sum)))
    return actual.shape == expected.shape and np.allclose(actual, expected, rtol=0, atol=tolerance, equal_nan=True)


class _NodeCopier:
    """Copies the nodes that compute some values out of a model, under new names; `values` replace what they read."""

    def __init__(self, values: dict[GraphValue, Array], constants: Constants) -> None:
        self.values, self.constants = values, constants
        self.names: dict[GraphValue, str] = {}
        self.feeds: dict[str, Array] = {}
        self.nodes: list[Any] = []

    def run(self, outputs: list[GraphValue]) -> list[Array]:
        """Compute the values of some names.

        Raises:
            ValueError: there are more nodes than in a cell, or other operators.
            Exception: whatever the evaluator raises.
        """
        names = [self._copy_value(value) for value in outputs]
        return evaluate(self.nodes, self.feeds, names, self.constants.opset)

    def _copy_value(self, value: GraphValue) -> str:
        """Copy the nodes that compute a value; return its name in the copy."""
        value = GraphValue(value.scope.defining_scope(value.name) or value.scope, value.name)
        is_input = value.producer is None and value.name not in value.scope.initializers
        binding = value.scope.inputs.get(value.name) if is_input else None
        if binding is not None and value not in self.values:
            return self._copy_value(GraphValue(*binding))
        if value not in self.names:
            self.names[value] = name = f"value_{len(self.names)}"
            if value in self.values:
                self.feeds[name] = self.values[value]
            elif value.producer is None or value.operator == "Constant" or value in self.constants.values:
                self.feeds[name] = self.constants.value(*value)
            else:
                self._copy_node(value.scope, value.producer[0])
        return self.names[value]

    def _copy_node(self, scope: Any, node: Any) -> None:
        if operator_name(node) not in CELL_OPERATORS or len(self.names) > MAX_VALUES:
            raise ValueError("this is not a node of a cell")
        inputs = [self._copy_value(GraphValue(scope, name)) if name else "" for name in node.input]
        outputs = [self.names.setdefault(GraphValue(scope, name), f"value_{len(self.names)}") for name in node.output]
        copy = type(node)(op_type=node.op_type, input=inputs, output=outputs)
        for attribute in node.attribute:
            copy.attribute.add().CopyFrom(scope.attribute(node, attribute.name))
            copy.attribute[-1].name = attribute.name
        self.nodes.append(copy)
