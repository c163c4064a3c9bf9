"""What a framework's call reads and returns, and which numbers of it are the same: compared on the arrays of a run."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict, cast

from lstm_explain.errors import UsageError, argument
from lstm_explain.frameworks.call import CallOptions
from lstm_explain.frameworks.convention import HETEROGENEOUS
from lstm_explain.frameworks.python_code import format_statements
from lstm_explain.frameworks.registry import CALLS
from lstm_explain.topics.frameworks import build_shape, explain_frameworks
from lstm_explain.topics.lookup import FIX_SELECT_ONE_LAYER, combines_layers, find_framework, shorten
from lstm_explain.topics.result import OneOf, json_keys
from lstm_explain.topics.shapes.last_states import find_last_states, find_pitfalls, input_array, returned_array

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
    from lstm_explain.topics.shapes.last_states import LastState, Pitfall

STATE_COPIES = 4  # of the last states, while they are laid out and compared


@json_keys("first_layer=first last_layer=last lines")
class CallLines(NamedTuple):
    """How consecutive layers are built and called."""

    first: int
    """The first of layers that are alike."""
    last: int
    """The last of them."""
    lines: tuple[str, ...]
    """The code."""


@json_keys("option axes=shape.names shape=shape.sizes elements=shape.elements")
class OtherInput(NamedTuple):
    """Another layout of what a call reads."""

    option: str
    """The option that asks for it."""
    shape: Shape


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
    "framework=framework_name title=framework.title gate_order=framework.convention.gate_order",
    "parameters formula weights=written.tensors weights_measured",
    "options=given_options calls=lines",
    "input.name=call.input_name input.axes=reads.names input.shape=reads.sizes input.elements=reads.elements",
    "other_input returns measured states mistaken=pitfalls compared_samples=compared past_end=last_past_end",
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
    lines: tuple[CallLines, ...]
    """The lines that build and call a layer, those of layers that are alike once."""
    reads: Shape
    """What it reads."""
    other_input: OtherInput | None
    """The other layout of what it reads; None if there is none, or if it was asked for."""
    returns: tuple[Returned, ...]
    """Every tensor that is returned."""
    measured: bool
    """Whether the shapes of what is read and returned were read off arrays of a run over all samples."""
    states: tuple[LastState, ...]
    """Each last state, and where it is in what is returned."""
    pitfalls: tuple[Pitfall, ...]
    """Places that look like the last h of a direction, and are not."""
    past_end: tuple[PaddingBehaviour, ...]
    """What the output of every timestep holds past a sample's end, of each layer."""
    compared: int
    """How many samples the states were compared on; 0 if none fits the memory budget."""
    initial: bool
    """Whether the model stores initial states."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to know of the options that were asked for."""
        return tuple(text for name, text in self.call.remarks.items() if getattr(self.options, name))

    @property
    def framework(self) -> Framework:
        return self.written.framework

    @property
    def framework_name(self) -> Annotated[str, OneOf(CALLS)]:
        """The name on the command line and in JSON."""
        return self.framework.name

    @property
    def parameters(self) -> Positive:
        """How many parameters it counts over the whole stack."""
        return self.written.parameters or 0

    @property
    def formula(self) -> str:
        """The count in the words of the options."""
        return self.written.formula or ""

    @property
    def given_options(self) -> CallOptionsJSON:
        """Those of the options that its call has, as they were asked for."""
        unsupported = self.call.unsupported_options
        given = {name: value for name, value in self.options._asdict().items() if name not in unsupported}
        return cast("CallOptionsJSON", given)

    @property
    def last_past_end(self) -> PaddingBehaviour:
        """What the output of every timestep holds past a sample's end, in the last layer."""
        return self.past_end[-1]


