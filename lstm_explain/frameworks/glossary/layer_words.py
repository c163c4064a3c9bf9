"""Words for the parts of a layer, its gates, and the states that it keeps and outputs."""

from __future__ import annotations

from lstm_explain.frameworks.glossary import sources as by
from lstm_explain.frameworks.glossary.entry import Concept, Entry, Usage

UNIT = Entry(
    "unit",
    Concept.UNIT,
    "four neurons that together output one number, h, and keep another, c; one circle of a diagram",
    ("hidden unit", "lstm unit", "recurrent unit"),
    ("neuron", "cell", "units", "num_units", "hidden_size"),
    (
        Usage(by.KERAS_GUIDE, Concept.UNIT, "one number of the layer's output", "Add a LSTM layer with 128 internal units."),
        Usage(by.TENSORFLOW_BASIC, Concept.UNIT, "units are what a cell is made of", "The number of units in the LSTM cell."),
        Usage(
            by.TENSORFLOW_LSTM,
            Concept.CELL,
            "the unit is the cell, with all its numbers",
            "Long short-term memory unit (LSTM) recurrent network cell.",
        ),
        Usage(by.D2L_LSTM, Concept.UNIT, "as many as h has numbers", "suppose that there are $h$ hidden units"),
        Usage(
            by.MATLAB,
            Concept.UNIT,
            "as many as h has numbers",
            "Number of hidden units (also known as the hidden size), specified as a positive integer.",
        ),
        Usage(
            by.FOUNDERS,
            Concept.ANY_NODE,
            "inputs, gates and memory cells are units, all of them",
            "All these different types of units may convey useful information about the current state of the net.",
        ),
        Usage(
            by.GOODFELLOW,
            Concept.ANY_NODE,
            "a cell has several: a state unit, gating units, an input unit",
            "The most important component is the state unit",
        ),
    ),
)

NEURON = Entry(
    "neuron",
    Concept.NEURON,
    "a weighted sum and an activation, f(Wx + b); a unit has four",
    ("gate neuron", "perceptron"),
    ("unit", "gate", "node"),
    (
        Usage(by.ONNX_LSTM, Concept.UNIT, "as many as h has numbers", "Number of neurons in the hidden layer"),
        Usage(
            by.GOODFELLOW,
            Concept.NEURON,
            "what computes the candidate is a neuron",
            "An input feature is computed with a regular artificial neuron unit.",
        ),
        Usage(
            by.D2L_LSTM,
            Concept.UNIT,
            "a neuron has gates and a memory",
            "the internal state of a given neuron should be allowed to impact the cell's output",
        ),
        Usage(by.KERAS_7600, Concept.UNIT, "LSTM(units=N) has N of them", "every cell of LSTM layer have `N` neurons"),
    ),
)

NODE = Entry(
    "node",
    None,
    "not used in this package, because it can mean almost anything",
    ("hidden node",),
    ("unit", "neuron"),
    (
        Usage(
            by.ONNX_NODE,
            Concept.LAYER,
            "one operator of a graph: a whole LSTM layer is a single node",
            'a DAG of nodes, which represent what is commonly called a "layer"',
        ),
        Usage(
            by.COLAH,
            Concept.OPERATION,
            "a place in the picture of the cell, where vectors meet",
            "each line carries an entire vector, from the output of one node to the inputs of others",
        ),
        Usage(by.D2L_LSTM, Concept.CANDIDATE, "the input node computes the candidate", "we require an *input node*"),
        Usage(by.KERAS_8461, Concept.UNIT, "asked about LSTM(32)", "there are 32 nodes in the hidden layer"),
    ),
)

