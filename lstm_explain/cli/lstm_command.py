"""The class of every command: what may be typed beyond its options, and its help."""

from __future__ import annotations

from contextlib import suppress
from contextvars import copy_context
from typing import Any

from typer.core import TyperCommand

from lstm_explain.cli.help import write_options
from lstm_explain.cli.positionals import place_arguments, selecting_option, usage_of
from lstm_explain.cli.size_names import use_own_names
from lstm_explain.errors import UsageError


class LstmCommand(TyperCommand):
    """A command that takes frameworks' names of sizes too, and a unit, a chapter or a file without the name of its option."""

    allow_extra_args = True  # `place_arguments` has a use for them

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        options = {option for param in self.params for option in (*param.opts, *param.secondary_opts)}
        options.update(self.get_help_option_names(ctx))
        if ctx.resilient_parsing:  # completion: the line is not finished yet
            from lstm_explain.cli.completion import offer_values

            offer_values(self)
            with suppress(UsageError):
                args = use_own_names(args, options)
            return super().parse_args(ctx, args)
        ctx.args = place_arguments(self.params, ctx, super().parse_args(ctx, use_own_names(args, options)))
        if ctx.args:
            noun = "argument" if len(ctx.args) == 1 else "arguments"
            ctx.fail(f"Got unexpected extra {noun} ({' '.join(ctx.args)})")
        return []

    def invoke(self, ctx: Any) -> Any:
        context = copy_context()  # so that what was typed is forgotten after the command
        if "model" in ctx.params or "data" in ctx.params:
            from lstm_explain.topics.command_line import TYPED_SOURCE, CliSource

            typed = {name: ctx.params[name] for name in CliSource._fields if name in ctx.params}
            context.run(TYPED_SOURCE.set, CliSource(**typed))
        return context.run(super().invoke, ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        write_options(formatter, ctx, self.get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)] + usage_of(self.params)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        option = selecting_option(self.params)
        if option is None or incomplete.startswith("-") or (ctx.args and not option.multiple):
            return super().shell_complete(ctx, incomplete)
        values: list[Any] = option.shell_complete(ctx, incomplete)
        return values
