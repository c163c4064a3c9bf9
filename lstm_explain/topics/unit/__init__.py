"""unit: what one unit owns, reads and emits, and the arithmetic of one of its steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from lstm_explain.core.gates import ACTIVATIONS, GATES, LETTERS, Direction, Gate
from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.result import LayerResult
from lstm_explain.topics.selection import check_layer, check_run_step, check_unit

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.edits import Edit
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import LayerRecord
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights


class Neuron(NamedTuple):
    """The weights of one of a unit's four neurons; no other unit uses them."""

    gate: Gate
    kernel: Array
    """[features of this layer]"""
    recurrent_kernel: Array
    """[hidden]"""
    bias: Array | None
    """One number."""
    peephole: Array | None
    """One number."""

    @property
    def parameters(self) -> int:
        extra = (self.bias is not None) + (self.peephole is not None)
        return int(self.kernel.size + self.recurrent_kernel.size) + extra

    def to_dict(self) -> dict[str, Any]:
        return {
            "kernel": plain_numbers(self.kernel),
            "recurrent_kernel": plain_numbers(self.recurrent_kernel),
            "bias": None if self.bias is None else plain_numbers(self.bias),
            "peephole": None if self.peephole is None else plain_numbers(self.peephole),
        }


class Term(NamedTuple):
    """One product of a neuron's sum. float64, made from the layer's own numbers."""

    source: str
    """`x`: a feature of x_t; `h`: a number of h_{t-1}; `c`: the unit's own cell state, through a peephole; `bias`."""
    place: int | None
    """Which feature, or which number of h; None for the bias."""
    value: float
    weight: float

    @property
    def product(self) -> float:
        return self.value * self.weight

    def to_dict(self) -> dict[str, Any]:
        about = {"source": self.source, "index": self.place}
        return {**about, "value": self.value, "weight": self.weight, "product": self.product}


class GateSum(NamedTuple):
    """A neuron's sum, written out, and what became of it."""

    gate: Gate
    terms: tuple[Term, ...]
    recorded: float
    """The gate's value in the run itself."""
    held: bool = False
    """Whether the run held the gate at a value that was set by hand, whatever its sum."""

    @property
    def total(self) -> float:
        products = [term.product for term in self.terms]
        return math.fsum(products) if all(map(math.isfinite, products)) else sum(products)

    @property
    def activation(self) -> str:
        return ACTIVATIONS[self.gate]

    @property
    def value(self) -> float:
        """What the unit goes on with: the activation of the sum, or what the gate is held at."""
        return self.recorded if self.held else self.activated

    @property
    def activated(self) -> float:
        """The activation of the sum."""
        return math.tanh(self.total) if self.activation == "tanh" else _sigmoid(self.total)

    def to_dict(self) -> dict[str, Any]:
        return {
            "terms": [term.to_dict() for term in self.terms],
            "sum": self.total,
            "activation": self.activation,
            "activated": self.activated,
            "held": self.held,
            "value": self.value,
            "recorded": self.recorded,
        }


