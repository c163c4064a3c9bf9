"""Actions: pure functions from a state to the next. One that is not possible leaves the state, with a message."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

from lstm_explain.apps.explorer.state import HEATMAP_PAIRS, ExplorerState, UndoEntry
from lstm_explain.core.edits import check_edit, parse_edit
from lstm_explain.core.gates import Direction
from lstm_explain.core.lstm import EDITED_RUN_MEMORY_FACTOR, ArrayInputs, SeededInputs
from lstm_explain.core.spec import DEFAULT_OPTIONS, LAYER_OPTIONS, Spec
from lstm_explain.errors import LstmExplainError, UsageError, argument, printable
from lstm_explain.topics.command_line import spell_option
from lstm_explain.topics.integers import parse_integer, split_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_explain.core.lstm import LSTM

MAX_UNDO = 200
"""How many changes are remembered."""


# --- looking elsewhere ------------------------------------------------------------------------------------------------


def move_step(state: ExplorerState, by: int) -> ExplorerState:
    """Go on in time, or back; stops at the ends."""
    return state.evolve(step=max(1, min(state.step + by, state.length)))


def move_unit(state: ExplorerState, by: int) -> ExplorerState:
    """Another unit; stops at the first and the last."""
    return state.evolve(unit=max(0, min(state.unit + by, state.layer_spec.units - 1)))


def select_step(state: ExplorerState, step: int) -> ExplorerState:
    """Select a timestep, or the nearest to it."""
    return move_step(state, step - state.step)


def select_unit(state: ExplorerState, unit: int) -> ExplorerState:
    """Select a unit, or the nearest to it."""
    return move_unit(state, unit - state.unit)


def select_unit_and_step(state: ExplorerState, unit: int, step: int) -> ExplorerState:
    """Choose a unit and a timestep at once, as a click does."""
    return select_step(select_unit(state, unit), step)


def move_sample(state: ExplorerState, by: int) -> ExplorerState:
    """Another sample; from the last on to the first."""
    return _clamp_step(state.evolve(sample=(state.sample + by) % state.lstm.spec.samples))


def move_layer(state: ExplorerState, by: int) -> ExplorerState:
    """Another layer; from the last on to the first. It may have fewer units, and read forward only."""
    layers = len(state.lstm.spec.layers)
    if layers == 1:
        return state.evolve(message="There is one layer. Press z for other sizes, such as layers=2.")
    moved = _clamp_to_layer(state.evolve(layer=(state.layer + by) % layers))
    return moved if moved.direction is state.direction else moved.evolve(message=f"Layer {moved.layer} reads forward only.")


def switch_direction(state: ExplorerState) -> ExplorerState:
    """The other direction."""
    if not state.layer_spec.bidirectional:
        return state.evolve(message=_forward_only_message(state))
    other = Direction.BACKWARD if state.direction is Direction.FORWARD else Direction.FORWARD
    return state.evolve(direction=other)


def _forward_only_message(state: ExplorerState) -> str:
    if state.lstm.spec.layers_differ:
        return f"Layer {state.layer} reads forward only."
    return "This LSTM reads forward only. Press z and write bidirectional=yes for both directions."


def next_heatmaps(state: ExplorerState) -> ExplorerState:
    """The next pair of heat maps: h and c, i and f, g and o."""
    return state.evolve(maps=(state.maps + 1) % len(HEATMAP_PAIRS))


def toggle_playing(state: ExplorerState) -> ExplorerState:
    """Start to play, or stop; from the end it starts again."""
    if state.playing:
        return state.evolve(playing=False)
    order = state.time_order
    return state.evolve(playing=True, step=order[0] if state.step == order[-1] else state.step)


def advance_playback(state: ExplorerState) -> ExplorerState:
    """One timestep on, in the order in which the direction reads; playing ends with the last."""
    if not state.playing:
        return state
    moved = move_step(state, state.time_order.step)
    return moved.evolve(playing=moved.step != state.time_order[-1])


def second_step_in_order(state: ExplorerState) -> int:
    """The second timestep that the direction reads, if there are two: the first after one that can be changed."""
    return state.time_order[:2][-1]


def _clamp_step(state: ExplorerState) -> ExplorerState:
    """The same, at a timestep that the sample has."""
    return replace(state, step=min(state.step, state.length))


def _report_errors(action: Callable[[ExplorerState, str], ExplorerState]) -> Callable[[ExplorerState, str], ExplorerState]:
    """Make an action return the state with the error's message where it raises one."""

    @wraps(action)
    def attempt(state: ExplorerState, text: str) -> ExplorerState:
        try:
            return action(state, text)
        except LstmExplainError as error:
            return state.evolve(message=error.message(spell_in_explorer))

    return attempt


