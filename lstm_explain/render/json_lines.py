"""A trace as JSON Lines: a header line, one step a line, and an end line that counts them, so that a cut stream shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lstm_explain.topics.json_numbers import plain_numbers
from lstm_explain.topics.result import replace_nonfinite
from lstm_explain.topics.trace import step_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lstm_explain.core.record import Block
    from lstm_explain.topics.trace import TraceStream


def encode_lines(stream: TraceStream, blocks: Iterable[Block]) -> Iterator[bytes]:
    """The lines in UTF-8, whole lines at a time."""
    yield _encode_line({"type": "header", **stream.header()})
    for block in blocks:
        yield b"".join(_encode_line(row) for row in _block_rows(stream, block))
    yield _encode_line({"type": "end", "rows": stream.rows})


def _encode_line(row: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(row, allow_nan=False, ensure_ascii=False)
    except ValueError:  # a number that JSON has no word for: rare, so it is looked for only then
        text = json.dumps(replace_nonfinite(row), allow_nan=False, ensure_ascii=False)
    return text.encode() + b"\n"


def _block_rows(stream: TraceStream, block: Block) -> Iterator[dict[str, Any]]:
    """Sample by sample, then layer by layer, then timestep by timestep."""
    made = [
        (layer, way.value, {name: plain_numbers(array) for name, array in stream.arrays(block, layer, way).items()})
        for layer, way in stream.places
    ]
    for place, sample in enumerate(block.samples):
        length = block.length(sample)
        for layer, way, values in made:
            about = {"type": "step", "sample": sample, "layer": layer, "direction": way}
            for row, t in enumerate(stream.steps):
                yield {**about, **step_row(t, length, {name: numbers[place][row] for name, numbers in values.items()})}
