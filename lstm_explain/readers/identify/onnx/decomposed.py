"""LSTMs of an ONNX model that are no node of their own: cells written out in nodes, timestep by timestep or in a loop's body.

A cell is found by its structure and its weights by the sums that it reads (`cell_pattern`), its timesteps by what is
handed on from one to the next (`timesteps`). It is only offered once its nodes, run on seeded numbers, do as our own cell
does (`verify_cell`).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.engine import StackState
from lstm_explain.core.gates import GATES, Direction
from lstm_explain.core.weights import LayerWeights, Weights
from lstm_explain.errors import InputFileError, RefusedError
from lstm_explain.frameworks.known import CONVENTIONS
from lstm_explain.readers.containers.onnx.constants import NotConstantError
from lstm_explain.readers.containers.onnx.graph import named
from lstm_explain.readers.containers.onnx.tensors import text
from lstm_explain.readers.identify.find_lstms import validate_lstm
from lstm_explain.readers.identify.model_lstm import FED_STATES, ModelLSTM, UnsupportedLayer
from lstm_explain.readers.identify.onnx.cell_pattern import Known
from lstm_explain.readers.identify.onnx.dataflow import (
    Reading,
    Source,
    before_batch,
    one_for_all,
    reading,
    state,
    turned_round,
)
from lstm_explain.readers.identify.onnx.timesteps import (
    HANDED_ON,
    PROJECTED,
    NotReadError,
    Step,
    chains,
    in_body,
    step_of,
    turning,
)
from lstm_explain.readers.identify.onnx.verify_cell import agrees, fits

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.gates import Gate
    from lstm_explain.readers.containers.onnx.constants import Constants
    from lstm_explain.readers.identify.onnx.cell_pattern import Cell

    Emitted = dict[tuple[int, str], tuple[list[Step], int]]

KERAS_FILE = "Give the model that it was made from, such as a .keras file"
ORDER = "it cannot be told in which order it reads a sequence; timestep 1 is the first that it reads"
ALONE = "its recurrent kernel is not in the file: it was exported with one timestep that starts from zeros"
WHICH = "it has one timestep, and it cannot be told which of its two products reads x and which h"
ELSEWHERE = "what it reads as c is not what the timestep before it makes, as where timesteps are masked"
UNPROVED = "its nodes do not compute what our own cell does with the weights that were read for it"

MOST_LAYERS = 500
"""Each is run once or twice to see whether it is one; that takes milliseconds."""


class Written(NamedTuple):
    """What came of a model's written-out cells."""

    found: list[ModelLSTM]
    unfit: list[UnsupportedLayer]
    """What is recognised and not explained, one for each reason."""


def read_written_out(cells: list[Cell], constants: Constants, file: str) -> Written:
    """The LSTMs that written-out cells are.

    Args:
        cells: all cells of the model.
        constants: the model's constant values.
        file: the file's name, safe to print.

    Raises:
        RefusedError: a tensor of them stands in another file, or is over the memory budget.
    """
    unfit: dict[str, UnsupportedLayer] = {}

    def refuse(cell: Cell, error: NotReadError) -> None:
        reason = str(error)
        unfit.setdefault(reason, UnsupportedLayer(cell.place.name, reason, KERAS_FILE))

    known = Known(constants)
    steps: list[Step] = []
    for cell in cells:
        try:
            steps.append(step_of(cell, known))
        except NotReadError as error:
            refuse(cell, error)
    made = {one.cell.cell.key for one in steps}
    found: dict[tuple[frozenset[tuple[int, str]], bool], ModelLSTM | None] = {}  # None: its weights are one's that is not read
    bodies = [[one] for one in steps if in_body(one)]
    all_chains = [*bodies, *chains([one for one in steps if not in_body(one)], known)]
    emitted = {one.cell.hidden.key: (chain, at) for chain in all_chains for at, one in enumerate(chain)}
    for chain in all_chains:
        read = frozenset(one.named.key for one in chain[-1].matrices), False
        try:
            layer = _Layer(_whole(chain, constants, made), emitted, constants)
            read = read[0], layer.backward  # an exporter stores arrays that are the same once
            if read not in found:
                found[read] = layer.found(file)
        except NotReadError as error:
            found[read] = None
            refuse(chain[0].cell, error)
        if len(found) > MOST_LAYERS:
            reason = f"it has more than {MOST_LAYERS:,} LSTMs that are written out"
            raise RefusedError(file, reason, "Give the part that matters")
    return Written([one for one in found.values() if one is not None], list(unfit.values()))


