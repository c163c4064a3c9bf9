"""equations: one layer's equations in a chosen notation, the shape of every symbol, and one unit's numbers put in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, TypeAlias, cast

from lstm_explain.core.equations import (
    Number,
    Piece,
    Product,
    Sign,
    latex_of,
    pieces,
    reduce_once,
    substitute_numbers,
    symbols_in,
    text_of,
)
from lstm_explain.core.gates import PEEPHOLE_GATES, Direction, Gate
from lstm_explain.errors import UsageError, argument
from lstm_explain.frameworks.registry import DEFAULT_NOTATION, NOTATIONS
from lstm_explain.topics.equations.check import check_notation, memory_needed
from lstm_explain.topics.equations.writer import Moment, Writer
from lstm_explain.topics.lookup import find_notation
from lstm_explain.topics.result import SampleResult, json_keys
from lstm_explain.topics.selection import check_layer, check_step, check_unedited, check_unit
from lstm_explain.topics.unit import explain_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lstm_explain.core.axes import Shape
    from lstm_explain.core.equations import Expression, ResultRole, Symbol
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.notation import Notation
    from lstm_explain.topics.equations.check import Check
    from lstm_explain.topics.equations.writer import Equation, Option
    from lstm_explain.topics.result import Positive
    from lstm_explain.topics.unit import Arithmetic, GateSum

DEFAULT_STEP = 4
"""The timestep whose numbers are put in by default, if the sample is that long: states have built up by then."""
NotationName: TypeAlias = Literal["pytorch", "keras", "onnx", "ng", "colah", "goodfellow"]
"""The names that `--notation` takes; a test compares them with the registry."""
TIMES = Sign("×", r"\times")
EQUALS = Piece("=", "=")

WordRole: TypeAlias = Gate | Literal["cell", "hidden", "input"]
SymbolRole: TypeAlias = (
    Gate
    | Literal["cell", "emitted", "hidden", "input", "hidden_before", "cell_before"]
    | Literal["joined_vector", "joined_vector_cell_before", "joined_vector_cell"]
    | Literal["kernel", "recurrent_kernel", "joined", "bias", "recurrent_bias", "peephole", "projection"]
)


class Word(NamedTuple):
    """What the writer calls something."""

    role: WordRole
    """What it is."""
    word: str
    """The writer's word."""


@json_keys("option as=replacement")
class BorrowedOption(NamedTuple):
    """An option for which the notation has no signs."""

    option: Option
    """Which option."""
    replacement: str
    """Where the signs written here are from."""


@json_keys("role gate text=symbol.sign.text latex=symbol.sign.latex axes=shape.axes shape=sizes")
class SymbolShape(NamedTuple):
    """A symbol and the shape of its array, for one sample at one timestep."""

    symbol: Symbol
    shape: Shape

    @property
    def role(self) -> SymbolRole:
        """What it is."""
        return cast("SymbolRole", self.symbol.key.partition(".")[0])

    @property
    def gate(self) -> Gate | None:
        """Which gate, of weights; null for vectors and the projection."""
        gate = self.symbol.key.partition(".")[2]
        return Gate(gate) if gate else None

    @property
    def sizes(self) -> tuple[Positive, ...]:
        """The sizes of the axes, read from the array that the check computed with."""
        return self.shape.sizes


class EquationText(NamedTuple):
    """One equation."""

    role: ResultRole
    """What it computes."""
    text: str
    latex: str
    borrowed: tuple[Option, ...]
    """The options whose signs this equation borrows."""


