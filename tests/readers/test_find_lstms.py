"""Which framework wrote an array is told by its name; what cannot be told is asked for, and what is no LSTM is named."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import GATES, Direction, Gate
from lstm_explain.core.spec import LayerSpec, Spec
from lstm_explain.core.weights import LayerWeights, Weights, seeded_weights
from lstm_explain.errors import InputFileError
from lstm_explain.frameworks.layout import export_layer
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.identify.find_lstms import find_lstms
from lstm_explain.readers.identify.model_lstm import select_lstm
from tests.helpers.framework_weights import state_dict
from tests.helpers.model_files.arrays import keras_layer, pytorch_layer
from tests.helpers.random_lstms import spec_options

Array = np.ndarray[Any, Any]
few = settings(max_examples=40, deadline=None, derandomize=True)


def test_a_gru_beside_an_lstm_is_named() -> None:
    tensors = {
        **{f"lstm.{name}": np.zeros(sizes) for name, sizes in {"weight_ih_l0": (8, 3), "weight_hh_l0": (8, 2)}.items()},
        **{f"gru.{name}": np.zeros(sizes) for name, sizes in {"weight_ih_l0": (6, 3), "weight_hh_l0": (6, 2)}.items()},
    }
    (lstm,) = find_lstms(tensors, "file")
    assert lstm.name == "lstm"
    assert [(one.name, one.reason) for one in lstm.unsupported] == [
        ("gru", "it is a GRU: it has 6 neurons for 2 units, three for each; only LSTMs are explained")
    ]
    assert select_lstm((lstm,), None, "file") is lstm
    with pytest.raises(InputFileError, match=r"^file#gru: it is a GRU: it has 6 neurons for 2 units"):
        select_lstm((lstm,), "gru", "file")


MODULES: dict[str, dict[str, tuple[int, ...]]] = {
    "it has no weight_hh": {"weight_ih_l0": (8, 3)},
    "it has no bias_hh": {"weight_ih_l0": (8, 3), "weight_hh_l0": (8, 2), "bias_ih_l0": (8,)},
    "it has no weights of layer 0 forward": {"weight_ih_l1": (8, 3), "weight_hh_l1": (8, 2)},
    "its tensors do not fit together": {
        "weight_ih_l0": (8, 3),
        "weight_hh_l0": (8, 2),
        "bias_ih_l0": (8,),
        "bias_hh_l0": (9,),
    },
    "it is a simple recurrent layer": {"weight_ih_l0": (2, 3), "weight_hh_l0": (2, 2)},
    "it has weight_ih, weight_hh and bias: Equinox and Core ML": {"weight_ih": (8, 3), "weight_hh": (8, 2), "bias": (8,)},
}


@pytest.mark.parametrize("reason", MODULES)
def test_what_is_not_explained_is_told_of_by_name_beside_what_is(reason: str) -> None:
    odd = {f"odd.{name}": np.zeros(sizes) for name, sizes in MODULES[reason].items()}
    with pytest.raises(InputFileError):
        find_lstms(odd, "file")
    (lstm,) = find_lstms({**odd, **pytorch_layer(3, 2)}, "file")
    (one,) = lstm.unsupported
    assert (lstm.name, one.name) == ("lstm", "odd")
    assert one.reason.startswith(reason)
    with pytest.raises(InputFileError) as raised:
        select_lstm((lstm,), "odd", "file")
    assert str(raised.value).startswith(f"file#odd: {reason}")


def test_a_layer_of_ours_that_is_broken_is_not_taken_for_one_of_another_framework() -> None:
    ours = {one.replace("lstm/", "odd.layer0.forward."): array for one, array in keras_layer(3, 2).items()}
    (lstm,) = find_lstms({**ours, "odd.layer0.forward.peephole": np.ones((7, 7)), **pytorch_layer(3, 2)}, "file")
    assert (lstm.name, [one.name for one in lstm.unsupported]) == ("lstm", ["odd"])


def without(tensors: dict[str, Array], *names: str) -> dict[str, Array]:
    assert set(names) <= set(tensors)
    return {name: array for name, array in tensors.items() if name not in names}


def same(one: Weights, other: Weights) -> bool:
    pairs = zip(one.layers, other.layers, strict=True)
    return all(
        list(mine) == list(theirs)
        and all(mine[way].tensors().keys() == theirs[way].tensors().keys() for way in mine)
        and all(
            np.array_equal(mine[way].tensors()[name], array) for way in mine for name, array in theirs[way].tensors().items()
        )
        for mine, theirs in pairs
    )


def refused(tensors: dict[str, Array], convention: str | None = None) -> str:
    with pytest.raises(InputFileError) as raised:
        find_lstms(tensors, "x.npz", convention)
    text = str(raised.value)
    assert text.isprintable()
    assert len(text) < 500
    return text


def specs(**options: Any) -> st.SearchStrategy[Spec]:
    sizes = spec_options(samples=1, timesteps=1, most_units=5, **options)
    return sizes.map(lambda drawn: Spec.from_options(**drawn))


UNLIKE = Spec.from_options(
    1, 1, 2, stack=(LayerSpec(4, bias=False), LayerSpec(6, True), LayerSpec(3, projection=1, peepholes=True))
)


# --- names that tell --------------------------------------------------------------------------------------------------


@given(
    spec=specs(unlike=False, peepholes=False),
    module=st.sampled_from(["", "lstm.", "encoder.rnn.", "model/x.", "weird name."]),
    seed=st.integers(0, 99),
)
@few
def test_any_lstm_of_pytorch(spec: Spec, module: str, seed: int) -> None:
    weights = seeded_weights(spec, "pytorch", seed)
    (lstm,) = find_lstms({module + name: array for name, array in state_dict(weights).items()}, "x.npz")
    assert lstm.spec == spec
    assert lstm.name == (module.removesuffix(".") or "lstm")
    assert (lstm.framework, lstm.title, lstm.biases) == ("pytorch", "torch.nn.LSTM", 2 * spec.bias)
    assert same(lstm.weights, weights)
    assert sum(map(np.prod, lstm.tensors.values())) == sum(array.size for array in state_dict(weights).values())


@given(spec=specs(), module=st.sampled_from(["", "model."]))
@example(spec=UNLIKE, module="")
@few
def test_any_lstm_of_ours(spec: Spec, module: str) -> None:
    weights = seeded_weights(spec)
    named = {
        f"{module}layer{layer}.{way.value}.{name}": array
        for layer, parts in enumerate(weights.layers)
        for way, part in parts.items()
        for name, array in part.tensors().items()
    }
    (lstm,) = find_lstms({**named, "x": np.ones((1, 1, spec.features)), "layer0.forward.cell": np.ones((1, 1, 3))}, "x.npz")
    biased = any(spec.for_layer(layer).bias for layer in range(len(spec.layers)))
    assert (lstm.framework, lstm.name, lstm.biases) == ("lstm-explain", module.removesuffix(".") or "lstm", int(biased))
    assert lstm.spec == spec
    assert same(lstm.weights, weights)
    assert set(lstm.tensors) == set(named)


def test_a_cell_of_pytorch() -> None:
    (lstm,) = find_lstms(pytorch_layer(layer=""), "x.npz")
    assert (lstm.title, lstm.name, len(lstm.spec.layers)) == ("torch.nn.LSTMCell", "lstm", 1)


def test_more_than_ten_layers_come_in_their_order() -> None:
    layers = {name: array for place in range(12) for name, array in pytorch_layer(2, 2, f"_l{place}").items()}
    layers["lstm.bias_ih_l11"] = np.full(8, 11, "float32")
    (lstm,) = find_lstms(dict(sorted(layers.items())), "x.npz")
    assert len(lstm.spec.layers) == 12
    last = lstm.weights.of(11, Direction.FORWARD).tensors()["bias"]
    assert last.min() > 10


@pytest.mark.parametrize("module", ["", "lstm/", "model/lstm_1/lstm_cell/", "a.b."])
@pytest.mark.parametrize("end", ["", ":0"])
def test_a_layer_of_keras(module: str, end: str) -> None:
    layer = {f"{name}{end}": array for name, array in keras_layer(module=module).items()}
    (lstm,) = find_lstms(layer, "x.npz")
    assert (lstm.framework, lstm.name, lstm.biases) == ("keras", module[:-1] or "lstm", 1)
    assert np.array_equal(lstm.weights.of(0, Direction.FORWARD).kernel, keras_layer(module=module)[f"{module}kernel"])
    (lstm,) = find_lstms(without(layer, f"{module}bias{end}"), "x.npz")
    assert (lstm.spec.bias, lstm.biases) == (False, 0)


@pytest.mark.parametrize("join", ["/", "."])
@pytest.mark.parametrize("forget", ["f", "f_"])
def test_a_cell_of_flax(join: str, forget: str) -> None:
    letters = {Gate.INPUT: "i", Gate.FORGET: forget, Gate.CANDIDATE: "g", Gate.OUTPUT: "o"}
    named: dict[str, Array] = {}
    parts: dict[Gate, tuple[Array, Array, Array]] = {}
    for place, gate in enumerate(GATES):
        parts[gate] = (
            np.full((3, 2), place, "float32"),
            np.full((2, 2), 10 + place, "float32"),
            np.full(2, 20 + place, "float32"),
        )
        input_letter = f"i{letters[gate]}"
        hidden_letter = f"h{letters[gate].rstrip('_')}"
        named[join.join(("params", "cell", input_letter, "kernel"))] = parts[gate][0]
        named[join.join(("params", "cell", hidden_letter, "kernel"))] = parts[gate][1]
        named[join.join(("params", "cell", hidden_letter, "bias"))] = parts[gate][2]
    (lstm,) = find_lstms(named, "x.npz")
    layer = lstm.weights.of(0, Direction.FORWARD)
    assert lstm.name == join.join(("params", "cell"))
    assert layer.bias is not None
    for gate, (kernel, recurrent, bias) in parts.items():
        assert np.array_equal(layer.kernel[:, layer.columns(gate)], kernel)
        assert np.array_equal(layer.recurrent_kernel[:, layer.columns(gate)], recurrent)
        assert np.array_equal(layer.bias[layer.columns(gate)], bias)


def test_several_of_several_frameworks() -> None:
    lstms = find_lstms(
        {**pytorch_layer(module="a."), **keras_layer(module="b/"), **pytorch_layer(layer="", module="c.")}, "x.npz"
    )
    assert {one.name: one.framework for one in lstms} == {"a": "pytorch", "b": "keras", "c": "pytorch"}


def test_types_of_one_layer_that_differ_become_the_wider() -> None:
    layer = pytorch_layer()
    layer["lstm.bias_ih_l0"] = layer["lstm.bias_ih_l0"].astype("float64")
    (lstm,) = find_lstms(layer, "x.npz")
    assert lstm.spec.dtype == "float64"
    assert {array.dtype for array in lstm.weights.of(0, Direction.FORWARD).tensors().values()} == {np.dtype("float64")}


def test_what_has_no_such_name_is_no_lstm() -> None:
    assert find_lstms({}, "x.npz") == ()
    assert find_lstms({"W": np.ones((8, 3)), "dense.weight": np.ones((3, 2)), "dense/kernel": np.ones((3, 2))}, "x.npz") == ()


# --- names that do not tell -------------------------------------------------------------------------------------------


BOTH_WAYS = [name for name, convention in CONVENTIONS.items() if convention.names_directions]
"""Elsewhere the arrays of both directions have the same names, and modules name the direction: see `test_bidirectional`."""


@pytest.mark.parametrize(
    ("name", "bidirectional"), [*((name, False) for name in CONVENTIONS), *((name, True) for name in BOTH_WAYS)]
)
@pytest.mark.parametrize("module", ["", "deep/rnn/"])
def test_every_convention_reads_what_it_writes(name: str, bidirectional: bool, module: str) -> None:
    convention = CONVENTIONS[name]
    spec = Spec.from_options(
        1, 1, 3, 4, bidirectional=bidirectional, peepholes=convention.peephole is not None, dtype="float64"
    )
    weights = seeded_weights(spec, "pytorch", 5)
    named = {f"{module}{one}": array for one, _, array in export_layer(convention, weights.layers[0], 0)}
    (lstm,) = find_lstms(
        named if name != "pytorch" else {one.replace("/", "."): array for one, array in named.items()}, "x", name
    )
    assert lstm.framework == convention.framework
    assert lstm.spec == spec
    for way, part in weights.layers[0].items():
        for key, array in part.tensors().items():
            assert np.max(np.abs(lstm.weights.of(0, way).tensors()[key] - array)) < 1e-15
    assert set(lstm.tensors) == {one.replace("/", ".") if name == "pytorch" else one for one in named}


def test_other_names_are_left_alone_under_a_convention() -> None:
    layer = {**keras_layer(module="a/"), "dense/kernel": np.ones((3, 2))}
    assert [one.name for one in find_lstms(layer, "x.npz", "keras")] == ["a"]
    assert "x.npz#dense: it has no recurrent_kernel" in refused({"dense/kernel": np.ones((3, 2))}, "keras")


def test_one_bias_beside_the_names_of_pytorch_is_asked_about() -> None:
    both = without(pytorch_layer(layer=""), "lstm.bias_ih", "lstm.bias_hh")
    message = refused({**both, "lstm.bias": np.arange(8.0)})
    assert "Equinox and Core ML write these, with the gates in different orders" in message
    assert "--convention equinox or --convention coreml" in message
    equinox, coreml = (find_lstms({**both, "lstm.bias": np.arange(8.0)}, "x", name)[0] for name in ("equinox", "coreml"))
    assert equinox.spec == coreml.spec
    assert not same(equinox.weights, coreml.weights)


# --- what is no LSTM --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["_l0", ""])
def test_a_gru_of_pytorch_is_named(layer: str) -> None:
    gru = {f"enc.weight_ih{layer}": np.ones((12, 3)), f"enc.weight_hh{layer}": np.ones((12, 4))}
    assert "x.npz#enc: it is a GRU: it has 12 neurons for 4 units, three for each; only LSTMs are explained" in refused(gru)


def test_other_recurrent_layers_are_named() -> None:
    simple = {"enc.weight_ih_l0": np.ones((4, 3)), "enc.weight_hh_l0": np.ones((4, 4))}
    assert "x.npz#enc: it is a simple recurrent layer: it has one neuron for each of 4 units" in refused(simple)
    keras = {"gru/kernel": np.ones((3, 12)), "gru/recurrent_kernel": np.ones((4, 12)), "gru/bias": np.ones((2, 12))}
    assert "x.npz#gru: it is a GRU" in refused(keras)
    flax = {f"cell/{name}/kernel": np.ones((4, 4)) for name in ("ir", "iz", "in", "hr", "hz", "hn")}
    assert "x.npz#cell: it is a GRU" in refused(flax)


def test_beside_an_lstm_they_are_passed_over() -> None:
    gru = {"gru.weight_ih_l0": np.ones((12, 3)), "gru.weight_hh_l0": np.ones((12, 4))}
    assert [one.name for one in find_lstms({**gru, **pytorch_layer()}, "x.npz")] == ["lstm"]


# --- what does not fit ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left_out", "found"),
    [
        (["weight_ih_l0"], "x.npz#lstm: it has no weight_ih"),
        (["weight_hh_l0"], "x.npz#lstm: it has no weight_hh"),
        (["bias_ih_l0"], "x.npz#lstm: it has no bias_ih"),
        (["bias_hh_l0"], "x.npz#lstm: it has no bias_hh"),
        (["weight_hh_l1"], "x.npz#lstm: it has no weight_hh"),
        (["bias_ih_l1", "bias_hh_l1"], "some of its layers or directions have no bias"),
        (["bias_hh_l0", "bias_ih_l0"], "some of its layers or directions have no bias"),
        (
            [f"{name}_l0" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")],
            "x.npz#lstm: it has no weights of layer 0",
        ),
    ],
)
def test_a_missing_tensor_is_named(left_out: list[str], found: str) -> None:
    stack = {**pytorch_layer(3, 2), **pytorch_layer(2, 2, "_l1")}
    assert len(find_lstms(stack, "x.npz")[0].spec.layers) == 2
    assert found in refused(without(stack, *(f"lstm.{name}" for name in left_out)))


def test_a_missing_direction_or_layer_is_named() -> None:
    both = {**pytorch_layer(3, 2), **pytorch_layer(3, 2, "_l0_reverse"), **pytorch_layer(4, 2, "_l1")}
    assert "x.npz#lstm: it has no weights of layer 1 backward" in refused(both)
    assert "x.npz#lstm: it has no weights of" in refused(pytorch_layer(3, 2, "_l0_reverse"))
    assert "x.npz#lstm: it has no weights of layer 1 forward" in refused({**pytorch_layer(3, 2), **pytorch_layer(2, 2, "_l2")})
    assert "has no weights of layer 0 forward" in refused(pytorch_layer(3, 2, "_l999"))


@pytest.mark.parametrize("missing", ["kernel", "recurrent_kernel"])
def test_our_own_names_without_a_kernel(missing: str) -> None:
    own = {f"layer0.forward.{name[5:]}": array for name, array in keras_layer().items()}
    assert refused(without(own, f"layer0.forward.{missing}")).startswith(f"x.npz#lstm: it has no {missing}")


SHAPES = [(), (0,), (1,), (7,), (8,), (8, 0), (0, 8), (1, 1), (3, 8), (8, 3), (9, 3), (8, 4), (2, 8), (4, 8, 3), (1,) * 5]


Shapes = dict[str, set[tuple[int, ...]]]
PYTORCH_FITS: Shapes = {"weight_ih_l0": {(8, 3), (8, 4)}, "weight_hh_l0": set(), "bias_ih_l0": {(8,)}, "weight_hr_l0": set()}
OWN_FITS: Shapes = {
    "kernel": {(3, 8), (2, 8)},
    "recurrent_kernel": {(2, 8)},
    "bias": {(8,)},
    "projection": set(),
    "peephole": set(),
}
KERAS_FITS: Shapes = {name: OWN_FITS[name] for name in ("kernel", "recurrent_kernel", "bias")}


def unfit(fits: Shapes) -> list[tuple[str, tuple[int, ...]]]:
    """Each name with each shape that it may not have."""
    return [(name, shape) for name in fits for shape in SHAPES if shape not in fits[name]]


@pytest.mark.parametrize(("name", "shape"), unfit(PYTORCH_FITS))
def test_shapes_that_fit_nowhere_are_refused_in_pytorch(name: str, shape: tuple[int, ...]) -> None:
    layer = pytorch_layer(3, 2)
    refused({**layer, f"lstm.{name}": np.ones(shape)})


@pytest.mark.parametrize(
    ("name", "shape"), [*unfit(OWN_FITS), *((f"lstm/{name}", shape) for name, shape in unfit(KERAS_FITS))]
)
def test_shapes_that_fit_nowhere_are_refused_elsewhere(name: str, shape: tuple[int, ...]) -> None:
    prefix = "" if name.startswith("lstm/") else "layer0.forward."
    layer = {one.replace("lstm/", prefix or "lstm/"): array for one, array in keras_layer(3, 2).items()}
    refused({**layer, f"{prefix}{name}": np.ones(shape)})


@given(
    name=st.sampled_from(list(CONVENTIONS)),
    shape=st.lists(st.integers(0, 9), max_size=4),
    data=st.data(),
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_whatever_the_shapes_are_it_is_read_or_refused(name: str, shape: list[int], data: st.DataObject) -> None:
    convention = CONVENTIONS[name]
    spec = Spec.from_options(1, 1, 3, 2, peepholes=convention.peephole is not None)
    named = {one: array for one, _, array in export_layer(convention, seeded_weights(spec).layers[0], 0)}
    named[data.draw(st.sampled_from(list(named)))] = np.ones(shape, "float32")
    with suppress(InputFileError):
        (lstm,) = find_lstms(named, "x", name)
        assert lstm.spec.units > 0


def test_a_peephole_or_projection_of_ours_is_kept() -> None:
    spec = Spec.from_options(1, 1, 3, 4, projection=2, peepholes=True)
    part = seeded_weights(spec).of(0, Direction.FORWARD)
    (lstm,) = find_lstms({f"layer0.forward.{name}": array for name, array in part.tensors().items()}, "x")
    assert lstm.spec == spec
    assert isinstance(lstm.weights.of(0, Direction.FORWARD), LayerWeights)


@pytest.mark.parametrize(
    "module", ["\x1b[31mred\x1b[0m", "\u202eevil", "[bold]x[/bold]", "</script><script>", "x" * 5000, "\ud800"]
)
def test_names_are_safe_in_messages(module: str) -> None:
    refused({f"{module}.weight_ih_l0": np.ones((12, 3)), f"{module}.weight_hh_l0": np.ones((12, 4))})
    refused({f"{module}.weight_ih_l0": np.ones((8, 3)), f"{module}.weight_hh_l0": np.ones((9, 2))})


def test_a_cell_without_bias_is_asked_for_beside_layers_that_say_they_are_anothers() -> None:
    """Core ML orders the gates otherwise, and of a cell without bias the names do not tell."""
    arrays = {f"{module}.{name}": np.ones((8, 2)) for module in "ab" for name in ("weight_ih", "weight_hh")}
    alone = find_lstms(arrays, "x")
    assert [one.title for one in alone] == ["torch.nn.LSTMCell"] * 2
    assert all("for Core ML add --convention coreml" in note for one in alone for note in one.notes)
    with pytest.raises(InputFileError, match="--convention coreml"):
        find_lstms({**arrays, "a.bias": np.ones(8)}, "x")
    biased = {"c.weight_ih_l0": np.ones((8, 2)), "c.weight_hh_l0": np.ones((8, 2))}
    (lstm,) = find_lstms({**arrays, "a.bias": np.ones(8), **biased}, "x")
    assert (lstm.name, [one.name for one in lstm.unsupported]) == ("c", ["a", "b"])
    assert "it is next to layers that Equinox or Core ML wrote" in lstm.unsupported[1].reason
