"""Which view fits which command, and what a file's name says about it."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

Call = Callable[..., subprocess.CompletedProcess[bytes]]
Refused = Callable[..., str]

FITTING = {
    ("shapes",): ("table", "markdown", "json", "svg"),
    ("unit",): ("table", "markdown", "json", "svg"),
    ("trace",): ("table", "markdown", "json", "svg", "jsonl", "csv", "npz"),
    ("equations",): ("table", "markdown", "json", "svg"),
    ("memory",): ("table", "markdown", "json", "svg"),
    ("trace", "--all-samples"): ("jsonl", "csv", "npz"),
}
FORMATS = ("table", "markdown", "json", "jsonl", "csv", "npz", "svg")
SUFFIXES = {"markdown": "md"}
CASES = [(command, view) for command in FITTING for view in FORMATS]


@pytest.mark.parametrize(("command", "view"), CASES)
def test_a_format_fits_or_is_refused_with_those_that_do(
    command: tuple[str, ...], view: str, call: Call, refused: Refused
) -> None:
    few = ("--samples", "3", "--timesteps", "2")
    if view in FITTING[command]:
        assert call(*command, *few, "--format", view, "-o", "-").returncode == 0
        return
    message = refused(2, *command, *few, "--format", view)
    assert message.startswith(f"--format {view}: {' '.join(command)} cannot be shown as {view}. The formats that fit are ")
    named = message.removesuffix(".").rpartition("that fit are ")[2].split(", ")
    assert sorted(named) == sorted(FITTING[command])


@pytest.mark.parametrize(("command", "view"), [case for case in CASES if case[1] != "table"])
def test_the_ending_of_a_files_name_chooses_the_format(
    command: tuple[str, ...], view: str, call: Call, refused: Refused, tmp_path: Path
) -> None:
    few = ("--samples", "3", "--timesteps", "2")
    name = f"run.{SUFFIXES.get(view, view)}"
    if view not in FITTING[command]:
        assert refused(2, *command, *few, "-o", name).startswith(f"-o {name}: {' '.join(command)} cannot be shown as {view}.")
        return
    done = call(*command, *few, "-o", name)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    if view != "npz":  # an archive that cannot be gone back in has its sizes in other places; see below
        assert (tmp_path / name).read_bytes() == call(*command, *few, "--format", view, "-o", "-").stdout
    assert [one.name for one in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["run.json.bak", "x.png", "x.parquet", "x.\x1b"])
def test_an_ending_of_no_format_is_refused(name: str, refused: Refused) -> None:
    assert "unknown format. End it in .json, .jsonl, .csv" in refused(2, "shapes", "-o", name)


@pytest.mark.parametrize("name", ["run", "run.txt", "RUN.TXT", ".json"])
def test_any_other_name_holds_the_usual_format(name: str, call: Call, tmp_path: Path) -> None:
    assert call("shapes", "-o", name).returncode == 0
    assert (tmp_path / name).read_bytes() == call("shapes").stdout


def test_endings_in_capitals(call: Call, tmp_path: Path) -> None:
    call("shapes", "-o", "RUN.JSON")
    assert json.loads((tmp_path / "RUN.JSON").read_bytes())["schema"] == "lstm-explain/shapes"


def test_a_format_goes_before_a_names_ending(call: Call, tmp_path: Path) -> None:
    call("shapes", "--json", "-o", "run.md")
    assert json.loads((tmp_path / "run.md").read_bytes())["schema"] == "lstm-explain/shapes"


@pytest.mark.parametrize("command", ["shapes", "unit", "trace"])
@pytest.mark.parametrize("view", [one for one in FORMATS if one != "json"])
def test_json_and_another_format_contradict(command: str, view: str, refused: Refused) -> None:
    assert refused(2, command, "--json", "--format", view) == f"--json --format {view}: these are two formats. Choose one."


@pytest.mark.parametrize("command", ["shapes", "unit", "trace"])
def test_json_said_twice_is_json(command: str, call: Call) -> None:
    assert call(command, "--json", "--format", "json").stdout == call(command, "--json").stdout


@pytest.mark.parametrize("command", ["shapes", "unit", "trace"])
@pytest.mark.parametrize(
    ("option", "value", "known"),
    [
        ("--format", "xml", FORMATS),
        ("--format", "", FORMATS),
        ("--format", "JSON", FORMATS),
        ("--init", "xavier", ("keras", "pytorch")),
        ("--dtype", "int8", ("float32", "float64")),
        ("--color", "sometimes", ("auto", "always", "never")),
    ],
)
def test_unknown_words_are_answered_with_those_that_there_are(
    command: str, option: str, value: str, known: tuple[str, ...], refused: Refused
) -> None:
    message = refused(2, command, option, value)
    assert f"'{option}'" in message
    assert f"'{value}' is not one of " in message
    assert all(f"'{word}'" in message for word in known)


@pytest.mark.parametrize("command", ["shapes", "unit", "trace"])
@pytest.mark.parametrize("width", ["5", "19", "0", "-1", "10001", "1000000000"])
def test_a_width_that_no_table_fits(command: str, width: str, refused: Refused) -> None:
    assert refused(2, command, "--width", width) == f"--width {width}: a width is from 20 to 10000 columns."


@pytest.mark.parametrize("command", ["shapes", "unit", "trace"])
@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_wider_than_asked(command: str, width: int, call: Call) -> None:
    done = call(command, "--width", str(width))
    assert done.returncode == 0
    if width >= 40:
        assert max(map(len, done.stdout.decode().splitlines())) <= width


# --- npz --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("trace",), ("trace", "--all-samples")])
def test_an_archive_is_not_written_to_the_screen(command: tuple[str, ...], refused: Refused) -> None:
    message = refused(2, *command, "--samples", "3", "--format", "npz")
    assert message == "--format npz: an archive is binary. Add -o run.npz, or -o - for standard output."


@pytest.mark.parametrize("choice", ["--unit 3", "--unit 0,3", "--steps 1-3", "--layer 0", "--direction forward"])
def test_an_archive_holds_the_whole_run(choice: str, refused: Refused) -> None:
    stack = ["--samples", "3", "--layers", "2", "--bidirectional"]
    message = refused(2, "trace", *stack, *choice.split(), "--format", "npz", "-o", "x.npz")
    assert message.startswith("--format npz: an archive holds all units, timesteps, layers and directions.")


def test_an_archive_on_standard_output_is_the_archive_in_a_file(call: Call, tmp_path: Path) -> None:
    run = ("trace", "--all-samples", "--samples", "3", "--format", "npz", "-o")
    piped = call(*run, "-").stdout
    call(*run, "x.npz")
    with zipfile.ZipFile(tmp_path / "x.npz") as named:
        (tmp_path / "piped.npz").write_bytes(piped)
        with zipfile.ZipFile(tmp_path / "piped.npz") as other:
            assert named.testzip() is other.testzip() is None
            assert {one: named.read(one) for one in named.namelist()} == {one: other.read(one) for one in other.namelist()}
