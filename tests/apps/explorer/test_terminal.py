"""The explorer in a real terminal: a pseudo-terminal, the program in it, and keys that are pressed."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.terminal_session import TAKEN, Session, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def open_session(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    with sessions("explore", cwd=tmp_path) as opened:
        yield opened


def test_from_the_first_key_to_the_command_that_shows_it(open_session: Callable[..., Session]) -> None:
    session = open_session("--unit", "3", "--step", "4")
    session.until("Press h to change h_3[3]")
    assert not session.unchanged, "the keys come one by one now, or this test would prove nothing"
    session.press("h")
    session.until("all units read it at step 4")
    session.press("\r")
    session.until("0 of 9 at step 3, 9 of 9 at")
    session.press("y")
    session.until("Why: unit 3 at step 4")
    session.press("q")
    session.press("q")
    assert session.end() == 0
    assert session.unchanged
    lines = [line for line in session.afterwards.strip().splitlines() if not line.startswith("#")]
    assert lines == [
        'lstm-explain explore --edit "h_3[3]=0.5798" --unit 3 --step 4',
        'lstm-explain unit --edit "h_3[3]=0.5798" --unit 3 --step 4',
        "lstm-explain influence --unit 3 --step 4",
    ]


def test_a_stack_is_kept_in_the_commands_that_are_printed(open_session: Callable[..., Session]) -> None:
    session = open_session("--units", "6,4", "--layer", "1")
    session.until("Press h to change")
    session.press("q")
    assert session.end() == 0
    lines = [line for line in session.afterwards.strip().splitlines() if not line.startswith("#")]
    assert lines
    assert all("--units 6,4" in line for line in lines)


def test_ctrl_c_leaves_the_terminal_as_it_was(open_session: Callable[..., Session]) -> None:
    session = open_session()
    session.until("Press h to change")
    session.press("h")
    session.until("all units read it")
    session.press("\x03")
    assert session.end() == 130
    assert session.unchanged
    assert session.afterwards.strip() in ("", "Error: interrupted"), "no command line, no traceback"


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_terminal_as_it_was(kind: Any, open_session: Callable[..., Session]) -> None:
    session = open_session()
    session.until("Press h to change")
    session.process.send_signal(kind)
    assert session.end() == (130 if kind is signal.SIGINT else -kind)
    assert session.unchanged
    assert "Traceback" not in session.afterwards


def test_the_terminal_is_given_back_after_an_error(open_session: Callable[..., Session]) -> None:
    """A file that cannot be written is only said; the screen stays, and the file is not there."""
    session = open_session()
    session.until("Press h to change")
    session.press("s")
    session.until("A file:")
    session.press("/x.json\r")
    session.until("unit-0-step-2.svg/x.json: there is no folder unit-0-step-2.svg")
    session.press("q")
    assert session.end() == 0
    assert session.unchanged


def test_colours_are_left_out_on_request(open_session: Callable[..., Session]) -> None:
    session = open_session("--color", "never")
    session.until("Press h to change")
    session.press("q")
    assert session.end() == 0
    colours = set(re.findall(r"\x1b\[[0-9;]*38;2;(\d+;\d+;\d+)", session.seen))
    assert all(max(map(int, one.split(";"))) - min(map(int, one.split(";"))) <= 16 for one in colours)


def test_what_is_wrong_is_said_before_the_screen_is_taken(open_session: Callable[..., Session]) -> None:
    for arguments, found in ((("--unit", "10"), "there are 10 units"), (("--edit", "h_99[0]=1"), "timesteps of h count")):
        session = open_session(*arguments)
        assert session.end() == 2
        assert TAKEN not in session.seen
        assert found in session.seen
        assert session.seen.count("\n") == session.seen.count("Error: ") == 1
        assert session.unchanged
