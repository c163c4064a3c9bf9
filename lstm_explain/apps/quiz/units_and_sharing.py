"""Level 2, units and sharing: what a unit keeps to itself, what it shares and when. Every answer is an experiment."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.apps.quiz.question_draft import (
    GATE_COUNT,
    MAX_TRACEABLE_STEPS,
    PRECISE_DTYPE,
    ChoiceAnswer,
    NumberAnswer,
    QuestionDraft,
    QuestionGenerator,
    Sampler,
    command_for,
    describe_input,
    describe_layers,
)
from lstm_explain.core.cell import step
from lstm_explain.core.engine import forward
from lstm_explain.core.gates import GATES, LETTERS, Direction, Gate
from lstm_explain.core.weights import LayerWeights
from lstm_explain.document.numbers import plural
from lstm_explain.topics.influence import explain_influence
from lstm_explain.topics.shapes import explain_shapes
from lstm_explain.topics.unit import explain_unit

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec

HELD = 1000.0
"""A bias that holds a sigmoid at exactly 1; its negative holds it at exactly 0."""
MIN_DISTANCE = 0.06
"""The smallest distance between the choices of an arithmetic question, which are shown with two decimals."""


def _sample_later_step(draw: Sampler, spec: Spec) -> int:
    """A timestep that has a previous one."""
    return draw.integer(2, spec.timesteps)


def next_timestep(draw: Sampler) -> QuestionDraft | None:
    """How many units notice, one timestep later, what one of them put out."""
    lstm = draw.lstm("peepholes no_bias")
    spec, unit = lstm.spec, draw.below(lstm.spec.units)
    if spec.timesteps == 1:
        return None
    t = _sample_later_step(draw, spec)
    cells = explain_influence(lstm, unit, step=t).statements.next_timestep.cells
    return QuestionDraft(
        f"{describe_input(spec)} Suppose that unit {unit} had put out a slightly larger h at timestep {t - 1}. How many of "
        f"the {spec.units} units, itself included, would then have another memory c at timestep {t}?",
        NumberAnswer(cells.moved, (1, 0, spec.units - 1, GATE_COUNT * spec.units, spec.features)),
        f"Who reads the h of unit {unit} at timestep {t}?",
        f"Measured on the running LSTM: h of unit {unit} changed by 0.1, and {cells.moved} of {cells.of} memories changed. "
        "Through h, every unit reads every unit, one timestep later.",
        command_for(lstm, "influence", unit=unit, step=t),
    )


def same_timestep(draw: Sampler) -> QuestionDraft | None:
    """How many units notice another one's memory at the same timestep."""
    lstm = draw.lstm("peepholes no_bias", dtype=PRECISE_DTYPE)
    spec, unit, t = lstm.spec, draw.below(lstm.spec.units), draw.integer(1, lstm.spec.timesteps)
    changes, all_units = explain_influence(lstm, unit, step=t).statements.same_timestep, draw.chance(2)
    value = changes.other_emitted.moved + (changes.own_emitted.moved if all_units else 0)
    units_text = f"all {spec.units} units" if all_units else f"the other {plural(spec.units - 1, 'unit')}"
    return QuestionDraft(
        f"{describe_input(spec)} Just before timestep {t}, the memory c of unit {unit} is changed, and nothing else. How many "
        f"of {units_text} put out another h at timestep {t} itself?",
        NumberAnswer(value, (1, 0, spec.units - 1, spec.units, GATE_COUNT)),
        "Which numbers does a unit read: its own memory, the memories of others, or the previous outputs of others?",
        f"Measured on the running LSTM: the unit's own h changed by {changes.own_emitted.largest:.2g}, and "
        f"{changes.other_emitted.moved} of {changes.other_emitted.of} others changed. A memory is private: within a "
        "timestep no unit sees the memory of another.",
        command_for(lstm, "influence", unit=unit, step=t),
    )


