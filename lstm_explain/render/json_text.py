"""JSON: an explanation as one object, and a trace as JSON Lines, whose last line counts the steps."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lstm_explain.core.record import Block
    from lstm_explain.topics.result import Result
    from lstm_explain.topics.trace import TraceStream

UNSAFE = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters in names from files that a terminal obeys, or that are not characters at all; JSON escapes the first 32 only."""


def to_json_text(result: Result) -> str:
    """Write one object and a line feed. Floats have the shortest form that reads back to the same bits."""
    text = json.dumps(result.to_dict(), allow_nan=False, ensure_ascii=False)
    return UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def encode_lines(stream: TraceStream, blocks: Iterable[Block]) -> Iterator[bytes]:
    """Yield the lines in UTF-8, whole lines at a time."""
    yield _encode_line({"type": "header", **stream.header()})
    for block in blocks:
        yield b"".join(_encode_line(row) for row in _block_rows(stream, block))
    yield _encode_line({"type": "end", "rows": stream.rows})


def _encode_line(row: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(row, allow_nan=False, ensure_ascii=False)
    except ValueError:  # nan or infinity: rare, so it is looked for only then
        from lstm_explain.topics.result import replace_nonfinite

        text = json.dumps(replace_nonfinite(row), allow_nan=False, ensure_ascii=False)
    return text.encode() + b"\n"


def _block_rows(stream: TraceStream, block: Block) -> Iterator[dict[str, Any]]:
    """Yield the steps sample by sample, then layer by layer, then timestep by timestep."""
    from lstm_explain.topics.trace import step_row

    layers = stream.plain_values(block)
    for position, sample in enumerate(block.samples):
        length = block.length(sample)
        for layer, direction, values in layers:
            keys = {"type": "step", "sample": sample, "layer": layer, "direction": direction}
            for row, t in enumerate(stream.steps):
                numbers = {name: tensor[position][row] for name, tensor in values.items()}
                yield {**keys, **step_row(t, length, numbers)}
