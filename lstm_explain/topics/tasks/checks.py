"""Measurements on a network: which outputs a unit's h reaches, what the last step of a sequence holds, and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.cell import step
from lstm_explain.core.gates import PEEPHOLE_GATES, Direction, Gate
from lstm_explain.core.network import TO_ONE, Dense, Task, last_hidden, run_network
from lstm_explain.core.weights import Weights

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.network import Network, NetworkRun
    from lstm_explain.core.record import Record
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.topics.result import Finite, Positive

PERTURBATION = 0.1
MAX_PERTURBED = 64
"""The largest number of elements of h that are changed."""
MAX_STEPS = 1000
"""The largest number of steps that are taken one by one."""


class OutputReach(NamedTuple):
    """Numbers of h changed one after the other, and the outputs that moved."""

    poked: Positive
    """How many numbers of h were changed."""
    numbers: Positive
    """How many numbers h has."""
    outputs: Positive
    """How many outputs there are."""
    by: Finite
    """How much was added to each number."""
    moved: int
    """How many outputs moved, over all changes; `poked * outputs` if every neuron reads every number."""


class IdleWeights(NamedTuple):
    """Weights that meet h_0 or c_0, which are zero at a single timestep, set to zero themselves."""

    weights: Positive
    """How many weights these are: those of h_0, the forget gate's, and the peepholes to c_0."""
    difference: float
    """The largest change of an output."""


class LastOutput(NamedTuple):
    """The output at the last timestep, compared with the last h."""

    samples: Positive
    """How many samples were compared."""
    padded: int
    """How many of them end before the last timestep, where the output is zero."""
    difference: float
    """The largest difference between them."""
    forward: float
    """The same in the half of the forward direction; in all of it if the layer has one direction."""
    backward: float | None
    """The same in the half of the backward direction; None if the layer has one direction."""
    alone: float | None
    """The largest difference between that half and the backward direction run over the last timestep alone."""
    outputs: float | None
    """The largest difference that it makes to the outputs; None if the dense layer does not read the last h."""


class StepwiseDense(NamedTuple):
    """The dense layer applied to one step after the other, compared with the same applied to all at once."""

    steps: Positive
    """How many steps were compared."""
    difference: float
    """The largest difference."""


class LookAhead(NamedTuple):
    """The input at the last timestep changed, and the earlier timesteps whose outputs moved."""

    earlier: int
    """How many earlier timesteps there are."""
    moved: int
    """At how many of them an output changed at all."""


class BroadcastTargets(NamedTuple):
    """Targets of shape (samples, 1) subtracted from outputs at every step: no error, as NumPy broadcasts."""

    samples: Positive
    """How many samples there are."""
    compared: Positive
    """How many differences there are."""


class Checks(NamedTuple):
    """What was measured on a network; all but `samples` and `reach` are null if they do not apply to the task."""

    samples: Positive
    """The size of the block of samples that the differences below were taken over."""
    reach: OutputReach
    """Where h goes."""
    idle: IdleWeights | None
    """The weights without effect."""
    last: LastOutput | None
    """Whether the last output is the last h."""
    step_by_step: StepwiseDense | None
    """Whether the dense layer treats steps separately."""
    ahead: LookAhead | None
    """Whether an output depends on later inputs."""
    broadcast: BroadcastTargets | None
    """What targets without an axis of steps are compared with."""


def measure_network(network: Network, run: NetworkRun, index: int) -> Checks:
    """Measure what the pages state about a network.

    Args:
        network: the network.
        run: a block of samples that it ran over.
        index: the sample, within the block, that single samples are measured on.
    """
    task, once = network.plan.task, network.plan.task in TO_ONE
    return Checks(
        samples=len(run.outputs),
        reach=_perturb_hidden(network.dense, run.dense_input[index] if once else run.dense_input[index, -1]),
        idle=_zero_idle_weights(network, run) if task is Task.ONE_TO_ONE else None,
        last=_compare_last_output(network, run) if task in (Task.MANY_TO_ONE, Task.ENCODER_DECODER) else None,
        step_by_step=None if once else _apply_stepwise(network.dense, run),
        ahead=_change_last_input(network, run, index) if task is Task.MANY_TO_MANY else None,
        broadcast=None if once else _count_broadcast(run),
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


def _zero_idle_weights(network: Network, run: NetworkRun) -> IdleWeights:
    count, layers = 0, []
    for parts in network.weights.layers:
        changed = {}
        for direction, part in parts.items():
            changed[direction], idle = _drop_recurrence(part)
            count += idle
        layers.append(changed)
    again = run_network(network._replace(weights=Weights(tuple(layers))), run.input)
    return IdleWeights(count, _max_abs(again.outputs - run.outputs))


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


def _compare_last_output(network: Network, run: NetworkRun) -> LastOutput:
    record = run.record
    taken, right = record.output[:, -1], last_hidden(record)
    differences = taken - right
    top = record.spec.for_layer(len(record.spec.layers) - 1)
    size, both = top.hidden, top.bidirectional
    ended = np.zeros(len(taken), bool) if record.lengths is None else record.lengths < record.spec.timesteps
    read = network.plan.task is Task.MANY_TO_ONE
    return LastOutput(
        samples=len(taken),
        padded=int(ended.sum()),
        difference=_max_abs(differences),
        forward=_max_abs(differences[:, :size]),
        backward=_max_abs(differences[:, size:]) if both else None,
        alone=_compare_single_step(network, record, ~ended) if both and not ended.all() else None,
        outputs=_max_abs(network.dense(taken) - run.outputs) if read else None,
    )


def _compare_single_step(network: Network, record: Record, whole: Array) -> float:
    """Run the last layer backwards over the last timestep alone, and compare with the output there."""
    last = len(record.spec.layers) - 1
    top, x = record.spec.for_layer(last), record.of(last, Direction.BACKWARD).input[whole, -1]
    zeros = (np.zeros((len(x), size), x.dtype) for size in (top.hidden, top.units))
    with np.errstate(all="ignore"):
        result = step(network.weights.of(last, Direction.BACKWARD), x, *zeros)
    return _max_abs(result.h - record.output[whole, -1, top.hidden :])


def _apply_stepwise(dense: Dense, run: NetworkRun) -> StepwiseDense:
    steps = min(run.dense_input.shape[1], MAX_STEPS)
    differences = (_max_abs(dense(run.dense_input[:, t]) - run.outputs[:, t]) for t in range(steps))
    return StepwiseDense(steps, max(differences))


def _change_last_input(network: Network, run: NetworkRun, index: int) -> LookAhead:
    """Run one sample by itself twice, so that not even the last bits differ for another reason."""
    record = run.record
    original, lengths = run.input[index : index + 1], None
    if record.lengths is not None:
        lengths = record.lengths[index : index + 1]
    last = record.length(index) - 1
    changed = original.copy()
    with np.errstate(invalid="ignore"):  # infinite inputs
        changed[:, last] += 1 + np.abs(changed[:, last])
    before, after = (run_network(network, inputs, lengths).outputs[0] for inputs in (original, changed))
    moved = np.any(np.abs(after - before)[:last] > 0, axis=1)
    return LookAhead(last, int(moved.sum()))


def _count_broadcast(run: NetworkRun) -> BroadcastTargets | None:
    samples, steps, outputs = run.outputs.shape
    if outputs > 1 or steps == 1:
        return None
    targets = np.zeros((samples, 1), run.outputs.dtype)
    return BroadcastTargets(samples, (run.outputs[:, :, 0] - targets).size)


def _max_abs(differences: Array) -> float:
    return float(np.max(np.abs(differences), initial=0.0))
