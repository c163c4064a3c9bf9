"""Level 1, shapes and counts: what goes in, what comes out, and how many weights there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.apps.quiz.question import format_shape
from lstm_explain.apps.quiz.question_draft import (
    GATE_COUNT,
    NumberAnswer,
    QuestionDraft,
    QuestionGenerator,
    Sampler,
    ShapeAnswer,
    command_for,
    describe_input,
    describe_layers,
)
from lstm_explain.core.gates import Gate
from lstm_explain.core.network import Task
from lstm_explain.document.numbers import plural
from lstm_explain.topics.shapes import explain_shapes
from lstm_explain.topics.tasks import explain_tasks
from lstm_explain.topics.unit import explain_unit
from lstm_explain.topics.window import explain_window

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec

SCENES = (
    ("machine", "minute", "reading"),
    ("patient", "visit", "lab value"),
    ("day", "hour", "measurement"),
    ("sentence", "word", "number"),
    ("customer", "month", "key figure"),
)
"""Samples, timesteps and features in real life."""


def batch_shape(draw: Sampler) -> QuestionDraft:
    """The shape of a batch from real life."""
    lstm = draw.lstm()
    n, t, f = sizes = lstm.run().input.shape
    sample, timestep, feature = draw.item(SCENES)
    intro = f"There is a record of {plural(n, sample)}, with {plural(t, timestep)} each, and of every {timestep} "
    intro += f"{plural(f, feature)}. Each {sample} is a sample."
    return QuestionDraft(
        f"{intro} An LSTM reads them all as one array: samples first, then timesteps, then features. What is its shape?",
        ShapeAnswer(sizes, ((n, f, t), (t, n, f), (n, t * f), (n * t, f))),
        "What is one sample here? What is a timestep? How many numbers does each timestep have?",
        f"(samples, timesteps, features) is {format_shape(sizes)}: {n} sequences, {t} timesteps each, {plural(f, 'number')} "
        "at each. The number of units does not matter.",
        command_for(lstm, "shapes"),
    )


def output_shape(draw: Sampler) -> QuestionDraft:
    """The shape of h over all timesteps."""
    lstm = draw.lstm("layers bidirectional projection")
    spec, shapes = lstm.spec, explain_shapes(lstm)
    (output,) = shapes.of("output_sequence", layer=len(spec.layers) - 1)
    n, t, f, h = spec.samples, spec.timesteps, spec.features, spec.output
    mistakes = ((n, h), (n, t, f), (n, t, spec.units), (n, t, GATE_COUNT * spec.units), (n, f, h), (t, n, h))
    last = "the last layer" if len(spec.layers) > 1 else "the layer"
    return QuestionDraft(
        f"{describe_input(spec)} What {last} puts out at every timestep, h, is collected in one array: samples first, then "
        "timesteps. What is its shape?",
        ShapeAnswer(output.shape.sizes, mistakes),
        "What does the layer output at one timestep of one sample? The features are used up by then.",
        f"{format_shape(output.shape.sizes)}: for each of {n} samples, at each of {t} timesteps, {_outputs_per_step(spec)}.",
        command_for(lstm, "shapes"),
    )


def _outputs_per_step(spec: Spec) -> str:
    per_direction = (
        f"{plural(spec.hidden, 'number')} of the projected h"
        if spec.projection
        else f"one number from each of {spec.units} units"
    )
    if not spec.bidirectional:
        return per_direction
    return f"{per_direction} in each of 2 directions, side by side: 2 * {spec.hidden} = {spec.output}"


def state_shape(draw: Sampler) -> QuestionDraft:
    """The shape of h or c after the last timestep."""
    lstm = draw.lstm("projection no_bias")
    spec, memory = lstm.spec, draw.chance(2)
    n, t, f, u = spec.samples, spec.timesteps, spec.features, spec.units
    (state,) = explain_shapes(lstm).of("cell_last" if memory else "output_last")
    sizes = state.shape.sizes
    contents = "the memories c of all units are" if memory else "h, what the layer puts out, is"
    letter = "c" if memory else "h"
    reason = f"{letter} has one number for each of {u} units"
    if not memory and spec.projection:
        reason = f"h is the output of the projection, {plural(spec.projection, 'number')}"
    return QuestionDraft(
        f"{describe_input(spec)} After the last timestep, {contents} kept in one array, samples first. What is its shape?",
        ShapeAnswer(sizes, ((n, t, sizes[1]), (n, f), (n, u), (n, GATE_COUNT * u), (n, spec.hidden), (n, 2 * u), (u, f))),
        "It is one timestep, so the array has no axis of timesteps.",
        f"{format_shape(sizes)}: {reason}, for each of {n} samples.",
        command_for(lstm, "shapes"),
    )


def parameters(draw: Sampler) -> QuestionDraft:
    """How many weights a layer has."""
    lstm = draw.lstm("bidirectional no_bias projection peepholes")
    spec, weights = lstm.spec, lstm.weights
    value = sum(int(array.size) for layer in weights.layers for part in layer.values() for array in part.tensors().values())
    directions, b, h, u, f = len(spec.directions), int(spec.bias), spec.hidden, spec.units, spec.features
    per_direction = GATE_COUNT * u * (f + h + b)
    extra = (3 * u if spec.peepholes else 0) + (u * h if spec.projection else 0)
    formula = explain_shapes(lstm).layers[0].formula
    return QuestionDraft(
        f"{describe_input(spec)} How many weights does it have to learn{', biases included' if b else ''}?",
        NumberAnswer(
            value,
            (
                directions * (GATE_COUNT * u * (f + h) + extra),
                value // GATE_COUNT if value % GATE_COUNT == 0 else per_direction,
                per_direction + extra,
                directions * (GATE_COUNT * f * (u + f + b) + extra),
                directions * (GATE_COUNT * u * (f + b) + extra),
                value * spec.timesteps,
            ),
        ),
        "Each unit has four neurons. What does each neuron read, and what does it add to the sum?",
        f"Counted from the arrays of weights: {value}. The formula is {formula}, with {f} features and {u} units. The "
        "samples and timesteps do not matter.",
        command_for(lstm, "shapes"),
    )


def unit_parameters(draw: Sampler) -> QuestionDraft:
    """How many of them one unit has for itself."""
    lstm = draw.lstm("no_bias peepholes")
    spec, unit = lstm.spec, draw.below(lstm.spec.units)
    result = explain_unit(lstm, unit)
    value = sum(neuron.parameters for neuron in result.neurons.values())
    reads, b = spec.features + spec.units, int(spec.bias)
    peepholes = 3 if spec.peepholes else 0
    peephole_text = ", and three of them have a peephole" if peepholes else ""
    return QuestionDraft(
        f"{describe_input(spec)} How many of the layer's weights{', biases included,' if b else ''} belong to unit {unit} "
        "alone?",
        NumberAnswer(
            value,
            (
                GATE_COUNT * reads,
                reads + b,
                GATE_COUNT * (spec.features + b),
                GATE_COUNT * (spec.features + 1 + b),
                value * spec.units,
            ),
        ),
        "A unit has four neurons, and each of them has a weight for every number that it reads.",
        f"Counted from its arrays: {value}. It has {GATE_COUNT} neurons, each with {plural(spec.features, 'weight')} for the "
        f"input, {spec.units} for the h of all units{' and a bias' if b else ''}{peephole_text}.",
        command_for(lstm, "unit", unit=unit),
    )


def neuron_reads(draw: Sampler) -> QuestionDraft:
    """How many numbers a neuron reads."""
    lstm = draw.lstm("no_bias bidirectional")
    spec, unit = lstm.spec, draw.below(lstm.spec.units)
    neuron = explain_unit(lstm, unit).neurons[Gate.INPUT]
    value = int(neuron.kernel.size + neuron.recurrent_kernel.size)
    f, u, t = spec.features, spec.units, spec.timesteps
    scope = " (of one direction)" if spec.bidirectional else ""
    return QuestionDraft(
        f"{describe_input(spec)} At one timestep of one sample, how many numbers does one neuron of unit {unit}{scope} read? "
        "The bias is not read, so it does not count.",
        NumberAnswer(value, (f, f + 1, f * t, f + 2 * u, GATE_COUNT * (f + u), u)),
        "It reads the input of this timestep, and the outputs of all units at the previous timestep.",
        f"{plural(f, 'feature')} and the h of {plural(u, 'unit')}, its own among them: {neuron.kernel.size} + "
        f"{neuron.recurrent_kernel.size} = {value}.",
        command_for(lstm, "unit", unit=unit),
    )


def neurons(draw: Sampler) -> QuestionDraft:
    """How many neurons there are."""
    lstm = draw.lstm("bidirectional layers projection")
    spec = lstm.spec
    sums = [tensor.shape.axes[-1].size for tensor in explain_shapes(lstm).tensors if tensor.name == "pre_activation"]
    value, u = sum(sums), spec.units
    subject = "Over all layers and directions, how" if len(sums) > 1 else "How"
    return QuestionDraft(
        f"{describe_layers(spec)} reads sequences of {plural(spec.features, 'feature')}. A neuron is one sum of products with "
        f"its activation. {subject} many neurons work at each timestep?",
        NumberAnswer(
            value,
            (u, 3 * u * len(sums), GATE_COUNT * u, u * len(sums), GATE_COUNT * len(sums), (GATE_COUNT + 1) * u * len(sums)),
        ),
        "Every unit has an input gate, a forget gate, an output gate and a candidate.",
        f"{GATE_COUNT} neurons for each of {u} units" + (f", {len(sums)} times" if len(sums) > 1 else "") + f": {value} sums.",
        command_for(lstm, "shapes"),
    )


def weight_shape(draw: Sampler) -> QuestionDraft:
    """The shape of one of the two matrices of weights."""
    lstm = draw.lstm("no_bias projection")
    spec, recurrent = lstm.spec, draw.chance(2)
    weights = lstm.weights.of(0, spec.directions[0])
    sizes = (weights.recurrent_kernel if recurrent else weights.kernel).shape
    f, u, h = spec.features, spec.units, spec.hidden
    what = "what the layer put out one timestep before (h)" if recurrent else "the input of a timestep"
    return QuestionDraft(
        f"{describe_input(spec)} The weights for {what} stand in one matrix, with a row for each number that is read and a "
        "column for each neuron. What is its shape?",
        ShapeAnswer(
            tuple(sizes),
            ((f, u), (h, u), (f, GATE_COUNT * u), (h, GATE_COUNT * u), (f + h, GATE_COUNT * u), (spec.timesteps, u)),
        ),
        "How many numbers are read, and how many neurons read them? Samples and timesteps share the weights.",
        f"{format_shape(tuple(sizes))}: a row for each of {plural(sizes[0], 'number')}, and a column for each of {GATE_COUNT} "
        f"* {u} = {sizes[1]} neurons.",
        command_for(lstm, "shapes"),
    )


def second_layer_reads(draw: Sampler) -> QuestionDraft:
    """How many numbers the upper of two layers reads."""
    lstm = draw.lstm("bidirectional projection", layers=2)
    spec = lstm.spec
    value = int(lstm.run().layers[1][spec.directions[0]].input.shape[-1])
    f, u, t = spec.features, spec.units, spec.timesteps
    return QuestionDraft(
        f"{describe_input(spec)} How many numbers does the upper layer read from the layer below at each timestep of a "
        "sample?",
        NumberAnswer(value, (f, u, 2 * f, f + u, u * t, spec.hidden, GATE_COUNT * u)),
        "The upper layer does not see the features. It reads the output of the lower layer.",
        f"Read off the array that the upper layer was given: {value}. The lower layer outputs {_outputs_per_step(spec)}.",
        command_for(lstm, "shapes"),
    )


def windows(draw: Sampler) -> QuestionDraft:
    """How many windows a series gives."""
    rows, t, stride, horizon = draw.integer(30, 200), draw.integer(3, 24), draw.item((1, 1, 2, 3, 5)), draw.item((0, 0, 1, 2))
    series = np.arange(1.0, rows + 1)[:, None]
    result = explain_window(series, t, stride, horizon or None, 0 if horizon else None)
    value = int(result.x.shape[0])
    distance = f"{plural(stride, 'row')} further on"
    target_text = (
        f" The {'row' if horizon == 1 else f'{horizon} rows'} after a window must be there too, as its target."
        if horizon
        else ""
    )
    options = f"--timesteps {t}"
    options += (f" --stride {stride}" if stride > 1 else "") + (f" --horizon {horizon}" if horizon else "")
    return QuestionDraft(
        f"A series of {rows} rows is cut into windows of {t} rows. Each window begins {distance} than the one before."
        f"{target_text} How many windows (samples) are there?",
        NumberAnswer(
            value, (rows - t, (rows - t - horizon) // stride, rows // t, rows, rows - t + 1, (rows - t) // stride + 1)
        ),
        "Where does the first window begin, and where does the last one that still fits?",
        f"{result.windowing.formula}. The last window begins at row {result.windowing.first(value - 1)}, counted from 0.",
        f"seq {rows} | lstm-explain window - {options}",
    )


def dense_parameters(draw: Sampler) -> QuestionDraft:
    """How many weights the dense layer after an LSTM has."""
    lstm = draw.lstm("bidirectional projection")
    spec, outputs = lstm.spec, draw.integer(1, 5)
    (network,) = explain_tasks(lstm, Task.MANY_TO_ONE, outputs).networks
    value = next(part.total for part in network.parts if part.name == "dense")
    h, t = spec.output, spec.timesteps
    return QuestionDraft(
        f"{describe_input(spec)} Its last h goes to a dense layer of {plural(outputs, 'neuron')} with a bias each. How many "
        "weights does the dense layer have, biases included?",
        NumberAnswer(
            value,
            (h * outputs, (spec.hidden + 1) * outputs, (h * t + 1) * outputs, h + outputs, (spec.features + 1) * outputs),
        ),
        "Each of its neurons reads all numbers of the last h. How many numbers does it have?",
        f"The last h has {plural(h, 'number')}, so ({h} + 1) * {outputs} = {value}.",
        command_for(lstm, "tasks", "many-to-one", outputs=outputs if outputs > 1 else None),
    )


GOALS = {
    Task.MANY_TO_ONE: "one prediction for each whole sequence",
    Task.MANY_TO_MANY: "a prediction at every timestep",
}


def prediction_shape(draw: Sampler) -> QuestionDraft:
    """The shape of predictions, once for a sequence or at every timestep."""
    lstm = draw.lstm("bidirectional layers")
    spec, outputs, task = lstm.spec, draw.integer(1, 4), draw.item(tuple(GOALS))
    (network,) = explain_tasks(lstm, task, outputs).networks
    sizes = network.tensor("outputs").shape.sizes
    n, t, u = spec.samples, spec.timesteps, spec.units
    reads = "the last h" if task is Task.MANY_TO_ONE else "h of every timestep"
    return QuestionDraft(
        f"{describe_input(spec)} A dense layer of {plural(outputs, 'neuron')} reads {reads}, to make {GOALS[task]}. What "
        "shape do the predictions have, samples first?",
        ShapeAnswer(
            sizes, ((n, t, outputs), (n, outputs), (n, spec.output), (n, t, spec.output), (outputs,), (n, u, outputs))
        ),
        "The dense layer replaces the last axis and leaves the others as they are.",
        f"{format_shape(sizes)}, read off the network's output: {GOALS[task]}, and {plural(outputs, 'number')} in each.",
        command_for(lstm, "tasks", task.value, outputs=outputs if outputs > 1 else None),
    )


def longer_batch(draw: Sampler) -> QuestionDraft | None:
    """How many weights there are with a larger batch."""
    lstm = draw.lstm("bidirectional")
    spec, size_name = lstm.spec, draw.item(("samples", "timesteps"))
    before = explain_shapes(lstm).total
    value = explain_shapes(draw.resized(lstm, **{size_name: 2 * getattr(spec, size_name)})).total
    return QuestionDraft(
        f"{describe_input(spec)} It has {before} weights. How many would it have with twice as many {size_name}?",
        NumberAnswer(value, (2 * before, before + getattr(spec, size_name), before * getattr(spec, size_name), before // 2)),
        "Which axes of the weights would grow?",
        f"Counted again with {2 * getattr(spec, size_name)} {size_name}: {value}. All samples and all timesteps share one "
        "set of weights.",
        command_for(lstm, "shapes"),
    )


GENERATORS = (
    QuestionGenerator(1, "shapes", batch_shape),
    QuestionGenerator(1, "shapes", output_shape),
    QuestionGenerator(1, "shapes", parameters),
    QuestionGenerator(1, "unit", neuron_reads),
    QuestionGenerator(1, "tasks", prediction_shape),
    QuestionGenerator(1, "shapes", state_shape),
    QuestionGenerator(1, "unit", unit_parameters),
    QuestionGenerator(1, "window", windows),
    QuestionGenerator(1, "shapes", weight_shape),
    QuestionGenerator(1, "tasks", dense_parameters),
    QuestionGenerator(1, "shapes", neurons),
    QuestionGenerator(1, "shapes", second_layer_reads),
    QuestionGenerator(1, "shapes", longer_batch),
)
