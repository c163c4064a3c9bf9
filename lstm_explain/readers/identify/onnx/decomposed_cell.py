"""One LSTM cell that an ONNX model spells out in elementary operators, matched from its hidden state backwards.

    z = x @ K + h @ R + b                  the gates' pre-activations, side by side; in any order of terms
    i, f, g, o = columns of z              by Split or Slice; in any order
    c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h' = sigmoid(o) * tanh(c')

Each gate is identified by its use, never by its position: o multiplies tanh(c'); of the two products that are added up to
c', the one of two activations is i * g, of which g is the tanh; f multiplies the previous c. Operands may be in any order.
A cell with its weights is a `Timestep`.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES, Gate
from lstm_explain.readers.identify.onnx.dataflow import GraphValue, is_integer, loop_state, resolve, scalar_int

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.onnx.constants import Constants
    from lstm_explain.readers.containers.onnx.graph import GraphNode

ACTIVATIONS = {
    "Sigmoid", "Tanh", "HardSigmoid", "Relu", "LeakyRelu", "ThresholdedRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu",
    "Softplus", "Softsign", "HardSwish", "Mish", "Clip",
}  # fmt: skip
"""Operators that may be a gate's activation, supported or not; TensorFlow's hard sigmoid is a Clip."""
STANDARD_ACTIVATIONS = ("Sigmoid", "Tanh", "Tanh")
MAX_BOUND_NODES = 24
"""How many nodes may compute where a slice begins; torch writes six."""
MAX_SUM_NODES = 16
"""How many nodes may add up a pre-activation; exporters write up to six."""
MORE_TERMS = "its gates read more than x @ K + h @ R + b with constant weights, as with peepholes or a normalisation"
NOT_QUARTERS = "its gates are not the four quarters of one sum"
PROJECTED = "its hidden state does not have one number for each unit, as with a projection"


class Activation(NamedTuple):
    """An activation function, and what it is applied to."""

    operator: str
    operand: GraphValue


class CellMatch(NamedTuple):
    """The nodes of a cell."""

    graph_node: GraphNode
    """The node that computes h'."""
    hidden: GraphValue
    """The new hidden state, h'."""
    cell_state: GraphValue
    """The new cell state, c'."""
    previous_cell_state: GraphValue
    activations: tuple[str, str, str]
    """Of the gates, of the candidate, and of the new cell state."""
    pre_activations: dict[Gate, GraphValue]


def match_cell(graph_node: GraphNode) -> CellMatch | None:
    """Match h' = o * tanh(c') at a node Mul; None where it is another product."""
    node = graph_node.node
    if len(node.input) != 2 or len(node.output) != 1:
        return None
    first, second = (_match_activation(resolve(graph_node.scope, name)) for name in node.input)
    if first is None or second is None:
        return None
    for output_gate, squashed in ((first, second), (second, first)):
        if squashed.operand.operator == "Add" and (match := _match_update(graph_node, output_gate, squashed)) is not None:
            return match
    return None


def _match_update(graph_node: GraphNode, output_gate: Activation, squashed: Activation) -> CellMatch | None:
    """Match c' = f * c + i * g, where `squashed` is tanh(c')."""
    sigmoid = output_gate.operator
    terms = [squashed.operand.input(number) for number in range(2)]
    if any(term.operator != "Mul" or len(term.input_names) != 2 for term in terms):
        return None
    for written, kept in (terms, terms[::-1]):
        first, second = (_match_activation(written.input(number)) for number in range(2))
        kept_factors = [_match_activation(kept.input(number)) for number in range(2)]
        if first is None or second is None or kept_factors.count(None) != 1:
            continue
        if (first.operator == sigmoid) == (second.operator == sigmoid):  # which of them is the gate cannot be decided
            continue
        input_gate, candidate = (first, second) if first.operator == sigmoid else (second, first)
        state_number = kept_factors.index(None)
        forget_gate = kept_factors[1 - state_number]
        if forget_gate is None or forget_gate.operator != sigmoid:
            continue
        return CellMatch(
            graph_node,
            hidden=GraphValue(graph_node.scope, graph_node.node.output[0]),
            cell_state=squashed.operand,
            previous_cell_state=kept.input(state_number),
            activations=(sigmoid, candidate.operator, squashed.operator),
            pre_activations={
                Gate.INPUT: input_gate.operand,
                Gate.FORGET: forget_gate.operand,
                Gate.CANDIDATE: candidate.operand,
                Gate.OUTPUT: output_gate.operand,
            },
        )
    return None


