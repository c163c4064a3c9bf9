"""A trace as tidy CSV: one row for each sample, layer, direction, timestep and unit."""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING

from lstm_explain.core.gates import LETTERS
from lstm_explain.topics.json_numbers import plain_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lstm_explain.core.record import Block
    from lstm_explain.topics.trace import TraceStream

COLUMNS = (*LETTERS.values(), "c", "h")
HEADER = f"sample,layer,direction,t,unit,{','.join(COLUMNS)}\n".encode()


def encode_rows(stream: TraceStream, blocks: Iterable[Block]) -> Iterator[bytes]:
    """The rows, whole rows at a time. A cell is empty where there is no number: a gate at padding, or h beyond the
    projection's size."""
    yield HEADER
    for block in blocks:
        yield "".join(_format_block(stream, block)).encode()


def _format_block(stream: TraceStream, block: Block) -> Iterator[str]:
    made = [
        (layer, way.value, {name: plain_numbers(array) for name, array in stream.arrays(block, layer, way).items()})
        for layer, way in stream.places
    ]
    for place, sample in enumerate(block.samples):
        for layer, way, values in made:
            for row, t in enumerate(stream.steps):
                start = f"{sample},{layer},{way},{t}"
                columns: list[Iterator[str]] = [map(_format_number, values[name][place][row]) for name in COLUMNS]
                units = stream.units_of(layer)
                if stream.spec.for_layer(layer).projection is not None:
                    columns[-1] = _pad_by_unit(values["h"][place][row], units)
                for unit, *cells in zip(units, *columns, strict=False):
                    yield f"{start},{unit},{','.join(cells)}\n"


def _pad_by_unit(hidden: list[float], units: Sequence[int]) -> Iterator[str]:
    """With a projection h has numbers of its own; the row of unit j shows number j, as far as there are any."""
    return (_format_number(hidden[unit]) if unit < len(hidden) else "" for unit in units)


def _format_number(value: float) -> str:
    if isfinite(value):
        return repr(value)
    return "" if isnan(value) else "inf" if value > 0 else "-inf"
