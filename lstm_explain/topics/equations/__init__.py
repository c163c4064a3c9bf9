"""equations: one layer's equations in a chosen notation, the shape of every symbol, and one unit's numbers put in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from lstm_explain.errors import UsageError, argument
from lstm_explain.frameworks.registry import DEFAULT_NOTATION, NOTATIONS
from lstm_explain.topics.equations.builder import Moment, Writer
from lstm_explain.topics.equations.check import checked, memory_needed
from lstm_explain.topics.equations.expression import Piece, in_one_line, latex_of, names, pieces
from lstm_explain.topics.equations.numbers import chains
from lstm_explain.topics.result import LayerResult
from lstm_explain.topics.selection import check_layer, check_step, check_unedited, check_unit
from lstm_explain.topics.unit import explain_unit

if TYPE_CHECKING:
    from lstm_explain.core.axes import Shape
    from lstm_explain.core.gates import Direction, Gate
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.notation import Notation
    from lstm_explain.topics.equations.builder import Equation
    from lstm_explain.topics.equations.check import Check
    from lstm_explain.topics.equations.expression import Name
    from lstm_explain.topics.equations.numbers import Chain
    from lstm_explain.topics.unit import Arithmetic

USUAL_STEP = 4
"""The timestep whose numbers are put in where none is chosen, if the sample is that long: states have built up by then."""


class Written(NamedTuple):
    """The equations in one notation, and how they were checked."""

    notation: Notation
    equations: tuple[Equation, ...]
    names: tuple[Name, ...]
    """Every symbol once, in the order in which it appears: results first."""
    shapes: dict[str, Shape]
    """The shape of every symbol by its key, read off the array that the check computed with."""
    check: Check

    @property
    def borrowed(self) -> tuple[str, ...]:
        """The options of this LSTM for which the notation has no signs."""
        return tuple(dict.fromkeys(option for equation in self.equations for option in equation.borrowed))

    @property
    def packed(self) -> tuple[Gate, ...] | None:
        """The order in which a framework packs the gates; None where each gate has arrays of its own."""
        return None if self.notation.convention is None else self.notation.convention.gate_order

    def to_dict(self) -> dict[str, Any]:
        notation = self.notation
        return {
            "name": notation.name,
            "title": notation.title,
            "reference": notation.source._asdict(),
            "vectors": "rows" if notation.row_vectors else "columns",
            "gate_order": None if self.packed is None else [gate.value for gate in self.packed],
            "words": [{"role": str(role), "word": word} for role, word in notation.terminology.items()],
            "remarks": list(notation.remarks),
            "borrowed": [{"option": option, "as": notation.option_notes.get(option, "")} for option in self.borrowed],
            "symbols": [self._symbol(name) for name in self.names],
            "equations": [_equation(one) for one in self.equations],
            "check": self.check._asdict(),
        }

    def _symbol(self, name: Name) -> dict[str, Any]:
        role, _, gate = name.key.partition(".")
        shape = self.shapes[name.key]
        return {
            "role": role,
            "gate": gate or None,
            "text": name.sign.text,
            "latex": name.sign.latex,
            "axes": [axis._asdict() for axis in shape.axes],
            "shape": list(shape.sizes),
        }


class Numbers(NamedTuple):
    """One unit's numbers at one timestep, put into the equations."""

    unit: int
    arithmetic: Arithmetic
    chains: tuple[Chain, ...]
    """An equation each, from the numbers put in to the result; without the projection, which mixes all units."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "unit": self.unit,
            "t": self.arithmetic.t,
            "equations": [one.to_dict() for one in self.chains],
            "difference": self.arithmetic.difference,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Equations(LayerResult):
    """One layer's equations, in one notation or in all."""

    topic: ClassVar[str] = "equations"

    spec: Spec
    source: dict[str, Any]
    layer: int
    direction: Direction
    sample: int
    length: int
    """How many timesteps of the sample were run."""
    every: bool
    """Whether all notations were asked for."""
    notations: tuple[Written, ...]
    numbers: Numbers | None

    def facts(self) -> dict[str, Any]:
        return {
            "layer": self.layer,
            "direction": self.direction.value,
            "sample": self.sample,
            "length": self.length,
            "notations": [written.to_dict() for written in self.notations],
            "numbers": None if self.numbers is None else self.numbers.to_dict(),
        }


