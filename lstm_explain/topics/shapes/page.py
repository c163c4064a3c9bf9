"""shapes, in words and tables: what goes in, one timestep inside the layer, the weights, what comes out; then one unit's
share, the parameters counted, and the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Table
from lstm_explain.document.numbers import format_bytes, plural, thousands
from lstm_explain.document.tables import FACT_COLUMNS, facts_table
from lstm_explain.document.text import format_shape
from lstm_explain.topics.intro import lstm_summary
from lstm_explain.topics.shapes import OUTPUT_NAMES, STEP_NAMES

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.shapes import Shapes, Tensor, UnitShare

TENSOR_COLUMNS = (
    Column("tensor"),
    Column("shape", wraps=True),
    Column("elements", "right"),
    Column("bytes", "right"),
)


def document(shapes: Shapes) -> Document:
    """Lay out the shapes of an LSTM."""
    spec = shapes.spec
    if shapes.framework is not None:
        from lstm_explain.topics.shapes.framework_page import told

        return told(shapes, shapes.framework)
    blocks: list[Block] = [
        Heading(f"shapes: every tensor from input to output{'' if shapes.measured else ', computed'}", 1),
        Paragraph(lstm_summary(shapes)),
        Note(_how(shapes)),
        Heading("What goes in"),
        _table(shapes.of("input")),
    ]
    for layer in range(len(spec.layers)):
        blocks += _layer(shapes, layer)
    blocks += _outputs(shapes)
    for unit in shapes.units:
        blocks += _one_unit(unit, spec)
    return (*blocks, *_parameters(shapes), *_cost(shapes))


def _how(shapes: Shapes) -> str:
    if shapes.measured:
        return "Every shape was read off an array of a run that just happened, over all samples."
    return (
        f"These shapes are computed, not measured: a run over all samples does not fit the memory budget of "
        f"{format_bytes(shapes.max_memory)} (--max-memory)."
    )


def _layer(shapes: Shapes, layer: int) -> list[Block]:
    spec, own = shapes.spec, shapes.spec.for_layer(layer)
    name = f"layer {layer}" if len(spec.layers) > 1 else "the layer"
    step = [one for one in shapes.of(*STEP_NAMES, layer=layer) if one.direction is Direction.FORWARD]
    weights = shapes.of(*shapes.counts, layer=layer)
    both = ", the same in each direction" if own.bidirectional else ""
    below = "" if layer == 0 else f" It reads the {thousands(own.features)} outputs of layer {layer - 1}."
    return [
        Heading(f"One timestep inside {name}{both}"),
        Paragraph(f"All units take the step together, each sample by itself.{below}"),
        _table(step),
        Heading(f"The weights of {name}, shared by all {thousands(spec.timesteps)} timesteps"),
        _table(weights, directions=own.bidirectional),
    ]


def _outputs(shapes: Shapes) -> list[Block]:
    spec = shapes.spec
    rows = shapes.of(*OUTPUT_NAMES)
    padded = shapes.source["inputs"]["lengths"] is not None
    blocks: list[Block] = [Heading("What comes out"), _table(rows, directions=spec.has_backward, layers=len(spec.layers) > 1)]
    if spec.layers_differ:
        blocks.append(Paragraph("The layers differ, so their last states are not stacked into one h_n: each has its own."))
    elif len(spec.layer_directions) > 1:
        slices = [
            (Cell(f"h_n[{place}], c_n[{place}]"), Cell(f"layer {layer}, {way.value}{_ends(way, padded)}"))
            for place, (layer, way) in enumerate(shapes.last_states)
        ]
        blocks += [
            Paragraph(
                f"Stacked as PyTorch and ONNX return them, h_n is {_h_n(spec)}: one slice for each layer and direction."
            ),
            Table(FACT_COLUMNS, tuple(slices), ruled=False),
        ]
    return blocks


def _ends(way: Direction, padded: bool) -> str:
    if way is Direction.BACKWARD:
        return ": the state after t = 1, where it stops reading"
    return ": the state after each sample's own last timestep" if padded else ": the state after t = T"


def _h_n(spec: Spec) -> str:
    return f"({len(spec.layer_directions)}, {spec.samples}, {spec.hidden})"


def _table(tensors: list[Tensor] | tuple[Tensor, ...], directions: bool = False, layers: bool = False) -> Table:
    return Table(TENSOR_COLUMNS, tuple(_row(one, directions, layers) for one in tensors))


def _row(one: Tensor, directions: bool, layers: bool) -> tuple[Cell, ...]:
    place = [f"layer {one.layer}"] if layers and one.layer is not None else []
    place += [one.direction.value] if directions and one.direction is not None else []
    symbol = ", ".join([one.symbol, *place])
    return (
        Cell(one.name, symbol, strong=True),
        Cell(format_shape(one.shape), one.meaning),
        Cell(thousands(one.shape.elements)),
        Cell(thousands(one.bytes)),
    )


def _one_unit(unit: UnitShare, spec: Spec) -> list[Block]:
    name = f"One unit of layer {unit.layer}" if len(spec.layers) > 1 else "One unit"
    spec = spec.for_layer(unit.layer)
    emits = "two scalars a timestep: its number in h_t, the output, and its number in c_t, which it keeps"
    if spec.projection is not None:
        emits = "two scalars a timestep: its output m_t, which the projection mixes into h_t, and its number in c_t"
    rows = (
        ("reads", f"{thousands(unit.reads)} numbers a timestep: {_reads(unit, spec)}"),
        ("has", "4 neurons, one for each of i, f, g and o; each reads all of these numbers"),
        ("owns", f"{thousands(unit.parameters)} parameters that no other unit uses: {_owns(unit)}"),
        ("emits", emits),
        ("shares", _shares(unit, spec)),
    )
    diagram = (
        "In a diagram of a network each circle of the layer is one such unit. The picture of an LSTM cell with its gates "
        "shows the whole layer: each of its arrows is a vector, with one number from every unit."
    )
    return [
        Heading(f"{name}: one circle of the diagram"),
        *([Paragraph(diagram)] if unit.layer == 0 else []),
        facts_table(rows),
    ]


def _shares(unit: UnitShare, spec: Spec) -> str:
    mixed = "" if spec.projection is None else ", mixed with the others' by the projection"
    return (
        f"its output{mixed}: at the next timestep it is among the {thousands(unit.hidden)} numbers that every unit reads. "
        "Within a timestep it reads nothing of any other unit's gates or states (`influence` measures that)"
    )


def _reads(unit: UnitShare, spec: Spec) -> str:
    others = f"{'output' if unit.hidden == 1 else 'outputs'} h_{{t-1}} of all units, its own among them"
    if spec.projection is not None:
        others = "numbers of h_{t-1}, mixed from all units"
    return f"{plural(unit.features, 'feature')} of x_t + {thousands(unit.hidden)} {others}"


def _owns(unit: UnitShare) -> str:
    sums = f"4 × ({thousands(unit.features)} + {thousands(unit.hidden)}{' + 1' if unit.biases else ''})"
    extra = " + 3 peepholes" if unit.peepholes else ""
    return sums + extra + (f" + {thousands(unit.projection)} of the projection" if unit.projection else "")


def _parameters(shapes: Shapes) -> list[Block]:
    spec = shapes.spec
    rows = [(name, thousands(number)) for name, number in shapes.counts.items()]
    for part in shapes.layers:
        label = f"layer {part.layer}" if len(spec.layers) > 1 else "formula"
        rows.append((label, f"{part.formula} = {thousands(part.total)}"))
    rows.append(("total", f"{thousands(shapes.total)} = {' + '.join(map(thousands, shapes.counts.values()))}"))
    if len(spec.layer_directions) == 1:
        unit = shapes.units[0]
        rows.append(("by unit", f"{plural(spec.units, 'unit')} × {thousands(unit.parameters)} = {thousands(shapes.total)}"))
    rows += [(FRAMEWORKS[name], _counted(shapes, name)) for name in shapes.frameworks]
    return [Heading("Parameters, counted"), facts_table(tuple(rows)), Note(_why_they_differ(shapes))]


FRAMEWORKS = {"keras": "Keras says", "pytorch": "PyTorch says", "onnx": "ONNX says"}


def _counted(shapes: Shapes, name: str) -> str:
    number = shapes.frameworks[name]
    if number is None:
        return "- (its LSTM has no such option)"
    biases = shapes.counts.get("bias", 0)
    return (
        f"{thousands(number)} = {thousands(shapes.total)} + {thousands(biases)}"
        if number != shapes.total
        else thousands(number)
    )


def _why_they_differ(shapes: Shapes) -> str:
    if "bias" not in shapes.counts:
        return "Without bias, all frameworks count the same."
    return (
        "Keras keeps one bias for each neuron. PyTorch and ONNX keep two, one beside the kernel and one beside the "
        "recurrent kernel, and add both: the same LSTM, counted differently."
    )


def _cost(shapes: Shapes) -> list[Block]:
    spec, cost = shapes.spec, shapes.cost
    steps = shapes.steps
    macs = f"{thousands(cost['macs_per_step'])} × {thousands(spec.samples)} samples × {thousands(spec.timesteps)} timesteps"
    if steps < spec.samples * spec.timesteps:
        macs = f"{thousands(cost['macs_per_step'])} × {plural(steps, 'timestep')} of all samples, without padding"
    rows = (
        ("one timestep", f"{thousands(cost['macs_per_step'])} multiply-accumulates of one sample: {_macs(shapes)}"),
        ("", f"then {cost['products_per_step']:,} products and {cost['activations_per_step']:,} calls of sigmoid and tanh"),
        (
            "the whole run",
            f"{thousands(cost['macs'])} multiply-accumulates = {macs}" if steps > 1 else thousands(cost["macs"]),
        ),
        ("weights", _memory(cost["bytes"]["weights"])),
        ("input", _memory(cost["bytes"]["input"])),
        (
            "activations",
            f"{_memory(cost['bytes']['activations_per_step'])} for one timestep's i, f, g, o, c and h of all samples",
        ),
        ("full record", f"{_memory(cost['bytes']['record'])} for all timesteps' and the initial states"),
    )
    return [Heading("Cost"), facts_table(rows), Note("A bias is an addition, not a multiplication, so it does not count.")]


def _memory(number: int) -> str:
    return f"{thousands(number)} bytes" + (f" ({format_bytes(number)})" if number >= 1000 else "")


def _macs(shapes: Shapes) -> str:
    spec = shapes.spec
    if len(spec.layer_directions) > 1 or spec.projection or spec.peepholes:
        return "the kernels of all layers and directions" + (", projections" if "projection" in shapes.counts else "")
    return f"4 × {thousands(spec.units)} × ({thousands(spec.features)} + {thousands(spec.hidden)})"
