"""What the page needs to know of an LSTM: sizes, weights, samples, and a run that its own numbers are compared with."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_explain.core.gates import ACTIVATIONS, GATES, LETTERS, PEEPHOLE_GATES, Direction
from lstm_explain.core.lstm import ArrayInputs, PretrainedWeights
from lstm_explain.errors import RefusedError, UsageError, argument, printable
from lstm_explain.frameworks.registry import FRAMEWORKS
from lstm_explain.topics.command_line import format_command
from lstm_explain.topics.frameworks.program import can_write_program
from lstm_explain.topics.selection import check_layer, check_run_step, check_unit
from lstm_explain.topics.shapes.framework_call import write_calls
from lstm_explain.version import __version__

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.core.record import Record

CODE_FRAMEWORKS = ("pytorch", "keras")
PAGE_COMMANDS = ("unit", "trace", "explore", "report")
"""The commands that the page offers to copy."""


class View(NamedTuple):
    """What the page shows when it is opened. Timesteps count from 1, everything else from 0."""

    sample: int = 0
    layer: int = 0
    direction: Direction = Direction.FORWARD
    unit: int = 0
    step: int = 1


def choose_view(
    lstm: LSTM, sample: int = 0, layer: int = 0, direction: str = "forward", unit: int = 0, step: int | None = None
) -> View:
    """Check a selection; without a timestep it is the second that the direction reads, because the first has no h before it.

    Raises:
        UsageError: there is no such sample, layer, direction, unit or timestep.
    """
    index, chosen = check_layer(lstm.spec, layer, direction)
    sample, unit = lstm.validate_sample(sample), check_unit(lstm.spec.for_layer(index), unit)
    length = lstm.spec.timesteps if lstm.lengths is None else lstm.lengths[sample]
    second = min(2, length) if chosen is Direction.FORWARD else max(1, length - 1)
    step = second if step is None else check_run_step(lstm.spec, "step", step, sample, length)
    return View(sample, index, chosen, unit, step)


def build_page_data(lstm: LSTM, view: View, samples: int) -> dict[str, Any]:
    """Collect what the page needs, as JSON takes it; arrays are described by `_pack`.

    Args:
        lstm: the LSTM; numbers that are set by hand in it become changes that can be undone in the page.
        view: what the page shows first.
        samples: how many samples the page has, from the view's on, as far as there are so many.

    Raises:
        RefusedError: the run would need more memory than the budget.
    """
    plain = replace(lstm, edits=())
    start, stop = view.sample, min(view.sample + samples, lstm.spec.samples)
    exact = _float64_lstm(plain, start, stop)
    record = exact.run()
    spec, provenance = lstm.spec, plain.provenance
    columns = provenance["inputs"].get("columns") or []
    return {
        "version": __version__,
        "spec": spec.to_dict(),
        "source": provenance,
        "features": [printable(name) for name in columns],
        "gates": [
            {
                "letter": LETTERS[gate],
                "name": gate.value.replace("_", " "),
                "activation": ACTIVATIONS[gate],
                "peephole": PEEPHOLE_GATES.index(gate) if gate in PEEPHOLE_GATES else None,
            }
            for gate in GATES
        ],
        "layers": [_pack_layer(lstm, layer) for layer in range(len(spec.layers))],
        "samples": list(range(start, stop)),
        "lengths": [record.length(index) for index in range(stop - start)],
        "inputs": _pack(plain.inputs_for(start, stop).astype(spec.dtype)),
        "run": [
            {direction.value: {"h": _pack(part.hidden), "c": _pack(part.cell)} for direction, part in layer.items()}
            for layer in record.layers
        ],
        "rounding": _largest_difference(plain.run(start, stop), record),
        "view": {**view._asdict(), "direction": view.direction.value, "gate": LETTERS[GATES[0]]},
        "edits": [str(edit) for edit in lstm.edits],
        "code": {name: _write_code(lstm, name) for name in CODE_FRAMEWORKS},
        "commands": {name: format_command(name, spec, provenance) for name in PAGE_COMMANDS},
    }


def _write_code(lstm: LSTM, name: str) -> dict[str, str]:
    """The lines that build the layer in a framework and call it, or why there are none."""
    framework = FRAMEWORKS[name]
    title = f"{framework.title}: code that builds this layer"
    try:
        calls = write_calls(lstm, name)
    except UsageError as error:
        return {"title": title, "text": f"# {error.found}."}
    lines = [line for call in calls for line in call.lines]
    where = f"lstm_in_{name}.py"
    if can_write_program(lstm.spec, framework):
        program = format_command("frameworks", lstm.spec, replace(lstm, edits=()).provenance, [name], code=True, output=where)
        lines += ["", "# A program with these weights, which compares its numbers with ours:", f"# {program}"]
    return {"title": title, "text": "\n".join(lines)}


def _float64_lstm(lstm: LSTM, start: int, stop: int) -> LSTM:
    """The same LSTM over some of its samples, in float64: what the page computes."""
    initial = None if lstm.pretrained is None else lstm.pretrained.initial
    return replace(
        lstm,
        spec=replace(lstm.spec, samples=stop - start, dtype="float64"),
        inputs=ArrayInputs(lstm.inputs.block(start, stop).astype(lstm.spec.dtype).astype(np.float64), "array"),
        lengths=None if lstm.lengths is None else lstm.lengths[start:stop],
        pretrained=PretrainedWeights(
            lstm.weights.astype("float64"), {}, None if initial is None else initial.astype("float64"), lstm.reverse
        ),
    )


def _pack_layer(lstm: LSTM, layer: int) -> dict[str, Any]:
    """A layer's directions, each with its weights and initial states."""
    initial, places = lstm.initial_states(1), lstm.spec.layer_directions
    weights = replace(lstm, edits=()).weights
    packed = {}
    for direction in lstm.spec.for_layer(layer).directions:
        tensors = {name: _pack(array) for name, array in weights.of(layer, direction).tensors().items()}
        index = places.index((layer, direction))
        states = {} if initial is None else {"h": _pack(initial.hidden[index][0]), "c": _pack(initial.cell[index][0])}
        packed[direction.value] = {"weights": tensors, "initial": states}
    return packed


def _pack(array: Array) -> dict[str, Any]:
    """An array as the page unpacks it: exact, and a quarter of the size of its decimal numbers."""
    dtype = "float64" if array.dtype.itemsize > 4 or array.dtype.kind != "f" else "float32"
    content = np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<")).tobytes()
    return {"dtype": dtype, "shape": list(array.shape), "data": b64encode(content).decode()}


def _largest_difference(run: Record, exact: Record) -> float:
    """How far h of the LSTM in its own type is from h in float64; numbers that are not finite do not count."""
    differences = [np.abs(part - other) for part, other in zip(run.outputs, exact.outputs, strict=True)]
    return max(float(np.max(array, initial=0, where=np.isfinite(array))) for array in differences)


def refuse_page(size: int, max_page: int) -> RefusedError:
    """The error for a page that is too large with a single sample."""
    problem = f"a page of one sample takes {size:,} bytes, and the limit is {max_page:,}"
    fix = f"Use fewer timesteps or one layer of the stack, or raise {argument('max_page')}"
    return RefusedError("report", problem, fix)
