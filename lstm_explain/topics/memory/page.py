"""The page of `memory`: how recent c is, its parts, half-lives, and what bias, one timestep and resetting do."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, isinf, isnan
from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES, LETTERS, Direction
from lstm_explain.document.blocks import (
    Block,
    Cell,
    Column,
    Document,
    FirstThatFits,
    Heading,
    NextStep,
    Note,
    Paragraph,
    SideBySide,
    Sparkline,
    Table,
)
from lstm_explain.document.numbers import format_decimal, format_difference, percent, plural, thousands, tint, tint_scale
from lstm_explain.document.tables import MAX_ROWS, MAX_UNITS, ellipsis_row, heat_row, split_sparklines, visible_ends
from lstm_explain.document.text import join_words, previous_step_name, saturation_warning
from lstm_explain.topics.command_line import format_sample_command
from lstm_explain.topics.intro import closing_blocks, sample_title, stack_note, units_note

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
    state = _last_state(memory)
    blocks: list[Block] = [
        Heading(sample_title(memory), 1),
        Paragraph(_recent_summary(memory)),
        Paragraph(_half_life_summary(memory)),
        *map(Note, saturation_warning(memory.gates)),
    ]
    if memory.length > 1:
        blocks += [
            Heading(f"When the content of {state} was written"),
            Paragraph(_how_to_read(memory)),
            _sparklines(memory, shown),
        ]
    parts = (Heading(f"What each timestep left in {state}", 3), _parts_table(memory, shown))
    half_lives = (Heading("Half-life of each f, in timesteps", 3), _half_life_table(memory, shown))
    blocks += [
        Heading(f"{state} as a sum, and how fast it fades"),
        Paragraph(_sum_text(memory)),
        SideBySide((parts, half_lives)),
        Paragraph(
            "If f stayed as it is, f^n of c would be left after n timesteps. The overall half-life is that of the mean f, "
            "which is geometric: a constant f of that size would leave as much of c in the end."
        ),
        Heading("What the forget bias does: the same LSTM under both initialisers"),
        *_initialiser_blocks(memory),
    ]
    if memory.one_step is not None:
        blocks += _single_timestep_blocks(memory, memory.one_step)
    if memory.carried is not None:
        blocks += _stateful_blocks(memory, memory.carried, shown)
    blocks += map(Note, _notes(memory, shown))
    return (*blocks, *closing_blocks(memory, _exactness(memory), _next_steps(memory)))


def _last_state(memory: Memory) -> str:
    return f"c_{memory.last}"


def _recent_summary(memory: Memory) -> str:
    """How much of the last cell state is recent."""
    state = _last_state(memory)
    if not memory.recent:
        return f"{state} holds nothing that can be compared: its parts are all zero, or not finite."
    shares = [
        f"{percent(recent.share)} {'was written ' if number == 0 else ''}in the {_count_last(recent.timesteps)}"
        for number, recent in enumerate(memory.recent)
    ]
    units = f"unit {memory.units[0]}" if len(memory.units) == 1 else f"all {thousands(len(memory.units))} units together"
    rest = 1 - float(memory.recent_shares[-1, -1])
    initial = f" {percent(rest)} is left of the initial state." if memory.initial_part.any() else ""
    end = ""
    if memory.direction is Direction.BACKWARD:
        end = f" This direction reads from t = {thousands(memory.length)} to 1, so it ends with c_1."
    elif memory.length < memory.spec.timesteps:
        end = f" This sample ends at t = {thousands(memory.length)}; what follows is padding and is not run."
    return f"Of {state}, {join_words(shares)} (by magnitude, {units}).{initial}{end}"


def _count_last(timesteps: int) -> str:
    return "last timestep" if timesteps == 1 else f"last {thousands(timesteps)}"


def _half_life_summary(memory: Memory) -> str:
    """Which unit forgets slowest and which fastest, and why."""
    lives, forgets = memory.mean_half_life.tolist(), memory.mean_forget.tolist()
    ranked = sorted((life, f, unit) for life, f, unit in zip(lives, forgets, memory.units, strict=True) if not isnan(life))
    reason = "half-life = ln(0.5) / ln(f)"
    if not ranked:
        return f"The half-life of a unit follows from its forget gate: {reason}."
    (short, low, fastest), (long, high, slowest) = ranked[0], ranked[-1]
    if fastest == slowest:
        return f"Its half-life is {_format_half_life(long)} timesteps, as mean f is {_format_f(high)}: {reason}."
    return (
        f"Half-lives go from {_format_half_life(short)} timesteps (unit {fastest}) to {_format_half_life(long)} (unit "
        f"{slowest}), because forget gates differ: a larger f keeps longer, {reason}. Mean f is {_format_f(low)} in unit "
        f"{fastest} and {_format_f(high)} in unit {slowest}."
    )


def _format_f(value: float) -> str:
    return format_decimal(value, 3).strip()


def _how_to_read(memory: Memory) -> str:
    later = "after it" if memory.direction is Direction.FORWARD else "after it, which are earlier in time,"
    return (
        f"A bar is what a timestep left in {_last_state(memory)}, above or below zero; each row has its own scale. Shares add "
        f"up magnitudes. Half since t: this timestep and those read {later} left at least half."
    )


def _sum_text(memory: Memory) -> str:
    previous = previous_step_name(memory.direction)
    return (
        f"At every timestep c_t = f_t c_{{{previous}}} + i_t g_t. So {_last_state(memory)} is the sum of what each timestep "
        "added, i_t g_t, times the forget gates of all timesteps read after it; plus the initial c times all of them."
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


def _sparklines(memory: Memory, shown: int) -> FirstThatFits:
    """A sparkline for each unit, on its own scale, and how much of the whole is recent."""
    recent = memory.recent
    columns = (
        Column("unit", "right"),
        Column("left by each timestep"),
        Column("full bar", "right"),
        *(Column(f"last {thousands(share.timesteps)}", "right") for share in recent),
        Column("half since", "right"),
    )
    rows: list[tuple[Cell | Sparkline, ...]] = []
    for index, unit in enumerate(memory.units[:shown]):
        parts = tuple(memory.parts[: memory.length, index].tolist())
        scale, half_since = tint_scale(parts), float(memory.half_since[index])
        since = "·" if isnan(half_since) else "the start" if half_since == memory.before else f"t = {half_since:.0f}"
        shares = (Cell(percent(share.units[index]), tint=tint(share.units[index], 1.0), gate=True) for share in recent)
        rows.append((Cell(str(unit), strong=True), Sparkline(parts, scale), Cell(f"±{scale:.3f}"), *shares, Cell(since)))
    shares = (Cell(percent(share.share), tint=tint(share.share, 1.0), gate=True) for share in recent)
    total = (Cell("all", strong=True), Cell(""), Cell(""), *shares, Cell(""))
    has_total = len(memory.units) > 1 and recent
    return split_sparklines(columns, rows, (1, memory.length), total if has_total else None)


# --- forgetting -------------------------------------------------------------------------------------------------------


def _half_life_table(memory: Memory, shown: int) -> Table:
    lives, mean_lives = memory.half_life[:, :shown], memory.mean_half_life[:shown].tolist()
    scale = tint_scale([*lives.ravel().tolist(), *mean_lives])
    rows = [
        *_timestep_rows(memory, lives, scale, 2),
        heat_row("mean f", memory.mean_forget[:shown].tolist(), 1.0, 3, gate=True),
        heat_row("overall", mean_lives, scale, 2),
    ]
    return Table(_unit_columns(memory, shown), tuple(rows))


def _initialiser_blocks(memory: Memory) -> list[Block]:
    columns = (
        Column("initialiser"),
        Column("forget bias", "right"),
        Column("sigmoid of it", "right"),
        Column("mean f", "right"),
        Column("half-life", "right"),
        Column("units from", "right"),
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
    if first.samples > 1:
        note += f" The half-lives above are of sample {sample} alone."
    return [
        Paragraph(_forget_bias_text(memory)),
        Table(columns, tuple(map(_initialiser_row, memory.initialisers))),
        Note(note),
    ]


def _forget_bias_text(memory: Memory) -> str:
    """Why a larger forget bias makes a longer half-life, with the numbers of the two initialisers that differ most."""
    runs = sorted(memory.initialisers, key=lambda run: run.mean_half_life)
    shortest, longest = runs[0], runs[-1]
    effect = "A larger forget bias makes f larger, and a larger f keeps c longer"
    if all(run.bias is None for run in runs):
        return f"{effect}. Without biases, f is around sigmoid(0) = 0.500 under each initialiser."
    if not longest.mean_bias > shortest.mean_bias:
        return f"{effect}. Here the longer half-life does not come with the larger bias."
    return f"{effect}: {_describe_run(longest)}; {_describe_run(shortest)}."


def _describe_run(run: InitialiserRun) -> str:
    name = run.init or "the model"
    bias, start = format_decimal(run.mean_bias, 3).strip(), _format_f(run.forget_of_bias)
    life = _format_half_life(run.mean_half_life)
    return f"with {name} the bias is {bias}, so f is around sigmoid({bias}) = {start}, and the half-life is {life} timesteps"


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
        sparkline = Sparkline(tuple(differences), tint_scale(differences), signed=False)
        rows.append((Cell(name, strong=True), sparkline, Cell(text)))
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
    notes = units_note(shown, len(memory.units))
    if memory.length > MAX_ROWS:
        notes.append(f"{MAX_ROWS} of {thousands(memory.length)} timesteps are shown; --json has all.")
    return notes + stack_note(memory.spec)


def _next_steps(memory: Memory) -> list[NextStep]:
    spec, steps = memory.spec, []
    if memory.carried is None and spec.samples > 1 and not spec.has_backward:
        steps.append(
            NextStep(format_sample_command("memory", memory, carry_state=True), "carry c and h from sample to sample")
        )
    if memory.carried is not None and memory.sample == 0:
        other = format_sample_command("memory", replace(memory, sample=1), carry_state=True)
        steps.append(NextStep(other, "a sample that starts from a carried state"))
    return [
        *steps,
        NextStep(
            format_sample_command("trace", memory, gates=True),
            "f and c at every timestep" if memory.carried is None else "the same sample from zero states",
        ),
        NextStep(format_sample_command("influence", memory), "what a changed h or c moves later"),
    ]
