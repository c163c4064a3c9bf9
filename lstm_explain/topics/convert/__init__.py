"""convert: an LSTM's weights in another framework's names, axes and order, read back and compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import numpy as np

from lstm_explain.core.compare import max_abs_difference
from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Direction
from lstm_explain.core.lstm import SeededInputs
from lstm_explain.core.weights import Weights
from lstm_explain.errors import UsageError, argument
from lstm_explain.frameworks.convention import HETEROGENEOUS, Convention
from lstm_explain.frameworks.layout import export_layer, tensor_layouts
from lstm_explain.frameworks.registry import CONVENTIONS, FRAMEWORKS
from lstm_explain.topics.convert.conversion_summary import conversion_steps
from lstm_explain.topics.lookup import FIX_SELECT_ONE_LAYER, combines_layers, find_framework
from lstm_explain.topics.result import LSTMResult, json_keys

if TYPE_CHECKING:
    from typing import Annotated, Literal

    from lstm_explain.core.axes import Array
    from lstm_explain.core.gates import Gate
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Dtype, Spec
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.frameworks.layout import Kind, TensorLayout
    from lstm_explain.topics.result import Maximum, Minimum, Positive

SAMPLES, TIMESTEPS = 4, 6
"""The batch on which both are run."""
COPIES = 6
"""The number of copies of the weights in memory: in the source's and the target's layout, and read back from both."""
OURS = Convention(
    framework="lstm-explain",
    title="lstm-explain",
    gate_order=GATES,
    output_major=False,
    biases=("bias",),
    kernel="kernel",
    recurrent_kernel="recurrent_kernel",
    projection="projection",
    peephole="peephole",
    peephole_order=PEEPHOLE_GATES,
    source="docs/how-it-works.md",
    direction_names={direction: f"layer{{layer}}.{direction}.{{name}}" for direction in Direction},
)
"""Our own arrangement, which `trace -o run.npz` writes."""
READ_BY: dict[Kind, tuple[Kind, ...]] = {
    "kernel": ("kernel", "joined_kernel"),
    "recurrent_kernel": ("recurrent_kernel", "joined_kernel"),
    "joined_kernel": ("kernel", "recurrent_kernel", "joined_kernel"),
    "bias": ("bias",),
    "projection": ("projection",),
    "peephole": ("peephole",),
}
"""The kinds of arrays that an array of each kind can be made of."""
STATES = {name: framework.info.state_names for name, framework in FRAMEWORKS.items()}
DEFAULT_STATES = ("h_0", "c_0")
"""The names of the initial states in each framework, and in our own files."""


@json_keys("name layer direction shape dtype made_of")
class ConvertedTensor(NamedTuple):
    """One array in a convention."""

    name: str
    """Its name in the framework; where names are not unique, after the layer and direction."""
    layer: int
    direction: Direction | None
    """None if the array holds all directions."""
    array: Array
    made_of: tuple[str, ...] = ()
    """The arrays of the source that its numbers come from; empty for constants, and for the arrays of the source."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return tuple(self.array.shape)

    @property
    def dtype(self) -> Dtype:
        """The type of its numbers."""
        return cast("Dtype", str(self.array.dtype))


@json_keys("from=source_name to=target_name gate_order done=steps initial_states before arrays difference compared")
@dataclass(frozen=True, eq=False, repr=False)
class Convert(LSTMResult):
    """Weights in another framework's names, axes and order."""

    topic: ClassVar[str] = "convert"

    spec: Spec
    source: dict[str, Any]
    source_convention: Convention
    """The convention that the weights were in."""
    convention: Convention
    """The convention that they are in now."""
    biases: int
    """How many bias vectors each neuron had."""
    before: tuple[ConvertedTensor, ...]
    """The arrays in the source's convention."""
    arrays: tuple[ConvertedTensor, ...]
    """The arrays in the target's convention."""
    difference: float
    """The largest difference between the outputs of the LSTM and of the converted arrays, read back."""
    compared: Positive
    """How many numbers of the output were compared."""
    initial: StackState | None = None
    """The initial states that the model contains, of one sample; None for zeros."""
    states_written: bool = False
    """Whether these are among the arrays, as in an `.onnx` model; other files hold weights alone."""

    @property
    def source_name(self) -> str:
        """The framework that the weights come from, or `lstm-explain`."""
        return self.source_convention.framework

    @property
    def target_name(self) -> str:
        """The framework that they are written for."""
        return self.convention.framework

    @property
    def gate_order(self) -> Annotated[tuple[Gate, ...], Minimum(4), Maximum(4)]:
        """How the gates are packed in it."""
        return self.convention.gate_order

    @property
    def steps(self) -> dict[str, str]:
        """What was done to `gates`, `axes`, `kernels`, `biases`, `forget bias`, `directions`, `peepholes` and `initial
        states`, in words; all but the first two only if they changed."""
        steps = conversion_steps(self.source_convention, self.convention, self.spec, self.biases)
        if self.initial is None:
            return steps
        if self.states_written:
            return {**steps, "initial states": "written, for as many samples as are read"}
        reason = "its own initial states are not weights and are not written: start the layer from them yourself"
        return {**steps, "initial states": reason}

    @property
    def initial_states(self) -> Literal["written", "not written"] | None:
        """What happened to the states that the LSTM starts from; None for zeros."""
        return None if self.initial is None else "written" if self.states_written else "not written"

    @property
    def reverse(self) -> bool:
        """Whether the LSTM reads from the end."""
        return bool(self.source["weights"].get("reads") == "from the end")

    def arrays_by_name(self) -> dict[str, Array]:
        """The converted arrays by name."""
        return {tensor.name: tensor.array for tensor in self.arrays}


