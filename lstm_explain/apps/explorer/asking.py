"""The questions that a key asks before it acts: what stands in the line already, and what one may write there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.explorer.actions import changed, resized, sizes_of
from lstm_explain.apps.explorer.scene import scene
from lstm_explain.core.gates import LETTERS, Direction, Gate
from lstm_explain.document.numbers import format_decimal

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.apps.explorer.state import State

POKE = 0.5
"""How far a number is moved unless another value is written."""


class Question(NamedTuple):
    """A line to fill in."""

    asks: str
    """What is asked, and what may be written."""
    given: str
    """What stands there already."""


def question(state: State, about: str) -> Question:
    """What a key asks: h, c, g, x, w, sizes or save."""
    return _QUESTIONS[about](state)


def answered(state: State, about: str, text: str) -> State:
    """The state after the answer; what cannot be done is said in it. Not for `save`, which the application does."""
    if about == "sizes":
        return resized(state, text)
    return changed(state, _whole(state, about, text))


def _whole(state: State, about: str, text: str) -> str:
    """The edit that is meant where there is only a number: a new value for what was asked about."""
    try:
        float(text)
    except ValueError:
        return text
    return f"{question(state, about).given.partition('=')[0]}={text.strip()}"


def _where(state: State) -> str:
    """What an edit begins with that is not about layer 0, forward."""
    if state.direction is Direction.BACKWARD:
        return f"{state.layer}.{state.direction.value}:"
    return f"{state.layer}:" if state.layer else ""


def _number(value: float) -> str:
    return f"{value:.4g}"


def _shown(value: float) -> str:
    return format_decimal(value, 4).strip()


def _state(letter: str) -> Callable[[State], Question]:
    def ask(state: State) -> Question:
        place = state.place if letter == "h" else state.unit
        now = scene(state).number(letter, state.before_step, place)
        name = f"{letter}_{state.before_step}[{place}]"
        reads = "all units read it" if letter == "h" else "only its own unit reads it"
        return Question(
            f"{name} is {_shown(now)}; {reads} at step {state.step}.", f"{_where(state)}{name}={_number(now + POKE)}"
        )

    return ask


def _gate(state: State) -> Question:
    letter = LETTERS[Gate.FORGET]
    now = scene(state).number(letter, state.step, state.unit)
    asks = f"{letter} is {_shown(now)}; 0 shuts it, 1 opens it; {letter}[{state.unit}]=0 at every step; i g o likewise."
    return Question(asks, f"{_where(state)}{letter}_{state.step}[{state.unit}]=0")


def _input(state: State) -> Question:
    now = float(scene(state).part.input[0, state.step - 1, 0])
    if state.layer > 0:
        return Question("x is what layer 0 reads; this layer reads h of the one below.", f"x_{state.step}[0]=0.5")
    last = state.lstm.spec.features - 1
    which = "feature 0, the only one" if last == 0 else f"feature 0 of 0 to {last}"
    return Question(f"x_{state.step}[0] is {_shown(now)} ({which}).", f"x_{state.step}[0]={_number(now + POKE)}")


def _weight(state: State) -> Question:
    seen, letter = scene(state), LETTERS[Gate.FORGET]
    column = seen.weights.columns(Gate.FORGET).start + state.unit
    now = float(seen.weights.kernel[0, column])
    unit = state.unit
    bias = "" if seen.weights.bias is None else f", b_{letter}[{unit}] bias"
    others = f"R_{letter}[0,{unit}] from h[0]{bias}"
    asks = f"From feature 0 to unit {unit}'s {letter}: {_shown(now)}; {others}."
    return Question(asks, f"{_where(state)}W_{letter}[0,{unit}]={_number(now + POKE)}")


def _sizes(state: State) -> Question:
    options = "also bidirectional=yes projection=4 peepholes=yes bias=no dtype=float64"
    if state.lstm.spec.stack:
        options = "the layers differ, and each keeps its own"
    return Question(f"Sizes; {options}.", sizes_of(state))


def _save(state: State) -> Question:
    asks = "A file: .svg this screen; .txt .md .json this unit; .csv .jsonl .npz the run."
    return Question(asks, f"unit-{state.unit}-step-{state.step}.svg")


_QUESTIONS: dict[str, Callable[[State], Question]] = {
    "h": _state("h"),
    "c": _state("c"),
    "g": _gate,
    "x": _input,
    "w": _weight,
    "sizes": _sizes,
    "save": _save,
}
