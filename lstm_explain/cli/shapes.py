"""`lstm-explain shapes`"""

from typing import Annotated, NamedTuple

import typer

from lstm_explain.cli.options import Lengths, OutputOptions, SourceOptions, with_option_groups


class ShapesOptions(NamedTuple):
    """How much to show; padding; in whose names, and what is asked of that framework's call."""

    every: Annotated[bool, typer.Option("--all", help="Show every tensor, the parameters and the cost.")] = False
    lengths: Lengths = None
    framework: Annotated[
        str | None, typer.Option(metavar="NAME", help="In the names and layouts of pytorch, keras, onnx or flax.")
    ] = None
    batch_first: Annotated[bool, typer.Option("--batch-first", help="PyTorch's batch_first=True.")] = False
    return_sequences: Annotated[bool, typer.Option("--return-sequences", help="Keras' return_sequences=True.")] = False
    return_state: Annotated[
        bool, typer.Option("--return-state", help="Keras' return_state=True, or Flax's return_carry=True.")
    ] = False
    layout: Annotated[int | None, typer.Option(help="ONNX's layout, 0 or 1.")] = None


@with_option_groups
def shapes(
    source: SourceOptions,
    call: ShapesOptions,
    output: OutputOptions,
) -> None:
    """Examples:
      lstm-explain shapes --samples 1000 --timesteps 10 --features 5 --units 10
      lstm-explain shapes --layers 2 --bidirectional
      lstm-explain shapes --data my.csv --units 32
      lstm-explain shapes pytorch --layers 2 --bidirectional
      lstm-explain shapes --json | jq ".tensors[] | {name, shape}"

    Builds the LSTM, runs it over all samples and reads each shape off a real array. The first screen answers what a circle is,
    whether units share information, and what a unit takes in and outputs. --all shows every
    tensor, the parameters as Keras, PyTorch and ONNX count them, and the cost. A run that does not fit the memory budget is
    computed instead, and marked so.

    With --framework the same in a framework's own words: the layout of its input, its weights by name, the tensors
    that its call returns, and which slices of these hold the same numbers, compared on the run.
    """
    from lstm_explain.cli.output import choose_format, show_result
    from lstm_explain.cli.source import build_lstm
    from lstm_explain.topics.shapes import explain_shapes

    chosen = choose_format(output, "shapes")
    framework_options = call._asdict()
    every = framework_options.pop("every")
    lstm = build_lstm(source, output.output, framework_options.pop("lengths"))
    show_result(explain_shapes(lstm, **framework_options), output, chosen, every=every)