def explain_convert(lstm: LSTM, to: str, written_by: str | None = None, model: bool = False) -> Convert:
    """Write an LSTM's weights in another convention, read them back, and compare the outputs.

    Args:
        lstm: the LSTM.
        to: the name of a framework, as `frameworks` understands it.
        written_by: the name of the framework to convert from. The weights are first written in its convention, and each of two
            biases holds half. By default the convention of the model file, or our own.
        model: whether to include the initial states, for an `.onnx` model.

    Raises:
        UsageError: the convention is unknown, or it lacks an option of this LSTM.
        RefusedError: the copies would need more memory than the budget.
    """
    target, source = _find_convention("to", to, lstm), OURS
    if written_by is not None:
        source = _find_convention("written_by", written_by, lstm)
    elif lstm.pretrained is not None:
        source = CONVENTIONS.get(lstm.provenance["weights"].get("framework", ""), OURS)
    lstm.check_memory(COPIES * _weight_bytes(lstm), "writing the weights anew")
    weights, spec = lstm.weights, lstm.spec
    if written_by is not None:
        weights = Weights(tuple(_round_trip(source, layer, halve_biases=True) for layer in weights.layers))
        spec = source.effective_spec(spec)
    converted = Weights(tuple(_round_trip(target, layer) for layer in weights.layers))
    initial = _initial_states(lstm)
    states = _state_tensors(STATES["onnx"], initial, spec) if model else ()
    start = initial if model else None
    difference, compared = _compare_outputs(
        (spec, weights, start), (target.effective_spec(spec), converted, _concat_states(states)), lstm.seed
    )
    before = _list_tensors(source, weights, spec)
    arrays = _add_sources(
        _list_tensors(target, weights, spec), _list_layouts(target, spec), before, _list_layouts(source, spec)
    )
    states_before = _state_tensors(STATES.get(source.framework, DEFAULT_STATES), initial, spec)
    return Convert(
        spec=spec,
        source=lstm.provenance,
        source_convention=source,
        convention=target,
        biases=lstm.provenance["weights"].get("biases", source.bias_count(spec)),
        before=before + states_before,
        arrays=arrays
        + tuple(
            tensor._replace(made_of=(source_tensor.name,))
            for tensor, source_tensor in zip(states, states_before, strict=False)
        ),
        difference=difference,
        compared=compared,
        initial=initial,
        states_written=bool(states),
    )


def _find_convention(given_as: str, name: str, lstm: LSTM) -> Convention:
    """The convention of a name; it must have all options of the LSTM."""
    convention, fix = find_framework(name, given_as).convention, ""
    lacking = convention.unsupported_option(lstm.spec)
    if lacking == HETEROGENEOUS:
        alone = f"; or {FIX_SELECT_ONE_LAYER}" if combines_layers(lstm) else ""
        fix = f"Choose another framework, such as keras{alone}"
    if lacking:
        raise UsageError(argument(given_as, name), f"{convention.title}'s LSTM has no {lacking}, and this one has", fix)
    return convention


def _weight_bytes(lstm: LSTM) -> int:
    return sum(
        array.nbytes for layer in lstm.weights.layers for weights in layer.values() for array in weights.tensors().values()
    )


def _round_trip(
    convention: Convention, layer: dict[Direction, LayerWeights], halve_biases: bool = False
) -> dict[Direction, LayerWeights]:
    """Write a layer and read it back. With `halve_biases` each of two biases holds half; otherwise the second is zero."""
    layer_read = {}
    for direction, weights in layer.items():
        arrays = convention.pack(weights)
        if halve_biases and len(convention.biases) > 1 and convention.biases[0] in arrays:
            arrays |= dict.fromkeys(convention.biases, arrays[convention.biases[0]] / len(convention.biases))
        layer_read[direction] = convention.unpack(arrays)
    return layer_read


