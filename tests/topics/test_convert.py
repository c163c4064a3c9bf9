"""convert: every convention gives the same LSTM back, whatever its options; and what was done is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.gates import GATES
from lstm_explain.core.lstm import PretrainedWeights
from lstm_explain.errors import RefusedError, UsageError
from lstm_explain.frameworks.layout import tensor_layouts
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.library import seeded
from lstm_explain.readers.identify.find_lstms import find_lstms
from lstm_explain.readers.identify.model_lstm import select_lstm
from lstm_explain.topics.convert import explain_convert
from tests.helpers.mixed_stacks import MIXED
from tests.helpers.random_lstms import spec_options

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.weights import Weights

few = settings(max_examples=60, deadline=None)


@st.composite
def lstms(draw: st.DrawFn) -> LSTM:
    options = draw(spec_options(most_units=6, samples=3, timesteps=4, dtype="float64"))
    return seeded(**options, init="pytorch", seed=draw(st.integers(0, 1000)))


@given(lstms(), st.sampled_from(sorted(CONVENTIONS)))
@few
def test_the_converted_weights_are_the_same_lstm(lstm: LSTM, to: str) -> None:
    convention = CONVENTIONS[to]
    lacking = convention.unsupported_option(lstm.spec)
    if lacking:
        with pytest.raises(UsageError, match=f"has no {lacking}, and this one has"):
            explain_convert(lstm, to)
        return
    made = explain_convert(lstm, to)
    assert made.difference < 1e-14
    assert made.compared == 4 * 6 * lstm.spec.output
    assert len(made.arrays_by_name()) == len(made.arrays), "two arrays share a name"
    expected = [
        one.shape.sizes for layer in range(len(lstm.spec.layers)) for one in tensor_layouts(convention, lstm.spec, layer)
    ]
    assert [one.array.shape for one in made.arrays] == expected
    assert sum(one.array.size for one in made.arrays) == convention.count_parameters(lstm.spec)


@given(lstms())
@few
def test_what_is_written_for_pytorch_is_read_back_by_its_names(lstm: LSTM) -> None:
    if CONVENTIONS["pytorch"].unsupported_option(lstm.spec):
        return
    made = explain_convert(lstm, "pytorch")
    (found,) = find_lstms(made.arrays_by_name(), "file")
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
    assert explain_convert(lstm, "keras").steps == {
        "gates": "as they were: i f g o",
        "axes": "as they were: a column for each neuron",
    }
    onnx = explain_convert(lstm, "onnx").steps
    assert onnx["gates"] == "reordered from i f g o to i o f g"
    assert onnx["biases"].startswith("one into two")
    haiku = explain_convert(lstm, "haiku").steps
    assert haiku["forget bias"] == "1 taken away: Haiku adds it when it runs"
    assert haiku["kernels"].startswith("joined")
    bare = explain_convert(seeded(samples=2, units=4, bias=False), "haiku").steps
    assert bare["biases"] == "none, written as zeros"


def test_the_forget_bias_that_a_framework_adds_is_taken_from_what_is_stored() -> None:
    lstm = seeded(samples=2, units=3, init="keras")  # every forget bias is 1, every other 0
    (bias,) = (one.array for one in explain_convert(lstm, "tensorflow1").arrays if one.name == "bias")
    assert bias.tolist() == [0.0] * 4 * 3


def test_names_that_say_nothing_of_layers_get_them() -> None:
    names = [one.name for one in explain_convert(seeded(samples=2, units=3, layers=2, bidirectional=True), "keras").arrays]
    assert names[0] == "lstm_0/forward_lstm/lstm_cell/kernel"
    assert names[-1] == "lstm_1/backward_lstm/lstm_cell/bias"


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
        "made_of": ["layer0.forward.kernel"],
    }
    assert (found["from"], found["before"][0]["name"]) == ("lstm-explain", "layer0.forward.kernel")


DONE = {
    ("pytorch", "keras"): {
        "gates": "as they were: i f g o",
        "axes": "turned: a column for each neuron",
        "biases": "two into one: added up",
    },
    ("keras", "onnx"): {
        "gates": "reordered from i f g o to i o f g",
        "axes": "turned: a row for each neuron",
        "biases": "one into two: all of it in the first, zero in the second",
    },
    ("onnx", "pytorch"): {
        "gates": "reordered from i o f g to i f g o",
        "axes": "as they were: a row for each neuron",
        "biases": "two into two: their sum in the first, zero in the second",
    },
    ("haiku", "tensorflow1"): {
        "gates": "as they were: i g f o",
        "axes": "as they were: a column for each neuron",
    },
    ("haiku", "flax-linen"): {
        "gates": "cut: an array for each",
        "axes": "as they were: a column for each neuron",
        "kernels": "cut in two: what x_t is multiplied with, and what h_{t-1} is",
        "forget bias": "1 added: Haiku adds it when it runs",
    },
    ("flax-linen", "coreml"): {"gates": "put side by side: i f o g", "axes": "turned: a row for each neuron"},
}


@pytest.mark.parametrize(("written_by", "to"), DONE)
def test_what_is_done_between_two_frameworks(written_by: str, to: str) -> None:
    made = explain_convert(seeded(samples=4, units=4), to, written_by)
    assert made.steps == DONE[written_by, to]
    assert made.difference < 1e-6
    assert (made.to_dict()["from"], made.to_dict()["to"]) == (written_by, to)


def test_what_each_array_is_made_of() -> None:
    made = {one.name: one.made_of for one in explain_convert(seeded(samples=4, units=4), "keras", "pytorch").arrays}
    assert made == {
        "kernel": ("weight_ih_l0",),
        "recurrent_kernel": ("weight_hh_l0",),
        "bias": ("bias_ih_l0", "bias_hh_l0"),
    }
    made = {one.name: one.made_of for one in explain_convert(seeded(samples=4, units=4), "pytorch", "haiku").arrays}
    assert made == {
        "weight_ih_l0": ("linear.w",),
        "weight_hh_l0": ("linear.w",),
        "bias_ih_l0": ("linear.b",),
        "bias_hh_l0": (),
    }


@given(lstms(), st.sampled_from(sorted(CONVENTIONS)), st.sampled_from(sorted(CONVENTIONS)))
@few
def test_from_any_framework_to_any_other(lstm: LSTM, written_by: str, to: str) -> None:
    if any(CONVENTIONS[one].unsupported_option(lstm.spec) for one in (written_by, to)):
        with pytest.raises(UsageError, match="and this one has"):
            explain_convert(lstm, to, written_by)
        return
    made = explain_convert(lstm, to, written_by)
    assert made.difference < 1e-14
    assert {name for one in made.arrays for name in one.made_of} == {one.name for one in made.before}
    added = CONVENTIONS[to].forget_bias_added  # what the framework adds by itself is taken off, of no bias too
    for one in made.arrays:
        assert one.made_of or set(np.unique(one.array)) <= {0.0, -added}


@pytest.mark.parametrize("way", sorted(CONVENTIONS))
@pytest.mark.parametrize("to", sorted(CONVENTIONS))
def test_there_and_back_gives_the_arrays_that_there_were(way: str, to: str) -> None:
    """Through the readers, as through files: written in one convention, in another, and in the first again."""
    sizes: dict[str, Any] = {"samples": 3, "timesteps": 4, "features": 2, "units": 3, "dtype": "float64", "seed": 7}
    lstm = seeded(**sizes, init="pytorch")
    first = explain_convert(lstm, way).arrays_by_name()
    there = explain_convert(_read(first, way, sizes), to)
    back = explain_convert(_read(there.arrays_by_name(), to, sizes), way)
    assert (there.source_name, back.source_name) == (way, to)
    assert set(back.arrays_by_name()) == set(first)
    for name, array in first.items():
        np.testing.assert_allclose(back.arrays_by_name()[name], array, rtol=0, atol=1e-14)
    np.testing.assert_allclose(_read(back.arrays_by_name(), way, sizes).run().output, lstm.run().output, rtol=0, atol=1e-14)


def _read(named: dict[str, Any], convention: str, sizes: dict[str, Any]) -> LSTM:
    """An LSTM of arrays, as a reader finds it."""
    (found,) = find_lstms(named, "file", convention)
    return seeded(**sizes, loaded=PretrainedWeights(found.weights, found.provenance("file")))


def test_a_file_says_how_many_biases_there_were() -> None:
    about = {"kind": "model", "framework": "keras", "biases": 2}  # as CuDNNLSTM has them
    lstm = seeded(samples=4, units=4, loaded=PretrainedWeights(seeded(units=4).weights, about))
    assert explain_convert(lstm, "keras").steps["biases"] == "two into one: added up"


def test_what_cannot_be_converted() -> None:
    lstm = seeded(samples=2, units=3)
    with pytest.raises(UsageError, match=r"to='nosuch': unknown framework"):
        explain_convert(lstm, "nosuch")
    with pytest.raises(RefusedError, match="writing the weights anew"):
        explain_convert(replace(seeded(samples=1, units=200), max_memory=10**5, pretrained=_loaded(200)), "keras")


def _loaded(units: int) -> Any:
    weights: Weights = seeded(samples=1, units=units).weights
    return PretrainedWeights(weights, {"kind": "model"})


def test_states_of_its_own_are_written_into_a_model_and_told_of_elsewhere() -> None:
    lstm = seeded(samples=2, units=3, layers=2)
    state = np.full((2, 1, 3), 0.5, np.float32)
    lstm = replace(lstm, pretrained=PretrainedWeights(lstm.weights, {"kind": "model"}, StackState.from_stacked(state, state)))
    model, arrays = explain_convert(lstm, "onnx", model=True), explain_convert(lstm, "keras")
    assert (model.initial_states, arrays.initial_states) == ("written", "not written")
    assert [one.name for one in model.arrays][-2:] == ["lstm_1/initial_h", "lstm_1/initial_c"]
    assert "start the layer from them yourself" in arrays.steps["initial states"]
    assert model.difference == arrays.difference == 0
    assert explain_convert(seeded(samples=2, units=3), "onnx", model=True).initial_states is None


def found_again(lstm: LSTM, to: str) -> LSTM:
    """The same LSTM, as our readers find it in the converted arrays."""
    found = find_lstms(explain_convert(lstm, to).arrays_by_name(), "file", to)
    layers = range(len(lstm.spec.layers)) if CONVENTIONS[to].framework != "pytorch" and len(lstm.spec.layers) > 1 else ()
    one = select_lstm(found, "+".join(f"lstm_{layer}" for layer in layers) or None, "file")
    return replace(
        lstm, spec=CONVENTIONS[to].effective_spec(lstm.spec), pretrained=PretrainedWeights(one.weights, one.provenance("file"))
    )


@given(lstms(), st.sampled_from(sorted(CONVENTIONS)))
@few
def test_layers_and_directions_are_found_again_by_their_names(lstm: LSTM, to: str) -> None:
    if CONVENTIONS[to].unsupported_option(lstm.spec):
        return
    again = found_again(lstm, to)
    np.testing.assert_allclose(again.run().output, lstm.run().output, rtol=0, atol=1e-14)


BOTH: dict[str, Any] = {"samples": 2, "features": 2, "units": 3, "bidirectional": True}


def test_a_layer_of_both_directions_is_named_as_its_framework_would() -> None:
    def first_and_last(to: str, **options: Any) -> tuple[str, str]:
        names = [one.name for one in explain_convert(seeded(**BOTH, **options), to).arrays]
        return names[0], names[-1]

    keras = "bidirectional/forward_lstm/lstm_cell/kernel", "bidirectional/backward_lstm/lstm_cell/bias"
    assert first_and_last("keras") == keras
    assert first_and_last("keras", layers=2)[1] == "lstm_1/backward_lstm/lstm_cell/bias"
    assert first_and_last("flax-nnx") == ("forward_rnn/cell/ii.kernel", "backward_rnn/cell/ho.bias")
    assert first_and_last("tensorflow1")[0] == "bidirectional_rnn/fw/lstm_cell/kernel"
    assert first_and_last("haiku", layers=2) == ("lstm_0/forward/linear.w", "lstm_1/backward/linear.b")
    assert first_and_last("coreml") == ("weight_ih", "bias_back")
    assert first_and_last("coreml", layers=2) == ("lstm_0/weight_ih", "lstm_1/bias_back")


def test_layers_that_differ_have_names_of_their_own() -> None:
    lstm = seeded(samples=2, features=2, stack=MIXED)
    names = [one.name for one in explain_convert(lstm, "haiku").arrays]
    assert names[2:5] == ["lstm_0/backward/linear.w", "lstm_0/backward/linear.b", "lstm_1/linear.w"]
    assert explain_convert(lstm, "haiku").steps["biases"] == "zeros in layers that have none"
    onnx = explain_convert(lstm, "onnx")
    assert onnx.steps["biases"] == "one into two: all of it in the first, zero in the second"
    assert onnx.steps["directions"] == "stacked: both in one array"
    assert {one.name: one.array.shape for one in onnx.arrays if one.layer == 0} == {
        "lstm_0/W": (2, 24, 2),
        "lstm_0/R": (2, 24, 6),
        "lstm_0/B": (2, 48),
    }


def test_what_has_one_size_for_all_layers_holds_none_that_differ() -> None:
    lstm = seeded(samples=2, stack=MIXED)
    found = "to='torch': PyTorch's LSTM has no layers that differ, and this one has. Choose another framework, such as keras."
    with pytest.raises(UsageError, match=f"^{found}$"):
        explain_convert(lstm, "torch")
    chosen_from_a_file = replace(lstm, pretrained=PretrainedWeights(lstm.weights, {"kind": "model", "layer": "a+b+c"}))
    with pytest.raises(UsageError, match="such as keras; or choose one layer alone: FILE#NAME"):
        explain_convert(chosen_from_a_file, "pytorch")


def test_layers_that_differ_start_from_states_of_their_own_in_a_model() -> None:
    lstm = starting(seeded(samples=2, features=2, stack=MIXED))
    made = explain_convert(lstm, "onnx", model=True)
    shapes = {one.name: one.array.shape for one in made.arrays if "initial" in one.name}
    assert shapes["lstm_0/initial_h"] == (2, 1, 6)
    assert shapes["lstm_2/initial_c"] == (1, 1, 3)
    assert made.difference == 0


def starting(lstm: LSTM) -> LSTM:
    """The same, from states of its own."""
    drawn, sizes = np.random.default_rng(3), [lstm.spec.for_layer(layer).units for layer, _ in lstm.spec.layer_directions]
    states = StackState(*(tuple(drawn.normal(size=(1, size)).astype(lstm.spec.dtype) for size in sizes) for _ in range(2)))
    return replace(lstm, pretrained=PretrainedWeights(lstm.weights, {"kind": "model"}, states))