def framework_call(lstm: LSTM, name: str | None, option_values: dict[str, Any]) -> FrameworkCall:
    """Describe an LSTM in a framework's names and layouts.

    Args:
        lstm: the LSTM and its batch.
        name: which framework.
        option_values: values of the fields of `CallOptions`.

    Raises:
        UsageError: the framework is missing, unknown, has no documented call, or does not support an option.
    """
    options = _check_values(option_values)
    if name is None:
        requested = " ".join(options.requested.values())
        raise UsageError(
            requested,
            "this option describes a framework's call, so a framework is needed",
            f"Add {argument('framework')} NAME",
        )
    framework = _find_framework(name)
    call = CALLS[framework.name]
    _check_supported(lstm, framework, options)
    weights = explain_frameworks(lstm, framework.name)
    results = tuple(_results(lstm.spec, call, options))
    record = _comparison_run(lstm)
    compared = 0 if record is None else record.spec.samples
    measured = compared == lstm.spec.samples
    axes = call.input_axes(options)
    full_record = record if measured else None
    return FrameworkCall(
        written=weights.frameworks[0],
        weights_measured=weights.measured,
        call=call,
        options=options,
        lines=tuple(_call_lines(lstm, call, options)),
        reads=_shape(lstm.spec.for_layer(0), axes, None if full_record is None else input_array(full_record, axes)),
        other_input=_other_input(lstm.spec, call, options),
        returns=tuple(_returned(lstm.spec, call, result, layer, full_record) for layer, result in results),
        measured=measured,
        states=tuple(find_last_states(lstm, call, results, record)),
        pitfalls=tuple(find_pitfalls(lstm, call, results, record)),
        past_end=tuple(call.padding_behaviour(lstm.spec.for_layer(layer)) for layer in range(len(lstm.spec.layers))),
        compared=compared,
        initial=lstm.pretrained is not None and lstm.pretrained.initial is not None,
    )


def write_calls(lstm: LSTM, name: str) -> tuple[CallLines, ...]:
    """The lines that build and call an LSTM in a framework with its usual options; nothing is run.

    Raises:
        UsageError: the framework is unknown, has no documented call, or cannot build this LSTM.
    """
    framework = _find_framework(name)
    _check_supported(lstm, framework, CallOptions())
    return tuple(_call_lines(lstm, CALLS[framework.name], CallOptions()))


def _check_values(values: dict[str, Any]) -> CallOptions:
    """Return the options; raise `UsageError` if one is unknown or not True or False."""
    known = CallOptions._field_defaults
    for name, value in values.items():
        if name not in known:
            raise UsageError(name, "unknown option of a call", f"There are {', '.join(known)}")
        if name != "layout" and value is not None and not isinstance(value, bool):
            raise UsageError(f"{name} {value!r}", "this option is True or False")
    return CallOptions(**{name: value for name, value in values.items() if value is not None})


def _find_framework(name: str) -> Framework:
    """Return the framework; raise `UsageError` if it is unknown or its calls are not documented here."""
    known = ", ".join(CALLS)
    try:
        framework = find_framework(name)
    except UsageError as error:
        raise UsageError(argument("framework", shorten(str(name))), error.parts[1], f"There are {known}") from None
    if framework.name in CALLS:
        return framework
    fix = f"There are {known}; for its weights see lstm-explain frameworks {framework.name}"
    raise UsageError(argument("framework", shorten(str(name))), f"calls of {framework.title} are not covered", fix)


