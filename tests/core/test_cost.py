"""Cost from the sizes alone, against the founding example and against runs that were measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core import cost
from lstm_explain.core.gates import GATES
from lstm_explain.core.spec import Spec
from lstm_explain.library import seeded
from tests.helpers.random_lstms import options_of, spec_options

few = settings(max_examples=60, deadline=None)


def specs(**options: Any) -> st.SearchStrategy[Spec]:
    sizes = spec_options(most_timesteps=6, most_features=6, most_units=8, **options)
    return sizes.map(lambda drawn: Spec.from_options(**drawn))


def test_the_founding_example() -> None:
    spec = Spec()
    assert cost.macs_per_step(spec) == 600
    assert cost.macs_per_step(spec) * spec.samples * spec.timesteps == 6_000_000
    assert cost.activations_per_step(spec) == 50
    assert cost.products_per_step(spec) == 30
    assert cost.weight_bytes(spec) == 4 * 640
    assert cost.input_bytes(spec) == 4 * 50_000
    assert cost.step_bytes(spec) == 4 * 1000 * 60
    assert cost.record_bytes(spec) == 4 * 1000 * (10 * 60 + 20)


def test_a_bias_is_no_multiplication() -> None:
    assert cost.macs_per_step(Spec.from_options(bias=False)) == cost.macs_per_step(Spec.from_options(bias=True))


def test_what_each_option_adds() -> None:
    assert cost.macs_per_step(Spec.from_options(peepholes=True)) == 600 + 3 * 10
    assert cost.macs_per_step(Spec.from_options(projection=3)) == 4 * 10 * (5 + 3) + 10 * 3
    assert cost.macs_per_step(Spec.from_options(layers=2)) == 600 + 4 * 10 * 20
    assert cost.macs_per_step(Spec.from_options(bidirectional=True)) == 2 * 600
    assert cost.macs_per_step(Spec.from_options(bidirectional=True, layers=2)) == 2 * 600 + 2 * 4 * 10 * 30


@given(specs())
@few
def test_every_weight_but_the_biases_is_multiplied_once_in_a_timestep(spec: Spec) -> None:
    weights = seeded(**options_of(spec)).weights
    multiplied = [
        array.size
        for parts in weights.layers
        for part in parts.values()
        for name, array in part.tensors().items()
        if name != "bias"
    ]
    assert cost.macs_per_step(spec) == sum(multiplied)


@given(specs())
@few
def test_bytes_are_those_of_the_arrays_of_a_run(spec: Spec) -> None:
    lstm = seeded(**options_of(spec))
    record = lstm.run()
    parts = [part for directions in record.layers for part in directions.values()]
    steps = [array for part in parts for array in (*(part.gate(gate) for gate in GATES), part.cell, part.hidden)]
    initial = [array for part in parts for array in (part.initial_cell, part.initial_hidden)]
    weights = [array for part in lstm.weights.layers for one in part.values() for array in one.tensors().values()]
    assert cost.weight_bytes(spec) == sum(array.nbytes for array in weights)
    assert cost.input_bytes(spec) == record.input.nbytes
    assert cost.step_bytes(spec) == sum(array[:, 0].nbytes for array in steps)
    assert cost.record_bytes(spec) == sum(array.nbytes for array in [*steps, *initial])


@given(specs())
@few
def test_a_run_needs_at_least_what_it_keeps(spec: Spec) -> None:
    kept = cost.record_bytes(spec) + cost.weight_bytes(spec) + cost.input_bytes(spec)
    assert cost.run_bytes(spec) >= kept


@given(specs(), st.data())
@few
def test_more_of_anything_never_needs_less_memory(spec: Spec, data: st.DataObject) -> None:
    more = data.draw(st.sampled_from(larger(spec)))
    assert cost.run_bytes(more) >= cost.run_bytes(spec)
    assert cost.macs_per_step(more) >= cost.macs_per_step(spec)


def larger(spec: Spec) -> list[Spec]:
    """The same with twice as much of one thing: of the batch, of the units of a layer, or of the layers."""
    batch = [replace(spec, **{name: 2 * getattr(spec, name)}) for name in ("samples", "timesteps", "features")]
    if not spec.layers_differ:
        return [*batch, spec.with_options(units=2 * spec.units), replace(spec, layers=2 * spec.layers)]
    stacks = [spec.layers + spec.layers[-1:]]
    for index, layer in enumerate(spec.layers):
        stacks.append((*spec.layers[:index], replace(layer, units=2 * layer.units), *spec.layers[index + 1 :]))
    return batch + [replace(spec, layers=layers) for layers in stacks]


def test_costs_are_exact_beyond_64_bits() -> None:
    spec = Spec.from_options(samples=10**12, timesteps=10**12)
    assert cost.input_bytes(spec) == 20 * 10**24
    assert cost.step_bytes(spec) == 240 * 10**12
    assert type(cost.run_bytes(spec)) is int