# --- changing something -----------------------------------------------------------------------------------------------


@_report_errors
def apply_edits(state: ExplorerState, text: str) -> ExplorerState:
    """Set a number, or several with blanks or semicolons between: `h_3[4]=0.5`."""
    words = re.sub(r"\s*([=,])\s*", r"\1", text).replace(";", " ").split()
    edits = tuple(parse_edit(word) for word in words)
    if not edits:
        raise UsageError("nothing", "there is nothing to change", "Write an edit such as h_3[4]=0.5")
    for edit in edits:
        check_edit(state.lstm.spec, edit)
    targets = {edit.target for edit in edits}
    kept = tuple(edit for edit in state.edits if edit.target not in targets)
    return _push_undo(state).evolve(edits=kept + edits)


def undo_change(state: ExplorerState) -> ExplorerState:
    """Undo the last change."""
    if not state.past:
        return state.evolve(message="There is nothing to undo.")
    last = state.past[-1]
    return _clamp_selection(state.evolve(lstm=last.lstm, edits=last.edits, past=state.past[:-1], message="Undone."))


def reset_changes(state: ExplorerState) -> ExplorerState:
    """Undo all changes; undo brings them back."""
    if not state.edits:
        return state.evolve(message="Nothing is changed.")
    return _push_undo(state).evolve(edits=(), message="All as it was. u brings the changes back.")


@_report_errors
def change_sizes(state: ExplorerState, text: str) -> ExplorerState:
    """Change sizes: `units=4 timesteps=20`. Changes that no longer fit are undone, and the message tells how many."""
    lstm = _resize_lstm(state.lstm, _parse_sizes(text))
    if lstm.spec == state.lstm.spec:
        return state.evolve(message="These are the sizes that it has.")
    kept = tuple(edit for edit in state.edits if _is_valid_edit(lstm.spec, edit))
    lost = len(state.edits) - len(kept)
    message = f"{lost} of {len(state.edits)} changes no longer fit these sizes and were undone." if lost else ""
    return _clamp_selection(_push_undo(state).evolve(lstm=lstm, edits=kept, message=message))


BATCH_SIZE_NAMES = ("samples", "timesteps", "features")
SIZE_NAMES = (
    *BATCH_SIZE_NAMES,
    "units",
    "layers",
    "bidirectional",
    "projection",
    "bias",
    "peepholes",
    "dtype",
)
LAYER_SIZE_NAMES = ("layers", *LAYER_OPTIONS)
"""The sizes and options that can differ between layers."""
_SEPARATOR = re.compile(r",?\s+|,(?=[A-Za-z])")
"""What separates sizes: blanks, or a comma before a name."""
OPTION_VALUES = {"yes": True, "no": False, "true": True, "false": False, "none": None}


def format_sizes(state: ExplorerState) -> str:
    """The sizes as `change_sizes` reads them, without default options and what differs between layers."""
    spec = state.lstm.spec
    hidden = LAYER_SIZE_NAMES if spec.options_differ else ("layers",) if spec.layers_differ else ()
    sizes = {**spec.to_dict(), "units": spec.layer_units}
    sizes = {name: size for name, size in sizes.items() if name not in (*hidden, "stack")}
    displayed = (name for name in sizes if name in SIZE_NAMES[:5] or sizes[name] != DEFAULT_OPTIONS[name])
    return " ".join(f"{name}={_format_size(sizes[name])}" for name in displayed)


