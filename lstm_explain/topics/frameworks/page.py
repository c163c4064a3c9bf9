"""The page of `frameworks`: all next to each other, or one in full with its program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import LETTERS, Direction
from lstm_explain.document.blocks import (
    Block,
    Cell,
    Column,
    Document,
    Heading,
    NextStep,
    Note,
    Paragraph,
    Preformatted,
    SideBySide,
    Table,
)
from lstm_explain.document.numbers import format_bytes, format_difference, plural, thousands
from lstm_explain.document.tables import FACT_COLUMNS, elide_rows, facts_table
from lstm_explain.document.text import format_shape
from lstm_explain.topics.command_line import format_command
from lstm_explain.topics.frameworks.program import can_write_program
from lstm_explain.topics.intro import closing_blocks

if TYPE_CHECKING:
    from lstm_explain.core.axes import Shape
    from lstm_explain.frameworks.layout import TensorLayout
    from lstm_explain.topics.frameworks import FrameworkLayer, Frameworks
    from lstm_explain.topics.frameworks.program import Program

GATE_WORDS = {gate.value: f"{letter}, the {gate.value.replace('_', ' ')}" for gate, letter in LETTERS.items()}
PART_WORDS = {**GATE_WORDS, "input": "multiplies x", "hidden": "multiplies h"}
EXAMPLES = ("pytorch", "keras")
"""The frameworks that the page of all suggests: those that most people use."""


def document(frameworks: Frameworks) -> Document:
    """Lay out all frameworks, or the one that was asked for."""
    blocks = _overview_blocks(frameworks)
    if frameworks.chosen:
        blocks = _framework_blocks(frameworks, frameworks.frameworks[0])
    return (*blocks, *closing_blocks(frameworks, _measurement_note(frameworks), _next_steps(frameworks)))


def _next_steps(frameworks: Frameworks) -> list[NextStep]:
    if not frameworks.chosen:
        able = [layer.framework for layer in frameworks.frameworks if not layer.lacks]
        suggested = [framework for framework in able if framework.name in EXAMPLES] or able
        return [
            *(NextStep(_command(frameworks, "frameworks", name.name), f"{name.title} in full") for name in suggested[:2]),
            NextStep(_command(frameworks, "shapes"), "the shapes in this program's own layout"),
        ]
    (layer,) = frameworks.frameworks
    framework, steps = layer.framework, list[NextStep]()
    if frameworks.program is None and frameworks.measured and can_write_program(frameworks.spec, framework):
        steps.append(NextStep(_command(frameworks, "frameworks", framework.name, code=True), "a program that checks it"))
    if framework.call is not None and not layer.lacks:
        command = _command(frameworks, "shapes", framework=framework.name)
        steps.append(NextStep(command, "its call, and which returned tensor is which"))
    if framework.notation is not None:
        steps.append(NextStep(_command(frameworks, "equations", notation=framework.notation.name), "its equations"))
    return [*steps, NextStep(_command(frameworks, "frameworks"), "all frameworks")]


def _command(frameworks: Frameworks, topic: str, *arguments: str, **options: str | bool) -> str:
    return format_command(topic, frameworks.spec, frameworks.source, arguments, **options)


def _measurement_note(frameworks: Frameworks) -> str:
    if not frameworks.measured:
        budget = f"the memory budget of {format_bytes(frameworks.max_memory)} (--max-memory)"
        return f"These shapes are computed, not measured: converted weights do not fit {budget}."
    layouts = "this framework's layout" if frameworks.chosen else "the layout of each framework"
    return (
        f"Shapes of weights were read off arrays: our weights, written in {layouts}. Shapes of inputs and of what is returned "
        "follow from the sizes."
    )


# --- next to each other -----------------------------------------------------------------------------------------------


def _overview_blocks(frameworks: Frameworks) -> list[Block]:
    both = (
        " An array that holds both directions has 2 on its first axis." if frameworks.spec.for_layer(0).bidirectional else ""
    )
    layers = [layer for layer in frameworks.frameworks if not layer.lacks]
    orders = {layer.convention.gate_order for layer in layers if not layer.convention.gates_separate}
    return [
        Heading("frameworks: how each framework writes this layer", 1),
        Paragraph(
            f"{len(layers)} of {plural(len(frameworks.frameworks), 'framework layer')} can hold these weights, in "
            f"{plural(len(orders), 'different order')} of the gates. A wrong order raises no error, because all gates have "
            "the same shape."
        ),
        Heading(_weights_heading_text(frameworks)),
        Note(
            "Gates are in the order in which they are packed along the axis of 4 × units: i input gate, f forget gate, g "
            "candidate, o output gate. If they are separate, each has its own arrays, and a star replaces its name."
            f"{both}"
        ),
        _weights_table(frameworks),
        Heading("What goes in, and which states come out"),
        _interface_table(frameworks),
        Note("run: our tests build this layer with these weights and compare. read: we read the framework's source."),
        *_bias_notes(frameworks),
    ]


def _weights_heading_text(frameworks: Frameworks) -> str:
    spec = frameworks.spec
    which = " of layer 0" if len(spec.layers) > 1 else ""
    return f"The weights{which}{' in one direction' if spec.layers[0].bidirectional else ''}"


def _weights_table(frameworks: Frameworks) -> Table:
    columns = (Column("framework"), Column("gates"), Column("weights", wraps=True), Column("parameters", "right"))
    rows = [
        (
            Cell(layer.framework.name, strong=True),
            Cell(_gate_order_text(layer)),
            Cell(_weights_text(layer)),
            Cell(_parameters_text(layer)),
        )
        for layer in frameworks.frameworks
    ]
    return Table(columns, tuple(rows))


def _gate_order_text(layer: FrameworkLayer) -> str:
    if layer.convention.gates_separate:
        return "separate"
    return " ".join(LETTERS[gate] for gate in layer.convention.gate_order)


def _weights_text(layer: FrameworkLayer) -> str:
    """The arrays of the first layer in one direction; a star replaces the names of the gates."""
    if layer.lacks:
        return f"- (it has no {layer.lacks})"
    convention = layer.convention
    shapes: dict[str, Shape] = {}
    for array in layer.weights:
        if array.layer == 0 and array.direction is not Direction.BACKWARD:
            name = array.name
            if array.gate is not None and name not in convention.name_overrides.values():
                stars = (convention.kernel, convention.recurrent_kernel, *convention.biases, convention.peephole or "")
                starred = [star for star in stars if array.name in convention.gate_arrays(star, (array.gate,))]
                name = starred[0] if starred and "*" in starred[0] else name
            shapes[name] = array.shape
    return ", ".join(f"{name} {_short_shape(shape)}" for name, shape in shapes.items())


def _parameters_text(layer: FrameworkLayer) -> str:
    return "-" if layer.parameters is None else thousands(layer.parameters)


def _interface_table(frameworks: Frameworks) -> Table:
    columns = (
        Column("framework"),
        Column("reads", wraps=True),
        Column("states"),
        Column("forget bias"),
        Column("checked"),
    )
    rows = []
    for layer in frameworks.frameworks:
        framework = layer.framework
        rows.append(
            (
                Cell(framework.name, strong=True),
                Cell("-" if layer.reads is None else ", ".join(layer.reads.names)),
                Cell(f"({', '.join(framework.info.state_order)})"),
                Cell(str(framework.info.forget_bias)),
                Cell(framework.info.verification),
            )
        )
    return Table(columns, tuple(rows))


def _bias_notes(frameworks: Frameworks) -> list[Block]:
    spec = frameworks.spec
    always = [layer.framework.name for layer in frameworks.frameworks if layer.convention.bias_required]
    if all(spec.for_layer(layer).bias for layer, _ in spec.layer_groups):
        return []
    then = "zeros in layers without biases" if spec.layers_differ else "zeros here"
    return [Note(f"These always have biases, which are {then} (except what is added when called): {', '.join(always)}.")]


# --- one in full ------------------------------------------------------------------------------------------------------


def _framework_blocks(frameworks: Frameworks, layer: FrameworkLayer) -> list[Block]:
    framework = layer.framework
    heading = Heading(f"frameworks: {framework.title}", 1)
    if layer.lacks:
        text = f"{framework.title}'s LSTM has no {layer.lacks}, so it cannot build this one.{_per_layer_text(layer)}"
        return [heading, Paragraph(text), facts_table(_fact_rows(layer))]
    who = "the last layer" if frameworks.spec.layers_differ else "it"
    weights, segments = (Heading("Every weight"), _tensor_table(frameworks, layer)), _segment_blocks(frameworks, layer)
    blocks: list[Block] = [
        heading,
        facts_table([*_fact_rows(layer), *_comparison_rows(layer)]),
        SideBySide((weights, tuple(segments)) if segments else (weights,)),
        Heading(f"What {who} returns"),
        _returned_table(layer),
        *_slice_blocks(frameworks, layer),
    ]
    if framework.info.remarks:
        blocks += [Heading("What to know"), *(Paragraph(remark) for remark in framework.info.remarks)]
    if frameworks.program is not None:
        blocks += _program_blocks(frameworks.program, framework.title)
    return blocks


def _per_layer_text(layer: FrameworkLayer) -> str:
    """The alternative if only layers that differ are unsupported: one layer object for each."""
    return f" One {layer.framework.info.class_name} for each layer can." if layer.layers_alone else ""


def _fact_rows(layer: FrameworkLayer) -> list[tuple[str, str]]:
    framework, convention = layer.framework, layer.convention
    reads = "one timestep, which a loop calls" if framework.info.is_cell else "whole sequences"
    rows = [("layer", f"{framework.info.class_name}, {reads}")]
    if layer.reads is not None:
        rows.append(("reads", format_shape(layer.reads)))
        rows += [("", f"{how}: {', '.join(axes)}") for how, axes in framework.info.alternative_layouts]
    rows += [
        ("gates", _gates_text(layer)),
        ("biases", _biases_text(layer)),
        ("states", f"({', '.join(framework.info.state_order)}), in this order"),
        ("forget bias", _forget_bias_text(layer)),
        *(("" if index else "starts with", f"{what}: {how}") for index, (what, how) in enumerate(framework.info.initializers)),
        ("stacking", framework.info.stacking),
        ("checked", f"{_verification_text(layer)}: {convention.source}"),
    ]
    return rows


def _verification_text(layer: FrameworkLayer) -> str:
    return (
        "run by our tests, and read in its source"
        if layer.framework.info.verification == "run"
        else "read in its source, not run"
    )


def _gates_text(layer: FrameworkLayer) -> str:
    names = [GATE_WORDS[gate.value] for gate in layer.convention.gate_order]
    if layer.convention.gates_separate:
        return f"each in its own arrays: {'; '.join(names)}"
    return f"{_gate_order_text(layer)}: {'; '.join(names)}"


def _biases_text(layer: FrameworkLayer) -> str:
    convention = layer.convention
    number = len(convention.biases)
    text = "one for each neuron" if number == 1 else f"{number} for each neuron, and both are added"
    return f"{text}; they cannot be left out" if convention.bias_required else text


def _forget_bias_text(layer: FrameworkLayer) -> str:
    bias = layer.framework.info.forget_bias
    return {
        "stored": f"{bias.value} in a new layer, stored in the bias",
        "added when called": f"{bias.value}, added when the layer is called, and not stored: our bias is written without it",
        "random": "random in a new layer, like the other biases",
        "given": "whatever is passed to the operator",
    }[bias.how]


def _comparison_rows(layer: FrameworkLayer) -> list[tuple[str, str]]:
    rows = [] if layer.parameters is None else [("parameters", f"{thousands(layer.parameters)} = {layer.formula}")]
    back = layer.read_back
    if back is None:
        return rows
    text = f"written this way and read back, our weights differ by {format_difference(back.weights)}"
    if back.hidden is not None:
        text += f"; h of {plural(back.samples, 'sample')}, run with them, by {format_difference(back.hidden)}"
    return [*rows, ("read back", text)]


def _tensor_table(frameworks: Frameworks, layer: FrameworkLayer) -> Table:
    spec = frameworks.spec
    several = len(spec.layer_directions) > 1
    rows = [_tensor_row(array, several) for array in layer.weights]
    return Table((Column("weight"), Column("shape", wraps=True), Column("numbers", "right")), elide_rows(rows))


def _tensor_row(array: TensorLayout, several: bool) -> tuple[Cell, ...]:
    of = [GATE_WORDS[array.gate.value]] if array.gate is not None else []
    if several:
        of += [f"layer {array.layer}", array.direction.value if array.direction is not None else "all directions"]
    return (
        Cell(array.name, ", ".join(of), strong=True),
        Cell(format_shape(array.shape)),
        Cell(thousands(array.shape.elements)),
    )


def _segment_blocks(frameworks: Frameworks, layer: FrameworkLayer) -> list[Block]:
    """What each index along an axis holds, and in which arrays; for one layer and direction, as equal layers share it."""
    groups: dict[tuple[tuple[int, int, str], ...], list[str]] = {}
    for array in layer.weights:
        if array.layer == 0 and array.direction is not Direction.BACKWARD:
            for axis in sorted({part.axis for part in array.segments}):
                parts = tuple((part.start, part.stop, part.content) for part in array.segments if part.axis == axis)
                groups.setdefault(parts, []).append(f"{array.name}{_index_expression(axis)}")
    if not groups:
        return []
    rows = [
        (Cell(f"{start}:{stop}", strong=True), Cell(PART_WORDS[what]), Cell(", ".join(names) if index == 0 else ""))
        for parts, names in groups.items()
        for index, (start, stop, what) in enumerate(parts)
    ]
    columns = (Column("slice", "right"), Column("what"), Column("in", wraps=True))
    return [
        Heading(f"What each slice holds{', in layer 0' if frameworks.spec.layers_differ else ''}"),
        Table(columns, tuple(rows)),
    ]


def _index_expression(axis: int) -> str:
    """weight[slice], or weight[:, slice] where the axis is not the first."""
    return f"[{':, ' * axis}slice]"


def _returned_table(layer: FrameworkLayer) -> Table:
    rows = [(Cell(name, strong=True), Cell(format_shape(shape)), Cell(meaning)) for name, shape, meaning in layer.returns]
    return Table((Column("tensor"), Column("shape", wraps=True), Column("what", wraps=True)), tuple(rows))


def _slice_blocks(frameworks: Frameworks, framework_layer: FrameworkLayer) -> list[Block]:
    """The layer and direction of each slice of h_n, if there are several."""
    spec = frameworks.spec
    stacked = [name for name, shape, _ in framework_layer.returns if "layers*directions" in shape.names]
    if not stacked or len(spec.layer_directions) == 1:
        return []
    rows = [
        (Cell(", ".join(f"{name}[{index}]" for name in stacked), strong=True), Cell(f"layer {layer}, {direction}"))
        for index, (layer, direction) in enumerate(spec.layer_directions)
    ]
    return [Table(FACT_COLUMNS, elide_rows(rows), ruled=False)]


def _program_blocks(program: Program, title: str) -> list[Block]:
    return [
        Heading(f"A program in {title} that checks it"),
        Paragraph(
            f"The program builds the layer, loads the weights, runs {plural(program.samples, 'sample')}, and fails if its "
            "output, h or c differ from ours. -o program.py writes it to a file, and program.npz with the weights, the input "
            "and our results."
        ),
        Preformatted(program.lines, "python"),
    ]


def _short_shape(shape: Shape) -> str:
    """A shape without blanks, so that no line breaks in it."""
    return f"({'×'.join(map(str, shape.sizes))})"
