"""shapes, in words and tables: what goes in, one timestep inside the layer, the weights, what comes out, one unit's share,
the parameters counted, and the cost; or the same in a framework's names and layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import LETTERS, Direction
from lstm_explain.document.blocks import (
    BlankLine,
    Block,
    Cell,
    Column,
    Document,
    FirstThatFits,
    Heading,
    NextStep,
    NextSteps,
    Note,
    Paragraph,
    Preformatted,
    Table,
)
from lstm_explain.document.numbers import format_bytes, format_difference, format_factor, plural, thousands
from lstm_explain.document.tables import FACT_COLUMNS, TensorRow, elide_rows, facts_table, tensor_table
from lstm_explain.document.text import format_shape
from lstm_explain.topics.command_line import format_command
from lstm_explain.topics.intro import computed_note, lstm_summary
from lstm_explain.topics.shapes import MEANINGS, OUTPUT_NAMES, STEP_NAMES
from lstm_explain.topics.shapes.first_screen import first_screen

if TYPE_CHECKING:
    from lstm_explain.core.axes import Shape
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.layout import TensorLayout
    from lstm_explain.topics.shapes import Shapes, Tensor, UnitShare
    from lstm_explain.topics.shapes.framework_call import CallLines, FrameworkCall, Returned
    from lstm_explain.topics.shapes.last_states import LastState, Pitfall

NAMES = {
    "input_step": "input at t",
    "hidden_prev": "previous h",
    "cell_prev": "previous c",
    "joined": "both",
    "pre_activation": "pre-activation",
    "cell": "cell state",
    "hidden": "hidden state",
    "output_sequence": "every h",
    "output_last": "last h",
    "cell_last": "last c",
}
"""What tensors are called in tables, where it is not their name in JSON."""
FRAMEWORK_TITLES = {"keras": "Keras", "pytorch": "PyTorch", "onnx": "ONNX"}
PAST_END = {
    "zeros": "zeros",
    "repeated": "h of its last timestep again",
    "other": "numbers of no use: the cell runs on over the padding",
}
"""What the output holds past a sample's end."""


def document(shapes: Shapes, every: bool = False) -> Document:
    """Lay out the shapes of an LSTM.

    Args:
        shapes: the explanation.
        every: show every tensor, the parameters and the cost, in place of the first screen.
    """
    spec = shapes.spec
    if shapes.framework is not None:
        return _framework_document(shapes, shapes.framework)
    if not every:
        return first_screen(shapes)
    blocks: list[Block] = [
        Heading(f"shapes: every tensor from input to output{'' if shapes.measured else ', computed'}", 1),
        Paragraph(lstm_summary(shapes)),
        Heading("What goes in"),
        _tensor_table(shapes.of("input")),
        *_output_blocks(shapes),
    ]
    for layer in range(len(spec.layers)):
        blocks += _layer_blocks(shapes, layer)
    for unit in shapes.units:
        blocks += _unit_blocks(unit, spec)
    measured = "Every shape was read off an array of a run that just happened, over all samples."
    return (
        *blocks,
        *_parameter_blocks(shapes),
        *_cost_blocks(shapes),
        BlankLine(),
        _next_steps(shapes),
        Note(measured if shapes.measured else computed_note("These shapes", shapes.max_memory)),
    )


def _next_steps(shapes: Shapes) -> NextSteps:
    commands = {"unit": "one unit, number by number", "trace": "h and c at every timestep", "influence": "what units share"}
    return NextSteps(
        tuple(NextStep(format_command(name, shapes.spec, shapes.source), reason) for name, reason in commands.items())
    )


def _layer_blocks(shapes: Shapes, layer: int) -> list[Block]:
    spec, layer_spec = shapes.spec, shapes.spec.for_layer(layer)
    name = f"layer {layer}" if len(spec.layers) > 1 else "the layer"
    step = tuple(tensor for tensor in shapes.of(*STEP_NAMES, layer=layer) if tensor.direction is Direction.FORWARD)
    weights = shapes.of(*shapes.counts, layer=layer)
    both = ", the same in each direction" if layer_spec.bidirectional else ""
    below = "" if layer == 0 else f" It reads the {thousands(layer_spec.features)} outputs of layer {layer - 1}."
    return [
        Heading(f"One timestep inside {name}{both}"),
        Paragraph(f"All units take the step together, each sample by itself.{below}"),
        _tensor_table(step),
        Heading(f"The weights of {name}, shared by all {thousands(spec.timesteps)} timesteps"),
        _tensor_table(weights, directions=layer_spec.bidirectional),
    ]


