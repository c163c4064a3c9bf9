"""`lstm-explain window`"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from lstm_explain.cli.options import (
    AllowNan,
    Columns,
    Decimal,
    Delimiter,
    MaxMemory,
    OutputOptions,
    SkipRows,
    quote_option,
    with_option_groups,
)
from lstm_explain.core.spec import Dtype
from lstm_explain.errors import UsageError

if TYPE_CHECKING:
    from lstm_explain.readers.input_file import InputArray
    from lstm_explain.topics.window import Window
    from lstm_explain.topics.window.time_series import Series

ARRAYS = (".npy", ".npz")
"""What -o ends in where the windows themselves are written."""


class TableOptions(NamedTuple):
    """How the table is read, and in which type its windows are written."""

    columns: Columns = None
    skip_rows: SkipRows = 0
    delimiter: Delimiter = None
    decimal: Decimal = "."
    dtype: Annotated[Dtype, typer.Option(help="The type of the numbers that are written.")] = "float32"
    allow_nan: AllowNan = False
    max_memory: MaxMemory = "1GiB"


@with_option_groups
def window(
    table: TableOptions,
    output: OutputOptions,
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="A .csv, .npy or .npz file of rows and columns, or - for CSV on stdin."),
    ],
    timesteps: Annotated[int, typer.Option(help="How many rows a window has.")] = 10,
    stride: Annotated[int, typer.Option(help="How many rows further on the next window begins.")] = 1,
    horizon: Annotated[
        int | None, typer.Option(help="How many rows after a window are its targets. [default: none, or 1 with --target]")
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Which column the targets are from, by name or place from 0.")
    ] = None,
    scale: Annotated[
        str | None, typer.Option(metavar="standard|minmax", help="Scale each column, by numbers from all rows.")
    ] = None,
    time_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Which column holds times: numbers or ISO dates; no feature.")
    ] = None,
) -> None:
    """Examples:
      lstm-explain window data.csv --timesteps 10
      lstm-explain window data.csv --timesteps 24 --stride 24
      lstm-explain window data.csv --timesteps 12 --target price -o windows.npz
      lstm-explain window data.csv --time-column date --scale standard
      lstm-explain window data.csv --json | jq .formula

    Shows how many windows there are and why, the first, the second and the last with their rows, the targets, what is left
    at the end, and windows that go across a gap in time. With -o windows.npy or windows.npz the windows are written there,
    and the explanation to standard output; a .npz has the targets and the numbers of the scaling too. Rows count from 0.
    """
    from lstm_explain.cli.options import parse_memory_size
    from lstm_explain.cli.output import choose_format, show_result
    from lstm_explain.errors import printable

    file = _array_file(output.output)
    view = output if file is None else output._replace(output=None)
    chosen = choose_format(view, "window")
    _check_scale(scale)
    batch = _read_table(data, table, output.output, target, time_column)
    from lstm_explain.topics.window import explain_window
    from lstm_explain.topics.window.time_series import check_finite, validate_series

    asked: dict[str, object] = {"timesteps": timesteps, "stride": None if stride == 1 else stride, "horizon": horizon}
    asked |= {"target": target, "scale": scale, "time_column": time_column}
    budget = parse_memory_size("--max-memory", table.max_memory)
    series = validate_series(_series(batch))
    if not table.allow_nan:  # numbers that are scaled may be beyond the type that they are written in
        check_finite(series, table.dtype if scale is None else "float64")
    answer = explain_window(series, timesteps, stride, horizon, _target(batch, target), scale, table.dtype, budget)
    if file is not None:
        _write(answer, file)
    if chosen == "json":
        show_result(answer, view, chosen)
    else:
        command = _write_command(data, table, answer.y is not None, **asked)
        show_result(answer, view, chosen, written=None if file is None else printable(file), command=command)


def _write_command(data: str, table: TableOptions, has_targets: bool, **options: object) -> str | None:
    """The command that writes these windows to a file; None where the table came through a pipe."""
    if data == "-":
        return None
    from lstm_explain.topics.command_line import CliSource, format_window_command

    source = CliSource(data=data, **{name: value for name, value in table._asdict().items() if name != "dtype"})
    dtype = None if table.dtype == "float32" else table.dtype
    return format_window_command(source, "windows.npz" if has_targets else "windows.npy", **options, dtype=dtype)


def _read_table(data: str, table: TableOptions, output: str | None, target: str | None, time: str | None) -> "InputArray":
    """The file's table, in which there may be nan."""
    from lstm_explain.cli.options import parse_memory_size
    from lstm_explain.cli.source import check_not_overwriting, csv_layout
    from lstm_explain.errors import InputFileError
    from lstm_explain.readers.containers.csv_table import CsvOptions
    from lstm_explain.readers.containers.numpy_files import split_path_and_member
    from lstm_explain.readers.input_file import read_inputs

    check_not_overwriting(split_path_and_member(data)[0], output)
    wanted = CsvOptions(*csv_layout(table.columns, table.skip_rows, table.delimiter), target, time, table.decimal)
    budget = parse_memory_size("--max-memory", table.max_memory)
    try:
        return read_inputs(data, wanted, budget, allow_nan=True)
    except (InputFileError, UsageError) as error:  # the file stands without an option here
        raise type(error)(error.asked.removeprefix("--data "), error.found, error.fix.replace("--data ", "")) from None


def _array_file(output: str | None) -> str | None:
    """The file that the windows are written to; None where -o is for the explanation."""
    return output if output is not None and Path(output).suffix.lower() in ARRAYS else None


def _check_scale(scale: str | None) -> None:
    if scale not in (None, "standard", "minmax"):
        raise UsageError(quote_option("--scale", str(scale)), "a column is scaled by standard or minmax", "Choose one")


def _series(batch: "InputArray") -> "Series":
    from lstm_explain.topics.window.time_series import Series

    table = batch.table
    if table is None:
        return Series(batch.array, batch.name)
    return Series(
        table.values, batch.name, table.names, table.column_indices, table.features, table.times, table.timestamp_kind
    )


def _target(batch: "InputArray", target: str | None) -> int | None:
    """The target's column in the table; of an array it is given by place."""
    if batch.table is not None or target is None:
        return None if batch.table is None else batch.table.target
    if not (target.isascii() and target.isdigit() and len(target) < 10):
        raise UsageError(
            quote_option("--target", target), f"{batch.name} is an array, whose columns have no names", "Give a place"
        )
    return int(target)


def _write(answer: "Window", file: str) -> None:
    from lstm_explain.cli.output_file import open_output
    from lstm_explain.render.numpy_files import write_windows_npy, write_windows_npz

    archive = Path(file).suffix.lower() == ".npz"
    if answer.y is not None and not archive:
        raise UsageError(quote_option("-o", file), "a .npy file holds one array, and there are targets too", "End it in .npz")
    with open_output(file) as opened_file:
        (write_windows_npz if archive else write_windows_npy)(answer, opened_file)
