"""`--model`, `model` and `verify` by way of the command line: what they show, and what they refuse."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_explain.library import from_model
from lstm_explain.topics.registry import LSTM_TOPICS
from tests.helpers.model_files.arrays import keras_layer, npy, npz, packed, pytorch_layer

Done = subprocess.CompletedProcess[bytes]
Call = Callable[..., Done]
Refused = Callable[..., str]

TOPICS = (*LSTM_TOPICS, "tour")
STACK = {**pytorch_layer(3, 2, "_l0"), **pytorch_layer(2, 2, "_l1")}


@pytest.fixture(autouse=True)
def files() -> None:
    """One stack of PyTorch; two layers of Keras; a module that reads both ways; and a batch."""
    Path("one.npz").write_bytes(npz(STACK))
    Path("two.safetensors").write_bytes(packed({**keras_layer(3, 2, module="low/"), **keras_layer(2, 2, module="high/")}))
    both = {**pytorch_layer(3, 2, "_l0"), **pytorch_layer(3, 2, "_l0_reverse")}
    Path("both.npz").write_bytes(npz({name: array for name, array in both.items() if "bias" not in name}))
    Path("x.npy").write_bytes(npy(np.sin(np.arange(24)).reshape(2, 4, 3)))


def content(done: Done) -> Any:
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


# --- every topic ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", TOPICS)
def test_sizes_options_and_weights_come_from_the_file(topic: str, call: Call) -> None:
    found = content(call(topic, "--model", "one.npz", "--samples", "2", "--json"))
    assert {key: found["spec"][key] for key in ("samples", "features", "units", "layers", "bidirectional", "bias")} == {
        "samples": 2,
        "features": 3,
        "units": 2,
        "layers": 2,
        "bidirectional": False,
        "bias": True,
    }
    assert found["source"]["weights"] == {
        "kind": "model",
        "file": "one.npz",
        "layer": "lstm",
        "framework": "pytorch",
        "title": "torch.nn.LSTM",
        "biases": 2,
        "reads": "from the start",
    }
    found = content(call(topic, "--model", "both.npz", "--data", "x.npy", "--json"))
    assert (found["spec"]["bidirectional"], found["spec"]["bias"], found["spec"]["samples"]) == (True, False, 2)
    for view in ("table", "markdown"):
        text = call(topic, "--model", "two.safetensors#low+high", "--format", view, "--samples", "2")
        assert (text.returncode, text.stderr) == (0, b"")
        assert b"low+high" in text.stdout.replace(b"\n", b" ")


def test_the_numbers_are_those_of_the_library(call: Call) -> None:
    found = content(call("trace", "--model", "one.npz", "--data", "x.npy", "--sample", "1", "--layer", "1", "--json"))
    lstm = from_model("one.npz", array=np.load("x.npy"))
    hidden = lstm.run().layers[1]
    expected = next(iter(hidden.values())).hidden[1]
    assert np.array_equal(np.array([step["h"] for step in found["steps"]], "float32"), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_another_type_may_be_asked_for(dtype: str, call: Call) -> None:
    assert content(call("shapes", "--model", "one.npz", "--dtype", dtype, "--json"))["spec"]["dtype"] == dtype


def test_memory_compares_the_model_with_both_initialisers(call: Call) -> None:
    text = call("memory", "--model", "two.safetensors#low", "--samples", "3").stdout.decode()
    rows = [line.split()[0] for line in text.partition("What the forget bias does")[2].splitlines() if line]
    table = rows[rows.index("initialiser") :]
    assert [name for name in table if name in ("the", "keras", "pytorch")][:3] == ["the", "keras", "pytorch"]


def test_a_stack_is_the_layers_in_the_order_given(call: Call) -> None:
    whole = content(call("trace", "--model", "two.safetensors#low+high", "--samples", "2", "--layer", "0", "--json"))
    low = content(call("trace", "--model", "two.safetensors#low", "--samples", "2", "--json"))
    assert whole["steps"] == low["steps"]


# --- contradictions ---------------------------------------------------------------------------------------------------

CONTRADICTIONS = [
    (("--features", "4"), "--features 4: the LSTM in one.npz has features=3. Leave out --features."),
    (("--units", "9"), "--units 9: the LSTM in one.npz has units=2. Leave out --units."),
    (("--layers", "1"), "--layers 1: the LSTM in one.npz has layers=2. Leave out --layers."),
    (("--projection", "1"), "--projection 1: the LSTM in one.npz has no projection. Leave out --projection."),
    (("--bidirectional",), "--bidirectional: the LSTM in one.npz has bidirectional=False. Leave out --bidirectional."),
    (("--peepholes",), "--peepholes: the LSTM in one.npz has peepholes=False. Leave out --peepholes."),
    (("--no-bias",), "--no-bias: the neurons in one.npz have biases. Leave out --no-bias."),
    (("--init", "keras"), "--init keras: the weights come from --model. Leave out one of the two."),
    (("--init", "pytorch"), "--init pytorch: the weights come from --model. Leave out one of the two."),
]


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize(("options", "message"), CONTRADICTIONS)
def test_a_size_that_contradicts_the_file(topic: str, options: tuple[str, ...], message: str, refused: Refused) -> None:
    assert refused(2, topic, "--model", "one.npz", *options) == message


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("options", [("--features", "3"), ("--layers", "2"), ("--features", "3", "--layers", "2")])
def test_a_size_that_the_file_has_too_may_be_said(topic: str, options: tuple[str, ...], call: Call) -> None:
    assert call(topic, "--model", "one.npz", "--samples", "2", *options).returncode == 0


def test_data_of_another_width(refused: Refused) -> None:
    Path("wide.csv").write_text("1,2,3,4\n5,6,7,8\n", encoding="utf-8")
    message = refused(2, "trace", "--model", "one.npz", "--data", "wide.csv")
    assert message == (
        "wide.csv: its timesteps have features=4, and the LSTM in one.npz reads 3. Give inputs that it was made for."
    )


# --- which file, which LSTM -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("nosuch.npz", "nosuch.npz: this file does not exist."),
        ("nosuch.npz#lstm", "nosuch.npz: this file does not exist."),
        (".", ".: this is a folder. Name a model: "),
        ("/dev/null", "/dev/null: this is not a regular file."),
        ("empty", "empty: the file is empty."),
        ("", "--model '': this names no file."),
        ("x.npy", "x.npy: this is not a model file that we know."),
        ("two.safetensors", "two.safetensors: there are 2 LSTMs to choose from: low, high. Choose one: two.safetensors#NAME."),
        ("two.safetensors#nosuch", "two.safetensors#nosuch: unknown LSTM name. The file has low, high."),
        ("two.safetensors#", "two.safetensors#: unknown LSTM name."),
        ("two.safetensors#high+low+high", ""),
        ("one.npz#lstm#x", "one.npz#lstm#x: unknown LSTM name."),
        ("one.npz#\x1b[31m", r"one.npz#\x1b[31m: unknown LSTM name."),
        ("one.npz#" + "x" * 5000, ""),
        ("#", ""),
    ],
)
def test_no_such_model(topic: str, model: str, found: str, refused: Refused, call: Call) -> None:
    Path("empty").touch()
    if model.endswith("high+low+high"):
        assert call(topic, "--model", model, "--features", "2").returncode == 3  # low reads 3 features, and high emits 2
    else:
        assert refused(3, topic, "--model", model).startswith(found)


def test_a_number_sign_in_the_name_of_the_file(call: Call, refused: Refused) -> None:
    Path("a#b.npz").write_bytes(npz(STACK))
    assert content(call("shapes", "--model", "a#b.npz", "--json"))["source"]["weights"]["file"] == "a#b.npz"
    assert content(call("shapes", "--model", "a#b.npz#lstm", "--json"))["source"]["weights"]["layer"] == "lstm"
    assert "the answer would replace the file that is read" in refused(
        2, "shapes", "--model", "a#b.npz#lstm", "-o", "a#b.npz", "--json"
    )


@pytest.mark.parametrize("topic", [*TOPICS, "model"])
def test_the_answer_never_replaces_the_model(topic: str, refused: Refused) -> None:
    for model in ("one.npz", "./one.npz", str(Path("one.npz").resolve())):
        asked = (topic, model) if topic == "model" else (topic, "--model", f"{model}#lstm")
        message = refused(2, *asked, "-o", "one.npz", "--format", "json")
        assert message == "-o one.npz: the answer would replace the file that is read. Name another file."


@pytest.mark.parametrize("topic", TOPICS)
def test_conventions(topic: str, refused: Refused, call: Call) -> None:
    assert refused(2, topic, "--convention", "keras").startswith("--convention keras: this option needs --model")
    for name in ("nosuch", "", "\x1b[31m"):
        assert "unknown framework" in refused(2, topic, "--model", "one.npz", "--convention", name)
    for name in ("pytorch", "torch.nn.LSTM"):
        assert call(topic, "--model", "one.npz", "--convention", name, "--samples", "2").returncode == 0
    assert "no LSTM was found under the names" in refused(3, topic, "--model", "one.npz", "--convention", "keras")


def test_a_wrong_convention_changes_the_numbers_and_says_so(call: Call) -> None:
    layer = {name.removeprefix("lstm/"): array for name, array in keras_layer().items()}
    Path("plain.npz").write_bytes(
        npz({"weight_ih": layer["kernel"].T, "weight_hh": layer["recurrent_kernel"].T, "bias": layer["bias"]})
    )
    made = {
        name: content(call("trace", "--model", "plain.npz", "--convention", name, "--json")) for name in ("equinox", "coreml")
    }
    assert made["equinox"]["steps"] != made["coreml"]["steps"]
    assert [made[name]["source"]["weights"]["framework"] for name in made] == ["equinox", "coreml"]


@pytest.mark.parametrize("budget", ["0", "1KB"])
def test_a_model_above_the_budget(budget: str, refused: Refused) -> None:
    for command in (("shapes", "--model", "one.npz"), ("model", "one.npz"), ("model", "two.safetensors")):
        assert "Raise --max-memory" in refused(4, *command, "--max-memory", budget)


# --- model ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["table", "markdown", "json", "svg"])
def test_model_in_every_view(view: str, call: Call) -> None:
    for name in ("one.npz", "two.safetensors", "both.npz"):
        done = call("model", name, "--format", view)
        assert (done.returncode, done.stderr) == (0, b"")


def test_model_lists_what_every_topic_takes(call: Call) -> None:
    listed = content(call("model", "two.safetensors", "--json"))["lstms"]
    assert [one["name"] for one in listed] == ["low", "high"]
    for one in listed:
        found = content(call("shapes", "--model", f"two.safetensors#{one['name']}", "--json"))
        assert found["spec"]["features"] == one["features"]


@pytest.mark.parametrize("view", ["csv", "npz", "jsonl"])
def test_model_has_no_rows(view: str, refused: Refused) -> None:
    assert "model cannot be shown as" in refused(2, "model", "one.npz", "--format", view)


def test_model_takes_no_layer(refused: Refused) -> None:
    message = refused(2, "model", "two.safetensors#low")
    assert message.startswith(
        "two.safetensors#low: model lists all layers of a file; #low chooses one for the topics. Name two"
    )
    assert message.endswith("or ask for a topic: lstm-explain shapes --model two.safetensors#low.")


def test_a_stack_of_weights_alone_says_whose_order_it_is(call: Call) -> None:
    said = "The file does not say what is between its layers: their order is the one you gave."
    assert said in " ".join(call("unit", "--model", "two.safetensors#low+high").stdout.decode().split())
    assert said not in " ".join(call("unit", "--model", "two.safetensors#low").stdout.decode().split())


def test_model_of_what_holds_none(refused: Refused) -> None:
    Path("dense.npz").write_bytes(npz({"dense.weight": np.ones((3, 2))}))
    message = refused(3, "model", "dense.npz")
    assert message.startswith(
        "dense.npz: no LSTM was found in this file. If the names of its arrays do not identify the framework"
    )
    assert refused(3, "model", "").startswith("--model '': this names no file.")
    refused(2, "model")


# --- verify -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def outputs() -> None:
    Path("y.npy").write_bytes(npy(from_model("one.npz", array=np.load("x.npy")).run().output))
    Path("last.npy").write_bytes(npy(np.load("y.npy")[:, -1]))
    Path("run.npz").write_bytes(npz({"x": np.load("x.npy"), "output": np.load("y.npy")}))


VERIFY = ("verify", "one.npz", "--input", "x.npy", "--output", "y.npy")


@pytest.mark.slow
@pytest.mark.usefixtures("outputs")
def test_verify_says_whether_they_agree(call: Call) -> None:
    assert content(call(*VERIFY, "--json"))["agrees"] is True
    assert content(call(*VERIFY[:4], "--output", "last.npy", "--json", "--input", "x.npy"))["output"] == "last hidden"
    assert content(call("verify", "one.npz#lstm", "--input", "run.npz#x", "--output", "run.npz#output", "--json"))["agrees"]
    swapped = dict(STACK)
    for name in list(STACK):
        blocks = np.split(STACK[name], 4)
        swapped[name] = np.concatenate([blocks[0], blocks[3], blocks[1], blocks[2]])
    Path("wrong.npz").write_bytes(npz(swapped))
    found = content(call("verify", "wrong.npz", "--input", "x.npy", "--output", "y.npy", "--json"))
    assert found["agrees"] is False
    assert [one["letters"] for one in found["alternatives"]] == [["i", "o", "f", "g"]]
    for view in ("table", "markdown", "svg"):
        assert call("verify", "wrong.npz", "--input", "x.npy", "--output", "y.npy", "--format", view).returncode == 0


@pytest.mark.usefixtures("outputs")
@pytest.mark.parametrize(
    ("code", "arguments", "found"),
    [
        (2, ("--tolerance", "-1"), "--tolerance -1.0: a tolerance is a number from 0"),
        (2, ("--tolerance", "nan"), "--tolerance nan: a tolerance is a number from 0"),
        (2, ("--tolerance", "x"), "is not a valid float"),
        (2, ("--convention", "nosuch"), "unknown framework"),
        (2, ("--output", "x.npy"), "this LSTM makes outputs of (2, 4, 2), or (2, 2) for the last h"),
        (2, ("--input", "y.npy"), "y.npy: its timesteps have features=2, and the LSTM in one.npz reads 3"),
        (2, ("--input", "run.npz"), "--input run.npz: it has 2 arrays: x, output. Choose one: --input run.npz#x"),
        (2, ("--output", "run.npz#nosuch"), "--output run.npz#nosuch: it has no array of that name"),
        (3, ("--input", "nosuch.npy"), "nosuch.npy: this file does not exist"),
        (3, ("--output", ""), "--output '': this names no file"),
        (3, ("--output", "."), ".: this is a folder"),
        (4, ("--max-memory", "3KB"), "Raise --max-memory"),
        (2, ("--format", "csv"), "verify cannot be shown as csv"),
    ],
)
def test_verify_refuses(code: int, arguments: tuple[str, ...], found: str, refused: Refused) -> None:
    assert found in refused(code, *VERIFY, *arguments)


@pytest.mark.usefixtures("outputs")
@pytest.mark.parametrize("file", ["one.npz", "x.npy", "y.npy", "run.npz"])
def test_verify_never_replaces_what_it_reads(file: str, refused: Refused) -> None:
    asked = ("verify", "one.npz#lstm", "--input", "x.npy", "--output", "run.npz#output" if file == "run.npz" else "y.npy")
    assert "the answer would replace the file that is read" in refused(2, *asked, "-o", file, "--format", "json")


@pytest.mark.usefixtures("outputs")
def test_verify_takes_outputs_that_are_no_numbers_for_wrong(call: Call) -> None:
    wrong = np.load("y.npy")
    wrong[0, 1, 1] = np.nan
    Path("nan.npy").write_bytes(npy(wrong))
    found = content(call("verify", "one.npz", "--input", "x.npy", "--output", "nan.npy", "--json"))
    assert (found["agrees"], found["difference"]) == (False, None)
    assert found["where"] == {"sample": 0, "timestep": 2, "number": 1}


def test_verify_needs_both_files(refused: Refused) -> None:
    for arguments in ((), ("--input", "x.npy"), ("--output", "x.npy")):
        assert "Missing option" in refused(2, "verify", "one.npz", *arguments)
