"""LSTM: what is made when, what a run may cost, and which block a sample is run in."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.core.cost import run_bytes
from lstm_explain.core.gates import Direction
from lstm_explain.core.lstm import BLOCK_BYTES, BLOCK_SAMPLES, LSTM, PretrainedWeights
from lstm_explain.core.record import Record
from lstm_explain.core.spec import Spec
from lstm_explain.core.weights import Weights
from lstm_explain.errors import RefusedError, UsageError
from lstm_explain.library import seeded

few = settings(max_examples=40, deadline=None)


def test_nothing_is_made_before_it_is_needed() -> None:
    lstm = seeded(samples=10**15, units=2**50, features=2**50)
    assert lstm.spec.samples == 10**15
    assert not lstm.fits_memory
    assert "weights" not in vars(lstm)


def test_weights_are_made_once() -> None:
    lstm = seeded(samples=1)
    assert lstm.weights is lstm.weights


def test_an_lstm_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        seeded().seed = 1  # type: ignore[misc]


def test_fits_means_that_a_whole_run_stays_within_the_budget() -> None:
    lstm = seeded()
    needed = run_bytes(lstm.spec)
    assert replace(lstm, max_memory=needed).fits_memory
    assert not replace(lstm, max_memory=needed - 1).fits_memory


def test_a_run_over_the_budget_is_refused_and_says_by_how_much() -> None:
    lstm = seeded(samples=10**12, max_memory=1_000_000)
    with pytest.raises(RefusedError) as raised:
        lstm.run()
    assert raised.value.exit_code == 4
    assert raised.value.asked == "an LSTM of 1000000000000 samples, 10 timesteps, 5 features and 10 units"
    assert f"{run_bytes(lstm.spec):,} bytes" in raised.value.found
    assert raised.value.found.endswith("the budget is 1,000,000")
    assert "max_memory" in raised.value.fix


def test_weights_over_the_budget_are_refused() -> None:
    with pytest.raises(RefusedError) as raised:
        _ = seeded(units=10**6).weights
    assert raised.value.asked.endswith(" 1000000 units")
    assert raised.value.found.startswith("making the weights takes ")


def test_a_batch_of_one_timestep_over_the_budget_is_not_blamed_on_the_weights() -> None:
    with pytest.raises(RefusedError) as raised:
        seeded(samples=10**12, timesteps=1).run()
    assert "weights" not in raised.value.found


def test_a_budget_that_just_suffices_suffices() -> None:
    lstm = seeded(samples=20)
    exact = replace(lstm, max_memory=run_bytes(lstm.spec))
    assert exact.run().output.shape == (20, 10, 10)
    with pytest.raises(RefusedError):
        replace(lstm, max_memory=run_bytes(lstm.spec) - 1).run()


@given(
    samples=st.integers(1, 10**12),
    place=st.floats(0, 1, exclude_max=True),
    timesteps=st.integers(1, 10**6),
    features=st.integers(1, 1000),
)
@few
def test_blocks_are_a_partition_of_the_samples(samples: int, place: float, timesteps: int, features: int) -> None:
    lstm = seeded(samples=samples, timesteps=timesteps, features=features)
    sample = int(place * samples)
    start, stop = lstm.block_of(sample)
    assert 0 <= start <= sample < stop <= samples
    assert {lstm.block_of(start), lstm.block_of(stop - 1)} == {(start, stop)}
    assert start % lstm.block_samples == 0
    assert stop == samples or stop - start == lstm.block_samples


@given(timesteps=st.integers(1, 10**6), units=st.integers(1, 2000), budget=st.integers(1, 2**40))
@few
def test_a_block_is_a_power_of_two_and_small(timesteps: int, units: int, budget: int) -> None:
    lstm = seeded(samples=10**6, timesteps=timesteps, units=units, max_memory=budget)
    size = lstm.block_samples
    assert size in [2**power for power in range(8)]
    assert size <= BLOCK_SAMPLES
    if size > 1:
        growth = run_bytes(replace(lstm.spec, samples=1)) - run_bytes(replace(lstm.spec, samples=1, timesteps=1))
        assert size * growth <= min(BLOCK_BYTES, budget)


@given(
    timesteps=st.integers(1, 200),
    features=st.integers(1, 2000),
    units=st.integers(1, 200),
    spare=st.floats(1, 30),
)
@settings(few, derandomize=True)
def test_a_sample_that_fits_the_budget_has_a_block_that_fits_it(
    timesteps: int, features: int, units: int, spare: float
) -> None:
    spec = Spec.from_options(10**6, timesteps, features, units)
    budget = int(run_bytes(replace(spec, samples=1)) * spare)
    lstm = seeded(samples=10**6, timesteps=timesteps, features=features, units=units, max_memory=budget)
    assert run_bytes(replace(spec, samples=lstm.block_samples)) <= budget


def test_small_samples_are_run_in_whole_blocks() -> None:
    assert seeded().block_samples == BLOCK_SAMPLES
    assert seeded().block_of(999) == (896, 1000)
    assert seeded().block_of(0) == (0, 128)


@given(st.integers(0, 299))
@few
def test_one_sample_is_run_within_its_block(sample: int) -> None:
    lstm = seeded(samples=300, timesteps=3, units=4)
    record, place = lstm.run_sample(sample)
    start, stop = lstm.block_of(sample)
    assert record.spec.samples == stop - start
    np.testing.assert_array_equal(record.input[place], lstm.inputs.block(sample, sample + 1)[0])
    np.testing.assert_array_equal(record.output[place], lstm.run(start, stop).output[sample - start])


@pytest.mark.parametrize("sample", [-1, 1000, 10**20])
def test_a_sample_that_is_not_there_is_refused(sample: int) -> None:
    with pytest.raises(UsageError) as raised:
        seeded().run_sample(sample)
    assert raised.value.asked == f"sample={sample}"
    assert raised.value.found == "there are 1000 samples, and they count from 0 to 999"


def test_a_part_of_the_samples_can_be_run() -> None:
    lstm = seeded(samples=9, timesteps=4, dtype="float64")
    whole, part = lstm.run(), lstm.run(3, 7)
    assert part.spec.samples == 4
    np.testing.assert_allclose(part.output, whole.output[3:7], atol=1e-14)


@given(samples=st.integers(1, 300), ends=st.none() | st.tuples(st.integers(0, 299), st.integers(0, 300)))
@settings(few, max_examples=20)
def test_blocks_hold_every_sample_once_in_order_with_its_own_numbers(samples: int, ends: tuple[int, int] | None) -> None:
    lstm = seeded(samples=samples, timesteps=2, features=2, units=3, lengths=[1 + sample % 2 for sample in range(samples)])
    asked = None if ends is None else range(min(ends[0], samples), min(ends[1], samples))
    blocks = list(lstm.blocks(asked))
    seen = [sample for block in blocks for sample in block.samples]
    assert seen == list(range(samples) if asked is None else asked)
    for block in blocks:
        assert block.record.input[block.positions].shape[0] == len(block.samples)
        for place, sample in enumerate(block.samples, start=block.positions.start):
            record, alone = lstm.run_sample(sample)
            np.testing.assert_array_equal(block.record.output[place], record.output[alone])
            assert block.length(sample) == 1 + sample % 2


def test_blocks_are_run_one_by_one() -> None:
    lstm = seeded(samples=10**12)
    first = next(lstm.blocks())
    assert first.samples == range(BLOCK_SAMPLES)
    (last,) = lstm.blocks(range(10**12 - 1, 10**12))
    assert (last.start, len(last.samples)) == (10**12 - 1, 1)


def test_each_sample_keeps_its_own_length() -> None:
    lengths = [1, 4, 2, 3, 4, 1]
    lstm = seeded(lengths=lengths)
    whole = lstm.run()
    assert [whole.length(sample) for sample in range(6)] == lengths
    assert [lstm.run(2, 5).length(sample) for sample in range(3)] == [2, 3, 4]


def turned(lstm: LSTM) -> LSTM:
    """The same LSTM, which reads from the end."""
    return replace(lstm, pretrained=PretrainedWeights(lstm.weights, {"kind": "model"}, None, True))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    samples=st.integers(1, 5),
    timesteps=st.integers(1, 6),
    projection=st.sampled_from([None, 2]),
    peepholes=st.booleans(),
    data=st.data(),
)
def test_a_layer_that_reads_from_the_end_is_the_backward_direction_of_another(
    samples: int, timesteps: int, projection: int | None, peepholes: bool, data: st.DataObject
) -> None:
    sizes: dict[str, Any] = {"features": 2, "units": 3, "projection": projection, "peepholes": peepholes, "dtype": "float64"}
    lengths = data.draw(st.none() | st.lists(st.integers(1, timesteps), min_size=samples, max_size=samples))
    both = seeded(samples=samples, timesteps=timesteps, lengths=lengths, bidirectional=True, **sizes)
    backward = both.weights.of(0, Direction.BACKWARD)
    alone = seeded(
        samples=samples,
        timesteps=timesteps,
        lengths=lengths,
        loaded=PretrainedWeights(Weights(({Direction.FORWARD: backward},)), {"kind": "model"}, None, True),
        **sizes,
    )
    made, expected = alone.run().of(0, Direction.FORWARD), both.run().of(0, Direction.BACKWARD)
    np.testing.assert_allclose(made.last_hidden, expected.last_hidden, rtol=0, atol=1e-14)
    for sample in range(samples):
        length = timesteps if lengths is None else lengths[sample]
        for name in ("input", "forget_gate", "cell", "hidden"):
            ours, theirs = (getattr(one, name)[sample, :length] for one in (made, expected))
            np.testing.assert_allclose(ours, theirs[::-1], rtol=0, atol=1e-14, err_msg=name)


def test_what_is_read_from_the_end_is_read_so_by_sample_too() -> None:
    lstm = turned(seeded(samples=300, timesteps=4))
    record, place = lstm.run_sample(137)
    np.testing.assert_array_equal(record.input[place], lstm.inputs.block(137, 138)[0, ::-1])
    np.testing.assert_array_equal(record.output[place], next(lstm.blocks(range(137, 138))).record.output[place])
    assert seeded(samples=3).inputs_for(0, 3).shape == (3, 10, 5)


def test_only_an_lstm_takes_its_inputs_for_a_run() -> None:
    """Whoever took them himself would forget that some layers read from the end."""
    package = Path(lstm_explain.__file__).parent
    files = [file for stage in ("core", "topics") for file in (package / stage).rglob("*.py")]
    taking = [file.relative_to(package).as_posix() for file in files if "inputs.block(" in file.read_text()]
    assert sorted(taking) == ["core/lstm.py", "topics/verify/__init__.py"]  # verify also reads the data in other ways


def test_the_type_of_every_tensor_is_the_one_asked_for() -> None:
    for dtype in ("float32", "float64"):
        record = seeded(samples=3, dtype=dtype).run()
        part = record.of(0, Direction.FORWARD)
        arrays = (record.input, record.output, part.cell, part.hidden, part.input_gate, part.initial_cell, part.last_hidden)
        assert {array.dtype.name for array in arrays} == {dtype}


def test_the_origin_says_where_weights_and_inputs_come_from() -> None:
    assert seeded(init="pytorch", seed=7, lengths=[2, 1]).provenance == {
        "weights": {"kind": "seeded", "init": "pytorch", "seed": 7},
        "inputs": {"kind": "seeded", "seed": 7, "distribution": "standard normal", "lengths": [2, 1]},
    }


def test_inputs_can_be_anything_that_gives_blocks_of_samples() -> None:
    class Ones:
        provenance = {"kind": "ones"}  # noqa: RUF012

        def block(self, start: int, stop: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
            return np.ones((stop - start, 2, 3))

    lstm = LSTM(Spec.from_options(4, 2, 3, 5), Ones())
    record = lstm.run()
    assert isinstance(record, Record)
    np.testing.assert_array_equal(record.output[0], record.output[3])
    assert lstm.provenance["inputs"] == {"kind": "ones", "lengths": None}
