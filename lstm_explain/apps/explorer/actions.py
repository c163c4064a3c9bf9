"""What can be done: each action is a pure function from a state to the next. What cannot be done is only said."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lstm_explain.apps.explorer.state import HEATMAP_PAIRS, ExplorerState, UndoEntry
from lstm_explain.core.edits import check_edit, parse_edit
from lstm_explain.core.gates import Direction
from lstm_explain.core.lstm import EDITED_RUN_MEMORY_FACTOR, ArrayInputs, SeededInputs
from lstm_explain.core.spec import DEFAULT_OPTIONS, LAYER_OPTIONS, Spec
from lstm_explain.errors import LstmExplainError, UsageError, argument, printable
from lstm_explain.topics.command_line import spell_option

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
    """The timestep of this number, or the nearest that there is."""
    return move_step(state, step - state.step)


def select_unit(state: ExplorerState, unit: int) -> ExplorerState:
    """The unit of this number, or the nearest that there is."""
    return move_unit(state, unit - state.unit)


def select_unit_and_step(state: ExplorerState, unit: int, step: int) -> ExplorerState:
    """Choose a unit and a timestep at once, as a click does."""
    return select_step(select_unit(state, unit), step)


def move_sample(state: ExplorerState, by: int) -> ExplorerState:
    """Another sample; from the last on to the first."""
    there = (state.sample + by) % state.lstm.spec.samples
    return _clamp_step(state.evolve(sample=there))


def move_layer(state: ExplorerState, by: int) -> ExplorerState:
    """Another layer; from the last on to the first. It may have fewer units, and read forward only."""
    layers = len(state.lstm.spec.layers)
    if layers == 1:
        return state.evolve(message="There is one layer. Press z for other sizes, such as layers=2.")
    there = _clamp_to_layer(state.evolve(layer=(state.layer + by) % layers))
    return there if there.direction is state.direction else there.evolve(message=f"Layer {there.layer} reads forward only.")


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
    first, last = _first_and_last_step(state)
    return state.evolve(playing=True, step=first if state.step == last else state.step)


def advance_playback(state: ExplorerState) -> ExplorerState:
    """One timestep on, in the order in which the direction reads; playing ends with the last."""
    if not state.playing:
        return state
    first, last = _first_and_last_step(state)
    on = move_step(state, 1 if first <= last else -1)
    return on.evolve(playing=on.step != last)


def _first_and_last_step(state: ExplorerState) -> tuple[int, int]:
    return (1, state.length) if state.direction is Direction.FORWARD else (state.length, 1)


def second_step_in_order(state: ExplorerState) -> int:
    """The second timestep that the direction reads: the first with one before it that can be changed."""
    if state.length == 1:
        return 1
    return 2 if state.direction is Direction.FORWARD else state.length - 1


def _clamp_step(state: ExplorerState) -> ExplorerState:
    """The same, at a timestep that the sample has."""
    return replace(state, step=min(state.step, state.length))


# --- changing something -----------------------------------------------------------------------------------------------


def apply_edits(state: ExplorerState, text: str) -> ExplorerState:
    """Set a number, or several with blanks or semicolons between: `h_3[4]=0.5`."""

    def do() -> ExplorerState:
        parts = re.sub(r"\s*([=,])\s*", r"\1", text).replace(";", " ").split()
        edits = [parse_edit(part) for part in parts]
        if not edits:
            raise UsageError("nothing", "there is nothing to change", "Write an edit such as h_3[4]=0.5")
        for edit in edits:
            check_edit(state.lstm.spec, edit)
        targets = {edit.target for edit in edits}
        kept = tuple(edit for edit in state.edits if edit.target not in targets)
        return _push_undo(state).evolve(edits=kept + tuple(edits))

    return _or_error_message(state, do)


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


def change_sizes(state: ExplorerState, text: str) -> ExplorerState:
    """Change sizes: `units=4 timesteps=20`. Changes that no longer fit are undone, and the message tells how many."""

    def do() -> ExplorerState:
        lstm = _resize_lstm(state.lstm, _parse_sizes(text))
        if lstm.spec == state.lstm.spec:
            return state.evolve(message="These are the sizes that it has.")
        kept = tuple(edit for edit in state.edits if _is_valid_edit(lstm.spec, edit))
        lost = len(state.edits) - len(kept)
        message = f"{lost} of {len(state.edits)} changes no longer fit these sizes and were undone." if lost else ""
        return _clamp_selection(_push_undo(state).evolve(lstm=lstm, edits=kept, message=message))

    return _or_error_message(state, do)


SIZE_NAMES = (
    "samples",
    "timesteps",
    "features",
    "units",
    "layers",
    "bidirectional",
    "projection",
    "bias",
    "peepholes",
    "dtype",
)
LAYER_SIZE_NAMES = ("layers", *LAYER_OPTIONS)
"""Those that each layer has by itself where the layers differ."""
OPTION_VALUES = {"yes": True, "no": False, "true": True, "false": False, "none": None}


def format_sizes(state: ExplorerState) -> str:
    """The sizes as `resized` reads them; options that are as usual are left out, and those of layers that differ."""
    spec, usual = state.lstm.spec, DEFAULT_OPTIONS
    hidden = (*LAYER_SIZE_NAMES, "stack") if spec.layers_differ else ()
    shown = {name: size for name, size in spec.to_dict().items() if name not in hidden}
    chosen = (name for name in shown if name in SIZE_NAMES[:5] or shown[name] != usual[name])
    return " ".join(f"{name}={_format_size(shown[name])}" for name in chosen)


def _format_size(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _parse_sizes(text: str) -> dict[str, Any]:
    sizes: dict[str, Any] = {}
    for part in text.replace(",", " ").split():
        name, equals, value = part.partition("=")
        if not equals or name not in SIZE_NAMES:
            raise UsageError(
                printable(part), "this is not a size", f"The sizes are {', '.join(SIZE_NAMES)}: write units=4 timesteps=20"
            )
        sizes[name] = printable(value) if name == "dtype" else _parse_size(printable(part), value)
    return sizes


def _parse_size(asked: str, value: str) -> Any:
    if value.lower() in OPTION_VALUES:
        return OPTION_VALUES[value.lower()]
    if not (value.isascii() and value.removeprefix("-").isdigit() and len(value) <= 18):
        raise UsageError(asked, "a size is a whole number, and an option is yes or no")
    return int(value)


def _resize_lstm(lstm: LSTM, sizes: dict[str, Any]) -> LSTM:
    current = lstm.spec.to_dict()
    wanted = {name: value for name, value in sizes.items() if current[name] != value}
    spec = lstm.spec.with_options(**wanted)
    fixed = [name for name in wanted if name not in ("samples", "timesteps")]
    if lstm.pretrained is not None and fixed:
        raise UsageError(_format_option(fixed[0], wanted), "the weights come from a model file, and fit its sizes only")
    of_layers = [name for name in wanted if name in LAYER_SIZE_NAMES]
    if spec.layers_differ and of_layers:
        raise UsageError(_format_option(of_layers[0], wanted), "the layers differ, and each keeps its own sizes")
    of_batch = [name for name in wanted if name in ("samples", "timesteps", "features")]
    if isinstance(lstm.inputs, ArrayInputs):
        if of_batch:
            raise UsageError(_format_option(of_batch[0], wanted), "the inputs come from a file, and have their sizes")
        return _check_memory(replace(lstm, spec=spec))
    if lstm.lengths is not None and of_batch:
        raise UsageError(
            _format_option(of_batch[0], wanted), f"{argument('lengths')} says how many samples and timesteps there are"
        )
    seed = lstm.inputs.provenance["seed"]
    return _check_memory(replace(lstm, spec=spec, inputs=SeededInputs(spec, seed)))


def _format_option(name: str, wanted: dict[str, Any]) -> str:
    return f"{name}={_format_size(wanted[name])}"


def _check_memory(lstm: LSTM) -> LSTM:
    lstm.check_memory(EDITED_RUN_MEMORY_FACTOR * lstm.run_bytes(1), "running 1 sample step by step")
    return lstm


def _is_valid_edit(spec: Spec, edit: Any) -> bool:
    try:
        check_edit(spec, edit)
    except UsageError:
        return False
    return True


def _clamp_selection(state: ExplorerState) -> ExplorerState:
    """The same, looking at something that there is."""
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


def _or_error_message(state: ExplorerState, do: Callable[[], ExplorerState]) -> ExplorerState:
    try:
        return do()
    except LstmExplainError as error:
        return state.evolve(message=error.message(spell_in_explorer))


def spell_in_explorer(name: str, literal: str) -> str:
    """Spell an edit and a size as they are typed here, and an option as the command line does."""
    if name == "edit":
        return literal.strip("'")
    return f"{name}={literal}" if name in SIZE_NAMES and literal.isdigit() else spell_option(name, literal)
