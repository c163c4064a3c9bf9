"""Numbers from a seed: the published generator, pinned, addressable, and the same whoever asks for how many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.lstm import SeededInputs
from lstm_explain.core.philox import Stream, philox, random_integers
from lstm_explain.core.spec import Spec
from lstm_explain.errors import UsageError

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.spec import Dtype

KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
"""Counter, key and result of Philox4x32-10, from `tests/kat_vectors` of DEShawResearch/random123."""

RAW = [
    16242730742183356629,
    11169168799798111308,
    6679402142117448868,
    684265014234019051,
    5892734326067077929,
    5012847114214249389,
    7657373526131797801,
    7872641813117997903,
]
"""The first integers of seed 0, stream 0."""
UNIFORM = [
    0.8805201978886142,
    0.6054818538799213,
    0.36209111566940344,
    0.037094080749417335,
    0.3194457679100915,
    0.271746986578439,
    0.41510705062825404,
    0.42677676784913765,
]
NORMAL = [
    -1.62496344087104,
    -1.2683492025469478,
    0.9225813876375342,
    0.21900507737292066,
    -0.11950502671808326,
    0.869145603320975,
    -0.9279976746408093,
    0.4598621509822505,
]
DTYPES: tuple[Dtype, ...] = ("float64", "float32")
SEEDS = st.integers(0, 2**53 - 1)
STREAMS = st.integers(0, 2**40)
few = settings(max_examples=40, deadline=None)


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN_ANSWERS)
def test_the_generator_gives_the_published_answers(counter: str, key: str, result: str) -> None:
    low, high = words(key)
    found = philox((low, high), *(np.uint64(word) for word in words(counter)))
    assert [int(word) for word in found] == words(result)


def by_hand(seed: int, stream: int, place: int) -> list[int]:
    """The same in Python's own integers."""
    c = [place % 2**32, place >> 32, stream % 2**32, stream >> 32]
    k = [seed % 2**32, seed >> 32]
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(second >> 32) ^ c[1] ^ k[0], second % 2**32, (first >> 32) ^ c[3] ^ k[1], first % 2**32]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return [c[0] + 2**32 * c[1], c[2] + 2**32 * c[3]]


@given(seed=SEEDS, stream=STREAMS, place=st.integers(0, 2**50))
@few
def test_the_counter_is_the_stream_and_the_place_and_the_key_the_seed(seed: int, stream: int, place: int) -> None:
    found = random_integers(seed, np.uint64(stream), np.array([place], np.uint64))
    assert found.tolist() == [by_hand(seed, stream, place)]


def test_the_integers_are_pinned() -> None:
    found = random_integers(0, np.uint64(0), np.arange(4, dtype=np.uint64))
    assert found.dtype == np.uint64
    assert found.ravel().tolist() == RAW


def test_the_uniform_numbers_are_pinned() -> None:
    assert [(raw >> 11) / 2**53 for raw in RAW] == UNIFORM
    assert Stream(0, 0).uniform(8).tolist() == UNIFORM


def test_the_normal_numbers_are_pinned() -> None:
    # Across processors the logarithm, the sine and the cosine may differ in their last bit.
    np.testing.assert_allclose(Stream(0, 0).normal(8), NORMAL, rtol=1e-15)


def test_other_streams_and_seeds_are_pinned() -> None:
    assert Stream(0, 1).uniform(3).tolist() == [0.9396580854702459, 0.5155099593240271, 0.8507002549690588]
    assert Stream(2**53 - 1, 5).uniform(3).tolist() == [0.1289773189593223, 0.41500657280066633, 0.9018066715881425]


@given(seed=SEEDS, stream=STREAMS, count=st.integers(1, 50), more=st.integers(1, 50))
@few
def test_the_first_numbers_of_a_stream_do_not_depend_on_how_many_are_drawn(
    seed: int, stream: int, count: int, more: int
) -> None:
    assert Stream(seed, stream).uniform(count + more)[:count].tolist() == Stream(seed, stream).uniform(count).tolist()
    long, short = Stream(seed, stream).normal(count + more), Stream(seed, stream).normal(count)
    np.testing.assert_array_max_ulp(long[:count], short, maxulp=4)


def test_a_stream_goes_on_where_it_stopped() -> None:
    stream, whole = Stream(5, 2), Stream(5, 2).uniform(6)
    assert [*stream.uniform(2), *stream.uniform(4)] == whole.tolist()


def test_an_odd_number_of_draws_ends_its_pair() -> None:
    stream, whole = Stream(5, 2), Stream(5, 2).uniform(6)
    assert [*stream.uniform(3), *stream.uniform(2)] == [*whole[:3], *whole[4:]]


