"""`lstm-explain window` by way of the command line, and the options that say how a file is read."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Done = subprocess.CompletedProcess[bytes]
Call = Callable[..., Done]
Refused = Callable[..., str]

TABLE = "date,open,close\n" + "".join(f"2024-01-{day:02},{day},{day * day}\n" for day in range(1, 13))


@pytest.fixture(autouse=True)
def files(somewhere_else: None) -> None:
    Path("x.csv").write_text(TABLE, encoding="utf-8")
    Path("semi.csv").write_text("exported by hand\n" + TABLE.replace(",", ";"), encoding="utf-8")
    np.save("x.npy", np.arange(24.0).reshape(12, 2))
    np.savez("x.npz", a=np.ones((4, 3, 2)), b=np.arange(12.0))


def content(done: Done) -> Any:
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


# --- window -----------------------------------------------------------------------------------------------------------


def test_a_csv_file_with_times_and_a_target(call: Call) -> None:
    found = content(call("window", "x.csv", "--timesteps", "3", "--time-column", "date", "--target", "close", "--json"))
    assert (found["samples"], found["features"], found["target"]) == (9, ["open", "close"], "close")
    assert found["windows"][0]["y"] == [16]
    assert found["gaps"]["clock"] == "dates"


def test_a_target_that_is_no_feature(call: Call) -> None:
    found = content(
        call("window", "x.csv", "--timesteps", "3", "--columns", "open", "--target", "2", "--horizon", "2", "--json")
    )
    assert (found["features"], found["target"], found["windows"][0]["y"]) == (["open"], "close", [16, 25])


@pytest.mark.parametrize(("data", "samples", "features"), [("x.npy", 3, 2), ("x.npz#b", 3, 1), ("-", 3, 2)])
def test_arrays_and_pipes(data: str, samples: int, features: int, call: Call) -> None:
    found = content(call("window", data, "--json", given=b"a,b\n" + b"1,2\n" * 12))
    assert found["x"]["shape"] == [samples, 10, features]


@pytest.mark.parametrize(
    "arguments",
    [
        ("x.csv", "--columns", "open,close", "--timesteps", "3"),
        ("x.csv", "--timesteps", "4", "--stride", "2", "--horizon", "2", "--target", "close", "--time-column", "date"),
        ("x.csv", "--time-column", "0", "--scale", "minmax", "--dtype", "float64", "--max-memory", "1MiB"),
        ("semi.csv", "--skip-rows", "1", "--columns", "1", "--horizon", "1"),
        ("european.csv", "--decimal", ",", "--timesteps", "2", "--delimiter", ";"),
        ("x.npy", "--target", "1"),
        ("x.npz#b", "--timesteps", "2"),
    ],
)
def test_the_next_commands_run_one_after_the_other(arguments: tuple[str, ...], call: Call) -> None:
    Path("european.csv").write_text("a;b\n" + "1.234,5;2\n" * 5, encoding="utf-8")
    explained = call("window", *arguments, "--width", "200").stdout.decode()
    lines = explained[explained.index("Next: ") :].removeprefix("Next: ").splitlines()
    commands = [shlex.split(line.strip().partition("  ")[0])[1:] for line in lines]
    assert [command[0] for command in commands] == ["window", "shapes"]
    for command in commands:
        assert call(*command).returncode == 0
    ours = content(call("window", *arguments, "--json"))
    assert content(call(*commands[1], "--json"))["tensors"][0]["axes"] == ours["x"]["axes"]


@pytest.mark.parametrize("ending", ["npy", "npz"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_windows_are_written_and_the_answer_is_shown(ending: str, dtype: str, call: Call) -> None:
    done = call("window", "x.npy", "--timesteps", "4", "-o", f"w.{ending}", "--dtype", dtype)
    assert (done.returncode, done.stderr) == (0, b"")
    text = " ".join(done.stdout.decode().split())
    assert f"Written to w.{ending}." in text
    assert f"Next: lstm-explain shapes --data w.{ending}" in text
    if ending == "npy":
        array = np.load("w.npy")
    else:
        with np.load("w.npz") as loaded:
            array = loaded["x"]
    assert array.dtype == dtype
    assert array.tolist() == [np.arange(24.0).reshape(12, 2)[first : first + 4].tolist() for first in range(9)]


def test_the_next_command_works(call: Call) -> None:
    call("window", "x.csv", "--columns", "open,close", "--timesteps", "4", "--target", "open", "-o", "w.npz")
    found = content(call("shapes", "--data", "w.npz#x", "--json"))
    assert [found["spec"][axis] for axis in ("samples", "timesteps", "features")] == [8, 4, 2]
    assert found["source"]["inputs"]["name"] == "w.npz#x"


def test_other_endings_take_the_explanation(call: Call) -> None:
    assert call("window", "x.npy", "-o", "w.md").stdout == b""
    assert Path("w.md").read_text(encoding="utf-8").startswith("# window")
    assert content(call("window", "x.npy", "-o", "w.npy", "--json"))["samples"] == 3


@pytest.mark.parametrize(
    ("code", "arguments", "message"),
    [
        (2, ("x.npy", "--timesteps", "0"), "--timesteps 0: this is a number of rows, from 1. Give 1 or more."),
        (2, ("x.npy", "--timesteps", "ten"), "Invalid value for '--timesteps'"),
        (2, ("x.npy", "--timesteps", "1e-3"), "Invalid value for '--timesteps'"),
        (2, ("x.npy", "--stride", "-1"), "--stride -1: this is a number of rows"),
        (2, ("x.npy", "--horizon", "0"), "--horizon 0: this is how many rows"),
        (2, ("x.npy", "--timesteps", "13"), "--timesteps 13: x.npy has 12 rows, and one window takes 13. Ask for fewer."),
        (2, ("x.npy", "--horizon", "1"), "--horizon 1: x.npy has 2 columns, and the targets are from one. Choose it with"),
        (2, ("x.npy", "--target", "2"), "--target 2: x.npy has columns 0 to 1."),
        (2, ("x.npy", "--target", ""), "--target '': x.npy is an array, whose columns have no names. Give a place."),
        (2, ("x.npy", "--target", "\x1b[1m"), "--target \\x1b[1m: x.npy is an array"),
        (2, ("x.npy", "--time-column", "0"), "--time-column 0: this is for CSV files alone"),
        (2, ("x.npy", "--columns", "0"), "--columns 0: only CSV files have columns"),
        (2, ("x.npy", "--scale", "robust"), "--scale robust: a column is scaled by standard or minmax."),
        (2, ("x.npy", "--scale", ""), "--scale '': a column is scaled by"),
        (2, ("x.npy", "--format", "csv"), "--format csv: window cannot be shown as csv."),
        (2, ("x.npy", "-o", "w.csv"), "-o w.csv: window cannot be shown as csv."),
        (2, ("x.npy", "-o", "x.npy"), "-o x.npy: the answer would replace the file that is read."),
        (2, ("x.npz#b", "-o", "x.npz"), "-o x.npz: the answer would replace the file that is read."),
        (2, ("x.npy", "--target", "0", "-o", "w.npy"), "-o w.npy: a .npy file holds one array, and there are targets too."),
        (2, ("x.npz",), "x.npz: it has 2 arrays: a, b. Choose one: x.npz#a."),
        (2, ("x.npz#a",), "x.npz#a as (rows, columns): the array is float64[samples=4, timesteps=3, features=2], which has"),
        (2, ("x.npz#c",), "#c: it has no array of that name. Its arrays are a, b."),
        (2, ("x.csv", "--time-column", "day"), "--time-column day: x.csv has no such column; the columns are date"),
        (2, ("x.csv", "--time-column", "date", "--target", "date"), "--target date: column 0 of x.csv is the column of times"),
        (
            2,
            ("x.csv", "--columns", "open,0", "--time-column", "date"),
            "--time-column date: column 0 of x.csv is among --columns too, and a column of times is not a feature",
        ),
        (2, (), "Missing argument 'DATA'."),
        (3, ("x.csv",), "x.csv: line 2, column 0 (date): '2024-01-01' is not a number."),
        (3, ("no.csv",), "no.csv: this file does not exist."),
        (4, ("x.npy", "--max-memory", "1KB"), "--timesteps 10: showing three windows takes 6,000 bytes of memory"),
        (5, ("x.npy", "-o", "no/w.npy"), "-o no/w.npy: there is no folder no."),
    ],
)
def test_what_is_refused(code: int, arguments: tuple[str, ...], message: str, refused: Refused) -> None:
    said = refused(code, "window", *arguments)
    assert message in said
    assert "--data x" not in said  # which is no option here


def test_nan_is_refused_unless_it_is_let_in(call: Call, refused: Refused) -> None:
    Path("n.csv").write_text("a,b\n1,nan\n3,4\n5,6\n", encoding="utf-8")
    fix = "Fill or drop it first, or add --allow-nan to see what it does."
    assert refused(3, "window", "n.csv", "--timesteps", "2") == f"n.csv: row 0, column 1 (b) is nan. {fix}"
    assert refused(3, "window", "n.csv", "--timesteps", "2", "--columns", "b").startswith("n.csv: row 0, column 1 (b) is nan.")
    np.save("n.npy", np.array([[1.0, 2], [3, np.inf]]))
    assert refused(3, "window", "n.npy", "--timesteps", "2").startswith("n.npy: row 1, column 1 is inf.")
    found = content(call("window", "n.csv", "--timesteps", "2", "--allow-nan", "--json"))
    assert found["nonfinite"][0] == {"path": "windows[0].x[0][1]", "value": "nan"}
    message = refused(2, "window", "n.csv", "--timesteps", "2", "--allow-nan", "--scale", "standard")
    assert message == "--scale standard: b holds nan, infinity or numbers too far apart to scale. Fill or drop them first."


def test_numbers_beyond_the_type_may_be_scaled_into_it(call: Call, refused: Refused) -> None:
    Path("n.csv").write_text("1e300\n2e300\n3e300\n", encoding="utf-8")
    assert "which is beyond float32" in refused(3, "window", "n.csv", "--timesteps", "2")
    assert content(call("window", "n.csv", "--timesteps", "2", "--scale", "minmax", "--json"))["windows"][0]["x"] == [
        [0],
        [0.5],
    ]


# --- how a file is read, on every command -----------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["shapes", "trace"])
def test_lines_to_pass_over_and_another_delimiter(command: str, call: Call) -> None:
    options = ("--columns", "open,close", "--skip-rows", "1", "--delimiter", ";")
    found = content(call(command, "--data", "semi.csv", *options, "--json"))
    assert (found["spec"]["timesteps"], found["source"]["inputs"]["columns"]) == (12, ["open", "close"])


@pytest.mark.parametrize("spelling", ["tab", "\\t", "\t"])
def test_a_tab_has_three_spellings(spelling: str, call: Call) -> None:
    Path("t.csv").write_text("a\tb\n1\t2\n", encoding="utf-8")
    assert content(call("shapes", "--data", "t.csv", "--delimiter", spelling, "--json"))["spec"]["features"] == 2


@pytest.mark.parametrize(
    ("code", "arguments", "message"),
    [
        (2, ("--data", "x.csv", "--skip-rows", "-1"), "--skip-rows -1: a file has no fewer than 0 lines to pass over."),
        (2, ("--data", "x.csv", "--delimiter", ""), "--delimiter '': this is not a delimiter. Give , or ; or | or tab"),
        (2, ("--data", "x.csv", "--delimiter", "ab"), "--delimiter ab: this is not a delimiter."),
        (2, ("--data", "x.csv", "--delimiter", "\n"), "--delimiter \\n: this is not a delimiter."),
        (2, ("--skip-rows", "1"), "--skip-rows 1: this option needs --data."),
        (2, ("--delimiter", ";"), "--delimiter ;: this option needs --data."),
        (2, ("--data", "x.npy", "--skip-rows", "1"), "--skip-rows 1: this is for CSV files alone, and an array was given."),
        (2, ("--data", "x.npy", "--delimiter", ";"), "--delimiter ;: this is for CSV files alone"),
        (2, ("--data", "x.npy#a"), "#a: only .npz archives have arrays to choose from. Leave out #a."),
        (2, ("--data", "x.npz"), "--data x.npz: it has 2 arrays: a, b."),
        (3, ("--data", "x.csv", "--skip-rows", "99"), "x.csv: nothing follows its first 99 lines."),
        (3, ("--data", "semi.csv", "--skip-rows", "1", "--delimiter", ","), "separated by semicolons: add --delimiter ';'."),
        (2, ("--data", "x.npz#a", "-o", "x.npz", "--format", "json"), "-o x.npz: the answer would replace the file"),
    ],
)
def test_files_that_cannot_be_read_so(code: int, arguments: tuple[str, ...], message: str, refused: Refused) -> None:
    assert message in refused(code, "shapes", *arguments)


def test_an_archive_in_a_pipe(refused: Refused) -> None:
    content = io.BytesIO()
    np.savez(content, a=np.ones(3))
    message = refused(3, "shapes", "--data", "-", given=content.getvalue())
    assert message.startswith("standard input: only CSV can be piped in, and this is a zip archive, such as .npz.")


# --- memory -----------------------------------------------------------------------------------------------------------

WATCHED = """
import atexit, re, sys
from lstm_explain.cli.main import main
import resource
resource.setrlimit(resource.RLIMIT_DATA, (220 * 2**20,) * 2)  # a mapped file does not count
main()
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what a mapped file counts as differs")
@pytest.mark.parametrize(
    "arguments",
    [
        ("window", "large.npy", "--timesteps", "50", "--stride", "40", "--scale", "standard", "-o", "w.npy", "--json"),
        ("trace", "--data", "large3.npy", "--units", "2", "--all-samples", "--steps", "1", "--format", "csv", "-o", "t.csv"),
    ],
)
def test_a_mapped_file_larger_than_the_memory_allowed(arguments: tuple[str, ...]) -> None:
    """A file of 400 MB is read with 220 MB to spare for everything, Python and its libraries too."""
    shape = (25 * 10**6, 4) if "window" in arguments else (25 * 10**3, 1000, 4)
    name = arguments[1] if "window" in arguments else arguments[2]
    np.lib.format.open_memmap(name, "w+", "float32", shape).flush()
    assert Path(name).stat().st_size > 400 * 10**6
    done = subprocess.run([sys.executable, "-c", WATCHED, *arguments], capture_output=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, b"")
