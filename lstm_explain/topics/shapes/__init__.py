"""shapes: every tensor from input to output, one unit's share, the parameters counted, and the cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, TypedDict

from lstm_explain.core import cost
from lstm_explain.core.axes import Shape, shape
from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Direction
from lstm_explain.core.weights import parameter_counts, weight_shapes
from lstm_explain.frameworks.keras import KERAS_CONVENTION
from lstm_explain.frameworks.onnx import ONNX_CONVENTION
from lstm_explain.frameworks.pytorch import PYTORCH_CONVENTION
from lstm_explain.topics.result import LSTMResult, OneOf, json_keys

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import LayerRecord, Record
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights, Weights
    from lstm_explain.topics.perturbation import Sharing
    from lstm_explain.topics.result import Positive
    from lstm_explain.topics.shapes.framework_call import FrameworkCall

COMPARED = {convention.framework: convention for convention in (KERAS_CONVENTION, PYTORCH_CONVENTION, ONNX_CONVENTION)}
"""The frameworks whose parameter counts are compared: few, as they are loaded at every start."""

MEANINGS: dict[str, tuple[str, str]] = {
    "input": ("x", "the batch: each sample a sequence"),
    "input_step": ("x_t", "what the layer reads at one timestep"),
    "hidden_prev": ("h_{t-1}", "all units' outputs of the previous timestep"),
    "cell_prev": ("c_{t-1}", "all units' cell states of the previous timestep"),
    "joined": ("[x_t, h_{t-1}]", "next to each other: what every neuron reads"),
    "pre_activation": ("z_t", "every neuron's sum, four for each unit"),
    "input_gate": ("i_t", "how much of g each unit lets in, 0 to 1"),
    "forget_gate": ("f_t", "how much of its c each unit keeps, 0 to 1"),
    "candidate": ("g_t", "what each unit would add to its c, -1 to 1"),
    "output_gate": ("o_t", "how much of tanh(c) each unit outputs, 0 to 1"),
    "cell": ("c_t", "kept: c_t = f_t × c_{t-1} + i_t × g_t"),
    "unit_output": ("m_t", "what the units output: o_t × tanh(c_t)"),
    "hidden": ("h_t", "output: h_t = o_t × tanh(c_t)"),
    "kernel": ("W", "what the neurons multiply x_t with"),
    "recurrent_kernel": ("R", "what the neurons multiply h_{t-1} with"),
    "bias": ("b", "what is added to each neuron's sum"),
    "projection": ("P", "the linear map from m_t to h_t"),
    "peephole": ("p", "from each unit's own c to its gates"),
    "output_sequence": ("h_1..h_T", "h of every timestep"),
    "output_last": ("h_T", "h after the last timestep read"),
    "cell_last": ("c_T", "c after the last timestep read"),
}
"""For each tensor its symbol and one line of meaning."""

PROJECTED_HIDDEN = "output: h_t = m_t × P, mixed from all units"
JOINED_OUTPUT = "h of every timestep, both directions next to each other"
NETWORK_TENSORS = (
    *("input_read", "last_hidden", "last_cell", "initial_hidden", "initial_cell", "decoder_input", "decoder_sequence"),
    *("dense_input", "dense_kernel", "dense_bias", "outputs"),
)
"""The names that only tensors of `tasks` have, those of the networks around an LSTM."""

STEP_NAMES = (
    "input_step",
    "hidden_prev",
    "cell_prev",
    "joined",
    "pre_activation",
    *(gate.value for gate in GATES),
    "cell",
    "unit_output",
    "hidden",
)
"""The tensors of one timestep, in the order in which data meets them."""
OUTPUT_NAMES = ("output_sequence", "output_last", "cell_last")
"""What a layer outputs."""
MAX_SHARING_MACS = 10**9
"""How many multiply-accumulates to spend on measuring what units share, where the whole run is computed only."""
STEP_UNITS = 13  # arrays of a number for each unit that the reference step holds at once


@json_keys("name symbol layer direction axes=shape.axes shape=shape.sizes elements=shape.elements bytes measured meaning")
class Tensor(NamedTuple):
    """One tensor: what it is called, what it means, and its shape."""

    name: Annotated[str, OneOf((*MEANINGS, *NETWORK_TENSORS))]
    """What it is called."""
    symbol: str
    """As in the equations."""
    layer: int | None
    """Which layer it belongs to; None if it does not belong to one layer."""
    direction: Direction | None
    """Which direction; None if it belongs to both."""
    shape: Shape
    bytes: Positive
    """How many bytes it takes."""
    measured: bool
    """Whether the sizes were read off an array of a run that just happened; else they were computed."""
    meaning: str
    """What it is, in one line."""


@json_keys("layer reads.features=features reads.hidden=hidden reads.total=reads neurons parameters emits")
class UnitShare(NamedTuple):
    """What one unit of a layer reads, owns and outputs, in one direction."""

    layer: int
    features: Positive
    """How many numbers of x_t it reads."""
    hidden: Positive
    """How many numbers of h_{t-1} it reads: those of all units, including its own."""
    biases: int
    """How many biases each of its neurons has: 1, or 0 without bias."""
    peepholes: int
    """How many peephole weights it has: 3 or 0."""
    projection: int
    """How many weights lead from it to h: its row of the projection; 0 without one."""

    @property
    def reads(self) -> Positive:
        """How many numbers it reads at a timestep."""
        return self.features + self.hidden

    @property
    def neurons(self) -> Positive:
        """How many neurons it has."""
        return len(GATES)

    @property
    def parameters(self) -> Positive:
        """How many weights are this unit's alone."""
        return self.neurons * (self.reads + self.biases) + self.peepholes + self.projection

    @property
    def emits(self) -> dict[Literal["hidden", "cell", "total"], Positive]:
        """How many numbers it makes at a timestep."""
        return {"hidden": 1, "cell": 1, "total": 2}


