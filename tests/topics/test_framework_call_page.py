"""The document of `shapes --framework`: its words stand by the numbers."""

from __future__ import annotations

from typing import Any

import pytest

import lstm_explain
from lstm_explain.document.blocks import Cell, Document, FirstThatFits, Heading, Note, Paragraph, Preformatted, Table
from lstm_explain.frameworks.registry import CALLS
from lstm_explain.topics.registry import document_of

SMALL: dict[str, Any] = {"samples": 3, "timesteps": 4, "features": 2, "units": 3}


def told(name: str, asked: dict[str, Any] | None = None, **options: Any) -> Document:
    lstm = lstm_explain.seeded(**{**SMALL, **options})
    return document_of(lstm_explain.shapes(lstm, framework=name, **(asked or {})))


def rows(document: Document, heading: str) -> dict[str, str]:
    """The first two cells of each row below a heading, in the narrow layout where there are two."""
    inside, texts = False, {}
    for block in document:
        if isinstance(block, Heading):
            inside = block.text.startswith(heading)
        table = block.layouts[-1][0] if isinstance(block, FirstThatFits) else block
        if inside and isinstance(table, Table):
            for row in table.rows:
                assert isinstance(row[0], Cell)
                assert isinstance(row[1], Cell)
                texts[row[0].text] = row[1].text
    return texts


def text(document: Document) -> str:
    return "\n".join(block.text for block in document if isinstance(block, Heading | Paragraph | Note))


@pytest.mark.parametrize("name", CALLS)
def test_the_call_stands_first_and_the_shapes_below(name: str) -> None:
    document = told(name)
    drawing = next(block for block in document if isinstance(block, Preformatted))
    assert drawing.language == ("text" if name == "onnx" else "python")
    first = (
        "(4, 3, 2)  timesteps, samples, features" if name in ("pytorch", "onnx") else "(3, 4, 2)  samples, timesteps, features"
    )
    assert list(rows(document, "What goes in").values()) == [first]
    assert "read off an array" in text(document)


def test_the_index_map() -> None:
    document = told("pytorch", layers=2, bidirectional=True)
    assert rows(document, "Which numbers") == {
        "h after t = 4, layer 0, forward": "h_n[0]",
        "c after t = 4, layer 0, forward": "c_n[0]",
        "h after t = 1, layer 0, backward": "h_n[1]",
        "c after t = 1, layer 0, backward": "c_n[1]",
        "h after t = 4, layer 1, forward": "output[-1, :, :3] = h_n[2]",
        "c after t = 4, layer 1, forward": "c_n[2]",
        "h after t = 1, layer 1, backward": "output[0, :, 3:] = h_n[3]",
        "c after t = 1, layer 1, backward": "c_n[3]",
    }
    assert "on 3 samples: the largest difference is 0 exactly" in text(document)
    (why,) = rows(document, "Easily mistaken").values()
    assert why.startswith("is not h after t = 1, layer 1, backward, but h after the first timestep")


def test_what_is_not_run_is_marked_as_computed() -> None:
    document = told("pytorch", samples=10**12)
    assert "in the names and layouts of PyTorch, computed" in text(document)
    assert "The others are computed, not measured" in text(document)
    assert "on 128 samples" in text(document)
    nothing = told("pytorch", samples=10**12, units=10**9)
    assert "computed, not measured: a run over all samples does not fit" in text(nothing)
    assert "computed, not compared" in text(nothing)
    assert "exactly" not in text(nothing)


def test_padding_is_told_in_the_framework_s_own_way() -> None:
    assert "output holds zeros" in text(told("pytorch", lengths=(4, 2, 3)))
    assert "h of its last timestep again" in text(told("keras", {"return_sequences": True}, lengths=(4, 2, 3)))
    assert "Past a sample's end" not in text(told("keras", lengths=(4, 2, 3)))
    assert "numbers of no use" in text(told("flax", lengths=(4, 2, 3)))
    assert "Past a sample's end" not in text(told("pytorch"))


def test_other_layouts_and_remarks() -> None:
    assert "With --batch-first: (3, 4, 2)  samples, timesteps, features." in text(told("pytorch"))
    turned = text(told("pytorch", {"batch_first": True}))
    assert "With --batch-first" not in turned
    assert "h_n and c_n keep samples on their second axis" in turned
    assert "ONNX Runtime refuses layout=1" in text(told("onnx", {"layout": 1}))


def test_many_layers_are_shortened() -> None:
    tables = [block for block in told("pytorch", layers=200, bidirectional=True) if isinstance(block, Table)]
    assert max(len(table.rows) for table in tables) == 33


def test_calls_of_layers_say_what_they_read() -> None:
    texts = text(told("keras", layers=3))
    assert "Layers 0 to 1; x is the batch, and above layer 0 the output of the layer below:" in texts
    assert "Layer 2; x is the output of the layer below:" in texts
    assert "Layer 1; Y_below is Y of the layer below:" in text(told("onnx", layers=2))


def test_numbers_that_happen_to_be_the_same_are_said_to_be() -> None:
    """Of all-zero inputs and no bias h is 0 everywhere."""
    import numpy as np

    lstm = lstm_explain.given(np.zeros((2, 3, 2)), bidirectional=True, bias=False, units=2)
    (why,) = rows(document_of(lstm_explain.shapes(lstm, framework="pytorch")), "Easily mistaken").values()
    assert why.endswith(", which are the same numbers in this run")
