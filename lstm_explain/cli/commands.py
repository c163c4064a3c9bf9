"""The list of commands, each built only when it is called or listed: starting one does not pay for the others."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from lstm_explain.cli.size_names import LstmCommand
from lstm_explain.topics.registry import TOPICS, Topic


class Application(NamedTuple):
    """A command that is not a topic."""

    name: str
    summary: str
    """The first line of its `--help`."""
    question: str
    """What a reader asks, for the table of commands in the documentation."""


APPLICATIONS = (
    Application(
        "tour",
        "Answer six questions about LSTM units with your numbers.",
        "I am new to this. What are units, h and c, and what do I have? Is there a hand-out for my class?",
    ),
    Application(
        "explore",
        "Step through time on the full screen, and change a number.",
        "What moves, and when, if I change a number? Can I try it on the screen?",
    ),
    Application(
        "quiz",
        "Ask questions about LSTMs, answered by a running one.",
        "Do I know all this by now? Is there a test for my class?",
    ),
    Application("schema", "Print the JSON Schema of a topic's output.", "What may a program expect in the JSON?"),
)

COMMANDS: dict[str, Topic | Application] = {row.name: row for row in (*TOPICS, *APPLICATIONS)}
"""Each is a function of the same name in a module of the same name; its docstring is the help after the summary."""

HELP_NAMES = {"help_option_names": ["-h", "--help"]}


class CommandGroup(TyperGroup):
    """The group of all commands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _LazyCommands()


class _LazyCommands(MutableMapping[str, Any]):
    def __init__(self) -> None:
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        if name not in self._built:
            self._built[name] = _build_command(name)
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)

    def __setitem__(self, name: str, command: Any) -> None:
        raise TypeError("commands are listed in COMMANDS")

    def __delitem__(self, name: str) -> None:
        raise TypeError("commands are listed in COMMANDS")


def _build_command(name: str) -> Any:
    function = getattr(import_module(f"lstm_explain.cli.{name}"), name)
    summary = COMMANDS[name].summary
    details = (inspect.getdoc(function) or "").replace("Examples:", "\b\nExamples:", 1)  # \b: keep these lines as they are
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command(name, cls=LstmCommand, help=f"{summary}\n\n{details}", short_help=summary, context_settings=HELP_NAMES)(
        function
    )
    return typer.main.get_command(app)
