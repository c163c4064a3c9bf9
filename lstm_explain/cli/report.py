"""`lstm-explain report`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lstm_explain.cli.options import (
    EditOptions,
    SelectionOptions,
    SourceOptions,
    parse_memory_size,
    quote_option,
    with_option_groups,
)
from lstm_explain.errors import UsageError

SUFFIXES = (".html", ".htm")


@with_option_groups
def report(
    selection: SelectionOptions,
    source: SourceOptions,
    edits: EditOptions,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="The file to write, whole or not at all.")
    ] = None,
    unit: Annotated[int, typer.Option(help="Which unit the page shows first; counts from 0.")] = 0,
    step: Annotated[
        int | None, typer.Option(help="Which timestep it shows first; counts from 1. [default: the second that is read]")
    ] = None,
    samples_in_page: Annotated[
        int, typer.Option(metavar="N", help="How many samples to choose from, beginning with --sample.")
    ] = 8,
    max_page: Annotated[
        str, typer.Option(metavar="SIZE", help="The largest file; samples that do not fit are left out.")
    ] = "5MB",
) -> None:
    """Examples:
      lstm-explain report -o lstm.html
      lstm-explain report -o lstm.html --units 4 --timesteps 6 --features 2
      lstm-explain report -o lstm.html --model model.keras --data my.npy
      lstm-explain report -o lstm.html --edit "h_3[4]=0.5"

    Open the file in a browser: click a unit at a timestep, read how its numbers were computed, change one, and see what
    moves. It is one file that needs no network, to send, to show or to print. What you see is in the page's address, so a
    copied link shows it again. The page names the command for each view.
    """
    if output is None:
        raise UsageError("report", "Missing option -o: a page is a file", "Add -o lstm.html")
    if output != "-" and Path(output).suffix.lower() not in SUFFIXES:
        raise UsageError(quote_option("-o", output), "a page is HTML", f"End it in {' or '.join(SUFFIXES)}")
    if samples_in_page < 1:
        raise UsageError(f"--samples-in-page {samples_in_page}", "a page needs at least one sample", "Give 1 or more")
    limit = parse_memory_size("--max-page", max_page)
    from lstm_explain.apps.report.page import build_report
    from lstm_explain.cli.output_file import write_output
    from lstm_explain.cli.source import apply_edits, build_lstm

    lstm = apply_edits(build_lstm(source, output, selection.lengths), edits)
    layer, direction = selection.layer_direction
    page = build_report(
        lstm,
        sample=selection.sample,
        layer=layer,
        direction=direction,
        unit=unit,
        step=step,
        samples_in_page=samples_in_page,
        max_page=limit,
    )
    write_output([page.html.encode()], output)
