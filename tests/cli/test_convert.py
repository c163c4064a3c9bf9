"""`convert` by way of the command line: what FROM and TO may be, what is written, and what is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.model_files.arrays import npz, pytorch_layer

Done = subprocess.CompletedProcess[bytes]
Call = Callable[..., Done]
Refused = Callable[..., str]

SMALL = ("--units", "3", "--features", "2")


@pytest.fixture(autouse=True)
def files() -> None:
    Path("one.npz").write_bytes(npz(pytorch_layer(3, 2, "_l0")))


def content(done: Done) -> Any:
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


def test_two_frameworks_and_no_file(call: Call) -> None:
    found = content(call("convert", "pytorch", "keras", *SMALL, "--json"))
    assert (found["from"], found["to"], found["spec"]["units"], found["spec"]["features"]) == ("pytorch", "keras", 3, 2)
    assert found["done"]["biases"] == "two into one: added up"
    assert [one["made_of"] for one in found["arrays"]][2] == ["bias_ih_l0", "bias_hh_l0"]
    assert [one["shape"] for one in found["before"]] == [[12, 2], [12, 3], [12], [12]]
    assert sorted(path.name for path in Path().iterdir()) == ["one.npz"]
    for view in ("table", "markdown", "svg"):
        assert call("convert", "pytorch", "keras", "--format", view).returncode == 0


def test_a_file_and_a_framework(call: Call) -> None:
    found = content(call("convert", "one.npz", "haiku", "--json"))
    assert (found["from"], found["to"]) == ("pytorch", "haiku")
    assert found["done"]["forget bias"] == "1 taken away: Haiku adds it when it runs"


@pytest.mark.parametrize("suffix", ["npz", "safetensors", "onnx"])
def test_a_framework_and_a_file_that_reads_as_the_same(suffix: str, call: Call) -> None:
    content(call("convert", "pytorch", f"w.{suffix}", *SMALL, "--init", "pytorch", "--to", "onnx", "--json"))
    named = () if suffix == "onnx" else ("--convention", "onnx")
    found = content(call("convert", f"w.{suffix}", "pytorch", *named, "--json"))
    assert (found["from"], found["spec"]["units"], found["difference"]) == ("onnx", 3, 0)
    from lstm_explain.library import from_model, seeded

    there = from_model(f"w.{suffix}", convention=None if suffix == "onnx" else "onnx").weights.layers[0]
    made = seeded(units=3, features=2, init="pytorch").weights.layers[0]
    for way, part in made.items():
        for name, array in part.tensors().items():
            np.testing.assert_array_equal(there[way].tensors()[name], array)


def test_a_file_that_is_called_like_a_framework(call: Call, refused: Refused) -> None:
    Path("keras").write_bytes(Path("one.npz").read_bytes())
    assert content(call("convert", "keras", "onnx", "--json"))["from"] == "keras"
    assert content(call("convert", "./keras", "onnx", "--json"))["from"] == "pytorch"
    assert content(call("convert", "./keras#lstm", "onnx", "--json"))["from"] == "pytorch"


REFUSED = {
    "convert pytroch keras": (3, "convert pytroch: this is neither a file nor a framework. The nearest are pytorch, "),
    "convert nosuch.pt keras": (3, "nosuch.pt: this file does not exist"),
    "convert pytorch nosuch": (2, "weights are written as .npz, .safetensors, .onnx. End the name so, or name a framework"),
    "convert pytorch keras --to onnx": (2, "keras is a framework too. Leave out one of the two"),
    "convert pytorch keras --convention onnx": (2, "FROM is a framework already"),
    "convert pytorch keras --peepholes": (2, "--to keras: Keras's LSTM has no peepholes"),
    "convert keras onnx --projection 2": (2, "has no projection"),
    "convert keras tflite --projection 2": (2, "convert keras: Keras's LSTM has no projection"),
    "convert one.npz keras --units 5": (2, "--units 5: the LSTM in one.npz has units=2"),
    "convert one.npz keras --bidirectional": (2, "--bidirectional: the LSTM in one.npz has bidirectional=False"),
    "convert one.npz keras --no-bias": (2, "the neurons in one.npz have biases"),
    "convert one.npz keras --init keras": (2, "--init keras: the weights come from a file"),
    "convert one.npz keras --seed 0": (2, "--seed 0: the weights come from a file"),
    "convert one.npz one.npz": (2, "the answer would replace the file that is read"),
    "convert pytorch w.onnx --to keras": (2, "an .onnx file is written in ONNX's convention"),
    "convert keras w.onnx --dtype float64": (2, "ONNX Runtime runs no LSTM in float64, and this one is. Add --dtype float32"),
    "convert keras --to kears": (2, "--to kears: unknown framework. The nearest is keras"),
    "convert one.npz keras --convention trch": (2, "--convention trch: unknown framework"),
    "convert pytorch keras --units 0": (2, "--units 0: a layer needs at least one unit"),
    "convert pytorch keras --units 99999": (4, "Ask for less, or raise --max-memory"),
}


@pytest.mark.parametrize("command", REFUSED)
def test_what_is_refused(command: str, call: Call) -> None:
    code, message = REFUSED[command]
    done = call(*command.split())
    assert (done.returncode, done.stdout) == (code, b"")
    text = done.stderr.decode()
    assert message in text
    assert text.count("\n") == 1


def test_a_framework_by_any_of_its_names(call: Call) -> None:
    found = content(call("convert", "torch", "tf1", *SMALL, "--json"))
    assert (found["from"], found["to"]) == ("pytorch", "tensorflow1")
    assert content(call("convert", "one.npz", "--to", "hk.LSTM", "--convention", "torch.nn.LSTM", "--json"))["to"] == "haiku"
    Path("torch").write_bytes(Path("one.npz").read_bytes())
    assert content(call("convert", "torch", "keras", "--json"))["source"]["weights"]["kind"] == "model"


def test_what_is_written_is_read_under_any_of_the_frameworks_names(call: Call) -> None:
    """`model` and `verify` know the names that `convert` knows, also where `verify` reads each of two biases alone."""
    call("convert", "pytorch", "both.npz", "--to", "tf1", "--bidirectional", *SMALL)
    (found,) = content(call("model", "both.npz", "--convention", "tf1", "--json"))["lstms"]
    assert (found["framework"], found["bidirectional"]) == ("tensorflow1", True)
    call("convert", "pytorch", "cell.npz", "--to", "LSTMCell", *SMALL)
    np.save("x.npy", np.zeros((1, 3, found["features"]), np.float32))
    np.save("y.npy", np.full((1, 3, found["units"]), 9, np.float32))
    asked = ("--input", "x.npy", "--output", "y.npy", "--json")
    done = content(call("verify", "cell.npz", "--convention", "nn.LSTMCell", *asked))
    assert (done["agrees"], done["source"]["weights"]["biases"]) == (False, 2)