@json_keys(
    "name title reference=notation.source vectors gate_order=packing_order words remarks=notation.remarks",
    "borrowed=borrowed_options symbols=symbol_shapes equations=equation_texts check",
)
class WrittenNotation(NamedTuple):
    """One writer's equations of the layer."""

    notation: Notation
    equations: tuple[Equation, ...]
    symbols: tuple[Symbol, ...]
    """Every symbol once, in the order in which it appears: results first."""
    shapes: dict[str, Shape]
    """The shape of every symbol by its key, read from the array that the check computed with."""
    check: Check
    """The equations computed as they are written, in float64, against the run."""

    @property
    def name(self) -> NotationName:
        """The name that `--notation` takes."""
        return cast("NotationName", self.notation.name)

    @property
    def title(self) -> str:
        """The name for people."""
        return self.notation.title

    @property
    def vectors(self) -> Literal["rows", "columns"]:
        """Whether vectors are rows, x W, or columns, W x."""
        return "rows" if self.notation.row_vectors else "columns"

    @property
    def packing_order(self) -> tuple[Gate, ...] | None:
        """How a framework packs the gates; null where each gate has its own arrays."""
        return None if self.notation.convention is None else self.notation.convention.gate_order

    @property
    def words(self) -> list[Word]:
        """What the writer calls things; a role is missing where the writer has none."""
        return [Word(cast("WordRole", role), word) for role, word in self.notation.terminology.items()]

    @property
    def borrowed(self) -> tuple[Option, ...]:
        """The options of this LSTM for which the notation has no signs."""
        return tuple(dict.fromkeys(option for equation in self.equations for option in equation.borrowed))

    @property
    def borrowed_options(self) -> list[BorrowedOption]:
        """The options of this LSTM for which the notation has no signs, and where those written here are from."""
        return [BorrowedOption(option, self.notation.option_notes.get(option, "")) for option in self.borrowed]

    @property
    def symbol_shapes(self) -> list[SymbolShape]:
        """Each symbol once."""
        return [SymbolShape(symbol, self.shapes[symbol.key]) for symbol in self.symbols]

    @property
    def equation_texts(self) -> list[EquationText]:
        """In the writer's order."""
        return [_equation_text(equation) for equation in self.equations]


class ChainTerm(NamedTuple):
    """A number put into an equation."""

    text: str
    """The sign that it replaces, as plain text."""
    latex: str
    """The same as LaTeX."""
    value: float
    """The number."""


@json_keys("role text=left.sign.text latex=left.sign.latex terms value=result")
class Chain(NamedTuple):
    """An equation with numbers: what was put in, then one line for each round of working out, down to the result."""

    role: ResultRole
    """What it computes."""
    left: Symbol
    lines: tuple[Expression, ...]

    @property
    def result(self) -> float:
        """The result."""
        result = self.lines[-1]
        assert isinstance(result, Number)
        return result.value

    @property
    def terms(self) -> list[ChainTerm]:
        """The numbers put in, in the order of the equation, and what each replaces."""
        return [ChainTerm(piece.text, piece.latex, piece.value) for piece in pieces(self.lines[0]) if piece.value is not None]


@json_keys("unit t=arithmetic.t equations=chains difference=arithmetic.difference")
class UnitNumbers(NamedTuple):
    """One unit's numbers at one timestep, put into the equations."""

    unit: int
    arithmetic: Arithmetic
    chains: tuple[Chain, ...]
    """An equation each, from the numbers put in to the result; without the projection, which mixes all units."""


@json_keys("layer direction sample length notations numbers")
@dataclass(frozen=True, eq=False, repr=False)
class Equations(SampleResult):
    """One layer's equations, in one notation or in all."""

    topic: ClassVar[str] = "equations"

    sample: int
    """The sample that the equations were checked with."""
    every: bool
    """Whether all notations were asked for."""
    notations: tuple[WrittenNotation, ...]
    """One, or with `--all` every one."""
    numbers: UnitNumbers | None
    """One unit's numbers at one timestep; null without `--numbers`."""


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
    selected = _select_notations(notation, every)
    _check_numbers(every, numbers, unit, step)
    layer, reading = check_layer(spec, layer, direction)
    sample = lstm.validate_sample(sample)
    layer_spec = spec.for_layer(layer)
    unit, step = check_unit(layer_spec, unit or 0), None if step is None else check_step(spec, step)
    lstm.check_memory(memory_needed(layer_spec), "checking the equations")
    record, index = lstm.run_sample(sample)
    length, part, weights = record.length(index), record.of(layer, reading), lstm.weights.of(layer, reading)
    step = min(DEFAULT_STEP, length) if step is None else step
    return Equations(
        spec=spec,
        source=lstm.provenance,
        layer=layer,
        direction=reading,
        sample=sample,
        length=length,
        every=every,
        notations=tuple(
            _write_notation(writing, layer_spec, reading, check_notation(writing, layer_spec, weights, part, index, length))
            for writing in selected
        ),
        numbers=_unit_numbers(lstm, selected[0], unit, step, sample, layer, reading) if numbers else None,
    )


def _select_notations(notation: str | None, every: bool) -> tuple[Notation, ...]:
    if every and notation is not None:
        raise UsageError(
            f"{argument('every', True)} {argument('notation', notation)}",
            f"{argument('every')} shows every notation",
            "Leave one of the two out",
        )
    if every:
        return tuple(NOTATIONS.values())
    return (find_notation(DEFAULT_NOTATION if notation is None else notation),)


