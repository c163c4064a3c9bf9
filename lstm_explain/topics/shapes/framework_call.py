"""What a framework's call reads and returns, and which numbers of it are the same: compared on the arrays of a run."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NotRequired, TypedDict, cast

from lstm_explain.errors import UsageError, argument
from lstm_explain.frameworks.call import CallOptions
from lstm_explain.frameworks.convention import HETEROGENEOUS
from lstm_explain.frameworks.python_code import format_statements
from lstm_explain.frameworks.registry import CALLS
from lstm_explain.topics.frameworks import build_shape, explain_frameworks
from lstm_explain.topics.lookup import FIX_SELECT_ONE_LAYER, combines_layers, find_framework, shorten
from lstm_explain.topics.result import json_keys
from lstm_explain.topics.shapes.last_states import mistaken_places, states_of
from lstm_explain.topics.shapes.returned_tensors import array_of, input_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array, Shape
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.call import Call, PaddingBehaviour, ReturnedTensor
    from lstm_explain.frameworks.framework import Framework
    from lstm_explain.topics.frameworks import FrameworkLayer
    from lstm_explain.topics.result import Positive
    from lstm_explain.topics.shapes.last_states import Mistaken, State

COPIES = 4  # of the last states, while they are laid out and compared


@json_keys("first_layer=first last_layer=last lines")
class Lines(NamedTuple):
    """How some layers, one upon another, are built and called."""

    first: int
    """The first of layers that are alike."""
    last: int
    """The last of them."""
    lines: tuple[str, ...]
    """The code."""


class CallInput(NamedTuple):
    """What a call reads."""

    name: str
    """What it is called."""
    axes: tuple[str, ...]
    """The names of the axes."""
    shape: tuple[Positive, ...]
    elements: Positive


class OtherInput(NamedTuple):
    """Another layout of what a call reads."""

    option: str
    """The option that asks for it."""
    axes: tuple[str, ...]
    """The names of the axes."""
    shape: tuple[Positive, ...]
    elements: Positive


class CallOptionsJSON(TypedDict):
    """The options of a call, as they were asked for."""

    batch_first: NotRequired[bool]
    """Whether samples are the first axis."""
    return_sequences: NotRequired[bool]
    """Whether h of every timestep is returned."""
    return_state: NotRequired[bool]
    """Whether the last states are returned too."""
    layout: NotRequired[Literal[0, 1] | None]
    """The order of the axes."""


@json_keys(
    "name=result.name layer direction=result.direction holds=result.role axes=shape.names shape=shape.sizes",
    "elements=shape.elements bytes meaning=result.meaning",
)
class Returned(NamedTuple):
    """One tensor that a call returns."""

    result: ReturnedTensor
    layer: int | None
    """Which layer's call returns it; null if one call runs all layers."""
    shape: Shape
    bytes: Positive
    """How many bytes it takes."""


@json_keys(
    "framework=framework.name title=framework.title gate_order=framework.convention.gate_order",
    "parameters=written.parameters formula=written.formula weights=written.tensors weights_measured",
    "options=given_options calls=lines input=call_input",
    "other_input returns measured states mistaken compared_samples=compared past_end=last_past_end",
    "initial_states=call.initial_states remarks",
)
class FrameworkCall(NamedTuple):
    """One LSTM in a framework's names and layouts: what its call reads and returns."""

    written: FrameworkLayer
    """The weights; as in the topic `frameworks`."""
    weights_measured: bool
    """Whether their shapes were read off arrays."""
    call: Call
    options: CallOptions
    lines: tuple[Lines, ...]
    """The lines that build and call a layer, those of layers that are alike once."""
    reads: Shape
    otherwise: tuple[str, Shape] | None
    """The other layout of what it reads, and the option that asks for it, where there is one and it was not asked for."""
    returns: tuple[Returned, ...]
    """Every tensor that is returned."""
    measured: bool
    """Whether the shapes of what is read and returned were read off arrays of a run over all samples."""
    states: tuple[State, ...]
    """Each last state, and where it is in what is returned."""
    mistaken: tuple[Mistaken, ...]
    """Places that look like the last h of a direction, and are not."""
    past_end: tuple[PaddingBehaviour, ...]
    """What the output of every timestep holds past a sample's end, of each layer."""
    compared: int
    """On how many samples; 0 where none could be run."""
    initial: bool
    """Whether the model starts from states of its own."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to know of the options that were asked for."""
        return tuple(text for name, text in self.call.remarks.items() if getattr(self.options, name))

    @property
    def framework(self) -> Framework:
        return self.written.framework

    @property
    def given_options(self) -> CallOptionsJSON:
        """Those of the options that its call has, as they were asked for."""
        unsupported = self.call.unsupported_options
        given = {name: value for name, value in self.options._asdict().items() if name not in unsupported}
        return cast("CallOptionsJSON", given)

    @property
    def call_input(self) -> CallInput:
        """What it reads."""
        return CallInput(self.call.input_name, self.reads.names, self.reads.sizes, self.reads.elements)

    @property
    def other_input(self) -> OtherInput | None:
        """The other layout of what it reads; null if there is none, or if it was asked for."""
        if self.otherwise is None:
            return None
        option, shape = self.otherwise
        return OtherInput(option, shape.names, shape.sizes, shape.elements)

    @property
    def last_past_end(self) -> PaddingBehaviour:
        """What the output of every timestep holds past a sample's end, in the last layer."""
        return self.past_end[-1]


