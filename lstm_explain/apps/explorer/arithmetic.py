"""The arithmetic of the current unit and step: each neuron's sum and value, then c and h."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.explorer.canvas import EDITED_MARK, Canvas, fit_number
from lstm_explain.core.gates import LETTERS, Gate
from lstm_explain.render.layout import BOLD, DIM, Style

if TYPE_CHECKING:
    from lstm_explain.apps.explorer.view_model import NeuronSum, ViewModel
    from lstm_explain.render.layout import Line

HEIGHT = 6
COLUMN_WIDTH = 8
NARROW_COLUMN_WIDTH = 7
STATE_NUMBER_WIDTH = 10
"""The columns that a number of the last line may take."""


class SumColumn(NamedTuple):
    """A column of the table of sums."""

    title: str
    field: str
    """Of `Sums`."""


def draw_arithmetic(scene: ViewModel, width: int, unicode: bool = True) -> list[Line]:
    """Write the arithmetic into so many columns."""
    canvas, spec = Canvas(width, HEIGHT), scene.state.layer_spec
    columns = _fit_columns(scene, width)
    size = COLUMN_WIDTH if 2 + COLUMN_WIDTH * len(columns) <= width else NARROW_COLUMN_WIDTH
    places = 4 if size == COLUMN_WIDTH else 3
    for place, column in enumerate(columns):
        canvas.right(2 + size * (place + 1), 0, column.title, DIM)
    for row, sums in enumerate(scene.sums(scene.state.step, scene.state.unit), start=1):
        letter = LETTERS[sums.gate]
        held = scene.set_by_hand(letter, scene.state.step, scene.state.unit)
        canvas.put(0, row, f"{letter}{EDITED_MARK}" if held else letter, BOLD)
        for place, column in enumerate(columns):
            look = _value_style(sums, column)
            canvas.right(2 + size * (place + 1), row, fit_number(size - 1, getattr(sums, column.field), places), look)
    _draw_state_arithmetic(scene, canvas, "h" if spec.projection is None else "m")
    return canvas.lines(unicode)


def _fit_columns(scene: ViewModel, width: int) -> list[SumColumn]:
    """As many as there is room for. What stands in a row adds up, also where bias and input are taken together."""
    state, spec = scene.state, scene.state.layer_spec
    other = "b+p·c" if spec.bias and spec.peepholes else "p·c" if spec.peepholes else "bias" if spec.bias else ""
    x, h = SumColumn(f"W·x_{state.step}", "of_x"), SumColumn(f"R·h_{state.before_step}", "of_h")
    apart = [x, h, *([SumColumn(other, "other")] if other else [])]
    joined = [SumColumn("W·x+b" if spec.bias else "W·x+p", "outside"), h] if other else apart
    value = [SumColumn("value", "value"), *([SumColumn("was", "was")] if state.edits else [])]
    total = [SumColumn("sum", "total")]
    forms = ([*apart, *total, *value], [*apart, *value], [*joined, *value], value)
    return next((form for form in forms if 2 + NARROW_COLUMN_WIDTH * len(form) <= width), value[:1])


def _value_style(sums: NeuronSum, column: SumColumn) -> Style:
    moved = sums.value != sums.was and not (sums.value != sums.value and sums.was != sums.was)
    return Style(bold=column.field == "value", underline=moved and column.field == "value")


def _draw_state_arithmetic(scene: ViewModel, canvas: Canvas, emits: str) -> None:
    """How c and h come of the gates, as long as there is room for."""
    state = scene.state
    t, unit, before = state.step, state.unit, state.before_step
    f, i, g = (scene.number(LETTERS[gate], t, unit) for gate in (Gate.FORGET, Gate.INPUT, Gate.CANDIDATE))
    kept, added = f * scene.number("c", before, unit), i * g
    total = f"{_format_short(kept)} {'-' if added < 0 else '+'} {_format_short(abs(added))} = {_format_short(kept + added)}"
    emitted = _format_short(scene.emitted(t, unit))
    afterwards = [f"{letter}{EDITED_MARK}{_format_short(scene.number(letter, t, unit))}" for letter in _edited_states(scene)]
    forms = (
        *([f"c = {total}, h = {emitted}; then set: {' '.join(afterwards)}", " ".join(afterwards)] if afterwards else []),
        f"c_{t} = f·c_{before} + i·g = {total}   {emits}_{t} = o·tanh(c_{t}) = {emitted}",
        f"c = {total}  {emits} = o·tanh(c) = {emitted}",
        f"c = {total}",
        f"c = {_format_short(kept + added)}",
    )
    canvas.put(0, HEIGHT - 1, next((form for form in forms if len(form) <= canvas.width), forms[-1]))


def _edited_states(scene: ViewModel) -> list[str]:
    """Which of c and h were set by hand after the timestep had made them."""
    state = scene.state
    letters = ("c", "h") if state.layer_spec.projection is None else ("c",)
    return [letter for letter in letters if scene.set_by_hand(letter, state.step, state.unit)]


def _format_short(value: float) -> str:
    return fit_number(STATE_NUMBER_WIDTH, value, 4).strip()
