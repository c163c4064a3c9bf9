"""Level 3, second half: mistakes that raise no error. Each is made on a running LSTM, and the result is measured."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.apps.quiz.question import format_shape
from lstm_explain.apps.quiz.question_draft import (
    GATE_COUNT,
    MAX_TRACEABLE_STEPS,
    ChoiceAnswer,
    NumberAnswer,
    QuestionDraft,
    QuestionGenerator,
    Sampler,
    ShapeAnswer,
    command_for,
    describe_layers,
)
from lstm_explain.core.engine import forward
from lstm_explain.core.network import Task, last_hidden
from lstm_explain.document.numbers import plural
from lstm_explain.frameworks import pytorch
from lstm_explain.topics.memory import explain_memory
from lstm_explain.topics.tasks import explain_tasks

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record


def _run_time_first(lstm: LSTM, x: Array) -> Record:
    """Run (samples, timesteps, features) as torch.nn.LSTM does without batch_first: its first axis is time."""
    return forward(lstm.spec, lstm.weights, x.transpose(1, 0, 2))


def time_for_samples(draw: Sampler) -> QuestionDraft:
    """What comes out where samples are taken for timesteps."""
    lstm, last = draw.lstm("layers"), draw.chance(2)
    spec, x = lstm.spec, lstm.inputs.block(0, lstm.spec.samples)
    record = _run_time_first(lstm, x)
    result = record.last_hidden if last else record.output.transpose(1, 0, 2)
    n, t, u, k = spec.samples, spec.timesteps, spec.units, len(spec.layers)
    return QuestionDraft(
        f"x has the shape {format_shape(x.shape)}: samples, timesteps, features. It is given to "
        f"{pytorch.layer_constructor(spec)}, without batch_first=True. No error is raised. What is the shape of "
        f"{'h_n' if last else 'output'}?",
        ShapeAnswer(result.shape, ((k, n, u), (n, t, u), (t, n, u), (k, t, u), (n, u), (n, k, u), (t, u))),
        "Which axis does it take for the timesteps, and which for the samples?",
        f"Measured: {format_shape(result.shape)}. It reads {t} samples of {n} timesteps, the wrong way round"
        + (", which h_n shows." if last else "; the shape of output does not show it, that of h_n does."),
        command_for(lstm, "frameworks", "pytorch"),
    )


def leaking_samples(draw: Sampler) -> QuestionDraft | None:
    """How far one sample then leaks into others."""
    lstm = draw.lstm()
    if lstm.spec.samples > MAX_TRACEABLE_STEPS:
        return None
    spec, sample = lstm.spec, draw.below(lstm.spec.samples)
    x = lstm.inputs.block(0, spec.samples)
    changed = x.copy()
    changed[sample] += 1
    before, after = (_run_time_first(lstm, batch).output for batch in (x, changed))
    value = int((before != after).any(axis=(0, 2)).sum())
    n = spec.samples
    return QuestionDraft(
        f"x has the shape {format_shape(x.shape)}: samples, timesteps, features. By mistake it is given to "
        f"{pytorch.layer_constructor(spec)} without batch_first=True. Now x[{sample}] is changed. For how many i "
        "does output[i] change?",
        NumberAnswer(value, (1, n, n - sample, n - sample - 1, sample, 0, spec.timesteps)),
        "The samples are taken for timesteps. What does a timestep pass on?",
        f"Measured: {value} of {n}. Taken for a timestep, sample {sample} is remembered by all samples after it. "
        "With batch_first=True it would be 1.",
        command_for(lstm, "frameworks", "pytorch"),
    )


def half_of_the_output(draw: Sampler) -> QuestionDraft | None:
    """How much one half of a bidirectional output has read."""
    lstm = draw.lstm(bidirectional=True)
    if lstm.spec.timesteps > MAX_TRACEABLE_STEPS:
        return None
    spec, at_end, backward = lstm.spec, draw.chance(2), draw.item((True, True, False))
    index, half = (-1 if at_end else 0), slice(spec.hidden, None) if backward else slice(None, spec.hidden)
    x = lstm.inputs.block(0, 1)
    before = forward(spec, lstm.weights, x).output[0, index, half]
    value = 0
    for t in range(spec.timesteps):
        changed = x.copy()
        changed[0, t] += 1
        value += bool((forward(spec, lstm.weights, changed).output[0, index, half] != before).any())
    code = f"output[:, {index}, {f'{spec.units}:' if backward else f':{spec.units}'}]"
    t, direction, position = spec.timesteps, "backward" if backward else "forward", "last" if at_end else "first"
    return QuestionDraft(
        f"{describe_layers(spec)} reads {plural(t, 'timestep')}. Its output has the shape (samples, timesteps, "
        f"{spec.output}), the forward half first. How many of the {t} timesteps can change {code}?",
        NumberAnswer(value, (1, t, 0, t - 1, t // 2, 2)),
        f"This is the {direction} half at the {position} timestep. How much has that direction read by then?",
        f"Each timestep's input was changed in turn: {value} of {t} changed it. At the {position} timestep, the "
        f"{direction} direction is {'nearly at its beginning' if value == 1 else 'at its end'}.",
        command_for(lstm, "tasks", "many-to-one"),
    )


def summary_of_both(draw: Sampler) -> QuestionDraft | None:
    """What both directions have made of the whole sequence."""
    lstm = draw.lstm("layers", bidirectional=True)
    spec, record = lstm.spec, lstm.run()
    if spec.timesteps == 1:
        return None
    output, h_n = record.output, record.last_hidden
    right = last_hidden(record)
    claims = {
        "torch.cat((h_n[-2], h_n[-1]), 1)": np.concatenate((h_n[-2], h_n[-1]), 1),
        "output[:, -1]": output[:, -1],
        "output[:, 0]": output[:, 0],
        "output.mean(1)": output.mean(1),
        "torch.cat((h_n[0], h_n[1]), 1)": np.concatenate((h_n[0], h_n[1]), 1),
        f"h_n.reshape({spec.samples}, -1)": h_n.reshape(spec.samples, -1),
    }
    claims_tried = [(words, array.shape == right.shape and bool((array == right).all())) for words, array in claims.items()]
    wrong = draw.shuffled([claim for claim in claims_tried if not claim[1]])[: GATE_COUNT - 1]
    stack = f", num_layers={len(spec.layers)}" if len(spec.layers) > 1 else ""
    options = f"{spec.features}, {spec.units}{stack}, batch_first=True, bidirectional=True"
    return QuestionDraft(
        f"output, (h_n, c_n) = torch.nn.LSTM({options})(x), for {spec.samples} samples. Which of these is what both "
        f"directions of the {'last ' if len(spec.layers) > 1 else ''}layer have made of the whole sequence, side by side?",
        ChoiceAnswer((claims_tried[0], *wrong)),
        "Where has each direction read everything? The backward direction ends at the first timestep.",
        "Each was computed and compared with the last h of both directions. At output[:, -1] the backward half has read one "
        "timestep; h_n has the final h of each direction.",
        command_for(lstm, "tasks", "many-to-one"),
    )


def flat_array(draw: Sampler) -> QuestionDraft:
    """What becomes of an array without an axis of samples."""
    lstm, last = draw.lstm(), draw.chance(2)
    spec = lstm.spec
    x = lstm.inputs.block(0, spec.samples)[:, 0]
    record = forward(spec, lstm.weights, x[None])
    result = record.last_hidden[:, 0] if last else record.output[0]
    n, u = spec.samples, spec.units
    return QuestionDraft(
        f"A table of {n} independent samples with {plural(spec.features, 'feature')} each, of the shape "
        f"{format_shape(x.shape)}, is given to {pytorch.layer_constructor(spec, batch_first=True)} as it is. No error is "
        f"raised. What is the shape of {'h_n' if last else 'output'}?",
        ShapeAnswer(result.shape, ((1, n, u), (n, 1, u), (1, u), (n, u), (u,), (1, 1, u))),
        "An array of two axes has no axis of samples. What does the layer take its rows for?",
        f"Measured: {format_shape(result.shape)}. The {n} rows were read as {n} timesteps of one sequence, each "
        "remembering the previous ones.",
        command_for(lstm, "frameworks", "pytorch"),
    )


def reshaped(draw: Sampler) -> QuestionDraft | None:
    """Where numbers end up if an array is reshaped instead of transposed."""
    lstm = draw.lstm()
    n, t, f = lstm.spec.samples, lstm.spec.timesteps, lstm.spec.features
    sample, step = draw.below(n), draw.below(t)
    if sample == 0:
        return None
    numbers = np.arange(n * t * f).reshape(n, t, f)
    matches = np.argwhere((numbers.reshape(t, n, f) == numbers[sample, step]).all(axis=2))
    if len(matches) != 1:
        return None
    i, j = map(int, matches[0])
    unmoved = int((numbers.reshape(t, n, f) == numbers.transpose(1, 0, 2)).all(axis=2).sum())
    return QuestionDraft(
        f"x has the shape {format_shape(numbers.shape)}: samples, timesteps, features. To put the timesteps first, somebody "
        f"writes x.reshape{format_shape((t, n, f))} where x.transpose(1, 0, 2) is right. Where does x[{sample}, {step}] end "
        "up? Give its two indices.",
        ShapeAnswer((i, j), ((step, sample), (sample, step), (j, i), (sample % t, step % n))),
        f"reshape keeps the numbers in their order: x[{sample}, {step}] is row {sample} * {t} + {step} of {n * t} rows.",
        f"Row {sample} * {t} + {step} = {sample * t + step} of all, and {sample * t + step} = {i} * {n} + {j}: at [{i}, {j}] "
        f"instead of [{step}, {sample}]. Of {n * t} rows {unmoved} are where they belong.",
        "lstm-explain frameworks pytorch",
    )


def mixed_states(draw: Sampler) -> QuestionDraft:
    """How many samples are mixed where h_n is made flat."""
    lstm = draw.lstm("bidirectional", layers=draw.integer(2, 3))
    h_n = lstm.run().last_hidden
    k, n, u = h_n.shape
    sample_numbers = np.broadcast_to(np.arange(n)[None, :, None], h_n.shape)
    value = len(set(sample_numbers.reshape(n, -1)[0].tolist()))
    return QuestionDraft(
        f"h_n of torch.nn.LSTM has the shape {format_shape(h_n.shape)}: a slice for each of {k} layers and directions, {n} "
        f"samples, {u} units. For a classifier it is made flat with h_n.reshape({n}, -1), a row for each sample. From how "
        "many different samples are the numbers in row 0?",
        NumberAnswer(value, (1, n, 0, k + 1, k * u)),
        "reshape keeps the numbers in their order. Which axis comes first in h_n?",
        f"Measured with numbers that name their sample: {value}. It should be 1; transpose h_n first.",
        command_for(lstm, "shapes"),
    )


def one_timestep(draw: Sampler) -> QuestionDraft | None:
    """How many parameters never learn from samples of one timestep."""
    lstm = draw.lstm("no_bias", timesteps=1)
    spec, count = lstm.spec, explain_memory(lstm).one_step
    if count is None:
        return None
    f, u, b = spec.features, spec.units, int(spec.bias)
    bias = "" if spec.bias else " and no biases"
    return QuestionDraft(
        "A series was made into samples of one timestep each, and h and c start at zero. The layer reads "
        f"{plural(f, 'feature')} and has {plural(u, 'unit')}{bias}: {count.total} parameters. How many of them get no "
        "gradient at all, and never learn anything?",
        NumberAnswer(
            count.idle, (0, GATE_COUNT * u * u, u * (f + b), u * u, GATE_COUNT * u * u + f * u, GATE_COUNT * u * u + u)
        ),
        "What do the weights for h read, if h is zero? And what does the forget gate forget?",
        f"Counted from the gradients: {count.idle} = {GATE_COUNT * u * u} weights for h, which is zero, and "
        f"{count.idle - GATE_COUNT * u * u} more of the forget gates, which have nothing to forget.",
        command_for(lstm, "memory"),
    )


def padding(draw: Sampler) -> QuestionDraft | None:
    """What padding does to the last h."""
    lstm, packed = draw.lstm("no_bias", samples=1), draw.chance(3)
    spec = lstm.spec
    if spec.timesteps < 2:
        return None
    length = draw.integer(1, spec.timesteps - 1)
    x = lstm.inputs.block(0, 1).copy()
    x[:, length:] = 0
    record = forward(spec, lstm.weights, x, lengths=np.array([length]) if packed else None)
    lstm = replace(lstm, lengths=(length,)) if packed else lstm
    value = int((record.last_hidden[0, 0] != record.output[0, length - 1]).sum())
    handling = "with pack_padded_sequence" if packed else "without a mask and without packing"
    padding_steps = spec.timesteps - length
    return QuestionDraft(
        f"A sample ends after {plural(length, 'timestep')}. It is padded with zeros to {spec.timesteps}, and run {handling} "
        f"through a layer of {spec.units} units. How many of the {spec.units} numbers in its last h differ from those after "
        f"timestep {length}?",
        NumberAnswer(value, (0, spec.units, padding_steps, 1, length)),
        "What is packing for?" if packed else "Does a unit stop when it reads zeros? It still has its memory and its h.",
        f"Run and compared: {value} of {spec.units}. "
        + (
            "Packed, the layer stops at the end of each sample."
            if packed
            else f"The layer went on for {plural(padding_steps, 'timestep')}, from h and c."
        ),
        command_for(lstm, "trace"),
    )


def broadcast_targets(draw: Sampler) -> QuestionDraft | None:
    """How many differences a loss takes where shapes were broadcast."""
    lstm = draw.lstm()
    spec = lstm.spec
    (network,) = explain_tasks(lstm, Task.MANY_TO_MANY).networks
    broadcast = network.checks.broadcast
    if broadcast is None or broadcast.samples != spec.samples:
        return None
    n, t = spec.samples, spec.timesteps
    return QuestionDraft(
        f"In Keras, LSTM({spec.units}, return_sequences=True) was left in front of Dense(1), so that the predictions p have "
        f"the shape {format_shape((n, t, 1))}. The targets y have {format_shape((n, 1))}. The loss takes p[:, :, 0] - y, and "
        "no error is raised. How many differences does it take?",
        NumberAnswer(broadcast.compared, (n, t, n * n, n + t, n * t * spec.units)),
        "An axis of 1 is repeated until it fits.",
        f"Counted: {broadcast.compared} instead of {n}. Each timestep's prediction is pulled to its sample's target.",
        command_for(lstm, "tasks", "many-to-many"),
    )


def carried_states(draw: Sampler) -> QuestionDraft | None:
    """How many pieces notice whether states are carried over."""
    lstm = draw.lstm()
    if lstm.spec.samples == 1:
        return None
    carried = explain_memory(lstm, carry_state=True).carried
    if carried is None:
        return None
    value, n, t = int((carried.first != 0).sum()), carried.pieces, lstm.spec.timesteps
    return QuestionDraft(
        f"A long sequence was cut into {n} pieces of {plural(t, 'timestep')}. In one run the states are carried over from "
        "piece to piece (stateful=True), in another each piece starts from zeros. In how many pieces does the output at the "
        "first timestep differ?",
        NumberAnswer(value, (n, 1, 0, n - 1, n - 2, n * t)),
        "What does the very first piece start from, in either run?",
        f"Both runs were made and compared: {value}. The first piece starts from zeros in both; at each of {n - 1} borders a "
        "reset loses the states.",
        command_for(lstm, "memory", carry_state=True),
    )


GENERATORS = (
    QuestionGenerator(3, "frameworks", time_for_samples),
    QuestionGenerator(3, "tasks", half_of_the_output),
    QuestionGenerator(3, "memory", one_timestep),
    QuestionGenerator(3, "frameworks", leaking_samples),
    QuestionGenerator(3, "tasks", summary_of_both),
    QuestionGenerator(3, "frameworks", flat_array),
    QuestionGenerator(3, "trace", padding),
    QuestionGenerator(3, "shapes", mixed_states),
    QuestionGenerator(3, "memory", carried_states),
    QuestionGenerator(3, "frameworks", reshaped),
    QuestionGenerator(3, "tasks", broadcast_targets),
)