class LayerParameters(NamedTuple):
    """How many parameters a layer has over its directions, and the formula that says so."""

    layer: int
    total: Positive
    """How many parameters the layer has."""
    formula: str
    """The total in the words of the options."""


@json_keys("index=position layer direction")
class LastStateIndex(NamedTuple):
    """What a slice of h_n and c_n belongs to."""

    position: int
    """Which slice, from 0."""
    layer: int
    direction: Direction


class CostBytes(TypedDict):
    """The memory of a run."""

    weights: Positive
    """Of the weights."""
    input: Positive
    """Of the input."""
    activations_per_step: Positive
    """Of i, f, g, o, c and h at one timestep of all samples."""
    record: Positive
    """Of all timesteps, and the initial states."""


class Cost(TypedDict):
    """What a run costs."""

    macs_per_step: Positive
    """Multiply-accumulates of one timestep of one sample through the whole stack."""
    macs: Positive
    """The same for all samples and timesteps."""
    products_per_step: Positive
    """Element-wise products: f c, i g and o tanh(c) of every unit."""
    activations_per_step: Positive
    """Calls of sigmoid and tanh."""
    bytes: CostBytes
    """How much memory it takes."""


@json_keys(
    "measured tensors last_states=last_state_indices unit unit_by_layer=units parameters.total=total",
    "parameters.per_unit=unit.parameters parameters.formula=formula parameters.by_tensor=counts parameters.by_layer=layers",
    "parameters.by_framework=frameworks cost framework",
)
@dataclass(frozen=True, eq=False, repr=False)
class Shapes(LSTMResult):
    """The tensors of an LSTM, in the order in which data meets them."""

    topic: ClassVar[str] = "shapes"

    spec: Spec
    source: dict[str, Any]
    tensors: tuple[Tensor, ...]
    """Every tensor, in the order in which data meets it."""
    measured: bool
    """Whether the whole LSTM was run and every shape read off an array; else it would not have fitted the budget."""
    max_memory: int
    units: tuple[UnitShare, ...]
    """One unit of each layer."""
    layers: tuple[LayerParameters, ...]
    """The parameters of each layer."""
    counts: dict[str, Positive]
    """How many parameters each kind of tensor has, over the whole stack."""
    frameworks: dict[Annotated[str, OneOf(COMPARED)], Positive | None]
    """What `keras`, `pytorch` and `onnx` count; null if one cannot build this LSTM."""
    sharing: Sharing | None
    """What a change of unit 0 in layer 0 moves, forward, at the last timestep of sample 0; None where no run fits."""
    framework: FrameworkCall | None = None
    """The same in a framework's names and layouts; null without `--framework`."""

    def of(self, *names: str, layer: int | None = None) -> tuple[Tensor, ...]:
        """The tensors of the given names, of one layer if one is given."""
        tensors = self.tensors if layer is None else self._by_layer[layer]
        return tuple(tensor for tensor in tensors if tensor.name in names)

    @cached_property
    def _by_layer(self) -> dict[int | None, list[Tensor]]:
        by_layer: dict[int | None, list[Tensor]] = {}
        for tensor in self.tensors:
            by_layer.setdefault(tensor.layer, []).append(tensor)
        return by_layer

    @property
    def last_states(self) -> list[tuple[int, Direction]]:
        """Slice k of h_n and c_n belongs to this layer and direction."""
        return list(self.spec.layer_directions)

    @property
    def last_state_indices(self) -> list[LastStateIndex]:
        """What slice `index` of h_n and c_n belongs to."""
        return [LastStateIndex(index, layer, direction) for index, (layer, direction) in enumerate(self.last_states)]

    @property
    def unit(self) -> UnitShare:
        """One unit of layer 0."""
        return self.units[0]

    @property
    def formula(self) -> str:
        """The total in the words of the options."""
        return " + ".join(layer.formula for layer in self.layers)

    @property
    def total(self) -> Positive:
        """How many parameters the whole stack has, with one bias for each neuron."""
        return sum(self.counts.values())

    @property
    def steps(self) -> int:
        """How many timesteps of samples are run; padding is not."""
        lengths = self.source["inputs"]["lengths"]
        return self.spec.samples * self.spec.timesteps if lengths is None else sum(lengths)

    @property
    def cost(self) -> Cost:
        """Arithmetic and memory; see `core/cost.py`."""
        steps = self.steps
        return {
            "macs_per_step": cost.macs_per_step(self.spec),
            "macs": cost.macs_per_step(self.spec) * steps,
            "products_per_step": cost.products_per_step(self.spec),
            "activations_per_step": cost.activations_per_step(self.spec),
            "bytes": {
                "weights": cost.weight_bytes(self.spec),
                "input": cost.input_bytes(self.spec),
                "activations_per_step": cost.step_bytes(self.spec),
                "record": cost.record_bytes(self.spec),
            },
        }


