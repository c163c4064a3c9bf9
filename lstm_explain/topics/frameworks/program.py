"""A program in a framework that builds our layer, loads our weights, and compares its output with ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from lstm_explain.errors import UsageError, argument
from lstm_explain.frameworks.convention import HETEROGENEOUS
from lstm_explain.frameworks.layout import export_layer
from lstm_explain.frameworks.python_code import STATE_PREFIX
from lstm_explain.frameworks.registry import FRAMEWORKS, SCRIPTS
from lstm_explain.topics.lookup import FIX_SELECT_ONE_LAYER, combines_layers
from lstm_explain.topics.result import json_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record
    from lstm_explain.core.spec import Dtype, Spec
    from lstm_explain.frameworks.framework import Framework
    from lstm_explain.frameworks.python_code import ScriptTemplate
    from lstm_explain.topics.result import Positive

MAX_SAMPLES = 8
"""A program compares no more samples than this."""
TOLERANCE = {"float32": 2e-6, "float64": 1e-12}
"""How far a program's numbers may be from ours."""


class ProgramArray(NamedTuple):
    """One array that a program reads."""

    name: str
    """Its name in the file."""
    shape: tuple[int, ...]
    dtype: Dtype
    """The type of its numbers."""


@json_keys("lines samples arrays=described_arrays")
class Program(NamedTuple):
    """A program, and the arrays that it reads from the file of the same name ending in `.npz`."""

    lines: tuple[str, ...]
    """The lines of the program."""
    arrays: Mapping[str, Array]
    """The weights as the framework stores them; the input `x`; our `output`, `h` and `c`; and the initial states `h_0` and
    `c_0`, if the model contains any. If layers differ, `h` and `c` hold the states side by side, and each layer and direction
    has its own initial states."""
    samples: Positive
    """How many samples it runs."""
    modules: frozenset[str]
    """The packages that it imports."""

    @property
    def text(self) -> str:
        """The whole program."""
        return "\n".join(self.lines) + "\n"

    @property
    def described_arrays(self) -> list[ProgramArray]:
        """The arrays that it reads."""
        return [ProgramArray(name, array.shape, cast("Dtype", str(array.dtype))) for name, array in self.arrays.items()]


def write_program(lstm: LSTM, framework: Framework | None) -> Program:
    """Write the program.

    Raises:
        UsageError: no framework was chosen, it has no program, or its program does not support such an LSTM.
        RefusedError: the samples cannot be run within the memory budget.
    """
    if framework is None:
        fix = f"Name one of {', '.join(SCRIPTS)}"
        raise UsageError(f"frameworks {argument('code', True)}", "a program is written in one framework", fix)
    if framework.name not in SCRIPTS:
        reason = f"{framework.title} is not run here, so a program cannot be checked"
        raise UsageError(
            f"frameworks {framework.name} {argument('code', True)}", reason, f"Choose one of {', '.join(SCRIPTS)}"
        )
    _check_supported(lstm, framework)
    start, stop = lstm.block_of(0)
    record, samples = lstm.run(start, stop), min(MAX_SAMPLES, stop - start)
    arrays = {name: array for layer in range(len(lstm.spec.layers)) for name, array in _weight_arrays(lstm, framework, layer)}
    program = SCRIPTS[framework.name]
    hidden, cell = _last_states(record, samples)
    compared = {"x": record.input[:samples], "output": record.output[:samples], "h": hidden, "c": cell}
    states = _initial_states(lstm, samples)
    lines = program.format_script(lstm.spec, tuple(arrays), TOLERANCE[lstm.spec.dtype], bool(states))
    return Program(lines, {**compared, **states, **arrays}, samples, frozenset(program.packages))


def can_write_program(spec: Spec, framework: Framework) -> bool:
    """Whether there is a program in a framework for such an LSTM."""
    script, unsupported = SCRIPTS.get(framework.name), framework.convention.unsupported_option(spec)
    return script is not None and unsupported is None and _script_limit(spec, script) is None


def _check_supported(lstm: LSTM, framework: Framework) -> None:
    """Raise `UsageError` if the program does not support such an LSTM."""
    spec, request = lstm.spec, f"frameworks {framework.name} {argument('code', True)}"
    lacks = framework.convention.unsupported_option(spec)
    if lacks is not None:
        raise _unsupported_option_error(lstm, framework, lacks)
    limit = _script_limit(spec, SCRIPTS[framework.name])
    if limit is None:
        return
    option, value, supported = limit
    request += f" {argument(option, value)}"
    reason, fix = f"the program in {framework.title} is written for {supported}", f"Leave out {argument(option)}"
    if option != "dtype":
        raise _unsupported_error(lstm, framework, request, reason, fix)
    raise UsageError(request, reason, fix if lstm.pretrained is None else f"Add {argument('dtype', 'float32')}")


