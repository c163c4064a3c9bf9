"""Files that Flax itself writes: its cells compute what we compute over what is read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.core.engine import forward
from lstm_explain.readers.model_file import read_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.identify.model_lstm import ModelLSTM

pytestmark = pytest.mark.oracle

TOLERANCE = 2e-6
SAMPLES, TIMESTEPS, FEATURES, UNITS = 3, 5, 4, 6


@pytest.fixture(scope="module")
def flax(framework: Callable[[str], Any]) -> Any:
    framework("jax")
    return framework("flax.serialization")


@pytest.fixture
def written(flax: Any, tmp_path: Path) -> Callable[[Any], tuple[ModelLSTM, ...]]:
    """Have Flax write a tree, and read it."""

    def write(tree: Any) -> tuple[ModelLSTM, ...]:
        path = tmp_path / "model.msgpack"
        path.write_bytes(flax.to_bytes(tree))
        return read_model(str(path), 2**30)

    return write


def batch() -> Array:
    drawn: Array = np.random.default_rng(0).normal(size=(SAMPLES, TIMESTEPS, FEATURES)).astype(np.float32)
    return drawn


def ours(lstm: ModelLSTM, inputs: Array) -> Array:
    spec = replace(lstm.spec, samples=len(inputs), timesteps=inputs.shape[1])
    return forward(spec, lstm.weights, inputs, None, None).output


def shaken(tree: Any) -> Any:
    """Every number moved at random, so that no bias is zero and no two gates are alike."""
    import jax

    numbers = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: leaf + numbers.normal(size=leaf.shape).astype(np.float32) * 0.3, tree)


@pytest.mark.parametrize("cell", ["LSTMCell", "OptimizedLSTMCell"])
def test_linen(written: Callable[[Any], tuple[ModelLSTM, ...]], cell: str) -> None:
    from flax import linen

    layer = linen.RNN(getattr(linen, cell)(UNITS))
    import jax

    parameters = shaken(layer.init(jax.random.PRNGKey(0), batch()))
    (lstm,) = written(parameters)
    assert (lstm.framework, lstm.title, lstm.name) == ("flax-linen", "flax.linen.LSTMCell", "params/cell")
    assert np.max(np.abs(np.asarray(layer.apply(parameters, batch())) - ours(lstm, batch()))) <= TOLERANCE


def test_linen_in_both_directions(written: Callable[[Any], tuple[ModelLSTM, ...]]) -> None:
    """Two cells that `Bidirectional` names are one layer, whose outputs are Flax's."""
    import jax
    from flax import linen

    layer = linen.Bidirectional(linen.RNN(linen.LSTMCell(UNITS)), linen.RNN(linen.LSTMCell(UNITS)))
    parameters = shaken(layer.init(jax.random.PRNGKey(0), batch()))
    outputs = np.asarray(layer.apply(parameters, batch()))
    (lstm,) = written(parameters)
    assert (lstm.name, lstm.spec.bidirectional) == ("params", True)
    assert np.max(np.abs(outputs - ours(lstm, batch()))) <= TOLERANCE


@pytest.mark.parametrize(("cell", "framework_name"), [("LSTMCell", "flax-nnx"), ("OptimizedLSTMCell", "flax-nnx-optimized")])
def test_nnx(written: Callable[[Any], tuple[ModelLSTM, ...]], cell: str, framework_name: str) -> None:
    from flax import nnx

    layer = nnx.RNN(getattr(nnx, cell)(FEATURES, UNITS, rngs=nnx.Rngs(0)), rngs=nnx.Rngs(0))
    tree = shaken(nnx.to_pure_dict(nnx.state(layer, nnx.Param)))
    state = nnx.state(layer, nnx.Param)
    nnx.replace_by_pure_dict(state, tree)
    nnx.update(layer, state)
    (lstm,) = written(tree)
    assert (lstm.framework, lstm.title, lstm.name) == (framework_name, f"flax.nnx.{cell}", "cell")
    assert np.max(np.abs(np.asarray(layer(batch())) - ours(lstm, batch()))) <= TOLERANCE


def test_bfloat16(written: Callable[[Any], tuple[ModelLSTM, ...]]) -> None:
    import jax
    from flax import linen

    layer = linen.RNN(linen.LSTMCell(UNITS))
    half = jax.tree.map(lambda leaf: leaf.astype("bfloat16"), shaken(layer.init(jax.random.PRNGKey(0), batch())))
    wide = jax.tree.map(lambda leaf: leaf.astype("float32"), half)
    assert np.max(np.abs(np.asarray(layer.apply(wide, batch())) - ours(written(half)[0], batch()))) <= TOLERANCE


def test_arrays_in_pieces(flax: Any, written: Callable[[Any], tuple[ModelLSTM, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Flax breaks arrays of more than 2**30 bytes; here of more than 16."""
    import jax
    from flax import linen

    layer = linen.RNN(linen.LSTMCell(UNITS))
    parameters = shaken(layer.init(jax.random.PRNGKey(0), batch()))
    monkeypatch.setattr(flax, "MAX_CHUNK_SIZE", 16)
    assert b"__msgpack_chunked_array__" in flax.to_bytes(parameters)
    outputs = np.asarray(layer.apply(parameters, batch()))
    assert np.max(np.abs(outputs - ours(written(parameters)[0], batch()))) <= TOLERANCE
