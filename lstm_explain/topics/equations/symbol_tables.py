"""Tables of symbols: one notation's with their meaning, and all notations next to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES, Gate
from lstm_explain.document.blocks import Block, Cell, Column, Heading, Table

if TYPE_CHECKING:
    from lstm_explain.core.axes import Shape
    from lstm_explain.core.equations import Symbol
    from lstm_explain.topics.equations import Equations, WrittenNotation

ROLES = {
    Gate.INPUT: "input gate",
    Gate.FORGET: "forget gate",
    Gate.CANDIDATE: "candidate",
    Gate.OUTPUT: "output gate",
    "cell": "cell state",
    "emitted": "what the units output, before the projection",
    "hidden": "hidden state",
    "input": "input",
    "hidden_before": "previous hidden state",
    "cell_before": "previous cell state",
    "joined_vector": "hidden state and input in one vector",
    "joined_vector_cell_before": "previous cell state, hidden state and input in one vector",
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
    "emitted": "before projection",
    "hidden_before": "previous h",
    "cell_before": "previous c",
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


def format_sizes(shape: Shape, times: str = "×") -> str:
    """Format a shape as it is written under a symbol: (10×5), or (10) for a vector."""
    return f"({times.join(map(str, shape.sizes))})"


def symbol_table(written: WrittenNotation) -> Table:
    """Every symbol with its shape, and what it is. The weights of the gates are together, in the order that is packed."""
    rows = [
        (
            Cell(" ".join(name.sign.text for name in group), strong=True),
            Cell(format_sizes(shape)),
            Cell(" × ".join(shape.names)),
            Cell(_meaning(group)),
        )
        for group, shape in _groups(written)
    ]
    columns = (Column("symbol", wraps=True), Column("shape"), Column("axes", wraps=True), Column("meaning", wraps=True))
    return Table(columns, tuple(rows))


def _groups(written: WrittenNotation) -> list[tuple[list[Symbol], Shape]]:
    """The symbols; weights of one kind and shape together."""
    groups: dict[tuple[str, Shape], list[Symbol]] = {}
    for symbol in written.symbols:
        groups.setdefault((symbol.key.partition(".")[0], written.shapes[symbol.key]), []).append(symbol)
    order = written.packing_order or GATES
    for names in groups.values():
        names.sort(key=lambda name: order.index(_gate(name)) if "." in name.key else 0)
    vectors = [group for group in groups.items() if "." not in group[1][0].key]
    weights = [group for group in groups.items() if "." in group[1][0].key]
    return [(names, shape) for (_, shape), names in (*vectors, *weights)]


def _gate(name: Symbol) -> Gate:
    return Gate(name.key.partition(".")[2])


def _meaning(group: list[Symbol]) -> str:
    kind = group[0].key.partition(".")[0]
    gates = ", ".join(ROLES[_gate(name)] for name in group if "." in name.key)
    return ROLES[kind] + (f": {gates}" if gates else "")


# --- all notations ----------------------------------------------------------------------------------------------------


def comparison_tables(equations: Equations) -> list[Block]:
    """All notations as tables: symbols and shapes, habits, words."""
    notations = equations.notations
    titles = tuple(Column(written.notation.name, wraps=True) for written in notations)
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
    ]


def _symbols_of_kind(written: WrittenNotation, kind: str) -> list[Symbol]:
    """The symbols of a kind: one vector, or the weights of the gates in the order that is packed."""
    return [name for names, _ in _groups(written) for name in names if name.key.partition(".")[0] == kind]


def _anywhere(notations: tuple[WrittenNotation, ...], kind: str) -> bool:
    return any(_symbols_of_kind(written, kind) for written in notations)


def _row(notations: tuple[WrittenNotation, ...], kind: str) -> tuple[Cell, ...]:
    label = SHORT.get(kind, ROLES[kind])
    return (Cell(label, strong=True), *(_symbols(written, kind) for written in notations))


def _symbols(written: WrittenNotation, kind: str) -> Cell:
    names = _symbols_of_kind(written, kind)
    if not names:
        return Cell("inside c" if kind == Gate.CANDIDATE else NONE)
    shapes = dict.fromkeys(format_sizes(written.shapes[name.key]) for name in names)
    each = " each" if len(names) > 1 and len(shapes) == 1 else ""
    borrowed = ", borrowed" if _is_borrowed(written, kind) else ""
    return Cell(" ".join(name.sign.text for name in names), f"{' and '.join(shapes)}{each}{borrowed}")


def _is_borrowed(written: WrittenNotation, kind: str) -> bool:
    option = {"peephole": "peepholes", "projection": "projection", "emitted": "projection"}.get(kind)
    return option in written.borrowed


def _words(notations: tuple[WrittenNotation, ...], role: str) -> tuple[Cell, ...]:
    return (
        Cell(ROLES[role], strong=True),
        *(Cell(written.notation.terminology.get(role, "") or NONE) for written in notations),
    )


def _habits(notations: tuple[WrittenNotation, ...]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (Cell(label, strong=True), *map(Cell, cells))
        for label, cells in {
            "order written": [_order(written) for written in notations],
            "gates packed": [_packing_order(written) for written in notations],
            "vectors": ["rows: x W" if written.notation.row_vectors else "columns: W x" for written in notations],
            "x and h": ["joined" if written.notation.concatenated else "apart" for written in notations],
            "elementwise": [written.notation.hadamard.text or "nothing between" for written in notations],
            "biases": [str(len(written.notation.biases)) for written in notations],
        }.items()
    )


def _order(written: WrittenNotation) -> str:
    return " ".join(equation.left.sign.text for equation in written.equations)


def _packing_order(written: WrittenNotation) -> str:
    """The order of packing in the writer's own letters; a gate without a sign is named."""
    if written.packing_order is None:
        return "not packed"
    gates = written.notation.gates
    return " ".join(gates[gate].text.partition("_")[0].partition("%")[0] for gate in written.packing_order)


def reference(written: WrittenNotation) -> str:
    """Where a notation is written down, and how it was compared with that."""
    source = written.notation.source
    return f"{source.work}: {source.place}. {source.url} ({source.checked})"
