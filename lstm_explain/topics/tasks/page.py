"""tasks, in words, drawings and tables: an overview of the five networks, or one of them in full."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Preformatted, Table
from lstm_explain.document.numbers import format_decimal, format_difference, plural, thousands, tint
from lstm_explain.document.tables import MAX_UNITS, TENSOR_COLUMNS, elide_rows, facts_table, tensor_row
from lstm_explain.document.text import format_shape
from lstm_explain.topics.intro import computed_note, lstm_summary
from lstm_explain.topics.tasks import (
    ENCODER_DECODER,
    MANY_TO_MANY,
    MANY_TO_ONE,
    NETWORK_FRAMEWORKS,
    ONE_TO_MANY,
    ONE_TO_ONE,
)

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.shapes import Tensor
    from lstm_explain.topics.tasks import FrameworkProgram, TaskNetwork, Tasks
    from lstm_explain.topics.tasks.checks import BroadcastTargets, IdleWeights, LastOutput, LookAhead

TITLES = {
    ONE_TO_ONE: "one step in, one answer out",
    ONE_TO_MANY: "one step in, an answer at every step out",
    MANY_TO_ONE: "a sequence in, one answer out",
    MANY_TO_MANY: "a sequence in, an answer at each timestep out (aligned)",
    ENCODER_DECODER: "a sequence in, another sequence out (many-to-many)",
}
MEANINGS = {
    ONE_TO_ONE: (
        "A single timestep, which has no past to remember. A table of rows without an order in time is such a task, and a "
        "dense network would do."
    ),
    ONE_TO_MANY: "One input, and a sequence that unfolds from it: a caption from an image, a melody from a genre.",
    MANY_TO_ONE: "Read it all, then answer once: the mood of a text, the class of a signal, the next value of a series.",
    MANY_TO_MANY: "An answer for every timestep, when it is read: the part of speech of each word, an alarm at each minute.",
    ENCODER_DECODER: (
        "Read it all, then write: a translation, the next days of a series. The two sequences may have different lengths."
    ),
}
"""One line of meaning each."""
ALTERNATIVES = {
    ONE_TO_MANY: (
        "Another way: feed each output back as the next input, one step at a time. Then the dense layer must make as many "
        "outputs as there are features. A third: make the input the initial state, and read nothing."
    ),
    ENCODER_DECODER: (
        "Other ways: pass on only the repeated h and start the decoder from zero; or pass on only the states and let the "
        "decoder read the sequence that it writes, one step late: the true one in training (teacher forcing), its own outputs "
        "afterwards."
    ),
}


MIN_DECIMAL = 0.0095
"""From here on a difference is written with two decimals."""


BIDIRECTIONAL_WARNING = (
    "In a bidirectional layer with a longer sequence it is not, and no error tells you: backwards, reading begins at the last "
    "timestep, so there the backward half has read only that one."
)
UNTRAINED = "The weights are seeded, not trained: the numbers show what is computed, not what it is good for."


def document(tasks: Tasks) -> Document:
    """Lay out the five networks, or the one that was asked for."""
    if tasks.task is not None:
        return tuple(_details(tasks, tasks.networks[0]))
    blocks: list[Block] = [
        Heading("tasks: how many outputs? It depends on the task", 1),
        Paragraph(lstm_summary(tasks)),
        Paragraph(
            "The same LSTM is part of five networks. They differ in what it reads, and in which of its h the dense layer "
            f"reads. Here the dense layer has {plural(tasks.outputs, 'output')} (--outputs)."
        ),
        Note(_measurement_note(tasks)),
        Note(_drawing_key(tasks)),
    ]
    for network in tasks.networks:
        blocks += _overview(tasks, network)
    return (*blocks, Note("For one of them in full, with the code, name it: lstm-explain tasks many-to-one"))


def _measurement_note(tasks: Tasks) -> str:
    computed = [network for network in tasks.networks if not network.measured]
    if not computed:
        which = "The network" if tasks.task is not None else "Each network"
        return f"{which} was built and run over all samples, and every shape read off an array of that run."
    block = plural(min(network.checks.samples for network in computed), "sample")
    which = "These shapes"
    if len(computed) < len(tasks.networks):
        which = f"The shapes of {', '.join(network.task for network in computed)}"
    return f"{computed_note(which, tasks.max_memory)} A block of {block} was run."


def _drawing_key(tasks: Tasks) -> str:
    spec = tasks.spec
    layers = f"stack of {len(spec.layers)} layers" if len(spec.layers) > 1 else "layer"
    sentences = [
        f"A box is one timestep of the whole {layers}, all units together; boxes of one name share their weights.",
        "─ carries h and c on.",
    ]
    if any(network.task == ENCODER_DECODER for network in tasks.networks):
        sentences.append("═ hands the encoder's last h and c over to the decoder.")
    if spec.has_backward:
        if len(spec.layer_directions) < 2 * len(spec.layers):
            sentences.append("Some of the layers read forward only.")
        sentences.append("Of two directions, h_t is both halves side by side.")
    return " ".join(sentences)


# --- in short ---------------------------------------------------------------------------------------------------------


def _overview(tasks: Tasks, network: TaskNetwork) -> list[Block]:
    rows = [
        ("reads", _input_text(tasks, network)),
        ("Dense reads", f"{_shape(network.tensor('dense_input'))}: {_dense_input_text(network, tasks.spec)}"),
        ("makes", _shape(network.tensor("outputs"))),
        ("parameters", _parameter_total(network)),
        *((_title(name), program.in_short or _missing_option(name, program)) for name, program in network.frameworks.items()),
    ]
    return [
        Heading(f"{network.task.value}: {TITLES[network.task]}"),
        Paragraph(MEANINGS[network.task]),
        Preformatted(network.drawing),
        facts_table(rows),
    ]


def _input_text(tasks: Tasks, network: TaskNetwork) -> str:
    batch = _shape(network.tensor("input"))
    if not any(tensor.name == "input_read" for tensor in network.tensors):
        return batch
    first = "timestep 1 alone" if network.steps_out is None else "timestep 1, again at every step"
    return f"{_shape(network.tensor('input_read'))}: {first}" + (f", of {batch}" if tasks.spec.timesteps > 1 else "")


def _title(framework: str) -> str:
    return NETWORK_FRAMEWORKS[framework].title


def _missing_option(framework: str, program: FrameworkProgram) -> str:
    return f"- ({_title(framework)}'s LSTM has no {program.lacks})"


def _shape(tensor: Tensor) -> str:
    return format_shape(tensor.shape)


def _parameter_total(network: TaskNetwork) -> str:
    parts = " + ".join(f"{thousands(part.total)} {part.name}" for part in network.parts)
    others = [
        f"{_title(name)} counts {thousands(number)}"
        for name, number in network.parameters_by_framework.items()
        if number is not None and number != network.total
    ]
    return f"{thousands(network.total)} = {parts}" + (f"; {', '.join(others)}" if others else "")


# --- in full ----------------------------------------------------------------------------------------------------------


def _details(tasks: Tasks, network: TaskNetwork) -> list[Block]:
    return [
        Heading(f"{network.task.value}: {TITLES[network.task]}", 1),
        Paragraph(lstm_summary(tasks)),
        Paragraph(MEANINGS[network.task]),
        *_unread_note(tasks, network),
        Note(_measurement_note(tasks)),
        Heading("The network, unrolled"),
        Preformatted(network.drawing),
        Note(_drawing_key(tasks)),
        Heading("Every tensor, end to end"),
        _tensor_table(network),
        Heading("Where h goes"),
        Paragraph(_reach_text(network, tasks.spec)),
        Heading("Parameters"),
        _parameter_table(network),
        *_code_blocks(network, tasks.source["weights"].get("reads") == "from the end"),
        *_pitfall_blocks(tasks, network),
        Heading(f"The outputs of sample {thousands(tasks.sample)}"),
        _output_table(tasks, network),
        Note(UNTRAINED),
    ]


def _unread_note(tasks: Tasks, network: TaskNetwork) -> list[Block]:
    """What the network leaves of the batch at hand, where it reads one timestep of several."""
    if not any(tensor.name == "input_read" for tensor in network.tensors) or tasks.spec.timesteps == 1:
        return []
    return [Note(f"The batch has {plural(tasks.spec.timesteps, 'timestep')}; this network reads the first alone.")]


def _tensor_table(network: TaskNetwork) -> Table:
    several = any(tensor.layer for tensor in network.tensors)
    rows = [
        tensor_row(tensor.name, f"{tensor.symbol}{_layer_suffix(tensor, several)}", tensor.shape, tensor.meaning, tensor.bytes)
        for tensor in network.tensors
    ]
    return Table(TENSOR_COLUMNS, elide_rows(rows))


def _layer_suffix(tensor: Tensor, several: bool) -> str:
    return f", layer {tensor.layer}" if several and tensor.layer is not None else ""


def _parameter_table(network: TaskNetwork) -> Table:
    rows: list[tuple[str, str]] = [(part.name, f"{part.formula} = {thousands(part.total)}") for part in network.parts]
    rows.append(("total", f"{thousands(network.total)} = {' + '.join(thousands(part.total) for part in network.parts)}"))
    for name, program in network.frameworks.items():
        rows.append((f"{_title(name)} says", _framework_count(network, name, program)))
    return facts_table(rows)


def _framework_count(network: TaskNetwork, framework: str, program: FrameworkProgram) -> str:
    if program.parameters is None:
        return _missing_option(framework, program)
    more = program.parameters - network.total
    count = thousands(program.parameters)
    return f"{count} = {thousands(network.total)} + {thousands(more)} second biases" if more else count


def _code_blocks(network: TaskNetwork, reverse: bool) -> list[Block]:
    """The programs; `reverse` if the layer reads from the end."""
    blocks: list[Block] = []
    if reverse:
        text = "In the programs x has its timesteps in the order in which they are read: reverse each sample first."
        blocks.append(Paragraph(text))
    for name, program in network.frameworks.items():
        title = _title(name)
        blocks.append(Heading(f"In {title}"))
        if program.lines is None:
            blocks.append(Paragraph(f"{title}'s LSTM has no {program.lacks}, so it cannot build this network."))
        else:
            blocks.append(Preformatted(program.lines, "python"))
    return blocks


def _pitfall_blocks(tasks: Tasks, network: TaskNetwork) -> list[Block]:
    blocks: list[Block] = [Heading("What to know")]
    blocks += [Paragraph(text) for text in _pitfall_texts(network, tasks.spec)]
    return [*blocks, Paragraph(ALTERNATIVES[network.task])] if network.task in ALTERNATIVES else blocks


def _output_table(tasks: Tasks, network: TaskNetwork) -> Table:
    shown = min(tasks.outputs, MAX_UNITS)
    titles = tuple(Column(f"output {number}", "right") for number in range(shown))
    values = network.outputs.tolist()
    if network.steps_out is None:
        return Table(titles, (_value_cells(values[:shown]),), repeated=0)
    rows = [(Cell(str(t), strong=True), *_value_cells(outputs[:shown])) for t, outputs in enumerate(values, start=1)]
    if network.padded:
        rows = [*rows[: network.length], *((row[0], *(Cell("·"),) * shown) for row in rows[network.length :])]
    return Table((Column("t", "right"), *titles), elide_rows(rows))


def _value_cells(values: list[float]) -> tuple[Cell, ...]:
    return tuple(Cell(format_decimal(value, 4), tint=tint(value, 1.0)) for value in values)


# --- what was measured -----------------------------------------------------------------------------------------------


def _dense_input_text(network: TaskNetwork, spec: Spec) -> str:
    """Which h the dense layer reads."""
    both = " of both directions, side by side" if spec.for_layer(len(spec.layers) - 1).bidirectional else ""
    whose = "the decoder's h at every step" if network.task == ENCODER_DECODER else f"h at every step{both}"
    return f"the last h{both}" if network.steps_out is None else whose


def _reach_text(network: TaskNetwork, spec: Spec) -> str:
    """Where the layer's h goes."""
    reach = network.checks.reach
    neurons = "one neuron" if reach.outputs == 1 else plural(reach.outputs, "neuron")
    numbers = plural(reach.numbers, "number")
    read = "reads" if reach.outputs == 1 else "each read"
    top = spec.layers[-1]
    whose = " of the decoder" if network.task == ENCODER_DECODER else " of both directions" if top.bidirectional else ""
    all_units = f"one from every unit{whose}" if top.projection is None else f"mixed from all units{whose} by the projection"
    which = f"Each of the {numbers}" if reach.poked == reach.numbers else f"Each of the first {reach.poked} of the {numbers}"
    every = "" if network.steps_out is None else " The same neurons serve every step."
    return (
        f"The dense layer's {neurons} {read} all {numbers} of h, {all_units}, and nothing else of the LSTM: not c, not the "
        f"gates.{every} {which} was changed by {reach.by}, one after the other: in all, {thousands(reach.moved)} of "
        f"{thousands(reach.poked * reach.outputs)} outputs moved."
    )


