"""The document of `verify`: its verdict, and every number in it, are those of the comparison."""

from __future__ import annotations

import re
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import GATES, LETTERS
from lstm_explain.core.lstm import LSTM, Loaded
from lstm_explain.core.rearranged import gates_reordered
from lstm_explain.document import document_of
from lstm_explain.document.blocks import Cell, Document, Heading, Note, Paragraph, Table
from lstm_explain.explain.verify import Verify, explain_verify
from lstm_explain.library import given as lstm_over
from lstm_explain.library import seeded

ORDERS = list(permutations(GATES))
SIZES: dict[str, Any] = {"samples": 3, "timesteps": 4, "features": 2, "units": 3, "dtype": "float64"}


def words(document: Document) -> str:
    return " ".join(block.text for block in document if isinstance(block, Heading | Paragraph | Note))


def rows(document: Document) -> list[list[str]]:
    tables = [block for block in document if isinstance(block, Table)]
    return [[cell.text for cell in row if isinstance(cell, Cell)] for table in tables for row in table.rows]


def misread(order: Any, framework: str = "onnx") -> Verify:
    """Weights in an order, read as if they stood in a framework's."""
    lstm = seeded(**SIZES, init="pytorch")
    weights = gates_reordered(lstm.weights, tuple(GATES[order.index(gate)] for gate in GATES))
    about = {"kind": "model", "file": "m.onnx", "layer": "lstm", "framework": framework, "title": "an LSTM"}
    other: LSTM = lstm_over(lstm.inputs.block(0, 3), **{**SIZES, "loaded": Loaded(weights, about)})
    return explain_verify(other, lstm.run().output)


def test_outputs_that_agree() -> None:
    lstm = seeded(**SIZES)
    document = document_of(explain_verify(lstm, lstm.run().output))
    assert "verify: these outputs are this LSTM's" in words(document)
    assert "36 numbers were compared, h of every timestep" in words(document)
    assert "another reading" not in words(document)
    assert rows(document) == []


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    order=st.sampled_from([order for order in ORDERS if order != GATES]), framework=st.sampled_from(["keras", "onnx", "haiku"])
)
def test_the_order_is_told_as_it_stands_in_the_file(order: Any, framework: str) -> None:
    verify = misread(order, framework)
    document = document_of(verify)
    (found,) = verify.alternatives
    letters = ", ".join(LETTERS[gate] for gate in found.gate_order)
    assert f"Yes: these weights are in {letters} order" in words(document)
    assert [row[0] for row in rows(document)] == [letters]
    assert "verify: these outputs are not this LSTM's" in words(document)
    assert all(title in words(document) for title in found.frameworks)


def test_the_place_counts_as_everywhere() -> None:
    lstm = seeded(**SIZES)
    expected = lstm.run().output.copy()
    expected[2, 1, 0] += 7
    assert re.search(
        r"The largest difference is 7e0, at sample 2, timestep 2, number 0", words(document_of(explain_verify(lstm, expected)))
    )


def test_where_nothing_agrees_the_closest_and_a_hint_are_told() -> None:
    verify = explain_verify(seeded(**SIZES), np.full((3, 4, 3), 5.0))
    document = document_of(verify)
    assert verify.closest is not None
    assert f"No. {verify.tried} other readings tried" in words(document)
    assert len(rows(document)) == 1
    assert "The inputs may be others, or scaled otherwise" in words(document)


def test_where_a_few_samples_are_tried_it_is_said() -> None:
    lstm = seeded(**{**SIZES, "samples": 40})
    assert "on the first 16 samples" in words(document_of(explain_verify(lstm, np.zeros((40, 4, 3)))))
    assert "on the first" not in words(document_of(explain_verify(seeded(**SIZES), np.zeros((3, 4, 3)))))


def test_each_other_reading_has_words_of_its_own() -> None:
    lstm = seeded(**SIZES, init="pytorch")
    inputs = np.asarray(lstm.inputs.block(0, 3))
    turned = lstm_over(inputs[:, ::-1], **{**SIZES, "init": "pytorch"}).run().output[:, ::-1]
    swapped = lstm_over(inputs.swapaxes(0, 1), **{**SIZES, "init": "pytorch", "samples": 4, "timesteps": 3}).run().output
    assert "the sequence was read from its end" in words(document_of(explain_verify(lstm, turned)))
    said = words(document_of(explain_verify(lstm, swapped.swapaxes(0, 1))))
    assert "the first axis of the input was taken for the timesteps" in said


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_no_numbers(value: float) -> None:
    document = document_of(explain_verify(seeded(**SIZES), np.full((3, 4, 3), value)))
    assert "verify: these outputs are not this LSTM's" in words(document)
    assert "The largest difference is inf" in words(document)


@pytest.mark.parametrize("as_read", [False, True])
def test_of_a_layer_that_reads_from_the_end_the_order_of_the_outputs_is_said(as_read: bool) -> None:
    about = {"kind": "model", "file": "m.onnx", "layer": "lstm", "framework": "onnx", "title": "an LSTM"}
    loaded = Loaded(seeded(units=3).weights, {**about, "reads": "from the end"}, None, True)
    lstm = seeded(samples=2, timesteps=4, units=3, loaded=loaded)
    output = lstm.run().output if as_read else lstm.run().output[:, ::-1]
    words = " ".join(one.text for one in document_of(explain_verify(lstm, output)) if isinstance(one, Paragraph))
    assert f"in the order in which {'the layer reads them' if as_read else 'the data has them'}, which agrees" in words
    from_the_start = seeded(samples=2, timesteps=4, units=3).run().output
    words = " ".join(one.text for one in document_of(explain_verify(lstm, from_the_start)) if isinstance(one, Paragraph))
    assert "Yes: the sequence was read from its start." in words
