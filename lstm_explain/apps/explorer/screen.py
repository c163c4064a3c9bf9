"""The whole screen as lines: the panels, and the lines of words around them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.apps.explorer import cell_panel, heatmaps, keys
from lstm_explain.apps.explorer.canvas import Canvas, fit_text
from lstm_explain.core.gates import GATES, Direction
from lstm_explain.document.numbers import format_decimal, plural, thousands
from lstm_explain.render.layout import BOLD, DIM, PLAIN, Style

if TYPE_CHECKING:
    from lstm_explain.apps.explorer.heatmaps import Viewport
    from lstm_explain.apps.explorer.state import ExplorerState
    from lstm_explain.apps.explorer.view_model import ViewModel
    from lstm_explain.core.edits import Edit
    from lstm_explain.render.layout import Line

MIN_SIZE = (60, 20)
"""The smallest screen on which everything can be read."""
HEADER_ROWS = 2
"""The rows above the maps: the title and the shapes."""
MESSAGE_ROWS = 2


def heatmap_rows(width: int, height: int) -> int:
    """The rows that the other panels leave to the heat maps."""
    return max(2, height - HEADER_ROWS - 1 - cell_panel.PANEL_HEIGHT - MESSAGE_ROWS - len(keys.draw_footer(width)))


def draw_upper(view: ViewModel, width: int, height: int, unicode: bool = True) -> list[Line]:
    """Everything above the message and the footer."""
    rows = heatmap_rows(width, height)
    return [
        *title_line(view.state, width, unicode),
        *shapes_line(view, width, unicode),
        *heatmaps.draw_heatmaps(view, width, rows, unicode),
        *caption_line(view, heatmaps.fit_viewport(view.state, width, rows), width, unicode),
        *cell_panel.draw_cell(view, width, unicode),
    ]


def draw_screen(view: ViewModel, width: int, height: int) -> list[Line]:
    """The whole screen."""
    return [
        *draw_upper(view, width, height),
        *message_lines(view, width),
        *keys.draw_footer(width),
    ]


def unit_and_step_at(state: ExplorerState, width: int, height: int, x: int, y: int) -> tuple[int, int] | None:
    """What a click selects; None outside the circles and the heat maps."""
    rows = heatmap_rows(width, height)
    if not HEADER_ROWS <= y < HEADER_ROWS + rows:
        return None
    return heatmaps.fit_viewport(state, width, rows).at(x, y - HEADER_ROWS)


# --- the lines of words -----------------------------------------------------------------------------------------------

NAMES = {"h": "output", "c": "memory", "i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"}
NAMES["m"] = "emitted"


def title_line(state: ExplorerState, width: int, unicode: bool = True) -> list[Line]:
    """The position: sample, layer, direction, timestep and unit."""
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


def shapes_line(view: ViewModel, width: int, unicode: bool = True) -> list[Line]:
    """The shapes at one timestep, and the parameters: taken from the arrays of the run and of the weights."""
    record, weights = view.record, view.weights
    x, h, c = record.input.shape[2], record.hidden.shape[2], record.cell.shape[2]
    parameters = sum(tensor.size for tensor in weights.tensors().values())
    long = f" x ({x}) and h ({h}) joined: ({x + h}) ► {len(GATES)} gates: ({c}) each ► c ({c}), h ({h})"
    kernels = f"W {weights.kernel.shape}  R {weights.recurrent_kernel.shape}  {plural(parameters, 'parameter')} "
    if len(long) + len(kernels) + 2 <= width:
        return _draw_line(long, kernels, width, DIM, unicode)
    short = f" x ({x}) + h ({h}) = ({x + h}) ► {len(GATES)} gates ({c}) ► c ({c}), h ({h})"
    return _draw_line(short, f"{plural(parameters, 'parameter')} ", width, DIM, unicode)


def caption_line(view: ViewModel, viewport: Viewport, width: int, unicode: bool = True) -> list[Line]:
    """What the circles and maps show, as much of it as there is room for."""
    state, letters = view.state, heatmaps.visible_letters(view.state, viewport)
    marks = "○ unit at a step  ● here" + ("  ◎ set  ◆ moved" if state.edits else "")
    cell_scale = heatmaps.scale_of(view, "c")
    more = f", of c {format_decimal(cell_scale, 1).strip()}" if "c" in letters and cell_scale > 1 else ""
    scale = f"darkest: 1{more}" if viewport.decimals else f"digit: tenths{more and ' of 1'}{more}"
    names = ", ".join(f"{letter} {NAMES[letter]}" for letter in letters)
    visible = _visible_range(state, viewport)
    choices = ((marks, names, visible), (marks, visible), (visible, names), (visible,), ())
    text = fit_text([" · ".join(filter(None, choice)) for choice in choices], width - len(scale) - 2)
    return _draw_line(text, scale, width, DIM, unicode)


def _visible_range(state: ExplorerState, viewport: Viewport) -> str:
    """The units and timesteps on the screen, where some are left out."""
    ranges = (
        ("units", viewport.first_unit, viewport.units, state.layer_spec.units),
        ("steps", viewport.first_step, viewport.steps, state.length),
    )
    return ", ".join(
        f"{name} {first} to {first + shown - 1} of {total}" for name, first, shown, total in ranges if shown < total
    )


def message_lines(view: ViewModel, width: int, unicode: bool = True) -> list[Line]:
    """The status message, cut off with an ellipsis if it is too long."""
    state, canvas = view.state, Canvas(width, MESSAGE_ROWS)
    lines = _wrap_text(status_message(view), width)
    if len(lines) > MESSAGE_ROWS:
        lines[MESSAGE_ROWS - 1] = lines[MESSAGE_ROWS - 1][: max(0, width - 1)] + "…"
    for row, line in enumerate(lines[:MESSAGE_ROWS]):
        canvas.write(0, row, line, BOLD if state.message or state.edits else PLAIN)
    return canvas.lines(unicode)


def status_message(view: ViewModel) -> str:
    """The message of the last action; else what the changes did; else a hint for the start."""
    state = view.state
    if state.message:
        return state.message
    return f"{_describe_last_edit(view)}. {_moved_counts(view)}" if state.edits else _first_hint(state)


def _first_hint(state: ExplorerState) -> str:
    """Suggest a first change."""
    name, spec = f"h_{state.before_step}[{state.hidden_index}]", state.layer_spec
    if spec.projection is not None:
        return f"Press h to change {name}, one of the numbers that the projection mixes of all units, and see what moves."
    source = f"what unit {state.unit} told {'the others' if spec.units > 1 else 'itself'} one step before"
    return f"Press h to change {name}, {source}, and see {'which units move' if spec.units > 1 else 'what moves'}."


def _describe_last_edit(view: ViewModel) -> str:
    """The last change, and what the number was."""
    edit, number = view.state.edits[-1], len(view.state.edits)
    text = f"{edit}{_previous_value(view, edit)}"
    return text if number == 1 else f"{number} changes, the last {text}"


def _previous_value(view: ViewModel, edit: Edit) -> str:
    state = view.state
    if edit.step is None or (edit.layer, edit.direction) != (state.layer, state.direction) or edit.step > state.length:
        return ""
    if edit.name == "x":
        return f", was {format_decimal(float(view.base.input[0, edit.step - 1, edit.position]), 4).strip()}"
    return f", was {format_decimal(view.number(edit.name, edit.step, edit.position, base=True), 4).strip()}"


def _moved_counts(view: ViewModel) -> str:
    """How many units moved, timestep after timestep from the first change on, in the order of reading."""
    state, moved = view.state, view.moved_units
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
    """Whether an edit names a unit of the selected layer."""
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


def _draw_line(text: str, end: str, width: int, style: Style, unicode: bool) -> list[Line]:
    canvas = Canvas(width, 1)
    canvas.write(0, 0, " " * width, style)
    canvas.write(0, 0, text, style)
    if len(text) + 1 + len(end) <= width:
        canvas.write_right(width, 0, end, style)
    return canvas.lines(unicode)


def fits_message_rows(text: str, width: int) -> bool:
    """Whether a message fits into its rows."""
    return len(_wrap_text(text, width)) <= MESSAGE_ROWS


def _wrap_text(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(10, width), break_on_hyphens=False)
