"""unit: what one unit owns, and one of its steps redone from the numbers of the run."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.edits import Edit, parse_edit
from lstm_explain.core.gates import GATES, LETTERS, Direction, Gate
from lstm_explain.errors import UsageError
from lstm_explain.library import given as lstm_over
from lstm_explain.library import seeded
from lstm_explain.topics.unit import explain_unit
from tests.helpers.random_lstms import random_lstms

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.topics.unit import Arithmetic, Unit

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
few = settings(max_examples=100, deadline=None)


@st.composite
def questions(draw: st.DrawFn, /, **fixed: Any) -> tuple[LSTM, dict[str, Any]]:
    """An LSTM with any options, and a step of one of its units that was run."""
    lstm = draw(random_lstms(most_samples=5, most_timesteps=7, most_units=8, **fixed))
    spec = lstm.spec
    sample = draw(st.integers(0, spec.samples - 1))
    layer, way = draw(st.sampled_from(spec.layer_directions))
    return lstm, {
        "unit": draw(st.integers(0, spec.for_layer(layer).units - 1)),
        "sample": sample,
        "step": draw(st.integers(1, spec.timesteps if lstm.lengths is None else lstm.lengths[sample])),
        "layer": layer,
        "direction": way.value,
    }


def written_out(unit: Unit) -> Arithmetic:
    assert unit.arithmetic is not None
    return unit.arithmetic


@given(questions())
@few
def test_the_arithmetic_agrees_with_the_run(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    unit = explain_unit(lstm, **asked)
    arithmetic, t = written_out(unit), asked["step"]
    assert arithmetic.t == t
    assert arithmetic.difference < TOLERANCE[lstm.spec.dtype]
    record, place = lstm.run_sample(asked["sample"])
    part = record.of(asked["layer"], unit.direction)
    assert arithmetic.cell == pytest.approx(float(part.cell[place, t - 1, unit.unit]), abs=TOLERANCE[lstm.spec.dtype])
    for gate in GATES:
        assert arithmetic.gates[gate].recorded == float(part.gate(gate)[place, t - 1, unit.unit])


@given(questions())
@few
def test_the_terms_add_up_to_the_gate(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    unit, own = explain_unit(lstm, **asked), lstm.spec.for_layer(asked["layer"])
    assert (unit.features, unit.hidden) == (own.features, own.hidden)
    for gate, one in written_out(unit).gates.items():
        assert one.total == pytest.approx(sum(term.value * term.weight for term in one.terms), abs=1e-12)
        squashed = math.tanh(one.total) if gate is Gate.CANDIDATE else 1 / (1 + math.exp(-one.total))
        assert one.value == pytest.approx(squashed, abs=1e-15)
        assert len(one.terms) == unit.neurons[gate].parameters
        by_source = {source: [term for term in one.terms if term.source == source] for source in ("x", "h", "c", "bias")}
        assert [term.position for term in by_source["x"]] == list(range(unit.features))
        assert [term.position for term in by_source["h"]] == list(range(unit.hidden))
        assert [term.position for term in by_source["c"]] == [unit.unit] * (own.peepholes and gate is not Gate.CANDIDATE)
        assert [(term.position, term.value) for term in by_source["bias"]] == [(None, 1.0)] * own.bias
        assert [term.weight for term in by_source["x"]] == unit.neurons[gate].kernel.tolist()
        assert [term.weight for term in by_source["h"]] == unit.neurons[gate].recurrent_kernel.tolist()


@given(questions())
@few
def test_the_gates_make_the_cell_and_the_output(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    arithmetic = written_out(explain_unit(lstm, **asked))
    i, f, g, o = (arithmetic.gates[gate].value for gate in GATES)
    assert arithmetic.kept == f * arithmetic.cell_before
    assert arithmetic.added == i * g
    assert arithmetic.cell == arithmetic.kept + arithmetic.added
    assert arithmetic.hidden == o * math.tanh(arithmetic.cell)


@given(questions(projection=None))
@few
def test_without_a_projection_a_unit_emits_its_number_of_h(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    record, place = lstm.run_sample(asked["sample"])
    unit = explain_unit(lstm, **asked)
    part = record.of(asked["layer"], unit.direction)
    np.testing.assert_array_equal(unit.output, part.hidden[place, :, unit.unit])
    assert unit.projection is None


def test_with_a_projection_h_is_mixed_from_all_units() -> None:
    lstm = seeded(samples=2, projection=4, dtype="float64")
    units = [explain_unit(lstm, unit) for unit in range(10)]
    record, place = lstm.run_sample(0)
    mixed = sum(np.outer(unit.output, unit.projection) for unit in units if unit.projection is not None)
    np.testing.assert_allclose(mixed, record.output[place], atol=1e-14)


@given(questions())
@few
def test_a_unit_owns_its_columns_and_the_units_own_everything(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    unit = explain_unit(lstm, **asked)
    weights = lstm.weights.of(asked["layer"], unit.direction)
    assert unit.parameters * lstm.spec.for_layer(asked["layer"]).units == sum(
        array.size for array in weights.tensors().values()
    )
    for gate, neuron in unit.neurons.items():
        column = weights.columns(gate).start + unit.unit
        np.testing.assert_array_equal(neuron.kernel, weights.kernel[:, column])
        np.testing.assert_array_equal(neuron.recurrent_kernel, weights.recurrent_kernel[:, column])


@given(questions(dtype="float32"))
@few
def test_the_json_object(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    unit = explain_unit(lstm, **asked)
    found = unit.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["schema"] == "lstm-explain/unit"
    assert list(found)[5:] == [
        *("unit", "sample", "layer", "direction", "length", "reads", "parameters", "weights", "projection"),
        *("initial", "steps", "arithmetic", "nonfinite"),
    ]
    assert found["nonfinite"] == []
    assert [step["t"] for step in found["steps"]] == list(range(1, lstm.spec.timesteps + 1))
    for step in found["steps"]:
        assert list(step) == ["t", "padded", "i", "f", "g", "o", "c", "h"]
        padded = step["t"] > unit.length
        assert step["padded"] is padded
        assert [step[letter] is None for letter in "ifgo"] == [padded] * 4
        assert step["h"] is not None or (padded and unit.layer_spec.projection is not None)
    made = found["arithmetic"]
    assert made["cell"]["value"] == made["cell"]["kept"] + made["cell"]["added"]
    assert made["hidden"]["value"] == made["hidden"]["o"] * made["hidden"]["tanh_c"]
    for gate in GATES:
        assert made[gate.value]["activation"] == ("tanh" if gate is Gate.CANDIDATE else "sigmoid")
        recorded = np.float32(found["steps"][asked["step"] - 1][LETTERS[gate]])
        assert np.float32(made[gate.value]["recorded"]) == recorded


def test_the_founding_example() -> None:
    unit = explain_unit(seeded(), unit=3)
    assert (unit.parameters, unit.features, unit.hidden) == (64, 5, 10)
    assert unit.arithmetic is None
    assert {neuron.parameters for neuron in unit.neurons.values()} == {16}
    assert unit.to_dict()["arithmetic"] is None


def test_the_first_step_starts_from_the_initial_states() -> None:
    lstm = seeded(samples=2, bidirectional=True, peepholes=True)
    for direction, first in (("forward", 1), ("backward", 10)):
        arithmetic = written_out(explain_unit(lstm, step=first, direction=direction))
        assert arithmetic.cell_before == 0
        assert {term.value for term in arithmetic.gates[Gate.INPUT].terms if term.source in "hc"} == {0.0}
        later = written_out(explain_unit(lstm, step=5, direction=direction))
        assert later.cell_before != 0


def test_peepholes_see_the_cell_before_and_the_output_gate_the_cell_after() -> None:
    arithmetic = written_out(explain_unit(seeded(samples=2, peepholes=True, dtype="float64"), step=4))
    seen = {gate: [term.value for term in one.terms if term.source == "c"] for gate, one in arithmetic.gates.items()}
    before, after = arithmetic.cell_before, arithmetic.cell_recorded
    assert seen == {Gate.INPUT: [before], Gate.FORGET: [before], Gate.CANDIDATE: [], Gate.OUTPUT: [after]}
    assert before != after


@pytest.mark.parametrize("value", [1e30, -1e30])
def test_saturated_gates_are_explained_without_a_warning(value: float) -> None:
    unit = explain_unit(lstm_over(np.full((1, 2, 3), value), units=4, dtype="float64"), step=2)
    arithmetic = written_out(unit)
    assert {arithmetic.gates[gate].value for gate in GATES} <= {-1.0, 0.0, 1.0}
    assert arithmetic.difference == 0


@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul")
def test_infinity_in_the_input_is_named_in_json() -> None:
    found = explain_unit(lstm_over(np.full((1, 2, 4), np.inf), units=2), step=1).to_dict()
    assert {"path": "arithmetic.input_gate.terms[0].value", "value": "inf"} in found["nonfinite"]
    json.dumps(found, allow_nan=False)


def test_nan_in_the_input_is_named_in_json() -> None:
    array = np.ones((1, 3, 2), np.float32)
    array[0, 1, 0] = np.nan
    found = explain_unit(lstm_over(array, units=2), step=2).to_dict()
    paths = {one["path"]: one["value"] for one in found["nonfinite"]}
    assert paths["steps[1].i"] == paths["steps[2].c"] == "nan"
    assert paths["arithmetic.input_gate.terms[0].value"] == "nan"
    assert "steps[0].i" not in paths
    assert found["steps"][1]["i"] is None
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("asked", "named", "found"),
    [
        ({"unit": 10}, "unit=10", "there are 10 units, and they count from 0 to 9"),
        ({"unit": -1}, "unit=-1", "there are 10 units, and they count from 0 to 9"),
        ({"sample": 3}, "sample=3", "there are 3 samples, and they count from 0 to 2"),
        ({"step": 0}, "step=0", "timesteps count from 1 to 5; h and c at 0 are the initial states"),
        ({"step": 6}, "step=6", "timesteps count from 1 to 5; h and c at 0 are the initial states"),
        ({"layer": 1}, "layer=1", "there is one layer, number 0"),
        ({"step": 3, "sample": 1}, "step=3", "sample 1 ends at timestep 2; what follows is padding"),
    ],
)
def test_what_is_not_there_is_refused(asked: dict[str, Any], named: str, found: str) -> None:
    with pytest.raises(UsageError) as raised:
        explain_unit(seeded(lengths=[5, 2, 1]), **asked)
    assert (raised.value.asked, raised.value.found) == (named, found)
    assert raised.value.exit_code == 2


def test_units_are_frozen() -> None:
    unit = explain_unit(seeded(samples=1), step=1)
    sums = written_out(unit).gates[Gate.INPUT]
    for value in (unit, unit.neurons[Gate.INPUT], written_out(unit), sums, sums.terms[0]):
        for name in value._fields if isinstance(value, tuple) else vars(value):
            with pytest.raises(AttributeError):
                setattr(value, name, None)


# --- with numbers set by hand -------------------------------------------------------------------------------------------


@st.composite
def edited_questions(draw: st.DrawFn, /, **fixed: Any) -> tuple[LSTM, dict[str, Any]]:
    """A question, and some numbers set around the place that it asks about."""
    lstm, asked = draw(questions(**fixed))
    layer, way = asked["layer"], Direction(asked["direction"])
    spec = lstm.spec.for_layer(layer)
    steps = st.integers(max(1, asked["step"] - 1), asked["step"])

    def of(name: str) -> st.SearchStrategy[Edit]:
        place = st.integers(0, spec.hidden - 1) if name == "h" else st.just(asked["unit"]) | st.integers(0, spec.units - 1)
        when = steps | st.none() if name in "ifgo" else steps
        least, most = {"g": (-1, 1), "h": (-2, 2), "c": (-2, 2)}.get(name, (0, 1))
        choices = st.tuples(st.floats(least, most), place, when)
        return choices.map(lambda one: Edit(name, one[0], one[1], one[2], layer=layer, direction=way))

    some = draw(st.lists(st.sampled_from("hcifgo").flatmap(of), min_size=1, max_size=4))
    return lstm.with_edits(some), asked


@given(edited_questions())
@few
def test_with_numbers_set_by_hand_the_arithmetic_still_agrees(question: tuple[LSTM, dict[str, Any]]) -> None:
    """What is held or set counts as set; everything else is what the equations make of the run's own numbers."""
    lstm, asked = question
    arithmetic = written_out(explain_unit(lstm, **asked))
    assert arithmetic.difference < 4 * TOLERANCE[lstm.spec.dtype]
    here = [one for one in lstm.edits if one.position == asked["unit"]]
    for gate, one in arithmetic.gates.items():
        values = [edit.value for edit in here if edit.name == LETTERS[gate] and edit.step in (None, asked["step"])]
        assert one.held is bool(values)
        if values:
            assert one.value == one.recorded == pytest.approx(values[-1], rel=1e-6, abs=1e-12)
    set_after = {edit.name for edit in here if edit.step == asked["step"] and edit.name in "hc"}
    projected = lstm.spec.for_layer(asked["layer"]).projection is not None
    assert set(arithmetic.set_after) == (set_after - {"h"} if projected else set_after)
    for letter, recorded in (("c", arithmetic.cell_recorded), ("h", arithmetic.hidden_recorded)):
        if letter in arithmetic.set_after:
            values = [edit.value for edit in here if edit.name == letter and edit.step == asked["step"]]
            assert recorded == pytest.approx(values[-1], rel=1e-6, abs=1e-12)


