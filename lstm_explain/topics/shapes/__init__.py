"""shapes: every tensor from input to output, one unit's share, the parameters counted, and the cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from lstm_explain.core import cost
from lstm_explain.core.axes import Shape, shape
from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Direction
from lstm_explain.core.weights import parameter_counts, weight_shapes
from lstm_explain.frameworks.keras import KERAS_CONVENTION
from lstm_explain.frameworks.onnx import ONNX_CONVENTION
from lstm_explain.frameworks.pytorch import PYTORCH_CONVENTION
from lstm_explain.topics.result import LSTMResult
from lstm_explain.topics.shapes.parameter_formula import layer_formula, size_words

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import LayerRecord
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.topics.shapes.framework_call import FrameworkCall

COMPARED = {convention.framework: convention for convention in (KERAS_CONVENTION, PYTORCH_CONVENTION, ONNX_CONVENTION)}
"""The frameworks whose parameter counts are compared: few, as they are loaded at every start."""

MEANINGS: dict[str, tuple[str, str]] = {
    "input": ("x", "the batch: each sample a sequence"),
    "input_step": ("x_t", "what the layer reads at one timestep"),
    "hidden_prev": ("h_{t-1}", "all units' outputs, one timestep before"),
    "cell_prev": ("c_{t-1}", "all units' memories, one timestep before"),
    "joined": ("[x_t, h_{t-1}]", "side by side: what every neuron reads"),
    "pre_activation": ("z_t", "every neuron's sum, four for each unit"),
    "input_gate": ("i_t", "how much of g each unit lets in, 0 to 1"),
    "forget_gate": ("f_t", "how much memory each unit keeps, 0 to 1"),
    "candidate": ("g_t", "what each unit would store, -1 to 1"),
    "output_gate": ("o_t", "how much memory each unit shows, 0 to 1"),
    "cell": ("c_t", "memory: c_t = f_t × c_{t-1} + i_t × g_t"),
    "unit_output": ("m_t", "what the units emit: o_t × tanh(c_t)"),
    "hidden": ("h_t", "output: h_t = o_t × tanh(c_t)"),
    "kernel": ("W", "what the neurons multiply x_t with"),
    "recurrent_kernel": ("R", "what the neurons multiply h_{t-1} with"),
    "bias": ("b", "what is added to each neuron's sum"),
    "projection": ("P", "the linear map from m_t to h_t"),
    "peephole": ("p", "each unit's look at its own memory"),
    "output_sequence": ("h_1..h_T", "h of every timestep"),
    "output_last": ("h_T", "h after the last timestep read"),
    "cell_last": ("c_T", "c after the last timestep read"),
}
"""For each tensor its symbol and one line of meaning."""

PROJECTED_HIDDEN = "output: h_t = m_t × P, mixed from all units"
JOINED_OUTPUT = "h of every timestep, directions side by side"

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
"""The tensors of one timestep, in the order of the data's way."""
OUTPUT_NAMES = ("output_sequence", "output_last", "cell_last")
"""What comes out of a layer."""
STEP_UNITS = 13  # arrays of a number for each unit that the reference step holds at once


class Tensor(NamedTuple):
    """One tensor of the layer: what it is called, what it means, and its shape."""

    name: str
    symbol: str
    layer: int | None
    """Which layer it belongs to; None for the input."""
    direction: Direction | None
    """Which direction; None where it belongs to both."""
    shape: Shape
    bytes: int
    measured: bool
    """True where the sizes were read off an array of a run that just happened; False where they were computed."""
    meaning: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "symbol": self.symbol,
            "layer": self.layer,
            "direction": None if self.direction is None else self.direction.value,
            "axes": [{"name": axis.name, "size": axis.size} for axis in self.shape.axes],
            "shape": list(self.shape.sizes),
            "elements": self.shape.elements,
            "bytes": self.bytes,
            "measured": self.measured,
            "meaning": self.meaning,
        }


class UnitShare(NamedTuple):
    """What one unit of a layer reads, owns and emits, in one direction."""

    layer: int
    features: int
    """How many numbers of x_t it reads."""
    hidden: int
    """How many numbers of h_{t-1} it reads: those of all units, its own among them."""
    biases: int
    """How many biases each of its neurons has: 1, or 0 without bias."""
    peepholes: int
    """How many peephole weights it has: 3 or 0."""
    projection: int
    """How many weights lead from it to h: its row of the projection; 0 without one."""

    @property
    def reads(self) -> int:
        return self.features + self.hidden

    @property
    def neurons(self) -> int:
        return len(GATES)

    @property
    def parameters(self) -> int:
        """The weights that no other unit uses."""
        return self.neurons * (self.reads + self.biases) + self.peepholes + self.projection

    def to_dict(self) -> dict[str, Any]:
        return {
            "layer": self.layer,
            "reads": {"features": self.features, "hidden": self.hidden, "total": self.reads},
            "neurons": self.neurons,
            "parameters": self.parameters,
            "emits": {"hidden": 1, "cell": 1, "total": 2},
        }


