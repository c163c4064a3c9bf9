"""Documents as tests read them: one block after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.document.blocks import FirstThatFits, SideBySide

if TYPE_CHECKING:
    from lstm_explain.document.blocks import Block, Document


def flatten(document: Document, widest: bool = False) -> Document:
    """The blocks of a document, with those of columns one after the other, and what has several layouts in one.

    Args:
        document: the document.
        widest: take the first layout, the widest, and not the last.
    """
    blocks: list[Block] = []
    for block in document:
        if isinstance(block, SideBySide):
            blocks += [inner for part in block.parts for inner in flatten(part, widest)]
        elif isinstance(block, FirstThatFits):
            blocks += flatten(block.layouts[0 if widest else -1], widest)
        else:
            blocks.append(block)
    return tuple(blocks)
