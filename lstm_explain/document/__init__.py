"""From an explanation to blocks of text. The only place where a number becomes words."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_explain.document.blocks import Document
    from lstm_explain.explain.result import Answer


def document_of(answer: Answer, **choices: Any) -> Document:
    """Lay out an explanation with the module that bears its topic's name."""
    document: Document = import_module(f"{__name__}.{answer.topic}").document(answer, **choices)
    return document