def _whole(chain: list[Step], constants: Constants, made: set[tuple[int, str]]) -> list[Step]:
    """A chain whose first timestep is known to be the first.

    Raises:
        NotReadError: it follows something else than a timestep, or its products cannot be told apart.
    """
    if in_body(chain[0]):
        return [turning(chain[0])]
    first = chain[0]
    if len(chain) == 1 and first.recurs is None:
        first = _alone(first, constants)
    old = first.cell.old_cell
    if any(state(one.by) is not None for one in first.matrices):
        raise NotReadError(HANDED_ON)
    if old.maker is not None and old.key not in made and _start(old, constants) is None:
        raise NotReadError(ELSEWHERE)
    return [first, *chain[1:]]


def _alone(one: Step, constants: Constants) -> Step:
    """A single timestep, with what its h is told from the sizes, or from what is constant."""
    if len(one.matrices) == 1:
        raise NotReadError(ALONE)
    square = [each for each in one.matrices if len(each.array) == one.units]
    constant = [each for each in square if _start(each.by, constants) is not None]
    hidden = square if len(square) == 1 else constant
    if len(hidden) != 1:
        raise NotReadError(WHICH)
    return one._replace(recurs=hidden[0])


def _start(one: Source, constants: Constants) -> Array | None:
    """The value of a state that a layer starts from, None where it is only known when the model runs."""
    try:
        return before_batch(constants, *one)
    except (NotConstantError, InputFileError):
        return None


