"""Words for what a layer carries and emits."""

from __future__ import annotations

from lstm_explain.frameworks.glossary import sources as by
from lstm_explain.frameworks.glossary.entry import Entry, Thing, Usage

HIDDEN_STATE = Entry(
    "hidden state",
    Thing.HIDDEN,
    "h, what the layer emits: one number from each unit, unless a projection mixes them",
    ("hidden", "h", "h_t", "h_n"),
    ("cell state", "output", "state", "hidden_size"),
    (
        Usage(by.PYTORCH_LSTM, Thing.HIDDEN, "h", "where :math:`h_t` is the hidden state at time `t`"),
        Usage(
            by.TENSORFLOW_TUPLE, Thing.CELL_STATE, "c, while h is the output", "`c` is the hidden state and `h` is the output."
        ),
        Usage(
            by.TENSORFLOW_BASIC,
            Thing.HIDDEN,
            "h, in the same file: the method returns new_h under this name",
            "A pair containing the new hidden state, and the new state",
        ),
        Usage(by.FLAX_LSTM, Thing.STATES, "the carry, which is c and h", "carry: the hidden state of the LSTM cell"),
        Usage(by.HAIKU_STATE, Thing.HIDDEN, "h", "hidden: Hidden state."),
        Usage(by.MLX_LSTM, Thing.HIDDEN, "h", "The hidden state :math:`h` and cell state :math:`c`"),
        Usage(
            by.D2L_RNN,
            Thing.HIDDEN,
            "what a hidden layer emits",
            "such a hidden layer output is called a *hidden state*",
        ),
    ),
)

CELL_STATE = Entry(
    "cell state",
    Thing.CELL_STATE,
    "c, what the units remember: one number in each unit",
    ("c", "c_t", "c_n"),
    ("hidden state", "internal state", "memory", "state"),
    (
        Usage(
            by.PYTORCH_LSTM,
            Thing.CELL_STATE,
            "c; returned for the last timestep only",
            ":math:`c_t` is the cell state at time `t`",
        ),
        Usage(
            by.MLX_LSTM,
            Thing.CELL_STATE,
            "c; returned for every timestep",
            "The layer returns two arrays, the hidden state and the cell state at each time step",
        ),
        Usage(by.HAIKU_STATE, Thing.CELL_STATE, "c", "cell: Cell state."),
        Usage(by.COLAH, Thing.CELL_STATE, "c, the line along the top of the picture", "The key to LSTMs is the cell state"),
        Usage(by.GOODFELLOW, Thing.CELL_STATE, "c, written s", "one can choose to use the cell state"),
    ),
)

INTERNAL_STATE = Entry(
    "internal state",
    None,
    "no word of this package, which says cell state",
    (),
    ("cell state", "state"),
    (
        Usage(by.FOUNDERS, Thing.CELL_STATE, "c, written s, of one memory cell", "where the “internal state”"),
        Usage(by.D2L_LSTM, Thing.CELL_STATE, "c of one memory cell", "Each memory cell is equipped with an *internal state*"),
        Usage(
            by.KERAS_GUIDE,
            Thing.STATES,
            "all that is carried from timestep to timestep",
            "maintaining an internal state that encodes information about the timesteps it has seen so far",
        ),
    ),
)

MEMORY = Entry(
    "memory",
    Thing.CELL_STATE,
    "c, what the units remember",
    ("memory state",),
    ("cell state", "carry"),
    (
        Usage(
            by.KERAS_LSTM,
            Thing.HIDDEN,
            "the first state returned, which is h",
            "whole_seq_output, final_memory_state, final_carry_state = lstm(inputs)",
        ),
        Usage(by.FLAX_LSTM, Thing.CELL_STATE, "c", "h is the output of the previous time step, and c is the memory."),
    ),
)

CARRY = Entry(
    "carry",
    None,
    "no word of this package, which says state",
    ("carry state",),
    ("state", "memory", "cell state"),
    (
        Usage(by.FLAX_LSTM, Thing.STATES, "c and h, in this order", "c, h = carry"),
        Usage(
            by.KERAS_LSTM,
            Thing.CELL_STATE,
            "the second state returned, which is c",
            "whole_seq_output, final_memory_state, final_carry_state = lstm(inputs)",
        ),
    ),
)

STATE = Entry(
    "state",
    Thing.STATES,
    "h and c together: what a timestep hands to the next",
    ("states", "recurrent state", "initial state"),
    ("hidden state", "cell state", "carry"),
    (
        Usage(by.KERAS_GUIDE, Thing.STATES, "h and c", "Note that `LSTM` has 2 state tensors, but `GRU` only has one."),
        Usage(
            by.KERAS_CELL,
            Thing.HIDDEN,
            "one tensor, it is said of LSTMCell, which takes two",
            "states: A 2D tensor with shape `(batch, units)`, which is the state from the previous time step.",
        ),
        Usage(by.TENSORFLOW_BASIC, Thing.STATES, "c and h, in this order", "state: An `LSTMStateTuple` of state tensors"),
        Usage(by.HAIKU_STATE, Thing.STATES, "h and c", "An LSTM core state consists of hidden and cell vectors."),
        Usage(by.CS231N, Thing.HIDDEN, "h, of a plain recurrent network", "it receives some previous state as a vector"),
    ),
)

OUTPUT = Entry(
    "output",
    Thing.OUTPUT,
    "h of every timestep, directions side by side",
    ("y", "outputs", "output sequence", "return_sequences"),
    ("hidden state", "state"),
    (
        Usage(
            by.PYTORCH_LSTM,
            Thing.OUTPUT,
            "h of every timestep, of the last layer",
            "containing the output features `(h_t)` from the last layer of the LSTM, for each `t`.",
        ),
        Usage(
            by.KERAS_GUIDE,
            Thing.LAST_OUTPUT,
            "h of the last timestep, unless return_sequences=True",
            "By default, the output of a RNN layer contains a single vector per sample.",
        ),
        Usage(
            by.ONNX_LSTM,
            Thing.OUTPUT,
            "Y: h of every timestep, with an axis of directions",
            "A tensor that concats all the intermediate output values of the hidden.",
        ),
        Usage(by.TENSORFLOW_TUPLE, Thing.HIDDEN, "h at a timestep", "`c` is the hidden state and `h` is the output."),
        Usage(by.HAIKU_LSTM, Thing.HIDDEN, "h at a timestep", "The output is equal to the new hidden, :math:`h_t`."),
    ),
)

STATES = (HIDDEN_STATE, CELL_STATE, INTERNAL_STATE, MEMORY, CARRY, STATE, OUTPUT)
