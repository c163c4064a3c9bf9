"""Measurements on a network: which outputs a unit's h reaches, what the last step of a sequence holds, and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_explain.core.cell import step
from lstm_explain.core.dense import Dense
from lstm_explain.core.gates import PEEPHOLE_GATES, Direction, Gate
from lstm_explain.core.network import TO_ONE, Task, last_hidden, run_network
from lstm_explain.core.weights import Weights

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.network import Network, NetworkRun
    from lstm_explain.core.record import Record
    from lstm_explain.core.weights import LayerWeights

PERTURBATION = 0.1
MAX_PERTURBED = 64
"""The largest number of elements of h that are changed."""
MAX_STEPS = 1000
"""The largest number of steps that are taken one by one."""


class OutputReach(NamedTuple):
    """Where the layer's h goes: numbers of h changed one after the other, and the outputs that moved."""

    poked: int
    """How many numbers of h were changed."""
    numbers: int
    """How many there are."""
    outputs: int
    by: float
    moved: int
    """How many outputs moved, over all pokes; `poked * outputs` where every neuron reads every number."""


class IdleWeights(NamedTuple):
    """Weights that do nothing at a single timestep from zero states, set to zero to see it."""

    weights: int
    """How many there are: those of h_0, the forget gate's, and the peepholes to c_0."""
    difference: float
    """The largest change of an output."""


class LastOutput(NamedTuple):
    """The output at the last timestep, compared with the last h."""

    samples: int
    """Over how many samples."""
    padded: int
    """How many of them end before the last timestep, where the output is zero."""
    difference: float
    """The largest difference between them."""
    forward: float
    """The same in the half of the forward direction; in all of it where the layer has one direction."""
    backward: float | None
    """The same in the half of the backward direction."""
    alone: float | None
    """The largest difference between that half and the backward direction run over the last timestep alone."""
    outputs: float | None
    """The largest difference that it makes to the outputs; None where no dense layer reads the last h."""


class StepwiseDense(NamedTuple):
    """The dense layer applied to one step after the other, compared with the same applied to all at once."""

    steps: int
    """How many steps."""
    difference: float
    """The largest difference."""


class LookAhead(NamedTuple):
    """The input at the last timestep changed, and the earlier timesteps whose outputs moved."""

    earlier: int
    """How many earlier timesteps there are."""
    moved: int
    """At how many of them an output changed at all."""


class BroadcastTargets(NamedTuple):
    """Targets of one number for each sample, subtracted from outputs at every step: no error, as NumPy broadcasts."""

    samples: int
    compared: int
    """How many differences there are."""


class Checks(NamedTuple):
    """What was measured; None where it does not apply to the task."""

    reach: OutputReach
    idle: IdleWeights | None
    last: LastOutput | None
    step_by_step: StepwiseDense | None
    ahead: LookAhead | None
    broadcast: BroadcastTargets | None

    def to_dict(self) -> dict[str, Any]:
        return {name: None if value is None else value._asdict() for name, value in self._asdict().items()}


def measure_network(network: Network, passage: NetworkRun, place: int) -> Checks:
    """Measure what the pages state about a network.

    Args:
        network: the network.
        passage: a block of samples that it ran over.
        place: the sample, within the block, that single samples are measured on.
    """
    task, once = network.plan.task, network.plan.task in TO_ONE
    vector = passage.dense_input[place] if once else passage.dense_input[place, -1]
    return Checks(
        reach=_perturb_hidden(network.dense, vector),
        idle=_zero_idle_weights(network, passage) if task is Task.ONE_TO_ONE else None,
        last=_compare_last_output(network, passage) if task in (Task.MANY_TO_ONE, Task.ENCODER_DECODER) else None,
        step_by_step=None if once else _apply_stepwise(network.dense, passage),
        ahead=_change_last_input(network, passage, place) if task is Task.MANY_TO_MANY else None,
        broadcast=None if once else _count_broadcast(passage),
    )


def _perturb_hidden(dense: Dense, hidden: Array) -> OutputReach:
    precise = Dense(dense.kernel.astype(np.float64), dense.bias.astype(np.float64))
    start = np.nan_to_num(hidden.astype(np.float64))  # a neuron reads a number whether or not another one is nan
    before, moved = precise(start), 0
    poked = min(len(start), MAX_PERTURBED)
    for number in range(poked):
        changed = start.copy()
        changed[number] += PERTURBATION
        moved += int(np.count_nonzero(np.abs(precise(changed) - before) > 0))
    return OutputReach(poked, len(start), len(before), PERTURBATION, moved)


