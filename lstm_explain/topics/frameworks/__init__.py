"""frameworks: one layer, written by each framework; names, shapes, orders, biases and states, and a program that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from lstm_explain.core.axes import Axis, Shape
from lstm_explain.core.cost import weight_bytes, weight_creation_bytes
from lstm_explain.frameworks.convention import HETEROGENEOUS
from lstm_explain.frameworks.layout import TensorLayout, export_layer, tensor_layouts
from lstm_explain.frameworks.registry import FRAMEWORKS
from lstm_explain.topics.frameworks.program import Program, write_program
from lstm_explain.topics.lookup import find_framework
from lstm_explain.topics.result import LSTMResult, json_keys
from lstm_explain.topics.shapes import layer_formula, parenthesize_sum, size_words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Annotated

    from lstm_explain.core.gates import Direction, Gate
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights, Weights
    from lstm_explain.frameworks.convention import Convention, UnsupportedOption
    from lstm_explain.frameworks.framework import AxisName, Framework
    from lstm_explain.frameworks.layout import Kind, SegmentContent
    from lstm_explain.topics.result import Maximum, Minimum, Positive

COPIES = 6
"""The number of copies of the weights in memory: ours, the framework's, those read back, and temporary arrays."""


class ReadBack(NamedTuple):
    """Our weights, written in a framework's layout and read back, compared with the originals."""

    weights: float
    """The largest difference to our weights: 0 unless a forget bias that is added when called was subtracted."""
    hidden: float | None
    """The largest difference of h in a run with them; None without a run."""
    samples: int
    """How many samples were run."""


@json_keys("axes=shape.names shape=shape.sizes")
class InputShape(NamedTuple):
    """The input in the framework's layout."""

    shape: Shape


class InputLayout(NamedTuple):
    """Another layout of the input."""

    asked_by: str
    """The option that selects it."""
    axes: tuple[str, ...]


class Initializer(NamedTuple):
    """How weights start."""

    weights: str
    """Which weights."""
    start: str
    """Their initial values."""


@json_keys("name axes=shape.names shape=shape.sizes meaning")
class ReturnedShape(NamedTuple):
    """One tensor that the layer returns."""

    name: str
    """Its name in the framework."""
    shape: Shape
    meaning: str


class TensorSegment(NamedTuple):
    """The content at `start` to `stop` - 1 along an axis."""

    axis: int
    """Which axis, from 0."""
    start: int
    """The first index."""
    stop: Positive
    """The index after the last."""
    what: SegmentContent
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
    """Its segments, such as the gates."""


@json_keys(
    "framework=framework.name title=framework.title built=framework.info.class_name known=framework.info.verification",
    "source=framework.convention.source step=framework.info.is_cell lacks gate_order gates_apart=convention.gates_separate",
    "neurons_first=convention.output_major joined=convention.fused_kernel biases always_biases=convention.bias_required",
    "state_order=framework.info.state_order forget_bias=framework.info.forget_bias starts input other_inputs",
    "weights=tensors parameters formula returns several_layers=framework.info.stacking remarks=framework.info.remarks",
    "read_back",
)
class FrameworkLayer(NamedTuple):
    """The layer, or the stack of layers, as one framework writes it."""

    framework: Framework
    lacks: UnsupportedOption | None
    """The option of this LSTM that the framework does not have; weights, counts and shapes are then missing."""
    parameters: Positive | None
    """How many parameters it counts over the whole stack."""
    formula: str | None
    """The count in the words of the options."""
    weights: tuple[TensorLayout, ...]
    """All of them if the framework was asked for; in a comparison only those of layers that differ."""
    reads: Shape | None
    returns: tuple[ReturnedShape, ...]
    """The tensors that it returns; those of the last layer, if layers differ."""
    read_back: ReadBack | None
    """The comparison with weights written and read back; None if several frameworks are shown, or without weights."""

    @property
    def convention(self) -> Convention:
        """How the framework writes weights."""
        return self.framework.convention

    @property
    def gate_order(self) -> Annotated[tuple[Gate, ...], Minimum(4), Maximum(4)]:
        """How the gates are packed; with an array for each gate, the order of these arrays."""
        return self.convention.gate_order

    @property
    def biases(self) -> Positive:
        """How many bias vectors there are."""
        return len(self.convention.biases)

    @property
    def starts(self) -> list[Initializer]:
        """How new weights start."""
        return [Initializer(*initializer) for initializer in self.framework.info.initializers]

    @property
    def input(self) -> InputShape | None:
        """The input in the default layout; None if the framework lacks an option."""
        return None if self.reads is None else InputShape(self.reads)

    @property
    def other_inputs(self) -> list[InputLayout]:
        """Other layouts of the input."""
        return [InputLayout(option, axes) for option, axes in self.framework.info.alternative_layouts]

    @property
    def layers_alone(self) -> bool:
        """Whether each layer can be built by itself, but not all of them as one."""
        return self.lacks == HETEROGENEOUS

    @property
    def tensors(self) -> list[FrameworkTensor]:
        """Every array, as the framework stores it; in a comparison only those of layers that differ."""
        return [
            FrameworkTensor(
                *array[:5], array.shape.names, array.shape.sizes, [TensorSegment(*segment) for segment in array.segments]
            )
            for array in self.weights
        ]


