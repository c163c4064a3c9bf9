"""Choosing among the LSTMs of a file, and putting layers onto each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.spec import Spec
from lstm_explain.core.weights import Weights, seeded_weights
from lstm_explain.errors import InputFileError
from lstm_explain.readers.identify.model_lstm import ModelLSTM, select_lstm
from tests.helpers.random_lstms import spec_options


def found(name: str, spec: Spec | None = None, seed: int = 0, framework: str = "keras") -> ModelLSTM:
    weights = seeded_weights(spec or Spec.from_options(1, 1, 3, 2), "pytorch", seed)
    return ModelLSTM(name, framework, "an LSTM", weights, {f"{name}.kernel": (3, 8)}, 1)


def refused(files: tuple[ModelLSTM, ...], name: str | None) -> str:
    with pytest.raises(InputFileError) as raised:
        select_lstm(files, name, "x.pt")
    text = str(raised.value)
    assert text.isprintable()
    assert len(text) < 500
    return text


# --- one of several ---------------------------------------------------------------------------------------------------


def test_the_only_one_needs_no_name() -> None:
    only = found("a")
    assert select_lstm((only,), None, "x.pt") is only
    assert select_lstm((only,), "a", "x.pt") is only


def test_a_name_or_its_last_parts() -> None:
    files = (found("enc.lstm"), found("dec.lstm"), found("deep/model/rnn"), found("lstm.x"))
    assert select_lstm(files, "dec.lstm", "x.pt").name == "dec.lstm"
    assert select_lstm(files, "rnn", "x.pt").name == "deep/model/rnn"
    assert select_lstm(files, "model/rnn", "x.pt").name == "deep/model/rnn"
    assert refused(files, "lstm").startswith("x.pt#lstm: there are 2 LSTMs to choose from: enc.lstm, dec.lstm. Choose one: ")


def test_the_whole_name_goes_before_a_last_part() -> None:
    assert select_lstm((found("a.lstm"), found("lstm")), "lstm", "x.pt").name == "lstm"


@pytest.mark.parametrize("name", ["", "nosuch", ".", "#", "stm", "lst", "\x1b[31m", "x" * 9000])
def test_a_name_that_is_none(name: str) -> None:
    assert "unknown LSTM name. The file has a.lstm, b" in refused((found("a.lstm"), found("b")), name)


def test_without_a_choice_they_are_listed() -> None:
    assert refused((found("a"), found("b")), None) == "x.pt: there are 2 LSTMs to choose from: a, b. Choose one: x.pt#NAME."
    many = tuple(found(f"model.layers.{place}.lstm") for place in range(1000))
    assert " more. Choose one" in refused(many, None)
    refused(tuple(found(f"{place}{'x' * 5000}\x1b") for place in range(9)), None)


def test_two_of_the_same_name_cannot_be_chosen() -> None:
    assert "there are 2 LSTMs to choose from: a, a" in refused((found("a"), found("a")), "a")


@pytest.mark.parametrize("name", [None, "a", "a+b"])
def test_there_may_be_none(name: str | None) -> None:
    assert refused((), name).startswith("x.pt: no LSTM was found in this file. ")


# --- stacks -----------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    options=spec_options(most_units=4, samples=2, timesteps=3, dtype="float64"),
    initial=st.sets(st.integers(0, 2)),
    seed=st.integers(0, 99),
)
def test_a_stack_taken_apart_and_stacked_again_makes_the_same_outputs(
    options: dict[str, Any], initial: set[int], seed: int
) -> None:
    spec, numbers = Spec.from_options(**options), np.random.default_rng(seed)
    weights = seeded_weights(spec, "pytorch", seed)
    own = [(spec.for_layer(layer), float(layer in initial)) for layer, _ in spec.layer_directions]
    states = StackState(
        tuple(numbers.normal(size=(1, one.hidden)) * there for one, there in own),
        tuple(numbers.normal(size=(1, one.units)) * there for one, there in own),
    )
    parts = []
    for place, layer in enumerate(weights.layers):
        among = [number for number, (one, _) in enumerate(spec.layer_directions) if one == place]
        state = StackState(*(tuple(one[number] for number in among) for one in states)) if place in initial else None
        parts.append(ModelLSTM(f"l{place}", "keras", "LSTM", Weights((layer,)), {f"l{place}.kernel": (1,)}, 1, state))
    whole = select_lstm(tuple(parts), "+".join(one.name for one in parts), "x.pt")
    assert whole.spec == replace(spec, samples=1, timesteps=1)
    assert list(whole.tensors) == [f"l{place}.kernel" for place in range(len(spec.layers))]
    assert (whole.initial is None) == (not initial & set(range(len(spec.layers))))
    inputs = numbers.normal(size=(2, 3, spec.features))
    start = None if whole.initial is None else whole.initial.repeat(2)
    made = forward(spec, whole.weights, inputs, start).output
    assert np.array_equal(made, forward(spec, weights, inputs, states.repeat(2)).output)


def test_layers_that_do_not_fit_onto_each_other() -> None:
    files = (found("a", Spec.from_options(1, 1, 3, 4)), found("b", Spec.from_options(1, 1, 3, 4)))
    assert "x.pt#b: it reads 3 features, and a below it outputs 4 numbers. Choose consecutive layers." in refused(files, "a+b")
    both = found("c", Spec.from_options(1, 1, 3, 4, bidirectional=True))
    assert "it reads 4 features, and c below it outputs 8 numbers" in refused(
        (both, found("d", Spec.from_options(1, 1, 4, 4))), "c+d"
    )


@pytest.mark.parametrize(
    "other",
    [
        Spec.from_options(1, 1, 4, 5),
        Spec.from_options(1, 1, 4, 4, bias=False),
        Spec.from_options(1, 1, 4, 4, bidirectional=True),
        Spec.from_options(1, 1, 4, 4, peepholes=True),
        Spec.from_options(1, 1, 4, 4, projection=2),
        Spec.from_options(1, 1, 4, 6, layers=2, bidirectional=True),
    ],
)
def test_layers_that_differ_are_one_stack(other: Spec) -> None:
    below = found("a", Spec.from_options(1, 1, 3, 4))
    both = select_lstm((below, found("b", other)), "a+b", "x.pt")
    assert both.spec.features == 3
    assert both.spec.for_layer(0) == below.spec
    assert [both.spec.for_layer(layer) for layer in range(1, len(both.spec.layers))] == [
        other.for_layer(layer) for layer in range(len(other.layers))
    ]
    assert both.reads == ("some layers both ways" if other.bidirectional else "from the start")


def test_layers_of_two_types() -> None:
    files = (found("a", Spec.from_options(1, 1, 3, 4)), found("b", Spec.from_options(1, 1, 4, 4, dtype="float64")))
    message = "its dtype is float64, and that of a below it float32. Explain each alone, b with --data of what a outputs"
    assert message in refused(files, "a+b")


def test_layers_of_two_frameworks() -> None:
    files = (found("a", Spec.from_options(1, 1, 4, 4)), found("b", Spec.from_options(1, 1, 4, 4), framework="pytorch"))
    assert "its convention is pytorch, and that of a below it keras" in refused(files, "a+b")


@pytest.mark.parametrize("name", ["a+", "+a", "a+nosuch", "+", "a++a"])
def test_a_part_of_a_stack_that_is_none(name: str) -> None:
    assert "unknown LSTM name. The file has a" in refused((found("a"),), name)


def test_a_name_with_a_plus_in_it() -> None:
    files = (found("a", Spec.from_options(1, 1, 2, 2)), found("a+b", Spec.from_options(1, 1, 2, 2)))
    assert select_lstm(files, "a+b", "x.pt") is files[1]


def test_no_layer_stands_on_itself() -> None:
    one, other = found("a", Spec.from_options(1, 1, 2, 2)), found("b", Spec.from_options(1, 1, 2, 2))
    message = "x.pt#a: it appears twice in this stack, and no layer reads its own outputs. Name each layer once."
    assert refused((one,), "a+a") == refused((one, other), "a+b+a") == message
    assert refused((one._replace(fed_by=("a",)),), "a+a") == message


# --- what the file tells of who reads whom ----------------------------------------------------------------------------


def test_a_layer_stands_on_what_it_reads_only() -> None:
    spec = Spec.from_options(1, 1, 2, 2)
    a, b, c = (
        found(name, spec)._replace(fed_by=fed) for name, fed in (("a", ("in",)), ("b", ("dense_1",)), ("c", ("b", "a")))
    )
    assert refused((a, b, c), "a+b").startswith("x.pt#b: b reads dense_1, not a. Explain each alone, b with --data of what")
    for name in ("a+c", "b+c"):
        whole = select_lstm((a, b, c), name, "x.pt")
        assert (len(whole.spec.layers), whole.caveats, "asides" in whole.provenance("x.pt")) == (2, (), False)
    assert "c reads b and a, not d" in refused((a, b, c, found("d", spec)), "d+c")
    assert "b reads what the model is given, not a" in refused((a, b._replace(fed_by=())), "a+b")


def test_where_the_file_does_not_tell_the_order_is_the_user_s() -> None:
    spec = Spec.from_options(1, 1, 2, 2)
    a, b, c = found("a", spec), found("b", spec), found("c", spec)._replace(fed_by=("b",))
    whole = select_lstm((a, b, c), "a+b+c", "x.pt")
    assert whole.caveats == ("the file does not say what is between its layers: their order is the one you gave",)
    assert whole.provenance("x.pt")["asides"] == list(whole.caveats)
    assert select_lstm((a, b, c), "b+c", "x.pt").caveats == ()
    assert select_lstm((a, b, c), "b", "x.pt").caveats == ()
