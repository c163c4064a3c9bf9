"""tasks: how many outputs there are depends on the task; five networks around one LSTM, each built and run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from lstm_explain.core.network import FREE_LENGTH, Task, build_network, network_bytes, plan_network, run_network
from lstm_explain.core.spec import MAX_SIZE, as_int
from lstm_explain.errors import UsageError, argument
from lstm_explain.frameworks.convention import HETEROGENEOUS
from lstm_explain.frameworks.registry import FRAMEWORKS
from lstm_explain.topics.lookup import MAX_QUOTED, normalise, quote
from lstm_explain.topics.result import Axes, LSTMResult, OneOf, json_keys
from lstm_explain.topics.selection import check_unedited
from lstm_explain.topics.tasks.checks import measure_network
from lstm_explain.topics.tasks.tensors import count_parts, list_tensors, measured_sizes
from lstm_explain.topics.tasks.unrolled import draw_network

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.network import Network, NetworkPlan, NetworkRun
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.framework import Framework
    from lstm_explain.topics.result import Positive
    from lstm_explain.topics.shapes import Tensor
    from lstm_explain.topics.tasks.checks import Checks
    from lstm_explain.topics.tasks.tensors import NetworkPart

TASKS = tuple(Task)
ONE_TO_ONE, ONE_TO_MANY, MANY_TO_ONE, MANY_TO_MANY, ENCODER_DECODER = TASKS
NETWORK_FRAMEWORKS = {name: framework for name, framework in FRAMEWORKS.items() if framework.network_code is not None}
"""The frameworks in which the networks are written."""
FrameworkName = Annotated[str, OneOf(NETWORK_FRAMEWORKS)]
CHECK_MEMORY_FACTOR = 3
"""Checking a network over a block of samples takes at most this many times the memory of running it once."""


@json_keys("lacks in_short lines")
class FrameworkProgram(NamedTuple):
    """How to write a network in a framework."""

    parameters: Positive | None
    """How many parameters the framework counts; None if it cannot build the network."""
    lacks: Annotated[str, OneOf(("projection", "peepholes", HETEROGENEOUS))] | None
    """The option that the framework's LSTM does not have; None if it can build the network."""
    in_short: str | None
    """What distinguishes the network, in one line; None if the framework cannot build it."""
    lines: tuple[str, ...] | None
    """A program in Python that builds it; None if the framework cannot."""


@json_keys(
    "task timesteps steps_out length drawing measured tensors parameters.total=total parameters.parts=parts",
    "parameters.by_framework=parameters_by_framework frameworks outputs checks",
)
class TaskNetwork(NamedTuple):
    """One of the five networks."""

    task: Task
    """The task."""
    timesteps: Positive
    """How many timesteps its LSTM reads."""
    steps_out: Positive | None
    """The number of steps with outputs; None if it makes outputs once."""
    length: Positive
    """How many timesteps of the sample were read; the rest is padding."""
    drawing: tuple[str, ...]
    """The network unrolled, line by line."""
    tensors: tuple[Tensor, ...]
    """Every tensor, in the order in which data meets it; `direction` is null."""
    measured: bool
    """Whether it was run over all samples and every shape read off an array; else that would not fit the memory budget."""
    parts: tuple[NetworkPart, ...]
    """The parameters of each part."""
    frameworks: dict[FrameworkName, FrameworkProgram]
    """How to write the network in each framework."""
    outputs: Annotated[Array, Axes("outputs")] | Annotated[Array, Axes("steps", "outputs")]
    """The outputs of the sample: one number for each output, or a list of them for each step."""
    checks: Checks
    """What was measured on the network."""

    @property
    def padded(self) -> bool:
        """Whether the sample that is shown has outputs at padding."""
        return self.task is MANY_TO_MANY and self.length < self.timesteps

    @property
    def total(self) -> Positive:
        """The number of parameters."""
        return sum(part.total for part in self.parts)

    @property
    def parameters_by_framework(self) -> dict[FrameworkName, Positive | None]:
        """How many parameters each framework counts; null if it cannot build the network."""
        return {name: program.parameters for name, program in self.frameworks.items()}

    def tensor(self, name: str) -> Tensor:
        """The tensor of a name; that of the last layer if each layer has one."""
        return [tensor for tensor in self.tensors if tensor.name == name][-1]


