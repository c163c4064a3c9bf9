"""Keras 3's `keras.layers.LSTM`: i f c o (c is our candidate g), inputs first, one bias."""

from __future__ import annotations

from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from lstm_explain.core.equations import Sign
from lstm_explain.core.gates import Direction, Gate
from lstm_explain.core.network import FROM_ONE, Task
from lstm_explain.errors import argument
from lstm_explain.frameworks.call import (
    LAST_H,
    SAMPLES_FIRST,
    SIDE_BY_SIDE,
    Call,
    CallOptions,
    ReturnedTensor,
    describe_sequence,
    last_cell_tensor,
    last_hidden_tensor,
)
from lstm_explain.frameworks.convention import IFGO, Convention
from lstm_explain.frameworks.framework import ForgetBias, Framework, LayerInfo, LayerOutput
from lstm_explain.frameworks.notation import (
    BORROWED_PEEPHOLES,
    BORROWED_PROJECTION,
    Notation,
    Reference,
    gate_signs,
)
from lstm_explain.frameworks.python_code import (
    INDENT,
    STATE_PREFIX,
    NetworkCode,
    ScriptTemplate,
    Statement,
    call_expression,
    dtype_argument,
    format_statements,
    shape_literal,
)

if TYPE_CHECKING:
    from lstm_explain.core.network import NetworkPlan
    from lstm_explain.core.spec import Spec

DTYPE = 'dtype="{}"'
SEQUENCES, STATE = "return_sequences=True", "return_state=True"
MAX_UNROLLED_LAYERS = 2
"""A stack of more equal layers than this is built in a loop."""

KERAS_CONVENTION = Convention(
    framework="keras",
    title="Keras",
    gate_order=IFGO,
    output_major=False,
    biases=("bias",),
    kernel="kernel",
    recurrent_kernel="recurrent_kernel",
    source="keras/src/layers/rnn/lstm.py, class LSTMCell",
    direction_prefixes=MappingProxyType(
        {direction: f"{direction}_lstm/lstm_cell" for direction in Direction}
    ),  # as `path` of a variable has it
    bidirectional_prefix="bidirectional",
)

_INFO = LayerInfo(
    class_name="keras.layers.LSTM",
    input_axes=("samples", "timesteps", "features"),
    returns=(
        LayerOutput("outputs", ("samples", "output"), "h after the last timestep read; this alone unless asked for more"),
        LayerOutput(
            "sequences", ("samples", "timesteps", "output"), "instead, with return_sequences=True: h of every timestep"
        ),
        LayerOutput("state_h", ("samples", "hidden"), "in addition, with return_state=True: h after the last timestep read"),
        LayerOutput("state_c", ("samples", "units"), "in addition, with return_state=True: c after the last timestep read"),
    ),
    forget_bias=ForgetBias(1.0, "stored"),
    initializers=(
        ("kernel", "Glorot uniform"),
        ("recurrent_kernel", "orthogonal"),
        ("bias", "zeros, and ones for the forget gate (unit_forget_bias=True)"),
    ),
    verification="run",
    stacking="a layer on a layer with return_sequences=True; layers.Bidirectional(LSTM(...)) has a forward and a backward one",
    aliases=("keras3", "keras.layers.LSTM", "tf.keras", "tf.keras.layers.LSTM", "tf", "tf2", "tensorflow", "tensorflow2"),
    remarks=(
        "What Keras calls c among the gates is the candidate g. get_weights() gives the arrays in the order of this table; "
        "those of Bidirectional are the forward layer's, then the backward layer's.",
    ),
)

