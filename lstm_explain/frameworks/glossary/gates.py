"""Words for what opens and shuts, and for what it lets in."""

from __future__ import annotations

from lstm_explain.frameworks.glossary import sources as by
from lstm_explain.frameworks.glossary.entry import Entry, Thing, Usage

GATE = Entry(
    "gate",
    Thing.GATE,
    "one of the neurons i, f and o, whose sigmoid gives a number from 0 to 1; g, the candidate, is counted with them",
    ("input gate", "forget gate", "output gate", "gate unit"),
    ("candidate", "cell gate", "neuron"),
    (
        Usage(by.PYTORCH_LSTM, Thing.GATE, "g is one of four", "are the input, forget, cell, and output gates, respectively"),
        Usage(by.ONNX_LSTM, Thing.GATE, "g is one of four, and called c", "for input, output, forget, and cell gates"),
        Usage(
            by.COLAH,
            Thing.SIGMOID_GATE,
            "a sigmoid and the product after it; g is none",
            "An LSTM has three of these gates, to protect and control the cell state.",
        ),
        Usage(
            by.D2L_LSTM,
            Thing.SIGMOID_GATE,
            "a number from 0 to 1; g is none",
            "compute the values of the input, forget, and output gates",
        ),
        Usage(
            by.FOUNDERS,
            Thing.EARLY_GATE,
            "two, in a unit of their own; nothing is forgotten yet",
            "as many gate units as a single memory cell (namely two)",
        ),
    ),
)

CANDIDATE = Entry(
    "candidate",
    Thing.CANDIDATE,
    "g, what a unit would store; from -1 to 1",
    ("candidate values", "cell update", "g"),
    ("cell gate", "gate"),
    (
        Usage(
            by.COLAH,
            Thing.CANDIDATE,
            "a vector, one number for each unit",
            "a tanh layer creates a vector of new candidate values",
        ),
    ),
)

CELL_GATE = Entry(
    "cell gate",
    None,
    "no word of this package, which says candidate",
    (),
    ("candidate", "gate"),
    (
        Usage(
            by.PYTORCH_LSTM,
            Thing.CANDIDATE,
            "the fourth gate, g, though a tanh makes it",
            "are the input, forget, cell, and output gates, respectively",
        ),
        Usage(by.ONNX_LSTM, Thing.CANDIDATE, "the fourth gate, c in the equations", "`c` - cell gate"),
    ),
)

GATES = (GATE, CANDIDATE, CELL_GATE)
