"""influence: are the units independent? Four statements, the derivatives between units, and how far a change reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lstm_explain.core.bptt import trajectory_of
from lstm_explain.core.cost import run_bytes, weight_bytes, weight_creation_bytes
from lstm_explain.core.gates import Direction
from lstm_explain.core.weights import weight_shapes
from lstm_explain.errors import UsageError, argument
from lstm_explain.topics.influence.attribution import Derivatives, ThroughTime, derivatives_at, mean_derivatives, trace_back
from lstm_explain.topics.perturbation import DEFAULT_CHANGE, Ripple, Statements, measure_statements, propagate_change
from lstm_explain.topics.result import SampleResult, json_keys
from lstm_explain.topics.selection import check_layer, check_run_step, check_unedited, check_unit

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.influence.attribution import Watched
    from lstm_explain.topics.result import Positive


@json_keys(
    "sample layer direction length step statements averaged=derivatives.averaged matrices=derivatives.by_name",
    "shares=derivatives.shares through_time ripple",
)
@dataclass(frozen=True, eq=False, repr=False)
class Influence(SampleResult):
    """What the units of one layer and direction do to each other."""

    topic: ClassVar[str] = "influence"

    step: Positive
    """The timestep of the statements, and of the matrices unless they are averaged."""
    statements: Statements
    """Four statements about what units share, each measured."""
    derivatives: Derivatives
    """The derivatives between units, in float64."""
    through_time: ThroughTime | None
    """How far back the last state reaches; null without `--through-time`."""
    ripple: Ripple | None
    """What became of one change; null without `--poke`."""


def explain_influence(
    lstm: LSTM,
    unit: int = 0,
    sample: int = 0,
    step: int | None = None,
    layer: int = 0,
    direction: str = "forward",
    *,
    mean: bool = False,
    through_time: bool = False,
    poke: int | None = None,
    at: int | None = None,
    by: float = DEFAULT_CHANGE,
    watched: Watched = iter,
) -> Influence:
    """Measure what units share.

    Args:
        lstm: the LSTM and its batch.
        unit: which unit the statements change; counts from 0.
        sample: which sample; counts from 0.
        step: which timestep; counts from 1; the last that the direction reads if left out.
        layer: which layer; counts from 0.
        direction: `forward` or `backward`.
        mean: average the absolute derivatives over all timesteps of all samples.
        through_time: follow the last state back to every state and input.
        poke: a unit whose output is poked, to follow the change to the end.
        at: the timestep of that poke; the first that the direction reads if left out.
        by: by how much the numbers are changed.
        watched: what to pass the blocks of samples through while they are averaged, such as a progress bar.

    Raises:
        UsageError: a unit, sample, timestep, layer or direction does not exist; the timestep is padding; `by` moves nothing.
        RefusedError: the run or the derivatives would need more memory than the budget.
    """
    spec = check_unedited(lstm, "influence").spec
    layer, layer_direction = check_layer(spec, layer, direction)
    layer_spec = spec.for_layer(layer)
    unit, sample, by = check_unit(layer_spec, unit), lstm.validate_sample(sample), _check_change(spec, by)
    length = spec.timesteps if lstm.lengths is None else lstm.lengths[sample]
    first, last = (1, length) if layer_direction is Direction.FORWARD else (length, 1)
    step = last if step is None else check_run_step(spec, "step", step, sample, length)
    poked = _check_poke(layer_spec, poke, first if poke is not None and at is None else at, sample, length)
    with np.errstate(all="ignore"):  # infinite and nan inputs make infinite and nan derivatives, which are shown as such
        held = _held_bytes(lstm, layer)
        averaged = mean_derivatives(lstm, layer, layer_direction, held, watched) if mean else None
        record, position = lstm.run_sample(sample)
        weights = lstm.weights.of(layer, layer_direction)
        sample_record = record.of(layer, layer_direction).of_sample(position, length)
        trajectory = trajectory_of(lstm.weights, record, layer, layer_direction, position)
        return Influence(
            spec=spec,
            source=lstm.provenance,
            sample=sample,
            layer=layer,
            direction=layer_direction,
            length=length,
            step=step,
            statements=measure_statements(weights, sample_record, step, unit, by),
            derivatives=averaged or derivatives_at(lstm, trajectory, step, held),
            through_time=trace_back(lstm, record, layer, layer_direction, position, held) if through_time else None,
            ripple=None if poked is None else propagate_change(weights, sample_record, *poked, by),
        )


def _check_poke(spec: Spec, poke: int | None, at: int | None, sample: int, length: int) -> tuple[int, int] | None:
    """The unit that is poked and the timestep; None without a poke."""
    if poke is not None and at is not None:
        return check_unit(spec, poke, "poke"), check_run_step(spec, "at", at, sample, length)
    if at is not None:
        problem = "this is the timestep of a poke, and no unit is chosen"
        raise UsageError(argument("at", at), problem, f"Add {argument('poke')} UNIT")
    return None


def _check_change(spec: Spec, by: float) -> float:
    try:
        size = math.nan if isinstance(by, str) else float(by)
    except (TypeError, ValueError, OverflowError):
        size = math.nan
    with np.errstate(all="ignore"):
        rounded = float(np.dtype(spec.dtype).type(size))
    if not math.isfinite(rounded) or rounded == 0:
        problem = f"must be a number other than 0 that {spec.dtype} can hold"
        raise UsageError(argument("by", by), problem, "Give one such as 0.1")
    return size


def _held_bytes(lstm: LSTM, layer: int) -> int:
    """An upper bound on the memory besides the derivatives: a block's run, and arrays made from a sample's timesteps.

    Raises:
        RefusedError: it is more than the budget.
    """
    spec, (start, stop) = lstm.spec, lstm.block_of(0)
    run, layer_spec = replace(spec, samples=stop - start), spec.for_layer(layer)
    numbers = layer_spec.features + 2 * layer_spec.hidden + 32 * layer_spec.units  # a step's input, states, gates and slopes
    weights = sum(axes.elements for axes in weight_shapes(spec, layer).values())  # a layer's are changed, and packed
    copies = spec.timesteps * (numbers * 8 + 1024) + 4 * weights * spec.item_bytes
    held = run_bytes(run) - weight_creation_bytes(run) + weight_bytes(run) + copies
    lstm.check_memory(held, "a run with the arrays made from its timesteps")
    return held
