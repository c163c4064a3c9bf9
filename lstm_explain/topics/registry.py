"""The registry of topics: one row per topic, from which the public names, the commands and the lists in tests derive.

It imports nothing of the topics themselves, so that listing them costs no start-up time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lstm_explain.document.blocks import Document
    from lstm_explain.topics.result import Result


class Topic(NamedTuple):
    """One question: its command, its package under `topics`, its page of documentation and its schema share the name."""

    name: str
    summary: str
    """What the topic shows, in one line."""
    public_name: str
    """The name of its builder in the library."""

    @property
    def module(self) -> str:
        """The package with the result and its builder, `explain_NAME`."""
        return f"lstm_explain.topics.{self.name}"

    @property
    def builder(self) -> Any:
        """The function that computes the result."""
        return getattr(import_module(self.module), f"explain_{self.name}")

    def lay_out(self, result: Result, **choices: Any) -> Document:
        """Lay out a result as blocks; the choices are those of the topic's page."""
        document: Document = import_module(f"{self.module}.page").document(result, **choices)
        return document


TOPICS = (
    Topic("shapes", "Every tensor's shape, what one unit owns, how many parameters there are.", "shapes"),
    Topic("unit", "What one unit reads, owns and outputs; one timestep of it, written out.", "unit"),
    Topic("trace", "The vectors h_t and c_t over time, and the gates.", "trace"),
    Topic("influence", "Who influences whom: changes, measured; Jacobians; gradients over time.", "influence"),
    Topic("memory", "What each unit remembers, and from when.", "memory"),
    Topic("equations", "The equations in the notation of a course, a book or a framework.", "equations"),
    Topic("tasks", "The networks around an LSTM, from one-to-one to the encoder-decoder.", "tasks"),
    Topic("terms", "What the words mean: unit, cell, layer, hidden state and others.", "terms"),
    Topic("frameworks", "How each framework writes this layer: names, shapes, gate order.", "in_frameworks"),
    Topic("window", "How rows of a table become samples, timesteps and features.", "window"),
    Topic("model", "Which LSTMs a model file holds.", "model"),
    Topic("convert", "The weights in another framework's layout.", "convert"),
    Topic("verify", "Whether an LSTM makes these outputs from these inputs.", "verify"),
)

BY_NAME = {topic.name: topic for topic in TOPICS}


def document_of(result: Result, **choices: Any) -> Document:
    """Lay out a result with the page of its topic."""
    return BY_NAME[result.topic].lay_out(result, **choices)
