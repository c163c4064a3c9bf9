"""The lines of words: where one is, the shapes, and what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_explain.core.gates import GATES, Direction
from lstm_explain.document.numbers import count, decimal, plural
from lstm_explain.explorer.canvas import Canvas
from lstm_explain.explorer.panels.over_time import scale_of
from lstm_explain.render.layout import BOLD, DIM, PLAIN, Look

if TYPE_CHECKING:
    from lstm_explain.core.edits import Edit
    from lstm_explain.explorer.scene import Scene
    from lstm_explain.explorer.state import State
    from lstm_explain.render.layout import Line

NAMES = {"h": "output", "c": "memory", "i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"}


def title(state: State, width: int, unicode: bool = True) -> list[Line]:
    """Where one is."""
    spec = state.lstm.spec
    layer = f"layer {state.layer} of {spec.layers} · " if spec.layers > 1 else ""
    way = f"{state.direction.value} · " if spec.bidirectional else ""
    playing = " · playing" if state.playing else ""
    text = (
        f" sample {count(state.sample)} of {count(spec.samples)} · {layer}{way}"
        f"step {state.step} of {state.length} · unit {state.unit} of {spec.units}{playing}"
    )
    changes = plural(len(state.edits), "change") if state.edits else "nothing changed"
    return _line(text, f"{changes} ", width, Look(bold=True, reverse=True), unicode)


def shapes(scene: Scene, width: int, unicode: bool = True) -> list[Line]:
    """The shapes at one timestep, and the parameters: read off the arrays of the run and of the weights."""
    part, weights = scene.part, scene.weights
    x, h, c = part.input.shape[2], part.hidden.shape[2], part.cell.shape[2]
    own = sum(tensor.size for tensor in weights.tensors().values())
    long = f" x ({x}) and h ({h}) joined: ({x + h}) ► {len(GATES)} gates: ({c}) each ► c ({c}), h ({h})"
    kernels = f"W {weights.kernel.shape}  R {weights.recurrent_kernel.shape}  {plural(own, 'parameter')} "
    if len(long) + len(kernels) + 2 <= width:
        return _line(long, kernels, width, DIM, unicode)
    return _line(
        f" x ({x}) + h ({h}) = ({x + h}) ► {len(GATES)} gates ({c}) ► c ({c}), h ({h})",
        plural(own, "parameter") + " ",
        width,
        DIM,
        unicode,
    )


def caption(scene: Scene, letters: list[str], width: int, unicode: bool = True) -> list[Line]:
    """What the circles and maps show."""
    marks = "○ unit  ● here  ◎ set  ◆ moved" if scene.state.edits else "○ unit  ● here"
    of_c = scale_of(scene, "c")
    scales = f"9, darkest: 1; of c {decimal(of_c, 1).strip()}" if "c" in letters and of_c > 1 else "9 and darkest: 1"
    names = f"{marks} · {', '.join(f'{letter} {NAMES[letter]}' for letter in letters)}"
    return _line(names, scales, width, DIM, unicode)


def moved(scene: Scene, width: int, height: int = 2, unicode: bool = True) -> list[Line]:
    """What the last action had to say; else what the changes did; else what one might do first."""
    state = scene.state
    canvas = Canvas(width, height)
    for row, line in enumerate(_wrapped(_said(scene), width, height)):
        canvas.put(0, row, line, BOLD if state.said or state.edits else PLAIN)
    return canvas.lines(unicode)


def _said(scene: Scene) -> str:
    state = scene.state
    if state.said:
        return state.said
    if not state.edits:
        return (
            f"Press h to change h_{state.before_step}[{state.place}], what unit {state.unit} told the others one step before, "
            "and see which units move."
        )
    return f"{_set(scene)}. {_counts(scene)}"


def _set(scene: Scene) -> str:
    """The last change, and what the number was."""
    one = scene.state.edits[-1]
    others = len(scene.state.edits) - 1
    more = f" (and {plural(others, 'change')} more)" if others else ""
    return f"{one}{more}{_was(scene, one)}"


def _was(scene: Scene, one: Edit) -> str:
    state = scene.state
    if one.step is None or (one.layer, one.direction) != (state.layer, state.direction) or one.step > state.length:
        return ""
    if one.name == "x":
        return f", was {decimal(float(scene.base.input[0, one.step - 1, one.place]), 4).strip()}"
    return f", was {decimal(scene.number(one.name, one.step, one.place, base=True), 4).strip()}"


def _counts(scene: Scene) -> str:
    """How many units moved, timestep after timestep from the first that did."""
    state = scene.state
    moved, units = scene.moved_units, scene.part.cell.shape[2]
    steps = [int(step) + 1 for step in np.flatnonzero(moved.any(axis=1))]
    if not steps:
        return "No unit of this layer moved."
    own = sorted({one.place for one in state.edits if _own(state, one)})
    order = steps if state.direction is Direction.FORWARD else steps[::-1]
    if not own:
        told = [f"{int(moved[step - 1].sum())} of {units} at step {step}" for step in order[:3]]
        return f"Units that moved: {', '.join(told)}{_and_on(order)}."
    others = np.ones(units, bool)
    others[own] = False
    start = _first_set(state) or order[0]
    shown = [step for step in dict.fromkeys([start, *order]) if 1 <= step <= state.length][:3]
    told = [f"{int(moved[step - 1, others].sum())} of {int(others.sum())} at step {step}" for step in shown]
    return f"Other units that moved: {', '.join(told)}{_and_on(order)}."


def _own(state: State, one: Edit) -> bool:
    """Whether an edit names a unit of the layer that is looked at."""
    here = (one.layer, one.direction) == (state.layer, state.direction) and one.name != "x"
    return here and not (one.name == "h" and state.lstm.spec.projection is not None)


def _first_set(state: State) -> int | None:
    """The earliest timestep, in the order of reading, at which a change of this layer is made."""
    steps = [one.step for one in state.edits if _own(state, one) and one.step is not None]
    if not steps:
        return None
    return min(steps) if state.direction is Direction.FORWARD else max(steps)


def _and_on(order: list[int]) -> str:
    return f", and on to step {order[-1]}" if len(order) > 3 else ""


def _line(text: str, end: str, width: int, look: Look, unicode: bool) -> list[Line]:
    canvas = Canvas(width, 1)
    canvas.put(0, 0, " " * width, look)
    canvas.put(0, 0, text, look)
    if len(text) + 1 + len(end) <= width:
        canvas.right(width, 0, end, look)
    return canvas.lines(unicode)


def _wrapped(text: str, width: int, height: int) -> list[str]:
    import textwrap

    lines = textwrap.wrap(text, max(10, width), break_on_hyphens=False)
    if len(lines) > height:
        lines = [*lines[: height - 1], lines[height - 1][: max(0, width - 1)] + "…"]
    return lines
