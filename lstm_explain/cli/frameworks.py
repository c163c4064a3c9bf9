"""`lstm-explain frameworks`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstm_explain.cli.options import OutputOptions, SourceOptions, with_option_groups

if TYPE_CHECKING:
    from lstm_explain.topics.frameworks.program import Program


@with_option_groups
def frameworks(
    source: SourceOptions,
    output: OutputOptions,
    name: Annotated[str | None, typer.Argument(metavar="FRAMEWORK", help="Which framework; all of them if left out.")] = None,
    code: Annotated[
        bool,
        typer.Option(
            "--code", help="Show a program that checks it; -o program.py writes it, and program.npz with the weights."
        ),
    ] = False,
) -> None:
    """Examples:
      lstm-explain frameworks
      lstm-explain frameworks pytorch --layers 2 --bidirectional
      lstm-explain frameworks haiku --units 32
      lstm-explain frameworks keras --code -o program.py
      lstm-explain frameworks --json | jq ".frameworks[].gate_order"

    Our weights are written in the layout of each framework, and every shape is read off the arrays. With a name, they are
    also read back and run. Every framework is marked: run by our tests, or read in its source. With --code you get a
    program in the framework that loads the weights, runs the same input and compares its output with ours.
    """
    from lstm_explain.cli.output import choose_format, show_result
    from lstm_explain.cli.source import build_lstm
    from lstm_explain.topics.frameworks import explain_frameworks

    to_python = code and output.format is None and not output.json and (output.output or "").endswith(".py")
    chosen = None if to_python else choose_format(output, "frameworks")
    if to_python:
        _check_arrays_apart(source, arrays_of(str(output.output)))
    explanation = explain_frameworks(build_lstm(source, output.output), name, code)
    if chosen is not None:
        show_result(explanation, output, chosen)
    elif explanation.program is not None:
        _write(explanation.program, str(output.output))


def _check_arrays_apart(source: SourceOptions, arrays: str) -> None:
    """Raise `UsageError` where the arrays would take the place of a file that is read."""
    from lstm_explain.cli.source import check_not_overwriting

    for read in (source.data, source.model):
        check_not_overwriting(read and read.partition("#")[0], arrays)


def _write(program: Program, output: str) -> None:
    """Write the arrays, and then the program that reads them."""
    from lstm_explain.cli.options import quote_option
    from lstm_explain.cli.output_file import open_output, write_output
    from lstm_explain.errors import UsageError
    from lstm_explain.render.numpy_files import write_arrays

    stem = Path(output).stem
    if stem in program.modules:
        problem = f"a program of this name would import itself in place of {stem}"
        raise UsageError(quote_option("-o", output), problem, "Choose another name")
    with open_output(arrays_of(output)) as file:
        write_arrays(program.arrays, file)
    write_output([program.text.encode()], output)


def arrays_of(output: str) -> str:
    """The file of the arrays of a program: program.py reads program.npz."""
    return output.removesuffix(".py") + ".npz"
