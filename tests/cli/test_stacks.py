"""`--units 64,32`: a stack of layers with units of their own, for every command."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.topics.registry import LSTM_TOPICS
from tests.helpers.mixed_stacks import MIXED, mixed_file

Done = subprocess.CompletedProcess[bytes]
Call = Callable[..., Done]
Refused = Callable[..., str]

COMMANDS = (*LSTM_TOPICS, "tour")
SMALL = ("--samples", "3", "--timesteps", "4", "--features", "2")
SELECT = "To select units, use --unit."


def content(done: Done) -> Any:
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("options", [(), ("--bidirectional",), ("--projection", "3"), ("--no-bias", "--peepholes")])
def test_every_command_takes_a_stack(command: str, options: tuple[str, ...], call: Call) -> None:
    explained = content(call(command, "--units", "8,4,6", *options, *SMALL, "--json"))
    assert [layer["units"] for layer in explained["spec"]["stack"]] == [8, 4, 6]
    assert (explained["spec"]["layers"], explained["spec"]["units"]) == (3, None)
    for view in ("table", "markdown", "svg"):
        done = call(command, "--units", "8,4,6", *options, *SMALL, "--format", view)
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("view", ["table", "json", "markdown"])
def test_equal_sizes_are_the_bytes_of_equal_layers(command: str, view: str, call: Call) -> None:
    equal = call(command, "--units", "8", "--layers", "2", "--format", view)
    assert equal.returncode == 0
    assert call(command, "--units", "8,8", "--format", view).stdout == equal.stdout
    assert call(command, "--units", "8,8", "--layers", "2", "--format", view).stdout == equal.stdout


def test_the_numbers_of_a_layer_are_those_of_the_library(call: Call) -> None:
    lstm = lstm_explain.seeded(units=(8, 4), samples=3, timesteps=4, features=2)
    steps = lstm_explain.trace(lstm, sample=1, layer=1).to_dict()["steps"]
    assert content(call("trace", "--units", "8,4", *SMALL, "--sample", "1", "--layer", "1", "--json"))["steps"] == steps
    stack = lstm_explain.seeded(stack=[{"units": 8}, {"units": 4}], samples=3, timesteps=4, features=2)
    assert np.array_equal(lstm.run().output, stack.run().output)


def test_all_layers_are_written_and_read_again(call: Call) -> None:
    assert call("trace", "--units", "8,4", *SMALL, "--all-samples", "-o", "run.npz").returncode == 0
    explained = content(call("trace", "--model", "run.npz", "--units", "8,4", *SMALL[:4], "--layer", "1", "--json"))
    assert [layer["units"] for layer in explained["spec"]["stack"]] == [8, 4]
    with np.load("run.npz") as run:
        kernels = [array.shape for name, array in run.items() if name.endswith(("/kernel", ".kernel"))]
    assert kernels == [(2, 32), (8, 16)]


def test_a_data_file_is_read_by_a_stack(call: Call) -> None:
    Path("x.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    explained = content(call("trace", "--data", "x.csv", "--units", "3,2", "--layer", "1", "--json"))
    assert (len(explained["steps"][0]["h"]), explained["spec"]["features"]) == (2, 2)


@pytest.mark.parametrize(
    ("written_by", "to"),
    [("keras", "flax-linen"), ("keras", "haiku"), ("equinox", "keras"), ("keras", "keras"), ("keras", "onnx")],
)
def test_frameworks_whose_layers_may_differ_convert_a_stack(written_by: str, to: str, call: Call) -> None:
    assert content(call("convert", written_by, to, "--units", "8,4", "--json"))["difference"] == 0


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("convert pytorch keras --units 8,4", "PyTorch's LSTM has no layers that differ, and this one has. Choose another"),
        (
            "frameworks pytorch --code --units 8,4",
            "PyTorch's LSTM has no layers that differ, and this one has. Ask for keras.",
        ),
        ("shapes --framework pytorch --units 8,4", "PyTorch's LSTM has no layers that differ"),
        ("trace --units 8,4 --layers 3", "--units 8,4 --layers 3: these are the units of 2 layers. Leave out --layers, or"),
        ("trace --units 8,4 --layers 1", "--units 8,4 --layers 1: these are the units of 2 layers."),
        ("convert keras haiku --units 8,4 --layers 3", "--units 8,4 --layers 3: these are the units of 2 layers."),
        (
            "unit --units 8,4 --projection 5",
            "--projection 5: a projection must be smaller than the number of units, which is 4.",
        ),
        ("unit --units 8,4 --layer 1 --unit 4", "--unit 4: there are 4 units, and they count from 0 to 3."),
        ("unit --units 8,4 --layer 2", "--layer 2: there are 2 layers"),
        ("shapes --units 8,9007199254740992", "--units 9007199254740992: sizes above"),
        ("shapes --units " + ",".join("1" * 1001), "--layers 1001: more than 1000 layers are not supported."),
        ("quiz --units 8,4", "--units 8,4: these are the units of stacked layers, and a quiz asks about layers of one size."),
    ],
)
def test_stacks_that_there_are_not(command: str, message: str, refused: Refused) -> None:
    assert message in refused(2, *command.split(" "))


@pytest.mark.parametrize("command", [*COMMANDS, "explore"])
@pytest.mark.parametrize("units", ["0,3", "8,0", "-1,3", "1,00", "0,003", "64000,000", "1,000,0"])
def test_a_layer_of_no_units(command: str, units: str, refused: Refused) -> None:
    message = refused(2, command, "--units", units)
    if command != "explore":  # which needs a terminal first
        problem = "a layer needs at least one unit, and these are the units of stacked layers"
        assert message == f"--units {units}: {problem}. {SELECT}"


@pytest.mark.parametrize("units", ["0-2", "0,3,7-9", "3, 7-9", "1-"])
def test_a_selection_of_units_is_no_stack(units: str, refused: Refused) -> None:
    message = refused(2, "trace", "--units", units)
    assert message.startswith(f"--units {units}: a size is a whole number such as 10, 1,000 or 1k, and a stack of layers is ")
    assert message.endswith(SELECT) is (units != "1-")


@pytest.mark.parametrize("units", ["8,,4", "8,", ",", "8;4", "8 4", "8,four", "8,1.5", "(8,4)", "8,nan", "8,\x1b[1m"])
def test_what_is_no_stack(units: str, refused: Refused) -> None:
    message = refused(2, "shapes", "--units", units)
    assert "and a stack of layers is a list of sizes such as 64,32." in message
    assert SELECT not in message


@pytest.mark.parametrize(
    ("units", "sizes"),
    [
        ("1,000", [1000]),
        ("12,000", [12000]),
        ("1,000,000", [10**6]),
        ("1,024", [1024]),
        ("2,1,000", [2, 1000]),
        ("1,000,2", [1000, 2]),
        ("1,100", [1, 100]),
        ("1k,1e2", [1000, 100]),
        (" 64 , 32 ", [64, 32]),
        ("1_000,0.2k", [1000, 200]),
    ],
)
def test_which_commas_separate_thousands_and_which_layers(units: str, sizes: list[int], call: Call) -> None:
    spec = content(call("shapes", "--units", units, "--json", "--max-memory", "1KiB"))["spec"]
    assert [layer["units"] for layer in spec.get("stack", [spec])] == sizes


def test_a_model_file_and_the_units_of_its_layers(call: Call, refused: Refused) -> None:
    Path("mixed.h5").write_bytes(mixed_file())
    stack = ("trace", "--model", "mixed.h5#a+b+c")
    units = ",".join(str(layer.units) for layer in MIXED)
    assert content(call(*stack, "--units", units, "--json"))["spec"] == content(call(*stack, "--json"))["spec"]
    message = "--units 6,4: the layers in mixed.h5 have units=6, 4, 3. Leave out --units."
    assert refused(2, *stack, "--units", "6,4") == message
    alone = ("trace", "--model", "mixed.h5#c")
    assert content(call(*alone, "--units", "3", "--json"))["spec"]["units"] == 3
    assert refused(2, *alone, "--units", "3,3").startswith("--units 3,3: the LSTM in mixed.h5 has units=3")
