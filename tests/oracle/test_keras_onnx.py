"""ONNX models that Keras exports, with its layers written out in nodes: what we read computes what Keras computes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lstm_explain.core.engine import forward
from lstm_explain.errors import InputFileError
from lstm_explain.readers.model_file import read_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.axes import Array
    from lstm_explain.readers.identify.model_lstm import ModelLSTM
    from tests.oracle.conftest import KerasExport

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
    "GRU": "it has no LSTM node",
    "one timestep, newer": "its recurrent kernel is not in the file",
}
STACKS = ("stacked", "stacked and dense", "stacked, newer")
BOTH_WAYS = ("bidirectional", "bidirectional unrolled", "bidirectional, newer")


def run_lstm(lstm: ModelLSTM, batch: Array) -> Array:
    """h of every timestep in the order of reading."""
    samples, timesteps, _ = batch.shape
    read = batch[:, ::-1] if lstm.reverse else batch
    sizes = replace(lstm.spec, samples=samples, timesteps=timesteps)
    output: Array = forward(sizes, lstm.weights, np.ascontiguousarray(read), None, None).output
    return output


@pytest.mark.parametrize("name", SINGLE)
def test_one_layer(keras_export: Callable[[str], KerasExport], name: str) -> None:
    path, inputs, outputs, weights = keras_export(name)
    (lstm,) = read_model(str(path), 2**30)
    assert lstm.title == f"LSTM written out in {'1 timestep' if inputs.shape[1] == 1 else f'{inputs.shape[1]} timesteps'}"
    assert (lstm.framework, lstm.initial, len(lstm.notes)) == ("keras", None, 1)
    assert lstm.reverse == name.startswith("from the end")
    assert list(lstm.tensors.values()) == [array.shape for array in weights]
    ours = run_lstm(lstm, inputs)
    assert np.max(np.abs((ours if outputs.ndim == 3 else ours[:, -1]) - outputs)) <= TOLERANCE


@pytest.mark.parametrize("name", STACKS)
def test_stacks(keras_export: Callable[[str], KerasExport], name: str) -> None:
    path, inputs, outputs, weights = keras_export(name)
    below, above = read_model(str(path), 2**30)
    assert not below.reverse
    assert not above.reverse
    ours = run_lstm(above, run_lstm(below, inputs))
    if name == "stacked and dense":
        ours = ours[:, -1] @ weights[-2] + weights[-1]
    assert np.max(np.abs(ours - outputs)) <= TOLERANCE


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_both_directions(keras_export: Callable[[str], KerasExport], name: str) -> None:
    """One layer for each direction; that which reads from the end says so."""
    path, inputs, outputs, _ = keras_export(name)
    forward_lstm, backward_lstm = sorted(read_model(str(path), 2**30), key=lambda lstm: lstm.reverse)
    assert (forward_lstm.reverse, backward_lstm.reverse) == (False, True)
    ours = np.concatenate([run_lstm(forward_lstm, inputs), run_lstm(backward_lstm, inputs)[:, ::-1]], axis=-1)
    assert np.max(np.abs(ours - outputs)) <= TOLERANCE


@pytest.mark.parametrize("name", REFUSED)
def test_other_layers_are_refused_by_name(keras_export: Callable[[str], KerasExport], name: str) -> None:
    with pytest.raises(InputFileError) as caught:
        read_model(str(keras_export(name).path), 2**30)
    assert REFUSED[name] in str(caught.value)
