"""LSTMs that an ONNX model spells out in elementary operators, unrolled over the timesteps or in the body of a loop.

    cell 1 --h, c--> cell 2 --h, c--> cell 3        unrolled: a chain of timesteps with equal weights
    cell <--h, c--> cell                            the body of a Loop or Scan: one timestep, whose states are loop states

Cells are matched by their structure (`decomposed_cell`). A layer is only returned after its nodes, run on seeded numbers,
compute what the reference cell computes (`verify_cell`).
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.core.engine import StackState
from lstm_explain.core.gates import GATES, Direction
from lstm_explain.core.weights import LayerWeights, Weights
from lstm_explain.errors import InputFileError, RefusedError
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.containers.onnx.constants import NotConstantError
from lstm_explain.readers.containers.onnx.graph import decode_text, printable_name
from lstm_explain.readers.identify.model_lstm import FED_STATES, ModelLSTM, UnsupportedLayer, validate_lstm
from lstm_explain.readers.identify.onnx.dataflow import (
    GraphValue,
    TimestepRead,
    constant_state,
    is_time_reversed,
    loop_state,
    shared_state,
    timestep_read,
)
from lstm_explain.readers.identify.onnx.decomposed_cell import (
    PROJECTED,
    Timestep,
    UnsupportedCellError,
    WeightCache,
    match_timestep,
)
from lstm_explain.readers.identify.onnx.verify_cell import can_run, matches_reference

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.onnx.constants import Constants
    from lstm_explain.readers.identify.onnx.decomposed_cell import CellMatch

    TimestepsByOutput = dict[GraphValue, tuple[list[Timestep], int]]
    """For the h of each timestep: its chain, and its position there."""

STATES_CHANGED = "its states do not pass unchanged from timestep to timestep, as where timesteps are masked"
FIX_KERAS_FILE = "Give the model that it was made from, such as a .keras file"
UNKNOWN_ORDER = "the order in which it reads a sequence is unknown; timestep 1 is the first that it reads"
NO_RECURRENT_KERNEL = "its recurrent kernel is not in the file: it was exported with one timestep that starts from zeros"
UNKNOWN_RECURRENT = "it has one timestep, and nothing shows which of its two products reads x and which h"
CELL_STATE_CHANGED = "the c that it reads is not the output of the previous timestep, as where timesteps are masked"
NOT_VERIFIED = "its nodes do not compute what our own cell does with the weights that were read for it"
MAX_LAYERS = 500
"""Each is run once or twice to verify it, which takes milliseconds."""


def find_decomposed_lstms(
    cells: list[CellMatch], constants: Constants, file: str
) -> tuple[list[ModelLSTM], list[UnsupportedLayer]]:
    """Return the LSTMs that matched cells belong to, and those that are not supported, one for each reason.

    Raises:
        RefusedError: one of their tensors is in another file, or does not fit the memory budget.
    """
    unsupported: dict[str, UnsupportedLayer] = {}

    def note_unsupported(cell: CellMatch, error: UnsupportedCellError) -> None:
        reason = str(error)
        unsupported.setdefault(reason, UnsupportedLayer(cell.graph_node.name, reason, FIX_KERAS_FILE))

    cache = WeightCache(constants)
    timesteps: list[Timestep] = []
    for cell in cells:
        try:
            timesteps.append(match_timestep(cell, cache))
        except UnsupportedCellError as error:
            note_unsupported(cell, error)
    chains = [[timestep] for timestep in timesteps if timestep.is_loop_body]
    chains += _chain_timesteps([timestep for timestep in timesteps if not timestep.is_loop_body], cache)
    cell_states = {timestep.cell.cell_state for timestep in timesteps}
    outputs = {timestep.cell.hidden: (chain, index) for chain in chains for index, timestep in enumerate(chain)}
    lstms: dict[tuple[frozenset[GraphValue], bool], ModelLSTM | None] = {}  # by weights and direction; None: not supported
    for chain in chains:
        key = frozenset(product.source for product in chain[-1].products), False
        try:
            layer = _DecomposedLayer(_resolve_start(chain, constants, cell_states), outputs, constants)
            key = key[0], layer.reverse  # an exporter stores equal arrays once
            if key not in lstms:
                lstms[key] = layer.build_lstm(file)
        except UnsupportedCellError as error:
            lstms[key] = None
            note_unsupported(chain[0].cell, error)
        if len(lstms) > MAX_LAYERS:
            problem = f"it has more than {MAX_LAYERS:,} LSTMs that are written out"
            raise RefusedError(file, problem, "Give the part that matters")
    return [lstm for lstm in lstms.values() if lstm is not None], list(unsupported.values())


def _resolve_start(chain: list[Timestep], constants: Constants, cell_states: set[GraphValue]) -> list[Timestep]:
    """Return a chain whose first timestep has its product with h.

    Raises:
        UnsupportedCellError: it follows something else than a timestep, or its products cannot be told apart.
    """
    first = chain[0]
    if first.is_loop_body:
        return [_resolve_loop_body(first)]
    if len(chain) == 1 and first.recurrent is None:
        first = _resolve_single_timestep(first, constants)
    if any(loop_state(product.operand) is not None for product in first.products):
        raise UnsupportedCellError(STATES_CHANGED)
    previous = first.cell.previous_cell_state
    if previous.producer is not None and previous not in cell_states and _constant_state(previous, constants) is None:
        raise UnsupportedCellError(CELL_STATE_CHANGED)
    return [first, *chain[1:]]


def _resolve_single_timestep(timestep: Timestep, constants: Constants) -> Timestep:
    """Return a single timestep with its product with h: the one with a square kernel, or with a constant state."""
    if len(timestep.products) == 1:
        raise UnsupportedCellError(NO_RECURRENT_KERNEL)
    square = [product for product in timestep.products if len(product.weights) == timestep.units]
    if len(square) != 1:
        square = [product for product in square if _constant_state(product.operand, constants) is not None]
    if len(square) != 1:
        raise UnsupportedCellError(UNKNOWN_RECURRENT)
    return timestep._replace(recurrent=square[0])


def _constant_state(value: GraphValue, constants: Constants) -> Array | None:
    """Return the value of an initial state; None if it is only known when the model runs."""
    try:
        return constant_state(value, constants)
    except (NotConstantError, InputFileError):
        return None


# --- timesteps --------------------------------------------------------------------------------------------------------


def _resolve_loop_body(timestep: Timestep) -> Timestep:
    """Return the timestep in the body of a Loop or Scan with its product with h, if the body returns the cell's states."""
    cell_state = loop_state(timestep.cell.previous_cell_state)
    recurrent = [
        product
        for product in timestep.products
        if (hidden := loop_state(product.operand)) is not None and hidden.returned == timestep.cell.hidden
    ]
    if cell_state is None or cell_state.returned != timestep.cell.cell_state or len(recurrent) != 1:
        raise UnsupportedCellError(STATES_CHANGED)
    return timestep._replace(recurrent=recurrent[0])


