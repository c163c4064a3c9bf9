"""Chapter 5: how many outputs your task has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.tour.chapter import ChapterContent, measure_within_budget
from lstm_explain.document.blocks import Cell, Column, Document, Note, Table
from lstm_explain.document.numbers import plural, thousands
from lstm_explain.document.text import format_sizes, join_words
from lstm_explain.topics.tasks import (
    ENCODER_DECODER,
    MANY_TO_MANY,
    MANY_TO_ONE,
    ONE_TO_MANY,
    ONE_TO_ONE,
    explain_tasks,
)

if TYPE_CHECKING:
    from lstm_explain.apps.tour.chapter import TourContext
    from lstm_explain.core.network import Task
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.result import Positive
    from lstm_explain.topics.tasks import TaskNetwork, Tasks

TASK_SUMMARIES = {
    ONE_TO_ONE: "one in, one out",
    ONE_TO_MANY: "one in, many out",
    MANY_TO_ONE: "many in, one out",
    MANY_TO_MANY: "many in, as many out",
    ENCODER_DECODER: "many in, then many",
}
"""How many timesteps go in, and how many outputs come out."""


class TaskOutputs(NamedTuple):
    """The outputs of the network of one task."""

    task: Task
    """The task."""
    measured: bool
    """Whether its shapes were read off arrays of a run."""
    dense_reads: tuple[Positive, ...]
    """The shape of what the dense layer reads."""
    makes: tuple[Positive, ...]
    """The shape of its outputs."""
    parameters: Positive
    """How many parameters the network has."""


class OutputsEvidence(NamedTuple):
    """What the chapter `outputs` measures."""

    outputs: Positive
    """How many outputs the dense layer has."""
    tasks: list[TaskOutputs] | None
    """The network of each task."""


def outputs_chapter(context: TourContext) -> ChapterContent:
    """How many outputs does the network have?"""
    tasks, refused = measure_within_budget(lambda: explain_tasks(context.lstm, sample=context.sample))
    return ChapterContent(
        question=_question(context.spec),
        claims=_claims(context.spec, tasks),
        blocks=(*refused, *(() if tasks is None else _evidence_blocks(tasks))),
        evidence=OutputsEvidence(1, None if tasks is None else list(map(_task_outputs, tasks.networks))),
        commands=(context.command_of_sample("tasks"), context.command_of_sample("tasks", (MANY_TO_ONE.value,))),
    )


def _question(spec: Spec) -> str:
    size, steps = spec.output, spec.timesteps
    guesses = [thousands(number) for number in sorted({1, steps, size * steps})]
    which = f": {join_words(guesses, 'or')}" if len(guesses) > 1 else ""
    layer = "Your layer" if len(spec.layers) == 1 else "Your last layer"
    when = "its one timestep" if steps == 1 else f"each of {thousands(steps)} timesteps"
    return (
        f"{layer} outputs a vector h of {plural(size, 'number')} at {when}. So how many outputs does your network have for "
        f"one sample{which}?"
    )


def _claims(spec: Spec, tasks: Tasks | None) -> tuple[str, ...]:
    depends = (
        "It depends on your task, not on the LSTM. What makes the outputs is a dense layer behind it: a row of plain neurons. "
        "It reads h and makes as many numbers as you ask for."
    )
    if spec.timesteps == 1:
        last = "With one timestep there is one h to read, so the outputs are made once."
    else:
        last = (
            "If it reads the last h alone, there is one answer for a sample. If it reads h at every timestep, there are "
            f"{thousands(spec.timesteps)}."
        )
    if tasks is None:
        return (f"{depends} {last}",)
    dense = next(part.total for part in tasks.networks[0].parts if part.name == "dense")
    return (f"{depends} {last}", f"With one output the dense layer has {plural(dense, 'parameter')}.")


def _evidence_blocks(tasks: Tasks) -> Document:
    columns = (
        Column("task"),
        Column("in words", wraps=True),
        Column("dense reads"),
        Column("makes"),
        Column("parameters", "right"),
    )
    rows = tuple(_task_row(network) for network in tasks.networks)
    axes = next(network for network in tasks.networks if network.task is MANY_TO_MANY).tensor("outputs").shape
    return (
        Table(columns, rows),
        Note(f"{format_sizes(axes.sizes)} is {', '.join(axes.names)}. {_measurement_sentence(tasks)}"),
    )


def _task_row(network: TaskNetwork) -> tuple[Cell, ...]:
    outputs = _task_outputs(network)
    return (
        Cell(network.task.value, strong=True),
        Cell(TASK_SUMMARIES[network.task]),
        Cell(format_sizes(outputs.dense_reads)),
        Cell(format_sizes(outputs.makes), strong=True),
        Cell(thousands(network.total)),
    )


def _measurement_sentence(tasks: Tasks) -> str:
    if all(network.measured for network in tasks.networks):
        return "Each of the five networks was built and run over all samples just now, with one output."
    if any(network.measured for network in tasks.networks):
        return "Those that fit the memory budget were run over all samples; the shapes of the others are computed."
    return "The shapes are computed: a run over all samples does not fit the memory budget. A block of samples was run."


def _task_outputs(network: TaskNetwork) -> TaskOutputs:
    dense_reads, makes = (network.tensor(name).shape.sizes for name in ("dense_input", "outputs"))
    return TaskOutputs(network.task, network.measured, dense_reads, makes, network.total)
