"""The types of the glossary: a word, its sources, and what each of them means by it.

A meaning is a `Concept`, which has one name. A word may have several meanings, and several words may share one. Which sources
contradict each other follows from the concepts, so it is not written down.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple


class Concept(StrEnum):
    """A meaning that a word may have; the value is its name in JSON."""

    UNIT = "unit"
    NEURON = "neuron"
    MEMORY = "memory"
    ANY_NODE = "any_node"
    SHARED_BLOCK = "shared_block"
    CELL = "cell"
    CELL_COPY = "cell_copy"
    LAYER = "layer"
    OPERATION = "operation"
    GATE = "gate"
    SIGMOID_GATE = "sigmoid_gate"
    EARLY_GATE = "early_gate"
    GATE_LAYER = "gate_layer"
    CANDIDATE = "candidate"
    HIDDEN = "hidden"
    CELL_STATE = "cell_state"
    STATES = "states"
    OUTPUT = "output"
    LAST_OUTPUT = "last_output"
    PROJECTED = "projected"
    SAMPLE = "sample"
    BATCH = "batch"
    UPDATE = "update"
    TIMESTEP = "timestep"
    FEATURE = "feature"


DEFINITIONS: dict[Concept, str] = {
    Concept.UNIT: "one unit",
    Concept.NEURON: "a weighted sum and an activation, f(Wx + b)",
    Concept.MEMORY: "the memory of one unit alone, without its gates",
    Concept.ANY_NODE: "any node of the network, gates included",
    Concept.SHARED_BLOCK: "several units that share their gates",
    Concept.CELL: "the layer's step, all units together",
    Concept.CELL_COPY: "one timestep of the layer, drawn as a box of its own",
    Concept.LAYER: "a whole layer, over all timesteps",
    Concept.OPERATION: "an operation in a drawing of the step",
    Concept.GATE: "one of i, f, g and o in a unit",
    Concept.SIGMOID_GATE: "one of i, f and o in a unit, not g",
    Concept.EARLY_GATE: "the input or the output gate, before there were forget gates",
    Concept.GATE_LAYER: "the same gate of all units: a quarter of the neurons",
    Concept.CANDIDATE: "g, what the units would store",
    Concept.HIDDEN: "h, what the layer outputs at a timestep",
    Concept.CELL_STATE: "c, what the units keep",
    Concept.STATES: "h and c together",
    Concept.OUTPUT: "h of every timestep, both directions next to each other",
    Concept.LAST_OUTPUT: "h after the last timestep only",
    Concept.PROJECTED: "h after a projection",
    Concept.SAMPLE: "one whole sequence",
    Concept.BATCH: "all sequences together",
    Concept.UPDATE: "the sequences of one update of the weights",
    Concept.TIMESTEP: "one position in time",
    Concept.FEATURE: "one number of a timestep's input",
}
"""Each concept in neutral words."""

Kind = Literal["docstring", "operator", "file", "page", "paper", "thread"]


READ_THERE = "read there"


class Source(NamedTuple):
    """Where something is written."""

    who: str
    """A framework, the authors of a paper or a book, or a thread."""
    kind: Kind
    """`docstring`: of an installed Python object. `operator`: an installed ONNX definition. `file`: in a public repository."""
    location: str
    """docstring: the dotted name. operator: the file and the part of it. file: `owner/name@commit: path, part`. page: the
    address. paper: its identifier and the part. thread: `owner/name#number`."""
    seen: str = READ_THERE
    """How we know: it was read there, or second-hand through another source."""


class Usage(NamedTuple):
    """What one source means by a word."""

    source: Source
    thing: Concept
    """What is meant."""
    means: str
    """A sentence in our words."""
    quote: str
    """The source's own words, 20 at most; line breaks left out."""


class Entry(NamedTuple):
    """A word."""

    word: str
    thing: Concept | None
    """What it means in this package; None if this package does not use it."""
    meaning: str
    """One line."""
    spellings: tuple[str, ...]
    """Other forms to look it up by. Case, blanks, hyphens, underscores and a plural s make no difference."""
    related: tuple[str, ...]
    """Words to look up too."""
    usages: tuple[Usage, ...]
    ours: bool = True
    """Whether this package uses it; a framework's name for a size is only explained."""
    size: str = ""
    """The argument that is this size here, such as `units`; the word and its spellings are names of its option too."""
    size_names: tuple[str, ...] = ()
    """More names of the option, which mean something else as a word."""
