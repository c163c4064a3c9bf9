"""Derivatives of the last state by everything before it: back through the timesteps, and down through the layers.

What is carried back are rows: one for each number whose derivative is asked for. A step back multiplies the rows with the
derivatives of that step, so nothing of the size units x units x timesteps is ever held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES, Direction
from lstm_explain.core.jacobian import gate_slopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.jacobian import Slopes
    from lstm_explain.core.record import Record
    from lstm_explain.core.weights import LayerWeights, Weights


class GradientRows(NamedTuple):
    """Derivatives of some numbers, a row each, by one state and by what was read after it."""

    timestep: int
    """The timestep after which the state stands; the timestep that was read, in the case of `by_input`."""
    by_hidden: Array
    """By h_t; [rows, hidden]"""
    by_cell: Array
    """By c_t; [rows, units]"""
    by_input: Array
    """By x_t; [rows, features]"""


class Trajectory(NamedTuple):
    """One sample's run through one layer in one direction, as its derivatives see it."""

    weights: LayerWeights
    slopes: Slopes
    """[timesteps of the sample, units]"""
    order: range
    """The timesteps, as the direction reads them; from 1."""

    @property
    def hidden(self) -> int:
        """The size of h."""
        return len(self.weights.recurrent_kernel)


def trajectory_of(weights: Weights, record: Record, layer: int, direction: Direction, sample: int) -> Trajectory:
    """The trajectory of one sample of a record; samples count from 0."""
    part, length = record.of(layer, direction), record.length(sample)
    before = part.states_before(sample, length).cell
    order = range(1, length + 1) if direction is Direction.FORWARD else range(length, 0, -1)
    slopes = gate_slopes(weights.of(layer, direction), part.of_sample(sample, length), before[None])
    return Trajectory(weights.of(layer, direction), slopes.at(0), order)


def backpropagate(
    course: Trajectory, by_hidden: Array, by_cell: Array, by_output: Array | None = None
) -> Iterator[GradientRows]:
    """Go back from the last state to the first.

    Args:
        course: the trajectory.
        by_hidden: the derivatives by the last h that the rows begin with; [rows, hidden].
        by_cell: the same by the last c; [rows, units].
        by_output: what each timestep's h adds to the rows through another path, such as the layer above;
            [timesteps, rows, hidden].

    Yields:
        For each timestep, the last that was read first: the rows by the state after it, and by its input. At the end, under
        t = 0, the rows by the state before all, which has no input.
    """
    weights, steps = course.weights, course.slopes
    kernels = [kernel.astype(np.float64).T for kernel in (weights.kernel, weights.recurrent_kernel)]
    projection = None if weights.projection is None else weights.projection.astype(np.float64).T
    for t in reversed(course.order):
        if by_output is not None:
            by_hidden = by_hidden + by_output[t - 1]
        step = steps.at(t - 1)
        by_emitted = by_hidden if projection is None else by_hidden @ projection
        total = by_cell + by_emitted * step.emitted_by_cell
        sums = total[:, None] * step.cell_by_sum
        sums[:, -1] += by_emitted * step.emitted_by_sum
        by_input, before = (sums.reshape(len(sums), -1) @ kernel for kernel in kernels)
        yield GradientRows(t, by_hidden, by_cell, by_input)
        by_hidden, by_cell = before, total * step.cell_by_cell
    yield GradientRows(0, by_hidden, by_cell, np.empty((len(by_hidden), 0)))


def hidden_by_network_input(weights: Weights, record: Record, sample: int, layer: int, direction: Direction) -> Array:
    """The derivatives of a layer's last h by the network's own input, down through all layers below.

    Returns:
        [timesteps of the sample, hidden, features]
    """
    trajectory = trajectory_of(weights, record, layer, direction, sample)
    by_input = _rows_by_input(trajectory, np.eye(trajectory.hidden), None)
    for below in reversed(range(layer)):
        directions = list(record.layers[below])
        parts = np.split(by_input, len(directions), axis=2)
        trajectories = [trajectory_of(weights, record, below, direction, sample) for direction in directions]
        zeros = (np.zeros((len(by_input[0]), trajectory.hidden)) for trajectory in trajectories)
        by_input = np.sum([_rows_by_input(*each) for each in zip(trajectories, zeros, parts, strict=True)], axis=0)
    return by_input


def _rows_by_input(trajectory: Trajectory, by_hidden: Array, by_output: Array | None) -> Array:
    """[timesteps, rows, features], of rows that begin with these derivatives by the last h, and none by the last c."""
    features = len(trajectory.weights.kernel)
    result = np.empty((len(trajectory.order), len(by_hidden), features))
    for rows in backpropagate(trajectory, by_hidden, np.zeros((len(by_hidden), trajectory.weights.units)), by_output):
        if rows.timestep:
            result[rows.timestep - 1] = rows.by_input
    return result


def bptt_bytes(course_length: int, rows: int, wide: int) -> int:
    """The memory that going back takes: the slopes while they are made, two layers' rows by every timestep's input of up to
    `wide` numbers, and a step's."""
    return (2 * rows + 32) * course_length * wide * 8 + 12 * rows * wide * len(GATES) * 8
