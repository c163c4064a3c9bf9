"""Questions about frameworks, answered by the frameworks themselves: the code in the question is run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.apps.quiz.generate import GENERATORS
from lstm_explain.apps.quiz.question import Question, format_shape, grade_answer
from lstm_explain.apps.quiz.question_draft import Sampler

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.oracle


def questions(name: str) -> Iterator[Question]:
    (maker,) = (maker for maker in GENERATORS if maker.name == name)
    for number in range(8):
        question = maker.question(Sampler(77, number))
        if question is not None:
            yield question


def built(torch: Any, text: str) -> Any:
    """The `torch.nn.LSTM(...)` that is written in a question."""
    call = re.search(r"torch\.nn\.LSTM\([^)]*\)", text)
    assert call
    return eval(call[0], {"torch": torch})


def batch(torch: Any, text: str) -> Any:
    sizes = re.search(r"shape (\([\d, ]+\))", text)
    assert sizes
    return torch.randn(*eval(sizes[1]))


def agrees(question: Question, shape: Any) -> None:
    assert grade_answer(question, format_shape(tuple(shape))).outcome == "right", question


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("name", ["time-for-samples", "flat-array", "states-in-pytorch"])
def test_shapes_of_pytorch(torch: Any, name: str) -> None:
    for question in questions(name):
        output, (h_n, c_n) = built(torch, question.text)(batch(torch, question.text))
        asked = question.text.rpartition("shape of ")[2].rstrip("?")
        agrees(question, {"output": output, "h_n": h_n, "c_n": c_n}[asked].shape)


def test_samples_that_leak(torch: Any) -> None:
    for question in questions("leaking-samples"):
        layer, x = built(torch, question.text), batch(torch, question.text)
        with torch.no_grad():  # with PyTorch's own start, a change fades below the last bit after some twenty timesteps
            layer.bias_ih_l0[layer.hidden_size : 2 * layer.hidden_size] += 3
        changed = x.clone()
        changed[int(question.text.partition("Now x[")[2].partition("]")[0])] += 1
        moved = int((layer(x)[0] != layer(changed)[0]).any(dim=2).any(dim=1).sum())
        assert grade_answer(question, str(moved)).outcome == "right", question


def test_what_both_directions_have_made(torch: Any) -> None:
    """The right choice, and no other, is what a layer of each direction alone would end with: h_n as PyTorch documents it."""
    for question in questions("summary-of-both"):
        features, samples = (
            int(re.findall(r"LSTM\((\d+)", question.text)[0]),
            int(re.findall(r"for (\d+) samples", question.text)[0]),
        )
        layer = built(torch, question.text)
        output, (h_n, _) = layer(torch.randn(samples, 6, features))
        units = layer.hidden_size
        expected = torch.cat((output[:, -1, :units], output[:, 0, units:]), 1)
        found = [eval(words, {"torch": torch, "output": output, "h_n": h_n}) for words in question.choices]
        same = [one.shape == expected.shape and torch.equal(one, expected) for one in found]
        assert same == [(place,) == question.answer for place in range(len(same))], question


def test_states_that_are_mixed_and_numbers_that_move(torch: Any) -> None:
    for question in questions("mixed-states"):
        slices, samples, units = eval(re.search(r"shape (\([\d, ]+\))", question.text)[1])  # type: ignore[index]
        whose = torch.arange(samples)[None, :, None].expand(slices, samples, units)
        assert grade_answer(question, str(len(set(whose.reshape(samples, -1)[0].tolist())))).outcome == "right"
    for question in questions("reshaped"):
        n, t, f = eval(re.search(r"shape (\([\d, ]+\))", question.text)[1])  # type: ignore[index]
        sample, step = eval(re.search(r"does x\[(\d+, \d+)\]", question.text)[1])  # type: ignore[index]
        x = torch.arange(n * t * f).reshape(n, t, f)
        place = (x.reshape(t, n, f)[:, :, 0] == x[sample, step, 0]).nonzero()[0].tolist()
        assert grade_answer(question, format_shape(tuple(place))).outcome == "right"


def test_shapes_of_keras(keras: Any) -> None:
    for question in questions("sequence-in-keras"):
        code = re.search(r"In Keras, (.*) is called", question.text)
        assert code
        layer = eval(code[1], {"layers": keras.layers})
        sizes = eval(re.search(r"shape (\([\d, ]+\))", question.text)[1])  # type: ignore[index]
        agrees(question, layer(np.zeros(sizes, "float32")).shape)


def test_parameters_as_frameworks_count_them(torch: Any, keras: Any) -> None:
    for question in questions("parameters-elsewhere"):
        units, features = (int(re.findall(rf"(\d+) {noun}", question.text)[0]) for noun in ("unit", "feature"))
        layers = int((re.findall(r"stack of (\d+)", question.text) or ["1"])[0])
        both = "bidirectional" in question.text
        if "PyTorch" in question.text:
            made = torch.nn.LSTM(features, units, layers, bidirectional=both)
            count = sum(one.numel() for one in made.parameters())
        elif "Keras" in question.text:
            stack = [keras.layers.LSTM(units, return_sequences=True) for _ in range(layers)]
            model = keras.Sequential(
                [keras.Input((None, features)), *(keras.layers.Bidirectional(one) if both else one for one in stack)]
            )
            count = model.count_params()
        else:
            continue
        assert grade_answer(question, str(count)).outcome == "right", question