CELL = Entry(
    "cell",
    Concept.CELL,
    "the layer's step, all units together",
    ("lstm cell", "memory cell", "rnn cell"),
    ("unit", "layer", "block", "cell state"),
    (
        Usage(
            by.KERAS_CELL,
            Concept.CELL,
            "the layer's step; the layer is the loop around it",
            "This class processes one step within the whole time sequence input",
        ),
        Usage(
            by.PYTORCH_CELL, Concept.CELL, "the step of a layer of hidden_size units", "A long short-term memory (LSTM) cell."
        ),
        Usage(
            by.TENSORFLOW_RNN,
            Concept.CELL,
            "a row of units",
            "This definition refers to a horizontal array of such units.",
        ),
        Usage(
            by.LITERATURE,
            Concept.UNIT,
            "a cell outputs one number",
            "In the literature, 'cell' refers to an object with a single scalar output.",
        ),
        Usage(
            by.TENSORFLOW_GRU,
            Concept.UNIT,
            "a GRU of nunits units has nunits cells",
            "Gated recurrent unit (GRU) with nunits cells.",
        ),
        Usage(
            by.FOUNDERS,
            Concept.UNIT,
            "a linear unit with its input and output gates",
            "The resulting, more complex unit is called a *memory cell*",
        ),
        Usage(by.GOODFELLOW, Concept.UNIT, "each outputs one number of h", "containing the outputs of all the LSTM cells"),
        Usage(
            by.D2L_LSTM,
            Concept.UNIT,
            "each has a memory and gates",
            "Each memory cell is equipped with an *internal state* and a number of multiplicative gates",
        ),
        Usage(by.GREFF, Concept.MEMORY, "what the gates of a block control", "a single cell (the Constant Error Carousel)"),
        Usage(
            by.WIKIPEDIA,
            Concept.MEMORY,
            "the part of a unit that remembers",
            "A common LSTM unit is composed of a cell, an input gate, an output gate and a forget gate",
        ),
        Usage(by.KERAS_3840, Concept.UNIT, "LSTM(4) has four of them", "creates four LSTM cells in a single layer"),
        Usage(
            by.KERAS_7600,
            Concept.CELL_COPY,
            "an input of 150 timesteps has 150 of them",
            "then `150` LSTM cells will be applied",
        ),
    ),
)

BLOCK = Entry(
    "block",
    None,
    "not used in this package; older papers build an LSTM out of blocks",
    ("lstm block", "memory block", "memory cell block", "blocklstm"),
    ("cell", "unit"),
    (
        Usage(
            by.FOUNDERS,
            Concept.SHARED_BLOCK,
            "several memory cells with one input and one output gate; of size 1 it is a memory cell",
            "S memory cells sharing the same input gate and the same output gate form a structure",
        ),
        Usage(by.GREFF, Concept.UNIT, "three gates around a single cell", "a single cell (the Constant Error Carousel)"),
        Usage(by.KERAS_3840, Concept.UNIT, "the same as a cell", 'a "block" is a single cell or memory unit'),
        Usage(
            by.CNTK,
            Concept.CELL,
            "one step of the recurrence, from a state to the next",
            "The LSTM block implements one step of the recurrence and is stateless.",
        ),
        Usage(
            by.TENSORFLOW_BLOCK,
            Concept.LAYER,
            "BlockLSTM is one operator that runs all timesteps",
            "Computes the LSTM cell forward propagation for all the time steps.",
        ),
    ),
)

LAYER = Entry(
    "layer",
    Concept.LAYER,
    "the cell run over all timesteps with one set of weights; a bidirectional layer has two cells",
    ("hidden layer", "lstm layer", "recurrent layer"),
    ("cell", "num_layers"),
    (
        Usage(
            by.KERAS_GUIDE,
            Concept.LAYER,
            "the loop over the timesteps",
            "a RNN layer uses a `for` loop to iterate over the timesteps of a sequence",
        ),
        Usage(
            by.PYTORCH_LSTM,
            Concept.LAYER,
            "one of those that are stacked; a single nn.LSTM holds them all",
            "setting ``num_layers=2`` would mean stacking two LSTMs together",
        ),
        Usage(by.ONNX_LSTM, Concept.LAYER, "one operator; two layers are two", "Computes an one-layer LSTM."),
        Usage(
            by.COLAH,
            Concept.GATE_LAYER,
            "a box in the picture of the cell; there are four",
            "Instead of having a single neural network layer, there are four",
        ),
        Usage(
            by.D2L_LSTM,
            Concept.GATE_LAYER,
            "a gate of all units",
            "Three fully connected layers with sigmoid activation functions",
        ),
    ),
)

PARTS = (UNIT, NEURON, NODE, CELL, BLOCK, LAYER)

