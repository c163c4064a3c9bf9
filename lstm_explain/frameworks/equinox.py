"""Equinox's `equinox.nn.LSTMCell`: i f g o, neurons first, one bias, one sample at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.frameworks.convention import IFGO, Convention
from lstm_explain.frameworks.framework import ForgetBias, Framework, LayerInfo, LayerOutput
from lstm_explain.frameworks.python_code import BLANK_LINES, INDENT, ScriptTemplate, Statement, call_expression

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec


def _write_script(spec: Spec, names: tuple[str, ...], states: bool) -> list[Statement]:
    """A cell under `jax.lax.scan` over time and `jax.vmap` over samples."""
    cell = call_expression(
        "eqx.nn.LSTMCell", f"{spec.features}, {spec.units}", "" if spec.bias else "use_bias=False", "key=jax.random.key(0)"
    )
    selected = ", ".join(f"cell.{name}" for name in names)
    weights = ", ".join(f'jnp.asarray(saved["{name}"])' for name in names)
    return [
        Statement(f"cell = {cell}"),
        Statement(f"weights = ({weights})"),
        Statement(f"cell = eqx.tree_at(lambda cell: ({selected}), cell, weights)"),
        *BLANK_LINES,
        Statement("def step(states, x):"),
        Statement(f"{INDENT}states = cell(x, states)", "h, c"),
        Statement(f"{INDENT}return states, states[0]"),
        *BLANK_LINES,
        *_run_statements(spec, states),
        Statement("h, c = h[None], c[None]"),
    ]


def _run_statements(spec: Spec, states: bool) -> list[Statement]:
    """All timesteps of one sample, and then of all samples."""
    if states:
        return [
            Statement("def run(sequence, h, c):"),
            Statement(f"{INDENT}return jax.lax.scan(step, (h, c), sequence)"),
            *BLANK_LINES,
            Statement('read = [jnp.asarray(one) for one in (saved["x"], saved["h_0"][0], saved["c_0"][0])]'),
            Statement("(h, c), output = jax.vmap(run)(*read)"),
        ]
    return [
        Statement("def run(sequence):"),
        Statement(f"{INDENT}zero = jnp.zeros({spec.units})"),
        Statement(f"{INDENT}return jax.lax.scan(step, (zero, zero), sequence)"),
        *BLANK_LINES,
        Statement('(h, c), output = jax.vmap(run)(jnp.asarray(saved["x"]))'),
    ]


EQUINOX = Framework(
    convention=Convention(
        framework="equinox",
        title="Equinox",
        gate_order=IFGO,
        output_major=True,
        biases=("bias",),
        kernel="weight_ih",
        recurrent_kernel="weight_hh",
        source="equinox/nn/_rnn.py, class LSTMCell",
    ),
    info=LayerInfo(
        class_name="equinox.nn.LSTMCell",
        is_cell=True,
        input_axes=("features",),
        returns=(
            LayerOutput("state[0]", ("hidden",), "h after this timestep"),
            LayerOutput("state[1]", ("units",), "c after this timestep"),
        ),
        forget_bias=ForgetBias(None, "random"),
        initializers=(("all weights and the bias", "uniform in ±1/sqrt(units)"),),
        verification="run",
        stacking="a cell for each; jax.lax.scan loops over time, and jax.vmap over samples",
        aliases=("eqx", "equinox.nn.LSTMCell"),
        remarks=("The names are those of PyTorch's cell, but there is one bias.",),
    ),
    script=ScriptTemplate(("import equinox as eqx", "import jax", "import jax.numpy as jnp"), _write_script),
)
