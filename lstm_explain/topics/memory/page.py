"""memory, in words and tables: the parts of the last cell state, half-lives, and what bias, one timestep and resetting do."""

from __future__ import annotations

from math import isfinite, isinf, isnan
from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES, LETTERS, Direction
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Sparkline, Table
from lstm_explain.document.numbers import format_decimal, format_difference, plural, thousands, tint_scale
from lstm_explain.document.tables import MAX_ROWS, MAX_UNITS, ellipsis_row, heat_row, visible_ends
from lstm_explain.document.text import previous_step_name, saturation_warning
from lstm_explain.topics.intro import lstm_summary, sample_title, stack_note, units_note

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.document.tables import Row
    from lstm_explain.topics.memory import InitialiserRun, Memory, SingleTimestep
    from lstm_explain.topics.memory.stateful import StatefulComparison

LAST_BITS = 1e-15  # a few roundings of float64: their sum depends on the processor
MAX_BORDERS = 8
"""How many borders between samples a table shows."""


def document(memory: Memory, every_unit: bool = False) -> Document:
    """Lay out what the units remember.

    Args:
        memory: the explanation.
        every_unit: show all of its units, however many they are.
    """
    shown = len(memory.units) if every_unit else min(MAX_UNITS, len(memory.units))
    blocks: list[Block] = [
        Heading(sample_title(memory), 1),
        Paragraph(lstm_summary(memory)),
        Paragraph(_introduction(memory)),
        *map(Note, saturation_warning(memory.gates)),
        Heading(f"{_last_state(memory)} split into what each timestep left in it"),
        _parts_table(memory, shown),
        Note(_exactness(memory)),
    ]
    if memory.length > 1:
        blocks += [Heading(f"When the content of {_last_state(memory)} was written"), _sparklines(memory, shown)]
    blocks += [
        Heading("Half-life: after how many timesteps half is forgotten, for each f"),
        Paragraph(
            "If f stays constant, a fraction f^n of the cell state is left after n timesteps: half of it after "
            "ln(0.5) / ln(f). The mean of f is geometric: a constant f of that size would leave as much in the end."
        ),
        _half_life_table(memory, shown),
        Heading("What the forget bias does: the same LSTM under both initialisers"),
        *_initialiser_blocks(memory),
    ]
    if memory.one_step is not None:
        blocks += _single_timestep_blocks(memory, memory.one_step)
    if memory.carried is not None:
        blocks += _stateful_blocks(memory, memory.carried, shown)
    return (*blocks, *map(Note, _notes(memory, shown)))


def _last_state(memory: Memory) -> str:
    return f"c_{memory.last}"


def _introduction(memory: Memory) -> str:
    previous = previous_step_name(memory.direction)
    order = ""
    if memory.direction is Direction.BACKWARD:
        order = f" This direction reads from t = {thousands(memory.length)} to 1, so it ends with c_1."
    elif memory.length < memory.spec.timesteps:
        order = f" This sample ends at t = {thousands(memory.length)}; what follows is padding and is not run."
    return (
        f"At every timestep c_t = f_t c_{{{previous}}} + i_t g_t.{order} Unrolled, {_last_state(memory)} is a sum: what each "
        "timestep added, i_t g_t, times the forget gates of all timesteps read after it; plus the initial c times all of them."
    )


# --- the parts of the last cell state ---------------------------------------------------------------------------------


def _parts_table(memory: Memory, shown: int) -> Table:
    scale = tint_scale([*memory.parts[:, :shown].ravel().tolist(), *memory.recorded[:shown].tolist()])
    rows = _timestep_rows(memory, memory.parts[:, :shown], scale, 3, add_up=True)
    initial = heat_row("0" if memory.before == 0 else "start", memory.initial_part[:shown].tolist(), scale)
    rows = [initial, *rows] if memory.before == 0 else [*rows, initial]
    rows += [
        heat_row("sum", memory.total[:shown].tolist(), scale),
        heat_row(_last_state(memory), memory.recorded[:shown].tolist(), scale),
        (Cell("residual", strong=True), *(Cell(_format_residual(value)) for value in memory.residual[:shown].tolist())),
    ]
    return Table(_unit_columns(memory, shown), tuple(rows))


