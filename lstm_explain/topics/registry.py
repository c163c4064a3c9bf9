"""The registry of topics: one row per topic.

The package's public names, the commands with their help and formats, the tables of topics in the documentation and the lists
in the tests derive from it. It imports no topic, so that listing them costs no start-up time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

if TYPE_CHECKING:
    from lstm_explain.document.blocks import Document
    from lstm_explain.topics.result import Result

CommandGroupName: TypeAlias = Literal["Learn", "Look inside", "Your model", "Your data", "For programs"]
COMMAND_GROUPS: tuple[CommandGroupName, ...] = get_args(CommandGroupName)
"""The groups of commands, in the order in which help and documentation list them."""

OBJECT_FORMATS = ("table", "markdown", "json", "svg")
"""The formats of one result."""
ROW_FORMATS = ("jsonl", "csv", "npz")
"""The formats of a run, row by row."""


class Topic(NamedTuple):
    """One question. The command, the package under `topics`, the documentation page and the schema have its name."""

    name: str
    group: CommandGroupName
    """Where help and documentation list it."""
    summary: str
    """The first line of its `--help`."""
    question: str
    """What a reader asks, for the tables of topics in the documentation."""
    library_summary: str
    """What the function in the library does, for the table of public names."""
    needs: str = ""
    """The arguments that its command needs; none if it explains an LSTM, because sizes have defaults."""
    formats: tuple[str, ...] = OBJECT_FORMATS
    takes_lengths: bool = False
    """Whether its command has `--lengths`."""
    takes_edits: bool = False
    """Whether its command has `--edit`."""
    public_name_override: str = ""

    @property
    def public_name(self) -> str:
        """The name of its function in the library."""
        return self.public_name_override or self.name

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
    Topic(
        "shapes",
        "Look inside",
        "Show the shape of every tensor from input to output.",
        "What shape does each tensor have? How many parameters are there, and why do frameworks disagree? What does a run "
        "cost? What does my framework return, and what is `h_n[1]`?",
        "explains the shapes of an `LSTM`",
        takes_lengths=True,
    ),
    Topic(
        "unit",
        "Look inside",
        "Show what one unit owns, reads and outputs.",
        "What does one unit read, own and output? How is one of its numbers computed?",
        "explains one unit",
        takes_lengths=True,
        takes_edits=True,
    ),
    Topic(
        "trace",
        "Look inside",
        "Show the vectors h_t and c_t over time, and the gates.",
        "What are h, c and the gates at every timestep, for one sample or for all?",
        "shows h, c and the gates of one sample over time",
        formats=(*OBJECT_FORMATS, *ROW_FORMATS),
        takes_lengths=True,
        takes_edits=True,
    ),
    Topic(
        "influence",
        "Look inside",
        "Measure whether units are independent, and what they share.",
        "Are the units independent, or do they share information? Does the gradient vanish? Which input moved the "
        "last output?",
        "measures what units share, and how far a change reaches",
        takes_lengths=True,
    ),
    Topic(
        "memory",
        "Look inside",
        "Show when c was written, and how fast units forget.",
        "When was c written, and how fast does a unit forget? What does the forget bias do? Is one timestep enough? What is "
        "lost when a stateful layer is reset?",
        "explains when c was written, and how fast units forget",
        takes_lengths=True,
    ),
    Topic(
        "equations",
        "Look inside",
        "Write the equations in the notation you know.",
        "What are the equations in the notation of my course, book or framework, with my sizes?",
        "writes the equations in a chosen notation, and checks them",
        takes_lengths=True,
    ),
    Topic(
        "tasks",
        "Look inside",
        "Show how many outputs there are: it depends on the task.",
        "How many outputs does the network have, in one-to-one, many-to-one and so on? Where does h go? How do I write it in "
        "Keras or PyTorch, and what goes wrong there without an error?",
        "builds and runs the networks that the LSTM is part of, each with a dense layer",
        takes_lengths=True,
    ),
    Topic(
        "terms",
        "Learn",
        "Explain unit, cell, layer, neuron, and who uses which word.",
        'Does "cell" mean a unit or a layer? Who says `hidden_size`? How many of each are there?',
        "explains what words mean, here and to others, and how many there are",
    ),
    Topic(
        "frameworks",
        "Look inside",
        "Show how each framework writes this layer.",
        "How does each framework write this layer: names, shapes, gate order, biases, states?",
        "shows how each framework writes the layer",
        public_name_override="in_frameworks",  # `lstm_explain.frameworks` is a package
    ),
    Topic(
        "window",
        "Your data",
        "Cut rows into samples, timesteps and features.",
        "How do rows of a table become samples, timesteps and features? How many samples are there, and which rows are "
        "in them?",
        "cuts rows into samples",
        "FILE",
    ),
    Topic(
        "model",
        "Your model",
        "List the LSTM layers in a model file.",
        "Which LSTMs are in my model file, and how do I explain one?",
        "lists the LSTMs that a reader found in a file",
        "FILE",
    ),
    Topic(
        "convert",
        "Your model",
        "Write an LSTM's weights for another framework.",
        "How do I move these weights to another framework?",
        "writes an LSTM's weights in another framework's convention",
        "FROM TO",
    ),
    Topic(
        "verify",
        "Your model",
        "Check that an LSTM computes these outputs from these inputs.",
        "Does my model compute these outputs from these inputs? If not, are its gates in another order?",
        "compares an LSTM's outputs with those of another program",
        "FILE --input X --output Y",
    ),
)

TOPICS_BY_NAME = {topic.name: topic for topic in TOPICS}
LSTM_TOPICS = tuple(topic.name for topic in TOPICS if not topic.needs)
"""The names of the topics that explain one LSTM."""


def document_of(result: Result, **choices: Any) -> Document:
    """Lay out a result with the page of its topic."""
    return TOPICS_BY_NAME[result.topic].lay_out(result, **choices)