def own_weights(draw: Sampler) -> QuestionDraft:
    """How many gate values one unit's weights make."""
    lstm = draw.lstm("peepholes no_bias")
    spec, unit = lstm.spec, draw.below(lstm.spec.units)
    changes = explain_influence(lstm, unit).statements.parameters
    value = changes.own_gates.moved + changes.other_gates.moved
    every = GATE_COUNT * spec.units
    return QuestionDraft(
        f"{describe_input(spec)} Its {spec.units} units have {every} gate values at a timestep: i, f, g and o of each. All "
        f"weights that belong to unit {unit} are changed, and one timestep is run again from the same h and c. How many of "
        f"the {every} gate values are then different?",
        NumberAnswer(value, (every, 1, spec.units, every - GATE_COUNT, 0)),
        "Does any other unit use these weights?",
        f"Measured on the running LSTM: {changes.own_gates.moved} gates of unit {unit} changed, and "
        f"{changes.other_gates.moved} of {changes.other_gates.of} gates of the others. No other unit uses its "
        f"{changes.owned} weights.",
        command_for(lstm, "influence", unit=unit),
    )


def ripple(draw: Sampler) -> QuestionDraft | None:
    """When a unit's h first reaches another unit."""
    lstm = draw.lstm("peepholes bidirectional")
    spec, unit = lstm.spec, draw.below(lstm.spec.units)
    direction = spec.directions[-1]
    if spec.timesteps < 3 or spec.units < 2:
        return None
    at = draw.integer(2, spec.timesteps - 1)
    propagation = explain_influence(lstm, unit, direction=direction.value, poke=unit, at=at).ripple
    others = np.arange(spec.units) != unit
    if propagation is None or not (propagation.hidden[:, others] != 0).any():
        return None
    first = propagation.steps[int(np.argmax((propagation.hidden[:, others] != 0).any(axis=1)))]
    moved = propagation.moved_counts[propagation.steps.index(first)]
    is_backward = direction is Direction.BACKWARD
    scope = "In the direction that reads from the last timestep to the first, " if is_backward else ""
    change_text = f"{'as' if scope else 'As'} soon as timestep {at} is computed, the h of unit {unit} is changed."
    return QuestionDraft(
        f"{describe_input(spec)} {scope}{change_text} At which timestep is the h of another unit different for the first "
        "time?",
        NumberAnswer(first, (at, at + 1, at - 1, spec.timesteps, 1, at + 2)),
        "What reads h of a timestep?" + (" And which timestep comes next in this direction?" if is_backward else ""),
        f"Measured on the running LSTM: at timestep {at} only unit {unit} itself differs; at timestep {first}, {moved} of the "
        f"{spec.units} numbers of h do. h needs one timestep to reach the others.",
        command_for(lstm, "influence", poke=unit, at=at, direction=direction.value if is_backward else None),
    )


GROWTHS = ("samples", "timesteps", "features", "units")


def growth(draw: Sampler) -> QuestionDraft:
    """What the number of weights depends on."""
    lstm = draw.lstm("bidirectional peepholes")
    spec, grows = lstm.spec, draw.item((True, False))
    before = explain_shapes(lstm).total
    counts = {name: explain_shapes(draw.resized(lstm, **{name: 2 * getattr(spec, name)})).total for name in GROWTHS}
    changing, constant = ("features", "units"), ("samples", "timesteps")
    chosen = (draw.item(changing), *constant) if grows else (draw.item(constant), *changing)
    claims = [(f"twice as many {name}", (counts[name] != before) is grows) for name in chosen]
    claims += [("weights drawn from another seed", (explain_shapes(draw.resized(lstm)).total != before) is grows)]
    claims = claims if grows else claims[:3]
    counts_text = ", ".join(f"{counts[name]} with twice as many {name}" for name in GROWTHS)
    return QuestionDraft(
        f"{describe_input(spec)} It has {before} weights. Which of these {'changes' if grows else 'does not change'} that "
        "number?",
        ChoiceAnswer(tuple(claims)),
        "Which sizes do the axes of the weights depend on?",
        f"Counted each time: {counts_text}. The weights are shared by all samples and all timesteps.",
        command_for(lstm, "shapes"),
    )


def samples_apart(draw: Sampler) -> QuestionDraft:
    """How many samples notice a change of one of them."""
    lstm = draw.lstm("bidirectional layers")
    spec, sample = lstm.spec, draw.below(lstm.spec.samples)
    x = lstm.inputs.block(0, spec.samples)
    moved = int(_changed_outputs(lstm, x, (sample,)).any(axis=(1, 2)).sum())
    return QuestionDraft(
        f"{describe_input(spec)} All numbers of sample {sample} (samples count from 0) are replaced by others. In how many "
        "samples does the output change?",
        NumberAnswer(moved, (spec.samples, spec.samples - sample, spec.samples - 1, 0, sample)),
        "What is carried from one timestep to the next? And from one sample to the next?",
        f"Run twice and compared: the outputs of {plural(moved, 'sample')} changed. h and c go from timestep to timestep, "
        "and each sample starts anew.",
        command_for(lstm, "trace", sample=sample),
    )