GATE = Entry(
    "gate",
    Concept.SIGMOID_GATE,
    "one of the neurons i, f and o, whose sigmoid gives a number from 0 to 1; g, the candidate, is not a gate",
    ("input gate", "forget gate", "output gate", "gate unit"),
    ("candidate", "cell gate", "neuron"),
    (
        Usage(
            by.PYTORCH_LSTM, Concept.GATE, "g is one of four", "are the input, forget, cell, and output gates, respectively"
        ),
        Usage(by.ONNX_LSTM, Concept.GATE, "g is one of four, and called c", "for input, output, forget, and cell gates"),
        Usage(
            by.COLAH,
            Concept.SIGMOID_GATE,
            "a sigmoid and the product after it; g is not a gate",
            "An LSTM has three of these gates, to protect and control the cell state.",
        ),
        Usage(
            by.D2L_LSTM,
            Concept.SIGMOID_GATE,
            "a number from 0 to 1; g is not a gate",
            "compute the values of the input, forget, and output gates",
        ),
        Usage(
            by.FOUNDERS,
            Concept.EARLY_GATE,
            "two, each a unit of its own; the forget gate came later",
            "as many gate units as a single memory cell (namely two)",
        ),
    ),
)

CANDIDATE = Entry(
    "candidate",
    Concept.CANDIDATE,
    "g, what a unit would store; from -1 to 1",
    ("candidate values", "cell update", "g"),
    ("cell gate", "gate"),
    (
        Usage(
            by.COLAH,
            Concept.CANDIDATE,
            "a vector, one number for each unit",
            "a tanh layer creates a vector of new candidate values",
        ),
    ),
)

CELL_GATE = Entry(
    "cell gate",
    None,
    "not used in this package, which says candidate",
    (),
    ("candidate", "gate"),
    (
        Usage(
            by.PYTORCH_LSTM,
            Concept.CANDIDATE,
            "the fourth gate, g, though a tanh makes it",
            "are the input, forget, cell, and output gates, respectively",
        ),
        Usage(by.ONNX_LSTM, Concept.CANDIDATE, "the fourth gate, c in the equations", "`c` - cell gate"),
    ),
)

GATES = (GATE, CANDIDATE, CELL_GATE)

HIDDEN_STATE = Entry(
    "hidden state",
    Concept.HIDDEN,
    "h, what the layer outputs: one number from each unit, unless a projection mixes them",
    ("hidden", "h", "h_t", "h_n"),
    ("cell state", "output", "state", "hidden_size"),
    (
        Usage(by.PYTORCH_LSTM, Concept.HIDDEN, "h", "where :math:`h_t` is the hidden state at time `t`"),
        Usage(
            by.TENSORFLOW_TUPLE,
            Concept.CELL_STATE,
            "c, while h is the output",
            "`c` is the hidden state and `h` is the output.",
        ),
        Usage(
            by.TENSORFLOW_BASIC,
            Concept.HIDDEN,
            "h, in the same file: the method returns new_h under this name",
            "A pair containing the new hidden state, and the new state",
        ),
        Usage(by.FLAX_LSTM, Concept.STATES, "the carry, which is c and h", "carry: the hidden state of the LSTM cell"),
        Usage(by.HAIKU_STATE, Concept.HIDDEN, "h", "hidden: Hidden state."),
        Usage(by.MLX_LSTM, Concept.HIDDEN, "h", "The hidden state :math:`h` and cell state :math:`c`"),
        Usage(
            by.D2L_RNN,
            Concept.HIDDEN,
            "what a hidden layer outputs",
            "such a hidden layer output is called a *hidden state*",
        ),
    ),
)

CELL_STATE = Entry(
    "cell state",
    Concept.CELL_STATE,
    "c, what the units keep: one number in each unit",
    ("c", "c_t", "c_n"),
    ("hidden state", "internal state", "memory", "state"),
    (
        Usage(
            by.PYTORCH_LSTM,
            Concept.CELL_STATE,
            "c; returned for the last timestep only",
            ":math:`c_t` is the cell state at time `t`",
        ),
        Usage(
            by.MLX_LSTM,
            Concept.CELL_STATE,
            "c; returned for every timestep",
            "The layer returns two arrays, the hidden state and the cell state at each time step",
        ),
        Usage(by.HAIKU_STATE, Concept.CELL_STATE, "c", "cell: Cell state."),
        Usage(by.COLAH, Concept.CELL_STATE, "c, the line along the top of the picture", "The key to LSTMs is the cell state"),
        Usage(by.GOODFELLOW, Concept.CELL_STATE, "c, written s", "one can choose to use the cell state"),
    ),
)

