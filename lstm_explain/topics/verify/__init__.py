"""verify: does an LSTM turn these inputs into these outputs? And if not, under which other reading of its weights it would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from lstm_explain.core.axes import describe_array
from lstm_explain.core.cost import run_bytes
from lstm_explain.core.engine import forward
from lstm_explain.core.gates import GATES
from lstm_explain.errors import UsageError
from lstm_explain.topics.result import LSTMResult
from lstm_explain.topics.verify.weight_interpretations import (
    SAMPLES_FIRST,
    Interpretation,
    InterpretationResult,
    gate_order_in_file,
    list_interpretations,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weight_variants import Biases
    from lstm_explain.core.weights import Weights

TOLERANCE = 1e-5
"""The default of the largest difference that counts as agreement."""
MAX_SAMPLES = 16
"""Other readings are tried on no more samples than this."""

MAX_SWAPPED_SAMPLES = 1000
"""With more samples than this they are not tried as timesteps: that would take long."""
SEQUENCE, LAST = "output", "last hidden"


class NonfiniteOutputs(NamedTuple):
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
class Verify(LSTMResult):
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
    alternatives: tuple[InterpretationResult, ...]
    """Other readings that agree, the simplest first; empty where the file agrees as it is."""
    tried: int
    """How many other readings were tried."""
    closest: InterpretationResult | None
    """The closest, where none agrees; the file's own reading is one of them."""
    in_reading_order: bool
    """Whether the timesteps of the outputs are in reading order, for a layer that reads from the end."""
    samples_tried: int
    """On how many samples, the first ones, another reading was tried where it reads samples first; else on all."""
    no_numbers: NonfiniteOutputs | None
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
            "alternatives": [result.to_dict() for result in self.alternatives],
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
        UsageError: the outputs have a shape that this LSTM never outputs for these inputs, the tolerance is not a
            valid number, or some sequences are padded.
        RefusedError: the run would need more memory than the budget.
    """
    if not 0 <= tolerance < np.inf:
        raise UsageError(f"--tolerance {tolerance}", "a tolerance is a number from 0", "Give one such as 1e-5")
    if lstm.lengths is not None:
        raise UsageError("lengths", "verify compares whole sequences, none of them padded", "Leave the lengths out")
    spec = lstm.spec
    output, wanted = _arrange_expected(spec, expected)
    lstm.check_memory(2 * lstm.run_bytes(spec.samples), f"comparing {spec.samples} samples")
    made = _select_output(lstm.run(), output)
    aligned, in_order = _align_time_order(lstm, made, wanted, tolerance)
    differences = _abs_differences(made, aligned)
    index = int(np.argmax(differences))
    largest = float(differences.flat[index])
    results = [] if largest <= tolerance else _try_interpretations(lstm, wanted, output, single_biases)
    agreeing = tuple(result for result in results if result.difference <= tolerance)
    as_read = InterpretationResult(
        Interpretation.of(lstm), gate_order_in_file(lstm.provenance, GATES), float(differences[:MAX_SAMPLES].max())
    )
    return Verify(
        spec=spec,
        source=lstm.provenance,
        output=output,
        expected=describe_array(expected),
        tolerance=tolerance,
        difference=largest,
        where=_index_by_axis(index, wanted.shape),
        compared=wanted.size,
        alternatives=agreeing,
        tried=len(results),
        closest=None if agreeing or not results else min([as_read, *results], key=lambda result: result.difference),
        in_reading_order=in_order,
        samples_tried=min(MAX_SAMPLES, spec.samples),
        no_numbers=_find_nonfinite(made, aligned, differences),
    )


def _arrange_expected(spec: Spec, expected: Array) -> tuple[str, Array]:
    """Which output was given, and the array with samples first."""
    sequence, last = (spec.samples, spec.timesteps, spec.output), (spec.samples, spec.output)
    if expected.shape == sequence or (spec.samples == 1 and expected.shape == sequence[1:]):
        return SEQUENCE, expected.reshape(sequence)
    if expected.shape == (spec.timesteps, spec.samples, spec.output):
        return SEQUENCE, expected.swapaxes(0, 1)
    if expected.shape in (last, (1, *last)):
        return LAST, expected.reshape(last)
    found = f"this LSTM makes outputs of {sequence}, or {last} for the last h, of these inputs"
    raise UsageError(f"outputs {describe_array(expected)}", found, "Give outputs that belong to the inputs")


def _select_output(record: Record, output: str) -> Array:
    """The outputs of a run: of the last layer, directions side by side."""
    if output == SEQUENCE:
        return record.output
    return np.concatenate([part.last_hidden for part in record.layers[-1].values()], axis=1)


def _align_time_order(lstm: LSTM, made: Array, wanted: Array, tolerance: float) -> tuple[Array, bool]:
    """The outputs with their timesteps as they are read; and whether they were given in that order.

    A layer that reads from the end has its outputs in the order of the data in ONNX, and in its own in Keras. So the order
    that agrees is taken, or the one in which most numbers are closer.
    """
    if not lstm.reverse or made.ndim < 3:
        return wanted, True

    def apart(differences: Array) -> tuple[bool, float]:
        return bool(differences.max() > tolerance), float(np.median(differences))

    turned = wanted[:, ::-1]
    if apart(_abs_differences(made, turned)) < apart(_abs_differences(made, wanted)):
        return turned, False
    return wanted, True


def _index_by_axis(index: int, sizes: tuple[int, ...]) -> dict[str, int]:
    """A flat index as one index for each axis, by name."""
    names = ("sample", "timestep", "number") if len(sizes) == 3 else ("sample", "number")
    at = dict(zip(names, map(int, np.unravel_index(index, sizes)), strict=True))
    if "timestep" in at:
        at["timestep"] += 1
    return at


def _find_nonfinite(made: Array, wanted: Array, differences: Array) -> NonfiniteOutputs | None:
    """Count what is nan or infinite in both."""
    given, computed = ~np.isfinite(wanted), ~np.isfinite(made)
    if not given.any() and not computed.any():
        return None
    numbers = ~(given | computed)
    return NonfiniteOutputs(
        given=int(given.sum()),
        first=_index_by_axis(int(np.argmax(given)), wanted.shape) if given.any() else None,
        made=int(computed.sum()),
        difference=float(differences[numbers].max()) if numbers.any() else None,
    )


def _abs_differences(made: Array, wanted: Array) -> Array:
    """The absolute differences; infinite where only one of two is a number."""
    with np.errstate(invalid="ignore"):
        sizes = np.abs(made.astype(np.float64) - wanted.astype(np.float64))
    both = np.isnan(made) & np.isnan(wanted)
    return np.where(both, 0.0, np.where(np.isnan(sizes), np.inf, sizes))


# --- other readings ---------------------------------------------------------------------------------------------------


def _try_interpretations(
    lstm: LSTM, wanted: Array, output: str, single_biases: Callable[[], tuple[Biases, ...]] | None
) -> list[InterpretationResult]:
    """Every other interpretation with its difference, those that change least first."""
    biased = any(lstm.spec.for_layer(layer).bias for layer, _ in lstm.spec.layer_groups)
    single = () if single_biases is None or not biased else single_biases()
    swaps = output == SEQUENCE and lstm.spec.samples <= MAX_SWAPPED_SAMPLES
    every = list_interpretations(lstm.spec, output == SEQUENCE, swaps, two_biases=bool(single))
    as_read = Interpretation.of(lstm)
    results = []
    for of_weights, several in groupby(every, key=lambda result: result.of_weights):  # so that they are made once
        weights = of_weights.weights(lstm.weights, single)
        for of_run, alike in groupby(several, key=lambda result: result.of_run):
            made = _run_interpretation(lstm, weights, of_run, output)
            for reading in alike:
                if reading._replace(in_reading_order=False) != as_read:  # it was compared in both orders
                    difference = float(_abs_differences(made_as := reading.outputs(made), wanted[: len(made_as)]).max())
                    results.append(
                        InterpretationResult(reading, gate_order_in_file(lstm.provenance, reading.gates), difference)
                    )
    return sorted(results, key=lambda result: result.reading.changes(as_read))


def _run_interpretation(lstm: LSTM, weights: Weights, reading: Interpretation, output: str) -> Array:
    """The outputs of a run under an interpretation, before they are laid out."""
    count = min(MAX_SAMPLES, lstm.spec.samples) if reading.layout == SAMPLES_FIRST else lstm.spec.samples
    inputs = reading.inputs(lstm.inputs.block(0, count))
    sizes = replace(lstm.spec, samples=len(inputs), timesteps=inputs.shape[1])
    lstm.check_memory(run_bytes(sizes), "trying another reading")
    initial = lstm.initial_states(len(inputs))
    return _select_output(forward(sizes, weights, inputs, initial), output)
