"""The page's LSTM against ours: every number of h, c and the gates, of many kinds of LSTM, with changes and without."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.core.edits import parse_edit
from lstm_explain.core.gates import GATES, LETTERS, Direction
from lstm_explain.core.lstm import ArrayInputs, PretrainedWeights

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record
    from tests.browser.conftest import OpenPage

TOLERANCE = 1e-9

SIZES: dict[str, dict[str, Any]] = {
    "founding": {},
    "one of each": {"samples": 1, "timesteps": 1, "features": 1, "units": 1},
    "stack in both directions": {"samples": 3, "timesteps": 5, "features": 2, "units": (4, 3), "bidirectional": True},
    "projection": {"samples": 2, "timesteps": 4, "features": 3, "units": 6, "projection": 2, "layers": 2},
    "peepholes": {"samples": 2, "timesteps": 5, "units": 3, "peepholes": True, "init": "pytorch"},
    "lengths": {"lengths": [4, 2, 1], "units": 3, "features": 2, "bidirectional": True},
    "no bias, float64": {"samples": 2, "bias": False, "dtype": "float64"},
}

EDITS: dict[str, list[list[str]]] = {
    "founding": [["h_3[4]=0.5"], ["x_2[1]=-3"], ["c_0[2]=1.5", "f[3]=0"], ["W_f[2,4]=0.1", "R_o[3,4]=-2", "b_g[0]=1"]],
    "one of each": [["x_1[0]=2"], ["h_0[0]=1", "c_0[0]=-1"], ["i_1[0]=1"]],
    "stack in both directions": [["x_2[1]=1"], ["0.backward:h_3[1]=0.5"], ["1.backward:c_6[0]=1"], ["1:R_g[0,2]=3"]],
    "projection": [["h_2[1]=1"], ["o_2[5]=0"], ["1:W_i[1,3]=2"]],
    "peepholes": [["p_f[1]=2"], ["c_2[0]=-1"], ["p_o[2]=-3"]],
    "lengths": [["x_1[0]=1"], ["0.backward:h_2[0]=1"]],
    "no bias, float64": [["h_9[9]=1"]],
}


def exact(lstm: LSTM) -> LSTM:
    """The same LSTM, its weights and inputs as they are and its arithmetic in float64."""
    initial = lstm.pretrained.initial if lstm.pretrained else None
    weights = PretrainedWeights(
        lstm.weights.astype("float64"),
        {},
        initial and initial.astype("float64"),
        lstm.pretrained.reverse if lstm.pretrained else False,
    )
    batch = lstm.inputs.block(0, lstm.spec.samples).astype(lstm.spec.dtype).astype(np.float64)
    return replace(lstm, spec=replace(lstm.spec, dtype="float64"), inputs=ArrayInputs(batch, "x"), pretrained=weights)


def compare(page_record: dict[str, Any], record: Record, sample: int) -> None:
    """Compare every number of a run in the page with one in Python; `sample` is its place in the record."""
    length = record.length(sample)
    assert page_record["length"] == length
    for layer, directions in enumerate(record.layers):
        for direction, part in directions.items():
            made = page_record["layers"][layer][direction.value]
            arrays = {"h": part.hidden, "c": part.cell, **{LETTERS[gate]: part.gate(gate) for gate in GATES}}
            for name, array in arrays.items():
                ours = array[sample, :length]
                np.testing.assert_allclose(made[name][1 : length + 1], ours, rtol=0, atol=TOLERANCE, err_msg=name)
            before = 0 if direction is Direction.FORWARD else length + 1
            np.testing.assert_allclose(made["h"][before], part.initial_hidden[sample], rtol=0, atol=TOLERANCE)
            np.testing.assert_allclose(made["c"][before], part.initial_cell[sample], rtol=0, atol=TOLERANCE)


def check_page(open_page: OpenPage, lstm: LSTM, edits: list[list[str]]) -> None:
    page, reference = open_page(lstm), exact(lstm)
    samples = min(8, lstm.spec.samples)
    for sample in range(samples):
        compare(page.evaluate("sample => lstmExplain.run([], sample)", sample), reference.run(0, samples), sample)
    for texts in edits:
        changed = reference.run_stepwise(samples - 1, tuple(map(parse_edit, texts)))
        compare(page.evaluate("([edits, sample]) => lstmExplain.run(edits, sample)", [texts, samples - 1]), changed, 0)
        page.evaluate("changes => lstmExplain.set(changes)", {"edits": texts, "sample": samples - 1})
        compare(page.evaluate("lstmExplain.record"), changed, 0)


@pytest.mark.parametrize("name", SIZES)
def test_the_page_computes_what_python_computes(name: str, open_page: OpenPage) -> None:
    check_page(open_page, lstm_explain.seeded(**SIZES[name]), EDITS[name])


def test_the_page_says_how_far_it_is_from_python(open_page: OpenPage) -> None:
    page = open_page(lstm_explain.seeded())
    text = page.locator("#check").inner_text()
    apart = float(text.split("differ from a run by Python by ")[1].split(" at most")[0])
    assert apart < 1e-15
    assert "rounding to float32 moves h by" in text
