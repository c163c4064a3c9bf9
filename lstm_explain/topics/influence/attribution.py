"""Derivatives between units, of one timestep or averaged; and the shares of a unit itself, of others and of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, cast

import numpy as np

from lstm_explain.core.bptt import trajectory_of
from lstm_explain.core.jacobian import Jacobian, jacobian_bytes, step_jacobian
from lstm_explain.topics.result import json_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Annotated, TypeAlias

    from lstm_explain.core.axes import Array
    from lstm_explain.core.bptt import Trajectory
    from lstm_explain.core.gates import Direction
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Block
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

    The value is the unit's h_t; its c_t where a projection mixes h. A share is a sum of sizes of derivatives by the sum of
    all of them: what changes of equal size would do. The arrays are [units].
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


def derivatives_at(lstm: LSTM, way: Trajectory, t: int, held: int) -> Derivatives:
    """The derivatives of one timestep; `held` bytes are taken already.

    Raises:
        RefusedError: they would need more memory than the budget.
    """
    lstm.check_memory(held + jacobian_bytes(way.weights, 1), "the derivatives of a timestep")
    found = step_jacobian(way.weights, way.slopes.at(slice(t - 1, t)))
    return Derivatives(Jacobian(*(matrix[0] for matrix in found)), _shares(_parts(way.weights, found)[0]), None)


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
    one = jacobian_bytes(weights, 1)
    lstm.check_memory(held + 2 * one, "the derivatives of a timestep")
    size = min(CHUNK_BYTES, lstm.max_memory - held - one) // one
    totals, steps = None, 0
    for way in _courses(lstm, layer, direction, watched):
        steps += len(way.order)
        for sums in _chunks(way, max(1, size)):
            totals = sums if totals is None else [total + each for total, each in zip(totals, sums, strict=True)]
    assert totals is not None
    *matrices, parts = (total / steps for total in totals)
    return Derivatives(Jacobian(*matrices), _shares(parts), steps)


def _courses(lstm: LSTM, layer: int, direction: Direction, watched: Watched) -> Iterator[Trajectory]:
    """Every sample's, block by block."""
    for block in watched(lstm.blocks()):
        for place in range(len(block.samples)):
            yield trajectory_of(lstm.weights, block.record, layer, direction, place)
        del block  # its record is let go before the next block is run


def _chunks(way: Trajectory, size: int) -> Iterator[list[Array]]:
    """The sums of the sizes over some timesteps at a time: of each matrix, and of the parts that shares are made of."""
    for first in range(0, len(way.order), size):
        found = step_jacobian(way.weights, way.slopes.at(slice(first, first + size)))
        yield [*(np.abs(matrices).sum(axis=0) for matrices in found), _parts(way.weights, found).sum(axis=0)]


def _parts(weights: LayerWeights, found: Jacobian) -> Array:
    """The sizes of what moves each unit's next value: itself, others, input; [steps, 3, units]"""
    by_emitted, by_cell, by_input = found.hidden_by_hidden, found.hidden_by_cell, found.hidden_by_input
    if weights.projection is not None:
        by_emitted = found.cell_by_hidden @ weights.projection.T.astype(np.float64)
        by_cell, by_input = found.cell_by_cell, found.cell_by_input
    sizes = np.abs(by_emitted)
    own = np.diagonal(sizes, axis1=1, axis2=2)
    itself = own + np.abs(np.diagonal(by_cell, axis1=1, axis2=2))
    return np.stack([itself, sizes.sum(axis=2) - own, np.abs(by_input).sum(axis=2)], axis=1)


def _shares(parts: Array) -> Shares:
    whole = parts.sum(axis=0)
    return Shares(*np.divide(parts, whole, out=np.zeros_like(parts), where=whole != 0))
