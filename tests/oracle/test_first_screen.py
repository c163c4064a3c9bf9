"""The first screen of `shapes` for files of PyTorch and Keras: the shapes and counts of the framework, within 24 lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.render.terminal import to_terminal
from lstm_explain.topics.command_line import CliSource
from lstm_explain.topics.registry import document_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]

SAMPLES, TIMESTEPS, FEATURES = 1000, 10, 5
MAX_LINES, MAX_WIDTH = 23, 80
"""A terminal of 80 x 24, with a line for the prompt."""


@pytest.fixture(autouse=True)
def typed_file(typed_source: Callable[[CliSource], None]) -> None:
    typed_source(CliSource(model="folder/net.pt"))


def screen(file: Path, layer: str | None = None) -> str:
    lstm = lstm_explain.from_model(str(file), layer, samples=SAMPLES, timesteps=TIMESTEPS)
    lines = to_terminal(document_of(lstm_explain.shapes(lstm)), MAX_WIDTH, None, unicode=True).splitlines()
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= MAX_WIDTH
    for question in ("Is every circle one unit?", "Do units share", "What does one unit take in?", "What does it output?"):
        assert question in "\n".join(lines)
    return "\n".join(lines)


def sizes(array: Any) -> str:
    return f"({', '.join(map(str, array.shape))})"


@pytest.mark.parametrize(
    "options",
    [
        {"hidden_size": 10},
        {"hidden_size": 1},
        {"hidden_size": 16, "proj_size": 4},
        {"hidden_size": 16, "num_layers": 2, "bidirectional": True},
    ],
    ids=lambda options: ",".join(options),
)
def test_pytorch(options: dict[str, Any], tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.LSTM(input_size=FEATURES, batch_first=True, **options)
    torch.save({f"lstm.{name}": array for name, array in layer.state_dict().items()}, tmp_path / "net.pt")
    output, (h_n, c_n) = layer(torch.zeros(SAMPLES, TIMESTEPS, FEATURES))

    text = screen(tmp_path / "net.pt")
    assert f"({sum(array.numel() for array in layer.parameters()):,} in PyTorch: two biases)" in text
    assert f"all h {sizes(output)}" in text
    if len(h_n) == 1:
        assert f"last h {sizes(h_n[0])}, last c {sizes(c_n[0])}" in text
    else:
        assert f"h_n {sizes(h_n)}, c_n {sizes(c_n)}" in text


@pytest.mark.parametrize("kind", ["LSTM", "Bidirectional"])
def test_keras(kind: str, tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    layer = keras.layers.LSTM(8, return_sequences=True, name="rnn")
    layer = keras.layers.Bidirectional(layer, name="rnn") if kind == "Bidirectional" else layer
    model = keras.Sequential([keras.layers.Input((TIMESTEPS, FEATURES)), layer])
    model.save(tmp_path / "net.keras")
    output = model.predict(np.zeros((SAMPLES, TIMESTEPS, FEATURES), "float32"), verbose=0)

    text = screen(tmp_path / "net.keras")
    assert f"{model.count_params():,} (" in text
    assert f"all h {sizes(output)}" in text


def test_a_stack_whose_layers_differ(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    model = keras.Sequential(
        [
            keras.layers.Input((TIMESTEPS, FEATURES)),
            keras.layers.Bidirectional(keras.layers.LSTM(20, return_sequences=True), name="first"),
            keras.layers.LSTM(8, name="second"),
        ]
    )
    model.save(tmp_path / "net.keras")
    output = model.predict(np.zeros((SAMPLES, TIMESTEPS, FEATURES), "float32"), verbose=0)

    text = screen(tmp_path / "net.keras", "first+second")
    assert f"{model.count_params():,} (" in text
    assert f"layer 1 at t = {TIMESTEPS} {sizes(output)}" in text
    assert f"last h {sizes(output)}" in text