def _output_blocks(shapes: Shapes) -> list[Block]:
    spec = shapes.spec
    padded, several = shapes.source["inputs"]["lengths"] is not None, len(spec.layers) > 1
    table = _tensor_table(shapes.of(*OUTPUT_NAMES), directions=spec.has_backward, layers=several)
    blocks: list[Block] = [Heading("What comes out"), table]
    if spec.layers_differ:
        blocks.append(
            Paragraph("The layers differ, so their last states are not stacked into one h_n: each layer has its own.")
        )
    elif len(spec.layer_directions) > 1:
        slices = tuple(
            (Cell(f"h_n[{index}], c_n[{index}]"), Cell(f"layer {layer}, {direction.value}{_state_timing(direction, padded)}"))
            for index, (layer, direction) in enumerate(shapes.last_states)
        )
        h_n = f"({len(spec.layer_directions)}, {spec.samples}, {spec.hidden})"
        text = f"Stacked as PyTorch and ONNX return them, h_n is {h_n}: one slice for each layer and direction."
        blocks += [Paragraph(text), Table(FACT_COLUMNS, slices, ruled=False)]
    return blocks


def _state_timing(direction: Direction, padded: bool) -> str:
    if direction is Direction.BACKWARD:
        return ": the state after t = 1, where it stops reading"
    return ": the state after each sample's own last timestep" if padded else ": the state after the last timestep, t = T"


def _tensor_table(tensors: tuple[Tensor, ...], directions: bool = False, layers: bool = False) -> FirstThatFits:
    rows = []
    for tensor in tensors:
        detail = [tensor.symbol]
        detail += [f"layer {tensor.layer}"] if layers and tensor.layer is not None else []
        detail += [tensor.direction.value] if directions and tensor.direction is not None else []
        name = NAMES.get(tensor.name, tensor.name.replace("_", " "))
        rows.append(TensorRow(name, ", ".join(detail), tensor.shape, tensor.meaning, tensor.bytes))
    return tensor_table(rows, limit=len(rows))


def _unit_blocks(unit: UnitShare, spec: Spec) -> list[Block]:
    name = f"One unit of layer {unit.layer}" if len(spec.layers) > 1 else "One unit"
    spec = spec.for_layer(unit.layer)
    outputs = "1 number a timestep, its number in h_t"
    if spec.projection is not None:
        outputs = "1 number a timestep, m_t, which the projection mixes into h_t with those of the others"
    rows = (
        ("reads", f"{thousands(unit.reads)} numbers a timestep: {_reading_text(unit, spec)}"),
        ("has", "4 neurons, one for each of i, f, g and o; each reads all of these numbers"),
        ("owns", f"{thousands(unit.parameters)} parameters that no other unit uses: {_owned_parameters(unit)}"),
        ("keeps", "1 number from timestep to timestep, its number in c_t, which no other unit reads"),
        ("outputs", outputs),
        ("shares", _sharing_text(unit, spec)),
    )
    diagram = (
        "In a diagram of a network each circle of the layer is one such unit. The picture of an LSTM cell with its gates "
        "shows the whole layer: the arrows of the gates and of c carry one number from every unit."
    )
    return [
        Heading(f"{name}: one circle of the diagram"),
        *([Paragraph(diagram)] if unit.layer == 0 else []),
        facts_table(rows),
    ]


def _sharing_text(unit: UnitShare, spec: Spec) -> str:
    mixed = "" if spec.projection is None else ", mixed with the others' by the projection"
    return (
        f"its output{mixed}: at the next timestep it is among the {thousands(unit.hidden)} numbers that every unit reads. "
        "Within a timestep it reads nothing of any other unit's gates or states (`influence` measures that)"
    )


