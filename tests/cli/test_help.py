"""`--help`: the groups of commands, whole summaries at every width, and what each command needs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from lstm_explain.cli.commands import COMMANDS
from lstm_explain.cli.help import MAX_WIDTH, SUBJECTS
from lstm_explain.topics.registry import COMMAND_GROUPS, LSTM_TOPICS

Call = Callable[..., subprocess.CompletedProcess[bytes]]
Refused = Callable[..., str]

SHARED = {name for names in SUBJECTS.values() for name in names.split()}
NEED_A_TERMINAL = {"explore", "quiz"}
NAMED_OTHERWISE = {("explore", "ascii"): "plain", ("verify", "output"): "outputs"}


def sections_of(text: str) -> dict[str, str]:
    """The headings of a help text, with what is below each."""
    parts = re.split(r"^([A-Z][a-zA-Z ]*):\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160, 300])
def test_commands_are_in_groups_and_no_summary_is_cut(width: int, call: Call) -> None:
    text = call("--help", COLUMNS=str(width)).stdout.decode()
    sections = sections_of(text)
    assert list(sections) == [*COMMAND_GROUPS, "Program"]
    for group in COMMAND_GROUPS:
        rows = [row for row in COMMANDS.values() if row.group == group]
        listed = re.findall(r"^  ([a-z]+)\b", sections[group], re.MULTILINE)
        assert listed == [row.name for row in rows]
        words = " ".join(sections[group].split())
        assert words == " ".join(" ".join(f"{row.name} {row.needs} {row.summary}".split()) for row in rows)
    assert max(map(len, text.splitlines())) <= max(55, min(width, MAX_WIDTH))


def test_help_begins_with_the_tour_and_uses_the_width(call: Call) -> None:
    assert next(iter(COMMANDS)) == "tour"
    lines = {width: call("--help", COLUMNS=str(width)).stdout.decode().splitlines() for width in (60, 80, 120)}
    assert len(lines[60]) > len(lines[80]) > len(lines[120])
    assert max(map(len, lines[120])) > 80
    assert lines[80].index("    lstm-explain tour") < 6


def test_what_a_command_needs_is_true(call: Call, refused: Refused) -> None:
    for name, row in COMMANDS.items():
        if name in NEED_A_TERMINAL:
            assert refused(2, name).startswith(f"{name}: standard input")
        elif row.needs:
            assert "Missing " in refused(2, name)
        else:
            assert call(name).returncode == 0
    assert set(LSTM_TOPICS) == {name for name, row in COMMANDS.items() if not row.needs} - {
        "tour",
        "explore",
        "report",
        "quiz",
    }
    text = " ".join(call("--help").stdout.decode().split())
    assert "Commands need nothing but the words in capitals below" in text
    assert "explore and quiz ask at a terminal" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_options_are_grouped_by_what_they_are_about(command: str, call: Call) -> None:
    sections = sections_of(call(command, "--help").stdout.decode())
    headings = [heading for heading in ("Arguments", "Options", *SUBJECTS) if heading in sections]
    assert [heading for heading in sections if heading != "Examples"] == headings
    for heading in headings:
        for option in re.findall(r"^  (?:-\w, )?--([a-z-]+)", sections[heading], re.MULTILINE):
            name = NAMED_OTHERWISE.get((command, option), option.replace("-", "_"))
            assert name in SUBJECTS.get(heading, "").split() or (heading == "Options" and name not in SHARED), option


def test_an_option_of_several_commands_is_in_a_group() -> None:
    from typer.main import get_command

    from lstm_explain.cli.main import app

    commands = get_command(app).commands  # type: ignore[attr-defined]
    options = [param.name for command in commands.values() for param in command.params if param.param_type_name == "option"]
    own = {"every"}  # --all shows all of something else in each command
    assert {name for name in options if options.count(name) > 2} - own <= SHARED
    assert {*options, "version", "debug", "install_completion", "show_completion", "help"} >= SHARED
