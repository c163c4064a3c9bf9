"""The cell at the current step: a diagram with the numbers of one unit, and beside it the arithmetic of each gate."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.explorer.canvas import EDITED_MARK, Canvas, fit_number, fit_text
from lstm_explain.core.gates import LETTERS, Gate
from lstm_explain.document.numbers import thousands
from lstm_explain.render.layout import BOLD, DIM, Span, Style

if TYPE_CHECKING:
    from lstm_explain.apps.explorer.view_model import NeuronSum, ViewModel
    from lstm_explain.render.layout import Line

DIAGRAM_WIDTH, PANEL_HEIGHT = 44, 6
PANEL_GAP = 2
"""The columns between the diagram and the arithmetic."""
WIRES = (
    "       ──×───────────+───────────┬─► ",
    "         │           │         tanh",
    "         │       ┌───×───┐       ×─► ",
    "         f       i       g       o",
    "",
    "       ──┴───────┴───────┴───────┴──",
)
GATE_COLUMNS = {Gate.FORGET: 9, Gate.INPUT: 17, Gate.CANDIDATE: 25, Gate.OUTPUT: 33}
"""The column of each gate."""
LEFT, RIGHT = 7, 36
"""Where the wires begin and end."""
DIAGRAM_DECIMALS, DIAGRAM_NUMBER_WIDTH = 4, 7
"""The decimals of a number, and the columns that there are for one."""
COLUMN_WIDTH = 8
NARROW_COLUMN_WIDTH = 7
STATE_NUMBER_WIDTH = 10
"""The columns that a number of the last line may take."""


def draw_cell(view: ViewModel, width: int, unicode: bool) -> list[Line]:
    """Draw the diagram and the arithmetic side by side."""
    left = draw_diagram(view, unicode)
    right = draw_arithmetic(view, max(0, width - DIAGRAM_WIDTH - PANEL_GAP), unicode)
    return [[*left_line, Span(" " * PANEL_GAP), *right_line] for left_line, right_line in zip(left, right, strict=True)]


def draw_diagram(view: ViewModel, unicode: bool = True) -> list[Line]:
    """Draw the cell of the current step for the chosen unit."""
    canvas = Canvas(DIAGRAM_WIDTH, PANEL_HEIGHT)
    for y, row in enumerate(WIRES):
        canvas.write(0, y, row, DIM)
    _draw_gates(view, canvas)
    _draw_states(view, canvas)
    _draw_vectors(view, canvas)
    return canvas.lines(unicode)


def _draw_gates(view: ViewModel, canvas: Canvas) -> None:
    t, unit = view.state.step, view.state.unit
    for gate, x in GATE_COLUMNS.items():
        letter = LETTERS[gate]
        canvas.write(x, 3, f"{letter}{EDITED_MARK}" if view.set_by_hand(letter, t, unit) else letter, BOLD)
        _draw_number(canvas, x + 3, 4, view.number(letter, t, unit), view.number(letter, t, unit, base=True))


def _draw_states(view: ViewModel, canvas: Canvas) -> None:
    """c before and after, the two products that make the new one, and what the unit outputs."""
    state = view.state
    t, unit, before = state.step, state.unit, state.before_step
    positions = (("c", before), ("f", t), ("i", t), ("g", t), ("c", t))
    now, was = ([view.number(letter, step, unit, base) for letter, step in positions] for base in (False, True))
    kept, added = ([values[a] * values[b] for values in (now, was)] for a, b in ((0, 1), (2, 3)))
    _draw_name(canvas, 0, 0, f"c_{before}", unit, LEFT)
    _draw_number(canvas, LEFT, 1, now[0], was[0])
    _mark_edited_state(view, canvas, LEFT, 1, "c", before)
    _draw_number(canvas, 19, 1, *kept)
    _draw_number(canvas, 29, 1, *added)
    _draw_name(canvas, RIGHT + 1, 0, f"c_{t}", unit, canvas.width - RIGHT - 1)
    _draw_number(canvas, RIGHT + 8, 1, now[4], was[4])
    _mark_edited_state(view, canvas, RIGHT, 1, "c", t)
    letter = state.output_letter
    _draw_name(canvas, RIGHT + 1, 2, f"{letter}_{t}", unit, canvas.width - RIGHT - 1)
    outputs = (view.number("h", t, unit, base) if letter == "h" else view.unit_output(t, unit, base) for base in (False, True))
    _draw_number(canvas, RIGHT + 8, 3, *outputs)
    if letter == "h":
        _mark_edited_state(view, canvas, RIGHT, 3, "h", t)


def _mark_edited_state(view: ViewModel, canvas: Canvas, x: int, y: int, letter: str, t: int) -> None:
    """Mark a state that was set by hand, beside its number."""
    if view.set_by_hand(letter, t, view.state.unit):
        canvas.write(x, y, EDITED_MARK, BOLD)


def _draw_vectors(view: ViewModel, canvas: Canvas) -> None:
    """What all four gates read, and how many numbers that is."""
    state, spec = view.state, view.state.layer_spec
    x, h = view.record.input.shape[2], view.record.hidden.shape[2]
    _draw_vector(canvas, 0, f"x_{state.step}", x, LEFT + 1)
    peepholes = ", own c" if spec.peepholes else ""
    _draw_vector(canvas, RIGHT, f"h_{state.before_step}", h, canvas.width - RIGHT, peepholes)


def _draw_vector(canvas: Canvas, x: int, name: str, length: int, room: int, more: str = "") -> None:
    size = f"({thousands(length)})"
    canvas.write(x, 5, fit_text((f"{name} {size}{more}", f"{name} {size}", f"{name[0]} {size}", name, name[0]), room), BOLD)


def _draw_name(canvas: Canvas, x: int, y: int, name: str, unit: int, room: int) -> None:
    canvas.write(x, y, fit_text((f"{name}[{unit}]", name[:room]), room), BOLD)


def _draw_number(canvas: Canvas, end: int, y: int, value: float, was: float) -> None:
    """A number that ends before a column, marked if it moved."""
    moved = _has_moved(value, was)
    canvas.write_right(end, y, fit_number(DIAGRAM_NUMBER_WIDTH, value, DIAGRAM_DECIMALS), Style(bold=moved, underline=moved))


def _has_moved(value: float, was: float) -> bool:
    return value != was and not (isnan(value) and isnan(was))


# --- the arithmetic ---------------------------------------------------------------------------------------------------


class SumColumn(NamedTuple):
    """A column of the table of sums."""

    title: str
    field: str
    """The attribute of `NeuronSum`."""


def draw_arithmetic(view: ViewModel, width: int, unicode: bool = True) -> list[Line]:
    """Write the arithmetic, `width` characters wide."""
    canvas = Canvas(width, PANEL_HEIGHT)
    columns = _fit_columns(view, width)
    size = COLUMN_WIDTH if 2 + COLUMN_WIDTH * len(columns) <= width else NARROW_COLUMN_WIDTH
    decimals = 4 if size == COLUMN_WIDTH else 3
    for index, column in enumerate(columns, start=1):
        canvas.write_right(2 + size * index, 0, column.title, DIM)
    for row, sums in enumerate(view.sums(view.state.step, view.state.unit), start=1):
        letter = LETTERS[sums.gate]
        held = view.set_by_hand(letter, view.state.step, view.state.unit)
        canvas.write(0, row, f"{letter}{EDITED_MARK}" if held else letter, BOLD)
        for index, column in enumerate(columns, start=1):
            number = fit_number(size - 1, getattr(sums, column.field), decimals)
            canvas.write_right(2 + size * index, row, number, _value_style(sums, column))
    _draw_state_arithmetic(view, canvas)
    return canvas.lines(unicode)


def _fit_columns(view: ViewModel, width: int) -> list[SumColumn]:
    """As many columns as fit. The numbers of a row add up, also where bias and input share a column."""
    state, spec = view.state, view.state.layer_spec
    other = "b+p·c" if spec.bias and spec.peepholes else "p·c" if spec.peepholes else "bias" if spec.bias else ""
    x, h = SumColumn(f"W·x_{state.step}", "of_x"), SumColumn(f"R·h_{state.before_step}", "of_h")
    separate = [x, h, *([SumColumn(other, "other")] if other else [])]
    combined = [SumColumn("W·x+b" if spec.bias else "W·x+p", "outside"), h] if other else separate
    value = [SumColumn("value", "value"), *([SumColumn("was", "was")] if state.edits else [])]
    total = [SumColumn("sum", "total")]
    forms = ([*separate, *total, *value], [*separate, *value], [*combined, *value], value)
    return next((form for form in forms if 2 + NARROW_COLUMN_WIDTH * len(form) <= width), value[:1])


def _value_style(sums: NeuronSum, column: SumColumn) -> Style:
    is_value = column.field == "value"
    return Style(bold=is_value, underline=is_value and _has_moved(sums.value, sums.was))


def _draw_state_arithmetic(view: ViewModel, canvas: Canvas) -> None:
    """How c and h are computed from the gates, in the longest form that fits."""
    state = view.state
    t, unit, before = state.step, state.unit, state.before_step
    f, i, g = (view.number(LETTERS[gate], t, unit) for gate in (Gate.FORGET, Gate.INPUT, Gate.CANDIDATE))
    kept, added = f * view.number("c", before, unit), i * g
    total = f"{_format_short(kept)} {'-' if added < 0 else '+'} {_format_short(abs(added))} = {_format_short(kept + added)}"
    output = _format_short(view.unit_output(t, unit))
    edited = [f"{letter}{EDITED_MARK}{_format_short(view.number(letter, t, unit))}" for letter in _edited_states(view)]
    forms = (
        *([f"c = {total}, h = {output}; then set: {' '.join(edited)}", " ".join(edited)] if edited else []),
        f"c_{t} = f·c_{before} + i·g = {total}   {state.output_letter}_{t} = o·tanh(c_{t}) = {output}",
        f"c = {total}  {state.output_letter} = o·tanh(c) = {output}",
        f"c = {total}",
        f"c = {_format_short(kept + added)}",
    )
    canvas.write(0, PANEL_HEIGHT - 1, fit_text(forms, canvas.width))


def _edited_states(view: ViewModel) -> list[str]:
    """Which of c and h were set by hand after they were computed."""
    state = view.state
    letters = ("c", "h") if state.output_letter == "h" else ("c",)
    return [letter for letter in letters if view.set_by_hand(letter, state.step, state.unit)]


def _format_short(value: float) -> str:
    return fit_number(STATE_NUMBER_WIDTH, value, 4).strip()
