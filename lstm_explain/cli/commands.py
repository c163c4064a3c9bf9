"""The list of commands, each built only when it is called or listed: starting one does not pay for the others."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Container, Iterator, MutableMapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from lstm_explain.cli.help import MAX_WIDTH, write_options, write_sections
from lstm_explain.cli.lstm_command import LstmCommand
from lstm_explain.cli.positionals import check_not_size, file_role
from lstm_explain.errors import UsageError, printable
from lstm_explain.topics.registry import COMMAND_GROUPS, TOPICS, CommandGroupName, Topic


class Application(NamedTuple):
    """A command that is not a topic."""

    name: str
    group: CommandGroupName
    """Where help and documentation list it."""
    summary: str
    """The first line of its `--help`."""
    question: str
    """What a reader asks, for the table of commands in the documentation."""
    needs: str = ""
    """The arguments that it needs."""


APPLICATIONS = (
    Application(
        "tour",
        "Learn",
        "Answer six questions about LSTM units with your numbers.",
        "I am new to this. What are units, h and c, and what do I have? Is there a hand-out for my class?",
    ),
    Application(
        "explore",
        "Learn",
        "Step through time on the full screen, and change a number.",
        "What moves, and when, if I change a number? Can I try it on the screen?",
    ),
    Application(
        "report",
        "Look inside",
        "Write a page in which your LSTM runs, for any browser.",
        "Can I click through my own LSTM, change a number and see what moves? Is there a page to send, or to print?",
        "-o FILE",
    ),
    Application(
        "quiz",
        "Learn",
        "Ask questions about LSTMs, answered by a running one.",
        "Do I know all this by now? Is there a test for my class?",
    ),
    Application(
        "schema",
        "For programs",
        "Print the JSON Schema of a topic's output.",
        "What may a program expect in the JSON?",
        "TOPIC",
    ),
)

COMMANDS: dict[str, Topic | Application] = {
    row.name: row for group in COMMAND_GROUPS for row in (*APPLICATIONS, *TOPICS) if row.group == group
}
"""In the order of help and documentation. Each is a function of the same name in a module of the same name; its docstring is
the help after the summary."""

HELP_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": MAX_WIDTH}


DEFAULT_COMMAND = "shapes"
BARE_HINT = "lstm-explain tour explains it step by step; lstm-explain --help lists all commands."
TABLE_HINT = "A table is read as one sample. lstm-explain window FILE cuts it into samples."
MIN_SIMILARITY = 0.8


class CommandGroup(TyperGroup):
    """The group of all commands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _LazyCommands()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.resilient_parsing and not args:  # completion of the first word
            return super().parse_args(ctx, args)
        options = {option for param in self.params for option in param.opts}.union(self.get_help_option_names(ctx))
        line, ctx.meta[HINT] = complete_line(args, options)
        return super().parse_args(ctx, line)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            _check_foreign_name(args[0])
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        items: list[Any] = super().shell_complete(ctx, incomplete)
        if not incomplete.startswith("-"):
            return items
        command = self.commands[DEFAULT_COMMAND]
        with command.make_context(DEFAULT_COMMAND, [], parent=ctx, resilient_parsing=True) as inner:
            values = {item.value for item in items}
            return items + [item for item in command.shell_complete(inner, incomplete) if item.value not in values]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        rows = COMMANDS.values()
        sections = {
            group: [(f"{row.name} {row.needs}".rstrip(), row.summary) for row in rows if row.group == group]
            for group in COMMAND_GROUPS
        }
        write_sections(formatter, sections)
        write_options(formatter, ctx, self.get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        result = super().invoke(ctx)
        if ctx.meta[HINT] and sys.stderr is not None:
            print(ctx.meta[HINT], file=sys.stderr)  # noqa: T201
        return result


HINT = "lstm_explain.hint"
"""The key of a context's line about what was not typed."""


def complete_line(words: list[str], options: Container[str]) -> tuple[list[str], str]:
    """Add the command to a line that has none, and turn `help` into an option.

    Args:
        words: what was typed after the program's name.
        options: the program's own options.

    Returns:
        The line to run, and a line about it to print below the answer, or ''.
    """
    if not words:
        return [DEFAULT_COMMAND], BARE_HINT
    first = words[0]
    if first == "help":
        return [*words[1:2], "--help"], ""
    if first in COMMANDS or first in options:
        return [first, "--help"] if words[1:] == ["help"] else words, ""
    if first.startswith("-") and first != "-":  # options before their command, or without one
        index = next((index for index, word in enumerate(words) if word in COMMANDS), len(words))
        return [*(words[index : index + 1] or [DEFAULT_COMMAND]), *words[:index], *words[index + 1 :]], ""
    return _complete_file(words)


def _complete_file(words: list[str]) -> tuple[list[str], str]:
    """Add the command to a line that begins with a file."""
    role = file_role(words[0])
    if role == "data":
        return [DEFAULT_COMMAND, *words], TABLE_HINT
    if role is not None or os.path.isfile(words[0]):  # noqa: PTH113 - at every start
        return ["model", *words], ""
    return words, ""


def _check_foreign_name(name: str) -> None:
    """Raise `UsageError` if other programs have a command of this name, or nearly, with what there is here instead."""
    from difflib import get_close_matches

    from lstm_explain.cli.foreign_names import COMMANDS as FOREIGN_COMMANDS

    check_not_size(name)
    key = name.lower().replace("_", "-")
    if key not in FOREIGN_COMMANDS:
        nearest = get_close_matches(key[:40], [*COMMANDS, *FOREIGN_COMMANDS], n=1, cutoff=MIN_SIMILARITY)
        key = nearest[0] if nearest else ""
    if key in FOREIGN_COMMANDS:
        raise UsageError(printable(name), *FOREIGN_COMMANDS[key])


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
    app.command(name, cls=LstmCommand, help=f"{summary}\n\n{details}", short_help=summary, context_settings=HELP_SETTINGS)(
        function
    )
    return typer.main.get_command(app)
