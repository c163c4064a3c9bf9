"""Colours, width and alphabet: who decides, and that nothing else changes with them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Call = Callable[..., subprocess.CompletedProcess[bytes]]

COMMANDS = [("shapes",), ("unit", "--step", "2"), ("trace", "--gates"), ("influence", "--through-time"), ("memory",)]
COMMANDS += [("equations",), ("tasks",), ("terms",), ("tour",)]
ESCAPES = re.compile(rb"\x1b\[[0-9;]*m")


def colored(data: bytes) -> bool:
    return b"\x1b[" in data


@pytest.mark.parametrize(
    ("option", "settings", "expected"),
    [
        ("auto", {}, False),
        ("auto", {"FORCE_COLOR": "1"}, True),
        ("auto", {"FORCE_COLOR": ""}, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        ("auto", {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ("auto", {"NO_COLOR": "1"}, False),
        ("always", {}, True),
        ("always", {"NO_COLOR": "1"}, True),
        ("always", {"TERM": "dumb"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
        ("never", {"FORCE_COLOR": "1", "COLORTERM": "truecolor"}, False),
    ],
)
def test_who_decides(option: str, settings: dict[str, str], expected: bool, call: Call) -> None:
    done = call("trace", "--timesteps", "2", "--color", option, **settings)
    assert (done.returncode, colored(done.stdout)) == (0, expected)


@pytest.mark.parametrize("command", COMMANDS)
def test_colors_change_nothing_else(command: tuple[str, ...], call: Call) -> None:
    plain = call(*command, "--color", "never").stdout
    assert not colored(plain)
    for terminal in ({"TERM": "linux"}, {}, {"COLORTERM": "truecolor"}):
        bright = call(*command, "--color", "always", **terminal).stdout
        assert colored(bright)
        lines = ESCAPES.sub(b"", bright).splitlines()
        assert [line.rstrip() for line in lines] == [line.rstrip() for line in plain.splitlines()]


@pytest.mark.parametrize("view", ["json", "jsonl", "csv", "markdown"])
def test_what_programs_read_is_never_coloured(view: str, call: Call) -> None:
    done = call("trace", "--format", view, "--color", "always", FORCE_COLOR="1")
    assert not colored(done.stdout)
    assert done.stdout == call("trace", "--format", view, NO_COLOR="1").stdout


def test_a_file_is_coloured_on_request_only(call: Call) -> None:
    call("trace", "-o", "plain", FORCE_COLOR="")
    call("trace", "-o", "bright", "--color", "always")
    assert not colored(Path("plain").read_bytes())
    assert colored(Path("bright").read_bytes())


@pytest.mark.parametrize("columns", ["0", "-5", "abc", "", "19"])
def test_a_width_that_cannot_be_is_80(columns: str, call: Call) -> None:
    assert call("shapes", COLUMNS=columns).stdout == call("shapes", "--width", "80").stdout


@pytest.mark.parametrize("columns", [20, 57, 120])
def test_the_terminals_width(columns: int, call: Call) -> None:
    assert call("trace", COLUMNS=str(columns)).stdout == call("trace", "--width", str(columns)).stdout


def test_a_terminal_of_a_billion_columns_costs_no_more(call: Call) -> None:
    assert call("trace", COLUMNS="1000000000").stdout == call("trace", "--width", "10000").stdout


def test_a_file_does_not_depend_on_the_terminals_width(call: Call) -> None:
    call("shapes", "-o", "x", COLUMNS="40")
    assert Path("x").read_bytes() == call("shapes", "--width", "80").stdout


# --- alphabet ---------------------------------------------------------------------------------------------------------

EVERYTHING = [*COMMANDS, *(("trace", "--format", view) for view in ("markdown", "json", "jsonl", "csv"))]


@pytest.mark.parametrize("command", EVERYTHING)
def test_ascii_on_request(command: tuple[str, ...], call: Call) -> None:
    done = call(*command, "--ascii")
    assert done.returncode == 0
    assert done.stdout.isascii()
    full = call(*command).stdout
    assert done.stdout.count(b"?") == full.count(b"?"), "a character without an ASCII spelling"
    assert command not in COMMANDS or not full.isascii()


@pytest.mark.parametrize("command", COMMANDS)
def test_ascii_where_the_terminal_has_nothing_else(command: tuple[str, ...], call: Call) -> None:
    done = call(*command, encoding="latin-1")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == call(*command, "--ascii").stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:strict"])
def test_ascii_in_a_process_whose_output_has_nothing_else(encoding: str, run: Call, call: Call) -> None:
    done = run("trace", "--gates", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == call("trace", "--gates", "--ascii").stdout


def test_a_file_is_utf8_whatever_the_terminal_has(run: Call, call: Call) -> None:
    run("shapes", "-o", "x", PYTHONIOENCODING="ascii")
    assert Path("x").read_bytes() == call("shapes").stdout


def test_the_help_has_no_colours(call: Call) -> None:
    done = call("--help", FORCE_COLOR="1")
    assert done.returncode == 0
    assert not colored(done.stdout)