def _changed_outputs(lstm: LSTM, x: Array, index: tuple[int, ...]) -> Array:
    """Which outputs differ once the inputs at a place are changed; [samples, timesteps, output]."""
    changed = x.copy()
    changed[index] += 1
    differs: Array = forward(lstm.spec, lstm.weights, x).output != forward(lstm.spec, lstm.weights, changed).output
    return differs


def timesteps_reached(draw: Sampler) -> QuestionDraft | None:
    """How many timesteps notice a change of the input at one of them."""
    lstm = draw.lstm("bidirectional")
    if lstm.spec.timesteps > MAX_TRACEABLE_STEPS:
        return None
    spec, t = lstm.spec, draw.integer(1, lstm.spec.timesteps)
    moved = int(_changed_outputs(lstm, lstm.inputs.block(0, 1), (0, t - 1)).any(axis=(0, 2)).sum())
    last = spec.timesteps
    return QuestionDraft(
        f"{describe_input(spec)} The input of one sample is changed at timestep {t} alone (timesteps count from 1). At how "
        f"many of its {plural(last, 'timestep')} does the output change?",
        NumberAnswer(moved, (1, last, last - t, last - t + 1, t, t - 1)),
        "Does a timestep see what comes later?"
        + (" The output has both directions side by side." if spec.bidirectional else ""),
        f"Run twice and compared: the output changed at {plural(moved, 'timestep')}. "
        + (
            "One direction carries the change to the end, the other one to the beginning."
            if spec.bidirectional
            else f"From timestep {t} to {last}, h and c carry it; earlier timesteps do not read it."
        ),
        command_for(lstm, "influence", poke=0, at=t),
    )


def step_arithmetic(draw: Sampler) -> QuestionDraft | None:
    """A timestep's arithmetic, with the numbers of a run."""
    lstm = draw.lstm("peepholes", dtype=PRECISE_DTYPE)
    spec, unit, t, asks_output = lstm.spec, draw.below(lstm.spec.units), draw.integer(1, lstm.spec.timesteps), draw.chance(3)
    record, row = lstm.run_sample(0)
    layer_record = record.of(0, Direction.FORWARD)
    i, f, g, o = (float(f"{layer_record.gate(gate)[row, t - 1, unit]:.2f}") for gate in GATES)
    before = float(f"{layer_record.before(row, t, spec.timesteps)[1][unit]:.2f}")
    c, h = (float(array[row, t - 1, unit]) for array in (layer_record.cell, layer_record.hidden))
    tanh = float(np.tanh(c))
    candidates = (
        [o * tanh, tanh, o + tanh, o]
        if asks_output
        else [f * before + i * g, i * before + f * g, before + g, o * (before + g)]
    )
    measured = h if asks_output else c
    if min(abs(first - second) for first, second in combinations(candidates, 2)) < MIN_DISTANCE:
        return None
    choices = tuple(
        (f"{candidate:.2f}".replace("-0.00", "0.00"), abs(candidate - measured) < MIN_DISTANCE / 2) for candidate in candidates
    )
    inputs_text = f"i = {i:.2f}, f = {f:.2f}, g = {g:.2f} and o = {o:.2f}, and c was {before:.2f} before"
    if asks_output:
        inputs_text = f"i = {i:.2f} and o = {o:.2f}, its new memory is c = {c:.2f}, and tanh(c) = {tanh:.2f}"
    return QuestionDraft(
        f"At one timestep, the gates of a unit are {inputs_text}. Which number is "
        f"{'its h, what it puts out' if asks_output else 'its new memory c'}?",
        ChoiceAnswer(choices),
        "h = o * tanh(c)"
        if asks_output
        else "The forget gate f decides how much of the memory stays, the input gate i how much of g comes in.",
        (
            f"h = o * tanh(c) = {o:.2f} * {tanh:.2f}"
            if asks_output
            else f"c = f * c + i * g = {f:.2f} * {before:.2f} + {i:.2f} * {g:.2f}"
        )
        + f". The run itself, with all digits, has {measured:.4f}.",
        command_for(lstm, "unit", unit=unit, step=t),
    )


