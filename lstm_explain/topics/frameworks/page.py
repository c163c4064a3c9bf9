"""frameworks, in words and tables: all beside each other, or one in full with its program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import LETTERS, Direction
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Preformatted, Table
from lstm_explain.document.numbers import format_bytes, format_difference, plural, thousands
from lstm_explain.document.tables import FACT_COLUMNS, elide_rows, facts_table
from lstm_explain.document.text import format_shape
from lstm_explain.topics.intro import lstm_summary

if TYPE_CHECKING:
    from lstm_explain.core.axes import Shape
    from lstm_explain.frameworks.layout import TensorLayout
    from lstm_explain.topics.frameworks import FrameworkLayer, Frameworks
    from lstm_explain.topics.frameworks.program import Program

GATE_WORDS = {gate.value: f"{letter}, the {gate.value.replace('_', ' ')}" for gate, letter in LETTERS.items()}
PART_WORDS = {**GATE_WORDS, "input": "multiplies x", "hidden": "multiplies h"}
READ_AGAIN = "lstm-explain frameworks"


def document(frameworks: Frameworks) -> Document:
    """Lay out all frameworks, or the one that was asked for."""
    if frameworks.chosen:
        return tuple(_framework_blocks(frameworks, frameworks.frameworks[0]))
    both = (
        " An array that holds both directions has 2 on its first axis." if frameworks.spec.for_layer(0).bidirectional else ""
    )
    return (
        Heading("frameworks: one layer, and how each framework writes it", 1),
        Paragraph(lstm_summary(frameworks)),
        Note(_measurement_note(frameworks)),
        Heading(_weights_heading_text(frameworks)),
        Paragraph(
            "Gates: the order in which they are packed along the axis of 4 × units; i input, f forget, "
            "g candidate, o output. A star in a name means that each gate has its own array. A wrong order raises no "
            f"error: all gates have the same shape.{both}"
        ),
        _weights_table(frameworks),
        Heading("What goes in, what comes out"),
        _interface_table(frameworks),
        Note("run: our tests build the layer with these weights and compare. read: the framework's source was read."),
        *_bias_notes(frameworks),
        Note(f"For one of them in full, name it: {READ_AGAIN} pytorch. With --code, a program that checks it."),
    )


def _measurement_note(frameworks: Frameworks) -> str:
    if not frameworks.measured:
        budget = f"the memory budget of {format_bytes(frameworks.max_memory)} (--max-memory)"
        return f"These shapes are computed, not measured: the weights, written anew, do not fit {budget}."
    manner = "in this way" if frameworks.chosen else "in the way of each"
    return (
        f"Shapes of weights were read off arrays: our weights, written {manner}. Those of inputs and of what is returned "
        "follow from the sizes."
    )


def _weights_heading_text(frameworks: Frameworks) -> str:
    spec = frameworks.spec
    which = " of layer 0" if len(spec.layers) > 1 else ""
    return f"The weights{which}{' in one direction' if spec.layers[0].bidirectional else ''}"


# --- beside each other ------------------------------------------------------------------------------------------------


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
        return "apart"
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
        Column("known"),
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
    then = "zeros in layers that have none" if spec.layers_differ else "then zeros"
    return [Note(f"Always with biases, which are {then}, but for what is added when called: {', '.join(always)}.")]


# --- one in full ------------------------------------------------------------------------------------------------------


def _framework_blocks(frameworks: Frameworks, layer: FrameworkLayer) -> list[Block]:
    framework = layer.framework
    blocks: list[Block] = [
        Heading(f"frameworks: {framework.title}", 1),
        Paragraph(lstm_summary(frameworks)),
    ]
    if layer.lacks:
        return [
            *blocks,
            Paragraph(f"{framework.title}'s LSTM has no {layer.lacks}, so it cannot build this one.{_per_layer_text(layer)}"),
            facts_table(_fact_rows(layer)),
        ]
    blocks += [Note(_measurement_note(frameworks)), facts_table([*_fact_rows(layer), *_comparison_rows(layer)])]
    blocks += [Heading("Every weight"), _tensor_table(frameworks, layer), *_segment_blocks(frameworks, layer)]
    who = "the last layer" if frameworks.spec.layers_differ else "it"
    blocks += [Heading(f"What {who} returns"), _returned_table(layer), *_slice_blocks(frameworks, layer)]
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
        ("several", framework.info.stacking),
        ("known", f"{_verification_text(layer)}: {convention.source}"),
    ]
    return rows


def _verification_text(layer: FrameworkLayer) -> str:
    return "run by our tests, and read" if layer.framework.info.verification == "run" else "read, not run"


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
        "stored": f"{bias.value} at the start, stored in the bias",
        "added when called": f"{bias.value}, added when the layer is called, and not stored: our bias is written without it",
        "random": "random at the start, like the other biases",
        "given": "as it is given",
    }[bias.how]


def _comparison_rows(layer: FrameworkLayer) -> list[tuple[str, str]]:
    rows = [] if layer.parameters is None else [("parameters", f"{thousands(layer.parameters)} = {layer.formula}")]
    back = layer.read_back
    if back is None:
        return rows
    text = f"written so and read back, our weights differ by {format_difference(back.weights)}"
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
    """What each index along an axis holds, and in which arrays; of one layer and direction, as equal layers share it."""
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
            f"It builds the layer, loads the weights, runs {plural(program.samples, 'sample')}, and fails where its output, "
            "h or c differ from ours. -o program.py writes it, and program.npz with the weights, the input and our results."
        ),
        Preformatted(program.lines, "python"),
    ]


def _short_shape(shape: Shape) -> str:
    """The same without blanks, where lines are broken."""
    return f"({'×'.join(map(str, shape.sizes))})"
