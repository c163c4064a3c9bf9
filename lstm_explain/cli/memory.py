"""`lstm-explain memory`"""

from __future__ import annotations

from typing import Annotated

import typer

from lstm_explain.cli.options import OutputOptions, SelectionOptions, SourceOptions, parse_selection, with_option_groups


@with_option_groups
def memory(
    selection: SelectionOptions,
    source: SourceOptions,
    output: OutputOptions,
    unit: Annotated[str | None, typer.Option(metavar="0,3,7-9", help="Which units to show, or all.")] = None,
    carry_state: Annotated[
        bool, typer.Option("--carry-state", help="Take the samples as consecutive pieces of one long sequence.")
    ] = False,
) -> None:
    """Examples:
      lstm-explain memory
      lstm-explain memory --sample 7 --unit 0,3,7-9
      lstm-explain memory --init pytorch
      lstm-explain memory --timesteps 1
      lstm-explain memory --carry-state --sample 500
      lstm-explain memory --json | jq .mean_half_life

    Shows how much of the last c was written in the last timesteps, what each timestep left in it, and the half-life of each
    unit. Runs the same LSTM under both initialisers to show what the forget bias does. With --carry-state, every sample starts
    from the state in which the previous one ended; you see the states in between, and what you would lose by resetting them.
    """
    from lstm_explain.cli.output import choose_format, show_result
    from lstm_explain.cli.progress import with_progress
    from lstm_explain.cli.source import build_lstm
    from lstm_explain.topics.memory import explain_memory
    from lstm_explain.topics.selection import unit_count

    chosen = choose_format(output, "memory")
    lstm = build_lstm(source, output.output, selection.lengths)
    units = None if unit is None else parse_selection("--unit", unit, 0, unit_count(lstm.spec, selection.layer or 0) - 1)
    explanation = explain_memory(
        lstm,
        selection.sample,
        units,
        *selection.layer_direction,
        carry_state,
        watched=lambda blocks: with_progress(blocks, lstm.spec.samples),
    )
    show_result(explanation, output, chosen, every_unit=units is not None)