def _chain_timesteps(timesteps: list[Timestep], cache: WeightCache) -> list[list[Timestep]]:
    """Return chains of timesteps, each of which reads the states of the previous one and has equal weights."""
    by_cell_state = {timestep.cell.cell_state: timestep for timestep in timesteps}
    successors: dict[GraphValue, list[Timestep]] = {}  # by the cell state that they read
    starts: deque[Timestep] = deque()
    for timestep in timesteps:
        previous = by_cell_state.get(timestep.cell.previous_cell_state)
        hidden = None if previous is None else previous.cell.hidden
        recurrent = [product for product in timestep.products if product.operand == hidden]
        if previous is None or len(recurrent) != 1:
            starts.append(timestep)
        else:
            successors.setdefault(previous.cell.cell_state, []).append(timestep._replace(recurrent=recurrent[0]))
    chains = []
    while starts:
        chain = [starts.popleft()]
        while candidates := successors.pop(chain[-1].cell.cell_state, None):
            following = next((timestep for timestep in candidates if _follows(chain, timestep, cache)), None)
            starts.extend(timestep for timestep in candidates if timestep is not following)
            if following is None:
                break
            if len(chain) == 1:
                chain[0] = _resolve_first(chain[0], following, cache)
            chain.append(following)
        chains.append(chain)
    return chains


