"""Sizes and options: checked once, exact, frozen."""

from __future__ import annotations

import copy
import json
import math
import pickle
from dataclasses import FrozenInstanceError, astuple, fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.core.gates import Direction
from lstm_explain.core.spec import DEFAULT_OPTIONS, LAYER_OPTIONS, MAX_SIZE, LayerSpec, Spec
from lstm_explain.errors import UsageError
from tests.helpers.random_lstms import spec_options

SIZES = ("samples", "timesteps", "features", "units", "layers")
WHOLE = [True, False, 1.0, 2.5, math.nan, math.inf, "3", None, np.float64(3), [3], b"3"]


def spec_of(name: str, value: Any) -> Spec:
    options: dict[str, Any] = {name: value}
    return Spec.from_options(**options)


def test_the_defaults_are_the_founding_example() -> None:
    assert Spec().to_dict() == {
        "samples": 1000,
        "timesteps": 10,
        "features": 5,
        "units": 10,
        "layers": 1,
        "bidirectional": False,
        "projection": None,
        "bias": True,
        "peepholes": False,
        "dtype": "float32",
    }


@pytest.mark.parametrize("name", [*SIZES, "projection"])
@pytest.mark.parametrize("value", [0, -1, -(2**60)])
def test_a_size_below_one_is_refused(name: str, value: int) -> None:
    with pytest.raises(UsageError) as raised:
        spec_of(name, value)
    assert raised.value.asked == f"{name}={value}"
    assert "at least one" in raised.value.found
    assert raised.value.fix == "Give 1 or more"
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("name", [*SIZES, "projection"])
@pytest.mark.parametrize("value", WHOLE)
def test_a_size_that_is_no_whole_number_is_refused(name: str, value: Any) -> None:
    if (name in ("projection", "layers") and value is None) or (name == "units" and isinstance(value, list)):
        assert spec_of(name, value).layers == (LayerSpec(3 if name == "units" else 10),)
        return
    with pytest.raises(UsageError) as raised:
        spec_of(name, value)
    assert raised.value.asked == f"{name}={value!r}"
    assert raised.value.found == "this must be a whole number"


@pytest.mark.parametrize("name", [*SIZES, "projection"])
def test_a_size_that_json_readers_would_round_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        spec_of(name, 2**53)
    assert raised.value.asked == f"{name}=9007199254740992"
    assert "9007199254740991" in raised.value.found


@pytest.mark.parametrize("name", [name for name in SIZES if name != "layers"])
def test_the_largest_size_is_accepted(name: str) -> None:
    assert getattr(spec_of(name, MAX_SIZE), name) == 2**53 - 1


def test_more_than_a_thousand_layers_are_refused() -> None:
    assert len(Spec.from_options(layers=1000).layers) == 1000
    with pytest.raises(UsageError, match="layers=1001: more than 1000 layers are not supported"):
        Spec.from_options(layers=1001)


@given(st.integers(1, 2**31 - 1))
def test_whole_numbers_of_numpy_become_python_integers(size: int) -> None:
    for kind in (np.int32, np.int64, np.uint64):
        assert type(Spec.from_options(samples=kind(size)).samples) is int  # type: ignore[arg-type]
    assert Spec.from_options(samples=np.int64(size)) == Spec.from_options(samples=size)  # type: ignore[arg-type]


@pytest.mark.parametrize("units", [(8, 4), [8, 4], np.array([8, 4]), range(8, 0, -4)])
@pytest.mark.parametrize("layers", [None, 2])
def test_the_units_of_each_layer_make_a_stack(units: Any, layers: int | None) -> None:
    spec = Spec.from_options(units=units, layers=layers, bidirectional=True, projection=3)
    assert spec.layers == (LayerSpec(8, True, 3), LayerSpec(4, True, 3))
    assert spec.layer_units == (8, 4)
    assert Spec.from_options(**spec.to_dict()) == spec
    assert (spec.to_dict()["units"], spec.to_dict()["layers"], spec.to_dict()["projection"]) == (None, 2, 3)