def _script_limit(spec: Spec, script: ScriptTemplate) -> tuple[str, object, str] | None:
    """The first option that a program is not written for, its value, and what it is written for; None if it supports all."""
    if len(spec.layers) > 1 and not script.supports_layers:
        return "layers", len(spec.layers), "one layer"
    if spec.has_backward and not script.supports_directions:
        return "bidirectional", True, "one direction"
    if any(spec.for_layer(layer).peepholes for layer, _ in spec.layer_groups) and not script.supports_peepholes:
        return "peepholes", True, "layers without peepholes"
    if spec.dtype not in script.dtypes:
        return "dtype", spec.dtype, " and ".join(script.dtypes)
    return None


def _unsupported_option_error(lstm: LSTM, framework: Framework, lacks: str) -> UsageError:
    """The error for an option of the LSTM that the framework does not have."""
    request = f"frameworks {framework.name} {argument('code', True)}"
    if lacks == HETEROGENEOUS:
        return _unsupported_error(lstm, framework, request, f"{framework.title}'s LSTM has no {lacks}, and this one has", "")
    option = argument(lacks, getattr(lstm.spec, lacks))
    return _unsupported_error(
        lstm, framework, f"{request} {option}", f"{framework.title} has no {lacks}", f"Leave out {argument(lacks)}"
    )


def _unsupported_error(lstm: LSTM, framework: Framework, request: str, reason: str, fix: str) -> UsageError:
    """What to do where a program in this framework is not written: of a model or of a stack nothing can be left out."""
    if lstm.pretrained is None and not lstm.spec.layers_differ:
        return UsageError(request, reason, fix)
    able = [name for name in SCRIPTS if can_write_program(lstm.spec, FRAMEWORKS[name])]
    others = [f"Ask for {' or '.join(able)}"] if able else []
    alone = [FIX_SELECT_ONE_LAYER] if combines_layers(lstm) else []
    return UsageError(f"frameworks {framework.name} {argument('code', True)}", reason, "; or ".join([*others, *alone]))


# --- the arrays -------------------------------------------------------------------------------------------------------


def _last_states(record: Record, samples: int) -> tuple[Array, Array]:
    """h and c after the last timesteps, [layers*directions, samples, hidden or units]; side by side where layers differ."""
    parts = [record.of(layer, direction) for layer, direction in record.spec.layer_directions]
    states = ([part.last_hidden[:samples] for part in parts], [part.last_cell[:samples] for part in parts])
    if record.spec.layers_differ:
        return np.concatenate(states[0], axis=1), np.concatenate(states[1], axis=1)
    return np.stack(states[0]), np.stack(states[1])


def _initial_states(lstm: LSTM, samples: int) -> dict[str, Array]:
    """The initial states that a model contains; empty for zeros.

    Returns:
        `h_0` and `c_0`, [layers*directions, samples, hidden or units]; where layers differ, `start0.forward.h` and so on.
    """
    initial = None if lstm.pretrained is None else lstm.pretrained.initial
    if initial is None or not initial.any():
        return {}
    repeated = initial.repeat(samples)
    if not lstm.spec.layers_differ:
        return {name: np.stack(states) for name, states in zip(("h_0", "c_0"), repeated, strict=True)}
    return {
        f"{STATE_PREFIX}{layer}.{direction}.{name}": states[index].copy()
        for index, (layer, direction) in enumerate(lstm.spec.layer_directions)
        for name, states in zip("hc", repeated, strict=True)
    }


def _weight_arrays(lstm: LSTM, framework: Framework, layer: int) -> list[tuple[str, Array]]:
    """The weights by the names that the file has: the framework's own, and where these are not enough, what they are of."""
    spec, convention = lstm.spec, framework.convention
    names_collide = (
        len(spec.layer_directions) > 1
        and not convention.directions_stacked
        and len(set(convention.direction_names.values())) == 1
    )
    exported = export_layer(convention, lstm.weights.layers[layer], layer)
    return [(f"layer{layer}.{direction}.{name}" if names_collide else name, array) for name, direction, array in exported]