_NOTATION = Notation(
    name="keras",
    title="Keras",
    source=Reference(
        "Keras, the source of keras.layers.LSTM",
        "keras/src/layers/rnn/lstm.py, class LSTMCell, version 3.15",
        "https://github.com/keras-team/keras/blob/master/keras/src/layers/rnn/lstm.py",
        "read in its source",
    ),
    convention=KERAS_CONVENTION,
    order=(Gate.INPUT, Gate.FORGET, "cell", Gate.OUTPUT, "hidden"),
    terms=("kernel", "recurrent_kernel", "peephole", "bias"),
    states={
        "input": Sign("inputs", r"\mathrm{inputs}"),
        "hidden": Sign("h", "h"),
        "hidden_before": Sign("h_tm1", r"\mathrm{h\_tm1}"),
        "cell": Sign("c", "c"),
        "cell_before": Sign("c_tm1", r"\mathrm{c\_tm1}"),
        "emitted": Sign("m", "m"),
    },
    gates=gate_signs("%g", "%g", "ifco"),
    kernels=gate_signs("kernel[:, %a:%z]", r"\mathrm{kernel}[:,\,%a{:}%z]", "ifco"),
    recurrent_kernels=gate_signs("recurrent_kernel[:, %a:%z]", r"\mathrm{recurrent\_kernel}[:,\,%a{:}%z]", "ifco"),
    biases=(gate_signs("bias[%a:%z]", r"\mathrm{bias}[%a{:}%z]", "ifco"),),
    peepholes=gate_signs("p_%g", "p_{%g}", "ifco"),
    projection=Sign("W_hr", "W_{hr}"),
    row_vectors=True,
    times=Sign("@", r"\mathbin{@}"),
    sigmoid=Sign("sigmoid", r"\mathrm{sigmoid}"),
    terminology={Gate.FORGET: "forget gate", "cell": "carry state", "hidden": "memory state", "input": "inputs"},
    borrowed=("projection", "peepholes"),
    option_notes={
        "peepholes": BORROWED_PEEPHOLES,
        "projection": BORROWED_PROJECTION,
        "backward": "Keras turns the sequence round, so h_tm1 and c_tm1 are the states of timestep t+1 here",
    },
    remarks=(
        "tm1 means t-1. The candidate is not named: it is computed inside the line that makes c, from the "
        "third slice of the weights.",
        "The source calls the two functions recurrent_activation and activation, which are sigmoid and tanh unless chosen "
        "otherwise. By default it multiplies all four gates' columns at once, z = inputs @ kernel + h_tm1 @ recurrent_kernel "
        "+ bias, and then cuts z in four.",
    ),
)


def layer_constructor(spec: Spec, *options: str, module: str = "", dtype: str = "") -> str:
    """The call that builds one layer: `LSTM(10, return_sequences=True)`, in `Bidirectional` if it reads both ways."""
    layer = call_expression(f"{module}LSTM", str(spec.units), *options, "" if spec.bias else "use_bias=False", dtype)
    return call_expression(f"{module}Bidirectional", layer, dtype) if spec.bidirectional else layer


# --- the call ---------------------------------------------------------------------------------------------------------


def _list_returned(spec: Spec, options: CallOptions, is_last: bool) -> tuple[ReturnedTensor, ...]:
    if options.return_sequences or not is_last:
        meaning = describe_sequence(spec, "" if is_last else ", which the layer above reads")
        output = ReturnedTensor("output", "sequence", ("samples", "timesteps", "output"), meaning)
    else:
        meaning = f"{LAST_H}{SIDE_BY_SIDE if spec.bidirectional else ''}"
        output = ReturnedTensor("output", "last", ("samples", "output"), meaning)
    if not options.return_state:
        return (output,)
    return (output, *chain.from_iterable(_list_states(spec, direction) for direction in spec.directions))


def _list_states(spec: Spec, direction: Direction) -> tuple[ReturnedTensor, ReturnedTensor]:
    prefix = f"{direction.value}_" if spec.bidirectional else ""
    return last_hidden_tensor(f"{prefix}h", direction), last_cell_tensor(f"{prefix}c", direction)


def _write_call(spec: Spec, options: CallOptions, layer: int, padded: bool) -> list[Statement]:
    """One layer, which reads what the layer below returns at every timestep."""
    sequences = options.return_sequences or layer < len(spec.layers) - 1
    layer_spec = spec.for_layer(layer)
    constructor = layer_constructor(
        layer_spec,
        SEQUENCES if sequences else "",
        STATE if options.return_state else "",
        module="keras.layers.",
        dtype=dtype_argument(spec, DTYPE),
    )
    states = [tensor.name for direction in layer_spec.directions for tensor in _list_states(layer_spec, direction)]
    results = ", ".join(["output", *(states if options.return_state else [])])
    mask = [Statement(f"mask = np.arange({spec.timesteps}) < np.asarray(lengths)[:, None]")] if padded else []
    call = call_expression("layer", "x", "mask=mask" if padded else "")
    return [Statement(f"layer = {constructor}"), *mask, Statement(f"{results} = {call}")]


