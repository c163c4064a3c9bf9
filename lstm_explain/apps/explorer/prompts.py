"""The questions that a key asks before it acts, each with an answer to edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.apps.explorer.actions import apply_edits, change_sizes, format_sizes
from lstm_explain.apps.explorer.view_model import build_view_model
from lstm_explain.core.gates import LETTERS, Direction, Gate
from lstm_explain.document.numbers import format_decimal

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.apps.explorer.state import ExplorerState

PERTURBATION = 0.5
"""The change of a number in the proposed answer."""


class Prompt(NamedTuple):
    """A line to fill in."""

    question: str
    """What to answer, and in which form."""
    answer: str
    """The proposed answer, in the line already."""


def prompt_for(state: ExplorerState, about: str) -> Prompt:
    """The prompt for h, c, g, x, w, sizes or save."""
    return _PROMPTS[about](state)


def apply_answer(state: ExplorerState, about: str, text: str) -> ExplorerState:
    """The state after the answer, or with an error message. `save` is left to the application."""
    if about == "sizes":
        return change_sizes(state, text)
    return apply_edits(state, _complete_edit(state, about, text))


def _complete_edit(state: ExplorerState, about: str, text: str) -> str:
    """Complete a bare number to an edit: the new value of what the prompt is about."""
    try:
        float(text)
    except ValueError:
        return text
    return f"{prompt_for(state, about).answer.partition('=')[0]}={text.strip()}"


def _format_edit(state: ExplorerState, name: str, value: float) -> str:
    """Write an edit, with its layer and direction unless they are 0 and forward."""
    prefix = f"{state.layer}:" if state.layer else ""
    if state.direction is Direction.BACKWARD:
        prefix = f"{state.layer}.{state.direction.value}:"
    return f"{prefix}{name}={value:.4g}"


def _display_number(value: float) -> str:
    return format_decimal(value, 4).strip()


def _state_prompt(state: ExplorerState, letter: str) -> Prompt:
    index = state.hidden_index if letter == "h" else state.unit
    now = build_view_model(state).number(letter, state.before_step, index)
    name = f"{letter}_{state.before_step}[{index}]"
    reads = "all units read it" if letter == "h" else "only its own unit reads it"
    question = f"{name} is {_display_number(now)}; {reads} at step {state.step}."
    return Prompt(question, _format_edit(state, name, now + PERTURBATION))


def _gate_prompt(state: ExplorerState) -> Prompt:
    letter, unit = LETTERS[Gate.FORGET], state.unit
    now = build_view_model(state).number(letter, state.step, unit)
    question = f"{letter} is {_display_number(now)}; 0 shuts it, 1 opens it; {letter}[{unit}]=0 at every step; i g o likewise."
    return Prompt(question, _format_edit(state, f"{letter}_{state.step}[{unit}]", 0))


def _input_prompt(state: ExplorerState) -> Prompt:
    name = f"x_{state.step}[0]"
    if state.layer > 0:
        return Prompt("x is what layer 0 reads; this layer reads h of the one below.", f"{name}=0.5")
    now = float(build_view_model(state).record.input[0, state.step - 1, 0])
    last = state.lstm.spec.features - 1
    features = "feature 0, the only one" if last == 0 else f"feature 0 of 0 to {last}"
    return Prompt(f"{name} is {_display_number(now)} ({features}).", f"{name}={now + PERTURBATION:.4g}")


def _weight_prompt(state: ExplorerState) -> Prompt:
    weights, letter, unit = build_view_model(state).weights, LETTERS[Gate.FORGET], state.unit
    now = float(weights.kernel[0, weights.columns(Gate.FORGET).start + unit])
    bias = "" if weights.bias is None else f", b_{letter}[{unit}] bias"
    others = f"R_{letter}[0,{unit}] from h[0]{bias}"
    question = f"From feature 0 to unit {unit}'s {letter}: {_display_number(now)}; {others}."
    return Prompt(question, _format_edit(state, f"W_{letter}[0,{unit}]", now + PERTURBATION))


def _sizes_prompt(state: ExplorerState) -> Prompt:
    options = "also units=8,4 bidirectional=yes projection=4 peepholes=yes bias=no"
    if state.lstm.spec.options_differ:
        options = "the layers differ, and each keeps its own"
    return Prompt(f"Sizes; {options}.", format_sizes(state))


def _save_prompt(state: ExplorerState) -> Prompt:
    question = "A file: .svg this screen; .txt .md .json this unit; .csv .jsonl .npz the run."
    return Prompt(question, f"unit-{state.unit}-step-{state.step}.svg")


_PROMPTS: dict[str, Callable[[ExplorerState], Prompt]] = {
    "h": lambda state: _state_prompt(state, "h"),
    "c": lambda state: _state_prompt(state, "c"),
    "g": _gate_prompt,
    "x": _input_prompt,
    "w": _weight_prompt,
    "sizes": _sizes_prompt,
    "save": _save_prompt,
}