class Arithmetic(NamedTuple):
    """One timestep of one unit, redone in float64 from the numbers of the run."""

    t: int
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
        pairs = [(one.value, one.recorded) for one in self.gates.values()]
        states = {"c": (self.cell, self.cell_recorded), "h": (self.hidden, self.hidden_recorded)}
        pairs += [pair for letter, pair in states.items() if letter not in self.set_after]
        return max(abs(ours - run) for ours, run in pairs)

    def to_dict(self) -> dict[str, Any]:
        gates = {gate.value: one.to_dict() for gate, one in self.gates.items()}
        f, i, g, o = (self.gates[gate].value for gate in (Gate.FORGET, Gate.INPUT, Gate.CANDIDATE, Gate.OUTPUT))
        return {
            "t": self.t,
            **gates,
            "cell": {
                "f": f,
                "c_prev": self.cell_before,
                "kept": self.kept,
                "i": i,
                "g": g,
                "added": self.added,
                "value": self.cell,
                "recorded": self.cell_recorded,
                "set": "c" in self.set_after,
            },
            "hidden": {
                "o": o,
                "tanh_c": self.tanh_cell,
                "value": self.hidden,
                "recorded": self.hidden_recorded,
                "set": "h" in self.set_after,
            },
            "difference": self.difference,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Unit(LayerResult):
    """One unit under the microscope."""

    topic: ClassVar[str] = "unit"

    spec: Spec
    source: dict[str, Any]
    unit: int
    sample: int
    layer: int
    direction: Direction
    length: int
    """How many timesteps of this sample were run."""
    neurons: dict[Gate, Neuron]
    projection: Array | None
    """The unit's own weights to each number of h; [hidden]; None without a projection."""
    gates: dict[Gate, Array]
    """[timesteps] each; nan at padding"""
    cell: Array
    """[timesteps]"""
    output: Array
    """o tanh(c), the one number that the unit emits: its place in h, unless a projection mixes the units; [timesteps]"""
    initial_cell: Array
    """One number."""
    arithmetic: Arithmetic | None
    """The step that was asked for, written out."""

    @property
    def features(self) -> int:
        return int(self.neurons[Gate.INPUT].kernel.size)

    @property
    def hidden(self) -> int:
        return int(self.neurons[Gate.INPUT].recurrent_kernel.size)

    @property
    def parameters(self) -> int:
        """How many weights the unit owns."""
        projected = 0 if self.projection is None else int(self.projection.size)
        return sum(neuron.parameters for neuron in self.neurons.values()) + projected

    def facts(self) -> dict[str, Any]:
        gates = {LETTERS[gate]: plain_numbers(values) for gate, values in self.gates.items()}
        c, h = plain_numbers(self.cell), plain_numbers(self.output)
        steps = []
        for place in range(self.spec.timesteps):
            padded = place >= self.length
            made = {letter: None if padded else values[place] for letter, values in gates.items()}
            emitted = None if padded and self.projection is not None else h[place]
            steps.append({"t": place + 1, "padded": padded, **made, "c": c[place], "h": emitted})
        return {
            "unit": self.unit,
            "sample": self.sample,
            "layer": self.layer,
            "direction": self.direction.value,
            "length": self.length,
            "reads": {"features": self.features, "hidden": self.hidden, "total": self.features + self.hidden},
            "parameters": self.parameters,
            "weights": {gate.value: neuron.to_dict() for gate, neuron in self.neurons.items()},
            "projection": None if self.projection is None else plain_numbers(self.projection),
            "initial": {"c": plain_numbers(self.initial_cell)},
            "steps": steps,
            "arithmetic": None if self.arithmetic is None else self.arithmetic.to_dict(),
        }


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
        UsageError: there is no such unit, sample, timestep, layer or direction, or the timestep is padding.
        RefusedError: running even this sample would need more memory than the budget.
    """
    spec = lstm.spec
    layer, way = check_layer(spec, layer, direction)
    unit, sample = check_unit(spec.at(layer), unit), lstm.validate_sample(sample)
    record, place = lstm.run_sample(sample)
    part, weights = record.of(layer, way), lstm.weights.of(layer, way)
    length = record.length(place)
    if step is not None:
        step = check_run_step(spec, "--step", step, sample, length)
    cell = part.cell[place, :, unit]
    output = part.hidden[place, :, unit] if weights.projection is None else _emitted(part, place, unit, length, lstm.edits)
    return Unit(
        spec=spec,
        source=lstm.provenance,
        unit=unit,
        sample=sample,
        layer=layer,
        direction=way,
        length=length,
        neurons={gate: _neuron(weights, gate, unit) for gate in GATES},
        projection=None if weights.projection is None else weights.projection[unit],
        gates={gate: part.gate(gate)[place, :, unit] for gate in GATES},
        cell=cell,
        output=output,
        initial_cell=part.initial_cell[place, unit],
        arithmetic=None if step is None else _arithmetic(weights, part, place, unit, step, length, output, lstm.edits),
    )


def _emitted(part: LayerRecord, sample: int, unit: int, length: int, edits: tuple[Edit, ...]) -> Array:
    """o tanh(c) with c as each timestep made it: what is set by hand is set after that."""
    cell = part.cell[sample, :, unit].copy()
    for one in edits:
        own = (one.name, one.layer, one.direction, one.position) == ("c", part.layer, part.direction, unit)
        if own and one.step is not None and 1 <= one.step <= length:
            cell[one.step - 1] = _made(part, sample, unit, one.step, float(part.before(sample, one.step, length)[1][unit]))
    emitted: Array = part.output_gate[sample, :, unit] * np.tanh(cell)
    return emitted


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
    part: LayerRecord,
    sample: int,
    unit: int,
    t: int,
    length: int,
    output: Array,
    edits: tuple[Edit, ...],
) -> Arithmetic:
    set_here = _set_by_hand(edits, part, unit, t, projected=weights.projection is not None)
    h, c = part.before(sample, t, length)
    x, c_before = part.input[sample, t - 1], float(c[unit])
    c_after = float(part.cell[sample, t - 1, unit])
    c_made = _made(part, sample, unit, t, c_before) if "c" in set_here else c_after
    sums = {}
    for gate in GATES:
        seen = c_made if gate is Gate.OUTPUT else c_before
        terms = _terms(_neuron(weights, gate, unit), x, h, seen, unit)
        sums[gate] = GateSum(gate, terms, float(part.gate(gate)[sample, t - 1, unit]), LETTERS[gate] in set_here)
    set_after = tuple(letter for letter in ("c", "h") if letter in set_here)
    return Arithmetic(t, sums, c_before, c_after, float(output[t - 1]), set_after)


def _made(part: LayerRecord, sample: int, unit: int, t: int, c_before: float) -> float:
    """f c_{t-1} + i g: what the timestep made of c, before it was set by hand."""
    f, i, g = (float(part.gate(gate)[sample, t - 1, unit]) for gate in (Gate.FORGET, Gate.INPUT, Gate.CANDIDATE))
    return f * c_before + i * g


def _set_by_hand(edits: tuple[Edit, ...], part: LayerRecord, unit: int, t: int, projected: bool) -> set[str]:
    """Which of a unit's gates and states were set by hand at a timestep; a number of h is no unit's own under a projection."""
    here = (one for one in edits if (one.layer, one.direction, one.position) == (part.layer, part.direction, unit))
    found = {one.name for one in here if one.step == t or (one.is_gate and one.step is None)}
    return found - {"h"} if projected else found


def _terms(neuron: Neuron, x: Array, h: Array, c: float, unit: int) -> tuple[Term, ...]:
    read = [("x", x, neuron.kernel), ("h", h, neuron.recurrent_kernel)]
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
