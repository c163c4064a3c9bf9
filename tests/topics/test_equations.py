"""equations: computed as they are written they are the run, in every notation; the numbers put in are those of unit."""

from __future__ import annotations

import json
import math
import re
import tracemalloc
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.cli.choices import NOTATIONS as NOTATION_CHOICES
from lstm_explain.core.equations import pieces, symbols_in
from lstm_explain.core.gates import ACTIVATIONS, GATES, Gate
from lstm_explain.errors import RefusedError, UsageError
from lstm_explain.frameworks.registry import DEFAULT_NOTATION, NOTATIONS
from lstm_explain.library import given as lstm_over
from lstm_explain.library import seeded
from lstm_explain.topics.equations import NotationName, check, explain_equations
from lstm_explain.topics.equations.check import memory_needed
from lstm_explain.topics.equations.writer import weight_arrays
from lstm_explain.topics.result import to_plain
from lstm_explain.topics.unit import explain_unit
from tests.helpers.random_lstms import random_lstms

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.topics.equations import Equations, UnitNumbers, WrittenNotation

TOLERANCE = {"float32": 2e-6, "float64": 1e-13}
ALL = tuple(NOTATIONS)
few = settings(max_examples=60, deadline=None)


@st.composite
def questions(draw: st.DrawFn, /, **fixed: Any) -> tuple[LSTM, dict[str, Any]]:
    """An LSTM with any options, and where in it to look."""
    lstm = draw(random_lstms(most_samples=4, most_timesteps=7, most_units=8, **fixed))
    layer, way = draw(st.sampled_from(lstm.spec.layer_directions))
    return lstm, {"sample": draw(st.integers(0, lstm.spec.samples - 1)), "layer": layer, "direction": way.value}


def numbers_of(equations: Equations) -> UnitNumbers:
    assert equations.numbers is not None
    return equations.numbers


def text_of(written: WrittenNotation, role: str) -> str:
    (text,) = (one["text"] for one in to_plain(written)["equations"] if one["role"] == role)
    assert isinstance(text, str)
    return text


