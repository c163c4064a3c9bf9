"""verify, in words and tables: whether the outputs agree, where they differ most, and which other reading would agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Table
from lstm_explain.document.numbers import count, plural, small
from lstm_explain.document.opening import opening

if TYPE_CHECKING:
    from lstm_explain.explain.verify import Tried, Verify

SHOWN = 8
"""No more other readings than this are listed."""
AS_READ = "as it was read"


def document(verify: Verify) -> Document:
    """Lay out the comparison."""
    verdict = "these outputs are this LSTM's" if verify.agrees else "these outputs are not this LSTM's"
    blocks: list[Block] = [
        Heading(f"verify: {verdict}", 1),
        Paragraph(opening(verify)),
        Paragraph(_compared(verify)),
    ]
    if not verify.agrees:
        blocks += _others(verify)
    return tuple(blocks)


def _compared(verify: Verify) -> str:
    what = "h of every timestep" if verify.output == "output" else "the last h"
    at = ", ".join(f"{name} {place}" for name, place in verify.where.items())
    compared = (
        f"{count(verify.compared)} numbers were compared, {what}: the LSTM was run over the inputs. The largest difference is "
        f"{small(verify.difference)}, at {at}; up to {verify.tolerance:g} counts as agreement."
    )
    if not _turned(verify) or verify.output != "output":
        return compared
    order = "the layer reads them" if verify.in_reading_order else "the data has them"
    return f"{compared} The outputs were taken to have their timesteps in the order in which {order}, which agrees better."


def _turned(verify: Verify) -> bool:
    """Whether the layer reads from the end."""
    return bool(verify.source["weights"].get("reads") == "from the end")


def _others(verify: Verify) -> list[Block]:
    heading = Heading("Would another reading agree?")
    first_ones = f", on the first {verify.samples_tried} samples" if verify.samples_tried < verify.spec.samples else ""
    tried = f"{plural(verify.tried, 'other reading')} tried: orders of the gates, biases, layouts and directions{first_ones}."
    if verify.alternatives:
        first = verify.alternatives[0]
        words = f"Yes: {_said(first, _turned(verify))} {tried}"
        return [heading, Paragraph(words), _table(verify.alternatives[:SHOWN])]
    if verify.closest is None:
        return []
    words = f"No. {tried} The closest differs by {small(verify.closest.difference)}."
    hint = "The inputs may be others, or scaled otherwise; or the weights are of another moment of the training."
    return [heading, Paragraph(words), _table((verify.closest,)), Note(hint)]


def _said(tried: Tried, turned: bool) -> str:
    """What the reading says of the file, in a sentence; `turned` where the file says that it reads from the end."""
    reading, said = tried.reading, []
    if reading.gates != GATES:
        who = f" (as {', '.join(tried.frameworks)} would write them)" if tried.frameworks else ""
        said.append(f"these weights are in {tried.letters} order{who}")
    if reading.bias != "as in the file":
        said.append(f"the bias is {reading.bias}" if reading.bias == "left out" else f"with {reading.bias}")
    if reading.layout != "samples first":
        said.append("the first axis of the input was taken for the timesteps")
    if reading.reversed != turned:
        said.append(f"the sequence was read from its {'start' if turned else 'end'}")
    return f"{', and '.join(said)}."


def _table(tried: tuple[Tried, ...]) -> Table:
    rows = tuple(
        (
            Cell(one.letters if one.reading.gates != GATES else AS_READ),
            Cell(one.reading.bias),
            Cell(one.reading.layout),
            Cell("from the end" if one.reading.reversed else "forward"),
            Cell(small(one.difference)),
        )
        for one in tried
    )
    titles = ("gate order", "bias", "input", "read", "difference")
    return Table(tuple(map(Column, titles)), rows)
