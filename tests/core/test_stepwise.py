"""Edits: one number set by hand, and what moves. Compared with the reference step, timestep by timestep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain import seeded
from lstm_explain.core.cell import step
from lstm_explain.core.edits import Edit, check_edit, parse_edit
from lstm_explain.core.engine import StackState, forward
from lstm_explain.core.gates import GATES, Direction, Gate
from lstm_explain.core.record import LayerRecord, Record
from lstm_explain.core.stepwise import run_stepwise
from lstm_explain.errors import UsageError
from tests.helpers.random_lstms import random_lstms

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM

few = settings(max_examples=60, deadline=None)


def lstms(**fixed: Any) -> st.SearchStrategy[LSTM]:
    sizes = {"most_samples": 3, "most_timesteps": 6, "most_features": 4, "most_units": 5}
    return random_lstms(dtype="float64", init="pytorch", **{**sizes, **fixed})


def by_steps(lstm: LSTM, edits: tuple[Edit, ...] = ()) -> Record:
    lengths = None if lstm.lengths is None else np.array(lstm.lengths)
    return run_stepwise(lstm.spec, lstm.weights, lstm.inputs.block(0, lstm.spec.samples), edits, None, lengths)


def moved(before: Array, after: Array) -> list[int]:
    """Which places along the last axis differ, of one timestep."""
    return np.flatnonzero(before != after).tolist()


@given(lstms())
@few
def test_without_edits_it_is_the_run(lstm: LSTM) -> None:
    run, mine = lstm.run(), by_steps(lstm)
    for layer, way in lstm.spec.layer_directions:
        ours, theirs = mine.of(layer, way), run.of(layer, way)
        for name in LayerRecord._fields[2:]:
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=0, atol=1e-12)
    np.testing.assert_allclose(mine.output, run.output, rtol=0, atol=1e-12)


def test_it_starts_from_the_states_that_it_is_given() -> None:
    lstm = seeded(samples=2, timesteps=4, bidirectional=True, dtype="float64")
    states = StackState.from_stacked(*(np.linspace(-1, 1, 2 * 2 * 10).reshape(2, 2, 10) * k for k in (1, 2)))
    inputs = lstm.inputs.block(0, 2)
    ours, theirs = (run(lstm.spec, lstm.weights, inputs, initial=states) for run in (run_stepwise, forward))
    np.testing.assert_allclose(ours.output, theirs.output, rtol=0, atol=1e-12)


@given(lstms(lengths=None), st.data())
@settings(few, max_examples=40)
def test_a_weight_or_an_input_that_is_set_makes_the_lstm_that_has_it(lstm: LSTM, data: st.DataObject) -> None:
    """Set by hand, or set in the arrays that the engine is given: the same."""
    layer, way = data.draw(st.sampled_from(lstm.spec.layer_directions))
    spec = lstm.spec.for_layer(layer)
    gate, unit = data.draw(st.sampled_from(GATES)), data.draw(st.integers(0, spec.units - 1))
    names = ["W", "R", *("b" * spec.bias), *("p" * (spec.peepholes and gate is not Gate.CANDIDATE))]
    name = data.draw(st.sampled_from(names))
    rows = {"W": spec.features, "R": spec.hidden}
    row = data.draw(st.integers(0, rows[name] - 1)) if name in rows else None
    edits = (Edit(name, 0.75, unit, None, gate, row, layer, way), Edit("x", -2.0, 0, spec.timesteps))
    weights = {key: array.copy() for key, array in lstm.weights.of(layer, way).tensors().items()}
    place = GATES.index(gate) * spec.units + unit
    if name == "p":
        weights["peephole"][(Gate.INPUT, Gate.FORGET, Gate.OUTPUT).index(gate), unit] = 0.75
    elif name == "b":
        weights["bias"][place] = 0.75
    else:
        weights["kernel" if name == "W" else "recurrent_kernel"][row, place] = 0.75
    layers = [dict(one) for one in lstm.weights.layers]
    layers[layer][way] = layers[layer][way]._replace(**weights)
    inputs = lstm.inputs.block(0, spec.samples).copy()
    inputs[:, -1, 0] = -2.0
    expected = forward(lstm.spec, lstm.weights._replace(layers=tuple(layers)), inputs)
    found = lstm.with_edits(edits).run()
    np.testing.assert_allclose(found.output, expected.output, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(found.input, inputs)
    assert not np.allclose(found.input, lstm.run().input)


@given(lstms(samples=1, lengths=None), st.data())
@few
def test_a_state_or_gate_that_is_set_moves_what_the_equations_say(lstm: LSTM, data: st.DataObject) -> None:
    """The whole course of the layer again with the reference step, the number set in between."""
    layer, way = data.draw(st.sampled_from(lstm.spec.layer_directions))
    spec = lstm.spec.for_layer(layer)
    t = data.draw(st.integers(1, spec.timesteps))
    name = data.draw(st.sampled_from(["h", "c", "i", "f", "g", "o"]))
    place = data.draw(st.integers(0, (spec.hidden if name == "h" else spec.units) - 1))
    found = by_steps(lstm, (Edit(name, 0.9, place, t, layer=layer, direction=way),)).of(layer, way)
    weights, x = lstm.weights.of(layer, way), lstm.run().of(layer, way).input
    h, c = np.zeros((1, spec.hidden)), np.zeros((1, spec.units))
    steps = range(1, spec.timesteps + 1)
    for one in steps if way is Direction.FORWARD else reversed(steps):
        made = step(weights, x[:, one - 1], h, c)
        if one != t:
            h, c = made.h, made.c
        elif name in ("h", "c"):
            h, c = made.h.copy(), made.c.copy()
            (h if name == "h" else c)[0, place] = 0.9
        else:
            h, c = held(weights, made, c, name, place)
        np.testing.assert_allclose(found.hidden[:, one - 1], h, rtol=0, atol=1e-12)
        np.testing.assert_allclose(found.cell[:, one - 1], c, rtol=0, atol=1e-12)


def held(weights: Any, made: Any, before: Array, name: str, unit: int) -> tuple[Array, Array]:
    """The new states with one gate at 0.9."""
    gates = {letter: getattr(made, letter).copy() for letter in "ifgo"}
    gates[name][0, unit] = 0.9
    c = gates["f"] * before + gates["i"] * gates["g"]
    if weights.peephole is not None and name != "o":  # the output gate looks at the new c
        own = weights.peephole[2] * (c - made.c)
        gates["o"] = 1 / (1 + np.exp(-(made.pre_activation[:, weights.columns(Gate.OUTPUT)] + own)))
    m = gates["o"] * np.tanh(c)
    return (m if weights.projection is None else m @ weights.projection), c


def test_what_the_explorer_is_for() -> None:
    """h of one unit changed: no other unit at that timestep, all of them one later."""
    lstm = seeded(samples=1)
    base, poked = (by_steps(lstm, edits).of(0, Direction.FORWARD) for edits in ((), (parse_edit("h_4[3]=0.6"),)))
    assert moved(base.hidden[0, 3], poked.hidden[0, 3]) == [3]
    assert moved(base.hidden[0, 4], poked.hidden[0, 4]) == list(range(10))
    assert moved(base.cell[0, 3], poked.cell[0, 3]) == []
    np.testing.assert_array_equal(base.hidden[0, :3], poked.hidden[0, :3])


def test_memory_that_is_changed_reaches_its_own_unit_alone() -> None:
    lstm = seeded(samples=1)
    base, poked = (by_steps(lstm, edits).of(0, Direction.FORWARD) for edits in ((), (parse_edit("c_4[3]=0.6"),)))
    assert moved(base.hidden[0, 3], poked.hidden[0, 3]) == []
    assert moved(base.cell[0, 4], poked.cell[0, 4]) == [3]
    assert moved(base.hidden[0, 4], poked.hidden[0, 4]) == [3]
    assert moved(base.hidden[0, 5], poked.hidden[0, 5]) == list(range(10))


def test_a_gate_held_at_every_timestep() -> None:
    run = by_steps(seeded(samples=2, layers=2), (parse_edit("1:f[4]=0"), parse_edit("1:i[4]=0"))).of(1, Direction.FORWARD)
    assert not run.forget_gate[:, :, 4].any()
    assert not run.cell[:, :, 4].any()
    assert run.forget_gate[:, :, 3].all()


@pytest.mark.parametrize(("way", "first"), [("", "h_0[1]=1"), ("backward", "h_3[1]=1")])
def test_the_initial_state_can_be_set_of_both_directions(way: str, first: str) -> None:
    """Sample 1 ends at timestep 2, so its backward run starts from h_3; sample 0 starts from h_5, and is not touched."""
    lstm = seeded(samples=2, timesteps=4, lengths=[4, 2], bidirectional=True)
    one = parse_edit(f"0.{way}:{first}" if way else first)
    base, set_ = (by_steps(lstm, edits).of(0, one.direction) for edits in ((), (one,)))
    assert set_.initial_hidden[1, 1] == 1
    assert moved(base.initial_hidden[1], set_.initial_hidden[1]) == [1]
    assert (moved(base.initial_hidden[0], set_.initial_hidden[0]) == []) is (way == "backward")


TEXTS = ["x_3[2]=0.5", "h_3[4]=-0.5", "c_0[4]=2", "f[4]=1", "o_10[0]=1e-07", "W_f[2,4]=0.1", "R_g[3,4]=0.1", "b_o[4]=0"]
TEXTS += ["1:h_3[4]=0.5", "1.backward:R_i[3,4]=0.1", "0.backward:f[4]=0.30000000000000004"]


@pytest.mark.parametrize("text", TEXTS)
def test_an_edit_is_read_and_written_the_same(text: str) -> None:
    assert str(parse_edit(text)) == text
    assert parse_edit(f" {text} ".replace("=", " = ")) == parse_edit(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h",
        "h=1",
        "h[3]=1",
        "x[3]=1",
        "h_3=1",
        "h_3[4]",
        "h_3[4]=",
        "h_3[4]=nan",
        "h_3[4]=inf",
        "h_3[4]=1e999",
        "h_-1[4]=1",
        "W_f[4]=1",
        "W[2,4]=1",
        "b_f[2,4]=1",
        "q_3[4]=1",
        "h_3[4]=one",
        "1.sideways:h_3[4]=1",
        "h_3[4]=1=2",
        "h_³[4]=1",
    ],
)
def test_what_is_no_edit_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="edit"):
        parse_edit(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x_0[2]=0", "from 1 to 10"),
        ("x_11[2]=0", "from 1 to 10"),
        ("h_11[2]=0", "from 0 to 10"),
        ("x_1[5]=0", "5 features"),
        ("h_1[10]=0", "h has 10 numbers"),
        ("f[10]=0", "10 units"),
        ("W_f[5,0]=0", "5 features"),
        ("R_f[10,0]=0", "h has 10 numbers"),
        ("p_f[0]=0", "no peepholes"),
        ("1:f[0]=0", "one layer"),
        ("0.backward:f[0]=0", "forward only"),
        ("1:x_1[0]=0", "one layer"),
        ("c_1[0]=1e300", "too large for float32"),
        ("f[0]=1.5", "f lies between 0 and 1"),
        ("f[0]=-0.1", "f lies between 0 and 1"),
        ("g_1[0]=-1.5", "g lies between -1 and 1"),
    ],
)
def test_a_number_that_there_is_not_is_said(text: str, found: str) -> None:
    with pytest.raises(UsageError, match=found):
        check_edit(seeded().spec, parse_edit(text))


def test_the_origin_tells_of_edits_where_there_are_some() -> None:
    lstm = seeded()
    assert "edits" not in lstm.provenance
    assert lstm.with_edits([parse_edit("h_3[4]=0.5")]).provenance["edits"] == ["h_3[4]=0.5"]
