"""memory, in words and tables: the parts of the last cell state, half-lives, and what bias, one timestep and resetting do."""

from __future__ import annotations

from math import isfinite, isinf, isnan
from typing import TYPE_CHECKING

from lstm_explain.core.gates import Direction
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Sparkline, Table
from lstm_explain.document.numbers import format_decimal, format_difference, plural, thousands, tint
from lstm_explain.document.tables import MAX_ROWS, MAX_UNITS, ellipsis_row, visible_ends
from lstm_explain.document.text import previous_step_name, saturation_warning
from lstm_explain.topics.intro import lstm_summary
from lstm_explain.topics.memory.single_timestep_page import one_step_blocks
from lstm_explain.topics.memory.stateful_page import carried_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.topics.memory import Memory
    from lstm_explain.topics.memory.forget_bias import Initialised

LAST_BITS = 1e-15  # a few roundings of float64: which of them meet is another matter on each processor


def document(memory: Memory, every_unit: bool = False) -> Document:
    """Lay out what the units remember.

    Args:
        memory: the explanation.
        every_unit: show all of its units, however many they are.
    """
    shown = len(memory.units) if every_unit else min(MAX_UNITS, len(memory.units))
    blocks: list[Block] = [
        Heading(f"memory: sample {thousands(memory.sample)}, layer {memory.layer}, {memory.direction.value}", 1),
        Paragraph(lstm_summary(memory)),
        Paragraph(_reading(memory)),
        *map(Note, saturation_warning(memory.gates)),
        Heading(f"{_state(memory)}, split: what each timestep left in it"),
        _parts(memory, shown),
        Note(_exactness(memory)),
    ]
    if memory.length > 1:
        blocks += [Heading(f"From when {_state(memory)} is: the same parts as a picture"), _courses(memory, shown)]
    blocks += [
        Heading("Half-life: in how many timesteps half is forgotten, at each f"),
        Paragraph(_forgetting()),
        _half_lives(memory, shown),
        Heading("What the forget bias does: the same LSTM under both initialisers"),
        *_initialisers(memory),
    ]
    if memory.one_step is not None:
        blocks += one_step_blocks(memory, memory.one_step)
    if memory.carried is not None:
        blocks += carried_blocks(memory, memory.carried, shown)
    return (*blocks, *_notes(memory, shown))


def _state(memory: Memory) -> str:
    return f"c_{memory.last}"


def _reading(memory: Memory) -> str:
    before = previous_step_name(memory.direction)
    order = ""
    if memory.direction is Direction.BACKWARD:
        order = f" This direction reads from t = {thousands(memory.length)} to 1, so it ends with c_1."
    elif memory.length < memory.spec.timesteps:
        order = f" This sample ends at t = {thousands(memory.length)}; what follows is padding and is not run."
    return (
        f"At every timestep c_t = f_t c_{{{before}}} + i_t g_t.{order} Unrolled, {_state(memory)} is a sum: what each "
        "timestep added, i_t g_t, times the forget gates of all timesteps read after it; and the initial c, times all of them."
    )


# --- the split --------------------------------------------------------------------------------------------------------


def _parts(memory: Memory, shown: int) -> Table:
    scale = _scale([*memory.parts[:, :shown].ravel().tolist(), *memory.recorded[:shown].tolist()])
    rows = _over_time(memory, memory.parts[:, :shown], scale, 3, added_up=True)
    initial = _row("0" if memory.before == 0 else "start", memory.initial_part[:shown], scale)
    rows = [initial, *rows] if memory.before == 0 else [*rows, initial]
    rows += [
        _row("sum", memory.total[:shown], scale),
        _row(_state(memory), memory.recorded[:shown], scale),
        (Cell("residual", strong=True), *(Cell(_difference(value)) for value in memory.residual[:shown].tolist())),
    ]
    return Table(_by_unit(memory, shown), tuple(rows))


def _over_time(memory: Memory, values: Array, scale: float, places: int, added_up: bool = False) -> list[tuple[Cell, ...]]:
    """A row for each timestep that was run. Of many, the middle is left out, or added up: then more of those that were read
    last are shown, as they left more."""
    front, back = visible_ends(range(memory.length), MAX_ROWS)
    if back and memory.direction is Direction.FORWARD:
        front, back = back, front
    rows = [_row(str(t), values[t - 1], scale, places) for t in range(1, front + 1)]
    if back:
        after = memory.length - back
        middle = _row(f"{front + 1}-{after}", values[front:after].sum(axis=0), scale, places)
        rows.append(middle if added_up else ellipsis_row(values.shape[1] + 1))
        rows += [_row(str(t), values[t - 1], scale, places) for t in range(after + 1, memory.length + 1)]
    return rows


def _by_unit(memory: Memory, shown: int) -> tuple[Column, ...]:
    return (Column("t \\ unit", "right"), *(Column(str(unit), "right") for unit in memory.units[:shown]))


def _row(label: str, values: Array, scale: float, places: int = 3) -> tuple[Cell, ...]:
    cells = (Cell(format_decimal(value, places), tint=tint(value, scale)) for value in values.tolist())
    return (Cell(label, strong=True), *cells)


