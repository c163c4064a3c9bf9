"""The views against Python: the sum of a neuron, who moves whom, when c was written, and the commands to copy."""

from __future__ import annotations

import io
import json
import shlex
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.core.cell_decomposition import decompose_cell_state
from lstm_explain.core.gates import GATES, LETTERS, Direction, Gate
from lstm_explain.core.jacobian import gate_slopes, step_jacobian
from tests.browser.test_numbers import exact

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import OpenPage

TOLERANCE = 1e-9
SIZES: dict[str, dict[str, Any]] = {
    "founding": {"samples": 3},
    "one of each": {"samples": 1, "timesteps": 1, "features": 1, "units": 1},
    "peepholes": {"samples": 2, "units": 4, "timesteps": 5, "peepholes": True},
    "projection and peepholes": {"samples": 2, "units": 5, "timesteps": 5, "projection": 3, "peepholes": True, "layers": 2},
    "in both directions": {"samples": 2, "units": 3, "timesteps": 4, "bidirectional": True, "layers": 2},
}
CASES = [
    (name, layer, direction)
    for name, sizes in SIZES.items()
    for layer in range(sizes.get("layers", 1))
    for direction in (("forward", "backward") if sizes.get("bidirectional") else ("forward",))
]


def values_of(page: Page, host: str) -> np.ndarray[Any, Any]:
    """The numbers in a map, as its cells have them in full."""
    rows = page.locator(f"{host} tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('td')].map(cell => Number(cell.title)))"
    )
    return np.array(rows)


@pytest.mark.parametrize(("name", "layer", "direction"), CASES)
def test_the_views_show_what_python_computes(name: str, layer: int, direction: str, open_page: OpenPage) -> None:
    lstm = lstm_explain.seeded(**SIZES[name])
    page, reference = open_page(lstm, layer=layer, direction=direction), exact(lstm)
    chosen, t = Direction(direction), page.evaluate("lstmExplain.state.step")
    weights, part = reference.weights.of(layer, chosen), reference.run().of(layer, chosen).of_sample(0, lstm.spec.timesteps)
    for host, array in (("#map-h", part.hidden), ("#map-c", part.cell), ("#map-gate", part.gate(Gate.INPUT))):
        np.testing.assert_allclose(values_of(page, host), array[0].T, rtol=0, atol=TOLERANCE)

    before = part.states_before(0, lstm.spec.timesteps).cell[None]
    jacobian = step_jacobian(weights, gate_slopes(weights, part, before).at(0))
    np.testing.assert_allclose(values_of(page, "#influence"), jacobian.hidden_by_hidden[t - 1].T, rtol=0, atol=TOLERANCE)

    order = slice(None) if chosen is Direction.FORWARD else slice(None, None, -1)
    i, f, g = (part.gate(gate)[0, order] for gate in (Gate.INPUT, Gate.FORGET, Gate.CANDIDATE))
    written = decompose_cell_state(i, f, g, part.initial_cell[0])
    expected = np.concatenate([written.initial_part[None], written.parts]).T
    np.testing.assert_allclose(values_of(page, "#memory"), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(("name", "layer", "direction"), CASES)
@pytest.mark.parametrize("gate", GATES)
def test_the_products_add_up_to_the_sum_and_make_the_gate(
    name: str, layer: int, direction: str, gate: Gate, open_page: OpenPage
) -> None:
    lstm = lstm_explain.seeded(**SIZES[name])
    spec, letter = lstm.spec.for_layer(layer), LETTERS[gate]
    unit = spec.units - 1
    page, reference = open_page(lstm, layer=layer, direction=direction, unit=unit), exact(lstm)
    page.evaluate("gate => lstmExplain.set({gate})", letter)
    t = page.evaluate("lstmExplain.state.step")
    numbers = page.locator("#sum tr").evaluate_all("rows => rows.map(row => Number(row.children[3].title))")
    peepholes = 1 if spec.peepholes and gate is not Gate.CANDIDATE else 0
    assert len(numbers) == spec.features + spec.hidden + 1 + peepholes + 1
    assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=TOLERANCE)
    value = reference.run().of(layer, Direction(direction)).gate(gate)[0, t - 1, unit]
    activation = np.tanh if gate is Gate.CANDIDATE else lambda z: 1 / (1 + np.exp(-z))
    assert activation(numbers[-1]) == pytest.approx(value, abs=TOLERANCE)
    assert page.locator("#curve-text").inner_text().endswith(f"the {gate.value.replace('_', ' ')}.")