def _reading_text(unit: UnitShare, spec: Spec) -> str:
    others = f"{'output' if unit.hidden == 1 else 'outputs'} h_{{t-1}} of all units, including its own"
    if spec.projection is not None:
        others = "numbers of h_{t-1}, mixed from all units"
    return f"{plural(unit.features, 'feature')} of x_t + {thousands(unit.hidden)} {others}"


def _owned_parameters(unit: UnitShare) -> str:
    sums = f"4 × ({thousands(unit.features)} + {thousands(unit.hidden)}{' + 1' if unit.biases else ''})"
    extra = " + 3 peepholes" if unit.peepholes else ""
    return sums + extra + (f" + {thousands(unit.projection)} of the projection" if unit.projection else "")


def _parameter_blocks(shapes: Shapes) -> list[Block]:
    spec = shapes.spec
    rows = [(name, thousands(number)) for name, number in shapes.counts.items()]
    for layer in shapes.layers:
        label = f"layer {layer.layer}" if len(spec.layers) > 1 else "formula"
        rows.append((label, f"{layer.formula} = {thousands(layer.total)}"))
    rows.append(("total", f"{thousands(shapes.total)} = {' + '.join(map(thousands, shapes.counts.values()))}"))
    if len(spec.layer_directions) == 1:
        unit = shapes.units[0]
        rows.append(("by unit", f"{plural(spec.units, 'unit')} × {thousands(unit.parameters)} = {thousands(shapes.total)}"))
    rows += [(f"{FRAMEWORK_TITLES[name]} says", _framework_count(shapes, name)) for name in shapes.frameworks]
    return [Heading("Parameters, counted"), facts_table(tuple(rows)), Note(_bias_note(shapes))]


def _framework_count(shapes: Shapes, name: str) -> str:
    number = shapes.frameworks[name]
    if number is None:
        return "- (its LSTM does not have this option)"
    if number == shapes.total:
        return thousands(number)
    return f"{thousands(number)} = {thousands(shapes.total)} + {thousands(shapes.counts.get('bias', 0))}"


def _bias_note(shapes: Shapes) -> str:
    if "bias" not in shapes.counts:
        return "Without bias, all frameworks count the same."
    return (
        "Keras keeps one bias for each neuron. PyTorch and ONNX keep two, one for the kernel and one for the "
        "recurrent kernel, and add both: the same LSTM, counted differently."
    )


def _cost_blocks(shapes: Shapes) -> list[Block]:
    spec, cost = shapes.spec, shapes.cost
    steps = shapes.steps
    macs = f"{thousands(cost['macs_per_step'])} × {thousands(spec.samples)} samples × {thousands(spec.timesteps)} timesteps"
    if steps < spec.samples * spec.timesteps:
        macs = f"{thousands(cost['macs_per_step'])} × {plural(steps, 'timestep')} of all samples, without padding"
    rows = (
        ("one timestep", f"{thousands(cost['macs_per_step'])} multiply-accumulates of one sample: {_mac_formula(shapes)}"),
        ("", f"then {cost['products_per_step']:,} products and {cost['activations_per_step']:,} calls of sigmoid and tanh"),
        (
            "the whole run",
            f"{thousands(cost['macs'])} multiply-accumulates = {macs}" if steps > 1 else thousands(cost["macs"]),
        ),
        ("weights", _byte_text(cost["bytes"]["weights"])),
        ("input", _byte_text(cost["bytes"]["input"])),
        (
            "activations",
            f"{_byte_text(cost['bytes']['activations_per_step'])} for one timestep's i, f, g, o, c and h of all samples",
        ),
        ("full record", f"{_byte_text(cost['bytes']['record'])} for all timesteps' and the initial states"),
    )
    return [Heading("Cost"), facts_table(rows), Note("A bias is an addition, not a multiplication, so it does not count.")]


def _byte_text(number: int) -> str:
    return f"{thousands(number)} bytes" + (f" ({format_bytes(number)})" if number >= 1000 else "")


