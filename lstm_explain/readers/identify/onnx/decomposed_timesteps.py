"""The timesteps of decomposed LSTMs: cells that pass their states on to each other, with equal weights.

cell 1 --h, c--> cell 2 --h, c--> cell 3        an unrolled layer: a chain of timesteps
cell <--h, c--> cell                            the body of a Loop or Scan: one timestep, whose states are loop states
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES, Gate
from lstm_explain.readers.identify.onnx.dataflow import GraphValue, loop_state
from lstm_explain.readers.identify.onnx.decomposed_cell import (
    STANDARD_ACTIVATIONS,
    CellMatch,
    Product,
    WeightCache,
    gate_columns,
    match_pre_activation,
    sliced_value,
)

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.onnx.constants import Constants

MORE_TERMS = "its gates read more than x @ K + h @ R + b with constant weights, as with peepholes or a normalisation"
NOT_QUARTERS = "its gates are not the four quarters of one sum"
STATES_CHANGED = "its states do not pass unchanged from timestep to timestep, as where timesteps are masked"
PROJECTED = "its hidden state does not have one number for each unit, as with a projection"


class UnsupportedCellError(Exception):
    """A cell is matched and not supported; the argument is the reason."""


class Timestep(NamedTuple):
    """One timestep of an LSTM."""

    cell: CellMatch
    products: tuple[Product, ...]
    biases: tuple[tuple[GraphValue, Array], ...]
    gate_order: tuple[Gate, ...]
    """The order of the gates in the columns of the weights."""
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
    pre_activation, *others = (sliced_value(value) for value in cell.pre_activations.values())
    if pre_activation is None or any(other != pre_activation for other in others):
        raise UnsupportedCellError(NOT_QUARTERS)
    terms = match_pre_activation(pre_activation, cache)
    if terms is None or not terms.products:
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
    """The order of the gates in the columns of the pre-activations."""
    units, gates = columns // len(GATES), {}
    for gate, value in cell.pre_activations.items():
        gate_range = gate_columns(value, columns, constants)
        if gate_range is not None and len(gate_range) == units:
            gates[gate_range.start] = gate
    if sorted(gates) != list(range(0, columns, units)):
        raise UnsupportedCellError(NOT_QUARTERS)
    return tuple(gates[start] for start in sorted(gates))


def resolve_loop_body(timestep: Timestep) -> Timestep:
    """Return the timestep in the body of a Loop or Scan, with its product with h.

    Raises:
        UnsupportedCellError: the body returns other states than the cell's.
    """
    cell_state = loop_state(timestep.cell.previous_cell_state)
    recurrent = [
        product
        for product in timestep.products
        if (hidden := loop_state(product.operand)) is not None and hidden.returned == timestep.cell.hidden
    ]
    if cell_state is None or cell_state.returned != timestep.cell.cell_state or len(recurrent) != 1:
        raise UnsupportedCellError(STATES_CHANGED)
    return timestep._replace(recurrent=recurrent[0])


def chain_timesteps(timesteps: list[Timestep], cache: WeightCache) -> list[list[Timestep]]:
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
    """The first timestep with its product with h, which the second decides; without, where the exporter computed it."""
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
