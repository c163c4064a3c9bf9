"""`lstm-explain explore`"""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstm_explain.cli.options import (
    Color,
    EditOptions,
    Format,
    OutputOptions,
    SelectionOptions,
    SourceOptions,
    Theme,
    ThemeChoice,
    with_option_groups,
)
from lstm_explain.cli.prompt import check_terminal
from lstm_explain.errors import UsageError
from lstm_explain.topics.registry import OBJECT_FORMATS, ROW_FORMATS

if TYPE_CHECKING:
    from lstm_explain.apps.explorer.app import Explorer
    from lstm_explain.apps.explorer.state import ExplorerState


@with_option_groups
def explore(
    selection: SelectionOptions,
    source: SourceOptions,
    edits: EditOptions,
    unit: Annotated[int, typer.Option(help="Which unit to begin at; counts from 0.")] = 0,
    step: Annotated[
        int | None, typer.Option(help="Which timestep to begin at; counts from 1. [default: the second that is read]")
    ] = None,
    color: Annotated[Color, typer.Option(help="When to colour; NO_COLOR is honoured.")] = "auto",
    theme: Theme = "auto",
    plain: Annotated[bool, typer.Option("--ascii", help="Use no characters beyond ASCII.")] = False,
) -> None:
    """Examples:
      lstm-explain explore
      lstm-explain explore --units 4 --timesteps 20 --features 2
      lstm-explain explore --model model.pt --data my.npy --sample 3
      lstm-explain explore --unit 3 --step 4 --edit "h_3[3]=0.6"

    Every key is shown at the foot of the screen; ? is help. Leaving prints the command lines that show the same. It needs a
    terminal of 80 columns and 24 rows or more, and a mouse is of use but not needed. Without a terminal, ask `unit` or
    `trace`, which take --edit too.
    """
    fix = "Use `lstm-explain unit --step 4` or `lstm-explain trace`, which print; both take --edit"
    check_terminal("explore", fix, "input", "output", "error")
    from lstm_explain.apps.explorer.actions import second_step_in_order
    from lstm_explain.apps.explorer.state import ExplorerState, list_commands
    from lstm_explain.apps.explorer.view_model import build_view_model
    from lstm_explain.cli.output_file import write_output
    from lstm_explain.cli.source import apply_edits, build_lstm
    from lstm_explain.topics.selection import check_layer, check_run_step, check_unit

    lstm = apply_edits(build_lstm(source, None, selection.lengths), edits)
    layer, direction = check_layer(lstm.spec, *selection.layer_direction)
    sample, unit = lstm.validate_sample(selection.sample), check_unit(lstm.spec.for_layer(layer), unit)
    state = ExplorerState(replace(lstm, edits=()), lstm.edits, sample, layer, direction, unit=unit)
    state = state.evolve(
        step=second_step_in_order(state) if step is None else check_run_step(lstm.spec, "step", step, sample, state.length)
    )
    build_view_model(state)  # fail before the screen is taken
    last = _run(state, color, theme, not plain)
    write_output(["".join(f"# {command.shows}\n{command.line}\n" for command in list_commands(last)).encode()], None)


def _run(state: ExplorerState, color: Color, theme: ThemeChoice, unicode: bool) -> ExplorerState:
    """Take the screen, and give it back; the state at the end."""
    if color == "never":
        os.environ["NO_COLOR"] = "1"  # what Textual asks
    elif color == "always":
        os.environ.pop("NO_COLOR", None)
    from lstm_explain.apps.explorer.app import Explorer
    from lstm_explain.cli.output import choose_theme

    explorer = Explorer(state, _save, unicode, choose_theme(theme))
    explorer.run()
    if explorer.ended_by is signal.SIGINT:
        raise KeyboardInterrupt  # only now: the screen has been given back
    if explorer.ended_by is not None:
        signal.signal(explorer.ended_by, signal.SIG_DFL)
        signal.raise_signal(explorer.ended_by)
    if explorer.return_code:
        raise RuntimeError("the explorer ended with an error")
    return explorer.state


def _save(explorer: Explorer, name: str) -> str:
    """Write the explorer's screen or numbers to a file; return a message with the command that does the same."""
    from lstm_explain.apps.explorer import screen
    from lstm_explain.apps.explorer.state import explore_command, topic_command
    from lstm_explain.apps.explorer.view_model import build_view_model
    from lstm_explain.cli.output import SUFFIXES, choose_format, show_result
    from lstm_explain.cli.output_file import write_output
    from lstm_explain.cli.source import check_not_overwriting, split_model_name
    from lstm_explain.cli.trace import write_rows
    from lstm_explain.errors import printable
    from lstm_explain.render.markup import lines_to_svg
    from lstm_explain.topics.command_line import TYPED_SOURCE
    from lstm_explain.topics.trace import stream_trace
    from lstm_explain.topics.unit import explain_unit

    should_replace = name.endswith("!")
    name = os.path.expanduser(name.removesuffix("!"))  # noqa: PTH111 - the name as it was written, else
    if Path(name).suffix.lower() not in SUFFIXES:
        raise UsageError(printable(name), "unknown format", f"End it in {', '.join(SUFFIXES)}")
    if not should_replace and Path(name).is_file():
        raise UsageError(
            printable(name), "this file exists already", f"Choose another name, or write {printable(name)}! to replace it"
        )
    state, options = explorer.state, OutputOptions(output=name, color="never")
    typed = TYPED_SOURCE.get()
    for source in () if typed is None else (typed.data, typed.model):
        check_not_overwriting(None if source is None else split_model_name(source)[0], name)
    chosen = choose_format(options, "explore", (*OBJECT_FORMATS, *ROW_FORMATS))
    lstm = state.lstm.with_edits(state.edits)
    if chosen is Format.svg:
        page = screen.draw_screen(build_view_model(state), *explorer.size)
        write_output([lines_to_svg(page, explorer.size.width, "lstm-explain explore").encode()], name)
        return f"Wrote {name}, this screen. Again: {explore_command(state)}"
    if chosen in ROW_FORMATS:
        write_rows(stream_trace(lstm, state.sample), options, chosen)
        return f"Wrote {name}. Again: {topic_command(state, 'trace', name)}"
    unit = explain_unit(lstm, state.unit, state.sample, state.step, state.layer, state.direction.value)
    show_result(unit, options, chosen)
    return f"Wrote {name}. Again: {topic_command(state, 'unit', name)}"
