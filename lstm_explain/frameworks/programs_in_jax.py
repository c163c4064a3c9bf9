"""The same in the frameworks on JAX: Flax, Equinox and Haiku."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.frameworks.python_code import INDENT, Statement, string_tuple

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec

GIVEN = ", initial_carry=start"
STATES_FIRST = Statement("h, c = h[None], c[None]")


def _carry(states: bool) -> list[Statement]:
    """The carry to start from, where it is not zero."""
    return [Statement('start = saved["c_0"][0], saved["h_0"][0]', "c, h")] if states else []


def linen(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    """A cell in `linen.RNN`, which loops over time."""
    return [
        Statement(f"names = {string_tuple(names)}"),
        Statement("params = {}"),
        Statement("for name in names:"),
        Statement(f'{INDENT}module, kind = name.split(".")'),
        Statement(f"{INDENT}params.setdefault(module, {{}})[kind] = saved[name]"),
        Statement(f"layer = linen.RNN(linen.LSTMCell({spec.units}), return_carry=True)"),
        *_carry(states),
        Statement(f'made = layer.apply({{"params": {{"cell": params}}}}, saved["x"]{GIVEN if states else ""})'),
        Statement("# The carry has c first."),
        Statement("(c, h), output = made"),
        STATES_FIRST,
    ]


def nnx(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    """A cell in `nnx.RNN`, which loops over time."""
    return _nnx("LSTMCell", spec, names, states)


def nnx_optimized(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    """The same of the cell that multiplies once for all gates."""
    return _nnx("OptimizedLSTMCell", spec, names, states)


def _nnx(cell: str, spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    return [
        Statement(f"cell = nnx.{cell}({spec.features}, {spec.units}, rngs=nnx.Rngs(0))"),
        Statement(f"names = {string_tuple(names)}"),
        Statement("for name in names:"),
        Statement(f'{INDENT}module, kind = name.split(".")'),
        Statement(f"{INDENT}getattr(getattr(cell, module), kind)[...] = saved[name]"),
        *_carry(states),
        Statement("layer = nnx.RNN(cell, return_carry=True)"),
        Statement("# The carry has c first."),
        Statement(f'(c, h), output = layer(saved["x"]{GIVEN if states else ""})'),
        STATES_FIRST,
    ]


def equinox(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    """A cell under `jax.lax.scan` over time and `jax.vmap` over samples."""
    options = "" if spec.bias else ", use_bias=False"
    places = ", ".join(f"cell.{name}" for name in names)
    weights = ", ".join(f'jnp.asarray(saved["{name}"])' for name in names)
    return [
        Statement(f"cell = eqx.nn.LSTMCell({spec.features}, {spec.units}{options}, key=jax.random.key(0))"),
        Statement(f"weights = ({weights})"),
        Statement(f"cell = eqx.tree_at(lambda cell: ({places}), cell, weights)"),
        Statement(""),
        Statement(""),
        Statement("def step(states, x):"),
        Statement(f"{INDENT}states = cell(x, states)", "h, c"),
        Statement(f"{INDENT}return states, states[0]"),
        Statement(""),
        Statement(""),
        *_equinox_run(spec, states),
        STATES_FIRST,
    ]


def _equinox_run(spec: Spec, states: bool) -> list[Statement]:
    """All timesteps of one sample, and of all samples."""
    apart = [Statement(""), Statement("")]
    if states:
        return [
            Statement("def run(sequence, h, c):"),
            Statement(f"{INDENT}return jax.lax.scan(step, (h, c), sequence)"),
            *apart,
            Statement('read = [jnp.asarray(one) for one in (saved["x"], saved["h_0"][0], saved["c_0"][0])]'),
            Statement("(h, c), output = jax.vmap(run)(*read)"),
        ]
    return [
        Statement("def run(sequence):"),
        Statement(f"{INDENT}zero = jnp.zeros({spec.units})"),
        Statement(f"{INDENT}return jax.lax.scan(step, (zero, zero), sequence)"),
        *apart,
        Statement('(h, c), output = jax.vmap(run)(jnp.asarray(saved["x"]))'),
    ]


def haiku(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    """A core in `hk.dynamic_unroll`, which loops over the first axis: time."""
    start = 'hk.LSTMState(saved["h_0"][0], saved["c_0"][0])' if states else "core.initial_state(x.shape[1])"
    params = ", ".join(f'"{name.partition(".")[2]}": saved["{name}"]' for name in names)
    return [
        Statement(""),
        Statement("def run(x):"),
        Statement(f"{INDENT}core = hk.LSTM({spec.units})"),
        Statement(f"{INDENT}start = {start}"),
        Statement(f"{INDENT}return hk.dynamic_unroll(core, x, start)"),
        Statement(""),
        Statement(""),
        Statement(f'params = {{"lstm/linear": {{{params}}}}}'),
        Statement("# Timesteps come first."),
        Statement('x = saved["x"].transpose(1, 0, 2)'),
        Statement("output, state = hk.without_apply_rng(hk.transform(run)).apply(params, x)"),
        Statement("output = output.transpose(1, 0, 2)"),
        Statement("h, c = state.hidden[None], state.cell[None]"),
    ]
