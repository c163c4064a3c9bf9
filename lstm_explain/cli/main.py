"""The program: its commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from lstm_explain.cli.commands import HELP_SETTINGS, CommandGroup
from lstm_explain.cli.output_file import ReaderGoneError
from lstm_explain.errors import LstmExplainError, OutputError, RefusedError
from lstm_explain.version import __version__

BUG, INTERRUPTED = 1, 130
DEBUG = "--debug"
COMPLETE_VARIABLE = "_LSTM_EXPLAIN_COMPLETE"
"""The variable of the environment in which a shell's script asks for completions."""
REPORT = "This is a bug in lstm-explain. Run again with `lstm-explain --debug ...` and report what it prints."

app = typer.Typer(
    name="lstm-explain",
    cls=CommandGroup,
    rich_markup_mode=None,  # rich markup would read [samples, timesteps] in a help text as a style, and loads rich
    pretty_exceptions_enable=False,
    context_settings=HELP_SETTINGS,
)


def _print_version(asked: bool) -> None:
    if asked:
        from lstm_explain.cli.output_file import write_output

        write_output([f"lstm-explain {__version__}\n".encode()], None)
        raise typer.Exit


@app.callback()
def lstm_explain(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option(DEBUG, help="Show the traceback of an error; anywhere on the line.")] = False,
) -> None:
    """Build a real LSTM and explain it: every shape, every unit, every timestep.

    \b
    Examples:
      lstm-explain tour
      lstm-explain --units 10 --timesteps 20 --features 3
      lstm-explain unit 3 --step 4
      lstm-explain model.pt
      lstm-explain trace my.csv --json | jq .steps

    Commands need nothing but the words in capitals below; without options they explain the founding example: 1000 samples
    of 10 timesteps of 5 features, read by 10 units. explore and quiz ask at a terminal. Without a command, shapes is run.
    Frameworks' names of sizes are options too: --hidden-size is --units, --seq-len is --timesteps.
    """


def program() -> NoReturn:
    """The console script: `main`, and out at once.

    Python would take numpy and typer down module by module, which is a tenth of a short run, though nothing is left to do:
    every answer is written and every file closed by then.
    """
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # closed, or gone: `main` has seen to that
            stream.flush()
    os._exit(code)


def main() -> NoReturn:
    """Run the program and leave with the documented exit code (docs/messages.md)."""
    try:
        _run_app()
    except SystemExit as stop:
        if stop.code == 1:  # typer leaves so where a help text meets a closed pipe, and nowhere else
            _exit_with_message(ReaderGoneError.exit_code, "")
        raise
    except KeyboardInterrupt:
        _exit_with_message(INTERRUPTED, "interrupted")
    except LstmExplainError as error:
        from lstm_explain.topics.command_line import spell_option

        _exit_with_message(error.exit_code, "" if isinstance(error, ReaderGoneError) else error.message(spell_option))
    except MemoryError:
        _exit_with_message(RefusedError.exit_code, "the system does not have enough memory for this. Ask for less.")
    except OSError as error:
        _exit_with_message(OutputError.exit_code, f"standard output: {error.strerror or 'it is closed'}.")
    except Exception as error:
        _exit_with_message(BUG, f"{type(error).__name__}: {error}\n{REPORT}")


def _run_app() -> NoReturn:
    if sys.stdout is None:
        sys.stdout = open(os.devnull)  # noqa: PTH123, SIM115 - closed: writing to it shall fail, not vanish
    if COMPLETE_VARIABLE in os.environ:
        from lstm_explain.cli.completion import prepare_completion

        prepare_completion()
    app([argument for argument in sys.argv[1:] if argument != DEBUG], prog_name="lstm-explain")
    sys.exit(0)


def _exit_with_message(code: int, message: str) -> NoReturn:
    if DEBUG in sys.argv[1:]:
        import traceback

        traceback.print_exc()
    if message and sys.stderr is not None:
        try:
            print(f"Error: {message}", file=sys.stderr)  # noqa: T201
        except OSError:
            _discard_output(2)
    if code in (OutputError.exit_code, ReaderGoneError.exit_code):
        _discard_output(1)
    sys.exit(code)


def _discard_output(descriptor: int) -> None:
    """What Python would still flush there at its end goes nowhere, instead of failing a second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
