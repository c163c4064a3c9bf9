"""The derivatives of one timestep: against difference quotients of the reference step, and which of them are 0 exactly."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.cell import step
from lstm_explain.core.engine import forward
from lstm_explain.core.gates import GATES, Direction
from lstm_explain.core.jacobian import Jacobian, Slopes, gate_slopes, jacobian_bytes, step_jacobian
from lstm_explain.library import seeded
from tests.helpers.random_lstms import random_lstms, random_state

if TYPE_CHECKING:
    from lstm_explain.core.record import LayerRecord
    from lstm_explain.core.weights import LayerWeights

Array = np.ndarray[Any, np.dtype[Any]]

APART = 1e-5
"""How far a number is moved to each side for a difference quotient."""
TOLERANCE = 1e-8
"""A difference quotient errs by about APART**2 of the third derivative, 1e-10, and by rounding / APART, 1e-11."""
few = settings(max_examples=60, deadline=None)


class Place(NamedTuple):
    """One timestep of one sample in one layer and direction of a run that began anywhere."""

    weights: LayerWeights
    part: LayerRecord
    sample: int
    t: int
    length: int

    @property
    def read(self) -> tuple[Array, Array, Array]:
        """x_t, h and c before the timestep; [1, ...] each."""
        h, c = self.part.before(self.sample, self.t, self.length)
        return self.part.input[self.sample, self.t - 1][None], h[None], c[None]

    @property
    def slopes(self) -> Slopes:
        """[1, units]"""
        own = self.part.of_sample(self.sample, self.length)
        before = self.part.states_before(self.sample, self.length).cell[None]
        return gate_slopes(self.weights, own, before).at(0).at(slice(self.t - 1, self.t))

    @property
    def derivatives(self) -> dict[str, Array]:
        """[what moves, what moves it]"""
        return {name: array[0] for name, array in step_jacobian(self.weights, self.slopes)._asdict().items()}


@st.composite
def places(draw: st.DrawFn, /, **fixed: Any) -> Place:
    sizes = {"most_samples": 3, "most_timesteps": 5, "most_features": 4, "most_units": 6, "most_layers": 2, "dtype": "float64"}
    lstm = draw(random_lstms(**{**sizes, **fixed}))
    spec = lstm.spec
    start = random_state(spec, np.random.default_rng(draw(st.integers(0, 1000))))
    lengths = None if lstm.lengths is None else np.array(lstm.lengths)
    record = forward(spec, lstm.weights, lstm.inputs.block(0, spec.samples), start, lengths)
    layer, direction = draw(st.sampled_from(spec.layer_directions))
    sample = draw(st.integers(0, spec.samples - 1))
    length = record.length(sample)
    weights = lstm.weights.of(layer, direction)
    return Place(weights, record.of(layer, direction), sample, draw(st.integers(1, length)), length)


def quotients(place: Place) -> dict[str, Array]:
    """Every derivative by central differences of the reference step, a row of its batch for each number that is moved."""
    read = dict(zip(("input", "hidden", "cell"), place.read, strict=True))
    found: dict[str, Array] = {}
    for by, array in read.items():
        size = array.shape[1]
        ends = []
        for sign in (1, -1):
            batch = {name: np.repeat(each, size, axis=0) for name, each in read.items()}
            batch[by] = batch[by] + sign * APART * np.eye(size)
            ends.append(step(place.weights, batch["input"], batch["hidden"], batch["cell"]))
        for what, letter in (("hidden", "h"), ("cell", "c")):
            more, less = (getattr(end, letter) for end in ends)
            found[f"{what}_by_{by}"] = ((more - less) / (2 * APART)).T
    return found


@given(places())
@few
def test_every_derivative_is_the_difference_quotient_of_the_step(place: Place) -> None:
    expected, found = quotients(place), place.derivatives
    assert set(found) == set(expected)
    for name, matrix in found.items():
        assert matrix.shape == expected[name].shape, name
        np.testing.assert_allclose(matrix, expected[name], rtol=0, atol=TOLERANCE, err_msg=name)


@given(places())
@few
def test_the_memory_of_a_unit_is_moved_by_its_own_memory_alone(place: Place) -> None:
    found, units = place.derivatives, place.weights.units
    elsewhere = ~np.eye(units, dtype=bool)
    assert (found["cell_by_cell"][elsewhere] == 0).all()
    if place.weights.projection is None:
        assert (found["hidden_by_cell"][elsewhere] == 0).all()


@given(places(projection=1, units=4))
@few
def test_a_projection_lets_every_memory_move_every_number_of_h(place: Place) -> None:
    assert (place.derivatives["hidden_by_cell"] != 0).all()


@given(places(peepholes=False))
@few
def test_without_peepholes_memory_fades_by_the_forget_gate(place: Place) -> None:
    forget = place.part.forget_gate[place.sample, place.t - 1]
    np.testing.assert_array_equal(place.derivatives["cell_by_cell"].diagonal(), forget)


@given(places())
@few
def test_the_slope_of_what_a_unit_emits_by_the_output_gate_is_the_only_way_around_c(place: Place) -> None:
    found = place.slopes
    through_cell = found.cell_by_sum * found.emitted_by_cell[:, None]
    np.testing.assert_array_equal(found.emitted_by_sums[:, :-1], through_cell[:, :-1])
    np.testing.assert_array_equal(found.emitted_by_sums[:, -1], found.emitted_by_sum)
    assert (found.cell_by_sum[:, -1] == 0).all()


def test_slopes_of_all_samples_at_once_are_nan_where_there_is_padding() -> None:
    record = seeded(lengths=[4, 2, 1], units=3, peepholes=True).run()
    part = record.of(0, Direction.FORWARD)
    before = np.concatenate([part.initial_cell[:, None], part.cell[:, :-1]], axis=1)
    found = gate_slopes(seeded(units=3, peepholes=True).weights.of(0, Direction.FORWARD), part, before)
    padding = np.arange(4) >= np.array([4, 2, 1])[:, None]
    assert found.cell_by_sum.shape == (3, 4, len(GATES), 3)
    for array in (found.cell_by_cell, found.emitted_by_cell, found.emitted_by_sum):
        assert array.shape == (3, 4, 3)
        assert (np.isnan(array).all(axis=2) == padding).all()
        assert (np.isfinite(array).all(axis=2) == ~padding).all()


def test_derivatives_of_a_run_in_float32_are_float64() -> None:
    lstm = seeded(samples=1, units=3, projection=2, peepholes=True)
    part = lstm.run().of(0, Direction.FORWARD)
    weights = lstm.weights.of(0, Direction.FORWARD)
    found = gate_slopes(weights, part, part.states_before(0, 10).cell[None]).at(0)
    assert {array.dtype.name for array in (*found, *step_jacobian(weights, found))} == {"float64"}


def test_nan_stays_off_the_memories_of_others() -> None:
    """A unit whose numbers are nan does not make the zeros of the others nan."""
    slope = Slopes(np.zeros((1, 4, 3)), np.array([[np.nan, 0.5, 0.5]]), np.array([[np.nan, 1, 1]]), np.zeros((1, 3)))
    weights = seeded(units=3).weights.of(0, Direction.FORWARD)
    found = step_jacobian(weights, slope)
    for matrix in (found.cell_by_cell[0], found.hidden_by_cell[0]):
        np.testing.assert_array_equal(np.isnan(matrix), np.diag([True, False, False]))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("projection", [None, 40])
@pytest.mark.parametrize(("units", "features", "steps"), [(60, 5, 20), (50, 200, 10), (250, 1, 1), (50, 900, 1)])
def test_the_memory_that_is_announced_is_not_exceeded(
    projection: int | None, units: int, features: int, steps: int, dtype: str
) -> None:
    lstm = seeded(samples=1, timesteps=20, units=units, features=features, projection=projection, dtype=dtype)
    weights, part = lstm.weights.of(0, Direction.FORWARD), lstm.run().of(0, Direction.FORWARD)
    some = gate_slopes(weights, part, part.states_before(0, 20).cell[None]).at(0).at(slice(0, steps))
    tracemalloc.start()
    try:
        made: Jacobian = step_jacobian(weights, some)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(array.nbytes for array in made) <= jacobian_bytes(weights, steps)
    assert peak <= jacobian_bytes(weights, steps)
