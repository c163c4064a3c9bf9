"""An explanation as one JSON object and a line feed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm_explain.explain.result import Answer


def text(answer: Answer) -> str:
    """Write the object; the float format is the shortest that reads back to the same bits, and never NaN or Infinity."""
    return json.dumps(answer.to_dict(), allow_nan=False, ensure_ascii=False) + "\n"
