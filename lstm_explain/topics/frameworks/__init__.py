"""frameworks: one layer, written by each framework; names, shapes, orders, biases and states, and a program that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

from lstm_explain.core.axes import Axis, Shape
from lstm_explain.core.cost import weight_bytes, weight_creation_bytes
from lstm_explain.frameworks.convention import HETEROGENEOUS
from lstm_explain.frameworks.layout import TensorLayout, export_layer, tensor_layouts
from lstm_explain.frameworks.registry import FRAMEWORKS
from lstm_explain.topics.frameworks.program import Program, write_program
from lstm_explain.topics.lookup import find_framework
from lstm_explain.topics.result import LSTMResult, to_plain
from lstm_explain.topics.shapes import layer_formula, parenthesize_sum, size_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lstm_explain.core.gates import Direction, Gate
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights, Weights
    from lstm_explain.frameworks.convention import Convention
    from lstm_explain.frameworks.framework import AxisName, Framework
    from lstm_explain.frameworks.layout import Kind
    from lstm_explain.topics.result import Positive

Weight: TypeAlias = TensorLayout
COPIES = 6  # of a stack's weights: ours, the framework's, what is read back, and what is under way


class ReadBack(NamedTuple):
    """Our weights, written in a framework's layout and read back, compared with the originals."""

    weights: float
    """The largest difference to ours. It is not 0 only where a forget bias that is added when called was subtracted."""
    hidden: float | None
    """The largest difference of h in a run with them; None where none was made."""
    samples: int
    """How many samples were run."""

    def to_dict(self) -> dict[str, Any]:
        return self._asdict()


class TensorSegment(NamedTuple):
    """What is at `start` to `stop` - 1 along an axis."""

    axis: int
    """Which axis, from 0."""
    start: int
    """The first index."""
    stop: Positive
    """The index after the last."""
    what: str
    """A gate, or `input` and `hidden`, the rows that multiply x and h."""


class FrameworkTensor(NamedTuple):
    """One array of a framework's weights."""

    name: str
    """Its name in the framework."""
    kind: Kind
    """What it holds."""
    layer: int
    direction: Direction | None
    """Null if the array holds all directions."""
    gate: Gate | None
    """Null if it holds all gates, or none."""
    axes: tuple[str, ...]
    """The names of its axes."""
    shape: tuple[int, ...]
    parts: list[TensorSegment]
    """What is where in it."""


class FrameworkLayer(NamedTuple):
    """The layer, or the stack of layers, as one framework writes it."""

    framework: Framework
    lacks: str | None
    """The option that it does not have; weights, counts and shapes are then missing."""
    parameters: int | None
    """How many parameters it counts over the whole stack."""
    formula: str | None
    """The count in the words of the options."""
    weights: tuple[TensorLayout, ...]
    """All of them where the framework was asked for; beside others, of layers that are alike the first alone."""
    reads: Shape | None
    returns: tuple[tuple[str, Shape, str], ...]
    """Name, shape and meaning of each tensor; of the last layer, where layers differ."""
    read_back: ReadBack | None
    """None where the weights were not made, and beside others."""

    @property
    def layers_alone(self) -> bool:
        """Whether each layer can be built by itself, but not all of them as one."""
        return self.lacks == HETEROGENEOUS

    @property
    def tensors(self) -> list[FrameworkTensor]:
        """Every array, as the framework stores it; in a comparison only those of layers that differ."""
        return [
            FrameworkTensor(
                *array[:5], array.shape.names, array.shape.sizes, [TensorSegment(*part) for part in array.segments]
            )
            for array in self.weights
        ]

    def to_dict(self) -> dict[str, Any]:
        framework, convention = self.framework, self.framework.convention
        return {
            "framework": framework.name,
            "title": framework.title,
            "built": framework.info.class_name,
            "known": framework.info.verification,
            "source": convention.source,
            "step": framework.info.is_cell,
            "lacks": self.lacks,
            "gate_order": [gate.value for gate in convention.gate_order],
            "gates_apart": "*" in convention.kernel,
            "neurons_first": convention.output_major,
            "joined": convention.fused_kernel,
            "biases": len(convention.biases),
            "always_biases": convention.bias_required,
            "state_order": list(framework.info.state_order),
            "forget_bias": {"value": framework.info.forget_bias.value, "how": framework.info.forget_bias.how},
            "starts": [{"weights": what, "start": how} for what, how in framework.info.initializers],
            "input": None if self.reads is None else _shape_dict(self.reads),
            "other_inputs": [{"asked_by": asked, "axes": list(axes)} for asked, axes in framework.info.alternative_layouts],
            "weights": to_plain(self.tensors),
            "parameters": self.parameters,
            "formula": self.formula,
            "returns": [{"name": name, **_shape_dict(shape), "meaning": meaning} for name, shape, meaning in self.returns],
            "several_layers": framework.info.stacking,
            "remarks": list(framework.info.remarks),
            "read_back": None if self.read_back is None else self.read_back.to_dict(),
        }


