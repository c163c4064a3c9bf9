"""The five networks, said in Keras 3: `LSTM`, `Bidirectional`, `RepeatVector`, `TimeDistributed` and `Dense` of keras.layers.

The oracle tests execute these programs as they are printed, with our weights, and compare.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from lstm_explain.core.network import FROM_ONE, Task
from lstm_explain.frameworks.python_code import INDENT, Statement, format_statements, shape_literal

if TYPE_CHECKING:
    from lstm_explain.core.network import NetworkPlan
    from lstm_explain.core.spec import Spec

SEQUENCES, STATE = "return_sequences=True", "return_state=True"
MOST_WRITTEN = 2
"""A stack of more layers than this is built in a loop."""


def keras_in_short(plan: NetworkPlan) -> str:
    """What distinguishes the network, in one line."""
    spec, dense = plan.spec, f"Dense({plan.outputs})"
    every, repeat = f"TimeDistributed({dense})", f"RepeatVector({plan.steps_out})"
    once, always = _stack_in_short(spec, ""), _stack_in_short(spec, SEQUENCES)
    parts = {
        Task.ONE_TO_ONE: (once, dense),
        Task.ONE_TO_MANY: (repeat, always, every),
        Task.MANY_TO_ONE: (once, dense),
        Task.MANY_TO_MANY: (always, every),
        Task.ENCODER_DECODER: (_stack_in_short(spec, STATE), repeat, _stack_in_short(plan.dense_source, SEQUENCES), every),
    }[plan.task]
    return ", ".join(parts)


def _stack_in_short(spec: Spec, option: str) -> str:
    """The layers of a stack: those below the last hand on h of every timestep."""
    last = _layer(spec.at(spec.layers - 1), option)
    if spec.layers == 1:
        return last
    others = "" if spec.layers == 2 else "..., "
    states = STATE if option == STATE else ""
    return f"{_layer(spec.at(0), SEQUENCES, states)}, {others}{last}"


def keras_lines(plan: NetworkPlan, lengths: bool = False) -> tuple[str, ...]:
    """A program that builds the network as a `keras.Model`.

    Args:
        plan: the network; without projection and peepholes, which Keras has not.
        lengths: whether the samples have lengths of their own: then the model also takes a mask.
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
        statements += [Statement("# real: True at every timestep that is no padding"), Statement(real)]
    makers = {Task.ENCODER_DECODER: _encoder_decoder, Task.ONE_TO_MANY: _repeated}
    statements += makers.get(plan.task, _directly)(plan, "mask=real" if masked else "")
    inputs = "[x, real]" if masked else "x"
    return format_statements([*statements, Statement(f"model = keras.Model({inputs}, y)")])


def _layer(spec: Spec, *options: str, prefix: str = "") -> str:
    extra = "".join(f", {option}" for option in (*options, "" if spec.bias else "use_bias=False") if option)
    one = f"{prefix}LSTM({spec.units}{extra})"
    return f"{prefix}Bidirectional({one})" if spec.bidirectional else one


def _stack(spec: Spec, reads: str, option: str, more: str) -> list[Statement]:
    """Layer upon layer; those below the last hand on h of every timestep, the last as `option` says."""
    arguments, top = f", {more}" if more else "", spec.layers - 1
    last = _called(spec, top, option, reads if top == 0 else "h", arguments)
    if spec.stack or spec.layers <= MOST_WRITTEN:
        names = [reads, *["h"] * top]
        return [*(_called(spec, layer, SEQUENCES, names[layer], arguments) for layer in range(top)), last]
    below = _called(spec, 1, SEQUENCES, "h", arguments)
    return [
        *([] if reads == "h" else [Statement(f"h = {reads}")]),
        Statement(f"for _ in range({top}):"),
        below._replace(code=f"{INDENT}{below.code}"),
        last,
    ]


def _called(spec: Spec, layer: int, option: str, reads: str, arguments: str) -> Statement:
    """Build one layer of a stack, and call it."""
    own = spec.at(layer)
    sizes = (own.timesteps, own.output) if option == SEQUENCES else (own.output,)
    return Statement(f"h = {_layer(own, option, prefix='layers.')}({reads}{arguments})", shape_literal("None", *sizes))


def _dense(plan: NetworkPlan) -> Statement:
    if plan.steps_out is None:
        return Statement(f"y = layers.Dense({plan.outputs})(h)", shape_literal("None", plan.outputs))
    made = shape_literal("None", plan.steps_out, plan.outputs)
    return Statement(f"y = layers.TimeDistributed(layers.Dense({plan.outputs}))(h)", made)


def _directly(plan: NetworkPlan, mask: str) -> list[Statement]:
    option = SEQUENCES if plan.task is Task.MANY_TO_MANY else ""
    return [*_stack(plan.spec, "x", option, mask), _dense(plan)]


def _repeated(plan: NetworkPlan, _: str) -> list[Statement]:
    made = shape_literal("None", plan.steps_out, plan.spec.features)
    repeat = Statement(f"h = layers.RepeatVector({plan.steps_out})(x)", made)
    return [repeat, *_stack(plan.spec, "h", SEQUENCES, ""), _dense(plan)]


def _encoder_decoder(plan: NetworkPlan, mask: str) -> list[Statement]:
    spec, decoder = plan.spec, plan.dense_source
    read = _read(spec, mask)
    repeated = shape_literal("None", decoder.timesteps, decoder.features)
    one = _called(decoder, 0, SEQUENCES, "h", ", initial_state=state")
    write = [one]
    if spec.stack:
        starts = (f", initial_state=states[{layer}]" for layer in range(spec.layers))
        write = [_called(decoder, layer, SEQUENCES, "h", start) for layer, start in enumerate(starts)]
    elif spec.layers > 1:
        write = [Statement("for state in states:"), one._replace(code=f"{INDENT}{one.code}")]
    return [*read, Statement(f"h = layers.RepeatVector({decoder.timesteps})(h)", repeated), *write, _dense(plan)]


def _read(spec: Spec, mask: str) -> list[Statement]:
    """Run the encoder, and keep each layer's last states; those of two directions side by side."""
    several, top = spec.layers > 1, spec.layers - 1
    start = [Statement("h, states = x, []")] if several else []
    if spec.stack:
        rows = [_read_layer(spec.at(layer), SEQUENCES if layer < top else "", mask, True) for layer in range(spec.layers)]
        return [*start, *chain.from_iterable(rows)]
    loop = [Statement(f"for place in range({spec.layers}):")] if several else []
    row = _read_layer(spec.at(0), f"return_sequences=place < {top}" if several else "", mask, several)
    indent = INDENT if several else ""
    return [*start, *loop, *(one._replace(code=f"{indent}{one.code}") for one in row)]


def _read_layer(layer: Spec, option: str, mask: str, several: bool) -> list[Statement]:
    """Run one layer of the encoder, and keep its last states: among those of several layers, or alone."""
    reads, arguments = "h" if several else "x", f", {mask}" if mask else ""
    built = f"{_layer(layer, option, STATE, prefix='layers.')}({reads}{arguments})"
    made = "" if several else f"h {shape_literal('None', layer.output)}"
    if layer.bidirectional:
        joined = "[layers.Concatenate()([h_f, h_b]), layers.Concatenate()([c_f, c_b])]"
        keep = Statement(f"states.append({joined})" if several else f"state = {joined}")
        return [Statement(f"h, h_f, c_f, h_b, c_b = {built}", made), keep]
    run = Statement(f"h, *state = {built}", made)
    return [run, Statement("states.append(state)")] if several else [run]
