"""`lstm-explain equations`"""

from __future__ import annotations

from typing import Annotated

import typer

from lstm_explain.cli.choices import NOTATIONS
from lstm_explain.cli.options import OutputOptions, SelectionOptions, SourceOptions, with_option_groups


@with_option_groups
def equations(
    selection: SelectionOptions,
    source: SourceOptions,
    output: OutputOptions,
    notation: Annotated[
        str | None,
        typer.Option(metavar="|".join(NOTATIONS), help="Whose notation. [default: pytorch]"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All notations next to each other, symbol by symbol.")] = False,
    numbers: Annotated[bool, typer.Option("--numbers", help="Put one unit's numbers in.")] = False,
    unit: Annotated[int | None, typer.Option(help="Whose numbers; counts from 0. [default: 0]")] = None,
    step: Annotated[int | None, typer.Option(help="Of which timestep; counts from 1. [default: 4, or the last]")] = None,
) -> None:
    """Examples:
      lstm-explain equations
      lstm-explain equations keras --units 32
      lstm-explain equations ng --numbers --unit 3 --step 4
      lstm-explain equations --all
      lstm-explain equations goodfellow -o equations.md

    The notations are those of PyTorch's documentation, the source of Keras, the ONNX operator, Andrew Ng's course (ng),
    Christopher Olah's page "Understanding LSTM Networks" (colah), and the Deep Learning book (goodfellow). The equations
    are computed as written and compared with a run, and the page reports how close they are. In Markdown they are LaTeX,
    which GitHub renders.
    """
    from lstm_explain.cli.output import show_topic

    numbers_of = (unit, step, selection.sample, *selection.layer_direction)
    show_topic("equations", output, source, notation, every, numbers, *numbers_of, lengths=selection.lengths)
