"""Tables of symbols: one notation's with their meaning, and all notations beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES, Gate
from lstm_explain.document.blocks import Block, Cell, Column, Heading, Paragraph, Table
from lstm_explain.topics.equations.formulas import sizes

if TYPE_CHECKING:
    from lstm_explain.core.axes import Shape
    from lstm_explain.topics.equations import Equations, Written
    from lstm_explain.topics.equations.expression import Name

ROLES = {
    Gate.INPUT: "input gate",
    Gate.FORGET: "forget gate",
    Gate.CANDIDATE: "candidate",
    Gate.OUTPUT: "output gate",
    "cell": "cell state",
    "emitted": "what the units emit, before the projection",
    "hidden": "hidden state",
    "input": "input",
    "hidden_before": "hidden state",
    "cell_before": "cell state",
    "joined_vector": "hidden state and input in one vector",
    "joined_vector_cell_before": "old cell state, hidden state and input in one vector",
    "joined_vector_cell": "new cell state, hidden state and input in one vector",
    "kernel": "weights of the input",
    "recurrent_kernel": "weights of the hidden state",
    "joined": "weights of the joined vector",
    "bias": "bias",
    "recurrent_bias": "second bias",
    "peephole": "peepholes, one weight for each unit",
    "projection": "projection",
}
"""What each quantity is, in this package's words."""
SHORT = {
    "emitted": "emitted",
    "hidden_before": "hidden before",
    "cell_before": "cell before",
    "joined_vector": "joined",
    "joined_vector_cell_before": "joined, i and f",
    "joined_vector_cell": "joined, o",
    "kernel": "weights of x",
    "recurrent_kernel": "weights of h",
    "joined": "joined weights",
    "peephole": "peepholes",
}
"""The same where the column is narrow."""
VECTORS = ("input", "hidden_before", "cell_before", *GATES, "cell", "emitted", "hidden")
WEIGHTS = ("kernel", "recurrent_kernel", "joined", "bias", "recurrent_bias", "peephole", "projection")
JOINED = ("joined_vector", "joined_vector_cell_before", "joined_vector_cell")
NONE = "-"


def symbols(written: Written) -> Table:
    """Every symbol with its shape, and what it is. The weights of the gates stand together, in the order that is packed."""
    rows = [
        (
            Cell(" ".join(name.sign.text for name in group), strong=True),
            Cell(sizes(shape)),
            Cell(" × ".join(shape.names)),
            Cell(_meaning(group)),
        )
        for group, shape in _groups(written)
    ]
    columns = (Column("symbol", wraps=True), Column("shape"), Column("axes", wraps=True), Column("is", wraps=True))
    return Table(columns, tuple(rows))


def _groups(written: Written) -> list[tuple[list[Name], Shape]]:
    """The symbols; weights of one kind and shape together."""
    groups: dict[tuple[str, Shape], list[Name]] = {}
    for name in written.names:
        groups.setdefault((name.key.partition(".")[0], written.shapes[name.key]), []).append(name)
    order = written.packed or GATES
    for names in groups.values():
        names.sort(key=lambda name: order.index(_gate(name)) if "." in name.key else 0)
    vectors = [found for found in groups.items() if "." not in found[1][0].key]
    weights = [found for found in groups.items() if "." in found[1][0].key]
    return [(names, shape) for (_, shape), names in (*vectors, *weights)]


def _gate(name: Name) -> Gate:
    return Gate(name.key.partition(".")[2])


def _meaning(group: list[Name]) -> str:
    kind = group[0].key.partition(".")[0]
    gates = ", ".join(ROLES[_gate(name)] for name in group if "." in name.key)
    earlier = " of the timestep read before" if kind.endswith("_before") and not kind.startswith("joined") else ""
    return ROLES[kind] + earlier + (f": {gates}" if gates else "")


# --- all notations ----------------------------------------------------------------------------------------------------


def compared(equations: Equations) -> list[Block]:
    """All notations as tables: symbols and shapes, words, habits, sources."""
    notations = equations.notations
    titles = tuple(Column(one.notation.name, wraps=True) for one in notations)
    head = (Column("", wraps=False), *titles)
    vectors = [_row(notations, key) for key in (*VECTORS, *JOINED) if _anywhere(notations, key)]
    weights = [_row(notations, key) for key in WEIGHTS if _anywhere(notations, key)]
    words = [_words(notations, key) for key in (*GATES, "cell", "hidden", "input")]
    return [
        Heading("Symbols and shapes"),
        Table(head, (*vectors, *weights)),
        Heading("Habits"),
        Table(head, _habits(notations)),
        Heading("What they are called"),
        Table(head, tuple(words)),
        Heading("Where they are written"),
        *(Paragraph(f"{one.notation.name}: {reference(one)}") for one in notations),
    ]


def _found(written: Written, kind: str) -> list[Name]:
    """The symbols of a kind: one vector, or the weights of the gates in the order that is packed."""
    return [name for names, _ in _groups(written) for name in names if name.key.partition(".")[0] == kind]


def _anywhere(notations: tuple[Written, ...], kind: str) -> bool:
    return any(_found(written, kind) for written in notations)


def _row(notations: tuple[Written, ...], kind: str) -> tuple[Cell, ...]:
    label = SHORT.get(kind, ROLES[kind])
    return (Cell(label, strong=True), *(_symbols(written, kind) for written in notations))


def _symbols(written: Written, kind: str) -> Cell:
    names = _found(written, kind)
    if not names:
        return Cell("inside c" if kind == Gate.CANDIDATE else NONE)
    shapes = dict.fromkeys(sizes(written.shapes[name.key]) for name in names)
    each = " each" if len(names) > 1 and len(shapes) == 1 else ""
    borrowed = ", borrowed" if _is_borrowed(written, kind) else ""
    return Cell(" ".join(name.sign.text for name in names), f"{' and '.join(shapes)}{each}{borrowed}")


def _is_borrowed(written: Written, kind: str) -> bool:
    option = {"peephole": "peepholes", "projection": "projection", "emitted": "projection"}.get(kind)
    return option in written.borrowed


def _words(notations: tuple[Written, ...], role: str) -> tuple[Cell, ...]:
    return (Cell(ROLES[role], strong=True), *(Cell(one.notation.terminology.get(role, "") or NONE) for one in notations))


def _habits(notations: tuple[Written, ...]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (Cell(label, strong=True), *map(Cell, found))
        for label, found in {
            "order written": [_order(one) for one in notations],
            "gates packed": [_packed(one) for one in notations],
            "vectors": ["rows: x W" if one.notation.row_vectors else "columns: W x" for one in notations],
            "x and h": ["joined" if one.notation.concatenated else "apart" for one in notations],
            "elementwise": [one.notation.hadamard.text or "nothing between" for one in notations],
            "biases": [str(len(one.notation.biases)) for one in notations],
        }.items()
    )


def _order(written: Written) -> str:
    return " ".join(one.left.sign.text for one in written.equations)


def _packed(written: Written) -> str:
    """The order of packing in the writer's own letters; a gate without a sign is named."""
    if written.packed is None:
        return "not packed"
    gates = written.notation.gates
    return " ".join(gates[gate].text.partition("_")[0].partition("%")[0] for gate in written.packed)


def reference(written: Written) -> str:
    """Where a notation is written down, and how it was compared with that."""
    source = written.notation.source
    return f"{source.work}: {source.place}. {source.url} ({source.checked})"