@json_keys("task outputs sample tasks=networks")
@dataclass(frozen=True, eq=False, repr=False)
class Tasks(LSTMResult):
    """The networks that an LSTM is part of, from one-to-one to the encoder-decoder."""

    topic: ClassVar[str] = "tasks"

    spec: Spec
    source: dict[str, Any]
    task: Task | None
    """The task that was asked for; None for an overview of all."""
    outputs: Positive
    """How many outputs the dense layer makes at a time."""
    sample: int
    """The sample whose outputs are shown, from 0."""
    max_memory: int
    networks: tuple[TaskNetwork, ...]
    """The networks."""


def explain_tasks(
    lstm: LSTM, task: str | None = None, outputs: int = 1, steps_out: int | None = None, sample: int = 0
) -> Tasks:
    """Build the networks that an LSTM is part of, run them, and show how to write them in frameworks.

    Args:
        lstm: the LSTM and its batch.
        task: `one-to-one`, `one-to-many`, `many-to-one`, `many-to-many` or `encoder-decoder`; all if left out.
        outputs: how many numbers the dense layer makes at a time.
        steps_out: at how many steps one-to-many and encoder-decoder make outputs; as many as timesteps if left out.
        sample: whose outputs are shown; counts from 0.

    Raises:
        UsageError: unknown task or sample, a size is below 1 or too large, or the task has no steps to choose.
        RefusedError: running even the block of the sample would need more memory than the budget.
    """
    check_unedited(lstm, "tasks")
    chosen = None if task is None else check_task(task)
    outputs = _check_size("outputs", outputs, "the dense layer needs at least one neuron")
    sample = lstm.validate_sample(sample)
    if steps_out is not None:
        steps_out = _check_size("steps_out", steps_out, "outputs are made at one step at least")
        if chosen is not None and chosen not in FREE_LENGTH:
            fix = f"Leave it out, or choose {' or '.join(FREE_LENGTH)}"
            raise UsageError(argument("steps_out", steps_out), f"the number of output steps of {chosen} is fixed", fix)
    steps = lstm.spec.timesteps if steps_out is None else steps_out
    plans = [plan_network(task, lstm.spec, outputs, steps) for task in (TASKS if chosen is None else (chosen,))]
    return Tasks(
        spec=lstm.spec,
        source=lstm.provenance,
        task=chosen,
        outputs=outputs,
        sample=sample,
        max_memory=lstm.max_memory,
        networks=tuple(_run_task(lstm, plan, sample) for plan in plans),
    )


TASK_NAMES = {
    Task.ONE_TO_ONE: ("1-to-1", "vec2vec"),
    Task.ONE_TO_MANY: ("1-to-n", "1-to-many", "vec2seq", "vector-to-sequence", "captioning", "generation"),
    Task.MANY_TO_ONE: ("n-to-1", "many-to-1", "seq2vec", "sequence-to-vector", "sequence-classification", "classification"),
    Task.MANY_TO_MANY: ("n-to-n", "tagging", "sequence-labeling", "sequence-labelling", "sequence-tagging"),
    Task.ENCODER_DECODER: ("seq2seq", "sequence-to-sequence", "n-to-m", "translation"),
}
"""Other names of the tasks."""


