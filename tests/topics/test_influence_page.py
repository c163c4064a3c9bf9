"""The document of `influence`: its words say what the numbers say, and its tables hold the numbers that were measured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.document.blocks import Cell, Document, Heading, NextSteps, Note, Paragraph, Preformatted, Sparkline, Table
from lstm_explain.document.tables import MAX_ROWS, MAX_UNITS
from lstm_explain.render.layout import layout_lines
from lstm_explain.topics.influence.matrix_tables import ITSELF
from lstm_explain.topics.registry import document_of
from tests.helpers.documents import flatten

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.topics.influence import Influence

few = settings(max_examples=25, deadline=None, derandomize=True)


def asked(*, lstm: LSTM | None = None, **choices: Any) -> tuple[Influence, Document]:
    """An explanation and its document; keys of `explain_influence` choose, the others make the LSTM."""
    names = ("unit", "sample", "step", "layer", "direction", "mean", "through_time", "poke", "at", "by")
    questions = {name: choices.pop(name) for name in names if name in choices}
    found = lstm_explain.influence(lstm or lstm_explain.seeded(**{"samples": 2, **choices}), **questions)
    return found, read(found)


def read(influence: Influence) -> Document:
    """Its document as one column, with pictures as on a wide page."""
    return flatten(document_of(influence), widest=True)


def text_of(cell: object) -> str:
    assert isinstance(cell, Cell)
    return cell.text


def paragraphs(document: Document) -> str:
    return "\n".join(block.text for block in document if isinstance(block, Paragraph))


def notes(document: Document) -> list[str]:
    return [block.text for block in document if isinstance(block, Note)]


def after(document: Document, words: str) -> list[Table]:
    """The tables under the heading that begins so."""
    found: list[Table] = []
    under = False
    for block in document:
        if isinstance(block, Heading):
            under = block.text.startswith(words)
        elif under and isinstance(block, Table):
            found.append(block)
    return found


def only(document: Document, words: str) -> Table:
    (table,) = after(document, words)
    return table


def shown(table: Table) -> list[tuple[str, ...]]:
    return [tuple(map(text_of, row)) for row in table.rows]


def number(text: str) -> float:
    return float(text.replace(ITSELF, "").replace("%", ""))


STATEMENTS = "Unit {} was changed: how many numbers moved"


def moves(document: Document, unit: int) -> dict[tuple[str, str], tuple[str, ...]]:
    """What could move, by what was changed: how many did, how far, and what share of the change."""
    changed, rows = "", {}
    for name, target, *measured in shown(only(document, STATEMENTS.format(unit))):
        changed = name or changed
        rows[changed, target] = tuple(measured)
    return rows


def picture(document: Document) -> str:
    (drawing,) = [block for block in document if isinstance(block, Preformatted)]
    return "\n".join(drawing.lines)


# --- the four statements ----------------------------------------------------------------------------------------------


@given(units=st.integers(2, 20), seed=st.integers(0, 1000), step=st.integers(1, 10), projected=st.booleans())
@few
def test_the_statements_say_what_was_measured(units: int, seed: int, step: int, projected: bool) -> None:
    unit = units - 1
    found, document = asked(units=units, seed=seed, step=step, unit=unit, projection=1 if projected else None)
    measured = found.statements
    rows, output = moves(document, unit), "m" if projected else "h"
    weights = f"its {measured.parameters.owned} weights"
    assert rows[weights, "its own gates"] == ("4 of 4", f"{measured.parameters.own_gates.largest:.3g}", "")
    assert rows[weights, "gates of other units"] == (f"0 of {4 * (units - 1)}", "0 exactly", "")
    memory = f"its memory c_{step - 1}"
    assert rows[memory, f"c_{step} of other units"] == (f"0 of {units - 1}", "0 exactly", "")
    assert rows[memory, f"{output}_{step} of other units"] == (f"0 of {units - 1}", "0 exactly", "")
    own = measured.same_timestep.own_cell.largest
    assert rows[memory, f"its own c_{step}"] == ("1 of 1", f"{own:.3g}", f"{100 * own / 0.1:.1f} %")
    later = measured.next_timestep.cells
    moved, largest, _ = rows[f"its output {output}_{step - 1}", f"c_{step} of all units"]
    assert (moved, largest) == (f"{later.moved} of {units}", f"{later.largest:.3g}")
    assert f"the same {measured.over_time.parameters:,} parameters, counted once" in paragraphs(document)


def test_the_picture_marks_the_unit_that_moved_and_then_all_of_them() -> None:
    _, document = asked(units=4, unit=2, step=3)
    lines = [line.split("   ") for line in picture(document).splitlines()]
    assert [(line[0], line[-1]) for line in lines if len(line) > 1 and "of" in line[-1]] == [
        ("timestep 3  memory c  ○ ○ ● ○", "0 of 3 other units moved"),
        ("", "0 of 3 other units moved"),
        ("timestep 3  memory c  ● ● ● ●", "4 of 4 units moved"),
        ("", "4 of 4 units moved"),
    ]
    assert picture(document).count("· · ◆ ·   changed by 0.1") == 2


@given(units=st.integers(1, 200), unit=st.integers(0, 199))
@few
def test_the_picture_shows_the_changed_unit_under_its_number(units: int, unit: int) -> None:
    unit = min(unit, units - 1)
    _, document = asked(units=units, unit=unit, features=1, timesteps=2)
    header, changed, *_ = picture(document).splitlines()
    column = changed.index("◆")
    assert header[: column + 1].split()[-1].lstrip("…") == str(unit)
    assert len(header.split()) <= 16 + 3
    assert header.rstrip().endswith("…") == (units > 16 and f" {units - 1}" not in header)


def test_the_picture_marks_nothing_where_some_moved_and_it_is_unknown_which() -> None:
    found, _ = asked(units=4)
    drawn = picture(read(with_change(found, "next_timestep", cells=2)))
    assert "memory c  · · · ·   2 of 4 units moved" in drawn


def test_the_picture_of_a_projection_marks_outputs_before_it() -> None:
    _, document = asked(units=5, projection=2)
    drawn = picture(document)
    assert "output m" in drawn
    assert "2 of 2 numbers moved" in drawn
    assert "output h" not in drawn


def test_the_answer_follows_from_the_numbers() -> None:
    found, document = asked(units=7)
    assert "Within a timestep the units are independent: a change of the memory c of unit 0 moved 0 of 6" in paragraphs(
        document
    )
    reached = found.statements.next_timestep.cells.moved
    assert f"moved {reached} of 7 units." in paragraphs(document)
    assert "The projection alone mixes them" not in paragraphs(document)
    _, projected = asked(units=7, projection=3)
    assert "The projection alone mixes them" in paragraphs(projected)


def with_change(found: Influence, statement: str, **changes: Any) -> Influence:
    """The same explanation with other numbers in one statement."""
    import dataclasses

    part = getattr(found.statements, statement)
    moved = {name: getattr(part, name)._replace(moved=moved, largest=0.5 * moved) for name, moved in changes.items()}
    return dataclasses.replace(found, statements=found.statements._replace(**{statement: part._replace(**moved)}))


@pytest.mark.parametrize(
    ("statement", "name"),
    [("parameters", "other_gates"), ("same_timestep", "other_cells"), ("same_timestep", "other_emitted")],
)
def test_the_verdict_would_say_so_if_units_moved_each_other(statement: str, name: str) -> None:
    found, _ = asked()
    words = paragraphs(read(with_change(found, statement, **{name: 1})))
    assert "independent" not in words
    assert "Within a timestep units moved each other: " in words


def test_the_verdict_would_say_so_if_no_unit_was_reached() -> None:
    found, _ = asked()
    words = paragraphs(read(with_change(found, "next_timestep", cells=0, hidden=0)))
    assert "One timestep later nothing is shared: " in words
    assert "moved 0 of 10 units." in words


def test_where_nothing_moves_nothing_is_claimed() -> None:
    found, document = asked(by=1e-30)
    assert found.statements.parameters.own_gates.moved == 0
    assert "Nothing moved, not even the unit that was changed" in paragraphs(document)
    assert "independent" not in paragraphs(document)


def test_backwards_a_timestep_starts_from_the_one_after_it() -> None:
    _, document = asked(bidirectional=True, direction="backward", step=4)
    assert {changed for changed, _ in moves(document, 0)} >= {"its memory c_5", "its output h_5"}
    assert "timestep 5  memory c" in picture(document)
    assert after(document, "dh_t/dh_{t+1}")
    assert not after(document, "dh_t/dh_{t-1}")
    _, last = asked(bidirectional=True, direction="backward", step=10)
    assert ("its memory c_start", "its own c_10") in moves(last, 0)
    assert "initial      memory c" in picture(last)


# --- shares -----------------------------------------------------------------------------------------------------------


@given(
    units=st.integers(1, MAX_UNITS),
    seed=st.integers(0, 1000),
    peepholes=st.booleans(),
    mean=st.booleans(),
    projected=st.booleans(),
)
@few
def test_the_shown_shares_are_those_measured_and_add_up(
    units: int, seed: int, peepholes: bool, mean: bool, projected: bool
) -> None:
    projection = 1 if projected and units > 1 else None
    found, document = asked(units=units, seed=seed, peepholes=peepholes, mean=mean, projection=projection, timesteps=4)
    table = only(document, "Where a unit's next value comes from")
    rows = shown(table)
    assert f"that a unit's {'c' if projection else 'h'}_t depends on" in paragraphs(document)
    assert [row[0] for row in rows] == [*map(str, range(units)), "mean"]
    for row in rows:
        assert all(cell.endswith(" %") for cell in row[1:])
        assert sum(map(number, row[1:])) == pytest.approx(100, abs=0.151)  # three roundings of 0.05 each
    expected = 100 * np.array(found.derivatives.shares)
    np.testing.assert_allclose([list(map(number, row[1:])) for row in rows[:-1]], expected.T, atol=0.051)
    np.testing.assert_allclose(list(map(number, rows[-1][1:])), expected.mean(axis=1), atol=0.051)
    when = "averaged over 8 timesteps of all samples" if mean else "at timestep 4"
    assert f"Shares of absolute derivatives, {when}." in paragraphs(document)


# --- the matrices -----------------------------------------------------------------------------------------------------


@given(units=st.integers(1, MAX_UNITS), seed=st.integers(0, 1000), mean=st.booleans())
@few
def test_marks_stand_on_the_diagonal_alone_and_the_numbers_are_those_measured(units: int, seed: int, mean: bool) -> None:
    found, document = asked(units=units, seed=seed, mean=mean, timesteps=3)
    for name, matrix in (
        ("dh_t/dh_{t-1}", found.derivatives.matrices.hidden_by_hidden),
        ("dc_t/dh_{t-1}", found.derivatives.matrices.cell_by_hidden),
    ):
        rows = shown(only(document, f"mean |{name}|" if mean else name))
        for unit, row in enumerate(rows):
            assert [ITSELF in cell for cell in row] == [False, *(other == unit for other in range(units))]
        np.testing.assert_allclose([list(map(number, row[1:])) for row in rows], matrix, atol=5.01e-4)


def test_only_the_diagonal_of_matrices_between_units_is_marked() -> None:
    _, document = asked(projection=4, units=6)
    cells = [cell for block in document if isinstance(block, Table) for row in block.rows for cell in row]
    assert not any(ITSELF in cell.text for cell in cells if isinstance(cell, Cell))
    assert "diagonal" not in paragraphs(document)


def test_a_projection_has_a_matrix_of_its_own_for_memory() -> None:
    found, document = asked(projection=4, units=6)
    rows = shown(only(document, "dh_t/dc_{t-1}"))
    expected = found.derivatives.matrices.hidden_by_cell
    np.testing.assert_allclose([list(map(number, row[1:])) for row in rows], expected, atol=5.01e-4)
    assert expected.shape == (4, 6)
    heads = [block.text for block in document if isinstance(block, Heading)]
    assert "dh_t/dh_{t-1}: numbers of h_t by numbers of h_{t-1}" in heads
    assert "dc_t/dh_{t-1}: units of c_t by numbers of h_{t-1}" in heads


def test_own_and_others_in_words_are_means_of_sizes() -> None:
    found, document = asked(units=5)
    sizes = np.abs(found.derivatives.matrices.hidden_by_hidden)
    own, others = sizes.trace() / 5, (sizes.sum() - sizes.trace()) / 20
    assert f"Mean absolute value: {own:.3g} on the diagonal, {others:.3g} off it." in paragraphs(document)


def test_memory_is_shown_unit_by_unit_and_the_zeros_beside_are_counted() -> None:
    found, document = asked(units=5)
    rows = shown(only(document, "How far a unit's memory moves its next c and h"))
    matrices = found.derivatives.matrices
    expected = np.stack([matrices.cell_by_cell.diagonal(), matrices.hidden_by_cell.diagonal()], axis=1)
    np.testing.assert_allclose([list(map(number, row[1:])) for row in rows], expected, atol=5.01e-4)
    assert "40 of 40 derivatives by the c of another unit are exactly 0" in paragraphs(document)


def test_inputs_have_the_names_of_the_columns_in_the_first_layer_alone() -> None:
    lstm = lstm_explain.given(np.ones((2, 3, 2)), columns=["price", "volume"], units=3, layers=2)
    _, first = asked(lstm=lstm)
    assert [column.title for column in only(first, "dh_t/dx_t").columns] == ["unit", "x_t[0] price", "x_t[1] volume"]
    _, second = asked(lstm=lstm, layer=1, through_time=True)
    assert [column.title for column in only(second, "dh_t/dx_t").columns] == ["unit", "x_t[0]", "x_t[1]", "x_t[2]"]
    steps, _ = after(second, "Through time")
    assert [column.title for column in steps.columns[3:]] == ["x_t[0] price", "x_t[1] volume"]


# --- through time -----------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 1000), timesteps=st.integers(1, MAX_ROWS - 1), backward=st.booleans(), layer=st.integers(0, 1))
@few
def test_the_reach_is_shown_for_every_timestep(seed: int, timesteps: int, backward: bool, layer: int) -> None:
    found, document = asked(
        seed=seed,
        timesteps=timesteps,
        bidirectional=True,
        layers=2,
        layer=layer,
        direction="backward" if backward else "forward",
        units=3,
        features=2,
        through_time=True,
    )
    reach = found.through_time
    assert reach is not None
    steps, courses = after(document, "Through time")
    rows = shown(steps)
    assert [row[0] for row in rows] == ["start" if backward else "0", *map(str, reach.steps)]
    assert rows[0][3:] == ("", "")
    norms = np.stack([reach.hidden_norms, reach.cell_norms], axis=1)
    np.testing.assert_allclose([list(map(number, row[1:3])) for row in rows], norms, atol=5.01e-5)
    np.testing.assert_allclose([list(map(number, row[3:])) for row in rows[1:]], reach.input_norms, atol=5.01e-5)
    axes = None, (rows[0][0], rows[-1][0])
    for row, values, axis in zip(courses.rows, norms.T, axes, strict=True):
        (course,) = [cell for cell in row if isinstance(cell, Sparkline)]
        assert course == Sparkline(tuple(values.tolist()), 1.0, signed=False, axis=axis)


def test_the_input_that_moves_it_most_is_named() -> None:
    found, document = asked(through_time=True)
    assert found.through_time is not None
    sizes = found.through_time.input_norms
    step, feature = np.unravel_index(sizes.argmax(), sizes.shape)
    assert f" x_{step + 1}[{feature}] moves it most: by {sizes.max():.3g} times its own change." in paragraphs(document)
    first = f"h_1 becomes at most {found.through_time.hidden_norms[1]:.3g} times as large in h_10"
    assert first in paragraphs(document)


def test_backwards_the_reach_goes_from_the_last_timestep_to_the_first() -> None:
    found, document = asked(through_time=True, bidirectional=True, direction="backward", lengths=[6, 4], sample=1)
    assert found.through_time is not None
    sizes = found.through_time.input_norms
    step, feature = np.unravel_index(sizes.argmax(), sizes.shape)
    assert "A small change of h_4 becomes at most" in paragraphs(document)
    assert f" x_{4 - step}[{feature}] moves it most" in paragraphs(document)


# --- the ripple -------------------------------------------------------------------------------------------------------


@given(
    units=st.integers(1, MAX_UNITS),
    seed=st.integers(0, 1000),
    by=st.sampled_from([0.1, -2.0, 0.001]),
    at=st.integers(1, 6),
    backward=st.booleans(),
)
@few
def test_the_ripple_is_shown_in_percent_of_the_poke(units: int, seed: int, by: float, at: int, backward: bool) -> None:
    direction = "backward" if backward else "forward"
    found, document = asked(
        units=units,
        seed=seed,
        by=by,
        at=at,
        poke=units - 1,
        timesteps=6,
        bidirectional=True,
        direction=direction,
        dtype="float64",
    )
    assert found.ripple is not None
    rows = shown(only(document, "How far h moved"))
    assert [row[0] for row in rows] == [*map(str, found.ripple.steps)]
    np.testing.assert_allclose(
        [list(map(number, row[1:-1])) for row in rows], found.ripple.hidden * 100 / by, atol=5.01e-3, rtol=1e-9
    )
    assert rows[0][units] == " 100.00"
    assert [row[-1] for row in rows] == [str(moved) for moved in found.ripple.moved_counts]
    assert f"h_{at}[{units - 1}] is changed by {by:g}" in paragraphs(document)


@pytest.mark.parametrize(("unit", "first"), [(0, 0), (15, 0), (19, 4), (39, 24)])
def test_the_poked_unit_is_among_those_shown(unit: int, first: int) -> None:
    _, document = asked(units=40, poke=unit)
    for name in ("How far h moved", "How far c moved"):
        titles = [column.title for column in only(document, name).columns]
        assert titles == ["t \\ unit", *map(str, range(first, first + MAX_UNITS)), "moved"]
    assert shown(only(document, "How far h moved"))[0][unit - first + 1] == " 100.00"


def test_a_poke_beyond_all_measure_small_is_shown_without_a_warning() -> None:
    _, document = asked(by=5e-324, poke=0, dtype="float64")
    rows = shown(only(document, "How far h moved"))
    assert {number(cell) for row in rows for cell in row[1:-1]} == {0.0}
    assert {row[-1] for row in rows} == {"0"}


# --- sizes at the edges -----------------------------------------------------------------------------------------------


def test_of_many_units_features_and_timesteps_some_are_shown_and_it_says_how_many() -> None:
    document = asked(units=40, features=30, timesteps=60, through_time=True, poke=39)[1]
    for block in document:
        if isinstance(block, Table):
            assert len(block.columns) <= MAX_UNITS + 3
            assert len(block.rows) <= MAX_ROWS + 1
    assert "16 of 40 units are shown; --json has all." in notes(document)
    assert "16 of 30 numbers of x_t are shown; --json has all." in notes(document)


def test_at_the_limit_all_are_shown_and_nothing_is_said() -> None:
    document = asked(units=MAX_UNITS, features=MAX_UNITS, timesteps=MAX_ROWS - 1, through_time=True, poke=0)[1]
    assert not any("are shown" in note for note in notes(document))
    cells = [cell for block in document if isinstance(block, Table) for row in block.rows for cell in row]
    assert not any(cell.text == "⋮" for cell in cells if isinstance(cell, Cell))


def test_a_single_unit_has_no_other_unit_to_share_with() -> None:
    _, document = asked(units=1)
    assert "A single unit has no other unit to share with." in paragraphs(document)
    assert not any("other" in target for _, target in moves(document, 0))
    assert "there is no other unit" in picture(document)
    assert "0 of 0" not in paragraphs(document)


def test_a_single_timestep_reaches_from_the_initial_state() -> None:
    found, document = asked(timesteps=1, through_time=True, poke=0)
    assert found.through_time is not None
    assert f"h_0 becomes at most {found.through_time.hidden_norms[0]:.3g} times as large in h_1" in paragraphs(document)
    assert "the one timestep uses the same" in paragraphs(document)


@pytest.mark.parametrize(("units", "timesteps"), [(1, 1), (2, 3), (3, 2), (10, 10), (4, 4)])
def test_the_commands_that_it_recommends_are_possible(units: int, timesteps: int) -> None:
    lstm = lstm_explain.seeded(samples=1, units=units, timesteps=timesteps)
    _, document = asked(lstm=lstm)
    (tip,) = [command for command in commands(document) if "--poke" in command]
    poke, at = map(int, re.findall(r"--(?:poke|at) (\d+)", tip))
    assert lstm_explain.influence(lstm, poke=poke, at=at).ripple is not None


def test_what_was_asked_for_is_not_recommended() -> None:
    assert commands(asked(mean=True, through_time=True, poke=0)[1]) == ["lstm-explain explore --samples 2"]


def commands(document: Document) -> list[str]:
    return [step.command for block in document if isinstance(block, NextSteps) for step in block.steps]


def test_a_poke_comes_first_with_its_ripple_in_h_and_c() -> None:
    found, document = asked(poke=3, at=4)
    assert found.ripple is not None
    heads = [block.text for block in document if isinstance(block, Heading)]
    assert [head.partition(":")[0] for head in heads[1:4]] == [
        "How far h moved",
        "How far c moved",
        "Are the units independent?",
    ]
    first = next(block.text for block in document if isinstance(block, Paragraph))
    assert "At timestep 4, 1 of 10 numbers of h moved, the one that was changed. At timestep 5, 10 of 10 moved." in first
    rows = shown(only(document, "How far c moved"))
    np.testing.assert_allclose([list(map(number, row[1:-1])) for row in rows], found.ripple.cell * 1000, atol=5.1e-3)
    assert [row[-1] for row in rows][:2] == ["0", "10"]


@pytest.mark.parametrize(
    "options", [{}, {"projection": 4, "layers": 2, "bidirectional": True, "direction": "backward"}], ids=str
)
@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("unicode", [False, True])
def test_no_line_is_wider_than_the_page(options: dict[str, Any], mean: bool, unicode: bool) -> None:
    for choices in ({}, {"poke": 3, "at": 4, "by": -1234.5}, {"features": 20, "units": 40, "timesteps": 50}):
        found, _ = asked(**options, **choices, mean=mean, through_time=True)
        for line in layout_lines(document_of(found), 80, unicode):
            assert len("".join(span.text for span in line)) <= 80


@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul")
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_numbers_that_are_not_finite_stand_as_dots_and_are_not_talked_about(value: float) -> None:
    array = np.ones((1, 3, 2))
    array[0, 1] = value
    found, document = asked(lstm=lstm_explain.given(array, units=3), through_time=True, poke=1)
    words = paragraphs(document)
    if np.isfinite(value):
        assert "moves it" in words
    else:
        assert found.through_time is not None
    if np.isnan(value):
        assert "nan" not in words.replace("mean", "")
        assert "· %" not in str(shown(only(document, "Where a unit's next value")))
        assert "shown as dots" in words
