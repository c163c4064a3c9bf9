"""The words that there are, in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.frameworks.glossary.arguments import ARGUMENTS
from lstm_explain.frameworks.glossary.gates import GATES
from lstm_explain.frameworks.glossary.parts import PARTS
from lstm_explain.frameworks.glossary.sequences import SEQUENCES
from lstm_explain.frameworks.glossary.states import STATES

if TYPE_CHECKING:
    from lstm_explain.frameworks.glossary.entry import Entry

GROUPS: dict[str, tuple[Entry, ...]] = {
    "parts": PARTS,
    "gates": GATES,
    "states": STATES,
    "sequences": SEQUENCES,
    "arguments": ARGUMENTS,
}
"""Words for the parts of a layer, its gates, what it carries and emits, and the data; and frameworks' names of sizes."""
