"""The first screen of `shapes`: the founding questions within 24 lines of 80 columns, whatever the network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lstm_explain
from lstm_explain.core.gates import Direction
from lstm_explain.render.terminal import to_terminal
from lstm_explain.topics.registry import document_of
from lstm_explain.topics.shapes.diagram import DIAGRAM_WIDTH, draw_circles, draw_layer, draw_stack

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM

TERMINAL = 80, 24
NETWORKS: dict[str, dict[str, Any]] = {
    "founding": {},
    "one": {"units": 1, "features": 1},
    "stack": {"layers": 2, "bidirectional": True},
    "bidirectional": {"bidirectional": True},
    "projection": {"projection": 4},
    "peepholes": {"peepholes": True},
    "no-bias": {"bias": False},
    "three": {"layers": 3},
    "unlike": {"units": (64, 32)},
}


def lines(lstm: LSTM, width: int = TERMINAL[0]) -> list[str]:
    return to_terminal(document_of(lstm_explain.shapes(lstm)), width, None, unicode=True).splitlines()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_question_is_answered_on_one_screen(name: str) -> None:
    page = lines(lstm_explain.seeded(**NETWORKS[name]))
    width, height = TERMINAL
    assert len(page) < height, "with a line for the prompt"
    assert max(map(len, page)) <= width
    text = "\n".join(page)
    for question in ("Is every circle one unit?", "Do units share", "What does one unit take in?", "What does it output?"):
        assert question in text
    assert "(0)" in text
    assert "Next: lstm-explain tour" in text


def own_step(weights: dict[str, Any], x: Any, h: Any, c: Any) -> tuple[list[float], list[float]]:
    """One timestep in plain floats, from the equations: another way than the package's."""

    def sigmoid(value: float) -> float:
        return 1 / (1 + math.exp(-value))

    units = len(c)
    sums = [
        sum(x[k] * weights["kernel"][k][column] for k in range(len(x)))
        + sum(h[k] * weights["recurrent_kernel"][k][column] for k in range(units))
        + weights["bias"][column]
        for column in range(4 * units)
    ]
    i, f, g, o = (sums[block * units : (block + 1) * units] for block in range(4))
    cells = [sigmoid(f[u]) * c[u] + sigmoid(i[u]) * math.tanh(g[u]) for u in range(units)]
    return [sigmoid(o[u]) * math.tanh(cells[u]) for u in range(units)], cells


def test_the_answer_about_sharing_is_what_plain_arithmetic_finds() -> None:
    lstm = lstm_explain.seeded(samples=2, timesteps=4, units=5, dtype="float64")
    weights = {name: tensor.tolist() for name, tensor in lstm.weights.of(0, Direction.FORWARD).tensors().items()}
    inputs = lstm.inputs_for(0, 1)[0].tolist()
    h, c = [0.0] * 5, [0.0] * 5
    for x in inputs[:-1]:
        h, c = own_step(weights, x, h, c)
    base = own_step(weights, inputs[-1], h, c)
    kept = own_step(weights, inputs[-1], h, [c[0] + 0.1, *c[1:]])
    output = own_step(weights, inputs[-1], [h[0] + 0.1, *h[1:]], c)
    others_now = sum(kept[0][u] != base[0][u] or kept[1][u] != base[1][u] for u in range(1, 5))
    later = sum(output[1][u] != base[1][u] for u in range(5))
    sharing = lstm_explain.shapes(lstm).sharing
    assert sharing is not None
    assert (sharing.same_timestep.other_cells.moved, sharing.same_timestep.other_emitted.moved) == (others_now, others_now)
    assert sharing.next_timestep.cells.moved == later
    text = "\n".join(lines(lstm))
    assert f"Within a timestep no: {others_now} of 4 others moved." in text
    assert f"One timestep later yes: {later} of 5 moved." in text


def test_sharing_is_measured_where_only_the_whole_run_is_too_large() -> None:
    sharing = lstm_explain.shapes(lstm_explain.seeded(samples=10**9)).sharing
    assert sharing is not None
    assert sharing.next_timestep.cells.moved == 10
    too_large = lstm_explain.seeded(samples=10**9, units=10**6)
    assert lstm_explain.shapes(too_large).sharing is None
    assert "`influence` measures it" in "\n".join(lines(too_large))


def test_a_change_that_is_lost_is_not_called_independence() -> None:
    page = "\n".join(lines(lstm_explain.given(np.full((1, 3, 2), np.inf), units=2)))
    assert "0 of 1" not in page
    assert "Not measurable here" in page


@pytest.mark.property
@given(units=st.integers(1, 10**6), width=st.integers(20, 60))
def test_circles_fit_and_name_the_first_and_the_last_unit(units: int, width: int) -> None:
    circles = draw_circles(units, width)
    assert len(circles.text) <= width
    assert circles.text.startswith("(0)")
    assert circles.text.endswith(f"({units - 1})")
    assert [circles.text[middle] for middle in circles.middles].count(" ") == 0
    assert ("..." in circles.text) == (len(circles.middles) < units)


@pytest.mark.property
@given(
    units=st.integers(1, 10**5),
    features=st.integers(1, 10**4),
    layers=st.integers(1, 40),
    bidirectional=st.booleans(),
    projected=st.booleans(),
)
def test_diagrams_fit_whatever_the_sizes(units: int, features: int, layers: int, bidirectional: bool, projected: bool) -> None:
    spec = lstm_explain.seeded(
        units=units,
        features=features,
        layers=layers,
        bidirectional=bidirectional,
        projection=1 if projected and units > 1 else None,
    ).spec
    drawing = list(draw_layer(spec) if len(spec.layer_directions) == 1 else draw_stack(spec))
    assert max(map(len, drawing)) <= DIAGRAM_WIDTH + 2  # a comma in a size of five digits
    assert len(drawing) <= 8


def test_a_narrow_page_keeps_within_its_width() -> None:
    assert max(map(len, lines(lstm_explain.seeded(samples=2), 40))) <= 40


def test_a_wide_page_has_the_unit_next_to_the_layer() -> None:
    assert any("(0)" in line and "One unit, opened" in line for line in lines(lstm_explain.seeded(), 160))
