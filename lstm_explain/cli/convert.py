"""`lstm-explain convert`"""

from __future__ import annotations

from typing import Annotated

import typer

from lstm_explain.cli.options import OutputOptions, grouped


@grouped
def convert(
    output: OutputOptions,
    source: Annotated[str, typer.Argument(metavar="FROM", help="The model file, and which LSTM of it: FILE[#LAYER].")],
    target: Annotated[
        str | None, typer.Argument(metavar="[TO]", help="The file to write: .npz, .safetensors or .onnx. Without it, none.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="NAME", help="The framework to write for. [default: onnx for .onnx, else keras]")
    ] = None,
    convention: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which framework wrote the model, where its names do not tell.")
    ] = None,
    max_memory: Annotated[str, typer.Option(metavar="SIZE", help="Refuse to use more memory than this.")] = "1GiB",
) -> None:
    """Write an LSTM's weights for another framework.

    \b
    Examples:
      lstm-explain convert checkpoint.pt#encoder.lstm weights.npz --to keras
      lstm-explain convert model.keras weights.safetensors --to pytorch
      lstm-explain convert checkpoint.pt lstm.onnx
      lstm-explain convert checkpoint.pt --to flax-linen --json | jq .done

    Shows what was done to the weights: gates reordered, axes turned, kernels joined, two biases added up or one
    written as two, a forget bias taken away that the framework adds when it runs. Then reads them back, runs both,
    and shows the largest difference. A wrong order of gates raises no error anywhere, so this is checked each time.
    """
    from pathlib import Path

    from lstm_explain.cli.options import memory_size, spelled
    from lstm_explain.cli.output import OBJECT_FORMATS, chosen_format, show
    from lstm_explain.cli.source import check_apart, file_and_layer
    from lstm_explain.cli.writing import write
    from lstm_explain.explain.convert import explain_convert
    from lstm_explain.library import from_model
    from lstm_explain.readers.opening import shown
    from lstm_explain.render.weights_files import weights_file

    chosen = chosen_format(output, OBJECT_FORMATS, "convert")
    file, layer = file_and_layer(source)
    for place in (output.output, target):
        check_apart(file, place)
    suffix = "" if target is None else Path(target).suffix.lower()
    lstm = from_model(file, layer, convention=convention, max_memory=memory_size("--max-memory", max_memory))
    made = explain_convert(lstm, to or ("onnx" if suffix == ".onnx" else "keras"))
    if target is not None:
        write([weights_file(made, suffix, spelled("convert", target))], target)
    show(made, output, chosen, **({} if target is None else {"file": shown(Path(target).name)}))
