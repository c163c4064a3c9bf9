"""The part of `memory` on states carried from sample to sample: what crosses the borders, and what resetting loses."""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING

from lstm_explain.document.blocks import Block, Cell, Column, Heading, Note, Paragraph, Sparkline, Table
from lstm_explain.document.numbers import format_decimal, plural, thousands, tint
from lstm_explain.document.tables import ellipsis_row, visible_ends

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lstm_explain.core.axes import Array
    from lstm_explain.topics.memory import Memory
    from lstm_explain.topics.memory.stateful import Carried

BORDERS_SHOWN = 8


def carried_blocks(memory: Memory, carried: Carried, shown: int) -> Iterator[Block]:
    """Lay out the borders.

    Args:
        memory: the explanation.
        carried: its part on carried states.
        shown: how many of the chosen units are shown.
    """
    spec = memory.layer_spec
    numbers = memory.units[:shown] if spec.projection is None else range(min(spec.projection, shown))
    yield Heading(f"Carried over: {thousands(carried.pieces)} samples as consecutive pieces of one long sequence")
    yield Paragraph(
        "Every sample starts from the state in which the one before it ended, as in a stateful layer. The rows show what "
        f"crosses each border, in layer {memory.layer}. Resetting would put zeros in its place."
    )
    yield Heading("c at the borders", 3)
    yield _states("before", memory.units[:shown], carried.cell)
    yield Heading("h at the borders", 3)
    yield _states("before", numbers, carried.hidden)
    yield Heading("What resetting loses")
    yield Paragraph(_loss(carried))
    if len(carried.mean) > 1:
        yield _over_time(carried)
    yield _differences(carried)
    if carried.pieces - 1 > BORDERS_SHOWN:
        yield Note(f"{BORDERS_SHOWN} of {plural(carried.pieces - 1, 'border')} are shown; --json has all.")


def _places(borders: int) -> tuple[range, range]:
    front, back = visible_ends(range(borders), BORDERS_SHOWN)
    return range(front), range(borders - back, borders)


def _with_dots(first: list[tuple[Cell, ...]], rest: list[tuple[Cell, ...]]) -> tuple[tuple[Cell, ...], ...]:
    return tuple([*first, ellipsis_row(len(first[0])), *rest] if rest else first)


def _states(title: str, names: Sequence[int], values: Array) -> Table:
    """A heat table: a row for each border that is shown."""
    front, back = (values[places.start : places.stop, : len(names)] for places in _places(len(values)))
    numbers = [*front.ravel().tolist(), *back.ravel().tolist()]
    scale = max((abs(number) for number in numbers if isfinite(number)), default=0.0)

    def rows(places: range, part: Array) -> list[tuple[Cell, ...]]:
        return [
            (
                Cell(f"sample {place + 1}", strong=True),
                *(Cell(format_decimal(one, 3), tint=tint(one, scale)) for one in line.tolist()),
            )
            for place, line in zip(places, part, strict=True)
        ]

    first, rest = _places(len(values))
    columns = (Column(title, "right"), *(Column(str(name), "right") for name in names))
    return Table(columns, _with_dots(rows(first, front), rows(rest, back)))


def _loss(carried: Carried) -> str:
    borders = carried.pieces - 1
    gone = borders - carried.unfaded
    return (
        "Each sample was run from zero too. A difference is the largest between the two runs over all numbers of h; |h| "
        f"itself reaches {_plain(carried.largest_hidden)} in the carried run. After {thousands(gone) if gone else 'none'} of "
        f"{plural(borders, 'border')} the difference falls below {carried.faded_below} before the sample ends, and stays "
        "below it."
    )


def _plain(value: float) -> str:
    return "nan" if isnan(value) else format_decimal(value, 3).strip()


def _over_time(carried: Carried) -> Table:
    rows = []
    for name, values in (("mean", carried.mean.tolist()), ("largest", carried.largest.tolist())):
        scale = max((value for value in values if isfinite(value)), default=0.0)
        words = f"from {_plain(values[0])} at t = 1 to {_plain(values[-1])} at t = {thousands(len(values))}"
        rows.append((Cell(name, strong=True), Sparkline(tuple(values), scale), Cell(words)))
    return Table((Column(""), Column(""), Column("")), tuple(rows), ruled=False)


def _differences(carried: Carried) -> Table:
    columns = (
        Column("after the border"),
        Column("at its first timestep", "right"),
        Column("at its last", "right"),
        Column(f"below {carried.faded_below} from", "right"),
    )
    first, rest = _places(carried.pieces - 1)

    def rows(places: range) -> list[tuple[Cell, ...]]:
        return [_difference(carried, place) for place in places]

    return Table(columns, _with_dots(rows(first), rows(rest)))


def _difference(carried: Carried, place: int) -> tuple[Cell, ...]:
    faded = float(carried.faded[place])
    return (
        Cell(f"sample {place + 1}", strong=True),
        Cell(format_decimal(float(carried.first[place]), 4)),
        Cell(format_decimal(float(carried.last[place]), 4)),
        Cell(f"t = {faded:.0f}" if isfinite(faded) else "not yet"),
    )
