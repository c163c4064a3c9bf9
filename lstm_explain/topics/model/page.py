"""model, in words and tables: the LSTMs of a file, the tensors of each, and how to explain one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Table
from lstm_explain.document.numbers import plural, thousands
from lstm_explain.document.tables import elide_list, elide_rows, facts_table
from lstm_explain.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.model import FileLSTM, Model

MAX_DETAILED = 24
"""No more LSTMs than this are listed tensor by tensor."""
BIASES = {0: "none", 1: "one", 2: "two, added up"}


def document(model: Model) -> Document:
    """Lay out what was found."""
    blocks: list[Block] = [
        Heading(f"model: {model.file}", 1),
        Paragraph(
            f"{plural(len(model.lstms), 'LSTM')} in this file. No code in it was run: names, shapes and numbers were read."
        ),
        _overview_table(model),
        *_unsupported_blocks(model),
    ]
    for lstm in model.lstms[:MAX_DETAILED]:
        blocks += _lstm_blocks(lstm)
    return (*blocks, *map(Note, _list_notes(model)))


def _overview_table(model: Model) -> Table:
    rows = tuple(
        (
            Cell(printable(lstm.name), detail=lstm.title, strong=True),
            Cell(thousands(lstm.spec.features)),
            Cell(_per_layer_text(lstm.spec, lambda layer: thousands(layer.units))),
            Cell(thousands(len(lstm.spec.layers))),
            Cell("from the end" if lstm.reverse else _per_layer_text(lstm.spec, _directions_text)),
            Cell(thousands(lstm.parameters)),
        )
        for lstm in model.lstms
    )
    numbers = ("features", "units", "layers", "directions", "parameters")
    columns = (Column(title, "left" if title == "directions" else "right") for title in numbers)
    return Table((Column("LSTM", wraps=True), *columns), rows)


def _per_layer_text(spec: Spec, describe: Callable[[Spec], str]) -> str:
    """What holds for all layers; where they differ, for each in order."""
    layers = [describe(spec.for_layer(layer)) for layer in range(len(spec.layers) if spec.layers_differ else 1)]
    return layers[0] if len(set(layers)) == 1 else ", ".join(elide_list(layers))


def _directions_text(layer: Spec) -> str:
    return "both" if layer.bidirectional else "forward"


def _projection_text(layer: Spec) -> str:
    return f"h of {thousands(layer.projection)} numbers" if layer.projection else "none"


def _unsupported_blocks(model: Model) -> list[Block]:
    """The recurrent layers that are not explained, and why."""
    if not model.unsupported:
        return []
    rows = [
        (
            Cell(printable(lstm.name) or "lstm", strong=True),
            Cell(f"{printable(lstm.reason)}.{f' {lstm.fix}.' if lstm.fix else ''}"),
        )
        for lstm in model.unsupported
    ]
    others = plural(len(rows), "other recurrent layer")
    table = Table((Column("layer", wraps=True), Column("why it is not explained", wraps=True)), elide_rows(rows, MAX_DETAILED))
    return [Heading(f"Not supported: {others}"), table]


def _lstm_blocks(lstm: FileLSTM) -> list[Block]:
    spec = lstm.spec
    rows = [
        ("gates", f"{' '.join(lstm.letters)} in the file; here i f g o"),
        ("biases", BIASES.get(lstm.biases, str(lstm.biases))),
        ("parameters", _parameters_text(lstm)),
        ("projection", _per_layer_text(spec, _projection_text)),
        ("peepholes", _per_layer_text(spec, lambda layer: "yes" if layer.peepholes else "none")),
        ("type", spec.dtype),
        ("starts from", "its own states, which the file holds" if lstm.initial else "zero states"),
        *([("reads", "each sample from its end: timestep 1 is the last of the data")] if lstm.reverse else []),
    ]
    tensors = tuple((Cell(printable(name)), Cell(f"({', '.join(map(str, shape))})")) for name, shape in lstm.tensors)
    return [
        Heading(f"{printable(lstm.name)}: {lstm.title}"),
        facts_table(rows),
        Table((Column("in the file", wraps=True), Column("shape")), tensors),
        *(Note(f"{printable(note)}.") for note in lstm.notes),
    ]


def _parameters_text(lstm: FileLSTM) -> str:
    if lstm.parameters == lstm.own_parameters:
        return thousands(lstm.parameters)
    more = lstm.parameters - lstm.own_parameters
    if lstm.biases < 2:
        return f"{thousands(lstm.parameters)} numbers in the file, and {thousands(lstm.own_parameters)} here"
    return f"{thousands(lstm.parameters)} in the file: {thousands(lstm.own_parameters)}, and {thousands(more)} second biases"


def _list_notes(model: Model) -> list[str]:
    notes = []
    if len(model.lstms) > MAX_DETAILED:
        notes.append(f"{MAX_DETAILED} of {thousands(len(model.lstms))} LSTMs are shown in full; --json has all.")
    choice = "" if len(model.lstms) == 1 else f"#{printable(model.lstms[0].name)}"
    notes.append(f"Explain one: lstm-explain shapes --model {_shell_quote(model.file + choice)}. Every topic takes --model.")
    pair = next(_stackable_pairs(model), None)
    if pair is not None:
        choice = "+".join(printable(lstm.name) for lstm in pair)
        stack = _shell_quote(f"{model.file}#{choice}")
        if pair[1].fed_by:
            notes.append(f"A layer that reads another can be explained with it, as a stack: --model {stack}.")
        else:
            fit = "Layers that fit onto each other can be explained as a stack"
            notes.append(f"{fit}; what stands between them is not known, so their order is yours: --model {stack}.")
    return notes


def _stackable_pairs(model: Model) -> Iterator[tuple[FileLSTM, FileLSTM]]:
    """Layers that can stand on each other: as the file tells it, or neighbours where it does not."""
    by_name = {lstm.name: lstm for lstm in model.lstms}
    for before, above in zip((None, *model.lstms), model.lstms, strict=False):
        named = [by_name.get(name) for name in above.fed_by or ()] if above.fed_by is not None else [before]
        yield from ((below, above) for below in named if below is not None and below is not above and _can_stack(below, above))


def _can_stack(below: FileLSTM, above: FileLSTM) -> bool:
    """Whether one layer reads as many numbers as the other emits, and is like it in all else."""
    if below.reverse or above.reverse:
        return False
    alike = (above.spec.dtype, above.framework) == (below.spec.dtype, below.framework)
    return alike and above.spec.features == below.spec.output


def _shell_quote(text: str) -> str:
    """As it can be pasted into a shell, whatever a name from the file holds."""
    return "'" + text.replace("'", "'\\''") + "'"
