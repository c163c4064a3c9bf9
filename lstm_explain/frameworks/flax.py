"""Flax: `linen.LSTMCell` and `nnx.LSTMCell`, an array for each gate; `nnx.OptimizedLSTMCell`, i f g o; carry (c, h)."""

from __future__ import annotations

from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction
from lstm_explain.errors import argument
from lstm_explain.frameworks.call import (
    SAMPLES_FIRST,
    Call,
    CallOptions,
    ReturnedTensor,
    describe_sequence,
    last_cell_tensor,
    last_hidden_tensor,
)
from lstm_explain.frameworks.convention import IFGO, Convention, name_gates
from lstm_explain.frameworks.framework import ForgetBias, Framework, LayerInfo, LayerOutput
from lstm_explain.frameworks.python_code import (
    INDENT,
    ScriptTemplate,
    Statement,
    call_expression,
    dtype_argument,
    string_tuple,
)

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec

DTYPE = 'param_dtype="{}"'
LINEN_CELL, NNX_CELL, OPTIMIZED_CELL = "linen.LSTMCell", "nnx.LSTMCell", "nnx.OptimizedLSTMCell"


def _cell_constructor(cell: str, spec: Spec, rngs: str = "rngs") -> str:
    """The call that builds a cell; `rngs` are the seeds of new weights in nnx, where a cell also takes its features."""
    if cell == LINEN_CELL:
        return call_expression(cell, str(spec.units), dtype_argument(spec, DTYPE))
    return call_expression(cell, f"{spec.features}, {spec.units}", dtype_argument(spec, DTYPE), f"rngs={rngs}")


# --- the call ---------------------------------------------------------------------------------------------------------


def _list_returned(spec: Spec, options: CallOptions, _: bool) -> tuple[ReturnedTensor, ...]:
    outputs = ReturnedTensor("outputs", "sequence", ("samples", "timesteps", "output"), describe_sequence(spec))
    if not options.return_state:
        return (outputs,)
    carries = ("carry[0]", "carry[1]") if spec.bidirectional else ("carry",)
    states = (
        (last_cell_tensor(f"{carry}[0]", direction), last_hidden_tensor(f"{carry}[1]", direction))
        for carry, direction in zip(carries, spec.directions, strict=True)
    )
    return (*chain.from_iterable(states), outputs)


def _make_call(cell: str) -> Call:
    def write_call(spec: Spec, options: CallOptions, layer: int, padded: bool) -> list[Statement]:
        return _write_call(cell, spec.for_layer(layer), options, padded)

    return Call(
        input_name="inputs",
        unsupported_options={
            "batch_first": ("Flax has samples first", f"Leave out {argument('batch_first')}"),
            "return_sequences": ("Flax's RNN returns every timestep always", f"Leave out {argument('return_sequences')}"),
            "layout": ("Flax has no number for its layout, which has samples first", f"Leave out {argument('layout')}"),
        },
        per_layer=True,
        input_axes=lambda _: SAMPLES_FIRST,
        returns=_list_returned,
        lines=write_call,
        initial_states="initial_carry=(c, h); with two directions a pair of these",
        padding_behaviour=lambda _: "other",
    )


def _write_call(cell: str, spec: Spec, options: CallOptions, padded: bool) -> list[Statement]:
    """A cell in `RNN`, which loops over time, or one for each direction; `params` are linen's weights."""
    module, constructor = cell.partition(".")[0], _cell_constructor(cell, spec)
    carry = "return_carry=True" if options.return_state else ""
    layer = [Statement(f"layer = {call_expression(f'{module}.RNN', constructor, carry)}")]
    if spec.bidirectional:
        layer = [
            *(Statement(f"{direction.value} = {module}.RNN({constructor})") for direction in spec.directions),
            Statement(f"layer = {call_expression(f'{module}.Bidirectional', 'forward, backward', carry)}"),
        ]
    function, inputs = ("layer.apply", "params, x") if cell == LINEN_CELL else ("layer", "x")
    call = call_expression(function, inputs, "seq_lengths=lengths" if padded else "")
    return [*layer, Statement(f"{'carry, ' if options.return_state else ''}outputs = {call}")]


# --- scripts ----------------------------------------------------------------------------------------------------------