def explain_shapes(lstm: LSTM, framework: str | None = None, **options: Any) -> Shapes:
    """List every tensor of an LSTM. Runs it over all samples, if that fits the budget, and reads the shapes off the arrays.

    Args:
        lstm: the LSTM and its batch.
        framework: also describe it in the names and layouts of this framework: pytorch, keras, onnx or flax.
        options: options of its call, the fields of `CallOptions`: batch_first, return_sequences, return_state, layout.

    Raises:
        UsageError: the framework or an option is unknown, or the framework cannot build this LSTM.
    """
    spec, call = lstm.spec, _framework_call(lstm, framework, options)
    record = lstm.run() if _fits_budget(lstm) else None
    sizes = None if record is None else measured_sizes(lstm.weights, record)
    tensors = []
    for (name, layer, direction), computed in computed_shapes(spec).items():
        axes = computed if sizes is None else computed.with_sizes(sizes[name, layer, direction])
        symbol, meaning = MEANINGS[name]
        if name == "hidden" and spec.for_layer(layer or 0).projection is not None:
            meaning = PROJECTED_HIDDEN
        if name == "output_sequence" and spec.for_layer(layer or 0).bidirectional:
            meaning = JOINED_OUTPUT
        size = axes.elements * spec.item_bytes
        tensors.append(Tensor(name, symbol, layer, direction, axes, size, sizes is not None, meaning))
    return Shapes(
        spec=spec,
        source=lstm.provenance,
        tensors=tuple(tensors),
        measured=sizes is not None,
        max_memory=lstm.max_memory,
        units=tuple(_unit_share(spec, layer) for layer in range(len(spec.layers))),
        layers=tuple(_layer_parameters(spec, layer) for layer in range(len(spec.layers))),
        counts=parameter_counts(spec),
        frameworks={name: convention.count_parameters(spec) for name, convention in COMPARED.items()},
        sharing=_measure_sharing(lstm, record),
        framework=call,
    )


