"""The page of `model`: the LSTMs of a file, the tensors of each, and how to explain one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.document.blocks import (
    BlankLine,
    Block,
    Cell,
    Column,
    Document,
    Heading,
    NextStep,
    NextSteps,
    Note,
    Paragraph,
    SideBySide,
    Table,
)
from lstm_explain.document.numbers import plural, thousands
from lstm_explain.document.tables import elide_list, elide_rows, facts_table
from lstm_explain.errors import printable
from lstm_explain.topics.command_line import PROGRAM, join_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.model import FileLSTM, Model

MAX_DETAILED = 24
"""No more LSTMs than this are listed tensor by tensor."""
BIASES = {0: "none", 1: "one", 2: "two, added up"}


def document(model: Model, convention: str | None = None) -> Document:
    """Lay out the LSTMs of a file; `convention` is the framework that was named because the file does not tell."""
    blocks: list[Block] = [
        Heading(f"model: {model.file}", 1),
        Paragraph(f"There {'is' if len(model.lstms) == 1 else 'are'} {plural(len(model.lstms), 'LSTM')} in this file."),
        _overview_table(model),
        *_unsupported_blocks(model),
    ]
    for lstm in model.lstms[:MAX_DETAILED]:
        blocks += _lstm_blocks(lstm)
    if len(model.lstms) > MAX_DETAILED:
        blocks.append(Note(f"{MAX_DETAILED} of {thousands(len(model.lstms))} LSTMs are shown in full; --json has all."))
    return (
        *blocks,
        BlankLine(),
        Note("Names, shapes and numbers were read from the file. No code in it was run."),
        NextSteps(tuple(_next_steps(model, convention))),
    )


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
    """What holds for all layers, or for each in order if they differ."""
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
    table = Table((Column("layer", wraps=True), Column("reason", wraps=True)), elide_rows(rows, MAX_DETAILED))
    return [Heading(f"Not supported: {others}"), table]


def _lstm_blocks(lstm: FileLSTM) -> list[Block]:
    spec = lstm.spec
    rows = [
        ("gates", f"{' '.join(lstm.letters)} in the file; i f g o here"),
        ("biases", BIASES.get(lstm.biases, str(lstm.biases))),
        ("parameters", _parameters_text(lstm)),
        ("projection", _per_layer_text(spec, _projection_text)),
        ("peepholes", _per_layer_text(spec, lambda layer: "yes" if layer.peepholes else "none")),
        ("type", spec.dtype),
        ("starts from", "its own states, which are in the file" if lstm.initial else "zero states"),
        *([("reads", "each sample from its end, so timestep 1 is the last of the data")] if lstm.reverse else []),
    ]
    tensors = tuple((Cell(printable(name)), Cell(f"({', '.join(map(str, shape))})")) for name, shape in lstm.tensors)
    return [
        Heading(f"{printable(lstm.name)}: {lstm.title}"),
        SideBySide(((facts_table(rows),), (Table((Column("in the file", wraps=True), Column("shape")), tensors),))),
        *(Note(f"{printable(note)}.") for note in lstm.notes),
    ]


def _parameters_text(lstm: FileLSTM) -> str:
    if lstm.parameters == lstm.own_parameters:
        return thousands(lstm.parameters)
    more = lstm.parameters - lstm.own_parameters
    if lstm.biases < 2:
        return f"{thousands(lstm.parameters)} numbers in the file, and {thousands(lstm.own_parameters)} here"
    return f"{thousands(lstm.parameters)} in the file: {thousands(lstm.own_parameters)}, and {thousands(more)} second biases"


def _next_steps(model: Model, convention: str | None) -> Iterator[NextStep]:
    command, named = [PROGRAM, "shapes", "--model"], [] if convention is None else ["--convention", convention]
    choice = "" if len(model.lstms) == 1 else f"#{printable(model.lstms[0].name)}"
    yield NextStep(join_words([*command, model.file + choice, *named]), "explain it; every topic takes --model")
    pair = next(_stackable_pairs(model), None)
    if pair is None:
        return
    stack = f"{model.file}#{'+'.join(printable(lstm.name) for lstm in pair)}"
    reason = "a layer and the one that it reads, as a stack"
    if not pair[1].fed_by:
        reason = "layers that fit, as a stack; the file does not say what is between them, so their order is yours"
    yield NextStep(join_words([*command, stack, *named]), reason)


def _stackable_pairs(model: Model) -> Iterator[tuple[FileLSTM, FileLSTM]]:
    """Pairs of layers that can be stacked: as the file says, or neighbours if it does not."""
    by_name = {lstm.name: lstm for lstm in model.lstms}
    for before, above in zip((None, *model.lstms), model.lstms, strict=False):
        named = [by_name.get(name) for name in above.fed_by or ()] if above.fed_by is not None else [before]
        yield from ((below, above) for below in named if below is not None and below is not above and _can_stack(below, above))


def _can_stack(below: FileLSTM, above: FileLSTM) -> bool:
    """Whether one layer reads as many numbers as the other outputs, in the same type and framework."""
    if below.reverse or above.reverse:
        return False
    alike = (above.spec.dtype, above.framework) == (below.spec.dtype, below.framework)
    return alike and above.spec.features == below.spec.output
