"""Words for the parts of a layer."""

from __future__ import annotations

from lstm_explain.frameworks.glossary import sources as by
from lstm_explain.frameworks.glossary.entry import Entry, Thing, Usage

UNIT = Entry(
    "unit",
    Thing.UNIT,
    "one of the layer's scalars, with its four neurons; one circle of a diagram",
    ("hidden unit", "lstm unit", "recurrent unit"),
    ("neuron", "cell", "units", "num_units", "hidden_size"),
    (
        Usage(by.KERAS_GUIDE, Thing.UNIT, "one number of the layer's output", "Add a LSTM layer with 128 internal units."),
        Usage(by.TENSORFLOW_BASIC, Thing.UNIT, "units are what a cell is made of", "The number of units in the LSTM cell."),
        Usage(
            by.TENSORFLOW_LSTM,
            Thing.CELL,
            "the unit is the cell, with all its numbers",
            "Long short-term memory unit (LSTM) recurrent network cell.",
        ),
        Usage(by.D2L_LSTM, Thing.UNIT, "as many as h has numbers", "suppose that there are $h$ hidden units"),
        Usage(
            by.MATLAB,
            Thing.UNIT,
            "as many as h has numbers",
            "Number of hidden units (also known as the hidden size), specified as a positive integer.",
        ),
        Usage(
            by.FOUNDERS,
            Thing.ANY_NODE,
            "inputs, gates and memory cells are units, all of them",
            "All these different types of units may convey useful information about the current state of the net.",
        ),
        Usage(
            by.GOODFELLOW,
            Thing.ANY_NODE,
            "a cell has several: a state unit, gating units, an input unit",
            "The most important component is the state unit",
        ),
    ),
)

NEURON = Entry(
    "neuron",
    Thing.NEURON,
    "one sum of products with an activation, f(Wx + b); a unit has four",
    ("gate neuron", "perceptron"),
    ("unit", "gate", "node"),
    (
        Usage(by.ONNX_LSTM, Thing.UNIT, "as many as h has numbers", "Number of neurons in the hidden layer"),
        Usage(
            by.GOODFELLOW,
            Thing.NEURON,
            "what computes the candidate is a neuron",
            "An input feature is computed with a regular artificial neuron unit.",
        ),
        Usage(
            by.D2L_LSTM,
            Thing.UNIT,
            "a neuron has gates and a memory",
            "the internal state of a given neuron should be allowed to impact the cell's output",
        ),
        Usage(by.KERAS_7600, Thing.UNIT, "LSTM(units=N) has N of them", "every cell of LSTM layer have `N` neurons"),
    ),
)

NODE = Entry(
    "node",
    None,
    "no word of this package, because it stands for nearly everything",
    ("hidden node",),
    ("unit", "neuron"),
    (
        Usage(
            by.ONNX_NODE,
            Thing.LAYER,
            "one operator of a graph: a whole LSTM layer is a single node",
            'a DAG of nodes, which represent what is commonly called a "layer"',
        ),
        Usage(
            by.COLAH,
            Thing.OPERATION,
            "a place in the picture of the cell, where vectors meet",
            "each line carries an entire vector, from the output of one node to the inputs of others",
        ),
        Usage(by.D2L_LSTM, Thing.CANDIDATE, "the input node computes the candidate", "we require an *input node*"),
        Usage(by.KERAS_8461, Thing.UNIT, "asked about LSTM(32)", "there are 32 nodes in the hidden layer"),
    ),
)