@given(edited_questions(dtype="float32"))
@few
def test_the_json_object_tells_what_is_set(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, asked = question
    unit = explain_unit(lstm, **asked)
    found = unit.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["source"]["edits"] == [str(one) for one in lstm.edits]
    made = found["arithmetic"]
    for gate, one in written_out(unit).gates.items():
        assert made[gate.value]["held"] is one.held
        assert made[gate.value]["activated"] == one.activated
        assert made[gate.value]["value"] == (one.recorded if one.held else one.activated)
    assert (made["cell"]["set"], made["hidden"]["set"]) == tuple(letter in written_out(unit).set_after for letter in "ch")


def test_a_gate_that_is_held_is_held_whatever_its_sum() -> None:
    lstm = seeded(dtype="float64")
    free, held = (
        written_out(explain_unit(one, unit=4, step=3)).gates[Gate.FORGET]
        for one in (lstm, lstm.with_edits([parse_edit("f_3[4]=0")]))
    )
    assert held.total == pytest.approx(free.total)
    assert held.activated == pytest.approx(free.value)
    assert (held.value, held.recorded, held.held) == (0, 0, True)
    assert written_out(explain_unit(lstm.with_edits([parse_edit("f_3[4]=0")]), unit=4, step=3)).kept == 0
    assert not written_out(explain_unit(lstm.with_edits([parse_edit("f_3[4]=0")]), unit=5, step=3)).gates[Gate.FORGET].held


def test_a_state_that_is_set_is_what_the_next_timestep_starts_from() -> None:
    lstm = seeded(dtype="float64").with_edits([parse_edit("c_3[4]=2"), parse_edit("h_3[4]=-1")])
    here, after = (written_out(explain_unit(lstm, unit=4, step=t)) for t in (3, 4))
    assert here.set_after == ("c", "h")
    assert (here.cell_recorded, here.hidden_recorded) == (2, -1)
    assert here.cell != pytest.approx(2)
    assert after.cell_before == 2
    assert [term.value for term in after.gates[Gate.INPUT].terms if (term.source, term.position) == ("h", 4)] == [-1]


def test_without_edits_nothing_is_held_or_set() -> None:
    arithmetic = written_out(explain_unit(seeded(), step=3))
    assert arithmetic.set_after == ()
    assert not any(one.held for one in arithmetic.gates.values())
    assert "edits" not in explain_unit(seeded()).to_dict()["source"]
