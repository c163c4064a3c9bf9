"""Sizes and options: checked once, exact, frozen."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explain.core.gates import Direction
from lstm_explain.core.spec import LARGEST_SIZE, Spec
from lstm_explain.errors import UsageError

SIZES = ("samples", "timesteps", "features", "units", "layers")
WHOLE = [True, False, 1.0, 2.5, math.nan, math.inf, "3", None, np.float64(3), [3], b"3"]


def spec_of(name: str, value: Any) -> Spec:
    options: dict[str, Any] = {name: value}
    return Spec(**options)


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
    assert raised.value.asked == f"--{name} {value}"
    assert "at least one" in raised.value.found
    assert raised.value.fix == "Give 1 or more"
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("name", [*SIZES, "projection"])
@pytest.mark.parametrize("value", WHOLE)
def test_a_size_that_is_no_whole_number_is_refused(name: str, value: Any) -> None:
    if name == "projection" and value is None:
        assert Spec(projection=None).projection is None
        return
    with pytest.raises(UsageError) as raised:
        spec_of(name, value)
    assert raised.value.asked == f"--{name} {value!r}"
    assert raised.value.found == "this is no whole number"


@pytest.mark.parametrize("name", [*SIZES, "projection"])
def test_a_size_that_json_readers_would_round_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        spec_of(name, 2**53)
    assert raised.value.asked == f"--{name} 9007199254740992"
    assert "9007199254740991" in raised.value.found


@pytest.mark.parametrize("name", [name for name in SIZES if name != "layers"])
def test_the_largest_size_is_accepted(name: str) -> None:
    assert getattr(spec_of(name, LARGEST_SIZE), name) == 2**53 - 1


def test_more_than_a_thousand_layers_are_refused() -> None:
    assert Spec(layers=1000).layers == 1000
    with pytest.raises(UsageError, match="--layers 1001: more than 1000 layers are not supported"):
        Spec(layers=1001)


@given(st.integers(1, 2**31 - 1))
def test_whole_numbers_of_numpy_become_python_integers(size: int) -> None:
    for kind in (np.int32, np.int64, np.uint64):
        assert type(Spec(samples=kind(size)).samples) is int  # type: ignore[arg-type]
    assert Spec(samples=np.int64(size)) == Spec(samples=size)  # type: ignore[arg-type]


@given(units=st.integers(1, 100), projection=st.integers(1, 200))
def test_a_projection_is_smaller_than_the_units(units: int, projection: int) -> None:
    if projection < units:
        assert Spec(units=units, projection=projection).hidden == projection
        return
    with pytest.raises(UsageError) as raised:
        Spec(units=units, projection=projection)
    assert raised.value.asked == f"--projection {projection}"
    assert str(units) in raised.value.found
    assert "leave it out" in raised.value.fix


@pytest.mark.parametrize("dtype", ["float16", "double", "", None, 32, np.float32])
def test_an_unknown_type_is_refused(dtype: Any) -> None:
    with pytest.raises(UsageError) as raised:
        Spec(dtype=dtype)
    assert raised.value.asked == f"--dtype {dtype}"
    assert raised.value.found == "the types are float32 and float64"


def test_a_spec_is_frozen() -> None:
    for field in fields(Spec):
        with pytest.raises(FrozenInstanceError):
            setattr(Spec(), field.name, 1)


def test_bytes_of_a_number() -> None:
    assert Spec(dtype="float32").item_bytes == 4
    assert Spec(dtype="float64").item_bytes == 8


def test_one_direction_or_two() -> None:
    assert Spec().directions == (Direction.FORWARD,)
    assert Spec(bidirectional=True).directions == (Direction.FORWARD, Direction.BACKWARD)


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
    spec = Spec(layers=3, **options)
    assert spec.hidden == hidden
    assert spec.output == output
    assert [spec.features_of(layer) for layer in range(3)] == [5, output, output]