def _write_linen_script(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    start = ", initial_carry=start" if states else ""
    return [
        Statement(f"names = {string_tuple(names)}"),
        Statement("params = {}"),
        Statement("for name in names:"),
        Statement(f'{INDENT}module, kind = name.split(".")'),
        Statement(f"{INDENT}params.setdefault(module, {{}})[kind] = saved[name]"),
        Statement(f"layer = linen.RNN({_cell_constructor(LINEN_CELL, spec)}, return_carry=True)"),
        *_start_statements(states),
        Statement(f'made = layer.apply({{"params": {{"cell": params}}}}, saved["x"]{start})'),
        *_unpack_statements("made"),
    ]


def _make_nnx_script(cell: str) -> ScriptTemplate:
    def write_script(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
        start = ", initial_carry=start" if states else ""
        return [
            Statement(f"cell = {_cell_constructor(cell, spec, 'nnx.Rngs(0)')}"),
            Statement(f"names = {string_tuple(names)}"),
            Statement("for name in names:"),
            Statement(f'{INDENT}module, kind = name.split(".")'),
            Statement(f"{INDENT}getattr(getattr(cell, module), kind)[...] = saved[name]"),
            *_start_statements(states),
            Statement("layer = nnx.RNN(cell, return_carry=True)"),
            *_unpack_statements(f'layer(saved["x"]{start})'),
        ]

    return ScriptTemplate(("from flax import nnx",), write_script)


def _start_statements(states: bool) -> list[Statement]:
    """The carry to start from, where it is not zero."""
    return [Statement('start = saved["c_0"][0], saved["h_0"][0]', "c, h")] if states else []


def _unpack_statements(result: str) -> list[Statement]:
    return [
        Statement("# The carry has c first."),
        Statement(f"(c, h), output = {result}"),
        Statement("h, c = h[None], c[None]"),
    ]


# --- the facts --------------------------------------------------------------------------------------------------------

FLAX_LINEN = Framework(
    convention=Convention(
        framework="flax-linen",
        title="Flax linen",
        gate_order=IFGO,
        output_major=False,
        biases=("h*.bias",),
        kernel="i*.kernel",
        recurrent_kernel="h*.kernel",
        source="flax/linen/recurrent.py, class LSTMCell",
        gate_names=name_gates("i", "f", "g", "o"),
        bias_required=True,
        direction_prefixes=MappingProxyType(
            {direction: f"{direction}_rnn/cell" for direction in Direction}
        ),  # as linen.Bidirectional and nnx's have it
    ),
    info=LayerInfo(
        class_name="flax.linen.LSTMCell",
        is_cell=True,
        input_axes=("samples", "features"),
        returns=(
            LayerOutput("carry[0]", ("samples", "units"), "c after this timestep"),
            LayerOutput("carry[1]", ("samples", "hidden"), "h after this timestep"),
            LayerOutput("output", ("samples", "hidden"), "h after this timestep, again"),
        ),
        state_order=("c", "h"),
        forget_bias=ForgetBias(0.0, "stored"),
        initializers=(("i* kernels", "LeCun normal"), ("h* kernels", "orthogonal, each gate by itself"), ("biases", "zeros")),
        verification="run",
        stacking="linen.RNN(cell) loops over (samples, timesteps, features); linen.Bidirectional joins two of these",
        aliases=("flax", "linen", "flax.linen.LSTMCell"),
        remarks=(
            "The biases belong to the h* layers; the i* layers have none.",
            "linen.OptimizedLSTMCell multiplies once for all gates, and has the same arrays under the same names.",
        ),
    ),
    call=_make_call(LINEN_CELL),
    script=ScriptTemplate(("from flax import linen",), _write_linen_script),
)

FLAX_NNX = Framework(
    convention=FLAX_LINEN.convention._replace(
        framework="flax-nnx",
        title="Flax nnx",
        source="flax/nnx/nn/recurrent.py, class LSTMCell",
        name_overrides=MappingProxyType({"if.kernel": "if_.kernel"}),
    ),
    info=FLAX_LINEN.info._replace(
        class_name="flax.nnx.LSTMCell",
        stacking="nnx.RNN(cell) loops over (samples, timesteps, features); nnx.Bidirectional joins two of these",
        aliases=("nnx", "flax.nnx.LSTMCell"),
        remarks=("`if` is a word of Python, so that the forget gate's kernel for x is if_ here, and if in linen.",),
    ),
    call=_make_call(NNX_CELL),
    script=_make_nnx_script(NNX_CELL),
)

FLAX_NNX_OPTIMIZED = Framework(
    convention=FLAX_LINEN.convention._replace(
        framework="flax-nnx-optimized",
        title="Flax nnx optimized",
        biases=("dense_h.bias",),
        kernel="dense_i.kernel",
        recurrent_kernel="dense_h.kernel",
        source="flax/nnx/nn/recurrent.py, class OptimizedLSTMCell",
        gate_names=MappingProxyType({}),
    ),
    info=FLAX_NNX.info._replace(
        class_name="flax.nnx.OptimizedLSTMCell",
        initializers=(
            ("dense_i.kernel", "LeCun normal"),
            ("dense_h.kernel", "orthogonal, all gates as one"),
            ("dense_h.bias", "zeros"),
        ),
        aliases=("nnx-optimized", "OptimizedLSTMCell", "flax.nnx.OptimizedLSTMCell"),
        remarks=("Its docstring says that its parameters are compatible with LSTMCell; names and shapes are others.",),
    ),
    call=_make_call(OPTIMIZED_CELL),
    script=_make_nnx_script(OPTIMIZED_CELL),
)
