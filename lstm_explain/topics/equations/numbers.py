"""One unit's numbers put into the equations, and worked out line by line, as with a pencil."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.core.gates import PEEPHOLE_GATES, Gate
from lstm_explain.frameworks.notation import Sign
from lstm_explain.topics.equations.expression import Name, Number, Product, pieces, reduced, with_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lstm_explain.topics.equations.builder import Equation, Writer
    from lstm_explain.topics.equations.expression import Expression
    from lstm_explain.topics.unit import Arithmetic, GateSum

TIMES = Sign("×", r"\times")


class Chain(NamedTuple):
    """An equation with numbers: what was put in, then one line for each round of working out, down to the result."""

    role: str
    left: Name
    lines: tuple[Expression, ...]

    @property
    def result(self) -> float:
        last = self.lines[-1]
        assert isinstance(last, Number)
        return last.value

    def to_dict(self) -> dict[str, Any]:
        first = [piece for piece in pieces(self.lines[0]) if piece.value is not None]
        return {
            "role": self.role,
            "text": self.left.sign.text,
            "latex": self.left.sign.latex,
            "terms": [{"text": piece.text, "latex": piece.latex, "value": piece.value} for piece in first],
            "value": self.result,
        }


def chains(writer: Writer, arithmetic: Arithmetic) -> tuple[Chain, ...]:
    """Put a unit's numbers into the equations. They are those of the topic `unit`: its values, and its products added up.

    What a projection makes is left out: each number of it is mixed from all units.
    """
    numbers = _numbers(writer, arithmetic)
    return tuple(
        _chain(one, _seen(one, numbers, arithmetic)) for one in writer.equations() if not isinstance(one.right, Product)
    )


def _chain(equation: Equation, numbers: Mapping[str, float]) -> Chain:
    lines = [with_numbers(equation.right, numbers, TIMES)]
    while not isinstance(lines[-1], Number):
        lines.append(reduced(lines[-1], numbers))
    return Chain(equation.role, equation.left, tuple(lines))


def _seen(equation: Equation, numbers: dict[str, float], arithmetic: Arithmetic) -> dict[str, float]:
    """The numbers as an equation reads them: a peephole of the output gate saw the c_t that the run itself had."""
    return {**numbers, "cell": arithmetic.cell_recorded} if equation.role == Gate.OUTPUT else numbers


def _numbers(writer: Writer, arithmetic: Arithmetic) -> dict[str, float]:
    numbers = {
        "cell_before": arithmetic.cell_before,
        "kept": arithmetic.kept,
        "added": arithmetic.added,
        "cell": arithmetic.cell,
        "tanh_cell": arithmetic.tanh_cell,
        "emitted": arithmetic.hidden,
    }
    for gate, one in arithmetic.gates.items():
        numbers |= {gate: one.value, f"sum.{gate}": one.total, **_parts(writer, gate, one)}
    return numbers


def _parts(writer: Writer, gate: Gate, one: GateSum) -> dict[str, float]:
    """What a neuron adds up, by key."""
    products = {source: [term.product for term in one.terms if term.source == source] for source in ("x", "h", "c", "bias")}
    joins_state = gate in PEEPHOLE_GATES and not writer.notation.peepholes
    joined = [*products["x"], *products["h"], *(products["c"] if joins_state else [])]
    parts = {
        f"kernel_part.{gate}": total(products["x"]),
        f"recurrent_part.{gate}": total(products["h"]),
        f"joined_part.{gate}": total(joined),
        f"bias.{gate}": total(products["bias"]),
        f"recurrent_bias.{gate}": 0.0,
        f"peephole_part.{gate}": total(products["c"]),
    }
    weights = [term.weight for term in one.terms if term.source == "c"]
    return {**parts, f"peephole.{gate}": total(weights)}


def total(values: list[float]) -> float:
    """A sum without rounding on the way, as in the topic `unit`."""
    return math.fsum(values) if all(map(math.isfinite, values)) else sum(values)
