"""unit: what one unit owns, reads and outputs, and the arithmetic of one of its timesteps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

import numpy as np

from lstm_explain.core.gates import ACTIVATIONS, GATES, LETTERS, Gate
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.result import SampleResult, json_keys
from lstm_explain.topics.selection import check_layer, check_run_step, check_unit

if TYPE_CHECKING:
    from typing import Annotated

    from lstm_explain.core.axes import Array
    from lstm_explain.core.edits import Edit
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import LayerRecord
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.topics.result import Axes, Positive


@json_keys("kernel recurrent_kernel bias peephole")
class Neuron(NamedTuple):
    """The weights of one of a unit's four neurons; no other unit uses them."""

    gate: Gate
    kernel: Annotated[Array, Axes("features")]
    """The weights of the features that the layer reads."""
    recurrent_kernel: Annotated[Array, Axes("hidden")]
    """The weights of h of the previous timestep."""
    bias: Annotated[Array, Axes()] | None
    """One number; null without bias."""
    peephole: Annotated[Array, Axes()] | None
    """One number; null without a peephole."""

    @property
    def parameters(self) -> int:
        extra = (self.bias is not None) + (self.peephole is not None)
        return int(self.kernel.size + self.recurrent_kernel.size) + extra


@json_keys("source index=position value weight product")
class Term(NamedTuple):
    """One product of a neuron's sum, in float64, computed from the layer's own numbers."""

    source: Literal["x", "h", "c", "bias"]
    """A feature of x_t; a number of h_{t-1}; the unit's own cell state, through a peephole; or the bias."""
    position: int | None
    """Which feature, or which number of h; null for the bias."""
    value: float
    """The number that is multiplied."""
    weight: float
    """What it is multiplied with."""

    @property
    def product(self) -> float:
        """value x weight."""
        return self.value * self.weight


@json_keys("terms sum=total activation activated held value recorded")
class GateSum(NamedTuple):
    """A neuron's sum, written out, and what became of it."""

    gate: Gate
    terms: tuple[Term, ...]
    """The products that are added up."""
    recorded: float
    """The gate's value in the run, in its own type."""
    held: bool = False
    """Whether the run held the gate at a value that was set by hand, whatever its sum."""

    @property
    def total(self) -> float:
        """The sum of the products."""
        products = [term.product for term in self.terms]
        return math.fsum(products) if all(map(math.isfinite, products)) else sum(products)

    @property
    def activation(self) -> Literal["sigmoid", "tanh"]:
        """The activation function."""
        return "tanh" if ACTIVATIONS[self.gate] == "tanh" else "sigmoid"

    @property
    def value(self) -> float:
        """What the unit goes on with: the activation of the sum, or what the gate is held at."""
        return self.recorded if self.held else self.activated

    @property
    def activated(self) -> float:
        """The activation of the sum."""
        return math.tanh(self.total) if self.activation == "tanh" else _sigmoid(self.total)


class CellArithmetic(NamedTuple):
    """c_t = f c_{t-1} + i g."""

    f: float
    """The forget gate."""
    c_prev: float
    """The cell state of the previous timestep read."""
    kept: float
    """f c_prev."""
    i: float
    """The input gate."""
    g: float
    """The candidate."""
    added: float
    """i g."""
    value: float
    """kept + added."""
    recorded: float
    """c_t in the run, in its own type."""
    set: bool
    """Whether c was set by hand after that, so that `recorded` is what it was set to."""


class HiddenArithmetic(NamedTuple):
    """What the unit outputs: o tanh(c)."""

    o: float
    """The output gate."""
    tanh_c: float
    """tanh of the new cell state."""
    value: float
    """o tanh_c."""
    recorded: float
    """The same in the run, in its own type."""
    set: bool
    """Whether it was set by hand after that, so that `recorded` is what it was set to."""


