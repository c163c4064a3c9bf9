"""shapes, in a framework's names and layouts: the call, what goes in, the weights, what comes back, and what is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import LETTERS
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Preformatted, Table
from lstm_explain.document.numbers import format_bytes, format_difference, format_factor, plural, thousands
from lstm_explain.document.tables import elide_rows, facts_table
from lstm_explain.document.text import format_shape
from lstm_explain.topics.intro import lstm_summary
from lstm_explain.topics.shapes import MEANINGS

if TYPE_CHECKING:
    from lstm_explain.core.axes import Shape
    from lstm_explain.topics.frameworks import Weight
    from lstm_explain.topics.shapes import Shapes
    from lstm_explain.topics.shapes.framework_call import FrameworkCall, Lines, Returned
    from lstm_explain.topics.shapes.last_states import Mistaken, State

TENSOR_COLUMNS = (Column("tensor"), Column("shape", wraps=True), Column("elements", "right"), Column("bytes", "right"))

PAST_END = {
    "zeros": "zeros",
    "repeated": "h of its last timestep again",
    "other": "numbers of no use: the cell runs on over the padding",
}


def told(shapes: Shapes, call: FrameworkCall) -> Document:
    """Lay out the shapes of an LSTM as a framework has them."""
    several = len(shapes.spec.layer_directions) > 1
    title = call.framework.title
    return (
        Heading(f"shapes: in the names and layouts of {title}{'' if call.measured else ', computed'}", 1),
        Paragraph(lstm_summary(shapes)),
        Note(_how(shapes, call)),
        Heading("The call"),
        *_calls(shapes, call),
        Heading("What goes in"),
        Table(TENSOR_COLUMNS, (_tensor(call.call.input_name, "x", call.reads, "the batch", shapes.spec.item_bytes),)),
        *_otherwise(call),
        Heading(f"The weights{' of every layer and direction' if several else ''}"),
        _weights(shapes, call, several),
        Note(_gates(call)),
        Heading("What comes back"),
        _returns(shapes, call),
        *(Note(remark) for remark in call.remarks),
        Heading("Which numbers are which"),
        _states(shapes, call),
        Note(_compared(call)),
        *_mistaken(shapes, call),
        Heading("Parameters, counted"),
        facts_table([(f"{title} says", f"{thousands(call.written.parameters or 0)} = {call.written.formula}")]),
        Note(
            f"Gate by gate, and what a new layer starts with: `lstm-explain frameworks {call.framework.name}`. One timestep "
            "inside, one unit's share and the cost: without --framework."
        ),
    )


def _how(shapes: Shapes, call: FrameworkCall) -> str:
    title, budget = call.framework.title, f"the memory budget of {format_bytes(shapes.max_memory)} (--max-memory)"
    weights = f"our weights, written as {title} holds them"
    if call.measured:
        return (
            f"Every shape was read off an array: of {weights}, and of a run that just happened over all samples, laid out as "
            f"{title} returns it."
        )
    if call.weights_measured:
        return (
            f"Shapes of weights were read off arrays: {weights}. The others are computed, not measured: a run over all "
            f"samples does not fit {budget}."
        )
    return f"These shapes are computed, not measured: a run does not fit {budget}."


# --- the call ---------------------------------------------------------------------------------------------------------


def _calls(shapes: Shapes, call: FrameworkCall) -> list[Block]:
    blocks: list[Block] = []
    language = "text" if call.framework.name == "onnx" else "python"
    for one in call.lines:
        if len(shapes.spec.layers) > 1:
            blocks.append(Paragraph(_whose(one, call)))
        blocks.append(Preformatted(one.lines, language))
    if shapes.source["inputs"]["lengths"] is not None:
        text = "lengths holds how many timesteps of each sample are run."
        if any(one.result.role == "sequence" for one in call.returns):
            text += _past_end(call)
        blocks.append(Note(text))
    if call.initial:
        blocks.append(
            Note(f"This model starts from states of its own, not from zeros. They are given so: {call.call.initial_states}.")
        )
    return blocks


def _past_end(call: FrameworkCall) -> str:
    """What the output holds past a sample's end; layer by layer, where that differs."""
    if len(set(call.past_end)) == 1:
        return f" Past a sample's end the output holds {PAST_END[call.past_end[0]]}."
    held = [f"that of layer {layer} holds {PAST_END[one]}" for layer, one in enumerate(call.past_end)]
    return f" Past a sample's end the outputs differ: {', '.join(held)}."


def _whose(one: Lines, call: FrameworkCall) -> str:
    """Which layers these lines are of, and what they read."""
    if not call.call.per_layer:
        return "All layers in one call:"
    name = f"Layer {one.first}" if one.first == one.last else f"Layers {one.first} to {one.last}"
    if one.last == 0:
        return f"{name}:"
    below = "Y_below is Y" if call.framework.name == "onnx" else "x is the output"
    batch = "x is the batch, and above layer 0 the output" if one.first == 0 else below
    return f"{name}; {batch} of the layer below:"