HOLDS = {
    (1, 0): "its forget gate is held at 1 and its input gate at 0",
    (0, 0): "its forget gate and its input gate are both held at 0",
    (0, 1): "its forget gate is held at 0 and its input gate at 1",
}


def held_gates(draw: Sampler) -> QuestionDraft | None:
    """What becomes of a memory whose gates are held open or shut."""
    lstm = draw.lstm(dtype=PRECISE_DTYPE)
    spec, unit = lstm.spec, draw.below(lstm.spec.units)
    if spec.timesteps == 1:
        return None
    t, (f, i) = _sample_later_step(draw, spec), draw.item(tuple(HOLDS))
    record, row = lstm.run_sample(0)
    layer_record = record.of(0, Direction.FORWARD)
    h, c = layer_record.before(row, t, spec.timesteps)
    result = step(
        _hold_gates(lstm.weights.of(0, Direction.FORWARD), unit, f, i), layer_record.input[[row], t - 1], h[None], c[None]
    )
    new, old, candidate = float(result.c[0, unit]), float(c[unit]), float(result.g[0, unit])
    claims = {
        "the same as before": old,
        "0": 0.0,
        "the candidate g of this timestep": candidate,
        "its memory before, plus g": old + candidate,
    }
    return QuestionDraft(
        f"At timestep {t}, a unit of an LSTM is tampered with: {HOLDS[f, i]}. What is its memory c after this timestep?",
        ChoiceAnswer(tuple((words, abs(value - new) < 1e-6) for words, value in claims.items())),
        "c = f * c + i * g. Insert the two numbers.",
        f"Measured on the running LSTM, in unit {unit}: c was {old:.4f}, g is {candidate:.4f}, and c became {new:.4f} = {f} * "
        f"{old:.4f} + {i} * {candidate:.4f}.",
        command_for(lstm, "unit", unit=unit, step=t),
    )


def _hold_gates(weights: LayerWeights, unit: int, forget: int, into: int) -> LayerWeights:
    """The weights, with the forget and input gates of one unit held at 0 or 1."""
    assert weights.bias is not None
    bias = weights.bias.copy()
    for gate, value in ((Gate.FORGET, forget), (Gate.INPUT, into)):
        bias[weights.columns(gate).start + unit] = HELD if value else -HELD
    return weights._replace(bias=bias)


def fading(draw: Sampler) -> QuestionDraft:
    """How long a memory lasts at a constant forget gate."""
    f, steps = draw.item((0.5, 0.1, 0.25, 0.2)), draw.integer(2, 5)
    share = f**steps
    c, value = np.ones((1, 1)), 0
    while c[0, 0] > share * (1 + 1e-9):
        c, value = step(_fading_unit(f), np.zeros((1, 1)), np.zeros((1, 1)), c).c, value + 1
    left = f"1/{round(1 / share)}"
    return QuestionDraft(
        f"The forget gate of a unit stays at {f}, and its input gate stays shut, so nothing new comes in. After how many "
        f"timesteps is {left} of its memory c left?",
        NumberAnswer(value, (value - 1, value + 1, round(1 / share), 2 * value), written=True),
        f"One timestep leaves {f} of it. How much do two leave?",
        f"Run step by step with such a unit: after {value} timesteps c was {float(c[0, 0]):.6g} of what it had been. {f} is "
        f"multiplied {value} times.",
        "lstm-explain memory",
    )


def _fading_unit(forget: float) -> LayerWeights:
    """One unit that reads nothing, lets nothing in, and has a constant forget gate."""
    bias = {Gate.INPUT: -HELD, Gate.FORGET: float(np.log(forget / (1 - forget))), Gate.CANDIDATE: 0.0, Gate.OUTPUT: 0.0}
    return LayerWeights(np.zeros((1, GATE_COUNT)), np.zeros((1, GATE_COUNT)), np.array([bias[gate] for gate in GATES]))