def _follows(chain: list[Timestep], timestep: Timestep, cache: WeightCache) -> bool:
    """Whether a timestep that reads the states of a chain's last has the same weights."""
    last = chain[-1] if len(chain) > 1 else _resolve_first(chain[0], timestep, cache)
    if last.gate_order != timestep.gate_order or not _same_biases(last, timestep):
        return False
    if timestep.input is None or timestep.recurrent is None:
        return False
    inputs = [product for product in last.products if product is not last.recurrent]
    same_recurrent = last.recurrent is None or cache.same_weights(last.recurrent, timestep.recurrent)
    return same_recurrent and len(inputs) == 1 and cache.same_weights(inputs[0], timestep.input)


def _resolve_first(first: Timestep, second: Timestep, cache: WeightCache) -> Timestep:
    """Return the first timestep with its product with h, as the second shows; without, if the exporter computed it."""
    if first.recurrent is not None or second.recurrent is None or len(first.products) < 2:
        return first
    recurrent = [product for product in first.products if cache.same_weights(product, second.recurrent)]
    return first._replace(recurrent=recurrent[0]) if len(recurrent) == 1 else first


def _same_biases(first: Timestep, second: Timestep) -> bool:
    if [value for value, _ in first.biases] == [value for value, _ in second.biases]:
        return True
    zeros = np.zeros(len(GATES) * first.units)
    first_bias, second_bias = (zeros if timestep.bias is None else timestep.bias for timestep in (first, second))
    return np.array_equal(first_bias, second_bias)


# --- a layer ----------------------------------------------------------------------------------------------------------