def _check_supported(lstm: LSTM, framework: Framework, options: CallOptions) -> None:
    """Raise `UsageError` if the framework does not support an option of the call or the LSTM."""
    asked, call = argument("framework", framework.name), CALLS[framework.name]
    for option, text in options.requested.items():
        if option in call.unsupported_options:
            raise UsageError(f"{asked} {text}", *call.unsupported_options[option])
    if options.layout is not None and (type(options.layout) is not int or options.layout not in (0, 1)):
        raise UsageError(f"{asked} {argument('layout', options.layout)}", "the layouts are 0 and 1", "Give one of them")
    if lstm.reverse:
        problem = "only layers that read forward or in both directions are covered, and this one reads from the end"
        raise UsageError(asked, problem, f"Leave out {argument('framework')}")
    lacks = framework.convention.unsupported_option(lstm.spec)
    if lacks is None:
        return
    able = [name for name in CALLS if find_framework(name).convention.unsupported_option(lstm.spec) is None]
    other = f"give {argument('framework', able[0])}" if able else f"leave out {argument('framework')}"
    if lstm.pretrained is not None or lacks == HETEROGENEOUS:
        who = f"{framework.title}'s LSTM" if lacks == HETEROGENEOUS else framework.title
        alone = f", or {FIX_SELECT_ONE_LAYER}" if lacks == HETEROGENEOUS and combines_layers(lstm) else ""
        raise UsageError(asked, f"{who} has no {lacks}, which this LSTM has", f"{other[0].upper()}{other[1:]}{alone}")
    option = argument(lacks, getattr(lstm.spec, lacks))
    raise UsageError(f"{asked} {option}", f"{framework.title} has no {lacks}", f"Leave out {argument(lacks)}, or {other}")


def _other_input(spec: Spec, call: Call, options: CallOptions) -> OtherInput | None:
    for option, requested, other in (
        ("--batch-first", options.batch_first, options._replace(batch_first=True)),
        ("--layout 1", options.layout, options._replace(layout=1)),
    ):
        if not requested and call.input_axes(other) != call.input_axes(options):
            return OtherInput(option, build_shape(spec.for_layer(0), call.input_axes(other)))
    return None


# --- what is returned -------------------------------------------------------------------------------------------------


def _results(spec: Spec, call: Call, options: CallOptions) -> Iterator[tuple[int | None, ReturnedTensor]]:
    if not call.per_layer:
        yield from ((None, result) for result in call.returns(spec, options, True))
        return
    for layer in range(len(spec.layers)):
        yield from ((layer, result) for result in call.returns(spec.for_layer(layer), options, layer == len(spec.layers) - 1))


def _returned(spec: Spec, call: Call, result: ReturnedTensor, layer: int | None, record: Record | None) -> Returned:
    array = None if record is None else returned_array(record, call, result, layer)
    shape = _shape(spec if layer is None else spec.for_layer(layer), result.axes, array)
    return Returned(result, layer, shape, shape.elements * spec.item_bytes)


def _shape(spec: Spec, axes: Any, array: Array | None) -> Shape:
    """The shape by its axes, its sizes read off the array if there is one."""
    computed = build_shape(spec, axes)
    return computed if array is None else computed.with_sizes(array.shape)


def _call_lines(lstm: LSTM, call: Call, options: CallOptions) -> Iterator[CallLines]:
    """The calls, those of layers that are alike once."""
    spec, padded = lstm.spec, lstm.lengths is not None
    last = len(spec.layers) - 1
    if not call.per_layer:
        yield CallLines(0, last, format_statements(call.lines(spec, options, 0, padded)))
        return
    texts = [(format_statements(call.lines(spec, options, layer, padded)), layer) for layer in range(last + 1)]
    for lines, group in groupby(texts, lambda text: text[0]):
        layers = [layer for _, layer in group]
        yield CallLines(layers[0], layers[-1], lines)


def _comparison_run(lstm: LSTM) -> Record | None:
    """A run over all samples, over a block of them if all do not fit the budget, or none."""
    spec = lstm.spec
    layers = [spec.for_layer(layer) for layer, _ in spec.layer_directions]
    state_bytes = STATE_COPIES * sum(layer.hidden + layer.units for layer in layers) * spec.item_bytes
    for samples in (spec.samples, lstm.block_of(0)[1]):
        if lstm.run_bytes(samples) + samples * state_bytes <= lstm.max_memory:
            return lstm.run(0, samples)
    return None
