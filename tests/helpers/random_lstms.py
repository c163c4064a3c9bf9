"""Sizes and options drawn at random, for the tests of every stage: of layers alike, or of a stack whose layers differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from lstm_explain.core.engine import StackState
from lstm_explain.core.spec import INITS
from lstm_explain.library import seeded
from tests.helpers.mixed_stacks import stacks

if TYPE_CHECKING:
    import numpy as np

    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec


@st.composite
def spec_options(
    draw: st.DrawFn,
    /,
    most_samples: int = 6,
    most_timesteps: int = 9,
    most_features: int = 5,
    most_units: int = 9,
    most_layers: int = 3,
    unlike: bool = True,
    **fixed: Any,
) -> dict[str, Any]:
    """The arguments of `Spec`; `fixed` are options that are not drawn.

    `unlike`: about one in four is a stack of layers that differ. A layer that is asked to be without a projection or to read
    forward only is so in such a stack too.
    """
    batch = {
        "samples": draw(st.integers(1, most_samples)),
        "timesteps": draw(st.integers(1, most_timesteps)),
        "features": draw(st.integers(1, most_features)),
        "dtype": draw(st.sampled_from(["float32", "float64"])),
    }
    of_layers = {name: value for name, value in fixed.items() if name not in batch}
    if unlike and not {"units", "layers"} & set(of_layers) and draw(st.sampled_from([False, False, True])):
        stack = draw(stacks(most_units, most_layers, **of_layers))
        return {**batch, **{name: value for name, value in fixed.items() if name in batch}, "stack": stack}
    units = draw(st.integers(1, most_units))
    layers = {
        "units": units,
        "layers": draw(st.integers(1, most_layers)),
        "bidirectional": draw(st.booleans()),
        "projection": draw(st.none() | st.integers(1, units - 1)) if units > 1 else None,
        "bias": draw(st.booleans()),
        "peepholes": draw(st.booleans()),
    }
    return {**batch, **layers, **fixed}


@st.composite
def random_lstms(draw: st.DrawFn, /, **options: Any) -> LSTM:
    """A seeded LSTM, with lengths in one of two; `options` are as in `spec_options`, and the rest of what `seeded` takes."""
    own = {name: options.pop(name) for name in ("init", "seed", "lengths", "max_memory") if name in options}
    sizes = draw(spec_options(**options))
    samples, length = sizes["samples"], st.integers(1, sizes["timesteps"])
    drawn: dict[str, Any] = {
        "init": draw(st.sampled_from(INITS)),
        "seed": draw(st.integers(0, 1000)),
        "lengths": draw(st.none() | st.lists(length, min_size=samples, max_size=samples)),
    }
    return seeded(**(sizes | drawn | own))


def options_of(spec: Spec) -> dict[str, Any]:
    """The arguments that make this spec again."""
    return spec.to_dict()


def words_of(spec: Spec) -> dict[str, int]:
    """The sizes by the words that formulas have for them; where layers differ, each layer has words of its own."""
    batch = {name: spec.to_dict()[name] for name in ("samples", "timesteps", "features", "layers")}
    if not spec.layers_differ:
        return {**batch, "units": spec.units, "projection": spec.projection or 0}
    own = [(layer, spec.for_layer(layer)) for layer in range(len(spec.layers))]
    units = {f"units_{layer}": one.units for layer, one in own}
    return {**batch, **units, **{f"projection_{layer}": one.projection for layer, one in own if one.projection is not None}}


def random_state(spec: Spec, rng: np.random.Generator) -> StackState:
    """States that a run may start from: h as a unit may emit it, c of any size."""
    layers = [spec.for_layer(layer) for layer, _ in spec.layer_directions]
    return StackState(
        tuple(rng.uniform(-1, 1, (spec.samples, one.hidden)).astype(spec.dtype) for one in layers),
        tuple(rng.normal(size=(spec.samples, one.units)).astype(spec.dtype) for one in layers),
    )
