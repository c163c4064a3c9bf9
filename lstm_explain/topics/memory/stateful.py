"""The samples as consecutive pieces of one long sequence, as a stateful layer reads them: what crosses every border."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.cost import run_bytes
from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.gates import Direction
from lstm_explain.errors import UsageError, argument
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.result import json_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Annotated

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Block, Record
    from lstm_explain.topics.result import Finite, Minimum, Positive

FADED = 0.01
"""A difference below this size counts as gone."""
NUMBER_BYTES, BORDER_BYTES = 64, 1000
"""Upper bounds on what a number of a border takes, and a border in addition, as Python objects on their way to JSON."""


class Border(NamedTuple):
    """Where one sample ends and the next begins."""

    sample: Positive
    """The sample after the border."""
    h: list[float]
    """h that it starts from: of the chosen units, or all of it with a projection."""
    c: list[float]
    """c that it starts from, of the chosen units."""
    first: float
    """The difference at the sample's first timestep."""
    last: float
    """The difference at its last timestep."""
    faded: Positive | None
    """The timestep from which on the difference stays below `faded_below`; null if the sample ends before."""


class CarriedStep(NamedTuple):
    """A timestep after a border, over all samples that start from a carried state."""

    t: Positive
    mean: float
    """The mean difference; null if no sample is so long."""
    largest: float
    """The largest difference."""


@json_keys("pieces faded_below unfaded largest_hidden borders steps")
class StatefulComparison(NamedTuple):
    """The samples run twice: with the states carried over every border, and reset to zero at every border. A difference is
    the largest over all numbers of h at a timestep, between the two runs."""

    hidden: Array
    """h carried over each border: of the chosen units, or all of it with a projection; [borders, units or hidden]"""
    cell: Array
    """c carried over each border, of the chosen units; [borders, units]"""
    first: Array
    """The difference at the first timestep after each border; [borders]"""
    last: Array
    """The difference at the last timestep before the next border; [borders]"""
    faded: Array
    """The timestep from which on the difference stays below `FADED`; nan where the piece ends before; [borders]"""
    mean: Array
    """The mean difference over the pieces, at each timestep after a border; [timesteps]"""
    largest: Array
    """The largest difference over the pieces, likewise; [timesteps]"""
    largest_hidden: float
    """The largest |h| of the carried run: what a difference can be compared with."""

    @property
    def pieces(self) -> Annotated[int, Minimum(2)]:
        """How many samples there are."""
        return len(self.first) + 1

    @property
    def faded_below(self) -> Finite:
        """The size below which a difference counts as gone."""
        return FADED

    @property
    def unfaded(self) -> int:
        """After how many borders the difference is still there when the sample ends."""
        return int(np.isnan(self.faded).sum())

    @property
    def borders(self) -> list[Border]:
        """One for each sample but the first."""
        columns = zip(*map(plain_numbers, (self.hidden, self.cell, self.first, self.last)), self.faded.tolist(), strict=True)
        return [
            Border(sample, h, c, first, last, None if isnan(faded) else int(faded))
            for sample, (h, c, first, last, faded) in enumerate(columns, start=1)
        ]

    @property
    def steps(self) -> list[CarriedStep]:
        """One for each timestep after a border."""
        columns = zip(plain_numbers(self.mean), plain_numbers(self.largest), strict=True)
        return [CarriedStep(t, mean, largest) for t, (mean, largest) in enumerate(columns, start=1)]


def check_carry(lstm: LSTM) -> None:
    """Raise `UsageError` where no state can be carried from sample to sample."""
    spec = lstm.spec
    if lstm.reverse or spec.has_backward:
        order = "from the end" if lstm.reverse else "backwards"
        problem = f"read {order}, a piece would start from the state of the piece after it, which is still to come"
        if lstm.reverse or lstm.pretrained is not None:
            raise UsageError(argument("carry_state", True), problem, "Leave it out")
        raise UsageError(
            f"{argument('carry_state', True)} {argument('bidirectional', True)}", problem, "Leave one of them out"
        )
    if spec.samples == 1:
        problem = "with one sample there is no border to carry a state over"
        raise UsageError(argument("carry_state", True), problem, "Cut the sequence into samples of equal length first")


def run_carried(
    lstm: LSTM,
    sample: int,
    layer: int,
    units: Sequence[int],
    watched: Callable[[Iterable[Block]], Iterable[Block]] = iter,
) -> tuple[StatefulComparison, Record]:
    """Run all samples as one long sequence, and each of them from zero as well.

    The carried run goes block by block, each block one long sequence; of it, only what a border needs is kept.

    Args:
        lstm: the LSTM and its batch.
        sample: the sample whose record is returned, as it was run from the carried state.
        layer: the layer of the states.
        units: which units.
        watched: what to pass the blocks of samples through, such as a progress bar.

    Raises:
        UsageError: no state can be carried; see `check_carry`.
        RefusedError: the states at all borders, or a block's runs, would need more memory than the budget.
    """
    check_carry(lstm)
    borders = _Borders(lstm, layer, np.array(units))
    state: StackState | None = None
    sample_state: StackState | None = None
    for block in watched(lstm.blocks()):
        lengths = np.array([block.length(number) for number in block.samples])
        record = _run_as_one_sequence(lstm, block.samples, lengths, state)
        if sample in block.samples:
            position = sample - block.start
            sample_state = state if position == 0 else _state_after(record, int(_last_steps(lengths)[position - 1]))
        borders.add(block, lengths, record)
        state = _state_after(record, -1)
    return borders.comparison(), _run_alone(lstm, sample, sample_state)


