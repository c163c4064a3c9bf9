"""convert: the same weights in another framework's names, axes and order; what was done, and that they are the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from lstm_explain.core.compare import max_abs_difference
from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Direction
from lstm_explain.core.inputs import SeededInputs
from lstm_explain.core.weights import Weights
from lstm_explain.errors import UsageError, argument
from lstm_explain.frameworks.convention import HETEROGENEOUS, Convention
from lstm_explain.frameworks.layout import export_layer, tensor_layouts
from lstm_explain.frameworks.registry import CONVENTIONS, FRAMEWORKS
from lstm_explain.topics.convert.conversion_summary import Conversion
from lstm_explain.topics.lookup import FIX_SELECT_ONE_LAYER, combines_layers, find_framework
from lstm_explain.topics.result import LSTMResult

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import LayerWeights
    from lstm_explain.frameworks.layout import Kind, TensorLayout

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


class ConvertedTensor(NamedTuple):
    """One array in a convention."""

    name: str
    layer: int
    direction: Direction | None
    """None where the array holds all directions."""
    array: Array
    made_of: tuple[str, ...] = ()
    """The arrays of the source that its numbers come from; none where it holds a constant, or is of the source itself."""

    def to_dict(self) -> dict[str, Any]:
        direction = None if self.direction is None else self.direction.value
        about = {"name": self.name, "layer": self.layer, "direction": direction}
        return {**about, "shape": list(self.array.shape), "dtype": str(self.array.dtype), "made_of": list(self.made_of)}


@dataclass(frozen=True, eq=False, repr=False)
class Convert(LSTMResult):
    """Weights in another convention."""

    topic: ClassVar[str] = "convert"

    spec: Spec
    source: dict[str, Any]
    written_by: Convention
    """The convention that the weights were in."""
    convention: Convention
    """The convention that they are in now."""
    biases: int
    """How many bias vectors each neuron had."""
    before: tuple[ConvertedTensor, ...]
    """The weights in the convention that they were in."""
    arrays: tuple[ConvertedTensor, ...]
    difference: float
    """The largest difference between the outputs of the LSTM and of the converted arrays, read back."""
    compared: int
    """How many numbers of the output were compared."""
    initial: StackState | None = None
    """The initial states that the model contains, of one sample; None for zeros."""
    states_written: bool = False
    """Whether these are among the arrays: those of an `.onnx` model. Other files hold weights alone."""

    @property
    def done(self) -> dict[str, str]:
        """What was done to the weights, by the part it was done to."""
        done = Conversion(self.written_by, self.convention, self.spec, self.biases).done
        if self.initial is None:
            return done
        if self.states_written:
            return {**done, "initial states": "written, for as many samples as are read"}
        left = "its own initial states are not weights and are not written: start the layer from them yourself"
        return {**done, "initial states": left}

    @property
    def initial_states(self) -> str | None:
        """What happened to the LSTM's initial states: `written` or `not written`; None for zero states."""
        return None if self.initial is None else "written" if self.states_written else "not written"

    @property
    def from_the_end(self) -> bool:
        """Whether the LSTM reads from the end."""
        return bool(self.source["weights"].get("reads") == "from the end")

    def named(self) -> dict[str, Array]:
        """The arrays by name."""
        return {tensor.name: tensor.array for tensor in self.arrays}

    def facts(self) -> dict[str, Any]:
        return {
            "from": self.written_by.framework,
            "to": self.convention.framework,
            "gate_order": [gate.value for gate in self.convention.gate_order],
            "done": self.done,
            "initial_states": self.initial_states,
            "before": [tensor.to_dict() for tensor in self.before],
            "arrays": [tensor.to_dict() for tensor in self.arrays],
            "difference": self.difference,
            "compared": self.compared,
        }


