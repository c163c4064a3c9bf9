"""The five networks: what each reads, where a decoder starts, which h the dense layer reads."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.gates import Direction
from lstm_explain.core.network import (
    DECODER_SEED,
    FREE_LENGTH,
    FROM_ONE,
    TO_ONE,
    Task,
    build_network,
    last_hidden,
    network_bytes,
    plan_network,
    run_network,
)
from lstm_explain.core.spec import LayerSpec
from lstm_explain.core.weights import seeded_weights
from lstm_explain.library import seeded
from tests.helpers.random_lstms import random_lstms

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.network import Network, NetworkRun

DRAWING = 2**22
"""What drawing numbers takes beside them, however many there are."""
few = settings(max_examples=40, deadline=None)


def lstms() -> st.SearchStrategy[LSTM]:
    return random_lstms(most_samples=4, most_timesteps=6, most_features=4, most_units=6, dtype="float64")


def ran(lstm: LSTM, task: Task, outputs: int = 2, steps_out: int = 3) -> tuple[Network, NetworkRun]:
    network = build_network(plan_network(task, lstm.spec, outputs, steps_out), lstm.weights, lstm.init, lstm.seed)
    lengths = None if lstm.lengths is None else np.array(lstm.lengths)
    return network, run_network(network, lstm.inputs.block(0, lstm.spec.samples), lengths)


@given(lstms(), st.sampled_from(Task), st.integers(1, 4), st.integers(1, 5))
@few
def test_the_outputs_are_the_dense_layer_of_what_it_reads(lstm: LSTM, task: Task, outputs: int, steps_out: int) -> None:
    network, passage = ran(lstm, task, outputs, steps_out)
    samples, timesteps = lstm.spec.samples, lstm.spec.timesteps
    steps = {Task.MANY_TO_MANY: (timesteps,), **dict.fromkeys(FREE_LENGTH, (steps_out,))}.get(task, ())
    assert passage.outputs.shape == (samples, *steps, outputs)
    assert passage.dense_input.shape == (samples, *steps, lstm.spec.output)
    assert network.plan.steps_out == (steps[0] if steps else None)
    np.testing.assert_array_equal(passage.outputs, passage.dense_input @ network.dense.kernel + network.dense.bias)


@given(lstms(), st.sampled_from(FROM_ONE))
@few
def test_from_one_reads_the_first_timestep_only(lstm: LSTM, task: Task) -> None:
    _, passage = ran(lstm, task)
    assert passage.read.shape[1] == (1 if task is Task.ONE_TO_ONE else 3)
    for t in range(passage.read.shape[1]):
        np.testing.assert_array_equal(passage.read[:, t], passage.input[:, 0])


@given(lstms())
@few
def test_the_last_h_is_each_direction_s_own_last(lstm: LSTM) -> None:
    _, passage = ran(lstm, Task.MANY_TO_ONE)
    record = lstm.run()
    for sample in range(lstm.spec.samples):
        length = record.length(sample)
        parts = record.layers[-1]
        ends = [parts[Direction.FORWARD].hidden[sample, length - 1]]
        ends += [parts[Direction.BACKWARD].hidden[sample, 0]] if Direction.BACKWARD in parts else []
        np.testing.assert_allclose(passage.dense_input[sample], np.concatenate(ends), atol=1e-13)


@given(lstms())
@few
def test_many_to_many_reads_h_of_every_timestep(lstm: LSTM) -> None:
    _, passage = ran(lstm, Task.MANY_TO_MANY)
    np.testing.assert_array_equal(passage.dense_input, lstm.run().output)


@given(lstms(), st.integers(1, 4))
@few
def test_the_decoder_starts_where_the_encoder_ended(lstm: LSTM, steps_out: int) -> None:
    network, passage = ran(lstm, Task.ENCODER_DECODER, steps_out=steps_out)
    decoder, encoder = network.plan.decoder, lstm.run()
    assert decoder is not None
    assert network.decoder is not None
    assert passage.initial is not None
    for layer, parts in enumerate(encoder.layers):
        for states, name in ((passage.initial.hidden, "last_hidden"), (passage.initial.cell, "last_cell")):
            beside = np.concatenate([getattr(part, name) for part in parts.values()], axis=1)
            np.testing.assert_array_equal(states[layer], beside)
    repeated = np.repeat(last_hidden(encoder)[:, None], steps_out, axis=1)
    again = forward(decoder, network.decoder, repeated, StackState(passage.initial.hidden, passage.initial.cell))
    np.testing.assert_allclose(passage.dense_input, again.output, atol=1e-13)


@given(lstms())
@few
def test_the_decoder_is_as_wide_as_both_directions_and_reads_forward_only(lstm: LSTM) -> None:
    spec, decoder = lstm.spec, plan_network(Task.ENCODER_DECODER, lstm.spec, 1, 7).decoder
    assert decoder is not None
    assert (decoder.features, decoder.output) == (spec.output, spec.output)
    assert (len(decoder.layers), decoder.timesteps, decoder.dtype) == (len(spec.layers), 7, spec.dtype)
    for layer in range(len(spec.layers)):
        one, theirs = spec.for_layer(layer), decoder.for_layer(layer)
        ways = len(one.directions)
        assert (theirs.units, theirs.hidden, theirs.output) == (ways * one.units, ways * one.hidden, one.output)
        assert (theirs.bias, theirs.peepholes, theirs.bidirectional) == (one.bias, one.peepholes, False)


def test_the_decoder_has_weights_of_its_own() -> None:
    lstm = seeded(samples=1, seed=2**53 - 1, features=10)
    network = build_network(plan_network(Task.ENCODER_DECODER, lstm.spec, 1, 3), lstm.weights, "keras", lstm.seed)
    assert network.decoder is not None
    decoder, encoder = (weights.of(0, Direction.FORWARD).kernel for weights in (network.decoder, network.weights))
    assert decoder.shape == encoder.shape
    assert not np.array_equal(decoder, encoder)
    assert network.plan.decoder is not None
    seed = (2**53 - 1 + DECODER_SEED) % 2**53
    np.testing.assert_array_equal(decoder, seeded_weights(network.plan.decoder, "keras", seed).of(0, Direction.FORWARD).kernel)


def test_samples_do_not_meet() -> None:
    lstm = seeded(samples=5, dtype="float64", bidirectional=True)
    for task in Task:
        network, passage = ran(lstm, task)
        alone = run_network(network, lstm.inputs.block(3, 4))
        np.testing.assert_allclose(alone.outputs[0], passage.outputs[3], atol=1e-13)


def test_where_outputs_are_made_once_there_are_no_steps() -> None:
    for task in TO_ONE:
        assert plan_network(task, seeded().spec, 1, 5).steps_out is None


@pytest.mark.slow
@pytest.mark.parametrize("task", list(Task), ids=str)
@pytest.mark.parametrize(
    ("options", "outputs", "steps_out"),
    [
        ({"samples": 500, "units": 48, "bidirectional": True, "layers": 2}, 3, 20),
        ({"samples": 1, "units": 3, "timesteps": 20000, "dtype": "float64"}, 2, 20000),
        ({"samples": 5, "units": 150}, 2000, 7),
        ({"samples": 300, "units": 2, "features": 2, "timesteps": 3}, 300, 200),
        ({"samples": 200, "stack": (LayerSpec(60, bidirectional=True), LayerSpec(20, projection=8), LayerSpec(40))}, 3, 20),
    ],
)
def test_the_memory_of_a_run_stays_within_its_bound(task: Task, options: dict[str, Any], outputs: int, steps_out: int) -> None:
    lstm = seeded(**options)
    ran(replace(lstm, spec=replace(lstm.spec, samples=1)), task)  # what is imported now does not count
    plan = plan_network(task, lstm.spec, outputs, steps_out)
    tracemalloc.start()
    try:
        network = build_network(plan, seeded_weights(lstm.spec), "keras", 0)
        run_network(network, lstm.inputs.block(0, lstm.spec.samples))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= network_bytes(plan, lstm.spec.samples) + DRAWING