def _mac_formula(shapes: Shapes) -> str:
    spec = shapes.spec
    if len(spec.layer_directions) > 1 or spec.projection or spec.peepholes:
        return "the kernels of all layers and directions" + (", projections" if "projection" in shapes.counts else "")
    return f"4 × {thousands(spec.units)} × ({thousands(spec.features)} + {thousands(spec.hidden)})"


# --- in a framework's names and layouts -------------------------------------------------------------------------------


def _framework_document(shapes: Shapes, call: FrameworkCall) -> Document:
    """Lay out the shapes of an LSTM as a framework has them."""
    several = len(shapes.spec.layer_directions) > 1
    title, other = call.framework.title, call.other_input
    return (
        Heading(f"shapes: in the names and layouts of {title}{'' if call.measured else ', computed'}", 1),
        Paragraph(lstm_summary(shapes)),
        Note(_measurement_note(shapes, call)),
        Heading("The call"),
        *_call_blocks(shapes, call),
        Heading("What goes in"),
        tensor_table([_sized_row(shapes, call.call.input_name, "x", call.reads, "the batch")]),
        *(() if other is None else (Note(f"With {other.option}: {format_shape(other.shape)}."),)),
        Heading(f"The weights{' of every layer and direction' if several else ''}"),
        _weight_table(shapes, call, several),
        Note(_gate_order(call)),
        Heading("What comes back"),
        tensor_table([_returned_row(shapes, returned) for returned in call.returns]),
        *(Note(remark) for remark in call.remarks),
        Heading("Which numbers are which"),
        _state_table(shapes, call),
        Note(_comparison_note(call)),
        *_pitfall_blocks(shapes, call),
        Heading("Parameters, counted"),
        facts_table([(f"{title} says", f"{thousands(call.parameters)} = {call.formula}")]),
        Note(
            f"Gate by gate, and what a new layer starts with: `lstm-explain frameworks {call.framework.name}`. One timestep "
            "inside, one unit's share and the cost: without --framework."
        ),
    )


def _measurement_note(shapes: Shapes, call: FrameworkCall) -> str:
    title = call.framework.title
    weights = f"our weights, written as {title} holds them"
    if call.measured:
        return (
            f"Every shape was read off an array: of {weights}, and of a run that just happened over all samples, laid out as "
            f"{title} returns it."
        )
    if call.weights_measured:
        return f"Shapes of weights were read off arrays: {weights}. {computed_note('The others', shapes.max_memory)}"
    return computed_note("These shapes", shapes.max_memory)


def _call_blocks(shapes: Shapes, call: FrameworkCall) -> list[Block]:
    blocks: list[Block] = []
    language = "text" if call.framework.name == "onnx" else "python"
    for group in call.lines:
        if len(shapes.spec.layers) > 1:
            blocks.append(Paragraph(_layers_of_call(group, call)))
        blocks.append(Preformatted(group.lines, language))
    if shapes.source["inputs"]["lengths"] is not None:
        text = "lengths holds how many timesteps of each sample are run."
        if any(returned.result.role == "sequence" for returned in call.returns):
            text += _padding_text(call)
        blocks.append(Note(text))
    if call.initial:
        blocks.append(Note(f"This model stores initial states that are not zeros. Pass them: {call.call.initial_states}."))
    return blocks


def _padding_text(call: FrameworkCall) -> str:
    """What the output holds past a sample's end; layer by layer if that differs."""
    if len(set(call.past_end)) == 1:
        return f" Past a sample's end the output holds {PAST_END[call.past_end[0]]}."
    layers = [f"that of layer {layer} holds {PAST_END[behaviour]}" for layer, behaviour in enumerate(call.past_end)]
    return f" Past a sample's end the outputs differ: {', '.join(layers)}."


def _layers_of_call(group: CallLines, call: FrameworkCall) -> str:
    """Which layers these lines are of, and what they read."""
    if not call.call.per_layer:
        return "All layers in one call:"
    name = f"Layer {group.first}" if group.first == group.last else f"Layers {group.first} to {group.last}"
    if group.last == 0:
        return f"{name}:"
    below = "Y_below is Y" if call.framework.name == "onnx" else "x is the output"
    batch = "x is the batch, and above layer 0 the output" if group.first == 0 else below
    return f"{name}; {batch} of the layer below:"


