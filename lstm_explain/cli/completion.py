"""Completion of a line in the shell: the values of closed lists, without numpy and without rich."""

from __future__ import annotations

from functools import partial
from typing import Any

from lstm_explain.cli.choices import values_of


def prepare_completion() -> None:
    """Let zsh and fish have the explanations of values as they are: typer would load rich to take markup out of them."""
    from typer import _completion_classes

    _completion_classes._sanitize_help_text = lambda text: text


def offer_values(command: Any) -> None:
    """Let the parameters of a command complete the values that their types do not list."""
    for param in command.params:
        values = values_of(command.name, param.name)
        if values:
            param.shell_complete = partial(_complete, values)


def _complete(values: tuple[str, ...], _ctx: Any, incomplete: str) -> list[Any]:
    from typer._click.shell_completion import CompletionItem

    return [CompletionItem(value) for value in values if value.startswith(incomplete.lower())]
