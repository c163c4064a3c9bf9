"""Files that Keras wrote: our LSTM with the weights we read from them computes what the saved layer computes."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.core.engine import forward
from lstm_explain.errors import InputFileError
from lstm_explain.readers.identify.model_lstm import ModelLSTM, select_lstm
from lstm_explain.readers.model_file import read_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lstm_explain.core.axes import Array

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy"),
    pytest.mark.filterwarnings("ignore:.*float64.*:UserWarning"),
]

TOLERANCE = 2e-6
BUDGET = 2**30
FORMATS = ("model.keras", "model.weights.h5", "model.h5")
ON = {"return_sequences": True}

Saved = "Callable[[Any, str], str]"


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Any, str], str]:
    """Give a model weights of which no two are alike, save it, and give the file's name."""

    def save(model: Any, name: str) -> str:
        numbers = np.random.default_rng(7)
        model.set_weights([numbers.normal(0, 0.5, one.shape).astype(one.dtype) for one in model.get_weights()])
        path = tmp_path / name
        model.save_weights(path) if name.endswith(".weights.h5") else model.save(path)
        return str(path)

    return save


def ours(lstm: ModelLSTM, inputs: Array) -> Array:
    return np.asarray(forward(lstm.spec.from_options(**_sizes(lstm, inputs)), lstm.weights, inputs).output)


def _sizes(lstm: ModelLSTM, inputs: Array) -> dict[str, Any]:
    spec = lstm.spec
    sizes = {"samples": inputs.shape[0], "timesteps": inputs.shape[1], "features": spec.features, "units": spec.units}
    options = {"layers": len(spec.layers), "bidirectional": spec.bidirectional, "bias": spec.bias, "dtype": spec.dtype}
    return {**sizes, **options}


def difference(lstm: ModelLSTM, layer: Any) -> float:
    """The largest difference between what our LSTM and a layer of Keras make of the same random numbers."""
    inputs = np.random.default_rng(3).normal(size=(3, 6, lstm.spec.features)).astype(lstm.spec.dtype)
    theirs = np.asarray(layer(inputs))
    assert theirs.ndim == 3, "the layer must return sequences to be compared at every timestep"
    return float(np.max(np.abs(ours(lstm, inputs) - theirs)))


def every_kind(keras: Any) -> tuple[Any, dict[str, Any]]:
    """A functional model with each kind of layer that is read, and those by the names that we give them."""
    layers = keras.layers
    inner_input = keras.Input((6, 4))
    deep = layers.LSTM(4, name="deep", **ON)
    inner = keras.Model(inner_input, deep(inner_input), name="inner")
    one, two = layers.LSTM(3, name="one", **ON), layers.LSTM(5, name="two", use_bias=False, **ON)
    sequence = keras.Sequential([one, two, layers.GRU(4, name="gru", **ON)], name="sequence")
    wrapped = layers.LSTM(2, name="wrapped", **ON)
    parts = {
        "plain": layers.LSTM(3, name="plain", dropout=0.1, **ON),
        "both": layers.Bidirectional(layers.LSTM(2, name="way", **ON), name="both"),
        "cells": layers.RNN(layers.LSTMCell(4), name="cells", **ON),
        "inner/deep": deep,
        "sequence/one": one,
        "sequence/two": two,
        "timed/wrapped": wrapped,
    }
    inputs = keras.Input((6, 3))
    below = parts["cells"](parts["both"](parts["plain"](inputs)))
    below = layers.Reshape((6, 1, 4))(sequence(inner(below)))
    timed = layers.TimeDistributed(wrapped, name="timed")
    output = layers.Reshape((6, 2))(timed(below))
    parts["again"] = layers.LSTM(2, name="again", **ON)
    model = keras.Model(inputs, layers.Dense(2)(parts["again"](output)))
    return model, {**parts, "timed/wrapped": timed.layer}


