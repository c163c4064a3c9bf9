"""The page of `tasks`: an overview of the five networks, or one of them in full."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from lstm_explain.document.blocks import (
    Block,
    Cell,
    Column,
    Document,
    FirstThatFits,
    Heading,
    NextStep,
    Note,
    Paragraph,
    Preformatted,
    SideBySide,
    Table,
)
from lstm_explain.document.numbers import format_decimal, format_difference, plural, thousands, tint
from lstm_explain.document.tables import MAX_UNITS, TensorRow, elide_rows, facts_table, tensor_table
from lstm_explain.document.text import format_shape, format_sizes
from lstm_explain.topics.command_line import format_command
from lstm_explain.topics.intro import closing_blocks, computed_note
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
    ONE_TO_ONE: "one timestep in, one answer out",
    ONE_TO_MANY: "one timestep in, an answer at every step out",
    MANY_TO_ONE: "a sequence in, one answer out",
    MANY_TO_MANY: "a sequence in, an answer at each timestep out",
    ENCODER_DECODER: "a sequence in, another sequence out",
}
EXAMPLES = {
    ONE_TO_ONE: (
        "There is no past to remember, so a dense network would do. A table whose rows have no order in time is such a task."
    ),
    ONE_TO_MANY: "One input unfolds into a sequence: a caption for an image, a melody in a genre.",
    MANY_TO_ONE: "Read everything, then answer once: the mood of a text, the class of a signal, the next value of a series.",
    MANY_TO_MANY: "Answer while reading: the part of speech of each word, an alarm at each minute.",
    ENCODER_DECODER: (
        "Read everything, then write: a translation, the next days of a series. The two sequences may differ in length."
    ),
}
"""What each task is for."""
ALTERNATIVES = {
    ONE_TO_MANY: (
        "There are other ways. Feed each output back as the next input, one step at a time: then the dense layer must make as "
        "many outputs as there are features. Or make the input the initial state, and read nothing."
    ),
    ENCODER_DECODER: (
        "There are other ways. Repeat h as the decoder's input, but start it from zeros. Or pass on only the states, and let "
        "the decoder read the sequence that it writes, one step late: the true sequence in training (teacher forcing), its "
        "own outputs afterwards."
    ),
}
NAMES = {
    "output_sequence": "every h",
    "last_hidden": "last h",
    "last_cell": "last c",
    "initial_hidden": "initial h",
    "initial_cell": "initial c",
    "decoder_sequence": "every decoder h",
}
"""What tensors are called in tables, where it is not their name in JSON."""
RELATED = {
    ONE_TO_ONE: MANY_TO_ONE,
    ONE_TO_MANY: ENCODER_DECODER,
    MANY_TO_ONE: MANY_TO_MANY,
    MANY_TO_MANY: ENCODER_DECODER,
    ENCODER_DECODER: MANY_TO_MANY,
}
"""Which task to look at after each."""


MIN_DECIMAL = 0.0095
"""From here on a difference is written with two decimals."""


BIDIRECTIONAL_WARNING = (
    "In a bidirectional layer with a longer sequence it is not, and no error tells you: the backward direction begins at the "
    "last timestep, so its half of the output there comes from that timestep alone."
)
OVERVIEW_COLUMNS = (Column("task"), Column("LSTM reads"), Column("Dense reads"), Column(""), Column("outputs"))


def document(tasks: Tasks) -> Document:
    """Lay out the five networks, or the one that was asked for."""
    blocks = _overview_blocks(tasks) if tasks.task is None else _detail_blocks(tasks, tasks.networks[0])
    return (*blocks, *closing_blocks(tasks, _measurement_note(tasks), _next_steps(tasks)))


def _next_steps(tasks: Tasks) -> list[NextStep]:
    task = MANY_TO_ONE if tasks.task is None else RELATED[tasks.task]
    reason = "one network in full, with its code" if tasks.task is None else f"{TITLES[task]}"
    outputs = None if tasks.outputs == 1 else tasks.outputs
    return [
        NextStep(format_command("tasks", tasks.spec, tasks.source, arguments=(task.value,), outputs=outputs), reason),
        NextStep(format_command("trace", tasks.spec, tasks.source, sample=tasks.sample or None), "h and c at every timestep"),
        NextStep(format_command("shapes", tasks.spec, tasks.source), "the LSTM without a dense layer"),
    ]


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
        f"A box is one timestep of the whole {layers}, with all its units. Boxes with the same name share their weights.",
        "─ passes h and c on.",
    ]
    if any(network.task == ENCODER_DECODER for network in tasks.networks):
        sentences.append("═ passes the encoder's last h and c to the decoder.")
    if spec.has_backward:
        if len(spec.layer_directions) < 2 * len(spec.layers):
            sentences.append("Some of the layers read forward only.")
        sentences.append("h_t without a direction is both halves, next to each other.")
    return " ".join(sentences)


# --- all five ---------------------------------------------------------------------------------------------------------


def _overview_blocks(tasks: Tasks) -> list[Block]:
    pages = [_network_blocks(network) for network in tasks.networks]
    return [
        Heading("tasks: how many outputs does the network have?", 1),
        Paragraph(
            f"It depends on the task. The dense layer outputs {plural(tasks.outputs, 'number')} (--outputs): once in "
            "one-to-one and many-to-one, at every step in the others. The LSTM is the same in all five networks. They differ "
            "in what it reads, and in which h the dense layer reads."
        ),
        Table(OVERVIEW_COLUMNS, tuple(_overview_row(network) for network in tasks.networks)),
        Note(f"Shapes begin with the samples and end with the numbers of one timestep. {_drawing_key(tasks)}"),
        *(SideBySide(tuple(pages[start : start + 2])) for start in range(0, len(pages), 2)),
    ]


def _overview_row(network: TaskNetwork) -> tuple[Cell, ...]:
    names = "input_read" if network.task in (ONE_TO_ONE, ONE_TO_MANY) else "input", "dense_input", "outputs"
    reads, dense, outputs = (Cell(format_sizes(network.tensor(name).shape.sizes)) for name in names)
    hidden = Cell("last h" if network.steps_out is None else "every h")
    return Cell(network.task.value, strong=True), reads, dense, hidden, outputs


def _network_blocks(network: TaskNetwork) -> tuple[Block, ...]:
    rows = [
        ("parameters", _parameter_total(network)),
        *((_title(name), program.in_short or _missing_option(name, program)) for name, program in network.frameworks.items()),
    ]
    return (
        Heading(f"{network.task.value}: {TITLES[network.task]}"),
        Paragraph(EXAMPLES[network.task]),
        Preformatted(network.drawing),
        facts_table(rows),
    )


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


def _detail_blocks(tasks: Tasks, network: TaskNetwork) -> list[Block]:
    steps = "for each sample" if network.steps_out is None else f"at each of {plural(network.steps_out, 'step')}"
    return [
        Heading(f"{network.task.value}: {TITLES[network.task]}", 1),
        Paragraph(
            f"The network outputs {plural(tasks.outputs, 'number')} {steps}: {_shape(network.tensor('outputs'))}. The dense "
            f"layer reads {_dense_input_text(network, tasks.spec)}. {EXAMPLES[network.task]}"
        ),
        *_unread_note(tasks, network),
        Preformatted(network.drawing),
        Note(_drawing_key(tasks)),
        Heading("Every tensor, from input to output"),
        _tensor_table(network),
        Heading("Where h goes"),
        Paragraph(_reach_text(network, tasks.spec)),
        Heading("Parameters"),
        _parameter_table(network),
        *_code_blocks(network, tasks.source["weights"].get("reads") == "from the end"),
        *_pitfall_blocks(tasks, network),
        Heading(f"The outputs of sample {thousands(tasks.sample)}"),
        _output_table(tasks, network),
        Note(_untrained_note(tasks)),
    ]


def _untrained_note(tasks: Tasks) -> str:
    part = "The dense layer is" if tasks.source["weights"]["kind"] == "model" else "The weights are"
    return f"{part} seeded, not trained, so these numbers show how outputs are computed, not what they are worth."


def _unread_note(tasks: Tasks, network: TaskNetwork) -> list[Block]:
    """What the network leaves of the batch at hand, where it reads one timestep of several."""
    if not any(tensor.name == "input_read" for tensor in network.tensors) or tasks.spec.timesteps == 1:
        return []
    return [Note(f"The batch has {plural(tasks.spec.timesteps, 'timestep')}. This network reads only the first.")]


def _tensor_table(network: TaskNetwork) -> FirstThatFits:
    several = any(tensor.layer for tensor in network.tensors)
    rows = [
        TensorRow(
            NAMES.get(tensor.name, tensor.name.replace("_", " ")),
            f"{tensor.symbol}{_layer_suffix(tensor, several)}",
            tensor.shape,
            tensor.meaning,
            tensor.bytes,
        )
        for tensor in network.tensors
    ]
    return tensor_table(rows)


def _layer_suffix(tensor: Tensor, several: bool) -> str:
    return f", layer {tensor.layer}" if several and tensor.layer is not None else ""


def _parameter_table(network: TaskNetwork) -> Table:
    rows: list[tuple[str, str]] = [(part.name, f"{part.formula} = {thousands(part.total)}") for part in network.parts]
    rows.append(("total", f"{thousands(network.total)} = {' + '.join(thousands(part.total) for part in network.parts)}"))
    for name, program in network.frameworks.items():
        rows.append((f"{_title(name)} counts", _framework_count(network, name, program)))
    return facts_table(rows)


def _framework_count(network: TaskNetwork, framework: str, program: FrameworkProgram) -> str:
    if program.parameters is None:
        return _missing_option(framework, program)
    more = program.parameters - network.total
    count = thousands(program.parameters)
    return f"{count} = {thousands(network.total)} + {thousands(more)} second biases" if more else count


def _code_blocks(network: TaskNetwork, reverse: bool) -> list[Block]:
    """The programs; `reverse` if the layer reads from the end."""
    text = "In the programs, x has its timesteps in the order in which they are read: reverse each sample first."
    programs = tuple(_program_blocks(_title(name), program) for name, program in network.frameworks.items())
    return [SideBySide(programs), *([Paragraph(text)] if reverse else [])]


def _program_blocks(title: str, program: FrameworkProgram) -> tuple[Block, ...]:
    if program.lines is None:
        return Heading(f"In {title}"), Paragraph(f"{title}'s LSTM has no {program.lacks}, so it cannot build this network.")
    return Heading(f"In {title}"), Preformatted(program.lines, "python")


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
    both = " of both directions, next to each other" if spec.for_layer(len(spec.layers) - 1).bidirectional else ""
    whose = "the decoder's h at every step" if network.task == ENCODER_DECODER else f"h at every step{both}"
    return f"the last h{both}" if network.steps_out is None else whose


def _reach_text(network: TaskNetwork, spec: Spec) -> str:
    """Where the layer's h goes."""
    reach, top = network.checks.reach, spec.layers[-1]
    numbers = plural(reach.numbers, "number")
    neurons = "The dense layer has one neuron. It reads"
    if reach.outputs > 1:
        neurons = f"The dense layer has {plural(reach.outputs, 'neuron')}. Each reads"
    whose = " of the decoder" if network.task == ENCODER_DECODER else " of both directions" if top.bidirectional else ""
    all_units = f"one from every unit{whose}" if top.projection is None else f"mixed from all units{whose} by the projection"
    changed = f"each of the {numbers}" if reach.poked == reach.numbers else f"each of the first {reach.poked} of the {numbers}"
    every = "" if network.steps_out is None else " The same neurons serve every step."
    outputs = "the output" if reach.outputs == 1 else f"each of the {reach.outputs} outputs"
    cases = reach.poked * reach.outputs
    return (
        f"{neurons} all {numbers} of h, {all_units}, and nothing else of the LSTM: not c, not the gates.{every} To measure "
        f"this, {changed} was changed by {reach.by}, one after the other, and {outputs} was compared: it moved in "
        f"{thousands(reach.moved)} of {plural(cases, 'case')}."
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
            "TimeDistributed(Dense) and Dense do the same on (samples, timesteps, features), because a dense layer reads the "
            "last axis. Applied to one step after the other and to all at once, their outputs differ by "
            f"{format_difference(taken.difference)} ({steps})."
        )
    if checks.ahead is not None and checks.ahead.earlier:
        texts.append(_lookahead_text(checks.ahead, spec))
    if network.padded:
        texts.append(
            f"This sample ends at timestep {thousands(network.length)}. After it the LSTM outputs zeros and the network the "
            "bias of the dense layer, which means nothing. Leave these steps out of the loss."
        )
    if checks.broadcast is not None:
        texts.append(_broadcast_text(checks.broadcast))
    return texts


