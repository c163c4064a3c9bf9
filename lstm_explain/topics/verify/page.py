"""The page of `verify`: whether the outputs agree, where they differ most, and which other reading would agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, NextStep, Note, Paragraph, Table
from lstm_explain.document.numbers import format_difference, plural, thousands
from lstm_explain.document.text import join_words
from lstm_explain.topics.command_line import PROGRAM, format_command
from lstm_explain.topics.intro import closing_blocks
from lstm_explain.topics.verify.weight_interpretations import (
    AS_IN_FILE,
    OUTPUTS_SWAPPED,
    SAMPLES_FIRST,
    WEIGHTS_SWAPPED,
    Interpretation,
)

if TYPE_CHECKING:
    from lstm_explain.topics.verify import OutputIndexJSON, Verify
    from lstm_explain.topics.verify.weight_interpretations import InterpretationResult

MAX_SHOWN = 8
"""No more other readings than this are listed."""
AS_READ = "as it was read"
SWAPPED: dict[str, str] = {
    WEIGHTS_SWAPPED: "the weights of the two directions are swapped",
    OUTPUTS_SWAPPED: "the outputs have the backward half before the forward half",
}


def document(verify: Verify) -> Document:
    """Lay out the comparison."""
    verdict = "these outputs are this LSTM's" if verify.agrees else "these outputs are not this LSTM's"
    blocks: list[Block] = [Heading(f"verify: {verdict}", 1), Paragraph(_comparison_text(verify))]
    if not verify.agrees:
        blocks += _interpretation_blocks(verify)
    what = "h of every timestep" if verify.output == "output" else "the last h"
    measurement = f"The LSTM was run over the inputs. {thousands(verify.compared)} numbers were compared: {what}."
    return (*blocks, *closing_blocks(verify, measurement, _next_steps(verify)))


def _next_steps(verify: Verify) -> list[NextStep]:
    steps = [NextStep(format_command("trace", verify.spec, verify.source), "h and c of this LSTM at every timestep")]
    if not verify.agrees:
        steps.append(NextStep(f"{PROGRAM} frameworks", "the order in which each framework packs the gates"))
    return steps


def _comparison_text(verify: Verify) -> str:
    sentences = [_largest_difference_text(verify)]
    if _is_reversed(verify) and verify.output == "output":
        order = "the layer reads them" if verify.in_reading_order else "the data has them"
        sentences.append(f"The outputs were taken to have their timesteps in the order in which {order}, which agrees better.")
    return " ".join(sentences)


def _largest_difference_text(verify: Verify) -> str:
    """The largest difference; of those that are numbers, if some are nan or infinite."""
    nonfinite, counts = verify.nonfinite, f"up to {verify.tolerance:g} counts as agreement"
    if nonfinite is None:
        return (
            f"The largest difference is {format_difference(verify.difference)}, at {_position_text(verify.where)}; {counts}."
        )
    sentences = []
    if nonfinite.given and nonfinite.first is not None:
        first = (
            f"the first of them at {_position_text(nonfinite.first)}"
            if nonfinite.given > 1
            else f"at {_position_text(nonfinite.first)}"
        )
        sentences.append(f"Of the given outputs, {_nonfinite_text(nonfinite.given)}, {first}.")
    if nonfinite.made:
        sentences.append(f"Of the LSTM's own outputs, {_nonfinite_text(nonfinite.made)}.")
    sentences.append("Nan agrees only with nan, and infinity with nothing.")
    if nonfinite.difference is not None:
        sentences.append(
            f"Where both are numbers, the largest difference is {format_difference(nonfinite.difference)}; {counts}."
        )
    return " ".join(sentences)


def _nonfinite_text(many: int) -> str:
    return f"{thousands(many)} {'is' if many == 1 else 'are'} nan or infinite"


def _position_text(index: OutputIndexJSON) -> str:
    return ", ".join(f"{name} {number}" for name, number in index.items())


def _is_reversed(verify: Verify) -> bool:
    """Whether the layer reads from the end."""
    return bool(verify.source["weights"].get("reads") == "from the end")


def _interpretation_blocks(verify: Verify) -> list[Block]:
    heading = Heading("Would another reading agree?")
    first_ones = f", on the first {verify.samples_tried} samples" if verify.samples_tried < verify.spec.samples else ""
    tried = (
        f"{plural(verify.tried, 'other reading')} of the weights {'was' if verify.tried == 1 else 'were'} tried: orders of "
        f"the gates, biases, layouts and directions{first_ones}."
    )
    if verify.alternatives:
        first = verify.alternatives[0]
        words = f"Yes: {_interpretation_text(first, _is_reversed(verify))} {tried}"
        return [heading, Paragraph(words), _interpretation_table(verify, verify.alternatives[:MAX_SHOWN])]
    if verify.closest is None:
        return []
    hint = Note(_hint_text(verify))
    if verify.closest.reading == Interpretation(reversed=_is_reversed(verify)):
        return [heading, Paragraph(f"No. {tried} None comes closer than the file as it was read."), hint]
    words = f"No. {tried} The closest differs by {format_difference(verify.closest.difference)}."
    return [heading, Paragraph(words), _interpretation_table(verify, (verify.closest,)), hint]


def _hint_text(verify: Verify) -> str:
    """Where to look if no reading agrees."""
    nonfinite = verify.nonfinite
    if nonfinite is not None and nonfinite.difference is not None and nonfinite.difference <= verify.tolerance:
        return "All numbers agree as they are. Look for where nan and infinity come from."
    return (
        "Perhaps the outputs were made from other inputs, or with other scaling, or the weights were saved at another moment "
        "of training."
    )


def _interpretation_text(tried: InterpretationResult, turned: bool) -> str:
    """What a reading means for the file, in a sentence; `turned` if the file says that it reads from the end."""
    reading, sentences = tried.reading, []
    if reading.gates != GATES:
        who = (
            f" (as {join_words(tried.frameworks)} write{'s' * (len(tried.frameworks) == 1)} them)" if tried.frameworks else ""
        )
        sentences.append(f"these weights are in {', '.join(tried.letters)} order{who}")
    if reading.bias != AS_IN_FILE:
        sentences.append(f"with {reading.bias}" if " forget gate" in reading.bias else f"the bias is {reading.bias}")
    if reading.layout != SAMPLES_FIRST:
        sentences.append("the first axis of the input was taken for the timesteps")
    if reading.reversed != turned:
        sentences.append(f"the sequence was read from its {'start' if turned else 'end'}")
    if reading.in_reading_order:
        sentences.append("the outputs are in reading order, the data's last timestep first")
    if reading.directions != AS_IN_FILE:
        sentences.append(SWAPPED[reading.directions])
    return f"{', and '.join(sentences)}."


def _interpretation_table(verify: Verify, tried: tuple[InterpretationResult, ...]) -> Table:
    rows = tuple(
        (
            Cell(", ".join(result.letters) if result.reading.gates != GATES else AS_READ),
            Cell(result.reading.bias),
            Cell(result.reading.layout),
            Cell(_direction_text(verify, result.reading)),
            Cell(format_difference(result.difference)),
        )
        for result in tried
    )
    titles = ("gate order", "bias", "input", "read", "difference")
    return Table(tuple(map(Column, titles)), rows)


def _direction_text(verify: Verify, reading: Interpretation) -> str:
    """Which way it reads, in a few words."""
    if verify.spec.has_backward:
        both = all(verify.spec.for_layer(layer).bidirectional for layer, _ in verify.spec.layer_groups)
        as_read = "both ways" if both else "some both ways"
        return as_read if reading.directions == AS_IN_FILE else reading.directions
    if not reading.reversed:
        return "forward"
    return "from end, outputs too" if reading.in_reading_order else "from the end"
