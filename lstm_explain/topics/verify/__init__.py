"""verify: does an LSTM compute these outputs from these inputs, and if not, would it with its weights in another order?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, NotRequired, TypedDict

import numpy as np

from lstm_explain.core.axes import describe_array
from lstm_explain.core.cost import run_bytes
from lstm_explain.core.engine import forward
from lstm_explain.core.gates import GATES
from lstm_explain.errors import UsageError, argument
from lstm_explain.topics.result import LSTMResult, json_keys
from lstm_explain.topics.verify.weight_interpretations import (
    SAMPLES_FIRST,
    Interpretation,
    InterpretationResult,
    gate_order_in_file,
    list_interpretations,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Annotated

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weight_variants import Biases
    from lstm_explain.core.weights import Weights
    from lstm_explain.topics.result import Minimum, Positive

TOLERANCE = 1e-5
"""The default tolerance."""
MAX_SAMPLES = 16
"""Other interpretations are tried on at most as many samples."""
MAX_SWAPPED_SAMPLES = 1000
"""With more samples, samples and timesteps are not swapped: it would take long."""

ComparedOutput = Literal["output", "last hidden"]
SEQUENCE: ComparedOutput = "output"
LAST: ComparedOutput = "last hidden"


class OutputIndexJSON(TypedDict):
    """The position of a number in the outputs."""

    sample: int
    """Which sample, from 0."""
    timestep: NotRequired[Positive]
    """Which timestep, from 1; only if every timestep was compared."""
    number: int
    """Which number of the output, from 0."""


class NonfiniteOutputs(NamedTuple):
    """The outputs that are nan or infinite."""

    given: int
    """How many of the expected outputs."""
    first: OutputIndexJSON | None
    """The position of the first of these."""
    made: int
    """How many of the LSTM's outputs."""
    difference: float | None
    """The largest difference where both are finite; None if they nowhere are."""


