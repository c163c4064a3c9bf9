"""The document of `unit`: a reader with a calculator can add it up."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.core.edits import parse_edit
from lstm_explain.core.gates import Gate
from lstm_explain.document.blocks import Cell, Document, Heading, Table
from lstm_explain.topics.registry import document_of
from lstm_explain.topics.unit.page import PLACES


def sums(document: Document) -> list[Table]:
    """The tables of the four neurons' sums."""
    return [block for block in document if isinstance(block, Table) and block.columns[-1].title == "= product"]


def number(cell: object) -> float:
    assert isinstance(cell, Cell)
    return float(cell.text)


def label(row: tuple[object, ...]) -> str:
    assert isinstance(row[0], Cell)
    return row[0].text


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 1000),
    step=st.integers(1, 3),
    units=st.integers(2, 60),
    bias=st.booleans(),
    peepholes=st.booleans(),
)
def test_the_shown_products_add_up_to_the_shown_sum(seed: int, step: int, units: int, bias: bool, peepholes: bool) -> None:
    lstm = lstm_explain.seeded(samples=1, timesteps=3, units=units, seed=seed, bias=bias, peepholes=peepholes)
    found = sums(document_of(lstm_explain.unit(lstm, unit=1, step=step)))
    assert len(found) == 4
    for table in found:
        *terms, total, result = table.rows
        rounding = 0.5 * 10**-PLACES * (len(terms) + 1)
        assert label(total) == "sum"
        assert "(sum)" in label(result)
        assert number(total[-1]) == pytest.approx(sum(number(row[-1]) for row in terms), abs=rounding)


def test_each_shown_product_is_its_value_times_its_weight() -> None:
    found = sums(document_of(lstm_explain.unit(lstm_explain.seeded(samples=1), unit=3, step=4)))
    for row in (row for table in found for row in table.rows[:-2]):
        assert number(row[1]) * number(row[2]) == pytest.approx(number(row[3]), abs=3e-6)


def test_the_shown_states_follow_from_the_shown_gates() -> None:
    document = document_of(lstm_explain.unit(lstm_explain.seeded(samples=1), unit=3, step=4))
    (table,) = [block for block in document if isinstance(block, Table) and block.rows and label(block.rows[0]) == "f × c_3"]
    kept, added, cell, hidden = table.rows
    for row, operation in ((kept, "×"), (added, "×"), (cell, "+")):
        assert isinstance(row[1], Cell)
        left, right = (float(part) for part in row[1].text.split(operation))
        expected = left * right if operation == "×" else left + right
        assert number(row[2]) == pytest.approx(expected, abs=3e-6)
    assert label(hidden) == "h_4"


def test_backwards_a_timestep_starts_from_the_one_after_it() -> None:
    lstm = lstm_explain.seeded(samples=1, bidirectional=True)
    first, *_ = sums(document_of(lstm_explain.unit(lstm, unit=0, step=4, direction="backward")))
    labels = [label(row) for row in first.rows]
    assert "h_5[0]" in labels
    assert "h_3[0]" not in labels


def test_many_inputs_are_summed_up_in_one_row() -> None:
    first, *_ = sums(document_of(lstm_explain.unit(lstm_explain.seeded(samples=1, units=200), unit=0, step=2)))
    assert any(re.fullmatch(r"\d+ more", label(row)) for row in first.rows)
    assert len(first.rows) < 40


def test_without_a_step_it_says_how_to_ask_for_one() -> None:
    document = document_of(lstm_explain.unit(lstm_explain.seeded(samples=1), unit=0))
    assert not sums(document)
    assert any("--step 4" in getattr(block, "text", "") for block in document)
    assert not any("written out" in block.text for block in document if isinstance(block, Heading))


# --- with numbers set by hand -------------------------------------------------------------------------------------------


def words(document: Document) -> str:
    return "\n".join(getattr(block, "text", "") for block in document)


def test_a_gate_that_is_held_is_shown_with_what_it_would_have_been() -> None:
    lstm = lstm_explain.seeded(samples=1).with_edits([parse_edit("f_4[3]=0.25")])
    unit = lstm_explain.unit(lstm, unit=3, step=4)
    assert unit.arithmetic is not None
    document = document_of(unit)
    _, forget, *others = sums(document)
    *_, result, held = forget.rows
    assert label(result) == "f = sigmoid(sum)"
    assert number(result[-1]) == pytest.approx(unit.arithmetic.gates[Gate.FORGET].activated, abs=1e-6)
    assert label(held) == "f, held by hand"
    assert number(held[-1]) == 0.25
    assert not any("held" in label(row) for table in others for row in table.rows)
    (states,) = [block for block in document if isinstance(block, Table) and block.rows and label(block.rows[0]) == "f × c_3"]
    first = states.rows[0][1]
    assert isinstance(first, Cell)
    assert first.text.startswith("0.250000 × ")


def test_a_state_that_is_set_is_said_after_what_the_timestep_made() -> None:
    lstm = lstm_explain.seeded(samples=1).with_edits([parse_edit("c_4[3]=2"), parse_edit("h_4[3]=-0.5")])
    text = words(document_of(lstm_explain.unit(lstm, unit=3, step=4)))
    assert "After that, c_4 was set by hand to 2.\nAfter that, h_4 was set by hand to -0.5." in text
    assert "Set by hand: c_4[3]=2, h_4[3]=-0.5." in text
    assert "After that" not in words(document_of(lstm_explain.unit(lstm, unit=2, step=4)))
    assert "by hand" not in words(document_of(lstm_explain.unit(lstm_explain.seeded(samples=1), unit=3, step=4)))