def framework_call(lstm: LSTM, name: str | None, asked: dict[str, Any]) -> FrameworkCall:
    """Tell an LSTM in a framework's names and layouts.

    Args:
        lstm: the LSTM and its batch.
        name: which framework.
        asked: what its call is asked for, by the fields of `CallOptions`.

    Raises:
        UsageError: none is named, there is no such framework, its calls are not told here, or it lacks an option.
    """
    options = _options(asked)
    if name is None:
        written = " ".join(options.requested.values())
        raise UsageError(written, "this is said of a framework's call, and none is named", f"Add {argument('framework')} NAME")
    one = _framework(name)
    call = CALLS[one.name]
    _check(lstm, one, options)
    told = explain_frameworks(lstm, one.name)
    results = tuple(_results(lstm.spec, call, options))
    record = _record(lstm)
    compared = 0 if record is None else record.spec.samples
    measured = compared == lstm.spec.samples
    axes = call.input_axes(options)
    return FrameworkCall(
        written=told.frameworks[0],
        weights_measured=told.measured,
        call=call,
        options=options,
        lines=tuple(_lines(lstm, call, options)),
        reads=_shape(lstm.spec.for_layer(0), axes, input_of(record, axes) if record is not None and measured else None),
        otherwise=_otherwise(lstm.spec, call, options),
        returns=tuple(_returned(lstm.spec, call, found, layer, record if measured else None) for layer, found in results),
        measured=measured,
        states=tuple(states_of(lstm, call, results, record)),
        mistaken=tuple(mistaken_places(lstm, call, results, record)),
        past_end=tuple(call.padding_behaviour(lstm.spec.for_layer(layer)) for layer in range(len(lstm.spec.layers))),
        compared=compared,
        initial=lstm.pretrained is not None and lstm.pretrained.initial is not None,
    )


def _options(given: dict[str, Any]) -> CallOptions:
    """The options by name.

    Raises:
        UsageError: there is no such option, or it is no truth value.
    """
    known = CallOptions._field_defaults
    for name, value in given.items():
        if name not in known:
            raise UsageError(name, "there is no such option of a call", f"There are {', '.join(known)}")
        if name != "layout" and value is not None and not isinstance(value, bool):
            raise UsageError(f"{name} {value!r}", "this option is True or False")
    return CallOptions(**{name: value for name, value in given.items() if value is not None})


def _framework(name: str) -> Framework:
    """The framework, once it is known that its calls are told here."""
    known = ", ".join(CALLS)
    try:
        found = find_framework(name)
    except UsageError as error:
        raise UsageError(argument("framework", shorten(str(name))), error.parts[1], f"There are {known}") from None
    if found.name in CALLS:
        return found
    fix = f"There are {known}; for its weights see lstm-explain frameworks {found.name}"
    raise UsageError(argument("framework", shorten(str(name))), f"the calls of {found.title} are not told here", fix)


