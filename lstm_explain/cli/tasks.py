"""`lstm-explain tasks`"""

from __future__ import annotations

from typing import Annotated

import typer

from lstm_explain.cli.options import Lengths, OutputOptions, SourceOptions, with_option_groups


@with_option_groups
def tasks(
    source: SourceOptions,
    output: OutputOptions,
    task: Annotated[
        str | None, typer.Argument(metavar="TASK", help="Which task; without it, an overview of all five.")
    ] = None,
    outputs: Annotated[int, typer.Option(help="How many outputs the dense layer makes at a time.")] = 1,
    steps_out: Annotated[
        int | None,
        typer.Option(help="At how many steps one-to-many and encoder-decoder make outputs. [default: timesteps]"),
    ] = None,
    sample: Annotated[int, typer.Option(help="Which sample; counts from 0.")] = 0,
    lengths: Lengths = None,
) -> None:
    """Examples:
      lstm-explain tasks
      lstm-explain tasks many-to-one --outputs 3
      lstm-explain tasks encoder-decoder --steps-out 4
      lstm-explain tasks many-to-one --bidirectional --layers 2
      lstm-explain tasks many-to-one --json | jq ".tasks[0].checks"

    The tasks are one-to-one, one-to-many, many-to-one, many-to-many and encoder-decoder. Without a task: the five networks
    next to each other. With a task: the network unrolled, the shape of every tensor, where h goes, the parameters, the code
    in Keras and PyTorch, and the mistakes that raise no error. Every network is built from the LSTM and a dense layer, and
    run.
    """
    from lstm_explain.cli.output import show_topic

    show_topic("tasks", output, source, task, outputs, steps_out, sample, lengths=lengths)
