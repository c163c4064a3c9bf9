"""An explanation as one JSON object and a line feed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm_explain.topics.result import Result


UNSAFE = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a name from a file may hold that a terminal obeys, or that is no character; JSON itself escapes the first 32 only."""


def to_json_text(answer: Result) -> str:
    """Write the object; the float format is the shortest that reads back to the same bits, and never NaN or Infinity."""
    written = json.dumps(answer.to_dict(), allow_nan=False, ensure_ascii=False)
    return UNSAFE.sub(lambda one: f"\\u{ord(one[0]):04x}", written) + "\n"
