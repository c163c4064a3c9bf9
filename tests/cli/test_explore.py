"""`explore` from the command line: no terminal, what it saves, and the command lines that it prints."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lstm_explain
from lstm_explain.apps.explorer import actions
from lstm_explain.apps.explorer.state import ExplorerState, list_commands, topic_command
from lstm_explain.apps.explorer.view_model import build_view_model
from lstm_explain.cli.explore import _save
from lstm_explain.core.gates import Direction
from lstm_explain.errors import LstmExplainError
from lstm_explain.topics.command_line import CliSource
from tests.helpers.mixed_stacks import mixed_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
STREAMS = {"stdin": "standard input", "stdout": "standard output", "stderr": "standard error"}


@pytest.mark.parametrize("missing", STREAMS)
def test_without_a_terminal_it_says_what_to_use_instead(missing: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with (tmp_path / "other").open("w+b") as file:
        streams: dict[str, Any] = {name: file if name == missing else theirs for name in STREAMS}
        done = subprocess.run([sys.executable, "-m", "lstm_explain", "explore"], **streams, timeout=60, check=False)
        file.seek(0)
        text = file.read().decode() if missing == "stderr" else os.read(ours, 65536).decode().replace("\r\n", "\n")
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 2
    use = "Use `lstm-explain unit --step 4` or `lstm-explain trace`, which print; both take --edit."
    assert text == f"Error: explore: {STREAMS[missing]} is not a terminal. {use}\n"


# --- saving -----------------------------------------------------------------------------------------------------------


def showing(state: ExplorerState) -> Any:
    """What `_save` takes of the application."""
    return SimpleNamespace(state=state, size=SimpleNamespace(width=80, height=24), unicode=True)


def founding() -> ExplorerState:
    return actions.apply_edits(ExplorerState(lstm_explain.seeded(), unit=3, step=4), "h_3[3]=0.6")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.json", "a.csv", "a.jsonl", "a.npz"])
def test_what_is_saved_is_what_the_command_writes_that_it_names(name: str, tmp_path: Path, call: Callable[..., Any]) -> None:
    said = _save(showing(founding()), name)
    saved = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    line = said.removeprefix(f"Wrote {name}. Again: ")
    assert line == topic_command(founding(), "unit" if name[2:] in ("txt", "md", "json") else "trace", name)
    done = call(*shlex.split(line)[1:])
    assert (done.returncode, done.stdout) == (0, b"")
    assert (tmp_path / name).read_bytes() == saved
    assert b"h_3[3]=0.6" in saved or b"h\\_3\\[3\\]=0.6" in saved or name[2:] in ("csv", "npz")


@pytest.mark.parametrize("name", ["a.csv", "a.npz"])
def test_a_saved_run_is_of_all_layers_wherever_one_is(name: str, tmp_path: Path, call: Callable[..., Any]) -> None:
    state = ExplorerState(lstm_explain.seeded(samples=2, timesteps=3, units=4, layers=2, bidirectional=True))
    said = _save(showing(state.evolve(layer=1, direction=Direction.BACKWARD)), name)
    saved = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    assert call(*shlex.split(said.removeprefix(f"Wrote {name}. Again: "))[1:]).returncode == 0
    assert (tmp_path / name).read_bytes() == saved


def test_of_unlike_layers_what_is_saved_is_what_the_command_writes(tmp_path: Path, call: Callable[..., Any]) -> None:
    (tmp_path / "mixed.h5").write_bytes(mixed_file())
    lstm = lstm_explain.from_model("mixed.h5", "a+b+c", samples=2, timesteps=3)
    state = actions.apply_edits(ExplorerState(lstm, layer=1, unit=3, step=2), "1:h_1[3]=0.6 0.backward:f[5]=0")
    for name in ("a.json", "a.csv", "a.npz", "a.md"):
        said = _save(showing(state), name)
        saved = (tmp_path / name).read_bytes()
        (tmp_path / name).unlink()
        done = call(*shlex.split(said.removeprefix(f"Wrote {name}. Again: "))[1:])
        assert (done.returncode, done.stderr) == (0, b"")
        assert (tmp_path / name).read_bytes() == saved


def test_a_picture_is_the_screen() -> None:
    class Size(tuple[int, int]):
        width, height = 80, 24

    explorer = showing(founding())
    explorer.size = Size((80, 24))
    said = _save(explorer, "a.svg")
    with open("a.svg", encoding="utf-8") as file:  # noqa: PTH123 - in the folder of the test
        picture = file.read()
    assert said == 'Wrote a.svg, this screen. Again: lstm-explain explore --edit "h_3[3]=0.6" --unit 3 --step 4'
    assert "<svg" in picture
    assert "9 of 9 at" in picture


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.xyz", "xyz"),
        ("nowhere/a.json", "there is no folder"),
        ("my.npy", "unknown format"),
        ("my.json", "this file exists already"),
        ("my.json!", "would replace the file"),
    ],
)
def test_what_cannot_be_saved_is_said(
    name: str, found: str, tmp_path: Path, typed_source: Callable[[CliSource], None]
) -> None:
    for file in ("my.npy", "my.json"):
        (tmp_path / file).write_bytes(b"what is there already")
    before = (tmp_path / "my.json").read_bytes()
    typed_source(CliSource(data="my.json"))
    state = ExplorerState(lstm_explain.given(np.ones((3, 4, 2), np.float32), units=3))
    with pytest.raises(LstmExplainError, match=found):
        _save(showing(state), name)
    assert (tmp_path / "my.json").read_bytes() == before


# --- the command lines ------------------------------------------------------------------------------------------------

CASES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"unit": 3, "step": 4}, "h_3[3]=0.6"),
    ({"units": 4, "samples": 3, "timesteps": 5, "features": 2}, {"unit": 1, "step": 5, "sample": 2}, "f[1]=0; x_2[1]=-1"),
    ({"layers": 2, "bidirectional": True}, {"layer": 1, "direction": Direction.BACKWARD, "step": 2}, "1.backward:c_3[0]=2"),
    ({"projection": 3, "peepholes": True, "dtype": "float64"}, {"unit": 7, "step": 3}, "p_o[7]=1 h_2[1]=0.5 o_3[7]=0.25"),
    ({"bias": False, "init": "pytorch", "seed": 5}, {"unit": 2, "step": 1}, "W_g[0,2]=0.5 c_0[2]=1"),
    ({"lengths": [4, 2, 3]}, {"sample": 1, "step": 2, "unit": 5}, "R_f[1,5]=-0.5"),
]


@pytest.mark.parametrize(("sizes", "place", "edits"), CASES)
def test_unit_as_it_is_printed_gives_the_numbers_that_are_shown(
    sizes: dict[str, Any], place: dict[str, Any], edits: str, call: Callable[..., Any]
) -> None:
    state = ExplorerState(lstm_explain.seeded(**sizes)).evolve(**place)
    state = actions.apply_edits(state, edits)
    assert not state.message
    done = call(*shlex.split(topic_command(state, "unit"))[1:], "--json")
    assert done.returncode == 0, done.stderr
    found, seen = json.loads(done.stdout), build_view_model(state)
    assert found["source"]["edits"] == [str(one) for one in state.edits]
    tolerance: dict[str, Any] = {"abs": 1e-6 if state.lstm.spec.dtype == "float32" else 1e-12}
    step, made = found["steps"][state.step - 1], found["arithmetic"]
    for letter in "ifgoc":
        assert step[letter] == pytest.approx(seen.number(letter, state.step, state.unit), **tolerance)
    if state.lstm.spec.projection is None:
        assert step["h"] == pytest.approx(seen.number("h", state.step, state.unit), **tolerance)
    for sums in seen.sums(state.step, state.unit):
        assert made[sums.gate.value]["sum"] == pytest.approx(sums.total, **tolerance)
        assert made[sums.gate.value]["value"] == pytest.approx(sums.value, **tolerance)
    assert made["cell"]["value"] == pytest.approx(seen.computed_cell(state.step, state.unit), **tolerance)
    assert made["hidden"]["value"] == pytest.approx(seen.unit_output(state.step, state.unit), **tolerance)


@pytest.mark.parametrize(("sizes", "place", "edits"), CASES)
def test_every_command_that_is_printed_is_one(
    sizes: dict[str, Any], place: dict[str, Any], edits: str, call: Callable[..., Any]
) -> None:
    state = actions.apply_edits(ExplorerState(lstm_explain.seeded(**sizes)).evolve(**place), edits)
    for one in list_commands(state):
        assert one.shows
        line = one.line
        program, topic, *arguments = shlex.split(line)
        assert program == "lstm-explain"
        done = call(topic, *arguments)
        if topic == "explore":
            assert b" not terminals" in done.stderr, "everything else of it is right"
        else:
            assert done.returncode == 0, done.stderr


def test_influence_pokes_the_unit_where_it_was_changed(call: Callable[..., Any]) -> None:
    state = actions.apply_edits(ExplorerState(lstm_explain.seeded(), unit=5, step=9), "h_3[2]=1")
    line = list_commands(state)[-1].line
    assert line == "lstm-explain influence --unit 2 --step 4"
    found = json.loads(call(*shlex.split(line)[1:], "--json").stdout)
    assert (found["statements"]["unit"], found["step"]) == (2, 4)


def test_files_are_named_as_they_were_typed(
    tmp_path: Path, call: Callable[..., Any], typed_source: Callable[[CliSource], None]
) -> None:
    (tmp_path / "a folder").mkdir()
    np.save("a folder/my data.npy", np.ones((3, 4, 2), np.float32))
    lstm = lstm_explain.given(np.ones((3, 4, 2), np.float32), name="my data.npy", units=3)
    typed_source(CliSource(data="a folder/my data.npy"))
    state = actions.apply_edits(ExplorerState(lstm, step=2), "h_1[0]=1")
    line = topic_command(state, "unit")
    assert line == 'lstm-explain unit --data "a folder/my data.npy" --units 3 --edit "h_1[0]=1" --step 2'
    done = call(*shlex.split(line)[1:], "--json")
    assert done.returncode == 0, done.stderr
    step = json.loads(done.stdout)["steps"][1]
    assert step["c"] == pytest.approx(build_view_model(state).number("c", 2, 0), abs=1e-6)
