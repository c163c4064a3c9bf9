"""Documents as tests read them: one block after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.document.blocks import FirstThatFits, SideBySide

if TYPE_CHECKING:
    from lstm_explain.document.blocks import Block, Document


def flatten(document: Document) -> Document:
    """The blocks of a document, with those of columns one after the other, and what has several layouts in its last."""
    blocks: list[Block] = []
    for block in document:
        if isinstance(block, SideBySide):
            blocks += [inner for part in block.parts for inner in flatten(part)]
        else:
            blocks += flatten(block.layouts[-1]) if isinstance(block, FirstThatFits) else [block]
    return tuple(blocks)
