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

    Shows the weights that the unit owns, by gate; and its two scalars h and c, with its gates, at every timestep. With
    --step, every product of that timestep, the sums, the activations, and how c and h come of them. Units, samples
    and layers count from 0, timesteps from 1, because h and c at 0 are the initial states.
    """
    from lstm_explain.cli.output import show_topic

    selected = (unit, selection.sample, step, *selection.layer_direction)
    show_topic("unit", output, source, *selected, lengths=selection.lengths, edits=edits)