def _match_activation(value: GraphValue) -> Activation | None:
    """Match the activation that computes a value, also where a Clip is scaled by a constant: hard sigmoid, (z + 3) / 6."""
    is_scaled = value.operator in ("Mul", "Div") and len(value.input_names) == 2
    if is_scaled:
        stored = [_is_stored_constant(value.input(number)) for number in range(2)]
        value = value.input(stored.index(False)) if stored.count(True) == 1 else value
    if value.operator not in ACTIVATIONS or not value.input_names or (is_scaled and value.operator != "Clip"):
        return None
    return Activation(value.operator, value.input(0))


def _is_stored_constant(value: GraphValue) -> bool:
    return value.name in value.scope.initializers or value.operator == "Constant"


# --- which columns of the pre-activations belong to a gate ------------------------------------------------------------


def _gate_columns(value: GraphValue, columns: int, constants: Constants) -> range | None:
    """Return which of all columns a Split or Slice cuts out; None where that is unknown, or other axes are cut."""
    if value.operator == "Split" and value.producer is not None:
        node, number = value.producer
        sizes = value.int_list(1, "split", constants) or [columns // len(node.output)] * len(node.output)
        is_valid = len(sizes) == len(node.output) and sum(sizes) == columns and min(sizes) >= 0
        if value.int_attribute("axis", 0) not in (1, -1) or not is_valid:
            return None
        return range(sum(sizes[:number]), sum(sizes[: number + 1]))
    if value.operator == "Slice":
        start, stop = (_slice_bound(value, number, name, columns, constants) for number, name in ((1, "starts"), (2, "ends")))
        steps = value.int_list(4, "steps", constants) or [1]
        if value.int_list(3, "axes", constants) not in ([1], [-1]) or steps != [1] or start is None or stop is None:
            return None
        return range(start if start >= 0 else start + columns, min(stop if stop >= 0 else stop + columns, columns))
    return None


def _slice_bound(value: GraphValue, number: int, name: str, columns: int, constants: Constants) -> int | None:
    bounds = value.int_list(number, name, constants)
    if bounds is not None:
        return bounds[0] if len(bounds) == 1 else None
    if number >= len(value.input_names):
        return None
    return _computed_bound(value.input(number), value.input(0), columns, constants, iter(range(MAX_BOUND_NODES)))


def _computed_bound(
    value: GraphValue, sliced: GraphValue, columns: int, constants: Constants, nodes_left: Iterator[int]
) -> int | None:
    """Return an integer that the model computes from the shape of what is sliced, as torch writes the bounds of a chunk."""
    if next(nodes_left, None) is None:
        return None
    constant = constants.value_or_none(*value)
    if constant is not None:
        return scalar_int(constant)
    if value.operator == "Gather" and value.input(0).operator == "Shape" and value.input(0).input(0) == sliced:
        index = scalar_int(constants.value_or_none(value.scope, value.input_names[1]))
        return columns if index in (1, -1) else None
    if value.operator not in ("Add", "Sub", "Mul", "Div"):
        return None
    first, second = (_computed_bound(value.input(number), sliced, columns, constants, nodes_left) for number in range(2))
    if first is None or second is None or (value.operator == "Div" and second <= 0):
        return None
    results = {"Add": first + second, "Sub": first - second, "Mul": first * second}
    return results.get(value.operator, first // max(second, 1))


# --- the pre-activations: x @ K + h @ R + b ---------------------------------------------------------------------------


class Product(NamedTuple):
    """A product with constant weights."""

    operand: GraphValue
    """What the weights are multiplied with: x or h."""
    weights: Array
    """[features or units, 4*units]"""
    source: GraphValue
    """The value that holds the weights in the file."""
    is_transposed: bool
    """Whether the file has them as [4*units, features or units]."""
    timestep: int | None = None
    """The timestep that is taken out after multiplying a whole sequence; None where `operand` is one timestep."""
    time_axis: int = 0
    """The operand's axis of timesteps then."""


class PreActivation(NamedTuple):
    """The terms of the sum that is the gates' pre-activations."""

    products: list[Product]
    biases: list[tuple[GraphValue, Array]]
    """Vectors of 4*units numbers."""


class WeightCache:
    """Constants as they are compared, each looked at once however many timesteps use it."""

    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        self.vectors: dict[GraphValue, Array | None] = {}
        self.digests: dict[GraphValue, bytes] = {}

    def vector(self, value: GraphValue) -> Array | None:
        """Return one row of a constant whose rows are equal; None where a value is something else."""
        if value not in self.vectors:
            array = self.constants.value_or_none(*value)
            self.vectors[value] = None
            if array is not None and array.dtype.kind == "f" and array.size and array.ndim in (1, 2):
                rows = array.reshape(-1, array.shape[-1])
                self.vectors[value] = rows[0] if (rows == rows[:1]).all() else None
        return self.vectors[value]

    def same_weights(self, first: Product, second: Product) -> bool:
        """Whether two products are with equal weights."""
        if first.weights.shape != second.weights.shape:
            return False
        if first.source == second.source:
            return first.is_transposed == second.is_transposed
        return self._digest(first) == self._digest(second)

    def _digest(self, product: Product) -> bytes:
        if product.source not in self.digests:
            self.digests[product.source] = blake2b(np.ascontiguousarray(product.weights).data).digest()
        return self.digests[product.source]


def _collect_terms(
    value: GraphValue,
    cache: WeightCache,
    terms: PreActivation,
    nodes_left: Iterator[int],
    timestep: int | None = None,
    time_axis: int = 0,
) -> bool:
    """Add the terms of a value, or of one timestep of it, to `terms`; False where it is not a sum of such terms."""
    if next(nodes_left, None) is None:
        return False
    if value.operator == "Add" and len(value.input_names) == 2:
        return all(_collect_terms(value.input(n), cache, terms, nodes_left, timestep, time_axis) for n in range(2))
    if value.operator == "MatMul" and len(value.input_names) == 2:
        return _collect_product(value, cache, terms, False, timestep, time_axis)
    if value.operator == "Gemm" and len(value.input_names) in (2, 3):
        return timestep is None and _collect_gemm(value, cache, terms, nodes_left)
    if value.operator == "Gather" and timestep is None:
        axis, index = value.int_attribute("axis", 0), cache.constants.value_or_none(value.scope, value.input_names[1])
        if not is_integer(index) or index.ndim != 0 or axis not in (0, 1):
            return False
        return _collect_terms(value.input(0), cache, terms, nodes_left, int(index), axis)
    vector = cache.vector(value)
    terms.biases.extend([] if vector is None else [(value, vector)])
    return vector is not None


def _collect_gemm(value: GraphValue, cache: WeightCache, terms: PreActivation, nodes_left: Iterator[int]) -> bool:
    """Add a product and a bias in one node, without factors, and with the first operand as it is."""
    factors = [value.attribute(name) for name in ("alpha", "beta")]
    if any(factor is not None and factor.f != 1 for factor in factors) or value.int_attribute("transA", 0) != 0:
        return False
    has_bias = len(value.input_names) == 3 and value.input_names[2]
    if has_bias and not _collect_terms(value.input(2), cache, terms, nodes_left):
        return False
    return _collect_product(value, cache, terms, value.int_attribute("transB", 0) == 1)


def _collect_product(
    value: GraphValue,
    cache: WeightCache,
    terms: PreActivation,
    is_transposed: bool,
    timestep: int | None = None,
    time_axis: int = 0,
) -> bool:
    array = cache.constants.value_or_none(value.scope, value.input_names[1])
    if array is None or array.ndim != 2 or array.dtype.kind != "f" or not array.size:
        return False
    weights, source = array.T if is_transposed else array, resolve(value.scope, value.input_names[1])
    terms.products.append(Product(value.input(0), weights, source, is_transposed, timestep, time_axis))
    return len(terms.products) <= 2


# --- a cell with its weights ----------------------------------------------------------------------------------------


class UnsupportedCellError(Exception):
    """A cell is matched and not supported; the argument is the reason."""


class Timestep(NamedTuple):
    """One timestep of an LSTM."""

    cell: CellMatch
    products: tuple[Product, ...]
    biases: tuple[tuple[GraphValue, Array], ...]
    gate_order: tuple[Gate, ...]
    """Return the order of the gates in the columns of the weights."""
    recurrent: Product | None = None
    """The product with h; None where this timestep alone does not decide which of its products that is."""

    @property
    def units(self) -> int:
        return int(self.products[0].weights.shape[1]) // len(GATES)

    @property
    def input(self) -> Product | None:
        """The product with x."""
        others = [product for product in self.products if product is not self.recurrent]
        return others[0] if self.recurrent is not None and len(others) == 1 else None

    @property
    def bias(self) -> Array | None:
        """The sum of its biases, [4*units]."""
        with np.errstate(all="ignore"):
            return np.sum([array for _, array in self.biases], axis=0) if self.biases else None

    @property
    def is_loop_body(self) -> bool:
        """Whether it is the body of a Loop or Scan, with its states as loop states."""
        return loop_state(self.cell.previous_cell_state) is not None


def match_timestep(cell: CellMatch, cache: WeightCache) -> Timestep:
    """Return a cell with its weights.

    Raises:
        UnsupportedCellError: it is not the standard cell.
    """
    if cell.activations != STANDARD_ACTIVATIONS:
        problem = f"its activations are {', '.join(cell.activations)}; only Sigmoid, Tanh, Tanh are explained"
        raise UnsupportedCellError(problem)
    gates = cell.pre_activations.values()
    sliced = {gate.input(0) if gate.operator in ("Split", "Slice") and gate.input_names else None for gate in gates}
    pre_activation = sliced.pop()
    if sliced or pre_activation is None:
        raise UnsupportedCellError(NOT_QUARTERS)
    terms = PreActivation([], [])
    is_sum = _collect_terms(pre_activation, cache, terms, iter(range(MAX_SUM_NODES)))
    if not is_sum or not terms.products:
        raise UnsupportedCellError(MORE_TERMS)
    widths = {product.weights.shape[1] for product in terms.products} | {len(array) for _, array in terms.biases}
    columns = min(widths)
    if len(widths) != 1 or columns % len(GATES):
        raise UnsupportedCellError(NOT_QUARTERS)
    if len(terms.products) > 1 and all(len(product.weights) != columns // len(GATES) for product in terms.products):
        raise UnsupportedCellError(PROJECTED)
    gate_order = _match_gate_order(cell, columns, cache.constants)
    return Timestep(cell, tuple(terms.products), tuple(terms.biases), gate_order)


def _match_gate_order(cell: CellMatch, columns: int, constants: Constants) -> tuple[Gate, ...]:
    """Return the order of the gates in the columns of the pre-activations."""
    units, gates = columns // len(GATES), {}
    for gate, value in cell.pre_activations.items():
        gate_range = _gate_columns(value, columns, constants)
        if gate_range is not None and len(gate_range) == units:
            gates[gate_range.start] = gate
    if sorted(gates) != list(range(0, columns, units)):
        raise UnsupportedCellError(NOT_QUARTERS)
    return tuple(gates[start] for start in sorted(gates))
