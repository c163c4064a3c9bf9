"""tasks: how many outputs there are depends on the task; five networks around one LSTM, each built and run."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from lstm_explain.core.network import FREE_LENGTH, Task, build_network, network_bytes, plan_network, run_network
from lstm_explain.core.spec import MAX_SIZE, as_int
from lstm_explain.errors import UsageError, argument
from lstm_explain.frameworks.registry import FRAMEWORKS
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.result import LSTMResult, to_plain
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
    from lstm_explain.topics.shapes import Tensor
    from lstm_explain.topics.tasks.checks import Checks
    from lstm_explain.topics.tasks.tensors import NetworkPart

TASKS = tuple(Task)
ONE_TO_ONE, ONE_TO_MANY, MANY_TO_ONE, MANY_TO_MANY, ENCODER_DECODER = TASKS
CHECK_MEMORY_FACTOR = 3
"""Checking a network over a block of samples takes at most this many times the memory of running it once."""


class FrameworkProgram(NamedTuple):
    """How to write a network in a framework."""

    parameters: int | None
    """How many it counts; None where it cannot build the network."""
    lacks: str | None
    """The option that it does not support."""
    in_short: str | None
    """What distinguishes the network, in one line."""
    lines: tuple[str, ...] | None
    """A program that builds it."""

    def to_dict(self) -> dict[str, Any]:
        lines = None if self.lines is None else list(self.lines)
        return {"lacks": self.lacks, "in_short": self.in_short, "lines": lines}


class TaskNetwork(NamedTuple):
    """One of the five networks."""

    task: Task
    timesteps: int
    """How many timesteps its LSTM reads."""
    steps_out: int | None
    """At how many steps it makes outputs; None where it makes them once."""
    length: int
    """How many timesteps of the sample that is shown were read; the rest is padding."""
    drawing: tuple[str, ...]
    tensors: tuple[Tensor, ...]
    measured: bool
    """Whether it was run over all samples and every shape read off an array; else they would not have fitted the budget."""
    checked_samples: int
    """Over how many samples `checks` were made: the block of the sample that is shown."""
    parts: tuple[NetworkPart, ...]
    frameworks: dict[str, FrameworkProgram]
    outputs: Array
    """The outputs of the sample that is shown; [outputs], or [steps, outputs]."""
    checks: Checks

    @property
    def padded(self) -> bool:
        """Whether the sample that is shown has outputs at padding."""
        return self.task is MANY_TO_MANY and self.length < self.timesteps

    @property
    def total(self) -> int:
        """The number of parameters."""
        return sum(part.total for part in self.parts)

    def tensor(self, name: str) -> Tensor:
        """The tensor of a name; that of the last layer where each has one."""
        return [one for one in self.tensors if one.name == name][-1]

    def to_dict(self) -> dict[str, Any]:
        return {
            "task": self.task.value,
            "timesteps": self.timesteps,
            "steps_out": self.steps_out,
            "length": self.length,
            "drawing": list(self.drawing),
            "measured": self.measured,
            "tensors": to_plain(self.tensors),
            "parameters": {
                "total": self.total,
                "parts": [part._asdict() for part in self.parts],
                "by_framework": {name: said.parameters for name, said in self.frameworks.items()},
            },
            "frameworks": {name: said.to_dict() for name, said in self.frameworks.items()},
            "outputs": plain_numbers(self.outputs),
            "checks": {"samples": self.checked_samples, **self.checks.to_dict()},
        }


@dataclass(frozen=True, eq=False, repr=False)
class Tasks(LSTMResult):
    """The networks that an LSTM is part of."""

    topic: ClassVar[str] = "tasks"

    spec: Spec
    source: dict[str, Any]
    task: Task | None
    """The one that was asked for; None for an overview of all."""
    outputs: int
    """How many neurons the dense layer has."""
    sample: int
    max_memory: int
    networks: tuple[TaskNetwork, ...]

    def facts(self) -> dict[str, Any]:
        return {
            "task": None if self.task is None else self.task.value,
            "outputs": self.outputs,
            "sample": self.sample,
            "tasks": [one.to_dict() for one in self.networks],
        }


def explain_tasks(
    lstm: LSTM, task: str | None = None, outputs: int = 1, steps_out: int | None = None, sample: int = 0
) -> Tasks:
    """Build the networks that an LSTM is part of, run them, and say how frameworks say them.

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
            fitting = " and ".join(FREE_LENGTH)
            raise UsageError(argument("steps_out", steps_out), f"{chosen} has no number of steps to choose; {fitting} have")
    steps = lstm.spec.timesteps if steps_out is None else steps_out
    plans = [plan_network(one, lstm.spec, outputs, steps) for one in (TASKS if chosen is None else (chosen,))]
    return Tasks(
        spec=lstm.spec,
        source=lstm.provenance,
        task=chosen,
        outputs=outputs,
        sample=sample,
        max_memory=lstm.max_memory,
        networks=tuple(_run_task(lstm, plan, sample) for plan in plans),
    )


