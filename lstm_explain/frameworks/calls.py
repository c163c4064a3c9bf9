"""How a framework's layer is called: the layout of what it reads, the tensors that the call returns, and how it is written."""

from __future__ import annotations

from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from lstm_explain.frameworks import call_lines as lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lstm_explain.core.gates import Direction
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.call_lines import CallOptions
    from lstm_explain.frameworks.described import AxisName
    from lstm_explain.frameworks.python_code import Statement

TensorRole = Literal["sequence", "last", "hidden", "cell"]
"""`sequence`: h of every timestep; `last`: h after the last timestep read, directions side by side; `hidden` and `cell`: the
last states."""

PaddingBehaviour = Literal["zeros", "repeated", "other"]
"""`repeated`: h of the sample's last timestep again; `other`: numbers of no use, as the cell runs on over the padding."""


class ReturnedTensor(NamedTuple):
    """One tensor that a call returns."""

    name: str
    """What it is called, or where it stands in what is returned."""
    role: TensorRole
    axes: tuple[AxisName, ...]
    meaning: str
    direction: Direction | None = None
    """None where it holds all directions."""


class Call(NamedTuple):
    """A framework's call."""

    input_name: str
    """What the layer calls its input."""
    unsupported_options: Mapping[str, tuple[str, str]]
    """For each option that its call has not, why, and what to do."""
    per_layer: bool
    """Whether every layer of a stack is called by itself."""
    input_axes: Callable[[CallOptions], tuple[AxisName, ...]]
    returns: Callable[[Spec, CallOptions, bool], tuple[ReturnedTensor, ...]]
    """(spec of what one call runs, options, whether this is the last layer) -> what the call returns, in its order."""
    lines: Callable[[Spec, CallOptions, int, bool], list[Statement]]
    """(spec, options, layer, whether samples have lengths) -> the layer and its call."""
    initial_states: str
    """How the states that it starts from are given."""
    padding_behaviour: Callable[[Spec], PaddingBehaviour] = lambda _: "zeros"
    """(spec of what one call runs) -> what the output of every timestep holds past a sample's end."""
    remarks: Mapping[str, str] = MappingProxyType({})
    """What to know of an option that is asked for."""


SAMPLES_FIRST: tuple[AxisName, ...] = ("samples", "timesteps", "features")
TIMESTEPS_FIRST: tuple[AxisName, ...] = ("timesteps", "samples", "features")
EVERY_STEP = "h of every timestep"
SIDE_BY_SIDE = ", directions side by side"
LAST_H, LAST_C = "h after the last timestep read", "c after the last timestep read"


def _every_step(spec: Spec, of: str = "") -> str:
    return f"{EVERY_STEP}{of}{SIDE_BY_SIDE if spec.bidirectional else ''}"


def _last_hidden(name: str, way: Direction) -> ReturnedTensor:
    return ReturnedTensor(name, "hidden", ("samples", "hidden"), LAST_H, way)


def _last_cell(name: str, way: Direction) -> ReturnedTensor:
    return ReturnedTensor(name, "cell", ("samples", "units"), LAST_C, way)


# --- PyTorch ----------------------------------------------------------------------------------------------------------


def _pytorch_returns(spec: Spec, options: CallOptions, _: bool) -> tuple[ReturnedTensor, ...]:
    first: tuple[AxisName, ...] = ("samples", "timesteps") if options.batch_first else ("timesteps", "samples")
    of = " of the last layer" if spec.layers > 1 else ""
    each = ", a slice for each layer and direction" if spec.layers * len(spec.directions) > 1 else ""
    return (
        ReturnedTensor("output", "sequence", (*first, "output"), _every_step(spec, of)),
        ReturnedTensor("h_n", "hidden", ("states", "samples", "hidden"), f"{LAST_H}{each}"),
        ReturnedTensor("c_n", "cell", ("states", "samples", "units"), f"{LAST_C}{each}"),
    )


PYTORCH_CALL = Call(
    input_name="input",
    unsupported_options={
        "return_sequences": ("PyTorch's LSTM returns every timestep always", "Leave out --return-sequences"),
        "return_state": ("PyTorch's LSTM returns h_n and c_n always", "Leave out --return-state"),
        "layout": ("PyTorch's LSTM has no number for its layout", "For samples first give --batch-first"),
    },
    per_layer=False,
    input_axes=lambda options: SAMPLES_FIRST if options.batch_first else TIMESTEPS_FIRST,
    returns=_pytorch_returns,
    lines=lines.pytorch,
    initial_states="lstm(x, (h_0, c_0)), of the shapes of h_n and c_n",
    remarks={
        "batch_first": "batch_first=True turns the input and output alone: h_n and c_n keep samples on their second axis."
    },
)

# --- Keras ------------------------------------------------------------------------------------------------------------


