"""Record: every tensor of a run, where it stands, and that nobody can change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.core.gates import GATES, Direction
from lstm_explain.library import seeded

if TYPE_CHECKING:
    from lstm_explain.core.record import Record

FORWARD, BACKWARD = Direction.FORWARD, Direction.BACKWARD


def a_record(lengths: list[int] | None = None) -> Record:
    sizes: dict[str, Any] = {} if lengths else {"samples": 3, "timesteps": 4}
    return seeded(features=2, units=5, projection=3, layers=2, bidirectional=True, lengths=lengths, **sizes).run()


def test_the_shape_of_every_tensor() -> None:
    record = a_record()
    assert record.input.shape == (3, 4, 2)
    assert record.output.shape == (3, 4, 6)
    assert [output.shape for output in record.outputs] == [(3, 4, 6), (3, 4, 6)]
    assert record.last_hidden.shape == (4, 3, 3)
    assert record.last_cell.shape == (4, 3, 5)
    for layer, features in ((0, 2), (1, 6)):
        for direction in (FORWARD, BACKWARD):
            part = record.of(layer, direction)
            assert (part.layer, part.direction) == (layer, direction)
            assert part.input.shape == (3, 4, features)
            assert {part.gate(gate).shape for gate in GATES} == {(3, 4, 5)}
            assert part.cell.shape == (3, 4, 5)
            assert part.hidden.shape == (3, 4, 3)
            assert part.initial_cell.shape == part.last_cell.shape == (3, 5)
            assert part.initial_hidden.shape == part.last_hidden.shape == (3, 3)


def test_slices_of_the_last_states_are_layers_then_directions() -> None:
    record = a_record([4, 2, 1])
    places = [(layer, way) for layer in range(2) for way in (FORWARD, BACKWARD)]
    for index, place in enumerate(places):
        np.testing.assert_array_equal(record.last_hidden[index], record.of(*place).last_hidden)
        np.testing.assert_array_equal(record.last_cell[index], record.of(*place).last_cell)


def test_the_output_joins_the_directions_and_is_what_the_next_layer_reads() -> None:
    record = a_record()
    for layer in range(2):
        joined = np.concatenate([record.of(layer, way).hidden for way in (FORWARD, BACKWARD)], axis=2)
        np.testing.assert_array_equal(record.outputs[layer], joined)
    np.testing.assert_array_equal(record.of(1, FORWARD).input, record.outputs[0])
    assert record.output is record.outputs[1]


def test_the_states_at_the_ends_of_the_output() -> None:
    record = a_record()
    np.testing.assert_array_equal(record.output[:, -1, :3], record.of(1, FORWARD).last_hidden)
    np.testing.assert_array_equal(record.output[:, 0, 3:], record.of(1, BACKWARD).last_hidden)


def test_with_lengths_each_sample_ends_at_its_own_end() -> None:
    lengths = [4, 2, 1]
    record = a_record(lengths)
    for sample, length in enumerate(lengths):
        assert record.length(sample) == length
        assert (record.output[sample, length:] == 0).all()
        assert (record.output[sample, :length] != 0).all()
        np.testing.assert_array_equal(record.output[sample, length - 1, :3], record.of(1, FORWARD).last_hidden[sample])
        np.testing.assert_array_equal(record.output[sample, 0, 3:], record.of(1, BACKWARD).last_hidden[sample])
        for way in (FORWARD, BACKWARD):
            part = record.of(0, way)
            still = part.last_cell if way is FORWARD else part.initial_cell
            assert np.isnan(part.input_gate[sample, length:]).all()
            assert np.isfinite(part.input_gate[sample, :length]).all()
            np.testing.assert_array_equal(part.cell[sample, length:], np.tile(still[sample], (4 - length, 1)))


def test_without_lengths_every_sample_is_as_long_as_the_batch() -> None:
    assert {a_record().length(sample) for sample in range(3)} == {4}


def test_the_states_before_a_timestep() -> None:
    record = a_record([4, 2, 1])
    forward, backward = record.of(0, FORWARD), record.of(0, BACKWARD)
    expected = {
        (FORWARD, 1): (forward.initial_hidden[0], forward.initial_cell[0]),
        (FORWARD, 3): (forward.hidden[0, 1], forward.cell[0, 1]),
        (BACKWARD, 4): (backward.initial_hidden[0], backward.initial_cell[0]),
        (BACKWARD, 1): (backward.hidden[0, 1], backward.cell[0, 1]),
    }
    for (way, t), (h, c) in expected.items():
        found_h, found_c = record.of(0, way).before(0, t, 4)
        np.testing.assert_array_equal(found_h, h)
        np.testing.assert_array_equal(found_c, c)


def test_backwards_a_short_sample_starts_at_its_own_end() -> None:
    part = a_record([4, 2, 1]).of(0, BACKWARD)
    h, c = part.before(1, 2, 2)
    np.testing.assert_array_equal(h, part.initial_hidden[1])
    np.testing.assert_array_equal(c, part.initial_cell[1])


@pytest.mark.parametrize("way", [FORWARD, BACKWARD])
@pytest.mark.parametrize("lengths", [None, [4, 2, 1]])
def test_the_states_before_every_timestep_are_those_before_each(way: Direction, lengths: list[int] | None) -> None:
    record = a_record(lengths)
    for layer in range(2):
        part = record.of(layer, way)
        for sample in range(3):
            length = record.length(sample)
            found = part.states_before(sample, length)
            assert (found.hidden.shape, found.cell.shape) == ((length, 3), (length, 5))
            for t in range(1, length + 1):
                h, c = part.before(sample, t, length)
                np.testing.assert_array_equal(found.hidden[t - 1], h)
                np.testing.assert_array_equal(found.cell[t - 1], c)


@pytest.mark.parametrize("way", [FORWARD, BACKWARD])
@pytest.mark.parametrize("lengths", [None, [4, 2, 1]])
def test_one_sample_alone_has_its_own_numbers_and_no_padding(way: Direction, lengths: list[int] | None) -> None:
    record = a_record(lengths)
    part = record.of(1, way)
    for sample in range(3):
        length = record.length(sample)
        alone = part.of_sample(sample, length)
        assert (alone.layer, alone.direction) == (1, way)
        for name in ("input", *GATES, "cell", "hidden"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(part, name)[sample, :length][None])
        for name in ("initial_cell", "initial_hidden", "last_cell", "last_hidden"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(part, name)[sample][None])
        for one, other in zip(alone.states_before(0, length), part.states_before(sample, length), strict=True):
            np.testing.assert_array_equal(one, other)
        assert all(np.isfinite(alone.gate(gate)).all() for gate in GATES)


def test_no_array_can_be_written_to() -> None:
    record = a_record([4, 2, 1])
    arrays = [record.input, *record.outputs]
    for parts in record.layers:
        for part in parts.values():
            arrays += [value for value in part if isinstance(value, np.ndarray)]
    assert len(arrays) == 3 + 4 * 11
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_records_are_frozen() -> None:
    record = a_record()
    part = record.of(0, FORWARD)
    for value in (record, part):
        for name in value._fields:
            with pytest.raises(AttributeError):
                setattr(value, name, None)


def test_the_callers_array_is_neither_changed_nor_locked() -> None:
    from lstm_explain.library import given

    array = np.ones((2, 3, 4), np.float32)
    given(array, units=5).run()
    assert array.flags.writeable
    assert (array == 1).all()
