"""The arithmetic of the current unit and step: each neuron's sum and value, then c and h."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.explorer.canvas import SET, Canvas, number_in
from lstm_explain.core.gates import LETTERS, Gate
from lstm_explain.render.layout import BOLD, DIM, Look

if TYPE_CHECKING:
    from lstm_explain.apps.explorer.scene import Scene, Sums
    from lstm_explain.render.layout import Line

HEIGHT = 6
COLUMN = 8
NARROW = 7
ROOM = 10
"""The columns that a number of the last line may take."""


class Column(NamedTuple):
    """A column of the table of sums."""

    title: str
    field: str
    """Of `Sums`."""


def draw(scene: Scene, width: int, unicode: bool = True) -> list[Line]:
    """Write the arithmetic into so many columns."""
    canvas, spec = Canvas(width, HEIGHT), scene.state.layer_spec
    columns = _columns(scene, width)
    size = COLUMN if 2 + COLUMN * len(columns) <= width else NARROW
    places = 4 if size == COLUMN else 3
    for place, column in enumerate(columns):
        canvas.right(2 + size * (place + 1), 0, column.title, DIM)
    for row, sums in enumerate(scene.sums(scene.state.step, scene.state.unit), start=1):
        letter = LETTERS[sums.gate]
        held = scene.set_by_hand(letter, scene.state.step, scene.state.unit)
        canvas.put(0, row, f"{letter}{SET}" if held else letter, BOLD)
        for place, column in enumerate(columns):
            look = _look(sums, column)
            canvas.right(2 + size * (place + 1), row, number_in(size - 1, getattr(sums, column.field), places), look)
    _states(scene, canvas, "h" if spec.projection is None else "m")
    return canvas.lines(unicode)


def _columns(scene: Scene, width: int) -> list[Column]:
    """As many as there is room for. What stands in a row adds up, also where bias and input are taken together."""
    state, spec = scene.state, scene.state.layer_spec
    other = "b+p·c" if spec.bias and spec.peepholes else "p·c" if spec.peepholes else "bias" if spec.bias else ""
    x, h = Column(f"W·x_{state.step}", "of_x"), Column(f"R·h_{state.before_step}", "of_h")
    apart = [x, h, *([Column(other, "other")] if other else [])]
    joined = [Column("W·x+b" if spec.bias else "W·x+p", "outside"), h] if other else apart
    value = [Column("value", "value"), *([Column("was", "was")] if state.edits else [])]
    total = [Column("sum", "total")]
    forms = ([*apart, *total, *value], [*apart, *value], [*joined, *value], value)
    return next((form for form in forms if 2 + NARROW * len(form) <= width), value[:1])


def _look(sums: Sums, column: Column) -> Look:
    moved = sums.value != sums.was and not (sums.value != sums.value and sums.was != sums.was)
    return Look(bold=column.field == "value", underline=moved and column.field == "value")


def _states(scene: Scene, canvas: Canvas, emits: str) -> None:
    """How c and h come of the gates, as long as there is room for."""
    state = scene.state
    t, unit, before = state.step, state.unit, state.before_step
    f, i, g = (scene.number(LETTERS[gate], t, unit) for gate in (Gate.FORGET, Gate.INPUT, Gate.CANDIDATE))
    kept, added = f * scene.number("c", before, unit), i * g
    total = f"{_short(kept)} {'-' if added < 0 else '+'} {_short(abs(added))} = {_short(kept + added)}"
    emitted = _short(scene.emitted(t, unit))
    afterwards = [f"{letter}{SET}{_short(scene.number(letter, t, unit))}" for letter in _set_after(scene)]
    forms = (
        *([f"c = {total}, h = {emitted}; then set: {' '.join(afterwards)}", " ".join(afterwards)] if afterwards else []),
        f"c_{t} = f·c_{before} + i·g = {total}   {emits}_{t} = o·tanh(c_{t}) = {emitted}",
        f"c = {total}  {emits} = o·tanh(c) = {emitted}",
        f"c = {total}",
        f"c = {_short(kept + added)}",
    )
    canvas.put(0, HEIGHT - 1, next((form for form in forms if len(form) <= canvas.width), forms[-1]))


def _set_after(scene: Scene) -> list[str]:
    """Which of c and h were set by hand after the timestep had made them."""
    state = scene.state
    letters = ("c", "h") if state.layer_spec.projection is None else ("c",)
    return [letter for letter in letters if scene.set_by_hand(letter, state.step, state.unit)]


def _short(value: float) -> str:
    return number_in(ROOM, value, 4).strip()
