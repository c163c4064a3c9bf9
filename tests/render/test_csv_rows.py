"""CSV: one row for each sample, layer, direction, timestep and unit; a cell is one number or empty."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.core.gates import Direction
from lstm_explain.render import csv_rows

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM

STACK = {"samples": 300, "timesteps": 4, "features": 3, "units": 5}
COLUMNS = ["sample", "layer", "direction", "t", "unit", "i", "f", "g", "o", "c", "h"]
TENSORS = {"i": "input_gate", "f": "forget_gate", "g": "candidate", "o": "output_gate", "c": "cell", "h": "hidden"}


def lstm(**run: Any) -> LSTM:
    return lstm_explain.seeded(**{**STACK, **run})


def text(model: LSTM, *places: Any, **chosen: Any) -> str:
    stream = lstm_explain.stream_trace(model, *places, **chosen)
    return b"".join(csv_rows.encode_rows(stream, stream.blocks())).decode("ascii")


def rows(model: LSTM, *places: Any, **chosen: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(text(model, *places, **chosen).splitlines()))


def test_the_columns_are_these() -> None:
    assert text(lstm(), 0).splitlines()[0] == ",".join(COLUMNS)


@pytest.mark.parametrize("run", [{}, {"layers": 2, "bidirectional": True}, {"dtype": "float64", "peepholes": True}])
def test_every_number_of_the_record_stands_in_its_row(run: dict[str, Any]) -> None:
    model = lstm(**run)
    found = rows(model)
    spec = model.spec
    assert len(found) == 300 * 4 * 5 * len(spec.layers) * len(spec.directions)
    keys = [(int(row["sample"]), int(row["layer"]), row["direction"], int(row["t"]), int(row["unit"])) for row in found]
    assert len(set(keys)) == len(keys)
    assert keys == sorted(keys, key=lambda key: (key[0], key[1], key[2] == "backward", key[3:]))
    record = model.run(0, 128)
    for key, row in zip(keys, found, strict=True):
        sample, layer, way, t, unit = key
        if sample in (0, 77, 127):
            part = record.of(layer, Direction(way))
            for letter, name in TENSORS.items():
                value = getattr(part, name)[sample, t - 1, unit]
                assert value.dtype.type(row[letter]) == value


@pytest.mark.parametrize("sample", [0, 127, 128, 299])
def test_one_samples_rows_are_those_of_all_samples_to_the_byte(sample: int) -> None:
    model = lstm()
    among = [line for line in text(model).splitlines() if line.startswith(f"{sample},")]
    assert text(model, sample).splitlines()[1:] == among != []


def test_padding_has_empty_gates_and_states_that_stand_still() -> None:
    found = rows(lstm(lengths=[2] * 300), 5)
    padded = [row for row in found if int(row["t"]) > 2]
    assert len(padded) == 2 * 5
    assert {row[gate] for row in padded for gate in "ifgo"} == {""}
    last = {row["unit"]: (row["c"], row["h"]) for row in found if row["t"] == "2"}
    assert all((row["c"], row["h"]) == last[row["unit"]] != ("", "") for row in padded)
    assert "" not in {row[name] for row in found if int(row["t"]) <= 2 for name in COLUMNS}


def test_a_projections_h_has_fewer_numbers_than_there_are_units() -> None:
    model = lstm(projection=2)
    found = rows(model, 9, steps=[3])
    hidden = model.run(0, 128).layers[0][Direction.FORWARD].hidden[9, 2]
    assert [row["h"] == "" for row in found] == [False, False, True, True, True]
    np.testing.assert_array_equal([np.float32(row["h"]) for row in found[:2]], hidden)
    assert "" not in {row["c"] for row in found}
    chosen = rows(model, 9, units=[1, 4], steps=[3])
    assert [(row["unit"], row["c"], row["h"]) for row in chosen] == [
        (row["unit"], row["c"], row["h"]) for row in found if row["unit"] in "14"
    ]


def test_what_is_not_finite() -> None:
    batch = np.zeros((1, 2, 1), "f4")
    batch[0, 1, 0] = np.nan
    found = rows(lstm_explain.given(batch, units=1))
    assert all(found[0][name] != "" for name in COLUMNS)
    assert [found[1][name] for name in "ifgoch"] == [""] * 6
    assert csv_rows._format_number(float("inf")) == "inf"
    assert csv_rows._format_number(float("-inf")) == "-inf"


def test_every_piece_ends_on_a_whole_row() -> None:
    stream = lstm_explain.stream_trace(lstm())
    made = list(csv_rows.encode_rows(stream, stream.blocks()))
    assert len(made) > 2, "several blocks"
    assert all(piece.endswith(b"\n") for piece in made)