class _Layer:
    """A layer, of the timesteps that were found of it."""

    def __init__(self, steps: list[Step], emitted: Emitted, constants: Constants) -> None:
        self.steps, self.emitted, self.constants = steps, emitted, constants
        self.one = steps[min(1, len(steps) - 1)]  # of the first, the exporter may have computed a part
        reads, recurs = self.one.reads, self.one.recurs
        if reads is None or recurs is None:
            raise NotReadError(WHICH)
        self.reads, self.recurs = reads, recurs

    @property
    def backward(self) -> bool:
        """Whether it reads from the end."""
        return self._direction()[0]

    def found(self, file: str) -> ModelLSTM:
        """The layer, once its nodes are known to compute what ours does."""
        one = self.one
        if len(self.recurs.array) != one.units:
            raise NotReadError(PROJECTED)
        weights, framework = self._weights(), self._framework()
        ends = [one] if one is self.steps[-1] else [one, self.steps[-1]]
        proved = [each for each in ends if fits(each)]
        if not proved or not all(agrees(each, weights, self.constants) for each in proved):
            raise NotReadError(UNPROVED)
        initial, asides = self._initial(weights)
        backward, order = self._direction()
        tensors = {text(each.named.name): each.array.T.shape if each.turned else each.array.shape for each in one.matrices}
        tensors |= {text(each.name): array.shape for each, array in one.added}
        place = self.steps[0].cell.place
        body = place.scope.body_of if in_body(one) else None
        name = place.name if body is None else place.scope.path
        many = "1 timestep" if len(self.steps) == 1 else f"{len(self.steps)} timesteps"
        title = (
            f"LSTM written out in {many}" if body is None else f"LSTM written out in the body of a {text(body.node.op_type)}"
        )
        recognised = f"it is no node LSTM; it was recognised from its nodes: {_several(proved)}, computed by ONNX's reference "
        recognised += "evaluator on seeded numbers, made the h and c that our cell makes"
        layer = Weights(({Direction.FORWARD: weights},))
        biases = min(2, len(one.added))
        found = ModelLSTM(name, framework, title, layer, tensors, biases, initial, backward, (recognised,), (*asides, *order))
        return validate_lstm(found, file)

    def _weights(self) -> LayerWeights:
        """The weights in our own arrangement."""
        arrays = [self.reads.array, self.recurs.array]
        dtype = np.float64 if any(array.dtype.itemsize == 8 for array in arrays) else np.float32
        size = sum(array.size for array in arrays) * np.dtype(dtype).itemsize
        self.constants.ledger.take(3 * size, f"arranging the weights of {named(self.one.cell.place)}")
        bias = self.one.bias
        columns = np.concatenate([self._columns(gate) for gate in GATES])
        kernel, recurrent_kernel = (array[:, columns].astype(dtype) for array in arrays)
        return LayerWeights(kernel, recurrent_kernel, None if bias is None else bias[columns].astype(dtype))

    def _columns(self, gate: Gate) -> Array:
        first = self.one.order.index(gate) * self.one.units
        return np.arange(first, first + self.one.units)

    def _framework(self) -> str:
        """Who packs weights like this."""
        order, turned = self.one.order, self.reads.turned
        for name, convention in CONVENTIONS.items():
            if convention.gate_order == order and convention.output_major == turned and not convention.gate_names:
                return name
        gates = ", ".join(gate.value for gate in order)
        raise NotReadError(f"its gates stand in the order {gates}, in which no framework that is known writes them")

    def _initial(self, weights: LayerWeights) -> tuple[StackState | None, tuple[str, ...]]:
        """The states that it starts from, None for zeros; and what is to be said of them."""
        first = self.steps[0]
        starts = [first.cell.old_cell] + ([] if first.recurs is None else [first.recurs.by])
        values = []
        for one in starts:
            turned = state(one) if in_body(first) else None
            array = _start(one if turned is None else turned.start, self.constants)
            values.append(None if array is None else one_for_all(array, weights.units))
        if len(starts) == 1:  # the exporter computed h_0 @ R, and it added nothing
            values.append(np.zeros(weights.units))
        if any(one is None for one in values):
            return None, (FED_STATES,)
        cell, hidden = (np.asarray(one, weights.kernel.dtype).reshape(1, -1) for one in values)
        initial = StackState((hidden,), (cell,))
        return (initial if initial.any() else None), ()

    def _direction(self) -> tuple[bool, tuple[str, ...]]:
        """Whether it reads its sequence from the end; and what is to be said where that cannot be told."""
        readings = [self._reading(one) for one in self.steps]
        first = readings[0]
        if first is None or any(one is None or one.sequence.key != first.sequence.key for one in readings):
            return False, (ORDER,) if len(readings) > 1 or in_body(self.one) else ()
        places = [one.at for one in readings if one is not None and one.at is not None]
        ways = {later - earlier for earlier, later in pairwise(places)}
        if len(places) == len(readings) and not (ways == {1} or ways == {-1} or len(places) == 1):
            return False, (ORDER,)
        backwards = first.backwards or ways == {-1}
        if len(readings) == 1 and first.at is not None:  # one timestep is the same from either end
            return False, ()
        return backwards ^ turned_round(first.sequence, first.axis, self.constants), ()

    def _reading(self, one: Step) -> Reading | None:
        matrix = next((each for each in one.matrices if each is not one.recurs), None)
        if matrix is None:
            return None
        if matrix.at is not None:
            return Reading(matrix.by, matrix.axis, matrix.at)
        if matrix.by.key in self.emitted:  # what the layer below emits, as it emits it
            below, at = self.emitted[matrix.by.key]
            return Reading(below[0].cell.hidden, 0, None if in_body(below[0]) else at)
        return reading(matrix.by, self.constants)


def _several(proved: list[Step]) -> str:
    if in_body(proved[0]):
        return "its body"
    return "one of its timesteps" if len(proved) == 1 else f"{len(proved)} of its timesteps"
