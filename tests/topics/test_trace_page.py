"""The document of `trace`: rows are timesteps, columns are units, and what is left out is said."""

import math
from typing import Any

import numpy as np

import lstm_explain
from lstm_explain.document.blocks import Cell, Document, Note, Sparkline, Table
from lstm_explain.topics.registry import document_of


def document(gates: bool = False, every_unit: bool = False, ask: dict[str, Any] | None = None, **options: Any) -> Document:
    lstm = lstm_explain.seeded(**{"samples": 2, **options})
    return document_of(lstm_explain.trace(lstm, **(ask or {})), gates=gates, every_unit=every_unit)


def heats(found: Document) -> list[Table]:
    return [block for block in found if isinstance(block, Table) and block.columns[0].title == "t \\ unit"]


def labels(table: Table) -> list[str]:
    return [row[0].text for row in table.rows if isinstance(row[0], Cell)]


def notes(found: Document) -> str:
    return "\n".join(block.text for block in found if isinstance(block, Note))


def test_h_and_c_start_at_the_initial_state() -> None:
    h, c = heats(document())
    assert labels(h) == labels(c) == [str(t) for t in range(11)]
    assert [cell.text.strip() for cell in h.rows[0][1:] if isinstance(cell, Cell)] == ["0.000"] * 10


def test_backwards_the_initial_state_stands_where_reading_begins() -> None:
    found = document(bidirectional=True, lengths=[10, 6], ask={"sample": 1, "direction": "backward"})
    h, *_ = heats(found)
    assert labels(h)[:8] == ["1", "2", "3", "4", "5", "6", "start", "7"]


def test_the_gates_are_shown_on_request_and_have_no_initial_state() -> None:
    assert len(heats(document())) == 2
    *_, o = found = heats(document(gates=True))
    assert len(found) == 6
    assert labels(o) == [str(t) for t in range(1, 11)]


def test_the_shown_numbers_are_those_of_the_trace() -> None:
    lstm = lstm_explain.seeded(samples=2)
    trace = lstm_explain.trace(lstm, sample=1)
    h, c = heats(document_of(trace))
    for table, values in ((h, trace.hidden), (c, trace.cell)):
        shown = [[float(cell.text) for cell in row[1:] if isinstance(cell, Cell)] for row in table.rows[1:]]
        assert all(
            abs(a - b) <= 0.0005 + 1e-9
            for one, other in zip(shown, values.tolist(), strict=True)
            for a, b in zip(one, other, strict=True)
        )


def test_cells_are_coloured_by_sign_and_size() -> None:
    h, _ = heats(document())
    tints = [cell.tint for row in h.rows[1:] for cell in row[1:] if isinstance(cell, Cell)]
    values = [float(cell.text) for row in h.rows[1:] for cell in row[1:] if isinstance(cell, Cell)]
    assert all(tint is not None and abs(tint) <= 1 for tint in tints)
    assert max(abs(tint or 0.0) for tint in tints) == 1
    assert all(
        math.copysign(1, tint or 0.0) == math.copysign(1, value)
        for tint, value in zip(tints, values, strict=True)
        if abs(value) > 0.001
    )


def test_a_wide_layer_shows_sixteen_units_and_says_so() -> None:
    found = document(units=100)
    assert len(heats(found)[0].columns) == 17
    assert "16 of 100 units are shown" in notes(found)


def test_chosen_units_are_all_shown() -> None:
    found = document(units=100, every_unit=True, ask={"units": range(40)})
    assert len(heats(found)[0].columns) == 41


def test_a_long_sequence_shows_its_ends_and_says_so() -> None:
    found = document(timesteps=500, units=2)
    h, *_ = heats(found)
    assert "⋮" in labels(h)
    assert labels(h)[-1] == "500"
    assert "32 of 500 timesteps are shown" in notes(found)
    course = next(
        cell
        for block in found
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
        if isinstance(cell, Sparkline)
    )
    assert len(course.values) == 500


def test_padding_has_no_gates() -> None:
    *_, o = heats(document(gates=True, lengths=[3, 1], timesteps=3, ask={"sample": 1}))
    assert [cell.text for cell in o.rows[1][1:] if isinstance(cell, Cell)] == ["·"] * 10


def test_with_a_projection_h_has_columns_of_its_own() -> None:
    h, c = heats(document(projection=3))
    assert [column.title for column in h.columns[1:]] == ["0", "1", "2"]
    assert len(c.columns) == 11


def test_timesteps_left_out_are_marked_between_those_shown() -> None:
    h, _ = heats(document(ask={"steps": [2, 3, 8]}))
    assert labels(h) == ["0", "⋮", "2", "3", "⋮", "8"]


def test_the_last_state_of_a_backward_layer_is_that_of_the_first_timestep() -> None:
    lstm = lstm_explain.seeded(samples=1, bidirectional=True)
    trace = lstm_explain.trace(lstm, direction="backward")
    courses = [block for block in document_of(trace) if isinstance(block, Table) and block.columns[0].title == "unit"]
    last = courses[0].rows[0][2]
    assert isinstance(last, Cell)
    assert abs(float(last.text) - float(trace.hidden[0, 0])) < 0.001


def test_inputs_that_pin_the_gates_are_remarked_upon() -> None:
    assert "Scale them first" not in notes(document())
    large = lstm_explain.trace(lstm_explain.given(np.full((4, 1), 500.0)))
    assert "Scale them first" in notes(document_of(large))
