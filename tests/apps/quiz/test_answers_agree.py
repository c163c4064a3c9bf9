"""The right answers once more, from the words of the question alone: what a reader is told must be enough to answer it.

The formulas here are written down independently, without a look at the LSTM that the answer was measured on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.apps.quiz.generate import GENERATORS
from lstm_explain.apps.quiz.question import grade_answer
from lstm_explain.apps.quiz.question_draft import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.apps.quiz.question import Question
    from lstm_explain.apps.quiz.question_draft import QuestionGenerator

ORDERS = {
    "Keras": "ifgo",
    "PyTorch": "ifgo",
    "ONNX": "iofg",
    "TensorFlow 1": "igfo",
    "Haiku": "igfo",
    "Equinox": "ifgo",
    "MLX": "ifgo",
    "tinygrad": "ifgo",
    "Core ML": "ifog",
    "OpenVINO": "figo",
    "WebNN": "iofg",
    "Flax nnx, optimized": "ifgo",
}
"""Collected from the frameworks' own documents and, where they run, from runs of them."""
TWO_BIASES = {"PyTorch", "ONNX", "tinygrad"}
STARTS_AT_ONE = ("Keras", "TensorFlow 1", "Haiku")


class Told:
    """The sizes and options that a question's words tell."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.n, self.t, self.f, self.u = (
            self.number(rf"(\d+) {noun}") for noun in ("samples?", "timesteps?", "features?", "units?")
        )
        self.layers = self.number(r"stack of (\d+)") or 1
        self.ways = 2 if "idirectional" in text else 1
        self.bias = 0 if "without biases" in text or "no biases" in text else 1
        self.peepholes = "peepholes" in text
        self.projection = self.number(r"projected to (\d+)")
        self.h = self.projection or self.u

    def number(self, pattern: str) -> int:
        found = re.search(pattern, self.text)
        return int(found[1]) if found else 0

    def numbers(self, pattern: str) -> list[int]:
        found = re.search(pattern, self.text)
        assert found, self.text
        return [int(one) for one in found.groups()]

    def count(self, biases: int | None = None) -> int:
        """The parameters of a stack."""
        biases = self.bias if biases is None else biases
        reads = [self.f] + [self.h * self.ways] * (self.layers - 1)
        extra = (3 * self.u if self.peepholes else 0) + (self.u * self.h if self.projection else 0)
        return sum(self.ways * (4 * self.u * (one + self.h + biases) + extra) for one in reads)


def windows(told: Told) -> int:
    rows = told.number(r"series of (\d+) rows")
    size, stride = told.number(r"windows of (\d+) rows"), told.number(r"begins (\d+) row")
    ahead = 1 if "The row after" in told.text else told.number(r"The (\d+) rows after")
    return sum(1 for first in range(0, rows, stride) if first + size + ahead <= rows)


def timesteps_reached(told: Told) -> int:
    changed = told.number(r"at timestep (\d+) alone")
    return told.t if told.ways == 2 else told.t - changed + 1


def ripple(told: Told) -> int:
    at = told.number(r"as timestep (\d+) is")
    return at - 1 if told.ways == 2 else at + 1


def faded(told: Told) -> int:
    f = float(re.search(r"stays at ([\d.]+),", told.text)[1])  # type: ignore[index]
    return next(steps for steps in range(1, 99) if round(f**-steps) == told.number(r"1/(\d+)"))


def array_of(told: Told) -> tuple[int, ...]:
    return tuple(map(int, re.search(r"shape \(([\d, ]+)\)", told.text)[1].split(",")))  # type: ignore[index]


def built(told: Told) -> tuple[int, int, int, int, int]:
    """features, units, layers, directions and projection of `torch.nn.LSTM(...)`."""
    features, units = told.numbers(r"LSTM\((\d+), (\d+)")
    return features, units, told.number(r"num_layers=(\d+)") or 1, told.ways, told.number(r"proj_size=(\d+)") or units


def states_in_pytorch(told: Told) -> tuple[int, ...]:
    _, units, layers, _, projection = built(told)
    ways = 2 if "bidirectional=True" in told.text else 1
    shape = array_of(told)
    samples = shape[0] if "batch_first" in told.text else shape[1]
    return layers * ways, samples, units if "c_n?" in told.text else projection


def state_slice(told: Told) -> int:
    return 2 * told.number(r"of layer (\d+)") + ("backward direction" in told.text)


def sequence_in_keras(told: Told) -> tuple[int, ...]:
    n, t, _ = array_of(told)
    width = told.number(r"LSTM\((\d+)") * told.ways
    return (n, t, width) if "return_sequences" in told.text else (n, width)


def gate_block(told: Told) -> str:
    framework = re.search(r"In (.+?), the array", told.text)[1]  # type: ignore[index]
    first, last = told.numbers(r"(?:rows|columns) (\d+) to (\d+)")
    assert last - first + 1 == told.u
    return {"i": "the input gate i", "f": "the forget gate f", "g": "the candidate g", "o": "the output gate o"}[
        ORDERS[framework][first // told.u]
    ]


def wrong_order(told: Told) -> int:
    saved, read = re.findall(r"\(([ifgo](?:, [ifgo]){3})\)", told.text)
    names = re.findall(r"of ((?:[A-Z]|tiny)[\w ,]*?) \([ifgo], ", told.text)
    assert [ORDERS[name] for name in names] == [saved.replace(", ", ""), read.replace(", ", "")]
    return sum(one == other for one, other in zip(saved.split(", "), read.split(", "), strict=True))


def parameters_elsewhere(told: Told) -> int:
    framework = re.search(r" in ([A-Z][\w ]*|tinygrad) \(", told.text)[1]  # type: ignore[index]
    return told.count(2 if framework in TWO_BIASES else 1)


def half_of_the_output(told: Told) -> int:
    place, half = re.search(r"output\[:, (0|-1), (\d+:|:\d+)\]", told.text).groups()  # type: ignore[union-attr]
    backward = half.endswith(":")
    return told.t if (place == "-1") is not backward else 1


def time_for_samples(told: Told) -> tuple[int, ...]:
    n, t, _ = array_of(told)
    _, units, layers, _, _ = built(told)
    return (layers, t, units) if "h_n?" in told.text else (n, t, units)


def leaking_samples(told: Told) -> int:
    return array_of(told)[0] - told.number(r"Now x\[(\d+)\]")


def flat_array(told: Told) -> tuple[int, ...]:
    _, units, *_ = built(told)
    return (1, units) if "h_n?" in told.text else (array_of(told)[0], units)


def reshaped(told: Told) -> tuple[int, ...]:
    sizes = array_of(told)
    sample, step = told.numbers(r"does x\[(\d+), (\d+)\]")
    found = np.arange(np.prod(sizes)).reshape(sizes)[sample, step, 0]
    where = np.argwhere(np.arange(np.prod(sizes)).reshape(sizes[1], sizes[0], sizes[2])[:, :, 0] == found)
    return tuple(int(one) for one in where[0])


def mixed_states(told: Told) -> int:
    slices, samples, _ = array_of(told)
    return len({place % samples for place in range(slices)})


def padding(told: Told) -> int:
    return 0 if "pack_padded" in told.text else told.u


def growth(told: Told) -> str:
    return "(features|units)" if "changes that" in told.text else "(samples|timesteps)"


def held_gates(told: Told) -> str:
    if "both held at 0" in told.text:
        return "0"
    return "the same as before" if "input gate at 0" in told.text else "the candidate g of this timestep"


def array_shape(told: Told) -> tuple[int, ...]:
    framework, name = re.search(r"In (\w+), what is the shape of its array ([\w.]+)", told.text).groups()  # type: ignore[union-attr]
    layer = told.number(r"in layer (\d+)")
    reads = told.f if layer == 0 else told.u * told.ways
    gates = 4 * told.u
    if framework == "Haiku":
        return told.f + told.u, gates
    if name == "B":
        return told.ways, 2 * gates
    width = told.u if name.startswith(("recurrent", "weight_hh", "R", "Wh")) else reads
    if framework == "Keras":
        return width, gates
    return (told.ways, gates, width) if framework == "ONNX" else (gates, width)


AGREE: dict[str, Callable[[Told], Any]] = {
    "batch-shape": lambda told: tuple(map(int, re.findall(r"\d+", told.text))),
    "output-shape": lambda told: (told.n, told.t, told.h * told.ways),
    "parameters": lambda told: told.count(),
    "neuron-reads": lambda told: told.f + told.u,
    "prediction-shape": lambda told: (
        (told.n, told.t, told.number(r"of (\d+) neuron"))
        if "at every timestep" in told.text
        else (told.n, told.number(r"of (\d+) neuron"))
    ),
    "state-shape": lambda told: (told.n, told.u if "memories c" in told.text else told.h),
    "unit-parameters": lambda told: 4 * (told.f + told.u + told.bias) + 3 * told.peepholes,
    "windows": windows,
    "weight-shape": lambda told: (told.h if "one timestep before (h)" in told.text else told.f, 4 * told.u),
    "dense-parameters": lambda told: (told.h * told.ways + 1) * told.number(r"layer of (\d+) neuron"),
    "neurons": lambda told: 4 * told.u * told.layers * told.ways,
    "second-layer-reads": lambda told: told.h * told.ways,
    "longer-batch": lambda told: told.number(r"has (\d+) weights"),
    "next-timestep": lambda told: told.u,
    "same-timestep": lambda told: 0 if "the other" in told.text else 1,
    "emitted": lambda told: 2 if "carry over" in told.text else 1,
    "growth": growth,
    "own-weights": lambda _: 4,
    "samples-apart": lambda _: 1,
    "ripple": ripple,
    "fading": faded,
    "timesteps-reached": timesteps_reached,
    "held-gates": held_gates,
    "readers": lambda told: 4 * told.u,
    "matrices": lambda told: told.layers * told.ways,
    "parameters-elsewhere": parameters_elsewhere,
    "gate-block": gate_block,
    "array-shape": array_shape,
    "states-in-pytorch": states_in_pytorch,
    "state-slice": state_slice,
    "second-bias": lambda told: 4 * told.u * told.layers * told.ways,
    "wrong-order": wrong_order,
    "sequence-in-keras": sequence_in_keras,
    "forget-start": lambda _: f"({'|'.join(STARTS_AT_ONE)}) .*",
    "time-for-samples": time_for_samples,
    "half-of-the-output": half_of_the_output,
    "one-timestep": lambda told: 4 * told.u**2 + told.u * (told.f + told.bias),
    "leaking-samples": leaking_samples,
    "summary-of-both": lambda _: re.escape("torch.cat((h_n[-2], h_n[-1]), 1)"),
    "flat-array": flat_array,
    "padding": padding,
    "mixed-states": mixed_states,
    "carried-states": lambda told: told.number(r"into (\d+) pieces") - 1,
    "reshaped": reshaped,
    "broadcast-targets": lambda told: array_of(told)[0] * array_of(told)[1],
}
APART = {"step-arithmetic"}
"""Has a test of its own below."""


def test_every_kind_of_question_is_here() -> None:
    assert {maker.name for maker in GENERATORS} == {*AGREE, *APART}


def questions_of(maker: QuestionGenerator) -> list[Question]:
    found = [question for number in range(24) if (question := maker.question(Sampler(41, number))) is not None]
    assert len(found) > 3
    return found


@pytest.mark.parametrize("maker", [maker for maker in GENERATORS if maker.name in AGREE], ids=lambda maker: maker.name)
def test_the_words_are_enough_to_find_the_answer(maker: QuestionGenerator) -> None:
    for question in questions_of(maker):
        expected = AGREE[maker.name](Told(question.text))
        if isinstance(expected, str):
            words = question.choices[question.answer[0]]
            assert re.fullmatch(expected, words) or re.fullmatch(f"twice as many {expected}", words), question
        else:
            assert grade_answer(question, str(expected)).outcome == "right", (question, expected)


def test_the_arithmetic_of_a_step() -> None:
    """With the rounded numbers that are told, the right choice is nearest, and far nearer than any other."""
    (maker,) = (maker for maker in GENERATORS if maker.name == "step-arithmetic")
    kinds = set()
    for question in (found for number in range(80) if (found := maker.question(Sampler(5, number))) is not None):
        told = {name: float(value) for name, value in re.findall(r"(\w|tanh\(c\)) = (-?[\d.]+\d)", question.text)}
        before = re.search(r"c was (-?[\d.]+) before", question.text)
        kinds.add(before is None)
        value = told["f"] * float(before[1]) + told["i"] * told["g"] if before else told["o"] * told["tanh(c)"]
        apart = sorted((abs(float(words) - value), place) for place, words in enumerate(question.choices))
        assert apart[0][1] == question.answer[0], question
        assert apart[0][0] < 0.01 < 0.04 < apart[1][0]
    assert kinds == {True, False}
