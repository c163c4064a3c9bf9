"""`lstm-explain convert`"""

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from lstm_explain.cli.options import (
    Bidirectional,
    Convention,
    Features,
    Initialiser,
    Layers,
    MaxMemory,
    NoBias,
    NumberType,
    OutputOptions,
    Peepholes,
    Projection,
    Units,
    with_option_groups,
)

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM


class SeededOptions(NamedTuple):
    """Which LSTM, where FROM is a framework."""

    features: Features = None
    units: Units = None
    layers: Layers = None
    bidirectional: Bidirectional = False
    projection: Projection = None
    no_bias: NoBias = False
    peepholes: Peepholes = False
    init: Initialiser = None
    seed: Annotated[int | None, typer.Option(help="The seed of the weights. [default: 0]")] = None
    dtype: NumberType = None


@with_option_groups
def convert(
    seeded: SeededOptions,
    output: OutputOptions,
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="A model file, FILE[#LAYER]; or a framework, with a seeded LSTM.")
    ],
    target: Annotated[
        str | None, typer.Argument(metavar="[TO]", help="The file to write: .npz, .safetensors, .onnx; or a framework.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="NAME", help="The framework to write for. [default: onnx for .onnx, else keras]")
    ] = None,
    convention: Convention = None,
    max_memory: MaxMemory = "1GiB",
) -> None:
    """Examples:
      lstm-explain convert checkpoint.pt#encoder.lstm weights.npz --to keras
      lstm-explain convert model.keras weights.safetensors --to pytorch
      lstm-explain convert arrays.npz lstm.onnx --convention haiku
      lstm-explain convert pytorch keras --units 10 --features 5
      lstm-explain convert checkpoint.pt flax-linen --json | jq .done

    Lists what was done to the weights: gates reordered, axes transposed, kernels joined, two biases added up or one
    written as two, a forget bias subtracted that the framework adds when it runs. Then reads them back, runs both,
    and shows the largest difference. A wrong order of the gates raises no error, so this is checked every time.

    The name of a framework always means the framework; a file of that name is ./keras.
    """
    from pathlib import Path

    from lstm_explain.cli.options import parse_memory_size, quote_option
    from lstm_explain.cli.output import choose_format, show_result
    from lstm_explain.cli.output_file import write_output
    from lstm_explain.cli.source import check_not_overwriting, split_model_name
    from lstm_explain.errors import printable
    from lstm_explain.render.export_weights import encode_weights
    from lstm_explain.topics.convert import SAMPLES, TIMESTEPS, explain_convert

    chosen = choose_format(output, "convert")
    ends = _ends(source, target, to)
    for written in (output.output, ends.file):
        check_not_overwriting(None if ends.written_by else split_model_name(source)[0], written)
    asked = {**_lstm_arguments(seeded), "max_memory": parse_memory_size("--max-memory", max_memory)}
    asked |= {"samples": SAMPLES, "timesteps": TIMESTEPS}
    lstm = _seeded(asked, convention) if ends.written_by else _from_file(source, convention, asked, max_memory)
    suffix = "" if ends.file is None else Path(ends.file).suffix.lower()
    made = explain_convert(lstm, ends.to, ends.written_by, model=suffix == ".onnx")
    if ends.file is not None:
        write_output([encode_weights(made, suffix, quote_option("convert", ends.file))], ends.file)
    file = "" if ends.file is None else printable(Path(ends.file).name)
    show_result(made, output, chosen, file=file)


def _lstm_arguments(options: SeededOptions) -> dict[str, Any]:
    """What was asked for, as `seeded` and `from_model` take it."""
    from lstm_explain.cli.options import parse_units

    given = {name: value for name, value in options._asdict().items() if value is not None and value is not False}
    if options.units is not None:
        given["units"] = parse_units(options.units)
    if given.pop("no_bias", False):
        given["bias"] = False
    return given


class _Ends(NamedTuple):
    """Where weights come from and go to."""

    written_by: str | None
    """The framework they are first written in; None where they come from a file."""
    to: str
    file: str | None
    """The file to write."""


def _ends(source: str, target: str | None, to: str | None) -> "_Ends":
    """What FROM and TO mean: the name of a framework is always the framework."""
    from pathlib import Path

    from lstm_explain.errors import UsageError
    from lstm_explain.topics.lookup import find_framework

    written_by = _framework(source)
    named = None if to is None else find_framework(to, "to").name
    framework = None if target is None else _framework(target)
    if framework is None:
        suffix = "" if target is None else Path(target).suffix.lower()
        return _Ends(written_by, named or ("onnx" if suffix == ".onnx" else "keras"), target)
    if named not in (None, framework):
        raise UsageError(f"convert {source} {target} --to {to}", f"{target} is a framework too", "Leave out one of the two")
    return _Ends(written_by, framework, None)


def _framework(text: str) -> str | None:
    """The framework of a name; None for a file. Its own name is always the framework, another is unless a file has it."""
    from pathlib import Path

    from lstm_explain.errors import UsageError
    from lstm_explain.frameworks.registry import CONVENTIONS
    from lstm_explain.render.export_weights import SUFFIXES
    from lstm_explain.topics.lookup import find_framework

    path = Path(text)
    if text in CONVENTIONS:
        return text
    if path.name != text or path.suffix.lower() in SUFFIXES or path.exists():
        return None
    try:
        return find_framework(text).name
    except UsageError:
        return None


def _seeded(asked: dict[str, Any], convention: str | None) -> "LSTM":
    from lstm_explain.cli.options import quote_option
    from lstm_explain.errors import UsageError
    from lstm_explain.library import seeded

    if convention is not None:
        raise UsageError(quote_option("--convention", convention), "FROM is a framework already", "Leave it out")
    return seeded(**asked)


def _from_file(source: str, convention: str | None, asked: dict[str, Any], max_memory: str) -> "LSTM":
    from pathlib import Path

    from lstm_explain.cli.options import quote_option
    from lstm_explain.cli.source import split_model_name
    from lstm_explain.errors import InputFileError, UsageError
    from lstm_explain.library import from_model
    from lstm_explain.topics.command_line import TYPED_SOURCE, CliSource
    from lstm_explain.topics.lookup import find_framework

    for name in ("init", "seed"):
        if name in asked:
            raise UsageError(f"--{name} {asked[name]}", "the weights come from a file", f"Leave out --{name}")
    file, layer = split_model_name(source)
    if not Path(file).exists() and Path(file).name == file and not Path(file).suffix:
        try:
            find_framework(source, "written_by")
        except UsageError as error:
            raise InputFileError(
                quote_option("convert", source), "this is neither a file nor a framework", error.fix
            ) from None
    TYPED_SOURCE.set(CliSource(source, convention, dtype=asked.get("dtype"), max_memory=max_memory))
    return from_model(file, layer, convention=convention, **asked)
