"""The check of the equations: computed as they are written, they give what the run recorded. Shapes are read here too."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.axes import Axis, Shape
from lstm_explain.core.compare import max_abs_difference
from lstm_explain.core.equations import Concatenation, evaluate, symbols_in
from lstm_explain.core.gates import GATES, Direction, Gate
from lstm_explain.core.weights import LayerWeights, weight_shapes
from lstm_explain.topics.equations.writer import Moment, Writer, weight_arrays

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.record import LayerRecord
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.notation import Notation
    from lstm_explain.topics.equations.writer import Equation, SymbolArray
    from lstm_explain.topics.result import Positive

STEPS_AT_ONCE = 256
"""How many timesteps are checked together: enough to be fast, few enough to take little memory."""
COPIES = 4
"""How many float64 copies of a layer's weights the check makes at most: an exact one, one packed, one cut, one joined."""


class Check(NamedTuple):
    """How the equations were compared with the run."""

    timesteps: Positive
    """How many timesteps were compared, each from the run's own states before it."""
    difference: float
    """The largest difference of any gate, cell state or hidden state from the run."""
    printed: float | None
    """The same with the function that the source prints around the candidate; None where that is tanh."""


class Trajectory(NamedTuple):
    """What a layer read and computed over the timesteps of one sample, in float64: [timesteps, n] each."""

    read: dict[str, Array]
    """`input`, `hidden_before` and `cell_before`."""
    made: dict[str, Array]
    """The gates, `cell` and `hidden`."""

    def steps_from(self, start: int) -> Trajectory:
        """The timesteps that are checked together, from one on."""
        steps = slice(start, start + STEPS_AT_ONCE)
        return Trajectory(*({key: array[steps] for key, array in side.items()} for side in self))


def memory_needed(spec: Spec) -> int:
    """An upper stored on the bytes that a check of one layer takes beside the run."""
    numbers = sum(axes.elements for axes in weight_shapes(spec, 0).values())
    square = 3 * spec.units**2 if spec.peepholes else 0  # a joined matrix has a square block for each peephole
    vectors = (3 * len(GATES) + 6) * spec.units + 2 * (spec.features + spec.hidden)
    return 8 * (COPIES * numbers + 2 * square + (spec.timesteps + 3 * STEPS_AT_ONCE) * vectors)


def check_notation(
    notation: Notation, spec: Spec, weights: LayerWeights, part: LayerRecord, sample: int, length: int
) -> tuple[dict[str, Shape], Check]:
    """Compute a notation's equations from a layer's weights, and compare them with its record.

    Args:
        notation: whose equations.
        spec: the sizes and options of the layer.
        weights: the layer's.
        part: what the layer computed.
        sample: the sample's place in the record.
        length: how many timesteps of it were run.

    Returns:
        The shape of every quantity by key, and how far the equations are from the run.
    """
    exact = LayerWeights(**{name: array.astype(np.float64) for name, array in weights.tensors().items()})
    stored = weight_arrays(notation, exact, spec.hidden_axis)
    trajectory = _recorded_trajectory(part, sample, length)
    writer = Writer(notation, spec, Moment.of(part.direction))
    with np.errstate(invalid="ignore", over="ignore"):
        arrays = _compute(writer.equations(), stored, trajectory.steps_from(0))
        difference = _difference(writer, stored, trajectory)
        printed = None
        if notation.printed_candidate:
            printed = _difference(writer._replace(candidate=notation.printed_candidate), stored, trajectory)
    return _shapes(writer, stored, arrays), Check(length, difference, printed)


def _recorded_trajectory(part: LayerRecord, sample: int, length: int) -> Trajectory:
    made = {str(gate): part.gate(gate)[sample, :length] for gate in GATES}
    made |= {"cell": part.cell[sample, :length], "hidden": part.hidden[sample, :length]}
    read = {
        "input": part.input[sample, :length],
        "hidden_before": _states_before(part.initial_hidden[sample], made["hidden"], part.direction),
        "cell_before": _states_before(part.initial_cell[sample], made["cell"], part.direction),
    }
    return Trajectory(*({key: array.astype(np.float64) for key, array in side.items()} for side in (read, made)))


def _states_before(initial: Array, states: Array, direction: Direction) -> Array:
    """The states that each timestep started from; [timesteps, n]."""
    if direction is Direction.FORWARD:
        return np.concatenate([initial[None], states[:-1]])
    return np.concatenate([states[1:], initial[None]])


def _compute(equations: tuple[Equation, ...], stored: dict[str, SymbolArray], trajectory: Trajectory) -> dict[str, Array]:
    """Every quantity by key. An equation waits for what it reads: not all writers list them in the order of computing."""
    arrays = {key: entry.array for key, entry in stored.items()} | trajectory.read
    waiting = list(equations)
    while waiting:
        ready = next(equation for equation in waiting if _reads(equation) <= set(arrays))
        arrays[ready.left.key] = evaluate(ready.right, arrays)
        waiting.remove(ready)
    return arrays


def _reads(equation: Equation) -> set[str]:
    return {symbol.key for symbol in symbols_in(equation.right) if not symbol.key.startswith("joined_vector")}


def _difference(writer: Writer, stored: dict[str, SymbolArray], trajectory: Trajectory) -> float:
    equations, steps = writer.equations(), len(trajectory.read["input"])
    return max(_max_difference(equations, stored, trajectory.steps_from(start)) for start in range(0, steps, STEPS_AT_ONCE))


def _max_difference(equations: tuple[Equation, ...], stored: dict[str, SymbolArray], trajectory: Trajectory) -> float:
    arrays = _compute(equations, stored, trajectory)
    return max(max_abs_difference(arrays[key], run) for key, run in trajectory.made.items() if key in arrays)


def _shapes(writer: Writer, stored: dict[str, SymbolArray], arrays: dict[str, Array]) -> dict[str, Shape]:
    """The shape of every quantity, read off its array; a vector's leading axis is the timesteps', which it does not show."""
    spec = writer.spec
    axes = {"input": "features", "hidden": spec.hidden_axis, "hidden_before": spec.hidden_axis}
    shapes = {key: _shape(entry.axes, entry.array.shape) for key, entry in stored.items()}
    for key in set(arrays) - set(stored):
        shapes[key] = _shape((axes.get(key, "units"),), arrays[key].shape[1:])
    for joined in _concatenations(writer):
        name = " + ".join(shapes[part.key].names[0] for part in joined.parts)
        shapes[joined.key] = _shape((name,), evaluate(joined, arrays).shape[1:])
    return shapes


def _shape(names_of_axes: tuple[str, ...], sizes: tuple[int, ...]) -> Shape:
    return Shape(tuple(Axis(name, size) for name, size in zip(names_of_axes, sizes, strict=True)))


def _concatenations(writer: Writer) -> Iterator[Concatenation]:
    return (writer.concatenation(gate) for gate in Gate) if writer.notation.concatenated else iter(())