@pytest.mark.parametrize("name", FORMATS)
def test_every_kind_of_layer_in_every_format(keras: Any, saved: Callable[[Any, str], str], name: str) -> None:
    model, parts = every_kind(keras)
    found = {one.name: one for one in read_model(saved(model, name), BUDGET)}
    assert set(found) == set(parts)
    for called, layer in parts.items():
        assert difference(found[called], layer) <= TOLERANCE, called
        assert found[called].framework == "keras"
        assert found[called].biases == (0 if called == "sequence/two" else 1)
    titles = {called: one.title for called, one in found.items()}
    assert titles["both"].startswith("keras.layers.Bidirectional(LSTM)")
    assert all(("does not say its activations" in title) == (name == FORMATS[1]) for title in titles.values())


def test_the_order_is_that_of_the_model(keras: Any, saved: Callable[[Any, str], str]) -> None:
    model, parts = every_kind(keras)
    for name in (FORMATS[0], FORMATS[2]):
        assert [one.name for one in read_model(saved(model, name), BUDGET)] == list(parts)


def test_the_numbers_are_the_layers_own(keras: Any, saved: Callable[[Any, str], str]) -> None:
    """Bit for bit: Keras packs its gates as we do."""
    model, parts = every_kind(keras)
    for name in FORMATS:
        found = {one.name: one for one in read_model(saved(model, name), BUDGET)}
        for called, layer in parts.items():
            read = [array for part in found[called].weights.layers[0].values() for array in part.tensors().values()]
            assert all(np.array_equal(one, other) for one, other in zip(read, layer.get_weights(), strict=True)), called


@pytest.mark.parametrize("name", FORMATS)
def test_a_sequential_model_and_its_layers_as_one_stack(keras: Any, saved: Callable[[Any, str], str], name: str) -> None:
    layers = [keras.layers.LSTM(4, name=f"lstm_{number}", **ON) for number in (9, 10)]
    path = saved(keras.Sequential([keras.Input((6, 4)), *layers, keras.layers.Dense(1)]), name)
    stack = select_lstm(read_model(path, BUDGET), "lstm_9+lstm_10", path)
    assert difference(stack, lambda inputs: layers[1](layers[0](inputs))) <= TOLERANCE


@pytest.mark.parametrize("name", FORMATS)
def test_cells_stacked_in_one_layer(keras: Any, saved: Callable[[Any, str], str], name: str) -> None:
    layer = keras.layers.RNN([keras.layers.LSTMCell(3, name="low"), keras.layers.LSTMCell(3, name="high")], name="pair", **ON)
    path = saved(keras.Sequential([keras.Input((6, 3)), layer]), name)
    if name == FORMATS[1]:
        assert len(read_model(path, BUDGET)) == 2
        return
    stack = select_lstm(read_model(path, BUDGET), "low+high", path)
    assert difference(stack, layer) <= TOLERANCE


@pytest.mark.parametrize("name", FORMATS)
def test_a_backward_layer_with_a_name_of_its_own(keras: Any, saved: Callable[[Any, str], str], name: str) -> None:
    layers = keras.layers
    backward = layers.LSTM(3, name="other", go_backwards=True, **ON)
    both = layers.Bidirectional(layers.LSTM(3, name="one", **ON), backward_layer=backward, name="both")
    (lstm,) = read_model(saved(keras.Sequential([keras.Input((6, 2)), both]), name), BUDGET)
    assert difference(lstm, both) <= TOLERANCE


