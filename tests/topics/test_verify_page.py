"""The document of `verify`: its verdict, and every number in it, are those of the comparison."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_explain.core.gates import GATES, LETTERS, Direction
from lstm_explain.core.lstm import LSTM, PretrainedWeights
from lstm_explain.core.weight_variants import reorder_gates
from lstm_explain.core.weights import Weights
from lstm_explain.document.blocks import Cell, Document, Heading, Note, Paragraph, Table
from lstm_explain.library import given as lstm_over
from lstm_explain.library import seeded
from lstm_explain.topics.registry import document_of
from lstm_explain.topics.verify import Verify, explain_verify
from tests.helpers.mixed_stacks import MIXED

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
    weights = reorder_gates(lstm.weights, tuple(GATES[order.index(gate)] for gate in GATES))
    about = {"kind": "model", "file": "m.onnx", "layer": "lstm", "framework": framework, "title": "an LSTM"}
    other: LSTM = lstm_over(lstm.inputs.block(0, 3), **{**SIZES, "loaded": PretrainedWeights(weights, about)})
    return explain_verify(other, lstm.run().output)


def test_outputs_that_agree() -> None:
    lstm = seeded(**SIZES)
    document = document_of(explain_verify(lstm, lstm.run().output))
    assert "verify: these outputs are this LSTM's" in words(document)
    assert "36 numbers were compared: h of every timestep." in words(document)
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
    assert f"No. {verify.tried} other readings of the weights were tried" in words(document)
    assert len(rows(document)) == 1
    assert "Perhaps the outputs were made from other inputs" in words(document)


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
    read_so = document_of(explain_verify(lstm, turned[:, ::-1]))
    assert "the sequence was read from its end, and the outputs are in reading order" in words(read_so)
    assert [row[3] for row in rows(read_so)] == ["from end, outputs too"]


def test_swapped_directions_and_a_dropped_bias_have_words_of_their_own() -> None:
    both_ways = seeded(**SIZES, init="pytorch", bidirectional=True)
    document = document_of(explain_verify(both_ways, np.roll(both_ways.run().output, 3, axis=2)))
    assert "Yes: the outputs have the backward half before the forward half." in words(document)
    assert [row[3] for row in rows(document)] == ["outputs swapped"]
    lstm = seeded(**SIZES, init="pytorch")
    (own,) = lstm.weights.layers[0].values()
    assert own.bias is not None
    half = ({Direction.FORWARD: own.bias / 2},)
    weights = Weights(({Direction.FORWARD: own._replace(bias=own.bias / 2)},))
    about = {"kind": "model", "file": "m.pt", "layer": "lstm", "framework": "pytorch", "title": "torch.nn.LSTM", "biases": 2}
    expected = seeded(**SIZES, loaded=PretrainedWeights(weights, about)).run().output
    document = document_of(explain_verify(lstm, expected, 1e-9, lambda: (half, half)))
    assert "Yes: the bias is only the first of two." in words(document)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_no_numbers(value: float) -> None:
    document = document_of(explain_verify(seeded(**SIZES), np.full((3, 4, 3), value)))
    assert "verify: these outputs are not this LSTM's" in words(document)
    assert "inf," not in words(document)
    said = "Of the given outputs, 36 are nan or infinite, the first of them at sample 0, timestep 1, number 0."
    assert said in words(document)
    assert "None comes closer than the file as it was read." in words(document)


def test_where_all_that_are_numbers_agree_it_is_said() -> None:
    lstm = seeded(**SIZES)
    expected = lstm.run().output.copy()
    expected[1, 2, 0] = np.nan
    said = words(document_of(explain_verify(lstm, expected)))
    assert "Of the given outputs, 1 is nan or infinite, at sample 1, timestep 3, number 0." in said
    assert "Where both are numbers, the largest difference is 0 exactly" in said
    assert "All numbers agree as they are" in said
    assert "other inputs" not in said


def test_where_nothing_comes_closer_than_the_file_no_other_is_shown() -> None:
    lstm = seeded(**SIZES)
    document = document_of(explain_verify(lstm, lstm.run().output + 0.01))
    assert "None comes closer than the file as it was read." in words(document)
    assert rows(document) == []


@pytest.mark.parametrize("as_read", [False, True])
def test_of_a_layer_that_reads_from_the_end_the_order_of_the_outputs_is_said(as_read: bool) -> None:
    about = {"kind": "model", "file": "m.onnx", "layer": "lstm", "framework": "onnx", "title": "an LSTM"}
    loaded = PretrainedWeights(seeded(units=3).weights, {**about, "reads": "from the end"}, None, True)
    lstm = seeded(samples=2, timesteps=4, units=3, loaded=loaded)
    output = lstm.run().output if as_read else lstm.run().output[:, ::-1]
    words = " ".join(one.text for one in document_of(explain_verify(lstm, output)) if isinstance(one, Paragraph))
    assert f"in the order in which {'the layer reads them' if as_read else 'the data has them'}, which agrees" in words
    from_the_start = seeded(samples=2, timesteps=4, units=3).run().output
    words = " ".join(one.text for one in document_of(explain_verify(lstm, from_the_start)) if isinstance(one, Paragraph))
    assert "Yes: the sequence was read from its start." in words


def test_layers_of_which_some_read_both_ways() -> None:
    lstm = seeded(samples=3, timesteps=4, features=2, stack=MIXED, dtype="float64", init="pytorch")
    meant = reorder_gates(lstm.weights, ORDERS[5])
    expected = replace(lstm, pretrained=PretrainedWeights(meant, {"kind": "model"})).run().output
    found = rows(document_of(explain_verify(lstm, expected)))
    assert found[0] == [
        ", ".join(LETTERS[gate] for gate in ORDERS[5]),
        "as in the file",
        "samples first",
        "some both ways",
        "0 exactly",
    ]