def _compare_outputs(
    first: tuple[Spec, Weights, StackState | None], second: tuple[Spec, Weights, StackState | None], seed: int
) -> tuple[float, int]:
    """The largest difference between the outputs of both, each from its own states, and how many numbers these are."""
    sizes = replace(first[0], samples=SAMPLES, timesteps=TIMESTEPS)
    inputs = SeededInputs(sizes, seed).block(0, SAMPLES)
    output, converted_output = (
        forward(spec, weights, inputs, start and start.repeat(SAMPLES)).output for spec, weights, start in (first, second)
    )
    return max_abs_difference(output, converted_output), output.size


# --- initial states ---------------------------------------------------------------------------------------------------


def _initial_states(lstm: LSTM) -> StackState | None:
    """The initial states that a model contains; None for zeros."""
    initial = None if lstm.pretrained is None else lstm.pretrained.initial
    return initial if initial is not None and initial.any() else None


def _state_tensors(names: tuple[str, str], initial: StackState | None, spec: Spec) -> tuple[ConvertedTensor, ...]:
    """The states as arrays of every layer, [directions, 1, units or hidden] each."""
    if initial is None:
        return ()
    tensors = []
    for layer in range(len(spec.layers)):
        indices = [index for index, (number, _) in enumerate(spec.layer_directions) if number == layer]
        prefix = f"{_module_name(layer)}/" if len(spec.layers) > 1 else ""
        for name, arrays in zip(names, initial, strict=True):
            tensors.append(ConvertedTensor(prefix + name, layer, None, np.stack([arrays[index] for index in indices])))
    return tuple(tensors)


def _concat_states(states: tuple[ConvertedTensor, ...]) -> StackState | None:
    """The states of all layers, from the arrays of each."""
    if not states:
        return None
    return StackState(*(tuple(array for tensor in states[kind::2] for array in tensor.array) for kind in range(2)))


# --- the arrays, and what each is made of -----------------------------------------------------------------------------


def _list_tensors(convention: Convention, weights: Weights, spec: Spec) -> tuple[ConvertedTensor, ...]:
    """All arrays of a stack, under unique names."""
    return tuple(
        ConvertedTensor(
            _layer_prefix(convention, spec, layer) + _direction_prefix(convention, direction, layer_weights) + name,
            layer,
            direction,
            array,
        )
        for layer, layer_weights in enumerate(weights.layers)
        for name, direction, array in export_layer(convention, layer_weights, layer)
    )


def _layer_prefix(convention: Convention, spec: Spec, layer: int) -> str:
    """The prefix of a layer's names, if they do not contain its number."""
    if convention.numbers_layers:
        return ""
    if len(spec.layers) > 1:
        return f"{_module_name(layer)}/"
    return f"{convention.bidirectional_prefix}/" if convention.bidirectional_prefix and spec.bidirectional else ""


def _direction_prefix(
    convention: Convention, direction: Direction | None, layer_weights: dict[Direction, LayerWeights]
) -> str:
    """The prefix of a direction's names, if they do not contain the direction."""
    return (
        f"{convention.direction_prefixes[direction]}/"
        if direction is not None and len(layer_weights) > 1 and not convention.names_directions
        else ""
    )


def _module_name(layer: int) -> str:
    return f"lstm_{layer}"


def _list_layouts(convention: Convention, spec: Spec) -> list[TensorLayout]:
    """The layouts of the arrays of `_list_tensors`, in the same order."""
    return [layout for layer in range(len(spec.layers)) for layout in tensor_layouts(convention, spec, layer)]


def _add_sources(
    arrays: tuple[ConvertedTensor, ...],
    layouts: list[TensorLayout],
    before: tuple[ConvertedTensor, ...],
    source_layouts: list[TensorLayout],
) -> tuple[ConvertedTensor, ...]:
    """Add the names of the source's arrays that each is made of; of several biases, all but the first are zeros."""
    tensors, biased = [], set()
    for tensor, layout in zip(arrays, layouts, strict=True):
        names = tuple(
            source_tensor.name
            for source_tensor, source_layout in zip(before, source_layouts, strict=True)
            if _shares_numbers(layout, source_layout)
        )
        key = (layout.layer, layout.direction, layout.gate)
        zeros = layout.kind == "bias" and key in biased
        biased |= {key} if layout.kind == "bias" else set()
        tensors.append(tensor._replace(made_of=() if zeros else names))
    return tuple(tensors)


def _shares_numbers(layout: TensorLayout, source: TensorLayout) -> bool:
    """Whether an array holds numbers of an array of the source."""
    same_direction = None in (layout.direction, source.direction) or layout.direction is source.direction
    same_gate = None in (layout.gate, source.gate) or layout.gate is source.gate
    return layout.layer == source.layer and same_direction and same_gate and source.kind in READ_BY[layout.kind]
