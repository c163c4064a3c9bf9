"""The pages that cover the screen: help, command lines, and the arithmetic behind each number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.apps.explorer.keys import KEYS, MORE
from lstm_explain.apps.explorer.state import topic_command
from lstm_explain.document.blocks import Block, Cell, Column, Document, Heading, Note, Paragraph, Preformatted, Table
from lstm_explain.topics.intro import lstm_summary
from lstm_explain.topics.unit import explain_unit
from lstm_explain.topics.unit.arithmetic_tables import arithmetic_blocks, difference_text

if TYPE_CHECKING:
    from lstm_explain.apps.explorer.state import CommandLine, ExplorerState
    from lstm_explain.topics.unit import Unit

CLOSE_HINT = "Esc closes this page; the arrow keys and PgUp, PgDn scroll it."


def arithmetic_page(state: ExplorerState) -> Document:
    """The arithmetic that made each number of the current unit and step."""
    lstm = state.lstm.with_edits(state.edits)
    unit = explain_unit(lstm, state.unit, state.sample, state.step, state.layer, state.direction.value)
    direction = f", {state.direction.value}" if unit.layer_spec.bidirectional else ""
    blocks: list[Block] = [
        Heading(f"Why: unit {state.unit} at step {state.step}, sample {state.sample}, layer {state.layer}{direction}", 1),
        Paragraph(lstm_summary(unit)),
        Paragraph(_input_sources(state, unit)),
        *arithmetic_blocks(unit),
        *([] if unit.arithmetic is None else [Note(difference_text(unit, unit.arithmetic))]),
        Note(f"The same on the command line: {topic_command(state, 'unit')}"),
        Note(CLOSE_HINT),
    ]
    return tuple(blocks)


def _input_sources(state: ExplorerState, unit: Unit) -> str:
    """Where the inputs, states and weights of the step come from."""
    before = state.before_step
    x = f"x_{state.step} is timestep {state.step} of the sample"
    if state.layer > 0:
        both = ", both directions joined" if unit.spec.for_layer(state.layer - 1).bidirectional else ""
        x = f"x_{state.step} is what layer {state.layer - 1} put out at timestep {state.step}{both}"
    kind = unit.source["weights"]["kind"]
    weights = "the weights come from the model file" if kind == "model" else "the weights were made from the seed"
    states = f"h_{before} and c_{before} are what timestep {before} made"
    if state.step == state.time_order[0]:
        states = f"h_{before} and c_{before} are the states that the layer starts from"
    by_hand = " The numbers that you set are listed above." if state.edits else ""
    return f"What it reads: {x}; {states}; {weights}, and are the same at every timestep.{by_hand}"


def commands_page(commands: list[CommandLine]) -> Document:
    """The command lines that show the same."""
    pairs = ((Paragraph(f"To show {command.shows}:"), Preformatted((command.line,), "sh")) for command in commands)
    blocks = [block for pair in pairs for block in pair]
    return (Heading("On the command line", 1), *blocks, Note("Leaving with q prints them too. " + CLOSE_HINT))


def message_page(text: str) -> Document:
    """A message that is too long for its two rows on the screen."""
    return (Heading("explore", 1), Paragraph(text), Note(CLOSE_HINT))


def help_page(topic: str) -> Document:
    """Help for `explore`, the main view, or for `why`."""
    return _arithmetic_help() if topic == "why" else _explorer_help()


def _explorer_help() -> Document:
    rows = tuple((Cell(key.symbol, strong=True), Cell(key.help)) for key in (*KEYS, *MORE))
    return (
        Heading("Help: explore", 1),
        Paragraph(
            "You see one sample go through one layer of an LSTM. Every row is a unit, every column a timestep. A "
            "circle is a unit at one timestep. Beside the circles stand the numbers that the units made: h, which "
            "others read, and c, which each keeps for itself."
        ),
        Paragraph(
            "Below is the cell at the current step, with the numbers of the current unit: what it read, its four "
            "gates, its new c and h. Beside it is the arithmetic: what the input adds to each gate's sum, what the "
            "outputs of all units add, the bias, and the value that comes out."
        ),
        Paragraph(
            "Change a number and see what moves. ◎ is what you set, ◆ a unit of which something moved for it: its c, "
            "its h or a gate; a number that moved is underlined. Units talk to each other through h, one step late: "
            "change h and look at the column of that step, then at the next."
        ),
        Heading("How to read the small maps"),
        Paragraph(
            "Where there is little room, a number is a sign and one digit: +3 means 0.3 of the scale that is named "
            "below the maps, 0 means less than a tenth. Purple is below zero, orange above. In a wider terminal there "
            "are decimals."
        ),
        Heading("Keys"),
        Table((Column("key"), Column("what it does", wraps=True)), rows),
        Note(
            "A click on a circle or a number chooses it; the wheel moves through the units; a click on a key below presses it."
        ),
        Heading("How a change is written"),
        Table(
            (Column("change"), Column("what is set", wraps=True)),
            tuple((Cell(text, strong=True), Cell(meaning)) for text, meaning in EDIT_EXAMPLES),
        ),
        Note("ctrl+p opens the palette of commands. " + CLOSE_HINT),
    )


EDIT_EXAMPLES = (
    ("h_3[4]=0.5", "what unit 4 put out at step 3, as all who read it see it"),
    ("c_3[4]=0.5", "what unit 4 remembers after step 3"),
    ("f_3[4]=0", "the forget gate of unit 4 held shut at step 3; i, g and o likewise"),
    ("f[4]=1", "the same gate held open at every step"),
    ("x_3[2]=0.5", "feature 2 of the input at step 3"),
    ("W_f[2,4]=0.1", "the weight from feature 2 to unit 4's forget gate"),
    ("R_f[3,4]=0.1", "the weight from h[3] to it"),
    ("b_f[4]=0", "its bias"),
    ("p_f[4]=0", "its peephole"),
    ("1:h_3[4]=0.5", "the same as the first in layer 1"),
    ("1.backward:h_3[4]=0.5", "the same in the backward direction of layer 1"),
)
"""Edits, and what each sets."""


def _arithmetic_help() -> Document:
    return (
        Heading("Help: why", 1),
        Paragraph(
            "The page shows how the numbers of one unit at one step were made, with nothing left out. Each of the four"
            " neurons multiplies every number that it reads by a weight, adds up the products, and squashes the sum."
        ),
        Paragraph(
            "Then c = f × the old c + i × g, and h = o × tanh(c). The sums are worked again in float64 from the run's "
            "own numbers; the last line says how far that is from what the run recorded."
        ),
        Note(CLOSE_HINT),
    )
