"""Frameworks' names of sizes as options: every name that the glossary knows, its near misses, and two names of one size."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.cli.foreign_names import TRAINING_OPTIONS
from lstm_explain.errors import UsageError
from lstm_explain.frameworks.glossary import ENTRIES
from lstm_explain.topics.lookup import find_size, find_terms, normalise, size_names
from lstm_explain.topics.registry import LSTM_TOPICS

Call = Callable[..., subprocess.CompletedProcess[bytes]]
Refused = Callable[..., str]

COMMANDS = (*LSTM_TOPICS, "tour")
TYPED = {
    "--hidden-size": "units",
    "--hidden": "units",
    "--hidden-dim": "units",
    "--num-units": "units",
    "--input-size": "features",
    "--input-dim": "features",
    "--seq-len": "timesteps",
    "--seq-length": "timesteps",
    "--time-steps": "timesteps",
    "--batch-size": "samples",
    "--batch": "samples",
    "--num-layers": "layers",
    "--proj-size": "projection",
}
"""What people type."""


def as_option(name: str) -> str:
    return f"--{name.replace('_', '-').replace(' ', '-')}"


@pytest.mark.parametrize("command", COMMANDS)
def test_what_people_type_is_the_size_that_they_mean(command: str, call: Call) -> None:
    for name, size in TYPED.items():
        done, own = call(command, name, "3", "--json"), call(command, f"--{size}", "3", "--json")
        assert (done.returncode, done.stdout) == (0, own.stdout)


@pytest.mark.parametrize("name", list(size_names()))
def test_every_name_of_the_glossary_is_an_option(name: str, call: Call) -> None:
    own = call("shapes", f"--{size_names()[name]}", "3", "--json").stdout
    for option in (as_option(name), as_option(name).replace("-", "_").replace("__", "--", 1), as_option(name).upper()):
        done = call("shapes", option, "3", "--json")
        assert (done.returncode, done.stdout) == (0, own)
    assert call("shapes", f"{as_option(name)}=3", "--json").stdout == own


def test_the_names_are_those_that_terms_explains() -> None:
    sizes = {entry.size for entry in ENTRIES if entry.size}
    assert sizes == {"samples", "timesteps", "features", "units", "layers", "projection"}
    for entry in ENTRIES:
        if entry.size and entry.word != "batch":
            assert f"here --{entry.size}" in entry.meaning
    forms = [normalise(name) for name in size_names()]
    assert len(set(forms)) == len(forms)
    assert find_terms(["input_dim"])[0].word == "input_size"
    for name in ("", "x", "n", "unit", "step", "column", "sizes"):
        assert find_size(name) is None


def test_names_hold_in_every_spelling_of_a_size(call: Call) -> None:
    stack = call("trace", "--hidden-size", "8,4", "--seq-len", "0.01k", "--batch_size=1,000", "--json")
    assert stack.stdout == call("trace", "--units", "8,4", "--json").stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--units 3 --hidden-size 4", "--units and --hidden-size: both mean --units. Leave out one of the two."),
        ("--hidden-size 4 --units 3", "--hidden-size and --units: both mean --units."),
        ("--hidden-size=4 --num-units=4", "--hidden-size and --num-units: both mean --units."),
        ("--batch 4 --json --samples 4", "--batch and --samples: both mean --samples."),
        ("--seq-lenght 4", "--seq-lenght: unknown option. The nearest is --seq-length, which is --timesteps here."),
        ("--hiden-size 4", "--hiden-size: unknown option. The nearest is --hidden-size, which is --units here."),
        ("--batchsise 4", "--batchsise: unknown option. The nearest is --batch-size, which is --samples here."),
        ("--hidden-sizé 4", "--hidden-sizé: unknown option. The nearest is --hidden-size, which is --units here."),
        ("--hidden-size\x1b[1m 4", "--hidden-size\\x1b[1m: unknown option. The nearest is --hidden-size"),
        ("--sampels 4", "No such option: --sampels (Possible options: "),
        ("--n 4", "No such option: --n"),
        ("--hidden-size", "Option '--units' requires an argument."),
        ("--hidden-size 0", "--units 0: a layer needs at least one unit."),
        *(
            (f"{option} 0.2", f"{option}: this is an option of training, and nothing is trained here.")
            for option in TRAINING_OPTIONS
        ),
    ],
)
def test_near_misses_and_two_names(options: str, message: str, refused: Refused) -> None:
    assert message in refused(2, "shapes", *options.split(" "))


def test_a_repeated_option_and_what_follows_two_dashes_are_as_ever(call: Call, refused: Refused) -> None:
    assert json.loads(call("shapes", "--hidden-size", "3", "--hidden-size", "4", "--json").stdout)["spec"]["units"] == 4
    assert "--framework --hidden-size: unknown framework" in refused(2, "shapes", "--", "--hidden-size")
    assert json.loads(call("terms", "--", "--hidden-size", "--json").stdout or b"null") is None


def test_a_command_without_the_size_has_no_name_for_it(call: Call, refused: Refused) -> None:
    Path("x.csv").write_text("1,2\n" * 9, encoding="utf-8")
    assert "No such option: --hidden-size" in refused(2, "window", "x.csv", "--hidden-size", "3")
    named, own = (call("window", "x.csv", option, "3", "--json").stdout for option in ("--seq-len", "--timesteps"))
    assert named == own != b""
    assert b'"units": 3' in call("quiz", "--hidden-size", "3", "--export", "json").stdout
    assert b'"units": 3' in call("convert", "keras", "onnx", "--hidden-size", "3", "--json").stdout


def test_an_option_of_the_command_is_never_another_name(call: Call) -> None:
    np.save("x.npy", np.ones((2, 3, 4)))
    assert call("trace", "--data", "x.npy", "--steps", "2", "--json").returncode == 0


@pytest.mark.parametrize("name", ["hidden_size", "seq_len", "inputSize", "num_layers"])
def test_the_library_names_the_argument(name: str) -> None:
    sizes: dict[str, Any] = {name: 3}
    with pytest.raises(UsageError) as raised:
        lstm_explain.seeded(**sizes)
    assert str(raised.value) == f"{name}: unknown size or option. Here it is {find_size(name)}."


def test_the_library_has_no_other_names() -> None:
    with pytest.raises(UsageError, match=r"unit: unknown size or option\. There are samples, timesteps, "):
        lstm_explain.seeded(unit=3)
