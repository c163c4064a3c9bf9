"""The frameworks that we compare with, and what both sides are fed: weights of which no two gates are alike."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.weights import LayerWeights, Weights, weight_shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lstm_explain.core.axes import Array
    from lstm_explain.core.record import Record
    from lstm_explain.core.spec import Spec

REQUIRED = "LSTM_EXPLAIN_REQUIRE_ORACLES"
SPREAD = 0.5
"""The standard deviation of the weights: gates reach from nearly shut to nearly open, and rounding errors do not grow."""

os.environ["KERAS_BACKEND"] = "jax"


@dataclass(frozen=True)
class Case:
    """One LSTM and its batch, as both sides are given it."""

    spec: Spec
    weights: Weights
    inputs: Array
    initial: StackState | None
    lengths: Array | None

    @property
    def record(self) -> Record:
        return forward(self.spec, self.weights, self.inputs, self.initial, self.lengths)

    def difference(self, theirs: Mapping[str, Any]) -> float:
        """The largest difference between their output, last h and last c, and ours."""
        record = self.record
        ours = {"output": record.output, "hidden": record.last_hidden, "cell": record.last_cell}
        assert {name: np.shape(array) for name, array in theirs.items()} == {name: array.shape for name, array in ours.items()}
        return max(float(np.max(np.abs(ours[name] - theirs[name]))) for name in ours)


def random_case(spec: Spec, seed: int, *, lengths: bool = False, initial: bool = False) -> Case:
    numbers = np.random.default_rng(seed)

    def normal(*sizes: int) -> Array:
        drawn: Array = numbers.normal(size=sizes).astype(spec.dtype)
        return drawn

    def layer_weights(layer: int) -> LayerWeights:
        shapes = weight_shapes(spec, layer)
        return LayerWeights(**{name: normal(*axes.sizes) * np.asarray(SPREAD, spec.dtype) for name, axes in shapes.items()})

    layers = tuple({way: layer_weights(layer) for way in spec.directions} for layer in range(len(spec.layers)))
    places = len(spec.layers) * len(spec.directions)
    state = StackState.from_stacked(normal(places, spec.samples, spec.hidden), normal(places, spec.samples, spec.units))
    return Case(
        spec,
        Weights(layers),
        normal(spec.samples, spec.timesteps, spec.features),
        state if initial else None,
        numbers.integers(1, spec.timesteps, spec.samples, endpoint=True) if lengths else None,
    )


def import_or_skip(name: str) -> Any:
    """A framework. Without it the test is skipped, and fails where LSTM_EXPLAIN_REQUIRE_ORACLES is 1."""
    if os.environ.get(REQUIRED) != "1":
        return pytest.importorskip(name, reason=f"{name} is not installed: nothing to compare with", exc_type=ImportError)
    try:
        return import_module(name)
    except ImportError:
        pytest.fail(f"{name} is not installed, and {REQUIRED}=1 requires it")


@pytest.fixture(scope="session")
def framework() -> Callable[[str], Any]:
    return import_or_skip


@pytest.fixture(scope="session")
def case() -> Callable[..., Case]:
    """(spec, seed, lengths, initial) -> a case"""
    return random_case


@pytest.fixture(scope="session")
def torch() -> Any:
    found = import_or_skip("torch")
    found.set_num_threads(1)  # arrays this small lose more by waiting for each other's threads
    return found


@pytest.fixture(scope="session")
def keras() -> Any:
    import_or_skip("jax")
    return import_or_skip("keras")


@pytest.fixture(scope="session")
def onnx() -> Any:
    import_or_skip("onnx.helper")
    return import_or_skip("onnx")


@pytest.fixture(scope="session")
def onnxruntime() -> Any:
    return import_or_skip("onnxruntime")


class KerasExport(NamedTuple):
    """A network that Keras exported to ONNX, with what it computes."""

    path: Path
    inputs: Array
    outputs: Array
    weights: list[Array]


@pytest.fixture(scope="session")
def keras_export(framework: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], KerasExport]:
    """Return an export of `keras_exports.py` by its name. The exports are written once for all workers, which takes long."""
    import fcntl

    for name in ("torch", "keras", "onnx", "onnxscript"):
        framework(name)
    temporary = tmp_path_factory.getbasetemp()
    shared = temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary
    folder = shared / "keras_exports"
    with (shared / "keras_exports.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other workers wait until the first has written all of them
        if not folder.exists():
            folder.mkdir()
            command = [sys.executable, str(Path(__file__).with_name("keras_exports.py")), str(folder)]
            result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
            (folder / "errors.txt").write_text(result.stderr if result.returncode else "")
        errors = (folder / "errors.txt").read_text()
    assert not errors, errors[-2000:]

    def load_export(name: str) -> KerasExport:
        with np.load(folder / f"{name}.npz") as arrays:
            weights = [arrays[f"arr_{number}"] for number in range(len(arrays.files) - 2)]
            return KerasExport(folder / f"{name}.onnx", arrays["inputs"], arrays["outputs"], weights)

    return load_export