def _sized_row(shapes: Shapes, name: str, detail: str, shape: Shape, meaning: str) -> TensorRow:
    return TensorRow(name, detail, shape, meaning, shape.elements * shapes.spec.item_bytes)


def _weight_table(shapes: Shapes, call: FrameworkCall, several: bool) -> FirstThatFits:
    rows = [
        _sized_row(shapes, weight.name, _symbol(weight, several), weight.shape, _weight_meaning(weight, call))
        for weight in call.written.weights
    ]
    return tensor_table(rows)


def _symbol(weight: TensorLayout, several: bool) -> str:
    parts = [MEANINGS[weight.kind][0] + ("" if weight.gate is None else f"_{LETTERS[weight.gate]}")]
    if several:
        parts.append(f"layer {weight.layer}")
        parts += [] if weight.direction is None else [weight.direction.value]
    return ", ".join(parts)


def _weight_meaning(weight: TensorLayout, call: FrameworkCall) -> str:
    convention = call.framework.convention
    if weight.kind == "bias" and convention.concatenated_bias is not None:
        return "both biases end to end; each neuron adds both"
    if weight.kind == "bias" and len(convention.biases) > 1:
        return "one of two biases; each neuron adds both"
    return MEANINGS[weight.kind][1]


def _gate_order(call: FrameworkCall) -> str:
    convention = call.framework.convention
    if "*" in convention.kernel:
        return "Each gate has separate arrays."
    return f"Along 4*units the gates are in the order {' '.join(LETTERS[gate] for gate in convention.gate_order)}."


def _returned_row(shapes: Shapes, returned: Returned) -> TensorRow:
    layer = f"layer {returned.layer}" if returned.layer is not None and len(shapes.spec.layers) > 1 else ""
    return _sized_row(shapes, returned.result.name, layer, returned.shape, returned.result.meaning)


def _state_table(shapes: Shapes, call: FrameworkCall) -> Table:
    rows = [(Cell(_state_name(shapes, state), strong=True), Cell(" = ".join(state.places))) for state in call.states]
    return Table((Column("state", wraps=True), Column("where it is", wraps=True)), elide_rows(rows))


def _state_name(shapes: Shapes, state: LastState) -> str:
    after = "each sample's end" if state.timestep is None else f"t = {thousands(state.timestep)}"
    parts = [f"{'h' if state.kind == 'hidden' else 'c'} after {after}"]
    parts += [f"layer {state.layer}"] if len(shapes.spec.layers) > 1 else []
    return ", ".join([*parts, state.direction.value] if shapes.spec.has_backward else parts)


def _comparison_note(call: FrameworkCall) -> str:
    if not call.compared:
        return "These places are computed, not compared: not even a few samples fit the memory budget."
    difference = max(state.difference or 0 for state in call.states)
    needs_arrays = any("arange" in index for state in call.states for index in state.places)
    return (
        f"Compared with the states that the run recorded, on {plural(call.compared, 'sample')}: the largest difference is "
        f"{format_difference(difference)}.{' arange and lengths are arrays.' if needs_arrays else ''}"
    )


def _pitfall_blocks(shapes: Shapes, call: FrameworkCall) -> list[Block]:
    if not call.pitfalls:
        return []
    last = {(state.layer, state.direction): _state_name(shapes, state) for state in call.states if state.kind == "hidden"}
    rows = tuple(
        (Cell(pitfall.place, strong=True), Cell(_pitfall_text(pitfall, last[pitfall.layer, pitfall.direction])))
        for pitfall in call.pitfalls
    )
    return [Heading("Easily mistaken"), Table((Column("", wraps=True), Column("", wraps=True)), rows, ruled=False)]


def _pitfall_text(pitfall: Pitfall, last: str) -> str:
    contents = {"first": "h after the first timestep that this direction reads", "padding": "zeros where a sample is shorter"}
    difference = "" if pitfall.difference is None else f": up to {format_factor(pitfall.difference).strip()} apart"
    if pitfall.difference == 0:
        difference = ", which are the same numbers in this run"
    return f"is not {last}, but {contents[pitfall.why]}{difference}"