_CALL = Call(
    input_name="sequences",
    unsupported_options={
        "batch_first": ("Keras always has samples first", f"Leave out {argument('batch_first')}"),
        "layout": ("Keras has one layout, with samples first", f"Leave out {argument('layout')}"),
    },
    per_layer=True,
    input_axes=lambda _: SAMPLES_FIRST,
    returns=_list_returned,
    lines=_write_call,
    initial_states="layer(x, initial_state=[h, c]); with two directions [forward_h, forward_c, backward_h, backward_c]",
    # Bidirectional sets zero_output_for_mask
    padding_behaviour=lambda spec: "zeros" if spec.bidirectional else "repeated",
)


# --- scripts ----------------------------------------------------------------------------------------------------------


def _write_script(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    """One layer by itself; several in a loop; layers that differ in a list."""
    if spec.layers_differ:
        return _write_heterogeneous_script(spec, states)
    constructor, initial = (
        layer_constructor(spec, SEQUENCES, STATE, module="keras.layers."),
        ", initial_state=start" if states else "",
    )
    if len(names) <= 3:
        weights = ", ".join(f'saved["{name}"]' for name in names)
        return [
            Statement(f"layer = {constructor}"),
            Statement(f"layer.build({shape_literal('None', spec.timesteps, spec.features)})"),
            Statement(f"layer.set_weights([{weights}])"),
            *([Statement('start = [saved["h_0"][0], saved["c_0"][0]]')] if states else []),
            Statement(f'output, h, c = layer(saved["x"]{initial})'),
            Statement("h, c = np.asarray(h)[None], np.asarray(c)[None]"),
        ]
    directions = len(spec.directions)
    start = [
        Statement(f"places = range(number * {directions}, (number + 1) * {directions})"),
        Statement('start = [saved[one][place] for place in places for one in ("h_0", "c_0")]'),
    ]
    loop = [Statement(f"layer = {constructor}"), *_load_weights(), *(start if states else []), *_run_layer(initial)]
    return [
        Statement('output, states = saved["x"], []'),
        Statement(f"for number in range({len(spec.layers)}):"),
        *(statement.indent() for statement in loop),
        Statement("h, c = np.stack(states[0::2]), np.stack(states[1::2])"),
    ]


def _write_heterogeneous_script(spec: Spec, states: bool) -> list[Statement]:
    """Layers that differ, stacked; their states side by side."""
    start = [
        Statement(f'own = f"{STATE_PREFIX}{{number}}."'),
        Statement("start = [saved[name] for name in names if name.startswith(own)]"),
    ]
    loop = [*_load_weights(), *(start if states else []), *_run_layer(", initial_state=start" if states else "")]
    return [
        Statement("layers = ["),
        *(
            Statement(f"{INDENT}{layer_constructor(spec.for_layer(layer), SEQUENCES, STATE, module='keras.layers.')},")
            for layer in range(len(spec.layers))
        ),
        Statement("]"),
        Statement('output, states = saved["x"], []'),
        Statement("for number, layer in enumerate(layers):"),
        *(statement.indent() for statement in loop),
        Statement("h, c = (np.concatenate(states[place::2], axis=1) for place in (0, 1))"),
    ]


def _load_weights() -> list[Statement]:
    return [
        Statement("layer.build(output.shape)"),
        Statement('names, own = saved.files, f"layer{number}."'),
        Statement("weights = [saved[name] for name in names if name.startswith(own)]"),
        Statement("layer.set_weights(weights)"),
    ]


def _run_layer(initial: str) -> list[Statement]:
    return [
        Statement(f"output, *made = layer(output{initial})"),
        Statement("states += [np.asarray(state) for state in made]"),
    ]


# --- networks ---------------------------------------------------------------------------------------------------------


def summarize_network(plan: NetworkPlan) -> str:
    """What distinguishes the network, in one line."""
    spec, dense = plan.spec, f"Dense({plan.outputs})"
    every, repeat = f"TimeDistributed({dense})", f"RepeatVector({plan.steps_out})"
    once, always = _summarize_stack(spec, ""), _summarize_stack(spec, SEQUENCES)
    parts = {
        Task.ONE_TO_ONE: (once, dense),
        Task.ONE_TO_MANY: (repeat, always, every),
        Task.MANY_TO_ONE: (once, dense),
        Task.MANY_TO_MANY: (always, every),
        Task.ENCODER_DECODER: (_summarize_stack(spec, STATE), repeat, _summarize_stack(plan.dense_source, SEQUENCES), every),
    }[plan.task]
    return ", ".join(parts)


def _summarize_stack(spec: Spec, option: str) -> str:
    """The layers of a stack: those below the last return h of every timestep."""
    last = layer_constructor(spec.for_layer(len(spec.layers) - 1), option)
    if len(spec.layers) == 1:
        return last
    others = "" if len(spec.layers) == 2 else "..., "
    states = STATE if option == STATE else ""
    return f"{layer_constructor(spec.for_layer(0), SEQUENCES, states)}, {others}{last}"


def network_lines(plan: NetworkPlan, lengths: bool) -> tuple[str, ...]:
    """A program that builds the network as a `keras.Model`.

    Args:
        plan: the network; without projection and peepholes, which Keras does not have.
        lengths: whether the samples have lengths; the model then also takes a mask.
    """
    spec, vector = plan.spec, plan.task is Task.ONE_TO_MANY
    masked = lengths and plan.task not in FROM_ONE
    read = shape_literal(spec.features) if vector else shape_literal(spec.timesteps, spec.features)
    statements = [Statement("import keras"), Statement("from keras import layers"), Statement("")]
    if spec.dtype != "float32":
        statements.append(Statement(f'keras.config.set_floatx("{spec.dtype}")'))
    batch = ("None", *(() if vector else (spec.timesteps,)), spec.features)
    statements.append(Statement(f"x = keras.Input({read})", shape_literal(*batch)))
    if masked:
        real = f'real = keras.Input({shape_literal(spec.timesteps)}, dtype="bool")'
        statements += [Statement("# real: True at every timestep that is not padding"), Statement(real)]
    makers = {Task.ENCODER_DECODER: _encoder_decoder, Task.ONE_TO_MANY: _one_to_many}
    statements += makers.get(plan.task, _simple_network)(plan, "mask=real" if masked else "")
    inputs = "[x, real]" if masked else "x"
    return format_statements([*statements, Statement(f"model = keras.Model({inputs}, y)")])


def _stack_layers(spec: Spec, reads: str, option: str, more: str) -> list[Statement]:
    """Layer upon layer; those below the last return h of every timestep, the last as `option` says."""
    arguments, top = f", {more}" if more else "", len(spec.layers) - 1
    last = _call_layer(spec, top, option, reads if top == 0 else "h", arguments)
    if spec.layers_differ or len(spec.layers) <= MAX_UNROLLED_LAYERS:
        names = [reads, *["h"] * top]
        return [*(_call_layer(spec, layer, SEQUENCES, names[layer], arguments) for layer in range(top)), last]
    below = _call_layer(spec, 1, SEQUENCES, "h", arguments)
    return [
        *([] if reads == "h" else [Statement(f"h = {reads}")]),
        Statement(f"for _ in range({top}):"),
        below._replace(code=f"{INDENT}{below.code}"),
        last,
    ]


def _call_layer(spec: Spec, layer: int, option: str, reads: str, arguments: str) -> Statement:
    """Build one layer of a stack, and call it."""
    layer_spec = spec.for_layer(layer)
    sizes = (layer_spec.timesteps, layer_spec.output) if option == SEQUENCES else (layer_spec.output,)
    return Statement(
        f"h = {layer_constructor(layer_spec, option, module='layers.')}({reads}{arguments})", shape_literal("None", *sizes)
    )


def _dense_statement(plan: NetworkPlan) -> Statement:
    if plan.steps_out is None:
        return Statement(f"y = layers.Dense({plan.outputs})(h)", shape_literal("None", plan.outputs))
    made = shape_literal("None", plan.steps_out, plan.outputs)
    return Statement(f"y = layers.TimeDistributed(layers.Dense({plan.outputs}))(h)", made)


def _simple_network(plan: NetworkPlan, mask: str) -> list[Statement]:
    option = SEQUENCES if plan.task is Task.MANY_TO_MANY else ""
    return [*_stack_layers(plan.spec, "x", option, mask), _dense_statement(plan)]


def _one_to_many(plan: NetworkPlan, _: str) -> list[Statement]:
    made = shape_literal("None", plan.steps_out, plan.spec.features)
    repeat = Statement(f"h = layers.RepeatVector({plan.steps_out})(x)", made)
    return [repeat, *_stack_layers(plan.spec, "h", SEQUENCES, ""), _dense_statement(plan)]


def _encoder_decoder(plan: NetworkPlan, mask: str) -> list[Statement]:
    spec, decoder = plan.spec, plan.dense_source
    read = _run_encoder(spec, mask)
    repeated = shape_literal("None", decoder.timesteps, decoder.features)
    statement = _call_layer(decoder, 0, SEQUENCES, "h", ", initial_state=state")
    write = [statement]
    if spec.layers_differ:
        starts = (f", initial_state=states[{layer}]" for layer in range(len(spec.layers)))
        write = [_call_layer(decoder, layer, SEQUENCES, "h", start) for layer, start in enumerate(starts)]
    elif len(spec.layers) > 1:
        write = [Statement("for state in states:"), statement._replace(code=f"{INDENT}{statement.code}")]
    return [*read, Statement(f"h = layers.RepeatVector({decoder.timesteps})(h)", repeated), *write, _dense_statement(plan)]


def _run_encoder(spec: Spec, mask: str) -> list[Statement]:
    """Run the encoder, and keep each layer's last states; those of two directions side by side."""
    several, top = len(spec.layers) > 1, len(spec.layers) - 1
    start = [Statement("h, states = x, []")] if several else []
    if spec.layers_differ:
        rows = [
            _run_encoder_layer(spec.for_layer(layer), SEQUENCES if layer < top else "", mask, True)
            for layer in range(len(spec.layers))
        ]
        return [*start, *chain.from_iterable(rows)]
    loop = [Statement(f"for place in range({len(spec.layers)}):")] if several else []
    row = _run_encoder_layer(spec.for_layer(0), f"return_sequences=place < {top}" if several else "", mask, several)
    indent = INDENT if several else ""
    return [*start, *loop, *(statement._replace(code=f"{indent}{statement.code}") for statement in row)]


def _run_encoder_layer(layer: Spec, option: str, mask: str, several: bool) -> list[Statement]:
    """Run one layer of the encoder, and keep its last states: among those of several layers, or alone."""
    reads, arguments = "h" if several else "x", f", {mask}" if mask else ""
    built = f"{layer_constructor(layer, option, STATE, module='layers.')}({reads}{arguments})"
    made = "" if several else f"h {shape_literal('None', layer.output)}"
    if layer.bidirectional:
        joined = "[layers.Concatenate()([h_f, h_b]), layers.Concatenate()([c_f, c_b])]"
        keep = Statement(f"states.append({joined})" if several else f"state = {joined}")
        return [Statement(f"h, h_f, c_f, h_b, c_b = {built}", made), keep]
    run = Statement(f"h, *state = {built}", made)
    return [run, Statement("states.append(state)")] if several else [run]


KERAS = Framework(
    convention=KERAS_CONVENTION,
    info=_INFO,
    call=_CALL,
    script=ScriptTemplate(("import keras",), _write_script, supports_layers=True, supports_directions=True),
    network_code=NetworkCode(summarize_network, network_lines),
    notation=_NOTATION,
)
