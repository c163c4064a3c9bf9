"""--edit: one number set by hand, or several; and what is said where there is no such number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.core.edits import parse_edit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMANDS = [("unit", "--step", "2"), ("trace",), ("trace", "--format", "csv")]
WRONG = {
    "h": "this is not an edit",
    "": "this is not an edit",
    "h_3[3]": "this is not an edit",
    "h_3[3]=nan": "nan is not a finite number",
    "h_3[3]=1e999": "1e999 is not a finite number",
    "h_3[3]=x": "x is not a number",
    "h_11[3]=1": "timesteps of h count from 0 to 10 here",
    "h_3[10]=1": "h has 10 numbers, which count from 0",
    "x_3[5]=1": "there are 5 features",
    "x_0[0]=1": "timesteps of x count from 1 to 10 here",
    "f_3[99999999999999999999]=1": "this is not an edit",
    "h[3]=1": "h has a value at each timestep",
    "W_f[3]=1": "W and R have two places",
    "h_3[1,2]=1": "W and R have two places",
    "p_f[3]=1": "this LSTM has no peepholes",
    "1:h_3[3]=1": "there is one layer, number 0",
    "0.backward:h_3[3]=1": "this LSTM's layers read forward only",
    "h_3[3]=1e300": "too large for float32",
    "\x1b[31mred": "this is not an edit",
    "ä" * 1000: "this is not an edit",
    "h_3[3]=1\nh_4[3]=1": "is not a number",
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_edit_is_said_in_one_line(text: str, command: tuple[str, ...], refused: Callable[..., str]) -> None:
    message = refused(2, *command, "--edit", text)
    assert message.startswith("--edit ")
    assert WRONG[text] in message


def test_several_edits_are_all_made(call: Callable[..., Any]) -> None:
    done = call("trace", "--edit", "h_3[3]=0.5", "--edit", "f[4]=0", "--edit", "h_3[3]=0.25", "--json", "--gates")
    found = json.loads(done.stdout)
    assert found["source"]["edits"] == ["h_3[3]=0.5", "f[4]=0", "h_3[3]=0.25"]
    assert found["steps"][2]["h"][3] == 0.25, "the last one counts"
    assert {step["f"][4] for step in found["steps"]} == {0}


def test_only_the_wrong_one_of_several_is_named(refused: Callable[..., str]) -> None:
    assert refused(2, "unit", "--edit", "h_3[3]=0.5", "--edit", "f[10]=0").startswith("--edit f[10]=0: there are 10 units")


def test_the_line_above_every_table_tells_of_edits(call: Callable[..., Any]) -> None:
    for command in (("unit",), ("trace",), ("trace", "--format", "markdown")):
        text = call(*command, "--edit", "h_3[3]=0.5").stdout.decode().replace("\\", "")
        assert "Set by hand: h_3[3]=0.5." in " ".join(text.split())
        assert "Set by hand" not in call(*command).stdout.decode()


def test_over_a_file_of_inputs(tmp_path: Path, call: Callable[..., Any]) -> None:
    np.save("x.npy", np.linspace(-1, 1, 24).reshape(3, 4, 2))
    found = json.loads(
        call("trace", "--data", "x.npy", "--units", "3", "--edit", "x_2[1]=7", "--edit", "h_1[0]=1", "--json").stdout
    )
    lstm = lstm_explain.given(np.load("x.npy"), units=3).with_edits([parse_edit("x_2[1]=7"), parse_edit("h_1[0]=1")])
    assert [step["h"] for step in found["steps"]] == [pytest.approx(h, abs=1e-6) for h in lstm.run().output[0].tolist()]
    free = json.loads(call("trace", "--data", "x.npy", "--units", "3", "--json").stdout)
    assert [step["t"] for step, other in zip(found["steps"], free["steps"], strict=True) if step["h"] != other["h"]] == [
        1,
        2,
        3,
        4,
    ]


def test_over_a_model_file(tmp_path: Path, call: Callable[..., Any]) -> None:
    assert call("trace", "--all-samples", "--samples", "2", "--units", "3", "-o", "run.npz").returncode == 0
    asked = ("unit", "--model", "run.npz", "--samples", "2", "--step", "2", "--json")
    found = json.loads(call(*asked, "--edit", "W_f[0,0]=5", "--edit", "i_2[0]=1").stdout)
    assert found["weights"]["forget_gate"]["kernel"][0] == 5
    assert found["arithmetic"]["input_gate"]["held"] is True
    assert found["arithmetic"]["input_gate"]["value"] == 1
    assert json.loads(call(*asked).stdout)["weights"]["forget_gate"]["kernel"][0] != 5


def test_rows_of_all_samples_have_the_edits_too(call: Callable[..., Any]) -> None:
    small = ("trace", "--all-samples", "--samples", "3", "--timesteps", "4", "--units", "2", "--edit", "h_2[1]=0.5")
    assert call(*small, "-o", "run.npz").returncode == 0
    with np.load("run.npz") as arrays:
        assert arrays["layer0.forward.hidden"][:, 1, 1].tolist() == [0.5] * 3
    lines = [json.loads(line) for line in call(*small).stdout.decode().splitlines()]
    assert any("h_2[1]=0.5" in json.dumps(line) for line in lines[:1])


def test_help_says_how_an_edit_is_written(call: Callable[..., Any]) -> None:
    for command in ("unit", "trace", "explore"):
        text = call(command, "--help").stdout.decode()
        assert "--edit" in text
        assert "h_3[4]=0.5" in text