def readers(draw: Sampler) -> QuestionDraft | None:
    """How many neurons read one number."""
    lstm = draw.lstm("peepholes no_bias")
    spec, of_input = lstm.spec, draw.chance(3)
    index = draw.below(spec.features if of_input else spec.units)
    weights = lstm.weights.of(0, Direction.FORWARD)
    x = lstm.inputs.block(0, 1)[:, 0]
    h, c = np.full((1, spec.hidden), 0.1, x.dtype), np.full((1, spec.units), 0.1, x.dtype)
    changed = (x if of_input else h).copy()
    changed[0, index] += 1
    before, after = step(weights, x, h, c), step(weights, *((changed, h) if of_input else (x, changed)), c)
    value = sum(int((getattr(before, LETTERS[gate]) != getattr(after, LETTERS[gate])).sum()) for gate in GATES)
    number_text = f"feature {index} of the input" if of_input else f"the h that unit {index} put out one timestep before"
    u = spec.units
    return QuestionDraft(
        f"{describe_input(spec)} How many neurons read {number_text}? A unit has four neurons.",
        NumberAnswer(value, (GATE_COUNT, u, 1, GATE_COUNT * (u - 1), spec.features, GATE_COUNT * (u + spec.features))),
        "Does any neuron not read it?",
        f"It was changed, and the neurons whose values changed were counted: {value}, which is {GATE_COUNT} in each of {u} "
        "units.",
        command_for(lstm, "unit", unit=0 if of_input else index),
    )


def matrices(draw: Sampler) -> QuestionDraft:
    """How many matrices of weights there are: not one for each timestep."""
    lstm = draw.lstm("bidirectional layers peepholes")
    spec = lstm.spec
    value = sum(part.kernel.ndim == 2 for layer in lstm.weights.layers for part in layer.values())
    t, directions = spec.timesteps, len(spec.directions)
    breakdown = f"{plural(len(spec.layers), 'layer')}, {plural(directions, 'direction')} each"
    return QuestionDraft(
        f"{describe_input(spec)} At every timestep, the input is multiplied by a matrix that holds the weights of all units "
        "and all gates side by side. How many such matrices are there in all?",
        NumberAnswer(value, (value * t, t, spec.units, value * spec.units, 1, 2 * value, GATE_COUNT * value)),
        "Do timesteps have separate weights? Do layers and directions?",
        f"Counted: {value} ({breakdown}). All {t} timesteps use the same one.",
        command_for(lstm, "shapes"),
    )


def emitted(draw: Sampler) -> QuestionDraft:
    """How many numbers a unit puts out, or carries over."""
    lstm = draw.lstm("no_bias peepholes")
    spec, unit, t = lstm.spec, draw.below(lstm.spec.units), draw.integer(1, lstm.spec.timesteps)
    layer_record = lstm.run_sample(0)[0].of(0, Direction.FORWARD)
    both = draw.chance(2)
    arrays = (layer_record.hidden, layer_record.cell) if both else (layer_record.hidden,)
    value = sum(int(array[0, t - 1, unit].size) for array in arrays)
    reads = explain_unit(lstm, unit)
    what = "carry over to the next timestep: its memory and what it put out" if both else "put out"
    return QuestionDraft(
        f"{describe_layers(spec)} reads sequences of {plural(spec.features, 'feature')}. For one sample at timestep {t}, how "
        f"many numbers does unit {unit} {what}?",
        NumberAnswer(value, (1, 2, spec.units, spec.features, GATE_COUNT, 2 * spec.units, spec.features + spec.units)),
        "How many numbers are h and c of the whole layer, and how many units are there?",
        f"Read off the run: {value}. It reads {reads.neurons[Gate.INPUT].kernel.size} features and the h of {spec.units} "
        "units, outputs one number h and keeps one number c.",
        command_for(lstm, "unit", unit=unit, step=t),
    )


GENERATORS = (
    QuestionGenerator(2, "influence", next_timestep),
    QuestionGenerator(2, "influence", same_timestep),
    QuestionGenerator(2, "unit", emitted),
    QuestionGenerator(2, "shapes", growth),
    QuestionGenerator(2, "influence", own_weights),
    QuestionGenerator(2, "unit", step_arithmetic),
    QuestionGenerator(2, "trace", samples_apart),
    QuestionGenerator(2, "influence", ripple),
    QuestionGenerator(2, "memory", fading),
    QuestionGenerator(2, "influence", timesteps_reached),
    QuestionGenerator(2, "unit", held_gates),
    QuestionGenerator(2, "unit", readers),
    QuestionGenerator(2, "shapes", matrices),
)
