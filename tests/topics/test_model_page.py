"""The document of `model`: numbers that a reader can check, and names that no terminal or page obeys."""

from __future__ import annotations

import re
import shlex
from math import prod
from typing import Any

import numpy as np
import pytest

from lstm_explain.core.lstm import PretrainedWeights
from lstm_explain.document.blocks import Cell, Document, Heading, NextSteps, Note, Paragraph, Table
from lstm_explain.library import seeded
from lstm_explain.readers.identify.find_lstms import find_lstms
from lstm_explain.readers.identify.model_lstm import ModelLSTM, select_lstm
from lstm_explain.render import layout, markdown
from lstm_explain.render.json_text import to_json_text
from lstm_explain.topics.model import explain_model
from lstm_explain.topics.registry import document_of
from lstm_explain.topics.shapes import explain_shapes
from lstm_explain.topics.trace import explain_trace
from lstm_explain.topics.unit import explain_unit
from tests.helpers.documents import flatten
from tests.helpers.model_files.arrays import keras_layer, pytorch_layer

STACK = {**pytorch_layer(3, 2, "_l0", module="enc."), **pytorch_layer(2, 2, "_l1", module="enc.")}


def document(tensors: dict[str, Any], file: str = "x.npz") -> Document:
    return flatten(document_of(explain_model(find_lstms(tensors, file), file)))


def rows(document: Document) -> list[list[str]]:
    tables = [block for block in document if isinstance(block, Table)]
    return [[cell.text for cell in row if isinstance(cell, Cell)] for table in tables for row in table.rows]


def notes(document: Document) -> list[str]:
    return [block.text for block in document if isinstance(block, Note)]


def commands(document: Document) -> list[str]:
    return [step.command for block in document if isinstance(block, NextSteps) for step in block.steps]


def reasons(document: Document) -> str:
    return "\n".join(step.reason for block in document if isinstance(block, NextSteps) for step in block.steps)


def test_shapes_and_counts_add_up() -> None:
    found = rows(document(STACK))
    told = dict(row for row in found if len(row) == 2)
    shapes = {name: tuple(map(int, re.findall(r"\d+", shape))) for name, shape in told.items() if name.startswith("enc.")}
    assert shapes == {name: array.shape for name, array in STACK.items()}
    total = sum(map(prod, shapes.values()))
    assert ["enc", "3", "2", "2", "forward", str(total)] in found
    numbers = list(map(int, re.findall(r"\d+", told["parameters"])))
    assert numbers == [total, total - 16, 16]
    assert numbers[0] == numbers[1] + numbers[2]
    assert told["biases"] == "two, added up"
    assert told["gates"] == "i f g o in the file; i f g o here"


def test_the_order_in_the_file_is_shown() -> None:
    onnx = {"W": np.ones((8, 3)), "R": np.ones((8, 2))}
    shown = rows(flatten(document_of(explain_model(find_lstms(onnx, "x", "onnx"), "x"))))
    assert ["gates", "i o f g in the file; i f g o here"] in shown
    assert ["biases", "none"] in shown


def test_a_stack_is_offered_only_where_layers_fit() -> None:
    fit = {**keras_layer(3, 2, module="a/"), **keras_layer(2, 2, module="b/")}
    assert "--model x.npz#a+b" in commands(document(fit))[-1]
    select_lstm(find_lstms(fit, "x"), "a+b", "x")
    larger = {**keras_layer(3, 2, module="a/"), **keras_layer(2, 4, module="b/")}
    assert "--model x.npz#a+b" in commands(document(larger))[-1]
    for other in (keras_layer(3, 2, module="b/"), pytorch_layer(2, 2, module="b.")):
        assert "stack" not in reasons(document({**keras_layer(3, 2, module="a/"), **other}))
    apart = {**keras_layer(3, 2, module="a/"), **keras_layer(5, 4, module="b/"), **keras_layer(4, 4, module="c/")}
    assert "--model x.npz#b+c" in commands(document(apart))[-1]
    assert "the file does not say what is between them, so their order is yours" in reasons(document(apart))


def test_a_stack_is_offered_where_the_file_tells_that_one_reads_the_other() -> None:
    def offered(a: tuple[str, ...], b: tuple[str, ...]) -> Document:
        first, second = find_lstms({**keras_layer(2, 2, module="a/"), **keras_layer(2, 2, module="b/")}, "x")
        pair = (first._replace(fed_by=a), second._replace(fed_by=b))
        return document_of(explain_model(pair, "x.keras"))

    assert "stack" not in reasons(offered(("in",), ("dense",)))
    assert "stack" not in reasons(offered(("in",), ()))
    assert "stack" not in reasons(offered(("a",), ("b",)))
    assert reasons(offered(("in",), ("a",))).endswith("a layer and the one that it reads, as a stack")
    assert commands(offered(("in",), ("a",)))[-1].endswith("--model x.keras#a+b")
    assert commands(offered(("b",), ("in",)))[-1].endswith("--model x.keras#b+a")