def check_task(name: str) -> Task:
    """Return the task of a name; raise `UsageError` if it does not exist."""
    known = [one.value for one in TASKS]
    if name in known:
        return Task(name)
    near = get_close_matches(str(name).lower().replace("_", "-").replace("2", "-to-"), known, 1)
    fix = f"Did you mean {near[0]}? " if near else ""
    asked = f"tasks {name}" if str(name).isprintable() and name else f"tasks {name!r}"
    raise UsageError(asked, "unknown task", f"{fix}There are {', '.join(known)}")


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
    passage = _run_samples(lstm, network, start, stop)
    shown, checks = passage.outputs[sample - start].copy(), measure_network(network, passage, sample - start)
    length = passage.record.length(sample - start)
    del passage
    measured = _network_memory(lstm, plan, lstm.spec.samples) <= lstm.max_memory
    sizes = measured_sizes(network, _run_samples(lstm, network, 0, lstm.spec.samples)) if measured else None
    shown.flags.writeable = False
    return TaskNetwork(
        task=plan.task,
        timesteps=plan.spec.timesteps,
        steps_out=plan.steps_out,
        length=length,
        drawing=draw_network(plan),
        tensors=list_tensors(plan, sizes),
        measured=measured,
        checked_samples=stop - start,
        parts=count_parts(network),
        frameworks={
            framework.name: _framework_program(framework, plan, lstm.lengths is not None)
            for framework in FRAMEWORKS.values()
            if framework.network_code is not None
        },
        outputs=shown,
        checks=checks,
    )


def _sample_block(lstm: LSTM, plan: NetworkPlan, sample: int) -> tuple[int, int]:
    """The block of samples that the network is checked on: the LSTM's own, or a smaller one that fits the budget."""
    size = lstm.block_samples
    while size > 1 and CHECK_MEMORY_FACTOR * _network_memory(lstm, plan, size) > lstm.max_memory:
        size //= 2
    several = "1 sample" if size == 1 else f"{size} samples"
    lstm.check_memory(
        CHECK_MEMORY_FACTOR * _network_memory(lstm, plan, size), f"running {plan.task} over {several} and checking it"
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


def _framework_program(framework: Framework, plan: NetworkPlan, lengths: bool) -> FrameworkProgram:
    unsupported = framework.convention.unsupported_option(plan.batch)
    if unsupported is not None or framework.network_code is None:
        return FrameworkProgram(None, unsupported, None, None)
    stacks = [framework.convention.count_parameters(spec) for spec in (plan.spec, plan.decoder) if spec is not None]
    dense = (plan.dense_source.output + 1) * plan.outputs
    code = framework.network_code
    return FrameworkProgram(sum(filter(None, stacks)) + dense, None, code.summary(plan), code.lines(plan, lengths))