@dataclass(frozen=True, eq=False, repr=False)
class Frameworks(LSTMResult):
    """One LSTM as several frameworks write it, or one."""

    topic: ClassVar[str] = "frameworks"

    spec: Spec
    source: dict[str, Any]
    frameworks: tuple[FrameworkLayer, ...]
    chosen: bool
    """Whether one was asked for."""
    measured: bool
    """Whether the weights were made, and every shape of them read off an array."""
    max_memory: int
    program: Program | None

    def facts(self) -> dict[str, Any]:
        return {
            "chosen": self.chosen,
            "measured": self.measured,
            "frameworks": [framework.to_dict() for framework in self.frameworks],
            "program": None if self.program is None else self.program.to_dict(),
        }


def explain_frameworks(lstm: LSTM, name: str | None = None, code: bool = False) -> Frameworks:
    """Write an LSTM as each framework does.

    Args:
        lstm: the LSTM and its batch.
        name: which framework; all if left out.
        code: whether to write a program in this framework, too.

    Raises:
        UsageError: the framework is unknown, or has no program for this LSTM.
        RefusedError: the program's samples cannot be run within the memory budget.
    """
    chosen = None if name is None else find_framework(name)
    program = write_program(lstm, chosen) if code else None
    measured = weight_creation_bytes(lstm.spec) + COPIES * weight_bytes(lstm.spec) <= lstm.max_memory
    among = FRAMEWORKS.values() if chosen is None else (chosen,)
    return Frameworks(
        spec=lstm.spec,
        source=lstm.provenance,
        frameworks=tuple(_describe_layer(lstm, framework, measured, whole=chosen is not None) for framework in among),
        chosen=chosen is not None,
        measured=measured,
        max_memory=lstm.max_memory,
        program=program,
    )


def _describe_layer(lstm: LSTM, framework: Framework, measured: bool, whole: bool) -> FrameworkLayer:
    """The LSTM in the way of a framework; beside others, of layers that are alike the first alone, and not read back."""
    spec, convention = lstm.spec, framework.convention
    lacks = convention.unsupported_option(spec)
    if lacks is not None:
        return FrameworkLayer(framework, lacks, None, None, (), None, (), None)
    last = spec.for_layer(len(spec.layers) - 1) if spec.layers_differ else spec
    layers = range(len(spec.layers)) if whole else range(len(spec.layer_groups))
    weights = [array for layer in layers for array in tensor_layouts(convention, spec, layer)]
    if measured:
        weights = _measure_layouts(lstm, framework, weights, layers)
    return FrameworkLayer(
        framework=framework,
        lacks=None,
        parameters=convention.count_parameters(spec),
        formula=parameter_formula(convention, spec),
        weights=tuple(weights),
        reads=build_shape(spec.for_layer(0), framework.info.input_axes),
        returns=tuple((tensor.name, build_shape(last, tensor.axes), tensor.meaning) for tensor in framework.info.returns),
        read_back=_read_back_weights(lstm, framework) if measured and whole else None,
    )