def _timestep_rows(memory: Memory, values: Array, scale: float, decimals: int, add_up: bool = False) -> list[Row]:
    """A row for each timestep that was run. Of many, the middle is left out, or added up: then more of those that were read
    last are shown, as they left more."""

    def rows(steps: range) -> list[Row]:
        return [heat_row(str(t), values[t - 1].tolist(), scale, decimals) for t in steps]

    front, back = visible_ends(range(memory.length), MAX_ROWS)
    if back and memory.direction is Direction.FORWARD:
        front, back = back, front
    if not back:
        return rows(range(1, front + 1))
    after = memory.length - back
    middle = heat_row(f"{front + 1}-{after}", values[front:after].sum(axis=0).tolist(), scale, decimals)
    elided = middle if add_up else ellipsis_row(len(middle))
    return [*rows(range(1, front + 1)), elided, *rows(range(after + 1, memory.length + 1))]


def _unit_columns(memory: Memory, shown: int) -> tuple[Column, ...]:
    return (Column("t \\ unit", "right"), *(Column(str(unit), "right") for unit in memory.units[:shown]))


def _format_residual(value: float) -> str:
    """A difference in one digit, with its sign; differences within the last bits of float64 look the same."""
    if not isfinite(value):
        return format_decimal(value, 0)
    return f"<{LAST_BITS:.0e}" if abs(value) < LAST_BITS else f"{value:.0e}".replace("e-0", "e-")


def _exactness(memory: Memory) -> str:
    largest = memory.largest_residual
    if not isfinite(largest):
        return "Some numbers of this run are not finite and are shown as dots, so the parts cannot be added up."
    residual = f"below {LAST_BITS:.0e}" if largest < LAST_BITS else format_difference(largest)
    return (
        f"Computed in float64 from the gates of the run. The largest difference between a sum and the {_last_state(memory)} "
        f"that the run recorded in {memory.spec.dtype}: {residual}. The split is exact for these gates, but the gates depend "
        "on the inputs: a part is what a timestep left, not how much another input there would have changed."
    )


def _sparklines(memory: Memory, shown: int) -> Table:
    """A sparkline for each unit, on its own scale, and where the later half of it begins."""
    columns = (
        Column("unit", "right"),
        Column("what each timestep left: a bar in the middle is 0"),
        Column("max", "right"),
        Column("half of it since", "right"),
    )
    rows = []
    for unit, values, half_since in zip(memory.units[:shown], memory.parts.T, memory.half_since.tolist(), strict=False):
        parts = tuple(values[: memory.length].tolist())
        scale = tint_scale(parts)
        since = "·" if isnan(half_since) else "the start" if half_since == memory.before else f"t = {half_since:.0f}"
        rows.append((Cell(str(unit), strong=True), Sparkline(parts, scale), Cell(f"{scale:.3f}"), Cell(since)))
    return Table(columns, tuple(rows))


# --- forgetting -------------------------------------------------------------------------------------------------------


def _half_life_table(memory: Memory, shown: int) -> Table:
    lives, mean_lives = memory.half_life[:, :shown], memory.mean_half_life[:shown].tolist()
    scale = tint_scale([*lives.ravel().tolist(), *mean_lives])
    rows = [
        *_timestep_rows(memory, lives, scale, 2),
        heat_row("mean f", memory.mean_forget[:shown].tolist(), 0.0, 3),
        heat_row("half-life", mean_lives, scale, 2),
    ]
    return Table(_unit_columns(memory, shown), tuple(rows))


def _initialiser_blocks(memory: Memory) -> list[Block]:
    columns = (
        Column("initialiser"),
        Column("forget bias", "right"),
        Column("sigmoid of it", "right"),
        Column("mean f", "right"),
        Column("half-life", "right"),
        Column("by unit", "right"),
    )
    first, sample = memory.initialisers[0], thousands(memory.sample)
    samples = (
        "this sample" if first.samples == 1 else f"the {thousands(first.samples)} samples in the block of sample {sample}"
    )
    note = (
        f"{'Both' if len(memory.initialisers) == 2 else 'All'} were run with the same seed and inputs, from zero states. Each "
        f"mean f covers {plural(first.numbers, 'value')}: {plural(memory.layer_spec.units, 'unit')} at every timestep of "
        f"{samples}. The bias is the mean over the units."
    )
    return [Table(columns, tuple(map(_initialiser_row, memory.initialisers))), Note(note)]


