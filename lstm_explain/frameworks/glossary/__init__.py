"""The glossary: what people mean by a word about LSTMs, with the source that uses it so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.frameworks.glossary.data_words import ARGUMENTS, SEQUENCES
from lstm_explain.frameworks.glossary.layer_words import GATES, PARTS, STATES

if TYPE_CHECKING:
    from lstm_explain.frameworks.glossary.entry import Entry

GROUPS: dict[str, tuple[Entry, ...]] = {
    "parts": PARTS,
    "gates": GATES,
    "states": STATES,
    "sequences": SEQUENCES,
    "arguments": ARGUMENTS,
}
"""Words for the parts of a layer, its gates, its states and the data; and frameworks' names of sizes."""
ENTRIES: tuple[Entry, ...] = tuple(entry for group in GROUPS.values() for entry in group)