def _idle_text(network: TaskNetwork, idle: IdleWeights) -> str:
    return (
        f"Of the {thousands(network.parts[0].total)} parameters of the LSTM, {thousands(idle.weights)} do nothing here: h_0 "
        "and c_0 are zero, so the recurrent kernel and the forget gate have nothing to act on. Setting these parameters to "
        f"zero changes the outputs by {format_difference(idle.difference)} ({plural(network.checks.samples, 'sample')})."
    )


def _broadcast_text(broadcast: BroadcastTargets) -> str:
    return (
        "A mistake that raises no error: targets of shape (samples, 1). Keras drops the outputs' last axis, and broadcasting "
        f"compares each target with the outputs of all {thousands(broadcast.compared // broadcast.samples)} steps. For "
        f"{plural(broadcast.samples, 'sample')} that makes {thousands(broadcast.compared)} differences instead of "
        f"{thousands(broadcast.samples)}, and the loss looks fine. If you mean one answer, use many-to-one, without "
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
    wrong = f"A mistake that raises no error: taking output[:, -1] for the last h, which is {right}."
    texts = []
    if last.difference == 0:
        texts.append(f"{_same_text(right, spec)} (over {samples}). {BIDIRECTIONAL_WARNING} Prefer h_n.")
    elif isnan(last.difference):
        texts.append(f"Whether output[:, -1] is the last h, {right}, cannot be determined here: they hold nan.")
    elif last.backward is not None:
        whose = "the backward half" + (" of the last layer" if len(spec.layers) > 1 else "")
        alone = (
            f" It equals a backward run over that timestep alone, to {_format_gap(last.alone)}."
            if last.alone is not None
            else ""
        )
        texts += [
            f"{wrong} The backward direction begins at the last timestep: there {whose} has read 1 timestep of "
            f"{thousands(network.timesteps)}.{alone} The two differ by {_format_gap(last.forward)} in the forward half and by "
            f"{_format_gap(last.backward)} in the backward half (over {samples}).",
            "Keras's Bidirectional(LSTM) without return_sequences returns the last h of each direction, which is right.",
        ]
    else:
        texts.append(f"{wrong} The two differ by {_format_gap(last.difference)} (over {samples}).")
    if last.padded:
        texts.append(
            f"Of {samples}, {thousands(last.padded)} end before the last timestep, so output[:, -1] is zero for them. h_n "
            "holds the state at each sample's own end."
        )
    if last.outputs is not None and last.outputs > 0:
        texts.append(f"The mistake moves the outputs of the network by up to {_format_gap(last.outputs)}.")
    return texts


def _same_text(right: str, spec: Spec) -> str:
    alone = ", because there is only one timestep" if spec.for_layer(len(spec.layers) - 1).bidirectional else ""
    return f"output[:, -1] is the same as {right} here{alone}: the difference is 0 exactly"


def _format_gap(difference: float) -> str:
    """A difference: with two decimals unless it is too small."""
    return f"{difference:.2f}" if difference >= MIN_DECIMAL else format_difference(difference)
