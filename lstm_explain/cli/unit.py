"""`lstm-explain unit`"""

from __future__ import annotations

from typing import Annotated

import typer

from lstm_explain.cli.options import EditOptions, OutputOptions, SelectionOptions, SourceOptions, with_option_groups


@with_option_groups
def unit(
    selection: SelectionOptions,
    source: SourceOptions,
    output: OutputOptions,
    edits: EditOptions,
    unit: Annotated[int, typer.Option(help="Which unit; counts from 0.")] = 0,
    step: Annotated[int | None, typer.Option(help="Write this timestep's arithmetic out; counts from 1.")] = None,
) -> None:
    """Examples:
      lstm-explain unit 3
      lstm-explain unit 3 --step 4
      lstm-explain unit 0 --sample 7 --layers 2 --layer 1
      lstm-explain unit 3 --step 4 --json | jq .arithmetic.forget_gate

    Draws one unit opened: what it reads, its four neurons, the c that it keeps and the h that it outputs. Below are
    its weights, and its gates, c and h at every timestep. With --step, one table has every product of that timestep
    and the four sums. Units, samples and layers count from 0, timesteps from 1: h and c at 0 are the initial states.
    """
    from lstm_explain.cli.output import show_topic

    selected = (unit, selection.sample, step, *selection.layer_direction)
    show_topic("unit", output, source, *selected, lengths=selection.lengths, edits=edits)
