"""The cell at the current step as a diagram: its arrows carry the numbers of one unit, and the lengths of the vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.apps.explorer.canvas import EDITED_MARK, Canvas, fit_number
from lstm_explain.core.gates import LETTERS, Gate
from lstm_explain.document.numbers import thousands
from lstm_explain.render.layout import BOLD, DIM, Style

if TYPE_CHECKING:
    from lstm_explain.apps.explorer.view_model import ViewModel
    from lstm_explain.render.layout import Line

DIAGRAM_WIDTH, PANEL_HEIGHT = 44, 6
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


def draw_diagram(scene: ViewModel, width: int = DIAGRAM_WIDTH, unicode: bool = True) -> list[Line]:
    """Draw the cell of the current step for the chosen unit."""
    canvas = Canvas(max(width, DIAGRAM_WIDTH), PANEL_HEIGHT)
    for y, row in enumerate(WIRES):
        canvas.write(0, y, row, DIM)
    _draw_gates(scene, canvas)
    _draw_states(scene, canvas)
    _draw_vectors(scene, canvas)
    return canvas.lines(unicode)


def _draw_gates(scene: ViewModel, canvas: Canvas) -> None:
    t, unit = scene.state.step, scene.state.unit
    for gate, x in GATE_COLUMNS.items():
        letter = LETTERS[gate]
        canvas.write(x, 3, f"{letter}{EDITED_MARK}" if scene.set_by_hand(letter, t, unit) else letter, BOLD)
        _draw_number(canvas, x + 3, 4, scene.number(letter, t, unit), scene.number(letter, t, unit, base=True))


def _draw_states(scene: ViewModel, canvas: Canvas) -> None:
    """c before and after, the two products that make the new one, and what the unit emits."""
    state = scene.state
    t, unit, before = state.step, state.unit, state.before_step
    now, was = ([scene.number(*one, base) for one in _state_and_gate_positions(before, t, unit)] for base in (False, True))
    kept, added = ([one[a] * one[b] for one in (now, was)] for a, b in ((0, 1), (2, 3)))
    _draw_name(canvas, 0, 0, f"c_{before}", unit, LEFT)
    _draw_number(canvas, LEFT, 1, now[0], was[0])
    _mark_edited_state(scene, canvas, LEFT, 1, "c", before)
    _draw_number(canvas, 19, 1, *kept)
    _draw_number(canvas, 29, 1, *added)
    _draw_name(canvas, RIGHT + 1, 0, f"c_{t}", unit, canvas.width - RIGHT - 1)
    _draw_number(canvas, RIGHT + 8, 1, now[4], was[4])
    _mark_edited_state(scene, canvas, RIGHT, 1, "c", t)
    emits = "h" if state.layer_spec.projection is None else "m"
    _draw_name(canvas, RIGHT + 1, 2, f"{emits}_{t}", unit, canvas.width - RIGHT - 1)
    emitted = [scene.number("h", t, unit, base) if emits == "h" else scene.emitted(t, unit, base) for base in (False, True)]
    _draw_number(canvas, RIGHT + 8, 3, *emitted)
    if emits == "h":
        _mark_edited_state(scene, canvas, RIGHT, 3, "h", t)


def _mark_edited_state(scene: ViewModel, canvas: Canvas, x: int, y: int, letter: str, t: int) -> None:
    """Mark a state that was set by hand, beside its number."""
    if scene.set_by_hand(letter, t, scene.state.unit):
        canvas.write(x, y, EDITED_MARK, BOLD)


def _state_and_gate_positions(before: int, t: int, unit: int) -> tuple[tuple[str, int, int], ...]:
    return (("c", before, unit), ("f", t, unit), ("i", t, unit), ("g", t, unit), ("c", t, unit))


def _draw_vectors(scene: ViewModel, canvas: Canvas) -> None:
    """What all four gates read, and how many numbers that is."""
    state, spec = scene.state, scene.state.layer_spec
    x, h = scene.part.input.shape[2], scene.part.hidden.shape[2]
    _draw_vector(canvas, 0, f"x_{state.step}", x, LEFT + 1)
    own = ", own c" if spec.peepholes else ""
    _draw_vector(canvas, RIGHT, f"h_{state.before_step}", h, canvas.width - RIGHT, own)


def _draw_vector(canvas: Canvas, x: int, name: str, length: int, room: int, more: str = "") -> None:
    texts = (f"{name} ({thousands(length)}){more}", f"{name} ({thousands(length)})", f"{name[0]} ({thousands(length)})", name)
    canvas.write(x, 5, next((text for text in texts if len(text) <= room), name[0]), BOLD)


def _draw_name(canvas: Canvas, x: int, y: int, name: str, unit: int, room: int) -> None:
    full = f"{name}[{unit}]"
    canvas.write(x, y, full if len(full) <= room else name[:room], BOLD)


def _draw_number(canvas: Canvas, end: int, y: int, value: float, was: float) -> None:
    """A number that ends before a column; marked where it is another than it was."""
    moved = value != was and not (value != value and was != was)
    canvas.write_right(end, y, fit_number(DIAGRAM_NUMBER_WIDTH, value, DIAGRAM_DECIMALS), Style(bold=moved, underline=moved))
