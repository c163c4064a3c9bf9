"""The timesteps of written-out LSTMs: cells that hand their states on to each other, with the same weights."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.gates import GATES, Gate
from lstm_explain.readers.identify.onnx.cell_pattern import STANDARD, Cell, Known, Matrix, cut, piece, sums_of
from lstm_explain.readers.identify.onnx.dataflow import Source, state

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.onnx.constants import Constants

MORE = "its gates read more than x @ K + h @ R + b with constant weights, as with peepholes or a normalisation"
PACKED = "its gates are not the four quarters of one sum"

HANDED_ON = "its states are not handed on as its cell makes them, as where timesteps are masked"
PROJECTED = "its hidden state is not of as many numbers as it has units, as with a projection"


class NotReadError(Exception):
    """A cell that is recognised and not read; what was found, and what to do."""


class Step(NamedTuple):
    """One timestep of an LSTM."""

    cell: Cell
    matrices: tuple[Matrix, ...]
    added: tuple[tuple[Source, Array], ...]
    order: tuple[Gate, ...]
    """How the gates are packed."""
    recurs: Matrix | None = None
    """What h is multiplied with; None where that cannot be told of this timestep alone."""

    @property
    def units(self) -> int:
        return int(self.matrices[0].array.shape[1]) // len(GATES)

    @property
    def reads(self) -> Matrix | None:
        """What x is multiplied with."""
        rest = [one for one in self.matrices if one is not self.recurs]
        return rest[0] if self.recurs is not None and len(rest) == 1 else None

    @property
    def bias(self) -> Array | None:
        """All that is added, [4*units]."""
        with np.errstate(all="ignore"):
            return np.sum([array for _, array in self.added], axis=0) if self.added else None


def step_of(cell: Cell, known: Known) -> Step:
    """A cell with its weights.

    Raises:
        NotReadError: it is another cell than the one we explain.
    """
    if cell.activations != STANDARD:
        found = f"its activations are {', '.join(cell.activations)}; only Sigmoid, Tanh, Tanh are explained"
        raise NotReadError(found)
    sums = [cut(one) for one in cell.pieces.values()]
    if sums[0] is None or any(one is None or one.key != sums[0].key for one in sums):
        raise NotReadError(PACKED)
    found_sums = sums_of(sums[0], known)
    if found_sums is None or not found_sums.matrices:
        raise NotReadError(MORE)
    matrices, added = tuple(found_sums.matrices), tuple(found_sums.added)
    columns = {one.array.shape[1] for one in matrices} | {len(array) for _, array in added}
    if len(columns) != 1 or min(columns) % len(GATES):
        raise NotReadError(PACKED)
    if len(matrices) > 1 and all(len(one.array) != min(columns) // len(GATES) for one in matrices):
        raise NotReadError(PROJECTED)
    return Step(cell, matrices, added, _order(cell, min(columns), known.constants))


def _order(cell: Cell, columns: int, constants: Constants) -> tuple[Gate, ...]:
    """The gates in the order in which they stand in the sums."""
    found = {gate: piece(one, columns, constants) for gate, one in cell.pieces.items()}
    places = {one.first: gate for gate, one in found.items() if one is not None and one.last - one.first == columns // 4}
    if sorted(places) != [number * columns // 4 for number in range(len(GATES))]:
        raise NotReadError(PACKED)
    return tuple(places[first] for first in sorted(places))


# --- from timestep to timestep ----------------------------------------------------------------------------------------


def in_body(one: Step) -> bool:
    """Whether a step is the body of a Loop or Scan, and its states are the body's."""
    return state(one.cell.old_cell) is not None


def turning(one: Step) -> Step:
    """The step in the body of a Loop or Scan, with what its h is.

    Raises:
        NotReadError: the body hands on something else than what the cell makes.
    """
    cell = state(one.cell.old_cell)
    hidden = [matrix for matrix in one.matrices if (found := state(matrix.by)) and found.handed_on.key == one.cell.hidden.key]
    if cell is None or cell.handed_on.key != one.cell.cell.key or len(hidden) != 1:
        raise NotReadError(HANDED_ON)
    return one._replace(recurs=hidden[0])


def chains(steps: list[Step], known: Known) -> list[list[Step]]:
    """Timesteps that follow each other, with the same weights."""
    by_cell = {one.cell.cell.key: one for one in steps}
    after: dict[tuple[int, str], list[Step]] = {}
    roots: deque[Step] = deque()
    for one in steps:
        before = by_cell.get(one.cell.old_cell.key)
        hidden = [] if before is None else [each for each in one.matrices if each.by.key == before.cell.hidden.key]
        if before is None or len(hidden) != 1:
            roots.append(one)
        else:
            after.setdefault(before.cell.cell.key, []).append(one._replace(recurs=hidden[0]))
    found = []
    while roots:
        chain = [roots.popleft()]
        while following := after.pop(chain[-1].cell.cell.key, None):
            fitting = next((one for one in following if _follows(chain, one, known)), None)
            roots.extend(one for one in following if one is not fitting)
            if fitting is None:
                break
            chain[0] = _first(chain[0], fitting, known) if len(chain) == 1 else chain[0]
            chain.append(fitting)
        found.append(chain)
    return found


def _follows(chain: list[Step], one: Step, known: Known) -> bool:
    last = chain[-1] if len(chain) > 1 else _first(chain[0], one, known)
    if last.order != one.order or not _same_vectors(last, one) or one.reads is None or one.recurs is None:
        return False
    reads = [each for each in last.matrices if each is not last.recurs]
    recurs = last.recurs is None or known.same(last.recurs, one.recurs)
    return recurs and len(reads) == 1 and known.same(reads[0], one.reads)


def _first(root: Step, second: Step, known: Known) -> Step:
    """The first timestep, with what its h is told from the second; without where its product was computed by the exporter."""
    if root.recurs is not None or second.recurs is None or len(root.matrices) < 2:
        return root
    hidden = [one for one in root.matrices if known.same(one, second.recurs)]
    return root._replace(recurs=hidden[0]) if len(hidden) == 1 else root


def _same_vectors(one: Step, other: Step) -> bool:
    if [source.key for source, _ in one.added] == [source.key for source, _ in other.added]:
        return True
    zeros = np.zeros(len(GATES) * one.units)
    first, second = (zeros if step.bias is None else step.bias for step in (one, other))
    return np.array_equal(first, second)