def _measure_sharing(lstm: LSTM, record: Record | None) -> Sharing | None:
    """Change unit 0 at the last timestep of sample 0; where the run over all samples does not fit, in a run of that sample."""
    import numpy as np

    from lstm_explain.topics.perturbation import DEFAULT_CHANGE, measure_sharing

    if record is None:
        macs = cost.macs_per_step(lstm.spec) * lstm.spec.timesteps
        if lstm.run_bytes(1) > lstm.max_memory or macs > MAX_SHARING_MACS:
            return None
        record = lstm.run(0, 1)
    length = lstm.spec.timesteps if lstm.lengths is None else lstm.lengths[0]
    with np.errstate(all="ignore"):  # infinite inputs have shapes too
        weights, layer_record = lstm.weights.of(0, Direction.FORWARD), record.of(0, Direction.FORWARD)
        return measure_sharing(weights, layer_record.of_sample(0, length), length, unit=0, by=DEFAULT_CHANGE)


def _framework_call(lstm: LSTM, framework: str | None, options: dict[str, Any]) -> FrameworkCall | None:
    """The framework's call; its modules are loaded only if something was asked for."""
    if framework is None and not any(value is not None and value is not False for value in options.values()):
        return None
    from lstm_explain.topics.shapes.framework_call import framework_call

    return framework_call(lstm, framework, options)


# --- shapes -----------------------------------------------------------------------------------------------------------

TensorKey = tuple[str, int | None, Direction | None]
"""A tensor's name, layer and direction."""


def computed_shapes(spec: Spec) -> dict[TensorKey, Shape]:
    """The shape of every tensor from the sizes alone, in the order in which data meets them."""
    batch, steps = spec.samples, spec.timesteps
    shapes: dict[TensorKey, Shape] = {
        ("input", None, None): shape(samples=batch, timesteps=steps, features=spec.features),
    }
    for layer in range(len(spec.layers)):
        layer_spec = spec.for_layer(layer)
        inside = _step_shapes(layer_spec) | weight_shapes(layer_spec, 0)
        shapes |= {(name, layer, direction): axes for direction in layer_spec.directions for name, axes in inside.items()}
        hidden_axis = layer_spec.hidden_axis
        output_axis = f"both_{hidden_axis}" if layer_spec.bidirectional else hidden_axis
        shapes["output_sequence", layer, None] = shape(samples=batch, timesteps=steps, **{output_axis: layer_spec.output})
        for direction in layer_spec.directions:
            shapes["output_last", layer, direction] = shape(samples=batch, **{hidden_axis: layer_spec.hidden})
            shapes["cell_last", layer, direction] = shape(samples=batch, units=layer_spec.units)
    return shapes


def _step_shapes(spec: Spec) -> dict[str, Shape]:
    """The tensors of one layer's timestep."""
    batch, features, hidden = spec.samples, spec.features, spec.hidden
    units = shape(samples=batch, units=spec.units)
    state = shape(samples=batch, **{spec.hidden_axis: hidden})
    return {
        "input_step": shape(samples=batch, features=features),
        "hidden_prev": state,
        "cell_prev": units,
        "joined": shape(samples=batch, **{f"features_and_{spec.hidden_axis}": features + hidden}),
        "pre_activation": shape(samples=batch, gate_units=len(GATES) * spec.units),
        **{gate.value: units for gate in GATES},
        "cell": units,
        **({"unit_output": units} if spec.projection else {}),
        "hidden": state,
    }


def measured_sizes(weights: Weights, record: Record) -> dict[TensorKey, tuple[int, ...]]:
    """Read all sizes off a run, and off a reference step in every layer and direction."""
    sizes: dict[TensorKey, tuple[int, ...]] = {("input", None, None): record.input.shape}
    for layer, directions in enumerate(record.layers):
        for direction, layer_record in directions.items():
            arrays = _layer_sizes(layer_record, weights.of(layer, direction))
            sizes |= {(name, layer, direction): array_sizes for name, array_sizes in arrays.items()}
        sizes["output_sequence", layer, None] = record.outputs[layer].shape
    return sizes