CELL = Entry(
    "cell",
    Thing.CELL,
    "the layer's step, all units together",
    ("lstm cell", "memory cell", "rnn cell"),
    ("unit", "layer", "block", "cell state"),
    (
        Usage(
            by.KERAS_CELL,
            Thing.CELL,
            "the layer's step; the layer is the loop around it",
            "This class processes one step within the whole time sequence input",
        ),
        Usage(
            by.PYTORCH_CELL, Thing.CELL, "the step of a layer of hidden_size units", "A long short-term memory (LSTM) cell."
        ),
        Usage(
            by.TENSORFLOW_RNN,
            Thing.CELL,
            "a row of units",
            "This definition refers to a horizontal array of such units.",
        ),
        Usage(
            by.LITERATURE,
            Thing.UNIT,
            "a cell emits one number",
            "In the literature, 'cell' refers to an object with a single scalar output.",
        ),
        Usage(
            by.TENSORFLOW_GRU,
            Thing.UNIT,
            "a GRU of nunits units is said to have nunits cells",
            "Gated recurrent unit (GRU) with nunits cells.",
        ),
        Usage(
            by.FOUNDERS,
            Thing.UNIT,
            "a linear unit with an input and an output gate of its own",
            "The resulting, more complex unit is called a *memory cell*",
        ),
        Usage(by.GOODFELLOW, Thing.UNIT, "each emits one number of h", "containing the outputs of all the LSTM cells"),
        Usage(
            by.D2L_LSTM,
            Thing.UNIT,
            "each has a memory and gates",
            "Each memory cell is equipped with an *internal state* and a number of multiplicative gates",
        ),
        Usage(by.GREFF, Thing.MEMORY, "what the gates of a block control", "a single cell (the Constant Error Carousel)"),
        Usage(
            by.WIKIPEDIA,
            Thing.MEMORY,
            "the part of a unit that remembers",
            "A common LSTM unit is composed of a cell, an input gate, an output gate and a forget gate",
        ),
        Usage(by.KERAS_3840, Thing.UNIT, "LSTM(4) has four of them", "creates four LSTM cells in a single layer"),
        Usage(
            by.KERAS_7600,
            Thing.CELL_COPY,
            "an input of 150 timesteps has 150 of them",
            "then `150` LSTM cells will be applied",
        ),
    ),
)

BLOCK = Entry(
    "block",
    None,
    "no word of this package; older papers build an LSTM of blocks",
    ("lstm block", "memory block", "memory cell block", "blocklstm"),
    ("cell", "unit"),
    (
        Usage(
            by.FOUNDERS,
            Thing.SHARED_BLOCK,
            "several memory cells with one input and one output gate; of size 1 it is a memory cell",
            "S memory cells sharing the same input gate and the same output gate form a structure",
        ),
        Usage(by.GREFF, Thing.UNIT, "three gates around a single cell", "a single cell (the Constant Error Carousel)"),
        Usage(by.KERAS_3840, Thing.UNIT, "the same as a cell", 'a "block" is a single cell or memory unit'),
        Usage(
            by.CNTK,
            Thing.CELL,
            "one step of the recurrence, from a state to the next",
            "The LSTM block implements one step of the recurrence and is stateless.",
        ),
        Usage(
            by.TENSORFLOW_BLOCK,
            Thing.LAYER,
            "BlockLSTM is one operator that runs all timesteps",
            "Computes the LSTM cell forward propagation for all the time steps.",
        ),
    ),
)

LAYER = Entry(
    "layer",
    Thing.LAYER,
    "the cell run over all timesteps with one set of weights; with two directions, both",
    ("hidden layer", "lstm layer", "recurrent layer"),
    ("cell", "num_layers"),
    (
        Usage(
            by.KERAS_GUIDE,
            Thing.LAYER,
            "the loop over the timesteps",
            "a RNN layer uses a `for` loop to iterate over the timesteps of a sequence",
        ),
        Usage(
            by.PYTORCH_LSTM,
            Thing.LAYER,
            "one of those that are stacked; a single nn.LSTM holds them all",
            "setting ``num_layers=2`` would mean stacking two LSTMs together",
        ),
        Usage(by.ONNX_LSTM, Thing.LAYER, "one operator; two layers are two", "Computes an one-layer LSTM."),
        Usage(
            by.COLAH,
            Thing.GATE_LAYER,
            "a box in the picture of the cell; there are four",
            "Instead of having a single neural network layer, there are four",
        ),
        Usage(
            by.D2L_LSTM,
            Thing.GATE_LAYER,
            "a gate of all units",
            "Three fully connected layers with sigmoid activation functions",
        ),
    ),
)

PARTS = (UNIT, NEURON, NODE, CELL, BLOCK, LAYER)
