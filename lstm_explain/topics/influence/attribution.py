"""Derivatives: between units, of one timestep or averaged, with their shares; and of the last state through all timesteps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

import numpy as np

from lstm_explain.core.bptt import backpropagate, bptt_bytes, hidden_by_network_input, trajectory_of
from lstm_explain.core.engine.threads import blas_controller
from lstm_explain.core.jacobian import Jacobian, jacobian_bytes, step_jacobian
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.result import json_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Annotated, TypeAlias

    from lstm_explain.core.axes import Array
    from lstm_explain.core.bptt import Trajectory
    from lstm_explain.core.gates import Direction
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Block, Record
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.topics.result import Axes, Positive

    Watched: TypeAlias = Callable[[Iterable[Block]], Iterable[Block]]

CHUNK_BYTES = 2**24
"""How many bytes of derivatives are held at once while they are averaged."""


MatrixName = Literal[
    "hidden_by_hidden", "hidden_by_cell", "cell_by_hidden", "cell_by_cell", "hidden_by_input", "cell_by_input"
]
ShareName = Literal["itself", "others", "input"]


@json_keys("mean by_unit")
class Shares(NamedTuple):
    """Of all that can move a unit's next value, how much is the unit itself, other units, and the input.

    The value is the unit's h_t; its c_t where a projection mixes h. A share is a sum of absolute derivatives, divided by the
    sum of all of them: the effect of changes of equal size. The arrays are [units].
    """

    itself: Array
    """Its own c_{t-1}, and what it output at t-1."""
    others: Array
    """What the other units output at t-1."""
    input: Array
    """x_t"""

    @property
    def mean(self) -> dict[ShareName, float]:
        """The mean over the units."""
        return {name: float(np.mean(values)) for name, values in self.by_unit.items()}

    @property
    def by_unit(self) -> dict[ShareName, Annotated[Array, Axes("units")]]:
        """The shares of each unit: of itself and what it output, of the other units' outputs, and of the input."""
        return {"itself": self.itself, "others": self.others, "input": self.input}


class Derivatives(NamedTuple):
    """The derivatives of one timestep, or the mean sizes over many."""

    matrices: Jacobian
    """Without the axis of steps: what moves, by what moves it."""
    shares: Shares
    """Where each unit's next value comes from; the three add up to 1."""
    averaged: Positive | None
    """Over how many timesteps of all samples the absolute derivatives were averaged; null if they are of one timestep."""

    @property
    def by_name(self) -> dict[MatrixName, Annotated[Array, Axes("moved", "changed")]]:
        """What moves, by what moves it: the previous timestep's state or this timestep's input; absolute where averaged."""
        return cast("dict[MatrixName, Array]", self.matrices._asdict())


def derivatives_at(lstm: LSTM, trajectory: Trajectory, t: int, held: int) -> Derivatives:
    """The derivatives of one timestep; `held` bytes are in use already.

    Raises:
        RefusedError: they would need more memory than the budget.
    """
    lstm.check_memory(held + jacobian_bytes(trajectory.weights, 1), "the derivatives of a timestep")
    jacobian = step_jacobian(trajectory.weights, trajectory.slopes.at(slice(t - 1, t)))
    sizes = _source_sizes(trajectory.weights, jacobian)[0]
    return Derivatives(Jacobian(*(matrix[0] for matrix in jacobian)), _shares(sizes), None)


