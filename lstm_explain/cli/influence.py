"""`lstm-explain influence`"""

from __future__ import annotations

from typing import Annotated

import typer

from lstm_explain.cli.options import OutputOptions, SelectionOptions, SourceOptions, with_option_groups


@with_option_groups
def influence(
    selection: SelectionOptions,
    source: SourceOptions,
    output: OutputOptions,
    unit: Annotated[int, typer.Option(help="Which unit the statements change; counts from 0.")] = 0,
    step: Annotated[int | None, typer.Option(help="Which timestep; counts from 1. [default: the last read]")] = None,
    mean: Annotated[bool, typer.Option("--mean", help="Average over all timesteps of all samples.")] = False,
    through_time: Annotated[
        bool, typer.Option("--through-time", help="Follow the last state back to every timestep and input.")
    ] = False,
    poke: Annotated[
        int | None, typer.Option(metavar="UNIT", help="Change what this unit outputs, and follow the change.")
    ] = None,
    at: Annotated[int | None, typer.Option(metavar="T", help="The timestep of that poke. [default: the first]")] = None,
    by: Annotated[float, typer.Option(help="By how much the numbers are changed.")] = 0.1,
) -> None:
    """Examples:
      lstm-explain influence 3
      lstm-explain influence --mean
      lstm-explain influence --through-time
      lstm-explain influence --poke 3 --at 4 --by 0.1
      lstm-explain influence --json | jq .statements

    Changes c, h and the weights of one unit of the real LSTM, and counts what moves: at the same timestep the unit
    alone, one timestep later all units. Then come the derivatives of h_t and c_t by h_{t-1}, c_{t-1} and x_t, in closed
    form: the diagonal is a unit's influence on itself, the rest that of other units. With --poke, the page begins with
    how a change of one unit's output goes on to the end.
    """
    from lstm_explain.cli.output import show_topic

    selected = (unit, selection.sample, step, *selection.layer_direction)
    show_topic(
        "influence",
        output,
        source,
        *selected,
        lengths=selection.lengths,
        progress=True,
        mean=mean,
        through_time=through_time,
        poke=poke,
        at=at,
        by=by,
    )