@dataclass(frozen=True, eq=False, repr=False)
@json_keys("chosen measured frameworks program")
class Frameworks(LSTMResult):
    """One LSTM as frameworks write it: names, shapes, orders, biases and states."""

    topic: ClassVar[str] = "frameworks"

    spec: Spec
    source: dict[str, Any]
    frameworks: tuple[FrameworkLayer, ...]
    """All frameworks, or the one that was asked for."""
    chosen: bool
    """Whether one was asked for."""
    measured: bool
    """Whether the weights were made, and every shape of them read off an array."""
    max_memory: int
    program: Program | None
    """The program of `--code`."""


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
    """The LSTM as a framework writes it; without `whole` only one of equal layers, and not read back."""
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
        returns=tuple(
            ReturnedShape(tensor.name, build_shape(last, tensor.axes), tensor.meaning) for tensor in framework.info.returns
        ),
        read_back=_read_back_weights(lstm, framework) if measured and whole else None,
    )


def _measure_layouts(lstm: LSTM, framework: Framework, computed: list[TensorLayout], layers: range) -> list[TensorLayout]:
    """Write our weights as the framework does, and read every shape off the arrays."""
    stack = lstm.weights.layers
    arrays = (
        (name, direction, array.shape)
        for layer in layers
        for name, direction, array in export_layer(framework.convention, stack[layer], layer)
    )
    layouts = []
    for expected, (name, direction, sizes) in zip(computed, arrays, strict=True):
        axes = tuple(axis._replace(size=size) for axis, size in zip(expected.shape.axes, sizes, strict=True))
        layouts.append(expected._replace(name=name, direction=direction, shape=type(expected.shape)(axes)))
    return layouts


def _read_back_weights(lstm: LSTM, framework: Framework) -> ReadBack:
    from lstm_explain.core.weights import Weights

    convention, layers = framework.convention, lstm.weights.layers
    read_back = tuple(
        {direction: convention.unpack(convention.pack(weights)) for direction, weights in layer.items()} for layer in layers
    )
    difference = max(
        _layer_difference(weights, layer_read[direction])
        for layer, layer_read in zip(layers, read_back, strict=True)
        for direction, weights in layer.items()
    )
    return _run_read_back(lstm, framework, Weights(read_back), difference)


def _layer_difference(ours: LayerWeights, read: LayerWeights) -> float:
    """The largest difference between two layers' weights; a missing bias is zero."""
    originals = ours.tensors()
    return max(float(abs(array - originals.get(name, 0)).max()) for name, array in read.tensors().items())


def _run_read_back(lstm: LSTM, framework: Framework, weights: Weights, difference: float) -> ReadBack:
    from lstm_explain.core.compare import max_abs_difference
    from lstm_explain.core.engine import forward

    start, stop = lstm.block_of(0)
    if 2 * lstm.run_bytes(stop - start) > lstm.max_memory:
        return ReadBack(difference, None, 0)
    record = lstm.run(start, stop)
    initial = lstm.initial_states(stop - start)
    run = forward(framework.convention.effective_spec(record.spec), weights, record.input, initial, record.lengths)
    return ReadBack(difference, max_abs_difference(run.output, record.output), stop - start)


# --- shapes and formulas ----------------------------------------------------------------------------------------------


def build_shape(spec: Spec, axes: Iterable[AxisName]) -> Shape:
    """The shape of a tensor with the given axes; `spec` is of one layer, or of layers that are alike."""
    directions = len(spec.directions)
    both = "2*" if spec.bidirectional else ""
    known: dict[AxisName, Axis] = {
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
    return Shape(tuple(known[axis] for axis in axes))


def parameter_formula(convention: Convention, spec: Spec) -> str:
    """How many parameters the framework counts, in the axis words of the command line.

    Where layers differ, a size has the layer's number: units_0. Equal layers are one term.
    """
    terms = []
    for layer, times in spec.layer_groups:
        layer_spec, reads = spec.for_layer(layer), size_words(spec, layer - 1).output if layer else "features"
        term = layer_formula(layer_spec, reads, size_words(spec, layer), convention.bias_count(layer_spec))
        terms.append(term if times == 1 else f"{times}*{parenthesize_sum(term)}")
    return " + ".join(terms)