class _DecomposedLayer:
    """A layer, made of its timesteps."""

    def __init__(self, timesteps: list[Timestep], outputs: TimestepsByOutput, constants: Constants) -> None:
        self.timesteps, self.outputs, self.constants = timesteps, outputs, constants
        self.typical = timesteps[min(1, len(timesteps) - 1)]  # an exporter may have computed a part of the first
        if self.typical.input is None or self.typical.recurrent is None:
            raise UnsupportedCellError(UNKNOWN_RECURRENT)
        self.input, self.recurrent = self.typical.input, self.typical.recurrent
        reverse = self._reads_from_the_end()
        self.reverse = bool(reverse)
        self.order_caveats = (UNKNOWN_ORDER,) if reverse is None else ()

    def build_lstm(self, file: str) -> ModelLSTM:
        """Return the layer, after its nodes have been verified."""
        typical = self.typical
        if len(self.recurrent.weights) != typical.units:
            raise UnsupportedCellError(PROJECTED)
        weights, framework = self._arrange_weights(), self._framework()
        last = self.timesteps[-1]
        verified = [timestep for timestep in ([typical] if typical is last else [typical, last]) if can_run(timestep)]
        if not verified or not all(matches_reference(timestep, weights, self.constants) for timestep in verified):
            raise UnsupportedCellError(NOT_VERIFIED)
        initial, caveats = self._initial_state(weights)
        graph_node, count = self.timesteps[0].cell.graph_node, len(self.timesteps)
        body_of = graph_node.scope.body_of if typical.is_loop_body else None
        if body_of is not None:
            name, form = graph_node.scope.path, f"the body of a {decode_text(body_of.node.op_type)}"
            nodes = "its body"
        else:
            name, form = graph_node.name, "1 timestep" if count == 1 else f"{count} timesteps"
            nodes = "one of its timesteps" if len(verified) == 1 else f"{len(verified)} of its timesteps"
        note = f"it is not an LSTM node; it was recognised from its nodes: {nodes}, computed by ONNX's reference evaluator on "
        note += "seeded numbers, give the h and c of our own cell"
        lstm = ModelLSTM(
            name=name,
            framework=framework,
            title=f"LSTM written out in {form}",
            weights=Weights(({Direction.FORWARD: weights},)),
            tensors=self._stored_shapes(),
            biases=min(2, len(typical.biases)),
            initial=initial,
            reverse=self.reverse,
            notes=(note,),
            caveats=(*caveats, *self.order_caveats),
        )
        return validate_lstm(lstm, file)

    def _stored_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of its tensors as they are in the file, by name."""
        shapes = {}
        for product in self.typical.products:
            stored = product.weights.T if product.is_transposed else product.weights
            shapes[decode_text(product.source.name)] = stored.shape
        return shapes | {decode_text(value.name): array.shape for value, array in self.typical.biases}

    def _arrange_weights(self) -> LayerWeights:
        """Return the weights in our arrangement."""
        arrays, units = [self.input.weights, self.recurrent.weights], self.typical.units
        dtype = np.float64 if any(array.dtype.itemsize == 8 for array in arrays) else np.float32
        size = sum(array.size for array in arrays) * np.dtype(dtype).itemsize
        self.constants.budget.take(3 * size, f"arranging the weights of {printable_name(self.typical.cell.graph_node)}")
        starts = [self.typical.gate_order.index(gate) * units for gate in GATES]
        columns = np.concatenate([np.arange(start, start + units) for start in starts])
        kernel, recurrent_kernel = (array[:, columns].astype(dtype) for array in arrays)
        bias = self.typical.bias
        return LayerWeights(kernel, recurrent_kernel, None if bias is None else bias[columns].astype(dtype))

    def _framework(self) -> str:
        """Return the framework that arranges weights like this."""
        for name, convention in CONVENTIONS.items():
            if convention.gate_names or convention.output_major != self.input.is_transposed:
                continue
            if convention.gate_order == self.typical.gate_order:
                return name
        gates = ", ".join(gate.value for gate in self.typical.gate_order)
        raise UnsupportedCellError(f"its gates are in the order {gates}, which no known framework uses")

    def _initial_state(self, weights: LayerWeights) -> tuple[StackState | None, tuple[str, ...]]:
        """Return the states that it starts from, None for zeros; and a caveat if only the model knows them when it runs."""
        first = self.timesteps[0]
        values = [first.cell.previous_cell_state] + ([] if first.recurrent is None else [first.recurrent.operand])
        states = []
        for value in values:
            in_loop = loop_state(value) if first.is_loop_body else None
            array = _constant_state(value if in_loop is None else in_loop.start, self.constants)
            states.append(None if array is None else shared_state(array, weights.units))
        if len(states) == 1:  # the exporter computed h_0 @ R, and it added nothing
            states.append(np.zeros(weights.units))
        if any(state is None for state in states):
            return None, (FED_STATES,)
        cell_state, hidden = (np.asarray(state, weights.kernel.dtype).reshape(1, -1) for state in states)
        initial = StackState((hidden,), (cell_state,))
        return (initial if initial.any() else None), ()

    def _reads_from_the_end(self) -> bool | None:
        """Whether it reads its sequence from the end; None where that is unknown."""
        reads = [self._timestep_read(timestep) for timestep in self.timesteps]
        first = reads[0]
        if first is None or any(read is None or read.sequence != first.sequence for read in reads):
            return None if len(reads) > 1 or self.typical.is_loop_body else False
        indices = [read.timestep for read in reads if read is not None and read.timestep is not None]
        steps = {later - earlier for earlier, later in pairwise(indices)}
        if len(indices) == len(reads) > 1 and steps not in ({1}, {-1}):
            return None
        if len(reads) == 1 and first.timestep is not None:  # one timestep is the same from either end
            return False
        is_reverse = first.reverse or steps == {-1}
        return is_reverse ^ is_time_reversed(first.sequence, first.axis, self.constants)

    def _timestep_read(self, timestep: Timestep) -> TimestepRead | None:
        product = next((product for product in timestep.products if product is not timestep.recurrent), None)
        if product is None:
            return None
        if product.timestep is not None:
            return TimestepRead(product.operand, product.time_axis, product.timestep)
        if product.operand in self.outputs:  # the output of the layer below, timestep by timestep
            below, index = self.outputs[product.operand]
            return TimestepRead(below[0].cell.hidden, 0, None if below[0].is_loop_body else index)
        return timestep_read(product.operand, self.constants)