def _keras_returns(spec: Spec, options: CallOptions, last: bool) -> tuple[ReturnedTensor, ...]:
    if options.return_sequences or not last:
        meaning = _every_step(spec, "" if last else ", which the layer above reads")
        output = ReturnedTensor("output", "sequence", ("samples", "timesteps", "output"), meaning)
    else:
        both = SIDE_BY_SIDE if spec.bidirectional else ""
        output = ReturnedTensor("output", "last", ("samples", "output"), f"{LAST_H}{both}")
    if not options.return_state:
        return (output,)
    return (output, *chain.from_iterable(_keras_states(spec, way) for way in spec.directions))


def _keras_states(spec: Spec, way: Direction) -> tuple[ReturnedTensor, ReturnedTensor]:
    before = f"{way.value}_" if spec.bidirectional else ""
    return _last_hidden(f"{before}h", way), _last_cell(f"{before}c", way)


KERAS_CALL = Call(
    input_name="sequences",
    unsupported_options={
        "batch_first": ("Keras always has samples first", "Leave out --batch-first"),
        "layout": ("Keras has one layout, with samples first", "Leave out --layout"),
    },
    per_layer=True,
    input_axes=lambda _: SAMPLES_FIRST,
    returns=_keras_returns,
    lines=lines.keras,
    initial_states="layer(x, initial_state=[h, c]); with two directions [forward_h, forward_c, backward_h, backward_c]",
    padding_behaviour=lambda spec: "zeros" if spec.bidirectional else "repeated",  # Bidirectional has zero_output_for_mask set
)

# --- ONNX -------------------------------------------------------------------------------------------------------------


def _onnx_returns(_: Spec, options: CallOptions, __: bool) -> tuple[ReturnedTensor, ...]:
    every: tuple[AxisName, ...] = ("timesteps", "directions", "samples")
    last: tuple[AxisName, ...] = ("directions", "samples")
    if options.layout == 1:
        every, last = ("samples", "timesteps", "directions"), ("samples", "directions")
    return (
        ReturnedTensor("Y", "sequence", (*every, "hidden"), EVERY_STEP),
        ReturnedTensor("Y_h", "hidden", (*last, "hidden"), LAST_H),
        ReturnedTensor("Y_c", "cell", (*last, "units"), LAST_C),
    )


_ALWAYS = "ONNX's operator has the outputs Y, Y_h and Y_c always"

ONNX_CALL = Call(
    input_name="X",
    unsupported_options={
        "batch_first": ("ONNX numbers its layouts", "For samples first give --layout 1"),
        "return_sequences": (_ALWAYS, "Leave out --return-sequences"),
        "return_state": (_ALWAYS, "Leave out --return-state"),
    },
    per_layer=True,
    input_axes=lambda options: SAMPLES_FIRST if options.layout == 1 else TIMESTEPS_FIRST,
    returns=_onnx_returns,
    lines=lines.onnx,
    initial_states="the inputs initial_h and initial_c, of the shapes of Y_h and Y_c",
    remarks={"layout": "ONNX Runtime refuses layout=1; ONNX's reference evaluator runs it."},
)

# --- Flax -------------------------------------------------------------------------------------------------------------


def _flax_returns(spec: Spec, options: CallOptions, _: bool) -> tuple[ReturnedTensor, ...]:
    outputs = ReturnedTensor("outputs", "sequence", ("samples", "timesteps", "output"), _every_step(spec))
    if not options.return_state:
        return (outputs,)
    of = ("carry[0]", "carry[1]") if spec.bidirectional else ("carry",)
    carry = (
        (_last_cell(f"{one}[0]", way), _last_hidden(f"{one}[1]", way)) for one, way in zip(of, spec.directions, strict=True)
    )
    return (*chain.from_iterable(carry), outputs)


FLAX_CALL = Call(
    input_name="inputs",
    unsupported_options={
        "batch_first": ("Flax has samples first", "Leave out --batch-first"),
        "return_sequences": ("Flax's RNN returns every timestep always", "Leave out --return-sequences"),
        "layout": ("Flax has no number for its layout, which has samples first", "Leave out --layout"),
    },
    per_layer=True,
    input_axes=lambda _: SAMPLES_FIRST,
    returns=_flax_returns,
    lines=lines.linen,
    initial_states="initial_carry=(c, h); with two directions a pair of these",
    padding_behaviour=lambda _: "other",
)

CALLS: Mapping[str, Call] = MappingProxyType(
    {
        "pytorch": PYTORCH_CALL,
        "keras": KERAS_CALL,
        "onnx": ONNX_CALL,
        "flax-linen": FLAX_CALL,
        "flax-nnx": FLAX_CALL._replace(lines=lines.nnx),
        "flax-nnx-optimized": FLAX_CALL._replace(lines=lines.nnx_optimized),
    }
)
"""A framework that is not here has no call that is told."""
