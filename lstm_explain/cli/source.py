"""From options to an LSTM: sizes and a seed, or a file of inputs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lstm_explain.cli.options import (
    EditOptions,
    SourceOptions,
    parse_delimiter,
    parse_integers,
    parse_memory_size,
    parse_units,
    quote_option,
)
from lstm_explain.core.lstm import LSTM
from lstm_explain.errors import UsageError
from lstm_explain.library import given, seeded

if TYPE_CHECKING:
    from lstm_explain.topics.command_line import CliSource

MAX_COMMAND = 150  # characters of a command in a message


def build_lstm(options: SourceOptions, output: str | None = None, lengths: str | None = None) -> LSTM:
    """Build the LSTM that the options ask for.

    Args:
        options: the options.
        output: where the answer will go; not over the file of inputs.
        lengths: the lengths of a padded batch, as they were given.

    Raises:
        UsageError: a value breaks a rule, or contradicts the file of inputs.
        InputFileError, RefusedError: the file of inputs cannot be used.
    """
    for read in (options.data and split_model_name(options.data)[0], options.model and split_model_name(options.model)[0]):
        check_not_overwriting(read, output)
    budget = parse_memory_size("--max-memory", options.max_memory)
    about: dict[str, Any] = {
        "seed": options.seed,
        "lengths": None if lengths is None else parse_integers("--lengths", lengths),
        "max_memory": budget,
        **({} if options.init is None else {"init": options.init}),
        **_spec_fields(options),
    }
    if options.model is not None:
        about = _options_with_model(options, about, budget)
    elif options.convention is not None:
        raise UsageError(quote_option("--convention", options.convention), "this option needs --model")
    if options.data is None:
        _check_no_csv_options(options)
        return seeded(**about)
    from lstm_explain.readers.containers.csv_table import CsvOptions
    from lstm_explain.readers.input_file import read_inputs

    columns, skip_rows, delimiter = csv_layout(options.columns, options.skip_rows, options.delimiter)
    wanted = CsvOptions(columns, skip_rows, delimiter, decimal=options.decimal)
    batch = read_inputs(options.data, wanted, budget, options.allow_nan, about.get("dtype", "float32"))
    _check_table_is_cut(options, batch.array.shape, batch.name)
    return given(batch.array, name=batch.name, columns=batch.columns, **about)


def to_cli_source(options: SourceOptions) -> CliSource:
    """What the options say that an LSTM does not keep, for command lines that are to be printed."""
    from lstm_explain.topics.command_line import CliSource

    return CliSource(**{name: getattr(options, name) for name in CliSource._fields})


def apply_edits(lstm: LSTM, options: EditOptions) -> LSTM:
    """The same LSTM with the numbers set that the options name.

    Raises:
        UsageError: one of them is not an edit, or its number does not exist.
    """
    if not options.edit:
        return lstm
    from lstm_explain.core.edits import parse_edit

    return lstm.with_edits(parse_edit(text) for text in options.edit)


def csv_layout(columns: str | None, skip_rows: int, delimiter: str | None) -> tuple[list[str] | None, int, str | None]:
    """How a CSV file is to be read: the columns, how many lines come before the table, and what separates its cells.

    Raises:
        UsageError: no file can be read so.
    """
    if skip_rows < 0:
        raise UsageError(f"--skip-rows {skip_rows}", "a file has no fewer than 0 lines to pass over", "Give 0 or more")
    names = None if columns is None else [name.strip() for name in columns.split(",")]
    return names, skip_rows, None if delimiter is None else parse_delimiter("--delimiter", delimiter)


def _check_no_csv_options(options: SourceOptions) -> None:
    """Raise `UsageError` where an option is about a data file, and none is given."""
    if options.columns is not None:
        raise UsageError(quote_option("--columns", options.columns), "this option needs --data")
    if options.skip_rows:
        raise UsageError(f"--skip-rows {options.skip_rows}", "this option needs --data")
    if options.delimiter is not None:
        raise UsageError(quote_option("--delimiter", options.delimiter), "this option needs --data")
    if options.decimal != ".":
        raise UsageError(f"--decimal {options.decimal}", "this option needs --data")


def _check_table_is_cut(options: SourceOptions, shape: tuple[int, ...], name: str) -> None:
    """Raise `UsageError` where fewer timesteps are asked for than a table has rows, with the command that cuts it."""
    if len(shape) != 2 or options.timesteps is None or not 0 < options.timesteps < shape[0]:
        return
    from lstm_explain.topics.command_line import format_window_command

    source = to_cli_source(options)
    cut = format_window_command(source, "windows.npy", timesteps=options.timesteps)
    if not cut.isprintable() or len(cut) > MAX_COMMAND:
        cut = format_window_command(source._replace(data="FILE", columns=None), "windows.npy", timesteps=options.timesteps)
    problem = f"{name} is one sample of {shape[0]} timesteps, one for each row"
    fix = f"To cut it into samples: {cut}, and then --data windows.npy. To read it whole, leave out --timesteps"
    raise UsageError(f"--timesteps {options.timesteps}", problem, fix)


def check_not_overwriting(data: str | None, output: str | None) -> None:
    """Raise `UsageError` where the answer would take the place of the file of inputs."""
    if data in (None, "-") or output in (None, "-"):
        return
    if os.path.realpath(str(data)) == os.path.realpath(str(output)):
        raise UsageError(
            quote_option("-o", str(output)), "the answer would replace the file that is read", "Name another file"
        )


def _spec_fields(options: SourceOptions) -> dict[str, Any]:
    """The fields of `Spec` that were given."""
    sizes = {
        "samples": options.samples,
        "timesteps": options.timesteps,
        "features": options.features,
        "units": None if options.units is None else parse_units(options.units),
        "projection": options.projection,
        "layers": options.layers,
        "dtype": options.dtype,
    }
    given = {name: size for name, size in sizes.items() if size is not None}
    switches = {"bidirectional": options.bidirectional, "bias": not options.no_bias, "peepholes": options.peepholes}
    return given | {name: on for name, on in switches.items() if on is not (name == "bias")}


def _options_with_model(options: SourceOptions, about: dict[str, Any], budget: int) -> dict[str, Any]:
    """The same with sizes, options and weights from the model file."""
    from lstm_explain.library import model_arguments

    if options.init is not None:
        raise UsageError(f"--init {options.init}", "the weights come from --model", "Leave out one of the two")
    file, layer = split_model_name(str(options.model))
    return model_arguments(file, layer, options.convention, budget, about)


def split_model_name(text: str) -> tuple[str, str | None]:
    """`model.pt#encoder.lstm` -> the file and the layer; a # in the name of a file that there is belongs to the file."""
    if "#" not in text:
        return text, None
    from lstm_explain.readers.containers.numpy_files import split_path_and_member

    return split_path_and_member(text)
