"""How far back the last state reaches: its derivatives by every state before it, and by every input."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.bptt import backpropagate, bptt_bytes, hidden_by_network_input, trajectory_of
from lstm_explain.core.engine.threads import blas_controller
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.result import json_keys

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.gates import Direction
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record
    from lstm_explain.topics.result import Positive


class ThroughTimeStep(NamedTuple):
    """How the last state depends on one timestep."""

    t: Positive
    hidden: float
    """The spectral norm of dh_T/dh_t."""
    cell: float
    """The spectral norm of dc_T/dc_t."""
    input: list[float]
    """The lengths of the columns of dh_T/dx_t, one for each feature of the network's input."""


@json_keys("end initial.hidden=initial_hidden_norm initial.cell=initial_cell_norm steps=rows")
class ThroughTime(NamedTuple):
    """How the last state depends on every state before it, and the last h on every input."""

    end: Positive
    """The timestep of the last state."""
    steps: tuple[int, ...]
    """The timesteps as the direction reads them: the first axis below. The norms begin with one more, the initial state."""
    hidden_norms: Array
    """The spectral norm of dh_T/dh_t, c_t held: the most that a small change of h_t is stretched on its way; [steps + 1]"""
    cell_norms: Array
    """The same of dc_T/dc_t, h_t held; [steps + 1]"""
    inputs: Array
    """dh_T/dx_t, by the network's own input; [steps, hidden, features]"""

    @property
    def initial_hidden_norm(self) -> float:
        """The spectral norm of the derivative of the last h by the initial h."""
        return float(self.hidden_norms[0])

    @property
    def initial_cell_norm(self) -> float:
        """The spectral norm of the derivative of the last c by the initial c."""
        return float(self.cell_norms[0])

    @property
    def input_norms(self) -> Array:
        """How far the last h moves with each input: the length of each column of dh_T/dx_t; [steps, features]"""
        largest = np.abs(self.inputs).max(axis=1)  # squares of very small numbers would be 0
        scale = np.where(largest > 0, largest, 1)
        norms: Array = scale * np.sqrt(((self.inputs / scale[:, None]) ** 2).sum(axis=1))
        return norms

    @property
    def rows(self) -> list[ThroughTimeStep]:
        """One for each timestep, as the direction reads them."""
        columns = map(plain_numbers, (self.hidden_norms[1:], self.cell_norms[1:], self.input_norms))
        return [ThroughTimeStep(*row) for row in zip(self.steps, *columns, strict=True)]


def through_time(lstm: LSTM, record: Record, layer: int, direction: Direction, sample: int, held: int) -> ThroughTime:
    """Follow one sample's last state back through its timesteps, and its last h down to the network's input.

    `held` bytes are taken already.

    Raises:
        RefusedError: that would need more memory than the budget.
    """
    layers = [lstm.spec.for_layer(one) for one in range(layer + 1)]
    hidden, units = layers[-1].hidden, layers[-1].units
    wide = max(max(one.features, one.hidden, one.units) for one in layers)
    going = bptt_bytes(record.length(sample), hidden + units, wide)
    lstm.check_memory(held + going, "going back through all timesteps")
    way = trajectory_of(lstm.weights, record, layer, direction, sample)
    last = np.eye(hidden + units)  # a row for each number of the last h, and of the last c
    rows = backpropagate(way, last[:, :hidden], last[:, hidden:])
    with blas_controller().limit(limits=1, user_api="blas"):  # threads do not pay off for matrices this small
        norms = [(_norm(each.by_hidden[:hidden]), _norm(each.by_cell[hidden:])) for each in rows]
    hidden_norms, cell_norms = np.array(norms[::-1]).T
    inputs = hidden_by_network_input(lstm.weights, record, sample, layer, direction)
    order = tuple(way.order)
    return ThroughTime(order[-1], order, hidden_norms, cell_norms, inputs[np.array(order) - 1])


def _norm(matrix: Array) -> float:
    """The spectral norm, the largest factor by which the matrix stretches anything; nan where a number is not finite."""
    return float(np.linalg.norm(matrix, 2)) if np.isfinite(matrix).all() else math.nan
