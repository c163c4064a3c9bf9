"""`lstm-explain tour`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lstm_explain.cli.options import Format, OutputOptions, SourceOptions, with_option_groups
from lstm_explain.errors import UsageError
from lstm_explain.topics.registry import OBJECT_FORMATS

if TYPE_CHECKING:
    from lstm_explain.apps.tour.tour import Tour
    from lstm_explain.document.blocks import Document


@with_option_groups
def tour(
    source: SourceOptions,
    output: OutputOptions,
    chapter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|NUMBER", help="Only this chapter; may be given several times.", show_default=False),
    ] = None,
    pause: Annotated[
        bool | None,
        typer.Option(
            "--pause/--no-pause",
            help="Wait for Enter before each answer. [default: wait in a terminal]",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[int, typer.Option(help="Which sample; counts from 0.")] = 0,
    lengths: Annotated[
        str | None, typer.Option(metavar="10,7,3", help="How many timesteps of each sample are run; the rest is padding.")
    ] = None,
) -> None:
    """Examples:
      lstm-explain tour
      lstm-explain tour --units 32 --layers 2 --bidirectional
      lstm-explain tour --chapter sharing --chapter 4
      lstm-explain tour --model model.pt --no-pause
      lstm-explain tour -o handout.md

    For those who have read nothing. The chapters are 1 circles, 2 unit, 3 sharing, 4 states, 5 outputs and 6 words. Each
    asks you a question first. Enter shows the answer, what was measured to prove it, and the commands that show more.
    In a terminal: Enter goes on, b goes back, a number goes to that chapter, c lists the chapters, q leaves. Into a pipe
    or a file, or with --no-pause, the tour is written straight through.
    """
    from lstm_explain.cli.output import choose_format, show_document, show_result
    from lstm_explain.cli.source import build_lstm, to_cli_source

    chosen = choose_format(output, "tour", OBJECT_FORMATS)
    waits = _waits(pause, output, chosen)
    from lstm_explain.apps.tour.chapter import TourContext
    from lstm_explain.apps.tour.tour import Tour, select_chapters, tour_document

    chapters = select_chapters(chapter or ())
    lstm = build_lstm(source, output.output, lengths)
    tour_result = Tour(TourContext(lstm, to_cli_source(source), lstm.validate_sample(sample)), chapters)
    if waits:
        _read_tour(tour_result, output)
    elif chosen is Format.json:
        show_result(tour_result, output, chosen)
    else:
        show_document(tour_document(tour_result), output, chosen, tour_result.topic)


def _waits(pause: bool | None, output: OutputOptions, chosen: Format) -> bool:
    """Whether to wait for the reader between question and answer."""
    streams = (("standard input", sys.stdin), ("standard output", sys.stdout))
    without = [name for name, stream in streams if stream is None or stream.closed or not stream.isatty()]
    if not pause:
        return pause is None and not without and output.output is None and chosen is Format.table
    fix = "Leave --pause out to have the tour printed straight through"
    if output.output is not None or chosen is not Format.table:
        raise UsageError("--pause", "only a tour that is read as a table in a terminal can wait", fix)
    if without:
        verb = "are not terminals" if without[1:] else "is not a terminal"
        raise UsageError("--pause", f"{' and '.join(without)} {verb}", fix)
    return True


# --- read in a terminal -----------------------------------------------------------------------------------------------


def _read_tour(tour_result: Tour, output: OutputOptions) -> None:
    from lstm_explain.apps.tour.session import run_session
    from lstm_explain.cli.output import show_document
    from lstm_explain.cli.output_file import write_output

    def shown(blocks: Document) -> None:
        write_output([b"\n"], None)
        show_document(blocks, output, Format.table, tour_result.topic)

    try:
        run_session(tour_result, shown, _line_after)
    except KeyboardInterrupt:
        write_output([b"\n"], None)  # what follows begins on a new line
        raise


def _line_after(prompt: str) -> str | None:
    """Print the prompt and wait for a line; None where the input has ended."""
    from lstm_explain.cli.output_file import write_output
    from lstm_explain.cli.prompt import read_line

    write_output([f"\n{prompt}".encode("ascii")], None)
    try:
        line = read_line()
    except OSError:  # the terminal is gone
        line = b""
    if not line:
        write_output([b"\n"], None)
        return None
    return line.decode(errors="replace")