def _pitfall_texts(network: TaskNetwork, spec: Spec) -> list[str]:
    """What was measured, and the mistakes that raise no error."""
    checks, texts = network.checks, list[str]()
    if checks.idle is not None:
        texts.append(_idle_text(network, checks.idle))
    if checks.last is not None:
        texts += _last_output_texts(network, checks.last, spec)
    if checks.step_by_step is not None:
        taken = checks.step_by_step
        steps = "all steps" if taken.steps == network.steps_out else f"the first {thousands(taken.steps)} steps"
        texts.append(
            "TimeDistributed(Dense) and Dense are the same on (samples, timesteps, features): a dense layer reads the last "
            "axis. Applied to one step after the other and to all at once, the outputs differ by "
            f"{format_difference(taken.difference)} ({steps})."
        )
    if checks.ahead is not None and checks.ahead.earlier:
        texts.append(_lookahead_text(checks.ahead, spec))
    if network.padded:
        texts.append(
            f"This sample ends at timestep {thousands(network.length)}. Past it the LSTM's output is zero and an "
            "output is the dense layer's bias, which means nothing: leave these steps out of the loss."
        )
    if checks.broadcast is not None:
        texts.append(_broadcast_text(checks.broadcast))
    return texts


def _idle_text(network: TaskNetwork, idle: IdleWeights) -> str:
    return (
        f"Of the {thousands(network.parts[0].total)} parameters of the LSTM, {thousands(idle.weights)} do nothing "
        "here: h_0 and c_0 "
        "are zero, so the recurrent kernel and the forget gate have nothing to act on. Set to zero, they change the outputs "
        f"by {format_difference(idle.difference)} ({plural(network.checks.samples, 'sample')})."
    )