def _difference(value: float) -> str:
    """A difference in one digit, with its sign; what is within the last bits of float64 is not told apart."""
    if not isfinite(value):
        return format_decimal(value, 0)
    return f"<{LAST_BITS:.0e}" if abs(value) < LAST_BITS else f"{value:.0e}".replace("e-0", "e-")


def _exactness(memory: Memory) -> str:
    largest = memory.largest_residual
    if not isfinite(largest):
        return "Numbers of this run are not finite, and a dot stands for each; so the parts cannot be added up."
    residual = f"below {LAST_BITS:.0e}" if largest < LAST_BITS else format_difference(largest)
    return (
        f"Worked in float64 from the run's own gates. The largest difference between a sum and the {_state(memory)} that the "
        f"run recorded in {memory.spec.dtype}: {residual}. The split is exact given the gates; the "
        "gates themselves depend on the inputs. So a part is what a timestep left, not what another input there would have "
        "changed."
    )


def _courses(memory: Memory, shown: int) -> Table:
    """A strip for each unit, on its own scale, and where the later half of it begins."""
    columns = (
        Column("unit", "right"),
        Column("what each timestep left: a bar in the middle is 0"),
        Column("max", "right"),
        Column("half of it since", "right"),
    )
    return Table(columns, tuple(_course(memory, place) for place in range(shown)))


def _course(memory: Memory, place: int) -> tuple[Cell | Sparkline, ...]:
    values = memory.parts[: memory.length, place].tolist()
    scale, since = _scale(values), float(memory.half_since[place])
    words = "·" if isnan(since) else "the start" if since == memory.before else f"t = {since:.0f}"
    return (Cell(str(memory.units[place]), strong=True), Sparkline(tuple(values), scale), Cell(f"{scale:.3f}"), Cell(words))


def _scale(values: Sequence[float]) -> float:
    return max((abs(value) for value in values if isfinite(value)), default=0.0)


# --- forgetting -------------------------------------------------------------------------------------------------------


def _forgetting() -> str:
    return (
        "Where f stays as it is, a share f^n of what is remembered is left after n timesteps: half of it after "
        "ln(0.5) / ln(f). The mean of f is the geometric one: a constant f of that size would leave as much in the end."
    )


def _half_lives(memory: Memory, shown: int) -> Table:
    lives = memory.half_life[:, :shown]
    scale = _scale([*lives.ravel().tolist(), *memory.mean_half_life[:shown].tolist()])
    rows = _over_time(memory, lives, scale, 2)
    rows += [
        _row("mean f", memory.mean_forget[:shown], 0.0, 3),
        _row("half-life", memory.mean_half_life[:shown], scale, 2),
    ]
    return Table(_by_unit(memory, shown), tuple(rows))


def _initialisers(memory: Memory) -> Iterator[Block]:
    columns = (
        Column("initialiser"),
        Column("forget bias", "right"),
        Column("sigmoid of it", "right"),
        Column("mean f", "right"),
        Column("half-life", "right"),
        Column("by unit", "right"),
    )
    yield Table(columns, tuple(_initialiser(one) for one in memory.initialisers))
    one = memory.initialisers[0]
    of = "this sample"
    if one.samples > 1:
        of = f"the {thousands(one.samples)} samples that sample {thousands(memory.sample)} is run with"
    all_of_them = "Both" if len(memory.initialisers) == 2 else "All"
    units = plural(memory.layer_spec.units, "unit")
    yield Note(
        f"{all_of_them} were run, with the same seed and inputs and from zero states. Each mean f is taken over "
        f"{plural(one.numbers, 'value')}: {units} at every timestep of {of}. The bias is the units' mean."
    )


def _initialiser(one: Initialised) -> tuple[Cell, ...]:
    lives = [life for life in one.half_life.tolist() if not isnan(life)]
    return (
        Cell(one.init or "the model", detail="this LSTM" if one.own else "", strong=True),
        Cell("none" if one.bias is None else format_decimal(one.mean_bias, 3)),
        Cell(format_decimal(one.forget_of_bias, 3)),
        Cell(format_decimal(one.mean_forget, 3)),
        Cell(_steps(one.mean_half_life)),
        Cell(f"{_steps(min(lives))} to {_steps(max(lives))}" if lives else "·"),
    )


def _steps(value: float) -> str:
    return "infinite" if isinf(value) else format_decimal(value, 2).strip()


# --- what is not shown ------------------------------------------------------------------------------------------------


def _notes(memory: Memory, shown: int) -> Iterator[Note]:
    spec = memory.spec
    if shown < len(memory.units):
        yield Note(f"{shown} of {thousands(len(memory.units))} units are shown: choose with --unit 0,3,7-9; --json has all.")
    if memory.length > MAX_ROWS:
        yield Note(f"{MAX_ROWS} of {thousands(memory.length)} timesteps are shown; --json has all.")
    if len(spec.layer_directions) > 1:
        there = (("--layer", len(spec.layers) > 1), ("--direction", spec.has_backward))
        yield Note(f"Choose another part of the stack with {' and '.join(word for word, given in there if given)}.")
    if memory.carried is None and spec.samples > 1 and not spec.has_backward:
        yield Note("Add --carry-state to take the samples as pieces of one long sequence, as a stateful layer does.")
    if memory.carried is not None and memory.sample == 0:
        yield Note("Add --sample 1 to split the state of a sample that starts from a carried one.")
