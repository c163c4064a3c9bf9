"""`lstm-explain model`"""

from __future__ import annotations

from typing import Annotated

import typer

from lstm_explain.cli.options import MaxMemory, OutputOptions, with_option_groups


@with_option_groups
def model(
    output: OutputOptions,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The model file.")],
    convention: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which framework wrote it, where its names do not tell.")
    ] = None,
    max_memory: MaxMemory = "1GiB",
) -> None:
    """Examples:
      lstm-explain model checkpoint.pt
      lstm-explain model model.keras --json | jq ".lstms[].name"
      lstm-explain shapes --model checkpoint.pt#encoder.lstm
      lstm-explain unit 3 --step 4 --model model.keras#lstm_1

    Reads files of PyTorch, Keras, ONNX, Flax, safetensors and NumPy, and shows for each LSTM its name, framework,
    sizes, options, gate order, biases and parameters, and its tensors in the file. No code in the file is run,
    and no other file is opened. Then every topic takes --model FILE#NAME.
    """
    from pathlib import Path

    from lstm_explain.cli.options import parse_memory_size
    from lstm_explain.cli.output import choose_format, show_result
    from lstm_explain.cli.source import check_not_overwriting, split_model_name
    from lstm_explain.errors import InputFileError, UsageError, printable
    from lstm_explain.readers.identify.model_lstm import no_lstm_error
    from lstm_explain.readers.model_file import read_model
    from lstm_explain.topics.command_line import join_words
    from lstm_explain.topics.lookup import find_framework
    from lstm_explain.topics.model import explain_model

    chosen = choose_format(output, "model")
    path, layer = split_model_name(file)
    if layer is not None and not Path(file).exists() and Path(path).is_file():
        problem = f"model lists all layers of a file; #{printable(layer)} chooses one for the topics"
        fix = f"Name {printable(path)} alone here, or ask for a topic: lstm-explain shapes --model {printable(file)}"
        raise UsageError(printable(file), problem, fix)
    check_not_overwriting(file, output.output)
    budget = parse_memory_size("--max-memory", max_memory)
    framework = None if convention is None else find_framework(convention, "convention").name
    lstms = read_model(file, budget, framework)
    short = printable(Path(file).name)
    if not lstms:
        error = no_lstm_error(short)
        if path.lower().endswith(".npz"):
            raise InputFileError(
                error.asked,
                error.found,
                f"{error.fix}. If it has inputs: {join_words(['lstm-explain', 'shapes', '--data', printable(file)])}",
            )
        raise error
    show_result(explain_model(lstms, short), output, chosen, convention=framework)