def test_sizes_are_filled_row_by_row() -> None:
    assert Stream(1, 1).uniform(2, 3).tolist() == Stream(1, 1).uniform(6).reshape(2, 3).tolist()
    assert Stream(1, 1).normal(3, 5).tolist() == Stream(1, 1).normal(15).reshape(3, 5).tolist()


def test_the_moments_are_those_of_the_distributions() -> None:
    uniform, normal = Stream(11, 3).uniform(200_000), Stream(11, 3).normal(200_000)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert abs(uniform.mean() - 1 / 2) < 0.003
    assert abs(uniform.var() - 1 / 12) < 0.001
    assert abs(normal.mean()) < 0.01
    assert abs(normal.var() - 1) < 0.02
    assert abs((normal**3).mean()) < 0.05
    assert abs((normal**4).mean() - 3) < 0.1
    assert abs((normal[::2] * normal[1::2]).mean()) < 0.01


def normal_inputs(seed: int, start: int, stop: int, timesteps: int, features: int) -> Array:
    """The samples start to stop - 1 of a batch that ends there."""
    return SeededInputs(Spec.from_options(stop, timesteps, features, dtype="float64"), seed).block(start, stop)


@given(
    seed=SEEDS,
    start=st.integers(0, 10**9) | st.integers(0, 200),
    count=st.integers(1, 40),
    timesteps=st.integers(1, 5),
    features=st.integers(1, 5),
)
@few
def test_a_sample_depends_on_the_seed_and_its_number_alone(
    seed: int, start: int, count: int, timesteps: int, features: int
) -> None:
    block = normal_inputs(seed, start, start + count, timesteps, features)
    assert block.shape == (count, timesteps, features)
    for place in {0, count // 2, count - 1}:
        alone = normal_inputs(seed, start + place, start + place + 1, timesteps, features)
        np.testing.assert_array_max_ulp(block[place], alone[0], maxulp=4)


@given(seed=SEEDS, sample=st.integers(0, 10**12), timesteps=st.integers(1, 6), more=st.integers(1, 6))
@few
def test_the_first_timesteps_do_not_depend_on_how_many_follow(seed: int, sample: int, timesteps: int, more: int) -> None:
    short = normal_inputs(seed, sample, sample + 1, timesteps, 3)
    long = normal_inputs(seed, sample, sample + 1, timesteps + more, 3)
    np.testing.assert_array_max_ulp(long[:, :timesteps], short, maxulp=4)


@given(seed=SEEDS, sample=st.integers(0, 10**12), timesteps=st.integers(1, 5), features=st.integers(1, 5))
@few
def test_sample_k_is_stream_2_k_and_a_timestep_begins_a_pair(seed: int, sample: int, timesteps: int, features: int) -> None:
    drawn = features + features % 2
    whole = Stream(seed, 2 * sample).normal(timesteps, drawn)[:, :features]
    np.testing.assert_array_max_ulp(normal_inputs(seed, sample, sample + 1, timesteps, features)[0], whole, maxulp=4)


@pytest.mark.parametrize(("samples", "timesteps"), [(2, 20_000), (150, 200)])
def test_large_batches_are_drawn_like_small_ones(samples: int, timesteps: int) -> None:
    drawn = normal_inputs(3, 0, samples, timesteps, 3)
    for sample in range(samples):
        whole = Stream(3, 2 * sample).normal(timesteps, 4)[:, :3]
        np.testing.assert_array_max_ulp(drawn[sample], whole, maxulp=4)


def test_the_type_changes_the_rounding_alone() -> None:
    wide, narrow = (SeededInputs(Spec.from_options(5, 4, 3, dtype=dtype), 1).block(0, 5) for dtype in DTYPES)
    assert [wide.dtype.name, narrow.dtype.name] == ["float64", "float32"]
    np.testing.assert_array_equal(wide.astype(np.float32), narrow)


def test_samples_and_seeds_differ() -> None:
    numbers = normal_inputs(0, 0, 100, 2, 3)
    assert len(np.unique(numbers)) == numbers.size
    for seed in (1, 2**32, 2**52):
        assert not np.isin(numbers, normal_inputs(seed, 0, 100, 2, 3)).any()


def test_the_last_sample_that_there_can_be_is_drawn_at_once() -> None:
    last = 2**53 - 2
    assert normal_inputs(0, last, last + 1, 2, 2).tolist() != normal_inputs(0, last - 1, last, 2, 2).tolist()


@pytest.mark.parametrize("seed", [-1, 2**53])
@pytest.mark.parametrize("draw", [lambda seed: Stream(seed, 0).uniform(1), lambda seed: normal_inputs(seed, 0, 1, 1, 1)])
def test_a_seed_out_of_range_is_refused(seed: int, draw: Any) -> None:
    with pytest.raises(UsageError) as raised:
        draw(seed)
    assert raised.value.asked == f"seed={seed}"
    assert "2**53" in raised.value.found