def _last_steps(lengths: Array) -> Array:
    """The index of each sample's last timestep in the long sequence."""
    steps: Array = np.cumsum(lengths) - 1
    return steps


def _run_as_one_sequence(lstm: LSTM, samples: range, lengths: Array, state: StackState | None) -> Record:
    """Run a block's samples as one sequence, without their padding."""
    spec = lstm.spec
    sizes = replace(spec, samples=1, timesteps=int(lengths.sum()))
    hidden = max(spec.for_layer(layer).hidden for layer, _ in spec.layer_groups)
    copies = len(samples) * spec.timesteps * (spec.features + 4 * hidden) * spec.item_bytes
    needed = lstm.run_bytes(len(samples)) + run_bytes(sizes) + copies
    lstm.check_memory(needed, f"running {len(samples)} samples one by one and as one sequence")
    run = np.arange(spec.timesteps) < lengths[:, None]
    inputs = lstm.inputs_for(samples.start, samples.stop)[run][None]
    return forward(sizes, lstm.weights, inputs, state)


def _run_alone(lstm: LSTM, sample: int, state: StackState | None) -> Record:
    spec = replace(lstm.spec, samples=1)
    lstm.check_memory(lstm.run_bytes(1), "running 1 sample at a time")
    lengths = None if lstm.lengths is None else np.array(lstm.lengths[sample : sample + 1])
    return forward(spec, lstm.weights, lstm.inputs_for(sample, sample + 1), state, lengths)


def _state_after(record: Record, step: int) -> StackState:
    """The states of every layer after one timestep of a long sequence, from 0."""
    layers = [layer_record for directions in record.layers for layer_record in directions.values()]
    return StackState(tuple(layer.hidden[:, step] for layer in layers), tuple(layer.cell[:, step] for layer in layers))


class _Borders:
    """What is kept of the runs, block after block."""

    def __init__(self, lstm: LSTM, layer: int, units: Array) -> None:
        spec, borders = lstm.spec, lstm.spec.samples - 1
        self.layer, self.units = layer, units
        layer_spec = spec.for_layer(layer)
        self.numbers = units if layer_spec.projection is None else np.arange(layer_spec.hidden)
        border_bytes = NUMBER_BYTES * (len(self.numbers) + len(units)) + BORDER_BYTES
        lstm.check_memory(borders * border_bytes, f"keeping the states at {borders} borders")
        self.hidden = np.empty((borders, len(self.numbers)), spec.dtype)
        self.cell = np.empty((borders, len(units)), spec.dtype)
        self.first, self.last, self.faded = (np.empty(borders) for _ in range(3))
        self.sums, self.counts, self.largest = (np.zeros(spec.timesteps) for _ in range(3))
        self.largest_hidden = 0.0

    @np.errstate(all="ignore")  # infinite inputs make infinities and nan, which are shown as such
    def add(self, block: Block, lengths: Array, record: Record) -> None:
        """Add a block of samples that started from zero, and the run of the same samples as one sequence."""
        layer, ends = record.of(self.layer, Direction.FORWARD), _last_steps(lengths)
        reset = np.array(block.record.of(self.layer, Direction.FORWARD).hidden[block.positions])
        run = np.arange(reset.shape[1]) < lengths[:, None]
        carried = np.zeros_like(reset)
        carried[run] = layer.hidden[0]
        reset[~run] = 0
        difference = np.abs(carried - reset).max(axis=2).astype(np.float64)
        self.largest_hidden = float(np.maximum(self.largest_hidden, np.abs(layer.hidden).max()))
        self._add_states(block.start, layer.hidden[0, ends][:, self.numbers], layer.cell[0, ends][:, self.units])
        skipped = int(block.start == 0)  # no border lies before sample 0
        self._add_differences(block.start - 1 + skipped, difference[skipped:], run[skipped:], lengths[skipped:])

    def _add_states(self, start: int, hidden: Array, cell: Array) -> None:
        """The state after sample k crosses border k + 1; that after the last sample crosses none."""
        stop = min(start + len(hidden), len(self.first))
        self.hidden[start:stop] = hidden[: stop - start]
        self.cell[start:stop] = cell[: stop - start]

    def _add_differences(self, start: int, difference: Array, run: Array, lengths: Array) -> None:
        """The differences after the borders from `start` on; [samples, timesteps]."""
        rows, borders = np.arange(len(lengths)), slice(start, start + len(lengths))
        self.first[borders], self.last[borders] = difference[:, 0], difference[rows, lengths - 1]
        visible = ~(difference < FADED)  # so that nan is never gone
        since = visible.shape[1] + 1 - np.argmax(visible[:, ::-1], axis=1)
        since[~visible.any(axis=1)] = 1
        self.faded[borders] = np.where(since > lengths, np.nan, since)
        self.sums += difference.sum(axis=0)
        self.counts += run.sum(axis=0)
        self.largest = np.maximum(self.largest, difference.max(axis=0, initial=0))

    def comparison(self) -> StatefulComparison:
        with np.errstate(invalid="ignore"):  # no piece may be as long as the batch allows
            mean, largest = self.sums / self.counts, np.where(self.counts > 0, self.largest, np.nan)
        return StatefulComparison(
            self.hidden, self.cell, self.first, self.last, self.faded, mean, largest, self.largest_hidden
        )
