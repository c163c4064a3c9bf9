"""A program in a framework that builds our layer, loads our weights, and compares its output with ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.errors import UsageError
from lstm_explain.frameworks.known import LAYERS
from lstm_explain.frameworks.programs import PROGRAMS
from lstm_explain.frameworks.stored import written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.described import Described

SAMPLES = 8
"""A program compares no more samples than this."""
TOLERANCE = {"float32": 2e-6, "float64": 1e-12}
"""How far a program's numbers may be from ours."""


class Program(NamedTuple):
    """A program, and the arrays that it reads from a file of its own name ending in `.npz`."""

    lines: tuple[str, ...]
    arrays: Mapping[str, Array]
    """The weights in the framework's way; `x`, what is read; `output`, `h` and `c`, what we make of it; `h_0` and `c_0`,
    what it starts from where the model has states of its own."""
    samples: int
    modules: frozenset[str]
    """The packages that it imports."""

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def to_dict(self) -> dict[str, Any]:
        arrays = [{"name": name, "shape": list(one.shape), "dtype": str(one.dtype)} for name, one in self.arrays.items()]
        return {"lines": list(self.lines), "samples": self.samples, "arrays": arrays}


def program_of(lstm: LSTM, one: Described | None) -> Program:
    """Write the program.

    Raises:
        UsageError: no framework was chosen, there is no program in it, or it is not written for such an LSTM.
        RefusedError: the samples cannot be run within the memory budget.
    """
    known = [name for name in LAYERS if name in PROGRAMS]
    if one is None:
        fix = f"Name one of {', '.join(known)}"
        raise UsageError("frameworks --code", "a program is written in one framework", fix)
    if one.name not in PROGRAMS:
        found = f"{one.title} is not run here, so there is no program in it"
        raise UsageError(f"frameworks {one.name} --code", found, f"There are programs in {', '.join(known)}")
    _check(lstm.spec, one)
    start, stop = lstm.block_of(0)
    record, samples = lstm.run(start, stop), min(SAMPLES, stop - start)
    arrays = {name: array for layer in range(lstm.spec.layers) for name, array in _weights(lstm, one, layer)}
    program = PROGRAMS[one.name]
    made = {
        "x": record.input[:samples],
        "output": record.output[:samples],
        "h": record.last_hidden[:, :samples],
        "c": record.last_cell[:, :samples],
    }
    own = _states(lstm, samples)
    lines = program.lines(lstm.spec, tuple(arrays), TOLERANCE[lstm.spec.dtype], bool(own))
    return Program(lines, {**made, **own, **arrays}, samples, frozenset(program.modules))


def _check(spec: Spec, one: Described) -> None:
    """Raise `UsageError` where the program is not written for such an LSTM."""
    asked, program = f"frameworks {one.name} --code", PROGRAMS[one.name]
    lacks = one.convention.lacks(spec)
    if lacks is not None:
        option = "--peepholes" if lacks == "peepholes" else f"--projection {spec.projection}"
        raise UsageError(f"{asked} {option}", f"{one.title} has no {lacks}", f"Leave out {option.split()[0]}")
    if spec.layers > 1 and not program.layers:
        found = f"the program in {one.title} is written for one layer"
        raise UsageError(f"{asked} --layers {spec.layers}", found, "Leave out --layers")
    if spec.bidirectional and not program.directions:
        found = f"the program in {one.title} is written for one direction"
        raise UsageError(f"{asked} --bidirectional", found, "Leave out --bidirectional")
    if spec.peepholes and not program.peepholes:
        found = f"the program in {one.title} is written for layers without peepholes"
        raise UsageError(f"{asked} --peepholes", found, "Leave out --peepholes")
    if spec.dtype not in program.dtypes:
        found = f"the program in {one.title} is written for {' and '.join(program.dtypes)}"
        raise UsageError(f"{asked} --dtype {spec.dtype}", found, "Leave out --dtype")


def _states(lstm: LSTM, samples: int) -> dict[str, Array]:
    """The states that a model has of its own, [layers*directions, samples, hidden or units]; nothing for zeros."""
    initial = None if lstm.loaded is None else lstm.loaded.initial
    if initial is None or not any(one.any() for one in initial):
        return {}
    return {name: array.copy() for name, array in zip(("h_0", "c_0"), initial.repeated(samples), strict=True)}


def _weights(lstm: LSTM, one: Described, layer: int) -> list[tuple[str, Array]]:
    """The weights by the names that the file has: the framework's own, and where these are not enough, what they are of."""
    spec, convention = lstm.spec, one.convention
    alike = spec.layers * len(spec.directions) > 1 and not convention.stacked and len(set(convention.ways.values())) == 1
    made = written(convention, lstm.weights.layers[layer], layer)
    return [(f"layer{layer}.{way}.{name}" if alike else name, array) for name, way, array in made]
