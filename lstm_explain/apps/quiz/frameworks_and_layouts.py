"""Level 3, first half: how frameworks write the same layer: counts, orders of gates, shapes, states, how it starts.

Our weights are written in the framework's way, and the answers are read off those arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.apps.quiz.question import format_shape
from lstm_explain.apps.quiz.question_draft import ChoiceAnswer, NumberAnswer, QuestionDraft, QuestionGenerator, ShapeAnswer
from lstm_explain.apps.quiz.wording import GATE_COUNT, GATE_NAMES, PRECISE_DTYPE, command_for, describe_layers, gate_letters
from lstm_explain.core.cell import step
from lstm_explain.core.gates import GATES, LETTERS, Direction, Gate
from lstm_explain.core.weight_variants import reorder_gates
from lstm_explain.core.weights import LayerWeights
from lstm_explain.document.numbers import plural
from lstm_explain.frameworks.layout import export_layer
from lstm_explain.frameworks.registry import FRAMEWORKS
from lstm_explain.topics.frameworks import explain_frameworks

if TYPE_CHECKING:
    from lstm_explain.apps.quiz.sampler import Sampler
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.frameworks.framework import Framework

COUNTED = ("keras", "pytorch", "onnx", "haiku", "flax-linen", "tinygrad", "equinox", "mlx")
"""Frameworks whose parameters are asked for."""
PACKED = tuple(one for one in FRAMEWORKS.values() if "*" not in one.convention.kernel and not one.info.is_cell)
"""Layers that keep all gates in one array."""
STACKED = ("keras", "pytorch", "onnx")
"""Frameworks that build stacks and both directions themselves."""
SHAPED = ("keras", "pytorch", "onnx", "mlx", "haiku")
STARTING = 1.0
"""The forget bias that some start with."""


def _count_parameters(lstm: LSTM, name: str) -> int:
    """The numbers in all arrays that a framework keeps of an LSTM."""
    (one,) = explain_frameworks(lstm, name).frameworks
    return sum(array.shape.elements for array in one.weights)


def parameters_elsewhere(draw: Sampler) -> QuestionDraft:
    """How many parameters a framework's layer has."""
    one = FRAMEWORKS[draw.one(COUNTED)]
    lstm = draw.lstm("bidirectional layers" if one.name in STACKED else "")
    spec, value = lstm.spec, _count_parameters(lstm, one.name)
    neurons = GATE_COUNT * spec.units * len(spec.layers) * len(spec.directions)
    ours = value - neurons * one.convention.bias_count(spec)
    biases = one.convention.bias_count(spec)
    return QuestionDraft(
        f"{describe_layers(spec)} reads {plural(spec.features, 'feature')}. How many parameters does it have in {one.title} "
        f"({one.info.class_name})?",
        NumberAnswer(
            value,
            (ours + neurons * (3 - biases), ours, value // GATE_COUNT, value * len(spec.directions), value + neurons * 2),
        ),
        f"How many biases does each neuron have in {one.title}?",
        f"Counted off the arrays that {one.title} would keep: {value}. Each of {neurons} neurons has {biases} "
        f"{'bias' if biases == 1 else 'biases'} there, so {neurons * biases} of the {value} numbers are biases.",
        command_for(lstm, "frameworks", one.name),
    )


def second_bias(draw: Sampler) -> QuestionDraft:
    """By how many the counts of two frameworks differ."""
    lstm = draw.lstm("bidirectional layers")
    spec = lstm.spec
    other, one = "keras", draw.one(("pytorch", "onnx"))
    counts = {name: _count_parameters(lstm, name) for name in (one, other)}
    value, u = counts[one] - counts[other], spec.units
    more, less = FRAMEWORKS[one].title, FRAMEWORKS[other].title
    return QuestionDraft(
        f"{describe_layers(spec)} reads {plural(spec.features, 'feature')}. By how many is the number of parameters in {more} "
        f"larger than that in {less}?",
        NumberAnswer(value, (0, u, GATE_COUNT * u, 2 * GATE_COUNT * u, GATE_COUNT * (spec.features + u), spec.features)),
        f"{more} has two biases where {less} has one. How many neurons are there?",
        f"{counts[one]} - {counts[other]} = {value}: one more bias for each of {value} neurons. Both biases are added up, so "
        "the layer can do nothing more with them.",
        command_for(lstm, "frameworks"),
    )


def _gate_index_weights(units: int, features: int) -> LayerWeights:
    """Weights of which every number tells its gate: 0 for i, 1 for f, and so on."""
    columns = np.repeat(np.arange(float(GATE_COUNT)), units)
    return LayerWeights(np.tile(columns, (features, 1)), np.tile(columns, (units, 1)), columns)


def gate_block(draw: Sampler) -> QuestionDraft:
    """Whose block of weights this is in a framework's order."""
    lstm, one, block = draw.lstm(), draw.one(PACKED), draw.below(GATE_COUNT)
    spec = lstm.spec
    parts = {Direction.FORWARD: _gate_index_weights(spec.units, spec.features)}
    name, _, array = next(iter(export_layer(one.convention, parts, 0)))
    axis = array.ndim - (2 if one.convention.output_major else 1)
    first, last = block * spec.units, (block + 1) * spec.units - 1
    found = set(np.take(array, np.arange(first, last + 1), axis).ravel().tolist())
    lines = "rows" if one.convention.output_major else "columns"
    return QuestionDraft(
        f"In {one.title}, the array {name} of a layer of {spec.units} units has the shape {format_shape(array.shape)}. Which "
        f"gate do its {lines} {first} to {last} (along axis {axis}) belong to? Everything counts from 0.",
        ChoiceAnswer(tuple((GATE_NAMES[gate], found == {float(place)}) for place, gate in enumerate(GATES))),
        f"Each gate has {spec.units} {lines} in a row. In which order do the gates stand in {one.title}?",
        f"Weights that tell their gate were written in {one.title}'s way and read off: its order is "
        f"{gate_letters(one.convention.gate_order)}.",
        command_for(lstm, "frameworks", one.name),
    )


def array_shape(draw: Sampler) -> QuestionDraft:
    """The shape of one of a framework's arrays."""
    one = FRAMEWORKS[draw.one(SHAPED)]
    lstm = draw.lstm("bidirectional layers" if one.name in STACKED else "")
    spec = lstm.spec
    arrays = [array for array in explain_frameworks(lstm, one.name).frameworks[0].weights if len(array.shape.axes) > 1]
    array = draw.one(arrays)
    sizes = array.shape.sizes
    turned = (*sizes[:-2], sizes[-1], sizes[-2])
    f, u = spec.features, spec.units
    gates = GATE_COUNT * u
    plain = [(gates, f), (f, gates), (gates, u), (u, gates), (f, u), (gates, 2 * u), (gates, f + u)]
    whose = f" in layer {array.layer} (layers count from 0)" if len(spec.layers) > 1 else ""
    return QuestionDraft(
        f"{describe_layers(spec)} reads {plural(f, 'feature')}. In {one.title}, what is the shape of its array "
        f"{array.name}{whose}?",
        ShapeAnswer(sizes, (turned, *((*sizes[:-2], *two) for two in plain))),
        f"In {one.title}, the neurons stand along the {'first' if one.convention.output_major else 'last'} axis of a "
        "matrix. What do they read?",
        f"Read off our weights, written in {one.title}'s way: {array.name} has the shape {array.shape}.",
        command_for(lstm, "frameworks", one.name),
    )


def state_slice(draw: Sampler) -> QuestionDraft | None:
    """Which slice of h_n a layer and direction has."""
    lstm = draw.lstm(bidirectional=True, layers=draw.whole(2, 3))
    spec = lstm.spec
    record, layer, way = lstm.run(), draw.below(len(spec.layers)), draw.one(spec.directions)
    own = record.of(layer, way).last_hidden
    places = [place for place, state in enumerate(record.last_hidden) if np.array_equal(state, own)]
    if len(places) != 1:
        return None
    back = int(way is Direction.BACKWARD)
    among = range(len(record.last_hidden))
    return QuestionDraft(
        f"output, (h_n, c_n) = torch.nn.LSTM({spec.features}, {spec.units}, num_layers={len(spec.layers)}, "
        f"bidirectional=True)(x). For which k is h_n[k] the last state of layer {layer} (layers count from 0) in the "
        f"{way.value} direction?",
        NumberAnswer(
            places[0], tuple(one for one in (layer + len(spec.layers) * back, layer, 2 * layer, *among) if one in among)
        ),
        "Do the slices go layer by layer, or direction by direction?",
        f"Compared with the run: h_n[{places[0]}] holds exactly these numbers. The slices go layer by layer, forward and "
        f"backward of each: k = 2 * {layer} + {back}.",
        command_for(lstm, "shapes"),
    )


def states_in_pytorch(draw: Sampler) -> QuestionDraft:
    """The shape of h_n and c_n, batch_first or not."""
    lstm = draw.lstm("bidirectional layers projection")
    spec, record, cell, first = lstm.spec, lstm.run(), draw.chance(2), draw.chance(2)
    states = record.last_cell if cell else record.last_hidden
    sizes = states.shape
    k, n, w = sizes
    options = [f"{spec.features}, {spec.units}"]
    options += [f"num_layers={len(spec.layers)}"] if len(spec.layers) > 1 else []
    options += ["bidirectional=True"] if spec.bidirectional else []
    options += [f"proj_size={spec.projection}"] if spec.projection else []
    options += ["batch_first=True"] if first else []
    axes = "samples, timesteps, features" if first else "timesteps, samples, features"
    given = (n, spec.timesteps, spec.features) if first else (spec.timesteps, n, spec.features)
    other = spec.hidden if cell else spec.units
    return QuestionDraft(
        f"output, (h_n, c_n) = torch.nn.LSTM({', '.join(options)})(x), where x has the shape {format_shape(given)}: {axes}. "
        f"What is the shape of {'c_n' if cell else 'h_n'}?",
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
        "batch_first turns the input and output alone, never the states.",
        command_for(lstm, "shapes"),
    )


def forget_start(draw: Sampler) -> QuestionDraft | None:
    """Which framework starts with a forget bias of 1."""
    known = [
        one
        for one in FRAMEWORKS.values()
        if one.info.forget_bias.how != "given" and one.name not in ("pytorch-cell", "flax-nnx-optimized")
    ]
    yes = [one for one in known if one.info.forget_bias.value == STARTING]
    no = [one for one in known if one.info.forget_bias.value != STARTING]
    right = draw.one(yes)
    among = [right, *draw.shuffled(no)[: GATE_COUNT - 1]]
    f = _forget_of_zeros(STARTING)
    told = "; ".join(f"{one.title}: {one.info.forget_bias}" for one in among)
    return QuestionDraft(
        f"A new layer reads nothing but zeros. In which of these does its forget gate begin at {f:.2f}, so that much of the "
        "memory is kept?",
        ChoiceAnswer(tuple((f"{one.title} ({one.info.class_name})", _begins(one, f)) for one in among)),
        f"{f:.2f} is the sigmoid of 1. Who gives the forget gate a bias of 1?",
        f"The forget bias that each starts with: {told}. Run with zeros, a bias of 1 makes f = {f:.2f}, and one of 0 makes "
        f"{_forget_of_zeros(0):.2f}.",
        f"lstm-explain frameworks {right.name}",
    )


def _begins(one: Framework, f: float) -> bool:
    value = one.info.forget_bias.value
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
    spec, saved = lstm.spec, draw.one(PACKED)
    others = [one for one in PACKED if one.convention.gate_order != saved.convention.gate_order]
    read = draw.one(others)
    marked, order = _gate_index_weights(1, 1), read.convention.gate_order
    back = saved.convention._replace(gate_order=order).unpack(saved.convention.pack(marked._replace(bias=None)))
    right = [
        gate for gate in GATES if np.array_equal(back.kernel[:, back.columns(gate)], marked.kernel[:, marked.columns(gate)])
    ]
    x = lstm.inputs.block(0, 1)
    swapped = reorder_gates(lstm.weights, _gates_read_as(saved.convention.gate_order, order))
    apart = max_abs_difference(forward(spec, swapped, x).output, forward(spec, lstm.weights, x).output)
    good = ", ".join(LETTERS[gate] for gate in right) or "none"
    return QuestionDraft(
        f"Weights packed in the gate order of {saved.title} ({gate_letters(saved.convention.gate_order)}) are loaded as if "
        f"they were in that of {read.title} ({gate_letters(order)}). No error is raised. How many of the four gates get their "
        "own weights all the same?",
        NumberAnswer(len(right), (0, 1, 2, 3, 4)),
        "Write the two orders below each other.",
        f"Packed and read back: {good} stayed in place. In an LSTM of {plural(spec.units, 'unit')}, the output is then off "
        f"by up to {apart:.2f}.",
        command_for(lstm, "frameworks"),
    )


def _gates_read_as(saved: tuple[Gate, ...], read: tuple[Gate, ...]) -> tuple[Gate, ...]:
    """For each of our places, whose weights are taken there once one order is read as the other."""
    taken = dict(zip(saved, read, strict=True))
    return tuple(taken[gate] for gate in GATES)


def sequence_in_keras(draw: Sampler) -> QuestionDraft:
    """What a layer of Keras returns, with and without return_sequences."""
    lstm, every = draw.lstm("bidirectional"), draw.chance(2)
    spec, output = lstm.spec, lstm.run().output
    sizes = output.shape if every else output[:, -1].shape
    n, t, f, u = spec.samples, spec.timesteps, spec.features, spec.units
    layer = f"layers.LSTM({u}{', return_sequences=True' if every else ''})"
    built = f"layers.Bidirectional({layer})" if spec.bidirectional else layer
    return QuestionDraft(
        f"In Keras, {built} is called on x of the shape {format_shape((n, t, f))}. What is the shape of what it returns?",
        ShapeAnswer(sizes, ((n, t, spec.output), (n, spec.output), (n, t, u), (n, u), (n, f, u), (n, t, f), (n, t))),
        "return_sequences=True gives every timestep; without it there is the last h alone.",
        f"Read off the run: {format_shape(sizes)}. {plural(spec.output, 'number')} of h"
        + (f", {u} in each direction" if spec.bidirectional else "")
        + (f", at each of {t} timesteps." if every else ", after the last timestep."),
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