def _check(lstm: LSTM, one: Framework, options: CallOptions) -> None:
    """Raise `UsageError` where the framework has not what is asked for."""
    asked, call = argument("framework", one.name), CALLS[one.name]
    for option, written in options.requested.items():
        if option in call.unsupported_options:
            raise UsageError(f"{asked} {written}", *call.unsupported_options[option])
    if options.layout is not None and (type(options.layout) is not int or options.layout not in (0, 1)):
        raise UsageError(f"{asked} {argument('layout', options.layout)}", "the layouts are 0 and 1", "Give one of them")
    if lstm.reverse:
        found = "calls are told of layers that read forward or in both directions, and this one reads from the end"
        raise UsageError(asked, found, f"Leave out {argument('framework')}")
    lacks = one.convention.unsupported_option(lstm.spec)
    if lacks is None:
        return
    able = [name for name in CALLS if find_framework(name).convention.unsupported_option(lstm.spec) is None]
    other = f"give {argument('framework', able[0])}" if able else f"leave out {argument('framework')}"
    if lstm.pretrained is not None or lacks == HETEROGENEOUS:
        who = f"{one.title}'s LSTM" if lacks == HETEROGENEOUS else one.title
        alone = f", or {FIX_SELECT_ONE_LAYER}" if lacks == HETEROGENEOUS and combines_layers(lstm) else ""
        raise UsageError(asked, f"{who} has no {lacks}, which this LSTM has", f"{other[0].upper()}{other[1:]}{alone}")
    option = argument(lacks, getattr(lstm.spec, lacks))
    raise UsageError(f"{asked} {option}", f"{one.title} has no {lacks}", f"Leave out {argument(lacks)}, or {other}")


def _otherwise(spec: Spec, call: Call, options: CallOptions) -> tuple[str, Shape] | None:
    for option, asked, other in (
        ("--batch-first", options.batch_first, options._replace(batch_first=True)),
        ("--layout 1", options.layout, options._replace(layout=1)),
    ):
        if not asked and call.input_axes(other) != call.input_axes(options):
            return option, build_shape(spec.for_layer(0), call.input_axes(other))
    return None


# --- what is returned -------------------------------------------------------------------------------------------------


def _results(spec: Spec, call: Call, options: CallOptions) -> Iterator[tuple[int | None, ReturnedTensor]]:
    if not call.per_layer:
        yield from ((None, result) for result in call.returns(spec, options, True))
        return
    for layer in range(len(spec.layers)):
        yield from ((layer, result) for result in call.returns(spec.for_layer(layer), options, layer == len(spec.layers) - 1))


def _returned(spec: Spec, call: Call, result: ReturnedTensor, layer: int | None, record: Record | None) -> Returned:
    array = None if record is None else array_of(record, call, result, layer)
    shape = _shape(spec if layer is None else spec.for_layer(layer), result.axes, array)
    return Returned(result, layer, shape, shape.elements * spec.item_bytes)


def _shape(spec: Spec, axes: Any, array: Array | None) -> Shape:
    """The shape by its axes, its sizes read off the array where there is one."""
    computed = build_shape(spec, axes)
    if array is None:
        return computed
    sized = zip(computed.axes, array.shape, strict=True)
    return type(computed)(tuple(axis._replace(size=size) for axis, size in sized))


def _lines(lstm: LSTM, call: Call, options: CallOptions) -> Iterator[Lines]:
    """The calls, those of layers that are alike once."""
    spec, padded = lstm.spec, lstm.lengths is not None
    if not call.per_layer:
        yield Lines(0, len(spec.layers) - 1, format_statements(call.lines(spec, options, 0, padded)))
        return
    for written, layers in groupby(
        range(len(spec.layers)), lambda layer: format_statements(call.lines(spec, options, layer, padded))
    ):
        alike = list(layers)
        yield Lines(alike[0], alike[-1], written)


# --- the run ----------------------------------------------------------------------------------------------------------


def _record(lstm: LSTM) -> Record | None:
    """A run over all samples, over a block of them where that does not fit, or none."""
    for samples in (lstm.spec.samples, lstm.block_of(0)[1]):
        if lstm.run_bytes(samples) + _beside(lstm, samples) <= lstm.max_memory:
            return lstm.run(0, samples)
    return None


def _beside(lstm: LSTM, samples: int) -> int:
    """The bytes that comparing takes beside the run."""
    spec = lstm.spec
    layers = [spec.for_layer(layer) for layer, _ in spec.layer_directions]
    return samples * COPIES * sum(layer.hidden + layer.units for layer in layers) * spec.item_bytes