@given(questions())
@few
def test_every_notation_computes_the_run(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, where = question
    equations = explain_equations(lstm, every=True, **where)
    assert [one.notation.name for one in equations.notations] == list(ALL)
    for written in equations.notations:
        assert written.check.difference < TOLERANCE[lstm.spec.dtype], written.notation.name
        assert written.check.timesteps == equations.length


@given(questions())
@few
def test_every_symbol_has_the_shape_of_what_it_stands_for(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, where = question
    spec = lstm.spec.for_layer(where["layer"])
    features, hidden = spec.features, spec.hidden
    for written in explain_equations(lstm, every=True, **where).notations:
        rows = written.notation.row_vectors
        expected = {
            "input": (features,),
            "hidden": (hidden,),
            "hidden_before": (hidden,),
            "joined_vector": (hidden + features,),
        }
        expected |= dict.fromkeys([*GATES, "cell", "cell_before", "emitted"], (spec.units,))
        expected |= dict.fromkeys(["joined_vector_cell", "joined_vector_cell_before"], (spec.units + hidden + features,))
        matrices = {"kernel": features, "recurrent_kernel": hidden, "joined": hidden + features}
        assert {name.key for name in written.symbols} <= set(written.shapes)
        for name in written.symbols:
            kind, _, gate = name.key.partition(".")
            sizes = written.shapes[name.key].sizes
            if kind in ("bias", "recurrent_bias", "peephole"):
                assert sizes == (spec.units,)
            elif kind == "projection":
                assert sizes == ((spec.units, hidden) if rows else (hidden, spec.units))
            elif kind in matrices:
                joins = kind == "joined" and spec.peepholes and not written.notation.peepholes and gate != Gate.CANDIDATE
                read = matrices[kind] + (spec.units if joins else 0)
                assert sizes == ((read, spec.units) if rows else (spec.units, read))
            else:
                assert sizes == expected[kind], name


@given(questions())
@few
def test_what_an_option_adds_is_there_and_nothing_else(question: tuple[LSTM, dict[str, Any]]) -> None:
    lstm, where = question
    spec = lstm.spec.for_layer(where["layer"])
    for written in explain_equations(lstm, every=True, **where).notations:
        kinds = {name.key.partition(".")[0] for name in written.symbols}
        joins = bool(written.notation.concatenated)
        assert ("bias" in kinds) is spec.bias
        assert ("recurrent_bias" in kinds) is (spec.bias and len(written.notation.biases) == 2)
        assert ("projection" in kinds) is ("emitted" in kinds) is (spec.projection is not None)
        sees = "peephole" in kinds or "joined_vector_cell_before" in kinds
        assert sees is spec.peepholes
        assert ("joined" in kinds) is joins is ("kernel" not in kinds)
        has = {"projection": spec.projection is not None, "peepholes": spec.peepholes}
        assert set(written.borrowed) == {option for option in written.notation.borrowed if has[option]}


@given(questions(), st.data())
@few
def test_the_numbers_are_those_of_unit(question: tuple[LSTM, dict[str, Any]], data: st.DataObject) -> None:
    lstm, where = question
    length, own = explain_equations(lstm, **where).length, lstm.spec.for_layer(where["layer"])
    unit, step = data.draw(st.integers(0, own.units - 1)), data.draw(st.integers(1, length))
    arithmetic = explain_unit(lstm, unit, where["sample"], step, where["layer"], where["direction"]).arithmetic
    assert arithmetic is not None
    made: dict[str, float] = {gate: one.value for gate, one in arithmetic.gates.items()}
    made |= {"cell": arithmetic.cell, "emitted": arithmetic.hidden, "hidden": arithmetic.hidden}
    for name in ALL:
        numbers = numbers_of(explain_equations(lstm, name, numbers=True, unit=unit, step=step, **where))
        assert to_plain(numbers.arithmetic) == to_plain(arithmetic)
        roles = [chain.role for chain in numbers.chains]
        assert ("emitted" in roles) is (own.projection is not None)
        assert {"cell", "forget_gate", "input_gate", "output_gate"} <= set(roles)
        for chain in numbers.chains:
            assert chain.result == made[chain.role]


@given(questions(dtype="float64"), st.sampled_from(ALL), st.data())
@few
def test_the_numbers_of_each_line_make_the_next(question: tuple[LSTM, dict[str, Any]], name: str, data: st.DataObject) -> None:
    """Each line is worked out with nothing but its own numbers, and gives the result."""
    lstm, where = question
    unit = data.draw(st.integers(0, lstm.spec.for_layer(where["layer"]).units - 1))
    numbers = numbers_of(explain_equations(lstm, name, numbers=True, unit=unit, **where))
    functions = {"σ(": "sigmoid(", "f(": "sigmoid(", "g(": "math.tanh(", "h(": "math.tanh(", "tanh(": "math.tanh("}
    known = {"math": math, "sigmoid": lambda z: 1 / (1 + math.exp(-z))}
    for chain in numbers.chains:
        for line in chain.lines:
            words = [
                repr(piece.value) if piece.value is not None else functions.get(piece.text, piece.text)
                for piece in pieces(line)
            ]
            worked = eval(" ".join(words).replace("×", "*"), known)
            assert worked == pytest.approx(chain.result, abs=1e-12), words


def test_as_the_sources_write_it() -> None:
    """The equations word for word, as they stand in the sources that the notations name."""
    founding = seeded()
    found = {one.notation.name: one for one in explain_equations(founding, every=True).notations}
    assert text_of(found["pytorch"], "candidate") == "g_t = tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)"
    assert text_of(found["pytorch"], "cell") == "c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t"
    assert text_of(found["keras"], "forget_gate") == (
        "f = sigmoid(inputs @ kernel[:, 10:20] + h_tm1 @ recurrent_kernel[:, 10:20] + bias[10:20])"
    )
    assert text_of(found["keras"], "hidden") == "h = o * tanh(c)"
    assert text_of(found["onnx"], "input_gate") == "it = f(Xt * (Wi^T) + Ht-1 * (Ri^T) + Wbi + Rbi)"
    assert text_of(found["onnx"], "cell") == "Ct = ft (.) Ct-1 + it (.) ct"
    assert text_of(found["onnx"], "hidden") == "Ht = ot (.) h(Ct)"
    assert text_of(found["ng"], "input_gate") == "Γ_u = σ(W_u [a<t-1>, x<t>] + b_u)"
    assert text_of(found["ng"], "cell") == "c<t> = Γ_u * c\u0303<t> + Γ_f * c<t-1>"
    assert text_of(found["ng"], "hidden") == "a<t> = Γ_o * tanh(c<t>)"
    assert text_of(found["colah"], "candidate") == "C\u0303_t = tanh(W_C · [h_{t-1}, x_t] + b_C)"
    assert text_of(found["colah"], "cell") == "C_t = f_t * C_{t-1} + i_t * C\u0303_t"
    assert text_of(found["goodfellow"], "output_gate") == "q_i^(t) = σ(b_i^o + Σ_j U_i,j^o x_j^(t) + Σ_j W_i,j^o h_j^(t-1))"
    assert text_of(found["goodfellow"], "hidden") == "h_i^(t) = tanh(s_i^(t)) q_i^(t)"


def test_peepholes_as_the_sources_write_them() -> None:
    found = {one.notation.name: one for one in explain_equations(seeded(peepholes=True), every=True).notations}
    assert text_of(found["onnx"], "output_gate") == "ot = f(Xt * (Wo^T) + Ht-1 * (Ro^T) + Po (.) Ct + Wbo + Rbo)"
    assert text_of(found["colah"], "forget_gate") == "f_t = σ(W_f · [C_{t-1}, h_{t-1}, x_t] + b_f)"
    assert text_of(found["colah"], "output_gate") == "o_t = σ(W_o · [C_t, h_{t-1}, x_t] + b_o)"
    assert {name: one.borrowed for name, one in found.items() if not one.borrowed} == {"onnx": (), "colah": ()}


def test_the_orders_of_the_sources() -> None:
    orders = {name: [str(role) for role in notation.order] for name, notation in NOTATIONS.items()}
    assert orders == {
        "pytorch": ["input_gate", "forget_gate", "candidate", "output_gate", "cell", "hidden"],
        "keras": ["input_gate", "forget_gate", "cell", "output_gate", "hidden"],
        "onnx": ["input_gate", "forget_gate", "candidate", "cell", "output_gate", "hidden"],
        "ng": ["candidate", "input_gate", "forget_gate", "output_gate", "cell", "hidden"],
        "colah": ["forget_gate", "input_gate", "candidate", "cell", "output_gate", "hidden"],
        "goodfellow": ["forget_gate", "cell", "input_gate", "hidden", "output_gate"],
    }


def test_every_notation_names_its_source_and_how_it_was_checked() -> None:
    for name, notation in NOTATIONS.items():
        assert notation.name == name
        assert all(notation.source), name
        assert notation.source.url.startswith("https://")
        assert set(notation.borrowed) <= set(notation.option_notes)
    assert NOTATION_CHOICES == get_args(NotationName) == ALL
    assert DEFAULT_NOTATION in ALL


def test_the_book_prints_another_function_around_the_candidate() -> None:
    """Section 10.10.1 has the sigmoid there; with it, the equations are not this LSTM."""
    found = {one.notation.name: one.check.printed for one in explain_equations(seeded(), every=True).notations}
    printed = found.pop("goodfellow")
    assert printed is not None
    assert printed > 0.1
    assert set(found.values()) == {None}
    assert NOTATIONS["goodfellow"].printed_candidate != ACTIVATIONS[Gate.CANDIDATE]


@pytest.mark.parametrize("name", ALL)
def test_wrong_equations_are_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two gates' weights swapped, or the wrong timestep: the check is not always content."""
    lstm = seeded(samples=2, init="pytorch", dtype="float64")

    def swapped(*given_: Any) -> dict[str, Any]:
        bound = weight_arrays(*given_)
        for kind in {key.partition(".")[0] for key in bound if "." in key}:
            one, other = f"{kind}.{Gate.INPUT}", f"{kind}.{Gate.FORGET}"
            bound[one], bound[other] = bound[other], bound[one]
        return bound

    assert explain_equations(lstm, name).notations[0].check.difference < 1e-13
    monkeypatch.setattr(check, "weight_arrays", swapped)
    assert explain_equations(lstm, name).notations[0].check.difference > 1e-2


def test_backwards_the_states_are_those_of_the_next_timestep() -> None:
    lstm = seeded(samples=2, bidirectional=True, layers=2)
    for one in explain_equations(lstm, every=True, direction="backward", layer=1).notations:
        cell = text_of(one, "cell")
        assert "t-1" not in cell
        assert ("t+1" in cell) is (one.notation.name != "keras")


def test_numbers_name_their_moment() -> None:
    lstm = seeded(samples=1, timesteps=12)
    for name, expected in {"pytorch": "W_hi h_9", "ng": "W_u [a<9>, x<10>]", "goodfellow": "Σ_j W_3,j^g h_j^(9)"}.items():
        chains = numbers_of(explain_equations(lstm, name, numbers=True, unit=3, step=10)).chains
        (chain,) = (one for one in chains if one.role == Gate.INPUT)
        assert expected in [term["text"] for term in to_plain(chain)["terms"]]


@pytest.mark.parametrize(("lengths", "step"), [(None, 4), ([10, 2], 4), ([3, 10], 3), ([1, 10], 1)])
def test_the_usual_step(lengths: list[int] | None, step: int) -> None:
    lstm = seeded(samples=2, timesteps=10, lengths=lengths)
    numbers = numbers_of(explain_equations(lstm, numbers=True))
    assert (numbers.unit, numbers.arithmetic.t) == (0, step)


@given(questions(), st.sampled_from([*ALL, None]), st.booleans())
@few
def test_the_json_object(question: tuple[LSTM, dict[str, Any]], name: str | None, numbers: bool) -> None:
    lstm, where = question
    equations = explain_equations(lstm, name, every=name is None, numbers=numbers and name is not None, **where)
    found = equations.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found)[5:] == ["layer", "direction", "sample", "length", "notations", "numbers", "nonfinite"]
    for one, written in zip(found["notations"], equations.notations, strict=True):
        texts = [symbol["text"] for symbol in one["symbols"]]
        assert len(texts) == len(written.symbols)
        for symbol in one["symbols"]:
            assert symbol["shape"] == [axis["size"] for axis in symbol["axes"]]
            assert any(symbol["text"] in equation["text"] for equation in one["equations"])
        for equation in one["equations"]:
            assert equation["text"].count("(") == equation["text"].count(")")
            assert re.fullmatch(r"[ -~]+", equation["latex"])


def test_symbols_are_named_once_and_mean_one_thing() -> None:
    for one in explain_equations(seeded(peepholes=True, projection=4), every=True).notations:
        keys = [name.key for name in one.symbols]
        signs = [name.sign.text for name in one.symbols]
        assert len(set(keys)) == len(keys)
        assert len(set(signs)) == len(signs), one.notation.name
        assert all("%" not in sign for sign in signs)
        assert {name.key for equation in one.equations for name in symbols_in(equation.right)} <= set(keys)


@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul")
@pytest.mark.parametrize("value", [1e30, -1e30, np.inf, np.nan])
def test_numbers_out_of_range_pass(value: float) -> None:
    array = np.ones((1, 3, 2))
    array[0, 1, 0] = value
    equations = explain_equations(lstm_over(array, units=3, dtype="float64"), "ng", numbers=True, step=2)
    found = equations.to_dict()
    json.dumps(found, allow_nan=False)
    assert equations.notations[0].check.difference == pytest.approx(0, abs=1e-13)


@pytest.mark.parametrize(
    ("asked", "named", "found"),
    [
        ({"notation": "foo"}, "notation='foo'", "unknown notation"),
        ({"notation": ""}, "notation=''", "unknown notation"),
        ({"notation": ["ng"]}, "notation=['ng']", "unknown notation"),
        ({"notation": "ng", "every": True}, "every=True notation='ng'", "every shows every notation"),
        ({"every": True, "numbers": True}, "every=True numbers=True", "numbers are put into the equations of one notation"),
        ({"unit": 0}, "unit=0", "units and timesteps have numbers, and none are asked for"),
        ({"step": 1}, "step=1", "units and timesteps have numbers, and none are asked for"),
        ({"numbers": True, "unit": 10}, "unit=10", "there are 10 units, and they count from 0 to 9"),
        ({"numbers": True, "unit": 1.5}, "unit=1.5", "this must be a whole number"),
        ({"numbers": True, "step": 6}, "step=6", "timesteps count from 1 to 5; h and c at 0 are the initial states"),
        ({"numbers": True, "step": 3, "sample": 1}, "step=3", "sample 1 ends at timestep 2; what follows is padding"),
        ({"sample": 3}, "sample=3", "there are 3 samples, and they count from 0 to 2"),
        ({"layer": 1}, "layer=1", "there is one layer, number 0"),
        ({"direction": "backward"}, "direction='backward'", "this LSTM's layers read forward only"),
    ],
)
def test_what_is_not_there_is_refused(asked: dict[str, Any], named: str, found: str) -> None:
    with pytest.raises(UsageError) as raised:
        explain_equations(seeded(lengths=[5, 2, 1]), **asked)
    assert (raised.value.asked, raised.value.found) == (named, found)


@pytest.mark.slow
@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("name", ALL)
def test_the_memory_of_the_check_is_known_before(name: str, peepholes: bool) -> None:
    lstm = seeded(samples=1, timesteps=300, features=7, units=150, peepholes=peepholes)
    record, _ = lstm.run_sample(0)
    part, weights = record.of(0, lstm.spec.directions[0]), lstm.weights.of(0, lstm.spec.directions[0])
    tracemalloc.start()
    check.check_notation(NOTATIONS[name], lstm.spec, weights, part, 0, 300)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < memory_needed(lstm.spec) < 5 * most


def test_too_large_a_check_is_refused() -> None:
    with pytest.raises(RefusedError, match="checking the equations"):
        explain_equations(seeded(units=3000, samples=1, timesteps=1, max_memory=10**8))


def test_equations_are_frozen() -> None:
    equations = explain_equations(seeded(samples=1), numbers=True)
    numbers, written = numbers_of(equations), equations.notations[0]
    for value in (equations, written, written.check, written.equations[0], written.notation, numbers, numbers.chains[0]):
        for name in value._fields if isinstance(value, tuple) else vars(value):
            with pytest.raises(AttributeError):
                setattr(value, name, None)
