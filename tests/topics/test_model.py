"""model: each LSTM of a file, with what it has there and what it becomes here."""

from __future__ import annotations

import json
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import GATES
from lstm_explain.core.spec import Spec
from lstm_explain.core.weights import parameter_counts, seeded_weights
from lstm_explain.frameworks.layout import export_layer
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.identify.find_lstms import find_lstms
from lstm_explain.topics.model import explain_model
from tests.helpers.framework_weights import state_dict
from tests.helpers.model_files.arrays import keras_layer, pytorch_layer


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    projection=st.sampled_from([None, 2]),
    bias=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_what_is_said_of_a_module_of_pytorch(bias: bool, **options: Any) -> None:
    spec = Spec.from_options(1, 1, 2, 3, bias=bias, **options)
    named = state_dict(seeded_weights(spec))
    (listed,) = explain_model(find_lstms(named, "x"), "x").lstms
    assert listed.spec == spec
    assert listed.parameters == sum(array.size for array in named.values())
    assert listed.own_parameters == sum(parameter_counts(spec).values())
    assert listed.parameters - listed.own_parameters == bias * 12 * len(spec.layers) * len(spec.directions)
    assert dict(listed.tensors) == {name: array.shape for name, array in named.items()}
    assert (listed.biases, listed.initial, listed.reverse, listed.notes) == (2 * bias, False, False, ())


@pytest.mark.parametrize("name", CONVENTIONS)
def test_the_order_of_the_gates_is_the_files(name: str) -> None:
    convention = CONVENTIONS[name]
    named = {
        one: array for one, _, array in export_layer(convention, seeded_weights(Spec.from_options(1, 1, 2, 3)).layers[0], 0)
    }
    (listed,) = explain_model(find_lstms(named, "x", name), "x").lstms
    assert listed.gate_order == convention.gate_order
    assert sum(prod(tensor.shape) for tensor in listed.tensors) == listed.parameters


def test_our_own_order_is_ours() -> None:
    own = {f"layer0.forward.{name[5:]}": array for name, array in keras_layer().items()}
    (listed,) = explain_model(find_lstms(own, "x"), "x").lstms
    assert listed.gate_order == GATES
    assert listed.parameters == listed.own_parameters


def test_the_objects_keys_are_the_fields() -> None:
    found = [one._replace(reverse=True, notes=("odd",)) for one in find_lstms({**keras_layer(), **pytorch_layer()}, "x")]
    made = explain_model(found, "x.npz").to_dict()
    assert made["schema"] == "lstm-explain/model"
    assert made["file"] == "x.npz"
    first = made["lstms"][0]
    assert first["gate_order"] == [gate.value for gate in GATES]
    assert {"samples", "timesteps"}.isdisjoint(first)
    assert all(first[key] == value for key, value in replace(found[0].spec).to_dict().items() if key in first)
    assert (first["from_the_end"], first["notes"]) == (True, ["odd"])
    assert first["tensors"] == [{"name": name, "shape": list(shape)} for name, shape in found[0].tensors.items()]
    json.dumps(made, allow_nan=False)


def test_what_is_not_explained_is_listed_once() -> None:
    gru = {f"gru.{name}": np.zeros(sizes) for name, sizes in {"weight_ih_l0": (6, 3), "weight_hh_l0": (6, 2)}.items()}
    made = explain_model(find_lstms({**gru, **keras_layer(), **pytorch_layer()}, "x"), "x").to_dict()
    assert len(made["lstms"]) == 2
    reason = "it is a GRU: it has 6 neurons for 2 units, three for each; only LSTMs are explained"
    assert made["unsupported"] == [{"name": "gru", "reason": reason, "fix": ""}]
    assert explain_model(find_lstms(keras_layer(), "x"), "x").to_dict()["unsupported"] == []


def test_it_is_frozen() -> None:
    model = explain_model(find_lstms(keras_layer(), "x"), "x")
    for value in (model, model.lstms[0]):
        for name in value._fields if isinstance(value, tuple) else vars(value):
            with pytest.raises(AttributeError):
                setattr(value, name, None)