@json_keys(
    "agrees output expected tolerance difference where compared no_numbers=nonfinite in_reading_order tried samples_tried",
    "alternatives closest",
)
@dataclass(frozen=True, eq=False, repr=False)
class Verify(LSTMResult):
    """Whether an LSTM computes the outputs that were expected, and if not, under which other interpretation it would."""

    topic: ClassVar[str] = "verify"

    spec: Spec
    source: dict[str, Any]
    output: ComparedOutput
    """What was compared: `output`, h of every timestep, or `last hidden`."""
    expected: str
    """The type and axes of the expected outputs."""
    tolerance: Annotated[float, "finite", Minimum(0)]
    """The largest difference that counts as agreement."""
    difference: float
    """The largest difference between the LSTM's outputs and those expected."""
    where: OutputIndexJSON
    """The position of the largest difference."""
    compared: Positive
    """How many numbers were compared."""
    alternatives: tuple[InterpretationResult, ...]
    """The other interpretations that agree, those that change least first; empty if the outputs agree."""
    tried: int
    """How many other interpretations were tried; 0 if the outputs agree."""
    closest: InterpretationResult | None
    """The closest interpretation, that of the file among them; None if one agrees."""
    in_reading_order: bool
    """Whether a layer that reads from the end has its outputs in the order in which it reads, as in Keras, or in that of the
    data, as in ONNX; the order that agrees better is used. True for other layers."""
    samples_tried: Positive
    """On how many samples, the first ones, interpretations with samples first were tried; the others on all samples."""
    nonfinite: NonfiniteOutputs | None
    """The outputs that are nan or infinite; None if all are finite."""

    @property
    def agrees(self) -> bool:
        """Whether the largest difference is within the tolerance."""
        return self.difference <= self.tolerance


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
        single_biases: returns the two biases of each neuron one by one, if the file has two; called only if the outputs
            do not agree.

    Raises:
        UsageError: the outputs have a shape that this LSTM never outputs for these inputs, the tolerance is not a
            valid number, or some sequences are padded.
        RefusedError: the run would need more memory than the budget.
    """
    if not 0 <= tolerance < np.inf:
        raise UsageError(argument("tolerance", tolerance), "a tolerance is a number from 0", "Give one such as 1e-5")
    if lstm.lengths is not None:
        raise UsageError("lengths", "verify compares whole sequences, none of them padded", "Leave the lengths out")
    spec = lstm.spec
    output, reference = _arrange_expected(spec, expected)
    lstm.check_memory(2 * lstm.run_bytes(spec.samples), f"comparing {spec.samples} samples")
    computed = _select_output(lstm.run(), output)
    aligned, in_order = _align_time_order(lstm, computed, reference, tolerance)
    differences = _abs_differences(computed, aligned)
    index = int(np.argmax(differences))
    largest = float(differences.flat[index])
    results = [] if largest <= tolerance else _try_interpretations(lstm, reference, output, single_biases)
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
        where=_index_by_axis(index, reference.shape),
        compared=reference.size,
        alternatives=agreeing,
        tried=len(results),
        closest=None if agreeing or not results else min([as_read, *results], key=lambda result: result.difference),
        in_reading_order=in_order,
        samples_tried=min(MAX_SAMPLES, spec.samples),
        nonfinite=_find_nonfinite(computed, aligned, differences),
    )


def _arrange_expected(spec: Spec, expected: Array) -> tuple[ComparedOutput, Array]:
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


def _select_output(record: Record, output: ComparedOutput) -> Array:
    """The outputs of a run: of the last layer, directions side by side."""
    if output == SEQUENCE:
        return record.output
    return np.concatenate([layer_record.last_hidden for layer_record in record.layers[-1].values()], axis=1)


def _align_time_order(lstm: LSTM, computed: Array, reference: Array, tolerance: float) -> tuple[Array, bool]:
    """The outputs with timesteps in reading order, and whether they were given in that order.

    A layer that reads from the end has its outputs in the order of the data in ONNX, and in reading order in Keras. Use the
    order that agrees, or the one in which most numbers are closer.
    """
    if not lstm.reverse or computed.ndim < 3:
        return reference, True

    def disagreement(outputs: Array) -> tuple[bool, float]:
        differences = _abs_differences(computed, outputs)
        return bool(differences.max() > tolerance), float(np.median(differences))

    reverse = reference[:, ::-1]
    return (reverse, False) if disagreement(reverse) < disagreement(reference) else (reference, True)


def _index_by_axis(index: int, sizes: tuple[int, ...]) -> OutputIndexJSON:
    """A flat index as one index for each axis, by name."""
    sample, *timestep, number = map(int, np.unravel_index(index, sizes))
    if timestep:
        return {"sample": sample, "timestep": timestep[0] + 1, "number": number}
    return {"sample": sample, "number": number}


def _find_nonfinite(computed: Array, reference: Array, differences: Array) -> NonfiniteOutputs | None:
    """Count the outputs that are nan or infinite."""
    in_reference, in_computed = ~np.isfinite(reference), ~np.isfinite(computed)
    if not in_reference.any() and not in_computed.any():
        return None
    finite = ~(in_reference | in_computed)
    return NonfiniteOutputs(
        given=int(in_reference.sum()),
        first=_index_by_axis(int(np.argmax(in_reference)), reference.shape) if in_reference.any() else None,
        made=int(in_computed.sum()),
        difference=float(differences[finite].max()) if finite.any() else None,
    )


def _abs_differences(computed: Array, reference: Array) -> Array:
    """The absolute differences; 0 where both are nan, infinite where one is."""
    with np.errstate(invalid="ignore"):
        differences = np.abs(computed.astype(np.float64) - reference.astype(np.float64))
    both = np.isnan(computed) & np.isnan(reference)
    return np.where(both, 0.0, np.where(np.isnan(differences), np.inf, differences))


# --- other interpretations --------------------------------------------------------------------------------------------


def _try_interpretations(
    lstm: LSTM, reference: Array, output: ComparedOutput, single_biases: Callable[[], tuple[Biases, ...]] | None
) -> list[InterpretationResult]:
    """Every other interpretation with its difference, those that change least first."""
    biased = any(lstm.spec.for_layer(layer).bias for layer, _ in lstm.spec.layer_groups)
    single = () if single_biases is None or not biased else single_biases()
    swaps = output == SEQUENCE and lstm.spec.samples <= MAX_SWAPPED_SAMPLES
    interpretations = list_interpretations(lstm.spec, output == SEQUENCE, swaps, two_biases=bool(single))
    as_read = Interpretation.of(lstm)
    results = []
    for of_weights, group in groupby(interpretations, key=lambda item: item.of_weights):  # weights are rearranged once
        weights = of_weights.weights(lstm.weights, single)
        for of_run, run_group in groupby(group, key=lambda item: item.of_run):
            computed = _run_interpretation(lstm, weights, of_run, output)
            for interpretation in run_group:
                if interpretation._replace(in_reading_order=False) == as_read:
                    continue  # it was compared in both orders
                outputs = interpretation.outputs(computed)
                difference = float(_abs_differences(outputs, reference[: len(outputs)]).max())
                gate_order = gate_order_in_file(lstm.provenance, interpretation.gates)
                results.append(InterpretationResult(interpretation, gate_order, difference))
    return sorted(results, key=lambda result: result.reading.changes(as_read))


def _run_interpretation(lstm: LSTM, weights: Weights, interpretation: Interpretation, output: ComparedOutput) -> Array:
    """The outputs of a run under an interpretation, before they are rearranged."""
    count = min(MAX_SAMPLES, lstm.spec.samples) if interpretation.layout == SAMPLES_FIRST else lstm.spec.samples
    inputs = interpretation.inputs(lstm.inputs.block(0, count))
    sizes = replace(lstm.spec, samples=len(inputs), timesteps=inputs.shape[1])
    lstm.check_memory(run_bytes(sizes), "trying another reading")
    initial = lstm.initial_states(len(inputs))
    return _select_output(forward(sizes, weights, inputs, initial), output)