class LayerParameters(NamedTuple):
    """How many parameters a layer has over its directions, and the formula that says so."""

    layer: int
    total: int
    formula: str
    """In the axis words of the command line."""


@dataclass(frozen=True, eq=False, repr=False)
class Shapes(LSTMResult):
    """The tensors of an LSTM, in the order in which data meets them."""

    topic: ClassVar[str] = "shapes"

    spec: Spec
    source: dict[str, Any]
    tensors: tuple[Tensor, ...]
    measured: bool
    """Whether the whole LSTM was run and every shape read off an array; else it would not have fitted the budget."""
    max_memory: int
    units: tuple[UnitShare, ...]
    """One unit of each layer."""
    layers: tuple[LayerParameters, ...]
    counts: dict[str, int]
    """Parameters by tensor name, over the whole stack."""
    frameworks: dict[str, int | None]
    """What each framework counts; None where it cannot build this LSTM."""
    framework: FrameworkCall | None = None
    """The same in a framework's names and layouts, where one was asked for."""

    def of(self, *names: str, layer: int | None = None) -> tuple[Tensor, ...]:
        """The tensors of the given names, of one layer if one is given."""
        among = self.tensors if layer is None else self._by_layer[layer]
        return tuple(one for one in among if one.name in names)

    @cached_property
    def _by_layer(self) -> dict[int | None, list[Tensor]]:
        found: dict[int | None, list[Tensor]] = {}
        for one in self.tensors:
            found.setdefault(one.layer, []).append(one)
        return found

    @property
    def last_states(self) -> list[tuple[int, Direction]]:
        """Slice k of h_n and c_n belongs to this layer and direction."""
        return list(self.spec.layer_directions)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def facts(self) -> dict[str, Any]:
        return {
            "measured": self.measured,
            "tensors": [one.to_dict() for one in self.tensors],
            "last_states": [
                {"index": index, "layer": layer, "direction": way.value} for index, (layer, way) in enumerate(self.last_states)
            ],
            "unit": self.units[0].to_dict(),
            "unit_by_layer": [unit.to_dict() for unit in self.units],
            "parameters": {
                "total": self.total,
                "per_unit": self.units[0].parameters,
                "formula": " + ".join(part.formula for part in self.layers),
                "by_tensor": self.counts,
                "by_layer": [{"layer": part.layer, "total": part.total, "formula": part.formula} for part in self.layers],
                "by_framework": self.frameworks,
            },
            "cost": self.cost,
            "framework": None if self.framework is None else self.framework.to_dict(),
        }

    @property
    def steps(self) -> int:
        """How many timesteps of samples are run; padding is not."""
        lengths = self.source["inputs"]["lengths"]
        return self.spec.samples * self.spec.timesteps if lengths is None else sum(lengths)

    @property
    def cost(self) -> dict[str, Any]:
        """Arithmetic and bytes; see `core/cost.py`."""
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
        framework: in whose names and layouts to tell it too: pytorch, keras, onnx or flax.
        options: what its call is asked for, the fields of `CallOptions`: batch_first, return_sequences, return_state, layout.

    Raises:
        UsageError: there is no such framework or option, or it cannot build this LSTM.
    """
    spec, call = lstm.spec, _call(lstm, framework, options)
    computed = computed_shapes(spec)
    sizes = measured_sizes(lstm) if _fits(lstm) else None
    tensors = []
    for (name, layer, direction), axes in computed.items():
        found = axes if sizes is None else _named(axes, sizes[name, layer, direction])
        symbol, meaning = MEANINGS[name]
        if name == "hidden" and spec.for_layer(layer or 0).projection is not None:
            meaning = PROJECTED_HIDDEN
        if name == "output_sequence" and spec.for_layer(layer or 0).bidirectional:
            meaning = JOINED_OUTPUT
        size = found.elements * spec.item_bytes
        tensors.append(Tensor(name, symbol, layer, direction, found, size, sizes is not None, meaning))
    return Shapes(
        spec=spec,
        source=lstm.provenance,
        tensors=tuple(tensors),
        measured=sizes is not None,
        max_memory=lstm.max_memory,
        units=tuple(_unit(spec, layer) for layer in range(len(spec.layers))),
        layers=tuple(_layer(spec, layer) for layer in range(len(spec.layers))),
        counts=parameter_counts(spec),
        frameworks={name: convention.count_parameters(spec) for name, convention in COMPARED.items()},
        framework=call,
    )


def _call(lstm: LSTM, framework: str | None, options: dict[str, Any]) -> FrameworkCall | None:
    """The framework's call; what it takes is loaded only where something was asked for."""
    if framework is None and not any(value is not None and value is not False for value in options.values()):
        return None
    from lstm_explain.topics.shapes.framework_call import framework_call

    return framework_call(lstm, framework, options)


