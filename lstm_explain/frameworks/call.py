"""Call: how a framework's layer is called; the layout of its input, the tensors it returns, and the lines of code."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from lstm_explain.errors import argument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lstm_explain.core.gates import Direction
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.framework import AxisName
    from lstm_explain.frameworks.python_code import Statement

TensorRole = Literal["sequence", "last", "hidden", "cell"]
"""`sequence`: h of every timestep; `last`: h after the last timestep read, directions side by side; `hidden` and `cell`: the
last states."""

PaddingBehaviour = Literal["zeros", "repeated", "other"]
"""`repeated`: h of the sample's last timestep again; `other`: meaningless numbers, as the cell runs on over the padding."""

SAMPLES_FIRST: tuple[AxisName, ...] = ("samples", "timesteps", "features")
TIMESTEPS_FIRST: tuple[AxisName, ...] = ("timesteps", "samples", "features")
EVERY_TIMESTEP = "h of every timestep"
SIDE_BY_SIDE = ", directions side by side"
LAST_H, LAST_C = "h after the last timestep read", "c after the last timestep read"


class CallOptions(NamedTuple):
    """The options of a call; each framework has some of these."""

    batch_first: bool = False
    """PyTorch: samples before timesteps."""
    return_sequences: bool = False
    """Keras: h of every timestep instead of the last."""
    return_state: bool = False
    """Keras and Flax: the last states too."""
    layout: int | None = None
    """ONNX: 0, timesteps first, or 1, samples first; None means 0."""

    @property
    def requested(self) -> dict[str, str]:
        """Each option that is set, as a field for messages."""
        return {
            name: argument(name, value) for name, value in self._asdict().items() if value is not None and value is not False
        }


class ReturnedTensor(NamedTuple):
    """One tensor that a call returns."""

    name: str
    """Its name, or the expression that selects it from the result."""
    role: TensorRole
    """What it holds: h of every timestep, the last h with directions side by side, or last states."""
    axes: tuple[AxisName, ...]
    meaning: str
    direction: Direction | None = None
    """None where it holds all directions."""


class Call(NamedTuple):
    """A framework's call."""

    input_name: str
    """The layer's name for its input."""
    unsupported_options: Mapping[str, tuple[str, str]]
    """The options of `CallOptions` that its call does not have: for each the reason, and what to do."""
    per_layer: bool
    """Whether every layer of a stack is called by itself."""
    input_axes: Callable[[CallOptions], tuple[AxisName, ...]]
    returns: Callable[[Spec, CallOptions, bool], tuple[ReturnedTensor, ...]]
    """(spec of what one call runs, options, whether this is the last layer) -> the returned tensors, in order."""
    lines: Callable[[Spec, CallOptions, int, bool], list[Statement]]
    """(spec, options, layer, whether samples have lengths) -> the code that builds the layer and calls it."""
    initial_states: str
    """How to pass the initial states."""
    padding_behaviour: Callable[[Spec], PaddingBehaviour] = lambda _: "zeros"
    """(spec of what one call runs) -> what the output of every timestep holds past a sample's end."""
    remarks: Mapping[str, str] = MappingProxyType({})
    """What to know of an option that is set."""


def describe_sequence(spec: Spec, scope: str = "") -> str:
    """The meaning of a tensor with h of every timestep."""
    return f"{EVERY_TIMESTEP}{scope}{SIDE_BY_SIDE if spec.bidirectional else ''}"


def last_hidden_tensor(name: str, direction: Direction) -> ReturnedTensor:
    """The last h of one direction."""
    return ReturnedTensor(name, "hidden", ("samples", "hidden"), LAST_H, direction)


def last_cell_tensor(name: str, direction: Direction) -> ReturnedTensor:
    """The last c of one direction."""
    return ReturnedTensor(name, "cell", ("samples", "units"), LAST_C, direction)
