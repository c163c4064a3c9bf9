"""Notation: how one writer writes the equations of an LSTM, as data: the signs, their order, the words and the source.

In a sign's text and LaTeX a marker stands for what changes: `%t` for the timestep (in braces where it is a sum, as in
h_{t-1}), `%b` for the timestep alone, `%u` for the unit where the writer names it, and `%a` and `%z` for the first neuron of a
gate and the first behind it where the writer cuts them out of a packed array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lstm_explain.core.gates import Gate
    from lstm_explain.frameworks.convention import Convention


class Sign(NamedTuple):
    """How a thing is written: on a page of characters, and in LaTeX."""

    text: str
    latex: str

    def substitute(self, time: str, unit: str, columns: slice) -> Sign:
        """The sign with its markers replaced."""
        braced = f"{{{time}}}" if set("+-") & set(time) else time
        cut = {"%u": unit, "%a": str(columns.start), "%z": str(columns.stop), "%b": time}
        text, latex = self.text.replace("%t", braced), self.latex.replace("%t", time)
        for marker, value in cut.items():
            text, latex = text.replace(marker, value), latex.replace(marker, value)
        return Sign(text, latex)


class Reference(NamedTuple):
    """Where a notation is written down, and how we know."""

    work: str
    place: str
    """The chapter, page, class or equation numbers in it."""
    url: str
    checked: str
    """How this notation was compared with its source."""


class Notation(NamedTuple):
    """One writer's equations."""

    name: str
    """The name on the command line and in JSON."""
    title: str
    source: Reference
    order: tuple[str, ...]
    """The results in the writer's order. A writer who has no sign for the candidate has it inside c."""
    terms: tuple[str, ...]
    """What a neuron adds up, in the writer's order; what the LSTM has not is left out."""
    states: dict[str, Sign]
    """`input`, `hidden`, `hidden_before`, `cell`, `cell_before`, and `emitted`, which is o tanh(c) before a projection."""
    gates: dict[Gate, Sign]
    kernels: dict[Gate, Sign]
    """What multiplies x; where x and h are joined, what multiplies both."""
    recurrent_kernels: dict[Gate, Sign]
    """What multiplies h; empty where x and h are joined."""
    biases: tuple[dict[Gate, Sign], ...]
    peepholes: dict[Gate, Sign]
    projection: Sign
    terminology: dict[str, str]
    """What the writer calls things; empty where there is no word."""
    convention: Convention | None = None
    """How the framework packs the gates; None for papers, where each gate has arrays of its own."""
    concatenated: tuple[str, ...] = ()
    """What the writer puts side by side into one vector, in order; empty where x and h are multiplied apart."""
    row_vectors: bool = False
    """Whether vectors are rows, multiplied from the left: x W rather than W x."""
    transposed: bool = False
    """Whether the weights are stored the other way round than they are multiplied."""
    opening: Sign = Sign("", "")
    """What stands before a product of weights and a vector."""
    times: Sign = Sign("", "")
    """What stands between weights and a vector."""
    hadamard: Sign = Sign("*", "*")
    """The product element by element."""
    sigmoid: Sign = Sign("σ", r"\sigma")
    tanh: Sign = Sign("tanh", r"\tanh")
    """What squashes the candidate."""
    tanh_cell: Sign = Sign("tanh", r"\tanh")
    """What squashes the cell state."""
    forget_first: bool = True
    """Whether the sum that makes c begins with what is kept."""
    output_first: bool = True
    """Whether the product that makes h begins with the output gate."""
    borrowed: tuple[str, ...] = ()
    """The options of an LSTM for which this notation has no signs; those used instead are borrowed."""
    option_notes: dict[str, str] = {}  # noqa: RUF012 - data, never changed
    """What to know where an LSTM has an option: `projection`, `peepholes`, `backward`, `bias`."""
    remarks: tuple[str, ...] = ()
    """What to know in any case, such as letters that mean something else elsewhere."""
    printed_candidate: str = ""
    """The function that the source prints around the candidate, where it is not the tanh of this LSTM."""

    @property
    def names_unit(self) -> bool:
        """Whether the writer's signs say which unit is meant."""
        return "%u" in self.states["cell"].text
