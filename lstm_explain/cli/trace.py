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

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.trace import TraceStream


@with_option_groups
def trace(
    place: SelectionOptions,
    source: SourceOptions,
    output: OutputOptions,
    edits: EditOptions,
    unit: Annotated[str | None, typer.Option(metavar="0,3,7-9", help="Which units to show, or all.")] = None,
    steps: Annotated[str | None, typer.Option(metavar="1-5,10", help="Which timesteps to show.")] = None,
    gates: Annotated[bool, typer.Option("--gates", help="Show i, f, g and o too.")] = False,
    all_samples: Annotated[bool, typer.Option("--all-samples", help="Every sample, as jsonl, csv or npz.")] = False,
) -> None:
    """Show the vectors h_t and c_t over time, and the gates.

    \b
    Examples:
      lstm-explain trace
      lstm-explain trace --sample 7 --units 0,3,7-9 --gates
      lstm-explain trace --data my.csv --units 32 --unit 0,3
      lstm-explain trace --lengths 10,7,3 --sample 2
      lstm-explain trace --all-samples -o run.npz
      lstm-explain trace --json | jq '.steps[] | {t, h}'

    Every row is a timestep, every column a unit. The cells are coloured by value. --units takes the number of units (10) or,
    as --unit does, a list of those to show (0,3,7-9). The row formats jsonl, csv and npz carry every layer and direction
    unless one is chosen; a table or JSON object shows one. Rows past a sample's length are padding.
    """
    from lstm_explain.cli.output import OBJECT_FORMATS, ROW_FORMATS, choose_format
    from lstm_explain.cli.source import apply_edits, build_lstm

    option = "--unit" if unit is not None else "--units"
    source, unit = _units_chosen(source, unit)
    fitting = ROW_FORMATS if all_samples else (*OBJECT_FORMATS, *ROW_FORMATS)
    usual = Format.jsonl if all_samples else Format.table
    chosen = choose_format(output, fitting, "trace --all-samples" if all_samples else "trace", usual)
    lstm = apply_edits(build_lstm(source, output.output, place.lengths), edits)
    unit_list = None if unit is None else parse_selection(option, unit, 0, _units(lstm.spec, place.layer, chosen) - 1)
    step_list = None if steps is None else parse_selection("--steps", steps, 1, lstm.spec.timesteps)
    if chosen not in ROW_FORMATS:
        _show_one(lstm, place, output, chosen, unit_list, step_list, gates)
        return
    from lstm_explain.topics.trace import stream_trace

    sample = None if all_samples else place.sample
    stream = stream_trace(lstm, sample, unit_list, step_list, place.layer, place.direction)
    write_rows(stream, output, chosen)


def _units_chosen(source: SourceOptions, unit: str | None) -> tuple[SourceOptions, str | None]:
    """`--units 0,3,7-9` chooses units, as `--unit` does; only a plain number is the size of the layer."""
    if source.units is None or not any(mark in source.units.strip()[1:] for mark in ",-"):
        return source, unit
    if unit is not None:
        raise UsageError(f"--units {source.units} --unit {unit}", "both choose units", "Use one of them")
    return source._replace(units=None), source.units


def _units(spec: Spec, layer: int | None, chosen: Format) -> int:
    """How many units there are to choose from: those of the layer, or the most that a layer has."""
    from lstm_explain.cli.output import ROW_FORMATS
    from lstm_explain.topics.selection import unit_count

    if layer is not None or chosen not in ROW_FORMATS:
        return unit_count(spec, layer or 0)
    return max(spec.at(one).units for one, _ in spec.unlike_layers)


def _show_one(
    lstm: LSTM,
    place: SelectionOptions,
    output: OutputOptions,
    chosen: Format,
    units: tuple[int, ...] | None,
    steps: tuple[int, ...] | None,
    gates: bool,
) -> None:
    from lstm_explain.cli.output import show_result
    from lstm_explain.topics.trace import explain_trace

    explanation = explain_trace(lstm, place.sample, units, steps, place.layer or 0, place.direction or "forward")
    show_result(explanation, output, chosen, gates=gates, every_unit=units is not None, every_step=steps is not None)


def write_rows(stream: TraceStream, output: OutputOptions, chosen: Format) -> None:
    """Write a trace row by row."""
    from lstm_explain.cli.output_file import open_output, output_folder, write_output
    from lstm_explain.cli.progress import with_progress

    blocks = with_progress(stream.blocks(), len(stream.samples))
    if chosen is Format.jsonl:
        from lstm_explain.render import json_lines

        write_output(json_lines.pieces(stream, blocks), output.output)
    elif chosen is Format.csv:
        from lstm_explain.render import csv_rows

        write_output(csv_rows.pieces(stream, blocks), output.output)
    else:
        from lstm_explain.render import npz_archive

        _check_whole(stream, output)
        spool = output_folder(output.output)
        with open_output(output.output) as file:
            npz_archive.write(stream, blocks, file, spool)


def _check_whole(stream: TraceStream, output: OutputOptions) -> None:
    """An archive is binary and holds the whole run."""
    spec = stream.spec
    if output.output is None:
        raise UsageError("--format npz", "an archive is binary", "Add -o run.npz, or -o - for standard output")
    every_unit = all(len(stream.units_of(layer)) == spec.at(layer).units for layer, _ in stream.places)
    if not every_unit or (len(stream.steps), len(stream.places)) != (spec.timesteps, len(spec.places)):
        raise UsageError(
            "--format npz", "an archive holds all units, timesteps, layers and directions", "Leave the choice out"
        )
