"""tasks, in words, drawings and tables: an overview of the five networks, or one of them in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Preformatted, Table
from lstm_explain.document.numbers import format_bytes, format_decimal, plural, thousands, tint
from lstm_explain.document.tables import MAX_UNITS, elide_rows, facts_table
from lstm_explain.document.text import format_shape
from lstm_explain.topics.intro import lstm_summary
from lstm_explain.topics.tasks import ENCODER_DECODER
from lstm_explain.topics.tasks.text import ALTERNATIVES, MEANINGS, TITLES, dense_input_text, pitfall_texts, reach_text

if TYPE_CHECKING:
    from lstm_explain.topics.shapes import Tensor
    from lstm_explain.topics.tasks import FrameworkProgram, TaskNetwork, Tasks

TENSOR_COLUMNS = (Column("tensor"), Column("shape", wraps=True), Column("elements", "right"), Column("bytes", "right"))
FRAMEWORKS = {"keras": "Keras", "pytorch": "PyTorch"}
UNTRAINED = "The weights are seeded, not trained: the numbers show what is computed, not what it is good for."


def document(tasks: Tasks) -> Document:
    """Lay out the five networks, or the one that was asked for."""
    if tasks.task is not None:
        return tuple(_details(tasks, tasks.networks[0]))
    blocks: list[Block] = [
        Heading("tasks: how many outputs? It depends on the task", 1),
        Paragraph(lstm_summary(tasks)),
        Paragraph(
            "The same LSTM stands in five networks. They differ in what it reads, and in which of its h the dense layer "
            f"reads. Here the dense layer has {plural(tasks.outputs, 'output')} (--outputs)."
        ),
        Note(_measurement_note(tasks)),
        Note(_drawing_key(tasks)),
    ]
    for network in tasks.networks:
        blocks += _overview(tasks, network)
    return (*blocks, Note("For one of them in full, with the code, name it: lstm-explain tasks many-to-one"))


def _measurement_note(tasks: Tasks) -> str:
    apart = [network.task.value for network in tasks.networks if not network.measured]
    if not apart:
        which = "The network" if tasks.task is not None else "Each network"
        return f"{which} was built and run over all samples, and every shape read off an array of that run."
    budget = f"the memory budget of {format_bytes(tasks.max_memory)} (--max-memory)"
    block = plural(min(network.checked_samples for network in tasks.networks if not network.measured), "sample")
    which = "These shapes" if len(apart) == len(tasks.networks) else f"The shapes of {', '.join(apart)}"
    return f"{which} are computed, not measured: a run over all samples does not fit {budget}. A block of {block} was run."


def _drawing_key(tasks: Tasks) -> str:
    spec = tasks.spec
    layers = f"stack of {len(spec.layers)} layers" if len(spec.layers) > 1 else "layer"
    weights = "boxes of one name share their weights"
    both = " Of two directions, h_t is both halves side by side." if spec.has_backward else ""
    if spec.has_backward and len(spec.layer_directions) < 2 * len(spec.layers):
        both = f" Some of the layers read forward only.{both}"
    handed = any(network.task == ENCODER_DECODER for network in tasks.networks)
    over = " ═ hands the encoder's last h and c over to the decoder." if handed else ""
    return f"A box is one timestep of the whole {layers}, all units together; {weights}. ─ carries h and c on.{over}{both}"


# --- in short ---------------------------------------------------------------------------------------------------------


def _overview(tasks: Tasks, network: TaskNetwork) -> list[Block]:
    rows = [
        ("reads", _input_text(tasks, network)),
        ("Dense reads", f"{_shape(network.tensor('dense_input'))}: {dense_input_text(network, tasks.spec)}"),
        ("makes", _shape(network.tensor("outputs"))),
        ("parameters", _parameter_total(network)),
        *((FRAMEWORKS[name], _program_summary(program, FRAMEWORKS[name])) for name, program in network.frameworks.items()),
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


def _program_summary(program: FrameworkProgram, title: str) -> str:
    return program.in_short or f"- ({title}'s LSTM has no {program.lacks})"


def _shape(tensor: Tensor) -> str:
    return format_shape(tensor.shape)


def _parameter_total(network: TaskNetwork) -> str:
    parts = " + ".join(f"{thousands(part.total)} {part.name}" for part in network.parts)
    counts = {FRAMEWORKS[name]: program.parameters for name, program in network.frameworks.items()}
    others = [f"{title} counts {thousands(number)}" for title, number in counts.items() if number not in (None, network.total)]
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
        Paragraph(reach_text(network, tasks.spec)),
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
    rows = [_tensor_row(tensor, several) for tensor in network.tensors]
    return Table(TENSOR_COLUMNS, elide_rows(rows))


def _tensor_row(tensor: Tensor, several: bool) -> tuple[Cell, ...]:
    place = f", layer {tensor.layer}" if several and tensor.layer is not None else ""
    name = Cell(tensor.name, f"{tensor.symbol}{place}", strong=True)
    return (name, Cell(_shape(tensor), tensor.meaning), Cell(thousands(tensor.shape.elements)), Cell(thousands(tensor.bytes)))


def _parameter_table(network: TaskNetwork) -> Table:
    rows = [(part.name, f"{part.formula} = {thousands(part.total)}") for part in network.parts]
    rows.append(("total", f"{thousands(network.total)} = {' + '.join(thousands(part.total) for part in network.parts)}"))
    for name, program in network.frameworks.items():
        rows.append((f"{FRAMEWORKS[name]} says", _framework_count(network, program, FRAMEWORKS[name])))
    return facts_table(rows)


def _framework_count(network: TaskNetwork, program: FrameworkProgram, title: str) -> str:
    if program.parameters is None:
        return f"- ({title}'s LSTM has no {program.lacks})"
    more = program.parameters - network.total
    return (
        f"{thousands(program.parameters)} = {thousands(network.total)} + {thousands(more)} second biases"
        if more
        else thousands(network.total)
    )


def _code_blocks(network: TaskNetwork, turned: bool) -> list[Block]:
    """The programs; `turned` where the layer reads from the end."""
    blocks: list[Block] = []
    if turned:
        text = "In the programs x has its timesteps in the order in which they are read: turn each sample round before."
        blocks.append(Paragraph(text))
    for name, program in network.frameworks.items():
        title = FRAMEWORKS[name]
        blocks.append(Heading(f"In {title}"))
        if program.lines is None:
            blocks.append(Paragraph(f"{title}'s LSTM has no {program.lacks}, so it cannot build this network."))
        else:
            blocks.append(Preformatted(program.lines, "python"))
    return blocks


def _pitfall_blocks(tasks: Tasks, network: TaskNetwork) -> list[Block]:
    blocks: list[Block] = [Heading("What to know")]
    blocks += [Paragraph(text) for text in pitfall_texts(network, tasks.spec)]
    return [*blocks, Paragraph(ALTERNATIVES[network.task])] if network.task in ALTERNATIVES else blocks


def _output_table(tasks: Tasks, network: TaskNetwork) -> Table:
    shown = min(tasks.outputs, MAX_UNITS)
    titles = tuple(Column(f"output {number}", "right") for number in range(shown))
    values = network.outputs.tolist()
    if network.steps_out is None:
        return Table(titles, (_value_cells(values[:shown]),), repeated=0)
    rows = [(Cell(str(t), strong=True), *_value_cells(one[:shown])) for t, one in enumerate(values, start=1)]
    if network.padded:
        rows = [*rows[: network.length], *((row[0], *(Cell("·"),) * shown) for row in rows[network.length :])]
    return Table((Column("t", "right"), *titles), elide_rows(rows))


def _value_cells(values: list[float]) -> tuple[Cell, ...]:
    return tuple(Cell(format_decimal(value, 4), tint=tint(value, 1.0)) for value in values)
