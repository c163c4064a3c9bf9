"""`lstm-explain tour`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lstm_explain.cli.options import Format, Lengths, OutputOptions, SourceOptions, with_option_groups
from lstm_explain.cli.prompt import ask_line, check_terminal, streams_without_terminal
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
    lengths: Lengths = None,
) -> None:
    """Examples:
      lstm-explain tour
      lstm-explain tour --units 32 --layers 2 --bidirectional
      lstm-explain tour sharing 4
      lstm-explain tour --model model.pt --no-pause
      lstm-explain tour -o handout.md

    For readers without any background. The chapters are 1 circles, 2 unit, 3 sharing, 4 states, 5 outputs and 6 words. Each
    asks you a question first. Enter shows the answer, the measurements that prove it, and commands that show more.
    In a terminal: Enter goes on, b goes back, a number goes to that chapter, c lists the chapters, q leaves. Into a pipe
    or a file, or with --no-pause, the tour is written straight through.
    """
    from lstm_explain.cli.output import choose_format, show_document, show_result
    from lstm_explain.cli.source import build_lstm

    chosen = choose_format(output, "tour", OBJECT_FORMATS)
    should_wait = _should_wait(pause, output, chosen)
    from lstm_explain.apps.tour.chapter import TourContext
    from lstm_explain.apps.tour.tour import Tour, select_chapters, tour_document

    chapters = select_chapters(chapter or ())
    lstm = build_lstm(source, output.output, lengths)
    tour_result = Tour(TourContext(lstm, lstm.validate_sample(sample)), chapters)
    if should_wait:
        _read_tour(tour_result, output)
    elif chosen is Format.json:
        show_result(tour_result, output, chosen)
    else:
        show_document(tour_document(tour_result), output, chosen, tour_result.topic)


def _should_wait(pause: bool | None, output: OutputOptions, chosen: Format) -> bool:
    """Whether to wait for the reader between question and answer."""
    is_table = output.output is None and chosen is Format.table
    if not pause:
        return pause is None and is_table and not streams_without_terminal("input", "output")
    fix = "Leave --pause out to have the tour printed straight through"
    if not is_table:
        raise UsageError("--pause", "only a tour that is read as a table in a terminal can wait", fix)
    check_terminal("--pause", fix, "input", "output")
    return True


def _read_tour(tour_result: Tour, output: OutputOptions) -> None:
    from lstm_explain.apps.tour.session import run_session
    from lstm_explain.cli.output import show_document
    from lstm_explain.cli.output_file import write_output

    def show(blocks: Document) -> None:
        write_output([b"\n"], None)
        show_document(blocks, output, Format.table, tour_result.topic)

    run_session(tour_result, show, lambda prompt: ask_line(f"\n{prompt}"))
