"""`lstm-explain shapes`"""

from __future__ import annotations

from lstm_explain.cli.options import OutputOptions, SourceOptions, grouped


@grouped
def shapes(source: SourceOptions, output: OutputOptions) -> None:
    """Show the shape of every tensor from input to output.

    \b
    Examples:
      lstm-explain shapes --samples 1000 --timesteps 10 --features 5 --units 10
      lstm-explain shapes --layers 2 --bidirectional
      lstm-explain shapes --data my.csv --units 32
      lstm-explain shapes --json | jq '.tensors[] | {name, shape}'

    Builds the LSTM, runs it over all samples and reads each shape off a real array: what goes in, one timestep
    inside the layer, the weights, what comes out. Then what one unit reads, owns and emits, the parameters counted as
    Keras, PyTorch and ONNX count them, and the cost. A run that does not fit the memory budget is computed instead,
    and marked so.
    """
    from lstm_explain.cli.output import OBJECT_FORMATS, chosen_format, show
    from lstm_explain.cli.source import lstm_from
    from lstm_explain.explain.shapes import explain_shapes

    chosen = chosen_format(output, OBJECT_FORMATS, "shapes")
    show(explain_shapes(lstm_from(source, output.output)), output, chosen)