def explain_convert(lstm: LSTM, to: str, written_by: str | None = None, model: bool = False) -> Convert:
    """Write an LSTM's weights in another convention, read them back, and compare what both compute.

    Args:
        lstm: the LSTM.
        to: the name of a framework, as `frameworks` understands it.
        written_by: the convention to convert from, another such name, where no file has one: the weights are first written
            in it; of two biases either holds half. Left out: the file's, or our own.
        model: whether it is for an `.onnx` model, which starts from the LSTM's own states; arrays hold weights alone.

    Raises:
        UsageError: the convention is unknown, or it lacks an option of this LSTM.
        RefusedError: the copies would need more memory than the budget.
    """
    target, source = _find_convention("to", to, lstm), OURS
    if written_by is not None:
        source = _find_convention("written_by", written_by, lstm)
    elif lstm.pretrained is not None:
        source = CONVENTIONS.get(lstm.provenance["weights"].get("framework", ""), OURS)
    sizes = sum(array.nbytes for layer in lstm.weights.layers for part in layer.values() for array in part.tensors().values())
    lstm.check_memory(COPIES * sizes, "writing the weights anew")
    weights, spec = lstm.weights, lstm.spec
    if written_by is not None:
        weights = Weights(tuple(_round_trip(source, parts, halved=True) for parts in weights.layers))
        spec = source.effective_spec(spec)
    again = Weights(tuple(_round_trip(target, parts) for parts in weights.layers))
    initial = _initial_states(lstm)
    states = _state_tensors(STATES["onnx"], initial, spec) if model else ()
    start = initial if model else None
    difference, compared = _compare_outputs(
        (spec, weights, start), (target.effective_spec(spec), again, _concat_states(states)), lstm.seed
    )
    before = _list_tensors(source, weights, spec)
    arrays = _add_sources(
        _list_tensors(target, weights, spec), _list_layouts(target, spec), before, _list_layouts(source, spec)
    )
    were = _state_tensors(STATES.get(source.framework, DEFAULT_STATES), initial, spec)
    return Convert(
        spec=spec,
        source=lstm.provenance,
        written_by=source,
        convention=target,
        biases=lstm.provenance["weights"].get("biases", source.bias_count(spec)),
        before=before + were,
        arrays=arrays + tuple(tensor._replace(made_of=(was.name,)) for tensor, was in zip(states, were, strict=False)),
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


def _round_trip(
    convention: Convention, parts: dict[Direction, LayerWeights], halved: bool = False
) -> dict[Direction, LayerWeights]:
    """A layer written and read. `halved`: of two biases either holds half, so that they must be added up; else one is zero."""
    parts_by_direction = {}
    for direction, part in parts.items():
        named = convention.pack(part)
        if halved and len(convention.biases) > 1 and convention.biases[0] in named:
            named |= dict.fromkeys(convention.biases, named[convention.biases[0]] / len(convention.biases))
        parts_by_direction[direction] = convention.unpack(named)
    return parts_by_direction


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


# --- initial states --------------- -----------------------------------------------------------------------------------


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
        before = f"{_module_name(layer)}/" if len(spec.layers) > 1 else ""
        for name, arrays in zip(names, initial, strict=True):
            tensors.append(ConvertedTensor(before + name, layer, None, np.stack([arrays[index] for index in indices])))
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
            _layer_prefix(convention, spec, layer) + _direction_prefix(convention, direction, parts) + name,
            layer,
            direction,
            array,
        )
        for layer, parts in enumerate(weights.layers)
        for name, direction, array in export_layer(convention, parts, layer)
    )


def _layer_prefix(convention: Convention, spec: Spec, layer: int) -> str:
    """The prefix of a layer's names, if they do not contain its number."""
    if convention.numbers_layers:
        return ""
    if len(spec.layers) > 1:
        return f"{_module_name(layer)}/"
    return f"{convention.bidirectional_prefix}/" if convention.bidirectional_prefix and spec.bidirectional else ""


def _direction_prefix(convention: Convention, direction: Direction | None, parts: dict[Direction, LayerWeights]) -> str:
    """The prefix of a direction's names, if they do not contain the direction."""
    return (
        f"{convention.direction_prefixes[direction]}/"
        if direction is not None and len(parts) > 1 and not convention.names_directions
        else ""
    )


def _module_name(layer: int) -> str:
    return f"lstm_{layer}"


def _list_layouts(convention: Convention, spec: Spec) -> list[TensorLayout]:
    """The layouts of the arrays of `_list_tensors`, in the same order."""
    return [layout for layer in range(len(spec.layers)) for layout in tensor_layouts(convention, spec, layer)]


def _add_sources(
    arrays: tuple[ConvertedTensor, ...],
    kinds: list[TensorLayout],
    before: tuple[ConvertedTensor, ...],
    were: list[TensorLayout],
) -> tuple[ConvertedTensor, ...]:
    """Add the names of the source's arrays that each is made of; of several biases, all but the first are zeros."""
    tensors, biased = [], set()
    for tensor, kind in zip(arrays, kinds, strict=True):
        names = tuple(other.name for other, was in zip(before, were, strict=True) if _shares_numbers(kind, was))
        key = (kind.layer, kind.direction, kind.gate)
        zeros = kind.kind == "bias" and key in biased
        biased |= {key} if kind.kind == "bias" else set()
        tensors.append(tensor._replace(made_of=() if zeros else names))
    return tuple(tensors)


def _shares_numbers(kind: TensorLayout, was: TensorLayout) -> bool:
    """Whether an array holds numbers of another one."""
    same_direction = kind.direction is None or was.direction is None or kind.direction is was.direction
    same_gate = kind.gate is None or was.gate is None or kind.gate is was.gate
    return kind.layer == was.layer and same_direction and same_gate and was.kind in READ_BY[kind.kind]
