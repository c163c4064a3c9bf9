"""ONNX models that Keras exports, with its layers written out in nodes: what we read computes what Keras computes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from lstm_explain.core.engine import forward
from lstm_explain.errors import InputFileError
from lstm_explain.readers.model_file import read_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.identify.model_lstm import ModelLSTM

pytestmark = pytest.mark.oracle

TOLERANCE = 2e-6
SINGLE = (
    "sequences", "last", "unrolled", "batch fixed", "no bias", "one unit", "one feature", "one timestep",
    "as many features as units", "from the end", "sixty timesteps",
    "sequences, newer", "from the end, newer", "no bias, newer",
)  # fmt: skip
REFUSED = {
    "hard sigmoid": "its activations are HardSigmoid, Tanh, Tanh; only Sigmoid, Tanh, Tanh are explained",
    "relu": "its activations are Sigmoid, Relu, Relu; only Sigmoid, Tanh, Tanh are explained",
    "masked": "as where timesteps are masked",
    "GRU": "there is no node LSTM in it",
    "one timestep, newer": "its recurrent kernel is not in the file",
}
STACKS = ("stacked", "stacked and dense", "stacked, newer")
BOTH_WAYS = ("bidirectional", "bidirectional unrolled", "bidirectional, newer")


class Export(NamedTuple):
    path: str
    inputs: Array
    outputs: Array
    weights: list[Array]


@pytest.fixture(scope="module")
def export(framework: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Export]:
    for name in ("torch", "keras", "onnx", "onnxscript"):
        framework(name)
    folder = tmp_path_factory.mktemp("keras")
    script = Path(__file__).with_name("keras_exports.py")
    command = [sys.executable, str(script), str(folder), *SINGLE, *REFUSED, *STACKS, *BOTH_WAYS]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]

    def written(name: str) -> Export:
        with np.load(folder / f"{name}.npz") as held:
            weights = [held[f"arr_{place}"] for place in range(len(held.files) - 2)]
            return Export(str(folder / f"{name}.onnx"), held["inputs"], held["outputs"], weights)

    return written


def ran(found: ModelLSTM, batch: Array) -> Array:
    """h of every timestep in the order of reading."""
    samples, timesteps, _ = batch.shape
    read = batch[:, ::-1] if found.from_the_end else batch
    sizes = replace(found.spec, samples=samples, timesteps=timesteps)
    output: Array = forward(sizes, found.weights, np.ascontiguousarray(read), None, None).output
    return output


@pytest.mark.parametrize("name", SINGLE)
def test_one_layer(export: Callable[[str], Export], name: str) -> None:
    path, inputs, outputs, weights = export(name)
    (found,) = read_model(path, 2**30)
    assert found.title == f"LSTM written out in {'1 timestep' if inputs.shape[1] == 1 else f'{inputs.shape[1]} timesteps'}"
    assert (found.framework, found.initial, len(found.notes)) == ("keras", None, 1)
    assert found.from_the_end == name.startswith("from the end")
    assert list(found.tensors.values()) == [one.shape for one in weights]
    ours = ran(found, inputs)
    assert np.max(np.abs((ours if outputs.ndim == 3 else ours[:, -1]) - outputs)) <= TOLERANCE


@pytest.mark.parametrize("name", STACKS)
def test_stacks(export: Callable[[str], Export], name: str) -> None:
    path, inputs, outputs, weights = export(name)
    below, above = read_model(path, 2**30)
    assert not below.from_the_end
    assert not above.from_the_end
    ours = ran(above, ran(below, inputs))
    if name == "stacked and dense":
        ours = ours[:, -1] @ weights[-2] + weights[-1]
    assert np.max(np.abs(ours - outputs)) <= TOLERANCE


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_both_directions(export: Callable[[str], Export], name: str) -> None:
    """One layer for each direction; that which reads from the end says so."""
    path, inputs, outputs, _ = export(name)
    found = sorted(read_model(path, 2**30), key=lambda one: one.from_the_end)
    assert [one.from_the_end for one in found] == [False, True]
    ours = np.concatenate([ran(found[0], inputs), ran(found[1], inputs)[:, ::-1]], axis=-1)
    assert np.max(np.abs(ours - outputs)) <= TOLERANCE


@pytest.mark.parametrize("name", REFUSED)
def test_other_layers_are_refused_by_name(export: Callable[[str], Export], name: str) -> None:
    with pytest.raises(InputFileError) as caught:
        read_model(export(name).path, 2**30)
    assert REFUSED[name] in str(caught.value)