@given(spec_options(unlike=False))
def test_equal_units_of_each_layer_are_a_stack_of_equal_layers(options: dict[str, Any]) -> None:
    spec = Spec.from_options(**options)
    sizes = (options["units"],) * options["layers"]
    assert Spec.from_options(**{**options, "units": sizes, "layers": None}) == Spec.from_options(**{**options, "units": sizes})
    assert Spec.from_options(**{**options, "units": sizes}) == spec
    assert spec.layer_units == options["units"]


def test_other_options_of_a_stack() -> None:
    spec = Spec.from_options(units=(8, 4), samples=3)
    assert not spec.options_differ
    assert spec.with_options(bias=False, samples=2) == Spec.from_options(units=(8, 4), samples=2, bias=False)
    assert spec.with_options(units=5) == Spec.from_options(units=5, samples=3)
    assert spec.with_options(units=(5, 4, 3)) == Spec.from_options(units=(5, 4, 3), samples=3)
    assert spec.with_options(units=5, layers=2) == Spec.from_options(units=5, layers=2, samples=3)
    assert Spec.from_options(layers=2).with_options(units=5) == Spec.from_options(units=5, layers=2)
    assert Spec.from_options(layers=2).with_options(units=(5, 4, 3)) == Spec.from_options(units=(5, 4, 3))
    with pytest.raises(UsageError, match="these are the units of 2 layers"):
        spec.with_options(layers=3)
    unlike = Spec.from_options(stack=[LayerSpec(8), LayerSpec(4, bias=False)])
    assert unlike.options_differ
    assert unlike.with_options(samples=2) == replace(unlike, samples=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": (8, 4), "layers": 3}, "units=[8, 4] layers=3: these are the units of 2 layers. Leave out layers, or give"),
        ({"units": (8,), "layers": 3}, "units=[8] layers=3: these are the units of 1 layer."),
        ({"units": (8, 4), "layers": 0}, "layers=0: there must be at least one layer."),
        ({"units": (8, 0)}, "units=0: a layer needs at least one unit."),
        ({"units": (8, 1.5)}, "units=1.5: this must be a whole number."),
        ({"units": ("8", 4)}, "units='8': this must be a whole number."),
        ({"units": ((8, 4),)}, "units=[8, 4]: this must be a whole number."),
        ({"units": "8,4"}, "units='8,4': this must be a whole number."),
        ({"units": ()}, "units=[]: a stack needs at least one layer. Give the units of each layer."),
        ({"units": (1,) * 1001}, "layers=1001: more than 1000 layers are not supported."),
        (
            {"units": (8, 4), "projection": 4},
            "projection=4: a projection must be smaller than the number of units, which is 4.",
        ),
    ],
)
def test_units_that_make_no_stack(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        Spec.from_options(**options)
    assert message in str(raised.value)


@given(units=st.integers(1, 100), projection=st.integers(1, 200))
def test_a_projection_is_smaller_than_the_units(units: int, projection: int) -> None:
    if projection < units:
        assert Spec.from_options(units=units, projection=projection).hidden == projection
        return
    with pytest.raises(UsageError) as raised:
        Spec.from_options(units=units, projection=projection)
    assert raised.value.asked == f"projection={projection}"
    assert str(units) in raised.value.found
    assert "leave it out" in raised.value.fix


@pytest.mark.parametrize("dtype", ["float16", "double", "", None, 32, np.float32])
def test_an_unknown_type_is_refused(dtype: Any) -> None:
    with pytest.raises(UsageError) as raised:
        Spec.from_options(dtype=dtype)
    assert raised.value.asked == f"dtype={dtype!r}"
    assert raised.value.found == "the types are float32 and float64"


def test_a_spec_is_frozen() -> None:
    for field in fields(Spec):
        with pytest.raises(FrozenInstanceError):
            setattr(Spec(), field.name, 1)


def test_bytes_of_a_number() -> None:
    assert Spec.from_options(dtype="float32").item_bytes == 4
    assert Spec.from_options(dtype="float64").item_bytes == 8


def test_one_direction_or_two() -> None:
    assert Spec().directions == (Direction.FORWARD,)
    assert Spec.from_options(bidirectional=True).directions == (Direction.FORWARD, Direction.BACKWARD)


@pytest.mark.parametrize(
    ("options", "hidden", "output"),
    [
        ({}, 10, 10),
        ({"bidirectional": True}, 10, 20),
        ({"projection": 3}, 3, 3),
        ({"projection": 3, "bidirectional": True}, 3, 6),
    ],
)
def test_each_layer_reads_the_output_of_the_one_below(options: dict[str, Any], hidden: int, output: int) -> None:
    spec = Spec.from_options(layers=3, **options)
    assert spec.hidden == hidden
    assert spec.output == output
    assert [spec.features_of(layer) for layer in range(3)] == [5, output, output]


# --- layers that differ -----------------------------------------------------------------------------------------------

FOUR = LayerSpec(6, bidirectional=True), LayerSpec(4, bias=False), LayerSpec(5, projection=2), LayerSpec(3, peepholes=True)


def specs(**options: Any) -> st.SearchStrategy[Spec]:
    return spec_options(**options).map(lambda drawn: Spec.from_options(**drawn))


@given(spec_options(unlike=False))
def test_a_stack_whose_layers_are_all_alike_is_no_stack(options: dict[str, Any]) -> None:
    plain = Spec.from_options(**options)
    layer = LayerSpec(*(getattr(plain, name) for name in LAYER_OPTIONS))
    batch = {name: value for name, value in options.items() if name not in (*LAYER_OPTIONS, "layers")}
    settled = Spec.from_options(**batch, stack=(layer,) * len(plain.layers))
    assert settled == plain
    assert not settled.layers_differ
    assert hash(settled) == hash(plain)


def test_what_layers_have_in_common_stands_in_the_spec_and_what_differs_does_not() -> None:
    spec = Spec.from_options(stack=(LayerSpec(6, bias=False), LayerSpec(4, bias=False, peepholes=True)))
    assert (len(spec.layers), spec.bias, spec.bidirectional, spec.projection) == (2, False, False, None)
    for name in ("units", "peepholes"):
        with pytest.raises(ValueError, match="the layers of this stack differ"):
            getattr(spec, name)


def test_the_stack_decides_and_not_what_stands_beside_it() -> None:
    beside = Spec.from_options(units=99, layers=7, bidirectional=True, projection=50, bias=False, peepholes=True, stack=FOUR)
    assert beside == Spec.from_options(stack=FOUR)
    assert Spec.from_options(units=0, layers=1001, stack=FOUR) == Spec.from_options(stack=FOUR)


@pytest.mark.parametrize("kind", [tuple, list])
def test_a_layer_may_be_given_as_any_sequence(kind: Any) -> None:
    given_as: Any = kind(kind(astuple(layer)) for layer in FOUR)
    assert Spec.from_options(stack=given_as) == Spec.from_options(stack=FOUR)
    short: Any = kind([kind([6]), kind([np.int64(4), True])])
    assert Spec.from_options(stack=short).layers == (LayerSpec(6), LayerSpec(4, True))
    assert all(type(layer) is LayerSpec and type(layer.units) is int for layer in Spec.from_options(stack=short).layers)


@given(specs())
def test_a_spec_can_be_made_again_from_its_plain_data(spec: Spec) -> None:
    assert Spec.from_options(**spec.to_dict()) == Spec.from_options(**json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize("nothing", [(), [], None])
def test_no_layers_of_their_own_are_no_stack(nothing: Any) -> None:
    assert Spec.from_options(stack=nothing) == Spec()
    assert not Spec.from_options(stack=nothing).layers_differ


@pytest.mark.parametrize(
    "layer", [3, None, 2.5, (), {}, {"unit": 3}, (3, True, None, True, False, 1), {"units": 3, "dtype": "float64"}]
)
def test_what_is_no_layer_is_refused(layer: Any) -> None:
    with pytest.raises(UsageError) as raised:
        Spec.from_options(stack=(LayerSpec(6), layer))
    assert raised.value.asked == f"stack with {layer!r}"
    assert raised.value.found == "these are not the options of a layer"
    assert raised.value.fix == "A layer has units, bidirectional, projection, bias, peepholes"


@pytest.mark.parametrize("stack", [3, 2.5, True, {1, 2}])
def test_what_is_no_sequence_of_layers_is_refused(stack: Any) -> None:
    with pytest.raises(UsageError) as raised:
        Spec.from_options(stack=stack)
    assert (raised.value.asked, raised.value.found) == (f"stack={stack!r}", "this is not a list of layers")


@pytest.mark.parametrize("name", [*LAYER_OPTIONS, "hidden", "hidden_axis", "directions"])
def test_an_option_in_which_layers_differ_has_no_common_value(name: str) -> None:
    with pytest.raises(ValueError, match="use `layers` or `for_layer`"):
        getattr(Spec(layers=FOUR), name)


def test_layers_survive_a_replacement_and_a_copy() -> None:
    spec = Spec(layers=FOUR)
    for other in (replace(spec, samples=3), copy.deepcopy(spec), pickle.loads(pickle.dumps(spec))):
        assert other.layers == FOUR
    assert replace(spec, samples=3).samples == 3
    assert copy.deepcopy(spec) == spec == pickle.loads(pickle.dumps(spec))


@given(specs(), st.integers(1, 9))
def test_other_options_replace_those_of_every_layer(spec: Spec, samples: int) -> None:
    other = spec.with_options(samples=samples)
    assert (other.samples, other.layers) == (samples, spec.layers)
    if not spec.layers_differ:
        assert {layer.units for layer in spec.with_options(units=77).layers} == {77}


def test_the_options_have_defaults() -> None:
    assert Spec.from_options(**DEFAULT_OPTIONS) == Spec() == Spec.from_options()


def test_one_layer_alone() -> None:
    spec = Spec.from_options(samples=3, timesteps=4, features=2, dtype="float64", stack=FOUR)
    batch: dict[str, Any] = {"samples": 3, "timesteps": 4, "dtype": "float64"}
    assert [spec.for_layer(layer) for layer in range(4)] == [
        Spec.from_options(**batch, features=2, units=6, bidirectional=True),
        Spec.from_options(**batch, features=12, units=4, bias=False),
        Spec.from_options(**batch, features=4, units=5, projection=2),
        Spec.from_options(**batch, features=2, units=3, peepholes=True),
    ]
    assert [spec.features_of(layer) for layer in range(4)] == [2, 12, 4, 2]
    assert [spec.layers[layer].output for layer in range(4)] == [12, 4, 2, 3]
    assert spec.output == 3


@given(specs())
def test_what_a_spec_says_of_a_layer_is_what_the_layer_alone_says(spec: Spec) -> None:
    places = []
    for layer in range(len(spec.layers)):
        own = spec.for_layer(layer)
        assert (own.samples, own.timesteps, own.dtype) == (spec.samples, spec.timesteps, spec.dtype)
        assert own.layers == (spec.layers[layer],)
        assert own.for_layer(0) == own
        assert (spec.features_of(layer), spec.layers[layer].output) == (own.features, own.output)
        assert own.features == (spec.features if layer == 0 else spec.for_layer(layer - 1).output)
        assert own.output == own.hidden * len(own.directions)
        places += [(layer, way) for way in own.directions]
    assert spec.layer_directions == tuple(places)
    assert spec.output == spec.for_layer(len(spec.layers) - 1).output
    assert spec.has_backward is any(way is Direction.BACKWARD for _, way in places)


@given(specs())
def test_each_unlike_layer_stands_for_as_many_as_it_says(spec: Spec) -> None:
    assert sum(times for _, times in spec.layer_groups) == len(spec.layers)
    counted = [replace(spec.for_layer(layer), features=1) for layer, times in spec.layer_groups for _ in range(times)]
    assert counted == [replace(spec.for_layer(layer), features=1) for layer in range(len(spec.layers))]
    assert [spec.for_layer(layer).features for layer, times in spec.layer_groups for _ in range(times)] == [
        spec.features_of(layer) for layer in range(len(spec.layers))
    ]


def test_the_places_are_in_the_order_of_the_last_states() -> None:
    forward, backward = Direction
    ways = {1: (forward,), 2: (forward, backward)}
    spec = Spec.from_options(stack=(LayerSpec(2), LayerSpec(2, True), LayerSpec(3)))
    assert spec.layer_directions == ((0, forward), (1, forward), (1, backward), (2, forward))
    assert Spec.from_options(layers=2, bidirectional=True).layer_directions == tuple(
        (layer, way) for layer in (0, 1) for way in ways[2]
    )


@given(specs())
def test_as_plain_data_what_differs_is_null_and_stands_for_each_layer(spec: Spec) -> None:
    found = spec.to_dict()
    assert json.loads(json.dumps(found)) == found
    assert ("stack" in found) is bool(spec.layers_differ)
    for name in LAYER_OPTIONS:
        values = [getattr(spec.for_layer(layer), name) for layer in range(len(spec.layers))]
        assert found[name] == (values[0] if len(set(values)) == 1 else None)
        if spec.layers_differ:
            assert [layer[name] for layer in found["stack"]] == values


@pytest.mark.parametrize(
    ("options", "asked", "found"),
    [
        ((0,), "units=0", "a layer needs at least one unit"),
        ((2.5,), "units=2.5", "this must be a whole number"),
        ((True,), "units=True", "this must be a whole number"),
        ((2**53,), "units=9007199254740992", "sizes above 9007199254740991 (2**53 - 1) are not supported"),
        ((4, False, 4), "projection=4", "a projection must be smaller than the number of units, which is 4"),
        ((4, False, 0), "projection=0", "h needs at least one number"),
        ((4, False, None, 1), "bias=1", "this option is True or False"),
        ((4, None), "bidirectional=None", "this option is True or False"),
        ((4, False, None, True, "no"), "peepholes='no'", "this option is True or False"),
    ],
    ids=str,
)
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_layer_that_breaks_a_rule_is_refused(options: tuple[Any, ...], asked: str, found: str, index: int) -> None:
    with pytest.raises(UsageError) as raised:
        LayerSpec(*options)
    assert (raised.value.asked, raised.value.found) == (asked, found)
    stack: list[Any] = [LayerSpec(6), LayerSpec(7)]
    stack.insert(index, options)
    with pytest.raises(UsageError) as raised:
        Spec.from_options(stack=tuple(stack))
    assert (raised.value.asked, raised.value.found) == (asked, found)


def test_more_than_a_thousand_layers_that_differ_are_refused_too() -> None:
    many = (LayerSpec(1), LayerSpec(2)) * 500
    assert (len(Spec(layers=many).layers), len(Spec(layers=many).layer_directions)) == (1000, 1000)
    for more in ((*many, LayerSpec(3)), (LayerSpec(1),) * 1001):
        with pytest.raises(UsageError, match="layers=1001: more than 1000 layers are not supported"):
            Spec.from_options(stack=more)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (Spec(), "samples=1000, timesteps=10, features=5, units=10"),
        (Spec.from_options(units=(64, 32)), "samples=1000, timesteps=10, features=5, units=(64, 32)"),
        (
            Spec.from_options(layers=2, bidirectional=True, bias=False, dtype="float64"),
            "samples=1000, timesteps=10, features=5, units=10, layers=2, bidirectional=True, bias=False, dtype='float64'",
        ),
        (
            Spec(2, 3, 4, (LayerSpec(6, bidirectional=True), LayerSpec(6, projection=2))),
            "samples=2, timesteps=3, features=4, units=6, layers=2, bidirectional=mixed, projection=mixed",
        ),
        (Spec.from_options(units=range(1, 12)), "units=(1, 2, 3, 4, 5, 6, 7, 8, ...)"),
    ],
)
def test_a_spec_is_described_in_a_line(spec: Spec, text: str) -> None:
    assert spec.describe().endswith(text)
    assert "\n" not in spec.describe()
