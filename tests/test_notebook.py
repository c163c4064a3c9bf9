"""In a notebook, with a real kernel: each result is shown once, in the colours of the page's theme, and kept as text too."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from lstm_explain.topics.registry import TOPICS

ROOT = Path(__file__).resolve().parents[1]
SETUP = """
import numpy as np
import lstm_explain
from lstm_explain.readers.model_file import read_model

lstm = lstm_explain.seeded(samples=3, timesteps=4, features=2, units=3)
weights = {name: np.full(shape, 0.1, "float32") for name, shape in (
    ("weight_ih_l0", (12, 2)), ("weight_hh_l0", (12, 3)), ("bias_ih_l0", (12,)), ("bias_hh_l0", (12,)))}
"""
RESULTS = {
    "shapes": "lstm_explain.shapes(lstm)",
    "unit": "lstm_explain.unit(lstm, unit=1, step=2)",
    "trace": "lstm_explain.trace(lstm)",
    "influence": "lstm_explain.influence(lstm)",
    "memory": "lstm_explain.memory(lstm)",
    "equations": "lstm_explain.equations(lstm)",
    "tasks": "lstm_explain.tasks(lstm)",
    "terms": "lstm_explain.terms(lstm)",
    "frameworks": "lstm_explain.in_frameworks(lstm)",
    "window": "lstm_explain.window(np.arange(40.0).reshape(20, 2), timesteps=5)",
    "model": "np.savez(file, **weights); lstm_explain.model(read_model(file, 2**20), 'weights.npz')",
    "convert": "lstm_explain.convert(lstm, 'pytorch')",
    "verify": "lstm_explain.verify(lstm, lstm.run().output)",
}
"""A cell that ends in a result of each topic."""


@cache
def run_cells(*cells: str) -> list[list[Any]]:
    """Run a notebook, and return the outputs of each of its cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])  # type: ignore[no-untyped-call]
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}})
    client.execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The outputs of a cell that ends in a result, for each topic."""
    file = tmp_path_factory.mktemp("notebook") / "weights.npz"
    outputs = run_cells(f"{SETUP}\nfile = {str(file)!r}", *RESULTS.values())
    assert outputs[0] == []
    return dict(zip(RESULTS, outputs[1:], strict=True))


@pytest.mark.slow
def test_each_result_is_shown_once(shown: dict[str, list[Any]]) -> None:
    assert set(RESULTS) == {topic.name for topic in TOPICS}
    for topic, outputs in shown.items():
        assert [output.output_type for output in outputs] == ["execute_result"], topic
        assert set(outputs[0].data) == {"text/html", "text/plain"}, topic
        assert outputs[0].data["text/html"].startswith('<div class="lstm-explain">'), topic


@pytest.mark.slow
def test_text_is_kept_for_readers_without_html(shown: dict[str, list[Any]]) -> None:
    """Viewers of notebooks that show no HTML, and converters, have the page that `print` writes."""
    outputs = run_cells(SETUP, "print(lstm_explain.shapes(lstm))", "lstm", "lstm.run()")
    assert outputs[1][0].text == shown["shapes"][0].data["text/plain"] + "\n"
    assert "640" not in outputs[1][0].text
    assert "\x1b" not in outputs[1][0].text
    for cell in outputs[2:]:
        assert [output.output_type for output in cell] == ["execute_result"]
        assert len(cell[0].data["text/plain"]) < 200


@pytest.mark.slow
def test_a_result_is_shown_once_too_where_rich_prints_the_values_of_cells() -> None:
    outputs = run_cells(f"{SETUP}\nfrom rich import pretty; pretty.install()", "lstm_explain.shapes(lstm)")
    assert [output.output_type for output in outputs[1]] == ["execute_result"]


@pytest.mark.slow
def test_no_colour_is_set_without_regard_to_the_theme(shown: dict[str, list[Any]]) -> None:
    """Text without a colour of its own has the page's, and every colour has a rule for light and two for dark pages."""
    for topic, outputs in shown.items():
        html = outputs[0].data["text/html"]
        assert not re.search(r"style=|<font|bgcolor", html), topic
        sheet, body = html.partition("</style>")[::2]
        light, follows, rest = sheet.partition(':is(body[data-jp-theme-light="false"]')
        assert follows, topic
        in_lab, asks_the_system, otherwise = rest.partition("@media (prefers-color-scheme: dark)")
        assert asks_the_system, topic
        for name in set(re.findall(r'(?:(?:above|below|gate)\d+|symbol-\w)(?=[" ])', body)):
            rules = [re.findall(rf"\.{name} {{ (color: [^}}]*)}}", part) for part in (light, in_lab, otherwise)]
            assert [len(found) for found in rules] == [1, 1, 1], (topic, name)
            assert rules[0] != rules[1] == rules[2], (topic, name)