INTERNAL_STATE = Entry(
    "internal state",
    None,
    "not used in this package, which says cell state",
    (),
    ("cell state", "state"),
    (
        Usage(by.FOUNDERS, Concept.CELL_STATE, "c, written s, of one memory cell", "where the “internal state”"),
        Usage(
            by.D2L_LSTM, Concept.CELL_STATE, "c of one memory cell", "Each memory cell is equipped with an *internal state*"
        ),
        Usage(
            by.KERAS_GUIDE,
            Concept.STATES,
            "all that is carried from timestep to timestep",
            "maintaining an internal state that encodes information about the timesteps it has seen so far",
        ),
    ),
)

MEMORY = Entry(
    "memory",
    Concept.CELL_STATE,
    "c, what the units keep",
    ("memory state",),
    ("cell state", "carry"),
    (
        Usage(
            by.KERAS_LSTM,
            Concept.HIDDEN,
            "the first state returned, which is h",
            "whole_seq_output, final_memory_state, final_carry_state = lstm(inputs)",
        ),
        Usage(by.FLAX_LSTM, Concept.CELL_STATE, "c", "h is the output of the previous time step, and c is the memory."),
    ),
)

CARRY = Entry(
    "carry",
    None,
    "not used in this package, which says state",
    ("carry state",),
    ("state", "memory", "cell state"),
    (
        Usage(by.FLAX_LSTM, Concept.STATES, "c and h, in this order", "c, h = carry"),
        Usage(
            by.KERAS_LSTM,
            Concept.CELL_STATE,
            "the second state returned, which is c",
            "whole_seq_output, final_memory_state, final_carry_state = lstm(inputs)",
        ),
    ),
)

STATE = Entry(
    "state",
    Concept.STATES,
    "h and c together: what a timestep passes on to the next",
    ("states", "recurrent state", "initial state"),
    ("hidden state", "cell state", "carry"),
    (
        Usage(by.KERAS_GUIDE, Concept.STATES, "h and c", "Note that `LSTM` has 2 state tensors, but `GRU` only has one."),
        Usage(
            by.KERAS_CELL,
            Concept.HIDDEN,
            "described as one tensor, although LSTMCell takes two",
            "states: A 2D tensor with shape `(batch, units)`, which is the state from the previous time step.",
        ),
        Usage(by.TENSORFLOW_BASIC, Concept.STATES, "c and h, in this order", "state: An `LSTMStateTuple` of state tensors"),
        Usage(by.HAIKU_STATE, Concept.STATES, "h and c", "An LSTM core state consists of hidden and cell vectors."),
        Usage(by.CS231N, Concept.HIDDEN, "h, of a plain recurrent network", "it receives some previous state as a vector"),
    ),
)

OUTPUT = Entry(
    "output",
    Concept.OUTPUT,
    "h of every timestep, both directions next to each other",
    ("y", "outputs", "output sequence", "return_sequences"),
    ("hidden state", "state"),
    (
        Usage(
            by.PYTORCH_LSTM,
            Concept.OUTPUT,
            "h of every timestep, of the last layer",
            "containing the output features `(h_t)` from the last layer of the LSTM, for each `t`.",
        ),
        Usage(
            by.KERAS_GUIDE,
            Concept.LAST_OUTPUT,
            "h of the last timestep, unless return_sequences=True",
            "By default, the output of a RNN layer contains a single vector per sample.",
        ),
        Usage(
            by.ONNX_LSTM,
            Concept.OUTPUT,
            "Y: h of every timestep, with an axis of directions",
            "A tensor that concats all the intermediate output values of the hidden.",
        ),
        Usage(by.TENSORFLOW_TUPLE, Concept.HIDDEN, "h at a timestep", "`c` is the hidden state and `h` is the output."),
        Usage(by.HAIKU_LSTM, Concept.HIDDEN, "h at a timestep", "The output is equal to the new hidden, :math:`h_t`."),
    ),
)

STATES = (HIDDEN_STATE, CELL_STATE, INTERNAL_STATE, MEMORY, CARRY, STATE, OUTPUT)