def mean_derivatives(lstm: LSTM, layer: int, direction: Direction, held: int, watched: Watched) -> Derivatives:
    """The mean size of every derivative over all timesteps of all samples.

    Args:
        lstm: the LSTM and its batch.
        layer: which layer.
        direction: which direction.
        held: how many bytes the run of a block takes.
        watched: what to pass the blocks of samples through.

    Raises:
        RefusedError: a block or its derivatives would need more memory than the budget.
    """
    weights = lstm.weights.of(layer, direction)
    step_bytes = jacobian_bytes(weights, 1)
    lstm.check_memory(held + 2 * step_bytes, "the derivatives of a timestep")
    size = max(1, min(CHUNK_BYTES, lstm.max_memory - held - step_bytes) // step_bytes)
    totals, steps = None, 0
    for trajectory in _trajectories(lstm, layer, direction, watched):
        steps += len(trajectory.order)
        for sums in _chunk_sums(trajectory, size):
            totals = sums if totals is None else [total + part for total, part in zip(totals, sums, strict=True)]
    assert totals is not None
    *matrices, sizes = (total / steps for total in totals)
    return Derivatives(Jacobian(*matrices), _shares(sizes), steps)


def _trajectories(lstm: LSTM, layer: int, direction: Direction, watched: Watched) -> Iterator[Trajectory]:
    """Every sample's, block by block."""
    for block in watched(lstm.blocks()):
        for position in range(len(block.samples)):
            yield trajectory_of(lstm.weights, block.record, layer, direction, position)
        del block  # its record is let go before the next block is run


def _chunk_sums(trajectory: Trajectory, size: int) -> Iterator[list[Array]]:
    """For some timesteps at a time, the sums of each absolute matrix and of the sizes that shares are made of."""
    for first in range(0, len(trajectory.order), size):
        jacobian = step_jacobian(trajectory.weights, trajectory.slopes.at(slice(first, first + size)))
        matrices = (np.abs(matrix).sum(axis=0) for matrix in jacobian)
        yield [*matrices, _source_sizes(trajectory.weights, jacobian).sum(axis=0)]


def _source_sizes(weights: LayerWeights, jacobian: Jacobian) -> Array:
    """The absolute derivatives of each unit's next value by itself, others and the input; [steps, 3, units]"""
    by_output, by_cell, by_input = jacobian.hidden_by_hidden, jacobian.hidden_by_cell, jacobian.hidden_by_input
    if weights.projection is not None:
        by_output = jacobian.cell_by_hidden @ weights.projection.T.astype(np.float64)
        by_cell, by_input = jacobian.cell_by_cell, jacobian.cell_by_input
    sizes = np.abs(by_output)
    diagonal = np.diagonal(sizes, axis1=1, axis2=2)
    itself = diagonal + np.abs(np.diagonal(by_cell, axis1=1, axis2=2))
    return np.stack([itself, sizes.sum(axis=2) - diagonal, np.abs(by_input).sum(axis=2)], axis=1)


def _shares(sizes: Array) -> Shares:
    total = sizes.sum(axis=0)
    return Shares(*np.divide(sizes, total, out=np.zeros_like(sizes), where=total != 0))


# --- through time -----------------------------------------------------------------------------------------------------


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
    """The timesteps as the direction reads them: the first axis below. The norms begin with the initial state."""
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


def trace_back(lstm: LSTM, record: Record, layer: int, direction: Direction, sample: int, held: int) -> ThroughTime:
    """Follow one sample's last state back through its timesteps, and its last h down to the network's input.

    `held` bytes are in use already.

    Raises:
        RefusedError: that would need more memory than the budget.
    """
    layers = [lstm.spec.for_layer(number) for number in range(layer + 1)]
    hidden, units = layers[-1].hidden, layers[-1].units
    width = max(max(spec.features, spec.hidden, spec.units) for spec in layers)
    needed = held + bptt_bytes(record.length(sample), hidden + units, width)
    lstm.check_memory(needed, "going back through all timesteps")
    trajectory = trajectory_of(lstm.weights, record, layer, direction, sample)
    last = np.eye(hidden + units)  # a row for each number of the last h, and of the last c
    rows = backpropagate(trajectory, last[:, :hidden], last[:, hidden:])
    with blas_controller().limit(limits=1, user_api="blas"):  # threads do not pay off for matrices this small
        norms = [(_spectral_norm(row.by_hidden[:hidden]), _spectral_norm(row.by_cell[hidden:])) for row in rows]
    hidden_norms, cell_norms = np.array(norms[::-1]).T
    inputs = hidden_by_network_input(lstm.weights, record, sample, layer, direction)
    order = tuple(trajectory.order)
    return ThroughTime(order[-1], order, hidden_norms, cell_norms, inputs[np.array(order) - 1])


def _spectral_norm(matrix: Array) -> float:
    """The largest factor by which the matrix stretches anything; nan where a number is not finite."""
    return float(np.linalg.norm(matrix, 2)) if np.isfinite(matrix).all() else math.nan
