"""Level 3, first half: how frameworks write the same layer: counts, orders of gates, shapes, states, how it starts.

Our weights are written in the framework's way, and the answers are read off those arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.apps.quiz.question import format_shape
from lstm_explain.apps.quiz.question_draft import (
    GATE_COUNT,
    GATE_NAMES,
    PRECISE_DTYPE,
    ChoiceAnswer,
    NumberAnswer,
    QuestionDraft,
    QuestionGenerator,
    Sampler,
    ShapeAnswer,
    command_for,
    describe_layers,
    gate_letters,
)
from lstm_explain.core.cell import step
from lstm_explain.core.gates import GATES, LETTERS, Direction, Gate
from lstm_explain.core.weight_variants import reorder_gates
from lstm_explain.core.weights import LayerWeights
from lstm_explain.document.numbers import plural
from lstm_explain.frameworks import keras, pytorch
from lstm_explain.frameworks.layout import export_layer
from lstm_explain.frameworks.registry import FRAMEWORKS
from lstm_explain.topics.frameworks import explain_frameworks

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.frameworks.framework import Framework

COUNTED = ("keras", "pytorch", "onnx", "haiku", "flax-linen", "tinygrad", "equinox", "mlx")
"""Well-known frameworks whose parameters are asked for. The order is part of what a seed gives."""
PACKED = tuple(
    framework for framework in FRAMEWORKS.values() if not framework.convention.gates_separate and not framework.info.is_cell
)
"""Layers that keep all gates in one array."""
SHAPED = ("keras", "pytorch", "onnx", "mlx", "haiku")
"""Frameworks whose shapes are asked for."""
VARIANTS = ("pytorch-cell", "flax-nnx-optimized")
"""Frameworks whose layer starts like another one's."""
STARTING = 1.0
"""The forget bias of a new layer in some frameworks."""


def _count_parameters(lstm: LSTM, name: str) -> int:
    """The numbers in all arrays that a framework keeps of an LSTM."""
    (framework,) = explain_frameworks(lstm, name).frameworks
    return sum(array.shape.elements for array in framework.weights)