def test_every_answer_says_what_the_model_does_and_we_do_not() -> None:
    tensors = keras_layer(3, 2)
    found = find_lstms(tensors, "x")[0]._replace(caveats=("it starts from states", "two"))
    assert notes(document_of(explain_model([found], "x")))[:2] == ["it starts from states.", "two."]
    loaded = PretrainedWeights(found.weights, found.provenance("x"))
    lstm = seeded(samples=1, timesteps=2, features=3, units=2, loaded=loaded)
    for answer in (explain_unit(lstm), explain_shapes(lstm), explain_trace(lstm)):
        said = " ".join(block.text for block in document_of(answer) if isinstance(block, Paragraph | Note))
        assert "keras.layers.LSTM" in said
        assert " It starts from states. Two." in said


def test_one_lstm_needs_no_name() -> None:
    assert commands(document(STACK)) == ["lstm-explain shapes --model x.npz"]


def test_many_are_listed_and_some_shown_in_full() -> None:
    many = {name: array for place in range(30) for name, array in keras_layer(3, 2, module=f"l{place}/").items()}
    made = document(many)
    assert len([block for block in made if isinstance(block, Heading)]) == 1 + 24
    assert "24 of 30 LSTMs are shown in full; --json has all." in notes(made)
    assert [row[0] for row in rows(made)[:30]] == [f"l{place}" for place in range(30)]


def test_what_else_there_is_to_say() -> None:
    odd = find_lstms(keras_layer(), "x")[0]._replace(reverse=True, notes=("it was written by hand",))
    made = flatten(document_of(explain_model((odd,), "x")))
    assert ["reads", "each sample from its end, so timestep 1 is the last of the data"] in rows(made)
    assert rows(made)[0][4] == "from the end"
    assert "it was written by hand." in notes(made)
    assert not any(row[0] == "reads" for row in rows(document(STACK)))


def test_what_is_not_explained_is_listed_with_its_reason() -> None:
    gru = {f"gru.{name}": np.zeros(sizes) for name, sizes in {"weight_ih_l0": (6, 3), "weight_hh_l0": (6, 2)}.items()}
    one = document_of(explain_model(find_lstms({**gru, **keras_layer(3, 2)}, "x"), "x"))
    assert any(row[0] == "gru" and row[1].startswith("it is a GRU: it has 6 neurons") for row in rows(one))
    assert "Not supported: 1 other recurrent layer" in [block.text for block in one if isinstance(block, Heading)]
    many = {f"{place}{name}": array for place in range(90) for name, array in gru.items()}
    made = rows(document_of(explain_model(find_lstms({**many, **keras_layer(3, 2)}, "x"), "x")))
    assert sum(row[0].endswith("gru") for row in made) == 24
    assert not any(isinstance(block, Heading) and "supported" in block.text for block in document(STACK))


HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x9b31m",
    "\u202egnp.exe",
    "[bold]x[/bold]",
    "</script><script>alert(1)</script>",
    "'; rm -rf ~; echo '",
    "$(reboot)`reboot`",
    "|a|b|",
    "a\nb\r\tc",
    "x" * 5000,
    "\ud800",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_shown_and_not_obeyed(name: str) -> None:
    found = find_lstms(keras_layer(module=""), "x")[0]
    hostile = (found._replace(name=name, tensors={name: (1,)}, notes=(name,)), found)
    made = explain_model(hostile, "x.npz")
    for width in (80, 160):
        for line in layout.layout_lines(document_of(made), width, True):
            assert all(span.text.isprintable() for span in line)
    page = markdown.to_markdown(document_of(made))
    assert all(line.isprintable() for line in page.splitlines())
    outside_code = re.sub(r"(`+)(.+?)(?<!`)\1(?!`)", "", page)
    assert "<script>" not in outside_code.replace("\\<", "")
    written = to_json_text(made)
    assert all(line.isprintable() for line in written.splitlines())
    written.encode()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_command_can_be_pasted_whatever_the_name_is(name: str) -> None:
    """A shell takes the name for one word of the command, and for nothing else."""
    one = find_lstms(keras_layer(2, 2, module=""), "x")[0]
    both: tuple[ModelLSTM, ...] = (one._replace(name=name), one._replace(name="b"))
    for command in commands(document_of(explain_model(both, "x.npz"))):
        words = shlex.split(command)
        assert words[:3] == ["lstm-explain", "shapes", "--model"]
        assert words[3].startswith("x.npz#")
        assert len(words) == 4
