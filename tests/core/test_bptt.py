"""Back through time: against products of the steps' derivatives, and difference quotients of whole runs."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.bptt import GradientRows, Trajectory, backpropagate, bptt_bytes, hidden_by_network_input, trajectory_of
from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.gates import Direction
from lstm_explain.core.jacobian import step_jacobian
from lstm_explain.library import seeded
from tests.helpers.random_lstms import random_lstms, random_state

if TYPE_CHECKING:
    from lstm_explain.core.record import Record
    from lstm_explain.core.spec import Spec
    from lstm_explain.core.weights import Weights

Array = np.ndarray[Any, np.dtype[Any]]

APART = 1e-5
"""How far a number is moved to each side for a difference quotient."""
TOLERANCE = 1e-8
"""A difference quotient errs by about APART**2 of the third derivative, 1e-10, and by rounding / APART, 1e-11."""
EXACT = 1e-13
"""Two orders of the same multiplications; the derivatives are of about 1, or smaller."""
few = settings(max_examples=40, deadline=None)


class Run(NamedTuple):
    """A run that began anywhere, and one of its samples in one layer and direction."""

    spec: Spec
    weights: Weights
    inputs: Array
    initial: StackState
    lengths: Array | None
    record: Record
    sample: int
    layer: int
    direction: Direction

    @property
    def length(self) -> int:
        return self.record.length(self.sample)

    @property
    def course(self) -> Trajectory:
        return trajectory_of(self.weights, self.record, self.layer, self.direction, self.sample)

    @property
    def own(self) -> Spec:
        """The sizes and options of the layer."""
        return self.spec.for_layer(self.layer)

    @property
    def state(self) -> int:
        """Which of the initial states belong to the layer and direction."""
        return self.spec.layer_directions.index((self.layer, self.direction))

    def again(self, inputs: Array, initial: StackState) -> Record:
        """The sample alone, as often as there are inputs for it: [times, timesteps, features]."""
        spec = replace(self.spec, samples=len(inputs))
        return forward(spec, self.weights, inputs, initial, np.full(len(inputs), self.length))

    def repeated(self, times: int) -> tuple[Array, StackState]:
        """What the sample reads and starts from, `times` times."""
        inputs = np.repeat(self.inputs[self.sample][None], times, axis=0)
        return inputs, StackState(
            *(tuple(np.repeat(one[self.sample][None], times, axis=0) for one in each) for each in self.initial)
        )

    def ends(self, record: Record) -> tuple[Array, Array]:
        """The last h and c of every sample; [samples, hidden or units]"""
        part = record.of(self.layer, self.direction)
        return part.last_hidden, part.last_cell


@st.composite
def runs(draw: st.DrawFn, /, **fixed: Any) -> Run:
    sizes = {"most_samples": 3, "most_timesteps": 6, "most_features": 3, "most_units": 5, "dtype": "float64"}
    lstm = draw(random_lstms(**{**sizes, **fixed}))
    spec = lstm.spec
    start = random_state(spec, np.random.default_rng(draw(st.integers(0, 1000))))
    lengths = None if lstm.lengths is None else np.array(lstm.lengths)
    inputs = lstm.inputs.block(0, spec.samples)
    record = forward(spec, lstm.weights, inputs, start, lengths)
    sample, place = draw(st.integers(0, spec.samples - 1)), draw(st.sampled_from(spec.layer_directions))
    return Run(spec, lstm.weights, inputs, start, lengths, record, sample, *place)


def every_row(way: Trajectory) -> list[GradientRows]:
    """Back from the whole last state: a row for each number of h, and for each of c."""
    hidden, units = len(way.weights.recurrent_kernel), way.weights.units
    last = np.eye(hidden + units)
    return list(backpropagate(way, last[:, :hidden], last[:, hidden:]))


# --- one layer --------------------------------------------------------------------------------------------------------


@given(runs())
@few
def test_what_is_carried_back_is_the_product_of_the_steps_derivatives(run: Run) -> None:
    way, rows = run.course, every_row(run.course)
    steps = step_jacobian(way.weights, way.slopes)
    carried = np.eye(run.own.hidden + run.own.units)
    assert [each.timestep for each in rows] == [*reversed(way.order), 0]
    for each in rows:
        np.testing.assert_allclose(np.hstack([each.by_hidden, each.by_cell]), carried, rtol=0, atol=EXACT)
        if each.timestep:
            one = each.timestep - 1
            by_hidden = np.vstack([steps.hidden_by_hidden[one], steps.cell_by_hidden[one]])
            by_cell = np.vstack([steps.hidden_by_cell[one], steps.cell_by_cell[one]])
            by_input = np.vstack([steps.hidden_by_input[one], steps.cell_by_input[one]])
            np.testing.assert_allclose(each.by_input, carried @ by_input, rtol=0, atol=EXACT)
            carried = carried @ np.hstack([by_hidden, by_cell])
    assert rows[-1].by_input.shape == (len(carried), 0)


@given(runs())
@few
def test_the_last_state_by_the_first_is_the_difference_quotient_of_the_run(run: Run) -> None:
    *_, first = every_row(run.course)
    for by, found in (("hidden", first.by_hidden), ("cell", first.by_cell)):
        size = found.shape[1]
        ends = []
        for sign in (1, -1):
            inputs, initial = run.repeated(size)
            start = getattr(initial, by)[run.state]
            start += sign * APART * np.eye(size)
            ends.append(np.hstack(run.ends(run.again(inputs, initial))))
        np.testing.assert_allclose(found, ((ends[0] - ends[1]) / (2 * APART)).T, rtol=0, atol=TOLERANCE, err_msg=by)


@given(runs())
@few
def test_the_order_is_the_one_in_which_the_direction_reads(run: Run) -> None:
    order = list(run.course.order)
    assert order == (list(range(1, run.length + 1)) if run.direction is Direction.FORWARD else list(range(run.length, 0, -1)))
    assert run.course.slopes.cell_by_cell.shape == (run.length, run.own.units)
    assert all(np.isfinite(array).all() for array in run.course.slopes)


@given(runs(layers=1), st.integers(0, 1000))
@few
def test_what_every_timestep_adds_is_carried_with_the_rest(run: Run, seed: int) -> None:
    """A number made of the last state and of h at every timestep, by the input; against difference quotients of runs."""
    rng, steps, hidden, units = np.random.default_rng(seed), run.length, run.spec.hidden, run.spec.units
    by_hidden, by_cell, by_output = rng.normal(size=hidden), rng.normal(size=units), rng.normal(size=(steps, hidden))

    def number(record: Record) -> Array:
        last_hidden, last_cell = run.ends(record)
        seen = record.of(run.layer, run.direction).hidden[:, :steps]
        result: Array = last_hidden @ by_hidden + last_cell @ by_cell + (seen * by_output).sum(axis=(1, 2))
        return result

    rows = list(backpropagate(run.course, by_hidden[None], by_cell[None], by_output[:, None]))
    found = np.empty((steps, run.spec.features))
    for each in rows[:-1]:
        found[each.timestep - 1] = each.by_input[0]
    np.testing.assert_allclose(found, quotient_by_input(run, number)[..., 0], rtol=0, atol=10 * TOLERANCE)


def quotient_by_input(run: Run, measured: Any) -> Array:
    """A row of numbers of each run, by every number that the network reads; [timesteps, features, numbers]"""
    places = list(np.ndindex(run.length, run.spec.features))
    ends = []
    for sign in (1, -1):
        inputs, initial = run.repeated(len(places))
        for copy, place in enumerate(places):
            inputs[(copy, *place)] += sign * APART
        ends.append(measured(run.again(inputs, initial)).reshape(run.length, run.spec.features, -1))
    result: Array = (ends[0] - ends[1]) / (2 * APART)
    return result


# --- down through the layers ------------------------------------------------------------------------------------------


@given(runs())
@few
def test_the_last_h_by_the_networks_input_is_the_difference_quotient_of_the_run(run: Run) -> None:
    found = hidden_by_network_input(run.weights, run.record, run.sample, run.layer, run.direction)
    expected = quotient_by_input(run, lambda record: run.ends(record)[0])
    assert found.shape == (run.length, run.own.hidden, run.spec.features)
    np.testing.assert_allclose(found, expected.swapaxes(1, 2), rtol=0, atol=TOLERANCE)


@given(runs(layers=1))
@few
def test_with_one_layer_the_networks_input_is_its_own(run: Run) -> None:
    found = hidden_by_network_input(run.weights, run.record, run.sample, 0, run.direction)
    for each in every_row(run.course)[:-1]:
        np.testing.assert_allclose(found[each.timestep - 1], each.by_input[: run.spec.hidden], rtol=0, atol=EXACT)


@given(runs(layers=3, bidirectional=True) | runs(bidirectional=True))
@few
def test_padding_changes_no_derivative(run: Run) -> None:
    inputs, initial = run.repeated(1)
    short = replace(run.spec, samples=1, timesteps=run.length)
    alone = forward(short, run.weights, inputs[:, : run.length], initial)
    expected = hidden_by_network_input(run.weights, alone, 0, run.layer, run.direction)
    found = hidden_by_network_input(run.weights, run.record, run.sample, run.layer, run.direction)
    np.testing.assert_allclose(found, expected, rtol=0, atol=EXACT)


# --- its cost ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize(
    ("timesteps", "features", "units"),
    [(100, 5, 30), (10, 300, 30), (3, 5, 150), (1, 1, 100), (40, 200, 25), (2000, 1, 21), (2000, 1, 1)],
)
def test_the_memory_that_is_announced_is_not_exceeded(
    layers: int, bidirectional: bool, projected: bool, timesteps: int, features: int, units: int
) -> None:
    lstm = seeded(
        samples=1,
        timesteps=timesteps,
        features=features,
        units=units,
        layers=layers,
        bidirectional=bidirectional,
        projection=units * 2 // 3 if projected and units > 1 else None,
    )
    record, spec, top = lstm.run(), lstm.spec, layers - 1
    tracemalloc.start()
    try:
        way = trajectory_of(lstm.weights, record, top, Direction.FORWARD, 0)
        last = np.eye(spec.hidden + units)
        for _ in backpropagate(way, last[:, : spec.hidden], last[:, spec.hidden :]):
            pass
        hidden_by_network_input(lstm.weights, record, 0, top, Direction.FORWARD)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    wide = max(features, spec.output if top else 0, spec.hidden, units)
    assert peak <= bptt_bytes(timesteps, spec.hidden + units, wide)