def explain_equations(
    lstm: LSTM,
    notation: str | None = None,
    every: bool = False,
    numbers: bool = False,
    unit: int | None = None,
    step: int | None = None,
    sample: int = 0,
    layer: int = 0,
    direction: str = "forward",
) -> Equations:
    """Write one layer's equations, and check them against a run.

    Args:
        lstm: the LSTM and its batch.
        notation: `pytorch`, `keras`, `onnx`, `ng`, `colah` or `goodfellow`; PyTorch's if left out.
        every: write them in all notations.
        numbers: put one unit's numbers in.
        unit: whose numbers; counts from 0; unit 0 if left out.
        step: of which timestep; counts from 1; 4 if left out, or the last where there are fewer.
        sample: which sample the equations are checked with, and the numbers taken from; counts from 0.
        layer: which layer; counts from 0.
        direction: `forward` or `backward`.

    Raises:
        UsageError: unknown notation, unit, sample, timestep, layer or direction, the timestep is padding, or the
            choices contradict each other.
        RefusedError: running even this sample, or checking the equations, would need more memory than the budget.
    """
    check_unedited(lstm, "equations")
    spec = lstm.spec
    chosen = _chosen(notation, every)
    _check_numbers(every, numbers, unit, step)
    layer, way = check_layer(spec, layer, direction)
    sample = lstm.validate_sample(sample)
    own = spec.for_layer(layer)
    unit, step = check_unit(own, unit or 0), None if step is None else check_step(spec, step)
    lstm.check_memory(memory_needed(own), "checking the equations")
    record, place = lstm.run_sample(sample)
    length, part, weights = record.length(place), record.of(layer, way), lstm.weights.of(layer, way)
    step = min(USUAL_STEP, length) if step is None else step
    return Equations(
        spec=spec,
        source=lstm.provenance,
        layer=layer,
        direction=way,
        sample=sample,
        length=length,
        every=every,
        notations=tuple(_written(one, own, way, checked(one, own, weights, part, place, length)) for one in chosen),
        numbers=_numbers(lstm, chosen[0], unit, step, sample, layer, way) if numbers else None,
    )


def _chosen(notation: str | None, every: bool) -> tuple[Notation, ...]:
    if every and notation is not None:
        raise UsageError(
            f"{argument('every', True)} {argument('notation', notation)}",
            f"{argument('every')} shows every notation",
            "Leave one of the two out",
        )
    if every:
        return tuple(NOTATIONS.values())
    name = DEFAULT_NOTATION if notation is None else notation
    if name not in tuple(NOTATIONS):
        raise UsageError(argument("notation", name), "unknown notation", f"The notations are {', '.join(NOTATIONS)}")
    return (NOTATIONS[name],)


def _check_numbers(every: bool, numbers: bool, unit: int | None, step: int | None) -> None:
    if every and numbers:
        fix = f"Choose one with {argument('notation')}"
        raise UsageError(
            f"{argument('every', True)} {argument('numbers', True)}", "numbers are put into the equations of one notation", fix
        )
    if numbers:
        return
    for option, chosen in (("unit", unit), ("step", step)):
        if chosen is not None:
            raise UsageError(
                argument(option, chosen),
                "units and timesteps have numbers, and none are asked for",
                f"Add {argument('numbers', True)}",
            )


def _written(notation: Notation, spec: Spec, way: Direction, found: tuple[dict[str, Shape], Check]) -> Written:
    equations, (shapes, check) = Writer(notation, spec, Moment.of(way)).equations(), found
    named = {one.left.key: one.left for one in equations}
    for one in equations:
        named |= {name.key: name for name in names(one.right) if name.key not in named}
    return Written(notation, equations, tuple(named.values()), shapes, check)


def _numbers(lstm: LSTM, notation: Notation, unit: int, step: int, sample: int, layer: int, way: Direction) -> Numbers:
    arithmetic = explain_unit(lstm, unit, sample, step, layer, way).arithmetic
    assert arithmetic is not None
    writer = Writer(notation, lstm.spec.for_layer(layer), Moment.of(way, step, unit))
    return Numbers(unit, arithmetic, chains(writer, arithmetic))


def _equation(one: Equation) -> dict[str, Any]:
    parts = [*pieces(one.left), Piece("=", "="), *pieces(one.right)]
    return {
        "role": str(one.role),
        "text": in_one_line(parts),
        "latex": latex_of(parts),
        "borrowed": list(one.borrowed),
    }
