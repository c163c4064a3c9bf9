"""The commands that there are, each built only when it is called or listed: starting one does not pay for the others."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = (
    "shapes",
    "unit",
    "trace",
    "influence",
    "memory",
    "equations",
    "tasks",
    "terms",
    "frameworks",
    "tour",
    "window",
    "model",
    "convert",
    "verify",
    "explore",
    "quiz",
    "schema",
)
"""Each is a function of its own name in a module of its own name."""

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
        raise TypeError("commands are added to COMMANDS")

    def __delitem__(self, name: str) -> None:
        raise TypeError("commands are removed from COMMANDS")


def _build_command(name: str) -> Any:
    function = getattr(import_module(f"lstm_explain.cli.{name}"), name)
    alone = typer.Typer(rich_markup_mode=None, add_completion=False)
    alone.command(name, context_settings=HELP_NAMES)(function)
    return typer.main.get_command(alone)
