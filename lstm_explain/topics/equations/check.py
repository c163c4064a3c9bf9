"""The proof of the equations: computed as they are written, they give what the run recorded. Shapes are read off here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_explain.core.axes import Axis, Shape
from lstm_explain.core.compare import max_abs_difference
from lstm_explain.core.gates import GATES, Direction, Gate
from lstm_explain.core.weights import LayerWeights, weight_shapes
from lstm_explain.topics.equations.arrays import bound_weights
from lstm_explain.topics.equations.builder import Moment, Writer
from lstm_explain.topics.equations.expression import Joined, names, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstm_explain.core.axes import Array
    from lstm_explain.core.record import LayerRecord
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.notation import Notation
    from lstm_explain.topics.equations.arrays import Bound
    from lstm_explain.topics.equations.builder import Equation

STEPS_AT_ONCE = 256
"""How many timesteps are checked together: enough to be fast, few enough to take little memory."""
COPIES = 4
"""How many float64 copies of a layer's weights the check makes at most: one of its own, one packed, one cut, one joined."""


class Check(NamedTuple):
    """How the equations were compared with the run."""

    timesteps: int
    """How many timesteps, each from the run's own states before it."""
    difference: float
    """The largest difference of any gate, cell state or hidden state from the run."""
    printed: float | None
    """The same with the function that the source prints around the candidate; None where that is this LSTM's."""


class Course(NamedTuple):
    """What a layer read and computed over the timesteps of one sample, in float64: [timesteps, n] each."""

    read: dict[str, Array]
    """`input`, `hidden_before` and `cell_before`."""
    made: dict[str, Array]
    """The gates, `cell` and `hidden`."""

    def part(self, start: int) -> Course:
        """Some timesteps of it."""
        steps = slice(start, start + STEPS_AT_ONCE)
        return Course(*({key: array[steps] for key, array in side.items()} for side in self))


def memory_needed(spec: Spec) -> int:
    """An upper bound on the bytes that a check of one layer takes beside the run."""
    numbers = sum(axes.elements for axes in weight_shapes(spec, 0).values())
    square = 3 * spec.units**2 if spec.peepholes else 0  # a joined matrix has a square block for each peephole
    vectors = (3 * len(GATES) + 6) * spec.units + 2 * (spec.features + spec.hidden)
    return 8 * (COPIES * numbers + 2 * square + (spec.timesteps + 3 * STEPS_AT_ONCE) * vectors)


def checked(
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
    bound = bound_weights(notation, exact, spec.hidden_axis)
    course = _course(part, sample, length)
    writer = Writer(notation, spec, Moment.of(part.direction))
    with np.errstate(invalid="ignore", over="ignore"):
        arrays = _computed(writer.equations(), bound, course.part(0))
        difference = _difference(writer, bound, course)
        printed = None
        if notation.printed_candidate:
            printed = _difference(writer._replace(candidate=notation.printed_candidate), bound, course)
    return _shapes(writer, bound, arrays), Check(length, difference, printed)


def _course(part: LayerRecord, sample: int, length: int) -> Course:
    made = {str(gate): part.gate(gate)[sample, :length] for gate in GATES}
    made |= {"cell": part.cell[sample, :length], "hidden": part.hidden[sample, :length]}
    read = {
        "input": part.input[sample, :length],
        "hidden_before": _before(part.initial_hidden[sample], made["hidden"], part.direction),
        "cell_before": _before(part.initial_cell[sample], made["cell"], part.direction),
    }
    return Course(*({key: array.astype(np.float64) for key, array in side.items()} for side in (read, made)))


def _before(initial: Array, states: Array, direction: Direction) -> Array:
    """The states that each timestep started from; [timesteps, n]."""
    if direction is Direction.FORWARD:
        return np.concatenate([initial[None], states[:-1]])
    return np.concatenate([states[1:], initial[None]])


def _computed(equations: tuple[Equation, ...], bound: dict[str, Bound], course: Course) -> dict[str, Array]:
    """Every quantity by key. An equation waits for what it reads: writers do not all give them in the order of computing."""
    arrays = {key: one.array for key, one in bound.items()} | course.read
    waiting = list(equations)
    while waiting:
        ready = next(one for one in waiting if _reads(one) <= set(arrays))
        arrays[ready.left.key] = value(ready.right, arrays)
        waiting.remove(ready)
    return arrays


def _reads(equation: Equation) -> set[str]:
    return {name.key for name in names(equation.right) if not name.key.startswith("joined_vector")}


def _difference(writer: Writer, bound: dict[str, Bound], course: Course) -> float:
    equations, steps = writer.equations(), len(course.read["input"])
    return max(_gap(equations, bound, course.part(start)) for start in range(0, steps, STEPS_AT_ONCE))


def _gap(equations: tuple[Equation, ...], bound: dict[str, Bound], course: Course) -> float:
    arrays = _computed(equations, bound, course)
    return max(max_abs_difference(arrays[key], run) for key, run in course.made.items() if key in arrays)


def _shapes(writer: Writer, bound: dict[str, Bound], arrays: dict[str, Array]) -> dict[str, Shape]:
    """The shape of every quantity, read off its array; a vector's leading axis is the timesteps', which it does not show."""
    spec = writer.spec
    axes = {"input": "features", "hidden": spec.hidden_axis, "hidden_before": spec.hidden_axis}
    shapes = {key: _shape(one.axes, one.array.shape) for key, one in bound.items()}
    for key in set(arrays) - set(bound):
        shapes[key] = _shape((axes.get(key, "units"),), arrays[key].shape[1:])
    for joined in _joined(writer):
        name = " + ".join(shapes[part.key].names[0] for part in joined.parts)
        shapes[joined.key] = _shape((name,), value(joined, arrays).shape[1:])
    return shapes


def _shape(names_of_axes: tuple[str, ...], sizes: tuple[int, ...]) -> Shape:
    return Shape(tuple(Axis(name, size) for name, size in zip(names_of_axes, sizes, strict=True)))


def _joined(writer: Writer) -> Iterator[Joined]:
    return (writer.joined(gate) for gate in Gate) if writer.notation.concatenated else iter(())