def check_task(name: str) -> Task:
    """Return the task of a name; case, hyphens, and `2` for `to` make no difference.

    Raises:
        UsageError: the task is unknown; the message names the nearest one.
    """
    tasks = {_task_key(alias): task for task, aliases in TASK_NAMES.items() for alias in (task, *aliases)}
    key = _task_key(str(name)[:MAX_QUOTED])
    if key in tasks:
        return tasks[key]
    near = get_close_matches(key, tasks, 1)
    fix = f"Did you mean {tasks[near[0]]}? " if near else ""
    raise UsageError(f"tasks {quote(str(name))}", "unknown task", f"{fix}There are {', '.join(TASKS)}")


def _task_key(name: str) -> str:
    return normalise(re.sub(r"(?<=[a-z])2(?=[a-z])", "to", name.lower()))


def _check_size(name: str, value: int, rule: str) -> int:
    size = as_int(name, value)
    if size < 1:
        raise UsageError(argument(name, size), rule, "Give 1 or more")
    if size > MAX_SIZE:
        raise UsageError(argument(name, size), f"sizes above {MAX_SIZE} (2**53 - 1) are not supported")
    return size


def _run_task(lstm: LSTM, plan: NetworkPlan, sample: int) -> TaskNetwork:
    start, stop = _sample_block(lstm, plan, sample)
    network = build_network(plan, lstm.weights, lstm.init, lstm.seed)
    run = _run_samples(lstm, network, start, stop)
    outputs, checks = run.outputs[sample - start].copy(), measure_network(network, run, sample - start)
    outputs.flags.writeable = False
    length = run.record.length(sample - start)
    del run  # before the run over all samples
    measured = _network_memory(lstm, plan, lstm.spec.samples) <= lstm.max_memory
    sizes = measured_sizes(network, _run_samples(lstm, network, 0, lstm.spec.samples)) if measured else None
    padded = lstm.lengths is not None
    return TaskNetwork(
        task=plan.task,
        timesteps=plan.spec.timesteps,
        steps_out=plan.steps_out,
        length=length,
        drawing=draw_network(plan),
        tensors=list_tensors(plan, sizes),
        measured=measured,
        parts=count_parts(network),
        frameworks={name: _framework_program(framework, plan, padded) for name, framework in NETWORK_FRAMEWORKS.items()},
        outputs=outputs,
        checks=checks,
    )


def _sample_block(lstm: LSTM, plan: NetworkPlan, sample: int) -> tuple[int, int]:
    """The block of samples that the network is checked on: the LSTM's own, or a smaller one that fits the budget."""
    size = lstm.block_samples
    while size > 1 and CHECK_MEMORY_FACTOR * _network_memory(lstm, plan, size) > lstm.max_memory:
        size //= 2
    samples = "1 sample" if size == 1 else f"{size} samples"
    lstm.check_memory(
        CHECK_MEMORY_FACTOR * _network_memory(lstm, plan, size), f"running {plan.task} over {samples} and checking it"
    )
    start = sample // size * size
    return start, min(start + size, lstm.spec.samples)


def _network_memory(lstm: LSTM, plan: NetworkPlan, samples: int) -> int:
    """An upper bound on the memory of a run; backwards, samples that end early are put in order in copies of the record."""
    copies = 2 if lstm.lengths is not None and lstm.spec.has_backward else 1
    return network_bytes(plan, samples) * copies


def _run_samples(lstm: LSTM, network: Network, start: int, stop: int) -> NetworkRun:
    import numpy as np

    lengths = None if lstm.lengths is None else np.array(lstm.lengths[start:stop])
    return run_network(network, lstm.inputs_for(start, stop), lengths)


def _framework_program(framework: Framework, plan: NetworkPlan, padded: bool) -> FrameworkProgram:
    unsupported, code = framework.convention.unsupported_option(plan.batch), framework.network_code
    if unsupported is not None or code is None:
        return FrameworkProgram(None, unsupported, None, None)
    stacks = [framework.convention.count_parameters(spec) for spec in (plan.spec, plan.decoder) if spec is not None]
    dense = (plan.dense_source.output + 1) * plan.outputs
    return FrameworkProgram(sum(filter(None, stacks)) + dense, None, code.summary(plan), code.lines(plan, padded))
