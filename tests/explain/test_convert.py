"""convert: every convention gives the same LSTM back, whatever its options; and what was done is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.forward import forward
from lstm_explain.core.gates import GATES
from lstm_explain.errors import RefusedError, UsageError
from lstm_explain.explain.convert import explain_convert
from lstm_explain.frameworks.known import CONVENTIONS
from lstm_explain.frameworks.stored import stored
from lstm_explain.library import seeded
from lstm_explain.readers.naming import lstms_in

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.weights import Weights

few = settings(max_examples=60, deadline=None)


@st.composite
def lstms(draw: st.DrawFn) -> LSTM:
    units = draw(st.integers(1, 6))
    return seeded(
        samples=3,
        timesteps=4,
        features=draw(st.integers(1, 5)),
        units=units,
        layers=draw(st.integers(1, 3)),
        bidirectional=draw(st.booleans()),
        projection=draw(st.none() | st.integers(1, units - 1)) if units > 1 else None,
        bias=draw(st.booleans()),
        peepholes=draw(st.booleans()),
        dtype="float64",
        init="pytorch",
        seed=draw(st.integers(0, 1000)),
    )


@given(lstms(), st.sampled_from(sorted(CONVENTIONS)))
@few
def test_the_converted_weights_are_the_same_lstm(lstm: LSTM, to: str) -> None:
    convention = CONVENTIONS[to]
    lacking = convention.lacks(lstm.spec)
    if lacking:
        with pytest.raises(UsageError, match=f"has no {lacking}, and this one has"):
            explain_convert(lstm, to)
        return
    made = explain_convert(lstm, to)
    assert made.difference < 1e-14
    assert made.compared == 4 * 6 * lstm.spec.output
    assert len(made.named()) == len(made.arrays), "two arrays share a name"
    expected = [one.shape.sizes for layer in range(lstm.spec.layers) for one in stored(convention, lstm.spec, layer)]
    assert [one.array.shape for one in made.arrays] == expected
    assert sum(one.array.size for one in made.arrays) == convention.parameters(lstm.spec)


@given(lstms())
@few
def test_what_is_written_for_pytorch_is_read_back_by_its_names(lstm: LSTM) -> None:
    if lstm.spec.peepholes:
        return
    made = explain_convert(lstm, "pytorch")
    (found,) = lstms_in(made.named(), "file")
    again = forward(lstm.spec, found.weights, lstm.inputs.block(0, 3)).output
    np.testing.assert_allclose(again, lstm.run().output, rtol=0, atol=1e-14)


@pytest.mark.parametrize("to", sorted(CONVENTIONS))
def test_a_reordered_gate_would_be_noticed(to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check is a run of both: where reading back were wrong, the difference would say so."""
    convention = CONVENTIONS[to]
    wrong = type(convention).unpack

    def shifted(self: Any, named: Any) -> Any:
        weights = wrong(self, named)
        return weights._replace(kernel=np.roll(weights.kernel, weights.units, axis=1))

    monkeypatch.setattr(type(convention), "unpack", shifted)
    assert explain_convert(seeded(samples=2, units=4, dtype="float64"), to).difference > 1e-3


def test_what_was_done_is_said() -> None:
    lstm = seeded(samples=2, units=4)
    assert explain_convert(lstm, "keras").done == {"axes": "as here: a column for each neuron"}
    onnx = explain_convert(lstm, "onnx").done
    assert onnx["gates"] == "reordered from i f g o to i o f g"
    assert onnx["biases"].startswith("one into two")
    haiku = explain_convert(lstm, "haiku").done
    assert haiku["forget bias"] == "1 taken away: Haiku adds it when it runs"
    assert haiku["kernels"].startswith("joined")
    bare = explain_convert(seeded(samples=2, units=4, bias=False), "haiku").done
    assert bare["biases"] == "none, written as zeros"


def test_the_forget_bias_that_a_framework_adds_is_taken_from_what_is_stored() -> None:
    lstm = seeded(samples=2, units=3, init="keras")  # every forget bias is 1, every other 0
    (bias,) = (one.array for one in explain_convert(lstm, "tensorflow1").arrays if one.name == "bias")
    assert bias.tolist() == [0.0] * 4 * 3


def test_names_that_say_nothing_of_layers_get_them() -> None:
    names = [one.name for one in explain_convert(seeded(samples=2, units=3, layers=2, bidirectional=True), "keras").arrays]
    assert names[:3] == ["lstm_0/kernel", "lstm_0/recurrent_kernel", "lstm_0/bias"]
    assert "lstm_1_backward/bias" in names


def test_the_json_object() -> None:
    found = explain_convert(seeded(samples=2, units=3), "pytorch").to_dict()
    assert found["to"] == "pytorch"
    assert found["gate_order"] == [gate.value for gate in GATES]
    assert found["arrays"][0] == {
        "name": "weight_ih_l0",
        "layer": 0,
        "direction": "forward",
        "shape": [12, 5],
        "dtype": "float32",
    }


def test_what_cannot_be_converted() -> None:
    lstm = seeded(samples=2, units=3)
    with pytest.raises(UsageError, match=r"--to nosuch: the conventions are keras, pytorch"):
        explain_convert(lstm, "nosuch")
    with pytest.raises(RefusedError, match="writing the weights anew"):
        explain_convert(replace(seeded(samples=1, units=200), max_memory=10**5, loaded=_loaded(200)), "keras")


def _loaded(units: int) -> Any:
    from lstm_explain.core.lstm import Loaded

    weights: Weights = seeded(samples=1, units=units).weights
    return Loaded(weights, {"kind": "model"})