def _otherwise(call: FrameworkCall) -> list[Block]:
    if call.otherwise is None:
        return []
    option, other = call.otherwise
    return [Note(f"With {option}: {format_shape(other)}.")]


# --- tables of tensors ------------------------------------------------------------------------------------------------


def _tensor(name: str, symbol: str, shape: Shape, meaning: str, item_bytes: int) -> tuple[Cell, ...]:
    return (
        Cell(name, symbol, strong=True),
        Cell(format_shape(shape), meaning),
        Cell(thousands(shape.elements)),
        Cell(thousands(shape.elements * item_bytes)),
    )


def _weights(shapes: Shapes, call: FrameworkCall, several: bool) -> Table:
    rows = [
        _tensor(one.name, _symbol(one, several), one.shape, _what(one, call), shapes.spec.item_bytes)
        for one in call.written.weights
    ]
    return Table(TENSOR_COLUMNS, elide_rows(rows))


def _symbol(one: Weight, several: bool) -> str:
    parts = [MEANINGS[one.kind][0] + ("" if one.gate is None else f"_{LETTERS[one.gate]}")]
    if several:
        parts.append(f"layer {one.layer}")
        parts += [] if one.direction is None else [one.direction.value]
    return ", ".join(parts)


def _what(one: Weight, call: FrameworkCall) -> str:
    convention = call.framework.convention
    if one.kind == "bias" and convention.concatenated_bias is not None:
        return "both biases end to end; each neuron adds both"
    if one.kind == "bias" and len(convention.biases) > 1:
        return "one of two biases; each neuron adds both"
    return MEANINGS[one.kind][1]


def _gates(call: FrameworkCall) -> str:
    convention = call.framework.convention
    if "*" in convention.kernel:
        return "Each gate has arrays of its own."
    return f"Along 4*units the gates stand in the order {' '.join(LETTERS[gate] for gate in convention.gate_order)}."


def _returns(shapes: Shapes, call: FrameworkCall) -> Table:
    return Table(TENSOR_COLUMNS, elide_rows([_returned(shapes, one) for one in call.returns]))


def _returned(shapes: Shapes, one: Returned) -> tuple[Cell, ...]:
    layer = f"layer {one.layer}" if one.layer is not None and len(shapes.spec.layers) > 1 else ""
    return _tensor(one.result.name, layer, one.shape, one.result.meaning, shapes.spec.item_bytes)


# --- which numbers are which ------------------------------------------------------------------------------------------


def _states(shapes: Shapes, call: FrameworkCall) -> Table:
    rows = [(Cell(_state(shapes, one), strong=True), Cell(" = ".join(one.places))) for one in call.states]
    return Table((Column("state", wraps=True), Column("where it stands", wraps=True)), elide_rows(rows))


def _state(shapes: Shapes, one: State) -> str:
    after = "each sample's end" if one.timestep is None else f"t = {thousands(one.timestep)}"
    parts = [f"{'h' if one.kind == 'hidden' else 'c'} after {after}"]
    parts += [f"layer {one.layer}"] if len(shapes.spec.layers) > 1 else []
    return ", ".join([*parts, one.direction.value] if shapes.spec.has_backward else parts)


def _compared(call: FrameworkCall) -> str:
    if not call.compared:
        return "These places are computed, not compared: not even a few samples fit the memory budget."
    apart = max(one.difference or 0 for one in call.states)
    indices = (
        " arange and lengths are arrays." if any("arange" in place for one in call.states for place in one.places) else ""
    )
    return (
        f"Compared with the states that the run recorded, on {plural(call.compared, 'sample')}: the largest difference is "
        f"{format_difference(apart)}.{indices}"
    )


def _mistaken(shapes: Shapes, call: FrameworkCall) -> list[Block]:
    if not call.mistaken:
        return []
    last = {(one.layer, one.direction): _state(shapes, one) for one in call.states if one.kind == "hidden"}
    rows = [(one.place, _why(one, last[one.layer, one.direction])) for one in call.mistaken]
    cells = tuple((Cell(place, strong=True), Cell(why)) for place, why in rows)
    return [Heading("Easily mistaken"), Table((Column("", wraps=True), Column("", wraps=True)), cells, ruled=False)]


def _why(one: Mistaken, last: str) -> str:
    found = {"first": "h after the first timestep that this direction reads", "padding": "zeros where a sample is shorter"}
    apart = "" if one.difference is None else f": up to {format_factor(one.difference).strip()} apart"
    if one.difference == 0:
        apart = ", which are the same numbers in this run"
    return f"is not {last}, but {found[one.why]}{apart}"