def _zero_idle_weights(network: Network, passage: NetworkRun) -> IdleWeights:
    count, layers = 0, []
    for parts in network.weights.layers:
        changed = {}
        for way, part in parts.items():
            changed[way], idle = _drop_recurrence(part)
            count += idle
        layers.append(changed)
    again = run_network(network._replace(weights=Weights(tuple(layers))), passage.input)
    return IdleWeights(count, _max_abs(again.outputs - passage.outputs))


def _drop_recurrence(part: LayerWeights) -> tuple[LayerWeights, int]:
    """The weights with zeros where they meet h_0 or c_0, and how many those are."""
    forget = part.columns(Gate.FORGET)
    kernel, bias, peephole = part.kernel.copy(), part.bias, part.peephole
    kernel[:, forget] = 0
    count = part.recurrent_kernel.size + kernel[:, forget].size
    if bias is not None:
        bias = bias.copy()
        bias[forget] = 0
        count += part.units
    if peephole is not None:
        peephole = peephole.copy()
        for gate in (Gate.INPUT, Gate.FORGET):  # they look at c_0; the output gate looks at c_1
            peephole[PEEPHOLE_GATES.index(gate)] = 0
            count += part.units
    return part._replace(kernel=kernel, recurrent_kernel=part.recurrent_kernel * 0, bias=bias, peephole=peephole), count


def _compare_last_output(network: Network, passage: NetworkRun) -> LastOutput:
    record = passage.record
    taken, right = record.output[:, -1], last_hidden(record)
    apart = taken - right
    top = record.spec.for_layer(len(record.spec.layers) - 1)
    size, both = top.hidden, top.bidirectional
    ended = np.zeros(len(taken), bool) if record.lengths is None else record.lengths < record.spec.timesteps
    read = network.plan.task is Task.MANY_TO_ONE
    return LastOutput(
        samples=len(taken),
        padded=int(ended.sum()),
        difference=_max_abs(apart),
        forward=_max_abs(apart[:, :size]),
        backward=_max_abs(apart[:, size:]) if both else None,
        alone=_compare_single_step(network, record, ~ended) if both and not ended.all() else None,
        outputs=_max_abs(network.dense(taken) - passage.outputs) if read else None,
    )


def _compare_single_step(network: Network, record: Record, whole: Array) -> float:
    """Run the last layer backwards over the last timestep alone, and compare with the output there."""
    last = len(record.spec.layers) - 1
    top, part, weights = (
        record.spec.for_layer(last),
        record.of(last, Direction.BACKWARD),
        network.weights.of(last, Direction.BACKWARD),
    )
    x = part.input[whole, -1]
    zeros = (np.zeros((len(x), size), x.dtype) for size in (top.hidden, top.units))
    with np.errstate(all="ignore"):
        made = step(weights, x, *zeros)
    return _max_abs(made.h - record.output[whole, -1, top.hidden :])


def _apply_stepwise(dense: Dense, passage: NetworkRun) -> StepwiseDense:
    steps = min(passage.dense_input.shape[1], MAX_STEPS)
    apart = (_max_abs(dense(passage.dense_input[:, t]) - passage.outputs[:, t]) for t in range(steps))
    return StepwiseDense(steps, max(apart))


def _change_last_input(network: Network, passage: NetworkRun, place: int) -> LookAhead:
    """Run one sample by itself twice, so that not even the last bits differ for another reason."""
    record = passage.record
    one, lengths = passage.input[place : place + 1], None
    if record.lengths is not None:
        lengths = record.lengths[place : place + 1]
    last = record.length(place) - 1
    changed = one.copy()
    with np.errstate(invalid="ignore"):  # infinite inputs
        changed[:, last] += 1 + np.abs(changed[:, last])
    before, after = (run_network(network, inputs, lengths).outputs[0] for inputs in (one, changed))
    moved = np.any(np.abs(after - before)[:last] > 0, axis=1)
    return LookAhead(last, int(moved.sum()))


def _count_broadcast(passage: NetworkRun) -> BroadcastTargets | None:
    samples, steps, outputs = passage.outputs.shape
    if outputs > 1 or steps == 1:
        return None
    targets = np.zeros((samples, 1), passage.outputs.dtype)
    return BroadcastTargets(samples, (passage.outputs[:, :, 0] - targets).size)


def _max_abs(differences: Array) -> float:
    return float(np.max(np.abs(differences), initial=0.0))
