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
@pytest.mark.parametrize("command", COMMANDS)
def test_who_decides(command: tuple[str, ...], option: str, settings: dict[str, str], expected: bool, call: Call) -> None:
    done = call(*command, "--color", option, **settings)
    assert (done.returncode, colored(done.stdout)) == (0, expected)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("depth", [{"TERM": "linux"}, {}, {"COLORTERM": "truecolor"}])
def test_colours_change_nothing_else(command: tuple[str, ...], depth: dict[str, str], call: Call) -> None:
    bright, plain = (ESCAPES.sub(b"", call(*command, "--color", way, **depth).stdout) for way in ("always", "never"))
    assert [line.rstrip() for line in bright.splitlines()] == [line.rstrip() for line in plain.splitlines()]


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
    asked = call(*command).stdout.count(b"?")
    assert done.stdout.count(b"?") == asked, "a character that nobody has thought of an ASCII spelling for"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437x"])
def test_ascii_where_the_terminal_has_nothing_else(command: tuple[str, ...], encoding: str, run: Call, call: Call) -> None:
    if encoding == "cp437x":
        encoding = "ascii:strict"
    done = run(*command, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == call(*command, "--ascii").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_more_than_ascii_where_there_is(command: tuple[str, ...], call: Call) -> None:
    assert not call(*command).stdout.isascii()


def test_a_file_is_utf8_whatever_the_terminal_has(run: Call, call: Call) -> None:
    run("shapes", "-o", "x", PYTHONIOENCODING="ascii")
    assert Path("x").read_bytes() == call("shapes").stdout


def test_the_help_has_no_colours(call: Call) -> None:
    done = call("--help", FORCE_COLOR="1")
    assert done.returncode == 0
    assert not colored(done.stdout)