def test_a_model_of_a_class_of_its_own(keras: Any, saved: Callable[[Any, str], str]) -> None:
    class Tagger(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.encoder = keras.layers.LSTM(3, name="encoder", **ON)
            self.heads = [keras.layers.LSTM(2, name="head", **ON)]

        def call(self, inputs: Any) -> Any:
            return self.heads[0](self.encoder(inputs))

    model = Tagger()
    model(np.zeros((1, 4, 5), np.float32))
    for name in FORMATS[:2]:
        found = {one.name: one for one in read_model(saved(model, name), BUDGET)}
        assert set(found) == {"encoder", "head"}
        assert difference(found["encoder"], model.encoder) <= TOLERANCE
        assert "does not say its activations" in found["encoder"].title


def test_a_layer_that_is_used_twice_stands_there_once(keras: Any, saved: Callable[[Any, str], str]) -> None:
    layer, inputs = keras.layers.LSTM(4, name="shared", **ON), keras.Input((6, 4))
    (lstm,) = read_model(saved(keras.Model(inputs, layer(layer(inputs))), "model.keras"), BUDGET)
    assert difference(lstm, layer) <= TOLERANCE


@pytest.mark.parametrize("name", FORMATS)
def test_half_precision_is_read_and_said(keras: Any, saved: Callable[[Any, str], str], name: str) -> None:
    for policy in ("float16", "mixed_float16", "mixed_bfloat16"):
        layer = keras.layers.LSTM(3, name="half", dtype=policy, recurrent_initializer="zeros", **ON)
        (lstm,) = read_model(saved(keras.Sequential([keras.Input((6, 2)), layer]), name), BUDGET)
        read = next(iter(lstm.weights.layers[0].values())).tensors()
        assert all(np.array_equal(one, theirs) for one, theirs in zip(read.values(), layer.get_weights(), strict=True))
        assert lstm.spec.dtype == "float32"
        told = f"Keras computes it in {policy.removeprefix('mixed_')}"
        assert (told in lstm.title) == (name != FORMATS[1])


def test_bfloat16_weights(keras: Any, saved: Callable[[Any, str], str]) -> None:
    layer = keras.layers.LSTM(3, name="half", dtype="bfloat16", recurrent_initializer="zeros", **ON)
    for name in FORMATS[:2]:
        (lstm,) = read_model(saved(keras.Sequential([keras.Input((6, 2)), layer]), name), BUDGET)
        read = next(iter(lstm.weights.layers[0].values())).tensors()
        theirs = [np.asarray(one).astype(np.float32) for one in layer.get_weights()]
        assert all(np.array_equal(one, other) for one, other in zip(read.values(), theirs, strict=True))


REFUSED: dict[str, dict[str, Any]] = {
    "activation relu": {"activation": "relu"},
    "recurrent_activation hard_sigmoid": {"recurrent_activation": "hard_sigmoid"},
}


@pytest.mark.parametrize("name", [FORMATS[0], FORMATS[2]])
@pytest.mark.parametrize("reason", REFUSED)
def test_what_computes_something_else_is_refused_by_name(
    keras: Any, saved: Callable[[Any, str], str], name: str, reason: str
) -> None:
    layer = keras.layers.LSTM(3, name="odd", **REFUSED[reason])
    path = saved(keras.Sequential([keras.Input((6, 2)), layer]), name)
    with pytest.raises(InputFileError) as caught:
        read_model(path, BUDGET)
    assert f"odd: it has {reason}" in str(caught.value) or f"odd: it {reason}" in str(caught.value)


@pytest.mark.parametrize("name", [FORMATS[0], FORMATS[2]])
def test_a_bidirectional_that_computes_something_else(keras: Any, saved: Callable[[Any, str], str], name: str) -> None:
    layers = keras.layers
    odd = {
        "merge_mode sum": layers.Bidirectional(layers.LSTM(3), merge_mode="sum", name="odd"),
        "3 units forward and 4 backward": layers.Bidirectional(
            layers.LSTM(3), backward_layer=layers.LSTM(4, go_backwards=True), name="odd"
        ),
        "activation relu": layers.Bidirectional(
            layers.LSTM(3), backward_layer=layers.LSTM(3, go_backwards=True, activation="relu"), name="odd"
        ),
        "reads backwards": layers.Bidirectional(
            layers.LSTM(3, go_backwards=True), backward_layer=layers.LSTM(3, name="back"), name="odd"
        ),
        "backward layer of class GRU": layers.Bidirectional(
            layers.LSTM(3), backward_layer=layers.GRU(3, go_backwards=True), name="odd"
        ),
    }
    for reason, layer in odd.items():
        path = saved(keras.Sequential([keras.Input((6, 2)), layer]), name)
        with pytest.raises(InputFileError) as caught:
            read_model(path, BUDGET)
        assert reason in str(caught.value), reason
        assert "#odd: it " in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_other_recurrent_layers_are_refused_by_name(keras: Any, saved: Callable[[Any, str], str], name: str) -> None:
    for layer, kind in (
        (keras.layers.GRU(3, name="odd"), "a GRU"),
        (keras.layers.SimpleRNN(3, name="odd"), "a simple recurrent"),
    ):
        path = saved(keras.Sequential([keras.Input((6, 2)), layer]), name)
        with pytest.raises(InputFileError) as caught:
            read_model(path, BUDGET)
        assert kind in str(caught.value)
        assert "odd" in str(caught.value)


def test_a_lambda_is_not_run(keras: Any, saved: Callable[[Any, str], str]) -> None:
    """It stands in config.json as marshalled code; reading goes on beside it."""
    layer = keras.layers.LSTM(3, name="plain", **ON)
    model = keras.Sequential([keras.Input((6, 2)), layer, keras.layers.Lambda(lambda one: one * 2)])
    path = saved(model, "model.keras")
    config = json.loads(zipfile.ZipFile(path).read("config.json"))
    assert "Lambda" in json.dumps(config)
    (lstm,) = read_model(path, BUDGET)
    assert difference(lstm, layer) <= TOLERANCE


def test_a_model_without_an_lstm_has_none(keras: Any, saved: Callable[[Any, str], str]) -> None:
    for name in FORMATS:
        assert read_model(saved(keras.Sequential([keras.Input((2,)), keras.layers.Dense(8)]), name), BUDGET) == ()


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
@pytest.mark.parametrize("functional", [False, True])
def test_layers_with_another_between_them_are_no_stack(
    keras: Any, saved: Callable[[Any, str], str], name: str, functional: bool
) -> None:
    layers = [
        keras.Input((6, 5)),
        keras.layers.LSTM(4, name="a", **ON),
        keras.layers.Dropout(0.5),
        keras.layers.LSTM(4, name="b", **ON),
        keras.layers.Dense(4, activation="relu", name="d"),
        keras.layers.LSTM(4, name="c", **ON),
    ]
    model = keras.Sequential(layers)
    if functional:
        made = layers[0]
        for layer in layers[1:]:
            made = layer(made)
        model = keras.Model(layers[0], made)
    lstms = read_model(saved(model, name), BUDGET)
    assert [one.fed_by for one in lstms][1:] == [("a",), ("d",)]
    stack = select_lstm(lstms, "a+b", "model")
    assert (stack.caveats, len(stack.spec.layers)) == ((), 2)
    inputs = np.random.default_rng(3).normal(size=(2, 6, 5)).astype(np.float32)
    middle = np.asarray(model.layers[-3](model.layers[-5](inputs)))
    assert np.max(np.abs(ours(stack, inputs) - middle)) <= TOLERANCE
    for pair, said in (
        ("b+c", "c reads d, not b"),
        ("a+c", "c reads d, not a"),
        ("b+a", "not b"),
        ("c+c", "it appears twice"),
    ):
        with pytest.raises(InputFileError, match=said):
            select_lstm(lstms, pair, "model")


def test_states_that_another_layer_gives_are_told_of(keras: Any, saved: Callable[[Any, str], str]) -> None:
    given, other = keras.Input((6, 5)), keras.Input((3, 5))
    _, *states = keras.layers.LSTM(4, name="encoder", return_state=True)(given)
    made = keras.layers.LSTM(4, name="decoder", **ON)(other, initial_state=states)
    encoder, decoder = read_model(saved(keras.Model([given, other], made), "model.keras"), BUDGET)
    assert encoder.caveats == ()
    assert decoder.caveats == ("it starts from states that the model computes when it runs; here it starts from zeros",)
