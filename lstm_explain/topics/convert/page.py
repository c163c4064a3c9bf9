"""The page of `convert`: what was done to the weights, the arrays before and after, and the check."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lstm_explain.core.spec import DEFAULT_OPTIONS
from lstm_explain.document.blocks import Cell, Column, Document, Heading, NextStep, Note, Paragraph, SideBySide, Table
from lstm_explain.document.numbers import format_difference, plural, thousands
from lstm_explain.document.tables import elide_rows, facts_table
from lstm_explain.topics.command_line import PROGRAM, format_command
from lstm_explain.topics.intro import closing_blocks

if TYPE_CHECKING:
    from lstm_explain.topics.convert import Convert, ConvertedTensor


def document(convert: Convert, file: str = "") -> Document:
    """Lay out a conversion.

    Args:
        convert: the conversion.
        file: where the arrays were written.
    """
    source, target = convert.source_convention.title, convert.convention.title
    written = "Nothing was written: name a file to write to."
    if file:
        written = f"{plural(len(convert.arrays), 'array')} written to {file}."
    before = Heading(f"Before: as {source} names them"), _tensor_table(convert, convert.before, made_of=False)
    after = Heading(f"After: as {target} names them"), _tensor_table(convert, convert.arrays, made_of=True)
    return (
        Heading(f"convert: from {source} to {target}", 1),
        Paragraph(written),
        Heading("What was done"),
        facts_table(convert.steps.items()),
        SideBySide((before, after)),
        Note(f"The layout of {target} was read in {convert.convention.source}."),
        *closing_blocks(convert, _comparison_text(convert), _next_steps(convert)),
    )


def _next_steps(convert: Convert) -> list[NextStep]:
    spec = replace(convert.spec, samples=DEFAULT_OPTIONS["samples"], timesteps=DEFAULT_OPTIONS["timesteps"])
    name, title = convert.convention.framework, convert.convention.title
    command = format_command("frameworks", spec, convert.source, (name,))
    return [NextStep(command, f"the layout of {title} in full"), NextStep(f"{PROGRAM} convert --help", "other files to write")]


def _tensor_table(convert: Convert, arrays: tuple[ConvertedTensor, ...], made_of: bool) -> Table:
    """A table of arrays; layers and directions have columns where there are several."""
    several = {"layer": len(convert.spec.layers) > 1, "direction": convert.spec.has_backward}
    columns = [Column("name", wraps=True), Column("shape")]
    columns += [Column("layer", "right")] if several["layer"] else []
    columns += [Column("direction")] if several["direction"] else []
    columns += [Column("made of", wraps=True)] if made_of else []
    rows = [tuple(_tensor_cells(tensor, several, made_of)) for tensor in arrays]
    return Table(tuple(columns), elide_rows(rows))


def _tensor_cells(tensor: ConvertedTensor, several: dict[str, bool], made_of: bool) -> list[Cell]:
    cells = [Cell(tensor.name, strong=True), Cell(f"({', '.join(map(str, tensor.array.shape))})")]
    cells += [Cell(thousands(tensor.layer))] if several["layer"] else []
    cells += [Cell("all" if tensor.direction is None else tensor.direction.value)] if several["direction"] else []
    return [*cells, Cell(_sources_text(tensor))] if made_of else cells


def _sources_text(tensor: ConvertedTensor) -> str:
    """What an array is made of: the names of others, zeros, or minus what the framework adds to a bias when it runs."""
    return ", ".join(tensor.made_of) or ("minus what the framework adds to the forget gate" if tensor.array.any() else "zeros")


def _comparison_text(convert: Convert) -> str:
    differ = (
        f"differ by at most {format_difference(convert.difference)}" if convert.difference else "are the same to the last bit"
    )
    start = {None: "", "written": ", from those states", "not written": ", from zeros"}[convert.initial_states]
    return (
        f"Checked: the arrays were read back as {convert.convention.title} reads them, and both were run over the same seeded "
        f"input{start}: "
        f"{thousands(convert.compared)} numbers of the output {differ}."
    )
