"""Stacks of layers that are not alike: for the properties of every topic, and as a model file."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lstm_explain.core.spec import LayerSpec
from tests.helpers.model_files.keras import arrays, keras2, layer, legacy, sequential

MIXED = (LayerSpec(6, bidirectional=True), LayerSpec(4, bias=False), LayerSpec(3))
"""Each layer differs from the others: 6 units in both directions, 4 without bias, 3."""
FEATURES = 2


@st.composite
def stacks(draw: st.DrawFn, /, most_units: int = 5, most_layers: int = 3, **fixed: Any) -> tuple[LayerSpec, ...]:
    """Layers drawn one by one; `fixed` are options that all of them have."""
    return tuple(draw(_layers(most_units, fixed)) for _ in range(draw(st.integers(2, most_layers))))


@st.composite
def _layers(draw: st.DrawFn, most_units: int, fixed: dict[str, Any]) -> LayerSpec:
    units = draw(st.integers(1, most_units))
    options = {
        "bidirectional": draw(st.booleans()),
        "projection": draw(st.none() | st.integers(1, units - 1)) if units > 1 else None,
        "bias": draw(st.booleans()),
        "peepholes": draw(st.booleans()),
    }
    return LayerSpec(units, **{**options, **fixed})


def mixed_file() -> bytes:
    """A Keras HDF5 file whose layers a, b and c are those of `MIXED`, over samples of `FEATURES` features: `FILE#a+b+c`."""
    ways = {f"{way}_lstm": arrays(seed, FEATURES, MIXED[0].units) for seed, way in enumerate(("forward", "backward"))}
    without = arrays(2, 2 * MIXED[0].units, MIXED[1].units)
    del without["bias"]
    tensors = {
        "a": {f"a/{path}": array for way, one in ways.items() for path, array in keras2(way, one).items()},
        "b": keras2("b", without),
        "c": keras2("c", arrays(3, MIXED[1].units, MIXED[2].units)),
    }
    both = layer("Bidirectional", "a", layer=layer("LSTM", "lstm"), merge_mode="concat")
    return legacy(tensors, sequential(both, layer("LSTM", "b", use_bias=False), layer("LSTM", "c")))
