"""The four gates, what squashes each, and THE canonical order i f g o.

Frameworks disagree on the order in which the gates' weights are packed, and a wrong order raises no error. So an order is
spelled in two kinds of place only: here, and in `lstm_explain.frameworks`, where each framework's own order is data.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterable


class Gate(StrEnum):
    """One of the four neurons that every unit has. The value is the name used in tables and in JSON."""

    INPUT = "input_gate"
    FORGET = "forget_gate"
    CANDIDATE = "candidate"
    OUTPUT = "output_gate"


class Direction(StrEnum):
    """Which way a layer reads the sequence."""

    FORWARD = "forward"
    BACKWARD = "backward"


GATES = (Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT)
"""The canonical order, in which `kernel`, `recurrent_kernel` and `bias` pack the gates: i f g o."""

Letter: TypeAlias = Literal["i", "f", "g", "o"]
LETTERS = dict(zip(GATES, "ifgo", strict=True))
"""The field's letter for each gate (Greff et al., "LSTM: A Search Space Odyssey", 2017; PyTorch's documentation)."""

ACTIVATIONS = {gate: "tanh" if gate is Gate.CANDIDATE else "sigmoid" for gate in GATES}
"""What squashes each gate's pre-activation."""

PEEPHOLE_GATES = (Gate.INPUT, Gate.FORGET, Gate.OUTPUT)
"""The gates that look at the cell state when there are peepholes (Gers & Schmidhuber, 2000): i and f at c_{t-1}, o at c_t."""

ENGINE_ORDER = (Gate.CANDIDATE, Gate.FORGET, Gate.INPUT, Gate.OUTPUT)
"""The order of the gates in the engine's buffers: g next to c_{t-1} and f next to i, so that one multiplication yields both
products of c_t = f c_{t-1} + i g; and f, i, o next to each other, so that one call computes the three sigmoids."""


def gate_letters(gates: Iterable[Gate]) -> tuple[Letter, ...]:
    """The letters of gates, in their order."""
    return tuple(cast("Letter", LETTERS[gate]) for gate in gates)
