"""A trace as tidy CSV: one row for each sample, layer, direction, timestep and unit."""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING

from lstm_explain.core.gates import LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lstm_explain.core.record import Block
    from lstm_explain.topics.trace import TraceStream

COLUMNS = (*LETTERS.values(), "c", "h")
HEADER = f"sample,layer,direction,t,unit,{','.join(COLUMNS)}\n".encode()


def encode_rows(stream: TraceStream, blocks: Iterable[Block]) -> Iterator[bytes]:
    """Yield whole rows. A gate at padding is an empty cell, and so is h beyond the projection's size."""
    yield HEADER
    for block in blocks:
        yield "".join(_format_block(stream, block)).encode()


def _format_block(stream: TraceStream, block: Block) -> Iterator[str]:
    layers = stream.plain_values(block)
    for position, sample in enumerate(block.samples):
        for layer, direction, values in layers:
            for row, t in enumerate(stream.steps):
                start = f"{sample},{layer},{direction},{t}"
                columns: list[Iterator[str]] = [map(_format_number, values[name][position][row]) for name in COLUMNS]
                units = stream.units_of(layer)
                if stream.spec.for_layer(layer).projection is not None:
                    columns[-1] = _projection_column(values["h"][position][row], units)
                for unit, *cells in zip(units, *columns, strict=False):
                    yield f"{start},{unit},{','.join(cells)}\n"


def _projection_column(hidden: list[float], units: Sequence[int]) -> Iterator[str]:
    """Yield number j of h in the row of unit j, while h has that many numbers: a projection is smaller than the layer."""
    return (_format_number(hidden[unit]) if unit < len(hidden) else "" for unit in units)


def _format_number(value: float) -> str:
    if isfinite(value):
        return repr(value)
    return "" if isnan(value) else "inf" if value > 0 else "-inf"