def _layer_sizes(record: LayerRecord, weights: LayerWeights) -> dict[str, tuple[int, ...]]:
    """The sizes of a layer's tensors in one direction; the arrays of its step are freed before the next layer's are made."""
    import numpy as np

    from lstm_explain.core.cell import step

    first = 0 if record.direction is Direction.FORWARD else -1
    x, h, c = record.input[:, first], record.initial_hidden, record.initial_cell
    with np.errstate(all="ignore"):  # infinite inputs have shapes too
        result = step(weights, x, h, c)
    arrays: dict[str, Array] = {
        "input_step": x,
        "hidden_prev": h,
        "cell_prev": c,
        "joined": result.joined,
        "pre_activation": result.pre_activation,
        **{gate.value: record.gate(gate)[:, first] for gate in GATES},
        "cell": record.cell[:, first],
        "hidden": record.hidden[:, first],
        **weights.tensors(),
        "output_last": record.last_hidden,
        "cell_last": record.last_cell,
    }
    if weights.projection is not None:
        arrays["unit_output"] = result.m
    return {name: array.shape for name, array in arrays.items()}


def _fits_budget(lstm: LSTM) -> bool:
    """Whether a run over all samples stays within the budget, together with the reference step."""
    spec = lstm.spec
    layers = [spec.for_layer(layer) for layer, _ in spec.layer_groups]
    step_size = max(layer.features + layer.hidden + STEP_UNITS * layer.units for layer in layers)
    return lstm.run_bytes(spec.samples) + spec.samples * step_size * spec.item_bytes <= lstm.max_memory


# --- parameters -------------------------------------------------------------------------------------------------------


def _unit_share(spec: Spec, layer: int) -> UnitShare:
    layer_spec = spec.for_layer(layer)
    return UnitShare(
        layer=layer,
        features=layer_spec.features,
        hidden=layer_spec.hidden,
        biases=int(layer_spec.bias),
        peepholes=len(PEEPHOLE_GATES) if layer_spec.peepholes else 0,
        projection=layer_spec.projection or 0,
    )


def _layer_parameters(spec: Spec, layer: int) -> LayerParameters:
    layer_spec = spec.for_layer(layer)
    total = sum(axes.elements for axes in weight_shapes(layer_spec, 0).values()) * len(layer_spec.directions)
    reads = size_words(spec, layer - 1).output if layer else "features"
    return LayerParameters(layer, total, layer_formula(layer_spec, reads, size_words(spec, layer)))


class SizeWords(NamedTuple):
    """What the sizes of a layer are called; with the layer's number, as in `units_0`, if the layers of a stack differ."""

    units: str
    hidden: str
    """Of h in one direction."""
    output: str


def size_words(spec: Spec, layer: int, factor: str = "") -> SizeWords:
    """The words for a layer of a stack; `factor`, such as `2*`, is put before units and projection."""
    layer_spec, suffix = spec.for_layer(layer), f"_{layer}" if spec.layers_differ else ""
    units = f"{factor}units{suffix}"
    hidden = units if layer_spec.projection is None else f"{factor}projection{suffix}"
    return SizeWords(units, hidden, f"2*{hidden}" if layer_spec.bidirectional and not factor else hidden)


def layer_formula(layer: Spec, reads: str, words: SizeWords, biases: int | None = None) -> str:
    """The parameters of one layer over its directions, in the axis words of the command line.

    Args:
        layer: its sizes and options.
        reads: what the number of its features is called.
        words: what its own sizes are called.
        biases: how many biases a neuron has; if left out, one if the layer has biases.
    """
    units, hidden, _ = words
    biases = int(layer.bias) if biases is None else biases
    neurons = f"4*{units}*({reads} + {hidden}{f' + {biases}' if biases else ''})"
    extra = (f" + 3*{units}" if layer.peepholes else "") + (f" + {units}*{hidden}" if layer.projection else "")
    return f"2*{parenthesize_sum(neurons + extra)}" if layer.bidirectional else neurons + extra


def parenthesize_sum(formula: str) -> str:
    """A sum in parentheses; a product as it is."""
    return f"({formula})" if ") + " in formula else formula