def parameters_elsewhere(draw: Sampler) -> QuestionDraft:
    """How many parameters a framework's layer has."""
    framework = FRAMEWORKS[draw.item(COUNTED)]
    lstm = draw.lstm("bidirectional layers" if framework.call and not framework.info.is_cell else "")
    spec, value = lstm.spec, _count_parameters(lstm, framework.name)
    neurons = GATE_COUNT * spec.units * len(spec.layers) * len(spec.directions)
    ours = value - neurons * framework.convention.bias_count(spec)
    biases = framework.convention.bias_count(spec)
    return QuestionDraft(
        f"{describe_layers(spec)} reads {plural(spec.features, 'feature')}. How many parameters does it have in "
        f"{framework.title} ({framework.info.class_name})?",
        NumberAnswer(
            value,
            (ours + neurons * (3 - biases), ours, value // GATE_COUNT, value * len(spec.directions), value + neurons * 2),
        ),
        f"How many biases does each neuron have in {framework.title}?",
        f"Counted from the arrays that {framework.title} would keep: {value}. Each of {neurons} neurons has {biases} "
        f"{'bias' if biases == 1 else 'biases'} there, so {neurons * biases} of the {value} numbers are biases.",
        command_for(lstm, "frameworks", framework.name),
    )


def second_bias(draw: Sampler) -> QuestionDraft:
    """By how many the counts of two frameworks differ."""
    lstm = draw.lstm("bidirectional layers")
    spec = lstm.spec
    less_name, more_name = "keras", draw.item(("pytorch", "onnx"))
    counts = {name: _count_parameters(lstm, name) for name in (more_name, less_name)}
    value, u = counts[more_name] - counts[less_name], spec.units
    more, less = FRAMEWORKS[more_name].title, FRAMEWORKS[less_name].title
    return QuestionDraft(
        f"{describe_layers(spec)} reads {plural(spec.features, 'feature')}. By how many is the number of parameters in {more} "
        f"larger than that in {less}?",
        NumberAnswer(value, (0, u, GATE_COUNT * u, 2 * GATE_COUNT * u, GATE_COUNT * (spec.features + u), spec.features)),
        f"{more} has two biases where {less} has one. How many neurons are there?",
        f"{counts[more_name]} - {counts[less_name]} = {value}: one more bias for each of {value} neurons. The "
        "two biases are added, so the second adds nothing that the layer can learn.",
        command_for(lstm, "frameworks"),
    )


def _gate_index_weights(units: int, features: int) -> LayerWeights:
    """Weights of which every number tells its gate: 0 for i, 1 for f, and so on."""
    columns = np.repeat(np.arange(float(GATE_COUNT)), units)
    return LayerWeights(np.tile(columns, (features, 1)), np.tile(columns, (units, 1)), columns)


def gate_block(draw: Sampler) -> QuestionDraft:
    """Whose block of weights this is in a framework's order."""
    lstm, framework, block = draw.lstm(), draw.item(PACKED), draw.below(GATE_COUNT)
    spec = lstm.spec
    parts = {Direction.FORWARD: _gate_index_weights(spec.units, spec.features)}
    name, _, array = next(iter(export_layer(framework.convention, parts, 0)))
    axis = array.ndim - (2 if framework.convention.output_major else 1)
    first, last = block * spec.units, (block + 1) * spec.units - 1
    numbers = set(np.take(array, np.arange(first, last + 1), axis).ravel().tolist())
    line_name = "rows" if framework.convention.output_major else "columns"
    return QuestionDraft(
        f"In {framework.title}, the array {name} of a layer of {spec.units} units has the shape "
        f"{format_shape(array.shape)}. Which gate do its {line_name} {first} to {last} (along axis {axis}) belong "
        "to? Everything counts from 0.",
        ChoiceAnswer(tuple((GATE_NAMES[gate], numbers == {float(number)}) for number, gate in enumerate(GATES))),
        f"Each gate has {spec.units} {line_name} in a row. In which order are the gates packed in {framework.title}?",
        f"Weights that name their gate were written in {framework.title}'s layout and read back: its order is "
        f"{gate_letters(framework.convention.gate_order)}.",
        command_for(lstm, "frameworks", framework.name),
    )


def array_shape(draw: Sampler) -> QuestionDraft:
    """The shape of one of a framework's arrays."""
    framework = FRAMEWORKS[draw.item(SHAPED)]
    lstm = draw.lstm("bidirectional layers" if framework.call and not framework.info.is_cell else "")
    spec = lstm.spec
    arrays = [array for array in explain_frameworks(lstm, framework.name).frameworks[0].weights if len(array.shape.axes) > 1]
    array = draw.item(arrays)
    sizes = array.shape.sizes
    transposed = (*sizes[:-2], sizes[-1], sizes[-2])
    f, u = spec.features, spec.units
    gates = GATE_COUNT * u
    plain = [(gates, f), (f, gates), (gates, u), (u, gates), (f, u), (gates, 2 * u), (gates, f + u)]
    where = f" in layer {array.layer} (layers count from 0)" if len(spec.layers) > 1 else ""
    return QuestionDraft(
        f"{describe_layers(spec)} reads {plural(f, 'feature')}. In {framework.title}, what is the shape of its array "
        f"{array.name}{where}?",
        ShapeAnswer(sizes, (transposed, *((*sizes[:-2], *two) for two in plain))),
        f"In {framework.title}, the {'first' if framework.convention.output_major else 'last'} axis of a matrix is that of "
        "the neurons. What do they read?",
        f"Read off our weights, written in {framework.title}'s layout: {array.name} has the shape {array.shape}.",
        command_for(lstm, "frameworks", framework.name),
    )


def state_slice(draw: Sampler) -> QuestionDraft | None:
    """Which slice of h_n a layer and direction has."""
    lstm = draw.lstm(bidirectional=True, layers=draw.integer(2, 3))
    spec = lstm.spec
    record, layer, direction = lstm.run(), draw.below(len(spec.layers)), draw.item(spec.directions)
    last_hidden = record.of(layer, direction).last_hidden
    slices = [index for index, state in enumerate(record.last_hidden) if np.array_equal(state, last_hidden)]
    if len(slices) != 1:
        return None
    is_backward = int(direction is Direction.BACKWARD)
    all_slices = range(len(record.last_hidden))
    guesses = (layer + len(spec.layers) * is_backward, layer, 2 * layer, *all_slices)
    return QuestionDraft(
        f"output, (h_n, c_n) = {pytorch.layer_constructor(spec)}(x). For which k is h_n[k] the last state of layer {layer} "
        f"(layers count from 0) in the {direction.value} direction?",
        NumberAnswer(slices[0], tuple(guess for guess in guesses if guess in all_slices)),
        "Do the slices go layer by layer, or direction by direction?",
        f"Compared with the run: h_n[{slices[0]}] has exactly these numbers. The slices go layer by layer, forward and "
        f"backward of each: k = 2 * {layer} + {is_backward}.",
        command_for(lstm, "shapes"),
    )


def states_in_pytorch(draw: Sampler) -> QuestionDraft:
    """The shape of h_n and c_n, batch_first or not."""
    lstm = draw.lstm("bidirectional layers projection")
    spec, record, cell, batch_first = lstm.spec, lstm.run(), draw.chance(2), draw.chance(2)
    states = record.last_cell if cell else record.last_hidden
    sizes = states.shape
    k, n, w = sizes
    axes = "samples, timesteps, features" if batch_first else "timesteps, samples, features"
    input_sizes = (n, spec.timesteps, spec.features) if batch_first else (spec.timesteps, n, spec.features)
    other = spec.hidden if cell else spec.units
    return QuestionDraft(
        f"output, (h_n, c_n) = {pytorch.layer_constructor(spec, batch_first=batch_first)}(x), where x has the shape "
        f"{format_shape(input_sizes)}: {axes}. What is the shape of {'c_n' if cell else 'h_n'}?",
        ShapeAnswer(
            sizes,
            (
                (n, k, w),
                (k, n, other),
                (n, w),
                (len(spec.layers), n, len(spec.directions) * w),
                (1, n, w),
                (k, spec.timesteps, w),
            ),
        ),
        "One slice for each layer and direction comes first, with batch_first=True too.",
        f"Read off the run: {format_shape(sizes)}: {k} = layers * directions, {plural(n, 'sample')}, {plural(w, 'number')}. "
        "batch_first changes the axes of the input and output, never those of the states.",
        command_for(lstm, "shapes"),
    )


def forget_start(draw: Sampler) -> QuestionDraft | None:
    """Which framework starts with a forget bias of 1."""
    candidates = [
        framework
        for framework in FRAMEWORKS.values()
        if framework.info.forget_bias.how != "given" and framework.name not in VARIANTS
    ]
    starting_at_1 = [framework for framework in candidates if framework.info.forget_bias.value == STARTING]
    others = [framework for framework in candidates if framework.info.forget_bias.value != STARTING]
    right = draw.item(starting_at_1)
    choices = [right, *draw.shuffled(others)[: GATE_COUNT - 1]]
    f = _forget_of_zeros(STARTING)
    biases = "; ".join(f"{framework.title}: {framework.info.forget_bias}" for framework in choices)
    return QuestionDraft(
        f"A new layer reads nothing but zeros. In which of these does its forget gate begin at {f:.2f}, so that much of the "
        "memory is kept?",
        ChoiceAnswer(
            tuple((f"{framework.title} ({framework.info.class_name})", _begins(framework, f)) for framework in choices)
        ),
        f"{f:.2f} is the sigmoid of 1. Which framework gives the forget gate a bias of 1?",
        f"The forget bias of a new layer: {biases}. With an input of zeros, a bias of 1 makes f = {f:.2f}, and a bias of 0 "
        f"makes {_forget_of_zeros(0):.2f}.",
        f"lstm-explain frameworks {right.name}",
    )


def _begins(framework: Framework, f: float) -> bool:
    value = framework.info.forget_bias.value
    return value is not None and abs(_forget_of_zeros(value) - f) < 1e-9


def _forget_of_zeros(bias: float) -> float:
    """The forget gate of a unit that reads zeros, in a step that is run."""
    biases = np.array([bias if gate is Gate.FORGET else 0.0 for gate in GATES])
    zeros = np.zeros((1, 1))
    return float(step(LayerWeights(np.zeros((1, GATE_COUNT)), np.zeros((1, GATE_COUNT)), biases), zeros, zeros, zeros).f[0, 0])


def wrong_order(draw: Sampler) -> QuestionDraft | None:
    """How many gates survive a wrong order."""
    from lstm_explain.core.compare import max_abs_difference
    from lstm_explain.core.engine import forward

    lstm = draw.lstm(dtype=PRECISE_DTYPE)
    spec, saved = lstm.spec, draw.item(PACKED)
    others = [framework for framework in PACKED if framework.convention.gate_order != saved.convention.gate_order]
    read = draw.item(others)
    marked, order = _gate_index_weights(1, 1), read.convention.gate_order
    unpacked = saved.convention._replace(gate_order=order).unpack(saved.convention.pack(marked._replace(bias=None)))
    columns = [(gate, marked.columns(gate)) for gate in GATES]
    kept = [gate for gate, block in columns if np.array_equal(unpacked.kernel[:, block], marked.kernel[:, block])]
    x = lstm.inputs.block(0, 1)
    swapped = reorder_gates(lstm.weights, _gates_read_as(saved.convention.gate_order, order))
    difference = max_abs_difference(forward(spec, swapped, x).output, forward(spec, lstm.weights, x).output)
    letters = ", ".join(LETTERS[gate] for gate in kept) or "none"
    return QuestionDraft(
        f"Weights packed in the gate order of {saved.title} ({gate_letters(saved.convention.gate_order)}) are loaded as if "
        f"they were in that of {read.title} ({gate_letters(order)}). No error is raised. How many of the four gates get their "
        "own weights all the same?",
        NumberAnswer(len(kept), (0, 1, 2, 3, 4)),
        "Write one order below the other.",
        f"Packed and read back: {letters} stayed in place. In an LSTM of {plural(spec.units, 'unit')}, the output then "
        f"differs by up to {difference:.2f}.",
        command_for(lstm, "frameworks"),
    )


def _gates_read_as(saved: tuple[Gate, ...], read: tuple[Gate, ...]) -> tuple[Gate, ...]:
    """For each of our places, whose weights are taken there once one order is read as the other."""
    taken = dict(zip(saved, read, strict=True))
    return tuple(taken[gate] for gate in GATES)


def sequence_in_keras(draw: Sampler) -> QuestionDraft:
    """What a layer of Keras returns, with and without return_sequences."""
    lstm, all_steps = draw.lstm("bidirectional"), draw.chance(2)
    spec, output = lstm.spec, lstm.run().output
    sizes = output.shape if all_steps else output[:, -1].shape
    n, t, f, u = spec.samples, spec.timesteps, spec.features, spec.units
    constructor = keras.layer_constructor(spec, "return_sequences=True" if all_steps else "", module="layers.")
    return QuestionDraft(
        f"In Keras, {constructor} is called on x of the shape {format_shape((n, t, f))}. What is the shape of what it "
        "returns?",
        ShapeAnswer(sizes, ((n, t, spec.output), (n, spec.output), (n, t, u), (n, u), (n, f, u), (n, t, f), (n, t))),
        "return_sequences=True returns h of every timestep; without it, only the last h is returned.",
        f"Read off the run: {format_shape(sizes)}. {plural(spec.output, 'number')} of h"
        + (f", {u} in each direction" if spec.bidirectional else "")
        + (f", at each of {t} timesteps." if all_steps else ", after the last timestep."),
        command_for(lstm, "shapes"),
    )


GENERATORS = (
    QuestionGenerator(3, "frameworks", parameters_elsewhere),
    QuestionGenerator(3, "frameworks", gate_block),
    QuestionGenerator(3, "shapes", states_in_pytorch),
    QuestionGenerator(3, "frameworks", array_shape),
    QuestionGenerator(3, "shapes", state_slice),
    QuestionGenerator(3, "frameworks", second_bias),
    QuestionGenerator(3, "frameworks", wrong_order),
    QuestionGenerator(3, "shapes", sequence_in_keras),
    QuestionGenerator(3, "frameworks", forget_start),
)
