"""The lines of words: where one is, the shapes, and what moved."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.apps.explorer import heatmaps
from lstm_explain.apps.explorer.canvas import Canvas
from lstm_explain.apps.explorer.heatmaps import scale_of
from lstm_explain.core.gates import GATES, Direction
from lstm_explain.document.numbers import format_decimal, plural, thousands
from lstm_explain.render.layout import BOLD, DIM, PLAIN, Style

if TYPE_CHECKING:
    from lstm_explain.apps.explorer.heatmaps import Viewport
    from lstm_explain.apps.explorer.state import ExplorerState
    from lstm_explain.apps.explorer.view_model import ViewModel
    from lstm_explain.core.edits import Edit
    from lstm_explain.render.layout import Line

NAMES = {"h": "output", "c": "memory", "i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"}
NAMES["m"] = "emitted"


def title_line(state: ExplorerState, width: int, unicode: bool = True) -> list[Line]:
    """Where one is."""
    spec, layer_spec = state.lstm.spec, state.layer_spec
    layer = f"layer {state.layer} of {len(spec.layers)} · " if len(spec.layers) > 1 else ""
    direction = f"{state.direction.value} · " if layer_spec.bidirectional else ""
    playing = " · playing" if state.playing else ""
    text = (
        f" sample {thousands(state.sample)} of {thousands(spec.samples)} · {layer}{direction}"
        f"step {state.step} of {state.length} · unit {state.unit} of {layer_spec.units}{playing}"
    )
    changes = plural(len(state.edits), "change") if state.edits else "nothing changed"
    if len(text) + len(changes) + 2 > width:
        text = text.replace(" · ", ", ").replace(f" of {thousands(spec.samples)}", "", 1)
    return _draw_line(text, f"{changes} ", width, Style(bold=True, reverse=True), unicode)


def shapes_line(scene: ViewModel, width: int, unicode: bool = True) -> list[Line]:
    """The shapes at one timestep, and the parameters: read off the arrays of the run and of the weights."""
    part, weights = scene.part, scene.weights
    x, h, c = part.input.shape[2], part.hidden.shape[2], part.cell.shape[2]
    parameters = sum(tensor.size for tensor in weights.tensors().values())
    long = f" x ({x}) and h ({h}) joined: ({x + h}) ► {len(GATES)} gates: ({c}) each ► c ({c}), h ({h})"
    kernels = f"W {weights.kernel.shape}  R {weights.recurrent_kernel.shape}  {plural(parameters, 'parameter')} "
    if len(long) + len(kernels) + 2 <= width:
        return _draw_line(long, kernels, width, DIM, unicode)
    return _draw_line(
        f" x ({x}) + h ({h}) = ({x + h}) ► {len(GATES)} gates ({c}) ► c ({c}), h ({h})",
        plural(parameters, "parameter") + " ",
        width,
        DIM,
        unicode,
    )


def caption_line(scene: ViewModel, view: Viewport, width: int, unicode: bool = True) -> list[Line]:
    """What the circles and maps show, as much of it as there is room for."""
    state, letters = scene.state, heatmaps.visible_letters(scene.state, view)
    marks = "○ unit at a step  ● here" + ("  ◎ set  ◆ moved" if state.edits else "")
    of_c = scale_of(scene, "c")
    more = f", of c {format_decimal(of_c, 1).strip()}" if "c" in letters and of_c > 1 else ""
    scale = f"darkest: 1{more}" if view.places else f"digit: tenths{more and ' of 1'}{more}"
    names = ", ".join(f"{letter} {NAMES[letter]}" for letter in letters)
    seen = _visible_range(state, view)
    forms = [f"{' · '.join(filter(None, parts))}" for parts in ((marks, names, seen), (marks, seen), (seen, names), (seen,))]
    return _draw_line(next((form for form in forms if len(form) + len(scale) + 2 <= width), ""), scale, width, DIM, unicode)


def _visible_range(state: ExplorerState, view: Viewport) -> str:
    """Which part is seen, where it is not all."""
    units, steps = state.layer_spec.units, state.length
    parts = []
    if view.units < units:
        parts.append(f"units {view.first_unit} to {view.first_unit + view.units - 1} of {units}")
    if view.steps < steps:
        parts.append(f"steps {view.first_step} to {view.first_step + view.steps - 1} of {steps}")
    return ", ".join(parts)


def message_lines(scene: ViewModel, width: int, height: int = 2, unicode: bool = True) -> list[Line]:
    """What the last action had to say; else what the changes did; else what one might do first."""
    state = scene.state
    canvas = Canvas(width, height)
    for row, line in enumerate(_wrap_text(status_message(scene), width, height)):
        canvas.write(0, row, line, BOLD if state.message or state.edits else PLAIN)
    return canvas.lines(unicode)


def status_message(scene: ViewModel) -> str:
    """What the last action had to say; else what the changes did; else what one might do first."""
    state = scene.state
    if state.message:
        return state.message
    return f"{_describe_last_edit(scene)}. {_moved_counts(scene)}" if state.edits else _first_hint(state)


def _first_hint(state: ExplorerState) -> str:
    """What one might do first."""
    name, spec = f"h_{state.before_step}[{state.hidden_index}]", state.layer_spec
    if spec.projection is not None:
        return f"Press h to change {name}, one of the numbers that the projection mixes of all units, and see what moves."
    source = f"what unit {state.unit} told {'the others' if spec.units > 1 else 'itself'} one step before"
    return f"Press h to change {name}, {source}, and see {'which units move' if spec.units > 1 else 'what moves'}."


def _describe_last_edit(scene: ViewModel) -> str:
    """The last change, and what the number was."""
    edit, number = scene.state.edits[-1], len(scene.state.edits)
    text = f"{edit}{_previous_value(scene, edit)}"
    return text if number == 1 else f"{number} changes, the last {text}"


def _previous_value(scene: ViewModel, edit: Edit) -> str:
    state = scene.state
    if edit.step is None or (edit.layer, edit.direction) != (state.layer, state.direction) or edit.step > state.length:
        return ""
    if edit.name == "x":
        return f", was {format_decimal(float(scene.base.input[0, edit.step - 1, edit.position]), 4).strip()}"
    return f", was {format_decimal(scene.number(edit.name, edit.step, edit.position, base=True), 4).strip()}"


def _moved_counts(scene: ViewModel) -> str:
    """How many units moved, timestep after timestep from the first change on, in the order of reading."""
    state, moved = scene.state, scene.moved_units
    steps = {int(step) + 1 for step in np.flatnonzero(moved.any(axis=1))}
    if not steps:
        after_end = all(edit.step is not None and edit.step > state.length for edit in state.edits)
        return f"This sample ends at step {state.length}." if after_end else "No unit of this layer moved."
    others = np.ones(moved.shape[1], bool)
    others[[edit.position for edit in state.edits if _edits_unit_of_layer(state, edit)]] = False
    start = _first_edited_step(state)
    forward = state.direction is Direction.FORWARD
    order = sorted(steps | ({start} if start and 1 <= start <= state.length else set()), reverse=not forward)
    subject = "Units that moved" if others.all() else "Other units that moved"
    if not others.any():
        return f"It moved at {', '.join(f'step {step}' for step in order[:3])}{_remaining_steps(order)}."
    counts = [f"{int(moved[step - 1, others].sum())} of {int(others.sum())} at step {step}" for step in order[:3]]
    return f"{subject}: {', '.join(counts)}{_remaining_steps(order)}."


def _edits_unit_of_layer(state: ExplorerState, edit: Edit) -> bool:
    """Whether an edit names a unit of the layer that is looked at."""
    in_layer = (edit.layer, edit.direction) == (state.layer, state.direction) and edit.name != "x"
    return in_layer and not (edit.name == "h" and state.layer_spec.projection is not None)


def _first_edited_step(state: ExplorerState) -> int | None:
    """The earliest timestep, in the order of reading, at which a change of this layer is made."""
    steps = [edit.step for edit in state.edits if _edits_unit_of_layer(state, edit) and edit.step is not None]
    if not steps:
        return None
    return min(steps) if state.direction is Direction.FORWARD else max(steps)


def _remaining_steps(order: list[int]) -> str:
    return f", and on to step {order[-1]}" if len(order) > 3 else ""


def _draw_line(text: str, end: str, width: int, look: Style, unicode: bool) -> list[Line]:
    canvas = Canvas(width, 1)
    canvas.write(0, 0, " " * width, look)
    canvas.write(0, 0, text, look)
    if len(text) + 1 + len(end) <= width:
        canvas.write_right(width, 0, end, look)
    return canvas.lines(unicode)


def fits_in(text: str, width: int, height: int) -> bool:
    """Whether a text can be read whole."""
    return len(textwrap.wrap(text, max(10, width), break_on_hyphens=False)) <= height


def _wrap_text(text: str, width: int, height: int) -> list[str]:
    lines = textwrap.wrap(text, max(10, width), break_on_hyphens=False)
    if len(lines) > height:
        lines = [*lines[: height - 1], lines[height - 1][: max(0, width - 1)] + "…"]
    return lines