def _initialiser_row(run: InitialiserRun) -> Row:
    lives = [life for life in run.half_life.tolist() if not isnan(life)]
    return (
        Cell(run.init or "the model", detail="this LSTM" if run.own else "", strong=True),
        Cell("none" if run.bias is None else format_decimal(run.mean_bias, 3)),
        Cell(format_decimal(run.forget_of_bias, 3)),
        Cell(format_decimal(run.mean_forget, 3)),
        Cell(_format_half_life(run.mean_half_life)),
        Cell(f"{_format_half_life(min(lives))} to {_format_half_life(max(lives))}" if lives else "·"),
    )


def _format_half_life(value: float) -> str:
    return "infinite" if isinf(value) else format_decimal(value, 2).strip()


# --- a single timestep ------------------------------------------------------------------------------------------------


def _single_timestep_blocks(memory: Memory, single: SingleTimestep) -> list[Block]:
    """How many parameters get no gradient."""
    samples = "the sample" if single.samples == 1 else f"all {thousands(single.samples)} samples of one timestep that were run"
    return [
        Heading(f"One timestep: {thousands(single.idle)} of {thousands(single.total)} parameters get no gradient"),
        Paragraph(_idle_reason(memory, single)),
        _idle_table(single),
        Note(
            "Counted, not assumed: the gradient of the sum of all numbers that the last layer outputs, by every parameter of "
            f"the stack, computed in float64. A parameter is counted if its gradient is exactly 0 in {samples}."
        ),
    ]


def _idle_reason(memory: Memory, single: SingleTimestep) -> str:
    if not single.from_zero:
        return (
            "The state is carried over from the previous sample, so the recurrent weights have an h to multiply and the "
            "forget gate has a c to keep."
        )
    effects = ["the recurrent weights multiply zeros", "the forget gate decides how much of zero to keep"]
    if any(count.tensor == "peephole" for count in single.tensors):
        effects.insert(1, "the peepholes of i and f multiply zeros")
    reason = (
        f"h and c are zero before the only timestep. So {', '.join(effects[:-1])}, and {effects[-1]}: they have no effect, "
        "and training cannot change them."
    )
    if memory.carried is not None:
        return f"{reason} This is true of sample 0 only: every other sample starts from a carried state."
    if memory.spec.timesteps > 1:
        return f"{reason} Longer samples can."
    otherwise = "" if memory.spec.has_backward else ", or carry the state from sample to sample (--carry-state)"
    return f"{reason} Such a layer remembers nothing. Put the sequence on the axis of timesteps{otherwise}."


def _idle_table(single: SingleTimestep) -> Table:
    """A row for each tensor, a column for each gate: how many get no gradient, of how many."""
    counts = {(count.tensor, count.gate): (count.idle, count.total) for count in single.tensors}
    rows = []
    for tensor in dict.fromkeys(count.tensor for count in single.tensors):
        of_tensor = [pair for (name, _), pair in counts.items() if name == tensor]
        by_gate = [counts.get((tensor, gate)) for gate in GATES]
        rows.append((tensor.replace("_", " "), [*by_gate, _add_counts(of_tensor)]))
    of_gates = [[pair for (_, of), pair in counts.items() if of is gate] for gate in GATES]
    rows.append(("total", [*map(_add_counts, of_gates), (single.idle, single.total)]))
    columns = (Column("no gradient"), *(Column(LETTERS[gate], "right") for gate in GATES), Column("total", "right"))
    return Table(columns, tuple((Cell(name, strong=True), *map(_count_cell, pairs)) for name, pairs in rows))


def _add_counts(counts: list[tuple[int, int]]) -> tuple[int, int]:
    return sum(idle for idle, _ in counts), sum(total for _, total in counts)


def _count_cell(count: tuple[int, int] | None) -> Cell:
    if count is None:
        return Cell("")
    idle, total = count
    return Cell(f"{thousands(idle)} of {thousands(total)}", strong=idle == total)


# --- states carried from sample to sample -----------------------------------------------------------------------------