def _broadcast_text(broadcast: BroadcastTargets) -> str:
    return (
        "A mistake without an error: targets of shape (samples, 1). Keras drops the outputs' last axis, and broadcasting "
        f"compares each target with the outputs of all {thousands(broadcast.compared // broadcast.samples)} steps. Of "
        f"{plural(broadcast.samples, 'sample')} that makes {thousands(broadcast.compared)} differences instead of "
        f"{thousands(broadcast.samples)}, and the loss looks fine. If one answer is meant, use many-to-one, without "
        "return_sequences."
    )


def _lookahead_text(ahead: LookAhead, spec: Spec) -> str:
    of = f"{thousands(ahead.moved)} of the {plural(ahead.earlier, 'earlier timestep')}"
    changed = f"With the last input changed, outputs moved at {of}"
    if spec.has_backward:
        tail = "" if ahead.moved == ahead.earlier else "; further back the change is too small for the type"
        return f"Both directions together know the future. {changed}{tail}."
    return f"At timestep t only x_1 to x_t have been read. {changed}."


def _last_output_texts(network: TaskNetwork, last: LastOutput, spec: Spec) -> list[str]:
    """What the output at the last timestep has to do with the last h."""
    samples = plural(last.samples, "sample")
    right = "torch.cat((h_n[-2], h_n[-1]), dim=1)" if spec.for_layer(len(spec.layers) - 1).bidirectional else "h_n[-1]"
    wrong = f"A mistake without an error: output[:, -1] as the last h, which is {right}."
    texts = []
    if last.difference == 0:
        texts.append(f"{_same_text(right, spec)} (over {samples}). {BIDIRECTIONAL_WARNING} Prefer h_n.")
    elif isnan(last.difference):
        texts.append(f"Whether output[:, -1] is the last h, {right}, cannot be determined here: they hold nan.")
    elif last.backward is not None:
        whose = "the backward half" + (" of the last layer" if len(spec.layers) > 1 else "")
        alone = (
            f" It equals a backward run over that step alone, to {_format_gap(last.alone)}." if last.alone is not None else ""
        )
        texts += [
            f"{wrong} Backwards, reading begins at the last timestep: there {whose} has taken one step of "
            f"{thousands(network.timesteps)}.{alone} The two differ by {_format_gap(last.forward)} in the forward "
            "half, and by "
            f"{_format_gap(last.backward)} in the backward half (over {samples}).",
            "Keras's Bidirectional(LSTM) without return_sequences gives each direction's own last h: the right one.",
        ]
    else:
        texts.append(f"{wrong} The two differ by {_format_gap(last.difference)} (over {samples}).")
    if last.padded:
        texts.append(
            f"Of {samples}, {thousands(last.padded)} end before the last timestep; output[:, -1] is zero there. h_n holds the "
            "state at each sample's own end."
        )
    if last.outputs is not None and last.outputs > 0:
        texts.append(f"Read by the dense layer, the mistake moves the outputs by up to {_format_gap(last.outputs)}.")
    return texts


def _same_text(right: str, spec: Spec) -> str:
    alone = ", as there is one timestep only" if spec.for_layer(len(spec.layers) - 1).bidirectional else ""
    return f"output[:, -1] is the same as {right} here{alone}: the difference is 0 exactly"


def _format_gap(difference: float) -> str:
    """A difference: in decimals where they say enough."""
    return f"{difference:.2f}" if difference >= MIN_DECIMAL else format_difference(difference)