@json_keys(
    "t input_gate forget_gate candidate output_gate",
    "cell=cell_arithmetic hidden=hidden_arithmetic difference",
)
class Arithmetic(NamedTuple):
    """One timestep of one unit, redone in float64 from the numbers of the run."""

    t: Positive
    gates: dict[Gate, GateSum]
    cell_before: float
    cell_recorded: float
    """c_t in the run itself."""
    hidden_recorded: float
    """o_t tanh(c_t) in the run itself."""
    set_after: tuple[str, ...] = ()
    """Which of c and h were set by hand after the timestep had made them: what is recorded is then what they were set to."""

    @property
    def kept(self) -> float:
        """f_t c_{t-1}"""
        return self.gates[Gate.FORGET].value * self.cell_before

    @property
    def added(self) -> float:
        """i_t g_t"""
        return self.gates[Gate.INPUT].value * self.gates[Gate.CANDIDATE].value

    @property
    def cell(self) -> float:
        """c_t = f_t c_{t-1} + i_t g_t"""
        return self.kept + self.added

    @property
    def tanh_cell(self) -> float:
        """tanh(c_t)"""
        return math.tanh(self.cell)

    @property
    def hidden(self) -> float:
        """o_t tanh(c_t)"""
        return self.gates[Gate.OUTPUT].value * self.tanh_cell

    @property
    def difference(self) -> float:
        """The largest difference between this arithmetic and the run itself."""
        pairs = [(gate_sum.value, gate_sum.recorded) for gate_sum in self.gates.values()]
        states = {"c": (self.cell, self.cell_recorded), "h": (self.hidden, self.hidden_recorded)}
        pairs += [pair for letter, pair in states.items() if letter not in self.set_after]
        return max(abs(value - recorded) for value, recorded in pairs)

    @property
    def input_gate(self) -> GateSum:
        """The sum of the input gate's neuron."""
        return self.gates[Gate.INPUT]

    @property
    def forget_gate(self) -> GateSum:
        """The sum of the forget gate's neuron."""
        return self.gates[Gate.FORGET]

    @property
    def candidate(self) -> GateSum:
        """The sum of the candidate's neuron."""
        return self.gates[Gate.CANDIDATE]

    @property
    def output_gate(self) -> GateSum:
        """The sum of the output gate's neuron."""
        return self.gates[Gate.OUTPUT]

    @property
    def cell_arithmetic(self) -> CellArithmetic:
        """How the new cell state is computed."""
        f, i, g = self.forget_gate.value, self.input_gate.value, self.candidate.value
        held = "c" in self.set_after
        return CellArithmetic(f, self.cell_before, self.kept, i, g, self.added, self.cell, self.cell_recorded, held)

    @property
    def hidden_arithmetic(self) -> HiddenArithmetic:
        """How the unit's output is computed."""
        held = "h" in self.set_after
        return HiddenArithmetic(self.output_gate.value, self.tanh_cell, self.hidden, self.hidden_recorded, held)


class UnitStep(NamedTuple):
    """One timestep of a unit; its gates are null at padding."""

    t: Positive
    padded: bool
    i: float | None
    """The input gate."""
    f: float | None
    """The forget gate."""
    g: float | None
    """The candidate."""
    o: float | None
    """The output gate."""
    c: float
    """The cell state after this timestep."""
    h: float | None
    """What the unit outputs, o tanh(c), before any projection; with a projection it is null at padding."""


@json_keys(
    "unit sample layer direction length reads.features=features reads.hidden=hidden reads.total=reads parameters",
    "weights=neurons projection initial.c=initial_cell steps arithmetic",
)
@dataclass(frozen=True, eq=False, repr=False)
class Unit(SampleResult):
    """One unit under the microscope."""

    topic: ClassVar[str] = "unit"

    unit: int
    neurons: dict[Gate, Neuron]
    """The weights of each of the unit's four neurons."""
    projection: Annotated[Array, Axes("hidden")] | None
    """The unit's weights to each number of h; null without a projection."""
    gates: dict[Gate, Array]
    """[timesteps] each; nan at padding"""
    cell: Array
    """[timesteps]"""
    output: Array
    """o tanh(c), the one number that the unit outputs: its number in h, unless a projection mixes the units; [timesteps]"""
    initial_cell: Annotated[Array, Axes()]
    """c before the first timestep that this direction reads, which backwards is the last."""
    arithmetic: Arithmetic | None
    """The timestep of `--step`, written out in float64; null without it."""

    @property
    def features(self) -> Positive:
        """How many numbers of x_t the unit reads."""
        return int(self.neurons[Gate.INPUT].kernel.size)

    @property
    def hidden(self) -> Positive:
        """How many numbers of h_{t-1} the unit reads."""
        return int(self.neurons[Gate.INPUT].recurrent_kernel.size)

    @property
    def reads(self) -> Positive:
        """How many numbers the unit reads at a timestep."""
        return self.features + self.hidden

    @property
    def parameters(self) -> Positive:
        """How many weights the unit owns; no other unit uses them."""
        projected = 0 if self.projection is None else int(self.projection.size)
        return sum(neuron.parameters for neuron in self.neurons.values()) + projected

    @property
    def steps(self) -> list[UnitStep]:
        """One for each timestep."""
        gates = zip(*(plain_numbers(self.gates[gate]) for gate in GATES), strict=True)
        rows = []
        for t, (values, c, h) in enumerate(zip(gates, plain_numbers(self.cell), plain_numbers(self.output), strict=True), 1):
            padded = t > self.length
            output = None if padded and self.projection is not None else h
            i, f, g, o = (None,) * len(values) if padded else values
            rows.append(UnitStep(t, padded, i, f, g, o, c, output))
        return rows


