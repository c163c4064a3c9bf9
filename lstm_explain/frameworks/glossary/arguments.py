"""Names that frameworks give to sizes."""

from __future__ import annotations

from lstm_explain.frameworks.glossary import sources as by
from lstm_explain.frameworks.glossary.entry import Entry, Thing, Usage

UNITS = Entry(
    "units",
    Thing.UNIT,
    "how many units a layer has in each direction: --units, and so in Keras",
    (),
    ("unit", "hidden_size", "num_units"),
    (
        Usage(
            by.KERAS_LSTM,
            Thing.UNIT,
            "the size of h and of c; Bidirectional emits twice as many numbers",
            "units: Positive integer, dimensionality of the output space.",
        ),
    ),
)

HIDDEN_SIZE = Entry(
    "hidden_size",
    Thing.UNIT,
    "how many units a layer has in each direction, here --units",
    ("hidden dim", "hidden_features", "n_hidden", "num_hiddens"),
    ("units", "num_units", "hidden state", "proj_size"),
    (
        Usage(by.PYTORCH_LSTM, Thing.HIDDEN, "the size of h", "hidden_size: The number of features in the hidden state `h`"),
        Usage(
            by.PYTORCH_LSTM,
            Thing.UNIT,
            "the size of c, and of h unless there is a projection",
            "the dimension of :math:`h_t` will be changed from ``hidden_size`` to ``proj_size``",
        ),
        Usage(by.ONNX_LSTM, Thing.UNIT, "called neurons", "Number of neurons in the hidden layer"),
        Usage(by.MLX_LSTM, Thing.UNIT, "the size of h and of c", "Dimension of the hidden state, ``H``."),
        Usage(by.HAIKU_LSTM, Thing.UNIT, "the size of h and of c", "hidden_size: Hidden layer size."),
        Usage(by.MATLAB, Thing.UNIT, "called numHiddenUnits", "Number of hidden units (also known as the hidden size)"),
    ),
    ours=False,
)

NUM_UNITS = Entry(
    "num_units",
    Thing.UNIT,
    "how many units a layer has in each direction, here --units",
    ("numhiddenunits", "nunits"),
    ("units", "hidden_size", "unit"),
    (
        Usage(
            by.TENSORFLOW_BASIC, Thing.UNIT, "the size of h and of c", "num_units: int, The number of units in the LSTM cell."
        ),
        Usage(by.TENSORFLOW_44409, Thing.UNIT, "units in a layer", "refers to number of `LSTM Units` in that `Layer`"),
        Usage(
            by.TUTORIALS_63,
            Thing.TIMESTEP,
            "a mix-up: the number of timesteps is no size of the layer",
            "I think the fisrt parameter: lstm_size should be time_step_size.",
        ),
    ),
    ours=False,
)

INPUT_SIZE = Entry(
    "input_size",
    Thing.FEATURE,
    "how many features a timestep of the input has, here --features",
    ("input dims",),
    ("feature",),
    (
        Usage(by.PYTORCH_LSTM, Thing.FEATURE, "of layer 0", "input_size: The number of expected features in the input `x`"),
        Usage(by.MLX_LSTM, Thing.FEATURE, "D", "Dimension of the input, ``D``."),
        Usage(
            by.ONNX_LSTM,
            Thing.FEATURE,
            "the last axis of X",
            "3-D tensor with the shape of `[seq_length, batch_size, input_size]`.",
        ),
    ),
    ours=False,
)

NUM_LAYERS = Entry(
    "num_layers",
    Thing.LAYER,
    "how many layers are stacked, here --layers",
    ("layers",),
    ("layer",),
    (
        Usage(
            by.PYTORCH_LSTM, Thing.LAYER, "both directions of a layer count as one", "num_layers: Number of recurrent layers."
        ),
    ),
    ours=False,
)

PROJ_SIZE = Entry(
    "proj_size",
    Thing.PROJECTED,
    "the size of h where it is a linear map of the units' outputs, here --projection",
    ("projection", "num_proj", "projection_size"),
    ("hidden state", "hidden_size"),
    (
        Usage(
            by.PYTORCH_LSTM,
            Thing.PROJECTED,
            "the size of h; 0 for none",
            "will use LSTM with projections of corresponding size",
        ),
        Usage(
            by.TENSORFLOW_LSTM,
            Thing.PROJECTED,
            "num_proj, the size of h; None for none",
            "The output dimensionality for the projection matrices.",
        ),
    ),
    ours=False,
)

ARGUMENTS = (UNITS, HIDDEN_SIZE, NUM_UNITS, INPUT_SIZE, NUM_LAYERS, PROJ_SIZE)
