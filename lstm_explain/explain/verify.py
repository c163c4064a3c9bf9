"""verify: does an LSTM turn these inputs into these outputs? And if not, under which other reading of its weights it would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from lstm_explain.core.axes import compact
from lstm_explain.core.cost import run_bytes
from lstm_explain.core.forward import forward
from lstm_explain.errors import UsageError
from lstm_explain.explain.reading import SAMPLES_FIRST, Reading, Tried, order_in_file, readings
from lstm_explain.explain.result import Explanation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.rearranged import Biases
    from lstm_explain.core.record import Record
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import Weights

TOLERANCE = 1e-5
"""The largest difference that counts as agreement, unless it is said."""
SAMPLES_TRIED = 16
"""Other readings are tried on no more samples than this."""

MOST_SWAPPED = 1000
"""With more samples than this they are not tried as timesteps: that would take long."""
SEQUENCE, LAST = "output", "last hidden"


class NoNumbers(NamedTuple):
    """What is nan or infinite among the outputs."""

    given: int
    """How many of those that were given."""
    first: dict[str, int] | None
    """Where the first of these stands, by the name of the axis."""
    made: int
    """How many of those that the LSTM makes."""
    difference: float | None
    """The largest difference where both are numbers; None where they nowhere are."""


@dataclass(frozen=True, eq=False, repr=False)
class Verify(Explanation):
    """The comparison, and where it fails what would agree."""

    topic: ClassVar[str] = "verify"

    spec: Spec
    source: dict[str, Any]
    output: str
    """What was compared: `output`, h of every timestep, or `last hidden`."""
    expected: str
    """The array that was given, in one word: its type and axes."""
    tolerance: float
    difference: float
    """The largest difference between the LSTM's outputs and those expected."""
    where: dict[str, int]
    """Where it stands, by the name of the axis."""
    compared: int
    """How many numbers."""
    alternatives: tuple[Tried, ...]
    """Other readings that agree, the simplest first; empty where the file agrees as it is."""
    tried: int
    """How many other readings were tried."""
    closest: Tried | None
    """The closest, where none agrees; the file's own reading is one of them."""
    in_reading_order: bool
    """Whether the timesteps of the outputs stand in the order in which a layer reads that reads from the end."""
    samples_tried: int
    """On how many samples, the first ones, another reading was tried where it reads samples first; else on all."""
    no_numbers: NoNumbers | None
    """What is nan or infinite; None where all are numbers."""

    @property
    def agrees(self) -> bool:
        return self.difference <= self.tolerance

    def facts(self) -> dict[str, Any]:
        return {
            "agrees": self.agrees,
            "output": self.output,
            "expected": self.expected,
            "tolerance": self.tolerance,
            "difference": self.difference,
            "where": self.where,
            "compared": self.compared,
            "no_numbers": None if self.no_numbers is None else self.no_numbers._asdict(),
            "in_reading_order": self.in_reading_order,
            "tried": self.tried,
            "samples_tried": self.samples_tried,
            "alternatives": [one.to_dict() for one in self.alternatives],
            "closest": None if self.closest is None else self.closest.to_dict(),
        }


def explain_verify(
    lstm: LSTM,
    expected: Array,
    tolerance: float = TOLERANCE,
    single_biases: Callable[[], tuple[Biases, ...]] | None = None,
) -> Verify:
    """Compare an LSTM's outputs with those that another program made of the same inputs.

    Args:
        lstm: the LSTM over the inputs.
        expected: h of every timestep, [samples, timesteps, output] or [timesteps, samples, output]; or the last h,
            [samples, output].
        tolerance: the largest difference that counts as agreement.
        single_biases: where the file has two biases for each neuron, a way to get them one by one, or nothing; asked for
            only where the outputs do not agree.

    Raises:
        UsageError: the outputs have a shape that this LSTM never makes of these inputs, or the tolerance is no size; or some
            sequences are padded.
        RefusedError: the run would need more memory than the budget.
    """
    if not 0 <= tolerance < np.inf:
        raise UsageError(f"--tolerance {tolerance}", "a tolerance is a number from 0", "Give one such as 1e-5")
    if lstm.lengths is not None:
        raise UsageError("lengths", "verify compares whole sequences, none of them padded", "Leave the lengths out")
    spec = lstm.spec
    output, wanted = _arranged(spec, expected)
    lstm.afford(2 * lstm.run_bytes(spec.samples), f"comparing {spec.samples} samples")
    made = _made(lstm.run(), output)
    differences, in_order = _compared(lstm, made, wanted, tolerance)
    if not in_order:
        made = made[:, ::-1]
        differences = differences[:, ::-1]
    place = int(np.argmax(differences))
    raise NotImplementedError
def _arranged(spec: Spec, expected: Array) -> tuple[str, Array]:
    """What was given, samples first."""
    sequence, last = (spec.samples, spec.timesteps, spec.output), (spec.samples, spec.output)
    if expected.shape == sequence or (spec.samples == 1 and expected.shape == sequence[1:]):
        return SEQUENCE, expected.reshape(sequence)
    if expected.shape == (spec.timesteps, spec.samples, spec.output):
        return SEQUENCE, expected.swapaxes(0, 1)
    if expected.shape in (last, (1, *last)):
        return LAST, expected.reshape(last)
    found = f"this LSTM makes outputs of {sequence}, or {last} for the last h, of these inputs"
    raise UsageError(f"outputs {compact(expected)}", found, "Give outputs that belong to the inputs")


