"""verify, in words and tables: whether the outputs agree, where they differ most, and which other reading would agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Table
from lstm_explain.document.numbers import format_difference, plural, thousands
from lstm_explain.topics.intro import lstm_summary
from lstm_explain.topics.verify.weight_interpretations import (
    AS_IN_FILE,
    OUTPUTS_SWAPPED,
    SAMPLES_FIRST,
    WEIGHTS_SWAPPED,
    Reading,
)

if TYPE_CHECKING:
    from lstm_explain.topics.verify import Verify
    from lstm_explain.topics.verify.weight_interpretations import Tried

SHOWN = 8
"""No more other readings than this are listed."""
AS_READ = "as it was read"
SWAPPED = {
    WEIGHTS_SWAPPED: "the weights of the two directions are swapped",
    OUTPUTS_SWAPPED: "the outputs hold what reads backward before what reads forward",
}


def document(verify: Verify) -> Document:
    """Lay out the comparison."""
    verdict = "these outputs are this LSTM's" if verify.agrees else "these outputs are not this LSTM's"
    blocks: list[Block] = [
        Heading(f"verify: {verdict}", 1),
        Paragraph(lstm_summary(verify)),
        Paragraph(_compared(verify)),
    ]
    if not verify.agrees:
        blocks += _others(verify)
    return tuple(blocks)


def _compared(verify: Verify) -> str:
    what = "h of every timestep" if verify.output == "output" else "the last h"
    said = [f"{thousands(verify.compared)} numbers were compared, {what}: the LSTM was run over the inputs.", _largest(verify)]
    if _turned(verify) and verify.output == "output":
        order = "the layer reads them" if verify.in_reading_order else "the data has them"
        said.append(f"The outputs were taken to have their timesteps in the order in which {order}, which agrees better.")
    return " ".join(said)


def _largest(verify: Verify) -> str:
    """The largest difference; where not all are numbers, that between those that are."""
    odd, counts = verify.no_numbers, f"up to {verify.tolerance:g} counts as agreement"
    if odd is None:
        return f"The largest difference is {format_difference(verify.difference)}, at {_at(verify.where)}; {counts}."
    said = []
    if odd.given and odd.first is not None:
        first = f"the first of them at {_at(odd.first)}" if odd.given > 1 else f"at {_at(odd.first)}"
        said.append(f"Of the outputs given {_no_numbers(odd.given)}, {first}.")
    if odd.made:
        said.append(f"Of the LSTM's own {_no_numbers(odd.made)}.")
    said.append("Nan agrees with nan alone, and infinity with nothing.")
    if odd.difference is not None:
        said.append(f"Where both are numbers, the largest difference is {format_difference(odd.difference)}; {counts}.")
    return " ".join(said)


def _no_numbers(many: int) -> str:
    return f"{thousands(many)} {'is' if many == 1 else 'are'} nan or infinite"


def _at(where: dict[str, int]) -> str:
    return ", ".join(f"{name} {place}" for name, place in where.items())


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
        return [heading, Paragraph(words), _table(verify, verify.alternatives[:SHOWN])]
    if verify.closest is None:
        return []
    hint = Note(_hint(verify))
    if verify.closest.reading == Reading(reversed=_turned(verify)):
        return [heading, Paragraph(f"No. {tried} None comes closer than the file as it was read."), hint]
    words = f"No. {tried} The closest differs by {format_difference(verify.closest.difference)}."
    return [heading, Paragraph(words), _table(verify, (verify.closest,)), hint]


def _hint(verify: Verify) -> str:
    """Where to look where no reading agrees."""
    odd = verify.no_numbers
    if odd is not None and odd.difference is not None and odd.difference <= verify.tolerance:
        return "All that are numbers agree as they are: look for where the others come from."
    return "The inputs may be others, or scaled otherwise; or the weights are of another moment of the training."


def _said(tried: Tried, turned: bool) -> str:
    """What the reading says of the file, in a sentence; `turned` where the file says that it reads from the end."""
    reading, said = tried.reading, []
    if reading.gates != GATES:
        who = f" (as {', '.join(tried.frameworks)} would write them)" if tried.frameworks else ""
        said.append(f"these weights are in {tried.letters} order{who}")
    if reading.bias != AS_IN_FILE:
        said.append(f"with {reading.bias}" if " forget gate" in reading.bias else f"the bias is {reading.bias}")
    if reading.layout != SAMPLES_FIRST:
        said.append("the first axis of the input was taken for the timesteps")
    if reading.reversed != turned:
        said.append(f"the sequence was read from its {'start' if turned else 'end'}")
    if reading.in_reading_order:
        said.append("the outputs stand in the order of reading, the data's last timestep first")
    if reading.directions != AS_IN_FILE:
        said.append(SWAPPED[reading.directions])
    return f"{', and '.join(said)}."


def _table(verify: Verify, tried: tuple[Tried, ...]) -> Table:
    rows = tuple(
        (
            Cell(one.letters if one.reading.gates != GATES else AS_READ),
            Cell(one.reading.bias),
            Cell(one.reading.layout),
            Cell(_way(verify, one.reading)),
            Cell(format_difference(one.difference)),
        )
        for one in tried
    )
    titles = ("gate order", "bias", "input", "read", "difference")
    return Table(tuple(map(Column, titles)), rows)


def _way(verify: Verify, reading: Reading) -> str:
    """Which way it reads, in a few words."""
    if verify.spec.reads_backward:
        both = all(verify.spec.at(layer).bidirectional for layer, _ in verify.spec.unlike_layers)
        as_read = "both ways" if both else "some both ways"
        return as_read if reading.directions == AS_IN_FILE else reading.directions
    if not reading.reversed:
        return "forward"
    return "from end, outputs too" if reading.in_reading_order else "from the end"
