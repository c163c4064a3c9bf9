"""`lstm-explain verify`"""

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from lstm_explain.cli.options import Color, Convention, Format, MaxMemory, Theme, with_option_groups

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.weight_variants import Biases
    from lstm_explain.readers.input_file import InputArray


class ViewOptions(NamedTuple):
    """Which view, and where it goes; --output is taken here."""

    format: Annotated[Format | None, typer.Option(help="The view: table, markdown, json or svg. [default: table]")] = None
    json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False
    answer: Annotated[str | None, typer.Option("-o", metavar="FILE", help="Write to a file, whole or not at all.")] = None
    color: Annotated[Color, typer.Option(help="When to colour; NO_COLOR and FORCE_COLOR are honoured.")] = "auto"
    theme: Theme = "auto"
    width: Annotated[int | None, typer.Option(help="Lay out for this many columns. [default: the terminal's, or 80]")] = None
    ascii: Annotated[bool, typer.Option("--ascii", help="Use no characters beyond ASCII.")] = False


@with_option_groups
def verify(
    view: ViewOptions,
    model: Annotated[str, typer.Argument(metavar="FILE[#LAYER]", help="The model file, and which LSTM of it.")],
    inputs: Annotated[str, typer.Option("--input", metavar="FILE", help="The inputs: a .npy, .npz or .csv file.")],
    outputs: Annotated[str, typer.Option("--output", metavar="FILE", help="The outputs that another program made of them.")],
    tolerance: Annotated[float, typer.Option(help="The largest difference that counts as agreement.")] = 1e-5,
    convention: Convention = None,
    max_memory: MaxMemory = "1GiB",
) -> None:
    """Examples:
      lstm-explain verify checkpoint.pt --input x.npy --output y.npy
      lstm-explain verify a.onnx#rnn --input x.npy --output y.npy --tolerance 1e-4
      lstm-explain verify w.npz --convention keras --input x.npy --output y.npy
      lstm-explain verify run.npz --input run.npz#x --output run.npz#output --json

    Runs the LSTM over the inputs and compares: h of every timestep, or the last h. If they do not agree, every other
    order of the gates is tried, and other rules for biases, layouts and directions, and you see the one that agrees. A
    wrong order of the gates raises no error. The exit code is 0 either way; `agrees` in the JSON is the verdict.
    """
    from lstm_explain.cli.options import OutputOptions, parse_memory_size
    from lstm_explain.cli.output import choose_format, show_result
    from lstm_explain.cli.source import check_not_overwriting, split_model_name
    from lstm_explain.library import from_model
    from lstm_explain.topics.command_line import TYPED_SOURCE, CliSource
    from lstm_explain.topics.verify import explain_verify

    options = OutputOptions(view.format, view.json, view.answer, view.color, view.theme, view.width, view.ascii)
    chosen = choose_format(options, "verify")
    file, layer = split_model_name(model)
    for read in (file, split_model_name(inputs)[0], split_model_name(outputs)[0]):
        check_not_overwriting(read, view.answer)
    budget = parse_memory_size("--max-memory", max_memory)
    batch, expected = _read_array("--input", inputs, budget), _read_array("--output", outputs, budget)
    TYPED_SOURCE.set(CliSource(model, convention, inputs, max_memory=max_memory))
    lstm = from_model(file, layer, convention=convention, max_memory=budget, array=batch.array, name=batch.name)
    single = _single_biases(lstm, file, layer, convention, budget)
    show_result(explain_verify(lstm, expected.array, tolerance, single), options, chosen)


def _single_biases(
    lstm: "LSTM", file: str, layer: str | None, convention: str | None, budget: int
) -> "Callable[[], tuple[Biases, ...]] | None":
    """A way to read the file's biases one by one; None where each neuron has one only."""
    if lstm.provenance["weights"].get("biases") != 2:
        return None

    def read_biases() -> "tuple[Biases, ...]":
        from lstm_explain.readers.model_file import read_separate_biases
        from lstm_explain.topics.lookup import find_framework

        framework = None if convention is None else find_framework(convention, "convention").name
        return read_separate_biases(file, layer, framework, budget)

    return read_biases


def _read_array(option: str, name: str, budget: int) -> "InputArray":
    """An array to compare with; nan is let in, and agrees with nan alone."""
    from lstm_explain.errors import InputFileError, UsageError
    from lstm_explain.readers.input_file import read_inputs

    try:
        return read_inputs(name, None, budget, allow_nan=True)
    except (InputFileError, UsageError) as error:
        asked, fix = (text.replace("--data", option) for text in (error.asked, error.fix))
        raise type(error)(asked, error.found, fix) from None
