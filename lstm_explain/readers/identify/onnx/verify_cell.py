"""Whether the nodes of a written-out cell compute what our own cell does, on small seeded numbers.

The nodes of one timestep are taken out of the model, from x, h and c to h' and c', and run by ONNX's own reference evaluator.
Only the few operators that a cell consists of are run, on two samples; what they are given is bounded before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_explain.core.cell import step
from lstm_explain.core.philox import Stream
from lstm_explain.readers.identify.onnx.dataflow import Source, operator

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.readers.containers.onnx.constants import Constants
    from lstm_explain.readers.identify.onnx.timesteps import Step

OF_A_CELL = {
    "Add", "Sub", "Mul", "Div", "MatMul", "Gemm", "Sigmoid", "Tanh", "Split", "Slice", "Gather", "Shape", "Cast", "Identity",
}  # fmt: skip
"""The operators that are run; none of them makes more numbers than it is given, but for the products with the weights."""
MOST_NODES, MOST_NUMBERS = 200, 2**22
SAMPLES = 2
LARGEST = 1e-2
"""No larger difference is taken for rounding."""


def fits(one: Step) -> bool:
    """Whether a timestep can be run alone; not where it is taken out of a long sequence that is multiplied whole."""
    if one.reads is None:
        return False
    return _timesteps(one) * SAMPLES * int(max(one.reads.array.shape)) <= MOST_NUMBERS


def _timesteps(one: Step) -> int:
    """How many timesteps what it reads must have."""
    at = None if one.reads is None else one.reads.at
    if at is None:
        return 1
    return at + 1 if at >= 0 else -at


def agrees(one: Step, weights: LayerWeights, constants: Constants) -> bool:
    """Whether a timestep's nodes make the h' and c' that our own cell makes of the same x, h and c.

    Args:
        one: the timestep, of which it is known what is multiplied with the kernel and what with the recurrent kernel.
        weights: the weights that were read for it, in our own arrangement.
        constants: the model's constant values.
    """
    fed = _fed(one, weights)
    if fed is None:
        return False
    values, (x, h, c) = fed
    with np.errstate(all="ignore"):  # whatever the file's weights are
        ours = step(weights, x, h, c)
    try:
        theirs = _Taken(values, constants).run([one.cell.hidden, one.cell.cell])
    except Exception:  # whatever the evaluator makes of nodes that do not fit together: it is no proof
        return False
    return all(_equal(made, own, weights) for made, own in zip(theirs, (ours.h, ours.c), strict=True))


def _fed(one: Step, weights: LayerWeights) -> tuple[dict[tuple[int, str], Array], tuple[Array, Array, Array]] | None:
    """Numbers for everything that a timestep reads, by what it is called; and x, h and c of them."""
    if one.reads is None or one.recurs is None:
        return None
    numbers, features = Stream(0, 1), len(weights.kernel)
    at, timesteps = one.reads.at, _timesteps(one)
    states = {one.recurs.by.key, one.cell.old_cell.key}  # often one: the zeros that both begin with
    if not fits(one) or one.reads.by.key in states or one.recurs.at is not None:
        return None

    def drawn(*sizes: int) -> Array:
        array: Array = (2 * numbers.uniform(*sizes) - 1).astype(one.recurs.array.dtype if one.recurs else None)
        return array

    sizes = (SAMPLES, timesteps, features) if one.reads.axis else (timesteps, SAMPLES, features)
    sequence = drawn(*sizes) if at is not None else drawn(SAMPLES, features)
    values = {key: drawn(SAMPLES, weights.units) for key in sorted(states)}
    x = sequence if at is None else sequence.take(at, one.reads.axis)
    given = (x, values[one.recurs.by.key], values[one.cell.old_cell.key])
    x, h, c = (array.astype(weights.kernel.dtype) for array in given)
    return {**values, one.reads.by.key: sequence}, (x, h, c)


def _equal(theirs: Array, ours: Array, weights: LayerWeights) -> bool:
    """Whether two states are the same but for rounding, which grows with the weights that are added up."""
    with np.errstate(all="ignore"):
        longest = sum(np.abs(one).sum(axis=0).max() for one in (weights.kernel, weights.recurrent_kernel))
        allowed = min(LARGEST, float(64 * np.finfo(theirs.dtype).eps * (1 + longest)))
    return theirs.shape == ours.shape and np.allclose(theirs, ours, rtol=0, atol=allowed, equal_nan=True)


class _Taken:
    """Nodes taken out of a model, and the numbers that they are given."""

    def __init__(self, values: dict[tuple[int, str], Array], constants: Constants) -> None:
        self.values, self.constants = values, constants
        self.names: dict[tuple[int, str], str] = {}
        self.fed: dict[str, Array] = {}
        self.nodes: list[Any] = []

    def run(self, wanted: list[Source]) -> list[Array]:
        """The values of what is wanted.

        Raises:
            ValueError: there are more nodes, or others, than a cell consists of.
            Exception: whatever the evaluator raises.
        """
        from onnx import helper
        from onnx.reference import ReferenceEvaluator

        names = [self._name(one) for one in wanted]
        given = [helper.make_tensor_value_info(name, 0, None) for name in self.fed]
        made = [helper.make_tensor_value_info(name, 0, None) for name in names]
        graph = helper.make_graph(self.nodes, "timestep", given, made)
        opsets = [helper.make_opsetid("", self.constants.opset)]
        evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets))
        with np.errstate(all="ignore"):
            return list(evaluator.run(names, self.fed))

    def _name(self, one: Source) -> str:
        """What a value is called among what is taken; the nodes that make it are taken first."""
        here = Source(one.scope.home(one.name) or one.scope, one.name)
        outside = None if here.maker is not None or here.name in here.scope.tensors else here.scope.given.get(here.name)
        if outside is not None and here.key not in self.values:
            return self._name(Source(*outside))
        if here.key not in self.names:
            self.names[here.key] = name = f"value_{len(self.names)}"
            if here.key in self.values:
                self.fed[name] = self.values[here.key]
            elif here.maker is None or here.kind == "Constant" or here.key in self.constants.known:
                self.fed[name] = self.constants.value(*here)
            else:
                self._take(here, here.maker[0])
        return self.names[here.key]

    def _take(self, one: Source, node: Any) -> None:
        if operator(node) not in OF_A_CELL or len(self.names) > MOST_NODES:
            raise ValueError("this is no node of a cell")
        inputs = [self._name(Source(one.scope, name)) if name else "" for name in node.input]
        outputs = [self.names.setdefault((id(one.scope), name), f"value_{len(self.names)}") for name in node.output]
        attributes = [one.scope.attribute(node, each.name) for each in node.attribute]
        taken = type(node)(op_type=node.op_type, input=inputs, output=outputs)
        for each, found in zip(node.attribute, attributes, strict=True):
            taken.attribute.add().CopyFrom(found)
            taken.attribute[-1].name = each.name
        self.nodes.append(taken)
