"""Rows: the engine's memory. Two buffers hold every tensor of a layer's run; samples are columns.

Timesteps are in the order in which they are run. What a step reads and what it makes are laid out so that nothing is
copied from one step to the next: a step writes its h straight into the rows that the next one reads, and its c where the
next one's products need it. Each tensor of the run is a strided view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array


class Buffers(NamedTuple):
    """The rows of every timestep, and of the states after the last."""

    inputs: Array
    """[h_{t-1}; x_t; 1] for each timestep, then h_T; [timesteps*(hidden + features + 1) + hidden, samples]."""
    outputs: Array
    """[c_{t-1}; g; f; i; o] for each timestep, then c_T; [timesteps*5*units + units, samples]."""
    cells: Array
    """c_0 to c_T, in `made`; [timesteps + 1, units, samples]."""
    hiddens: Array
    """h_0 to h_T, in `read`; [timesteps + 1, hidden, samples]."""

    @classmethod
    def empty(
        cls, samples: int, timesteps: int, features: int, hidden: int, units: int, dtype: np.dtype[np.generic]
    ) -> Buffers:
        """Rows to be filled: the states to start from, the inputs, and the ones."""
        read = np.empty((timesteps * (hidden + features + 1) + hidden, samples), dtype)
        made = np.empty((timesteps * 5 * units + units, samples), dtype)
        return cls(read, made, _strided_view(made, timesteps + 1, units), _strided_view(read, timesteps + 1, hidden))

    @property
    def samples(self) -> int:
        return int(self.inputs.shape[1])

    @property
    def timesteps(self) -> int:
        return len(self.cells) - 1

    @property
    def units(self) -> int:
        return int(self.cells.shape[1])

    @property
    def hidden(self) -> int:
        return int(self.hiddens.shape[1])

    @property
    def step_inputs(self) -> Array:
        """[timesteps, hidden + features + 1, samples]"""
        return self.inputs[: -self.hidden].reshape(self.timesteps, -1, self.samples)

    @property
    def step_outputs(self) -> Array:
        """[timesteps, 5, units, samples]: c before the step, then the gates in the engine's order."""
        return self.outputs[: -self.units].reshape(self.timesteps, 5, self.units, self.samples)

    def of_samples(self, part: slice) -> Buffers:
        """The same rows for a block of samples; views."""
        return Buffers(self.inputs[:, part], self.outputs[:, part], self.cells[:, :, part], self.hiddens[:, :, part])

    def timesteps_from(self, first: int) -> Buffers:
        """The rows of the timesteps from `first` on, which counts from 0; views."""
        read = self.inputs[first * (len(self.inputs) - self.hidden) // self.timesteps :]
        return Buffers(read, self.outputs[first * 5 * self.units :], self.cells[first:], self.hiddens[first:])

    def set_inputs(self, inputs: Array) -> None:
        """Write what the run reads, [samples, timesteps, features], and zero for the states that it starts from."""
        steps, features = self.step_inputs, inputs.shape[2]
        steps[:, self.hidden : self.hidden + features] = inputs.transpose(1, 2, 0)
        steps[:, self.hidden + features :] = 1  # the row that the bias multiplies, where there is one
        self.inputs[: self.hidden] = 0
        self.outputs[: self.units] = 0

    def set_initial(self, hidden: Array, cell: Array) -> None:
        """Write the states to start from: h_0, [samples, hidden], and c_0, [samples, units]."""
        self.inputs[: self.hidden] = hidden.T
        self.outputs[: self.units] = cell.T


def _strided_view(rows: Array, count: int, size: int) -> Array:
    """The first `size` rows of each of `count` equal blocks of rows, of which the last has no more rows than that."""
    block = (len(rows) - size) // (count - 1) if count > 1 else 0
    strides = (block * rows.strides[0], *rows.strides)
    return np.lib.stride_tricks.as_strided(rows, (count, size, rows.shape[1]), strides)