def _measure_layouts(lstm: LSTM, framework: Framework, computed: list[TensorLayout], layers: range) -> list[TensorLayout]:
    """Write our weights as the framework does, and read every shape off the arrays."""
    stack = lstm.weights.layers
    made = (
        (name, direction, array.shape)
        for layer in layers
        for name, direction, array in export_layer(framework.convention, stack[layer], layer)
    )
    layouts = []
    for expected, (name, direction, sizes) in zip(computed, made, strict=True):
        axes = tuple(axis._replace(size=size) for axis, size in zip(expected.shape.axes, sizes, strict=True))
        layouts.append(expected._replace(name=name, direction=direction, shape=type(expected.shape)(axes)))
    return layouts


def _read_back_weights(lstm: LSTM, framework: Framework) -> ReadBack:
    from lstm_explain.core.weights import Weights

    layers = lstm.weights.layers
    back = [
        {direction: framework.convention.unpack(framework.convention.pack(part)) for direction, part in parts.items()}
        for parts in layers
    ]
    pairs = [(part, back[layer][direction]) for layer, parts in enumerate(layers) for direction, part in parts.items()]
    apart = max(_layer_difference(ours, read) for ours, read in pairs)
    return _run_read_back(lstm, framework, Weights(tuple(back)), apart)


def _layer_difference(ours: LayerWeights, read: LayerWeights) -> float:
    """The largest difference between two layers' weights; a missing bias is zero."""
    named = read.tensors()
    return max(float(abs(named[name] - ours.tensors().get(name, 0)).max()) for name in named)


def _run_read_back(lstm: LSTM, framework: Framework, weights: Weights, apart: float) -> ReadBack:
    from lstm_explain.core.compare import max_abs_difference
    from lstm_explain.core.engine import forward

    start, stop = lstm.block_of(0)
    if 2 * lstm.run_bytes(stop - start) > lstm.max_memory:
        return ReadBack(apart, None, 0)
    record = lstm.run(start, stop)
    initial = lstm.initial_states(stop - start)
    again = forward(framework.convention.effective_spec(record.spec), weights, record.input, initial, record.lengths)
    return ReadBack(apart, max_abs_difference(again.output, record.output), stop - start)


def _shape_dict(shape: Shape) -> dict[str, Any]:
    return {"axes": list(shape.names), "shape": list(shape.sizes)}


# --- shapes and formulas ----------------------------------------------------------------------------------------------


def build_shape(spec: Spec, axes: Iterable[AxisName]) -> Shape:
    """The shape of a tensor with the given axes; `spec` is of one layer, or of layers that are alike."""
    directions = len(spec.directions)
    both = "2*" if spec.bidirectional else ""
    named: dict[AxisName, Axis] = {
        "samples": Axis("samples", spec.samples),
        "timesteps": Axis("timesteps", spec.timesteps),
        "features": Axis("features", spec.features),
        "hidden": Axis(spec.hidden_axis, spec.hidden),
        "units": Axis("units", spec.units),
        "output": Axis(both + spec.hidden_axis, spec.output),
        "all_units": Axis(f"{both}units", directions * spec.units),
        "directions": Axis("directions", directions),
        "states": Axis("layers*directions", len(spec.layers) * directions),
    }
    return Shape(tuple(named[axis] for axis in axes))


def parameter_formula(convention: Convention, spec: Spec) -> str:
    """How many parameters the framework counts, in the axis words of the command line.

    Where layers differ, a size has the layer's number: units_0. Layers that are alike are counted once, and taken times.
    """
    terms = []
    for layer, times in spec.layer_groups:
        layer_spec, reads = spec.for_layer(layer), size_words(spec, layer - 1).output if layer else "features"
        term = layer_formula(layer_spec, reads, size_words(spec, layer), convention.bias_count(layer_spec))
        terms.append(term if times == 1 else f"{times}*{parenthesize_sum(term)}")
    return " + ".join(terms)
