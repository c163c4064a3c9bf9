"""What each LSTM of a Keras model reads, as its config tells it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.identify.keras_config import read_config
from tests.helpers.model_files.keras import layer, sequential


def fed(config: Any) -> dict[str, tuple[str, ...] | None]:
    return {"/".join(one.names): one.fed_by for one in read_config(json.dumps(config), MemoryBudget("m.keras", 10**8))}


def called(name: str, output: int = 0, keras: int = 3) -> Any:
    """The output of a layer, as a call names it."""
    if keras == 2:
        return [name, 0, output, {}]
    return {"class_name": "__keras_tensor__", "config": {"shape": [None], "keras_history": [name, 0, output]}}


def functional(*layers: tuple[dict[str, Any], list[Any]], outputs: Any = None, name: str = "model", keras: int = 3) -> Any:
    """A Functional model: its layers, each with its calls."""
    made = [
        {**one, "inbound_nodes": [call if keras == 2 else {"args": call, "kwargs": {"mask": None}} for call in calls]}
        for one, calls in layers
    ]
    return {"class_name": "Functional", "config": {"name": name, "layers": made, "output_layers": outputs}}


LSTM_A, LSTM_B = layer("LSTM", "a"), layer("LSTM", "b")
INPUT = layer("InputLayer", "in"), list[Any]()


@pytest.mark.parametrize("between", ["Dropout", "SpatialDropout1D", "ActivityRegularization", "InputLayer", "GaussianNoise"])
def test_layers_that_hand_on_are_seen_through(between: str) -> None:
    assert fed(sequential(layer("InputLayer", "in"), LSTM_A, layer(between, "x"), layer(between, "y"), LSTM_B)) == {
        "a": ("in",),
        "b": ("a",),
    }


@pytest.mark.parametrize("between", ["Dense", "LayerNormalization", "Masking", "Activation", "Reshape", "RepeatVector", "GRU"])
def test_other_layers_stand_for_themselves(between: str) -> None:
    assert fed(sequential(LSTM_A, layer(between, "x"), LSTM_B)) == {"a": (), "b": ("x",)}


def test_a_class_of_the_user_s_own_may_do_anything() -> None:
    own = {**layer("Dropout", "x"), "registered_name": "my>Dropout"}
    assert fed(sequential(LSTM_A, own, LSTM_B))["b"] == ("x",)
    own_model = {**sequential(LSTM_A, LSTM_B), "class_name": "MyModel", "registered_name": "my>MyModel"}
    assert fed(own_model) == {"a": None, "b": None}


@pytest.mark.parametrize("keras", [2, 3])
def test_calls_of_a_functional_model(keras: int) -> None:
    def of(name: str, output: int = 0) -> list[Any]:
        return [called(name, output, keras)]

    drop = layer("Dropout", "drop")
    assert fed(functional(INPUT, (LSTM_A, [of("in")]), (drop, [of("a")]), (LSTM_B, [of("drop")]), keras=keras))["b"] == ("a",)
    assert fed(functional(INPUT, (LSTM_A, [of("in")]), (LSTM_B, [of("in")]), keras=keras))["b"] == ("in",)
    assert fed(functional(INPUT, (LSTM_A, [of("in")]), (LSTM_B, [of("a", 1)]), keras=keras))["b"] == ("another output of a",)
    assert fed(functional(INPUT, (LSTM_A, [of("in"), of("a")]), keras=keras))["a"] == ("in", "a")
    assert fed(functional(INPUT, (LSTM_A, [of("in")]), (LSTM_B, [of("in"), of("a")]), keras=keras))["b"] == ("in", "a")


@pytest.mark.parametrize("keras", [2, 3])
def test_initial_states_are_told_of(keras: int) -> None:
    call = [called("in", keras=keras), called("a", 1, keras), called("a", 2, keras)]
    config = functional(INPUT, (LSTM_A, [[called("in", keras=keras)]]), (LSTM_B, [call]), keras=keras)
    assert [(one.fed_by, one.fed_states) for one in read_config(json.dumps(config), MemoryBudget("m", 10**8))] == [
        (("in",), False),
        (("in",), True),
    ]


def test_models_in_models() -> None:
    inner = sequential(layer("LSTM", "low"), layer("Dropout", "d"))
    inner["config"]["name"] = "inner"
    assert fed(sequential(inner, LSTM_B)) == {"inner/low": (), "b": ("inner/low",)}
    nested = functional(INPUT, (LSTM_A, [[called("in")]]), outputs=["a", 0, 0], name="inner")
    assert fed(sequential(LSTM_B, nested)) == {"b": (), "inner/a": ("b",)}
    assert fed(sequential(nested, LSTM_B))["b"] == ("inner/a",)
    nested["config"]["output_layers"] = {"x": ["a", 0, 0]}
    assert fed(sequential(nested, LSTM_B))["b"] == ("inner",)


def test_cells_on_each_other() -> None:
    cells = layer("StackedRNNCells", "cells", cells=[layer("LSTMCell", "one"), layer("LSTMCell", "two")])
    assert fed(sequential(LSTM_A, layer("RNN", "rnn", cell=cells), LSTM_B)) == {
        "a": (),
        "rnn/one": ("a",),
        "rnn/two": ("rnn/one",),
        "b": ("rnn/two",),
    }


@pytest.mark.parametrize(
    "nodes",
    [
        None,
        1,
        "x",
        [None],
        [[]],
        [{"args": None}],
        [{"args": [{"class_name": "__keras_tensor__"}]}],
        [[["a", "b", "c"]]],
        {},
        [[["nosuch", 0, 0]]],
    ],
)
def test_calls_that_make_no_sense(nodes: Any) -> None:
    config = functional(INPUT, (LSTM_A, []), (LSTM_B, []))
    config["config"]["layers"][2]["inbound_nodes"] = nodes
    assert "a" not in (fed(config)["b"] or ())


def test_two_layers_of_one_name_tell_nothing() -> None:
    assert fed(functional(INPUT, (LSTM_A, [[called("in")]]), (LSTM_A, [[called("a")]])))["a"] is None
