"""`lstm-explain trace`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lstm_explain.cli.options import (
    EditOptions,
    Format,
    OutputOptions,
    SelectionOptions,
    SourceOptions,
    parse_selection,
    with_option_groups,
)
from lstm_explain.errors import UsageError
from lstm_explain.topics.registry import ROW_FORMATS

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.trace import TraceStream


@with_option_groups
def trace(
    selection: SelectionOptions,
    source: SourceOptions,
    output: OutputOptions,
    edits: EditOptions,
    unit: Annotated[str | None, typer.Option(metavar="0,3,7-9", help="Which units to show, or all.")] = None,
    steps: Annotated[str | None, typer.Option(metavar="1-5,10", help="Which timesteps to show.")] = None,
    gates: Annotated[bool, typer.Option("--gates", help="Show i, f, g and o too.")] = False,
    all_samples: Annotated[bool, typer.Option("--all-samples", help="Every sample, as jsonl, csv or npz.")] = False,
) -> None:
    """Examples:
      lstm-explain trace
      lstm-explain trace --sample 7 --unit 0,3,7-9 --gates
      lstm-explain trace --data my.csv --units 32 --unit 0,3
      lstm-explain trace --lengths 10,7,3 --sample 2
      lstm-explain trace --all-samples -o run.npz
      lstm-explain trace --json | jq ".steps[] | {t, h}"

    A row is a timestep, a column a unit. --unit selects the units to show; --units is how many a layer has. The row formats
    jsonl, csv and npz have every layer and direction unless you choose one; a table or JSON object shows one. Rows past a
    sample's length are padding.
    """
    from lstm_explain.cli.output import choose_format, show_result
    from lstm_explain.cli.source import apply_edits, build_lstm
    from lstm_explain.topics.trace import explain_trace, stream_trace

    if all_samples:
        output_format = choose_format(output, "trace --all-samples", ROW_FORMATS, default=Format.jsonl)
    else:
        output_format = choose_format(output, "trace")
    by_row = output_format in ROW_FORMATS
    lstm = apply_edits(build_lstm(source, output.output, selection.lengths), edits)
    layer, direction = selection.layer, selection.direction
    units = None if unit is None else parse_selection("--unit", unit, 0, _unit_count(lstm.spec, layer, by_row) - 1)
    timesteps = None if steps is None else parse_selection("--steps", steps, 1, lstm.spec.timesteps)
    if by_row:
        sample = None if all_samples else selection.sample
        write_rows(stream_trace(lstm, sample, units, timesteps, layer, direction), output, output_format)
    else:
        result = explain_trace(lstm, selection.sample, units, timesteps, *selection.layer_direction)
        selected = {"every_unit": units is not None, "every_step": timesteps is not None}
        show_result(result, output, output_format, gates=gates, **selected)


def _unit_count(spec: Spec, layer: int | None, by_row: bool) -> int:
    """How many units can be selected: those of the layer, or those of the largest layer where all layers are written."""
    from lstm_explain.topics.selection import unit_count

    if layer is not None or not by_row:
        return unit_count(spec, layer or 0)
    return max(spec.for_layer(index).units for index, _ in spec.layer_groups)


def write_rows(stream: TraceStream, output: OutputOptions, chosen: Format) -> None:
    """Write a trace row by row."""
    from lstm_explain.cli.output_file import open_output, output_folder, write_output
    from lstm_explain.cli.progress import with_progress

    blocks = with_progress(stream.blocks(), len(stream.samples))
    if chosen is Format.jsonl:
        from lstm_explain.render.json_text import encode_lines

        write_output(encode_lines(stream, blocks), output.output)
    elif chosen is Format.csv:
        from lstm_explain.render.csv_rows import encode_rows

        write_output(encode_rows(stream, blocks), output.output)
    else:
        from lstm_explain.render.numpy_files import write_run

        _check_whole(stream, output)
        spool = output_folder(output.output)
        with open_output(output.output) as file:
            write_run(stream, blocks, file, spool)


def _check_whole(stream: TraceStream, output: OutputOptions) -> None:
    """An archive is binary and holds the whole run."""
    spec = stream.spec
    if output.output is None:
        raise UsageError("--format npz", "an archive is binary", "Add -o run.npz, or -o - for standard output")
    every_unit = all(len(stream.units_of(layer)) == spec.for_layer(layer).units for layer, _ in stream.places)
    if not every_unit or (len(stream.steps), len(stream.places)) != (spec.timesteps, len(spec.layer_directions)):
        raise UsageError(
            "--format npz", "an archive holds all units, timesteps, layers and directions", "Leave the choice out"
        )
