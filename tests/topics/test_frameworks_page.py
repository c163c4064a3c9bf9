"""The document of `frameworks`: its words and numbers are those of the explanation, and it fits a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from lstm_explain.document.blocks import Cell, Heading, Note, Paragraph, Preformatted, Table
from lstm_explain.frameworks.registry import FRAMEWORKS
from lstm_explain.library import seeded
from lstm_explain.render import terminal
from lstm_explain.topics.frameworks import explain_frameworks
from lstm_explain.topics.registry import document_of
from tests.helpers.documents import flatten

if TYPE_CHECKING:
    from lstm_explain.document.blocks import Document

WRITTEN = ("framework", "gates", "weights", "parameters")
CALLED = ("framework", "reads", "states", "forget bias", "checked")


def document(name: str | None = None, code: bool = False, **options: Any) -> Document:
    sizes = {"samples": 3, "timesteps": 4, "features": 2, "units": 3}
    return flatten(document_of(explain_frameworks(seeded(**{**sizes, **options}), name, code)))


def table(blocks: Document, *titles: str) -> list[list[str]]:
    (found,) = [one for one in blocks if isinstance(one, Table) and tuple(column.title for column in one.columns) == titles]
    return [[cell.text for cell in row if isinstance(cell, Cell)] for row in found.rows]


def facts(blocks: Document) -> dict[str, str]:
    found = [one for one in blocks if isinstance(one, Table) and not one.ruled]
    return {
        row[0].text: row[1].text for one in found for row in one.rows if isinstance(row[0], Cell) and isinstance(row[1], Cell)
    }


def words(blocks: Document) -> str:
    return "\n".join(one.text for one in blocks if isinstance(one, Heading | Paragraph | Note))


def test_one_row_for_each_framework_with_its_numbers() -> None:
    blocks = document()
    assert "16 of 16 framework layers can hold these weights, in 5 different orders of the gates" in words(blocks)
    rows = {row[0]: row[1:] for row in table(blocks, *WRITTEN)}
    assert list(rows) == list(FRAMEWORKS)
    assert rows["keras"] == ["i f g o", "kernel (2×12), recurrent_kernel (3×12), bias (12)", "72"]
    assert rows["haiku"] == ["i g f o", "linear.w (5×12), linear.b (12)", "72"]
    assert rows["flax-nnx"] == ["separate", "i*.kernel (2×3), if_.kernel (2×3), h*.kernel (3×3), h*.bias (3)", "72"]
    assert rows["tflite"][1] == "input_to_*_weights (3×2), recurrent_to_*_weights (3×3), *_gate_bias (3)"
    assert rows["openvino"][0] == "f i g o"
    called = {row[0]: row[1:] for row in table(blocks, *CALLED)}
    assert called["flax-linen"] == ["samples, features", "(c, h)", "0, stored", "run"]
    assert called["tensorflow1"] == ["samples, features", "(c, h)", "1, added when called", "read"]
    for name, layer in FRAMEWORKS.items():
        assert called[name][-1] == layer.info.verification


def test_what_a_framework_has_not_is_said() -> None:
    rows = {row[0]: row[1:] for row in table(document(projection=2), *WRITTEN)}
    assert rows["keras"][1:] == ["- (it has no projection)", "-"]
    assert rows["pytorch"][1].endswith("weight_hr_l0 (2×3)")
    assert "it cannot build this one" in words(document("keras", projection=2))


def test_biases_that_nobody_asked_for_are_said() -> None:
    assert "These always have biases" not in words(document())
    (text,) = re.findall(r"These always have biases.*: (.*)\.", words(document(bias=False)))
    assert text.split(", ") == [name for name, layer in FRAMEWORKS.items() if layer.convention.bias_required]


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_one_in_full(name: str) -> None:
    explanation = explain_frameworks(seeded(samples=3, timesteps=4, features=2, units=3, init="pytorch"), name)
    blocks, (one,) = flatten(document_of(explanation)), explanation.frameworks
    told = facts(blocks)
    assert told["parameters"] == f"{one.parameters} = {one.formula}"
    assert told["states"].startswith(f"({', '.join(one.framework.info.state_order)})")
    assert told["checked"].endswith(one.framework.convention.source)
    assert ("run by our tests" in told["checked"]) is (one.framework.info.verification == "run")
    assert "differ by 0 exactly" in told["read back"] or one.framework.convention.forget_bias_added
    rows = table(blocks, "weight", "shape", "numbers")
    assert [row[0] for row in rows] == [array.name for array in one.weights]
    assert sum(int(row[2]) for row in rows) == one.parameters
    assert [row[0] for row in table(blocks, "tensor", "shape", "what")] == [name for name, _, _ in one.returns]


def test_where_each_gate_stands() -> None:
    rows = table(document("haiku"), "slice", "what", "in")
    assert [row[:2] for row in rows] == [
        ["0:2", "multiplies x"],
        ["2:5", "multiplies h"],
        ["0:3", "i, the input gate"],
        ["3:6", "g, the candidate"],
        ["6:9", "f, the forget gate"],
        ["9:12", "o, the output gate"],
    ]
    assert [row[2] for row in rows if row[2]] == ["linear.w[slice]", "linear.w[:, slice], linear.b[slice]"]
    assert "What each slice holds" not in words(document("tflite"))


def test_the_slices_of_pytorch() -> None:
    told = facts(document("pytorch", layers=2, bidirectional=True))
    assert told["h_n[2], c_n[2]"] == "layer 1, forward"
    assert "h_n[0], c_n[0]" not in facts(document("pytorch"))
    assert "h_n[0], c_n[0]" not in facts(document("keras", layers=2))


def test_many_layers_leave_rows_out() -> None:
    rows = table(document("pytorch", layers=50), "weight", "shape", "numbers")
    assert len(rows) == 33
    assert ["⋮"] * 3 in rows


def test_the_program_stands_there_as_it_is() -> None:
    explanation = explain_frameworks(seeded(samples=3), "keras", code=True)
    (program,) = [one for one in document_of(explanation) if isinstance(one, Preformatted)]
    assert explanation.program is not None
    assert (program.lines, program.language) == (explanation.program.lines, "python")
    assert not [one for one in document("keras") if isinstance(one, Preformatted)]


def test_what_was_not_measured_is_marked() -> None:
    assert "computed, not measured" in words(document(units=10**9))
    assert "read off arrays" in words(document())


@pytest.mark.parametrize("name", [None, *FRAMEWORKS])
@pytest.mark.parametrize("options", [{}, {"layers": 2, "bidirectional": True}, {"units": 10**9}], ids=str)
def test_nothing_is_wider_than_the_page(name: str | None, options: dict[str, Any]) -> None:
    text = terminal.to_terminal(document(name, **options), 80, None, False)
    assert max(map(len, text.splitlines())) <= 80
    assert text.isascii()