def _format_size(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "none" if value is None else str(value)


def _parse_sizes(text: str) -> dict[str, Any]:
    sizes: dict[str, Any] = {}
    for word in _SEPARATOR.split(text.strip()):
        name, equals, value = word.partition("=")
        if not equals or name not in SIZE_NAMES:
            raise UsageError(
                printable(word), "this is not a size", f"The sizes are {', '.join(SIZE_NAMES)}: write units=4 timesteps=20"
            )
        sizes[name] = printable(value) if name == "dtype" else _parse_size(printable(word), name, value)
    return sizes


def _parse_size(word: str, name: str, value: str) -> Any:
    if value.lower() in OPTION_VALUES:
        return OPTION_VALUES[value.lower()]
    try:
        sizes = tuple(map(parse_integer, split_list(value) if name == "units" else [value]))
    except ValueError:
        raise UsageError(word, "a size is a whole number, and an option is yes or no") from None
    return sizes if len(sizes) > 1 else sizes[0]


def _resize_lstm(lstm: LSTM, sizes: dict[str, Any]) -> LSTM:
    current = {**lstm.spec.to_dict(), "units": lstm.spec.layer_units}
    if isinstance(current["units"], tuple):
        current["layers"] = None  # its units say how many layers there are, unless other units are given
    changes = {name: value for name, value in sizes.items() if current[name] != value}
    spec = lstm.spec.with_options(**changes)
    from_file = isinstance(lstm.inputs, ArrayInputs)
    fixed_sizes = (
        (lstm.pretrained is not None, SIZE_NAMES[2:], "the weights come from a model file, and fit its sizes only"),
        (lstm.spec.options_differ, LAYER_SIZE_NAMES, "the layers differ, and each keeps its own sizes"),
        (from_file, BATCH_SIZE_NAMES, "the inputs come from a file, and have their sizes"),
        (lstm.lengths is not None, BATCH_SIZE_NAMES, f"{argument('lengths')} says how many samples and timesteps there are"),
    )
    for are_fixed, names, reason in fixed_sizes:
        for name in changes:
            if are_fixed and name in names:
                raise UsageError(f"{name}={_format_size(changes[name])}", reason)
    inputs = lstm.inputs if from_file else SeededInputs(spec, lstm.inputs.provenance["seed"])
    resized = replace(lstm, spec=spec, inputs=inputs)
    resized.check_memory(EDITED_RUN_MEMORY_FACTOR * resized.run_bytes(1), "running 1 sample step by step")
    return resized


def _is_valid_edit(spec: Spec, edit: Any) -> bool:
    try:
        check_edit(spec, edit)
    except UsageError:
        return False
    return True


def _clamp_selection(state: ExplorerState) -> ExplorerState:
    """The same, with a selection that exists."""
    spec = state.lstm.spec
    sample, layer = min(state.sample, spec.samples - 1), min(state.layer, len(spec.layers) - 1)
    return _clamp_step(_clamp_to_layer(replace(state, sample=sample, layer=layer, playing=False)))


def _clamp_to_layer(state: ExplorerState) -> ExplorerState:
    """The same, at a unit and in a direction that the layer has."""
    spec = state.layer_spec
    direction = state.direction if state.direction in spec.directions else Direction.FORWARD
    return replace(state, unit=min(state.unit, spec.units - 1), direction=direction)


def _push_undo(state: ExplorerState) -> ExplorerState:
    past = (*state.past, UndoEntry(state.lstm, state.edits))
    return replace(state, past=past[-MAX_UNDO:])


def spell_in_explorer(name: str, literal: str) -> str:
    """Spell an edit and a size as they are typed here, and an option as the command line does."""
    if name == "edit":
        return literal.strip("'")
    return f"{name}={literal}" if name in SIZE_NAMES and literal.isdigit() else spell_option(name, literal)