def _made(record: Record, output: str) -> Array:
    """The outputs of a run: of the last layer, directions side by side."""
    if output == SEQUENCE:
        return record.output
    return np.concatenate([part.last_hidden for part in record.layers[-1].values()], axis=1)


def _compared(lstm: LSTM, made: Array, wanted: Array, tolerance: float) -> tuple[Array, bool]:
    """How far numbers are apart, at each timestep as it is read; and whether the outputs stand in that order.

    A layer that reads from the end has its outputs in the order of the data in ONNX, and in its own in Keras. So the order
    that agrees is taken, or the one in which most numbers are closer.
    """

    def apart(differences: Array) -> tuple[bool, float]:
        return bool(differences.max() > tolerance), float(np.median(differences))

    as_read = _differences(made, wanted)
    if not lstm.from_the_end or made.ndim < 3:
        return as_read, True
    as_data = _differences(made, wanted[:, ::-1])
    return (as_data, False) if apart(as_data) < apart(as_read) else (as_read, True)


def _differences(made: Array, wanted: Array) -> Array:
    """How far numbers are apart; infinite where only one of two is a number."""
    with np.errstate(invalid="ignore"):
        sizes = np.abs(made.astype(np.float64) - wanted.astype(np.float64))
    both = np.isnan(made) & np.isnan(wanted)
    return np.where(both, 0.0, np.where(np.isnan(sizes), np.inf, sizes))


# --- other readings ---------------------------------------------------------------------------------------------------


def _others(lstm: LSTM, wanted: Array, output: str) -> Iterator[Tried]:
    """Every other reading with its difference; those of the same weights one after another, so that they are made once."""
    by_weights: dict[Reading, list[Reading]] = {}
    for reading in _readings(lstm, output):
        by_weights.setdefault(_of_weights(reading), []).append(reading)
    for of_weights, readings in by_weights.items():
        weights = _read(lstm.weights, of_weights)
        for reading in readings:
            yield Tried(reading, _in_file(lstm, reading), _tried(lstm, weights, reading, wanted, output))


def _tried(lstm: LSTM, weights: Weights, reading: Reading, wanted: Array, output: str) -> float:
    """The largest difference of a reading."""
    count = min(SAMPLES_TRIED, lstm.spec.samples) if reading.layout == SAMPLES_FIRST else lstm.spec.samples
    inputs = lstm.inputs.block(0, count)
    if reading.layout != SAMPLES_FIRST:
        inputs = inputs.swapaxes(0, 1)
    if reading.reversed:
        inputs = inputs[:, ::-1]
    sizes = replace(lstm.spec, samples=len(inputs), timesteps=inputs.shape[1])
    lstm.afford(run_bytes(sizes), "trying another reading")
    initial = None if lstm.loaded is None or lstm.loaded.initial is None else lstm.loaded.initial.repeated(len(inputs))
    made = _back(_made(forward(sizes, weights, inputs, initial), output), reading)
    orders = [wanted[:count], wanted[:count, ::-1]] if lstm.from_the_end and output == SEQUENCE else [wanted[:count]]
    return min(float(_differences(made, one).max()) for one in orders)


def _in_file(lstm: LSTM, reading: Reading) -> tuple[Gate, ...]:
    """The order of the gates in the file, where each was taken for another one."""
    convention = CONVENTIONS.get(lstm.origin["weights"].get("framework", ""))
    as_read = GATES if convention is None else convention.gate_order
    return tuple(reading.gates[GATES.index(gate)] for gate in as_read)


def _readings(lstm: LSTM, output: str) -> Iterator[Reading]:
    """All that make outputs of the shape that is expected."""
    spec = lstm.spec
    swaps = output == SEQUENCE and spec.samples <= MOST_SWAPPED
    layouts = LAYOUTS if swaps else LAYOUTS[:1]
    ways = (False,) if spec.bidirectional else (False, True)
    for order, bias, layout, backwards in product(permutations(GATES), BIASES, layouts, ways):
        reading = Reading(order, bias, layout, backwards)
        if reading != Reading.of(lstm) and (spec.bias or BIASES[bias] is not None):
            yield reading


def _changes(lstm: LSTM, reading: Reading) -> int:
    """In how many respects a reading differs from the file as it was read."""
    return sum(one != other for one, other in zip(reading, Reading.of(lstm), strict=True))


def _of_weights(reading: Reading) -> Reading:
    """What of a reading is about the weights."""
    return Reading(reading.gates, reading.bias)


def _read(weights: Weights, reading: Reading) -> Weights:
    weights = gates_reordered(weights, reading.gates)
    more = BIASES[reading.bias]
    if more is None:
        return without_bias(weights)
    return weights if more == 0 else forget_bias_added(weights, more)


def _back(made: Array, reading: Reading) -> Array:
    """Outputs as they were given: samples first, timesteps in the order of the inputs."""
    if made.ndim == 3 and reading.reversed:
        made = made[:, ::-1]
    return made if reading.layout == SAMPLES_FIRST else made.swapaxes(0, 1)