Place = tuple[str, int | None, Direction | None]


def computed_shapes(spec: Spec) -> dict[Place, Shape]:
    """The shape of every tensor from the sizes alone, by (name, layer, direction), in the order of the data's way."""
    batch, steps = spec.samples, spec.timesteps
    found: dict[Place, Shape] = {
        ("input", None, None): shape(samples=batch, timesteps=steps, features=spec.features),
    }
    for layer in range(len(spec.layers)):
        own = spec.for_layer(layer)
        for way in own.directions:
            found |= {(name, layer, way): axes for name, axes in _step_shapes(own).items()}
            found |= {(name, layer, way): axes for name, axes in weight_shapes(own, 0).items()}
        output_axis = f"both_{own.hidden_axis}" if own.bidirectional else own.hidden_axis
        found["output_sequence", layer, None] = shape(samples=batch, timesteps=steps, **{output_axis: own.output})
        for way in own.directions:
            found["output_last", layer, way] = shape(samples=batch, **{own.hidden_axis: own.hidden})
            found["cell_last", layer, way] = shape(samples=batch, units=own.units)
    return found


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


def measured_sizes(lstm: LSTM) -> dict[Place, tuple[int, ...]]:
    """Run the LSTM over all samples, and its reference step once in every layer and direction; read off all sizes."""
    record = lstm.run()
    sizes: dict[Place, tuple[int, ...]] = {("input", None, None): record.input.shape}
    for layer, directions in enumerate(record.layers):
        for way, part in directions.items():
            sizes |= {(name, layer, way): found for name, found in _sizes_of(part, lstm.weights.of(layer, way)).items()}
        sizes["output_sequence", layer, None] = record.outputs[layer].shape
    return sizes


def _sizes_of(part: LayerRecord, weights: LayerWeights) -> dict[str, tuple[int, ...]]:
    """The sizes of a layer's tensors in one direction; what the step makes is let go before the next."""
    import numpy as np

    from lstm_explain.core.cell import step

    first = 0 if part.direction is Direction.FORWARD else -1
    x, h, c = part.input[:, first], part.initial_hidden, part.initial_cell
    with np.errstate(all="ignore"):  # of infinite inputs too, the shapes are asked for
        made = step(weights, x, h, c)
    arrays: dict[str, Array] = {
        "input_step": x,
        "hidden_prev": h,
        "cell_prev": c,
        "joined": made.joined,
        "pre_activation": made.pre_activation,
        **{gate.value: part.gate(gate)[:, first] for gate in GATES},
        "cell": part.cell[:, first],
        "hidden": part.hidden[:, first],
        **weights.tensors(),
        "output_last": part.last_hidden,
        "cell_last": part.last_cell,
    }
    if weights.projection is not None:
        arrays["unit_output"] = made.m
    return {name: array.shape for name, array in arrays.items()}


def _fits(lstm: LSTM) -> bool:
    """Whether a run over all samples stays within the budget, and beside it the reference step."""
    spec = lstm.spec
    layers = [spec.for_layer(layer) for layer, _ in spec.layer_groups]
    made = spec.samples * max(one.features + one.hidden + STEP_UNITS * one.units for one in layers) * spec.item_bytes
    return lstm.run_bytes(spec.samples) + made <= lstm.max_memory


def _named(axes: Shape, sizes: tuple[int, ...]) -> Shape:
    """The sizes that were read off an array, under the names of its axes."""
    if len(sizes) != len(axes.axes):
        raise AssertionError(f"{axes} was expected, and the run made {sizes}")
    return Shape(tuple(type(axis)(axis.name, size) for axis, size in zip(axes.axes, sizes, strict=True)))


def _unit(spec: Spec, layer: int) -> UnitShare:
    own = spec.for_layer(layer)
    return UnitShare(
        layer=layer,
        features=own.features,
        hidden=own.hidden,
        biases=int(own.bias),
        peepholes=len(PEEPHOLE_GATES) if own.peepholes else 0,
        projection=own.projection or 0,
    )


def _layer(spec: Spec, layer: int) -> LayerParameters:
    own = spec.for_layer(layer)
    total = sum(axes.elements for axes in weight_shapes(own, 0).values()) * len(own.directions)
    reads = size_words(spec, layer - 1).output if layer else "features"
    return LayerParameters(layer, total, layer_formula(own, reads, size_words(spec, layer)))
