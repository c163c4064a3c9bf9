"""influence: are the units independent? Four statements, the derivatives between units, and how far a change reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lstm_explain.core.bptt import trajectory_of
from lstm_explain.core.cost import run_bytes, weight_bytes, weight_creation_bytes
from lstm_explain.core.gates import Direction
from lstm_explain.core.weights import weight_shapes
from lstm_explain.errors import UsageError, argument
from lstm_explain.topics.influence.attribution import Derivatives, derivatives_at, mean_derivatives
from lstm_explain.topics.influence.gradient_flow import ThroughTime
from lstm_explain.topics.influence.gradient_flow import through_time as through_time_of
from lstm_explain.topics.influence.perturbation import Ripple, Statements, ripple, statements
from lstm_explain.topics.result import LayerResult, json_keys
from lstm_explain.topics.selection import check_layer, check_run_step, check_unedited, check_unit

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.influence.attribution import Watched
    from lstm_explain.topics.result import Positive

BY = 0.1
"""How far a poke goes, unless it is said."""


@json_keys(
    "sample layer direction length step statements averaged=derivatives.averaged matrices=derivatives.by_name",
    "shares=derivatives.shares through_time ripple",
)
@dataclass(frozen=True, eq=False, repr=False)
class Influence(LayerResult):
    """What the units of one layer and direction do to each other."""

    topic: ClassVar[str] = "influence"

    spec: Spec
    source: dict[str, Any]
    sample: int
    layer: int
    direction: Direction
    length: Positive
    """How many timesteps of this sample were run; the rest is padding."""
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
    by: float = BY,
    watched: Watched = iter,
) -> Influence:
    """Measure what units share.

    Args:
        lstm: the LSTM and its batch.
        unit: which unit the statements poke; counts from 0.
        sample: which sample; counts from 0.
        step: which timestep; counts from 1; the last that the direction reads if left out.
        layer: which layer; counts from 0.
        direction: `forward` or `backward`.
        mean: average the sizes of the derivatives over all timesteps of all samples.
        through_time: follow the last state back to every state and input.
        poke: a unit whose output is poked, to follow the change to the end.
        at: the timestep of that poke; the first that the direction reads if left out.
        by: how far everything is poked.
        watched: what to pass the blocks of samples through while they are averaged, such as a progress bar.

    Raises:
        UsageError: there is no such unit, sample, timestep, layer or direction; the timestep is padding; `by` moves nothing.
        RefusedError: the run or the derivatives would need more memory than the budget.
    """
    spec = check_unedited(lstm, "influence").spec
    layer, way = check_layer(spec, layer, direction)
    unit, sample, by = check_unit(spec.for_layer(layer), unit), lstm.validate_sample(sample), _checked_by(spec, by)
    length = spec.timesteps if lstm.lengths is None else lstm.lengths[sample]
    step = _last(way, length) if step is None else check_run_step(spec, "step", step, sample, length)
    poked = _checked_poke(
        spec.for_layer(layer), poke, _first(way, length) if poke is not None and at is None else at, sample, length
    )
    with np.errstate(all="ignore"):  # infinite and nan inputs make infinite and nan derivatives, which are shown as such
        held = _held_bytes(lstm, layer)
        averaged = mean_derivatives(lstm, layer, way, held, watched) if mean else None
        record, place = lstm.run_sample(sample)
        weights, own = lstm.weights.of(layer, way), record.of(layer, way).of_sample(place, length)
        here = trajectory_of(lstm.weights, record, layer, way, place)
        return Influence(
            spec=spec,
            source=lstm.provenance,
            sample=sample,
            layer=layer,
            direction=way,
            length=length,
            step=step,
            statements=statements(weights, own, step, unit, by),
            derivatives=averaged or derivatives_at(lstm, here, step, held),
            through_time=through_time_of(lstm, record, layer, way, place, held) if through_time else None,
            ripple=None if poked is None else ripple(weights, own, *poked, by),
        )


def _checked_poke(spec: Spec, poke: int | None, at: int | None, sample: int, length: int) -> tuple[int, int] | None:
    """The unit that is poked and the timestep; None where none is."""
    if poke is not None and at is not None:
        return check_unit(spec, poke, "poke"), check_run_step(spec, "at", at, sample, length)
    if at is not None:
        raise UsageError(
            argument("at", at), "this is the timestep of a poke, and no unit is poked", f"Add {argument('poke')} UNIT"
        )
    return None


def _checked_by(spec: Spec, by: float) -> float:
    try:
        size = math.nan if isinstance(by, str) else float(by)
    except (TypeError, ValueError, OverflowError):
        size = math.nan
    with np.errstate(all="ignore"):
        held = float(np.dtype(spec.dtype).type(size))
    if not math.isfinite(held) or held == 0:
        found = f"a poke moves something: a number other than 0 that {spec.dtype} can hold"
        raise UsageError(argument("by", by), found, "Give one such as 0.1")
    return size


def _held_bytes(lstm: LSTM, layer: int) -> int:
    """The memory that is held beside the derivatives, at most: a block's run, and what is made of a sample's timesteps.

    Raises:
        RefusedError: it is more than the budget.
    """
    spec, (start, stop) = lstm.spec, lstm.block_of(0)
    run = replace(spec, samples=stop - start)
    own = spec.for_layer(layer)
    numbers = own.features + 2 * own.hidden + 32 * own.units  # of a step's input, states, gates and slopes
    weights = sum(axes.elements for axes in weight_shapes(spec, layer).values())  # those of a layer are changed, and joined
    made = spec.timesteps * (numbers * 8 + 1024) + 4 * weights * spec.item_bytes
    held = run_bytes(run) - weight_creation_bytes(run) + weight_bytes(run) + made
    lstm.check_memory(held, "a run and what its timesteps are made of")
    return held


def _last(direction: Direction, length: int) -> int:
    """The timestep that a direction reads last."""
    return length if direction is Direction.FORWARD else 1


def _first(direction: Direction, length: int) -> int:
    """The timestep that a direction reads first."""
    return 1 if direction is Direction.FORWARD else length