def explain_unit(
    lstm: LSTM, unit: int = 0, sample: int = 0, step: int | None = None, layer: int = 0, direction: str = "forward"
) -> Unit:
    """Put one unit under the microscope.

    Args:
        lstm: the LSTM and its batch.
        unit: which unit; counts from 0.
        sample: which sample; counts from 0.
        step: which timestep to write out; counts from 1; none if left out.
        layer: which layer; counts from 0.
        direction: `forward` or `backward`.

    Raises:
        UsageError: an unknown unit, sample, timestep, layer or direction, or a timestep that is padding.
        RefusedError: running even this sample would need more memory than the budget.
    """
    spec = lstm.spec
    layer, reading = check_layer(spec, layer, direction)
    unit, sample = check_unit(spec.for_layer(layer), unit), lstm.validate_sample(sample)
    record, row = lstm.run_sample(sample)
    layer_record, weights = record.of(layer, reading), lstm.weights.of(layer, reading)
    length = record.length(row)
    if step is not None:
        step = check_run_step(spec, "step", step, sample, length)
    if weights.projection is None:
        output = layer_record.hidden[row, :, unit]
    else:
        output = _output_before_projection(layer_record, row, unit, length, lstm.edits)
    return Unit(
        spec=spec,
        source=lstm.provenance,
        unit=unit,
        sample=sample,
        layer=layer,
        direction=reading,
        length=length,
        neurons={gate: _neuron(weights, gate, unit) for gate in GATES},
        projection=None if weights.projection is None else weights.projection[unit],
        gates={gate: layer_record.gate(gate)[row, :, unit] for gate in GATES},
        cell=layer_record.cell[row, :, unit],
        output=output,
        initial_cell=layer_record.initial_cell[row, unit],
        arithmetic=None if step is None else _arithmetic(weights, layer_record, row, unit, step, length, output, lstm.edits),
    )


def _output_before_projection(layer_record: LayerRecord, row: int, unit: int, length: int, edits: tuple[Edit, ...]) -> Array:
    """o tanh(c) with c as each timestep computed it, before any edit of c."""
    cell = layer_record.cell[row, :, unit].copy()
    steps = (edit.step for edit in edits if edit.name == "c" and _is_edit_of_unit(edit, layer_record, unit))
    for t in steps:
        if t is not None and 1 <= t <= length:
            cell_before = float(layer_record.before(row, t, length)[1][unit])
            cell[t - 1] = _computed_cell(layer_record, row, unit, t, cell_before)
    output: Array = layer_record.output_gate[row, :, unit] * np.tanh(cell)
    return output


def _neuron(weights: LayerWeights, gate: Gate, unit: int) -> Neuron:
    column = weights.columns(gate).start + unit
    peephole = weights.peephole_of(gate)
    return Neuron(
        gate,
        weights.kernel[:, column],
        weights.recurrent_kernel[:, column],
        None if weights.bias is None else weights.bias[column],
        None if peephole is None else peephole[unit],
    )


def _arithmetic(
    weights: LayerWeights,
    layer_record: LayerRecord,
    row: int,
    unit: int,
    t: int,
    length: int,
    output: Array,
    edits: tuple[Edit, ...],
) -> Arithmetic:
    edited = _edited_letters(edits, layer_record, unit, t, projected=weights.projection is not None)
    h, c = layer_record.before(row, t, length)
    x, cell_before = layer_record.input[row, t - 1], float(c[unit])
    recorded = float(layer_record.cell[row, t - 1, unit])
    computed = _computed_cell(layer_record, row, unit, t, cell_before) if "c" in edited else recorded
    sums = {}
    for gate in GATES:
        peephole_input = computed if gate is Gate.OUTPUT else cell_before
        terms = _terms(_neuron(weights, gate, unit), x, h, peephole_input, unit)
        sums[gate] = GateSum(gate, terms, float(layer_record.gate(gate)[row, t - 1, unit]), LETTERS[gate] in edited)
    set_after = tuple(letter for letter in ("c", "h") if letter in edited)
    return Arithmetic(t, sums, cell_before, recorded, float(output[t - 1]), set_after)


def _computed_cell(layer_record: LayerRecord, row: int, unit: int, t: int, cell_before: float) -> float:
    """f c_{t-1} + i g: c before it was set by hand."""
    f, i, g = (float(layer_record.gate(gate)[row, t - 1, unit]) for gate in (Gate.FORGET, Gate.INPUT, Gate.CANDIDATE))
    return f * cell_before + i * g


def _is_edit_of_unit(edit: Edit, layer_record: LayerRecord, unit: int) -> bool:
    return (edit.layer, edit.direction, edit.position) == (layer_record.layer, layer_record.direction, unit)


def _edited_letters(edits: tuple[Edit, ...], layer_record: LayerRecord, unit: int, t: int, projected: bool) -> set[str]:
    """Which of a unit's gates and states were set by hand at a timestep; under a projection h does not belong to a unit."""
    edits = tuple(edit for edit in edits if _is_edit_of_unit(edit, layer_record, unit))
    letters = {edit.name for edit in edits if edit.step == t or (edit.is_gate and edit.step is None)}
    return letters - {"h"} if projected else letters


def _terms(neuron: Neuron, x: Array, h: Array, c: float, unit: int) -> tuple[Term, ...]:
    read: list[tuple[Literal["x", "h"], Array, Array]] = [("x", x, neuron.kernel), ("h", h, neuron.recurrent_kernel)]
    terms = [
        Term(source, index, float(value), float(weight))
        for source, values, weights in read
        for index, (value, weight) in enumerate(zip(values, weights, strict=True))
    ]
    if neuron.peephole is not None:
        terms.append(Term("c", unit, c, float(neuron.peephole)))
    if neuron.bias is not None:
        terms.append(Term("bias", None, 1.0, float(neuron.bias)))
    return tuple(terms)


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))
