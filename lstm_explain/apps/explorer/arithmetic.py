"""The arithmetic of the current unit and timestep: each neuron's sum and value, then c and h."""

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
    """The attribute of `NeuronSum`."""


def draw_arithmetic(scene: ViewModel, width: int, unicode: bool = True) -> list[Line]:
    """Write the arithmetic, `width` characters wide."""
    canvas, spec = Canvas(width, HEIGHT), scene.state.layer_spec
    columns = _fit_columns(scene, width)
    size = COLUMN_WIDTH if 2 + COLUMN_WIDTH * len(columns) <= width else NARROW_COLUMN_WIDTH
    decimals = 4 if size == COLUMN_WIDTH else 3
    for index, column in enumerate(columns, start=1):
        canvas.write_right(2 + size * index, 0, column.title, DIM)
    for row, sums in enumerate(scene.sums(scene.state.step, scene.state.unit), start=1):
        letter = LETTERS[sums.gate]
        held = scene.set_by_hand(letter, scene.state.step, scene.state.unit)
        canvas.write(0, row, f"{letter}{EDITED_MARK}" if held else letter, BOLD)
        for index, column in enumerate(columns, start=1):
            number = fit_number(size - 1, getattr(sums, column.field), decimals)
            canvas.write_right(2 + size * index, row, number, _value_style(sums, column))
    _draw_state_arithmetic(scene, canvas, "h" if spec.projection is None else "m")
    return canvas.lines(unicode)


def _fit_columns(scene: ViewModel, width: int) -> list[SumColumn]:
    """As many columns as fit. The numbers of a row add up, also where bias and input share a column."""
    state, spec = scene.state, scene.state.layer_spec
    other = "b+p·c" if spec.bias and spec.peepholes else "p·c" if spec.peepholes else "bias" if spec.bias else ""
    x, h = SumColumn(f"W·x_{state.step}", "of_x"), SumColumn(f"R·h_{state.before_step}", "of_h")
    separate = [x, h, *([SumColumn(other, "other")] if other else [])]
    combined = [SumColumn("W·x+b" if spec.bias else "W·x+p", "outside"), h] if other else separate
    value = [SumColumn("value", "value"), *([SumColumn("was", "was")] if state.edits else [])]
    total = [SumColumn("sum", "total")]
    forms = ([*separate, *total, *value], [*separate, *value], [*combined, *value], value)
    return next((form for form in forms if 2 + NARROW_COLUMN_WIDTH * len(form) <= width), value[:1])


def _value_style(sums: NeuronSum, column: SumColumn) -> Style:
    moved = sums.value != sums.was and not (sums.value != sums.value and sums.was != sums.was)
    return Style(bold=column.field == "value", underline=moved and column.field == "value")


def _draw_state_arithmetic(scene: ViewModel, canvas: Canvas, output_letter: str) -> None:
    """How c and h are computed from the gates, in the longest form that fits."""
    state = scene.state
    t, unit, before = state.step, state.unit, state.before_step
    f, i, g = (scene.number(LETTERS[gate], t, unit) for gate in (Gate.FORGET, Gate.INPUT, Gate.CANDIDATE))
    kept, added = f * scene.number("c", before, unit), i * g
    total = f"{_format_short(kept)} {'-' if added < 0 else '+'} {_format_short(abs(added))} = {_format_short(kept + added)}"
    output = _format_short(scene.emitted(t, unit))
    edited = [f"{letter}{EDITED_MARK}{_format_short(scene.number(letter, t, unit))}" for letter in _edited_states(scene)]
    forms = (
        *([f"c = {total}, h = {output}; then set: {' '.join(edited)}", " ".join(edited)] if edited else []),
        f"c_{t} = f·c_{before} + i·g = {total}   {output_letter}_{t} = o·tanh(c_{t}) = {output}",
        f"c = {total}  {output_letter} = o·tanh(c) = {output}",
        f"c = {total}",
        f"c = {_format_short(kept + added)}",
    )
    canvas.write(0, HEIGHT - 1, next((form for form in forms if len(form) <= canvas.width), forms[-1]))


def _edited_states(scene: ViewModel) -> list[str]:
    """Which of c and h were set by hand after they were computed."""
    state = scene.state
    letters = ("c", "h") if state.layer_spec.projection is None else ("c",)
    return [letter for letter in letters if scene.set_by_hand(letter, state.step, state.unit)]


def _format_short(value: float) -> str:
    return fit_number(STATE_NUMBER_WIDTH, value, 4).strip()