def test_every_field_of_the_sum_sets_its_number(open_page: OpenPage) -> None:
    """A field is named as the change that it makes, and the number that it shows is the one that is set."""
    page = open_page(
        lstm_explain.seeded(samples=2, units=3, timesteps=4, features=2, layers=2, bidirectional=True), layer=1, step=2
    )
    names = page.locator("#sum input").evaluate_all("fields => fields.map(field => field.dataset.key)")
    assert {"h_2[0]", "0.backward:h_2[2]", "1:h_1[0]", "1:W_i[5,0]", "1:R_i[2,0]", "1:b_i[0]"} <= set(names)
    for name in names:
        field = page.locator(f'#sum [data-key="{name}"]')
        field.fill("0.125")
        field.press("Enter")
        assert page.evaluate("lstmExplain.state.edits").pop() == f"{name}=0.125"
        assert field.input_value() == "0.125"
        assert field.evaluate("field => field === document.activeElement")
    assert page.locator("#sentence").inner_text().startswith(f"{names[0]} = 0.125, ")


def test_many_products_are_shortened_and_still_add_up(open_page: OpenPage) -> None:
    page = open_page(lstm_explain.seeded(samples=1, units=40))
    rows = page.locator("#sum tr")
    assert rows.count() == 25
    numbers = rows.evaluate_all("rows => rows.map(row => Number(row.children[3].title))")
    assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=TOLERANCE)
    page.get_by_label("Show every product").check()
    assert rows.count() == 5 + 40 + 1 + 1


def test_the_commands_show_what_the_page_shows(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(lstm_explain.seeded(samples=3, units=4, timesteps=5, dtype="float64"), unit=2, step=3)
    page.evaluate("lstmExplain.set({sample: 1, edits: ['h_2[1]=0.5', 'W_f[0,2]=-1']})")
    page.locator("#copy-what").select_option("unit")
    line = page.locator("#copy-text").inner_text()
    sizes, choice = "--samples 3 --timesteps 5 --units 4 --dtype float64", "--unit 2 --step 3 --sample 1"
    assert line == f'lstm-explain unit {sizes} {choice} --edit "h_2[1]=0.5" --edit "W_f[0,2]=-1"'
    result = run_command(f"{line} --json", monkeypatch)
    values = page.evaluate("[lstmExplain.record.layers[0].forward.c[3][2], lstmExplain.record.layers[0].forward.h[3][2]]")
    step = next(row for row in result["steps"] if row["t"] == 3)
    assert [step["c"], step["h"]] == pytest.approx(values, abs=TOLERANCE)


def run_command(line: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    from contextlib import redirect_stdout

    from lstm_explain.cli.main import main

    monkeypatch.setattr("sys.argv", shlex.split(line))
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with redirect_stdout(out), pytest.raises(SystemExit):
        main()
    out.flush()
    result: dict[str, Any] = json.loads(out.buffer.getvalue())
    return result


@pytest.mark.parametrize(("what", "expected"), [("pytorch", "torch.nn.LSTM(5, 10)"), ("keras", "keras.layers.LSTM(10)")])
def test_code_can_be_copied(what: str, expected: str, open_page: OpenPage) -> None:
    page = open_page(lstm_explain.seeded())
    page.locator("#copy-what").select_option(what)
    text = page.locator("#copy-text").inner_text()
    assert expected in text
    assert f"lstm-explain frameworks {what} --code --output lstm_in_{what}.py" in text


def test_code_that_does_not_exist_says_why(open_page: OpenPage) -> None:
    page = open_page(lstm_explain.seeded(peepholes=True))
    page.locator("#copy-what").select_option("keras")
    assert page.locator("#copy-text").inner_text() == "# Keras has no peepholes."


def test_the_run_can_be_copied_as_json(open_page: OpenPage) -> None:
    page = open_page(lstm_explain.seeded(units=2, timesteps=3))
    page.locator("#copy-what").select_option("json")
    copied = json.loads(page.locator("#copy-text").inner_text())
    assert copied["run"]["h"] == page.evaluate("lstmExplain.record.layers[0].forward.h")
    page.get_by_role("button", name="Copy", exact=True).click()
    assert page.locator("#copied").inner_text() in ("Copied.", "The text is selected: press Ctrl+C.")