def _stateful_blocks(memory: Memory, carried: StatefulComparison, shown: int) -> Iterator[Block]:
    """What crosses the borders between samples, and what resetting loses."""
    projection, borders = memory.layer_spec.projection, carried.pieces - 1
    yield Heading(f"Carried over: {thousands(carried.pieces)} samples as consecutive pieces of one long sequence")
    yield Paragraph(
        "Every sample starts from the state in which the previous one ended, as in a stateful layer. Each row shows what "
        f"crosses a border, in layer {memory.layer}. Resetting would replace it by zeros."
    )
    yield Heading("c at the borders", 3)
    yield _state_table(memory.units[:shown], carried.cell)
    yield Heading("h at the borders", 3)
    yield _state_table(memory.units[:shown] if projection is None else range(min(projection, shown)), carried.hidden)
    yield Heading("What resetting loses")
    yield Paragraph(_reset_summary(carried))
    if len(carried.mean) > 1:
        yield _reset_sparklines(carried)
    yield _reset_table(carried)
    if borders > MAX_BORDERS:
        yield Note(f"{MAX_BORDERS} of {plural(borders, 'border')} are shown; --json has all.")


def _visible_borders(borders: int) -> list[int]:
    front, back = visible_ends(range(borders), MAX_BORDERS)
    return [*range(front), *range(borders - back, borders)]


def _border_table(columns: tuple[Column, ...], rows: list[Row], borders: int) -> Table:
    """A table with a row for each visible border, and dots for the others."""
    front, back = visible_ends(range(borders), MAX_BORDERS)
    return Table(columns, (*rows[:front], *([ellipsis_row(len(columns))] if back else []), *rows[front:]))


def _state_table(names: Sequence[int], values: Array) -> Table:
    """A heat table: a row for each border that is shown."""
    borders = _visible_borders(len(values))
    scale = tint_scale(values[borders, : len(names)].ravel().tolist())
    rows = [heat_row(f"sample {border + 1}", values[border, : len(names)].tolist(), scale) for border in borders]
    columns = (Column("before", "right"), *(Column(str(name), "right") for name in names))
    return _border_table(columns, rows, len(values))


def _reset_summary(carried: StatefulComparison) -> str:
    borders = carried.pieces - 1
    converged = borders - carried.unfaded
    return (
        "Each sample was also run from zero. A difference is the largest between the two runs over all numbers of h; |h| "
        f"itself reaches {_format_size(carried.largest_hidden)} in the carried run. After "
        f"{thousands(converged) if converged else 'none'} of {plural(borders, 'border')} the difference falls below "
        f"{carried.faded_below} before the sample ends, and stays below it."
    )


def _format_size(value: float) -> str:
    return "nan" if isnan(value) else format_decimal(value, 3).strip()


def _reset_sparklines(carried: StatefulComparison) -> Table:
    rows = []
    for name, differences in (("mean", carried.mean.tolist()), ("largest", carried.largest.tolist())):
        first, last = map(_format_size, (differences[0], differences[-1]))
        text = f"from {first} at t = 1 to {last} at t = {thousands(len(differences))}"
        rows.append((Cell(name, strong=True), Sparkline(tuple(differences), tint_scale(differences)), Cell(text)))
    return Table((Column(""), Column(""), Column("")), tuple(rows), ruled=False)


def _reset_table(carried: StatefulComparison) -> Table:
    columns = (
        Column("after the border"),
        Column("at its first timestep", "right"),
        Column("at its last", "right"),
        Column(f"below {carried.faded_below} from", "right"),
    )
    borders = carried.pieces - 1
    return _border_table(columns, [_reset_row(carried, border) for border in _visible_borders(borders)], borders)


def _reset_row(carried: StatefulComparison, border: int) -> Row:
    faded = float(carried.faded[border])
    return (
        Cell(f"sample {border + 1}", strong=True),
        Cell(format_decimal(float(carried.first[border]), 4)),
        Cell(format_decimal(float(carried.last[border]), 4)),
        Cell(f"t = {faded:.0f}" if isfinite(faded) else "not yet"),
    )


# --- what is not shown ------------------------------------------------------------------------------------------------


def _notes(memory: Memory, shown: int) -> list[str]:
    spec, notes = memory.spec, units_note(shown, len(memory.units))
    if memory.length > MAX_ROWS:
        notes.append(f"{MAX_ROWS} of {thousands(memory.length)} timesteps are shown; --json has all.")
    notes += stack_note(spec)
    if memory.carried is None and spec.samples > 1 and not spec.has_backward:
        notes.append("Add --carry-state to treat the samples as pieces of one long sequence, as a stateful layer does.")
    if memory.carried is not None and memory.sample == 0:
        notes.append("Add --sample 1 to split the state of a sample that starts from a carried one.")
    return notes
