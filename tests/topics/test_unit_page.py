"""The document of `unit`: a reader with a calculator can add it up."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.core.edits import parse_edit
from lstm_explain.core.gates import GATES, Gate
from lstm_explain.document.blocks import Cell, Document, Heading, NextSteps, Preformatted, Table
from lstm_explain.topics.registry import document_of
from lstm_explain.topics.unit.arithmetic_tables import NARROW_PLACES, PLACES
from tests.helpers.documents import flatten

LETTERS = tuple("ifgo")


def tables(document: Document, places: int = PLACES) -> list[Table]:
    """All tables, those of products with as many decimals."""
    return [block for block in flatten(document, widest=places == PLACES) if isinstance(block, Table)]


def products(document: Document, places: int = PLACES) -> list[Table]:
    """The table of products, if there is one."""
    return [table for table in tables(document, places) if table.columns[-1].title == "= o"]


def rows_by_label(table: Table) -> dict[str, tuple[str, ...]]:
    return {label(row): tuple(cell.text for cell in row[1:] if isinstance(cell, Cell)) for row in table.rows}


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
    places=st.sampled_from([PLACES, NARROW_PLACES]),
)
def test_the_shown_products_add_up_to_the_shown_sum(
    seed: int, step: int, units: int, bias: bool, peepholes: bool, places: int
) -> None:
    lstm = lstm_explain.seeded(samples=1, timesteps=3, units=units, seed=seed, bias=bias, peepholes=peepholes)
    (table,) = products(document_of(lstm_explain.unit(lstm, unit=1, step=step)), places)
    *terms, total, through, result = table.rows
    rounding = 0.5 * 10**-places * (len(terms) + 1)
    assert [label(row) for row in (total, through, result)] == ["sum", "through", "result"]
    for column in range(-4, 0):
        shown = [row[column] for row in terms if isinstance(row[column], Cell) and text_of(row[column])]
        assert number(total[column]) == pytest.approx(sum(map(number, shown)), abs=rounding)


def text_of(cell: object) -> str:
    assert isinstance(cell, Cell)
    return cell.text


def test_each_shown_product_is_its_value_times_its_weight() -> None:
    (table,) = products(document_of(lstm_explain.unit(lstm_explain.seeded(samples=1), unit=3, step=4)))
    assert [column.title for column in table.columns] == ["reads", "value", *(f"{sign} {x}" for sign in "×=" for x in LETTERS)]
    for row in table.rows[:-4]:
        for column in range(2, 6):
            assert number(row[1]) * number(row[column]) == pytest.approx(number(row[column + 4]), abs=3e-6)


def test_a_bias_is_added_and_not_read() -> None:
    (table,) = products(document_of(lstm_explain.unit(lstm_explain.seeded(samples=1), unit=3, step=4)))
    bias = rows_by_label(table)["+ bias"]
    assert bias == ("",) * 5 + (" 0.000000", " 1.000000", " 0.000000", " 0.000000")


def test_with_peepholes_i_and_f_read_the_previous_c_and_o_reads_the_new_one() -> None:
    unit = lstm_explain.unit(lstm_explain.seeded(samples=1, peepholes=True), unit=3, step=4)
    (table,) = products(document_of(unit))
    rows = rows_by_label(table)
    assert [bool(text) for text in rows["c_3[3]"]] == [True, True, True, False, False, True, True, False, False]
    assert [bool(text) for text in rows["c_4[3]"]] == [True, False, False, False, True, False, False, False, True]
    assert float(rows["c_3[3]"][0]) == pytest.approx(unit.cell[2], abs=1e-6)
    assert float(rows["c_4[3]"][0]) == pytest.approx(unit.cell[3], abs=1e-6)


def test_the_shown_states_follow_from_the_shown_gates() -> None:
    document = document_of(lstm_explain.unit(lstm_explain.seeded(samples=1), unit=3, step=4))
    (table,) = [table for table in tables(document) if label(table.rows[0]) == "f × c_3"]
    kept, added, cell, hidden = table.rows
    for row, operation in ((kept, "×"), (added, "×"), (cell, "+")):
        left, right = (float(part) for part in text_of(row[1]).split(operation))
        expected = left * right if operation == "×" else left + right
        assert number(row[2]) == pytest.approx(expected, abs=3e-6)
    assert label(hidden) == "h_4"


def test_backwards_a_timestep_starts_from_the_one_after_it() -> None:
    lstm = lstm_explain.seeded(samples=1, bidirectional=True)
    document = document_of(lstm_explain.unit(lstm, unit=0, step=4, direction="backward"))
    (table,) = products(document)
    rows = rows_by_label(table)
    assert "h_5[0]" in rows
    assert "h_3[0]" not in rows
    assert "h_5[0] is the output h of unit 0 at timestep 5" in words(document)


@pytest.mark.parametrize(("direction", "step", "name"), [("forward", 1, "h_0[2]"), ("backward", 5, "h_6[2]")])
def test_before_the_first_timestep_read_h_is_the_initial_one(direction: str, step: int, name: str) -> None:
    lstm = lstm_explain.seeded(samples=1, timesteps=5, bidirectional=True)
    document = document_of(lstm_explain.unit(lstm, unit=2, step=step, direction=direction))
    assert f"{name} is the initial h of unit 2, x_{step}[0] is feature 0 of timestep {step}: " in words(document)


def test_a_single_unit_is_called_the_only_one() -> None:
    title = document_of(lstm_explain.unit(lstm_explain.seeded(samples=1, units=1)))[0]
    assert title == Heading("unit 0 (the only one): sample 0, layer 0, forward", 1)


def test_many_inputs_are_summed_up_in_one_row() -> None:
    (table,) = products(document_of(lstm_explain.unit(lstm_explain.seeded(samples=1, units=200), unit=0, step=2)))
    assert any(re.fullmatch(r"\d+ more", label(row)) for row in table.rows)
    assert len(table.rows) < 40


def test_without_a_step_it_suggests_one() -> None:
    document = document_of(lstm_explain.unit(lstm_explain.seeded(samples=1), unit=0))
    assert not products(document)
    assert commands(document)[0] == "lstm-explain unit --samples 1 --step 4"
    assert not any("written out" in block.text for block in flatten(document) if isinstance(block, Heading))


@pytest.mark.parametrize("step", [None, 2])
def test_the_suggested_commands_are_about_the_same_sample_layer_and_direction(step: int | None) -> None:
    lstm = lstm_explain.seeded(samples=2, units=3, layers=2, bidirectional=True)
    document = document_of(lstm_explain.unit(lstm, unit=1, sample=1, step=step, layer=1, direction="backward"))
    for command in commands(document):
        assert "--sample 1 --layer 1 --direction backward" in command


def commands(document: Document) -> list[str]:
    return [step.command for block in document if isinstance(block, NextSteps) for step in block.steps]


# --- the drawing --------------------------------------------------------------------------------------------------------


def drawing(document: Document, widest: bool = True) -> str:
    (picture,) = [block for block in flatten(document, widest=widest) if isinstance(block, Preformatted)]
    return "\n".join(picture.lines)


@pytest.mark.parametrize("widest", [True, False])
@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ({}, ["x_4: 5 features", "h_3: 10 outputs", "c_4 = f × c_3 + i × g", "h_4 = o × tanh(c_4)"]),
        ({"units": 1, "features": 1}, ["x_4: 1 feature", "h_3: 1 output"]),
        ({"projection": 3}, ["h_3: 3 numbers", "m_4 = o × tanh(c_4)"]),
        ({"peepholes": True}, ["c_3: its own"]),
        ({"timesteps": 1}, ["x_1: 5 features", "h_0: 10 outputs", "c_1 = f × c_0 + i × g"]),
    ],
)
def test_the_drawing_shows_what_is_read_kept_and_output(options: dict[str, Any], texts: list[str], widest: bool) -> None:
    unit = lstm_explain.unit(lstm_explain.seeded(**{"samples": 1, **options}))
    picture = drawing(document_of(unit), widest)
    assert all(text in picture for text in texts)
    t = min(4, unit.length)
    for gate, letter in zip(GATES, LETTERS, strict=True):
        assert f"{letter} = {unit.gates[gate][t - 1]: .4f}" in picture
    assert f"= {unit.cell[t - 1]: .4f}" in picture
    assert f"= {unit.output[t - 1]: .4f}" in picture


def test_the_drawing_says_which_states_were_set_by_hand() -> None:
    lstm = lstm_explain.seeded(samples=1).with_edits([parse_edit("c_4[3]=2")])
    picture = drawing(document_of(lstm_explain.unit(lstm, unit=3, step=4)))
    assert "c_4 =  2.0000, set by hand" in picture
    assert "made before that" in picture
    lstm = lstm_explain.seeded(samples=1).with_edits([parse_edit("h_4[3]=2")])
    picture = drawing(document_of(lstm_explain.unit(lstm, unit=3, step=4)))
    assert "c_4 = f × c_3 + i × g" in picture
    assert "h_4 =  2.0000, set by hand" in picture


# --- with numbers set by hand -------------------------------------------------------------------------------------------


def words(document: Document) -> str:
    return "\n".join(getattr(block, "text", "") for block in flatten(document))


def test_a_gate_that_is_held_is_shown_with_what_it_would_have_been() -> None:
    lstm = lstm_explain.seeded(samples=1).with_edits([parse_edit("f_4[3]=0.25")])
    unit = lstm_explain.unit(lstm, unit=3, step=4)
    assert unit.arithmetic is not None
    document = document_of(unit)
    (table,) = products(document)
    rows = rows_by_label(table)
    assert float(rows["result"][-3]) == pytest.approx(unit.arithmetic.gates[Gate.FORGET].activated, abs=1e-6)
    assert rows["by hand"] == ("",) * 6 + (" 0.250000", "", "")
    (states,) = [table for table in tables(document) if label(table.rows[0]) == "f × c_3"]
    assert text_of(states.rows[0][1]).startswith("0.250000 × ")


def test_a_state_that_is_set_is_said_after_what_the_timestep_made() -> None:
    lstm = lstm_explain.seeded(samples=1).with_edits([parse_edit("c_4[3]=2"), parse_edit("h_4[3]=-0.5")])
    text = words(document_of(lstm_explain.unit(lstm, unit=3, step=4)))
    assert "After that, c_4 was set by hand to 2.\nAfter that, h_4 was set by hand to -0.5." in text
    assert "Set by hand: c_4[3]=2, h_4[3]=-0.5." in text
    assert "After that" not in words(document_of(lstm_explain.unit(lstm, unit=2, step=4)))
    assert "by hand" not in words(document_of(lstm_explain.unit(lstm_explain.seeded(samples=1), unit=3, step=4)))