def _check_numbers(every: bool, numbers: bool, unit: int | None, step: int | None) -> None:
    if every and numbers:
        fix = f"Choose one with {argument('notation')}"
        raise UsageError(
            f"{argument('every', True)} {argument('numbers', True)}", "numbers are put into the equations of one notation", fix
        )
    if numbers:
        return
    for option, value in (("unit", unit), ("step", step)):
        if value is not None:
            raise UsageError(
                argument(option, value),
                "units and timesteps have numbers, and none are asked for",
                f"Add {argument('numbers', True)}",
            )


def _write_notation(
    notation: Notation, spec: Spec, direction: Direction, checked: tuple[dict[str, Shape], Check]
) -> WrittenNotation:
    equations, (shapes, check) = Writer(notation, spec, Moment.of(direction)).equations(), checked
    symbols = {equation.left.key: equation.left for equation in equations}
    for equation in equations:
        symbols |= {symbol.key: symbol for symbol in symbols_in(equation.right) if symbol.key not in symbols}
    return WrittenNotation(notation, equations, tuple(symbols.values()), shapes, check)


def _equation_text(equation: Equation) -> EquationText:
    parts = [*pieces(equation.left), EQUALS, *pieces(equation.right)]
    return EquationText(equation.role, text_of(parts), latex_of(parts), equation.borrowed)


# --- one unit's numbers -----------------------------------------------------------------------------------------------


def _unit_numbers(
    lstm: LSTM, notation: Notation, unit: int, step: int, sample: int, layer: int, direction: Direction
) -> UnitNumbers:
    """Put a unit's numbers into the equations: the values of the topic `unit`, and its products added up.

    What a projection makes is left out: each number of it is mixed from all units.
    """
    arithmetic = explain_unit(lstm, unit, sample, step, layer, direction).arithmetic
    assert arithmetic is not None
    writer = Writer(notation, lstm.spec.for_layer(layer), Moment.of(direction, step, unit))
    numbers = _numbers_by_key(writer, arithmetic)
    # A peephole of the output gate read the c_t of the run itself.
    read_by_output_gate = {**numbers, "cell": arithmetic.cell_recorded}
    chains = tuple(
        _work_out(equation, read_by_output_gate if equation.role == Gate.OUTPUT else numbers)
        for equation in writer.equations()
        if not isinstance(equation.right, Product)
    )
    return UnitNumbers(unit, arithmetic, chains)


def _work_out(equation: Equation, numbers: Mapping[str, float]) -> Chain:
    lines = [substitute_numbers(equation.right, numbers, TIMES)]
    while not isinstance(lines[-1], Number):
        lines.append(reduce_once(lines[-1], numbers))
    return Chain(equation.role, equation.left, tuple(lines))


def _numbers_by_key(writer: Writer, arithmetic: Arithmetic) -> dict[str, float]:
    numbers = {
        "cell_before": arithmetic.cell_before,
        "kept": arithmetic.kept,
        "added": arithmetic.added,
        "cell": arithmetic.cell,
        "tanh_cell": arithmetic.tanh_cell,
        "emitted": arithmetic.hidden,
    }
    for gate, gate_sum in arithmetic.gates.items():
        numbers |= {gate: gate_sum.value, f"sum.{gate}": gate_sum.total, **_parts_of_sum(writer, gate, gate_sum)}
    return numbers


def _parts_of_sum(writer: Writer, gate: Gate, gate_sum: GateSum) -> dict[str, float]:
    """What a neuron adds up, by key."""
    products = {
        source: [term.product for term in gate_sum.terms if term.source == source] for source in ("x", "h", "c", "bias")
    }
    joins_state = gate in PEEPHOLE_GATES and not writer.notation.peepholes
    return {
        f"kernel_part.{gate}": _exact_sum(products["x"]),
        f"recurrent_part.{gate}": _exact_sum(products["h"]),
        f"joined_part.{gate}": _exact_sum([*products["x"], *products["h"], *(products["c"] if joins_state else [])]),
        f"bias.{gate}": _exact_sum(products["bias"]),
        f"recurrent_bias.{gate}": 0.0,
        f"peephole_part.{gate}": _exact_sum(products["c"]),
        f"peephole.{gate}": _exact_sum([term.weight for term in gate_sum.terms if term.source == "c"]),
    }


def _exact_sum(values: list[float]) -> float:
    """A sum without rounding on the way, as in the topic `unit`."""
    return math.fsum(values) if all(map(math.isfinite, values)) else sum(values)
